"""Order from shard to shard: parents before children, and the order of a partition key.

When a shard is split or merged, its keys go on in its children.  Whoever wants a key's records in order
reads a parent to its end before the child; the records tell whether an application did so.  Judged is when
it got each record for the first time, by whichever of its clients: a reader that goes back reads again, and
that is no disorder.

Within one shard a reader has the order that the shard has (shards.py), so a partition key is looked at
where its records are in several shards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.lab.checkers.precedence import NEVER
from queuestream.lab.checkers.shards import scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queuestream.lab.checkers.findings import Findings
    from queuestream.lab.checkers.shards import Application, Record
    from queuestream.lab.history import Event

_First = tuple[int, int, int]
"""When a record was first got: not before, surely by then, and the event."""


class LineageChecker:
    """Judges in which order applications read the shards of one stream.

    Args:
        events: The whole history.
        findings: Where to what is found.
        parents: The parents of each shard, as far as clients learnt them.
    """

    def __init__(
        self, events: Sequence[Event], findings: Findings, parents: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._events = events
        self._findings = findings
        self._teller = findings.teller
        self._parents = parents

    def check(self, application: Application) -> None:
        """Judge one application."""
        self._check_children(application)
        self._check_keys(application)

    # --- parents before children ---

    def _check_children(self, application: Application) -> None:
        # Of each shard: the record that was first got the latest, there or in one of its ancestors.
        latest: dict[str | None, _First | None] = {}
        for shard in self._eldest_first():
            own = max(application.firsts.get(shard, {}).values(), default=None)
            above = [latest.get(parent) for parent in self._parents.get(shard, ())]
            parents_latest = max((first for first in above if first is not None), default=None)
            latest[shard] = max((first for first in (own, parents_latest) if first is not None), default=None)
            if own is None or parents_latest is None:
                continue
            earliest = min(application.firsts[shard].values(), key=lambda first: first[1:])
            if earliest[1] < parents_latest[0]:
                self._find_child_first(application, shard, earliest[2], parents_latest[2])

    def _eldest_first(self) -> list[str]:
        """All shards of which parents are known and these, every one after its parents."""
        order: dict[str, None] = {}
        for shard in self._parents:
            ahead = [shard]
            while ahead:
                one = ahead[-1]
                missing = [parent for parent in self._parents.get(one, ()) if parent not in order]
                # Who claims to be his own ancestor comes in any order.
                missing = [parent for parent in missing if parent not in ahead]
                if missing:
                    ahead += missing
                else:
                    order[ahead.pop()] = None
        return list(order)

    def _find_child_first(self, application: Application, shard: str, child: int, parent: int) -> None:
        tell, events = self._teller, self._events
        self._findings.find(
            "child-before-parent",
            (child, parent),
            lambda: (
                f"{application.name or 'A reader'} got {tell.message(events[child].message)} of {shard} "
                f"{tell.at(events[child].ended_ns or 0)}, before "
                f"{tell.message(events[parent].message)} of its parent {events[parent].shard}, which it got "
                f"{tell.at(events[parent].started_ns)}."
            ),
            scope_of(shard, self._findings.resource),
        )

    # --- the order of a key ---

    def _check_keys(self, application: Application) -> None:
        shard_of: dict[str, str | None] = {}
        scattered: dict[str, list[tuple[Record, _First]]] = {}
        for shard, firsts in application.firsts.items():
            for record in firsts:
                key = record.partition_key
                if key is not None and shard_of.setdefault(key, shard) != shard:
                    scattered[key] = []
        if not scattered:
            return
        for firsts in application.firsts.values():
            for record, first in firsts.items():
                if record.partition_key in scattered and record.put_from_ns != NEVER:
                    scattered[record.partition_key].append((record, first))
        for key, got in scattered.items():
            self._check_key(application, key, got)

    def _check_key(self, application: Application, key: str, got: Sequence[tuple[Record, _First]]) -> None:
        """Was a record got before one of another shard that had been put before it?"""
        by_start = sorted(got, key=lambda each: (each[0].put_from_ns, each[1]))
        by_end = sorted(got, key=lambda each: (each[0].put_ns, each[1]))
        # Of those put before: for each shard the one that was got last.
        latest: dict[str | None, tuple[_First, Record]] = {}
        done = 0
        for record, first in by_start:
            while by_end[done][0].put_ns < record.put_from_ns:
                earlier, earlier_first = by_end[done]
                if earlier.shard not in latest or latest[earlier.shard][0] < earlier_first:
                    latest[earlier.shard] = earlier_first, earlier
                done += 1
            for shard, (earlier_first, earlier) in latest.items():
                if shard != record.shard and earlier_first[0] > first[1]:
                    self._find_out_of_order(application, key, (earlier, earlier_first), (record, first))
                    break

    def _find_out_of_order(
        self, application: Application, key: str, earlier: tuple[Record, _First], later: tuple[Record, _First]
    ) -> None:
        tell, events = self._teller, self._events
        (before, before_first), (after, after_first) = earlier, later
        self._findings.find(
            "out-of-order",
            [place for place in (before.put, after.put) if place >= 0] + [before_first[2], after_first[2]],
            lambda: (
                f"{application.name or 'A reader'} got {tell.message(after.name)} "
                f"{tell.at(events[after_first[2]].ended_ns or 0)}, before {tell.message(before.name)} of the "
                "same partition key, which was put before it and which it got "
                f"{tell.at(events[before_first[2]].started_ns)}."
            ),
            f"partition key {key} of {self._findings.resource or 'the stream'}",
        )
