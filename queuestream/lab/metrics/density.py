"""How far out of place, and how much memory it takes to repair: the densities of RFC 5236.

Both look at what arrived without repetitions and losses.  Each arrival is given a *receive index*: the
numbers that did arrive, in ascending order, one after the other.  What was lost takes no index, so a
loss displaces nobody.  The *displacement* of an arrival is its receive index less its own number:
positive is late, negative is early.

RFC 5236 reads a stream that never ends, so it gives a message up that is more than a threshold late, and
looks so many arrivals ahead to know.  A history has an end: without a threshold nothing that came is
given up.  (The RFC is informational; the standard is RFC 4737, in `reordering`.)
"""

from __future__ import annotations

from collections import Counter, deque
from heapq import heappop, heappush
from itertools import accumulate
from math import inf
from operator import sub
from typing import TYPE_CHECKING

from queuestream.lab.metrics.disorder import sorting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


def displacements(sequence: Sequence[int], threshold: int | None = None) -> list[int]:
    """How far out of place each arrival is, D = receive index - number; repetitions left out.

    With a threshold those are left out, too, that are further out of place, and what comes later than
    that is lost.

    Source: RFC 5236, section 3.  Cost: that of sorting; with a threshold n log n.

    >>> displacements([1, 4, 2, 5, 3, 6, 7, 8])
    [0, -2, 1, -1, 2, 0, 0, 0]
    >>> displacements([1, 4, 3, 5, 3, 8, 7, 6], threshold=2)
    [0, -1, 1, 0, -2, 0, 2]
    """
    if threshold is not None:
        return list(_within(_once(sequence), threshold))
    once = _once(sequence)
    return displacements_of(once, sorting(once))


def displacements_of(once: Sequence[int], in_place: Sequence[int]) -> list[int]:
    """The displacements (`displacements`) without repetitions, where the sorting is known."""
    if not once:
        return []
    lowest, highest = once[in_place[0]], once[in_place[-1]]
    if highest - lowest == len(once) - 1:
        # Nothing is missing, so that the indices are known without looking.
        return list(map(sub, range(lowest, highest + 1), once))
    return list(map(sub, map(once.__getitem__, in_place), once))


def reorder_density(sequence: Sequence[int], threshold: int | None = None) -> dict[int, float]:
    """Reorder Density: which part of the arrivals has which displacement, by displacement.

    RD[D] is the number of arrivals with displacement D, divided by the number of all.

    Source: RFC 5236, section 3.  Cost: as `displacements`.

    >>> reorder_density([1, 4, 2, 5, 3, 6, 7, 8])
    {-2: 0.125, -1: 0.125, 0: 0.5, 1: 0.125, 2: 0.125}
    """
    return _normalized(Counter(displacements(sequence, threshold)))


def occupancies(sequence: Sequence[int], threshold: int | None = None) -> list[int]:
    """How many arrivals a receiver keeps, after each, that hands all on in order; repetitions left out.

    It keeps what came before something smaller that is still to come.  With a threshold it looks only so
    many arrivals ahead for what is still to come, and drops what comes later than that.

    Source: RFC 5236, section 3.  Cost: that of sorting; with a threshold n log n.

    >>> occupancies([1, 4, 2, 5, 3, 6, 7, 8])
    [0, 1, 1, 2, 0, 0, 0, 0]
    """
    if threshold is not None:
        return list(_kept(_once(sequence), threshold))
    return occupancies_of(sorting(_once(sequence)))


def occupancies_of(in_place: Sequence[int]) -> list[int]:
    """How many are kept (`occupancies`) without repetitions, where the sorting is known."""
    found = []
    handed_on = 0
    # A message is handed on when it and all the smaller ones have come.
    complete = [*accumulate(in_place, max), len(in_place)]
    for position in range(len(in_place)):
        while complete[handed_on] == position:
            handed_on += 1
        found.append(position + 1 - handed_on)
    return found


