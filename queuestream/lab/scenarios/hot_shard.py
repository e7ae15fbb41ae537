"""A shard that is asked for more than it takes, and a producer that tries again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.aws.fault_plans import FaultPlan
from queuestream.core.clock import SECOND
from queuestream.core.streams.limits import StreamLimits
from queuestream.lab.actors import Application, Backoff, Fixed, Keys, Producer, Steady, numbered
from queuestream.lab.history import PUT
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World

HOT = "hot"


@attrs.frozen(kw_only=True)
class HotShard(Scenario):
    """A throttled shard takes a part of each `put_records`; sending the rest again, later, reorders keys.

    And where an answer is lost, sending again makes duplicates.  The stream keeps the order in which it took
    the records, not the one in which they were meant.  A producer that waits for the rest before it goes on
    (`in_order=true`) keeps the order, and falls behind.
    """

    name = "hot-shard"
    scopes = ("shard", "key_meant")

    messages: int = knob(800, "how many records are put", low=1, high=1_000_000)
    keys: int = knob(12, "how many partition keys they have", low=2, high=100_000)
    hot_share: float = knob(0.5, "the part of the records that the hot key has", low=0, high=1)
    per_second: float = knob(60.0, "how many come in a second", low=0.001, high=100_000)
    shards: int = knob(4, "how many shards there are", low=1, high=500)
    shard_per_second: int = knob(
        25, "how many records a shard takes in a second; at AWS 1,000", low=1, high=1_000
    )
    batch_size: int = knob(20, "how many records go in one put_records", low=1, high=500)
    in_order: bool = knob(default=False, help="whether what was refused is sent before anything else")
    lost_answers: float = knob(0.05, "how many calls get no answer though they were done", low=0, high=0.9)

    async def play(self, world: World) -> Mapping[str, Any]:
        """Put more than a shard takes, and read all of it."""
        stream = await world.aio.create_stream(
            "clicks",
            shard_count=self.shards,
            enforce_throughput=True,
            limits=StreamLimits(write_records_per_second=self.shard_per_second),
        )
        faults = FaultPlan(seed=f"{world.seed} faults")
        faults.lose_answer("PutRecord*", rate=self.lost_answers)
        keys = Keys.hot(self.keys, self.hot_share, hot=HOT)
        producer = Producer(
            world,
            "producer",
            stream,
            messages=numbered(self.messages, keys, world.chance("keys")),
            pace=Steady(self.per_second),
            batch_size=self.batch_size,
            backoff=Backoff(attempts=30, first_seconds=0.2, longest_seconds=5),
            in_order=self.in_order,
            faults=faults,
        )
        readers = Application(world, "reader", stream, readers=1, work=Fixed(0), poll_seconds=0.5)
        readers.start()
        await producer.start()
        await readers.caught_up()
        return {"answers_lost": len(faults.injected), "given_up": len(producer.given_up)}

    def findings(self, run: Run) -> Iterator[str]:
        """How many records were refused, and what sending them again has done."""
        seen, within, figures = Seen(run.history), run.measures["key_meant"], self.figures(run)
        lost = counted(run.notes["answers_lost"], "answer was", "answers were")
        # Without an answer nobody knows of each record whether the shard took it, unless it was read.
        taken = {event.message for event in run.history if event.operation == PUT and event.outcome == "ok"}
        put = len(taken.union(seen.first_ns))
        given_up = run.notes["given_up"]
        but = f", and {given_up:,} given up" if given_up else ""
        yield (
            f"{counted(put, 'record')} were put{but}; the shards refused a record "
            f"{counted(int(figures['refused']), 'time')}, and {lost} lost."
        )
        yield (
            f"The producer {'waited for what was refused' if self.in_order else 'went on meanwhile'}: "
            f"{within.reordered_ratio:.1%} of the records were read after a later one of their key, up to "
            f"{within.max_extent:,} places too late; the last one was put after "
            f"{figures['last_put_seconds']:,.1f} seconds."
        )
        twice = counted(int(figures["repeated"]), "record is", "records are")
        yield f"{twice} in the stream more than once, because an answer was lost."

    def figures(self, run: Run) -> dict[str, float]:
        """How often a record was refused, how many are in the stream twice, and when the last one was put."""
        puts = [event for event in run.history if event.operation == PUT]
        began_ns = min(event.started_ns for event in puts)
        last_ns = max((event.started_ns for event in puts if event.outcome != "failed"), default=began_ns)
        return {
            "refused": sum(event.outcome == "failed" for event in puts),
            "repeated": len(Seen(run.history).repeated),
            "last_put_seconds": (last_ns - began_ns) / SECOND,
        }
