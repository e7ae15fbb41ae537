"""HTTP/1.1: what is put up with, and what a fault plan does to a connection."""

import gzip
import json

import pytest
from botocore.exceptions import ConnectionClosedError
from server_clients import ask, client, connected, read_all, until

from queuestream.aws import FaultPlan
from queuestream.aws.server import connections, serve

LIST_QUEUES = {"X_Amz_Target": "AmazonSQS.ListQueues", "Content_Type": "application/x-amz-json-1.0"}


@pytest.fixture(scope="module")
def small_server():
    """A server that takes short bodies and few connections."""
    with serve(port=0, body_bytes_max=1_000, connections_max=3) as server:
        yield server


def test_a_body_may_be_as_long_as_is_said(small_server):
    assert ask(small_server, "POST", "/", "{}".ljust(1_000), **LIST_QUEUES).status == 200
    answer = ask(small_server, "POST", "/", "{}".ljust(1_001), **LIST_QUEUES)

    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert "too large" in answer.json["message"]


def test_a_body_that_does_not_say_its_length_is_counted(small_server):
    def chunked(size):
        piece = b"%x\r\n%s\r\n" % (100, b" " * 100)
        with connected(small_server) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
                b"X-Amz-Target: AmazonSQS.ListQueues\r\nContent-Type: application/x-amz-json-1.0\r\n\r\n"
                b"2\r\n{}\r\n" + piece * (size // 100) + b"0\r\n\r\n"
            )
            return read_all(connection).partition(b"\r\n")[0]

    assert chunked(900) == b"HTTP/1.1 200 OK"
    assert chunked(1_000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("target", ["AmazonSQS.SendMessage", "Kinesis_20131202.PutRecord", ""])
def test_a_body_that_is_far_too_long_is_not_read(small_server, target):
    with connected(small_server) as connection:
        connection.sendall(
            f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**40}\r\n"
            f"{f'X-Amz-Target: {target}' if target else 'X-Nothing: x'}\r\n\r\n".encode()
        )
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"X-Long: " + b"x" * 100_000,  # and no end
        b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
    ],
    ids=["long", "endless", "many"],
)
def test_a_head_that_is_too_long_is_refused(shared_server, head):
    with connected(shared_server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + head)
        assert read_all(connection).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


def test_a_path_that_is_too_long_is_refused(shared_server):
    with connected(shared_server) as connection:
        connection.sendall(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\x02\x00", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"PRI * X\r\n"]
)
def test_what_is_no_http_is_refused_and_closed(shared_server, nonsense):
    with connected(shared_server) as connection:
        connection.sendall(nonsense + b"\r\n" * 20)
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def test_a_request_may_come_byte_by_byte(shared_server):
    with connected(shared_server) as connection:
        for byte in b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert read_all(connection).startswith(b"HTTP/1.1 ")


def test_requests_may_follow_each_other_without_waiting(shared_server):
    with connected(shared_server) as connection:
        health = b"GET /_queuestream/health HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall((health + b"\r\n") * 4 + health + b"Connection: close\r\n\r\n")
        assert read_all(connection).count(b"HTTP/1.1 200 OK\r\n") == 5


def test_who_asks_for_another_protocol_is_answered_in_this_one(shared_server):
    with connected(shared_server) as connection:
        connection.sendall(
            b"GET /_queuestream/health HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n"
            b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
        )
        assert read_all(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_expects_to_be_told_to_go_on_is_told(shared_server):
    with connected(shared_server) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
            b"Connection: close\r\nX-Amz-Target: AmazonSQS.ListQueues\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        connection.sendall(b"{}")
        assert read_all(connection).startswith(b"HTTP/1.1 200 OK\r\n")


HEALTH = b"GET /_queuestream/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_one_connection_too_many_is_told_so_and_the_others_go_on(small_server):
    with connected(small_server) as one, connected(small_server) as two, connected(small_server) as three:
        for connection in (one, two, three):
            connection.sendall(HEALTH)
            assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")
        answer = ask(small_server, "GET", "/_queuestream/health")
        assert (answer.status, answer.headers["connection"]) == (503, "close")

        one.sendall(HEALTH)
        assert one.recv(10_000).startswith(b"HTTP/1.1 200 ")


def test_those_who_come_in_crowds_are_not_even_listened_to():
    with serve(port=0, connections_max=1) as server, connected(server) as one, connected(server) as two:
        one.sendall(HEALTH)
        assert one.recv(10_000).startswith(b"HTTP/1.1 200 ")
        with connected(server) as three:
            assert closes(three)
        two.sendall(HEALTH)
        assert two.recv(10_000).startswith(b"HTTP/1.1 503 ")


def closes(connection):
    """Whether the server closes a connection without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_request_that_never_gets_complete_is_given_up(server):
    with connected(server) as silent, connected(server) as slow, connected(server) as fine:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        fine.sendall(b"GET /_queuestream/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert fine.recv(10_000).startswith(b"HTTP/1.1 200 ")
        opened = server._uvicorn.server_state.connections
        until(lambda: len(opened) == 3)

        def sweep():
            now = server._uvicorn._loop.time() + connections.REQUEST_SECONDS_MAX + 1
            for connection in list(opened):
                connection.close_if_overdue(now)

        server._uvicorn._loop.call_soon_threadsafe(sweep)

        assert read_all(silent) == b""
        assert read_all(slow) == b""
        fine.sendall(b"GET /_queuestream/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert fine.recv(10_000).startswith(b"HTTP/1.1 200 ")


def test_a_packed_body_is_unpacked(shared_server):
    body = gzip.compress(json.dumps({"QueueName": "packed"}).encode())
    answer = ask(
        shared_server,
        "POST",
        "/",
        body,
        X_Amz_Target="AmazonSQS.CreateQueue",
        Content_Type="application/x-amz-json-1.0",
        Content_Encoding="gzip",
    )

    assert answer.json["QueueUrl"].endswith("/packed")


# --- fault plans ---


def test_a_lost_answer_is_a_connection_that_was_closed():
    faults = FaultPlan()
    with serve(port=0, faults=faults) as server:
        sqs = client(server, "sqs")
        url = sqs.create_queue(QueueName="emails")["QueueUrl"]
        faults.lose_answer("SendMessage", times=1)

        with pytest.raises(ConnectionClosedError):
            sqs.send_message(QueueUrl=url, MessageBody="hello")

        assert [message.body for message in server.aws.broker().queue("emails").peek()] == ["hello"]
        sqs.send_message(QueueUrl=url, MessageBody="again")


def test_an_answer_that_never_comes_is_waited_for_by_the_client_alone():
    faults = FaultPlan()
    with serve(port=0, faults=faults) as server, connected(server) as connection:
        faults.time_out("ListQueues", times=1)
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"X-Amz-Target: AmazonSQS.ListQueues\r\n\r\n{}"
        )
        until(lambda: faults.injected)
        connection.close()  # it has given up
        until(lambda: not server._uvicorn.server_state.tasks)
