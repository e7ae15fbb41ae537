"""Streams over AWS, for threads and for asyncio: a program does not see the difference."""

import asyncio
import inspect
import threading

import boto3
import pytest
from aiobotocore.session import AioSession

from queuestream import Broker, PutRecordsEntry, Stream, errors
from queuestream.aio import AsyncStream
from queuestream.aws.remote.broker import AsyncRemoteBroker, RemoteBroker
from queuestream.aws.remote.streams import AsyncRemoteStream, RemoteStream
from queuestream.core.streams.state import StreamState

# --- the same names, parameters and defaults ---------------------------------------------------------------


def public(owner):
    return {name for name in dir(owner) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(RemoteStream, Stream), (AsyncRemoteStream, AsyncStream), (AsyncRemoteStream, RemoteStream)],
    ids=["threads", "asyncio", "both"],
)
def test_every_operation_of_a_stream_is_there_with_its_parameters(ours, theirs):
    # What is set in the constructor, and what only a stream in this process has for asyncio.
    left_out = {"broker", "core"}
    if ours is AsyncRemoteStream:
        left_out |= {"limits", "settings", "next_event_ns", "check_invariants"}
    names = public(theirs) - left_out
    if theirs is Stream:
        names |= {name for name in StreamState.__annotations__ if name[0] != "_"} - left_out
    assert names <= public(ours)
    for name in names & public(theirs):
        method, same = getattr(theirs, name), getattr(ours, name)
        if inspect.isfunction(method):
            assert inspect.signature(same).parameters == inspect.signature(method).parameters, name
            assert inspect.iscoroutinefunction(same) is (ours is AsyncRemoteStream), name
        else:
            assert isinstance(same, property), name


@pytest.mark.parametrize("ours", [RemoteBroker, AsyncRemoteBroker])
def test_every_operation_of_a_broker_on_streams_is_there_with_its_parameters(ours):
    names = {
        name
        for name, method in inspect.getmembers(Broker, inspect.isfunction)
        if "stream" in name or "account" in name
    }
    assert len(names) == 8
    for name in names:
        method, same = getattr(Broker, name), getattr(ours, name)
        assert inspect.signature(same).parameters == inspect.signature(method).parameters


# --- over HTTP: our own server, which looks at the signatures ----------------------------------------------


@pytest.fixture(scope="module")
def keys(signed_server):
    """A key id and its secret, as the server knows them."""
    [keys] = signed_server.settings.access_keys.items()
    return keys


@pytest.fixture(scope="module")
def remote(signed_server, keys):
    session = boto3.Session(*keys)
    with RemoteBroker("us-east-1", endpoint_url=signed_server.endpoint_url, session=session) as broker:
        yield broker


@pytest.fixture
def stream(remote, request):
    """A stream of the test's own."""
    stream = remote.create_stream(request.node.name[:128].replace("[", "-").replace("]", "-"), shard_count=2)
    yield stream
    stream.delete(enforce_consumer_deletion=True)


