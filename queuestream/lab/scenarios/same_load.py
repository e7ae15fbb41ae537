"""The same load on a standard queue, a FIFO queue and a stream: what order does each give?

The producer, the keys, the instants, the consumers and their work are the same; what differs is
what lies between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from queuestream.lab.actors import (
    Application,
    Bursts,
    Consumer,
    Keys,
    Pace,
    Poisson,
    Producer,
    drained,
    duration,
    numbered,
)
from queuestream.lab.actors.durations import KINDS
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, busy_seconds, counted, percentile, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.aio import AsyncQueue
    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World

DELIVERIES = ("strict", "aws_like", "adversarial")


@attrs.frozen(kw_only=True)
class SameLoad(Scenario):
    """What the three have in common."""

    scopes = ("global", "key", "key_done")
    medium: ClassVar[str] = ""

    messages: int = knob(600, "how many are sent", low=1, high=1_000_000)
    per_second: float = knob(15.0, "how many come in a second", low=0.001, high=100_000)
    burst: int = knob(20, "how many of them come at once; 1 for one by one, by chance", low=1, high=100_000)
    keys: int = knob(16, "how many keys they have", low=1, high=100_000)
    skew: float = knob(0.5, "how much more frequent the first keys are: 0 even, 1 Zipf's law", low=0, high=5)
    consumers: int = knob(4, "how many work on them", low=1, high=1_000)
    work_seconds: float = knob(0.2, "how long a message takes on average", unit="seconds", low=0, high=3_600)
    work: str = knob("exponential", "how that is distributed", choices=KINDS)
    delivery: str = knob("aws_like", "how much a standard queue and a stream misbehave", choices=DELIVERIES)

    def world_arguments(self) -> dict[str, Any]:
        """How deliveries go."""
        return {"delivery": self.delivery}

    def producer(self, world: World, target: Any) -> Producer:
        """Who sends it all."""
        keys = Keys.zipf(self.keys, self.skew, "sensor")
        pace: Pace = Poisson(self.per_second)
        if self.burst > 1:
            pace = Bursts(self.burst, every_seconds=self.burst / self.per_second)
        return Producer(
            world,
            "producer",
            target,
            messages=numbered(self.messages, keys, world.chance("keys")),
            pace=pace,
        )

    async def through_a_queue(self, world: World, queue: AsyncQueue) -> Mapping[str, Any]:
        """Send everything, and work until the queue is empty."""
        work = duration(self.work, self.work_seconds)
        consumers = Consumer.start_several(world, "consumer", queue, self.consumers, work=work)
        await self.producer(world, queue).start()
        await drained(queue)
        return busy_seconds({consumer.name: consumer.busy_ns for consumer in consumers})

    def findings(self, run: Run) -> Iterator[str]:
        """What order there was, by key and over all, and how long messages waited."""
        seen, overall = Seen(run.history), run.measures["global"]
        in_key, done = run.measures["key"], run.measures["key_done"]
        messages, keys = counted(len(seen.sent_ns), "message"), counted(self.keys, "key")
        consumers = counted(self.consumers, "consumer")
        yield (
            f"{messages} of {keys} went through {self.medium} to {consumers} in "
            f"{run.virtual_seconds:,.1f} seconds."
        )
        yield (
            f"Over all, {overall.reordered_ratio:.1%} arrived after a later one, up to "
            f"{overall.max_extent:,} places too late."
        )
        yield (
            f"Within a key, {in_key.reordered_ratio:.1%} arrived and {done.reordered_ratio:.1%} were done "
            f"after a later one."
        )
        waits, repeats = seen.waits(), seen.repeats
        again = f"{repeats:,} were delivered again" if repeats else "None was delivered twice"
        yield (
            f"{again}; half of all messages were received {within(percentile(waits, 50))}, "
            f"99 % {within(percentile(waits, 99))}."
        )


@attrs.frozen(kw_only=True)
class Standard(SameLoad):
    """A standard queue delivers at least once, and in about the order of sending: no key's order is kept."""

    name = "standard"
    medium = "a standard queue"

    visibility_timeout: int = knob(30, "how long a message is hidden", unit="seconds", low=0, high=43_200)

    async def play(self, world: World) -> Mapping[str, Any]:
        """The load through a standard queue."""
        queue = await world.aio.create_queue("standard", visibility_timeout=self.visibility_timeout)
        return await self.through_a_queue(world, queue)


@attrs.frozen(kw_only=True)
class Fifo(SameLoad):
    """A FIFO queue keeps the order of each message group, and makes the group wait for it."""

    name = "fifo"
    medium = "a FIFO queue"

    visibility_timeout: int = knob(30, "how long a message is hidden", unit="seconds", low=1, high=43_200)

    async def play(self, world: World) -> Mapping[str, Any]:
        """The load through a FIFO queue; a key is a message group."""
        queue = await world.aio.create_queue(
            "fifo.fifo", fifo_queue=True, visibility_timeout=self.visibility_timeout
        )
        return await self.through_a_queue(world, queue)


@attrs.frozen(kw_only=True)
class OnStream(SameLoad):
    """A stream keeps the order of each shard, and so of each key; a slow record holds up its whole shard."""

    name = "stream"
    medium = "a stream"

    shards: int = knob(4, "how many shards the stream has", low=1, high=500)

    async def play(self, world: World) -> Mapping[str, Any]:
        """The load through a stream; a key is a partition key."""
        stream = await world.aio.create_stream("stream", shard_count=self.shards)
        readers = Application(
            world,
            "consumer",
            stream,
            readers=self.consumers,
            work=duration(self.work, self.work_seconds),
            batch_size=10,
        )
        readers.start()
        await self.producer(world, stream).start()
        await readers.caught_up()
        return busy_seconds(readers.busy_ns)
