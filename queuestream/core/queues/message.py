"""A message: as the queue keeps it, and as it leaves the queue.

`Message` is the queue's own, with everything that changes over a message's life.
What a caller gets are `SentMessage`, `ReceivedMessage` and `PeekedMessage`: values,
to be read and kept.  They are `define`d, not frozen, because one is made for every
message, and a frozen attrs object costs four times as much to make.  Digests are made
when somebody asks for them: the MD5 of a kilobyte costs as much as half a send.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import attrs

from queuestream.core.clock import MILLISECOND
from queuestream.core.queues.message_attributes import (
    MessageAttributes,
    md5_of_attributes,
    md5_of_trace_header,
)

if TYPE_CHECKING:
    from queuestream.core.queues.visibility import Lane

VISIBLE, DELAYED, IN_FLIGHT, GONE = range(4)
State = Literal["visible", "delayed", "in_flight"]
STATES: tuple[State, ...] = ("visible", "delayed", "in_flight")

# SQS numbers a FIFO queue's messages with 20 digits that grow; ours start where real ones have been seen.
_FIRST_SEQUENCE_NUMBER = 18_849_496_460_467_696_128
_SEQUENCE_STEP = 256


def sequence_number_of(number: int) -> str:
    """The 20-digit sequence number that a FIFO queue gives to its n-th message."""
    return str(_FIRST_SEQUENCE_NUMBER + number * _SEQUENCE_STEP)


class Message:
    """One message as its queue keeps it.

    `state` is what the queue last saw; a hidden message whose `visible_at_ns` has passed
    is visible, whether or not the queue has looked at it since.
    """

    # Plain slots, and nothing that could be derived: a million of these may wait.
    __slots__ = (
        "body",
        "first_received_ns",
        "group",
        "lane",
        "message_id",
        "number",
        "receipt_handle",
        "receive_count",
        "received_ns",
        "sent_ns",
        "state",
        "visible_at_ns",
    )

    # Most messages have none of these; those that have are `LabelledMessage`s.
    message_attributes: MessageAttributes | None = None
    trace_header: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    dead_letter_source: str | None = None
    received_before: int = 0  # receives in the queues that it came from

    # Set when the queue takes it in.
    message_id: str
    number: int
    sent_ns: int
    visible_at_ns: int
    received_ns: int  # the last time

    def __init__(self, body: str) -> None:
        self.body = body
        self.state = VISIBLE
        self.receive_count = 0  # in this queue
        self.first_received_ns: int | None = None
        self.receipt_handle: str | None = None  # of the last receive
        # Where its queue's indexes hold it:
        self.lane: Lane | None = None
        self.group: object = None

    def __repr__(self) -> str:
        return f"<Message {self.number}: {self.body[:20]!r}>"


class LabelledMessage(Message):
    """A message with more than a body: attributes, a group, a past in another queue."""

    __slots__ = (
        "dead_letter_source",
        "deduplication_id",
        "group_id",
        "message_attributes",
        "received_before",
        "trace_header",
    )

    def __init__(
        self,
        body: str,
        message_attributes: MessageAttributes | None = None,
        trace_header: str | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
    ) -> None:
        super().__init__(body)
        self.message_attributes = message_attributes
        self.trace_header = trace_header
        self.group_id = group_id
        self.deduplication_id = deduplication_id
        self.dead_letter_source = None
        self.received_before = 0

    @classmethod
    def like(cls, message: Message, deduplication_id: str | None) -> LabelledMessage:
        """What another queue takes in of a message that comes from this one."""
        return cls(
            message.body, message.message_attributes, message.trace_header, message.group_id, deduplication_id
        )


@attrs.define
class SentMessage:
    """What `send` answers.  Read-only by convention.

    Attributes:
        message_id: The message's id for life (36 characters).
        sequence_number: 20 digits that grow, on a FIFO queue only.
    """

    message_id: str
    sequence_number: str | None
    _body: str = attrs.field(repr=False)
    _message_attributes: MessageAttributes | None = attrs.field(repr=False)
    _trace_header: str | None = attrs.field(repr=False)

    @property
    def md5_of_body(self) -> str:
        """Hexadecimal MD5 of the body's UTF-8 bytes."""
        return md5_of(self._body)

    @property
    def md5_of_message_attributes(self) -> str | None:
        """AWS's digest of the attributes; None where there are none."""
        return md5_of_attributes(self._message_attributes) if self._message_attributes else None

    @property
    def md5_of_message_system_attributes(self) -> str | None:
        """AWS's digest of the system attributes; None where there are none."""
        return None if self._trace_header is None else md5_of_trace_header(self._trace_header)


@attrs.define
class ReceivedMessage:
    """What `receive` answers, one for each message.  Read-only by convention.

    Attributes:
        message_id: The message's id, the same at each receive.
        receipt_handle: Names this one receive; new each time.
        body: The text that was sent.
        receive_count: How often it has been received, this time included.
        sent_ns: When it was sent, in nanoseconds since the epoch.
        first_received_ns: When it was first received.
        message_attributes: Those that the receive asked for, by name.
        message_group_id: As given by the sender.
        message_deduplication_id: As given by the sender, or made from the body.
        sequence_number: 20 digits that grow, on a FIFO queue only.
        dead_letter_queue_source_arn: The queue that it failed in, on a dead-letter queue only.
        aws_trace_header: The X-Ray header it was sent with.
        sender_id: The account that sent it.
    """

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    sent_ns: int
    first_received_ns: int
    message_attributes: MessageAttributes
    message_group_id: str | None
    message_deduplication_id: str | None
    sequence_number: str | None
    dead_letter_queue_source_arn: str | None
    aws_trace_header: str | None
    sender_id: str

    @property
    def sent_timestamp_ms(self) -> int:
        """AWS's SentTimestamp: milliseconds since the epoch."""
        return self.sent_ns // MILLISECOND

    @property
    def first_received_timestamp_ms(self) -> int:
        """AWS's ApproximateFirstReceiveTimestamp: milliseconds since the epoch."""
        return self.first_received_ns // MILLISECOND

    @property
    def md5_of_body(self) -> str:
        """Hexadecimal MD5 of the body's UTF-8 bytes."""
        return md5_of(self.body)

    @property
    def md5_of_message_attributes(self) -> str | None:
        """AWS's digest of the attributes that this receive returned; None where there are none."""
        return md5_of_attributes(self.message_attributes) if self.message_attributes else None


@attrs.define(kw_only=True)
class PeekedMessage:
    """A message as it lies in the queue, seen without touching it.  Read-only by convention.

    Attributes:
        state: "visible", "delayed" or "in_flight".
        visible_at_ns: From when on it is, was or will be visible, in nanoseconds since the epoch.
        receive_count: How often it has been received so far.
    """

    message_id: str
    body: str
    state: State
    visible_at_ns: int
    sent_ns: int
    receive_count: int
    first_received_ns: int | None
    message_attributes: MessageAttributes
    message_group_id: str | None
    message_deduplication_id: str | None
    sequence_number: str | None
    dead_letter_queue_source_arn: str | None


def md5_of(body: str) -> str:
    """The hexadecimal MD5 of a body's UTF-8 bytes, which AWS calls MD5OfBody."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
