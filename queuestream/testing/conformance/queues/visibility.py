"""What is hidden for a while, and who waits for it: visibility timeouts, delays, retention, long polls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from queuestream.core.errors import InvalidParameterValue, MessageNotInflight, ReceiptHandleIsInvalid
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.queues.fixtures import QueueSuite, bodies
from queuestream.testing.conformance.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.queues.queue import Queue
    from queuestream.testing.conformance.queues.fixtures import NewQueue, Soon

    PassTime = Callable[[float], None]


class Visibility(QueueSuite):
    """What is hidden for a while."""

    # --- visibility timeouts ---

    def test_a_received_message_comes_back_when_its_visibility_timeout_has_passed(
        self, queue: Queue, soon: Soon
    ) -> None:
        queue.send("hello")
        first = self.take_one(queue, visibility_timeout=1)
        assert queue.receive() == []
        [again] = soon(queue, 1)
        assert (again.message_id, again.body, again.receive_count) == (first.message_id, "hello", 2)
        assert again.receipt_handle != first.receipt_handle

    def test_a_receive_hides_for_as_long_as_the_queue_says(self, new_queue: NewQueue, soon: Soon) -> None:
        queue = new_queue(visibility_timeout=1)
        queue.send("hello")
        self.take_one(queue)
        assert queue.receive() == []
        assert bodies(soon(queue, 1)) == ["hello"]

    def test_twelve_hours_are_twelve_hours(self, queue: Queue, pass_time: PassTime) -> None:
        queue.send("hello")
        self.take_one(queue, visibility_timeout=43_200)
        pass_time(43_199)
        assert queue.receive() == []
        pass_time(1)
        assert self.take_one(queue).receive_count == 2

    @pytest.mark.parametrize("seconds", [-1, 43_201])
    def test_a_visibility_timeout_out_of_range_is_refused(self, queue: Queue, seconds: int) -> None:
        with refused(InvalidParameterValue):
            queue.receive(visibility_timeout=seconds)
        queue.send("hello")
        message = self.take_one(queue)
        with refused(InvalidParameterValue):
            queue.change_visibility(message, seconds)

    def test_a_timeout_can_be_ended_at_once(self, queue: Queue) -> None:
        queue.send("hello")
        queue.change_visibility(self.take_one(queue), 0)
        assert self.take_one(queue).receive_count == 2

    def test_a_timeout_can_be_made_shorter(self, queue: Queue, soon: Soon) -> None:
        queue.send("hello")
        queue.change_visibility(self.take_one(queue, visibility_timeout=43_200), 1)
        assert queue.receive() == []
        assert bodies(soon(queue, 1)) == ["hello"]

    def test_a_timeout_can_be_made_longer(self, queue: Queue, pass_time: PassTime) -> None:
        queue.send("hello")
        message = self.take_one(queue, visibility_timeout=30)
        pass_time(20)
        queue.change_visibility(message, 60)
        pass_time(59)
        assert queue.receive() == []
        pass_time(1)
        assert bodies(self.take(queue)) == ["hello"]

    def test_a_message_is_hidden_for_twelve_hours_together(self, queue: Queue, pass_time: PassTime) -> None:
        queue.send("hello")
        message = self.take_one(queue, visibility_timeout=43_200)
        pass_time(7_200)
        queue.change_visibility(message, 36_000)
        with refused(InvalidParameterValue):
            queue.change_visibility(message, 36_001)

    def test_a_made_up_handle_hides_nothing(self, queue: Queue) -> None:
        queue.send("hello")
        with refused(ReceiptHandleIsInvalid):
            queue.change_visibility("made up", 30)
        assert bodies(self.take(queue)) == ["hello"]

    def test_a_message_of_a_fifo_queue_that_has_come_back_is_not_in_flight(self, fifo_queue: Queue) -> None:
        fifo_queue.send("hello", message_group_id="a", message_deduplication_id="1")
        message = self.take_one(fifo_queue, visibility_timeout=0)
        with refused(MessageNotInflight):
            fifo_queue.change_visibility(message, 30)

    # --- delays ---

    def test_a_delayed_message_comes_when_its_delay_is_over(self, queue: Queue, soon: Soon) -> None:
        queue.send("hello", delay_seconds=1)
        assert queue.receive() == []
        [message] = soon(queue, 1)
        assert (message.body, message.receive_count) == ("hello", 1)

    def test_a_delay_queue_delays_what_says_nothing_else(self, new_queue: NewQueue, soon: Soon) -> None:
        queue = new_queue(delay_seconds=1)
        queue.send("later")
        queue.send("now", delay_seconds=0)
        assert bodies(self.take(queue, 2)) == ["now"]
        assert bodies(soon(queue, 1)) == ["later"]

    def test_fifteen_minutes_are_fifteen_minutes(self, queue: Queue, pass_time: PassTime) -> None:
        queue.send("hello", delay_seconds=900)
        pass_time(899)
        assert queue.receive() == []
        pass_time(1)
        assert bodies(self.take(queue)) == ["hello"]

    @pytest.mark.parametrize("seconds", [-1, 901])
    def test_a_delay_out_of_range_is_refused(self, queue: Queue, seconds: int) -> None:
        with refused(InvalidParameterValue):
            queue.send("hello", delay_seconds=seconds)

    def test_a_fifo_queue_takes_no_delay_of_a_single_message(self, fifo_queue: Queue) -> None:
        with refused(InvalidParameterValue):
            fifo_queue.send("hello", message_group_id="a", message_deduplication_id="1", delay_seconds=2)

    # --- retention ---

    def test_a_message_is_gone_after_the_retention_period(
        self, new_queue: NewQueue, pass_time: PassTime
    ) -> None:
        queue = new_queue(message_retention_period=60)
        queue.send("hello")
        pass_time(59)
        assert bodies(self.take(queue, visibility_timeout=0)) == ["hello"]
        pass_time(1)
        assert self.take(queue) == []

    # --- long polls ---

    def test_a_long_poll_answers_at_once_where_there_is_a_message(self, queue: Queue) -> None:
        queue.send("hello")
        assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]

    def test_a_long_poll_gets_what_is_sent_meanwhile(self, queue: Queue) -> None:
        with ThreadPoolExecutor(max_workers=1) as others:
            waiting = others.submit(queue.receive, wait_time_seconds=20)
            queue.send("hello")
            assert bodies(waiting.result()) == ["hello"]

    @needs("long_polls_end")
    def test_a_long_poll_of_an_empty_queue_ends_with_nothing(self, queue: Queue) -> None:
        assert queue.receive(wait_time_seconds=1) == []

    @needs("long_polls_end")
    def test_a_long_poll_gets_what_comes_back(self, queue: Queue) -> None:
        queue.send("hello")
        self.take_one(queue, visibility_timeout=1)
        [message] = queue.receive(wait_time_seconds=20)
        assert message.receive_count == 2

    @needs("long_polls_end")
    def test_a_long_poll_gets_what_was_delayed(self, queue: Queue) -> None:
        queue.send("hello", delay_seconds=1)
        assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]

    @needs("long_polls_end")
    def test_a_queue_can_make_every_receive_a_long_poll(self, new_queue: NewQueue) -> None:
        queue = new_queue(receive_message_wait_time_seconds=20)
        queue.send("hello", delay_seconds=1)
        assert queue.receive(wait_time_seconds=0) == []
        assert bodies(queue.receive()) == ["hello"]

    @pytest.mark.parametrize("seconds", [-1, 21])
    def test_a_wait_out_of_range_is_refused(self, queue: Queue, seconds: int) -> None:
        with refused(InvalidParameterValue):
            queue.receive(wait_time_seconds=seconds)
