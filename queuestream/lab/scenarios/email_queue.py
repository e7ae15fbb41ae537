"""The classic: a shop puts e-mails on a standard queue, and a few workers send them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.actors import Consumer, Keys, LogNormal, Poisson, Producer, drained, numbered
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.same_load import DELIVERIES
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World


@attrs.frozen(kw_only=True)
class EmailQueue(Scenario):
    """A standard queue loses nothing, and sends some customers an e-mail twice or out of order.

    Some attempts fail because the provider refuses them, and now and then a worker stalls for so long that
    its message goes to somebody else, while it sends the e-mail after all.
    """

    name = "email-queue"
    scopes = ("global", "key", "key_done")

    messages: int = knob(400, "how many e-mails there are to be sent", low=1, high=1_000_000)
    customers: int = knob(40, "how many customers they go to", low=1, high=100_000)
    per_second: float = knob(2.0, "how many come in a second, by chance", low=0.001, high=100_000)
    consumers: int = knob(3, "how many workers send them", low=1, high=1_000)
    work_seconds: float = knob(0.8, "how long half of them take", unit="seconds", low=0, high=3_600)
    visibility_timeout: int = knob(30, "how long a message is hidden", unit="seconds", low=0, high=43_200)
    failure_rate: float = knob(0.05, "how often the provider refuses", low=0, high=0.9)
    stall_rate: float = knob(0.01, "how often a worker stalls before it deletes", low=0, high=1)
    stall_seconds: float = knob(45.0, "for how long", unit="seconds", low=0, high=3_600)
    delivery: str = knob("aws_like", "how much the queue misbehaves by itself", choices=DELIVERIES)

    def world_arguments(self) -> dict[str, Any]:
        """How deliveries go."""
        return {"delivery": self.delivery}

    async def play(self, world: World) -> Mapping[str, Any]:
        """A shop sends; workers receive, send the e-mail, delete."""
        queue = await world.aio.create_queue("emails", visibility_timeout=self.visibility_timeout)
        shop = Producer(
            world,
            "shop",
            queue,
            messages=numbered(
                self.messages, Keys.even(self.customers, "customer"), world.chance("customers")
            ),
            pace=Poisson(self.per_second),
        )
        workers = Consumer.start_several(
            world,
            "worker",
            queue,
            self.consumers,
            work=LogNormal(self.work_seconds),
            failure_rate=self.failure_rate,
            stall_rate=self.stall_rate,
            stall_seconds=self.stall_seconds,
        )
        await shop.start()
        await drained(queue)
        # A message that was deleted may come back once more.
        await asyncio.sleep(self.visibility_timeout)
        await drained(queue)
        sent = [body for worker in workers for body in worker.finished]
        return {"emails_sent": len(sent), "emails_sent_twice": len(sent) - len(set(sent))}

    def findings(self, run: Run) -> Iterator[str]:
        """How often an e-mail went out twice, and in what order a customer got them."""
        seen, overall, within = Seen(run.history), run.measures["global"], run.measures["key_done"]
        deliveries = counted(len(seen.deliveries), "delivery", "deliveries")
        again = counted(len(seen.repeated), "message was", "messages were")
        yield (
            f"{counted(len(seen.sent_ns), 'e-mail')} took {deliveries}; {again} delivered more than once, "
            f"and {'none was' if not run.verdict.lost else f'{run.verdict.lost:,} were'} lost."
        )
        twice = run.notes["emails_sent_twice"]
        if twice:
            yield f"{counted(twice, 'e-mail')} went out a second time: these workers are not idempotent."
        else:
            yield "No e-mail went out a second time, this time."
        yield (
            f"{overall.reordered_ratio:.1%} of the messages came after a later one, and "
            f"{within.reordered_ratio:.1%} of the e-mails went out after a later one to the same customer."
        )
