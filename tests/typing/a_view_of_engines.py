"""What a typed program sees of brokers that it has by their URL: never run, only read by a type checker."""

from __future__ import annotations

from typing import assert_type

from queuestream import (
    BatchResult,
    Broker,
    Consistency,
    PeekedMessage,
    PutRecordsEntry,
    Queue,
    QueueAttributes,
    QueueLimits,
    QueuePage,
    ReceivedMessage,
    SentMessage,
    Stream,
    VirtualClock,
    aio,
    connect,
    errors,
)
from queuestream.aio import AsyncBroker, AsyncQueue, AsyncQueuePage, AsyncStream, AsyncSubscription
from queuestream.aws.remote import AsyncRemoteBroker, RemoteBroker
from queuestream.aws.remote.async_queues import AsyncRemoteQueue, AsyncRemoteQueuePage
from queuestream.aws.remote.queues import RemoteQueue, RemoteQueuePage
from queuestream.aws.remote.streams import AsyncRemoteStream, RemoteStream
from queuestream.aws.remote.subscriptions import RemoteSubscription
from queuestream.core.streams.account import ListStreamsResult
from queuestream.core.streams.fan_out import Subscription
from queuestream.core.streams.listing import ListShardsResult
from queuestream.core.streams.record import GetRecordsResult, PutRecordsResult, Record


def connecting() -> None:
    assert_type(connect("memory://"), Broker | RemoteBroker)
    connect(
        "memory://",
        clock=VirtualClock(),
        seed=7,
        account_id="111122223333",
        region="eu-west-1",
        queue_limits=QueueLimits(in_flight_max=10),
        consistency=Consistency(purge_seconds=60),
    )
    connect("sqlite:///orders.db", durability="interval", sync_interval_ms=200)
    connect("aws://eu-west-1", endpoint_url="http://localhost:4566", profile="work", wait=False, seed="x")
    with connect("sqlite:///orders.db") as broker:
        assert_type(broker, Broker | RemoteBroker)


def a_program_for_every_engine(broker: Broker | RemoteBroker) -> None:
    queue = broker.create_queue("emails", visibility_timeout=30, tags={"team": "mail"})
    assert_type(queue, Queue | RemoteQueue)
    assert_type(queue.attributes, QueueAttributes)
    assert_type(queue.counts().in_flight, int)
    assert_type(queue.send("hello", delay_seconds=5), SentMessage)
    assert_type(queue.send_batch(["one", "two"]), BatchResult[SentMessage])
    for message in queue.receive(wait_time_seconds=20):
        assert_type(message, ReceivedMessage)
        queue.change_visibility(message, 60)
        queue.delete(message)
    assert_type(broker.list_queues(), QueuePage | RemoteQueuePage)
    assert_type(broker.list_queues().next_token, str | None)

    stream = broker.create_stream("events", shard_count=4)
    assert_type(stream, Stream | RemoteStream)
    put = stream.put_record(b"hello", partition_key="a")
    assert_type(put, Record)
    assert_type(stream.put_records([(b"hello", "a"), PutRecordsEntry(b"world", "b")]), PutRecordsResult)
    assert_type(stream.list_shards(), ListShardsResult)
    answer = stream.get_records(stream.get_shard_iterator(put.shard_id, "TRIM_HORIZON"))
    assert_type(answer, GetRecordsResult)
    assert_type(answer.next_shard_iterator, str | None)
    consumer = stream.register_stream_consumer("reader")
    events = stream.subscribe_to_shard(consumer.consumer_arn, put.shard_id, "LATEST")
    assert_type(events, Subscription | RemoteSubscription)
    assert_type(broker.list_streams(), ListStreamsResult)
    broker.close()


def what_one_engine_has(broker: Broker | RemoteBroker) -> None:
    if isinstance(broker, Broker):
        assert_type(broker.queue("emails").peek(), list[PeekedMessage])
        if broker.storage is not None:
            broker.storage.fold()
    else:
        assert_type(broker.wait, bool)


def refusals(path: str) -> None:
    try:
        connect(f"sqlite:///{path}")
    except errors.StorageInUse as error:
        assert_type(error.holder, str)
    except errors.StorageError as error:
        assert_type(error.path, str)
    except errors.NotSupportedByEngine as error:
        assert_type((error.engine, error.asked), tuple[str, str])


async def asyncio_on_every_engine() -> None:
    async with aio.connect("sqlite:///orders.db", durability="none") as broker:
        assert_type(broker, AsyncBroker | AsyncRemoteBroker)
        queue = await broker.create_queue("emails")
        assert_type(queue, AsyncQueue | AsyncRemoteQueue)
        assert_type(await queue.send("hello"), SentMessage)
        messages = await queue.receive(wait_time_seconds=20)
        assert_type(messages, list[ReceivedMessage])
        await queue.delete(messages[0])
        assert_type(await broker.list_queues(), AsyncQueuePage | AsyncRemoteQueuePage)
        stream = await broker.create_stream("events")
        assert_type(stream, AsyncStream | AsyncRemoteStream)
        assert_type(await stream.put_record(b"hello", partition_key="a"), Record)
    opened = await aio.connect("memory://", clock=VirtualClock())
    await opened.close()


async def asyncio_in_this_process(broker: Broker) -> None:
    async with AsyncBroker(broker) as tasks:
        assert_type(tasks.core, Broker)
        assert_type(await tasks.create_queue("emails"), AsyncQueue)
        stream = await tasks.stream("events")
        consumer = await stream.register_stream_consumer("reader")
        events = await stream.subscribe_to_shard(consumer.consumer_arn, "shardId-000000000000", "LATEST")
        assert_type(events, AsyncSubscription)


def what_a_type_checker_refuses(broker: Broker | RemoteBroker, remote: RemoteBroker) -> None:
    """Each line is an error, and `warn_unused_ignores` says so if it is none."""
    connect()  # type: ignore[call-arg]
    connect("memory://", VirtualClock())  # type: ignore[call-arg]
    connect("sqlite:///orders.db", durability="always")  # type: ignore[arg-type]
    connect("sqlite:///orders.db", durabilty="none")  # type: ignore[call-arg]
    aio.connect("sqlite:///orders.db", durability="always")  # type: ignore[arg-type]
    aio.connect("sqlite:///orders.db", durabilty="none")  # type: ignore[call-arg]
    broker.create_queue("emails", visibility_timout=30)  # type: ignore[call-arg]
    broker.queue("emails").send(b"bytes")  # type: ignore[arg-type]
    remote.create_stream("events", shard_cout=4)  # type: ignore[call-arg]
    broker.storage.fold()  # type: ignore[union-attr]
