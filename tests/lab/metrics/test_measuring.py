"""From histories to figures, on histories that are written out."""

import json

import naive_metrics as naive
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.lab import Event, History, Measures, measure
from queuestream.lab.metrics import Order, arrivals, order_of
from queuestream.lab.metrics.order import together


def told(*rows):
    return History.from_dicts(
        [{"operation": operation, "message": message, **rest} for operation, message, rest in rows]
    )


def sent(*messages, **rest):
    return [("send", message, rest) for message in messages]


def received(*messages, **rest):
    return [("receive", message, rest) for message in messages]


def sequences(history, scope="global", deliveries="first"):
    scopes, reason = arrivals(history, scope, deliveries=deliveries)
    assert reason is None
    return [whole.sequence for whole in scopes]


def test_messages_are_numbered_as_they_were_sent_and_told_as_they_came():
    history = told(*sent("a", "b"), *received("b"), *sent("c"), *received("a", "c"))
    [whole], _ = arrivals(history)
    assert whole.sequence == [2, 1, 3]
    assert whole.pairs() == [(2, 1), (1, 2), (3, 3)]
    found = measure(history)
    assert (found.reordered, found.reordered_ratio, found.max_extent) == (1, 0.333333, 1)
    assert found.kendall_tau == 0.333333


def test_each_group_is_measured_for_itself():
    history = told(
        *sent("a1", "a2", group="a"),
        *sent("b1", "b2", group="b"),
        *received("b1", "a2", "b2", "a1"),
    )
    over_all, within = measure(history), measure(history, "group")
    assert (over_all.total.order.arrivals, over_all.reordered) == (4, 2)
    assert {name: one.order.reordered for name, one in within.by_scope.items()} == {"a": 1, "b": 0}
    assert (within.reordered, within.reordered_ratio, within.worst) == (1, 0.25, "a")
    assert (within.total.sent, within.total.order.pairs, within.kendall_tau) == (4, 2, 0.0)


def test_a_repeated_delivery_is_an_arrival_only_where_all_are_asked_for():
    history = told(*sent("a", "b"), *received("a", "b", "a"))
    assert sequences(history) == [[1, 2]]
    assert sequences(history, deliveries="all") == [[1, 2, 1]]
    for deliveries, reordered in (("first", 0), ("all", 1)):
        found = measure(history, deliveries=deliveries)
        assert (found.total.delivered, found.total.redelivered, found.reordered) == (2, 1, reordered)


def test_a_message_that_was_sent_repeatedly_is_one_and_counts_from_the_first_answer():
    history = told(
        ("send", "a", {"outcome": "unknown"}),
        *sent("b", "a", "a", "c"),
        *received("a", "b", "a", "c"),
    )
    assert sequences(history) == [[2, 1, 3]]
    assert measure(history).total.sent == 3


def test_a_message_without_an_answer_counts_from_when_it_was_sent_if_it_came():
    history = told(
        *sent("a"),
        ("send", "b", {"outcome": "unknown"}),
        ("send", "never", {"outcome": "unknown"}),
        ("send", "refused", {"outcome": "failed"}),
        *sent("c"),
        *received("b", "a", "c"),
    )
    found = measure(history).total
    assert sequences(history) == [[2, 1, 3]]
    assert (found.sent, found.undelivered) == (3, 0)
    # Nobody knows since when it waited.
    assert found.delay.wait.count == 2


def test_a_message_that_nobody_received_leaves_a_hole():
    history = told(*sent("a", "b", "c"), *received("a", "c"))
    assert sequences(history) == [[1, 3]]
    assert measure(history).total.undelivered == 1
    assert measure(history).reordered == 0


def test_a_message_that_nobody_sent_has_no_number_and_is_counted():
    found = measure(told(*sent("a"), *received("ghost", "a", "ghost")))
    assert (found.total.unnumbered, found.total.delivered, found.total.order.arrivals) == (2, 1, 1)


@pytest.mark.parametrize(
    ("rows", "scope", "reason"),
    [
        (received("a", "b"), "global", "tells of no send"),
        ([], "group", "tells of no send"),
        (sent("a") + received("a"), "group", "has a message group"),
        (sent("a") + received("a"), "shard", "has a shard"),
        (received("a", group="g"), "group", "tells of no send"),
    ],
)
def test_where_the_order_of_sending_is_not_known_it_says_why(rows, scope, reason):
    found = measure(told(*rows), scope)
    assert reason in found.reason
    assert found.total.order is None
    assert (found.reordered, found.reordered_ratio, found.kendall_tau, found.worst) == (0, 0.0, None, None)
    assert reason in str(found)
    json.dumps(found.as_dict())


