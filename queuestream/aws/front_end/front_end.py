"""From a request on the wire to an answer on the wire: which operation is meant, who asks, what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.calls import Caller, Later
from queuestream.aws.front_end.errors import UnknownOperationException
from queuestream.aws.front_end.protocols import json
from queuestream.aws.operations import OPERATIONS
from queuestream.core.errors import ServiceError

if TYPE_CHECKING:
    from queuestream.aws.accounts import Aws
    from queuestream.aws.front_end.http import HttpRequest, HttpResponse

_TARGETS = {"AmazonSQS": "sqs", "Kinesis_20131202": "kinesis"}


class FrontEnd:
    """AWS's wire in front of `Aws`.

    Args:
        aws: The accounts and regions that are asked.
        credentials: Secrets by access key id; where given, every request must be signed with one of them.
        faults: What goes wrong on purpose.
    """

    def __init__(self, aws: Aws, credentials: object = None, faults: object = None) -> None:
        self.aws = aws
        self.credentials = credentials
        self.faults = faults

    def respond(self, request: HttpRequest) -> HttpResponse | Later:
        """Do what a request asks; never raises for anything that a client can send."""
        request_id = self.aws.request_id()
        target, _, operation = request.headers.get("x-amz-target", "").partition(".")
        service = _TARGETS.get(target, "sqs")
        try:
            function = OPERATIONS[service].get(operation)
            if function is None:
                raise UnknownOperationException
            host = request.headers.get("host")
            caller = Caller(self.aws, None, None, f"{request.scheme}://{host}" if host else None)
            answer = function(caller, json.read(request.body))
        except ServiceError as error:
            return json.error(service, error, request_id)
        if isinstance(answer, Later):
            return answer.then(lambda found: json.answer(service, found, request_id))
        return json.answer(service, answer, request_id)


def error_response(service: str, protocol: str, error: ServiceError, request_id: str) -> HttpResponse:
    """An error as a protocol (`json`, `cbor`, `query`) says it."""
    return json.error(service, error, request_id)
