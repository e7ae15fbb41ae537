"""The verdict itself: promises, counts, sentences, JSON, and how many examples."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import finish, get, put, receive, send

from queuestream.lab import History, check
from queuestream.lab.checkers.precedence import NEVER, backwards, ordinal
from queuestream.lab.checkers.queries import Largest
from queuestream.lab.checkers.verdicts import KINDS, PROMISES


def test_the_promise_is_seen_from_the_name_and_the_events_or_said():
    events = [
        send("a", 1, resource="x.fifo"),
        send("a", 1, resource="x"),
        put("a", 1),
        finish(2, resource="y"),
    ]
    assert check(events, finished=False).promises == {
        "x.fifo": "fifo",
        "x": "standard",
        "events": "stream",
        "y": "stream",
    }
    assert {*check(events, promise="fifo").promises.values()} == {"fifo"}
    with pytest.raises(ValueError, match="There is no promise 'exact'; there are standard, fifo, stream"):
        check(events, promise="exact")


def test_a_history_from_anywhere_has_a_verdict():
    """Two fields are enough, and a list that is taken for a queue may be said to be a stream."""
    rows = [
        {"operation": "send", "message": "a"},
        {"operation": "send", "message": "b"},
        {"operation": "receive", "message": "b"},
        {"operation": "receive", "message": "a"},
    ]
    assert check(History.from_dicts(rows)).valid
    verdict = check(History.from_dicts(rows), promise="fifo")
    assert str(verdict) == (
        "Not valid: 4 events, and 1 violation of what was promised.\n"
        "the queue (fifo): 2 attempted, 2 acknowledged, 2 received, 0 lost, 0 unexpected, 0 duplicated, "
        "0 recovered, 0 redelivered\n"
        '  ✗ out-of-order: somebody received "b" at 2 before "a", which comes before it and which somebody '
        "received at 3."
    )
    assert check(History.from_dicts(rows), promise="stream").received == 2


def test_a_verdict_on_nothing_is_valid():
    assert str(check([])) == "Valid: 0 events, and every promise was kept."


def test_all_are_counted_and_some_are_told():
    events = [send(str(number), number) for number in range(20)]
    verdict = check(events, examples=7)
    assert (verdict.lost, verdict.found, len(verdict.anomalies)) == (20, {"lost": 20}, 7)
    assert len(verdict.of_kind("lost")) == 7
    assert verdict.of_kind("vanished") == []
    assert "… and 15 more lost" in str(verdict)


def test_a_verdict_is_json_and_says_everything():
    events = [
        send("a", 1),
        send("b", 2, resource="b.fifo"),
        receive("b", 3, resource="b.fifo"),
        receive("z", 4),
    ]
    told = json.loads(json.dumps(check(events).as_dict()))
    assert told["valid"] is False
    assert told["attempted"] == 2
    assert told["found"] == {"lost": 1, "unexpected": 1}
    assert told["resources"]["b.fifo"]["promise"] == "fifo"
    assert told["anomalies"][0] == {
        "kind": "lost",
        "resource": "orders",
        "scope": "orders",
        "violates": True,
        "sentence": '"a" was acknowledged when somebody sent it at 0 s, and nobody ever received it.',
        "events": [0],
    }


def test_long_names_are_cut_short():
    [anomaly] = check([send("x" * 1000, 1)]).anomalies
    assert anomaly.sentence.startswith('"' + "x" * 59 + '…" was acknowledged')


def test_each_kind_violates_some_promise():
    assert all(promises and {*promises} <= {*PROMISES} for promises in KINDS.values())


def test_numbers_of_the_services_are_compared_as_numbers():
    assert ordinal("9") < ordinal("10") < ordinal("18849496460467696128")
    assert ordinal("5-9") < ordinal("5-10") < ordinal("6-0")
    assert ordinal(None) is ordinal("none") is None


@given(st.lists(st.integers(0, 9), max_size=120), st.randoms(use_true_random=False))
def test_the_largest_of_a_range_is_where_max_finds_it(numbers, chance):
    largest = Largest(numbers)
    for _ in range(5):
        start, end = sorted((chance.randint(0, len(numbers)), chance.randint(0, len(numbers))))
        place = largest.between(start, end)
        assert place == max(range(start, end), key=numbers.__getitem__, default=None)
        if end:
            assert largest.before(end) == max(range(end), key=numbers.__getitem__)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.integers(0, 20)), max_size=12))
def test_a_later_call_with_a_lower_number_is_found_as_by_looking_at_all_pairs(rows):
    calls = [(start, start + length if length < 5 else NEVER, number) for start, length, number in rows]
    later = {
        place
        for place, (start, _, number) in enumerate(calls)
        if any(end < start and other > number for _, end, other in calls)
    }
    pairs = list(backwards(calls))
    assert {place for _, place in pairs} == later
    assert all(calls[one][1] < calls[other][0] and calls[one][2] > calls[other][2] for one, other in pairs)


def test_the_order_of_what_is_told_is_the_same_each_time():
    events = [send(str(number), number) for number in range(30)]
    events += [receive(str(number), 50) for number in range(40, 60)]
    events += [get(str(number), 60, number + 1) for number in range(10)]
    first = check(events).as_dict()
    assert json.dumps(check(list(events)).as_dict()) == json.dumps(first)
