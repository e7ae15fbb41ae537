"""Tasks wait until what they promised is on disk, and nobody else waits with them."""

import asyncio
import functools
import threading

import pytest
from slow_disk import SlowDisk

from queuestream import Broker, Queue, VirtualClock, errors
from queuestream.aio import AsyncBroker, AsyncQueue
from queuestream.storage.async_commit import commit_of


def on_an_event_loop(test):
    """Run a test that is a coroutine function."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


@pytest.fixture
def core():
    return Broker(clock=VirtualClock(), seed=7)


@pytest.fixture
def disk(core):
    return SlowDisk(core)


@pytest.fixture
def broker(core, disk):
    return AsyncBroker(core)


@pytest.fixture
def queue(core, disk):
    """A FIFO queue, whose receives are promises, too."""
    with disk.has_all():
        made = Queue("orders.fifo", broker=core, fifo_queue=True)
    return AsyncQueue(made)


def send(queue, body="hello"):
    return queue.send(body, message_group_id="a", message_deduplication_id=body)


async def has_come_to_the_disk(disk, coroutine):
    task = asyncio.create_task(coroutine)
    await disk.is_asked()
    assert not task.done()
    return task


@on_an_event_loop
async def test_a_task_waits_for_the_disk_and_the_others_do_not(queue, disk):
    task = await has_come_to_the_disk(disk, send(queue))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()

    disk.go_on()
    assert (await task).message_id


@on_an_event_loop
async def test_a_thousand_tasks_share_two_syncs(queue, disk):
    before = disk.syncs
    first = await has_come_to_the_disk(disk, send(queue, "first"))
    others = [asyncio.create_task(send(queue, str(number))) for number in range(1_000)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in others)

    disk.go_on()
    await asyncio.gather(first, *others)
    assert disk.syncs == before + 2


@on_an_event_loop
async def test_who_only_looks_waits_for_what_was_seen(queue, disk):
    sender = await has_come_to_the_disk(disk, send(queue))
    reader = asyncio.create_task(queue.peek())
    await asyncio.sleep(0)
    assert not reader.done()

    disk.go_on()
    assert [message.body for message in await reader] == ["hello"]
    await sender


@on_an_event_loop
async def test_who_is_told_an_error_waits_for_what_it_says(broker, queue, disk):
    deleter = await has_come_to_the_disk(disk, queue.delete_queue())
    seeker = asyncio.create_task(broker.list_message_move_tasks(queue.arn))
    await asyncio.sleep(0)
    assert not seeker.done()

    disk.go_on()
    await deleter
    with pytest.raises(errors.ResourceNotFoundException):
        await seeker


@on_an_event_loop
async def test_a_long_poll_is_answered_when_what_it_takes_is_on_disk(queue, disk):
    poll = asyncio.create_task(queue.receive(wait_time_seconds=20))
    await asyncio.sleep(0)
    sender = await has_come_to_the_disk(disk, send(queue))
    await asyncio.sleep(0)
    assert not poll.done()

    disk.go_on()
    [message] = await poll
    assert message.body == "hello"
    await sender


@on_an_event_loop
async def test_what_a_cancelled_receive_has_taken_is_given_back(queue, disk):
    disk.go_on()
    await send(queue)
    disk.stop()
    disk.asked.clear()
    receiver = await has_come_to_the_disk(disk, queue.receive())
    receiver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receiver

    disk.go_on()
    [message] = await queue.receive()
    assert (message.body, message.receive_count) == ("hello", 2)
    queue.core.check_invariants()


@on_an_event_loop
async def test_an_event_that_a_cancelled_reader_would_have_got_is_the_next_one_s(broker, disk):
    disk.go_on()
    stream = await broker.create_stream("events")
    consumer = await stream.register_stream_consumer("reader")
    [shard] = (await stream.list_shards()).shards
    subscription = await stream.subscribe_to_shard(consumer.consumer_arn, shard.shard_id, "TRIM_HORIZON")
    disk.stop()
    disk.asked.clear()
    put = await has_come_to_the_disk(disk, stream.put_record(b"hello", "key"))
    reader = asyncio.create_task(anext(subscription))
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader

    disk.go_on()
    await put
    assert [record.data for record in (await anext(subscription)).records] == [b"hello"]
    subscription.close()
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)


@on_an_event_loop
async def test_a_disk_that_fails_fails_everybody_who_waits(queue, disk):
    disk.failure = errors.StorageFailed("orders.db", "no space left on device")
    first = await has_come_to_the_disk(disk, send(queue, "first"))
    second = asyncio.create_task(send(queue, "second"))
    third = asyncio.create_task(queue.receive())
    cancelled = asyncio.create_task(queue.peek())
    await asyncio.sleep(0)
    cancelled.cancel()

    disk.go_on()
    for task in (first, second, third):
        with pytest.raises(errors.StorageFailed, match="no space left"):
            await task


@on_an_event_loop
async def test_looking_at_properties_waits_for_nothing(broker, queue, disk):
    sender = await has_come_to_the_disk(disk, send(queue))
    assert queue.approximate_number_of_messages == 1
    assert queue.tags == {}
    assert repr(queue) == "<AsyncQueue 'orders.fifo': 1 visible, 0 in flight, 0 delayed>"
    assert repr(broker) == "<AsyncBroker of 000000000000 in us-east-1: 1 queues, 0 streams>"

    disk.go_on()
    await sender


def test_two_event_loops_wait_for_the_same_disk(queue, disk):
    disk.go_on()
    threads = [
        threading.Thread(target=lambda name=name: asyncio.run(send(queue, name))) for name in ("a", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert disk.synced == disk.appended
    assert {message.body for message in asyncio.run(queue.peek())} == {"a", "b", "c"}


def test_a_broker_in_memory_has_nothing_to_wait_for():
    broker = Broker()
    assert commit_of(broker) is None
    assert AsyncBroker(broker)._commit is AsyncQueue("emails")._commit is None


def test_everybody_waits_in_one_place(core, disk, queue):
    assert AsyncBroker(core)._commit is queue._commit is commit_of(core)
