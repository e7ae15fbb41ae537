"""Operators: who splits, merges, purges and redrives, at set times; and how to wait for an end.

    Operator(world, "operator", [(20, split(stream)), (40, merge(stream))]).start()
    ...
    await drained(queue)

A step is a function that is called when its time has come, so an operation decides by what it finds
then: `split` halves the widest shard there is at that moment.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from queuestream.core.clock import SECOND
from queuestream.lab.actors.clients import recorded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from queuestream.aio import AsyncQueue, AsyncStream
    from queuestream.core.streams.shard import ShardDescription
    from queuestream.lab.simulation.world import World

    Step = Callable[[World, str], Awaitable[None]]
    """What an operator does, called with the world and the operator's name."""


@attrs.define(eq=False)
class Operator:
    """Somebody who changes queues and streams while others use them.

    Attributes:
        world: Where it lives.
        name: What it is called in the history.
        plan: When it does what: seconds from when it starts, and the step; in the order of time.
    """

    world: World
    name: str
    plan: Sequence[tuple[float, Step]]

    def start(self) -> asyncio.Task[None]:
        """Let it begin; the task ends with the last step."""
        return self.world.start(self.run(), name=self.name)

    async def run(self) -> None:
        """Do each step at its time."""
        clock = self.world.clock
        started_ns = clock.now_ns()
        for seconds, step in self.plan:
            early_ns = started_ns + round(seconds * SECOND) - clock.now_ns()
            await asyncio.sleep(max(0, early_ns) / SECOND)
            await step(self.world, self.name)


# --- steps ----------------------------------------------------------------------------------------------


def split(stream: AsyncStream) -> Step:
    """Halve the shard with the most hash keys."""

    async def step(world: World, actor: str) -> None:
        widest = max(await _open_shards(stream), key=_width)
        first, last = map(int, widest.hash_key_range)
        world.record("splits", operator=actor, shard=widest.shard_id)
        await recorded(world, stream, actor).split_shard(widest.shard_id, str((first + last) // 2 + 1))

    return step


def merge(stream: AsyncStream) -> Step:
    """Join the two neighbours that have the fewest hash keys together."""

    async def step(world: World, actor: str) -> None:
        shards = await _open_shards(stream)
        left, right = min(pairwise(shards), key=lambda pair: sum(map(_width, pair)))
        world.record("merges", operator=actor, shards=[left.shard_id, right.shard_id])
        await recorded(world, stream, actor).merge_shards(left.shard_id, right.shard_id)

    return step


def purge(queue: AsyncQueue) -> Step:
    """Remove every message."""

    async def step(world: World, actor: str) -> None:
        world.record("purges", operator=actor, queue=queue.name)
        await recorded(world, queue, actor).purge()

    return step


def redrive(dead_letters: AsyncQueue) -> Step:
    """Move the messages of a dead-letter queue back to the queues where they failed."""

    async def step(world: World, actor: str) -> None:
        world.record("redrives", operator=actor, queue=dead_letters.name)
        await recorded(world, dead_letters, actor).start_message_move_task()

    return step


async def _open_shards(stream: AsyncStream) -> list[ShardDescription]:
    """The shards that take records now, in the order of their hash keys."""
    listed = await stream.list_shards(shard_filter="AT_LATEST")
    return sorted(listed.shards, key=lambda shard: int(shard.hash_key_range[0]))


def _width(shard: ShardDescription) -> int:
    first, last = map(int, shard.hash_key_range)
    return last - first + 1


# --- the end --------------------------------------------------------------------------------------------


async def drained(queue: AsyncQueue, *, every_seconds: float = 1, limit_seconds: float = 86_400) -> bool:
    """Wait until a queue holds no message; whether it did before the limit was over.

    Looks now and then, which costs nothing in virtual time.
    """
    looks = round(limit_seconds / every_seconds)
    for _ in range(looks):
        if not any(await queue.counts()):
            return True
        await asyncio.sleep(every_seconds)
    return False
