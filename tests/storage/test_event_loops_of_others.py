"""The server and aiobotocore in process wait for the disk as tasks do: their event loops go on."""

import asyncio
import http.client
import json
import threading
from pathlib import Path

import boto3
import pytest
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.exceptions import ClientError
from slow_disk import SlowDisk

from queuestream import Broker, errors
from queuestream.aws import wire
from queuestream.aws.one_broker import KeptBroker
from queuestream.aws.server.serving import Server, Settings

WHO = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def disk(broker):
    disk = SlowDisk(broker)
    with disk.has_all():
        broker.create_queue("emails")
        broker.create_stream("events")
    return disk


@pytest.fixture
def server(broker, disk):
    with Server(KeptBroker(broker, Path("orders.db"), "commit"), Settings(port=0)) as server:
        yield server
        disk.failure = None
        disk.go_on()


def sqs_at(server):
    return boto3.client("sqs", endpoint_url=server.endpoint_url, config=ONCE, **WHO)


class Sending(threading.Thread):
    """A client that sends a message, and what came of it."""

    def __init__(self, server):
        super().__init__()
        self._client = sqs_at(server)
        self._url = self._client.get_queue_url(QueueName="emails")["QueueUrl"]
        self.answer = self.error = None
        self.start()

    def run(self):
        try:
            self.answer = self._client.send_message(QueueUrl=self._url, MessageBody="hello")
        except ClientError as error:
            self.error = error


def health_of(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/_queuestream/health")
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


def test_the_server_answers_others_while_a_client_waits_for_the_disk(server, disk):
    sending = Sending(server)
    assert disk.asked.wait(10)
    status, health = health_of(server)
    assert (status, health["status"], health["data"], health["durability"]) == (
        200,
        "running",
        "orders.db",
        "commit",
    )
    assert sending.answer is None

    disk.go_on()
    sending.join()
    assert sending.answer["MessageId"]


def test_a_client_whose_message_could_not_be_kept_is_told_so(server, disk):
    sending = Sending(server)
    assert disk.asked.wait(10)
    disk.failure = errors.StorageFailed("orders.db", "no space left on device")
    disk.go_on()
    sending.join()
    assert sending.error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert "no space left on device" in str(sending.error)


def test_a_server_whose_file_could_not_be_written_says_so(server, broker, disk):
    broker.close("writing to orders.db failed")
    status, health = health_of(server)
    assert (status, health) == (
        503,
        {"message": "The queues and streams were closed: writing to orders.db failed."},
    )


def test_the_events_of_a_subscription_are_told_when_they_are_on_disk(server, broker, disk):
    disk.go_on()
    kinesis = boto3.client("kinesis", endpoint_url=server.endpoint_url, config=ONCE, **WHO)
    arn = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]
    subscription = kinesis.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"],
        ShardId="shardId-000000000000",
        StartingPosition={"Type": "TRIM_HORIZON"},
    )
    disk.stop()
    disk.asked.clear()
    with disk.lock.deferred():
        broker.stream("events").put_record(b"hello", "key")
    assert disk.asked.wait(10)

    disk.go_on()
    event = next(event for event in subscription["EventStream"] if event["SubscribeToShardEvent"]["Records"])
    assert event["SubscribeToShardEvent"]["Records"][0]["Data"] == b"hello"
    subscription["EventStream"].close()


@pytest.mark.parametrize("way", ["at once", "through botocore"])
def test_aiobotocore_in_process_lets_others_run_while_the_disk_is_waited_for(broker, disk, way):
    async def story():
        async with get_session().create_client("sqs", **WHO) as client:
            wire(client, broker)
            if way == "through botocore":
                client.meta.events.register("before-send.sqs", lambda **_: None)
            sender = asyncio.create_task(client.send_message(QueueUrl="emails", MessageBody="hello"))
            await disk.is_asked()
            receiver = asyncio.create_task(client.receive_message(QueueUrl="emails", WaitTimeSeconds=20))
            for _ in range(20):
                await asyncio.sleep(0)
            assert not sender.done()
            assert not receiver.done()

            disk.go_on()
            assert (await sender)["MessageId"]
            return (await receiver)["Messages"][0]["Body"]

    assert asyncio.run(story()) == "hello"