def test_events_are_looked_at_in_the_order_of_time_whatever_order_they_are_told_in():
    history = History(
        [
            Event("receive", "a", "ok", 30, 31),
            Event("receive", "b", "ok", 20, 21),
            Event("send", "b", "ok", 10, 11),
            Event("send", "a", "ok", 0, 1),
        ]
    )
    assert sequences(history) == [[2, 1]]


def test_events_without_times_are_looked_at_as_they_are_told():
    history = History(
        [Event(*row) for row in [("send", "a"), ("send", "b"), ("receive", "b"), ("receive", "a")]]
    )
    assert sequences(history) == [[2, 1]]
    assert measure(history).total.delay.wait is None


def test_sends_that_overlapped_have_no_order_of_their_own():
    sends = [
        Event("send", "a", "ok", 0, 10, actor="one"),
        Event("send", "b", "ok", 5, 15, actor="two"),
        Event("send", "c", "ok", 15, 20, actor="two"),
    ]
    came = ["b", "a", "c"], ["c", "a", "b"]
    order = [
        measure(
            History([*sends, *(Event("receive", name, "ok", 30, 30 + at) for at, name in enumerate(names))])
        )
        for names in came
    ]
    assert [found.total.order.reordered for found in order] == [1, 2]
    # c began after a was acknowledged, and after b, which the same actor sent.
    assert [found.total.order.reordered_by_overlap for found in order] == [1, 0]


def test_sends_at_one_instant_are_in_the_order_in_which_they_are_told():
    sends = [Event("send", name, "ok", 5, 5, actor=name) for name in "ab"]
    history = History([*sends, Event("receive", "b", "ok", 6, 6), Event("receive", "a", "ok", 7, 7)])
    order = measure(history).total.order
    assert (order.reordered, order.reordered_by_overlap) == (1, 0)


def test_a_send_that_was_repeated_without_an_answer_may_have_been_done_by_any_try():
    sends = [
        Event("put", "a", "unknown", 0, None, actor="one"),
        Event("put", "b", "ok", 2, 3, actor="one"),
        Event("put", "a", "ok", 4, 5, actor="one"),
        Event("put", "c", "ok", 6, 7, actor="one"),
    ]

    def reordered(*names):
        gets = [Event("get", name, "ok", 30 + at, 30 + at) for at, name in enumerate(names)]
        order = measure(History([*sends, *gets])).total.order
        return order.reordered, order.reordered_by_overlap

    assert reordered("b", "a", "c") == (0, 0)
    assert reordered("a", "b", "c") == (1, 1)
    # c was sent when the other two had been acknowledged.
    assert reordered("c", "a", "b") == (2, 0)
    assert reordered("a", "c", "b") == (1, 0)


actors = st.sampled_from(["one", "two", "three"])
spans = st.lists(st.tuples(actors, st.integers(0, 8), st.integers(0, 4)), max_size=8)
tries = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 8)), max_size=4)


@given(spans.flatmap(lambda some: st.tuples(st.just(some), st.permutations(range(len(some))))), tries)
def test_overlaps_are_those_that_nobody_surely_overtook(both, tries):
    some, came = both
    sends = sorted(
        (
            Event("send", str(at), "ok", begins, begins + takes, actor=actor)
            for at, (actor, begins, takes) in enumerate(some)
        ),
        key=lambda event: event.ended_ns,
    )
    unanswered = [
        Event("send", sends[at].message, "unknown", begins, None, actor=sends[at].actor)
        for at, begins in tries
        if at < len(sends) and begins < sends[at].started_ns
    ]
    began = [
        min([send.started_ns, *(one.started_ns for one in unanswered if one.message == send.message)])
        for send in sends
    ]
    received = (Event("receive", sends[at].message, "ok", 50, 50) for at in came)
    history = History([*unanswered, *sends, *received])
    expected = 0
    for place, at in enumerate(came):
        before = [one for one in came[:place] if one > at]
        surely = [
            one
            for one in before
            if began[one] >= sends[at].ended_ns
            or (sends[one].actor == sends[at].actor and began[one] == sends[one].started_ns)
        ]
        expected += bool(before) and not surely
    found = measure(history).total.order
    assert (found.reordered_by_overlap if found else 0) == expected


