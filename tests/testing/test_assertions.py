"""Assertions on histories: each passes where it should, and says what is wrong where it should not."""

import pytest

from queuestream import Queue, Stream, VirtualClock
from queuestream.lab import Event, History, World
from queuestream.lab.recording import Recorder
from queuestream.testing import (
    assert_delivered_exactly_once,
    assert_drained,
    assert_in_order,
    assert_in_order_per_group,
    assert_in_order_per_shard,
    assert_keeps_its_promise,
    assert_nothing_lost,
)


def history(*rows):
    """A history of (operation, message) or (operation, message, fields), a second apart."""
    events = []
    for at, (operation, message, *more) in enumerate(rows):
        fields = {"resource": "emails", **(more[0] if more else {})}
        events.append(
            Event(operation, message, started_ns=at * 1_000_000_000, ended_ns=at * 1_000_000_000, **fields)
        )
    return History(events)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def recorder(clock):
    return Recorder(History(), clock)


@pytest.fixture
def emails(clock, recorder):
    return recorder.queue(Queue("emails", clock=clock, seed=1), actor="worker")


def test_a_queue_that_is_worked_through_in_order_passes_all(emails, recorder):
    for body in ("a", "b", "c"):
        emails.send(body, message_group_id="one")
    for _ in range(3):
        [message] = emails.receive()
        emails.delete(message)

    assert_delivered_exactly_once(recorder)
    assert_nothing_lost(recorder)
    assert_in_order(recorder)
    assert_in_order_per_group(recorder.history)
    assert_keeps_its_promise(recorder)
    assert_drained(emails)


def test_a_message_that_comes_again_is_named(emails, recorder, clock):
    emails.send("a")
    emails.receive(visibility_timeout=1)
    clock.advance(seconds=1)
    emails.delete(*emails.receive())

    with pytest.raises(AssertionError, match="'a' of emails was received twice"):
        assert_delivered_exactly_once(recorder)
    assert_nothing_lost(recorder)


def test_a_message_that_never_comes_is_lost_and_was_not_delivered_once():
    seen = history(("send", "a"), ("send", "b"), ("receive", "b"))
    with pytest.raises(AssertionError, match="'a' of emails was received never"):
        assert_delivered_exactly_once(seen)
    with pytest.raises(AssertionError, match="Messages were lost: 1 time"):
        assert_nothing_lost(seen)


def test_a_message_that_nobody_sent_was_not_delivered_once():
    with pytest.raises(AssertionError, match="'ghost' of emails was received, and nobody had sent it"):
        assert_delivered_exactly_once(history(("receive", "ghost")))


def test_each_application_that_reads_should_get_everything_once():
    read_by = lambda application: {"application": application, "shard": "1", "sequence_number": "1"}
    both = history(
        ("put", "a", {"shard": "1", "sequence_number": "1"}),
        ("get", "a", read_by("bills")),
        ("get", "a", read_by("mails")),
    )
    assert_delivered_exactly_once(both)
    again = History([*both, *history(("get", "a", read_by("mails")))])
    with pytest.raises(AssertionError, match="'a' of emails was received twice by mails"):
        assert_delivered_exactly_once(again)


def test_groups_are_held_to_their_order_whatever_the_queue_is():
    one, two = {"group": "one"}, {"group": "two"}
    seen = history(("send", "a", one), ("send", "b", two), ("receive", "b", two), ("receive", "a", one))
    assert_in_order_per_group(seen)
    with pytest.raises(AssertionError, match="Messages were not received in order"):
        assert_in_order(seen)

    swapped = history(("send", "a", one), ("send", "b", one), ("receive", "b", one), ("receive", "a", one))
    with pytest.raises(AssertionError, match="Message groups were not received in order: 1 time") as failed:
        assert_in_order_per_group(swapped)
    assert "out-of-order" in str(failed.value)


def test_a_reader_that_leaves_a_record_out_is_told(clock, recorder):
    events = recorder.stream(Stream("events", clock=clock, seed=1), actor="reader")
    puts = [events.put_record(b"%d" % n, partition_key="k") for n in range(3)]
    answer = events.get_records(events.get_shard_iterator(puts[0].shard_id, "TRIM_HORIZON"))
    assert len(answer.records) == 3
    assert_in_order_per_shard(recorder)
    assert_delivered_exactly_once(recorder)

    without = History(event for event in recorder.history if (event.operation, event.message) != ("get", "1"))
    with pytest.raises(AssertionError, match="poll-skip"):
        assert_in_order_per_shard(without)


def test_a_promise_that_was_broken_is_told_as_the_verdict():
    with pytest.raises(AssertionError, match="Not valid"):
        assert_keeps_its_promise(history(("send", "a"), ("receive", "a"), ("receive", "ghost")))
    assert_keeps_its_promise(history(("send", "a")), finished=False)


def test_one_queue_of_several_is_asked_for_by_name():
    seen = History(
        [*history(("send", "a"), ("receive", "a")), *history(("send", "b", {"resource": "other"}))]
    )
    assert_delivered_exactly_once(seen, resource="emails")
    with pytest.raises(AssertionError, match="'b' of other was received never"):
        assert_delivered_exactly_once(seen)
    with pytest.raises(ValueError, match="no event of 'mails'; there is emails, other"):
        assert_nothing_lost(seen, resource="mails")


def test_what_is_left_in_a_queue_is_shown(emails):
    emails.send("waiting")
    emails.send("taken")
    emails.receive()
    with pytest.raises(
        AssertionError, match=r"(?s)Messages are left.*'waiting' is in flight.*once"
    ) as failed:
        assert_drained(emails.broker)
    assert "'taken' is visible, and was received never" in str(failed.value)


def test_asyncs_queues_are_drained_or_not_too():
    world = World()

    async def main():
        emails = await world.aio.create_queue("emails")
        assert_drained(emails, world.aio, world.broker)
        await emails.send("left")
        for left in (emails, world.aio, world.broker):
            with pytest.raises(AssertionError, match="'left' is visible"):
                assert_drained(left)

    world.run(main)


@pytest.mark.parametrize("nothing", [[], [[Queue("emails")]], [None]], ids=["none", "a list", "None"])
def test_nothing_is_not_drained(nothing):
    with pytest.raises(TypeError, match="takes queues or brokers"):
        assert_drained(*nothing)


@pytest.mark.parametrize(
    "claim",
    [
        assert_keeps_its_promise,
        assert_nothing_lost,
        assert_delivered_exactly_once,
        assert_in_order,
        assert_in_order_per_group,
        assert_in_order_per_shard,
    ],
)
def test_nothing_can_be_said_where_nobody_was_watched(claim, recorder):
    with pytest.raises(ValueError, match=r"The history is empty: .*recorder"):
        claim(recorder)
