"""A server from its start to its end."""

import asyncio
import socket
import sys
import threading
import time

import pytest
from server_clients import ask, client, meanwhile, until

from queuestream import Queue, VirtualClock
from queuestream.aws import Aws
from queuestream.aws.server import CannotListen, Server, serve


def test_boto3_sends_receives_and_deletes(server):
    sqs = client(server, "sqs")
    url = sqs.create_queue(QueueName="emails")["QueueUrl"]
    assert url == f"{server.endpoint_url}/123456789012/emails"

    sqs.send_message(QueueUrl=url, MessageBody="hello")
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    assert message["Body"] == "hello"
    assert server.aws.broker().queue("emails").peek() == []


def test_boto3_puts_and_gets_records(server):
    kinesis = client(server, "kinesis")
    kinesis.create_stream(StreamName="events", ShardCount=1)
    kinesis.put_record(StreamName="events", Data=b"\x00\xff", PartitionKey="user")

    iterator = kinesis.get_shard_iterator(
        StreamName="events", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]] == [
        b"\x00\xff"
    ]


def test_a_server_without_clients_holds_no_virtual_clock_up():
    with serve(port=0):
        clock = VirtualClock(patience_seconds=60)
        began = time.monotonic()
        assert Queue("emails", clock=clock).receive(wait_time_seconds=20) == []
        assert time.monotonic() - began < 30


def test_it_serves_what_it_is_given():
    aws = Aws()
    aws.broker("210987654321", "eu-west-1").create_queue("orders")
    with serve(port=0, aws=aws) as server:
        sqs = client(server, "sqs", aws_access_key_id="210987654321", region_name="eu-west-1")
        assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["orders"]


def test_what_is_said_about_accounts_and_streams_holds():
    with serve(
        port=0,
        account_id="111111111111",
        region="eu-north-1",
        seed=7,
        shard_limit=2,
        provisioning_time_seconds=30,
    ) as server:
        kinesis = client(server, "kinesis", region_name="eu-north-1")
        kinesis.create_stream(StreamName="events", ShardCount=2)
        assert server.aws.broker().account_id == "111111111111"
        assert server.aws.seed == 7
        summary = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]
        assert summary["StreamStatus"] == "CREATING"
        with pytest.raises(kinesis.exceptions.LimitExceededException):
            kinesis.create_stream(StreamName="more", ShardCount=1)


def test_changes_may_take_as_long_as_aws_documents():
    with serve(port=0, virtual_clock=True, eventual_consistency=True) as server:
        sqs = client(server, "sqs")
        url = sqs.create_queue(QueueName="emails")["QueueUrl"]
        server.aws.clock.advance(seconds=1)
        sqs.send_message(QueueUrl=url, MessageBody="hello")
        sqs.purge_queue(QueueUrl=url)
        assert ask(server, "GET", "/_queuestream/queues/emails/messages").json["count"] == 1

        server.aws.clock.advance(seconds=60)
        assert ask(server, "GET", "/_queuestream/queues/emails/messages").json["count"] == 0


def test_messages_may_be_delivered_otherwise_than_once_and_in_order(fast_folder):
    for data in (None, fast_folder / "mails.db"):
        with serve(port=0, virtual_clock=True, seed=1, delivery="adversarial", data=data) as server:
            sqs = client(server, "sqs")
            url = sqs.create_queue(QueueName="emails")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody="hello")
            received = [sqs.receive_message(QueueUrl=url).get("Messages") for _ in range(20)]
        assert received[0] is None
        [first], [copy] = filter(None, received)
        assert first["MessageId"] == copy["MessageId"]


def test_queues_and_shards_may_refuse_what_goes_beyond_awss_quotas():
    with serve(port=0, virtual_clock=True, enforce_throughput=True) as server:
        sqs, kinesis = client(server, "sqs"), client(server, "kinesis")
        url = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        for _ in range(300):
            sqs.receive_message(QueueUrl=url)
        with pytest.raises(sqs.exceptions.RequestThrottled):
            sqs.receive_message(QueueUrl=url)
        kinesis.create_stream(StreamName="events", ShardCount=1)
        record = {"StreamName": "events", "Data": b"x" * 1_000_000, "PartitionKey": "a"}
        kinesis.put_record(**record)
        with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
            kinesis.put_record(**record)


def test_what_is_said_twice_is_refused():
    with pytest.raises(TypeError, match="What is said about new accounts"):
        serve(aws=Aws(), seed=7)
    with pytest.raises(TypeError, match="What is said about new accounts"):
        serve(aws=Aws(), delivery="aws_like")


