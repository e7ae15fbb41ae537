"""One client's way in: which of its calls are answered at once, and which go through botocore whole.

A call is answered straight from its operation where nobody could tell the difference: its parameters are
plainly fine, and nobody but botocore itself listens to what happens after they were built.  Who listens is
found out once, and holds until somebody registers or unregisters a handler (botocore's emitter then begins
a new cache, which is how it is noticed).  A refusal goes on through botocore with the answer that is known
already, so that retries, parsing, exceptions and metadata are botocore's own.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from botocore.history import get_global_history_recorder

from queuestream.aws.calls import Caller, Later
from queuestream.aws.front_end.front_end import error_response
from queuestream.aws.front_end.plainly_fine import plainly_fine
from queuestream.aws.in_process.adjustments import built
from queuestream.aws.in_process.listeners import listeners
from queuestream.aws.operations import OPERATIONS
from queuestream.core.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.calls import Operation, Shape
    from queuestream.aws.front_end.http import HttpResponse
    from queuestream.aws.front_end.plainly_fine import PlainlyFine
    from queuestream.aws.in_process.adjustments import Adjustments
    from queuestream.aws.in_process.carrier import Carrier

_history = get_global_history_recorder()
# Its answer goes on and on, and botocore makes the object that reads it.
_AN_EVENT_STREAM = "SubscribeToShard"

# In a Lambda function botocore adds a header to requests, which SQS makes an attribute of messages.
_TRACED = {"SendMessage", "SendMessageBatch"}

_known: ContextVar[tuple[Any, HttpResponse] | None] = ContextVar("queuestream_known_answer", default=None)


class _Route(NamedTuple):
    """How calls of one operation are answered at once.

    Attributes:
        perform: The operation.
        request_of: The request that parameters make; None where somebody else has to look at them.
        is_heard: Whether somebody wants to see the parameters first.
        succeeded: botocore's own that count successes, for their quota of retries.
    """

    perform: Operation
    request_of: PlainlyFine
    is_heard: bool
    succeeded: tuple[Callable[..., Any], ...]


class _Success:
    """All that botocore's quota of retries asks of a response."""

    status_code = 200


_SUCCESS = _Success()
_UNKNOWN: Any = object()


