"""What a queue holds, and each way in which it changes.

The base of `Queue`.  Operations decide; what they decided is applied here, by methods
whose names begin with `_apply`, which a replayed change calls as well.  A queue's
messages stand in four indexes: `_ages` has them all, by age; `_hidden` those that are
delayed or in flight, by deadline; the `_ordering` those that are visible, by whose turn
it is; `_received` those that somebody may hold a handle of, by the handle's token.

Time has changed what it has changed only when somebody looks: `look_at_the_time` catches
up with retention and move tasks, `_settle` shows the hidden messages whose time has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.core.errors import QueueDoesNotExist
from queuestream.core.queues import consistency
from queuestream.core.queues.consistency import Counts
from queuestream.core.queues.deduplication import Deduplication
from queuestream.core.queues.fifo import FifoOrdering
from queuestream.core.queues.message import (
    DELAYED,
    GONE,
    IN_FLIGHT,
    VISIBLE,
    Message,
    ReceivedMessage,
    sequence_number_of,
)
from queuestream.core.queues.message_attributes import ALL, select
from queuestream.core.queues.ordering import Kept, Ordering, StandardOrdering
from queuestream.core.queues.receipts import FIRST_RECEIVE, NO_RECEIVE, TOKEN_LENGTH, Receipts
from queuestream.core.queues.retention import Ages
from queuestream.core.queues.visibility import NEVER, Timers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from queuestream.core.broker import Broker
    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.attempts import Attempts
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.consistency import Minute
    from queuestream.core.queues.deduplication import Key
    from queuestream.core.queues.delivery_copies import Copies
    from queuestream.core.queues.delivery_ordering import DeliveryOrdering
    from queuestream.core.queues.ordering import Place
    from queuestream.core.queues.polling import LongPoll
    from queuestream.core.queues.throughput import Throughput

NOT_THIS_TYPE = "The request include parameter that is not valid for this queue type."
"""What AWS says of a FIFO queue's parameter on a standard queue, and the other way round."""


