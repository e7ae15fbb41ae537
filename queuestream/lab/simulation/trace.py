"""The trace: what was decided and what was noted, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from queuestream.lab.simulation.actors import Actor

DECISION = "runs"
"""What an entry says of whoever was chosen to run."""


@attrs.define
class Entry:
    """One line of a trace.  Read it, don't change it.

    Attributes:
        at_ns: When, in nanoseconds since the world began.
        actor: Who it is about.
        what: What happened: `runs` where the seed chose this actor, otherwise what somebody noted.
        details: More about it.  Of a choice: `because` of whom it could run (another actor, `time`, or
            itself, having given way), and `before` whom it was chosen.
    """

    at_ns: int
    actor: str
    what: str
    details: dict[str, Any]

    def __str__(self) -> str:
        details = "".join(f"  {name}={value}" for name, value in self.details.items())
        return f"{self.at_ns / 1e9:13.6f} s  {self.actor:<16} {self.what}{details}"


def decision(at_ns: int, actor: Actor, others: list[Actor]) -> Entry:
    """The line about a choice."""
    details = {"because": "time" if actor.cause is None else actor.cause.name}
    if others:
        details["before"] = ",".join(sorted(other.name for other in others))
    return Entry(at_ns, actor.name, DECISION, details)
