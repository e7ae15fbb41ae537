"""What every queue is asked: what is lost or vanished, unexpected, inconsistent, duplicated, resurrected."""

import pytest
from stories import delete, found, hide, operate, receive, send

from queuestream.lab import check


def test_a_message_that_is_sent_received_and_deleted_is_no_news():
    verdict = check([send("a", 1), receive("a", 2, until=32), delete("a", 3)])
    assert verdict.valid
    assert verdict.as_dict()["resources"] == {
        "orders": {
            "promise": "standard",
            "attempted": 1,
            "acknowledged": 1,
            "received": 1,
            "lost": 0,
            "unexpected": 0,
            "duplicated": 0,
            "recovered": 0,
            "redelivered": 0,
            "found": {},
            "violations": 0,
        }
    }


# --- lost -----------------------------------------------------------------------------------------------


def test_a_message_that_was_acknowledged_and_never_came_is_lost():
    verdict = check([send("a", 1, actor="shop"), send("b", 2), receive("b", 3)])
    assert found(verdict) == {"lost": 1}
    assert verdict.lost == 1
    [lost] = verdict.anomalies
    assert lost.sentence == '"a" was acknowledged when shop sent it at 0 s, and nobody ever received it.'
    assert lost.events == (0,)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([operate("purge", 2)], id="it was purged"),
        pytest.param([operate("purge", (2, None))], id="it may have been purged"),
        pytest.param([operate("purge", 0.5)], id="a purge takes a minute, and what was sent meanwhile along"),
        pytest.param([receive("a", 9, resource="dead-orders")], id="it came as a dead letter"),
        pytest.param([receive(None, 1 + 4 * 24 * 3600)], id="it was too old"),
    ],
)
def test_a_message_that_may_be_gone_is_not_lost(more):
    assert found(check([send("a", 1), *more])) == {}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([send("a", 1), operate("purge", 2, outcome="failed")], id="nobody purged"),
        pytest.param([operate("purge", 1), send("a", 61.1)], id="it was sent long after a purge"),
        pytest.param([send("a", 1), receive(None, 0.9 + 4 * 24 * 3600)], id="it was not too old yet"),
    ],
)
def test_a_message_that_has_no_excuse_is_lost(events):
    assert found(check(events)) == {"lost": 1}


def test_nothing_is_lost_before_everybody_has_finished_nor_what_was_not_acknowledged():
    assert found(check([send("a", 1)], finished=False)) == {}
    assert found(check([send("a", (1, None)), send("b", 1, outcome="failed")])) == {}


def test_of_two_messages_of_one_name_the_ids_say_which_was_lost():
    twice = [send("a", 1, message_id="x"), send("a", 2, message_id="y")]
    assert found(check([*twice, receive("a", 3, message_id="x")])) == {"lost": 1}
    assert found(check([*twice, receive("a", 3, message_id="x"), receive("a", 4, message_id="y")])) == {}
    # Without ids one of them came, and nobody knows which.
    assert found(check([send("a", 1), send("a", 2), receive("a", 3)])) == {}


def test_a_message_that_operators_moved_comes_under_another_id():
    events = [
        send("a", 1, message_id="x"),
        operate("start_message_move_task", 2, resource="dead-orders"),
        receive("a", 3, message_id="y"),
    ]
    assert found(check(events)) == {}
    assert found(check([events[0], events[2]])) == {"lost": 1}


def test_how_long_messages_are_kept_can_be_said():
    events = [send("a", 1), receive(None, 100)]
    assert check(events, retention_seconds=99).lost == 0
    assert check(events, retention_seconds=99.1).lost == 1


# --- vanished -------------------------------------------------------------------------------------------

CRASHED = [
    send("a", 1, actor="shop"),
    send("b", 1),
    receive("b", 2, until=32, actor="two"),
    delete("b", 3, actor="two"),
    receive("a", 5, until=35, actor="one"),
]


