"""AWS's JSON protocols: 1.0 for SQS, 1.1 for Kinesis."""

from __future__ import annotations

import base64
import datetime
import json
from typing import TYPE_CHECKING, Any

from queuestream.aws.front_end.errors import SerializationException, wire_error
from queuestream.aws.front_end.http import HttpResponse

if TYPE_CHECKING:
    from queuestream.aws.calls import Shape
    from queuestream.core.errors import ServiceError

CONTENT_TYPES = {"sqs": "application/x-amz-json-1.0", "kinesis": "application/x-amz-json-1.1"}


def read(body: bytes) -> Any:
    """What a body says."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise SerializationException from None


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(type(value))


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


def answer(service: str, answer: Shape | None, request_id: str) -> HttpResponse:
    """An answer; SQS leaves the body empty where there is nothing to say."""
    body = _encode(answer).encode("utf-8", "replace") if answer or service == "sqs" else b""
    return HttpResponse(200, {"x-amzn-RequestId": request_id, "Content-Type": CONTENT_TYPES[service]}, body)


def error(service: str, error: ServiceError, request_id: str) -> HttpResponse:
    """An error; for SQS with the query protocol's name of it in a header."""
    wire = wire_error(error)
    headers = {"x-amzn-RequestId": request_id, "Content-Type": CONTENT_TYPES[service]}
    if service == "sqs":
        fault = "Sender" if wire.is_senders else "Receiver"
        headers["x-amzn-query-error"] = f"{wire.query_code};{fault}"
        shape = wire.namespace + wire.shape
    else:
        shape = error.code
    said = {"__type": shape, wire.key: error.message}
    return HttpResponse(wire.status, headers, _encode(said).encode("utf-8", "replace"))
