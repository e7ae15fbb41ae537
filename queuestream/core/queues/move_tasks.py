"""Message move tasks: bringing dead letters back, at a steady rate on the broker's clock.

A task that moves n messages a second moves its k-th one k/n seconds after its start.
No thread does it: the broker catches up with its tasks at the beginning of the next
operation on any queue, each message at its own instant.  A moved message is a new one:
a new id, sent now, never received.

AWS: StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks; "Learn how to
configure a dead-letter queue redrive".
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Literal

import attrs

from queuestream.core.clock import MILLISECOND, SECOND
from queuestream.core.errors import (
    InvalidParameterValue,
    OverLimit,
    ResourceNotFoundException,
    UnsupportedOperation,
)
from queuestream.core.queues import changes, redrive
from queuestream.core.queues.checks import is_integer, shown
from queuestream.core.queues.message import LabelledMessage, Message

if TYPE_CHECKING:
    from queuestream.core.broker import Broker
    from queuestream.core.queues.queue import Queue

Status = Literal["RUNNING", "COMPLETED", "CANCELLED", "FAILED"]

_TASKS_KEPT_PER_SOURCE = 10


@attrs.frozen(kw_only=True)
class MessageMoveTask:
    """What `list_message_move_tasks` says of a task.

    Attributes:
        task_handle: To cancel it by; None unless it is running.
        destination_arn: None where each message goes back to the queue that it failed in.
        failure_reason: AWS's code; None unless it failed.
    """

    task_handle: str | None
    status: Status
    source_arn: str
    destination_arn: str | None
    max_number_of_messages_per_second: int | None
    approximate_number_of_messages_moved: int
    approximate_number_of_messages_to_move: int
    failure_reason: str | None
    started_timestamp_ms: int


@attrs.define(eq=False, kw_only=True)
class MoveTask:
    """A task as the broker keeps it."""

    handle: str
    source_arn: str
    destination_arn: str | None
    asked_rate: int | None
    rate: int
    started_ns: int
    to_move: int
    moved: int = 0
    status: Status = "RUNNING"
    failure_reason: str | None = None

    def next_ns(self) -> int:
        """When it moves its next message."""
        return self.started_ns + (self.moved + 1) * SECOND // self.rate

    def described(self) -> MessageMoveTask:
        """The task as a value."""
        return MessageMoveTask(
            task_handle=self.handle if self.status == "RUNNING" else None,
            status=self.status,
            source_arn=self.source_arn,
            destination_arn=self.destination_arn,
            max_number_of_messages_per_second=self.asked_rate,
            approximate_number_of_messages_moved=self.moved,
            approximate_number_of_messages_to_move=self.to_move,
            failure_reason=self.failure_reason,
            started_timestamp_ms=self.started_ns // MILLISECOND,
        )


class MoveTasks:
    """The move tasks of one broker, the latest last."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.tasks: list[MoveTask] = []

    def next_ns(self) -> int | None:
        """When a task moves its next message; None where no task is running."""
        return min((task.next_ns() for task in self._running()), default=None)

    def start(self, source_arn: str, destination_arn: str | None, rate: int | None, now_ns: int) -> MoveTask:
        """Begin to move messages; the caller holds the lock and has caught up with the time."""
        broker = self._broker
        limits = broker.queue_limits
        if rate is not None and not is_integer(rate, 1, limits.moved_messages_per_second_max):
            raise InvalidParameterValue.of(
                "MaxNumberOfMessagesPerSecond",
                shown(rate),
                f"Must be between 1 and {limits.moved_messages_per_second_max}, if provided.",
            )
        source = self._queue(source_arn, "SourceArn")
        if not redrive.source_queues_of(source):
            raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
        if destination_arn is not None:
            destination = self._queue(destination_arn, "DestinationArn")
            if destination is source:
                raise InvalidParameterValue("Source queue arn and destination queue arn cannot be the same.")
            if destination.is_fifo != source.is_fifo:
                raise InvalidParameterValue("Source queue and destination queue must be of the same type.")
        running = self._running()
        if any(task.source_arn == source.arn for task in running):
            raise InvalidParameterValue(
                "There is already a task running. "
                "Only one active task is allowed for a source queue arn at a given time."
            )
        if len(running) >= limits.active_move_tasks_max:
            raise OverLimit(f"At most {limits.active_move_tasks_max} message move tasks may be active.")
        task = MoveTask(
            handle=_handle(broker.ids.uuid(), source.arn),
            source_arn=source.arn,
            destination_arn=destination_arn,
            asked_rate=rate,
            rate=limits.moved_messages_per_second_max if rate is None else rate,
            started_ns=now_ns,
            to_move=source.counts().visible,
        )
        if broker.listeners:
            broker.publish((changes.MoveTaskStarted.of(task),))
        self.apply_started(task)
        return task

    def apply_started(self, task: MoveTask) -> None:
        """A task is running from now on."""
        older = [other for other in self.tasks if other.source_arn == task.source_arn]
        if len(older) == _TASKS_KEPT_PER_SOURCE:
            self.tasks.remove(older[0])
        self.tasks.append(task)
        for queue in self._broker.queues.values():
            queue._expect(task.next_ns())

    def cancel(self, task_handle: object) -> int:
        """Stop a task: how many messages it has moved."""
        task = self._find(task_handle)
        if task.status != "RUNNING":
            raise UnsupportedOperation("Only active tasks can be cancelled.")
        self._end(task, "CANCELLED", None)
        return task.moved

    def latest(self, source_arn: str, max_results: int) -> list[MessageMoveTask]:
        """The latest tasks of one source, the latest first."""
        limits = self._broker.queue_limits
        if not is_integer(max_results, 1, limits.move_tasks_listed_max):
            raise InvalidParameterValue.of(
                "MaxResults", shown(max_results), f"Must be between 1 and {limits.move_tasks_listed_max}."
            )
        source = self._queue(source_arn, "SourceArn")
        latest = [task.described() for task in reversed(self.tasks) if task.source_arn == source.arn]
        return latest[:max_results]

    def catch_up(self, now_ns: int) -> None:
        """Move what should have been moved by now, each message at its instant."""
        while (next_ns := self.next_ns()) is not None and next_ns <= now_ns:
            self._step(min(self._running(), key=MoveTask.next_ns), next_ns)

    def _step(self, task: MoveTask, at_ns: int) -> None:
        """Move one message, or end the task."""
        source = self._broker._queue_of(task.source_arn)
        if source is None:
            self._end(task, "FAILED", "AWS.SimpleQueueService.NonExistentQueue")
            return
        source._expire(at_ns)
        taken = source._take_to_move(at_ns)
        if taken is None:
            self._end(task, "COMPLETED", None)
            return
        destination, reason = self._destination(task, taken)
        if destination is None:
            source._put_back_unmoved(taken)
            self._end(task, "FAILED", reason)
            return
        try:
            destination._expire(at_ns)
            moved = _redriven(taken, destination, self._broker.ids.uuid())
            if self._broker.listeners:
                stored = changes.StoredMessage.of(moved, at_ns)
                self._broker.publish(
                    (
                        changes.MessageMoved(
                            task.handle, source.name, taken.number, destination.name, stored, at_ns
                        ),
                    )
                )
        except BaseException:
            source._put_back_unmoved(taken)
            raise
        self.apply_moved(task, source, taken, destination, moved, at_ns)

    def apply_moved(
        self, task: MoveTask, source: Queue, taken: Message, destination: Queue, moved: Message, at_ns: int
    ) -> None:
        """One message has left its dead-letter queue for another queue."""
        destination._settle_in_order(at_ns)
        source._apply_removed([taken], at_ns)
        destination._apply_sent(moved, destination._delay_ns, at_ns)
        task.moved += 1

    def _destination(self, task: MoveTask, message: Message) -> tuple[Queue | None, str | None]:
        arn = message.dead_letter_source if task.destination_arn is None else task.destination_arn
        if arn is None:
            return None, "CouldNotDetermineMessageSource"
        return self._broker._queue_of(arn), "AWS.SimpleQueueService.NonExistentQueue"

    def _end(self, task: MoveTask, status: Status, reason: str | None) -> None:
        if self._broker.listeners:
            self._broker.publish((changes.MoveTaskEnded(task.handle, status, reason),))
        self.apply_ended(task, status, reason)

    def apply_ended(self, task: MoveTask, status: Status, reason: str | None) -> None:
        """A task is over."""
        task.status = status
        task.failure_reason = reason

    def task(self, handle: str) -> MoveTask:
        """The task with that handle, which exists."""
        return next(task for task in self.tasks if task.handle == handle)

    def _running(self) -> list[MoveTask]:
        return [task for task in self.tasks if task.status == "RUNNING"]

    def _find(self, task_handle: object) -> MoveTask:
        for task in self.tasks:
            if task.handle == task_handle:
                return task
        self._queue(_source_arn_in(task_handle), "SourceArn")
        raise ResourceNotFoundException("Task does not exist.")

    def _queue(self, arn: object, parameter: str) -> Queue:
        queue = self._broker._queue_of(arn)
        if queue is None:
            raise ResourceNotFoundException(
                f"The resource that you specified for the {parameter} parameter doesn't exist."
            )
        return queue


def _handle(task_id: str, source_arn: str) -> str:
    """A handle in AWS's form: the base 64 of a JSON object."""
    return base64.b64encode(json.dumps({"taskId": task_id, "sourceArn": source_arn}).encode()).decode()


def _source_arn_in(task_handle: object) -> object:
    """The ARN that a handle names.

    Raises:
        InvalidParameterValue: It is no handle.
    """
    try:
        shape = json.loads(base64.b64decode(task_handle, validate=True))  # type: ignore[arg-type]
        return shape["sourceArn"]
    except (TypeError, ValueError, KeyError, RecursionError):
        raise InvalidParameterValue("Value for parameter TaskHandle is invalid.") from None


def _redriven(message: Message, destination: Queue, message_id: str) -> Message:
    """A dead letter as the new message that it is in another queue."""
    moved = LabelledMessage.like(message, message.deduplication_id)
    moved.message_id = message_id
    moved.number = destination._last_number + 1
    return moved
