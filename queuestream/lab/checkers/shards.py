"""How readers went through a shard: they get record after record, none left out and none twice.

A reader goes on from where it is, until it takes up another position (`seek`).  Between two records that
it got one after the other, no other record of the shard lies; a record is known to be in the shard if its
put was acknowledged there or if somebody got it, ever.  Numbers grow as records come in, so what has the
lower number was there first.  After a `seek` without a number (to the latest record, say) only records
count that were put after it.  The end of a closed shard comes after all its records.

A record that has outlived the retention period may be gone; one that somebody gets later is not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from queuestream.lab.checkers.lives import ended_ns
from queuestream.lab.checkers.precedence import NEVER, ordinal
from queuestream.lab.history import FINISH, SEEK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from queuestream.lab.checkers.findings import Findings
    from queuestream.lab.history import Event

_TOLD = 3


class Record:
    """One record of a stream.

    Attributes:
        shard: Where it is.
        number: Its sequence number.
        name: What its producer calls it.
        partition_key: Its partition key.
        put: The put that was acknowledged with its number; -1 where there is none.
        put_from_ns: From when on it may have been in the stream; `NEVER` where no put is known.
        put_ns: From when on it surely was.
        first_get: The first event of somebody getting it; -1 where there is none.
        last_got_ns: When somebody last began to get it.
    """

    __slots__ = (
        "first_get",
        "last_got_ns",
        "name",
        "number",
        "partition_key",
        "put",
        "put_from_ns",
        "put_ns",
        "shard",
    )

    def __init__(self, shard: str | None, number: int, name: str | None, partition_key: str | None) -> None:
        self.shard = shard
        self.number = number
        self.name = name
        self.partition_key = partition_key
        self.put = -1
        self.put_from_ns = self.put_ns = NEVER
        self.first_get = -1
        self.last_got_ns = -NEVER

    def scope(self, resource: str) -> str:
        """Where it is, in words."""
        return scope_of(self.shard, resource)


def scope_of(shard: str | None, resource: str) -> str:
    """A shard, in words."""
    name = resource or "the stream"
    return name if shard is None else f"{shard} of {name}"


class Application:
    """What one application has read, by whichever of its clients.

    Args:
        name: What it is called.

    Attributes:
        name: As given.
        firsts: Of each shard, the event in which each record was first got, by the record.
    """

    __slots__ = ("firsts", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.firsts: dict[str | None, dict[Record, tuple[int, int, int]]] = {}

    def got(self, record: Record, place: int, event: Event) -> bool:
        """One of its clients got a record; whether one had got it before."""
        firsts = self.firsts.get(record.shard)
        if firsts is None:
            firsts = self.firsts[record.shard] = {}
        known = firsts.get(record)
        if known is None:
            firsts[record] = event.started_ns, ended_ns(event), place
            return False
        if event.started_ns < known[0]:
            firsts[record] = event.started_ns, known[1], known[2]
        return True


class Skipped(NamedTuple):
    """A record that a reader left out, and its application never got.

    Attributes:
        record: The record.
        reader: The application.
        place: The event that lies behind it.
    """

    record: Record
    reader: str
    place: int


class ShardChecker:
    """Judges how one shard was read.

    Args:
        events: The whole history.
        findings: Where to what is found.
        shard: The shard.
        records: All records that are known to be in it, by their numbers.
        retention_ns: How long a record is kept.
    """

    def __init__(
        self,
        events: Sequence[Event],
        findings: Findings,
        shard: str | None,
        records: Mapping[int, Record],
        retention_ns: int,
    ) -> None:
        self._events = events
        self._findings = findings
        self._teller = findings.teller
        self._scope = scope_of(shard, findings.resource)
        self._numbers = sorted(records)
        self._records = [records[number] for number in self._numbers]
        self._ranks = {number: rank for rank, number in enumerate(self._numbers)}
        self._retention_ns = retention_ns

    def check(self, steps: Sequence[int], application: Application | None) -> Iterator[Skipped]:
        """Judge one reader: what it left out and its application never got."""
        events, ranks = self._events, self._ranks
        # The rank of the next record, if that is known; otherwise what was put after `sought_ns` counts.
        expected: int | None = None
        at_least = -1
        sought_ns = NEVER
        last = -1
        for place in steps:
            event = events[place]
            if event.operation == SEEK:
                number = ordinal(event.sequence_number)
                sought_ns, expected, last = ended_ns(event), None, place
                at_least = -1
                if number is not None:
                    # A position at this record or after it.
                    at_least = bisect_left(self._numbers, number)
                    expected = bisect_right(self._numbers, number)
                continue
            if event.operation == FINISH:
                rank = len(self._numbers)
            else:
                known = ordinal(event.sequence_number)
                if known is None:
                    continue
                rank = ranks[known]
            if expected is None:
                left_out = self._put_since(sought_ns, rank)
            elif rank < expected and (at_least < 0 or rank < at_least):
                self._find_backwards(last, place)
                left_out = []
            else:
                left_out = self._records[expected:rank]
            left_out = [record for record in left_out if self._was_there(record, event)]
            if left_out:
                self._find_skip(left_out, last, place)
                if application is not None:
                    yield from self._never_got(left_out, application, place)
            expected = None if event.operation == FINISH else rank + 1
            sought_ns, at_least, last = NEVER, -1, place

    def _put_since(self, sought_ns: int, rank: int) -> list[Record]:
        """The records right before a rank that were put after the reader had taken up its position."""
        first = rank
        while first and self._records[first - 1].put_from_ns > sought_ns:
            first -= 1
        return self._records[first:rank]

    def _was_there(self, record: Record, event: Event) -> bool:
        """Whether a record surely was in the shard when somebody read on past it."""
        if record.last_got_ns >= ended_ns(event):
            return True
        return record.put_from_ns != NEVER and ended_ns(event) < record.put_from_ns + self._retention_ns

    @staticmethod
    def _never_got(left_out: Sequence[Record], application: Application, place: int) -> Iterator[Skipped]:
        for record in left_out:
            if record not in application.firsts.get(record.shard, ()):
                yield Skipped(record, application.name, place)

    def _find_skip(self, left_out: Sequence[Record], last: int, place: int) -> None:
        tell = self._teller
        proof = [record.put if record.put >= 0 else record.first_get for record in left_out[:_TOLD]]
        self._findings.find(
            "poll-skip",
            (*proof, *([last] if last >= 0 else []), place),
            lambda: (
                f"{self._came_to(place)} and left out "
                f"{', '.join(tell.message(record.name) for record in left_out[:_TOLD])}"
                f"{f' and {len(left_out) - _TOLD:,} more' if len(left_out) > _TOLD else ''}, which "
                f"{'come' if len(left_out) > 1 else 'comes'} before{self._after(last)}."
            ),
            self._scope,
        )

    def _find_backwards(self, last: int, place: int) -> None:
        self._findings.find(
            "nonmonotonic-poll",
            (last, place),
            lambda: f"{self._came_to(place)}{self._after(last)}, which comes later or is the same.",
            self._scope,
        )

    def _came_to(self, place: int) -> str:
        event, tell = self._events[place], self._teller
        if event.operation == FINISH:
            return tell.did(place, "came to the shard's end")
        return tell.did(place, f"got {tell.message(event.message)}")

    def _after(self, last: int) -> str:
        """What the reader had done before."""
        if last < 0:
            return ""
        event, tell = self._events[last], self._teller
        if event.operation == SEEK:
            where = event.sequence_number or "it had taken up a position"
            return f", after {where} {tell.at(event.started_ns)}"
        return f", after {tell.message(event.message)}"
