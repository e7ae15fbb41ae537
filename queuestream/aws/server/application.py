"""The server as an ASGI application: from a request of HTTP to the front end, and back.

It reads bodies no longer than it is willing to keep, asks `visitors` who may come in, hands requests below
`/_queuestream/` to `control` and all others to the front end, and lets those wait whose answers take time.
It knows no socket and no server; `hang_up` in a scope's `state` closes the connection without an answer,
which a fault plan may ask for.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from queuestream.aws.calls import Later
from queuestream.aws.faults import AnswerLost
from queuestream.aws.front_end.errors import RequestEntityTooLarge
from queuestream.aws.front_end.front_end import error_response, unavailable
from queuestream.aws.front_end.http import HttpRequest, HttpResponse
from queuestream.aws.server.control import PREFIX
from queuestream.aws.server.waiting import ClientLeft, Presence
from queuestream.core.errors import StorageFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from queuestream.aws.front_end.front_end import FrontEnd
    from queuestream.aws.server.control import Control
    from queuestream.aws.server.visitors import Visitors
    from queuestream.aws.server.waiting import Waiting
    from queuestream.core.errors import ServiceError

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_DRAINED_BYTES_MAX = 32 * 1024 * 1024

_log = logging.getLogger("queuestream.server")


class Application:
    """What answers HTTP requests.

    Args:
        front_end: Speaks AWS.
        control: Answers below `/_queuestream/`.
        visitors: Who may come in.
        waiting: Where those wait whose answers take time.
        body_bytes_max: The longest body of a request.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        control: Control,
        visitors: Visitors,
        waiting: Waiting,
        body_bytes_max: int,
    ) -> None:
        self._front_end = front_end
        self._control = control
        self._visitors = visitors
        self._waiting = waiting
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        request = _request_of(scope)
        presence = Presence(lambda: _left(receive))
        try:
            response = await self._response(request, receive, presence)
            greeting = self._visitors.greeting(request)
            if greeting:
                response.headers = {**response.headers, **greeting}
            await self._send(response, presence, send)
            if _log.isEnabledFor(logging.INFO):
                _log.info("%s %s %s: %d", request.method, request.path, _asked(request), response.status)
        except ClientLeft:
            _log.debug("%s %s: the client left", request.method, request.path)
        except AnswerLost as lost:
            if not lost.closed:
                await _left(receive)
            scope["state"]["hang_up"]()
        finally:
            presence.forget()

    async def _response(self, request: HttpRequest, receive: Receive, presence: Presence) -> HttpResponse:
        refusal = self._visitors.refusal(request)
        if refusal is not None:
            return refusal
        preflight = self._visitors.preflight(request)
        if preflight is not None:
            return preflight
        body = await self._body(request, receive)
        if body is None:
            return _too_long(request)
        request.body = body
        steps = self._answer(request, presence)
        commit = self._front_end.aws.commit
        if commit is None:
            return await steps
        try:
            return await commit.keep(steps)
        except StorageFailed as failure:
            return _refusal(request, unavailable(failure))

    async def _answer(self, request: HttpRequest, presence: Presence) -> HttpResponse:
        if request.path.startswith(PREFIX):
            return self._control.respond(request)
        answer = self._front_end.respond(request)
        if isinstance(answer, Later):
            answered: HttpResponse = await self._waiting.answer(answer, presence)
            return answered
        return answer

    async def _body(self, request: HttpRequest, receive: Receive) -> bytes | None:
        """A request's body; None where it is too long.

        Of a body that is somewhat too long the rest is read, too, since many clients listen to no
        answer before they have sent all.
        """
        length = request.headers.get("content-length", "0")
        if (
            length.isascii()
            and length.isdigit()
            and int(length[:16]) > self._body_bytes_max + _DRAINED_BYTES_MAX
        ):
            return None
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            piece = message.get("body", b"")
            size += len(piece)
            if size <= self._body_bytes_max:
                pieces.append(piece)
            elif size > self._body_bytes_max + _DRAINED_BYTES_MAX:
                return None
            if not message.get("more_body"):
                break
        if size > self._body_bytes_max:
            return None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _send(self, response: HttpResponse, presence: Presence, send: Send) -> None:
        fields = response.headers.items()
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        body = response.body
        if isinstance(body, bytes):
            headers.append((b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async with aclosing(self._waiting.pieces(body, presence)) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _request_of(scope: Scope) -> HttpRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # A name that comes twice is a list of values (RFC 9110).
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return HttpRequest(
        method=scope["method"],
        path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"",
        scheme=scope["scheme"],
    )


def _too_long(request: HttpRequest) -> HttpResponse:
    """What AWS says to a body that it won't read."""
    response = _refusal(request, RequestEntityTooLarge())
    response.headers["Connection"] = "close"  # what was not read cannot be told from a next request
    return response


def _refusal(request: HttpRequest, error: ServiceError) -> HttpResponse:
    """An error, in the protocol of a request that the front end does not answer."""
    target = request.headers.get("x-amz-target")
    protocol = "query"
    if target is not None:
        protocol = "cbor" if "cbor" in request.headers.get("content-type", "") else "json"
    service = "sqs" if target is None or target.startswith("AmazonSQS.") else "kinesis"
    return error_response(service, protocol, error, str(uuid.uuid4()))


async def _left(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _asked(request: HttpRequest) -> str:
    return request.headers.get("x-amz-target", request.query.partition("&")[0])