def test_a_message_whose_receiver_did_not_delete_it_comes_again_or_has_vanished():
    verdict = check([*CRASHED, receive(None, (35, 40))])
    assert found(verdict) == {"vanished": 1}
    assert verdict.anomalies[0].sentence == (
        'one received "a" at 4 s, had it until 34 s and did not delete it; it did not come again, and '
        "at 34 s nothing was left."
    )


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([receive(None, (34.9, 40))], id="nobody has looked since"),
        pytest.param([], id="nobody has looked at all"),
        pytest.param([hide("a", 6, until=41), receive(None, 40)], id="he has it for longer"),
        pytest.param([hide("a", (6, None), until=41), receive(None, 40)], id="he may have it for longer"),
        pytest.param([delete("a", (6, None)), receive(None, 40)], id="it may have been deleted"),
        pytest.param([receive("a", 36, resource="dead-orders"), receive(None, 40)], id="it is a dead letter"),
        pytest.param([receive(None, (36, None)), receive(None, 40)], id="somebody may have it unknowingly"),
        pytest.param([operate("purge", 6), receive(None, 40)], id="it was purged"),
        pytest.param([delete(None, 6, receipt="?"), receive(None, 40)], id="somebody deleted something"),
    ],
)
def test_a_message_that_may_be_somewhere_has_not_vanished(more):
    assert found(check([*CRASHED, *more])) == {}


def test_where_nobody_deletes_nothing_vanishes():
    assert found(check([send("a", 1), receive("a", 2, until=32), receive(None, 40)])) == {}


# --- unexpected, aborted-read, recovered, inconsistent --------------------------------------------------


def test_a_message_that_nobody_sent_is_unexpected():
    verdict = check([send("a", 1), receive("a", 2), receive("z", 3, actor="worker")])
    assert found(verdict) == {"unexpected": 1}
    assert verdict.anomalies[0].sentence == 'worker received "z" at 2 s, which nobody had sent.'


def test_where_no_sends_were_recorded_nothing_is_unexpected():
    assert found(check([receive("z", 3)])) == {}


def test_a_dead_letter_was_sent_to_another_queue():
    assert found(check([send("a", 1), receive("a", 2), receive("a", 3, resource="dead-orders")])) == {}
    assert found(check([send("a", 1), receive("a", 2), receive("z", 3, resource="dead-orders")])) == {
        "unexpected": 1
    }


def test_what_was_refused_does_not_come():
    verdict = check([send("a", 1, outcome="failed"), receive("a", 2)])
    assert found(verdict) == {"aborted-read": 1}
    assert (verdict.attempted, verdict.acknowledged, verdict.received) == (1, 0, 1)


def test_what_had_no_answer_and_came_is_recovered():
    verdict = check([send("a", (1, None)), receive("a", 2)])
    assert found(verdict) == {}
    assert verdict.recovered == 1


def test_one_id_is_one_message():
    events = [send("a", 1), send("b", 1), receive("a", 2, message_id="x"), receive("b", 3, message_id="x")]
    assert found(check(events, finished=False)) == {"inconsistent": 1}


# --- duplicated -----------------------------------------------------------------------------------------


def test_a_message_has_one_holder_at_a_time():
    events = [
        send("a", 1),
        receive("a", 2, until=32),
        receive("a", 31.9, until=61, actor="two"),
        delete("a", 40),
    ]
    verdict = check(events)
    assert found(verdict) == {"duplicated?": 1}
    assert (verdict.duplicated, verdict.redelivered) == (1, 0)
    assert found(check(events, promise="fifo")) == {"duplicated": 1}
    assert verdict.anomalies[0].sentence == (
        'two received "a" at 30.9 s, while one had received it at 1 s and had it until 31 s.'
    )
    assert verdict.anomalies[0].events == (1, 2)


@pytest.mark.parametrize(
    ("again_at", "more"),
    [
        pytest.param(32, [], id="his time was over, at that instant"),
        pytest.param((31, 32), [], id="it may have come when his time was over"),
        pytest.param(20, [hide("a", 10, until=10)], id="he gave it back"),
        pytest.param(20, [hide("a", (10, None), until=10)], id="he may have given it back"),
        pytest.param(20, [hide("a", (15, 25), until=15)], id="he was about to give it back"),
        pytest.param(20, [hide("a", 10, until=15)], id="he took less time"),
        pytest.param(20, [hide("a", 10)], id="he took some other time"),
        pytest.param(20, [hide("a", 10, until=10, actor="three", receipt="old")], id="an old handle did it"),
        pytest.param(40, [hide("a", (10, 33), until=45)], id="he may have asked for more too late"),
        pytest.param(40, [hide("a", (10, None), until=45)], id="he may have asked for more in vain"),
        pytest.param(20, [operate("set_attributes", 2)], id="who knows how long his time was"),
        pytest.param(20, [hide(None, 10, receipt="?", until=10)], id="somebody gave something back"),
    ],
)
def test_a_message_that_nobody_surely_had_came_again(again_at, more):
    events = [send("a", 1), receive("a", 2, until=32, receipt="r1"), *more, receive("a", again_at, until=99)]
    verdict = check([*events, delete("a", 50)], promise="fifo")
    assert found(verdict) == {}
    assert verdict.redelivered == 1


