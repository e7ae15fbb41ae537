"""From a request on the wire to an answer on the wire: what is asked, who asks, and what comes back.

What is asked is said by X-Amz-Target for JSON and CBOR, by the parameter Action for the query protocol, and
by the path where that is a queue's (`/123456789012/emails`).  Who asks is said by the signature: its access
key names the account, its scope the region; for a request without one the host may name the region
(`sqs.eu-west-1.…`, `eu-west-1.queue.…`).

Where no credentials are given, nobody has to sign, so that curl will do; a signature that cannot be
read is refused all the same.  Where they are given, everybody has to, and it is looked at before the body.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from queuestream.aws.calls import Caller, Events, Later
from queuestream.aws.front_end.constraints import check
from queuestream.aws.front_end.errors import (
    AccessDenied,
    InvalidAddress,
    RequestEntityTooLarge,
    SerializationException,
    ServiceUnavailable,
    UnknownOperationException,
)
from queuestream.aws.front_end.http import HttpResponse
from queuestream.aws.front_end.protocols import event_stream, json, query, query_json
from queuestream.aws.front_end.reading import request_reader
from queuestream.aws.front_end.signatures import (
    IncompleteSignature,
    MissingAuthenticationToken,
    Signed,
    scope_of,
)
from queuestream.aws.front_end.tracing import traced
from queuestream.aws.operations import OPERATIONS
from queuestream.core.errors import BrokerClosed, ServiceError, StorageFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.accounts import Aws
    from queuestream.aws.calls import Operation, Shape, Waits
    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.aws.front_end.http import HttpRequest
    from queuestream.aws.front_end.signatures import Credentials
    from queuestream.core.clock import Wakeup

UNPACKED_BYTES_MAX = 32 * 1_048_576
"""How large a body may become that was sent packed; the largest request, PutRecords, has half of that."""

_TARGETS = {"AmazonSQS": "sqs", "Kinesis_20131202": "kinesis"}
_CALLERS_MAX = 64
_QUEUE_PATH = re.compile(r"/([^/]+)/([^/]+)/?")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_REGION_IN_HOST = re.compile(r"(?:sqs|kinesis)\.([a-z]{2}-[a-z-]+-\d+)\.|([a-z]{2}-[a-z-]+-\d+)\.queue\.")
# What cannot be asked of a single queue.
_NOT_OF_A_QUEUE = {"CreateQueue", "ListQueues"}
_OF_NO_QUEUE = {
    *_NOT_OF_A_QUEUE,
    "CancelMessageMoveTask",
    "GetQueueUrl",
    "ListMessageMoveTasks",
    "StartMessageMoveTask",
}


def wire_of(protocol: str) -> Any:
    """The module of a protocol: `json`, `cbor` or `query`."""
    if protocol == "cbor":
        from queuestream.aws.front_end.protocols import cbor  # noqa: PLC0415 - the extra `server`

        return cbor
    return {"json": json, "query": query}[protocol]


def unavailable(error: BrokerClosed | StorageFailed) -> ServiceUnavailable:
    """What clients are told when there is no broker any more, or it could not keep what they asked."""
    return ServiceUnavailable(error.reason if isinstance(error, BrokerClosed) else str(error))


def error_response(service: str, protocol: str, error: ServiceError, request_id: str) -> HttpResponse:
    """An error as a protocol (`json`, `cbor`, `query`) says it."""
    response: HttpResponse = wire_of(protocol).refusal(service, error, request_id)
    return response


class Call(NamedTuple):
    """One operation, asked in one protocol."""

    service: str
    operation: str
    function: Operation
    wire: Any
    read: Callable[[Any], Shape] | None  # None in the query protocol, which reads by itself


class FrontEnd:
    """AWS's wire in front of `Aws`.  Safe to share between threads.

    Args:
        aws: The accounts and regions that are asked.
        credentials: Who may ask; anybody where None.
        faults: What goes wrong on purpose.
    """

    def __init__(
        self, aws: Aws, credentials: Credentials | None = None, faults: FaultPlan | None = None
    ) -> None:
        self.aws = aws
        self.credentials = credentials
        self.faults = faults
        self._calls: dict[tuple[str, str], Call] = {}
        self._callers: dict[tuple[str | None, str | None, str | None], Caller] = {}

    def respond(self, request: HttpRequest) -> HttpResponse | Later:
        """Do what a request asks.

        Whatever a client sends is answered; nothing that it sends raises.

        Returns:
            A response, or a `Later` of one.

        Raises:
            AnswerLost: A fault plan takes the answer away.
        """
        request_id = self.aws.request_id()
        target = request.headers.get("x-amz-target")
        if request.method == "POST" and target is not None:
            return self._respond_to_target(request, target, request_id)
        if request.method in {"GET", "POST"}:
            return self._respond_to_query(request, request_id)
        return query.unaddressed(403, *_UNDETERMINED, request_id)

    # --- JSON and CBOR ---

    def _respond_to_target(self, request: HttpRequest, target: str, request_id: str) -> HttpResponse | Later:
        content_type = request.headers.get("content-type", "")
        protocol = "cbor" if "cbor" in content_type else "json"
        call = self._calls.get((target, protocol)) or self._call_of_target(target, protocol)
        if call is None:
            return _unknown_operation(target, content_type, request_id)
        wire = call.wire
        try:
            caller = self._caller(request, call.service)
            asked = call.read(wire.read(_body(request)))  # type: ignore[misc]
            if call.service == "sqs":
                asked = traced(call.operation, asked, request.headers)
            return self._perform(call, caller, asked, request_id)
        except ServiceError as error:
            response: HttpResponse = wire.refusal(call.service, error, request_id)
            return response

    def _call_of_target(self, target: str, protocol: str) -> Call | None:
        prefix, _, operation = target.partition(".")
        service = _TARGETS.get(prefix)
        function = None if service is None else OPERATIONS[service].get(operation)
        if service is None or function is None or (protocol == "cbor" and service != "kinesis"):
            return None
        read = request_reader(service, operation, cbor=protocol == "cbor")
        call = Call(service, operation, function, wire_of(protocol), read)
        self._calls[target, protocol] = call
        return call

    # --- the query protocol ---

    def _respond_to_query(self, request: HttpRequest, request_id: str) -> HttpResponse | Later:
        content_type = request.headers.get("content-type", "")
        if request.method == "POST" and "x-amz-" in content_type:  # JSON or CBOR, and no target
            return _unknown_operation("", content_type, request_id)
        wire: Any = query_json if query_json.is_asked_for(request.headers) else query
        try:
            form = _body(request) if request.method == "POST" else b""
            given = query.parameters(request.query, form)
            action = given.get("Action")
            if action is None:
                return self._undetermined(request, request_id)
            function = OPERATIONS["sqs"].get(action)
            address = _QUEUE_PATH.fullmatch(request.path)
            if function is None or (address is not None and action in _NOT_OF_A_QUEUE):
                raise UnknownOperationException(action)
            caller = self._caller(request, "sqs")
            if action not in _OF_NO_QUEUE and "QueueUrl" not in given:
                if address is None:
                    raise InvalidAddress(_address(request))
                given["QueueUrl"] = unquote(_address(request))
            asked = traced(action, query.read(action, given), request.headers)
            return self._perform(Call("sqs", action, function, wire, None), caller, asked, request_id)
        except ServiceError as error:
            response: HttpResponse = wire.refusal("sqs", error, request_id)
            return response

    def _undetermined(self, request: HttpRequest, request_id: str) -> HttpResponse:
        """The answer to a request that asks for nothing that anybody knows."""
        scope = scope_of(request)
        if scope is not None and scope.service == "kinesis":
            return query.unaddressed(403, *_UNDETERMINED, request_id)
        return query.refusal("sqs", UnknownOperationException(), request_id)

    # --- all of them ---

    def _caller(self, request: HttpRequest, service: str) -> Caller:
        """Who asks.

        Raises:
            SignatureError: The signature is missing, broken, or wrong.
            AccessDenied: Likewise, where SQS isn't asked in anybody's name.
        """
        scope = scope_of(request)
        if self.credentials is not None:
            try:
                scope = self.credentials.check(request, service)
            except MissingAuthenticationToken:
                if service == "sqs":
                    raise AccessDenied(_address(request)) from None
                raise
        elif scope is None and "authorization" in request.headers:
            Signed.of(request)
        headers = request.headers
        host = headers.get("host")
        if scope is None:
            account_id = None
            region = _region_of(host)
        else:
            account_id, region = self._account_of(scope.access_key_id), scope.region
            if _REGION.fullmatch(region) is None:
                raise IncompleteSignature("Credential should be scoped to a valid region.")
        base_url = None if host is None else f"{request.scheme}://{host}"
        key = account_id, region, base_url
        caller = self._callers.get(key)
        if caller is None:
            if len(self._callers) >= _CALLERS_MAX:  # anybody can name a host
                self._callers.clear()
            caller = self._callers[key] = Caller(self.aws, account_id, region, base_url)
        return caller

    def _account_of(self, access_key_id: str) -> str:
        known = None if self.credentials is None else self.credentials.account_of(access_key_id)
        return known or self.aws.account_of(access_key_id)

    def _perform(self, call: Call, caller: Caller, asked: Shape, request_id: str) -> HttpResponse | Later:
        """Check a request of the right types, do what it asks, and write the answer.

        Raises:
            ServiceError: It was refused.
        """
        if call.service == "kinesis":
            check("kinesis", call.operation, asked)
        faults = self.faults
        try:
            if faults is not None and faults.is_active:
                answer = faults.perform(call.service, call.operation, call.function, caller, asked)
            else:
                answer = call.function(caller, asked)
        except (BrokerClosed, StorageFailed) as closed:
            raise unavailable(closed) from None
        return _Answering(call, request_id).response(answer)


class _Answering:
    """What becomes of an operation's answer, at once or later."""

    __slots__ = ("_call", "_request_id")

    def __init__(self, call: Call, request_id: str) -> None:
        self._call = call
        self._request_id = request_id

    def response(self, answer: Any) -> HttpResponse | Later:
        """An answer as a response; a `Later` of one where it isn't there yet."""
        if isinstance(answer, Later):
            return Later(_Refusable(answer.poll), lambda found: self._later_response(answer, found))
        call = self._call
        if call.operation == "SubscribeToShard":
            return self._stream(answer["EventStream"])
        response: HttpResponse = call.wire.answer(call.service, call.operation, answer, self._request_id)
        return response

    def _later_response(self, later: Later, found: Any) -> HttpResponse | Later:
        call = self._call
        try:
            if isinstance(found, _Refused):
                raise found.error
            return self.response(later.answer(found))
        except ServiceError as error:
            refused: ServiceError = error
        except (BrokerClosed, StorageFailed) as closed:
            refused = unavailable(closed)
        response: HttpResponse = call.wire.refusal(call.service, refused, self._request_id)
        return response

    def _stream(self, events: Events) -> HttpResponse:
        wire = self._call.wire
        content_type = wire.CONTENT_TYPES[self._call.service]
        headers = {"x-amzn-requestid": self._request_id, "content-type": event_stream.CONTENT_TYPE}
        return HttpResponse(200, headers, event_stream.Frames(events, wire.write, content_type))


