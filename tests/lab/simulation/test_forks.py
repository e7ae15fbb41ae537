"""A world, or a broker, forked in the middle: the same up to there, and its own from there on."""

import asyncio
import random

import pytest

from queuestream import Broker, RedrivePolicy, VirtualClock, connect, errors
from queuestream.lab import World, fork_broker
from queuestream.testing import CallLog

# --- worlds ---------------------------------------------------------------------------------------------


async def race(world):
    """Three actors, five rounds: what they did, and with which luck."""
    done = []

    async def run(name):
        for _ in range(5):
            await asyncio.sleep(1)
            done.append(f"{name} {world.chance(name).random():.3f} {random.random():.3f}")

    for name in "abc":
        world.start(run(name), name=name)
    await asyncio.sleep(6)
    return done


def test_a_fork_is_the_same_up_to_an_instant_and_another_run_from_there_on():
    world = World(seed=7)
    original = world.run(race)

    forks = [world.fork(seed, after_seconds=3).run() for seed in range(5)]

    assert all(fork[:6] == original[:6] for fork in forks)
    assert len({tuple(fork[6:]) for fork in forks} | {tuple(original[6:])}) == 6


def test_a_fork_is_the_same_up_to_a_decision():
    world = World(seed=7, trace=True)
    world.run(race)

    fork = world.fork(8, after_decisions=9)
    fork.run()

    # Each round has one line for each of the three; before the first one there are four.
    told = [[str(entry) for entry in one.trace] for one in (world, fork)]
    assert told[0][:9] == told[1][:9]
    assert told[0] != told[1]


def test_a_run_can_be_forked_from_within():
    forks = []

    async def main(world):
        queue = await world.aio.create_queue("orders")
        await race(world)
        forks.append(world.fork(8))
        await queue.send("a message")
        return await race(world), [message.body for message in await queue.receive()]

    world = World(seed=7, trace=True)
    original = world.run(main)
    [fork] = forks
    other = fork.run()

    assert original != other
    assert other[1] == ["a message"]
    assert world.trace[:20] == fork.trace[:20]


def test_a_fork_can_be_forked():
    world = World(seed=7)
    first = world.fork(8, after_seconds=2)
    found = first.run(race)
    again = first.fork(9, after_seconds=4).run()
    assert found[:9] == again[:9]
    assert found != again


def test_the_same_fork_is_the_same_run():
    world = World(seed=7)
    assert world.fork(8, after_seconds=2).run(race) == world.fork(8, after_seconds=2).run(race)


def test_what_fails_in_a_fork_says_how_to_come_there_again():
    async def main():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        World(seed=7).fork(8, after_seconds=2.5).run(main)
    assert "World(7, trace=True).fork(8, after_seconds=2.5) does the same" in caught.value.__notes__[0]


def test_actors_that_were_started_before_the_run_are_started_in_a_fork_too():
    def started(world):
        world.start(race(world))
        return world

    world = started(World(seed=7))
    told = world.run(race)
    with pytest.raises(ValueError, match="1 actors were started before its original, 0 before it"):
        world.fork(8).run()
    assert started(world.fork(8)).run() == told
    with pytest.raises(ValueError, match="1 actors were started before its original, 0 before it"):
        world.fork(8).fork(9).run()


def test_what_no_fork_could_repeat_is_refused():
    world = World(seed=7)
    world.run(race)
    with pytest.raises(ValueError, match="not both"):
        world.fork(8, after_seconds=1, after_decisions=1)
    world.run(race)
    with pytest.raises(ValueError, match="this world has had 2"):
        world.fork(8)


# --- brokers --------------------------------------------------------------------------------------------


class Calls:
    """Random calls, the same ones for brokers that are the same."""

    def __init__(self, broker, seed):
        self.broker = broker
        self.chance = random.Random(seed)
        self.handles = []

    def call(self):
        """One of them; what came of it, as a text."""
        chance, broker = self.chance, self.broker
        queue = broker.queue(chance.choice(sorted(broker.queues)))
        stream = broker.streams["events"]
        group = {"message_group_id": chance.choice("abc")} if queue.is_fifo or chance.random() < 0.5 else {}
        number = chance.randrange(100)
        match chance.randrange(10):
            case 0 | 1 | 2:
                return queue.send(f"body {number}", **group)
            case 3 | 4:
                messages = queue.receive(
                    max_number_of_messages=1 + number % 10,
                    visibility_timeout=number % 40,
                    wait_time_seconds=1,
                )
                self.handles += [(queue.name, message.receipt_handle) for message in messages]
                return messages
            case 5 | 6 if self.handles:
                name, handle = self.handles.pop(number % len(self.handles))
                return broker.queue(name).delete(handle)
            case 7:
                return stream.put_record(b"data", str(number))
            case 8:
                iterator = stream.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")
                return [iterator, stream.get_records(iterator)]
            case _:
                broker.clock.advance(seconds=number % 7)
        return broker.clock.now_ns()

    def calls(self, count):
        return [repr(self._called()) for _ in range(count)]

    def _called(self):
        try:
            return self.call()
        except errors.QueuestreamError as error:
            return error

    def fork(self):
        other = Calls(fork_broker(self.broker), 0)
        other.chance.setstate(self.chance.getstate())
        other.handles = list(self.handles)
        return other


