"""A FIFO queue with one message group whose work is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.actors import Consumer, Exponential, Keys, Poisson, Producer, drained, lane_of, numbered
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted, percentile, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World

SLOW = "slow"


@attrs.frozen(kw_only=True)
class SlowGroup(Scenario):
    """In a FIFO queue a slow message group waits for itself only: the other groups pass it by.

    So long as consumers take one message at a time: with batches, a slow message holds up what the same
    consumer has taken with it.
    """

    name = "slow-group"
    scopes = ("global", "group")

    messages: int = knob(480, "how many are sent", low=1, high=1_000_000)
    groups: int = knob(6, "how many message groups there are, the slow one included", low=2, high=100_000)
    per_second: float = knob(6.0, "how many come in a second, by chance", low=0.001, high=100_000)
    consumers: int = knob(4, "how many work on them", low=1, high=1_000)
    work_seconds: float = knob(0.25, "how long a message takes on average", unit="seconds", low=0, high=3_600)
    slowness: float = knob(8.0, "how many times longer those of the slow group take", low=1, high=1_000)
    batch_size: int = knob(1, "how many messages a consumer takes at once", low=1, high=10)

    async def play(self, world: World) -> Mapping[str, Any]:
        """The load through a FIFO queue, until it is empty."""
        queue = await world.aio.create_queue("tasks.fifo", fifo_queue=True, visibility_timeout=3_600)
        keys = Keys.hot(self.groups, 1 / self.groups, prefix="group", hot=SLOW)
        producer = Producer(
            world,
            "producer",
            queue,
            messages=numbered(self.messages, keys, world.chance("groups")),
            pace=Poisson(self.per_second),
        )
        Consumer.start_several(
            world, "consumer", queue, self.consumers, work=self._work, batch_size=self.batch_size
        )
        await producer.start()
        await drained(queue)
        return {}

    def _work(self, message: ReceivedMessage) -> Exponential:
        is_slow = message.message_group_id == SLOW
        return Exponential(self.work_seconds * self.slowness if is_slow else self.work_seconds)

    def findings(self, run: Run) -> Iterator[str]:
        """How long the slow group's messages waited, and how long the others'."""
        seen, figures = Seen(run.history), self.figures(run)
        overall, in_group = run.measures["global"], run.measures["group"]
        yield (
            f"{counted(len(seen.sent_ns), 'message')} of {counted(self.groups, 'group')} went to "
            f"{counted(self.consumers, 'consumer')}; one group's work takes {self.slowness:g} times as long."
        )
        slow = sum(lane_of(message) == SLOW for message in seen.sent_ns)
        if 0 < slow < len(seen.sent_ns):
            yield (
                f"Half of the slow group's messages waited longer than {figures['slow_wait_p50']:,.1f} "
                f"seconds; of the others' half were received {within(figures['other_wait_p50'])}, and 99 % "
                f"{within(figures['other_wait_p99'])}."
            )
        else:
            yield f"{'All were' if slow else 'None was'} of the slow group, so there is nothing to compare."
        wrong = f"{counted(in_group.reordered, 'message')}" if in_group.reordered else "nothing"
        yield (
            f"Within each group {wrong} came out of order; over all groups, {overall.reordered_ratio:.1%} "
            f"came after a later message."
        )

    def figures(self, run: Run) -> dict[str, float]:
        """How long messages waited, in seconds."""
        seen = Seen(run.history)
        others = seen.waits(lambda message: lane_of(message) != SLOW)
        return {
            "slow_wait_p50": percentile(seen.waits(lambda message: lane_of(message) == SLOW), 50),
            "other_wait_p50": percentile(others, 50),
            "other_wait_p99": percentile(others, 99),
        }
