"""A stream whose shards are split and merged while records come in and are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.actors import (
    Application,
    Exponential,
    Keys,
    Operator,
    Poisson,
    Producer,
    merge,
    numbered,
    split,
)
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted, percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World


@attrs.frozen(kw_only=True)
class Resharding(Scenario):
    """Splits and merges keep every key in order, if readers finish a shard's parents before the shard.

    With `parents_first=false` they do not: a key's newer records, in the child, are then read while older
    ones still wait in the parent.
    """

    name = "resharding"
    scopes = ("global", "shard", "key")

    messages: int = knob(900, "how many records are put", low=1, high=1_000_000)
    keys: int = knob(24, "how many partition keys they have", low=1, high=100_000)
    per_second: float = knob(15.0, "how many come in a second, by chance", low=0.001, high=100_000)
    shards: int = knob(2, "how many shards there are at first", low=2, high=500)
    readers: int = knob(2, "how many read them", low=1, high=500)
    work_seconds: float = knob(0.12, "how long a record takes on average", unit="seconds", low=0, high=3_600)
    every_seconds: float = knob(
        12.0, "when the operator comes: to split, split, merge, merge", unit="seconds", low=0.001, high=86_400
    )
    parents_first: bool = knob(default=True, help="whether readers finish the parents of a shard first")

    async def play(self, world: World) -> Mapping[str, Any]:
        """Put, read, and reshard meanwhile."""
        stream = await world.aio.create_stream("events", shard_count=self.shards)
        readers = Application(
            world,
            "reader",
            stream,
            readers=self.readers,
            work=Exponential(self.work_seconds),
            batch_size=10,
            parents_first=self.parents_first,
        )
        steps = (split, split, merge, merge)
        plan = [(self.every_seconds * place, step(stream)) for place, step in enumerate(steps, 1)]
        producer = Producer(
            world,
            "producer",
            stream,
            messages=numbered(self.messages, Keys.even(self.keys), world.chance("keys")),
            pace=Poisson(self.per_second),
        )
        readers.start()
        resharded = Operator(world, "operator", plan).start()
        await producer.start()
        await resharded
        await readers.caught_up()
        return {"shards": len(readers.leases)}

    def findings(self, run: Run) -> Iterator[str]:
        """Through how many shards the keys went, and in what order their records were read."""
        seen, within = Seen(run.history), run.measures["key"]
        of_keys: dict[str | None, dict[str | None, None]] = {}
        for event in seen.deliveries:
            of_keys.setdefault(event.partition_key, {})[event.shard] = None
        most = max((len(shards) for shards in of_keys.values()), default=0)
        yield (
            f"{counted(self.shards, 'shard')} became {run.notes['shards']:,} in all by two splits and two "
            f"merges, while {counted(len(seen.sent_ns), 'record')} were put."
        )
        wrong = counted(within.reordered, "record was", "records were")
        yield (
            f"The records of a key lay in up to {counted(most, 'shard')}; parents were read "
            f"{'before' if self.parents_first else 'beside'} their children, and "
            f"{wrong if within.reordered else 'none was'} read after a later one of its key."
        )
        waits = seen.waits()
        yield (
            f"Half of the records waited no longer than {percentile(waits, 50):,.1f} seconds, the longest "
            f"{percentile(waits, 100):,.1f}."
        )
