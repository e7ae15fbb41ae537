"""How long messages wait, and how many.

Times are integers, in nanoseconds of any clock; whoever recorded none has the places in the history
instead, and the figures then count events.  Percentiles are nearest ranks, so each is a time that was
measured.
"""

from __future__ import annotations

from heapq import merge
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@attrs.frozen
class Spread:
    """How a number of durations is spread, in nanoseconds.

    Attributes:
        count: How many there are.
        p50: The median: half of them are no longer.
        p90: Nine of ten are no longer.
        p99: 99 of 100 are no longer.
        longest: The longest.
    """

    count: int
    p50: int
    p90: int
    p99: int
    longest: int

    @classmethod
    def of(cls, durations: Iterable[int]) -> Spread | None:
        """The spread of these; None of none.

        Cost: that of sorting.

        >>> Spread.of([30, 10, 20, 40])
        Spread(count=4, p50=20, p90=40, p99=40, longest=40)
        """
        ordered = sorted(durations)
        if not ordered:
            return None
        p50, p90, p99 = (percentile(ordered, percent) for percent in (50, 90, 99))
        return cls(len(ordered), p50, p90, p99, ordered[-1])

    def as_dict(self) -> dict[str, int]:
        """For JSON."""
        return attrs.asdict(self)


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The nearest rank: the smallest of the sorted values that so many percent do not exceed.

    The ⌈percent · n / 100⌉th, counted from 1.

    >>> percentile([10, 20, 30, 40], 50)
    20
    """
    return ordered[-(-percent * len(ordered) // 100) - 1]


def waits(sent_ns: Sequence[int | None], until_ns: Sequence[int | None]) -> list[int]:
    """How long each message waited from when its send was acknowledged, such as for its first delivery.

    Messages without one of both are left out.  One that was received before its producer had the answer
    waited 0.

    >>> waits([0, 10, 20, None], [5, None, 18, 30])
    [5, 0]
    """
    found = [
        until - sent
        for sent, until in zip(sent_ns, until_ns, strict=True)
        if sent is not None and until is not None
    ]
    return [max(wait, 0) for wait in found] if min(found, default=0) < 0 else found


def age_of_oldest(
    sent_ns: Sequence[int], received_ns: Sequence[int | None], until_ns: int
) -> list[tuple[int, int]]:
    """How old the oldest message was that nobody had received: points (time, age), to be joined by lines.

    It grows with time and falls when the oldest is received.  The largest age is the longest wait, or
    that of a message which is still waiting at the end.  (CloudWatch's ApproximateAgeOfOldestMessage is
    of messages that are not *deleted*: give the times of deletes instead of those of receives.)

    Args:
        sent_ns: When each message was sent, ascending.
        received_ns: When each was first received; None for never.
        until_ns: The end.

    Cost: linear.

    >>> age_of_oldest([0, 10, 50], [30, 20, None], 60)
    [(0, 0), (30, 30), (30, 0), (50, 0), (60, 10)]
    """
    points: list[tuple[int, int]] = []
    free = None  # since when there is no older one
    for sent, received in zip(sent_ns, received_ns, strict=True):
        gone = until_ns if received is None else max(received, sent)
        if free is not None and gone <= free:
            continue
        begins = sent if free is None else max(sent, free)
        if free is not None and begins > free:
            points.append((free, 0))
        points += [(begins, begins - sent), (gone, gone - sent)]
        free = gone
    return points


def backlog(sent_ns: Iterable[int], received_ns: Iterable[int]) -> list[tuple[int, int]]:
    """How many messages were sent and not yet received, whenever that changed: steps (time, how many).

    Of a stream's shard and one application this is its lag in records.  What is sent and received at one
    instant counts once it is received.

    Args:
        sent_ns: When messages were sent, ascending.
        received_ns: When messages were first received, ascending.

    Cost: linear.

    >>> backlog([0, 10, 10], [10, 30])
    [(0, 1), (10, 2), (30, 1)]
    """
    steps: list[tuple[int, int]] = []
    waiting = 0
    changes = merge(((time, 1) for time in sent_ns), ((time, -1) for time in received_ns))
    for time, change in changes:
        waiting += change
        if steps and steps[-1][0] == time:
            steps[-1] = (time, waiting)
        else:
            steps.append((time, waiting))
    return steps


def in_flight(held: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """How many messages were in flight, whenever that changed: steps (time, how many).

    Args:
        held: From when to when a receiver had a message: from its receive to its delete, or to the end of its
            visibility timeout.

    Cost: that of sorting.

    >>> in_flight([(0, 30), (10, 40), (30, 50)])
    [(0, 1), (10, 2), (40, 1), (50, 0)]
    """
    whole = list(held)
    return [
        (time, count)
        for (_, before), (time, count) in pairwise(
            [(0, 0), *backlog(sorted(begin for begin, _ in whole), sorted(end for _, end in whole))]
        )
        if count != before
    ]


def thinned(points: Sequence[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """About so many of the points, for a plot: the first, the last, and the highest of each stretch of time.

    >>> thinned([(0, 1), (1, 5), (2, 3), (8, 4), (9, 2)], 2)
    [(0, 1), (1, 5), (8, 4), (9, 2)]
    """
    if len(points) <= count:
        return list(points)
    first, last = points[0], points[-1]
    width = max(-(-(last[0] - first[0] + 1) // count), 1)
    highest: dict[int, tuple[int, int]] = {}
    for point in points:
        stretch = (point[0] - first[0]) // width
        if stretch not in highest or point[1] > highest[stretch][1]:
            highest[stretch] = point
    kept = list(highest.values())
    return [*([first] if kept[0] != first else []), *kept, *([last] if kept[-1] != last else [])]
