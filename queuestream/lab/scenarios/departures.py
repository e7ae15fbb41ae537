"""Real events: the departures from New York, through a standard queue, a FIFO queue and a stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.clock import SECOND
from queuestream.lab import departures
from queuestream.lab.actors import (
    Application,
    AtTimes,
    Consumer,
    LogNormal,
    Message,
    Producer,
    drained,
)
from queuestream.lab.scenarios.knobs import knob
from queuestream.lab.scenarios.same_load import DELIVERIES
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, by_key, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from queuestream.lab.departures import Departure
    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World

STANDARD, FIFO, STREAM = "standard", "departures.fifo", "stream"
KEYS = {
    "aircraft": ("aircraft", "aircraft"),
    "destination": ("destination", "destinations"),
    "carrier": ("airline", "airlines"),
}
TITLES = {STANDARD: "standard queue", FIFO: "FIFO queue", STREAM: "stream"}


@attrs.frozen(kw_only=True)
class Departures(Scenario):
    """Real departures go through a standard queue, a FIFO queue and a stream: who keeps their order?

    Whoever keeps a board of departures by destination, or knows where an aircraft is, needs them in order.
    """

    name = "departures"
    scopes = ("resource", "key")

    by: str = knob("destination", "what their order is wanted by", choices=tuple(KEYS))
    departures: int = knob(1_000, "how many are played, from 1 January 2013 on", low=1, high=12_126)
    speed: float = knob(300.0, "how many times faster than they happened", low=0.001, high=100_000)
    consumers: int = knob(4, "how many work at each of the three", low=1, high=1_000)
    shards: int = knob(4, "how many shards the stream has", low=1, high=500)
    work_seconds: float = knob(0.5, "how long half of them take", unit="seconds", low=0, high=3_600)
    visibility_timeout: int = knob(60, "how long a message is hidden", unit="seconds", low=1, high=43_200)
    delivery: str = knob(
        "aws_like", "how much the standard queue and the stream misbehave", choices=DELIVERIES
    )

    def world_arguments(self) -> dict[str, Any]:
        """How deliveries go."""
        return {"delivery": self.delivery}

    async def play(self, world: World) -> Mapping[str, Any]:
        """Send each departure to all three, when it happens."""
        played = departures.departures(self.departures)
        messages = self._named(played)
        pace = AtTimes([(one.at_ns - played[0].at_ns) / SECOND / self.speed for one in played])
        standard = await world.aio.create_queue(STANDARD, visibility_timeout=self.visibility_timeout)
        fifo = await world.aio.create_queue(FIFO, fifo_queue=True, visibility_timeout=self.visibility_timeout)
        stream = await world.aio.create_stream(STREAM, shard_count=self.shards)
        work = LogNormal(self.work_seconds)
        Consumer.start_several(world, "standard-desk", standard, self.consumers, work=work)
        Consumer.start_several(world, "fifo-desk", fifo, self.consumers, work=work)
        readers = Application(
            world, "stream-desk", stream, readers=self.consumers, work=work, batch_size=10, poll_seconds=2
        )
        readers.start()
        towers = [
            Producer(world, f"tower-{title}", target, messages=messages, pace=pace).start()
            for target, title in ((standard, "standard"), (fifo, "fifo"), (stream, "stream"))
        ]
        await asyncio.gather(*towers)
        await asyncio.gather(drained(standard), drained(fifo), readers.caught_up())
        return {"keys": len({message.key for message in messages})}

    def _named(self, played: Sequence[Departure]) -> list[Message]:
        """Each departure, called by its key and its place among the departures of that."""
        last: dict[str, int] = {}
        messages = []
        for one in played:
            key = one.flight[:2] if self.by == "carrier" else getattr(one, self.by)
            number = last[key] = last.get(key, 0) + 1
            messages.append(Message(f"{key} {number}", key))
        return messages

    def findings(self, run: Run) -> Iterator[str]:
        """For how many keys the departures came out of order, by what they went through."""
        keys = counted(run.notes["keys"], *KEYS[self.by])
        yield (
            f"{counted(self.departures, 'departure')} of {keys}, {self.speed:g} times as fast as they "
            f"happened, took {run.virtual_seconds / 60:,.1f} minutes."
        )
        keyed, (one, several) = by_key(run.history), KEYS[self.by]
        for resource, title in TITLES.items():
            seen = Seen(keyed, resource)
            deliveries = counted(len(seen.deliveries), "delivery", "deliveries")
            wrong = counted(_keys_out_of_order(seen), one, several)
            yield f"Through the {title}: {deliveries}, and {wrong} whose departures came out of order."

    def figures(self, run: Run) -> dict[str, float]:
        """The keys whose departures came out of order."""
        keyed = by_key(run.history)
        return {
            f"{title.replace(' ', '_').lower()}_keys_out_of_order": _keys_out_of_order(Seen(keyed, resource))
            for resource, title in TITLES.items()
        }


def _keys_out_of_order(seen: Seen) -> int:
    """The keys of which a message was delivered after a later one; a repeat counts, too."""
    places = {message: place for place, message in enumerate(seen.sent_ns)}
    latest: dict[str, int] = {}
    wrong: dict[str, None] = {}
    for event in seen.deliveries:
        assert event.message is not None
        key, place = event.group or "", places.get(event.message, -1)
        if place < latest.get(key, place):
            wrong[key] = None
        latest[key] = max(place, latest.get(key, place))
    return len(wrong)