class _Refused(NamedTuple):
    """What a poll found: an error."""

    error: ServiceError | BrokerClosed | StorageFailed


class _Refusable:
    """A poll that finds an error instead of raising it, so that the error can be written, too."""

    __slots__ = ("_poll", "deadline_ns", "until_ns", "wakeup")

    wakeup: Wakeup
    until_ns: int
    deadline_ns: int | None

    def __init__(self, poll: Waits) -> None:
        self._poll = poll
        self.deadline_ns = poll.deadline_ns

    def attempt(self) -> Any:
        poll = self._poll
        try:
            found = poll.attempt()
        except (ServiceError, BrokerClosed, StorageFailed) as error:
            return _Refused(error)
        if found is None:  # what to wait for is another thing after each attempt
            self.wakeup = poll.wakeup
            self.until_ns = poll.until_ns
            self.deadline_ns = poll.deadline_ns
        return found

    def expire(self) -> None:
        self._poll.expire()

    def close(self) -> None:
        self._poll.close()


_UNDETERMINED = (
    "AccessDeniedException",
    "Unable to determine service/operation name to be authorized",
)


def _unknown_operation(target: str, content_type: str, request_id: str) -> HttpResponse:
    """The answer to a target that nobody knows, in the words of the service that it looks meant for."""
    if "cbor" in content_type:
        return error_response("kinesis", "cbor", UnknownOperationException(), request_id)
    service = _TARGETS.get(target.partition(".")[0]) or ("kinesis" if "json-1.1" in content_type else "sqs")
    return error_response(service, "json", UnknownOperationException(), request_id)


def _region_of(host: str | None) -> str | None:
    """The region in a host's name."""
    found = None if host is None or host.startswith(("localhost", "127.")) else _REGION_IN_HOST.match(host)
    return None if found is None else found[1] or found[2]


def _address(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.headers.get('host', '')}{request.path}"


def _body(request: HttpRequest) -> bytes:
    """A request's body, unpacked where it was sent packed.

    Raises:
        SerializationException: It isn't packed as it says.
        RequestEntityTooLarge: There is more in it than any request has.
    """
    encoding = request.headers.get("content-encoding")
    if encoding is None or encoding.strip().lower() in {"", "identity"}:
        return request.body
    if encoding.strip().lower() != "gzip":
        raise SerializationException
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = unpacker.decompress(request.body, UNPACKED_BYTES_MAX)
    except zlib.error:
        raise SerializationException from None
    if unpacker.unconsumed_tail:
        raise RequestEntityTooLarge
    if not unpacker.eof:
        raise SerializationException
    return body
