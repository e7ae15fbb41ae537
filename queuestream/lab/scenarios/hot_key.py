"""One key that has most of the messages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.actors import (
    Application,
    Consumer,
    Exponential,
    Keys,
    Poisson,
    Producer,
    drained,
    lane_of,
    numbered,
)
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, busy_seconds, counted, percentile, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World

HOT = "hot"


@attrs.frozen(kw_only=True)
class HotKey(Scenario):
    """One hot key is worked on by one consumer at a time: its messages wait, and the other consumers idle.

    That is the price of order by key, in a FIFO queue's message group as in a stream's partition key, and no
    number of consumers or shards helps.
    """

    name = "hot-key"
    scopes = ("global", "key")

    through: str = knob("fifo", "what the messages go through", choices=("fifo", "stream"))
    messages: int = knob(500, "how many are sent", low=1, high=1_000_000)
    keys: int = knob(16, "how many keys they have", low=2, high=100_000)
    hot_share: float = knob(0.7, "the part of the messages that the hot key has", low=0, high=1)
    per_second: float = knob(10.0, "how many come in a second, by chance", low=0.001, high=100_000)
    consumers: int = knob(8, "how many work on them (a stream has as many shards)", low=1, high=1_000)
    work_seconds: float = knob(0.3, "how long a message takes on average", unit="seconds", low=0, high=3_600)

    async def play(self, world: World) -> Mapping[str, Any]:
        """The load through what was chosen, until all of it is done."""
        if self.through == "fifo":
            busy_ns = await self._through_a_queue(world)
        else:
            busy_ns = await self._through_a_stream(world)
        return busy_seconds(busy_ns)

    async def _through_a_queue(self, world: World) -> dict[str, int]:
        queue = await world.aio.create_queue("orders.fifo", fifo_queue=True, visibility_timeout=600)
        work = Exponential(self.work_seconds)
        consumers = Consumer.start_several(world, "consumer", queue, self.consumers, work=work)
        await self._producer(world, queue).start()
        await drained(queue)
        return {consumer.name: consumer.busy_ns for consumer in consumers}

    async def _through_a_stream(self, world: World) -> dict[str, int]:
        stream = await world.aio.create_stream("orders", shard_count=self.consumers)
        readers = Application(
            world,
            "consumer",
            stream,
            readers=self.consumers,
            work=Exponential(self.work_seconds),
            batch_size=10,
        )
        readers.start()
        await self._producer(world, stream).start()
        await readers.caught_up()
        return readers.busy_ns

    def _producer(self, world: World, target: Any) -> Producer:
        keys = Keys.hot(self.keys, self.hot_share, hot=HOT)
        return Producer(
            world,
            "producer",
            target,
            messages=numbered(self.messages, keys, world.chance("keys")),
            pace=Poisson(self.per_second),
        )

    def findings(self, run: Run) -> Iterator[str]:
        """How long the hot key's messages waited beside the others', and how busy the consumers were."""
        sent, figures = Seen(run.history).sent_ns, self.figures(run)
        hot = sum(lane_of(message) == HOT for message in sent)
        yield (
            f"{hot:,} of {counted(len(sent), 'message')} had the hot key; one at a time they take about "
            f"{hot * self.work_seconds:,.0f} seconds, and the run took {run.virtual_seconds:,.0f}."
        )
        if 0 < hot < len(sent):
            yield (
                f"Half of the hot key's messages waited longer than {figures['hot_wait_p50']:,.1f} seconds; "
                f"half of the others were received {within(figures['other_wait_p50'])}."
            )
        else:
            wait = figures["hot_wait_p50" if hot else "other_wait_p50"]
            yield f"All were of {'that key' if hot else 'other keys'}; half were received {within(wait)}."
        consumers = counted(self.consumers, "consumer was", "consumers were")
        yield (
            f"{consumers} busy for {figures['busy_share']:.0%} of their time; the busiest one for "
            f"{figures['busiest_share']:.0%}, the idlest for {figures['idlest_share']:.0%}."
        )

    def figures(self, run: Run) -> dict[str, float]:
        """How long messages waited, in seconds, and the part of their time that consumers worked."""
        seen = Seen(run.history)
        busy = sorted(seconds / run.virtual_seconds for seconds in run.notes["busy_seconds"].values())
        return {
            "hot_wait_p50": percentile(seen.waits(lambda message: lane_of(message) == HOT), 50),
            "other_wait_p50": percentile(seen.waits(lambda message: lane_of(message) != HOT), 50),
            "busy_share": math.fsum(busy) / len(busy),
            "busiest_share": busy[-1],
            "idlest_share": busy[0],
        }
