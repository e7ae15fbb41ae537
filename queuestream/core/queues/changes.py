"""What calls change about queues, as values; see `queuestream.core.changes`.

Each change names its queue and holds what cannot be derived: ids, numbers, instants.
Applied to a broker that has heard all earlier ones, it makes the same change there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

from queuestream.core.changes import Change
from queuestream.core.queues import redrive
from queuestream.core.queues.message import IN_FLIGHT, LabelledMessage, Message
from queuestream.core.queues.visibility import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.core.broker import Broker
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.message_attributes import MessageAttributes
    from queuestream.core.queues.move_tasks import MoveTask, Status
    from queuestream.core.queues.queue import Queue
    from queuestream.core.queues.state import QueueState


@attrs.frozen
class QueueCreated(Change):
    """A queue exists."""

    queue: str
    attributes: QueueAttributes
    tags: Mapping[str, str]
    secret: int
    at_ns: int

    def apply(self, broker: Broker) -> None:
        """Create it."""
        from queuestream.core.queues.queue import Queue  # noqa: PLC0415 - it knows this module, too

        queue = Queue.__new__(Queue)
        queue._begin(broker, self.queue, self.attributes, self.tags, self.secret, self.at_ns)
        broker._apply_queue_created(queue)


class LateChange(Change):
    """A change that may come later than it is asked for; see `queuestream.core.queues.consistency`.

    Attributes:
        queue: The name of the queue that changes.
        at_ns: When.
    """

    __slots__ = ()

    queue: str
    at_ns: int

    def apply_asked(self, broker: Broker, now_ns: int) -> None:
        """What is different as soon as it was asked for."""


@attrs.frozen
class ChangePostponed(Change):
    """A change was asked for, and will be told and made when its time has come."""

    change: LateChange
    asked_ns: int

    def apply(self, broker: Broker) -> None:
        """Keep it in mind."""
        broker._late_changes().apply_postponed(self.change)
        self.change.apply_asked(broker, self.asked_ns)


@attrs.frozen
class QueueBecameUsable(LateChange):
    """A queue that was created a while ago can be used."""

    queue: str
    at_ns: int

    def apply_asked(self, broker: Broker, now_ns: int) -> None:
        """It cannot be used yet."""
        broker.queues[self.queue]._is_usable = False
        broker.queues[self.queue]._watch_the_time()

    def apply(self, broker: Broker) -> None:
        """Let it be used."""
        broker._late_changes().apply_come(self)
        broker.queues[self.queue]._is_usable = True
        broker.queues[self.queue]._watch_the_time()


@attrs.frozen
class QueueDeleted(LateChange):
    """A queue and all its messages are gone."""

    queue: str
    at_ns: int

    def apply_asked(self, broker: Broker, now_ns: int) -> None:
        """Its name is no longer free for who wants the same queue."""
        broker._deleted_queues[self.queue] = now_ns

    def apply(self, broker: Broker) -> None:
        """Delete it."""
        broker._apply_queue_deleted(broker.queues[self.queue], self.at_ns)


@attrs.frozen
class QueueAttributesSet(Change):
    """A queue has these settings."""

    queue: str
    attributes: QueueAttributes
    at_ns: int

    def apply(self, broker: Broker) -> None:
        """Set them."""
        queue = broker.queues[self.queue]
        queue._settle_in_order(self.at_ns)
        queue.last_modified_ns = self.at_ns
        queue._apply_attributes(self.attributes, self.at_ns)


@attrs.frozen
class AttributesTookEffect(LateChange):
    """Some of a queue's settings, which were changed a while ago, hold from now on."""

    queue: str
    values: Mapping[str, Any]
    at_ns: int

    def apply_asked(self, broker: Broker, now_ns: int) -> None:
        """Nobody relies on what is about to change."""
        broker.queues[self.queue]._know_what_to_check()

    def apply(self, broker: Broker) -> None:
        """Let them hold."""
        broker._late_changes().apply_come(self)
        queue = broker.queues[self.queue]
        queue._settle_in_order(self.at_ns)
        queue._apply_attributes(attrs.evolve(queue._attributes, **self.values), self.at_ns)
        queue._wake(len(queue._waiting))


@attrs.frozen
class QueueTagged(Change):
    """A queue has these tags and no others."""

    queue: str
    tags: Mapping[str, str]

    def apply(self, broker: Broker) -> None:
        """Set them."""
        broker.queues[self.queue]._tags = dict(self.tags)


@attrs.frozen
class QueuePurged(Change):
    """A queue is empty."""

    queue: str
    at_ns: int

    def apply(self, broker: Broker) -> None:
        """Empty it."""
        broker.queues[self.queue]._apply_purged(self.at_ns)


