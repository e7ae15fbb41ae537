"""Anomalies as they are found in one queue or stream, and what their sentences are made of.

Every one is counted, and the first so many of each kind are told; a sentence is made for those only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.lab.checkers.verdicts import KINDS, Anomaly, Kind, Promise, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queuestream.lab.history import Event

# A history without times has its places for times, and there are no nanoseconds in those.
_SHORTEST_SPAN_NS = 10_000_000
_NAME_MAX = 60


class Teller:
    """How times and names are told.

    Args:
        events: The whole history.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self._zero_ns = min((event.started_ns for event in events), default=0)
        latest_ns = max((event.started_ns for event in events), default=0)
        self._counts = latest_ns - self._zero_ns < _SHORTEST_SPAN_NS

    def at(self, time_ns: int) -> str:
        """An instant, counted from the history's beginning: `at 12.5 s`."""
        since_ns = time_ns - self._zero_ns
        return f"at {since_ns}" if self._counts else f"at {round(since_ns / SECOND, 6):,g} s"

    def message(self, name: str | None) -> str:
        """A message's name, in quotes, as much of it as one can read."""
        text = name or ""
        return f'"{text}"' if len(text) <= _NAME_MAX else f'"{text[: _NAME_MAX - 1]}…"'

    def did(self, index: int, verb: str) -> str:
        """What somebody did: `consumer-1 received it at 12.5 s`; a call in flight is told by its answer."""
        event = self.events[index]
        when_ns = event.started_ns if event.ended_ns is None else event.ended_ns
        return f"{event.actor or 'somebody'} {verb} {self.at(when_ns)}"

    def began(self, index: int, verb: str) -> str:
        """What somebody began to do."""
        event = self.events[index]
        return f"{event.actor or 'somebody'} {verb} {self.at(event.started_ns)}"


class Findings:
    """What was found in one queue or stream.

    Args:
        resource: Its name.
        promise: What it promises.
        teller: How times and names are told.
        examples: How many of each kind are told.

    Attributes:
        tally: The counts.
        anomalies: The examples.
    """

    def __init__(self, resource: str, promise: Promise, teller: Teller, examples: int) -> None:
        self.resource = resource
        self.promise: Promise = promise
        self.teller = teller
        self.tally = Tally()
        self.anomalies: list[Anomaly] = []
        self._examples = examples

    def find(
        self,
        kind: Kind,
        events: Sequence[int],
        sentence: Callable[[], str],
        scope: str = "",
        *,
        violates: bool = True,
    ) -> None:
        """Count an anomaly, and tell it if there is room.

        Args:
            kind: Which.
            events: The events that prove it.
            sentence: Tells what happened.
            scope: Where in the queue or stream.
            violates: False where this one breaks no promise, although its kind does.
        """
        tally = self.tally
        violates = violates and self.promise in KINDS[kind]
        times = tally.found[kind] = tally.found.get(kind, 0) + 1
        tally.violations += violates
        if times <= self._examples:
            self.anomalies.append(
                Anomaly(
                    kind,
                    self.resource,
                    scope or self.resource,
                    sentence(),
                    tuple(sorted(set(events))),
                    violates,
                )
            )
