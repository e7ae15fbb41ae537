"""Which of two calls came first, as far as that is sure.

A call happened at some instant from its beginning to its answer.  One that was answered before another
began came first; two that overlap, or touch in one instant, may have happened in either order.  A call
that nobody answered never came first for sure.

Sequence numbers are the service's own word for it, whatever they look like: SQS and Kinesis count in
digits, Redis streams in two numbers with a hyphen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEVER = 1 << 200
"""Later than every instant."""

_DIGITS = re.compile(r"\d+")
_PART_BITS = 64

Sent = tuple[int, int, int]
"""A call: from when on it may have happened, from when on it surely had, and its sequence number."""


def ordinal(sequence_number: str | None) -> int | None:
    """A sequence number as a number; None where there is no digit in it."""
    if sequence_number is None:
        return None
    if sequence_number.isdigit():
        return int(sequence_number)
    value = None
    for part in _DIGITS.findall(sequence_number):
        value = int(part) if value is None else value << _PART_BITS | int(part)
    return value


def backwards(calls: Sequence[Sent]) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) of places, where the later call has the lower number, each later call once.

    Cost: that of sorting.
    """
    by_start = sorted(range(len(calls)), key=lambda place: calls[place][0])
    by_end = sorted(range(len(calls)), key=lambda place: calls[place][1])
    highest = -1
    done = 0
    for later in by_start:
        started, _, number = calls[later]
        while calls[by_end[done]][1] < started:
            candidate = by_end[done]
            if highest < 0 or calls[candidate][2] > calls[highest][2]:
                highest = candidate
            done += 1
        if highest >= 0 and number < calls[highest][2]:
            yield highest, later
