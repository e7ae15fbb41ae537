"""X-Ray's header: a message is sent with the trace of the request that sends it.

A header that is no trace header is passed over, for proxies write into it what they like.  A message
that names a trace of its own keeps it.

AWS: SQS developer guide, "Amazon SQS and AWS X-Ray".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.errors import ServiceError
from queuestream.core.queues.message_attributes import TRACE_HEADER, check_system_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.aws.calls import Shape

_HTTP_HEADER = "x-amzn-trace-id"


def traced(operation: str, asked: Shape, headers: Mapping[str, str]) -> Shape:
    """A request, with the trace that came in its headers where it sends messages."""
    header = headers.get(_HTTP_HEADER)
    if header is None or operation not in {"SendMessage", "SendMessageBatch"}:
        return asked
    try:
        check_system_attributes({TRACE_HEADER: header})
    except ServiceError:
        return asked
    trace = {TRACE_HEADER: {"StringValue": header, "DataType": "String"}}
    if operation == "SendMessage":
        return _with(trace, asked)
    return {**asked, "Entries": [_with(trace, entry) for entry in asked.get("Entries") or ()]}


def _with(trace: Shape, message: Shape) -> Shape:
    return (
        message if message.get("MessageSystemAttributes") else {**message, "MessageSystemAttributes": trace}
    )
