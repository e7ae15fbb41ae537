"""Receiving, and what a receiver does with a message: delete it, or hide it for longer.

There is one receive for every kind of queue: it asks the ordering for the next messages,
sends those that failed too often to the dead-letter queue, and hides the others until
their visibility timeout passes.

AWS: ReceiveMessage, DeleteMessage, ChangeMessageVisibility and their batches; "Amazon SQS
visibility timeout"; "Amazon SQS short and long polling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    InvalidParameterValue,
    MessageNotInflight,
    OverLimit,
    ReceiptHandleIsInvalid,
)
from queuestream.core.queues import checks, redrive
from queuestream.core.queues.administration import QueueAdministration
from queuestream.core.queues.message import IN_FLIGHT, Message, ReceivedMessage
from queuestream.core.queues.message_attributes import ALL, check_attribute_names
from queuestream.core.queues.polling import LongPoll
from queuestream.core.queues.receipts import TOKEN_LENGTH
from queuestream.core.queues.state import queue_changes
from queuestream.core.queues.visibility import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.core.queues.batches import BatchResult, ChangeVisibilityEntry, DeleteEntry

# How many messages, their visibility timeout (in seconds), the names of attributes, the attempt's id, and how
# long to wait (in nanoseconds).  A tuple, because one is made for every receive.
ReceiveRequest = tuple[int, int | None, tuple[str, ...], str | None, int]


class Receiving(QueueAdministration):
    """The operations of those who receive."""

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
            RequestThrottled: A FIFO queue's quota of calls is used up, where it is enforced.

        AWS: ReceiveMessage.
        """
        request = self._check_receive(
            max_number_of_messages,
            visibility_timeout,
            wait_time_seconds,
            message_attribute_names,
            receive_request_attempt_id,
        )
        if not request[-1]:
            lock = self._lock
            lock.acquire()
            try:
                now_ns = self._now_ns()
                if now_ns >= self._due_ns:
                    self._catch_up(now_ns)
                if self._throughput is not None:
                    self._throughput.take("ReceiveMessage", (), now_ns)
                return self._receive_at(request, now_ns)
            except BaseException as error:
                self.broker._interrupted(error)
                raise
            finally:
                lock.release()
        poll = LongPoll(self, request)
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
        wait_time_seconds: int | None,
        message_attribute_names: Iterable[str],
        receive_request_attempt_id: str | None,
    ) -> ReceiveRequest:
        """The parameters of `receive`, checked."""
        limits = self.broker.queue_limits
        if type(max_number_of_messages) is not int or max_number_of_messages != 1:
            checks.check_max_number_of_messages(max_number_of_messages, limits)
        if visibility_timeout is not None:
            checks.check_visibility_timeout(visibility_timeout, limits)
        names = ALL if message_attribute_names is ALL else check_attribute_names(message_attribute_names)
        if receive_request_attempt_id is not None:
            checks.check_receive_request_attempt_id(receive_request_attempt_id, limits)
            if self._deduplication is None:
                receive_request_attempt_id = (
                    None  # SQS takes it on a standard queue, and does nothing with it
                )
        if wait_time_seconds is None:
            wait_time_seconds = self._wait_time_seconds
            if wait_time_seconds is None:
                self.broker._let_time_pass()
                wait_time_seconds = self._attributes.receive_message_wait_time_seconds
        else:
            checks.check_wait_time_seconds(wait_time_seconds, limits)
        wait_ns = wait_time_seconds * SECOND
        return max_number_of_messages, visibility_timeout, names, receive_request_attempt_id, wait_ns

    def _receive_at(self, request: ReceiveRequest, now_ns: int) -> list[ReceivedMessage]:
        """Receive what there is at an instant.  The caller holds the lock and has caught up with the time."""
        count, visibility_timeout, names, attempt_id, wait_ns = request
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
                numbers = tuple([message.number for message in again])
                change = queue_changes().ReceiveRepeated
                self.broker.publish((change(self.name, numbers, timeout_ns, attempt_id, now_ns),))
            return self._apply_repeated(attempt_id, again, timeout_ns, now_ns, names)
        if self._in_flight_count + count > self._in_flight_max:
            count = self._room_in_flight(count, now_ns, is_short_poll=not wait_ns)
        if self._max_receive_count != NEVER or self._copies is not None:
            return self._receive_and_redrive(
                count, timeout_ns, attempt_id, now_ns, names, is_short_poll=not wait_ns
            )
        messages = ordering.take(count, NEVER, now_ns)
        if not messages:
            return []
        if self.broker.listeners:
            numbers = tuple([message.number for message in messages])
            change = queue_changes().MessagesReceived
            try:
                self.broker.publish((change(self.name, count, numbers, timeout_ns, attempt_id, now_ns),))
            except BaseException:
                ordering.put_back(messages, NEVER)
                raise
        return self._apply_received(messages, timeout_ns, attempt_id, now_ns, names)

    def _receive_and_redrive(
        self,
        count: int,
        timeout_ns: int,
        attempt_id: str | None,
        now_ns: int,
        names: tuple[str, ...],
        *,
        is_short_poll: bool,
    ) -> list[ReceivedMessage]:
        """Receive; messages that failed too often go to the dead-letter queue instead."""
        target = redrive.dead_letter_queue_of(self)
        max_receive_count = NEVER
        if target is not None:
            target._look_at_the_time()
            max_receive_count = self._max_receive_count
        again, taken, is_sampled = self._take(count, max_receive_count, now_ns, is_short_poll=is_short_poll)
        messages = again + [message for message in taken if message.receive_count < max_receive_count]
        dead = [message for message in taken if message.receive_count >= max_receive_count]
        letters = [] if target is None else redrive.dead_letters(dead, self, target, now_ns)
        if self.broker.listeners and (messages or dead or is_sampled):
            changes = queue_changes().of_receive(
                self,
                count,
                messages,
                timeout_ns,
                attempt_id,
                dead,
                target,
                letters,
                now_ns,
                is_sampled=is_sampled,
            )
            try:
                self.broker.publish(changes)
            except BaseException:
                self._ordering.put_back(taken, max_receive_count)
                raise
        received = []
        if messages:
            received = self._apply_taken(messages, timeout_ns, attempt_id, now_ns, names)
        if target is not None and dead:
            self._apply_removed(dead, now_ns)
            target._settle_in_order(now_ns)
            for letter in letters:
                target._apply_arrived(letter, now_ns)
        return received

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
            RequestThrottled: A FIFO queue's quota of calls is used up, where it is enforced.

        AWS: DeleteMessage.
        """
        lock = self._lock
        lock.acquire()
        try:
            now_ns = self._now_ns()
            if now_ns >= self._due_ns:
                self._catch_up(now_ns)
            if self._throughput is not None:
                self._throughput.take_of("DeleteMessage", (receipt_handle,), now_ns)
            message = self._deletable(receipt_handle, now_ns)
            if message is not None:
                if self._copies is not None:
                    self._remove([message], now_ns)
                    return
                if self.broker.listeners:
                    change = queue_changes().MessagesRemoved
                    self.broker.publish((change(self.name, (message.number,), "deleted", now_ns),))
                self._apply_removed_one(message, now_ns)
        except BaseException as error:
            self.broker._interrupted(error)
            raise
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
            raise InvalidParameterValue.of("ReceiptHandle", handle, checks.HANDLE_HAS_EXPIRED)
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
            RequestThrottled: As `delete`; nothing was deleted.

        AWS: DeleteMessageBatch.
        """
        from queuestream.core.queues import batches  # noqa: PLC0415

        requests = batches.check_delete_entries(entries, self.broker.queue_limits)
        with self._lock:
            now_ns = self._look_at_the_time()
            if self._throughput is not None:
                self._throughput.take_of("DeleteMessage", requests.values(), now_ns)
            found, result = batches.each(requests, lambda handle: self._deletable(handle, now_ns))
            # One message may be named twice.
            messages = dict.fromkeys(message for message in found.values() if message is not None)
            if messages:
                self._remove(list(messages), now_ns)
        result.successful.update(dict.fromkeys(found))
        return result

    def _remove(self, messages: list[Message], now_ns: int) -> None:
        """Messages were deleted: all but those of which a copy is still there are gone."""
        surviving: list[Message] = []
        if self._copies is not None:
            self._settle_in_order(now_ns)
            surviving = [
                message for message in messages if self._copies.survives(message, self._max_receive_count)
            ]
        gone = [message for message in messages if message not in surviving] if surviving else messages
        if self.broker.listeners:
            changes = queue_changes()
            told = [changes.VisibilityChanged(self.name, message.number, 0, now_ns) for message in surviving]
            if gone:
                told.append(changes.MessagesRemoved.of(self, gone, "deleted", now_ns))
            self.broker.publish(tuple(told))
        for message in surviving:
            self._apply_visibility(message, 0, now_ns)
        self._apply_removed(gone, now_ns)

    def change_visibility(self, receipt_handle: str | ReceivedMessage, visibility_timeout: int) -> None:
        """Hide a received message for another while, counted from now.

        On a standard queue, a message whose visibility timeout has passed stays as it is, and the call
        succeeds: so SQS answers, although its API reference has an error for it.

        Args:
            receipt_handle: The handle, or the message it came with.
            visibility_timeout: Seconds, 0 to 43,200; 0 makes it visible at once.  The end may be
                12 hours after the message was received, not later.

        Raises:
            ReceiptHandleIsInvalid: The handle was not issued by this queue.
            MessageNotInflight: The message is not being processed any more (FIFO queues).
            InvalidParameterValue: Out of range, too late, or a message that is gone.
            RequestThrottled: A FIFO queue's quota of calls is used up, where it is enforced.

        AWS: ChangeMessageVisibility.
        """
        checks.check_visibility_timeout(visibility_timeout, self.broker.queue_limits)
        with self._lock:
            now_ns = self._look_at_the_time()
            if self._throughput is not None:
                self._throughput.take_of("ChangeMessageVisibility", (receipt_handle,), now_ns)
            message = self._extendable(receipt_handle, visibility_timeout, now_ns)
            if message is not None:
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
            RequestThrottled: As `change_visibility`; nothing was changed.

        AWS: ChangeMessageVisibilityBatch.
        """
        from queuestream.core.queues import batches  # noqa: PLC0415

        limits = self.broker.queue_limits
        requests = batches.check_change_visibility_entries(entries, limits)
        with self._lock:
            now_ns = self._look_at_the_time()
            if self._throughput is not None:
                handles = [handle for handle, _ in requests.values()]
                self._throughput.take_of("ChangeMessageVisibility", handles, now_ns)

            def found(request: tuple[str | ReceivedMessage, int]) -> tuple[Message | None, int]:
                handle, visibility_timeout = request
                checks.check_visibility_timeout(visibility_timeout, limits)
                return self._extendable(handle, visibility_timeout, now_ns), visibility_timeout * SECOND

            changes, result = batches.each(requests, found)
            self._change_visibility(
                [(message, timeout_ns) for message, timeout_ns in changes.values() if message is not None],
                now_ns,
            )
        result.successful.update(dict.fromkeys(changes))
        return result

    def _extendable(
        self, receipt_handle: str | ReceivedMessage, visibility_timeout: int, now_ns: int
    ) -> Message | None:
        """The message in flight whose visibility timeout a handle may change; None where nothing changes."""
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
            if self._deduplication is None:
                return None
            raise MessageNotInflight(handle)
        if self._deduplication is not None and message.receipt_handle != handle:
            raise InvalidParameterValue.of("ReceiptHandle", handle, checks.HANDLE_HAS_EXPIRED)
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
            change = queue_changes().VisibilityChanged
            self.broker.publish(
                tuple(
                    [change(self.name, message.number, timeout_ns, now_ns) for message, timeout_ns in changes]
                )
            )
        for message, timeout_ns in changes:
            # One message may be named twice in a batch.
            if message.state == IN_FLIGHT:
                self._apply_visibility(message, timeout_ns, now_ns)
