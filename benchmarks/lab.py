"""What the lab costs: row L1, a message's whole life in a simulation.

A lifecycle is one message that a producer sends, one of four consumers receives by a long poll, works on
(`asyncio.sleep`), and deletes, one message at a time; the three operations are written down in the
history.  The floor is Q1's: the goal is 15,000 lifecycles in a CPU second on a machine whose
floor cycle takes 8 µs, which is 8.3 floor cycles.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks import queues
from benchmarks.harness import Bench, Finding, Variant, Work, bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queuestream.aio import AsyncQueue
    from queuestream.lab import World

_CONSUMERS = 4
_GOAL = 8.3
_WORK_SECONDS = 0.3
_PER_SECOND = 10


def lifecycles(count: int) -> Work:
    """A world in which so many messages are produced, delivered, worked on, deleted, all recorded."""
    from queuestream.lab import World

    texts = bodies(count)
    world = World(7)
    pauses = [world.chance("producer").expovariate(_PER_SECOND) for _ in texts]

    async def produce(queue: AsyncQueue) -> None:
        for body, pause in zip(texts, pauses, strict=True):
            await queue.send(body)
            await asyncio.sleep(pause)

    async def consume(queue: AsyncQueue) -> None:
        while True:
            for message in await queue.receive(wait_time_seconds=20):
                await asyncio.sleep(_WORK_SECONDS)
                await queue.delete(message)

    async def main(world: World) -> None:
        queue = await world.aio.create_queue("bench")
        recorder = world.recorder
        for number in range(_CONSUMERS):
            world.start(consume(recorder.queue(queue, actor=f"consumer-{number}")), name=f"consumer-{number}")
        await world.start(produce(recorder.queue(queue, actor="producer")), name="producer")
        await asyncio.sleep(30)
        assert len(world.history) >= 3 * count

    return lambda: world.run(main)


def l1(bench: Bench) -> Iterator[Finding]:
    """A message produced, delivered, worked on, deleted and recorded, in a simulation."""
    what = "a recorded lifecycle"
    cycles = bench.effort.cycles
    samples = bench.compare(
        [Variant("the floor", queues.floor_in_ones, cycles), Variant(what, lifecycles, cycles, ours=True)]
    )
    yield Finding(
        row="L1",
        what=what,
        against="the floor",
        ratio=samples.ratio(what, "the floor"),
        goal=_GOAL,
        cost=samples.cost(what),
        cost_against=samples.cost("the floor"),
    )


ROWS = {"L1": l1}
