"""A queue: Amazon SQS' operations on messages, standard and FIFO.

How it works.  Every operation validates its arguments, takes the broker's lock, reads
the clock once and decides; tells the listeners what it is about to change, if there are
any; changes it; and returns.  A refused request leaves everything as it was.

What the parts know: `visibility` when a hidden message comes back, an `ordering` which
visible message is next, `retention` which message is the oldest, `receipts` what a
handle names, `deduplication` and `attempts` what a FIFO queue has seen before.  The
queue keeps the counts, and connects them.  Settings, tags and permissions are in
`administration`, dead letters in `redrive`.

Nothing runs in the background: a hidden message whose time has come is looked at by the
next operation that wants to know.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND, Wakeup
from queuestream.core.errors import (
    InvalidParameterValue,
    MessageNotInflight,
    MissingParameter,
    OverLimit,
    PurgeQueueInProgress,
    ReceiptHandleIsInvalid,
)
from queuestream.core.queues import attributes as queue_attributes
from queuestream.core.queues import checks, redrive
from queuestream.core.queues.administration import QueueAdministration
from queuestream.core.queues.message import (
    IN_FLIGHT,
    LabelledMessage,
    Message,
    ReceivedMessage,
    SentMessage,
    sequence_number_of,
)
from queuestream.core.queues.message_attributes import (
    ALL,
    check_attribute_names,
    check_body,
    check_message_attributes,
    check_system_attributes,
    size_of,
)
from queuestream.core.queues.polling import LongPoll
from queuestream.core.queues.receipts import TOKEN_LENGTH
from queuestream.core.queues.state import queue_changes
from queuestream.core.queues.visibility import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from queuestream.core.broker import Broker
    from queuestream.core.clock import Clock
    from queuestream.core.queues.attribute_types import QueueAttributesDict
    from queuestream.core.queues.batches import BatchResult, ChangeVisibilityEntry, DeleteEntry, SendEntry

    ReceiveRequest = tuple[int, int | None, tuple[str, ...], str | None]

_NOT_THIS_TYPE = "The request include parameter that is not valid for this queue type"


class Queue(QueueAdministration):
    """An SQS queue in this process.

    Safe to share between threads.  `Queue("emails")` stands alone, on a broker of its own;
    `Broker.create_queue` makes queues that know each other.

    Args:
        name: 1 to 80 letters, digits, hyphens and underscores; `.fifo` at the end for a FIFO queue.
        broker: The broker to create it on; a private one where none is given.
        clock: The private broker's time.
        seed: Makes the private broker's ids and choices repeatable.
        tags: Cost allocation tags.
        **attributes: The queue's settings under AWS's names: `visibility_timeout=30` (seconds),
            `delay_seconds=0`, `message_retention_period=345_600` (seconds), `maximum_message_size=1_048_576`
            (bytes), `receive_message_wait_time_seconds=0`, `redrive_policy=None`, `fifo_queue=False`,
            `content_based_deduplication=False`, and the rest of QueueAttributes.

    Raises:
        QueueNameExists: The broker has a queue of that name with other settings.
        QueueDeletedRecently: A queue of that name was deleted less than 60 seconds ago.
        InvalidParameterValue: A name that SQS doesn't take.
        InvalidAttributeName: A name that is no attribute, or none of this kind of queue.
        InvalidAttributeValue: A value out of range or of the wrong form.
    """

    def __init__(
        self,
        name: str,
        *,
        broker: Broker | None = None,
        clock: Clock | None = None,
        seed: int | str | None = None,
        tags: Mapping[str, str] | None = None,
        **attributes: Unpack[QueueAttributesDict],
    ) -> None:
        if broker is None:
            from queuestream.core.broker import Broker  # noqa: PLC0415 - it knows this module, too

            broker = Broker(clock=clock, seed=seed)
        tags = {} if tags is None else tags
        made = queue_attributes.create(attributes, broker.queue_limits)
        checks.check_queue_name(name, fifo_queue=made.fifo_queue, limits=broker.queue_limits)
        if tags:
            checks.check_tags(tags, broker.queue_limits)
        with broker.lock:
            now_ns = broker.check_new_queue(name)
            self._begin(broker, name, made, tags, broker.ids.bits(256), now_ns)
            if made.redrive_policy is not None:
                redrive.check_target(self, made)
            if broker.listeners:
                change = queue_changes().QueueCreated
                broker.publish((change(name, made, tags, self._receipts.secret, now_ns),))
            broker.apply_queue_created(self)

    # --- sending ---

    def send(
        self,
        message_body: str,
        *,
        delay_seconds: int | None = None,
        message_attributes: Mapping[str, object] | None = None,
        message_system_attributes: Mapping[str, object] | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
    ) -> SentMessage:
        """Put a message into the queue.

        Args:
            message_body: Text of 1 byte to 1 MiB in UTF-8, attributes counted.
            delay_seconds: How long it stays hidden, 0 to 900; the queue's setting where None.
                Not on a FIFO queue.
            message_attributes: Up to ten, by name: text, numbers, bytes, or `MessageAttribute`.
            message_system_attributes: `AWSTraceHeader` only.
            message_group_id: Required on a FIFO queue; names a tenant on a standard one.
            message_deduplication_id: Required on a FIFO queue without content-based deduplication.

        Returns:
            Its id and digests.  A duplicate on a FIFO queue gets the original's id and sequence number.

        Raises:
            InvalidParameterValue: A parameter out of range, or one that this kind of queue doesn't take.
            InvalidMessageContents: A character that SQS doesn't take.
            MissingParameter: An empty body, or no group on a FIFO queue.

        AWS: SendMessage.
        """
        if (
            self._deduplication is None
            and delay_seconds is None
            and message_attributes is None
            and message_system_attributes is None
            and message_group_id is None
            and message_deduplication_id is None
        ):
            message, delay_ns = Message(message_body), self._delay_ns
            self._check_size(len(check_body(message_body)))
        else:
            message, delay_ns = self._compose(
                message_body,
                delay_seconds,
                message_attributes,
                message_system_attributes,
                message_group_id,
                message_deduplication_id,
            )
        # Not `with`: twice as fast, on the three operations that every message goes through.
        lock = self._lock
        lock.acquire()
        try:
            now_ns = self._now_ns()
            if now_ns >= self._due_ns:
                self._catch_up(now_ns)
            if self._deduplication is not None or self.broker.listeners:
                return self._accept([(message, delay_ns)], now_ns)[0]
            # What _accept does, for the plain case.
            message.message_id = message_id = self._new_id()
            message.number = self._last_number + 1
            self._apply_sent(message, delay_ns, now_ns)
        finally:
            lock.release()
        return SentMessage(message_id, None, message_body, message.message_attributes, message.trace_header)

    def send_batch(
        self, entries: Iterable[SendEntry | Mapping[str, object] | str]
    ) -> BatchResult[SentMessage]:
        """Put up to ten messages into the queue; each succeeds or fails by itself.

        Args:
            entries: `SendEntry`s, dicts with `id` and the parameters of `send`, or plain bodies,
                whose ids are then "0", "1" and so on.

        Returns:
            What succeeded and what failed, by id.

        Raises:
            EmptyBatchRequest: No entries.
            TooManyEntriesInBatchRequest: More than ten.
            BatchEntryIdsNotDistinct: Two with the same id.
            InvalidBatchEntryId: An id of another form than AWS asks for.
            BatchRequestTooLong: More than 1 MiB together.

        AWS: SendMessageBatch.
        """
        from queuestream.core.queues import batches  # noqa: PLC0415 - a program without batches needs none

        requests = batches.check_send_entries(entries, self.broker.queue_limits)
        composed, result = batches.each(
            requests,
            lambda request: self._compose(**request) if isinstance(request, dict) else self._compose(request),
        )
        with self._lock:
            now_ns = self.look_at_the_time()
            result.successful.update(
                zip(composed, self._accept(list(composed.values()), now_ns), strict=True)
            )
        return result

    def _compose(
        self,
        message_body: str,
        delay_seconds: int | None = None,
        message_attributes: Mapping[str, object] | None = None,
        message_system_attributes: Mapping[str, object] | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
    ) -> tuple[Message, int]:
        """A message that may be sent, and its delay in nanoseconds."""
        encoded = check_body(message_body)
        size = len(encoded)
        attributes = trace_header = None
        if message_attributes is not None or message_system_attributes is not None:
            limits = self.broker.queue_limits
            attributes = check_message_attributes(message_attributes, limits)
            trace_header = check_system_attributes(message_system_attributes)
            size += size_of(attributes) if attributes else 0
        self._check_size(size)
        delay_ns = self._delay_ns
        if delay_seconds is not None:
            checks.check_delay_seconds(delay_seconds, self.broker.queue_limits)
            if self._deduplication is None:
                delay_ns = delay_seconds * SECOND
        if (
            message_group_id is not None
            or message_deduplication_id is not None
            or self._deduplication is not None
        ):
            message_deduplication_id = self._check_fifo(
                encoded, delay_seconds, message_group_id, message_deduplication_id
            )
        return (
            LabelledMessage(
                message_body, attributes, trace_header, message_group_id, message_deduplication_id
            ),
            delay_ns,
        )

    def _check_size(self, size: int) -> None:
        if size > self._maximum_message_size:
            raise InvalidParameterValue(
                "One or more parameters are invalid. Reason: "
                f"Message must be shorter than {self._maximum_message_size} bytes."
            )

    def _check_fifo(
        self, encoded: bytes, delay_seconds: int | None, group_id: str | None, deduplication_id: str | None
    ) -> str | None:
        """The deduplication id of a message with these parameters, if the kind of queue takes them."""
        limits = self.broker.queue_limits
        if group_id is not None:
            checks.check_message_group_id(group_id, limits)
        if self._deduplication is None:
            if deduplication_id is not None:
                raise InvalidParameterValue.of(
                    "MessageDeduplicationId", checks.shown(deduplication_id), _NOT_THIS_TYPE
                )
            return None
        if delay_seconds:  # 0 is taken, and leaves the queue's own as it is
            raise InvalidParameterValue.of("DelaySeconds", delay_seconds, _NOT_THIS_TYPE)
        if group_id is None:
            raise MissingParameter("MessageGroupId")
        if deduplication_id is not None:
            checks.check_message_deduplication_id(deduplication_id, limits)
            return deduplication_id
        if not self._attributes.content_based_deduplication:
            raise InvalidParameterValue(
                "The queue should either have ContentBasedDeduplication enabled or "
                "MessageDeduplicationId provided explicitly"
            )
        return hashlib.sha256(encoded).hexdigest()

    def _accept(self, composed: list[tuple[Message, int]], now_ns: int) -> list[SentMessage]:
        """Take composed messages in, all at one instant; a duplicate is answered and left out."""
        answers = []
        fresh: list[tuple[Message, int]] = []
        originals: dict[object, tuple[str, int]] = {}
        deduplication = self._deduplication
        self._settle_in_order(now_ns)
        for message, delay_ns in composed:
            number = self._last_number + len(fresh) + 1
            sequence_number = None
            if deduplication is not None:
                key = self._deduplication_key(message)
                original = originals.get(key) or deduplication.original(key, now_ns)
                if original is not None:
                    answers.append(_sent(message, original[0], sequence_number_of(original[1])))
                    continue
            message.message_id = self._new_id()
            message.number = number
            fresh.append((message, delay_ns))
            if deduplication is not None:
                originals[key] = message.message_id, number
                sequence_number = sequence_number_of(number)
            answers.append(_sent(message, message.message_id, sequence_number))
        if self.broker.listeners and fresh:
            change = queue_changes().MessageSent
            self.broker.publish(
                tuple(change.of(self, message, delay_ns, now_ns) for message, delay_ns in fresh)
            )
        for message, delay_ns in fresh:
            self._apply_sent(message, delay_ns, now_ns)
        return answers

    # --- receiving ---

    def receive(
        self,
        *,
        max_number_of_messages: int = 1,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
        message_attribute_names: Iterable[str] = ALL,
        receive_request_attempt_id: str | None = None,
    ) -> list[ReceivedMessage]:
        """Take messages to work on; each is hidden from others until its visibility timeout passes.

        Args:
            max_number_of_messages: 1 to 10.
            visibility_timeout: Seconds, 0 to 43,200; the queue's setting where None.
            wait_time_seconds: How long to wait for a message, 0 to 20; the queue's setting where None.
            message_attribute_names: Names, prefixes (`"order.*"`) or `"All"`.
            receive_request_attempt_id: On a FIFO queue: a receive that is repeated with the same id within
                five minutes gets the same messages and handles, if nothing was done with them since.

        Returns:
            The messages; none where there are none (until the waiting time was over).

        Raises:
            InvalidParameterValue: A parameter out of range, or one that this kind of queue doesn't take.
            OverLimit: 120,000 messages of a standard queue are in flight (on a short poll only).

        AWS: ReceiveMessage.
        """
        request = self._check_receive(
            max_number_of_messages, visibility_timeout, message_attribute_names, receive_request_attempt_id
        )
        if wait_time_seconds is None:
            wait_time_seconds = self._attributes.receive_message_wait_time_seconds
        else:
            checks.check_wait_time_seconds(wait_time_seconds, self.broker.queue_limits)
        if not wait_time_seconds:
            lock = self._lock
            lock.acquire()
            try:
                now_ns = self._now_ns()
                if now_ns >= self._due_ns:
                    self._catch_up(now_ns)
                return self.receive_at(request, now_ns, True)
            finally:
                lock.release()
        poll = LongPoll(self, request, wait_time_seconds * SECOND, Wakeup)
        clock = self.broker.clock
        try:
            while (messages := poll.attempt()) is None:
                clock.wait(poll.wakeup, poll.until_ns)
        finally:
            poll.close()
        return messages

    def _check_receive(
        self,
        max_number_of_messages: int,
        visibility_timeout: int | None,
        message_attribute_names: Iterable[str],
        receive_request_attempt_id: str | None,
    ) -> ReceiveRequest:
        limits = self.broker.queue_limits
        if type(max_number_of_messages) is not int or max_number_of_messages != 1:
            checks.check_max_number_of_messages(max_number_of_messages, limits)
        if visibility_timeout is not None:
            checks.check_visibility_timeout(visibility_timeout, limits)
        names = ALL if message_attribute_names is ALL else check_attribute_names(message_attribute_names)
        if receive_request_attempt_id is not None:
            if self._deduplication is None:
                raise InvalidParameterValue.of(
                    "ReceiveRequestAttemptId", checks.shown(receive_request_attempt_id), _NOT_THIS_TYPE
                )
            checks.check_receive_request_attempt_id(receive_request_attempt_id, limits)
        return max_number_of_messages, visibility_timeout, names, receive_request_attempt_id

    def receive_at(
        self, request: ReceiveRequest, now_ns: int, is_short_poll: bool = False
    ) -> list[ReceivedMessage]:
        """Receive what there is at an instant.  The caller holds the lock and has caught up with the time."""
        count, visibility_timeout, names, attempt_id = request
        timeout_ns = (
            self._visibility_timeout_ns if visibility_timeout is None else visibility_timeout * SECOND
        )
        ordering = self._ordering
        if self._hidden.bound_ns <= now_ns:
            self._settle(now_ns, count if ordering.settles_in_parts else None)
        if attempt_id is not None and (
            again := self._receive_attempts().recall(attempt_id, self._received, now_ns)
        ):
            if self.broker.listeners:
                numbers = tuple(message.number for message in again)
                change = queue_changes().ReceiveRepeated
                self.broker.publish((change(self.name, numbers, timeout_ns, attempt_id, now_ns),))
            return self._apply_repeated(attempt_id, again, timeout_ns, now_ns, names)
        if self._in_flight_count + count > self._in_flight_max:
            count = self._room_in_flight(count, now_ns, is_short_poll=is_short_poll)
        if self._max_receive_count == NEVER and not self.broker.listeners:
            messages = ordering.take(count, NEVER, now_ns)
        else:
            messages = self._take_and_redrive(count, timeout_ns, attempt_id, now_ns)
        return self._apply_received(messages, timeout_ns, attempt_id, now_ns, names) if messages else []

    def _take_and_redrive(
        self, count: int, timeout_ns: int, attempt_id: str | None, now_ns: int
    ) -> list[Message]:
        """The next messages, after those that failed too often have gone to the dead-letter queue."""
        target = redrive.dead_letter_queue_of(self)
        max_receive_count = NEVER if target is None else self._max_receive_count
        taken = self._ordering.take(count, max_receive_count, now_ns)
        messages = [message for message in taken if message.receive_count < max_receive_count]
        dead = [message for message in taken if message.receive_count >= max_receive_count]
        letters = [] if target is None else redrive.dead_letters(dead, self, target, now_ns)
        if self.broker.listeners and taken:
            changes = queue_changes().of_receive(
                self, messages, timeout_ns, attempt_id, dead, target, letters, now_ns
            )
            try:
                self.broker.publish(changes)
            except BaseException:
                self._ordering.put_back(taken, max_receive_count)
                raise
        if target is not None:
            target._settle_in_order(now_ns)
            self._apply_removed(dead, now_ns)
            for letter in letters:
                target._apply_arrived(letter, now_ns)
        return messages

    def _room_in_flight(self, count: int, now_ns: int, *, is_short_poll: bool) -> int:
        """How many messages may still be in flight, `count` at most.

        AWS: "Amazon SQS standard queue quotas", "Amazon SQS FIFO queue quotas": a FIFO queue
        and a long poll say nothing.
        """
        self._settle(now_ns)
        room = self._in_flight_max - self._in_flight_count
        if room <= 0 and is_short_poll and self._deduplication is None:
            raise OverLimit(
                f"Too many messages are in flight: the limit of {self._in_flight_max} is reached. "
                "Delete those that have been processed."
            )
        return max(0, min(count, room))

    # --- what a receiver does with a message ---

    def delete(self, receipt_handle: str | ReceivedMessage) -> None:
        """Remove a received message for good.

        On a standard queue any handle that the message was received with will do, even if its
        visibility timeout has passed; deleting a message that is gone already succeeds.  On a FIFO
        queue the handle of the last receive is needed, while its timeout lasts.

        Raises:
            ReceiptHandleIsInvalid: The handle was not issued by this queue.
            InvalidParameterValue: The handle has expired (FIFO queues).

        AWS: DeleteMessage.
        """
        lock = self._lock
        lock.acquire()
        try:
            now_ns = self._now_ns()
            if now_ns >= self._due_ns:
                self._catch_up(now_ns)
            message = self._deletable(receipt_handle, now_ns)
            if message is not None:
                if self.broker.listeners:
                    change = queue_changes().MessagesRemoved
                    self.broker.publish((change.of(self, [message], "deleted", now_ns),))
                self._apply_removed_one(message, now_ns)
        finally:
            lock.release()

    def _deletable(self, receipt_handle: str | ReceivedMessage, now_ns: int) -> Message | None:
        """The message that a handle may delete; None where it is gone already."""
        handle = (
            receipt_handle.receipt_handle if isinstance(receipt_handle, ReceivedMessage) else receipt_handle
        )
        message = self._named_by(handle)
        if self._deduplication is None or message is None:
            return message
        self._settle_in_order(now_ns)
        if message.receipt_handle != handle or message.state != IN_FLIGHT:
            raise InvalidParameterValue.of("ReceiptHandle", handle, "The receipt handle has expired.")
        return message

    def _named_by(self, handle: str) -> Message | None:
        """The message that was received with a handle; None where it is gone."""
        message = self._received.get(handle[:TOKEN_LENGTH]) if isinstance(handle, str) else None
        if message is None or message.receipt_handle != handle:
            receive_count = self._receipts.check(handle, self._last_number)
            if message is not None and receive_count > message.receive_count:
                raise ReceiptHandleIsInvalid(handle)
        return message

    def delete_batch(
        self, entries: Iterable[DeleteEntry | ReceivedMessage | Mapping[str, object] | str]
    ) -> BatchResult[None]:
        """Remove up to ten received messages for good; each succeeds or fails by itself.

        Args:
            entries: Messages or handles, whose ids are then "0", "1" and so on, or `DeleteEntry`s, or
                dicts with `id` and `receipt_handle`.

        Raises:
            BatchError: As `send_batch`.

        AWS: DeleteMessageBatch.
        """
        from queuestream.core.queues import batches  # noqa: PLC0415

        requests = batches.check_delete_entries(entries, self.broker.queue_limits)
        with self._lock:
            now_ns = self.look_at_the_time()
            found, result = batches.each(requests, lambda handle: self._deletable(handle, now_ns))
            # One message may be named twice.
            messages = dict.fromkeys(message for message in found.values() if message is not None)
            if messages:
                if self.broker.listeners:
                    change = queue_changes().MessagesRemoved
                    self.broker.publish((change.of(self, messages, "deleted", now_ns),))
                self._apply_removed(messages, now_ns)
        result.successful.update(dict.fromkeys(found))
        return result

    def change_visibility(self, receipt_handle: str | ReceivedMessage, visibility_timeout: int) -> None:
        """Hide a received message for another while, counted from now.

        Args:
            receipt_handle: The handle, or the message it came with.
            visibility_timeout: Seconds, 0 to 43,200; 0 makes it visible at once.  The end may be
                12 hours after the message was received, not later.

        Raises:
            ReceiptHandleIsInvalid: The handle was not issued by this queue.
            MessageNotInflight: The message is not being processed any more.
            InvalidParameterValue: Out of range, too late, or a message that is gone.

        AWS: ChangeMessageVisibility.
        """
        checks.check_visibility_timeout(visibility_timeout, self.broker.queue_limits)
        with self._lock:
            now_ns = self.look_at_the_time()
            message = self._extendable(receipt_handle, visibility_timeout, now_ns)
            self._change_visibility([(message, visibility_timeout * SECOND)], now_ns)

    def change_visibility_batch(
        self,
        entries: Iterable[ChangeVisibilityEntry | Mapping[str, object] | tuple[str | ReceivedMessage, int]],
    ) -> BatchResult[None]:
        """Hide up to ten received messages for another while; each succeeds or fails by itself.

        Args:
            entries: Pairs of a message or handle and seconds, whose ids are then "0", "1" and so on,
                or `ChangeVisibilityEntry`s, or dicts with `id`, `receipt_handle` and `visibility_timeout`.

        Raises:
            BatchError: As `send_batch`.

        AWS: ChangeMessageVisibilityBatch.
        """
        from queuestream.core.queues import batches  # noqa: PLC0415

        limits = self.broker.queue_limits
        requests = batches.check_change_visibility_entries(entries, limits)
        with self._lock:
            now_ns = self.look_at_the_time()

            def found(request: tuple[str | ReceivedMessage, int]) -> tuple[Message, int]:
                handle, visibility_timeout = request
                checks.check_visibility_timeout(visibility_timeout, limits)
                return self._extendable(handle, visibility_timeout, now_ns), visibility_timeout * SECOND

            changes, result = batches.each(requests, found)
            self._change_visibility(list(changes.values()), now_ns)
        result.successful.update(dict.fromkeys(changes))
        return result

    def _extendable(
        self, receipt_handle: str | ReceivedMessage, visibility_timeout: int, now_ns: int
    ) -> Message:
        """The message in flight whose visibility timeout a handle may change."""
        handle = (
            receipt_handle.receipt_handle if isinstance(receipt_handle, ReceivedMessage) else receipt_handle
        )
        message = self._named_by(handle)
        if message is None:
            raise InvalidParameterValue.of(
                "ReceiptHandle",
                handle,
                "Message does not exist or is not available for visibility timeout change.",
            )
        self._settle_in_order(now_ns)
        if message.state != IN_FLIGHT or message.visible_at_ns <= now_ns:
            raise MessageNotInflight(handle)
        if self._deduplication is not None and message.receipt_handle != handle:
            raise InvalidParameterValue.of("ReceiptHandle", handle, "The receipt handle has expired.")
        maximum = self.broker.queue_limits.visibility_timeout_max
        if now_ns + visibility_timeout * SECOND > message.received_ns + maximum * SECOND:
            raise InvalidParameterValue.of(
                "VisibilityTimeout",
                visibility_timeout,
                f"Total VisibilityTimeout for the message is beyond the limit [{maximum} seconds].",
            )
        return message

    def _change_visibility(self, changes: list[tuple[Message, int]], now_ns: int) -> None:
        if self.broker.listeners and changes:
            self.broker.publish(
                tuple(
                    queue_changes().VisibilityChanged(self.name, message.number, timeout_ns, now_ns)
                    for message, timeout_ns in changes
                )
            )
        for message, timeout_ns in changes:
            # One message may be named twice in a batch.
            if message.state == IN_FLIGHT:
                self._apply_visibility(message, timeout_ns, now_ns)

    # --- the whole queue ---

    def purge(self) -> None:
        """Remove every message, hidden ones included.

        Raises:
            PurgeQueueInProgress: It was purged less than 60 seconds ago.

        AWS: PurgeQueue.
        """
        with self._lock:
            now_ns = self.look_at_the_time()
            interval_seconds = self.broker.queue_limits.purge_interval_seconds
            if self._purged_ns is not None and now_ns < self._purged_ns + interval_seconds * SECOND:
                raise PurgeQueueInProgress(self.name, interval_seconds)
            if self.broker.listeners:
                self.broker.publish((queue_changes().QueuePurged(self.name, now_ns),))
            self._apply_purged(now_ns)

    def delete_queue(self) -> None:
        """Remove the queue with all its messages; its name is free again after 60 seconds.

        AWS: DeleteQueue.
        """
        self.broker.delete_queue(self.name)


def _sent(message: Message, message_id: str, sequence_number: str | None) -> SentMessage:
    return SentMessage(
        message_id, sequence_number, message.body, message.message_attributes, message.trace_header
    )
