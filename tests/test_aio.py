"""Queues and streams for asyncio, on an ordinary event loop."""

import asyncio
import functools
import inspect
import threading
import time
import types

import pytest
from repetitions import AGAIN_AND_AGAIN

from queuestream import Broker, Queue, Stream, SystemClock, VirtualClock, errors
from queuestream.aio import AsyncBroker, AsyncQueue, AsyncStream, connect
from queuestream.core import event_loops
from queuestream.core.clock import SECOND, Wakeup

# What the parts of the core say to each other, not to users.
INTERNAL = {
    Queue: {"check_invariants", "next_event_ns"},
    Stream: {"check_invariants", "limits", "next_event_ns"},
    Broker: {
        "check_invariants",
        "check_open",
        "find_queue",
        "interrupted",
        "listen",
        "next_event_ns",
        "publish",
    },
}
# What has a class of its own for asyncio, so that its operations can be awaited.
GIVEN_BACK = {
    "Queue": "AsyncQueue",
    "QueuePage": "AsyncQueuePage",
    "Stream": "AsyncStream",
    "Subscription": "AsyncSubscription",
}


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def seconds(clock):
    """How many seconds the clock has gone on since the test began."""
    started_ns = clock.now_ns()
    return lambda: (clock.now_ns() - started_ns) / SECOND


@pytest.fixture
def queue(clock):
    return AsyncQueue("emails", clock=clock, seed=7)