@attrs.frozen
class MessagesPurged(LateChange):
    """The messages that were in a queue when it was purged a while ago are gone.

    Attributes:
        last_number: The number of the last of them.
    """

    queue: str
    last_number: int
    at_ns: int

    def apply_asked(self, broker: Broker, now_ns: int) -> None:
        """The next purge has to wait."""
        broker.queues[self.queue]._apply_purge_asked(now_ns)

    def apply(self, broker: Broker) -> None:
        """Remove them."""
        broker._late_changes().apply_come(self)
        broker.queues[self.queue]._apply_purged_up_to(self.last_number, self.at_ns)


# Made for every message: not frozen, because speed decided; read-only by convention.
@attrs.define
class StoredMessage:
    """A message as it enters a queue.  Read-only by convention."""

    number: int
    message_id: str
    body: str
    sent_ns: int
    first_received_ns: int | None = None
    message_attributes: MessageAttributes | None = None
    trace_header: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    received_before: int = 0
    dead_letter_source: str | None = None

    @classmethod
    def of(cls, message: Message, sent_ns: int) -> StoredMessage:
        """The message as a value."""
        if type(message) is Message:
            return cls(message.number, message.message_id, message.body, sent_ns, message.first_received_ns)
        return cls(
            message.number,
            message.message_id,
            message.body,
            sent_ns,
            message.first_received_ns,
            message.message_attributes,
            message.trace_header,
            message.group_id,
            message.deduplication_id,
            message.received_before,
            message.dead_letter_source,
        )

    @property
    def is_plain(self) -> bool:
        """Whether it has nothing that only a `LabelledMessage` has."""
        return (
            self.group_id is None
            and self.message_attributes is None
            and self.trace_header is None
            and self.deduplication_id is None
            and self.dead_letter_source is None
            and not self.received_before
        )

    def restored(self) -> Message:
        """The value as a message."""
        message = Message(self.body) if self.is_plain else self._labelled()
        message.message_id = self.message_id
        message.number = self.number
        message.sent_ns = self.sent_ns
        message.first_received_ns = self.first_received_ns
        return message

    def _labelled(self) -> LabelledMessage:
        message = LabelledMessage(
            self.body,
            self.message_attributes,
            self.trace_header,
            self.group_id,
            self.deduplication_id,
        )
        message.received_before = self.received_before
        message.dead_letter_source = self.dead_letter_source
        return message


@attrs.define
class MessageSent(Change):
    """A message was sent to a queue; it is visible at once, or when its delay has passed."""

    queue: str
    message: StoredMessage
    delay_ns: int
    at_ns: int

    @classmethod
    def of(cls, queue: QueueState, message: Message, delay_ns: int, now_ns: int) -> MessageSent:
        """The change of a send."""
        return cls(queue.name, StoredMessage.of(message, now_ns), delay_ns, now_ns)

    def apply(self, broker: Broker) -> None:
        """Send it."""
        broker.queues[self.queue]._settle_in_order(self.at_ns)
        broker.queues[self.queue]._apply_sent(self.message.restored(), self.delay_ns, self.at_ns)


@attrs.define
class MessagesReceived(Change):
    """Messages were received and are in flight for a while.

    Of the first messages, `count` were asked for; those that failed too often are not among
    `numbers`, and go to the dead-letter queue by the changes that follow.  A short poll that has asked
    some of the servers only may have found none; which ones it has asked follows from the polls before.
    """

    queue: str
    count: int
    numbers: tuple[int, ...]
    timeout_ns: int
    attempt_id: str | None
    at_ns: int
    is_sampled: bool = False

    def apply(self, broker: Broker) -> None:
        """Receive them: what a queue hands out follows from its state."""
        queue = broker.queues[self.queue]
        queue._settle(self.at_ns)
        max_receive_count = NEVER if redrive.dead_letter_queue_of(queue) is None else queue._max_receive_count
        again, taken, _ = queue._take(
            self.count, max_receive_count, self.at_ns, is_short_poll=self.is_sampled
        )
        messages = again + [message for message in taken if message.receive_count < max_receive_count]
        assert tuple(message.number for message in messages) == self.numbers
        if messages:
            queue._apply_taken(messages, self.timeout_ns, self.attempt_id, self.at_ns)


@attrs.frozen
class ReceiveRepeated(Change):
    """A receive was repeated under its attempt id; its messages are hidden anew."""

    queue: str
    numbers: tuple[int, ...]
    timeout_ns: int
    attempt_id: str
    at_ns: int

    def apply(self, broker: Broker) -> None:
        """Repeat it."""
        queue = broker.queues[self.queue]
        queue._settle(self.at_ns)
        queue._apply_repeated(
            self.attempt_id, [queue._numbered(number) for number in self.numbers], self.timeout_ns, self.at_ns
        )


