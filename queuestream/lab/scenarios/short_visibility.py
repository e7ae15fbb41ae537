"""A visibility timeout that is shorter than the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.clock import SECOND
from queuestream.lab.actors import Consumer, Keys, Poisson, Producer, Uniform, drained, numbered
from queuestream.lab.scenarios.knobs import SettingError, knob
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World

_HEARTBEAT_MIN = 0.1


@attrs.frozen(kw_only=True)
class ShortVisibility(Scenario):
    """Work that takes longer than the visibility timeout is done twice; a longer one, or heartbeats, end it.

    Nothing fails here and the queue is as strict as can be: every duplicate is made by the timeout alone.
    """

    name = "short-visibility"
    scopes = ("global", "key", "key_again")

    messages: int = knob(300, "how many are sent", low=1, high=1_000_000)
    keys: int = knob(10, "how many keys they have", low=1, high=100_000)
    per_second: float = knob(1.0, "how many come in a second, by chance", low=0.001, high=100_000)
    consumers: int = knob(8, "how many work on them", low=1, high=1_000)
    shortest_seconds: float = knob(2.0, "the shortest work", unit="seconds", low=0, high=3_600)
    longest_seconds: float = knob(6.0, "the longest work", unit="seconds", low=0, high=3_600)
    visibility_timeout: int = knob(5, "how long a message is hidden", unit="seconds", low=1, high=43_200)
    heartbeat_seconds: float = knob(
        0.0,
        "how often a consumer prolongs that, 0 for never, else 0.1 or more",
        unit="seconds",
        low=0,
        high=43_200,
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if 0 < self.heartbeat_seconds < _HEARTBEAT_MIN:
            # So many would be the only thing that happens; and below a nanosecond, time would stand still.
            stands = f"heartbeat_seconds={self.heartbeat_seconds:g}"
            raise SettingError(f"{stands} is neither 0 nor a number from {_HEARTBEAT_MIN} on.")

    async def play(self, world: World) -> Mapping[str, Any]:
        """A producer, and consumers that take as long as they take."""
        queue = await world.aio.create_queue("work", visibility_timeout=self.visibility_timeout)
        producer = Producer(
            world,
            "producer",
            queue,
            messages=numbered(self.messages, Keys.even(self.keys), world.chance("keys")),
            pace=Poisson(self.per_second),
        )
        consumers = Consumer.start_several(
            world,
            "consumer",
            queue,
            self.consumers,
            work=Uniform(self.shortest_seconds, self.longest_seconds),
            heartbeat_seconds=self.heartbeat_seconds,
        )
        await producer.start()
        await drained(queue)
        longest_ns = max(consumer.longest_ns for consumer in consumers)
        done = sum(len(consumer.finished) for consumer in consumers)
        return {"longest_seconds": round(longest_ns / SECOND, 3), "times_worked": done}

    def findings(self, run: Run) -> Iterator[str]:
        """How much was done twice, and which timeout would have been long enough."""
        seen = Seen(run.history)
        deliveries = counted(len(seen.deliveries), "delivery", "deliveries")
        yield (
            f"{counted(len(seen.sent_ns), 'message')} took {deliveries}: {len(seen.repeated):,} were handed "
            f"out while somebody was at work on them, and the work was done "
            f"{counted(run.notes['times_worked'], 'time')}."
        )
        longest, hidden = run.notes["longest_seconds"], self.visibility_timeout
        took = f"The longest work took {longest:,.1f} seconds"
        if self.heartbeat_seconds:
            yield (
                f"{took}; every {self.heartbeat_seconds:g} seconds its consumer hid the message for another "
                f"{hidden}."
            )
        elif longest > hidden:
            # Of the work that there may be: with another timeout others come to do the longest.
            most = max(self.shortest_seconds, self.longest_seconds)
            yield (
                f"{took} and a message is hidden for {hidden}: --set visibility_timeout={int(most) + 1} is "
                f"longer than any work, and ends the duplicates."
            )
        else:
            yield f"{took} and a message is hidden for {hidden}: nobody was overtaken by the timeout."