def a_program(broker):
    """What an application does all day, and what it sees of it; it knows nothing of engines."""
    seen = []
    stream = broker.create_stream("orders", shard_count=2, retention_period_hours=48, tags={"team": "blue"})
    seen.append((stream.name, stream.status, stream.tags))
    put = stream.put_record(b"first", "customer-1")
    seen.append((put.data, put.partition_key, put.shard_id, put.encryption_type, put.size))
    batch = stream.put_records([(b"second", "customer-1"), PutRecordsEntry(b"third", "customer-2", "0")])
    seen.append((batch.failed_record_count, [record.shard_id for record in batch.records]))
    seen.append(stream.update_shard_count(4))
    seen.append([(shard.shard_id, shard.hash_key_range) for shard in stream.list_shards().shards])
    iterator = stream.get_shard_iterator(put.shard_id, "AFTER_SEQUENCE_NUMBER", put.sequence_number)
    read = stream.get_records(iterator)
    seen.append([(record.data, record.partition_key, record.shard_id) for record in read.records])
    seen.append((read.next_shard_iterator, read.millis_behind_latest, read.child_shards))
    consumer = stream.register_stream_consumer("reader", {"a": "b"})
    seen.append((consumer.consumer_status, stream.consumer_tags(consumer.consumer_arn)))
    events = list(stream.subscribe_to_shard(consumer.consumer_arn, put.shard_id, "TRIM_HORIZON"))
    seen.append([record.data for event in events for record in event.records])
    seen.append([event.child_shards for event in events])
    for refused in (
        lambda: stream.put_record(b"", ""),
        lambda: stream.get_records("no iterator"),
        lambda: stream.merge_shards("shardId-000000000000", "shardId-000000000001"),
        lambda: stream.update_shard_count(100),
        stream.delete,
        lambda: broker.stream("others"),
        lambda: broker.create_stream("orders"),
        lambda: stream.put_record(b"x", "k", dry_run=True),
    ):
        with pytest.raises(errors.StreamError) as raised:
            refused()
        seen.append((type(raised.value), raised.value.code, raised.value.message))
    stream.deregister_stream_consumer("reader")
    described = stream.describe_summary()
    seen.append((described.open_shard_count, described.retention_period_hours, described.consumer_count))
    broker.delete_stream("orders")
    seen.append(broker.list_streams().stream_names)
    return seen


def test_a_program_sees_the_same_in_this_process_and_over_aws(remote):
    assert a_program(remote) == a_program(Broker(account_id="123456789012"))


def test_a_stream_is_the_same_however_it_was_found(remote, stream):
    assert remote.stream(stream.name) == stream == remote.stream_by_arn(stream.arn)
    assert len({stream, remote.stream(stream.name)}) == 1
    assert stream.broker is remote
    assert repr(stream) == f"<RemoteStream {stream.name!r} in us-east-1>"
    assert abs(stream.created_at_ns / 1e9 - stream.describe().stream_creation_timestamp.timestamp()) < 0.001


@pytest.mark.parametrize("name", ["limits", "settings", "peek", "next_event_ns", "check_invariants"])
def test_what_aws_has_not_is_a_clear_error(stream, name):
    with pytest.raises(errors.NotSupportedByEngine, match="'aws'"):
        getattr(stream, name)()


# --- subscriptions ---


@pytest.fixture
def consumer_arn(stream):
    return stream.register_stream_consumer("reader").consumer_arn


SHARD = "shardId-000000000000"
LOWEST = "0"


def test_a_subscription_gives_what_is_there_and_what_comes(stream, consumer_arn):
    stream.put_record(b"before", "k", LOWEST)
    subscription = stream.subscribe_to_shard(consumer_arn, SHARD, "TRIM_HORIZON")
    first = next(subscription)
    assert [(record.data, record.shard_id) for record in first.records] == [(b"before", SHARD)]
    put = stream.put_record(b"after", "k", LOWEST)
    second = next(subscription)
    assert [record.data for record in second.records] == [b"after"]
    assert second.continuation_sequence_number == put.sequence_number
    subscription.close()
    assert list(subscription) == []


def test_a_subscription_that_another_thread_closes_ends_with_the_next_event(stream, consumer_arn):
    subscription = stream.subscribe_to_shard(consumer_arn, SHARD, "TRIM_HORIZON")
    stream.put_record(b"first", "k", LOWEST)
    got, is_reading = [], threading.Event()

    def read():
        for event in subscription:
            got.append(event)
            is_reading.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert is_reading.wait(10)
    subscription.close()
    stream.put_record(b"second", "k", LOWEST)
    reader.join(10)
    assert not reader.is_alive()
    assert [record.data for event in got for record in event.records] == [b"first"]


