"""The largest of a range of numbers, asked again and again, while the numbers stay as they are.

A prefix is answered from a table that is made once.  Any other range of some length is answered from a
tree of maxima in logarithmic time; the tree is made when it is first needed, which is seldom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHORT = 32


class Largest:
    """Where the largest number of a range is.

    Args:
        numbers: The numbers; they don't change.
    """

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers
        self._tree: list[int] = []
        # The place of the largest number up to here.
        self._prefixes: list[int] = []
        best = 0
        for place, number in enumerate(numbers):
            if number > numbers[best]:
                best = place
            self._prefixes.append(best)

    def before(self, end: int) -> int:
        """The place of the largest number among the first `end`, which is at least 1."""
        return self._prefixes[end - 1]

    def between(self, start: int, end: int) -> int | None:
        """The place of the largest number from `start` on and before `end`; None where there is none."""
        if start >= end:
            return None
        if start == 0:
            return self._prefixes[end - 1]
        numbers = self._numbers
        if end - start <= _SHORT:
            return max(range(start, end), key=numbers.__getitem__)
        tree, size = self._tree or self._grow(), len(numbers)
        best = start
        low, high = start + size, end + size
        while low < high:
            if low & 1:
                best = self._better(best, tree[low])
                low += 1
            if high & 1:
                high -= 1
                best = self._better(best, tree[high])
            low >>= 1
            high >>= 1
        return best

    def _better(self, one: int, other: int) -> int:
        """Of two places the one with the larger number; the earlier one where they are the same."""
        numbers = self._numbers
        return max((numbers[one], -one, one), (numbers[other], -other, other))[2]

    def _grow(self) -> list[int]:
        size = len(self._numbers)
        tree = [0] * size + list(range(size))
        for node in range(size - 1, 0, -1):
            tree[node] = self._better(tree[2 * node], tree[2 * node + 1])
        self._tree = tree
        return tree
