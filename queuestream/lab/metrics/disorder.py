"""How far from sorted: measures of disorder from the theory of adaptive sorting.

None of them alone says it.  Two halves of a sequence that have changed places have n²/4 inversions, as
bad as chance, and yet only two ascending runs; one message that comes last instead of first has n - 1
inversions and is one message.

A sequence is what arrived, in order of arrival, each message by its place in the order of sending.
Numbers may be missing and, where every delivery is looked at, repeated; two deliveries of one message
are never in the wrong order.

Source of all: V. Estivill-Castro and D. Wood, A survey of adaptive sorting algorithms, ACM Computing
Surveys 24 (1992), after H. Mannila, Measures of presortedness and optimal sorting algorithms, IEEE
Transactions on Computers 34 (1985); of Kendall's and Spearman's figures, P. Diaconis and R. Graham,
Spearman's footrule as a measure of disarray (1977).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from itertools import repeat
from operator import le, lt, sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK = 512
"""So many arrivals are counted by insertion, the quickest way for a few."""
_WAYS = 16
"""So many counted parts are merged at a time."""


def inversions(sequence: Sequence[int]) -> int:
    """The number of pairs that are in the wrong order: j < i and s[j] > s[i].

    From 0 (sorted) to n(n-1)/2 (backwards).  It is the number of exchanges of neighbours that would sort it.

    Source: Inv, see the module.  Cost: n log n: parts are counted each for itself, and what lies between
    two of them by a binary search for each arrival, while they are merged.

    >>> inversions([1, 4, 2, 5, 3])
    3
    """
    return 0 if is_sorted(sequence) else _inversions(list(sequence))[0]


def pairs(sequence: Sequence[int]) -> int:
    """The number of pairs of deliveries of two different messages: n(n-1)/2 where none is repeated.

    Cost: linear.

    >>> pairs([1, 2, 3, 1])
    5
    """
    length = len(sequence)
    repeated = Counter(sequence).values() if len(set(sequence)) < length else ()
    return length * (length - 1) // 2 - sum(count * (count - 1) // 2 for count in repeated)


def kendall_tau(sequence: Sequence[int]) -> float | None:
    """Kendall's τ of the order of arrival with the order of sending: 1 - 2·inversions / pairs, -1 to 1.

    1 is sorted, -1 is backwards, around 0 is chance.  Without repetitions it is 1 - 4·inversions /
    (n(n-1)); where deliveries are repeated, pairs of one message with itself say nothing and are left
    out.  None without a pair.

    Source: M. Kendall, A new measure of rank correlation, Biometrika 30 (1938).  Cost: as `inversions`.

    >>> kendall_tau([1, 4, 2, 5, 3])
    0.4
    """
    return tau_of(inversions(sequence), pairs(sequence))


def tau_of(inverted: int, of_pairs: int) -> float | None:
    """Kendall's τ, where so many of so many pairs are in the wrong order."""
    return (of_pairs - 2 * inverted) / of_pairs if of_pairs else None


def sorting(sequence: Sequence[int]) -> list[int]:
    """The positions of the arrivals in the order in which sorting puts them; repetitions as they came.

    Cost: that of sorting.

    >>> sorting([1, 4, 2, 5, 3])
    [0, 2, 4, 1, 3]
    """
    return sorted(range(len(sequence)), key=sequence.__getitem__)


def distances(sequence: Sequence[int]) -> list[int]:
    """How many places each arrival is from where sorting puts it, in the order of sorting.

    Cost: that of sorting.

    >>> distances([1, 4, 2, 5, 3])
    [0, 1, 2, 2, 1]
    """
    return distances_of(sorting(sequence))


def distances_of(in_place: Sequence[int]) -> list[int]:
    """The distances (`distances`), where the sorting is known."""
    return list(map(abs, map(sub, in_place, range(len(in_place)))))


def footrule(sequence: Sequence[int]) -> int:
    """Spearman's footrule: how many places all arrivals together are away from where sorting puts them.

    Σ |i - rank(s[i])|, from 0 (sorted) to ⌊n²/2⌋ (backwards).  It is at least the number of inversions
    and at most twice that.  Repeated deliveries are sorted in the order in which they came.

    Source: Diaconis and Graham (1977).  Cost: that of sorting.

    >>> footrule([1, 4, 2, 5, 3])
    6
    """
    return sum(distances(sequence))


def max_displacement(sequence: Sequence[int]) -> int:
    """How many places the arrival is away that lies furthest from where sorting puts it.

    max |i - rank(s[i])|, from 0 to n - 1.  Source: Max, see the module.  Cost: that of sorting.

    >>> max_displacement([1, 4, 2, 5, 3])
    2
    """
    return max(distances(sequence), default=0)


def runs(sequence: Sequence[int]) -> int:
    """How many ascending runs the sequence is made of: 1 if sorted, n if backwards, 0 of nothing.

    (Estivill-Castro and Wood's Runs counts the steps down between them, one fewer.)

    Source: Runs, see the module.  Cost: linear.

    >>> runs([4, 5, 6, 1, 2, 3])
    2
    """
    return sum(map(lt, sequence[1:], sequence)) + 1 if sequence else 0


def longest_increasing(sequence: Sequence[int]) -> int:
    """The length of the longest subsequence in order, which is not broken by what lies between.

    Repeated deliveries may follow each other in it.

    Source: M. Fredman, On computing the length of longest increasing subsequences, Discrete Mathematics
    11 (1975).
    Cost: n log n, by a binary search for each arrival; linear where it is sorted.

    >>> longest_increasing([1, 4, 2, 5, 3])
    3
    """
    # ends[k] is the smallest number in which a subsequence in order, k + 1 long, may end.
    ends: list[int] = []
    last = None
    for number in sequence:
        if last is None or number >= last:
            ends.append(number)
            last = number
        else:
            ends[bisect_right(ends, number)] = number
            last = ends[-1]
    return len(ends)


def removals(sequence: Sequence[int]) -> int:
    """How many arrivals must be taken away so that the rest is in order: Rem = n - `longest_increasing`.

    Source: Rem, see the module.  Cost: as `longest_increasing`.

    >>> removals([1, 4, 2, 5, 3])
    2
    """
    return len(sequence) - longest_increasing(sequence)


def is_sorted(sequence: Sequence[int]) -> bool:
    """Whether nothing is out of order.  Cost: linear, and less where it is not."""
    return all(map(le, sequence, sequence[1:]))


def _inversions(numbers: list[int]) -> tuple[int, list[int]]:
    """The inversions, and the numbers sorted."""
    length = len(numbers)
    if length <= _BLOCK:
        return _few_inversions(numbers)
    size = max(_BLOCK, -(-length // _WAYS))
    count = 0
    before: list[int] = []
    for start in range(0, length, size):
        inside, part = _inversions(numbers[start : start + size])
        count += inside
        if before and part[0] < before[-1]:
            # Only those smaller than the largest before have anybody larger before them.
            below = bisect_left(part, before[-1])
            count += len(before) * below - sum(map(bisect_right, repeat(before), part[:below]))
            # Two sorted runs, one after the other: what Python's sort merges in linear time.
            before += part
            before.sort()
        else:
            before += part
    return count, before


def _few_inversions(numbers: list[int]) -> tuple[int, list[int]]:
    count = 0
    before: list[int] = []
    for length, number in enumerate(numbers):
        if length and number < before[-1]:
            count += length - bisect_right(before, number)
            insort(before, number)
        else:
            before.append(number)
    return count, before
