"""FIFO queues: order within a message group, its lock, sequence numbers, and sends that are repeated."""

import pytest
from stories import delete, found, hide, operate, receive, send

from queuestream.lab import check

A, B, C = ({"group": "g", "sequence_number": number} for number in ("100", "101", "102"))
SENT = [send("a", 1, **A), send("b", 2, **B)]


def judged(*events, **options):
    return found(check([*SENT, *events], promise="fifo", finished=False, **options))


def test_messages_of_a_group_come_one_after_the_other():
    events = [
        receive("a", 3, until=33, **A),
        delete("a", 4),
        receive("b", 4, until=34, actor="two", **B),
        delete("b", 5, actor="two"),
    ]
    assert judged(*events) == {}


def test_a_later_message_does_not_come_before_an_earlier_one():
    verdict = check([*SENT, receive("b", 3, **B), receive("a", 4, **A)], promise="fifo")
    assert found(verdict) == {"out-of-order": 1}
    [anomaly] = verdict.anomalies
    assert anomaly.scope == "message group g of orders"
    assert anomaly.sentence == (
        'one received "b" at 2 s before "a", which comes before it and which one received at 3 s.'
    )
    assert anomaly.events == (0, 1, 2, 3)


def test_a_later_message_does_not_come_while_an_earlier_one_is_in_somebodys_hands():
    events = [receive("a", 3, until=33, **A), receive("b", 32.9, actor="two", **B)]
    verdict = check([*SENT, *events], promise="fifo")
    assert found(verdict) == {"group-lock": 1}
    assert verdict.anomalies[0].sentence == (
        'two received "b" at 31.9 s, while "a", which comes before it, locked the group: '
        "one had received it at 2 s and had it until 32 s."
    )


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([receive("a", 3, until=33, **A), receive("b", 33, **B)], id="its time was over"),
        pytest.param([receive("a", 3, until=33, **A), receive("b", 3, **B)], id="both came in one call"),
        pytest.param(
            [receive("a", 3, until=33, **A), delete("a", (5, None)), receive("b", 5, actor="two", **B)],
            id="it may have been deleted",
        ),
        pytest.param(
            [receive("a", 3, until=33, **A), delete("a", (5, 9)), receive("b", 6, actor="two", **B)],
            id="its delete was under way",
        ),
        pytest.param(
            [receive("a", 3, until=33, **A), hide("a", 5, until=5), receive("b", 6, actor="two", **B)],
            id="it was given back, and may be a dead letter",
        ),
        pytest.param([receive("b", 3, **B)], id="the earlier one never came"),
        pytest.param(
            [receive("b", (3, 5), actor="two", **B), receive("a", (4, 6), **A)], id="they came at once"
        ),
        pytest.param(
            [receive("a", 3, until=33, **A), operate("purge", 5), receive("b", 6, actor="two", **B)],
            id="it may have been purged",
        ),
    ],
)
def test_a_message_may_come_when_no_earlier_one_is_there_for_sure(events):
    assert judged(*events) == {}


def test_groups_do_not_wait_for_each_other():
    events = [
        send("a", 1, group="g", sequence_number="1"),
        send("b", 2, group="h", sequence_number="2"),
        receive("b", 3, group="h", sequence_number="2"),
        receive("a", 4, group="g", sequence_number="1"),
    ]
    assert found(check(events, promise="fifo")) == {}
    # On a queue without groups all messages wait for each other.
    for event in events:
        event.group = None
    assert found(check(events, promise="fifo")) == {"out-of-order": 1}


def test_a_message_that_failed_is_there_until_it_comes_again():
    events = [
        receive("a", 3, until=13, **A),
        receive("b", 14, until=44, actor="two", **B),
        receive("a", 15, until=25, **A),
    ]
    assert judged(*events) == {"out-of-order": 1}
    # Had somebody tried to delete it, the later delivery would be the riddle, and not the order.
    assert judged(events[0], delete("a", (4, None)), *events[1:]) == {}


def test_who_received_a_batch_may_get_its_first_message_again():
    events = [receive("a", 3, until=13, **A), receive("b", 3, until=33, **B), receive("a", 14, until=44, **A)]
    assert judged(*events) == {}


def test_of_a_batch_each_message_is_looked_at():
    events = [send("c", 2.5, **C), receive("a", 3, **A), receive("c", 3, **C), receive("b", 4, **B)]
    assert judged(*events) == {"out-of-order": 1}


def test_a_message_that_was_moved_away_and_back_has_a_new_place():
    moved = [
        receive("a", 3, until=13, **A),
        receive("b", 14, until=24, actor="two", **B),
        operate("start_message_move_task", 15, resource="dead-orders"),
    ]
    assert judged(*moved, receive("a", 30, group="g", sequence_number="110")) == {}
    # Without sequence numbers nobody can tell whether it has been away.
    events = [*SENT, *moved, receive("a", 30, group="g")]
    for event in events:
        event.sequence_number = None
    assert found(check(events, promise="fifo", finished=False)) == {}


def test_without_sequence_numbers_the_times_of_the_sends_say_what_comes_first():
    def order(first, second):
        events = [send("a", first), send("b", second), receive("b", 10), receive("a", 11)]
        return found(check(events, promise="fifo"))

    assert order((1, 2), (2.1, 3)) == {"out-of-order": 1}
    assert order((1, 2), (2, 3)) == {}
    assert order((1, 3), (2, 4)) == {}
    assert order((1, None), (5, 6)) == {}


