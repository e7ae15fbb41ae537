"""Pure checkers: from what was sent and what was seen to what can be said about it.

The words are Jepsen's: *lost* was sent and never seen, *unexpected* was seen and never sent,
*duplicated* was seen more than once.  How far an order is off is measured as RFC 4737
measures packets (the ratio that came too late, and how late), and by Kendall's tau.

Nothing here knows what a queue or a stream is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
from sortedcontainers import SortedList

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@attrs.frozen
class Verdict:
    """One claim, held against what was seen.

    Attributes:
        name: Its name for machines.
        holds: Whether it is true.
        sentence: The claim, or what is wrong with it, with its numbers.
        figures: The numbers for machines.
    """

    name: str
    holds: bool
    sentence: str
    figures: Mapping[str, Any]


@attrs.frozen
class Exchange:
    """What became of what was sent, each list in the order of sending or seeing.

    Attributes:
        lost: Sent, and never seen.
        unexpected: Seen, and never sent.
        duplicated: Seen more than once.
    """

    lost: list[int]
    unexpected: list[int]
    duplicated: list[int]

    @property
    def is_exact(self) -> bool:
        """Whether everything that was sent was seen once, and nothing else."""
        return not (self.lost or self.unexpected or self.duplicated)


@attrs.frozen
class Order:
    """How far what was seen is from the order of sending.

    Attributes:
        seen: How many were seen.
        reordered: How many came after one that was sent later (RFC 4737: Type-P-Reordered).
        extent: How many places too late the latest of them came, at most (RFC 4737: reordering extent).
        kendall_tau: 1 in the order of sending, 0 in no order, -1 in reverse.
    """

    seen: int
    reordered: int
    extent: int
    kendall_tau: float

    @property
    def reordered_ratio(self) -> float:
        """The part that was reordered, 0 to 1."""
        return self.reordered / self.seen if self.seen else 0.0


def exchange(sent: Sequence[int], seen: Sequence[int]) -> Exchange:
    """Compare what was sent, each once, with what was seen."""
    times = Counter(seen)
    expected = set(sent)
    return Exchange(
        lost=[item for item in sent if item not in times],
        unexpected=[item for item in times if item not in expected],
        duplicated=[item for item, count in times.items() if count > 1],
    )


def keys_out_of_order(seen: Iterable[int], key_of: Mapping[int, str]) -> list[str]:
    """The keys of which something was seen after something that was sent later.

    Items are numbered in the order of sending.  To see one again right away is in order.
    """
    latest: dict[str, int] = {}
    out_of_order: dict[str, None] = {}
    for item in seen:
        key = key_of.get(item)
        if key is None:
            continue
        if item < latest.get(key, item):
            out_of_order[key] = None
        else:
            latest[key] = item
    return list(out_of_order)


def reordered(seen: Iterable[int]) -> list[int]:
    """Those that were seen after one that was sent later, in the order of seeing."""
    late = []
    latest = None
    for item in seen:
        if latest is None or item > latest:
            latest = item
        elif item < latest:
            late.append(item)
    return late


def order(seen: Sequence[int]) -> Order:
    """How far distinct items, numbered in the order of sending, are out of order.

    Cost: n log n.
    """
    latest: list[int] = []  # the largest so far, at each place
    so_far: SortedList[int] = SortedList()
    late = extent = inversions = 0
    for place, item in enumerate(seen):
        if latest and item < latest[-1]:
            late += 1
            extent = max(extent, place - bisect_right(latest, item))
            inversions += place - so_far.bisect_right(item)
            latest.append(latest[-1])
        else:
            latest.append(item)
        so_far.add(item)
    pairs = len(seen) * (len(seen) - 1) // 2
    return Order(len(seen), late, extent, 1 - 2 * inversions / pairs if pairs else 1.0)
