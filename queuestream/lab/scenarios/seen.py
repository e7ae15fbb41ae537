"""What a history says of its messages, one by one: when each was sent, received, done with.

Findings are made of this.  What is the order's (how much was out of order, how far) is measured by
`queuestream.lab.metrics`, and what went wrong is found by the checkers.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.lab.actors.load import lane_of
from queuestream.lab.history import DELETE, GET, PUT, RECEIVE, SEND, WORK, History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from queuestream.lab.history import Event


_HANDED_OUT = (RECEIVE, GET)
_DONE = {DELETE: RECEIVE, WORK: GET}
"""What says that work was done, and how one is handed what it is done with."""


class Seen:
    """The messages of a history, or of one of its queues and streams.

    Args:
        history: Whatever was recorded.
        resource: The queue or stream; all of them where None.

    Attributes:
        sent_ns: When each message was first sent, in the order of sending; not what surely failed.
        deliveries: Each time that a message was handed to somebody, in order.
        first_ns: When each message was first handed to somebody.
        deleted_ns: When each message was first deleted.
        failures: How many calls failed or were left without an answer, by operation.
    """

    def __init__(self, history: Iterable[Event], resource: str | None = None) -> None:
        self.sent_ns: dict[str, int] = {}
        self.deliveries: list[Event] = []
        self.first_ns: dict[str, int] = {}
        self.deleted_ns: dict[str, int] = {}
        self.failures: dict[str, int] = {}
        for event in history:
            if resource is not None and event.resource != resource:
                continue
            if event.outcome != "ok":
                self.failures[event.operation] = self.failures.get(event.operation, 0) + 1
            if event.message is None or event.outcome == "failed":
                continue
            at_ns = event.started_ns if event.ended_ns is None else event.ended_ns
            if event.operation in {SEND, PUT}:
                self.sent_ns.setdefault(event.message, event.started_ns)
            elif event.operation in {RECEIVE, GET} and event.outcome == "ok":
                self.deliveries.append(event)
                self.first_ns.setdefault(event.message, at_ns)
            elif event.operation == DELETE:
                self.deleted_ns.setdefault(event.message, at_ns)

    @property
    def repeats(self) -> int:
        """How many deliveries were not the message's first."""
        return len(self.deliveries) - len(self.first_ns)

    @property
    def repeated(self) -> list[str]:
        """The messages that were delivered more than once, in the order in which it happened."""
        once: set[str] = set()
        again: dict[str, None] = {}
        for event in self.deliveries:
            assert event.message is not None
            if event.message in once:
                again[event.message] = None
            once.add(event.message)
        return list(again)

    def waits(self, of: Callable[[str], bool] = lambda _: True) -> list[float]:
        """How long messages waited until they were first received, in seconds, the shortest first."""
        return sorted(
            (at_ns - self.sent_ns[message]) / SECOND
            for message, at_ns in self.first_ns.items()
            if message in self.sent_ns and of(message)
        )

    def seconds(self) -> float:
        """From the first message that was sent to the last that was received."""
        if not self.sent_ns or not self.first_ns:
            return 0.0
        return (max(self.first_ns.values()) - min(self.sent_ns.values())) / SECOND


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The value that so many percent are not above (nearest rank); 0 of nothing."""
    if not ordered:
        return 0.0
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def as_meant(history: Iterable[Event]) -> History:
    """The same history, in which each message was sent when somebody first tried to.

    So what a producer reorders by sending again what was refused is seen: the queue or stream only has the
    order in which it took things.
    """
    meant = History()
    tried: set[tuple[str, str]] = set()
    for event in history:
        one = event
        if event.operation in {SEND, PUT} and event.message is not None:
            if (event.resource, event.message) in tried:
                continue
            tried.add((event.resource, event.message))
            one = copy.copy(event)
            one.outcome, one.ended_ns, one.error = "ok", event.started_ns, None
        meant.events.append(one)
    return meant


def as_done(history: Iterable[Event]) -> History:
    """The same history, in which each message was received when the work on it was done.

    So order is asked of what consumers did, and not only of what they were handed.  A queue's message is done
    when it is first deleted, a stream's record when it was first worked on, as readers tell.
    """
    done = History()
    seen: set[tuple[str, str, str]] = set()
    for event in history:
        if event.operation in _HANDED_OUT:
            continue
        one = event
        if event.operation in _DONE and event.message is not None and event.outcome == "ok":
            if (event.resource, event.application, event.message) in seen:
                continue
            seen.add((event.resource, event.application, event.message))
            one = copy.copy(event)
            one.operation = _DONE[event.operation]
        done.events.append(one)
    return done


def by_key(history: Iterable[Event]) -> History:
    """The same history, in which each event's group is the key that its message is named after.

    So order within a key can be measured wherever the messages went, also where no queue knew the keys.
    """
    keyed = History()
    for event in history:
        same = copy.copy(event)
        same.group = lane_of(event.message) or None if event.message else None
        keyed.events.append(same)
    return keyed


def busy_seconds(busy_ns: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """What actors note of how long each of them has worked."""
    return {"busy_seconds": {name: round(ns / SECOND, 3) for name, ns in busy_ns.items()}}


def within(seconds: float) -> str:
    """How long something took at most: `at once`, `within 0.92 seconds`, `within 16.8 seconds`."""
    if not seconds:
        return "at once"
    return f"within {seconds:,.2f} seconds" if seconds < 10 else f"within {seconds:,.1f} seconds"


def counted(number: int, one: str, several: str = "") -> str:
    """So many of something: `1 message`, `1,200 messages`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
