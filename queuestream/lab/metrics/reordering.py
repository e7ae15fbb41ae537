"""How much came late: the IETF's metrics of reordering (RFC 4737).

A sequence is what arrived, in order of arrival, each message by its place in the order of sending: an
ascending sequence is one in order, and a missing number is a message that was lost, which is nobody's
disorder.  An arrival is *reordered* if a larger number came before it.  So the late message is to blame,
and not those that overtook it.

RFC 4737 leaves repeated arrivals out.  The functions take what they are given: a sequence of first
deliveries is the RFC's; in one of all deliveries a repeated delivery is reordered like any other, if a
larger number came before it.

Positions are counted from 0 and distances are differences of positions, so they are the RFC's.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, repeat
from operator import lt, sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def reordered(sequence: Sequence[int]) -> list[int]:
    """The positions of the arrivals that are reordered.

    An arrival s[i] is reordered if s[i] < NextExp, where NextExp is one more than the largest number
    that came before it (and so at first no larger than any).  A repetition of the largest so far is not.

    Source: RFC 4737, section 3 (Type-P-Reordered).  Cost: linear.

    >>> reordered([1, 2, 3, 5, 6, 7, 8, 4, 9, 10])
    [7]
    """
    return _reordered(sequence, list(accumulate(sequence, max)))


def reordered_ratio(sequence: Sequence[int]) -> float | None:
    """Which part of the arrivals is reordered: their number, divided by the number of arrivals; None of none.

    Source: RFC 4737, section 4.1 (Type-P-Reordered-Ratio-Stream).  Cost: linear.

    >>> reordered_ratio([1, 2, 3, 5, 6, 7, 8, 4, 9, 10])
    0.1
    """
    return len(reordered(sequence)) / len(sequence) if sequence else None


def overtakers(sequence: Sequence[int]) -> dict[int, int]:
    """For each position i of a reordered arrival the position j of the first that overtook it.

    j is the smallest with s[j] > s[i].  A waiting receiver has had to keep what came from j on until i came.

    Source: RFC 4737, section 4.2.  Cost: linear, and a binary search in the running maximum for each
    reordered one.

    >>> overtakers([1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11])
    {7: 3, 8: 3, 9: 3}
    """
    return dict(zip(*late_and_first(sequence), strict=True))


def extents(sequence: Sequence[int]) -> list[int]:
    """How far each reordered arrival lies behind the first that overtook it.

    e = i - j, with j of `overtakers`.  So many arrivals, at most, has somebody to keep who puts this one
    back in its place.  The largest of all is what the literature on sorting calls Dis: the largest
    distance between two arrivals in the wrong order.

    Source: RFC 4737, section 4.2 (Type-P-Reordering-Extent).  Cost: as `overtakers`.

    >>> extents([1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11])
    [4, 5, 6]
    """
    return list(map(sub, *late_and_first(sequence)))


def late_times(sequence: Sequence[int], received_ns: Sequence[int]) -> list[int]:
    """How long after the first that overtook it each reordered arrival came.

    time(i) - time(j), with j of `overtakers`.  So long has somebody to wait who puts it back in its
    place.  The result has the unit of `received_ns`.

    Source: RFC 4737, section 4.3 (Type-P-Late-Time-Offset).  Cost: as `overtakers`.

    >>> late_times([1, 2, 3, 5, 6, 7, 8, 4, 9, 10], [68, 88, 108, 148, 168, 188, 208, 210, 228, 248])
    [62]
    """
    return [received_ns[late] - received_ns[overtaker] for late, overtaker in overtakers(sequence).items()]


def gaps(sequence: Sequence[int]) -> list[int]:
    """How far apart the places are at which order was broken.

    Order is broken at position j if an arrival there is the first that overtook some reordered one.  A
    gap is the distance j' - j between two such positions that follow each other; the first has none
    before it.

    Source: RFC 4737, section 4.5 (reordering discontinuities, Type-P-Reordering-Gap).  Cost: as `overtakers`.

    >>> gaps([1, 3, 2, 4, 5, 6, 9, 7, 8])
    [5]
    """
    return gaps_between(late_and_first(sequence)[1])


def free_runs(sequence: Sequence[int]) -> list[int]:
    """How many arrivals in a row are not reordered: the length of each such run, the last one's too.

    The RFC keeps the number of runs and the sums of their lengths and of the squares of these; here are
    the lengths.

    Source: RFC 4737, section 4.6 (reordering-free runs).  Cost: linear.

    >>> free_runs([1, 3, 2, 4, 5, 6, 9, 7, 8])
    [2, 4]
    """
    return runs_between(reordered(sequence), len(sequence))


def n_reordering(sequence: Sequence[int]) -> list[int]:
    """For each arrival the largest n for which it is n-reordered; 0 where it is not.

    An arrival is n-reordered if the n arrivals directly before it all have larger numbers.  A receiver
    that gives up on a message when it has seen n others in its stead (TCP: 3 duplicate acknowledgements)
    gives up on the n-reordered.

    Source: RFC 4737, section 5.  Cost: linear, by a stack of the arrivals that have none smaller behind them.

    >>> n_reordering([1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11])
    [0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0]
    """
    found: list[int] = []
    found_one = found.append
    if not sequence:
        return found
    # What stands before the first arrival is smaller than all, so the stack never runs empty.
    smaller = [min(sequence) - 1]
    positions = [-1]
    last = smaller[0]
    for position, number in enumerate(sequence):
        if number > last:
            found_one(0)
        else:
            # An equal number is a repeated arrival: not larger, so n stops there.
            while smaller[-1] > number:
                smaller.pop()
                positions.pop()
            found_one(position - positions[-1] - 1)
        smaller.append(number)
        positions.append(position)
        last = number
    return found


def n_reordered_ratio(sequence: Sequence[int], n: int) -> float | None:
    """Which part of the arrivals is n-reordered; None of none.

    Source: RFC 4737, section 5 (the degree of n-reordering).  Cost: linear.

    >>> n_reordered_ratio([1, 2, 3, 5, 6, 7, 8, 4, 9, 10], 3)
    0.1
    """
    if not sequence:
        return None
    return sum(one >= n for one in n_reordering(sequence)) / len(sequence)


def _reordered(sequence: Sequence[int], largest: list[int]) -> list[int]:
    late = map(lt, sequence, largest)
    return [position for position, is_late in enumerate(late) if is_late]


def late_and_first(sequence: Sequence[int]) -> tuple[list[int], list[int]]:
    """The positions of the reordered arrivals, and those of their first overtakers (`overtakers`)."""
    largest = list(accumulate(sequence, max))
    late = _reordered(sequence, largest)
    return late, list(map(bisect_right, repeat(largest), map(sequence.__getitem__, late)))


def gaps_between(first: list[int]) -> list[int]:
    """The gaps, where the overtakers are known (`gaps`)."""
    broken = sorted(set(first))
    return list(map(sub, broken[1:], broken))


def runs_between(late: list[int], length: int) -> list[int]:
    """The lengths of the runs between the reordered arrivals, whose positions are known (`free_runs`)."""
    ends = [*late, length]
    begins = [0, *(position + 1 for position in late)]
    return [run for run in map(sub, ends, begins) if run]
