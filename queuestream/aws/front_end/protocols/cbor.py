"""AWS's CBOR protocol, which the Java SDK and those who build on it speak with Kinesis by default.

The same as JSON 1.1 in other bytes: blobs are byte strings, and a timestamp is a number of milliseconds
under the tag 1.  No other tag means anything here, so none is decoded.  Needs the extra `server` (cbor2).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import cbor2

from queuestream.aws.front_end.errors import SerializationException, wire_error
from queuestream.aws.front_end.http import HttpResponse
from queuestream.aws.front_end.protocols.json import error_body, headers

if TYPE_CHECKING:
    from queuestream.aws.calls import Shape
    from queuestream.core.errors import ServiceError

CONTENT_TYPES = {"kinesis": "application/x-amz-cbor-1.1"}

_TIMESTAMP = 1
_DEPTH_MAX = 32


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("a tag that means nothing here")


# What cbor2 would decode by itself.
_KNOWN_TAGS = (0, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_DECODERS = {**dict.fromkeys(_KNOWN_TAGS, _refuse_tag), _TIMESTAMP: lambda value, _: value}


def _write_timestamp(encoder: Any, value: datetime) -> None:
    encoder.encode(cbor2.CBORTag(_TIMESTAMP, round(value.timestamp() * 1_000)))


_ENCODERS: dict[type, Any] = {datetime: _write_timestamp}


def read(body: bytes) -> Any:
    """What a body says.

    Raises:
        SerializationException: It is no CBOR, or says what no request says.
    """
    try:
        return cbor2.loads(
            body,
            semantic_decoders=_DECODERS,
            tag_hook=_refuse_tag,
            max_depth=_DEPTH_MAX,
            strict_hashable_types=True,
        )
    except (cbor2.CBORDecodeError, ValueError, RecursionError, MemoryError):
        raise SerializationException from None


def write(value: object) -> bytes:
    """A value as a body."""
    return cbor2.dumps(value, encoders=_ENCODERS)


def answer(service: str, operation: str, answer: Shape | None, request_id: str) -> HttpResponse:  # noqa: ARG001 - as every protocol
    """An operation's answer; one that says nothing has no body."""
    body = b"" if answer is None else write(answer)
    return HttpResponse(200, headers(service, CONTENT_TYPES[service], request_id), body)


def refusal(service: str, error: ServiceError, request_id: str) -> HttpResponse:
    """An error."""
    wire = wire_error(service, error)
    body = write(error_body(error, wire.shape))
    return HttpResponse(wire.status, headers(service, CONTENT_TYPES[service], request_id), body)
