"""Sending: what SQS takes in, and what it answers.

A message is composed first (every check that needs no lock) and accepted then: it gets
its id and its number, or is found to be a duplicate.  A batch is composed entry by
entry and accepted at one instant.

AWS: SendMessage, SendMessageBatch; "Amazon SQS message metadata"; "Exactly-once
processing in Amazon SQS".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidParameterValue, MissingParameter
from queuestream.core.queues import checks
from queuestream.core.queues.message import LabelledMessage, Message, SentMessage, sequence_number_of
from queuestream.core.queues.message_attributes import (
    check_body,
    check_message_attributes,
    check_system_attributes,
    size_of,
)
from queuestream.core.queues.state import NOT_THIS_TYPE, QueueState, queue_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.core.queues.batches import BatchResult, SendEntry


class Sending(QueueState):
    """The operations of those who send."""

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
            RequestThrottled: A FIFO queue's quota of calls is used up, where it is enforced.

        AWS: SendMessage.
        """
        if (
            self._deduplication is None
            and message_attributes is None
            and message_system_attributes is None
            and message_group_id is None
            and message_deduplication_id is None
        ):
            # What _compose does, for the plain case.
            self._check_size(len(check_body(message_body)))
            message = Message(message_body)
            delay_ns = None if delay_seconds is None else self._checked_delay_ns(delay_seconds)
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
            if self._deduplication is not None:
                return self._accept([(message, delay_ns)], now_ns)[0]
            # What _accept does, for the plain case.
            message.message_id = message_id = self._new_id()
            message.number = self._last_number + 1
            if delay_ns is None:
                delay_ns = self._delay_ns
            if self.broker.listeners:
                self._settle_in_order(now_ns)
                self.broker.publish((queue_changes().MessageSent.of(self, message, delay_ns, now_ns),))
            self._apply_sent(message, delay_ns, now_ns)
        except BaseException as error:
            self.broker._interrupted(error)
            raise
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
            InvalidParameterValue: A message without a group or a deduplication id, on a FIFO queue.
            RequestThrottled: As `send`; none of the messages was taken.

        AWS: SendMessageBatch.
        """
        from queuestream.core.queues import batches  # noqa: PLC0415 - a program without batches needs none

        requests = batches.check_send_entries(entries, self.broker.queue_limits)
        if self._deduplication is not None:
            self._check_labels(requests.values())
        composed, result = batches.each(
            requests,
            lambda request: self._compose(**request) if isinstance(request, dict) else self._compose(request),
        )
        with self._lock:
            now_ns = self._look_at_the_time()
            result.successful.update(
                zip(composed, self._accept(list(composed.values()), now_ns), strict=True)
            )
        return result

    def _check_labels(self, requests: Iterable[object]) -> None:
        """Refuse a whole batch for one message that lacks what a FIFO queue needs, as SQS does."""
        for request in requests:
            parameters = request if isinstance(request, dict) else {}
            if parameters.get("message_group_id") is None:
                # A single send calls this a missing parameter.
                raise InvalidParameterValue(MissingParameter("MessageGroupId").message)
            if parameters.get("message_deduplication_id") is None:
                self._check_content_based()

    def _compose(
        self,
        message_body: str,
        delay_seconds: int | None = None,
        message_attributes: Mapping[str, object] | None = None,
        message_system_attributes: Mapping[str, object] | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
    ) -> tuple[Message, int | None]:
        """A message that may be sent, and its delay in nanoseconds; None for what the queue says by then."""
        encoded = check_body(message_body)
        size = len(encoded)
        attributes = trace_header = None
        if message_attributes is not None or message_system_attributes is not None:
            limits = self.broker.queue_limits
            attributes = check_message_attributes(message_attributes, limits)
            trace_header = check_system_attributes(message_system_attributes)
            size += size_of(attributes) if attributes else 0
        self._check_size(size)
        delay_ns = None if delay_seconds is None else self._checked_delay_ns(delay_seconds)
        if (
            message_group_id is not None
            or message_deduplication_id is not None
            or self._deduplication is not None
        ):
            message_deduplication_id = self._check_fifo(encoded, message_group_id, message_deduplication_id)
        return (
            LabelledMessage(
                message_body, attributes, trace_header, message_group_id, message_deduplication_id
            ),
            delay_ns,
        )

    def _checked_delay_ns(self, delay_seconds: int) -> int | None:
        checks.check_delay_seconds(delay_seconds, self.broker.queue_limits)
        if self._deduplication is None:
            return delay_seconds * SECOND
        if delay_seconds:
            raise InvalidParameterValue.of("DelaySeconds", delay_seconds, NOT_THIS_TYPE)
        return None  # a FIFO queue takes 0, and keeps to its own delay

    def _check_size(self, size: int) -> None:
        if size > self._maximum_message_size:
            self.broker._let_time_pass()
            maximum = self._attributes.maximum_message_size
            if size > maximum:
                raise InvalidParameterValue(
                    f"One or more {checks.ARE_INVALID} Reason: Message must be shorter than {maximum} bytes."
                )

    def _check_fifo(self, encoded: bytes, group_id: str | None, deduplication_id: str | None) -> str | None:
        """The deduplication id of a message with these parameters, if the kind of queue takes them."""
        limits = self.broker.queue_limits
        if group_id is not None:
            checks.check_message_group_id(group_id, limits)
        if self._deduplication is None:
            if deduplication_id is not None:
                raise InvalidParameterValue.of(
                    "MessageDeduplicationId", checks.shown(deduplication_id), NOT_THIS_TYPE
                )
            return None
        if group_id is None:
            raise MissingParameter("MessageGroupId")
        if deduplication_id is not None:
            checks.check_message_deduplication_id(deduplication_id, limits)
            return deduplication_id
        self._check_content_based()
        return hashlib.sha256(encoded).hexdigest()

    def _check_content_based(self) -> None:
        self.broker._let_time_pass()
        if not self._attributes.content_based_deduplication:
            raise InvalidParameterValue(
                "The queue should either have ContentBasedDeduplication enabled or "
                "MessageDeduplicationId provided explicitly"
            )

    def _accept(self, composed: list[tuple[Message, int | None]], now_ns: int) -> list[SentMessage]:
        """Take composed messages in, all at one instant; a duplicate is answered and left out."""
        if self._throughput is not None:
            self._throughput.take("SendMessage", [message.group_id for message, _ in composed], now_ns)
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
            fresh.append((message, self._delay_ns if delay_ns is None else delay_ns))
            if deduplication is not None:
                originals[key] = message.message_id, number
                sequence_number = sequence_number_of(number)
            answers.append(_sent(message, message.message_id, sequence_number))
        if self.broker.listeners and fresh:
            change = queue_changes().MessageSent
            self.broker.publish(
                tuple([change.of(self, message, delay_ns, now_ns) for message, delay_ns in fresh])
            )
        for message, delay_ns in fresh:
            self._apply_sent(message, delay_ns, now_ns)
        return answers


def _sent(message: Message, message_id: str, sequence_number: str | None) -> SentMessage:
    return SentMessage(
        message_id, sequence_number, message.body, message.message_attributes, message.trace_header
    )
