"""What stands where botocore's endpoint would open a socket: a prepared request in, a response out.

By then botocore has validated, serialised and signed the request, and the user's handlers have seen it; what
comes back is parsed, checked and retried by botocore as if it had come over the network.
"""

from __future__ import annotations

from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from queuestream.aws.calls import Later
from queuestream.aws.faults import AnswerLost
from queuestream.aws.front_end.front_end import FrontEnd
from queuestream.aws.front_end.http import HttpRequest, HttpResponse
from queuestream.core.clock import SECOND, SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from queuestream.aws.accounts import Aws
    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.aws.front_end.http import EventBody
    from queuestream.core.clock import Clock
    from queuestream.storage.async_commit import AsyncCommit

_UNAVAILABLE = 503


class Carrier:
    """Takes the requests of botocore's endpoints to `Aws`.

    Args:
        aws: The accounts and regions that answer.
        faults: What goes wrong on purpose.

    Attributes:
        sleeps_on: The clock that waiters and retries sleep on; None where it is the machine's.
    """

    def __init__(self, aws: Aws, faults: FaultPlan | None = None) -> None:
        self.aws = aws
        self.faults = faults
        self.front_end = FrontEnd(aws, faults=faults)
        self.sleeps_on: Clock | None = None if type(aws.clock) is SystemClock else aws.clock
        self._dated = -1, ""

    def date(self) -> str:
        """What the header Date says now."""
        second = self.aws.clock.now_ns() // SECOND
        dated = self._dated
        if dated[0] != second:
            dated = self._dated = second, formatdate(second, usegmt=True)
        return dated[1]

    def send(self, request: Any) -> AWSResponse:
        """Answer one of botocore's prepared requests, after waiting where there is something to wait for."""
        try:
            answer = self.front_end.respond(_http_request(request))
            if isinstance(answer, Later):
                answer = answer.now(self.aws.clock)
        except AnswerLost as lost:
            raise _as_a_client_sees(lost, request) from None
        self._check_open(answer)
        return self.response(request, answer)

    async def send_async(self, request: Any) -> AWSResponse:
        """The same for aiobotocore, without a thread."""
        try:
            steps = self._respond_async(_http_request(request))
            commit = self.aws.commit
            answer = await (steps if commit is None else commit.keep(steps))
        except AnswerLost as lost:
            raise _as_a_client_sees(lost, request) from None
        self._check_open(answer)
        return self.response_async(request, answer)

    async def _respond_async(self, request: HttpRequest) -> HttpResponse:
        answer = self.front_end.respond(request)
        if isinstance(answer, Later):
            answered: HttpResponse = await answer.now_async(self.aws.clock)
            return answered
        return answer

    def _check_open(self, answer: HttpResponse) -> None:
        """Over HTTP a closed broker is a service that is unavailable; in its own process it is what it is.

        Raises:
            BrokerClosed: One was closed, so that nobody tries again.
        """
        if answer.status == _UNAVAILABLE:
            for broker in self.aws.brokers():
                broker.check_open()

    def response(self, request: Any, answer: HttpResponse) -> AWSResponse:
        """What botocore's endpoint makes of an answer."""
        return self._response(AWSResponse, _EventStream, request, answer)

    def response_async(self, request: Any, answer: HttpResponse) -> AWSResponse:
        """What aiobotocore's endpoint makes of an answer."""
        from aiobotocore.awsrequest import AioAWSResponse  # noqa: PLC0415 - only who uses it has it

        stream = partial(_AsyncEventStream, commit=self.aws.commit)
        return self._response(AioAWSResponse, stream, request, answer)

    def _response(self, kind: Any, stream: Any, request: Any, answer: HttpResponse) -> AWSResponse:
        body = answer.body
        if isinstance(body, bytes):
            response = kind(request.url, answer.status, self._headers(answer, len(body)), None)
            response._content = body
            return response
        return kind(request.url, answer.status, self._headers(answer), stream(body, self.aws.clock))

    def _headers(self, answer: HttpResponse, length: int | None = None) -> dict[str, str]:
        headers = {**answer.headers, "Date": self.date()}
        if length is not None:
            headers["Content-Length"] = str(length)
        return headers


def _http_request(request: Any) -> HttpRequest:
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    headers.setdefault("host", url.netloc)  # which botocore leaves to its HTTP library
    body = request.body
    if isinstance(body, str):  # a handler has put it there
        body = body.encode()
    return HttpRequest(request.method, url.path or "/", url.query, headers, bytes(body or b""), url.scheme)


def _as_a_client_sees(lost: AnswerLost, request: Any) -> Exception:
    error: Exception = (
        ConnectionClosedError(endpoint_url=request.url, error=lost)
        if lost.closed
        else ReadTimeoutError(endpoint_url=request.url, error=lost)
    )
    return error


class _EventStream:
    """The body of SubscribeToShard as botocore reads it: piece by piece, waiting between them."""

    def __init__(self, body: EventBody, clock: Clock) -> None:
        self._body = body
        self._clock = clock

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        body = self._body
        while not body.ended:
            piece = body.attempt()
            if piece is not None:
                yield piece
            elif not body.ended:
                self._clock.wait(body.wakeup, body.until_ns)

    def close(self) -> None:
        self._body.close()


class _AsyncEventStream:
    """The same as aiobotocore reads it, which knows aiohttp's responses."""

    def __init__(self, body: EventBody, clock: Clock, commit: AsyncCommit | None) -> None:
        self._body = body
        self._clock = clock
        self._commit = commit

    @property
    def content(self) -> _AsyncEventStream:
        return self

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        body, commit = self._body, self._commit
        while not body.ended:
            piece = body.attempt() if commit is None else await commit.call(body.attempt)
            if piece is not None:
                yield piece, True
            elif not body.ended:
                await self._clock.wait_async(body.wakeup, body.until_ns)

    def close(self) -> None:
        self._body.close()
