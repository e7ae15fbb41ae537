"""What a checker hands out, and the anomalies there are.

A `Verdict` is a `Tally` of the whole history, one for each queue and stream, and examples of all that
was found.  The promise says which anomalies are violations: that a standard queue delivers twice is told,
because one wants to know, and is no fault of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

Promise = Literal["standard", "fifo", "stream"]
PROMISES: tuple[Promise, ...] = ("standard", "fifo", "stream")

Kind = Literal[
    "lost",
    "vanished",
    "unexpected",
    "aborted-read",
    "inconsistent",
    "duplicated",
    "resurrected",
    "out-of-order",
    "group-lock",
    "undeduplicated",
    "nonmonotonic-send",
    "lost-write",
    "poll-skip",
    "nonmonotonic-poll",
    "child-before-parent",
]

KINDS: dict[Kind, tuple[Promise, ...]] = {
    "lost": ("standard", "fifo"),
    "vanished": ("standard", "fifo"),
    "unexpected": ("standard", "fifo", "stream"),
    "aborted-read": ("standard", "fifo", "stream"),
    "inconsistent": ("standard", "fifo", "stream"),
    "duplicated": ("fifo",),
    "resurrected": ("fifo",),
    "out-of-order": ("fifo", "stream"),
    "group-lock": ("fifo",),
    "undeduplicated": ("fifo",),
    "nonmonotonic-send": ("fifo", "stream"),
    "lost-write": ("stream",),
    "poll-skip": ("stream",),
    "nonmonotonic-poll": ("stream",),
    "child-before-parent": ("stream",),
}
"""The anomalies, and the promises that each of them violates.

    lost                  Acknowledged, and nobody ever received it.
    vanished              Received, never deleted, and it did not come again.
    unexpected            Received, and nobody had sent it.
    aborted-read          Received, and its send had failed.
    inconsistent          One message id or sequence number, two messages.
    duplicated            Received while somebody else had it; in a stream: there more than once.
    resurrected           Received after its delete was acknowledged.
    out-of-order          Received before one that was sent earlier in its message group or partition key.
    group-lock            Received while an earlier message of its group was in somebody's hands.
    undeduplicated        Sent twice within five minutes under one deduplication id, and taken twice.
    nonmonotonic-send     Sent later, and got the lower sequence number.
    lost-write            Acknowledged, and an application that read on past it never got it.
    poll-skip             A reader went on in a shard and left a record out.
    nonmonotonic-poll     A reader went on in a shard and got what lies behind it.
    child-before-parent   An application read a child shard before it had read the parent.
"""


@attrs.frozen
class Anomaly:
    """One thing that is not as one would like it.

    Attributes:
        kind: Which, of `KINDS`.
        resource: The queue or stream.
        scope: Where in it: the message group, the shard; the queue or stream itself otherwise.
        sentence: What happened, with times and actors.
        events: The events that prove it: their places in the history, counted from 0.
        violates: Whether it breaks the promise.
    """

    kind: Kind
    resource: str
    scope: str
    sentence: str
    events: tuple[int, ...]
    violates: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "resource": self.resource,
            "scope": self.scope,
            "violates": self.violates,
            "sentence": self.sentence,
            "events": list(self.events),
        }

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"


@attrs.define
class Tally:
    """How many messages met with what; each message counts once, however often it was sent or received.

    Attributes:
        attempted: Somebody tried to send it.
        acknowledged: A send of it succeeded.
        received: Somebody received it.
        lost: Acknowledged, and never received where it should have been (`lost`, `lost-write`).
        unexpected: Received, and never sent.
        duplicated: Received while somebody else had it (`duplicated`); in a stream: there more than once.
        recovered: No send of it was acknowledged, one may have succeeded, and it was received.
        redelivered: Received again for a good reason: a visibility timeout, or a reader that went back.
        found: How often each kind of anomaly was found.
        violations: How many of these break the promise.
    """

    attempted: int = 0
    acknowledged: int = 0
    received: int = 0
    lost: int = 0
    unexpected: int = 0
    duplicated: int = 0
    recovered: int = 0
    redelivered: int = 0
    found: dict[Kind, int] = attrs.Factory(dict)
    violations: int = 0

    def add(self, other: Tally) -> None:
        """Count what another one has counted, too."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, times in other.found.items():
            self.found[kind] = self.found.get(kind, 0) + times
        self.violations += other.violations

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts: dict[str, Any] = {name: getattr(self, name) for name in COUNTS}
        return {
            **counts,
            "found": {kind: self.found[kind] for kind in KINDS if kind in self.found},
            "violations": self.violations,
        }

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, name):,} {name}" for name in COUNTS)


COUNTS = (
    "attempted",
    "acknowledged",
    "received",
    "lost",
    "unexpected",
    "duplicated",
    "recovered",
    "redelivered",
)


@attrs.frozen
class Verdict:
    """Whether a history keeps what was promised.

    Attributes:
        events: How many events were judged.
        tally: The counts of the whole history.
        promises: What each queue and stream promised, by name.
        tallies: The counts of each of them.
        anomalies: Examples of everything that was found, as many of each kind as were asked for.
    """

    events: int
    tally: Tally
    promises: Mapping[str, Promise]
    tallies: Mapping[str, Tally]
    anomalies: tuple[Anomaly, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing breaks the promise."""
        return not self.tally.violations

    attempted = property(lambda self: self.tally.attempted)
    acknowledged = property(lambda self: self.tally.acknowledged)
    received = property(lambda self: self.tally.received)
    lost = property(lambda self: self.tally.lost)
    unexpected = property(lambda self: self.tally.unexpected)
    duplicated = property(lambda self: self.tally.duplicated)
    recovered = property(lambda self: self.tally.recovered)
    redelivered = property(lambda self: self.tally.redelivered)
    found = property(lambda self: self.tally.found)

    def of_kind(self, kind: Kind) -> list[Anomaly]:
        """The examples of one kind."""
        return [anomaly for anomaly in self.anomalies if anomaly.kind == kind]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the same history gives the same."""
        return {
            "valid": self.valid,
            "events": self.events,
            **self.tally.as_dict(),
            "resources": {
                name: {"promise": promise, **self.tallies[name].as_dict()}
                for name, promise in self.promises.items()
            },
            "anomalies": [anomaly.as_dict() for anomaly in self.anomalies],
        }

    def __str__(self) -> str:
        lines = [_headline(self)]
        for name, promise in self.promises.items():
            unnamed = "the stream" if promise == "stream" else "the queue"
            lines.append(f"{name or unnamed} ({promise}): {self.tallies[name]}")
            shown: dict[Kind, int] = {}
            for anomaly in self.anomalies:
                if anomaly.resource == name:
                    shown[anomaly.kind] = shown.get(anomaly.kind, 0) + 1
                    if shown[anomaly.kind] <= _SHOWN:
                        lines.append(f"  {'✗' if anomaly.violates else '·'} {anomaly}")
            for kind, times in self.tallies[name].found.items():
                if times > _SHOWN:
                    lines.append(f"    … and {times - _SHOWN:,} more {kind}")
        return "\n".join(lines)


_SHOWN = 5


def _headline(verdict: Verdict) -> str:
    events = f"{verdict.events:,} event{'' if verdict.events == 1 else 's'}"
    if verdict.valid:
        return f"Valid: {events}, and every promise was kept."
    times = verdict.tally.violations
    return f"Not valid: {events}, and {times:,} violation{'' if times == 1 else 's'} of what was promised."
