"""Absolute order: a stream with a single shard, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.streams.limits import StreamLimits
from queuestream.lab.actors import Application, Backoff, Exponential, Keys, Poisson, Producer, numbered
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted, percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World


@attrs.frozen(kw_only=True)
class OneShard(Scenario):
    """A stream with one shard is in order as a whole, and one reader reads it, however many there are.

    With more shards the readers share the work, and only each key's order is left.
    """

    name = "one-shard"
    scopes = ("global", "key")

    shards: int = knob(1, "how many shards there are", low=1, high=500)
    messages: int = knob(600, "how many records are put", low=1, high=1_000_000)
    keys: int = knob(50, "how many partition keys they have", low=1, high=100_000)
    per_second: float = knob(10.0, "how many come in a second, by chance", low=0.001, high=100_000)
    readers: int = knob(4, "how many readers there are", low=1, high=500)
    work_seconds: float = knob(0.15, "how long a record takes on average", unit="seconds", low=0, high=3_600)
    shard_per_second: int = knob(
        1_000, "how many records a shard takes in a second; AWS's value", low=1, high=1_000
    )

    async def play(self, world: World) -> Mapping[str, Any]:
        """Put, and read all of it."""
        stream = await world.aio.create_stream(
            "ledger",
            shard_count=self.shards,
            enforce_throughput=True,
            limits=StreamLimits(write_records_per_second=self.shard_per_second),
        )
        readers = Application(
            world,
            "reader",
            stream,
            readers=self.readers,
            work=Exponential(self.work_seconds),
            batch_size=10,
        )
        readers.start()
        producer = Producer(
            world,
            "producer",
            stream,
            messages=numbered(self.messages, Keys.even(self.keys, "account"), world.chance("keys")),
            pace=Poisson(self.per_second),
            backoff=Backoff(attempts=1_000),
        )
        await producer.start()
        await readers.caught_up()
        return {"readers_at_work": sum(busy_ns > 0 for busy_ns in readers.busy_ns.values())}

    def findings(self, run: Run) -> Iterator[str]:
        """What order there was, and how far reading fell behind."""
        overall, within, figures = run.measures["global"], run.measures["key"], self.figures(run)
        shards = counted(self.shards, "shard")
        if overall.reordered:
            yield (
                f"With {shards}, {overall.reordered_ratio:.1%} of the records were read after a later one, "
                f"and {within.reordered_ratio:.1%} after a later one of their key."
            )
        else:
            yield f"With {shards}, every record was read in the order in which it was put."
        yield f"Of {counted(self.readers, 'reader')}, {run.notes['readers_at_work']:,} had something to do."
        yield (
            f"{self.per_second:g} records were to come in a second and {figures['read_per_second']:,.1f} "
            f"were read; half of them waited longer than {figures['wait_p50']:,.1f} seconds, the longest "
            f"{figures['wait_max']:,.1f}."
        )

    def figures(self, run: Run) -> dict[str, float]:
        """How many records were read in a second, and how long they waited, in seconds."""
        seen = Seen(run.history)
        waits = seen.waits()
        return {
            "read_per_second": len(seen.first_ns) / seen.seconds() if seen.seconds() else 0.0,
            "wait_p50": percentile(waits, 50),
            "wait_max": percentile(waits, 100),
        }
