"""HTTP/2 with prior knowledge, by a client made of the library h2, which sees every frame."""

import contextlib
import json
import socket
import struct

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    PingAckReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame
from server_clients import connected, read_all, until

from queuestream.aws import FaultPlan
from queuestream.aws.front_end.front_end import FrontEnd
from queuestream.aws.server import http2, serve

QUEUE = {"QueueUrl": "http://localhost/123456789012/emails"}
RECEIVE = {**QUEUE, "MaxNumberOfMessages": 10}
POLL = {**QUEUE, "WaitTimeSeconds": 20}


class Client:
    """One connection of HTTP/2.

    Attributes:
        bodies: What came, by stream.
        heads: The responses' headers, by stream.
        ended: The streams that came to their end.
        resets: The reasons of streams that were reset.
        goodbye: The server's GOAWAY.
    """

    def __init__(self, server, window=65_535):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.local_settings = Settings(
            client=True, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window}
        )
        self.h2.initiate_connection()
        self.bodies, self.heads, self.ended, self.resets = {}, {}, set(), {}
        self.goodbye = None
        self.pings = 0
        self.gives_room = True
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, method="POST", path="/", body=b"", *, end=True, **headers):
        """Begin a request; gives the stream's number."""
        stream_id = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "localhost")]
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.h2.send_headers(stream_id, fields, end_stream=end and not body)
        self.flush()
        while body:
            piece, body = body[:16_384], body[16_384:]
            while self.h2.local_flow_control_window(stream_id) < len(piece):
                self.listen()
            self.h2.send_data(stream_id, piece, end_stream=end and not body)
            self.flush()
        return stream_id

    def operation(self, target, request, **options):
        return self.ask(
            body=json.dumps(request).encode(),
            x_amz_target=target,
            content_type="application/x-amz-json-1.0",
            **options,
        )

    def listen(self):
        """Take in what comes next; whether anything did before the server closed the connection."""
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:  # it has closed without reading all that was sent
            return False
        for event in self.h2.receive_data(data):
            stream_id = getattr(event, "stream_id", None)
            if isinstance(event, ResponseReceived):
                self.heads[stream_id] = dict(event.headers)
                self.bodies[stream_id] = b""
            elif isinstance(event, DataReceived):
                self.bodies[stream_id] += event.data
                if self.gives_room:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream_id)
            elif isinstance(event, StreamEnded):
                self.ended.add(stream_id)
            elif isinstance(event, StreamReset):
                self.resets[stream_id] = event.error_code
            elif isinstance(event, ConnectionTerminated):
                self.goodbye = event
            elif isinstance(event, PingAckReceived):
                self.pings += 1
        if data:
            # What was the last word of a server that has gone needs no answer.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.flush()
        return bool(data)

    def ping(self):
        """Return when the server has taken in everything that was sent so far."""
        pings = self.pings
        self.h2.ping(b"12345678")
        self.flush()
        while self.pings == pings:
            assert self.listen()

    def answer(self, stream_id):
        """The status and the body of a response that is complete."""
        while stream_id not in self.ended:
            assert self.listen(), "the connection was closed"
        return self.heads[stream_id][":status"], self.bodies[stream_id]


@pytest.fixture
def http2_client(server):
    with Client(server) as client:
        yield client


@pytest.fixture
def queue(server):
    return server.aws.broker().create_queue("emails")


def test_a_request_is_answered(http2_client):
    status, body = http2_client.answer(
        http2_client.operation("AmazonSQS.CreateQueue", {"QueueName": "emails"})
    )
    assert status == "200"
    assert json.loads(body) == {"QueueUrl": "http://localhost/123456789012/emails"}

    [(_, head)] = http2_client.heads.items()
    assert head["date"].endswith(" GMT")
    assert head["content-length"] == str(len(body))
    assert "connection" not in head


def test_a_head_has_no_body(http2_client):
    status, body = http2_client.answer(http2_client.ask("HEAD", "/_queuestream/health"))
    assert (status, body) == ("405", b"")


def test_a_query_and_a_path_arrive_as_they_were_sent(server, queue, http2_client):
    queue.send("hello")
    path = "/_queuestream/queues/emails/messages?limit=1"
    status, body = http2_client.answer(http2_client.ask("GET", path))
    assert (status, json.loads(body)["count"]) == ("200", 1)


def test_many_requests_share_a_connection(server, queue, http2_client):
    polls = [http2_client.operation("AmazonSQS.ReceiveMessage", POLL) for _ in range(50)]
    until(lambda: server.waiting == 50)
    for number in range(50):
        stream_id = http2_client.operation("AmazonSQS.SendMessage", {**QUEUE, "MessageBody": str(number)})
        assert http2_client.answer(stream_id)[0] == "200"

    received = [json.loads(http2_client.answer(stream_id)[1])["Messages"][0]["Body"] for stream_id in polls]

    assert sorted(received, key=int) == [str(number) for number in range(50)]