def test_a_clock_that_jumps_by_itself_is_refused():
    with pytest.raises(TypeError, match=r"serve\(virtual_clock=True\)"):
        serve(aws=Aws(clock=VirtualClock()))


# --- the end ---


def test_when_it_stops_open_long_polls_are_answered(server):
    sqs = client(server, "sqs")
    url = sqs.create_queue(QueueName="emails")["QueueUrl"]

    with meanwhile(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20) as answer:
        until(lambda: server.waiting)
        server.stop()
        assert "Messages" not in answer()

    assert server.waiting == 0


def test_when_it_stops_nobody_can_connect_any_more(server):
    server.stop()
    server.stop()  # changes nothing

    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
        pass


def test_when_it_stops_its_thread_ends():
    before = threading.enumerate()
    with serve(port=0):
        [thread] = set(threading.enumerate()).difference(before)
        assert thread.name == "queuestream server"

    assert not thread.is_alive()


def test_it_can_be_started_again_with_what_it_had():
    server = serve(port=0)
    with server:
        client(server, "sqs").create_queue(QueueName="emails")
    with server:
        assert client(server, "sqs").list_queues()["QueueUrls"]


def test_a_server_cannot_be_started_twice_at_a_time(server):
    with pytest.raises(RuntimeError, match="serves already"):
        server.start()


def test_several_servers_know_nothing_of_each_other(server):
    client(server, "sqs").create_queue(QueueName="emails")
    with serve(port=0) as other:
        assert "QueueUrls" not in client(other, "sqs").list_queues()


def test_a_server_can_be_used_from_an_event_loop(server):
    async def health():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /_queuestream/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    assert asyncio.run(health()).startswith(b"HTTP/1.1 200 OK\r\n")


def test_everything_can_be_forgotten(server):
    client(server, "sqs").create_queue(QueueName="emails")
    server.reset()

    assert "QueueUrls" not in client(server, "sqs").list_queues()


def test_what_goes_wrong_in_its_thread_is_raised_where_it_is_started(monkeypatch):
    def fail(*_):
        raise RuntimeError("no event loop")

    server = serve(port=0)
    with monkeypatch.context() as patch:
        patch.setattr(Server, "_serve", fail)
        with pytest.raises(RuntimeError, match="no event loop"):
            server.start()

    with server:
        assert ask(server, "GET", "/_queuestream/health").status == 200


def test_it_does_without_uvloop(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with serve(port=0) as server:
        assert type(server._uvicorn._loop).__module__.startswith("asyncio")
        assert client(server, "sqs").create_queue(QueueName="emails")["QueueUrl"]


# --- where it listens ---


def test_a_port_that_is_taken_is_named_with_a_way_out(server):
    with pytest.raises(
        CannotListen, match=rf"on 127.0.0.1:{server.port} already. .* --port 0 for any free one"
    ):
        serve(port=server.port).start()


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("192.0.2.1", "192.0.2.1 is no address of this machine"),
        ("no-such-host.invalid", "There is no address 'no-such-host.invalid' to listen on"),
    ],
)
def test_an_address_that_cannot_be_had_is_named(host, sentence):
    with pytest.raises(CannotListen, match=sentence):
        serve(host=host, port=0).start()


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [("localhost", "http://localhost:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")],
)
def test_the_endpoint_is_one_that_clients_can_use(host, endpoint):
    try:
        server = serve(host=host, port=0)
        server.start()
    except CannotListen:
        pytest.skip(f"this machine has no {host}")
    try:
        assert server.endpoint_url == f"{endpoint}{server.port}"
        assert client(server, "sqs").create_queue(QueueName="emails")["QueueUrl"].startswith(endpoint)
    finally:
        server.stop()


def test_it_has_no_port_before_it_is_started():
    server = serve(port=0)
    assert repr(server) == "<Server: not started, <Aws: 123456789012 in us-east-1>>"
    with pytest.raises(RuntimeError, match="before it is started"):
        server.endpoint_url  # noqa: B018 - the question is the test


def test_its_repr_says_where_it_is_and_who_waits(server):
    assert repr(server) == f"<Server {server.endpoint_url}: 0 waiting, {server.aws!r}>"


def test_answers_are_dated_and_say_how_long_they_are(server):
    answer = ask(server, "GET", "/_queuestream/health")

    assert answer.headers["date"].endswith(" GMT")
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "server" not in answer.headers
