"""How long SQS takes until what was asked for holds everywhere: no time at all, unless a broker says so.

AWS documents how long a change *may* take.  A broker that is made with those durations
takes all of them, on its clock, so that a program which does not wait long enough fails
each time and not once a month:

    Broker(consistency=EVENTUAL)
    Broker(consistency=Consistency(purge_seconds=60))

How it works.  A call that takes a while tells the listeners at once that its change was
*postponed*, and the change itself when its time has come.  Until then everything answers
as before; what is asked for next builds upon what was asked for last.  `LateChanges`
keeps what is postponed, by its instants; whoever comes after an instant makes the change,
as of that instant, and in its turn with what move tasks do.

The counts of a standard queue are those of the last full minute of its life.  They are
no part of its state: nobody hears of them, and who rebuilds a broker begins to count anew.

AWS: CreateQueue, DeleteQueue, GetQueueAttributes, PurgeQueue and SetQueueAttributes in the
API reference; "Resources required to process Amazon SQS messages" (a FIFO queue's counts are
exact).
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, NamedTuple

import attrs

from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidParameterValue
from queuestream.core.queues.attributes import AWS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queuestream.core.broker import Broker
    from queuestream.core.changes import Change
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.changes import ChangePostponed, LateChange
    from queuestream.core.queues.state import QueueState


_SECONDS_MAX = 1_209_600

_SLOW_ATTRIBUTES = {"message_retention_period"}


class Consistency(NamedTuple):
    """How many seconds it takes until a change holds; none where nothing is said.

    Attributes:
        attributes_seconds: Changed attributes, and permissions, which are one of them.
        retention_period_seconds: A changed message retention period.
        purge_seconds: The messages of a queue that is purged; those that are sent meanwhile are kept.
        creation_seconds: A new queue, which does not exist for its users before.
        deletion_seconds: A deleted queue, which goes on working until then.
        counts_seconds: How old the approximate numbers of messages of a standard queue may be.
    """

    attributes_seconds: float = 0
    retention_period_seconds: float = 0
    purge_seconds: float = 0
    creation_seconds: float = 0
    deletion_seconds: float = 0
    counts_seconds: float = 0


AT_ONCE = Consistency()
"""Everything holds at once."""

EVENTUAL = Consistency(
    attributes_seconds=60,
    retention_period_seconds=900,
    purge_seconds=60,
    creation_seconds=1,
    deletion_seconds=60,
    counts_seconds=60,
)
"""Everything takes as long as AWS says that it may."""


class Counts(NamedTuple):
    """How many messages of a queue are in which state."""

    visible: int
    in_flight: int
    delayed: int


class LateChanges:
    """The changes of one broker's queues that were asked for and are still to come, the next one first."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._changes: list[LateChange] = []

    def __iter__(self) -> Iterator[LateChange]:
        """All of them, the next one first."""
        return iter(self._changes)

    def next_ns(self) -> int | None:
        """When the next one comes; None where none is left."""
        return self._changes[0].at_ns if self._changes else None

    def of(self, queue_name: str) -> list[LateChange]:
        """Those of one queue."""
        return [change for change in self._changes if change.queue == queue_name]

    def catch_up(self, now_ns: int) -> None:
        """Make the changes whose time has come, each as of its own instant."""
        broker = self._broker
        while self._changes and self._changes[0].at_ns <= now_ns:
            change = self._changes[0]
            broker._move_messages(change.at_ns)
            broker.queues[change.queue]._expire(change.at_ns)
            if broker.listeners:
                broker.publish((change,))
            change.apply(broker)

    def apply_postponed(self, change: LateChange) -> None:
        """A change will come later."""
        insort(self._changes, change, key=lambda other: other.at_ns)
        for queue in self._broker.queues.values():
            queue._expect(change.at_ns)

    def apply_come(self, change: LateChange) -> None:
        """A change is being made, and no longer to come."""
        self._changes.remove(change)

    def forget(self, queue_name: str) -> None:
        """A queue is gone, and what was still to come for it."""
        self._changes = [change for change in self._changes if change.queue != queue_name]