@attrs.define
class VisibilityChanged(Change):
    """A message in flight is hidden for another while; visible again at once where the time is 0."""

    queue: str
    number: int
    timeout_ns: int
    at_ns: int

    def apply(self, broker: Broker) -> None:
        """Hide it anew."""
        queue = broker.queues[self.queue]
        queue._settle(self.at_ns)
        message = queue._numbered(self.number)
        if message.state == IN_FLIGHT:
            queue._apply_visibility(message, self.timeout_ns, self.at_ns)


@attrs.define
class MessagesRemoved(Change):
    """Messages are gone for good."""

    queue: str
    numbers: tuple[int, ...]
    because: Literal["deleted", "expired", "dead-lettered"]
    at_ns: int

    @classmethod
    def of(
        cls,
        queue: QueueState,
        messages: Iterable[Message],
        because: Literal["deleted", "expired", "dead-lettered"],
        now_ns: int,
    ) -> MessagesRemoved:
        """The change of a removal."""
        return cls(queue.name, tuple([message.number for message in messages]), because, now_ns)

    def apply(self, broker: Broker) -> None:
        """Remove them."""
        queue = broker.queues[self.queue]
        if self.because == "expired":
            aged = {
                message.number: message for message in queue._ages.up_to(self.at_ns - queue._retention_ns)
            }
            queue._apply_expired([aged[number] for number in self.numbers], self.at_ns)
        else:
            queue._settle(self.at_ns)
            queue._apply_removed([queue._numbered(number) for number in self.numbers], self.at_ns)


@attrs.frozen
class DeadLetterArrived(Change):
    """A message that failed in another queue is in its dead-letter queue."""

    queue: str
    message: StoredMessage
    at_ns: int

    def apply(self, broker: Broker) -> None:
        """Put it there."""
        broker.queues[self.queue]._settle_in_order(self.at_ns)
        broker.queues[self.queue]._apply_arrived(self.message.restored(), self.at_ns)


def of_receive(
    queue: Queue,
    count: int,
    messages: list[Message],
    timeout_ns: int,
    attempt_id: str | None,
    dead: list[Message],
    target: Queue | None,
    letters: list[Message],
    now_ns: int,
    *,
    is_sampled: bool,
) -> tuple[Change, ...]:
    """What a receive changes: messages are in flight, and dead letters go to the target."""
    numbers = tuple([message.number for message in messages])
    changes: list[Change] = [
        MessagesReceived(queue.name, count, numbers, timeout_ns, attempt_id, now_ns, is_sampled)
    ]
    if target is not None and dead:
        changes.append(MessagesRemoved.of(queue, dead, "dead-lettered", now_ns))
        changes += [
            DeadLetterArrived(target.name, StoredMessage.of(letter, letter.sent_ns), now_ns)
            for letter in letters
        ]
    return tuple(changes)


@attrs.frozen
class MoveTaskStarted(Change):
    """A task moves a dead-letter queue's messages from now on."""

    task_handle: str
    source_arn: str
    destination_arn: str | None
    asked_rate: int | None
    rate: int
    to_move: int
    at_ns: int

    @classmethod
    def of(cls, task: MoveTask) -> MoveTaskStarted:
        """The change of a start."""
        return cls(
            task.handle,
            task.source_arn,
            task.destination_arn,
            task.asked_rate,
            task.rate,
            task.to_move,
            task.started_ns,
        )

    def apply(self, broker: Broker) -> None:
        """Start it."""
        from queuestream.core.queues.move_tasks import MoveTask  # noqa: PLC0415 - it knows this module, too

        broker._message_move_tasks().apply_started(
            MoveTask(
                handle=self.task_handle,
                source_arn=self.source_arn,
                destination_arn=self.destination_arn,
                asked_rate=self.asked_rate,
                rate=self.rate,
                started_ns=self.at_ns,
                to_move=self.to_move,
            )
        )


@attrs.frozen
class MessageMoved(Change):
    """A task moved one message, which is a new one in another queue."""

    task_handle: str
    queue: str
    number: int
    destination: str
    message: StoredMessage
    at_ns: int

    def apply(self, broker: Broker) -> None:
        """Move it."""
        tasks = broker._message_move_tasks()
        source = broker.queues[self.queue]
        taken = source._take_to_move(self.at_ns)
        assert taken is not None
        assert taken.number == self.number
        tasks.apply_moved(
            tasks.task(self.task_handle),
            source,
            taken,
            broker.queues[self.destination],
            self.message.restored(),
            self.at_ns,
        )


@attrs.frozen
class MoveTaskEnded(Change):
    """A task is over."""

    task_handle: str
    status: Status
    failure_reason: str | None

    def apply(self, broker: Broker) -> None:
        """End it."""
        tasks = broker._message_move_tasks()
        tasks.apply_ended(tasks.task(self.task_handle), self.status, self.failure_reason)