def on_an_event_loop(test):
    """Run a test that is a coroutine function."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


def bodies(messages):
    return [message.body for message in messages]


async def sleep(clock, seconds):
    until_ns = clock.now_ns() + int(seconds * SECOND)
    while clock.now_ns() < until_ns:
        await clock.wait_async(Wakeup(), until_ns)


# --- the same operations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("core", "twin"),
    [(Queue, AsyncQueue), (Stream, AsyncStream), (Broker, AsyncBroker)],
    ids=lambda cls: cls.__name__,
)
def test_every_operation_is_there_with_the_same_parameters(core, twin):
    public = {name for name in dir(core) if not name.startswith("_")} - INTERNAL[core]
    own = {"broker", "name", "arn", "clock", "account_id", "region", "created_ns", "last_modified_ns"}
    assert {name for name in dir(twin) if not name.startswith("_")} - own == public - own
    for name in public:
        if isinstance(getattr(core, name), property):
            assert isinstance(getattr(twin, name), property)
        else:
            assert inspect.iscoroutinefunction(getattr(twin, name))
            ours, theirs = (inspect.signature(getattr(cls, name)) for cls in (twin, core))
            assert list(ours.parameters.values())[1:] == list(theirs.parameters.values())[1:]
            given = str(theirs.return_annotation)
            assert ours.return_annotation == GIVEN_BACK.get(given, given)


@on_an_event_loop
async def test_a_message_is_sent_received_and_deleted(queue):
    sent = await queue.send("hello", message_attributes={"kind": "welcome"})
    [message] = await queue.receive()
    assert message.message_id == sent.message_id
    await queue.delete(message)
    assert await queue.peek() == []


@on_an_event_loop
async def test_errors_are_the_core_s(queue):
    with pytest.raises(errors.ReceiptHandleIsInvalid):
        await queue.delete("nonsense")
    with pytest.raises(errors.InvalidParameterValue):
        await queue.receive(wait_time_seconds=21)
    with pytest.raises(errors.InvalidParameterValue):
        await queue.receive(max_number_of_messages=0, wait_time_seconds=20)


def test_an_async_queue_is_a_way_in_to_a_queue(clock):
    broker = Broker(clock=clock)
    core = broker.create_queue("orders.fifo", fifo_queue=True, tags={"team": "blue"})
    queue = AsyncQueue(core)
    assert queue.core is core
    assert queue.broker is broker
    for name in ("name", "arn", "url", "is_fifo", "attributes", "tags"):
        assert getattr(queue, name) == getattr(core, name)
    core.send("hello", message_group_id="a", message_deduplication_id="1")
    assert queue.approximate_number_of_messages == 1
    assert queue.approximate_number_of_messages_not_visible == 0
    assert queue.approximate_number_of_messages_delayed == 0
    assert repr(queue) == "<AsyncQueue 'orders.fifo': 1 visible, 0 in flight, 0 delayed>"


def test_an_async_stream_is_a_way_in_to_a_stream(clock):
    core = Stream("events", shard_count=2, tags={"team": "blue"}, clock=clock)
    stream = AsyncStream(core)
    assert stream.core is core
    for name in ("broker", "name", "arn", "status", "tags"):
        assert getattr(stream, name) == getattr(core, name)
    assert repr(stream) == f"<Async{repr(core)[1:]}"


def test_what_exists_is_not_made_with_other_settings(clock):
    with pytest.raises(TypeError, match="there is one already"):
        AsyncQueue(Queue("emails"), visibility_timeout=30)
    with pytest.raises(TypeError, match="there is one already"):
        AsyncStream(Stream("events"), shard_count=4)


def test_an_async_broker_is_a_way_in_to_a_broker(clock):
    core = Broker(clock=clock, region="eu-west-1")
    broker = AsyncBroker(core)
    assert broker.core is core
    for name in ("clock", "account_id", "region"):
        assert getattr(broker, name) == getattr(core, name)
    assert repr(broker) == "<AsyncBroker of 000000000000 in eu-west-1: 0 queues, 0 streams>"
    with pytest.raises(TypeError, match="there is one already"):
        AsyncBroker(core, region="us-east-1")


@on_an_event_loop
async def test_what_an_async_broker_gives_is_to_be_awaited(clock):
    async with AsyncBroker(clock=clock) as broker:
        dead = await broker.create_queue("dead")
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
        emails = await broker.create_queue("emails", redrive_policy=policy)
        await emails.send("hello")
        for found in (
            await broker.queue("emails"),
            await broker.queue_by_arn(emails.arn),
            await broker.queue_by_url(emails.url),
            *await broker.list_queues(queue_name_prefix="em"),
            *await dead.list_dead_letter_source_queues(),
        ):
            assert isinstance(found, AsyncQueue)
            assert bodies(await found.peek()) == ["hello"]
        page = await broker.list_queues(max_results=1)
        assert [queue.name for queue in page] == ["dead"]
        assert [queue.name for queue in await broker.list_queues(next_token=page.next_token)] == ["emails"]

        events = await broker.create_stream("events")
        record = await events.put_record(b"hello", "key")
        for stream in (await broker.stream("events"), await broker.stream_by_arn(events.arn)):
            assert await stream.peek() == [record]
        await broker.delete_queue("dead")
    with pytest.raises(errors.BrokerClosed):
        await emails.receive()


@on_an_event_loop
async def test_a_url_gives_a_broker_to_enter_or_to_await(clock):
    async with connect("memory://", clock=clock, region="eu-west-1") as broker:
        assert isinstance(broker, AsyncBroker)
        assert (broker.clock, broker.region) == (clock, "eu-west-1")
    assert broker.core.closed_because is not None
    broker = await connect("memory://")
    await broker.create_queue("emails")
    await broker.close()
    with pytest.raises(errors.InvalidParameterValue):
        await connect("redis://localhost")


# --- waiting -------------------------------------------------------------------------------------------


@on_an_event_loop
async def test_a_long_poll_of_an_empty_queue_returns_at_once_and_takes_its_whole_time(queue, seconds):
    assert await queue.receive(wait_time_seconds=20) == []
    assert seconds() == 20


@on_an_event_loop
async def test_the_queue_s_own_waiting_time_is_waited_for(clock, seconds):
    queue = AsyncQueue("emails", receive_message_wait_time_seconds=7, clock=clock)
    assert await queue.receive() == []
    assert await queue.receive(wait_time_seconds=0) == []
    assert seconds() == 7


@on_an_event_loop
async def test_a_long_poll_gets_a_delayed_message_at_the_instant_its_delay_ends(queue, seconds):
    await queue.send("hello", delay_seconds=5)
    assert bodies(await queue.receive(wait_time_seconds=20)) == ["hello"]
    assert seconds() == 5


@on_an_event_loop
async def test_a_task_that_is_about_to_send_is_not_jumped_past(queue, seconds):
    async def work_and_send():
        for _ in range(10):
            await asyncio.sleep(0)
        await queue.send("hello")

    received, _ = await asyncio.gather(queue.receive(wait_time_seconds=20), work_and_send())
    assert bodies(received) == ["hello"]
    assert seconds() == 0


@on_an_event_loop
async def test_a_short_real_sleep_is_waited_for(queue, seconds):
    async def sleep_and_send():
        await asyncio.sleep(0.01)
        await queue.send("hello")

    received, _ = await asyncio.gather(queue.receive(wait_time_seconds=20), sleep_and_send())
    assert bodies(received) == ["hello"]
    assert seconds() == 0


@on_an_event_loop
async def test_a_timeout_around_a_receive_does_not_hold_the_clock_up(queue, seconds):
    before = time.perf_counter()
    async with asyncio.timeout(5):
        assert await queue.receive(wait_time_seconds=20) == []
    assert time.perf_counter() - before < 1
    assert seconds() == 20


@on_an_event_loop
async def test_a_task_that_ticks_for_ever_costs_no_more_than_the_patience():
    clock = VirtualClock(patience_seconds=0.03)

    async def tick():
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    ticker = asyncio.create_task(tick())
    await sleep(clock, 20)
    ticker.cancel()


@on_an_event_loop
async def test_a_task_that_spins_for_ever_holds_nobody_up_for_ever(monkeypatch):
    monkeypatch.setattr(event_loops, "RESTLESS", 1)
    clock = VirtualClock(patience_seconds=0.01)

    async def spin():
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    spinner = asyncio.create_task(spin())
    await sleep(clock, 20)
    spinner.cancel()


@on_an_event_loop
async def test_what_comes_in_through_a_thread_is_waited_for(queue, seconds):
    for _ in range(20):
        sent = asyncio.create_task(asyncio.to_thread(queue.core.send, "hello"))
        [message] = await queue.receive(wait_time_seconds=20)
        await queue.delete(message)
        await sent
    assert seconds() == 0


@on_an_event_loop
async def test_what_comes_in_through_a_socket_is_waited_for(queue, seconds):
    async def serve(reader, writer):
        await queue.send((await reader.readline()).decode().strip())
        writer.close()

    async def send():
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        received, _ = await asyncio.gather(queue.receive(wait_time_seconds=20), send())
    assert bodies(received) == ["hello"]
    assert seconds() == 0


@on_an_event_loop
async def test_tasks_with_different_deadlines_are_woken_in_the_order_of_their_deadlines(clock, seconds):
    woken = []

    async def sleeper(delay):
        await sleep(clock, delay)
        woken.append((delay, seconds()))

    async with asyncio.TaskGroup() as group:
        for delay in (5, 1, 4, 2, 3):
            group.create_task(sleeper(delay))
    assert woken == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]


@on_an_event_loop
async def test_a_thousand_tasks_wait_at_once(clock, seconds):
    await asyncio.gather(*(sleep(clock, number % 10) for number in range(1000)))
    assert seconds() == 9


@on_an_event_loop
async def test_workers_handle_every_message_once_and_end(clock, seconds):
    queue, handled = AsyncQueue("tasks", clock=clock), []

    async def worker():
        while messages := await queue.receive(wait_time_seconds=20):
            for message in messages:
                await sleep(clock, 1)
                handled.append(message.body)
                await queue.delete(message)

    async def sender():
        for number in range(12):
            await queue.send(str(number))
            await sleep(clock, 0.5)

    await asyncio.gather(worker(), worker(), worker(), sender())
    assert handled == [str(number) for number in range(12)]
    assert seconds() <= 28


@on_an_event_loop
async def test_a_task_that_nobody_can_ever_wake_raises(clock):
    with pytest.raises(errors.DeadlockError, match="waits without a deadline"):
        await clock.wait_async(Wakeup(), None)
    with pytest.raises(errors.DeadlockError, match="let the clock jump"):
        await sleep(VirtualClock(autojump=False), 1)


@on_an_event_loop
async def test_a_task_moves_the_clock_by_hand():
    clock = VirtualClock(autojump=False)
    sleeper = asyncio.create_task(sleep(clock, 20))
    await asyncio.sleep(0)
    clock.advance(seconds=20)
    await sleeper


@AGAIN_AND_AGAIN
@on_an_event_loop
async def test_tasks_and_threads_wait_on_the_same_clock(clock, seconds, round_number):
    queue = AsyncQueue("emails", clock=clock)

    def other_thread():
        clock.sleep(5)
        queue.core.send("hello")
        clock.sleep(5)

    thread = threading.Thread(target=other_thread)
    thread.start()
    assert bodies(await queue.receive(wait_time_seconds=20)) == ["hello"]
    assert seconds() == 5
    assert await queue.receive(wait_time_seconds=3) == []
    assert seconds() == 8
    await asyncio.to_thread(thread.join)
    assert seconds() == 10


@AGAIN_AND_AGAIN
def test_two_event_loops_wait_on_the_same_clock(clock, round_number):
    started_ns, woken, line = clock.now_ns(), [], threading.Barrier(2)

    async def sleeper(delay):
        line.wait()
        for _ in range(2):
            await sleep(clock, delay)
            await asyncio.sleep(0)
            woken.append((clock.now_ns() - started_ns) // SECOND)

    threads = [threading.Thread(target=lambda d=delay: asyncio.run(sleeper(d))) for delay in (2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert woken == [2, 4, 5, 10]


@pytest.mark.parametrize("shown", [{}, {"_ready": []}, {"_ready": [], "_selector": None}])
@on_an_event_loop
async def test_a_loop_that_hides_what_it_has_to_do_is_given_some_time(shown):
    watch = event_loops.LoopWatch(0.5)
    watch._loop = types.SimpleNamespace(time=asyncio.get_running_loop().time, **shown)
    looks = [watch.rests(0.004) for _ in range(3)]
    assert looks == [False, False, True]


# --- cancelling ----------------------------------------------------------------------------------------


@on_an_event_loop
async def test_a_cancelled_receive_takes_nothing_and_leaves_nobody_waiting(queue, clock):
    poll = asyncio.create_task(queue.receive(wait_time_seconds=20))
    await asyncio.sleep(0)
    assert repr(clock).endswith("1 waiting>")
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll
    assert "waiting" not in repr(clock)
    queue.core.check_invariants()
    await queue.send("hello")
    assert bodies(await queue.receive()) == ["hello"]


@on_an_event_loop
async def test_a_receive_that_is_cancelled_when_it_was_woken_passes_the_news_on(queue, seconds):
    first = asyncio.create_task(queue.receive(wait_time_seconds=20))
    await asyncio.sleep(0)
    second = asyncio.create_task(queue.receive(wait_time_seconds=20))
    await asyncio.sleep(0)
    await queue.send("hello")
    first.cancel()
    assert bodies(await second) == ["hello"]
    assert seconds() == 0
    assert first.cancelled()


@on_an_event_loop
async def test_a_timeout_that_ends_a_receive_leaves_the_message_to_others():
    queue = AsyncQueue("emails", clock=SystemClock())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await queue.receive(wait_time_seconds=20)
    await queue.send("hello")
    assert bodies(await queue.receive()) == ["hello"]


def test_whoever_sets_a_wakeup_does_not_mind_that_the_loop_is_closed():
    loop, wakeup = asyncio.new_event_loop(), Wakeup()
    waits = loop.create_task(event_loops.wait_on_loop(wakeup))
    loop.run_until_complete(asyncio.sleep(0))
    waits.cancel()
    relay = wakeup.relay
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waits)
    loop.close()
    relay()
    wakeup.set()


# --- the machine's time --------------------------------------------------------------------------------


@on_an_event_loop
async def test_on_the_machine_s_time_a_receive_is_woken_by_a_send():
    queue = AsyncQueue("emails")
    poll = asyncio.create_task(queue.receive(wait_time_seconds=20))
    await asyncio.sleep(0)
    await queue.send("hello")
    assert bodies(await poll) == ["hello"]


@on_an_event_loop
async def test_on_the_machine_s_time_a_receive_is_woken_by_another_thread():
    queue = AsyncQueue("emails")
    poll = asyncio.create_task(queue.receive(wait_time_seconds=20))
    await asyncio.sleep(0)
    await asyncio.to_thread(queue.core.send, "hello")
    assert bodies(await poll) == ["hello"]


@on_an_event_loop
async def test_on_the_machine_s_time_a_wait_reaches_its_time():
    clock = SystemClock()
    until_ns = clock.now_ns() + SECOND // 500
    await clock.wait_async(Wakeup(), until_ns)
    assert clock.now_ns() >= until_ns
    await clock.wait_async(Wakeup(), until_ns)
    wakeup = Wakeup()
    wakeup.set()
    await clock.wait_async(wakeup, None)


# --- a subscription ------------------------------------------------------------------------------------


@on_an_event_loop
async def test_a_subscription_gives_events_as_they_come_until_its_five_minutes_are_over(clock, seconds):
    stream = AsyncStream("events", clock=clock)
    consumer = await stream.register_stream_consumer("reader")
    [shard] = (await stream.list_shards()).shards
    subscription = await stream.subscribe_to_shard(consumer.consumer_arn, shard.shard_id, "LATEST")

    async def put_later():
        for _ in range(2):
            await sleep(clock, 30)
            await stream.put_record(b"hello", "key")

    putter = asyncio.create_task(put_later())
    events = [(seconds(), [record.data for record in event.records]) async for event in subscription]
    assert [event for event in events if event[1]] == [(30, [b"hello"]), (60, [b"hello"])]
    assert events[0] == (5, [])
    assert events[-1] == (300, [])
    await putter


@on_an_event_loop
async def test_a_subscription_that_is_closed_ends(clock, seconds):
    stream = AsyncStream("events", clock=clock)
    consumer = await stream.register_stream_consumer("reader")
    [shard] = (await stream.list_shards()).shards
    subscription = await stream.subscribe_to_shard(consumer.consumer_arn, shard.shard_id, "LATEST")

    async def close_later():
        await sleep(clock, 3)
        subscription.close()

    closer = asyncio.create_task(close_later())
    assert [event async for event in subscription] == []
    assert seconds() == 3
    await closer