def test_a_subscription_that_is_refused_says_why(stream, consumer_arn):
    subscription = stream.subscribe_to_shard(consumer_arn, SHARD, "LATEST")
    with pytest.raises(errors.ResourceInUseException):
        stream.subscribe_to_shard(consumer_arn, SHARD, "LATEST")
    with pytest.raises(errors.ResourceNotFoundException):
        stream.subscribe_to_shard(consumer_arn, "shardId-000000000009", "LATEST")
    subscription.close()


def test_a_subscription_whose_consumer_goes_away_ends_with_an_error(stream, consumer_arn):
    subscription = stream.subscribe_to_shard(consumer_arn, SHARD, "LATEST")
    stream.deregister_stream_consumer("reader")
    with pytest.raises(errors.ResourceNotFoundException, match="reader"):
        next(subscription)
    assert subscription.ended
    assert list(subscription) == []


def test_a_subscription_whose_connection_breaks_says_that_there_was_no_answer(
    signed_server, stream, consumer_arn
):
    subscription = stream.subscribe_to_shard(consumer_arn, SHARD, "LATEST")
    uvicorn = signed_server._uvicorn

    def break_them_all():
        for connection in list(uvicorn.server_state.connections):
            connection.transport.abort()

    uvicorn._loop.call_soon_threadsafe(break_them_all)
    with pytest.raises(errors.NoAnswer):
        next(subscription)
    assert list(subscription) == []


# --- asyncio ---


@pytest.fixture
def asynchronously(signed_server, keys):
    """Runs a coroutine function on a broker for asyncio."""

    def run(program, *arguments):
        async def whole():
            session = AioSession()
            session.set_credentials(*keys)
            endpoint = {"endpoint_url": signed_server.endpoint_url, "session": session}
            async with AsyncRemoteBroker("us-east-1", **endpoint) as broker:
                return await program(broker, *arguments)

        return asyncio.run(whole())

    return run


def test_the_same_operations_are_there_for_asyncio(asynchronously):
    async def program(broker):
        stream = await broker.create_stream("flights", tags={"team": "blue"})
        assert (await stream.status, await stream.tags) == ("ACTIVE", {"team": "blue"})
        put = await stream.put_record(b"departed", "LX-320")
        iterator = await stream.get_shard_iterator(put.shard_id, "TRIM_HORIZON")
        [record] = (await stream.get_records(iterator)).records
        assert (record.data, record.sequence_number) == (b"departed", put.sequence_number)
        assert stream == await broker.stream("flights") == await broker.stream_by_arn(stream.arn)
        with pytest.raises(errors.ResourceInUseException):
            await broker.create_stream("flights")
        with pytest.raises(errors.NotSupportedByEngine):
            await stream.peek()
        assert "flights" in (await broker.list_streams()).stream_names
        assert (await broker.describe_stream_limits()).open_shard_count >= 1
        assert await broker.describe_account_settings() == await broker.update_account_settings("DISABLED")
        await broker.delete_stream("flights")

    asynchronously(program)


def test_a_task_that_is_cancelled_while_it_waits_for_an_event_loses_nothing(
    asynchronously, stream, consumer_arn
):
    async def program(broker):
        same = await broker.stream(stream.name)
        subscription = await same.subscribe_to_shard(consumer_arn, SHARD, "LATEST")
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)  # it begins
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await same.put_record(b"after all", "k", LOWEST)
        event = await anext(subscription)
        assert [record.data for record in event.records] == [b"after all"]

        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        subscription.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert [event async for event in subscription] == []

    asynchronously(program)


def test_a_subscription_of_a_task_ends_at_the_end_of_the_shard(asynchronously, stream, consumer_arn):
    stream.put_record(b"last", "k", LOWEST)
    stream.split_shard(SHARD, "100")

    async def program(broker):
        same = await broker.stream(stream.name)
        subscription = await same.subscribe_to_shard(consumer_arn, SHARD, "TRIM_HORIZON")
        [event] = [event async for event in subscription]
        assert [record.data for record in event.records] == [b"last"]
        assert [child.shard_id for child in event.child_shards] == [
            "shardId-000000000002",
            "shardId-000000000003",
        ]

    asynchronously(program)
