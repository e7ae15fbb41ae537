"""FIFO queues: what is sent again under its deduplication id within five minutes is one message, later two.

Two messages of one group and deduplication id that were both acknowledged, under different ids, were taken
at two instants; the question is whether these can have been five minutes apart.  Sends without an answer
may have been the ones that were taken, so they make the times in question longer.

The other way round, a send that was answered with the id of a message that is five minutes old was taken
for a repetition, and what it sent is lost.

AWS: "Using the message deduplication ID in Amazon SQS".
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.lab.checkers.lives import ended_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queuestream.lab.checkers.findings import Findings
    from queuestream.lab.checkers.lives import Lives

INTERVAL_NS = 5 * 60 * SECOND


def check_deduplication(lives: Lives, findings: Findings, *, are_moved: bool) -> None:
    """Find what was taken twice, and what was not taken.

    Args:
        lives: The messages.
        findings: Where to what is found.
        are_moved: Whether operators moved messages from queue to queue, where they may be sent anew.
    """
    events = lives.events
    if lives.emptied:
        return  # a purge takes the memory of what was sent along
    by_id: dict[str, list[int]] = {}
    for life in lives.by_name.values():
        for place in life.sends:
            event = events[place]
            if event.deduplication_id is not None and event.outcome != "failed":
                by_id.setdefault(event.deduplication_id, []).append(place)
    for deduplication_id, places in by_id.items():
        if len(places) > 1:
            _check_sends(lives, findings, deduplication_id, places, are_moved=are_moved)


def _check_sends(
    lives: Lives, findings: Findings, deduplication_id: str, places: Sequence[int], *, are_moved: bool
) -> None:
    """Judge what was sent under one deduplication id."""
    events = lives.events
    taken: dict[str, list[int]] = {}
    for place in places:
        event = events[place]
        name = event.message_id or event.sequence_number
        if event.outcome == "ok" and name is not None:
            taken.setdefault(name, []).append(place)
    if not are_moved:
        for sends in taken.values():
            _check_too_old(lives, findings, sends)
    if len(taken) < 2:
        return
    unanswered_ns = [events[place].started_ns for place in places if events[place].outcome == "unknown"]
    # By group: from when on each message may have been taken, from when on it surely was, and who says so.
    # Where the queue's scope is the whole queue, a send to one group may be taken for that to another.
    spans: dict[str | None, list[tuple[int, int, int]]] = {}
    for sends in taken.values():
        from_ns = min([events[place].started_ns for place in sends] + unanswered_ns)
        first = min(sends, key=lambda place: (ended_ns(events[place]), place))
        for group in {events[place].group: None for place in sends}:
            spans.setdefault(group, []).append((from_ns, ended_ns(events[first]), first))
    for group, of_group in spans.items():
        scope = "" if group is None else f"message group {group} of {findings.resource}"
        _check_spans(lives, findings, deduplication_id, of_group, scope)


def _check_spans(
    lives: Lives, findings: Findings, deduplication_id: str, spans: list[tuple[int, int, int]], scope: str
) -> None:
    """Find two messages of one group that were surely taken within five minutes."""
    events, tell = lives.events, findings.teller
    spans.sort(key=lambda span: (span[1], span[0], span[2]))
    for (from_ns, until_ns, one), (other_from_ns, other_until_ns, other) in pairwise(spans):
        if max(other_until_ns - from_ns, until_ns - other_from_ns) < INTERVAL_NS:
            findings.find(
                "undeduplicated",
                (one, other),
                lambda one=one, other=other: (  # type: ignore[misc]
                    f"{tell.did(other, f'sent {tell.message(events[other].message)}')} under the "
                    f'deduplication id "{deduplication_id}", less than five minutes after '
                    f"{tell.did(one, 'had sent it')}, and both were taken as messages of their own."
                ),
                scope,
            )


def _check_too_old(lives: Lives, findings: Findings, sends: Sequence[int]) -> None:
    """Find sends that were taken for repetitions of what had been taken five minutes before."""
    events, tell = lives.events, findings.teller
    first = min(sends, key=lambda place: (ended_ns(events[place]), place))
    late = [place for place in sends if events[place].started_ns >= ended_ns(events[first]) + INTERVAL_NS]
    if late:
        findings.tally.lost += 1
        findings.find(
            "lost",
            (first, late[0]),
            lambda: (
                f"{tell.began(late[0], f'sent {tell.message(events[late[0]].message)} again')}, which was "
                f"taken for a repetition, five minutes or more after {tell.did(first, 'had sent it')}."
            ),
        )