def busy_broker(seed, **arguments):
    broker = Broker(clock=VirtualClock(), seed=seed, **arguments)
    dead = broker.create_queue("dead")
    broker.create_queue(
        "plain", redrive_policy=RedrivePolicy(dead_letter_target_arn=dead.arn, max_receive_count=2)
    )
    broker.create_queue("ordered.fifo", fifo_queue=True, content_based_deduplication=True)
    broker.create_stream("events", shard_count=2)
    return broker


@pytest.mark.parametrize("delivery", ["strict", "aws_like", "adversarial"])
@pytest.mark.parametrize("seed", range(3))
def test_the_same_calls_have_the_same_answers_on_a_broker_and_its_fork(seed, delivery):
    calls = Calls(busy_broker(seed, delivery=delivery), seed)
    calls.calls(100)
    other = calls.fork()
    other.broker.check_invariants()

    expected = calls.calls(100)

    assert other.calls(100) == expected
    assert len(set(expected)) > 50


def test_a_broker_and_its_fork_go_on_apart():
    clock = VirtualClock()
    broker = Broker(clock=clock, seed=7)
    queue = broker.create_queue("orders")
    queue.send("hello")

    other = fork_broker(broker)
    queue.purge()
    clock.advance(hours=1)

    assert [message.body for message in other.queue("orders").receive()] == ["hello"]
    assert other.clock.now.hour == 0
    assert queue.receive() == []


def test_nobody_hears_what_happens_in_a_fork():
    heard = []
    broker = Broker(seed=7)
    broker.listen(heard.append)
    other = fork_broker(broker)
    other.create_queue("orders")
    assert heard == []
    assert isinstance(other.clock, VirtualClock)


def test_a_call_log_hears_nothing_of_a_fork():
    broker = Broker(clock=VirtualClock(), seed=7)
    with CallLog() as calls:
        calls.watch(broker)
        orders = broker.create_queue("orders")
        events = broker.create_stream("events")
        other = fork_broker(broker)
        other.queue("orders").send("hello")
        other.stream("events").put_record(b"hello", "key")
        orders.send("hello")
        events.put_record(b"hello", "key")
    assert calls.operations == ["CreateQueue", "CreateStream", "SendMessage", "PutRecord"]
    assert repr(other) == repr(broker)


def test_nobody_waits_in_the_fork_of_a_broker_where_somebody_does():
    async def main(world):
        queue = await world.aio.create_queue("orders")
        stream = await world.aio.create_stream("events")
        consumer = await stream.register_stream_consumer("reader")
        await asyncio.sleep(10)
        subscription = await stream.subscribe_to_shard(
            consumer.consumer_arn, "shardId-000000000000", "LATEST"
        )
        world.start(queue.receive(wait_time_seconds=20), name="consumer")
        world.start(anext(subscription), name="reader")
        await asyncio.sleep(1)
        other = fork_broker(world.broker)
        other.queue("orders").send("hello")
        other.stream("events").put_record(b"data", "key")
        await asyncio.sleep(1)
        return other.queue("orders").receive()[0].body, queue.core._waiting

    body, waiting = World().run(main)
    assert body == "hello"
    assert waiting == {}


def test_a_clock_keeps_its_ways_in_a_fork():
    broker = Broker(clock=VirtualClock(start=5, autojump=False, patience_seconds=2))
    clock = fork_broker(broker).clock
    assert (clock.now_ns(), clock.autojump, clock.patience_seconds) == (5_000_000_000, False, 2)


def test_a_broker_in_a_file_is_not_forked(tmp_path):
    with connect(f"sqlite:///{tmp_path}/orders.db") as broker, pytest.raises(ValueError, match="in memory"):
        fork_broker(broker)