def test_a_dead_letter_queue_has_an_order_by_its_sequence_numbers():
    letters = [receive("b", 9, resource="dead", **B), receive("a", 10, resource="dead", **A)]
    assert judged(*letters) == {"out-of-order": 1}
    for letter in letters:
        letter.sequence_number = None
    assert judged(*letters) == {}


# --- sequence numbers -----------------------------------------------------------------------------------


def test_sequence_numbers_grow():
    def numbered(first, second):
        events = [send("a", first, sequence_number="7"), send("b", second, sequence_number="6")]
        return found(check(events, promise="fifo", finished=False))

    assert numbered((1, 2), (2.5, 3)) == {"nonmonotonic-send": 1}
    assert numbered((1, 2), (2, 3)) == {}
    assert numbered((1, 2), (3, 4)) == {"nonmonotonic-send": 1}


def test_a_repeated_send_has_the_number_of_the_first_one():
    """The first attempt had no answer, and was the one that was taken."""
    events = [
        send("a", (1, None)),
        send("b", 2, sequence_number="2", message_id="y"),
        send("a", 3, sequence_number="1", message_id="x"),
    ]
    assert found(check(events, promise="fifo", finished=False)) == {}


# --- repeated sends -------------------------------------------------------------------------------------


def repeated(first, second, *more, ids=("x", "y"), **fields):
    sends = [
        send("a", at, message_id=message_id, **{"deduplication_id": "d", "group": "g", **fields})
        for at, message_id in zip((first, second), ids, strict=True)
    ]
    return found(check([*more, *sends], promise="fifo", finished=False))


def test_what_is_sent_again_within_five_minutes_is_one_message():
    assert repeated(1, 300.9) == {"undeduplicated": 1}
    assert repeated(1, 301) == {}
    assert repeated(1, (300, 301.5)) == {}
    assert repeated((1, 2), 300.9) == {"undeduplicated": 1}
    assert repeated((0, 2), 300.9) == {}


def test_what_is_sent_again_later_is_another_message():
    assert repeated(1, 301, ids=("x", "x")) == {"lost": 1}
    assert repeated(1, 300.9, ids=("x", "x")) == {}
    assert repeated((1, 2), 301.5, ids=("x", "x")) == {}


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        pytest.param([], {"deduplication_id": None}, id="nobody knows the deduplication id"),
        pytest.param([operate("purge", 1.5)], {}, id="a purge forgets them"),
        pytest.param(
            [send("a", (-299, None), group="g", deduplication_id="d")], {}, id="an earlier one had no answer"
        ),
    ],
)
def test_what_may_have_been_forgotten_may_be_another_message(more, fields):
    assert repeated(1, 2, *more, **fields) == {}


# --- false alarms that random histories have found ------------------------------------------------------


def test_a_repetition_under_another_name_has_the_number_of_the_first_one():
    first = {"sequence_number": "1", "message_id": "x", "deduplication_id": "d"}
    events = [
        send("a", 1, **first),
        send("b", 2, sequence_number="2", message_id="y", deduplication_id="e"),
        send("a, second try", 3, **first),
    ]
    assert found(check(events, promise="fifo", finished=False)) == {}
    # The first one had no answer, so that nobody knows its number.
    events[0] = send("a", (1, None), deduplication_id="d")
    assert found(check(events, promise="fifo", finished=False)) == {}
    # Another message may not have a lower number.
    events[2].deduplication_id = "f"
    assert found(check(events, promise="fifo", finished=False)) == {"nonmonotonic-send": 1}


def test_one_name_may_be_that_of_messages_in_several_groups():
    first, second = ({"message_id": name, "sequence_number": name} for name in "13")
    events = [
        send("a", 1, group="g", **first),
        send("b", 2, group="g", message_id="2", sequence_number="2"),
        send("a", 3, group="h", **second),
        receive("a", 4, until=5, group="h", actor="two", **second),
        receive("a", 4.5, until=34, group="g", **first),
    ]
    assert found(check(events, promise="fifo", finished=False)) == {}
    # Where the receives say neither group nor number, nobody knows which of them came.
    for event in events[3:]:
        event.group = event.sequence_number = event.message_id = None
    assert found(check(events, promise="fifo", finished=False)) == {}


def test_a_queue_that_was_deleted_and_created_anew_counts_anew():
    events = [
        send("a", 1, sequence_number="1"),
        send("b", 2, sequence_number="2"),
        receive("b", 3, sequence_number="2"),
        operate("delete_queue", 4),
        send("c", 70, sequence_number="1"),
        receive("c", 71, sequence_number="1"),
    ]
    assert found(check(events, promise="fifo")) == {}


def test_a_send_to_one_group_may_be_taken_for_a_repetition_of_that_to_another():
    """As it is where the deduplication scope is the queue."""
    x, y = ({"message_id": name, "deduplication_id": "d"} for name in "xy")
    events = [send("a", 0, group="h", **x), send("a", 200, group="g", **x), send("a", 301, group="g", **y)]
    assert found(check(events, promise="fifo", finished=False)) == {}
    assert found(check(events[1:], promise="fifo", finished=False)) == {"undeduplicated": 1}
    # Where it is the message group, the same id in another group says nothing.
    events[1] = send("a", 200, group="g", message_id="z", deduplication_id="d")
    assert found(check(events[:2], promise="fifo", finished=False)) == {}
