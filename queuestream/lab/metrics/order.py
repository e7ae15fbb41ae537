"""The order of one sequence in figures, and of many sequences together.

`Order` has counts and sums, from which the ratios and means are made: so the figures of many scopes
together are made of sums, too, and are those of all their arrivals, not means of means.
"""

from __future__ import annotations

from collections import Counter
from operator import sub
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.metrics import density, disorder, reordering

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Bins = tuple[tuple[tuple[int, int], int], ...]
"""How many are from so much to so much, in the bins of `density.in_bins`."""

THREE = 3
"""The n of n-reordering that is counted: as many duplicate acknowledgements make TCP send again (RFC
4737, section 5)."""
_DIGITS = 6


@attrs.frozen(kw_only=True)
class Order:
    """How the arrivals of a sequence, or of several, were ordered.

    Of several sequences counts and sums are sums, and what is called max is the largest.

    Attributes:
        arrivals: How many there were.
        reordered: How many came after a larger number (`reordering.reordered`).
        reordered_by_overlap: How many of these were overtaken only by messages that were being sent at the
            same time, so that nobody can say which of them was first (`Arrivals.overlaps`).
        max_extent: How far behind its first overtaker one came (`reordering.extents`).
        extent_sum: All extents together.
        max_late_time_ns: How long after its first overtaker one came (`reordering.late_times`).
        late_time_sum_ns: All late times together.
        three_reordered: How many came directly after three or more that were sent later
            (`reordering.n_reordering`).
        max_n_reordering: The largest n for which an arrival was n-reordered.
        breaks: At how many places order was broken (`reordering.gaps`).
        min_gap: How many arrivals from one of these to the next, at least; None where there are no two.
        gap_sum: All gaps together.
        gap_count: How many there are.
        free_runs: How many runs there were without a reordered arrival (`reordering.free_runs`).
        free_run_sum: All their lengths together.
        max_free_run: The length of the longest.
        displacements: How many arrived so far from their place (`density.displacements`), in bins.
        earliest: The smallest displacement: how far ahead of its place one came, negative.
        latest: The largest displacement: how far behind its place one came.
        occupancies: After how many arrivals a receiver has to keep so many, to hand on in order, in bins.
        max_occupancy: The most it has to keep (`density.occupancies`).
        occupancy_sum: What it keeps, added up over all arrivals.
        distinct: How many different messages arrived; what `displacements` and `occupancies` are made of.
        inversions: How many pairs arrived in the wrong order (`disorder.inversions`).
        pairs: How many pairs there are.
        footrule: How many places all of them together are out of place (`disorder.footrule`).
        max_displacement: How many places one is, at most (`disorder.max_displacement`).
        runs: Of how many ascending runs the sequences are made (`disorder.runs`).
        removals: How many to take away so that the rest is in order (`disorder.removals`).
    """

    arrivals: int = 0
    reordered: int = 0
    reordered_by_overlap: int = 0
    max_extent: int = 0
    extent_sum: int = 0
    max_late_time_ns: int = 0
    late_time_sum_ns: int = 0
    three_reordered: int = 0
    max_n_reordering: int = 0
    breaks: int = 0
    min_gap: int | None = None
    gap_sum: int = 0
    gap_count: int = 0
    free_runs: int = 0
    free_run_sum: int = 0
    max_free_run: int = 0
    displacements: Bins = ()
    earliest: int = 0
    latest: int = 0
    occupancies: Bins = ()
    max_occupancy: int = 0
    occupancy_sum: int = 0
    distinct: int = 0
    inversions: int = 0
    pairs: int = 0
    footrule: int = 0
    max_displacement: int = 0
    runs: int = 0
    removals: int = 0

    @property
    def reordered_ratio(self) -> float | None:
        """Which part of the arrivals was reordered; None of none."""
        return _ratio(self.reordered, self.arrivals)

    @property
    def three_reordered_ratio(self) -> float | None:
        """Which part of the arrivals was 3-reordered; None of none."""
        return _ratio(self.three_reordered, self.arrivals)

    @property
    def mean_extent(self) -> float | None:
        """How far behind its first overtaker a reordered arrival came, in the mean."""
        return _ratio(self.extent_sum, self.reordered)

    @property
    def mean_late_time_ns(self) -> int | None:
        """How long after its first overtaker a reordered arrival came, in the mean, rounded down."""
        return self.late_time_sum_ns // self.reordered if self.reordered else None

    @property
    def mean_gap(self) -> float | None:
        """How many arrivals lay between two places where order was broken, in the mean."""
        return _ratio(self.gap_sum, self.gap_count)

    @property
    def mean_free_run(self) -> float | None:
        """How many arrivals in a row were not reordered, in the mean."""
        return _ratio(self.free_run_sum, self.free_runs)

    @property
    def mean_occupancy(self) -> float | None:
        """How many arrivals a receiver keeps that hands on in order, in the mean."""
        return _ratio(self.occupancy_sum, self.distinct)

    @property
    def kendall_tau(self) -> float | None:
        """Kendall's τ, of the pairs within the sequences; None where there is no pair."""
        tau = disorder.tau_of(self.inversions, self.pairs)
        return None if tau is None else round(tau, _DIGITS)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: counts, and ratios and means rounded to six decimal places."""
        return {
            "arrivals": self.arrivals,
            "reordered": self.reordered,
            "reordered_ratio": self.reordered_ratio,
            "reordered_by_overlap": self.reordered_by_overlap,
            "extent": {"mean": self.mean_extent, "max": self.max_extent},
            "late_time_ns": {"mean": self.mean_late_time_ns, "max": self.max_late_time_ns},
            "three_reordered": self.three_reordered,
            "max_n_reordering": self.max_n_reordering,
            "breaks": self.breaks,
            "gap": {"mean": self.mean_gap, "min": self.min_gap},
            "free_run": {"count": self.free_runs, "mean": self.mean_free_run, "max": self.max_free_run},
            "displacement": {
                "earliest": self.earliest,
                "latest": self.latest,
                "bins": [[low, high, count] for (low, high), count in self.displacements],
            },
            "occupancy": {
                "mean": self.mean_occupancy,
                "max": self.max_occupancy,
                "bins": [[low, high, count] for (low, high), count in self.occupancies],
            },
            "inversions": self.inversions,
            "kendall_tau": self.kendall_tau,
            "footrule": self.footrule,
            "max_displacement": self.max_displacement,
            "runs": self.runs,
            "removals": self.removals,
        }


def order_of(sequence: Sequence[int], received_ns: Sequence[int]) -> Order:
    """The order of one sequence, but for `reordered_by_overlap`, which it does not tell.

    Args:
        sequence: The numbers of what arrived, in order of arrival.
        received_ns: When each arrived.

    Cost: n log n; linear where it is sorted.
    """
    length = len(sequence)
    distinct = len(set(sequence))
    if disorder.is_sorted(sequence):
        return _in_order(sequence, distinct)
    late, first = reordering.late_and_first(sequence)
    extents = list(map(sub, late, first))
    late_times = list(map(sub, map(received_ns.__getitem__, late), map(received_ns.__getitem__, first)))
    gaps = reordering.gaps_between(first)
    free_runs = reordering.runs_between(late, length)
    directly_after = reordering.n_reordering(sequence)
    in_place = disorder.sorting(sequence)
    distances = disorder.distances_of(in_place)
    once = sequence
    if distinct < length:
        once = list(dict.fromkeys(sequence))
        in_place = disorder.sorting(once)
    displacements = density.displacements_of(once, in_place)
    occupancies = density.occupancies_of(in_place)
    return Order(
        arrivals=length,
        reordered=len(late),
        max_extent=max(extents),
        extent_sum=sum(extents),
        max_late_time_ns=max(late_times),
        late_time_sum_ns=sum(late_times),
        three_reordered=sum(map(THREE.__le__, directly_after)),
        max_n_reordering=max(directly_after),
        breaks=len(gaps) + 1,
        min_gap=min(gaps, default=None),
        gap_sum=sum(gaps),
        gap_count=len(gaps),
        free_runs=len(free_runs),
        free_run_sum=sum(free_runs),
        max_free_run=max(free_runs),
        displacements=tuple(density.in_bins(displacements).items()),
        earliest=min(displacements),
        latest=max(displacements),
        occupancies=tuple(density.in_bins(occupancies).items()),
        max_occupancy=max(occupancies),
        occupancy_sum=sum(occupancies),
        distinct=distinct,
        inversions=disorder.inversions(sequence),
        pairs=disorder.pairs(sequence) if distinct < length else length * (length - 1) // 2,
        footrule=sum(distances),
        max_displacement=max(distances),
        runs=disorder.runs(sequence),
        removals=disorder.removals(sequence),
    )


def together(orders: Iterable[Order]) -> Order:
    """The order of several sequences, each for itself, in one.

    Cost: linear in their number.
    """
    every = list(orders)
    if len(every) == 1:
        return every[0]
    figures: dict[str, Any] = {name: sum(getattr(order, name) for order in every) for name in _SUMS}
    for name in _LARGEST:
        figures[name] = max((getattr(order, name) for order in every), default=0)
    for name in ("displacements", "occupancies"):
        counts: Counter[tuple[int, int]] = Counter()
        for order in every:
            for one, count in getattr(order, name):
                counts[one] += count
        figures[name] = tuple(sorted(counts.items()))
    return Order(
        **figures,
        earliest=min((order.earliest for order in every), default=0),
        min_gap=min((order.min_gap for order in every if order.min_gap is not None), default=None),
    )


_APART = {"displacements", "occupancies", "earliest", "min_gap"}
_LARGEST = [field.name for field in attrs.fields(Order) if field.name.startswith(("max_", "latest"))]
_SUMS = [field.name for field in attrs.fields(Order) if field.name not in {*_APART, *_LARGEST}]


def _in_order(sequence: Sequence[int], distinct: int) -> Order:
    """The order of a sorted sequence, of which most figures are known beforehand."""
    length = len(sequence)
    if not length:
        return Order()
    return Order(
        arrivals=length,
        free_runs=1,
        free_run_sum=length,
        max_free_run=length,
        displacements=(((0, 0), distinct),),
        occupancies=(((0, 0), distinct),),
        distinct=distinct,
        pairs=length * (length - 1) // 2 if distinct == length else disorder.pairs(sequence),
        runs=1,
    )


def _ratio(part: int, whole: int) -> float | None:
    # One division of integers and one rounding give the same bits everywhere.
    return round(part / whole, _DIGITS) if whole else None