def test_a_request_may_come_in_pieces_and_be_long(http2_client):
    body = json.dumps({"QueueName": "emails"}).encode().ljust(3_000_000)
    stream_id = http2_client.ask(
        body=body, x_amz_target="AmazonSQS.CreateQueue", content_type="application/x-amz-json-1.0"
    )
    assert http2_client.answer(stream_id)[0] == "200"


def test_a_body_that_is_too_long_is_refused():
    with serve(port=0, body_bytes_max=1_000) as server, Client(server) as client:
        stream_id = client.ask(body=b"{}".ljust(1_001), x_amz_target="AmazonSQS.ListQueues")
        assert client.answer(stream_id)[0] == "413"
        assert client.answer(client.ask("GET", "/_queuestream/health"))[0] == "200"


# --- flow control ---


def fill(queue):
    """Ten messages with as much in them as one answer has."""
    for _ in range(4):
        queue.send("x" * 250_000)


@pytest.mark.parametrize("window", [0, 100, 65_535, 2**31 - 1])
def test_no_more_is_sent_than_the_client_takes(server, queue, window):
    fill(queue)
    with Client(server, window) as client:
        client.gives_room = False
        stream_id = client.operation("AmazonSQS.ReceiveMessage", RECEIVE)
        client.ping()
        client.ping()
        taken = len(client.bodies.get(stream_id, b""))
        assert taken == min(window, 65_535)  # the connection's own window

        client.gives_room = True
        if window <= 65_535:
            client.h2.increment_flow_control_window(1_000_000, stream_id)
        client.h2.increment_flow_control_window(1_000_000)
        client.flush()
        [*_, last] = json.loads(client.answer(stream_id)[1])["Messages"]
        assert len(last["Body"]) == 250_000


def test_a_client_that_allows_everything_and_reads_slowly_gets_it_all(server, queue):
    for _ in range(10):
        queue.send("x" * 1_000_000)
    with Client(server, 2**31 - 1) as client:
        client.h2.increment_flow_control_window(2**31 - 1 - 65_535)
        client.flush()
        polls = [client.operation("AmazonSQS.ReceiveMessage", QUEUE) for _ in range(10)]
        # All are on their way, which is more than sockets hold.
        until(lambda: {message.state for message in queue.peek()} == {"in_flight"})

        bodies = [json.loads(client.answer(stream_id)[1])["Messages"][0]["Body"] for stream_id in polls]

    assert [len(body) for body in bodies] == [1_000_000] * 10


def test_one_who_takes_nothing_holds_nobody_up(server, queue, http2_client):
    fill(queue)
    http2_client.gives_room = False
    http2_client.operation("AmazonSQS.ReceiveMessage", RECEIVE)
    http2_client.ping()

    with Client(server) as other:
        assert other.answer(other.ask("GET", "/_queuestream/health"))[0] == "200"


def test_a_stream_that_is_given_up_while_it_waits_for_room_ends(server, queue, http2_client):
    fill(queue)
    http2_client.gives_room = False
    stream_id = http2_client.operation("AmazonSQS.ReceiveMessage", RECEIVE)
    http2_client.ping()

    http2_client.h2.reset_stream(stream_id, ErrorCodes.CANCEL)
    http2_client.flush()

    until(lambda: not server._uvicorn.server_state.tasks)


def test_a_client_that_hangs_up_while_it_is_sent_to_ends_its_streams(server, queue):
    fill(queue)
    with Client(server) as client:
        client.gives_room = False
        client.operation("AmazonSQS.ReceiveMessage", RECEIVE)
        client.ping()

    until(lambda: not server._uvicorn.server_state.tasks)


# --- long polls and their ends ---


@pytest.fixture
def poll(server, queue, http2_client):
    """The number of a stream that waits for a message."""
    stream_id = http2_client.operation(
        "AmazonSQS.ReceiveMessage",
        {"QueueUrl": "http://localhost/123456789012/emails", "WaitTimeSeconds": 20},
    )
    until(lambda: server.waiting == 1)
    return stream_id


def test_a_long_poll_whose_stream_is_given_up_takes_no_message(server, queue, http2_client, poll):
    http2_client.h2.reset_stream(poll, ErrorCodes.CANCEL)
    http2_client.flush()
    until(lambda: server.waiting == 0)

    queue.send("hello")
    assert [message.state for message in queue.peek()] == ["visible"]


def test_a_long_poll_whose_client_hangs_up_takes_no_message(server, queue, http2_client, poll):
    http2_client.socket.close()
    until(lambda: server.waiting == 0)

    queue.send("hello")
    assert [message.state for message in queue.peek()] == ["visible"]


def test_a_client_that_opens_no_more_streams_gets_the_answers_it_waits_for(server, queue, http2_client, poll):
    http2_client.h2.close_connection()
    http2_client.socket.sendall(http2_client.h2.data_to_send())
    queue.send("hello")

    assert b"hello" in read_all(http2_client.socket)


