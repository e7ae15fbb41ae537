"""A connection: which HTTP it speaks, and how much of it is put up with.

Clients that know beforehand that a server speaks HTTP/2 begin with its preface; the Kinesis client of
the AWS SDK for JavaScript does.  A connection that begins so is handed to `http2`, every other one
is uvicorn's own business, by httptools: `Http1` only adds what uvicorn leaves open, a limit to the
size of a request's head, and an end to requests that never get complete.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from queuestream.aws.server.http2 import REQUEST_SECONDS_MAX, Http2, too_busy

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

HEAD_BYTES_MAX = 64 * 1024

_LINGERING_SECONDS = 1.0
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class HeadTooLong(Exception):
    """A request line with its headers that is too long."""


class Http1(HttpToolsProtocol):
    """A connection that speaks HTTP/1.1, until it turns out to speak HTTP/2.

    Args:
        config: uvicorn's.
        server_state: Where uvicorn keeps its connections and tasks.
        app_state: What each request finds in its scope's `state`.
        connections_max: How many connections there may be; one more is told so, and all others go on.

    Attributes:
        waiting_since: Since when the rest of a request is waited for, in the loop's time; None while it
            is not.
    """

    transport: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connections_max: int,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._connections_max = connections_max
        self._beginning: bytes | None = b""
        self._head_bytes = 0
        self._in_head = True
        self._is_refused = False
        self.waiting_since: float | None = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        super().connection_made(transport)  # type: ignore[arg-type]
        # uvicorn makes each request's scope["state"] a copy of it.
        self.app_state = {**self.app_state, "hang_up": self.transport.abort}
        if len(self.connections) > self._connections_max:
            self.app = too_busy
            if len(self.connections) > 2 * self._connections_max:  # they don't even listen
                self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._is_refused:
            return
        if self._beginning is not None:
            data = self._beginning + data
            if len(data) < len(_PREFACE) and _PREFACE.startswith(data):
                self._beginning = data
                return
            self._beginning = None
            if data.startswith(_PREFACE):
                self._speak_http2(data)
                return
        if self._in_head:
            # A header is told when it is complete; this counts one that never gets so.
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES_MAX and not self._is_refused:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self.waiting_since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head of a request is complete."""
        self._in_head = False
        self._head_bytes = 0
        head_bytes = len(self.url) + sum([len(name) + len(value) for name, value in self.headers])
        if head_bytes > HEAD_BYTES_MAX:
            self._head_bytes = head_bytes
            raise HeadTooLong
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is complete."""
        self.waiting_since = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or too long a head of one."""
        if self._head_bytes <= HEAD_BYTES_MAX:
            super().send_400_response(msg)
            return
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self.transport.write(
            f"HTTP/1.1 {status} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
        )
        # Closed at once, with something unread, the connection would be reset, and the answer lost.
        self._is_refused = True
        self.transport.write_eof()
        self.loop.call_later(_LINGERING_SECONDS, self.transport.close)

    def _unsupported_upgrade_warning(self) -> None:
        """Some clients ask for HTTP/2 or a web socket in a header; they are answered as if they had not."""
        self.cycle.keep_alive = False  # httptools reads no further

    def close_if_overdue(self, now: float) -> None:
        """Close the connection if the rest of a request has been waited for too long."""
        if self.waiting_since is not None and now - self.waiting_since > REQUEST_SECONDS_MAX:
            self.transport.close()

    def _speak_http2(self, data: bytes) -> None:
        self.connections.discard(self)
        self.waiting_since = None
        successor = Http2(self.config, self.server_state, self.app_state, self.loop, self.app)
        self.transport.set_protocol(successor)
        successor.connection_made(self.transport)
        successor.data_received(data)
