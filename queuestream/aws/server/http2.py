"""A connection that speaks HTTP/2: many requests at a time, each given to the application as by uvicorn.

The library `h2` knows the protocol: frames, header compression, states, and what a client may not do.
What is left to us is to move bytes, to keep one task for each stream, and to send no more
than the client has said it takes (flow control), of each stream and of the connection.

Bodies of requests are kept until the application reads them, which it does at once, and refuses what is too
long; so windows are opened again as data comes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, GoAwayFrame

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

STREAMS_MAX = 1_000
TASKS_MAX = 10_000
REQUEST_SECONDS_MAX = 60.0
_WINDOW_BYTES = 1024 * 1024
_HEAD_BYTES_MAX = 64 * 1024
# Headers that are HTTP/1.1's own (RFC 9113, 8.2.2).
_OF_A_CONNECTION = {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade"}

_log = logging.getLogger("queuestream.server")


class Http2(asyncio.Protocol):
    """A connection that speaks HTTP/2.

    Args:
        config: uvicorn's.
        server_state: Where uvicorn keeps its connections and tasks.
        app_state: What each request finds in its scope's `state`.
        loop: The event loop.
        app: The ASGI application.

    Attributes:
        waiting_since: Since when there has been no stream, in the loop's time; None while there is one.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        app: Any,
    ) -> None:
        self.config = config
        self.app = app
        self.app_state = app_state
        self.loop = loop
        self.server_state = server_state
        self.waiting_since: float | None = loop.time()
        self._streams: dict[int, Stream] = {}
        self._is_closing = False
        self._last_stream_id = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self.h2 = _Connection(H2Configuration(client_side=False, header_encoding=None))
        # Updating them would say them only when the client has confirmed what it was told first.
        self.h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS_MAX,
                SettingCodes.MAX_HEADER_LIST_SIZE: _HEAD_BYTES_MAX,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW_BYTES,
            },
        )

    # --- asyncio's protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self.transport = cast("asyncio.Transport", transport)
        self.server_state.connections.add(self)  # type: ignore[arg-type]
        self.server = transport.get_extra_info("sockname")
        self.client = transport.get_extra_info("peername")
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(_WINDOW_BYTES)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.server_state.connections.discard(self)
        self._is_closing = True
        self._writable.set()
        for stream in list(self._streams.values()):
            stream.leave()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        try:
            for event in self.h2.receive_data(data):
                self._handle(event)
        except ProtocolError as error:
            _log.debug("A client broke HTTP/2: %s", error)
            self.flush()  # h2 has written the GOAWAY
            self.transport.close()
            return
        self.flush()

    def eof_received(self) -> None:
        """The client says no more; asyncio closes the connection."""

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    # --- what the server asks ---

    def shutdown(self) -> None:
        """Take no more requests, and close when all are answered."""
        if not self._is_closing:
            self._is_closing = True
            # h2's own way to say so would let no stream end properly.
            self.transport.write(GoAwayFrame(last_stream_id=self._last_stream_id).serialize())
        self._close_if_done()

    def close_if_overdue(self, now: float) -> None:
        """Close a connection that has been idle for too long; end streams that never get complete."""
        if self.waiting_since is not None and now - self.waiting_since > self.config.timeout_keep_alive:
            self.shutdown()
        for stream in list(self._streams.values()):
            if stream.is_incomplete and now - stream.began > REQUEST_SECONDS_MAX:
                self.h2.reset_stream(stream.stream_id, ErrorCodes.CANCEL)
                stream.leave()
        self.flush()

    # --- what streams ask ---

    def flush(self) -> None:
        """Write what h2 has to say."""
        data = self.h2.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    async def writable(self) -> None:
        """Return when the client keeps up with reading."""
        await self._writable.wait()

    def ended(self, stream: Stream) -> None:
        """A stream's application has returned."""
        self._streams.pop(stream.stream_id, None)
        self.server_state.total_requests += 1
        if not self._streams:
            self.waiting_since = self.loop.time()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._is_closing and not self._streams:
            self.transport.close()

    # --- h2's events ---

    def _handle(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            assert event.stream_id is not None
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if (stream := self._streams.get(event.stream_id)) is not None:
                stream.feed(event.data or b"")
        elif isinstance(event, StreamEnded):
            if (stream := self._streams.get(event.stream_id or 0)) is not None:
                stream.end_of_body()
        elif isinstance(event, StreamReset):
            if (stream := self._streams.get(event.stream_id or 0)) is not None:
                stream.leave()
        elif isinstance(event, (WindowUpdated, RemoteSettingsChanged)):
            for stream in self._streams.values():
                stream.window_moved()
        elif isinstance(event, ConnectionTerminated):
            self._is_closing = True
            if event.error_code != ErrorCodes.NO_ERROR:  # it wants nothing more of us
                for stream in list(self._streams.values()):
                    stream.leave()
            self._close_if_done()

    def _begin(self, event: RequestReceived) -> None:
        stream_id = event.stream_id
        assert stream_id is not None
        if self._is_closing:
            self.h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._last_stream_id = stream_id
        self.waiting_since = None
        scope = self._scope(event.headers or [])
        stream = self._streams[stream_id] = Stream(self, stream_id, scope["method"] == "HEAD")
        tasks = self.server_state.tasks
        task = self.loop.create_task(stream.run(too_busy if len(tasks) >= TASKS_MAX else self.app, scope))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _scope(self, fields: list[tuple[bytes, bytes]]) -> dict[str, Any]:
        pseudo = {name: value for name, value in fields if name.startswith(b":")}
        headers = [(name, value) for name, value in fields if not name.startswith(b":")]
        if b":authority" in pseudo:
            headers = [(name, value) for name, value in headers if name != b"host"]
            headers.insert(0, (b"host", pseudo[b":authority"]))
        path, _, query = pseudo.get(b":path", b"/").partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "2",
            "server": self.server,
            "client": self.client,
            "scheme": "http",
            "method": pseudo[b":method"].decode("latin-1"),
            "root_path": "",
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": headers,
            "state": {**self.app_state, "hang_up": self.transport.abort},
        }