def test_who_asked_for_more_time_has_it():
    more = [hide("a", 10, until=40), hide("a", 20, until=50, receipt="r1")]
    events = [
        send("a", 1),
        receive("a", 2, until=32, receipt="r1"),
        *more,
        receive("a", 49, actor="two", until=60),
    ]
    assert found(check(events, promise="fifo", finished=False)) == {"duplicated": 1}
    # Of two changes that were under way at once nobody knows which came last.
    more = [hide("a", (10, 21), until=40), hide("a", 20, until=50)]
    events[2:4] = more
    assert found(check(events, promise="fifo", finished=False)) == {}


def test_of_two_receives_at_once_both_may_not_have_it():
    events = [send("a", 1), receive("a", (2, 5), until=32), receive("a", (3, 4), until=33, actor="two")]
    assert found(check(events, promise="fifo", finished=False)) == {"duplicated": 1}
    # The one who wanted no time may have been first.
    events[2] = receive("a", (3, 4), until=3, actor="two")
    assert found(check(events, promise="fifo", finished=False)) == {}


def test_two_messages_of_one_name_have_a_holder_each():
    events = [
        send("a", 1, message_id="x"),
        send("a", 1, message_id="y"),
        receive("a", 2, until=32, message_id="x"),
        receive("a", 2, until=32, message_id="y", actor="two"),
    ]
    assert found(check(events, promise="fifo")) == {}
    for event in events:
        event.message_id = None
    assert found(check(events, promise="fifo")) == {}


def test_an_answer_that_is_given_again_is_no_other_delivery():
    """A receive that is repeated with its attempt id has the same handles."""
    again = [receive("a", at, until=at + 30, receipt="r1") for at in (2, 5)]
    assert found(check([send("a", 1), *again, delete("a", 9, receipt="r1")], promise="fifo")) == {}


def test_where_nothing_is_known_of_visibility_timeouts_a_second_delivery_is_told_and_no_violation():
    verdict = check([send("a", 1), receive("a", 2), receive("a", 3)], promise="fifo")
    assert found(verdict) == {"duplicated?": 1}
    assert verdict.anomalies[0].sentence.startswith('"a" was sent once and received twice; ')


# --- resurrected ----------------------------------------------------------------------------------------


def test_a_message_that_was_deleted_does_not_come_back():
    events = [send("a", 1), receive("a", 2, until=32), delete("a", 3), receive("a", 40, actor="two")]
    verdict = check(events)
    assert found(verdict) == {"resurrected?": 1}
    assert found(check(events, promise="fifo")) == {"resurrected": 1}
    assert verdict.anomalies[0].sentence == 'two received "a" at 39 s, which one had deleted at 2 s.'


@pytest.mark.parametrize(
    "deleted",
    [
        pytest.param(delete("a", (3, None)), id="no answer came"),
        pytest.param(delete("a", 3, outcome="failed"), id="it failed"),
        pytest.param(delete("a", (3, 40)), id="it had no answer yet"),
        pytest.param(delete("a", 32), id="its time was over"),
        pytest.param(delete("a", (31, 32)), id="its time may have been over"),
        pytest.param(delete("a", 3, receipt="another's"), id="its handle was another one's"),
        pytest.param(delete("a", 3, actor="two"), id="who deleted it did not have it"),
    ],
)
def test_a_message_that_may_not_have_been_deleted_may_come_again(deleted):
    receipt = None if deleted.receipt is None else "r1"
    events = [send("a", 1), receive("a", 2, until=32, receipt=receipt), deleted]
    assert found(check([*events, receive("a", 40, receipt=receipt and "r2")], promise="fifo")) == {}


