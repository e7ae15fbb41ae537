"""Operators: what they do, when, and how they are told of."""

from queuestream.core.clock import SECOND
from queuestream.lab.actors import Operator, drained, merge, purge, redrive, split
from queuestream.lab.simulation.world import World


def told(world):
    return [(event.operation, (event.started_ns - world.clock.start_ns) // SECOND) for event in world.history]


def test_an_operator_does_each_step_at_its_time():
    world = World(seed=7)

    async def main():
        stream = await world.aio.create_stream("clicks", shard_count=2)
        await Operator(world, "operator", [(10, split(stream)), (20, merge(stream))]).start()
        listed = await stream.list_shards(shard_filter="AT_LATEST")
        return [shard.shard_id[-1] for shard in listed.shards]

    # The first of the two widest shards is halved; the two halves are the narrowest neighbours.
    assert world.run(main) == ["1", "4"]
    assert told(world) == [("split_shard", 10), ("merge_shards", 20)]
    assert {event.actor for event in world.history} == {"operator"}


def test_a_purge_empties_a_queue():
    world = World(seed=7)

    async def main():
        queue = await world.aio.create_queue("orders")
        await queue.send("a")
        await Operator(world, "operator", [(5, purge(queue))]).start()
        return await queue.counts()

    assert not any(world.run(main))
    assert told(world) == [("purge", 5)]


def test_a_redrive_brings_dead_letters_back():
    world = World(seed=7)

    async def main():
        dead = await world.aio.create_queue("dead")
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
        queue = await world.aio.create_queue("orders", redrive_policy=policy, visibility_timeout=1)
        await queue.send("a")
        await queue.receive()
        await world.sleep(2)
        assert await queue.receive() == []
        assert (await dead.counts()).visible == 1
        await Operator(world, "operator", [(5, redrive(dead))]).start()
        await world.sleep(5)
        return [message.body for message in await queue.receive()]

    assert world.run(main) == ["a"]
    assert [operation for operation, _ in told(world)] == ["start_message_move_task"]


def test_a_queue_is_drained_once_nothing_is_in_flight_any_more():
    world = World(seed=7)

    async def main():
        queue = await world.aio.create_queue("orders")
        await queue.send("a")

        async def work():
            [message] = await queue.receive()
            await world.sleep(12.5)
            await queue.delete(message)

        world.start(work())
        was_drained = await drained(queue)
        return was_drained, (world.now_ns() - world.clock.start_ns) / SECOND

    assert world.run(main) == (True, 13)


def test_waiting_for_a_queue_to_be_drained_has_an_end():
    world = World(seed=7)

    async def main():
        queue = await world.aio.create_queue("orders")
        await queue.send("a")
        return await drained(queue, limit_seconds=60), (world.now_ns() - world.clock.start_ns) / SECOND

    assert world.run(main) == (False, 60)
