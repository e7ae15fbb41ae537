"""A stream's events, record by record: what became of each, and what every stream is asked.

A record is known by its shard and sequence number.  One message may have become several records, because
its producer tried again after an answer was lost; that is told, and is no fault of the stream.  How
readers went through the shards is left to shards.py, and what becomes of order from shard to shard to
lineages.py.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs

from queuestream.lab.checkers.lineages import LineageChecker
from queuestream.lab.checkers.lives import EMPTYING, RECEIVES, SENDS, ended_ns
from queuestream.lab.checkers.precedence import NEVER, backwards, ordinal
from queuestream.lab.checkers.shards import Application, Record, ShardChecker, Skipped
from queuestream.lab.history import FINISH, LINEAGE, SEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from queuestream.lab.checkers.findings import Findings
    from queuestream.lab.history import Event

# AWS: "Changing the data retention period": a stream keeps records for 24 hours unless it is told otherwise.
RETENTION_SECONDS = 24 * 3600

_GONE = {*EMPTYING, "delete"}


@attrs.define(eq=False)
class Writes:
    """What clients did with one message.

    Attributes:
        puts: Every attempt to put it.
        gets: The first time somebody got it; empty where nobody did.
        records: What became of it in the stream.
        again: Whether an application got one of its records twice.
    """

    puts: list[int] = attrs.Factory(list)
    gets: list[int] = attrs.Factory(list)
    records: list[Record] = attrs.Factory(list)
    again: bool = False


class StreamChecker:
    """Judges one stream.

    Args:
        events: The whole history.
        places: The places of the stream's events.
        findings: Where to what is found.
        finished: Whether the readers went on until nothing was left.
        retention_ns: How long the stream keeps a record.
    """

    def __init__(
        self,
        events: Sequence[Event],
        places: Iterable[int],
        findings: Findings,
        *,
        finished: bool,
        retention_ns: int,
    ) -> None:
        self._events = events
        self._findings = findings
        self._teller = findings.teller
        self._finished = finished
        self._retention_ns = retention_ns
        self._writes: defaultdict[str, Writes] = defaultdict(Writes)
        self._shards: dict[str | None, dict[int, Record]] = {}
        self._applications: dict[tuple[str, str], Application] = {}
        # By shard, and there by actor and application.
        self._cursors: dict[str | None, dict[tuple[str, str], list[int]]] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._reading_since_ns = NEVER
        self._is_gone = False
        self._read(places)

    # --- what there is ---

    def _read(self, places: Iterable[int]) -> None:
        events = self._events
        for place in places:
            event = events[place]
            operation = event.operation
            if operation in SENDS:
                self._put(place, event)
            elif event.outcome != "ok":
                continue
            elif operation in RECEIVES:
                self._got(place, event)
            elif operation in {SEEK, FINISH}:
                self._cursor(event).append(place)
            elif operation == LINEAGE and event.shard is not None:
                self._parents[event.shard] = event.parents
            elif operation in _GONE:
                self._is_gone = True
        for writes in self._writes.values():
            for record in writes.records:
                if record.put < 0:
                    # The put that it came from had no answer, or another one.
                    tried = [events[put].started_ns for put in writes.puts if events[put].outcome != "failed"]
                    record.put_from_ns = min(tried, default=NEVER)

    def _put(self, place: int, event: Event) -> None:
        name = event.message
        writes = None
        if name is not None:
            writes = self._writes[name]
            writes.puts.append(place)
        number = ordinal(event.sequence_number) if event.outcome == "ok" else None
        if number is None:
            return
        record = self._record(event, number, place, writes)
        if record.put >= 0:
            self._find_inconsistent(record, record.put, place)
        elif record.name != name:
            self._find_inconsistent(record, record.first_get, place)
        record.put, record.put_from_ns, record.put_ns = place, event.started_ns, ended_ns(event)

    def _got(self, place: int, event: Event) -> None:
        name = event.message
        writes = None
        if name is not None:
            writes = self._writes[name]
            if not writes.gets:
                writes.gets.append(place)
        elif event.sequence_number is None:
            return  # nothing was there
        self._cursor(event).append(place)
        number = ordinal(event.sequence_number)
        if number is None:
            return
        record = self._record(event, number, place, writes)
        if record.name != name:
            self._find_inconsistent(record, record.put if record.put >= 0 else record.first_get, place)
        if record.first_get < 0:
            record.first_get = place
        record.last_got_ns = max(record.last_got_ns, event.started_ns)
        if self._application(event).got(record, place, event) and writes is not None:
            writes.again = True

    def _record(self, event: Event, number: int, place: int, writes: Writes | None) -> Record:
        """The record at a place of a shard; a new one where nobody has put or got it so far."""
        shard = self._shards.get(event.shard)
        if shard is None:
            shard = self._shards[event.shard] = {}
        record = shard.get(number)
        if record is None:
            record = shard[number] = Record(event.shard, number, event.message, event.partition_key)
            if writes is not None:
                writes.records.append(record)
        return record

    def _cursor(self, event: Event) -> list[int]:
        """Where somebody goes through a shard: the places of what he did there."""
        self._reading_since_ns = min(self._reading_since_ns, event.started_ns)
        cursors = self._cursors.get(event.shard)
        if cursors is None:
            cursors = self._cursors[event.shard] = {}
        key = event.actor, event.application
        steps = cursors.get(key)
        if steps is None:
            steps = cursors[key] = []
        return steps

    def _application(self, event: Event) -> Application:
        """Who shares the work of reading; who names no application reads for himself."""
        key = (event.application, "") if event.application else ("", event.actor)
        application = self._applications.get(key)
        if application is None:
            application = self._applications[key] = Application(event.application or event.actor)
        return application

    # --- what is asked ---

    def check(self) -> None:
        """Judge the stream."""
        if not self._is_gone:
            self._check_reading()
        for shard, records in self._shards.items():
            self._check_sends(shard, records)
        lineages = LineageChecker(self._events, self._findings, self._parents)
        for application in self._applications.values():
            lineages.check(application)
        has_puts = any(writes.puts for writes in self._writes.values())
        for name, writes in self._writes.items():
            self._check_message(name, writes, has_puts=has_puts)

    def _check_reading(self) -> None:
        """How readers went through shards, and what they left out for good."""
        left_out: dict[tuple[tuple[str, str], Record], Skipped] = {}
        for shard, records in self._shards.items():
            checker = ShardChecker(self._events, self._findings, shard, records, self._retention_ns)
            for (actor, application), steps in self._cursors.get(shard, {}).items():
                key = (application, "") if application else ("", actor)
                for skipped in checker.check(steps, self._applications.get(key)):
                    left_out.setdefault((key, skipped.record), skipped)
        lost: dict[str, None] = {}
        for skipped in left_out.values():
            record = skipped.record
            if record.put >= 0:
                lost[record.name or ""] = None
                self._find_lost(record, skipped)
        if self._finished:
            for writes in self._writes.values():
                for record in writes.records:
                    if (
                        not writes.gets
                        and record.name not in lost
                        and record.put >= 0
                        and record.put_from_ns > self._reading_since_ns
                    ):
                        lost[record.name or ""] = None
                        self._find_lost(record, None)
        self._findings.tally.lost += len(lost)

    def _find_lost(self, record: Record, skipped: Skipped | None) -> None:
        tell = self._teller
        put = tell.did(record.put, "had put it")
        if skipped is None:
            self._findings.find(
                "lost-write",
                (record.put,),
                lambda: f"{tell.message(record.name)} was acknowledged when {put}, and nobody ever got it.",
                record.scope(self._findings.resource),
            )
        else:
            self._findings.find(
                "lost-write",
                (record.put, skipped.place),
                lambda: (
                    f"{tell.message(record.name)} was acknowledged when {put}; "
                    f"{skipped.reader or 'a reader'} read on past it "
                    f"{tell.at(self._events[skipped.place].started_ns)} and never got it."
                ),
                record.scope(self._findings.resource),
            )

    def _check_sends(self, shard: str | None, records: dict[int, Record]) -> None:
        """Sequence numbers grow."""
        acknowledged = [record for record in records.values() if record.put >= 0 and record.put_ns != NEVER]
        calls = [(record.put_from_ns, record.put_ns, record.number) for record in acknowledged]
        tell = self._teller
        for one, other in backwards(calls):
            earlier, later = acknowledged[one], acknowledged[other]
            self._findings.find(
                "nonmonotonic-send",
                (earlier.put, later.put),
                lambda earlier=earlier, later=later: (  # type: ignore[misc]
                    f"{tell.began(later.put, f'put {tell.message(later.name)}')}, after "
                    f"{tell.did(earlier.put, f'had put {tell.message(earlier.name)}')}, and it got the lower "
                    "sequence number."
                ),
                later.scope(self._findings.resource),
            )

    def _check_message(self, name: str, writes: Writes, *, has_puts: bool) -> None:
        """What became of one message."""
        findings, tally, tell = self._findings, self._findings.tally, self._teller
        outcomes = [self._events[put].outcome for put in writes.puts]
        acknowledged = "ok" in outcomes
        tally.attempted += bool(outcomes)
        tally.acknowledged += acknowledged
        tally.received += bool(writes.gets)
        tally.redelivered += writes.again
        tally.recovered += bool(writes.gets) and not acknowledged and "unknown" in outcomes
        if len(writes.records) > 1:
            tally.duplicated += 1
            findings.find(
                "duplicated",
                [max(record.put, record.first_get) for record in writes.records],
                lambda: (
                    f"{tell.message(name)} is in the stream {len(writes.records)} times, after "
                    f"{len(outcomes)} attempt{'' if len(outcomes) == 1 else 's'} to put it."
                ),
            )
        if not writes.gets or not has_puts:
            return
        got = tell.did(writes.gets[0], f"got {tell.message(name)}")
        if not outcomes:
            tally.unexpected += 1
            findings.find("unexpected", writes.gets, lambda: f"{got}, which nobody had put.")
        elif all(outcome == "failed" for outcome in outcomes):
            findings.find(
                "aborted-read",
                (*writes.puts, *writes.gets),
                lambda: f"{got}, although the put had failed when {tell.did(writes.puts[0], 'tried')}.",
            )

    def _find_inconsistent(self, record: Record, one: int, other: int) -> None:
        tell = self._teller
        names = [tell.message(self._events[place].message) for place in (one, other)]
        verbs = ["put" if self._events[place].operation in SENDS else "got" for place in (one, other)]
        told = [
            tell.did(place, f"{verb} {name}")
            for place, verb, name in zip((one, other), verbs, names, strict=True)
        ]
        self._findings.find(
            "inconsistent",
            (one, other),
            lambda: f"Sequence number {record.number} stands for two: {told[0]}, and {told[1]}.",
            record.scope(self._findings.resource),
        )
