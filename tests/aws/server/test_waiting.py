"""Long polls and subscriptions over HTTP: who waits, who has gone, and what time it is."""

import contextlib

import pytest
from server_clients import ask, client, connected, meanwhile, until

from queuestream import SystemClock
from queuestream.aws.calls import Later
from queuestream.aws.server import serve
from queuestream.aws.server.manual_clock import ManualClock
from queuestream.core.clock import SECOND, Wakeup


@pytest.fixture
def standing_server():
    """A server on a virtual clock."""
    with serve(port=0, virtual_clock=True) as server:
        yield server


@pytest.fixture
def queue(server):
    return server.aws.broker().create_queue("emails")


def poll_of(server, seconds=20):
    """A long poll as it goes over the wire."""
    body = f'{{"QueueUrl": "{server.endpoint_url}/123456789012/emails", "WaitTimeSeconds": {seconds}}}'
    return (
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def test_a_long_poll_is_answered_when_a_message_comes(server, queue):
    sqs = client(server, "sqs")
    with meanwhile(sqs.receive_message, QueueUrl=queue.url, WaitTimeSeconds=20) as answer:
        until(lambda: server.waiting)
        queue.send("hello")  # from a thread that is not the server's
        assert [message["Body"] for message in answer()["Messages"]] == ["hello"]


def test_a_long_poll_whose_client_has_left_takes_no_message(server, queue):
    with connected(server) as connection:
        connection.sendall(poll_of(server))
        until(lambda: server.waiting)
    until(lambda: not server.waiting)

    queue.send("hello")
    assert [message.state for message in queue.peek()] == ["visible"]


def test_a_message_goes_to_the_client_that_is_still_there(server, queue):
    sqs = client(server, "sqs")
    with connected(server) as leaving:
        leaving.sendall(poll_of(server))
        until(lambda: server.waiting == 1)
        with meanwhile(sqs.receive_message, QueueUrl=queue.url, WaitTimeSeconds=20) as answer:
            until(lambda: server.waiting == 2)
            leaving.close()
            until(lambda: server.waiting == 1)
            queue.send("hello")
            assert len(answer()["Messages"]) == 1


def test_who_waits_is_told_when_everything_is_forgotten(server, queue):
    sqs = client(server, "sqs")
    with meanwhile(sqs.receive_message, QueueUrl=queue.url, WaitTimeSeconds=20) as answer:
        until(lambda: server.waiting)
        assert ask(server, "POST", "/_queuestream/reset").status == 200
        with pytest.raises(sqs.exceptions.ClientError) as refused:
            answer()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


# --- on a clock that is moved by hand ---


def test_time_stands_still_until_it_is_moved(standing_server):
    sqs = client(standing_server, "sqs")
    url = sqs.create_queue(QueueName="emails")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=43_200)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)

    standing_server.aws.clock.advance(hours=12)

    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "hello"


def test_a_long_poll_ends_when_its_time_is_passed_over(standing_server):
    sqs = client(standing_server, "sqs")
    url = sqs.create_queue(QueueName="emails")["QueueUrl"]

    with meanwhile(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20) as answer:
        until(lambda: standing_server.waiting)
        assert ask(standing_server, "POST", "/_queuestream/clock/advance", {"seconds": 20}).status == 200
        assert "Messages" not in answer()


def test_a_long_poll_gets_what_becomes_visible_as_time_is_moved(standing_server):
    sqs = client(standing_server, "sqs")
    url = sqs.create_queue(QueueName="emails")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=10)

    with meanwhile(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20) as answer:
        until(lambda: standing_server.waiting)
        standing_server.aws.clock.advance(seconds=9)
        assert standing_server.waiting == 1
        standing_server.aws.clock.advance(seconds=1)
        assert [message["Body"] for message in answer()["Messages"]] == ["later"]


def test_a_long_poll_gets_a_message_that_comes_while_time_stands_still(standing_server):
    sqs = client(standing_server, "sqs")
    url = sqs.create_queue(QueueName="emails")["QueueUrl"]

    with meanwhile(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20) as answer:
        until(lambda: standing_server.waiting)
        client(standing_server, "sqs").send_message(QueueUrl=url, MessageBody="hello")
        assert len(answer()["Messages"]) == 1


@pytest.mark.slow
def test_a_long_poll_ends_after_its_time_in_real_seconds_too(standing_server):
    sqs = client(standing_server, "sqs")
    url = sqs.create_queue(QueueName="emails")["QueueUrl"]

    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert ask(standing_server, "GET", "/_queuestream/clock").json["now"].startswith("2025-01-01T00:00:00")


def test_a_clock_that_is_moved_by_hand_may_start_anywhere():
    clock = ManualClock(1_000)
    clock.advance(seconds=1)

    assert clock.now_ns() == 1_001 * SECOND
    assert not clock.autojump


# --- subscriptions ---


@pytest.fixture
def subscriber(server):
    """A stream of one shard, and a function that subscribes to it; each subscription is a connection."""
    kinesis = client(server, "kinesis")
    kinesis.create_stream(StreamName="events", ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]["StreamARN"]

    with contextlib.ExitStack() as stack:

        def subscribe():
            consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]
            events = kinesis.subscribe_to_shard(
                ConsumerARN=consumer["ConsumerARN"],
                ShardId="shardId-000000000000",
                StartingPosition={"Type": "TRIM_HORIZON"},
            )["EventStream"]
            return stack.enter_context(contextlib.closing(events))

        yield subscribe


def data_of(event):
    return [record["Data"] for record in event["SubscribeToShardEvent"]["Records"]]


def test_a_subscriber_is_told_of_each_record_as_it_comes(server, subscriber):
    stream = server.aws.broker().stream("events")
    stream.put_record(b"before", "user")
    events = iter(subscriber())

    assert data_of(next(events)) == [b"before"]
    stream.put_record(b"while it listens", "user")
    assert data_of(next(events)) == [b"while it listens"]


def test_a_subscription_ends_when_its_client_leaves(server, subscriber):
    events = subscriber()
    until(lambda: server.waiting == 1)

    events.close()

    until(lambda: server.waiting == 0)


def test_a_subscription_ends_properly_when_the_server_stops(server, subscriber):
    events = subscriber()
    with meanwhile(list, events) as told:
        until(lambda: server.waiting == 1)
        server.stop()
        assert told() == []  # and no error: the body was complete


def test_a_long_event_arrives_whole(server, subscriber):
    stream = server.aws.broker().stream("events")
    for number in range(5):
        stream.put_record(bytes([number]) * 1_000_000, "user")

    received = []
    for event in subscriber():
        received += data_of(event)
        if len(received) == 5:
            break

    assert received == [bytes([number]) * 1_000_000 for number in range(5)]


# --- what waits, by itself ---


class Pause:
    """Something to wait for that never comes by itself."""

    until_ns = 2**62
    deadline_ns = None

    def __init__(self):
        self.wakeup = Wakeup()
        self.is_closed = self.is_expired = False

    def attempt(self):
        return "expired" if self.is_expired else None

    def expire(self):
        self.is_expired = True

    def close(self):
        self.is_closed = True


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()], ids=repr)
def test_whoever_comes_after_the_end_does_not_wait(clock):
    import asyncio

    from queuestream.aws.server.waiting import Presence, Waiting

    async def answer():
        waiting = Waiting(clock)
        waiting.stop()
        presence = Presence(asyncio.Event().wait)
        later = Later(pause, lambda found: Later(Pause(), lambda again: f"{found}, {again}"))
        return await waiting.answer(later, presence)

    pause = Pause()
    assert asyncio.run(answer()) == "expired, expired"
    assert pause.is_closed