class Minute:
    """What the approximate counts of one queue say: what was there when its last full minute ended.

    Attributes:
        counts: The counts at that instant.
        ends_ns: When the minute ends that has begun then.
    """

    __slots__ = ("_lasts_ns", "_queue", "counts", "ends_ns")

    def __init__(self, queue: QueueState, seconds: float) -> None:
        self._queue = queue
        self._lasts_ns = max(1, _later(0, seconds))
        self.counts = Counts(0, 0, 0)
        self.ends_ns = queue.created_ns + self._lasts_ns

    def count(self, now_ns: int) -> None:
        """Count anew if a minute has ended; nothing else has happened to the queue since."""
        if now_ns >= self.ends_ns:
            last_ns = now_ns - (now_ns - self.ends_ns) % self._lasts_ns
            self.ends_ns = last_ns + self._lasts_ns
            self._queue._remove_expired(last_ns)
            self.counts = self._queue._counts_at(last_ns)


def check(consistency: object) -> Consistency:
    """The durations that a broker is given.

    Raises:
        InvalidParameterValue: Something else, or a duration that is negative or longer than two weeks.
    """
    if not isinstance(consistency, Consistency) or not all(
        isinstance(seconds, int | float) and 0 <= seconds <= _SECONDS_MAX for seconds in consistency
    ):
        raise InvalidParameterValue(f"Consistency must have durations from 0 to {_SECONDS_MAX} seconds.")
    return consistency


def creation(broker: Broker, queue_name: str, now_ns: int) -> tuple[Change, ...]:
    """What follows the creation of a queue: that it becomes usable, where that takes a while."""
    seconds = broker.consistency.creation_seconds
    if not seconds:
        return ()
    from queuestream.core.queues.changes import ChangePostponed, QueueBecameUsable  # noqa: PLC0415

    return (ChangePostponed(QueueBecameUsable(queue_name, _later(now_ns, seconds)), now_ns),)


def purge(queue: QueueState, now_ns: int) -> bool:
    """Purge a queue later, where that takes a while."""
    seconds = queue.broker.consistency.purge_seconds
    if seconds:
        from queuestream.core.queues.changes import MessagesPurged  # noqa: PLC0415

        _postpone(
            queue.broker, MessagesPurged(queue.name, queue._last_number, _later(now_ns, seconds)), now_ns
        )
    return seconds > 0


def delete(queue: QueueState, now_ns: int) -> bool:
    """Delete a queue later, where that takes a while; once is enough."""
    broker = queue.broker
    seconds = broker.consistency.deletion_seconds
    if seconds and not broker._is_being_deleted(queue.name):
        from queuestream.core.queues.changes import QueueDeleted  # noqa: PLC0415

        _postpone(broker, QueueDeleted(queue.name, _later(now_ns, seconds)), now_ns)
    return seconds > 0


def asked_attributes(queue: QueueState) -> QueueAttributes:
    """A queue's attributes as they will be when all that was asked for has come."""
    late, attributes = queue.broker._late, queue._attributes
    if late is None:
        return attributes
    from queuestream.core.queues.changes import AttributesTookEffect  # noqa: PLC0415

    for change in late.of(queue.name):
        if isinstance(change, AttributesTookEffect):
            attributes = attrs.evolve(attributes, **change.values)
    return attributes


def attributes_by_time(
    queue: QueueState, changed: QueueAttributes, now_ns: int
) -> tuple[QueueAttributes, tuple[ChangePostponed, ...]]:
    """A queue's attributes from now on, and what of a change comes later."""
    consistency = queue.broker.consistency
    if consistency is AT_ONCE:
        return changed, ()
    from queuestream.core.queues.changes import AttributesTookEffect, ChangePostponed  # noqa: PLC0415

    asked = asked_attributes(queue)
    differences = {
        name: getattr(changed, name) for name in AWS_NAMES if getattr(changed, name) != getattr(asked, name)
    }
    slow = {name: differences.pop(name) for name in _SLOW_ATTRIBUTES & differences.keys()}
    attributes = queue._attributes
    postponed = []
    for values, seconds in (
        (slow, consistency.retention_period_seconds),
        (differences, consistency.attributes_seconds),
    ):
        if values and seconds:
            effect = AttributesTookEffect(queue.name, values, _later(now_ns, seconds))
            postponed.append(ChangePostponed(effect, now_ns))
        else:
            attributes = attrs.evolve(attributes, **values)
    return attributes, tuple(postponed)


def _postpone(broker: Broker, change: LateChange, now_ns: int) -> None:
    from queuestream.core.queues.changes import ChangePostponed  # noqa: PLC0415

    postponed = ChangePostponed(change, now_ns)
    if broker.listeners:
        broker.publish((postponed,))
    postponed.apply(broker)


def _later(now_ns: int, seconds: float) -> int:
    return now_ns + round(seconds * SECOND)
