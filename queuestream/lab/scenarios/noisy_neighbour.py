"""Several tenants on one standard queue, one of which sends far too much."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.actors import (
    Bursts,
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
from queuestream.lab.scenarios.same_load import DELIVERIES
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted, percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World

NOISY = "noisy"


@attrs.frozen(kw_only=True)
class NoisyNeighbour(Scenario):
    """One tenant's backlog makes all others wait, unless the queue is fair: then only the noisy one waits.

    A standard queue is fair when messages name their tenant by a message group id; nothing else changes.
    """

    name = "noisy-neighbour"
    scopes = ("global", "key")

    fair: bool = knob(default=True, help="whether messages name their tenant")
    tenants: int = knob(8, "how many quiet tenants there are", low=1, high=1_000)
    per_second: float = knob(0.25, "how many messages each of them sends in a second", low=0.001, high=1_000)
    messages: int = knob(45, "how many each of them sends", low=1, high=100_000)
    burst: int = knob(300, "how many the noisy tenant sends at once", low=0, high=100_000)
    burst_after_seconds: float = knob(30.0, "when it does", unit="seconds", low=0, high=86_400)
    consumers: int = knob(5, "how many work on them", low=1, high=1_000)
    work_seconds: float = knob(1.0, "how long a message takes on average", unit="seconds", low=0, high=3_600)
    delivery: str = knob("strict", "how much the queue misbehaves besides", choices=DELIVERIES)

    def world_arguments(self) -> dict[str, Any]:
        """How deliveries go."""
        return {"delivery": self.delivery}

    async def play(self, world: World) -> Mapping[str, Any]:
        """Quiet tenants all the time, and one burst."""
        queue = await world.aio.create_queue("jobs", visibility_timeout=600)
        producers = [
            self._tenant(world, queue, f"tenant-{number + 1}", self.messages, Poisson(self.per_second))
            for number in range(self.tenants)
        ]
        if self.burst:
            at_once = Bursts(self.burst, every_seconds=1, first_seconds=self.burst_after_seconds)
            producers.append(self._tenant(world, queue, NOISY, self.burst, at_once))
        Consumer.start_several(world, "consumer", queue, self.consumers, work=Exponential(self.work_seconds))
        await asyncio.gather(*[producer.start() for producer in producers])
        await drained(queue)
        return {}

    def _tenant(self, world: World, queue: Any, tenant: str, count: int, pace: Any) -> Producer:
        messages = numbered(count, Keys([tenant], [1]), world.chance(tenant))
        return Producer(world, tenant, queue, messages=messages, pace=pace, grouped=self.fair)

    def findings(self, run: Run) -> Iterator[str]:
        """How long quiet tenants waited, and how long the noisy one."""
        sent, figures = Seen(run.history).sent_ns, self.figures(run)
        noisy = sum(lane_of(message) == NOISY for message in sent)
        tenants, consumers = counted(self.tenants, "quiet tenant"), counted(self.consumers, "consumer")
        yield (
            f"{tenants} sent {counted(len(sent) - noisy, 'message')}, the noisy one {noisy:,} at once, to "
            f"{consumers}."
        )
        half = (
            f"; of the noisy one's half waited longer than {figures['noisy_wait_p50']:,.1f}" if noisy else ""
        )
        yield (
            f"Of the quiet ones' messages half waited no longer than {figures['quiet_wait_p50']:,.1f} "
            f"seconds, and the longest {figures['quiet_wait_max']:,.1f}{half}."
        )
        if self.fair:
            yield "Messages named their tenant, so the queue was fair; --set fair=false shows it without."
        else:
            yield "Messages did not name their tenant; with --set fair=true the queue knows whose they are."

    def figures(self, run: Run) -> dict[str, float]:
        """How long messages waited, in seconds."""
        seen = Seen(run.history)
        quiet = seen.waits(lambda message: lane_of(message) != NOISY)
        return {
            "quiet_wait_p50": percentile(quiet, 50),
            "quiet_wait_p99": percentile(quiet, 99),
            "quiet_wait_max": percentile(quiet, 100),
            "noisy_wait_p50": percentile(seen.waits(lambda message: lane_of(message) == NOISY), 50),
        }
