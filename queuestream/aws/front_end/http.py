"""A request and a response as values, for whoever carries them: a server, botocore's endpoint, a test.

Nothing here knows sockets.  A body is bytes, except that of SubscribeToShard, which goes on: an
`EventBody` is asked for the next piece, and says what to wait for where there is none yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from queuestream.core.clock import Wakeup

Headers = dict[str, str]


@attrs.define(eq=False)
class HttpRequest:
    """What a client asks.  Made for every request, so it isn't frozen; don't change it.

    Attributes:
        method: `POST`.
        path: As it was sent, percent-encoded.
        query: What follows the question mark, percent-encoded.
        headers: By lower-case name.
        body: All of it.
        scheme: `http` or `https`; queue URLs begin with it.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    scheme: str = "http"


class EventBody(Protocol):
    """A body that goes on: pieces of it, and what to wait for between them.

        while not body.ended:
            piece = body.attempt()
            if piece is None and not body.ended:
                clock.wait(body.wakeup, body.until_ns)

    Attributes:
        ended: Whether no more pieces come.
    """

    ended: bool

    @property
    def wakeup(self) -> Wakeup:
        """Set when there may be a piece; another one after each attempt."""

    @property
    def until_ns(self) -> int:
        """When to try again if nobody sets it."""

    def attempt(self) -> bytes | None:
        """The next piece; None while there is none."""

    def close(self) -> None:
        """Stop, as when the client has gone; safe to call at any time."""


@attrs.define(eq=False)
class HttpResponse:
    """What the client is answered.

    Attributes:
        status: `200`.
        headers: By lower-case name, without Content-Length and Date, which are the carrier's.
        body: The bytes, or an `EventBody`.
    """

    status: int
    headers: Headers
    body: bytes | EventBody
