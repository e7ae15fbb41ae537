"""The trace: what was decided, what was noted and what clients saw, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from queuestream.lab.history import Event
    from queuestream.lab.simulation.actors import Actor

DECISION = "runs"
"""What an entry says of whoever was chosen to run."""

_PLAIN = (("outcome", "ok"), ("receive_count", 1))
"""What goes without saying."""


@attrs.define
class Entry:
    """One line of a trace.  Read it, don't change it.

    Attributes:
        at_ns: When, in nanoseconds since the world began.
        actor: Who it is about.
        what: What happened: `runs` where the seed chose this actor; what a client of the history did; or what
            somebody noted.
        details: More about it.  Of a choice: `because` of whom it could run (another actor, `time`, or
            itself, having given way), and `before` whom it was chosen.  Of a client: with which `message`,
            of which `resource`, and what became of it, where it did not go well.
    """

    at_ns: int
    actor: str
    what: str
    details: dict[str, Any]

    def __str__(self) -> str:
        details = "".join(f"  {name}={value}" for name, value in self.details.items())
        return f"{self.at_ns / 1e9:13.6f} s  {self.actor:<16} {self.what}{details}"


def seen(event: Event, start_ns: int) -> Entry:
    """The line about what a client did, told when it had its answer."""
    details: dict[str, Any] = {"message": event.message} if event.message is not None else {}
    for name in ("resource", "shard", "receive_count", "outcome", "error"):
        value = getattr(event, name)
        if value and (name, value) not in _PLAIN:
            details[name] = value
    at_ns = event.started_ns if event.ended_ns is None else event.ended_ns
    return Entry(at_ns - start_ns, event.actor, event.operation, details)


def decision(at_ns: int, actor: Actor, others: list[Actor]) -> Entry:
    """The line about a choice."""
    details = {"because": "time" if actor.cause is None else actor.cause.name}
    if others:
        details["before"] = ",".join(sorted(other.name for other in others))
    return Entry(at_ns, actor.name, DECISION, details)