def buffer_density(sequence: Sequence[int], threshold: int | None = None) -> dict[int, float]:
    """Reorder Buffer-occupancy Density: after which part of the arrivals so many are kept, by how many.

    RBD[B] is the number of arrivals after which B are kept, divided by the number of all.

    Source: RFC 5236, section 3.  Cost: as `occupancies`.

    >>> buffer_density([1, 4, 2, 5, 3, 6, 7, 8])
    {0: 0.625, 1: 0.25, 2: 0.125}
    """
    return _normalized(Counter(occupancies(sequence, threshold)))


def in_bins(numbers: Sequence[int]) -> dict[tuple[int, int], int]:
    """How many of the numbers are from so much to so much, in bins that double on both sides of 0.

    0, 1, 2, 3 to 4, 5 to 8 ...: what spreads over a million places is told in some forty bins, and the small
    ones, which matter, are exact.  Empty bins are left out.

    Cost: linear.

    >>> in_bins([0, 1, 0, 3, -3, 5, 4])
    {(-4, -3): 1, (0, 0): 2, (1, 1): 1, (3, 4): 2, (5, 8): 1}
    """
    # A bin is the number of bits of what comes before its largest number.
    late = Counter(map(int.bit_length, [number - 1 for number in numbers if number > 0]))
    early = Counter(map(int.bit_length, [-number - 1 for number in numbers if number < 0]))
    found = {(-high, -low): early[bits] for bits in sorted(early, reverse=True) for low, high in [_bin(bits)]}
    if zeros := len(numbers) - late.total() - early.total():
        found[0, 0] = zeros
    return found | {_bin(bits): late[bits] for bits in sorted(late)}


def _bin(bits: int) -> tuple[int, int]:
    return (1 << bits >> 1) + 1, 1 << bits


def _once(sequence: Sequence[int]) -> Sequence[int]:
    return sequence if len(set(sequence)) == len(sequence) else list(dict.fromkeys(sequence))


def _normalized(counts: Mapping[int, int]) -> dict[int, float]:
    total = sum(counts.values())
    return {number: counts[number] / total for number in sorted(counts)}


class _Window:
    """The next arrivals, as far as a threshold lets one look ahead, without those that come too late."""

    def __init__(self, once: Iterable[int], threshold: int) -> None:
        self._coming = iter(once)
        self._size = threshold + 1
        self._arrivals: deque[int] = deque()
        self._numbers: set[int] = set()
        self._heap: list[int] = []

    def arrives(self, from_number: float) -> bool:
        """Look ahead, at numbers from this one on; whether there are any."""
        while len(self._arrivals) < self._size:
            number = next((number for number in self._coming if number >= from_number), None)
            if number is None:
                break
            self._arrivals.append(number)
            self._numbers.add(number)
            heappush(self._heap, number)
        return bool(self._arrivals)

    def smallest(self, from_number: float = -inf) -> float:
        """The smallest in sight, from a number on that never falls; infinity where there is none."""
        heap = self._heap
        while heap and (heap[0] < from_number or heap[0] not in self._numbers):
            heappop(heap)
        return heap[0] if heap else inf

    def next(self) -> int:
        number = self._arrivals.popleft()
        self._numbers.remove(number)
        return number


def _within(once: Iterable[int], threshold: int) -> Iterator[int]:
    """The displacements up to a threshold."""
    window = _Window(once, threshold)
    early: list[
        int
    ] = []  # a heap of those that were counted, and whose own number is not yet reached as an index
    index = -inf
    while window.arrives(index):
        # The smallest that has come early or is in sight; what lies between is lost.
        index = window.smallest(index)
        if early and early[0] <= index:
            index = early[0]
        number = window.next()
        displacement = int(index) - number
        if abs(displacement) <= threshold:
            yield displacement
            if displacement < 0:
                heappush(early, number)
            if early and early[0] == index:
                heappop(early)
            index += 1


def _kept(once: Iterable[int], threshold: int) -> Iterator[int]:
    """How many a receiver keeps that sees only so far ahead."""
    window = _Window(once, threshold)
    kept: list[int] = []  # a heap
    passed = -inf
    while window.arrives(passed):
        number = window.next()
        missing = window.smallest()
        if number < missing:
            while kept and kept[0] < missing:
                heappop(kept)
        else:
            heappush(kept, number)
        yield len(kept)
        passed = number if missing == inf else missing
