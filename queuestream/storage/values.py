"""The core's values as JSON.

Writing goes by what a value is: numbers and texts are themselves, tuples are lists, a value
with fields is an object of them under their own names.  Three things look different:

    ["QueueDeleted", {...}]     a change, with the name of its class
    {"base64": "AAEC"}          bytes
    {"text": [0, 1024]}         long text, {"bytes": [0, 1024]} bytes, that stand in a *tail* behind the
                                JSON, where there is one: from which byte of it to which

Limits are written as what differs from AWS's, so that they go on being AWS's where they were.
How it is read again is in `reading`.
"""

from __future__ import annotations

import base64
import json
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import attrs

from queuestream.core.changes import Change
from queuestream.core.queues.limits import QueueLimits
from queuestream.core.streams.limits import StreamLimits

# Longer texts stand in the tail, where there is one.
_TEXT_MAX = 200


class Tail:
    """Bytes that stand behind the JSON.

    Attributes:
        parts: The bytes so far.
        size: How many they are.
    """

    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> list[int]:
        """Add some; from which byte to which they stand."""
        start = self.size
        self.size += len(part)
        self.parts.append(part)
        return [start, self.size]


Writer = Callable[[Any, Tail | None], Any]
"""Makes what JSON can say of a value, and puts the rest of it into the tail, if there is one."""


def value_to_json(value: object) -> str:
    """A value as one line of JSON, which `reading.value_from_json` reads."""
    written = write(value)
    text = _readable(written)
    # A surrogate by itself is no character, and UTF-8 has no bytes for it.
    return text if text.isascii() or _is_encodable(text) else to_json(written)


to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""JSON in ASCII, without spaces."""

_readable = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def write(value: Any, tail: Tail | None = None) -> Any:
    """A value as what JSON can say; long things go into the tail, if there is one.

    Raises:
        TypeError: It is none of the core's values.
    """
    kind: Any = type(value)
    return _writer_of(kind)(value, tail)


@cache
def _writer_of(kind: Any) -> Writer:
    # By what a class is a kind of: a caller's text may be a member of an enumeration.
    if issubclass(kind, QueueLimits | StreamLimits):
        return _write_limits
    if attrs.has(kind):
        return _writer_of_fields(kind)
    if issubclass(kind, int | float | types.NoneType):
        return lambda value, _tail: value
    if issubclass(kind, str):
        return _write_text
    if issubclass(kind, bytes):
        return _write_bytes
    if issubclass(kind, list | tuple):
        return lambda value, tail: [write(item, tail) for item in value]
    if issubclass(kind, Mapping):
        return lambda value, tail: {key: write(item, tail) for key, item in value.items()}
    raise TypeError(f"A {kind.__name__} is not among what is stored.")


def _write_text(value: str, tail: Tail | None) -> Any:
    if tail is None or len(value) <= _TEXT_MAX:
        return value
    return {"text": tail.add(value.encode("utf-8", "surrogatepass"))}


def _write_bytes(value: bytes, tail: Tail | None) -> Any:
    if tail is None:
        return {"base64": base64.b64encode(value).decode("ascii")}
    return {"bytes": tail.add(value)}


def _write_limits(value: QueueLimits | StreamLimits, _tail: Tail | None) -> Any:
    given, usual = _limits(value), _limits(type(value)())
    return {name: limit for name, limit in given.items() if limit != usual[name]}


def _limits(value: QueueLimits | StreamLimits) -> dict[str, Any]:
    return value._asdict() if isinstance(value, QueueLimits) else attrs.asdict(value)


def _writer_of_fields(kind: Any) -> Writer:
    names = [field.name for field in attrs.fields(kind) if field.init]

    def write_fields(value: Any, tail: Tail | None) -> Any:
        return {name: write(getattr(value, name), tail) for name in names}

    if issubclass(kind, Change):
        return lambda value, tail: [kind.__name__, write_fields(value, tail)]
    return write_fields