class _Connection(H2Connection):
    """h2's, in which a client that opens no more streams still gets its answers (RFC 9113, 6.8).

    With a GOAWAY h2 ends the whole connection.  JavaScript's SDK sends one after each request, while
    it still reads what a subscription says.
    """

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        if frame.error_code != ErrorCodes.NO_ERROR:
            return super()._receive_goaway_frame(frame)
        event = ConnectionTerminated()
        event.error_code = ErrorCodes.NO_ERROR
        event.last_stream_id = frame.last_stream_id
        return [], [event]


class Stream:
    """One request and its response.

    Args:
        connection: Where it came in.
        stream_id: Its number there.
        is_head: Whether only the head of the response is sent.

    Attributes:
        began: When, in the loop's time.
    """

    def __init__(self, connection: Http2, stream_id: int, is_head: bool) -> None:
        self.stream_id = stream_id
        self.began = connection.loop.time()
        self._connection = connection
        self._is_head = is_head
        self._body = bytearray()
        self._body_complete = False
        self._has_left = False
        self._news = asyncio.Event()  # for the application that reads
        self._window = asyncio.Event()  # for the application that writes
        self._head: list[tuple[bytes, bytes]] | None = None
        self._complete = False

    @property
    def is_incomplete(self) -> bool:
        """Whether a part of the request is still to come."""
        return not (self._body_complete or self._has_left)

    # --- the connection tells ---

    def feed(self, data: bytes) -> None:
        """A piece of the request's body."""
        if not self._complete:
            self._body += data
            self._news.set()

    def end_of_body(self) -> None:
        """The request is complete."""
        self._body_complete = True
        self._news.set()

    def leave(self) -> None:
        """The client has given the stream up."""
        self._has_left = True
        self._news.set()
        self._window.set()

    def window_moved(self) -> None:
        """There may be room to send."""
        self._window.set()

    # --- the application ---

    async def run(self, app: Any, scope: dict[str, Any]) -> None:
        """Have the application answer; whatever it does, the stream ends."""
        try:
            await app(scope, self._receive, self._send)
        except Exception:  # noqa: BLE001 - one request's failure is not the connection's
            _log.exception("The application failed")
        finally:
            self._finish()
            self._connection.ended(self)

    def _finish(self) -> None:
        h2 = self._connection.h2
        try:
            if not self._complete and not self._has_left:
                h2.reset_stream(self.stream_id, ErrorCodes.INTERNAL_ERROR)
            elif self._complete and not self._body_complete and not self._has_left:
                # Answered before all was read: what is still coming is not wanted.
                h2.reset_stream(self.stream_id, ErrorCodes.NO_ERROR)
        except ProtocolError:
            return  # the connection has ended
        self._connection.flush()

    async def _receive(self) -> dict[str, Any]:
        while True:
            if self._has_left or self._complete:
                return {"type": "http.disconnect"}
            if self._news.is_set():
                self._news.clear()
                body, self._body = bytes(self._body), bytearray()
                return {"type": "http.request", "body": body, "more_body": not self._body_complete}
            await self._news.wait()

    async def _send(self, message: dict[str, Any]) -> None:
        if self._has_left:
            return
        if message["type"] == "http.response.start":
            date = self._connection.server_state.default_headers
            fields = [(b":status", b"%d" % message["status"]), *date]
            for name, value in message["headers"]:
                lower = name.lower()
                if lower not in _OF_A_CONNECTION:
                    fields.append((lower, value))
            self._head = fields
            return
        body: bytes = b"" if self._is_head else message.get("body", b"")
        more_body: bool = message.get("more_body", False)
        h2 = self._connection.h2
        try:
            if self._head is not None:
                head, self._head = self._head, None
                h2.send_headers(self.stream_id, head, end_stream=not body and not more_body)
                if body or more_body:
                    await self._send_data(body, end=not more_body)
            else:
                await self._send_data(body, end=not more_body)
        except ProtocolError:  # the stream or the connection has ended meanwhile
            self._has_left = True
            return
        self._connection.flush()
        if not more_body:
            self._complete = True
            self._news.set()

    async def _send_data(self, body: bytes, *, end: bool) -> None:
        h2, connection, stream_id = self._connection.h2, self._connection, self.stream_id
        if not body:
            if end:
                h2.send_data(stream_id, b"", end_stream=True)
            return
        rest = memoryview(body)
        while rest:
            room = min(h2.local_flow_control_window(stream_id), h2.max_outbound_frame_size)
            if room <= 0:
                connection.flush()
                self._window.clear()
                await self._window.wait()
                if self._has_left:
                    return
                continue
            piece, rest = rest[:room], rest[room:]
            h2.send_data(stream_id, bytes(piece), end_stream=end and not rest)
            connection.flush()
            await connection.writable()
            if self._has_left:
                return


async def too_busy(_scope: Any, _receive: Any, send: Any) -> None:
    """The application in place of the other one where there are too many connections or requests (ASGI)."""
    body = b"This server has as many connections as it takes.\n"
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