class Connection:
    """One client's way to `Aws`.

    Args:
        client: A client of SQS or Kinesis, of botocore or aiobotocore.  It is not kept.
        carrier: What answers its requests.
        adjustments: Where to remember what is changed on the client.
        through_botocore: botocore's own way to make a call; aiobotocore's gives a coroutine.
        may_answer: Whether calls may be answered at once; else all of them go through botocore.
    """

    def __init__(
        self,
        client: Any,
        carrier: Carrier,
        adjustments: Adjustments,
        through_botocore: Callable[..., Any],
        *,
        may_answer: bool = True,
    ) -> None:
        meta = client.meta
        self._carrier = carrier
        self._aws = carrier.aws
        self._faults = carrier.faults
        self._adjustments = adjustments
        self.through_botocore = through_botocore
        self._service: str = meta.service_model.service_name
        self._event_name: str = meta.service_model.service_id.hyphenize()
        self._content_type = f"application/x-amz-json-{meta.service_model.metadata['jsonVersion']}"
        adjustments.credentials(client)
        self._caller = Caller(
            carrier.aws,
            carrier.aws.account_of(client._request_signer._credentials.access_key),
            meta.region_name,
            base_url_of(meta.endpoint_url),
        )
        # botocore's own parts, which a botocore of tomorrow may not have: then every call goes through it.
        self._emitter = getattr(meta.events, "_emitter", meta.events)
        self._heard = getattr(self._emitter, "_lookup_cache", None)
        self._may_answer = (
            may_answer and self._heard is not None and meta.config.parameter_validation is not False
        )
        self._routes: dict[str, _Route | None] = {}

    def call(self, client: Any, name: str, parameters: Shape) -> Any:
        """Make a call as botocore's `_make_api_call` does."""
        route = self._route(client, name)
        if route is None:
            return self.through_botocore(client, name, parameters)
        if route.is_heard:
            parameters = client._emit_api_params(parameters, *_circumstances(client, name))
        refused = None
        request = route.request_of(parameters)
        if request is not None:
            try:
                answer = route.perform(self._caller, request)
                if answer.__class__ is Later:
                    answer = answer.now(self._aws.clock)
            except ServiceError as error:
                refused = error
            else:
                return self._finished(answer, route)
        with _GoingOn(client, parameters, self._response(refused)):
            return self.through_botocore(client, name, parameters)

    async def call_async(self, client: Any, name: str, parameters: Shape) -> Any:
        """The same as aiobotocore's."""
        route = self._route(client, name)
        if route is None:
            return await self.through_botocore(client, name, parameters)
        if route.is_heard:
            parameters = await client._emit_api_params(parameters, *_circumstances(client, name))
        refused = None
        request = route.request_of(parameters)
        if request is not None:
            try:
                steps = self._answer_async(route, request)
                commit = self._aws.commit
                answer = await (steps if commit is None else commit.keep(steps))
            except ServiceError as error:
                refused = error
            else:
                return self._finished(answer, route)
        with _GoingOn(client, parameters, self._response(refused)):
            return await self.through_botocore(client, name, parameters)

    async def _answer_async(self, route: _Route, request: Shape) -> Any:
        answer = route.perform(self._caller, request)
        return await answer.now_async(self._aws.clock) if answer.__class__ is Later else answer

    def _finished(self, answer: Shape | None, route: _Route) -> Shape:
        if answer is None:
            answer = {}
        request_id = self._aws.request_id()
        answer["ResponseMetadata"] = {
            "RequestId": request_id,
            "HTTPStatusCode": 200,
            "HTTPHeaders": {
                "x-amzn-requestid": request_id,
                "content-type": self._content_type,
                "date": self._carrier.date(),
            },
            "RetryAttempts": 0,
        }
        for count in route.succeeded:
            count(context={}, http_response=_SUCCESS)
        return answer

    def _response(self, refused: ServiceError | None) -> HttpResponse | None:
        if refused is None:
            return None
        return error_response(self._service, "json", refused, self._aws.request_id())

    # --- which way ---

    def _route(self, client: Any, name: str) -> _Route | None:
        """How a call is answered at once; None where it goes through botocore."""
        route: _Route | None
        if getattr(self._emitter, "_lookup_cache", None) is not self._heard:
            self._heard = self._emitter._lookup_cache
            self._routes = {}
        route = self._routes.get(name, _UNKNOWN)
        if route is _UNKNOWN:
            route = self._find_route(client, name)
        if route is None or _history._enabled or (self._faults is not None and self._faults.is_active):
            return None
        return route

    def _find_route(self, client: Any, name: str) -> _Route | None:
        if self._heard is None:
            return None
        self._adjustments.handlers(
            client,
            self._emitter,
            self._event_name,
            waits_are_virtual=self._carrier.sleeps_on is not None,
        )
        heard = self._heard = self._emitter._lookup_cache
        route = None
        perform = OPERATIONS[self._service].get(name)
        who = listeners(self._emitter, self._event_name, name)
        if self._may_answer and perform is not None and name != _AN_EVENT_STREAM and not who.to_the_wire:
            request_of = plainly_fine(self._service, name)
            if name in _TRACED:
                request_of = _unless_traced(request_of)
            route = _Route(perform, request_of, who.to_parameters, who.to_success)
            if who.to_parameters:
                self._adjustments.parameters_once(client)
        if heard is self._emitter._lookup_cache:  # else somebody has registered in the meantime
            self._routes[name] = route
        return route


class _GoingOn:
    """A call that goes on through botocore, with what is known already: parameters, perhaps an answer."""

    __slots__ = ("_known", "_parameters")

    def __init__(self, client: Any, parameters: Shape, answer: HttpResponse | None) -> None:
        self._parameters = parameters
        self._known = None if answer is None else (client._endpoint, answer)

    def __enter__(self) -> None:
        built.set(self._parameters)
        _known.set(self._known)

    def __exit__(self, *_: object) -> None:
        built.set(None)
        _known.set(None)


def known_answer(endpoint: Any) -> HttpResponse | None:
    """The answer to the request that an endpoint is about to send, where it is known; it is given once."""
    known = _known.get()
    if known is None or known[0] is not endpoint:
        return None
    _known.set(None)
    return known[1]


def base_url_of(endpoint_url: str) -> str:
    """What queue URLs begin with at an endpoint, as over HTTP."""
    url = urlsplit(endpoint_url)
    return f"{url.scheme}://{url.netloc}"


def _unless_traced(request_of: PlainlyFine) -> PlainlyFine:
    """The same, where botocore adds nothing to requests."""
    return lambda parameters: None if "_X_AMZN_TRACE_ID" in os.environ else request_of(parameters)


def _circumstances(client: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """An operation's model and the context of a call, as botocore tells them to its handlers."""
    model = client.meta.service_model.operation_model(name)
    return model, {
        "client_region": client.meta.region_name,
        "client_config": client.meta.config,
        "has_streaming_input": model.has_streaming_input,
        "auth_type": model.resolved_auth_type,
        "unsigned_payload": model.unsigned_payload,
        "auth_options": client.meta.service_model.metadata.get("auth"),
    }