def test_each_application_has_read_for_itself():
    history = told(
        *(("put", name, {"shard": "s", "resource": "r"}) for name in "abc"),
        *(("get", name, {"shard": "s", "resource": "r", "application": "one"}) for name in "abc"),
        *(("get", name, {"shard": "s", "resource": "r", "application": "two"}) for name in "ba"),
    )
    found = measure(history)
    assert {name: one.order.reordered for name, one in found.by_scope.items()} == {"one": 0, "two": 1}
    assert {name: one.undelivered for name, one in found.by_scope.items()} == {"one": 0, "two": 1}
    assert [*measure(history, "shard").by_scope] == ["one / s", "two / s"]


def test_an_application_is_not_blamed_for_what_it_does_not_read():
    history = told(
        *sent("a", resource="left"),
        *sent("b", resource="right"),
        *sent("c", resource="unread"),
        *received("a", resource="left", application="one"),
        *received("b", resource="right", application="two"),
    )
    found = measure(history, "resource")
    assert {name: one.undelivered for name, one in found.by_scope.items()} == {
        "one / left": 0,
        "two / right": 0,
        "unread": 1,
    }
    assert found.total.sent == 3


def test_the_same_name_in_two_queues_is_two_messages():
    history = told(
        *sent("a", "b", resource="left"),
        *sent("b", "a", resource="right"),
        *received("a", "b", resource="left"),
        *received("a", "b", resource="right"),
    )
    found = measure(history, "resource")
    assert {name: one.order.reordered for name, one in found.by_scope.items()} == {"left": 0, "right": 1}


@pytest.mark.parametrize("elsewhere", [[], sent("x", resource="other")])
def test_a_message_that_was_moved_belongs_where_it_was_sent(elsewhere):
    history = told(
        *sent("a", "b", resource="main"),
        *elsewhere,
        *received("b", resource="main"),
        *received("a", resource="dead-letters"),
    )
    assert measure(history, "resource").by_scope["main"].order.reordered == 1


def gets(*rows):
    return [
        ("get", message, {"shard": shard, "sequence_number": str(number)}) for message, shard, number in rows
    ]


def test_within_a_shard_the_sequence_numbers_are_the_order():
    history = told(
        *(
            ("put", name, {"shard": "s", "sequence_number": number})
            for name, number in (("a", "10"), ("b", "9"))
        ),
        *gets(("b", "s", 9), ("a", "s", 10), ("b", "s", 9)),
    )
    assert sequences(history, "shard") == [[1, 2]]
    assert sequences(history, "shard", "all") == [[1, 2, 1]]
    assert sequences(history) == [[2, 1]]


def test_a_record_that_was_put_twice_is_two_records_of_a_shard():
    history = told(
        ("put", "a", {"outcome": "unknown"}),
        ("put", "a", {"shard": "s", "sequence_number": "2"}),
        *gets(("a", "s", 1), ("a", "s", 2)),
    )
    found = measure(history, "shard").total
    assert (found.delivered, found.redelivered) == (2, 0)
    found = measure(history).total
    assert (found.delivered, found.redelivered) == (1, 1)


def test_a_shard_can_be_measured_without_a_word_of_its_puts():
    found = measure(told(*gets(("a", "s", 2), ("b", "s", 1), ("c", "t", 7))), "shard")
    assert found.reason is None
    assert {name: one.order.reordered for name, one in found.by_scope.items()} == {"s": 1, "t": 0}


def test_without_sequence_numbers_a_shard_is_measured_by_the_order_of_sending():
    history = told(
        ("put", "a", {"shard": "s"}),
        ("put", "b", {"outcome": "unknown"}),
        *(("get", name, {"shard": "s"}) for name in "ba"),
    )
    assert sequences(history, "shard") == [[2, 1]]


def test_how_long_messages_waited():
    history = told(
        ("send", "a", {"started_ns": 0, "ended_ns": 10}),
        ("send", "b", {"started_ns": 20, "ended_ns": 20}),
        ("send", "c", {"started_ns": 30, "ended_ns": 30}),
        ("receive", "b", {"started_ns": 0, "ended_ns": 50}),
        ("receive", "a", {"started_ns": 50, "ended_ns": 60}),
        ("delete", "a", {"started_ns": 70, "ended_ns": 75}),
        ("receive", "b", {"started_ns": 80, "ended_ns": 80}),
        ("delete", "b", {"started_ns": 90, "ended_ns": 95}),
        ("receive", None, {"started_ns": 90, "ended_ns": 100}),
    )
    found = measure(history).total.delay.as_dict()
    assert found == {
        "wait_ns": {"count": 2, "p50": 30, "p90": 50, "p99": 50, "longest": 50},
        "until_deleted_ns": {"count": 2, "p50": 65, "p90": 75, "p99": 75, "longest": 75},
        "max_age_ns": 70,
        "max_backlog": 3,
    }
    assert measure(history, deliveries="all").total.delay.as_dict() == found
    [[whole], _] = arrivals(history)
    assert max(age for _, age in whole.age_of_oldest(100)) == found["max_age_ns"]
    assert max(count for _, count in whole.backlog()) == found["max_backlog"]


