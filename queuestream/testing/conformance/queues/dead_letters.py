"""Dead letters: messages that fail too often, where they go, and how they come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from queuestream.core.errors import InvalidParameterValue, ResourceNotFoundException
from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.queues.fixtures import QueueSuite, bodies
from queuestream.testing.conformance.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.broker import Broker
    from queuestream.core.queues.queue import Queue
    from queuestream.testing.conformance.queues.fixtures import NewQueue

    PassTime = Callable[[float], None]


def after(receives: int, dead: Queue) -> RedrivePolicy:
    """So many receives, and a message goes to the dead-letter queue."""
    return RedrivePolicy(dead_letter_target_arn=dead.arn, max_receive_count=receives)


class DeadLetters(QueueSuite):
    """What fails too often."""

    @pytest.fixture
    def dead(self, new_queue: NewQueue) -> Queue:
        """A dead-letter queue."""
        return new_queue("dead")

    @pytest.fixture
    def source(self, new_queue: NewQueue, dead: Queue) -> Queue:
        """A queue whose messages may fail once."""
        return new_queue("source", redrive_policy=after(1, dead))

    def fail(self, queue: Queue) -> None:
        """Receive what is there, and look for it again, which makes it a dead letter."""
        assert self.take(queue, 10, visibility_timeout=0)
        self.becomes(lambda: queue.receive(max_number_of_messages=10, visibility_timeout=0), [])

    # --- the way there ---

    def test_a_message_that_fails_too_often_goes_to_the_dead_letter_queue(
        self, new_queue: NewQueue, dead: Queue
    ) -> None:
        source = new_queue("source", redrive_policy=after(3, dead))
        sent = source.send("poison", message_attributes={"kind": "bad"})
        counts = [self.take_one(source, visibility_timeout=0).receive_count for _ in range(3)]
        assert counts == [1, 2, 3]
        assert self.take(source) == []
        letter = self.take_one(dead)
        assert (letter.body, letter.message_id) == ("poison", sent.message_id)
        assert letter.message_attributes["kind"].value == "bad"

    def test_a_dead_letter_says_where_it_comes_from(self, source: Queue, dead: Queue) -> None:
        source.send("poison")
        self.fail(source)
        assert self.take_one(dead).dead_letter_queue_source_arn == source.arn

    def test_a_message_that_succeeds_is_no_dead_letter(self, source: Queue, dead: Queue) -> None:
        source.send("fine")
        source.delete(self.take_one(source))
        assert self.take(source) == self.take(dead) == []

    def test_a_dead_letter_frees_its_group(self, new_queue: NewQueue) -> None:
        dead = new_queue("dead.fifo", fifo_queue=True)
        source = new_queue("source.fifo", fifo_queue=True, redrive_policy=after(1, dead))
        for body in ("poison", "fine"):
            source.send(body, message_group_id="a", message_deduplication_id=body)
        assert bodies(source.receive(visibility_timeout=0)) == ["poison"]
        assert bodies(self.take(source)) == ["fine"]
        letter = self.take_one(dead)
        assert (letter.body, letter.message_group_id) == ("poison", "a")

    # --- policies ---

    def test_a_redrive_policy_is_kept_and_taken_away(self, source: Queue, dead: Queue) -> None:
        assert source.attributes.redrive_policy == after(1, dead)
        source.set_attributes(redrive_policy=None)
        self.becomes(lambda: source.attributes.redrive_policy, None)

    def test_a_redrive_policy_can_be_a_dict_with_awss_names(self, queue: Queue, dead: Queue) -> None:
        policy: Any = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 7}
        queue.set_attributes(redrive_policy=policy)
        self.becomes(lambda: queue.attributes.redrive_policy, after(7, dead))

    def test_a_dead_letter_queue_exists(self, queue: Queue, dead: Queue) -> None:
        with refused(InvalidParameterValue):
            queue.set_attributes(
                redrive_policy=RedrivePolicy(dead_letter_target_arn=f"{dead.arn}-not", max_receive_count=1)
            )
        assert queue.attributes.redrive_policy is None

    def test_a_dead_letter_queue_is_of_the_same_kind(self, fifo_queue: Queue, dead: Queue) -> None:
        with refused(InvalidParameterValue):
            fifo_queue.set_attributes(redrive_policy=after(1, dead))

    @pytest.mark.parametrize("count", [0, 1_001])
    def test_a_number_of_receives_out_of_range_is_refused(
        self, queue: Queue, dead: Queue, count: int
    ) -> None:
        policy: Any = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": count}
        with refused(InvalidParameterValue):
            queue.set_attributes(redrive_policy=policy)

    @needs("redrive_allow_policy")
    def test_a_queue_can_refuse_all_dead_letters(self, queue: Queue, dead: Queue) -> None:
        nobody = RedriveAllowPolicy(redrive_permission="denyAll")
        dead.set_attributes(redrive_allow_policy=nobody)
        self.becomes(lambda: dead.attributes.redrive_allow_policy, nobody)
        with refused(InvalidParameterValue):
            queue.set_attributes(redrive_policy=after(1, dead))

    @needs("redrive_allow_policy")
    def test_a_queue_can_name_those_whose_dead_letters_it_takes(
        self, new_queue: NewQueue, queue: Queue, dead: Queue
    ) -> None:
        allowed = RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=(queue.arn,))
        dead.set_attributes(redrive_allow_policy=allowed)
        self.becomes(lambda: dead.attributes.redrive_allow_policy, allowed)
        queue.set_attributes(redrive_policy=after(1, dead))
        with refused(InvalidParameterValue):
            new_queue("other").set_attributes(redrive_policy=after(1, dead))

    @needs("dead_letter_sources")
    def test_the_sources_of_a_dead_letter_queue_are_listed(self, source: Queue, dead: Queue) -> None:
        self.becomes(lambda: [queue.name for queue in dead.list_dead_letter_source_queues()], [source.name])
        assert list(source.list_dead_letter_source_queues()) == []

    # --- the way back ---

    @needs("move_tasks")
    def test_dead_letters_go_back_where_they_came_from(
        self, source: Queue, dead: Queue, pass_time: PassTime
    ) -> None:
        source.send_batch(["one", "two", "three"])
        self.fail(source)
        handle = dead.start_message_move_task()
        assert handle
        pass_time(1)
        assert sorted(bodies(self.take(source, 3))) == ["one", "three", "two"]
        assert self.take(dead) == []
        [task] = dead.list_message_move_tasks()
        assert (task.status, task.task_handle, task.source_arn) == ("COMPLETED", None, dead.arn)
        assert task.approximate_number_of_messages_moved == 3

    @needs("move_tasks")
    def test_dead_letters_can_go_elsewhere(
        self, source: Queue, dead: Queue, queue: Queue, pass_time: PassTime
    ) -> None:
        source.send("poison")
        self.fail(source)
        dead.start_message_move_task(queue.arn, max_number_of_messages_per_second=500)
        pass_time(1)
        moved = self.take_one(queue)
        assert (moved.body, moved.receive_count) == ("poison", 1)
        [task] = dead.list_message_move_tasks(max_results=10)
        assert (task.destination_arn, task.max_number_of_messages_per_second) == (queue.arn, 500)

    @needs("move_tasks")
    def test_a_task_moves_at_its_rate_until_it_is_cancelled(
        self, broker: Broker, source: Queue, dead: Queue, pass_time: PassTime
    ) -> None:
        source.send_batch(["one", "two", "three"])
        self.fail(source)
        handle = dead.start_message_move_task(max_number_of_messages_per_second=1)
        pass_time(1)
        [task] = dead.list_message_move_tasks()
        assert (task.status, task.task_handle) == ("RUNNING", handle)
        assert broker.cancel_message_move_task(handle) == 1
        pass_time(10)
        assert len(self.take(source, 3)) == 1
        assert dead.list_message_move_tasks()[0].status == "CANCELLED"

    @needs("move_tasks")
    def test_a_queue_has_one_running_task_at_a_time(self, source: Queue, dead: Queue) -> None:
        source.send_batch(["one", "two", "three"])
        self.fail(source)
        dead.start_message_move_task(max_number_of_messages_per_second=1)
        with refused(InvalidParameterValue):
            dead.start_message_move_task()

    @needs("move_tasks")
    def test_only_a_dead_letter_queues_messages_are_moved(self, queue: Queue) -> None:
        with refused(InvalidParameterValue):
            queue.start_message_move_task()

    @needs("move_tasks")
    def test_a_destination_exists(self, source: Queue, dead: Queue) -> None:
        with refused(ResourceNotFoundException):
            dead.start_message_move_task(f"{source.arn}-not")

    @needs("move_tasks")
    @pytest.mark.parametrize("rate", [0, 501])
    def test_a_rate_out_of_range_is_refused(self, source: Queue, dead: Queue, rate: int) -> None:
        assert source.attributes.redrive_policy is not None
        with refused(InvalidParameterValue):
            dead.start_message_move_task(max_number_of_messages_per_second=rate)
