"""Readers of streams: they share the shards, read parents before children, and begin again at checkpoints."""

import pytest

from queuestream.core.clock import SECOND
from queuestream.lab.actors import Application, Crash, Fixed, Operator, merge, split
from queuestream.lab.simulation.world import World


@pytest.fixture
def world():
    return World(seed=7)


def got(world):
    return [event for event in world.history if event.operation == "get" and event.message is not None]


async def put(stream, count, key=None):
    for number in range(count):
        await stream.put_record(str(number).encode(), key or f"key {number}")


def test_readers_share_the_shards_evenly(world):
    async def main():
        stream = await world.aio.create_stream("clicks", shard_count=4)
        await put(stream, 40)
        readers = Application(world, "billing", stream, readers=2, work=Fixed(0))
        readers.start()
        await readers.caught_up()
        return [lease.owner for lease in readers.leases.values()]

    owners = world.run(main)
    assert sorted(owners) == ["billing-1", "billing-1", "billing-2", "billing-2"]
    assert len({event.message for event in got(world)}) == len(got(world)) == 40
    assert {event.application for event in got(world)} == {"billing"}


def test_more_readers_than_shards_leave_some_without_work(world):
    async def main():
        stream = await world.aio.create_stream("clicks")
        await put(stream, 10)
        readers = Application(world, "billing", stream, readers=3, work=Fixed(1))
        readers.start()
        await readers.caught_up()
        return sorted(readers.busy_ns.values())

    assert world.run(main) == [0, 0, 10 * SECOND]


def test_every_application_reads_for_itself(world):
    async def main():
        stream = await world.aio.create_stream("clicks")
        await put(stream, 3)
        readers = [Application(world, name, stream, work=Fixed(0)) for name in ("billing", "search")]
        for each in readers:
            each.start()
        for each in readers:
            await each.caught_up()

    world.run(main)
    assert sorted((event.application, event.message) for event in got(world)) == [
        (application, str(number)) for application in ("billing", "search") for number in range(3)
    ]


@pytest.mark.parametrize("parents_first", [True, False])
def test_a_key_stays_in_order_through_a_split_and_a_merge_if_parents_come_first(world, parents_first):
    worked_on = []

    async def handle(record):
        worked_on.append(int(record.data))

    async def main():
        stream = await world.aio.create_stream("clicks")
        readers = Application(
            world,
            "r",
            stream,
            readers=2,
            work=Fixed(1),
            handle=handle,
            parents_first=parents_first,
            batch_size=3,
        )
        readers.start()
        operator = Operator(world, "operator", [(10.5, split(stream)), (20.5, merge(stream))]).start()
        for number in range(30):
            await stream.put_record(str(number).encode(), "ada")
            await world.sleep(0.9)
        await operator
        await readers.caught_up()
        return len(readers.leases)

    assert world.run(main) == 4
    assert sorted(worked_on) == list(range(30))
    assert (worked_on == list(range(30))) == parents_first
    told = [event.operation for event in world.history if event.actor == "operator"]
    assert told == ["split_shard", "merge_shards"]


def test_the_lease_of_a_reader_that_crashed_goes_to_another_one_who_begins_at_its_checkpoint(world):
    async def handle(record):
        if record.data == b"5" and not crashed:
            crashed.append(record)
            raise Crash

    crashed = []

    async def main():
        stream = await world.aio.create_stream("clicks")
        await put(stream, 10, "ada")
        readers = Application(
            world,
            "r",
            stream,
            readers=2,
            work=Fixed(0.1),
            handle=handle,
            batch_size=4,
            lease_seconds=5,
            restart_seconds=60,
        )
        readers.start()
        await readers.caught_up()
        return readers.crashes

    assert world.run(main) == 1
    first, second = sorted(
        {event.actor for event in got(world)}, key=lambda name: name != got(world)[0].actor
    )
    assert [event.message for event in got(world) if event.actor == first] == [str(n) for n in range(8)]
    # 0 to 3 were checkpointed; 4 was worked on, and its reader had no time to say so.
    assert [event.message for event in got(world) if event.actor == second] == [str(n) for n in range(4, 10)]


def test_a_reader_that_stalls_for_longer_than_its_lease_has_company(world):
    async def main():
        stream = await world.aio.create_stream("clicks")
        await put(stream, 4, "ada")
        readers = Application(
            world,
            "r",
            stream,
            readers=2,
            work=Fixed(0.1),
            batch_size=2,
            lease_seconds=5,
            stall_rate=0.4,
            stall_seconds=8,
        )
        readers.start()
        await readers.caught_up()

    world.run(main)
    assert {event.message for event in got(world)} == {"0", "1", "2", "3"}
    assert len(got(world)) > 4
    assert len({event.actor for event in got(world)}) == 2


def test_readers_go_on_after_calls_that_are_throttled(world):
    async def main():
        stream = await world.aio.create_stream("clicks", enforce_throughput=True)
        await put(stream, 20, "ada")
        # A shard answers five reads a second.
        readers = Application(world, "r", stream, work=Fixed(0), batch_size=2, poll_seconds=0.1)
        readers.start()
        await readers.caught_up()

    world.run(main)
    assert "failed" in {event.outcome for event in world.history if event.operation == "get"}
    assert [event.message for event in got(world)] == [str(number) for number in range(20)]


def test_readers_go_on_where_they_were_after_an_iterator_has_expired(world):
    async def main():
        stream = await world.aio.create_stream("clicks")
        await put(stream, 6, "ada")
        # A record takes longer than the five minutes that an iterator lives.
        readers = Application(
            world,
            "r",
            stream,
            work=lambda record: Fixed(301 * (record.data == b"1")),
            batch_size=2,
            poll_seconds=20,
        )
        readers.start()
        await readers.caught_up()

    world.run(main)
    assert "ExpiredIteratorException" in {event.error for event in world.history}
    assert [event.message for event in got(world)] == [str(number) for number in range(6)]


def test_crashes_strike_readers_in_the_middle_of_the_work(world):
    async def main():
        stream = await world.aio.create_stream("clicks")
        await put(stream, 30, "ada")
        readers = Application(
            world,
            "r",
            stream,
            work=Fixed(1),
            crash_rate=0.2,
            restart_seconds=1,
            lease_seconds=2,
            batch_size=3,
        )
        readers.start()
        await readers.caught_up()
        return readers.crashes

    assert world.run(main) == 2
    assert list(dict.fromkeys(event.message for event in got(world))) == [str(number) for number in range(30)]
    assert len(got(world)) > 30


def test_waiting_for_readers_has_an_end(world):
    async def main():
        stream = await world.aio.create_stream("clicks")
        await put(stream, 1)
        readers = Application(world, "r", stream, work=Fixed(1_000))
        readers.start()
        return await readers.caught_up(limit_seconds=60)

    assert world.run(main) is False


def test_who_takes_which_lease_is_in_the_trace():
    world = World(seed=7, trace=True)

    async def main():
        stream = await world.aio.create_stream("clicks")
        readers = Application(world, "r", stream, work=Fixed(0))
        readers.start()
        await readers.caught_up()

    world.run(main)
    assert "takes a lease  reader=r-1  shard=shardId-000000000000" in world.trace_text()
