"""The changes of one call as bytes, and back: an entry of the journal.

How it works.  An entry is one line of JSON, the *head*, and the *tail* that it refers to: the
bodies of messages, the data of records and other long things, as they are.

    [["MessageSent",{"queue":"orders","message":{"number":1,"message_id":"...",
      "body":{"text":[0,5]},"sent_ns":...},"delay_ns":0,"at_ns":...}]]
    hello

What a change is in JSON is said in `values`, and follows from its class.  The five changes that
are made for every message or record are written here by hand, in the same form; three of them, where
they are all that a call changes, in a shorter one (`packed`): what they cost, every call costs.

Nothing of Python's own making (pickle, marshal) is read or written, so a file
is safe to read whoever wrote it, and the next version of Python reads it as well.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, Any

from queuestream.core.queues.changes import (
    MessageSent,
    MessagesReceived,
    MessagesRemoved,
    StoredMessage,
    VisibilityChanged,
)
from queuestream.core.streams.changes import RecordPut
from queuestream.storage.packed import pack, unpack
from queuestream.storage.reading import FAULTS, Unreadable, read_change, value_from_json
from queuestream.storage.values import Tail, to_json, value_to_json, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.changes import Change

__all__ = ["Unreadable", "decode", "encode", "value_from_json", "value_to_json"]


def encode(changes: tuple[Change, ...]) -> bytes:
    """The changes of one call as an entry of the journal."""
    if len(changes) == 1:
        packed = pack(changes[0])
        if packed is not None:
            return packed
    heads: list[str] = []
    tail = Tail()
    parts, size = tail.parts, 0
    for change in changes:
        kind = type(change)
        if kind in _WITH_BYTES:
            head, part = _WITH_BYTES[kind](change, size)
            parts.append(part)
            size += len(part)
        elif kind in _BARE:
            head = _BARE[kind](change)
        else:
            tail.size = size
            head = to_json(write(change, tail))
            size = tail.size
        heads.append(head)
    return b"".join([f"[{','.join(heads)}]\n".encode(), *parts])


def decode(payload: bytes) -> tuple[Change, ...]:
    """The changes that were encoded.

    Raises:
        Unreadable: They are none, or some that this version of queuestream does not know.
    """
    end = payload.find(b"\n")
    try:
        packed = unpack(payload)
        if packed is not None:
            return (packed,)
        head, read = _scan(payload[:end].decode("ascii"))
        tail = payload[end + 1 :]
        if read == end and type(head) is list:
            return tuple(
                [
                    _plainly_sent(name, fields, tail) or read_change(name, fields, tail)
                    for name, fields in head
                ]
            )
    except FAULTS as error:
        raise Unreadable(f"what a call changed makes no sense ({error})") from error
    raise Unreadable("what a call changed is no list")


_scan = json.JSONDecoder().raw_decode


# --- the changes that are made for every message or record, by hand ---


def _sent(change: MessageSent, start: int) -> tuple[str, bytes]:
    message = change.message
    body = message.body.encode("utf-8", "surrogatepass")
    labels = "" if message.is_plain and message.first_received_ns is None else _labels(message)
    return (
        f'["MessageSent",{{"queue":{_quoted(change.queue)},"message":{{"number":{message.number},'
        f'"message_id":{_quoted(message.message_id)},"body":{{"text":[{start},{start + len(body)}]}},'
        f'"sent_ns":{message.sent_ns}{labels}}},'
        f'"delay_ns":{change.delay_ns},"at_ns":{change.at_ns}}}]'
    ), body


def _labels(message: StoredMessage) -> str:
    """What a message has besides its body."""
    labels = [
        f',"{name}":{_quoted(value)}'
        for name, value in (
            ("group_id", message.group_id),
            ("deduplication_id", message.deduplication_id),
            ("trace_header", message.trace_header),
            ("dead_letter_source", message.dead_letter_source),
        )
        if value is not None
    ]
    if message.first_received_ns is not None:
        labels.append(f',"first_received_ns":{message.first_received_ns}')
    if message.received_before:
        labels.append(f',"received_before":{message.received_before}')
    if message.message_attributes is not None:
        attributes = [
            f'{_quoted(name)}:{{"data_type":{_quoted(attribute.data_type)},"value":{_value(attribute.value)}}}'
            for name, attribute in message.message_attributes.items()
        ]
        labels.append(f',"message_attributes":{{{",".join(attributes)}}}')
    return "".join(labels)


def _value(value: str | bytes) -> str:
    return _quoted(value) if isinstance(value, str) else to_json(write(value))


def _plainly_sent(name: object, fields: Any, tail: bytes) -> MessageSent | None:
    """What `read_change` makes of a message without labels, three times as fast; None for all else."""
    if name != "MessageSent":
        return None
    try:
        queue, message, delay_ns, at_ns = (
            fields["queue"],
            fields["message"],
            fields["delay_ns"],
            fields["at_ns"],
        )
        number, message_id, sent_ns = message["number"], message["message_id"], message["sent_ns"]
        start, end = message["body"]["text"]
    except (KeyError, TypeError, ValueError):
        return None
    if (
        len(message) == 4
        and type(queue) is type(message_id) is str
        and type(number) is type(sent_ns) is type(delay_ns) is type(at_ns) is int
        and 0 <= start <= end <= len(tail)
    ):
        body = tail[start:end].decode("utf-8", "surrogatepass")
        return MessageSent(queue, StoredMessage(number, message_id, body, sent_ns), delay_ns, at_ns)
    return None


def _put(change: RecordPut, start: int) -> tuple[str, bytes]:
    data = change.data
    return (
        f'["RecordPut",{{"stream_name":{_quoted(change.stream_name)},"shard_id":{_quoted(change.shard_id)},'
        f'"number":{change.number},"data":{{"bytes":[{start},{start + len(data)}]}},'
        f'"partition_key":{_quoted(change.partition_key)},"arrival_ns":{change.arrival_ns},'
        f'"encryption_type":{_quoted(change.encryption_type)}}}]'
    ), data


def _received(change: MessagesReceived) -> str:
    attempt_id = change.attempt_id
    sampled = ',"is_sampled":true' if change.is_sampled else ""
    return (
        f'["MessagesReceived",{{"queue":{_quoted(change.queue)},"count":{change.count},'
        f'"numbers":{_listed(change.numbers)},"timeout_ns":{change.timeout_ns},'
        f'"attempt_id":{"null" if attempt_id is None else _quoted(attempt_id)},"at_ns":{change.at_ns}'
        f"{sampled}}}]"
    )


def _removed(change: MessagesRemoved) -> str:
    return (
        f'["MessagesRemoved",{{"queue":{_quoted(change.queue)},"numbers":{_listed(change.numbers)},'
        f'"because":"{change.because}","at_ns":{change.at_ns}}}]'
    )


def _changed(change: VisibilityChanged) -> str:
    return (
        f'["VisibilityChanged",{{"queue":{_quoted(change.queue)},"number":{change.number},'
        f'"timeout_ns":{change.timeout_ns},"at_ns":{change.at_ns}}}]'
    )


def _listed(numbers: tuple[int, ...]) -> str:
    return f"[{numbers[0]}]" if len(numbers) == 1 else str(list(numbers))


_BARE: dict[type, Callable[[Any], str]] = {
    MessagesReceived: _received,
    MessagesRemoved: _removed,
    VisibilityChanged: _changed,
}
_WITH_BYTES: dict[type, Callable[[Any, int], tuple[str, bytes]]] = {MessageSent: _sent, RecordPut: _put}