class QueueState:
    """A queue's messages and settings, without the operations.

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

    # What few queues have other than this.  On the class, because CPython stores the attributes of an object
    # that has more than 30 of them in a way that is slower to look at, and a queue has almost as many.
    _is_deleted = False
    _is_usable = True
    _purged_ns: int | None = None
    _attempts: Attempts | None = None
    _minute: Minute | None = None
    _sampler: DeliveryOrdering | None = None

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
        self.created_ns = now_ns
        self._now_ns = broker.clock.now_ns
        self._new_id = broker.ids.uuid
        self._lock = broker.lock
        self._tags = dict(tags)
        self._receipts = Receipts(secret)
        self._last_number = 0
        # Those who wait for messages, the longest first.
        self._waiting: dict[LongPoll, None] = {}
        self._deduplication = Deduplication() if attributes.fifo_queue else None
        self._throughput = self._new_throughput() if attributes.fifo_queue else None
        # Before this instant, time changes nothing but visibility.
        self._due_ns = NEVER
        self._attributes = attributes
        self._forget_messages()
        if (seconds := broker.consistency.counts_seconds) and not attributes.fifo_queue:
            self._minute = consistency.Minute(self, seconds)
        self.last_modified_ns = now_ns
        self._apply_attributes(attributes, now_ns)

    def _forget_messages(self) -> None:
        self._ages = Ages()
        self._hidden = Timers()
        self._received: dict[str, Message] = {}
        self._delayed_count = 0
        self._in_flight_count = 0
        self._copies: Copies | None = None
        self._ordering = self._new_ordering()

    def _new_ordering(self) -> Ordering:
        if self._attributes.fifo_queue:
            return FifoOrdering(self.broker.queue_limits.fifo_look_ahead_max)
        if self.broker._delivery is not None:
            return self._begin_delivery(self.broker._delivery)
        return StandardOrdering()

    def _begin_delivery(self, delivery: Delivery) -> Ordering:
        """Deliver messages otherwise than in order and once; the queue has none yet."""
        from queuestream.core.chance import Chance  # noqa: PLC0415 - few brokers ask for it
        from queuestream.core.queues.delivery_copies import Copies  # noqa: PLC0415
        from queuestream.core.queues.delivery_ordering import DeliveryOrdering  # noqa: PLC0415

        chance = Chance(self._receipts.secret.to_bytes(32, "big"))
        self._copies = Copies(delivery, chance)
        self._sampler = DeliveryOrdering(delivery, chance)
        return self._sampler

    def _new_throughput(self) -> Throughput | None:
        if not self.broker.queue_limits.enforce_throughput:
            return None
        from queuestream.core.queues.throughput import Throughput  # noqa: PLC0415 - few brokers enforce it

        return Throughput(self)

    # --- time ---

    def _look_at_the_time(self) -> int:
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
        self.broker.check_open()
        if self._is_deleted:
            raise QueueDoesNotExist(self.name)
        self.broker._catch_up(now_ns)
        if self._is_deleted or not self._is_usable:
            raise QueueDoesNotExist(self.name)
        self._expire(now_ns)

    def _give_up(self) -> None:
        """The queue was deleted, or its broker closed: every later call sees it, and so do those who wait."""
        self._due_ns = -NEVER
        self._wake(len(self._waiting))

    def _expire(self, now_ns: int) -> None:
        """Remove what has been kept for the retention period, and look when there is more to do."""
        if self._minute is not None:
            self._minute.count(now_ns)
        self._remove_expired(now_ns)
        self._watch_the_time()

    def _remove_expired(self, now_ns: int) -> None:
        expired = self._ages.up_to(now_ns - self._retention_ns)
        if expired:
            if self.broker.listeners:
                self.broker.publish((queue_changes().MessagesRemoved.of(self, expired, "expired", now_ns),))
            self._apply_expired(expired, now_ns)

    def _watch_the_time(self) -> None:
        """Find the instant before which time changes nothing but visibility."""
        self._due_ns = self._next_change_ns()
        if self._minute is not None:
            self._due_ns = min(self._due_ns, self._minute.ends_ns)
        if not self._is_usable:
            self._due_ns = -NEVER

    def _next_change_ns(self) -> int:
        """When time next changes something but visibility."""
        expiry_ns, step_ns = self._next_expiry_ns(), self.broker._next_step_ns()
        due_ns = NEVER if expiry_ns is None else expiry_ns
        return due_ns if step_ns is None or step_ns > due_ns else step_ns

    def _expect(self, at_ns: int) -> None:
        """Time will change something at an instant that the queue did not know of."""
        self._due_ns = min(self._due_ns, at_ns)
        self._wake_before(at_ns)

    def _settle(self, now_ns: int, count: int | None = None) -> None:
        """Show the hidden messages whose time has come, or the first `count` that may be handed out."""
        while due := self._hidden.pop_due(now_ns, count):
            for message in due:
                if message.state == IN_FLIGHT:
                    self._in_flight_count -= 1
                else:
                    self._delayed_count -= 1
                message.state = VISIBLE
                self._ordering.show(message, now_ns)
            if count is None:
                return
            # Those that were received too often go to the dead-letter queue instead.
            count -= sum(message.receive_count < self._max_receive_count for message in due)

    def _settle_in_order(self, now_ns: int) -> None:
        """Show what has come due, before anything else happens to a queue that goes by the order."""
        if self._hidden.bound_ns <= now_ns and not self._ordering.settles_in_parts:
            self._settle(now_ns)

    def _settle_in_peace(self, now_ns: int) -> int:
        """Show what has come due, unless something else comes first: up to which instant that was.

        Nothing that is asked later comes out otherwise.  The caller holds the lock.
        """
        self._settle(min(now_ns, self._next_change_ns() - 1))
        return self._hidden.popped_ns

    def next_event_ns(self) -> int | None:
        """When time next changes something about this queue; None where only calls will."""
        with self._lock:
            return _earlier(self._next_arrival_ns(), self._next_expiry_ns())

    def _next_arrival_ns(self) -> int | None:
        """When time next makes a message visible.  The caller holds the lock."""
        return _earlier(self._hidden.next_deadline_ns(), self.broker._next_step_ns())

    def _next_expiry_ns(self) -> int | None:
        oldest = self._ages.oldest()
        return None if oldest is None else oldest.sent_ns + self._retention_ns

    # --- waiting ---

    def _wake(self, count: int) -> None:
        """Tell as many of those who wait that there are messages.  The caller holds the lock."""
        while self._waiting and count > 0:
            poll = next(iter(self._waiting))
            del self._waiting[poll]
            poll.wakeup.set()
            count -= 1

    def _wake_before(self, deadline_ns: int) -> None:
        """Tell those who wait that a message becomes visible earlier than they knew."""
        for poll in [poll for poll in self._waiting if poll.until_ns > deadline_ns]:
            del self._waiting[poll]
            poll.wakeup.set()

    # --- counts ---

    def _counts_at(self, now_ns: int) -> Counts:
        """How many messages are in which state, after showing those whose time has come."""
        self._settle(now_ns)
        hidden = self._in_flight_count + self._delayed_count
        return Counts(len(self._ages) - hidden, self._in_flight_count, self._delayed_count)

    # --- messages come ---

    def _apply_sent(self, message: Message, delay_ns: int, now_ns: int) -> None:
        """A message that was just sent is in the queue."""
        if message.group_id is not None and self._deduplication is None:
            self._be_fair(now_ns)
        self._last_number = message.number
        message.sent_ns = now_ns
        self._ages.add(message)
        self._due_ns = min(self._due_ns, now_ns + self._retention_ns)
        if self._deduplication is not None:
            until_ns = now_ns + self.broker.queue_limits.deduplication_interval_seconds * SECOND
            key = self._deduplication_key(message)
            self._deduplication.remember(key, message.message_id, message.number, until_ns)
        if delay_ns:
            self._delay(message, delay_ns, now_ns)
        else:
            message.visible_at_ns = now_ns
            self._ordering.add(message)
            if self._waiting:
                self._wake(1)

    def _delay(self, message: Message, delay_ns: int, now_ns: int) -> None:
        message.state = DELAYED
        self._delayed_count += 1
        self._hidden.start((message,), now_ns + delay_ns, delay_ns)
        self._ordering.expect(message)
        if self._waiting:
            self._wake_before(message.visible_at_ns)

    def _apply_arrived(self, message: Message, now_ns: int) -> None:
        """A dead letter is in the queue; it may have been sent earlier.

        It is visible at once, but for a FIFO queue's delay: it must not overtake what
        was sent to its group before.
        """
        if message.group_id is not None and self._deduplication is None:
            self._be_fair(now_ns)
        self._last_number = message.number
        if message.sent_ns < now_ns:
            self._ages.add_elder(message)
        else:
            self._ages.add(message)
        self._due_ns = min(self._due_ns, message.sent_ns + self._retention_ns)
        if delay_ns := self._arrival_delay_ns():
            self._delay(message, delay_ns, now_ns)
            return
        message.visible_at_ns = now_ns
        self._ordering.add(message)
        self._wake(1)

    def _arrival_delay_ns(self) -> int:
        """How long a dead letter that arrives is delayed."""
        return 0 if self._deduplication is None else self._delay_ns

    def _be_fair(self, now_ns: int) -> None:
        """A message names its tenant, so this standard queue is fair (AWS: "Amazon SQS fair queues")."""
        if self._ordering.kind == "fair":
            return
        self._settle(now_ns)
        if self._sampler is None:
            in_order = self._ordering.take(len(self._ages), NEVER, now_ns)
        else:
            in_order = self._sampler.as_available()
        self._ordering = self._new_fair_ordering()
        for message in (*in_order, *self._hidden):
            self._tell(message)

    def _new_fair_ordering(self) -> Ordering:
        from queuestream.core.queues.fair import FairOrdering  # noqa: PLC0415 - few queues have tenants

        self._sampler = None
        return FairOrdering(self.broker.queue_limits)

    def _deduplication_key(self, message: Message) -> Key:
        deduplication_id = message.deduplication_id or ""
        if self._attributes.deduplication_scope == "messageGroup":
            return message.group_id, deduplication_id
        return deduplication_id

    # --- messages are received ---

    def _take(
        self, count: int, max_receive_count: int, now_ns: int, *, is_short_poll: bool
    ) -> tuple[list[Message], list[Message], bool]:
        """What a receive finds.

        Returns:
            Messages in flight of which it gets a copy, messages that the ordering has handed out, and
            whether it was a short poll that has asked some of the servers only.
        """
        copies, sampler = self._copies, self._sampler
        again = [] if copies is None else copies.next(count, max_receive_count)
        is_sampled = is_short_poll and sampler is not None and sampler.sample()
        return again, self._ordering.take(count - len(again), max_receive_count, now_ns), is_sampled

    def _apply_taken(
        self,
        messages: list[Message],
        timeout_ns: int,
        attempt_id: str | None,
        now_ns: int,
        names: tuple[str, ...] = ALL,
    ) -> list[ReceivedMessage]:
        """As `_apply_received`, of messages that may be in flight already, and may be received once more."""
        copies = self._copies
        if copies is None:
            return self._apply_received(messages, timeout_ns, attempt_id, now_ns, names)
        for message in messages:
            if message.state == IN_FLIGHT:
                self._hidden.cancel(message)
                self._in_flight_count -= 1
        received = self._apply_received(messages, timeout_ns, attempt_id, now_ns, names)
        self._wake(copies.add(messages))
        return received

    def _apply_received(
        self,
        messages: list[Message],
        timeout_ns: int,
        attempt_id: str | None,
        now_ns: int,
        names: tuple[str, ...] = ALL,
    ) -> list[ReceivedMessage]:
        """Messages that the ordering has handed out are in flight, and this is what their receiver gets."""
        visible_at_ns = now_ns + timeout_ns
        state = IN_FLIGHT if timeout_ns else VISIBLE
        received: list[ReceivedMessage] = []
        for message in messages:
            message.receive_count += 1
            message.received_ns = now_ns
            if message.first_received_ns is None:
                message.first_received_ns = now_ns
            if message.receipt_handle is None:
                token = self._receipts.token(message.number)
                self._received[token] = message
                message.receipt_handle = token + FIRST_RECEIVE
            else:
                message.receipt_handle = f"{message.receipt_handle[:TOKEN_LENGTH]}{message.receive_count:08x}"
            received.append(self._received_message(message, names))
            message.state = state
        if timeout_ns:
            self._hidden.start(messages, visible_at_ns, timeout_ns)
            self._in_flight_count += len(messages)
            if attempt_id is not None:
                self._receive_attempts().remember(attempt_id, messages, now_ns)
            if self._waiting:
                self._wake_before(visible_at_ns)
        else:
            for message in messages:
                message.visible_at_ns = now_ns
                self._ordering.release(message, now_ns)
            self._wake(len(messages))
        return received

    def _expect_forgotten_receives(self) -> None:
        """Receives may have been forgotten, by a power cut say, whose handles somebody has.

        They are refused from now on, as long as the message is there.  Otherwise they would be taken for
        those of a message that is gone, and deleting it would be answered with success.
        """
        for message in self._ages:
            if message.receipt_handle is None:
                token = self._receipts.token(message.number)
                message.receipt_handle = token + NO_RECEIVE
                self._received[token] = message

    def _numbered(self, number: int) -> Message:
        """The message of that number, which has been received and is not gone."""
        return self._received[self._receipts.token(number)]

    def _apply_repeated(
        self,
        attempt_id: str,
        messages: list[Message],
        timeout_ns: int,
        now_ns: int,
        names: tuple[str, ...] = ALL,
    ) -> list[ReceivedMessage]:
        """A receive was repeated: its messages are hidden anew, and nothing else changes."""
        for message in messages:
            self._apply_visibility(message, timeout_ns, now_ns)
        self._receive_attempts().remember(attempt_id, messages if timeout_ns else [], now_ns)
        return [self._received_message(message, names) for message in messages]

    def _received_message(self, message: Message, names: tuple[str, ...]) -> ReceivedMessage:
        attributes = message.message_attributes
        return ReceivedMessage(
            message.message_id,
            message.receipt_handle,  # type: ignore[arg-type]  # set by now
            message.body,
            message.receive_count + message.received_before,
            message.sent_ns,
            message.first_received_ns,  # type: ignore[arg-type]  # set by now
            {} if attributes is None else select(attributes, names),
            message.group_id,
            message.deduplication_id,
            None if self._deduplication is None else sequence_number_of(message.number),
            message.dead_letter_source,
            message.trace_header,
            self.broker.account_id,
        )

    def _receive_attempts(self) -> Attempts:
        if self._attempts is None:
            from queuestream.core.queues.attempts import Attempts  # noqa: PLC0415 - few receivers use it

            self._attempts = Attempts(self.broker.queue_limits.receive_attempt_interval_seconds * SECOND)
        return self._attempts

    def _apply_visibility(self, message: Message, timeout_ns: int, now_ns: int) -> None:
        """A message in flight is hidden for another while, or no longer."""
        self._hidden.cancel(message)
        if timeout_ns:
            self._hidden.start((message,), now_ns + timeout_ns, timeout_ns)
            if self._waiting:
                self._wake_before(message.visible_at_ns)
        else:
            message.state = VISIBLE
            message.visible_at_ns = now_ns
            self._in_flight_count -= 1
            self._ordering.release(message, now_ns)
            self._wake(1)

    # --- messages go ---

    def _apply_removed(self, messages: Iterable[Message], now_ns: int) -> None:
        """Messages are gone: deleted, moved or expired."""
        for message in messages:
            self._apply_removed_one(message, now_ns)

    def _apply_expired(self, messages: Iterable[Message], now_ns: int) -> None:
        """Messages have been kept for the retention period, each until its own instant."""
        for message in messages:
            self._settle_in_order(min(now_ns, message.sent_ns + self._retention_ns))
            self._apply_removed_one(message, now_ns)

    def _apply_removed_one(self, message: Message, now_ns: int) -> None:
        was_in_flight = message.state == IN_FLIGHT
        if message.lane is not None:
            self._hidden.cancel(message)
            if was_in_flight:
                self._in_flight_count -= 1
            else:
                self._delayed_count -= 1
        message.state = GONE
        if message.receipt_handle is not None:
            del self._received[message.receipt_handle[:TOKEN_LENGTH]]
        self._ages.forget(message)
        self._ordering.discard(message, was_in_flight, now_ns)
        if self._waiting and len(self._ages) > self._in_flight_count + self._delayed_count:
            # There are visible messages that could not be had: their group may be open again, or the number
            # in flight below its limit.
            self._wake(1)

    def _apply_purge_asked(self, now_ns: int) -> None:
        """The next purge has to wait; what was sent before has no duplicates any more."""
        self._purged_ns = now_ns
        if self._deduplication is not None:
            self._deduplication.forget_all()

    def _apply_purged(self, now_ns: int) -> None:
        """Every message is gone."""
        self._apply_purge_asked(now_ns)
        self._forget_messages()
        self._watch_the_time()

    def _apply_purged_up_to(self, last_number: int, now_ns: int) -> None:
        """Every message that was there when a purge began is gone."""
        self._settle(now_ns)
        messages = [message for message in self._ages if message.number <= last_number]
        if len(messages) == len(self._ages):
            self._forget_messages()
        else:
            self._apply_removed(messages, now_ns)
        self._watch_the_time()

    def _take_to_move(self, at_ns: int) -> Message | None:
        """The next message, for a move task; it is in nobody's hands until it is moved or put back."""
        self._settle(at_ns)
        for message in self._ordering.take(1, NEVER, at_ns):
            message.state = IN_FLIGHT
            return message
        return None

    def _put_back_unmoved(self, message: Message) -> None:
        message.state = VISIBLE
        self._ordering.put_back([message], NEVER)

    # --- messages come back from where they were kept ---

    def _remember(
        self,
        messages: list[Message],
        arrived: list[Message],
        lanes: Mapping[int, list[Message]],
        memory: Mapping[int, Place],
        settled_ns: int,
        *,
        is_fair: bool,
    ) -> None:
        """Have the messages again that somebody has kept; the queue has none yet.

        Args:
            messages: All of them, by number; with everything of their own except states and handles.
            arrived: Those whose last change made them visible, in the order of these changes.
            lanes: Those whose last change hid them, in the order of these changes, each in its lane.
            memory: What the ordering has told of its memory.
            settled_ns: The instant as of which it told that.
            is_fair: Whether a standard queue was fair.
        """
        self._ages.remember(messages)
        token_of, received = self._receipts.token, self._received
        for message in messages:
            if count := message.receive_count:
                token = token_of(message.number)
                message.receipt_handle = token + FIRST_RECEIVE if count == 1 else f"{token}{count:08x}"
                received[token] = message
        for key, hidden in lanes.items():
            self._hidden.remember(hidden, key)
            delayed_count = 0
            for message in hidden:
                if message.receive_count:
                    message.state = IN_FLIGHT
                else:
                    message.state = DELAYED
                    delayed_count += 1
            self._delayed_count += delayed_count
            self._in_flight_count += len(hidden) - delayed_count
        if is_fair:
            self._ordering = self._new_fair_ordering()
        came_due = [] if self._ordering.settles_in_parts else self._hidden.pop_due(settled_ns)
        for message in came_due:
            self._in_flight_count -= message.state == IN_FLIGHT
            self._delayed_count -= message.state == DELAYED
            message.state = VISIBLE
        self._ordering.remember(Kept(messages, arrived, came_due), memory)
        if self._copies is not None:
            self._copies.remember(messages)
        self._watch_the_time()

    # --- settings ---

    def _apply_attributes(self, attributes: QueueAttributes, now_ns: int) -> None:
        """The queue has these settings from now on."""
        is_delayed_anew = attributes.fifo_queue and attributes.delay_seconds != self._attributes.delay_seconds
        self._attributes = attributes
        # What every operation needs, within one step's reach.
        limits = self.broker.queue_limits
        self._retention_ns = attributes.message_retention_period * SECOND
        self._visibility_timeout_ns = attributes.visibility_timeout * SECOND
        self._delay_ns = attributes.delay_seconds * SECOND
        self._in_flight_max = limits.fifo_in_flight_max if attributes.fifo_queue else limits.in_flight_max
        policy = attributes.redrive_policy
        self._max_receive_count = NEVER if policy is None else policy.max_receive_count
        self._know_what_to_check()
        # What the retention period now removes is removed by the next operation: one call, one change.
        self._watch_the_time()
        if is_delayed_anew:
            self._delay_anew(now_ns)

    def _know_what_to_check(self) -> None:
        """What is looked at before the clock is: where it may have changed, something that says so."""
        late = self.broker._late
        if late is None or not late.of(self.name):
            self._maximum_message_size = self._attributes.maximum_message_size
            self._wait_time_seconds: int | None = self._attributes.receive_message_wait_time_seconds
        else:
            self._maximum_message_size = -1
            self._wait_time_seconds = None

    def _delay_anew(self, now_ns: int) -> None:
        """A FIFO queue's delay is retroactive (AWS: "Amazon SQS delay queues")."""
        self._settle(now_ns)
        lane_key = self._hidden.unused_key()
        for message in self._ages:
            if message.receive_count:
                continue
            if message.state == DELAYED:
                self._hidden.cancel(message)
                self._delayed_count -= 1
            message.state = VISIBLE
            message.visible_at_ns = message.sent_ns + self._delay_ns
            if message.visible_at_ns > now_ns:
                message.state = DELAYED
                self._hidden.start((message,), message.visible_at_ns, lane_key)
                self._delayed_count += 1
        self._ordering = self._new_ordering()
        for message in self._ages:
            message.group = None
            self._tell(message)

    def _tell(self, message: Message) -> None:
        """Tell a message to an ordering that does not know it."""
        if message.state == VISIBLE:
            self._ordering.add(message)
        else:
            self._ordering.expect(message)

    def check_invariants(self) -> None:
        """Assert what the queue's parts and counts rely on; cost grows with the queue."""
        for part in (self._ages, self._hidden, self._ordering, self._deduplication):
            if part is not None:
                part.check_invariants()
        messages = list(self._ages)
        states = [message.state for message in messages]
        assert len(messages) == len(self._ages)
        assert states.count(IN_FLIGHT) == self._in_flight_count
        assert states.count(DELAYED) == self._delayed_count
        assert all((message.lane is not None) == (message.state != VISIBLE) for message in messages)
        assert sum(1 for _ in self._hidden) == self._in_flight_count + self._delayed_count
        held = [message for message in messages if message.receipt_handle is not None]
        assert {self._receipts.token(message.number): message for message in held} == self._received
        assert all(message.receipt_handle is not None for message in messages if message.state == IN_FLIGHT)
        if self._copies is not None:
            self._copies.check_invariants(messages)
        next_expiry_ns = self._next_expiry_ns()
        assert next_expiry_ns is None or self._due_ns <= next_expiry_ns


_changes: list[ModuleType] = []


def queue_changes() -> ModuleType:
    """The changes of queues, which nobody needs before somebody listens."""
    if not _changes:
        from queuestream.core.queues import changes  # noqa: PLC0415

        # Kept, because an import statement costs a tenth of a send, also when it finds the module loaded.
        _changes.append(changes)
    return _changes[0]


def _earlier(at_ns: int | None, other_ns: int | None) -> int | None:
    """The earlier of two instants, where there are such.  Each long poll asks: no generator, no tuple."""
    if at_ns is None:
        return other_ns
    return at_ns if other_ns is None or at_ns <= other_ns else other_ns
