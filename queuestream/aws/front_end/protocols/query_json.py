"""The query protocol's answers in JSON, for those who send `Accept: application/json`, as API Gateway does.

A request is read as `query` reads it; only the answer is written otherwise.  It has the members of the model
that was SQS's in the days of the query protocol: all of them in the order of their names, `null` where
there is nothing to say, and a map as a list of names and values.

A request that names no action is answered in XML here, too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from queuestream.aws.front_end.blobs import text_of
from queuestream.aws.front_end.errors import wire_error
from queuestream.aws.front_end.http import HttpResponse
from queuestream.aws.front_end.protocols import json, query
from queuestream.aws.models import output_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.aws.calls import Shape
    from queuestream.core.errors import ServiceError

Writer = Callable[[Any], Any]

CONTENT_TYPE = "application/json"

# What the older model called otherwise.
_NAMES = {"Messages": "messages", "QueueUrls": "queueUrls"}


def is_asked_for(headers: Mapping[str, str]) -> bool:
    """Whether JSON is what a request would rather have than anything else."""
    first, _, _ = headers.get("accept", "").partition(",")
    media_type, _, _ = first.partition(";")
    return media_type.strip().lower() == CONTENT_TYPE


def answer(service: str, operation: str, answer: Shape | None, request_id: str) -> HttpResponse:
    """An operation's answer."""
    response: Shape = {}
    write = _result_writer(operation)
    if write is not None:
        response[f"{operation}Result"] = write(answer or {})
    response["ResponseMetadata"] = {"RequestId": request_id}
    return _document(service, 200, request_id, {f"{operation}Response": response})


def refusal(service: str, error: ServiceError, request_id: str) -> HttpResponse:
    """An error."""
    wire = wire_error(service, error)
    said = {"Code": wire.query_code, "Message": query.message_of(error), "Type": wire.fault}
    return _document(service, wire.status, request_id, {"Error": said, "RequestId": request_id})


def _document(service: str, status: int, request_id: str, content: Shape) -> HttpResponse:
    return HttpResponse(status, json.headers(service, CONTENT_TYPE, request_id), json.write(content))


@cache
def _result_writer(operation: str) -> Writer | None:
    shape = output_shape("sqs", operation)
    return None if shape is None else _structure_writer(shape)


def _structure_writer(shape: Any) -> Writer:
    named = sorted((_NAMES.get(member, member), member, _writer(of)) for member, of in shape.members.items())

    def write_structure(value: Shape) -> Shape:
        return {name: write(value[member]) if member in value else None for name, member, write in named}

    return write_structure


def _writer(shape: Any) -> Writer:
    kind = shape.type_name
    if kind == "structure":
        return _structure_writer(shape)
    if kind == "list":
        member = _writer(shape.member)
        return lambda value: [member(one) for one in value]
    if kind == "map":
        key, called = query.entry_names(shape)
        of_value = _writer(shape.value)
        return lambda value: [{key: one, called: of_value(given)} for one, given in value.items()]
    return text_of if kind == "blob" else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
