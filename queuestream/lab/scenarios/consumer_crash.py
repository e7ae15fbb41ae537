"""Consumers that crash with a message in their hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.actors import Consumer, Exponential, Keys, Poisson, Producer, drained, numbered
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted, percentile, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World


@attrs.frozen(kw_only=True)
class ConsumerCrash(Scenario):
    """What a crashed consumer had comes again: a FIFO queue's group waits, others pass.

    Nothing is lost either way.  What the crash costs is the visibility timeout, in which nobody works on the
    message, and behind it a FIFO queue's whole group.
    """

    name = "consumer-crash"
    scopes = ("global", "key", "key_again")

    fifo: bool = knob(default=True, help="whether the queue is a FIFO queue")
    messages: int = knob(400, "how many are sent", low=1, high=1_000_000)
    keys: int = knob(8, "how many keys they have", low=1, high=100_000)
    per_second: float = knob(4.0, "how many come in a second, by chance", low=0.001, high=100_000)
    consumers: int = knob(4, "how many work on them", low=1, high=1_000)
    work_seconds: float = knob(0.4, "how long a message takes on average", unit="seconds", low=0, high=3_600)
    crash_rate: float = knob(0.03, "how often a consumer crashes over a message", low=0, high=0.9)
    restart_seconds: float = knob(5.0, "how long it is gone then", unit="seconds", low=0, high=3_600)
    visibility_timeout: int = knob(15, "how long a message is hidden", unit="seconds", low=1, high=43_200)

    async def play(self, world: World) -> Mapping[str, Any]:
        """The load, until all of it is done."""
        create, timeout = world.aio.create_queue, self.visibility_timeout
        if self.fifo:
            queue = await create("orders.fifo", fifo_queue=True, visibility_timeout=timeout)
        else:
            queue = await create("orders", visibility_timeout=timeout)
        producer = Producer(
            world,
            "producer",
            queue,
            messages=numbered(self.messages, Keys.even(self.keys, "order"), world.chance("keys")),
            pace=Poisson(self.per_second),
        )
        consumers = Consumer.start_several(
            world,
            "consumer",
            queue,
            self.consumers,
            work=Exponential(self.work_seconds),
            crash_rate=self.crash_rate,
            restart_seconds=self.restart_seconds,
        )
        await producer.start()
        await drained(queue)
        return {"crashes": sum(consumer.crashes for consumer in consumers)}

    def findings(self, run: Run) -> Iterator[str]:
        """How often consumers crashed, what came again, and what became of the order."""
        seen, again_in_key = Seen(run.history), run.measures["key_again"]
        again = counted(len(seen.repeated), "message was", "messages were")
        undone = sum(message not in seen.deleted_ns for message in seen.sent_ns)
        yield (
            f"Consumers crashed {counted(run.notes['crashes'], 'time')}; {again} delivered more than once, "
            f"and {'all were done in the end' if not undone else f'{undone:,} were never done'}."
        )
        wrong = counted(again_in_key.reordered, "message") if again_in_key.reordered else "no message"
        yield (
            f"On {'a FIFO' if self.fifo else 'a standard'} queue, {wrong} came, or came again, after a "
            "later one of its key."
        )
        figures = self.figures(run)
        behind = f"is hidden for {self.visibility_timeout}{', and its group with it' if self.fifo else ''}"
        yield (
            f"Half of the messages were received {within(figures['wait_p50'])}, 99 % "
            f"{within(figures['wait_p99'])}: what a crash leaves behind {behind}."
        )

    def figures(self, run: Run) -> dict[str, float]:
        """How often consumers crashed, and how long messages waited, in seconds."""
        waits = Seen(run.history).waits()
        return {
            "crashes": run.notes["crashes"],
            "wait_p50": percentile(waits, 50),
            "wait_p99": percentile(waits, 99),
        }
