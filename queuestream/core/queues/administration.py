"""What is known about a queue besides its messages: settings, tags, permissions, counts.

The base of `Queue`, which adds the operations on messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from queuestream.core.arns import Arn, queue_url
from queuestream.core.clock import SECOND
from queuestream.core.errors import QueueDoesNotExist
from queuestream.core.queues import attributes as queue_attributes
from queuestream.core.queues import redrive
from queuestream.core.queues.checks import check_tags
from queuestream.core.queues.deduplication import Deduplication
from queuestream.core.queues.fifo import FifoOrdering
from queuestream.core.queues.message import DELAYED, GONE, IN_FLIGHT, VISIBLE, Message
from queuestream.core.queues.ordering import Ordering, StandardOrdering
from queuestream.core.queues.receipts import Receipts
from queuestream.core.queues.retention import Ages
from queuestream.core.queues.visibility import NEVER, Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType
    from typing import Unpack

    from queuestream.core.broker import Broker
    from queuestream.core.queues.attempts import Attempts
    from queuestream.core.queues.attribute_types import QueueAttributesDict
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.polling import LongPoll


class QueueAdministration:
    """A queue's settings, tags, permissions and counts.

    Attributes:
        name: As given when it was created.
        broker: The broker that the queue belongs to.
        created_ns: When it was created, in nanoseconds since the epoch.
        last_modified_ns: When its settings were last changed.
    """

    name: str
    broker: Broker
    created_ns: int
    last_modified_ns: int

    def _begin(
        self,
        broker: Broker,
        name: str,
        attributes: QueueAttributes,
        tags: Mapping[str, str],
        secret: int,
        now_ns: int,
    ) -> None:
        """Begin as an empty queue."""
        self.name = name
        self.broker = broker
        self.created_ns = self.last_modified_ns = now_ns
        self._now_ns = broker.clock.now_ns
        self._lock = broker.lock
        self._tags = dict(tags)
        self._receipts = Receipts(secret)
        self._last_number = 0
        self._purged_ns: int | None = None
        self._is_deleted = False
        # Those who wait for messages, the longest first.
        self.waiting: dict[LongPoll, None] = {}
        self._deduplication = Deduplication() if attributes.fifo_queue else None
        self._attempts: Attempts | None = None
        # Time changes nothing but visibility before this instant.
        self._due_ns = NEVER
        self._forget_messages(attributes)
        self._apply_attributes(attributes, now_ns)

    def _forget_messages(self, attributes: QueueAttributes) -> None:
        self._ages = Ages()
        self._hidden = Timers()
        self._received: dict[int, Message] = {}
        self._delayed_count = 0
        self._in_flight_count = 0
        self._ordering: Ordering = (
            FifoOrdering(self.broker.queue_limits.fifo_look_ahead_max)
            if attributes.fifo_queue
            else StandardOrdering()
        )

    # --- names ---

    @property
    def arn(self) -> str:
        """Its Amazon Resource Name."""
        return str(Arn("sqs", self.broker.region, self.broker.account_id, self.name))

    @property
    def url(self) -> str:
        """Its queue URL, in the form of AWS' own."""
        return queue_url(self.broker.region, self.broker.account_id, self.name)

    @property
    def is_fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self._attributes.fifo_queue

    # --- time ---

    def look_at_the_time(self) -> int:
        """What time it is, after catching up with what it has changed.  The caller holds the lock.

        Raises:
            QueueDoesNotExist: The queue was deleted.
            BrokerClosed: The broker was closed.
        """
        now_ns = self._now_ns()
        if now_ns >= self._due_ns:
            self._catch_up(now_ns)
        return now_ns

    def _catch_up(self, now_ns: int) -> None:
        self._check_usable()
        self.broker.move_messages(now_ns)
        self._expire(now_ns)

    def _check_usable(self) -> None:
        self.broker.check_open()
        if self._is_deleted:
            raise QueueDoesNotExist(self.name)

    def _give_up(self) -> None:
        """The queue was deleted, or its broker closed: every later call sees it, and so do those who wait."""
        self._due_ns = -NEVER
        self.wake(len(self.waiting))

    def next_event_ns(self) -> int | None:
        """When time next changes something about this queue; None where only calls will."""
        with self._lock:
            instants = [at_ns for at_ns in (self.next_arrival_ns(), self._next_expiry_ns()) if at_ns is not None]
            return min(instants, default=None)

    def next_arrival_ns(self) -> int | None:
        """When time next makes a message visible.  The caller holds the lock."""
        instants = [at_ns for at_ns in (self._hidden.next_deadline_ns(), self.broker.next_move_ns()) if at_ns is not None]
        return min(instants, default=None)

    def _next_expiry_ns(self) -> int | None:
        oldest = self._ages.oldest()
        return None if oldest is None else oldest.sent_ns + self._retention_ns

    def _expect(self, at_ns: int) -> None:
        """Time will change something at an instant that the queue did not know of."""
        self._due_ns = min(self._due_ns, at_ns)
        self._wake_before(at_ns)

    def _expire(self, now_ns: int) -> None:
        """Remove what has been kept for the retention period."""
        horizon_ns = now_ns - self._retention_ns
        expired = self._ages.up_to(horizon_ns)
        if expired:
            if self.broker.listeners:
                self.broker.publish((queue_changes().MessagesRemoved.of(self, expired, "expired", now_ns),))
            self._apply_removed(expired, now_ns)
        self._watch_the_time()

    def _watch_the_time(self) -> None:
        """Set the instant before which time changes nothing but visibility."""
        expiry_ns = self._next_expiry_ns()
        move_ns = self.broker.next_move_ns()
        self._due_ns = min(NEVER if expiry_ns is None else expiry_ns, NEVER if move_ns is None else move_ns)

    def _settle(self, now_ns: int, count: int | None = None) -> None:
        """Show the messages whose time has come, or the first of them."""
        for message in self._hidden.pop_due(now_ns, count):
            if message.state == IN_FLIGHT:
                self._in_flight_count -= 1
            else:
                self._delayed_count -= 1
            message.state = VISIBLE
            self._ordering.show(message, now_ns)

    def _apply_removed(self, messages: Iterable[Message], now_ns: int) -> None:
        """Messages are gone: deleted, moved or expired."""
        for message in messages:
            was_in_flight = message.state == IN_FLIGHT
            if message.lane is not None:
                self._hidden.cancel(message)
                if was_in_flight:
                    self._in_flight_count -= 1
                else:
                    self._delayed_count -= 1
            message.state = GONE
            self._received.pop(message.number, None)
            self._ages.forget()
            self._ordering.discard(message, was_in_flight=was_in_flight, now_ns=now_ns)

    # --- waiting ---

    def wake(self, count: int) -> None:
        """Tell as many of those who wait that there are messages.  The caller holds the lock."""
        while self.waiting and count > 0:
            poll = next(iter(self.waiting))
            del self.waiting[poll]
            poll.wakeup.set()
            count -= 1

    def _wake_before(self, deadline_ns: int) -> None:
        """Tell those who wait that a message becomes visible earlier than they knew."""
        for poll in [poll for poll in self.waiting if poll.until_ns > deadline_ns]:
            del self.waiting[poll]
            poll.wakeup.set()

    # --- settings ---

    @property
    def attributes(self) -> QueueAttributes:
        """Its settings, under AWS's names."""
        return self._attributes

    def set_attributes(self, **attributes: Unpack[QueueAttributesDict]) -> None:
        """Change some settings.

        A new retention period applies to the messages that wait already; so does a new
        delay on a FIFO queue, but not on a standard queue.  A new visibility timeout applies
        from the next receive on.

        Args:
            **attributes: As for `create_queue`; None takes a policy away.

        Raises:
            InvalidAttributeName: A name that is no attribute, or none of this kind of queue.
            InvalidAttributeValue: A value out of range or of the wrong form.
            InvalidParameterValue: A redrive policy that makes no sense, or that its target does not allow.

        AWS: SetQueueAttributes.
        """
        with self._lock:
            changed = queue_attributes.evolve(self._attributes, attributes)
            now_ns = self.look_at_the_time()
            if attributes.get("redrive_policy"):
                redrive.check_target(self, changed)
            self._change_attributes(changed, now_ns)

    def _change_attributes(self, changed: QueueAttributes, now_ns: int) -> None:
        if self.broker.listeners:
            self.broker.publish((queue_changes().QueueAttributesSet(self.name, changed, now_ns),))
        self._apply_attributes(changed, now_ns)
        self._expire(now_ns)
        self.wake(len(self.waiting))

    def _apply_attributes(self, attributes: QueueAttributes, now_ns: int) -> None:
        delay_seconds = self._attributes.delay_seconds if hasattr(self, "_attributes") else attributes.delay_seconds
        self._attributes = attributes
        self.last_modified_ns = now_ns
        # What every operation needs, within one step's reach.
        limits = self.broker.queue_limits
        self._retention_ns = attributes.message_retention_period * SECOND
        self._visibility_timeout_ns = attributes.visibility_timeout * SECOND
        self._delay_ns = attributes.delay_seconds * SECOND
        self._maximum_message_size = attributes.maximum_message_size
        self._in_flight_max = limits.fifo_in_flight_max if attributes.fifo_queue else limits.in_flight_max
        policy = attributes.redrive_policy
        self._max_receive_count = NEVER if policy is None else policy.max_receive_count
        self._watch_the_time()
        if attributes.fifo_queue and attributes.delay_seconds != delay_seconds:
            self._delay_anew(now_ns)

    def _delay_anew(self, now_ns: int) -> None:
        """A FIFO queue's delay is retroactive (AWS: "Amazon SQS delay queues")."""
        self._settle(now_ns)
        lane = self._hidden.unused_key()
        for message in self._ages:
            if message.receive_count or message.state == IN_FLIGHT:
                continue
            if message.state == DELAYED:
                self._hidden.cancel(message)
                self._delayed_count -= 1
            message.state = VISIBLE
            message.visible_at_ns = message.sent_ns + self._delay_ns
            if message.visible_at_ns > now_ns:
                message.state = DELAYED
                self._hidden.start(message, lane)
                self._delayed_count += 1
        self._order_anew(FifoOrdering(self.broker.queue_limits.fifo_look_ahead_max), now_ns)

    def _order_anew(self, ordering: Ordering, now_ns: int) -> None:
        """Tell every message to another ordering."""
        self._ordering = ordering
        for message in self._ages:
            message.group = None
            ordering.add(message, now_ns)

    @property
    def tags(self) -> dict[str, str]:
        """Its cost allocation tags."""
        with self._lock:
            return dict(self._tags)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Add tags, or change those of the same key.

        Raises:
            InvalidParameterValue: No tag, a key or value that is too long, or more than 50 in all.

        AWS: TagQueue.
        """
        with self._lock:
            self.look_at_the_time()
            check_tags(tags, self.broker.queue_limits)
            merged = {**self._tags, **tags}
            check_tags(merged, self.broker.queue_limits)
            self._set_tags(merged)

    def untag(self, tag_keys: Iterable[str]) -> None:
        """Take tags away; keys that it does not have are passed over.

        AWS: UntagQueue.
        """
        keys = set(tag_keys) if not isinstance(tag_keys, str) else {tag_keys}
        with self._lock:
            self.look_at_the_time()
            self._set_tags({key: value for key, value in self._tags.items() if key not in keys})

    def _set_tags(self, tags: dict[str, str]) -> None:
        if self.broker.listeners:
            self.broker.publish((queue_changes().QueueTagged(self.name, tags),))
        self._tags = tags

    def add_permission(self, label: str, aws_account_ids: Iterable[str], actions: Iterable[str]) -> None:
        """Write into the queue's policy that other accounts may use it; kept, never evaluated.

        Args:
            label: Names the permission, to remove it by.
            aws_account_ids: Accounts of twelve digits.
            actions: Such as "SendMessage", or "*".

        AWS: AddPermission.
        """
        from queuestream.core.queues import permissions  # noqa: PLC0415 - few queues have any

        self._change_policy(
            lambda policy: permissions.add_permission(
                policy, self.arn, label, aws_account_ids, actions, self.broker.queue_limits
            )
        )

    def remove_permission(self, label: str) -> None:
        """Take a permission out of the queue's policy.

        AWS: RemovePermission.
        """
        from queuestream.core.queues import permissions  # noqa: PLC0415 - few queues have any

        self._change_policy(lambda policy: permissions.remove_permission(policy, label))

    def _change_policy(self, change: Callable[[str | None], str | None]) -> None:
        with self._lock:
            now_ns = self.look_at_the_time()
            policy = change(self._attributes.policy)
            self._change_attributes(queue_attributes.evolve(self._attributes, {"policy": policy}), now_ns)

    # --- counts ---

    def counts(self) -> Counts:
        """How many messages are visible, in flight and delayed, at one instant; exact, unlike AWS's.

        Costs in proportion to what has come due since the last operation.
        """
        with self._lock:
            self._settle(self.look_at_the_time())
            hidden = self._in_flight_count + self._delayed_count
            return Counts(len(self._ages) - hidden, self._in_flight_count, self._delayed_count)

    @property
    def approximate_number_of_messages(self) -> int:
        """How many messages are visible."""
        return self.counts().visible

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """How many messages are in flight."""
        return self.counts().in_flight

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """How many messages are delayed."""
        return self.counts().delayed

    def __repr__(self) -> str:
        if self._is_deleted:
            return f"<Queue {self.name!r}: deleted>"
        if self.broker.closed_because is not None:
            return f"<Queue {self.name!r}: its broker is closed>"
        visible, in_flight, delayed = self.counts()
        return f"<Queue {self.name!r}: {visible} visible, {in_flight} in flight, {delayed} delayed>"

    def check_invariants(self) -> None:
        """Assert what the queue's parts and counts rely on; cost grows with the queue."""
        for part in (self._ages, self._hidden, self._ordering, self._deduplication):
            if part is not None:
                part.check_invariants()
        states = [message.state for message in self._ages]
        assert len(states) == len(self._ages)
        assert states.count(IN_FLIGHT) == self._in_flight_count
        assert states.count(DELAYED) == self._delayed_count
        assert all((message.lane is not None) == (message.state in {DELAYED, IN_FLIGHT}) for message in self._ages)
        assert sum(1 for _ in self._hidden) == self._in_flight_count + self._delayed_count
        assert all(self._received[number].number == number for number in self._received)
        assert all(message.number in self._received for message in self._ages if message.state == IN_FLIGHT)
        assert all(message.state != GONE for message in self._received.values())
        next_expiry_ns = self._next_expiry_ns()
        assert next_expiry_ns is None or self._due_ns <= next_expiry_ns


class Counts(NamedTuple):
    """How many messages of a queue are in which state."""

    visible: int
    in_flight: int
    delayed: int


def queue_changes() -> ModuleType:
    """The changes of queues, which nobody needs before somebody listens."""
    from queuestream.core.queues import changes  # noqa: PLC0415

    return changes
