"""From what came over the wire to an operation's request, by the shapes of AWS's model.

A shape is compiled once into a function from a wire value (of JSON or CBOR) to the value that operations
take: blobs are `bytes`, timestamps aware `datetime`s.  What the shape doesn't know is left out, as is what is
null; a value of another type is refused with AWS's sentence.  Whether a value makes sense (lengths, ranges,
what is required) is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from queuestream.aws.front_end.blobs import data_of
from queuestream.aws.front_end.errors import SerializationException
from queuestream.aws.models import input_shape

if TYPE_CHECKING:
    from queuestream.aws.calls import Shape

Reader = Callable[[Any], Any]

_UNEXPECTED_LIST = "Start of list found where not expected"
_UNEXPECTED_MAP = "Start of structure or map found where not expected."
_INTEGER_BITS = {"integer": 31, "long": 63}
# The last characters of bytes that leave one or two over three: what fills them up has to be zero.
_LAST_OF_BASE64 = {1: "AQgw", 2: "AEIMQUYcgkosw048"}
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/=]|=[^=]")
_TRUTHS = {
    **dict.fromkeys(("TRUE", "YES", "Y", "T", "1"), True),
    **dict.fromkeys(("FALSE", "NO", "N", "F", "0"), False),
}


@cache
def request_reader(service: str, operation: str, *, cbor: bool = False) -> Callable[[Any], Shape]:
    """What reads an operation's request.

    The function that comes back raises `SerializationException` for whatever is not of the operation's shape.

    Args:
        service: `sqs` or `kinesis`.
        operation: AWS's name of it.
        cbor: Blobs are bytes and timestamps milliseconds, instead of base64 and seconds.
    """
    shape = input_shape(service, operation)
    read = _structure({}) if shape is None else _compile(shape, cbor=cbor)

    def read_request(value: Any) -> Shape:
        if type(value) is not dict:
            raise SerializationException(_UNEXPECTED_LIST if isinstance(value, list) else "")
        request: Shape = read(value)
        return request

    return read_request


def _compile(shape: Any, *, cbor: bool) -> Reader:
    kind = shape.type_name
    if kind == "structure":
        return _structure({name: _compile(member, cbor=cbor) for name, member in shape.members.items()})
    if kind == "list":
        return _list(_compile(shape.member, cbor=cbor))
    if kind == "map":
        return _map(_compile(shape.value, cbor=cbor))
    if kind in _INTEGER_BITS:
        return _integer(kind.capitalize(), 2 ** _INTEGER_BITS[kind])
    if kind == "blob":
        return _blob_of_bytes if cbor else _blob
    if kind == "timestamp":
        return _milliseconds if cbor else _seconds
    return {"boolean": _boolean, "string": _string}[kind]


# --- what holds others ---


def _structure(readers: dict[str, Reader]) -> Reader:
    # Most values are strings, which need no call.
    read_string = _string

    def read(value: Any) -> Shape:
        if type(value) is not dict:
            raise SerializationException(_UNEXPECTED_LIST if isinstance(value, list) else "Expected null")
        request = {}
        for name, given in value.items():
            if given is None or (reader := readers.get(name)) is None:
                continue
            if reader is read_string and given.__class__ is str:
                request[name] = given
            else:
                request[name] = reader(given)
        return request

    return read


def _list(reader: Reader) -> Reader:
    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise SerializationException(
                _UNEXPECTED_MAP if isinstance(value, dict) else "Expected list or null"
            )
        if None in value:
            raise SerializationException
        return [reader(member) for member in value]

    return read


def _map(reader: Reader) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise SerializationException(
                _UNEXPECTED_LIST if isinstance(value, list) else "Expected map or null"
            )
        return {_string(key): reader(member) for key, member in value.items() if member is not None}

    return read


# --- what holds nothing ---


def _string(value: Any) -> str:
    if type(value) is not str:
        raise _not_converted(value, "a String")
    return value


def _integer(name: str, end: int) -> Reader:
    """Fractions are cut off, and what is too large is the largest there is, as with Java's numbers."""

    def read(value: Any) -> int:
        if type(value) is float and isfinite(value):
            number = int(value)
        elif type(value) is int:
            number = value
        else:
            raise _not_converted(value, f"{'an' if name == 'Integer' else 'a'} {name}")
        return max(-end, min(number, end - 1))

    return read


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    truth = _TRUTHS.get(value.upper()) if type(value) is str else None
    if truth is None:
        raise _not_converted(value, "an Boolean")  # AWS's grammar
    return truth


def _blob(value: Any) -> bytes:
    if type(value) is not str:
        raise _not_converted(value, "a Blob")
    try:
        data = data_of(value)
    except ValueError:
        data = None
    if data is None or (value.endswith("=") and value.rstrip("=")[-1] not in _LAST_OF_BASE64[len(data) % 3]):
        raise SerializationException(f"'{value}' can not be converted to a Blob: {_base64_fault(value)}")
    return data


def _base64_fault(value: str) -> str:
    if len(value) % 4:
        return f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(value)}"
    if found := _NO_BASE64.search(value):
        return f"Invalid Base64 character: '{found[0][0]}'"
    return "Invalid last non-pad Base64 character dectected"  # AWS's spelling


def _blob_of_bytes(value: Any) -> bytes:
    return value if type(value) is bytes else _blob(value)


def _seconds(value: Any) -> datetime:
    return _timestamp(value, 1)


def _milliseconds(value: Any) -> datetime:
    return _timestamp(value, 1_000)


def _timestamp(value: Any, per_second: int) -> datetime:
    if type(value) not in {int, float}:
        raise _not_converted(value, "milliseconds since epoch")
    try:
        return datetime.fromtimestamp(value / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        raise SerializationException from None


def _not_converted(value: Any, target: str) -> SerializationException:
    if isinstance(value, list):
        return SerializationException(_UNEXPECTED_LIST)
    if isinstance(value, dict):
        return SerializationException(_UNEXPECTED_MAP)
    token = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    if isinstance(value, bool):
        token = "TRUE_VALUE" if value else "FALSE_VALUE"
    return SerializationException(f"{token} can not be converted to {target}")