def test_in_a_history_without_timeouts_the_only_delivery_was_its_receivers():
    events = [send("a", 1), receive("a", 2), delete("a", 3), receive("a", 40)]
    assert found(check(events, promise="fifo")) == {"resurrected": 1}
    # After two deliveries nobody knows whose handle was the good one.
    events = [send("a", 1), receive("a", 2), receive("a", 3, actor="two"), delete("a", 4), receive("a", 40)]
    assert found(check(events, promise="fifo")) == {}


def test_the_delete_of_one_message_says_nothing_of_another_of_that_name():
    events = [
        send("a", 1, message_id="x"),
        send("a", 1, message_id="y"),
        receive("a", 2, until=32, message_id="x", receipt="rx"),
        delete("a", 3, message_id="x", receipt="rx"),
        receive("a", 4, until=34, message_id="y", receipt="ry"),
    ]
    assert found(check(events, promise="fifo")) == {}


def test_a_delete_that_names_another_message_of_that_name_deletes_that_one():
    x, y = {"message_id": "x"}, {"message_id": "y"}
    sends = [send("a", 1, **x), send("a", 1, **y)]
    events = [*sends, receive("a", 2, until=32, **x), receive("a", 2, until=32, **y), delete("a", 3, **x)]
    assert found(check([*events, receive("a", 40, **y)], promise="fifo", finished=False)) == {}
    assert found(check([*events, receive("a", 40, **x)], promise="fifo", finished=False)) == {
        "resurrected": 1
    }


def test_a_delete_is_known_by_its_receipt_alone():
    events = [
        send("a", 1),
        receive("a", 2, until=32, receipt="r1"),
        delete(None, 3, receipt="r1"),
        receive("a", 40, receipt="r2"),
    ]
    assert found(check(events, promise="fifo")) == {"resurrected": 1}


# --- false alarms that random histories have found ------------------------------------------------------


def test_two_dead_letters_of_one_name_were_sent_to_another_queue():
    dead = {"resource": "dead-orders"}
    events = [
        send("a", 1),
        send("a", 1),
        receive("a", 9, until=39, **dead),
        receive("a", 9, until=39, actor="two", **dead),
        delete("a", 10, **dead),
        receive("a", 50, until=80, actor="two", **dead),
    ]
    assert found(check(events, promise="fifo", finished=False)) == {}


def test_a_repetition_without_an_answer_may_have_hidden_the_message_for_less_time():
    """The second receive has the first one's attempt id, and a visibility timeout of 0."""
    events = [send("a", 1), receive("a", 2, until=32), receive("a", 4, actor="two", until=34)]
    assert found(check(events, promise="fifo", finished=False)) == {"duplicated": 1}
    repeated = receive(None, (3, None), until=3)
    assert found(check([*events, repeated], promise="fifo", finished=False)) == {}
    # One that asked for the same time, or began before, takes nothing from the first.
    for repeated in [receive(None, (3, None), until=33), receive(None, (1, None), until=31)]:
        assert found(check([*events, repeated], promise="fifo", finished=False)) == {"duplicated": 1}


def test_of_a_repetition_and_a_change_at_one_instant_nobody_knows_which_was_first():
    events = [
        send("a", 1),
        receive("a", 2, until=7, receipt="r1"),
        receive("a", 3, until=33, receipt="r1"),
        hide("a", 3, until=4, receipt="r1"),
        receive("a", 5, until=35, receipt="r2", actor="two"),
    ]
    assert found(check(events, promise="fifo", finished=False)) == {}
    events[3] = hide("a", 2.5, until=4, receipt="r1")
    assert found(check(events, promise="fifo", finished=False)) == {"duplicated": 1}


def test_a_repetition_under_another_name_is_received_where_the_first_one_is():
    """Nobody heard of the receives that made it a dead letter."""
    events = [
        send("a", 1, message_id="x", deduplication_id="d"),
        send("a, second try", 2, message_id="x", deduplication_id="d"),
        receive("a", 9, message_id="x", resource="dead-orders"),
    ]
    assert found(check(events, promise="fifo")) == {}
    assert found(check(events[:2], promise="fifo")) == {"lost": 2}
    purged = [events[0], operate("purge", 1.5), send("a, second try", 70, message_id="x")]
    assert found(check(purged, promise="fifo")) == {}
