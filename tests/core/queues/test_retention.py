"""Retention: what is kept too long is gone, whatever its state, and its memory with it."""

import gc
import weakref

import pytest

from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidParameterValue, QueueDoesNotExist

FOUR_DAYS = 345_600


@pytest.fixture
def brief(broker):
    return broker.create_queue("brief", message_retention_period=60)


def bodies(messages):
    return [message.body for message in messages]


def test_a_message_is_kept_for_four_days(queue, clock):
    queue.send("hello")
    clock.advance(seconds=FOUR_DAYS, nanoseconds=-1)
    assert bodies(queue.receive(visibility_timeout=0)) == ["hello"]
    clock.advance(nanoseconds=1)
    assert queue.receive() == []
    assert queue.counts() == (0, 0, 0)


def test_the_queues_period_counts_from_the_send(brief, clock):
    brief.send("first")
    clock.advance(seconds=30)
    brief.send("second")
    clock.advance(seconds=30)
    assert bodies(brief.peek()) == ["second"]
    assert brief.next_event_ns() == clock.now_ns() + 30 * SECOND


@pytest.mark.parametrize("state", ["visible", "in_flight", "delayed", "come back"])
def test_a_message_expires_in_any_state(brief, clock, state):
    brief.send("hello", delay_seconds=600 if state == "delayed" else 0)
    if state in {"in_flight", "come back"}:
        brief.receive(visibility_timeout=600 if state == "in_flight" else 1)
    clock.advance(seconds=60, nanoseconds=-1)
    assert [message.state for message in brief.peek()] == ["visible" if state == "come back" else state]
    clock.advance(nanoseconds=1)
    assert brief.peek() == []
    assert brief.next_event_ns() is None
    clock.advance(hours=1)
    assert brief.receive() == []


def test_neither_receiving_nor_coming_back_prolongs_the_period(brief, clock):
    brief.send("hello")
    for _ in range(5):
        brief.receive(visibility_timeout=10)
        clock.advance(seconds=10)
    clock.advance(seconds=10)
    assert brief.receive() == []


def test_the_handle_of_an_expired_message_deletes_nothing(brief, clock):
    brief.send("hello")
    [message] = brief.receive(visibility_timeout=600)
    clock.advance(seconds=60)
    brief.delete(message)
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        brief.change_visibility(message, 10)


def test_a_shorter_period_applies_to_messages_that_wait_already(queue, clock):
    # API reference, SetQueueAttributes: "will impact existing messages in the queue".
    queue.send("old")
    clock.advance(seconds=100)
    queue.send("young")
    queue.set_attributes(message_retention_period=60)
    assert bodies(queue.peek()) == ["young"]


def test_a_longer_period_keeps_messages_that_wait_already(brief, clock):
    brief.send("hello")
    clock.advance(seconds=59)
    brief.set_attributes(message_retention_period=120)
    clock.advance(seconds=61, nanoseconds=-1)
    assert bodies(brief.peek()) == ["hello"]
    clock.advance(nanoseconds=1)
    assert brief.peek() == []


def test_what_expired_makes_room_in_flight_and_for_who_waits(broker, clock, brief):
    brief.send("in flight")
    brief.receive(visibility_timeout=600)
    assert brief.receive(wait_time_seconds=20) == []
    clock.advance(seconds=40)
    assert brief.counts() == (0, 0, 0)


def test_expired_messages_are_really_gone(clock):
    from queuestream import Queue

    class Body(str):
        __slots__ = ("__weakref__",)

    queue = Queue("brief", clock=clock, message_retention_period=60)
    bodies = [Body(f"body {number}") for number in range(300)]
    references = [weakref.ref(body) for body in bodies]
    for body in bodies:
        queue.send(body)
    queue.receive(max_number_of_messages=10, visibility_timeout=600)
    del bodies, body
    clock.advance(seconds=60)
    queue.counts()
    gc.collect()
    assert [reference for reference in references if reference() is not None] == []


def test_one_message_that_stays_does_not_keep_the_memory_of_others(clock):
    from queuestream import Queue

    queue = Queue("emails", clock=clock)
    queue.send("stays")
    queue.receive(visibility_timeout=43_200)
    for number in range(1_000):
        queue.send(str(number))
        queue.delete(queue.receive()[0])
    assert bodies(queue.peek()) == ["stays"]
    assert len(queue._ages._arrivals) < 200
    queue.check_invariants()


def test_old_dead_letters_that_go_leave_no_memory_behind(broker, clock):
    dead = broker.create_queue("failed")
    queue = broker.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    dead.send("stays")
    dead.receive(visibility_timeout=43_200)
    for number in range(200):
        queue.send(str(number))
    for _ in range(2):
        while queue.receive(max_number_of_messages=10, visibility_timeout=1):
            pass
        clock.advance(seconds=1)
    assert dead.counts() == (200, 1, 0)
    # From the youngest to the oldest, so that nothing comes to the front by itself.
    letters = [message for _ in range(20) for message in dead.receive(max_number_of_messages=10)]
    for letter in reversed(letters[1:]):
        dead.delete(letter)
    dead.check_invariants()
    assert len(dead._ages._elders) < 140
    assert bodies(dead.peek()) == ["stays", "0"]
    clock.advance(seconds=FOUR_DAYS)
    assert dead.peek() == []
    dead.check_invariants()


def test_dead_letters_expire_by_their_own_age(broker, clock):
    dead = broker.create_queue("failed", message_retention_period=100)
    queue = broker.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    for age in range(10):
        queue.send(f"old {age}")
        clock.advance(seconds=1)
    queue.receive(max_number_of_messages=10, visibility_timeout=1)
    dead.send("young")
    clock.advance(seconds=1)
    queue.receive()
    clock.advance(seconds=94)
    assert bodies(dead.peek()) == ["young", *(f"old {age}" for age in range(6, 10))]
    assert dead.next_event_ns() == clock.now_ns() + 1 * SECOND


def test_a_queue_that_is_deleted_frees_its_messages(broker, clock, queue):
    queue.send("hello")
    queue.delete_queue()
    assert broker.queues == {}
    assert broker.next_event_ns() is None
    with pytest.raises(QueueDoesNotExist):
        queue.peek()
