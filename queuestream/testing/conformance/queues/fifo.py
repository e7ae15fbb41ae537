"""FIFO queues: the order of each message group, its lock, and messages that are sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from queuestream.core.errors import InvalidParameterValue, MissingParameter
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.queues.fixtures import QueueSuite, bodies
from queuestream.testing.conformance.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.queues.message import SentMessage
    from queuestream.core.queues.queue import Queue
    from queuestream.testing.conformance.queues.fixtures import NewQueue, Soon

    PassTime = Callable[[float], None]


def send(queue: Queue, body: str, group: str = "a", deduplication_id: str | None = None) -> SentMessage:
    """One message of a group, a duplicate only of those with the same deduplication id."""
    return queue.send(
        body, message_group_id=group, message_deduplication_id=deduplication_id or f"{body}-{group}"
    )


class FifoQueues(QueueSuite):
    """Order, and once."""

    @pytest.fixture
    def by_content(self, new_queue: NewQueue) -> Queue:
        """A FIFO queue that knows duplicates by their body."""
        return new_queue("contents.fifo", fifo_queue=True, content_based_deduplication=True)

    # --- order ---

    def test_a_group_keeps_its_order(self, fifo_queue: Queue) -> None:
        for body in "123":
            send(fifo_queue, body)
        received = self.take(fifo_queue, 3)
        assert bodies(received) == ["1", "2", "3"]
        assert {message.message_group_id for message in received} == {"a"}
        assert [message.message_deduplication_id for message in received] == ["1-a", "2-a", "3-a"]

    def test_a_receive_takes_as_many_of_one_group_as_it_can(self, fifo_queue: Queue) -> None:
        for body in "12":
            for group in "ab":
                send(fifo_queue, body, group)
        received = fifo_queue.receive(max_number_of_messages=3)
        assert [message.message_group_id for message in received[:2]] in (["a", "a"], ["b", "b"])
        assert bodies(received) == ["1", "2", "1"]

    def test_a_group_waits_for_its_messages_in_flight(self, fifo_queue: Queue) -> None:
        for body in "12":
            send(fifo_queue, body)
        first = self.take_one(fifo_queue)
        assert fifo_queue.receive() == []
        fifo_queue.delete(first)
        assert bodies(self.take(fifo_queue)) == ["2"]

    def test_other_groups_do_not_wait(self, fifo_queue: Queue) -> None:
        send(fifo_queue, "1", "a")
        send(fifo_queue, "2", "a")
        send(fifo_queue, "1", "b")
        first = self.take_one(fifo_queue)
        second = self.take_one(fifo_queue)
        assert bodies([first, second]) == ["1", "1"]
        assert {first.message_group_id, second.message_group_id} == {"a", "b"}

    def test_a_message_that_comes_back_is_still_the_first(self, fifo_queue: Queue, soon: Soon) -> None:
        for body in "12":
            send(fifo_queue, body)
        self.take_one(fifo_queue, visibility_timeout=1)
        assert fifo_queue.receive() == []
        again = soon(fifo_queue, 1)
        assert bodies(again) == ["1", "2"]
        assert [message.receive_count for message in again] == [2, 1]

    def test_the_group_is_free_when_a_timeout_is_ended(self, fifo_queue: Queue) -> None:
        for body in "12":
            send(fifo_queue, body)
        fifo_queue.change_visibility(self.take_one(fifo_queue), 0)
        assert bodies(self.take(fifo_queue, 2)) == ["1", "2"]

    def test_an_expired_handle_deletes_nothing(self, fifo_queue: Queue) -> None:
        send(fifo_queue, "hello")
        message = self.take_one(fifo_queue, visibility_timeout=0)
        with refused(InvalidParameterValue):
            fifo_queue.delete(message)
        assert bodies(self.take(fifo_queue)) == ["hello"]

    def test_a_delay_queue_delays_every_message(self, new_queue: NewQueue, soon: Soon) -> None:
        queue = new_queue("later.fifo", fifo_queue=True, delay_seconds=1)
        send(queue, "1")
        send(queue, "2")
        assert queue.receive() == []
        first = soon(queue, 1)
        if bodies(first) == ["1"]:  # the second may be some milliseconds late
            queue.delete(first[0])
            first += soon(queue, 1)
        assert bodies(first) == ["1", "2"]

    def test_sequence_numbers_grow(self, fifo_queue: Queue) -> None:
        numbers = [send(fifo_queue, body).sequence_number for body in "0123456789"]
        assert all(number is not None and len(number) == 20 for number in numbers)
        assert numbers == sorted({number or "" for number in numbers})
        assert [message.sequence_number for message in self.take(fifo_queue, 10)] == numbers

    def test_a_standard_queue_numbers_nothing(self, queue: Queue) -> None:
        assert queue.send("hello").sequence_number is None
        message = self.take_one(queue)
        assert (message.sequence_number, message.message_deduplication_id) == (None, None)

    # --- groups ---

    def test_a_message_without_a_group_is_refused(self, by_content: Queue) -> None:
        with refused(MissingParameter):
            by_content.send("hello")

    @pytest.mark.parametrize("group", ["x" * 129, "a b", "ü"], ids=["long", "space", "umlaut"])
    def test_a_group_id_of_another_form_is_refused(self, by_content: Queue, group: str) -> None:
        with refused(InvalidParameterValue):
            by_content.send("hello", message_group_id=group)

    @needs("fair_queues")
    def test_a_message_of_a_standard_queue_may_have_a_group(self, queue: Queue) -> None:
        queue.send("hello", message_group_id="tenant")
        assert self.take_one(queue).message_group_id == "tenant"

    # --- duplicates ---

    def test_a_duplicate_is_not_delivered(self, fifo_queue: Queue) -> None:
        first = send(fifo_queue, "first", deduplication_id="once")
        again = send(fifo_queue, "again", deduplication_id="once")
        assert again.message_id == first.message_id
        assert again.sequence_number == first.sequence_number
        assert bodies(self.take(fifo_queue, 2)) == ["first"]

    def test_a_duplicate_of_a_deleted_message_is_not_delivered(self, fifo_queue: Queue) -> None:
        send(fifo_queue, "first", deduplication_id="once")
        fifo_queue.delete(self.take_one(fifo_queue))
        send(fifo_queue, "again", deduplication_id="once")
        assert self.take(fifo_queue) == []

    def test_after_five_minutes_it_is_a_new_message(self, fifo_queue: Queue, pass_time: PassTime) -> None:
        send(fifo_queue, "first", deduplication_id="once")
        fifo_queue.delete(self.take_one(fifo_queue))
        pass_time(299)
        send(fifo_queue, "again", deduplication_id="once")
        assert self.take(fifo_queue) == []
        pass_time(1)
        send(fifo_queue, "anew", deduplication_id="once")
        assert bodies(self.take(fifo_queue)) == ["anew"]

    def test_another_group_is_no_excuse(self, fifo_queue: Queue) -> None:
        send(fifo_queue, "first", "a", "once")
        send(fifo_queue, "again", "b", "once")
        assert bodies(self.take(fifo_queue, 2)) == ["first"]

    @needs("deduplication_scope")
    def test_duplicates_can_be_by_group(self, new_queue: NewQueue) -> None:
        queue = new_queue("scoped.fifo", fifo_queue=True, deduplication_scope="messageGroup")
        send(queue, "first", "a", "once")
        send(queue, "other", "b", "once")
        send(queue, "again", "a", "once")
        assert sorted(bodies(self.take(queue, 3))) == ["first", "other"]

    def test_the_body_is_what_counts_where_no_id_is_given(self, by_content: Queue) -> None:
        by_content.send("same", message_group_id="a", message_attributes={"n": 1})
        by_content.send("same", message_group_id="a", message_attributes={"n": 2})
        by_content.send("other", message_group_id="a")
        assert bodies(self.take(by_content, 3)) == ["same", "other"]

    def test_an_id_that_is_given_comes_before_the_body(self, by_content: Queue) -> None:
        send(by_content, "same", deduplication_id="1")
        send(by_content, "same", deduplication_id="2")
        assert bodies(self.take(by_content, 2)) == ["same", "same"]

    def test_a_message_without_an_id_is_refused(self, fifo_queue: Queue) -> None:
        with refused(InvalidParameterValue):
            fifo_queue.send("hello", message_group_id="a")

    def test_a_standard_queue_takes_no_deduplication_id(self, queue: Queue) -> None:
        with refused(InvalidParameterValue):
            queue.send("hello", message_deduplication_id="once")

    # --- receives that are repeated ---

    @needs("attempts")
    def test_a_repeated_receive_gets_the_same(self, fifo_queue: Queue) -> None:
        for body in "123":
            send(fifo_queue, body)
        first = fifo_queue.receive(max_number_of_messages=2, receive_request_attempt_id="attempt")
        again = fifo_queue.receive(max_number_of_messages=2, receive_request_attempt_id="attempt")
        assert bodies(first) == bodies(again) == ["1", "2"]
        assert [message.receipt_handle for message in again] == [message.receipt_handle for message in first]