def test_a_client_that_gives_up_for_a_reason_wants_no_answers(server, queue, http2_client, poll):
    http2_client.h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
    http2_client.socket.sendall(http2_client.h2.data_to_send())
    until(lambda: server.waiting == 0)

    queue.send("hello")
    assert [message.state for message in queue.peek()] == ["visible"]


def frames_in(data):
    """The frames that were sent, as h2 would not show them after a GOAWAY."""
    while data:
        frame, length = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9 : 9 + length]))
        data = data[9 + length :]
        yield frame


def test_when_the_server_stops_open_streams_are_answered_and_it_says_goodbye(server, http2_client, poll):
    http2_client.ping()
    server.stop()

    [goodbye, head, body] = frames_in(read_all(http2_client.socket))
    assert (goodbye.error_code, goodbye.last_stream_id) == (ErrorCodes.NO_ERROR, poll)
    assert head.stream_id == body.stream_id == poll
    assert body.data == b"{}"
    assert "END_STREAM" in body.flags


def test_a_request_that_comes_after_the_goodbye_is_to_be_sent_elsewhere(server, http2_client, poll):
    http2_client.ping()
    [connection] = server._uvicorn.server_state.connections
    server._uvicorn._loop.call_soon_threadsafe(connection.shutdown)
    late = http2_client.ask("GET", "/_queuestream/health")
    server.aws.broker().queue("emails").send("hello")

    frames = list(frames_in(read_all(http2_client.socket)))
    [refused] = [frame for frame in frames if frame.stream_id == late]
    assert refused.error_code == ErrorCodes.REFUSED_STREAM
    assert [frame.data for frame in frames if frame.stream_id == poll][-1].count(b"hello") == 1


# --- what is put up with ---


def test_what_is_no_http_2_ends_the_connection(http2_client):
    http2_client.socket.sendall(b"\x00\x00\x01\x00\x00\x00\x00\x00\x00x")  # data of no stream
    while http2_client.listen():
        pass
    assert http2_client.goodbye.error_code != ErrorCodes.NO_ERROR


def test_a_head_that_is_too_long_ends_the_connection(http2_client):
    http2_client.h2.max_outbound_frame_size = 16_384
    http2_client.ask("GET", "/_queuestream/health", **{f"x_{number}": "y" * 4_000 for number in range(20)})
    while http2_client.listen():
        pass
    assert not http2_client.heads


def test_our_own_mistake_ends_one_stream_and_not_the_connection(http2_client, monkeypatch):
    def fail(_, __):
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr(FrontEnd, "respond", fail)
        stream_id = http2_client.operation("AmazonSQS.ListQueues", {})
        while stream_id not in http2_client.resets:
            assert http2_client.listen()

    assert http2_client.resets[stream_id] == ErrorCodes.INTERNAL_ERROR
    assert http2_client.answer(http2_client.operation("AmazonSQS.ListQueues", {}))[0] == "200"


def test_half_a_preface_is_waited_for(shared_server):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    with connected(shared_server) as connection:
        for byte in preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00":
            connection.sendall(bytes([byte]))
        [length, kind] = struct.unpack(">xHB", connection.recv(4))
        assert kind == 4, length  # SETTINGS


def test_too_many_requests_are_told_so():
    with serve(port=0, connections_max=1) as server, Client(server) as one:
        assert one.answer(one.ask("GET", "/_queuestream/health"))[0] == "200"
        with Client(server) as two:
            assert two.answer(two.ask("GET", "/_queuestream/health"))[0] == "503"


def test_an_idle_connection_is_closed_and_a_request_that_never_gets_complete_is_given_up(server):
    with Client(server) as idle, Client(server) as slow:
        stream_id = slow.ask(body=b"{", end=False, x_amz_target="AmazonSQS.ListQueues")
        idle.ping()
        slow.ping()
        opened = server._uvicorn.server_state.connections

        def sweep():
            now = server._uvicorn._loop.time() + http2.REQUEST_SECONDS_MAX + 100
            for connection in list(opened):
                connection.close_if_overdue(now)

        server._uvicorn._loop.call_soon_threadsafe(sweep)

        while idle.listen():
            pass
        assert idle.goodbye.error_code == ErrorCodes.NO_ERROR
        while stream_id not in slow.resets:
            assert slow.listen()
        assert slow.answer(slow.ask("GET", "/_queuestream/health"))[0] == "200"


def test_a_lost_answer_is_a_connection_that_was_closed():
    faults = FaultPlan()
    faults.lose_answer("CreateQueue", times=1)
    with serve(port=0, faults=faults) as server, Client(server) as client:
        client.operation("AmazonSQS.CreateQueue", {"QueueName": "emails"})
        while client.listen():
            pass
        assert not client.ended
        assert server.aws.broker().queues.keys() == {"emails"}
