"""Receive request attempt ids: a FIFO receive whose answer got lost can be repeated."""

import pytest

from queuestream.core.errors import InvalidParameterValue


def attempt(queue, attempt_id="attempt", **arguments):
    return queue.receive(max_number_of_messages=10, receive_request_attempt_id=attempt_id, **arguments)


@pytest.fixture
def queue(fifo):
    fifo.send("a", message_group_id="g")
    fifo.send("b", message_group_id="g")
    return fifo


def bodies(messages):
    return [message.body for message in messages]


def test_the_same_attempt_gets_the_same_messages_and_handles(queue, clock):
    first = attempt(queue)
    clock.advance(seconds=10)
    assert attempt(queue) == first
    assert bodies(first) == ["a", "b"]
    assert [message.receive_count for message in first] == [1, 1]


def test_a_repetition_begins_the_visibility_timeout_anew(queue, clock):
    attempt(queue)
    clock.advance(seconds=20)
    attempt(queue)
    clock.advance(seconds=30, nanoseconds=-1)
    assert queue.counts() == (0, 2, 0)
    clock.advance(nanoseconds=1)
    assert queue.counts() == (2, 0, 0)


def test_another_attempt_gets_nothing(queue):
    attempt(queue)
    assert attempt(queue, "another") == []
    assert queue.receive() == []


def test_it_is_remembered_for_five_minutes(queue, clock):
    first = attempt(queue, visibility_timeout=600)
    clock.advance(minutes=5, nanoseconds=-1)
    assert attempt(queue, visibility_timeout=600) == first
    clock.advance(minutes=5, nanoseconds=-1)
    assert attempt(queue, visibility_timeout=600) == first
    clock.advance(minutes=5)
    assert attempt(queue) == []


def test_a_repetition_without_messages_is_forgotten_in_its_time(queue, clock):
    attempt(queue, "x", visibility_timeout=600)
    attempt(queue, "x", visibility_timeout=600)
    clock.advance(minutes=5)
    assert attempt(queue, "y") == []
    assert queue._attempts._seen == {}


@pytest.mark.parametrize(
    "modify",
    [
        lambda queue, message: queue.delete(message),
        lambda queue, message: queue.change_visibility(message, 0),
        lambda queue, message: queue.change_visibility(message, 100),
    ],
    ids=["deleted", "released", "extended"],
)
def test_an_attempt_one_of_whose_messages_was_modified_cannot_be_repeated(queue, modify):
    _, second = attempt(queue)
    modify(queue, second)
    assert attempt(queue) == []


def test_once_the_timeout_has_passed_the_messages_are_received_anew(queue, clock):
    first = attempt(queue)
    clock.advance(seconds=30)
    second = attempt(queue)
    assert bodies(second) == bodies(first)
    assert [message.receive_count for message in second] == [2, 2]
    assert attempt(queue) == second


def test_a_receive_by_another_ends_the_attempt(queue, clock):
    attempt(queue)
    clock.advance(seconds=30)
    queue.receive(max_number_of_messages=10)
    assert attempt(queue) == []


def test_a_repetition_may_release_its_messages(queue):
    attempt(queue)
    again = attempt(queue, visibility_timeout=0)
    assert bodies(again) == ["a", "b"]
    assert queue.counts() == (2, 0, 0)
    assert [message.receive_count for message in attempt(queue)] == [2, 2]


def test_an_attempt_that_got_nothing_gets_what_there_is_the_next_time(fifo):
    assert attempt(fifo) == []
    fifo.send("late", message_group_id="g")
    assert bodies(attempt(fifo)) == ["late"]


def test_a_long_poll_can_be_repeated(queue):
    first = attempt(queue, wait_time_seconds=20)
    assert attempt(queue, wait_time_seconds=20) == first


def test_a_standard_queue_knows_no_attempts(broker):
    emails = broker.create_queue("emails")
    emails.send("hello")
    assert len(attempt(emails)) == 1
    assert attempt(emails) == []
    with pytest.raises(InvalidParameterValue, match="ReceiveRequestAttemptId can only include"):
        attempt(emails, "")


def test_a_repetition_may_ask_for_other_attributes(fifo):
    fifo.send("hello", message_group_id="g", message_attributes={"a": "1", "b": "2"})
    assert set(attempt(fifo)[0].message_attributes) == {"a", "b"}
    assert set(attempt(fifo, message_attribute_names=["a"])[0].message_attributes) == {"a"}
