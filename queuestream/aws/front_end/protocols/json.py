"""AWS's JSON protocols: 1.0 as SQS speaks it, 1.1 as Kinesis does.

The operation is in the header X-Amz-Target, blobs are base64, timestamps seconds since 1970.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from queuestream.aws.front_end.blobs import text_of
from queuestream.aws.front_end.errors import SerializationException, wire_error
from queuestream.aws.front_end.http import HttpResponse

if TYPE_CHECKING:
    from queuestream.aws.calls import Shape
    from queuestream.core.errors import ServiceError

CONTENT_TYPES = {"sqs": "application/x-amz-json-1.0", "kinesis": "application/x-amz-json-1.1"}


def _refuse_constant(name: str) -> NoReturn:
    """NaN and its like are JavaScript's, not JSON's."""
    raise ValueError(name)


_known: tuple[datetime | None, float] = (None, 0.0)


def _wire_value(value: object) -> object:
    global _known  # noqa: PLW0603 - replaced whole, so that threads need no lock
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, datetime):
        # Records that came together have one time between them, and asking its zone is dear.
        timestamp, seconds = _known
        if value is not timestamp:
            seconds = value.timestamp()
            _known = (value, seconds)
        return seconds
    raise TypeError(f"no JSON for {type(value)}")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_wire_value
).encode


def read(body: bytes) -> Any:
    """What a body says.

    Raises:
        SerializationException: It is no JSON.
    """
    try:
        return _decode(body.decode())
    except (ValueError, RecursionError):
        raise SerializationException from None


def write(value: object) -> bytes:
    """A value as a body; half a surrogate pair, which UTF-8 cannot say, becomes `?`, as in Java."""
    return _encode(value).encode("utf-8", "replace")


def headers(service: str, content_type: str, request_id: str) -> dict[str, str]:
    """What every answer says besides its body; Kinesis has a second id, of no use but to AWS's support."""
    headers = {"x-amzn-requestid": request_id, "content-type": content_type}
    if service == "kinesis":
        headers["x-amz-id-2"] = text_of((2 * request_id).encode())
    return headers


def answer(service: str, operation: str, answer: Shape | None, request_id: str) -> HttpResponse:  # noqa: ARG001 - as every protocol
    """An operation's answer; one that says nothing has no body."""
    body = b"" if answer is None else write(answer)
    return HttpResponse(200, headers(service, CONTENT_TYPES[service], request_id), body)


def refusal(service: str, error: ServiceError, request_id: str) -> HttpResponse:
    """An error; SQS repeats in a header what the query protocol calls it (page "AWS JSON protocol")."""
    wire = wire_error(service, error)
    said = headers(service, CONTENT_TYPES[service], request_id)
    shape = wire.shape
    if service == "sqs":
        said["x-amzn-query-error"] = f"{wire.query_code};{wire.fault}"
        shape = wire.namespace + shape
    return HttpResponse(wire.status, said, write(error_body(error, shape)))


def error_body(error: ServiceError, shape: str) -> Shape:
    """What the body of an error says; only one of AWS's errors spells Message with a capital."""
    if not error.message:
        return {"__type": shape}
    return {
        "__type": shape,
        "Message" if isinstance(error, SerializationException) else "message": error.message,
    }
