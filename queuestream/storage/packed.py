"""The three changes that every message goes through, packed: what they cost, every call costs.

A plain message sent, one message received, one message deleted: each alone in its call is written
as a letter, some numbers and the queue's name, in half the time and a third of the bytes that JSON
takes.  All else, and these where anything about them is not plain, is `codec`'s.

    S  length of the name, number, sent, delay, at, message id (36 characters), name, body
    R  length of the name, count, number, timeout, at, name
    D  length of the name, number, at, name

All numbers are little-endian, times in nanoseconds.  An entry in JSON begins with a bracket.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from queuestream.core.queues.changes import MessageSent, MessagesReceived, MessagesRemoved, StoredMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.changes import Change

_SENT = struct.Struct("<cBQqqq36s")
_RECEIVED = struct.Struct("<cBIQqq")
_DELETED = struct.Struct("<cBQq")
_MESSAGE_ID_LENGTH = 36


def pack(change: Change) -> bytes | None:
    """A change, packed; None where it is none of the three, or not plain."""
    packed = _PACKED.get(type(change))
    if packed is None:
        return None
    try:
        return packed(change)
    except (struct.error, UnicodeEncodeError):  # more than there is room for, or half a character
        return None


def unpack(payload: bytes) -> Change | None:
    """The change that was packed; None where the payload is something else.

    Raises:
        ValueError: It is too short, or a name or a body is no text.
    """
    unpacked = _UNPACKED.get(payload[:1])
    if unpacked is None:
        return None
    try:
        return unpacked(payload)
    except struct.error as error:
        raise ValueError("it is cut off") from error


def _pack_sent(change: MessageSent) -> bytes | None:
    message = change.message
    message_id = message.message_id.encode()
    if len(message_id) != _MESSAGE_ID_LENGTH or message.first_received_ns is not None or not message.is_plain:
        return None
    name = change.queue.encode()
    head = _SENT.pack(
        b"S", len(name), message.number, message.sent_ns, change.delay_ns, change.at_ns, message_id
    )
    return b"%b%b%b" % (head, name, message.body.encode("utf-8", "surrogatepass"))


def _unpack_sent(payload: bytes) -> MessageSent:
    _, length, number, sent_ns, delay_ns, at_ns, message_id = _SENT.unpack_from(payload)
    name, rest = _name(payload, _SENT.size, length)
    body = rest.decode("utf-8", "surrogatepass")
    return MessageSent(name, StoredMessage(number, message_id.decode(), body, sent_ns), delay_ns, at_ns)


def _pack_received(change: MessagesReceived) -> bytes | None:
    numbers = change.numbers
    if len(numbers) != 1 or change.attempt_id is not None or change.is_sampled:
        return None
    name = change.queue.encode()
    return _RECEIVED.pack(b"R", len(name), change.count, numbers[0], change.timeout_ns, change.at_ns) + name


def _unpack_received(payload: bytes) -> MessagesReceived:
    _, length, count, number, timeout_ns, at_ns = _RECEIVED.unpack_from(payload)
    return MessagesReceived(
        _name(payload, _RECEIVED.size, length)[0], count, (number,), timeout_ns, None, at_ns
    )


def _pack_removed(change: MessagesRemoved) -> bytes | None:
    numbers = change.numbers
    if len(numbers) != 1 or change.because != "deleted":
        return None
    name = change.queue.encode()
    return _DELETED.pack(b"D", len(name), numbers[0], change.at_ns) + name


def _unpack_removed(payload: bytes) -> MessagesRemoved:
    _, length, number, at_ns = _DELETED.unpack_from(payload)
    return MessagesRemoved(_name(payload, _DELETED.size, length)[0], (number,), "deleted", at_ns)


def _name(payload: bytes, start: int, length: int) -> tuple[str, bytes]:
    """The queue's name, and what stands behind it."""
    end = start + length
    if end > len(payload):
        raise struct.error("the name is cut off")
    return payload[start:end].decode(), payload[end:]


_PACKED: dict[type, Callable[[Any], bytes | None]] = {
    MessageSent: _pack_sent,
    MessagesReceived: _pack_received,
    MessagesRemoved: _pack_removed,
}
_UNPACKED: dict[bytes, Callable[[bytes], Change]] = {
    b"S": _unpack_sent,
    b"R": _unpack_received,
    b"D": _unpack_removed,
}