def test_the_delays_of_all_groups_together_are_those_of_everything():
    history = told(
        *(("send", f"{at}", {"group": f"g{at % 3}", "started_ns": at}) for at in range(12)),
        *(("receive", f"{at}", {"started_ns": 20 + at * at}) for at in (3, 4, 0, 1, 2, 7, 9, 10)),
    )
    assert measure(history, "group").total.delay == measure(history).total.delay


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=4))
def test_figures_of_several_sequences_are_sums_and_largest(several):
    orders = [order_of(sequence, range(len(sequence))) for sequence in several]
    found = together(orders)
    assert found.arrivals == sum(map(len, several))
    assert found.reordered == sum(len(naive.reordered(sequence)) for sequence in several)
    assert found.inversions == sum(map(naive.inversions, several))
    assert found.pairs == sum(map(naive.pairs, several))
    assert found.max_extent == max((order.max_extent for order in orders), default=0)
    assert sum(count for _, count in found.displacements) == found.distinct


@given(naive.anything)
def test_the_figures_of_a_sequence_are_those_of_its_metrics(sequence):
    order = order_of(sequence, [7 * at for at in range(len(sequence))])
    if not sequence:
        assert order == Order()
        return
    overtakers = naive.overtakers(sequence)
    extents = [late - first for late, first in overtakers.items()]
    gaps, free_runs = naive.gaps(sequence), naive.free_runs(sequence)
    displacements, occupancies = naive.displacements(sequence), naive.occupancies(sequence)
    distances = naive.distances(sequence)
    assert order.reordered == len(extents)
    assert (order.max_extent, order.extent_sum) == (max(extents, default=0), sum(extents))
    assert order.max_late_time_ns == 7 * order.max_extent
    assert order.late_time_sum_ns == 7 * order.extent_sum
    assert order.three_reordered == sum(n >= 3 for n in naive.n_reordering(sequence))
    assert order.max_n_reordering == max(naive.n_reordering(sequence))
    assert order.breaks == len({*overtakers.values()})
    assert (order.min_gap, order.gap_sum, order.gap_count) == (min(gaps, default=None), sum(gaps), len(gaps))
    assert (order.free_runs, order.free_run_sum) == (len(free_runs), sum(free_runs))
    assert order.max_free_run == max(free_runs)
    assert (order.earliest, order.latest) == (min(displacements), max(displacements))
    assert (order.max_occupancy, order.occupancy_sum) == (max(occupancies), sum(occupancies))
    assert order.distinct == len({*sequence})
    assert (order.footrule, order.max_displacement) == (sum(distances), max(distances))
    assert order.runs == naive.runs(sequence)
    assert order.removals == len(sequence) - naive.longest_increasing(sequence)


def test_the_document_is_json_and_the_table_reads():
    history = told(*sent("a", "b", group="x"), *sent("c", group="y"), *received("b", "a", "c"))
    found = measure(history, "group")
    document = json.loads(json.dumps(found.as_dict()))
    assert document["worst"] == "x"
    assert document["scopes"] == 2
    assert document["by_scope"]["x"]["order"]["displacement"]["bins"] == [[-1, -1, 1], [1, 1, 1]]
    assert document["total"]["order"]["reordered_ratio"] == 0.333333
    lines = str(found).splitlines()
    assert lines[0] == "Order within each message group, first deliveries: 2 scopes"
    assert lines[1].split() == ["all", "worst:", "x"]
    assert len({*map(len, lines[1:])}) == 1
    assert "(33.33%)" in next(line for line in lines if line.startswith("reordered"))
    assert str(measure(history)).splitlines()[0] == "Order over everything, first deliveries"


def test_names_that_look_put_together_are_told_apart():
    history = told(*sent("a", group="x / y", resource="q"), *sent("b", group="y", resource="q / x"))
    assert len(measure(history, "group").by_scope) == 2


@pytest.mark.parametrize("wrong", [{"scope": "galaxy"}, {"deliveries": "some"}])
def test_a_scope_that_does_not_exist_is_refused(wrong):
    with pytest.raises(ValueError, match="is none of"):
        measure(History(), **wrong)


def test_of_an_empty_history_there_is_nothing_to_say():
    found = measure(History())
    assert isinstance(found, Measures)
    assert (found.total.sent, found.by_scope) == (0, {})
