"""Measuring pieces of work against each other, fairly, on a machine that does other things too.

What is compared runs in one process, in turn: a *round* times one slice of every variant,
and every second round goes through them backwards.  A ratio is taken within a round, so
that both sides of it saw the same machine; what is reported is the median of the rounds'
ratios, with its quartiles as the spread.  Time is CPU time, so what else runs on the
machine is not counted (it still shares the caches, hence the medians).

The garbage collector: before each slice it collects what is garbage, all that is left is
set aside until the row is done (`gc.freeze`), and it is switched off while the slice runs,
as `timeit` does.  That holds for every variant alike, ours and others.

Set-up is never timed: a variant makes its work ready, and hands back what is to be timed.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import cProfile

Work = Callable[[], object]
"""What is timed."""


@attrs.frozen(kw_only=True)
class Effort:
    """How much is measured.

    Args:
        name: What the reader calls it.
        rounds: How often each variant has its turn.
        cycles: Units of work in a slice of a few microseconds each.
        divisor: What the large backlogs of the issue are divided by.
        peers: Whether other libraries are measured too.
        processes: Pairs of whole processes started for T1.
    """

    name: str
    rounds: int
    cycles: int
    divisor: int
    peers: bool
    processes: int

    def backlog(self, full: int) -> int:
        """As many messages or records as the issue says, or the same part of it everywhere."""
        return max(full // self.divisor, 20)


FULL = Effort(name="full", rounds=25, cycles=2_000, divisor=1, peers=True, processes=40)
QUICK = Effort(name="quick", rounds=9, cycles=1_000, divisor=10, peers=True, processes=12)
SMOKE = Effort(name="smoke", rounds=1, cycles=20, divisor=50_000, peers=False, processes=1)


@attrs.frozen
class Variant:
    """One of the things compared.

    Args:
        name: What it is called in the table.
        prepare: Given a number of units, sets up and returns the work that does so many of them.
        units: How many units a slice has.
        ours: Whether it is queuestream's code, which `--profile` looks into.
    """

    name: str
    prepare: Callable[[int], Work]
    units: int
    ours: bool = False

    def cpu_ns(self, bench: Bench, units: int) -> float:
        """What a slice of so many units costs."""
        return bench.cpu_ns(self.prepare(units), ours=self.ours)


@attrs.frozen
class Elsewhere:
    """One of the things compared, which is not in this process.

    Args:
        name: What it is called in the table.
        measured: Does a number of units, and says what they cost in nanoseconds.
        units: How many units a slice has.
    """

    name: str
    measured: Callable[[int], float]
    units: int

    def cpu_ns(self, bench: Bench, units: int) -> float:
        """What a slice of so many units costs."""
        return self.measured(units)


@attrs.frozen
class Ratio:
    """The median of paired ratios, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Ratio:
        """The ratio that many rounds agree on."""
        ordered = sorted(values)
        if len(ordered) < 2:
            return cls(ordered[0], ordered[0], ordered[0])
        low, median, high = statistics.quantiles(ordered, n=4, method="inclusive")
        return cls(median, low, high)


@attrs.frozen(kw_only=True)
class Finding:
    """One line of the result.

    Args:
        row: The row of the table of goals, such as `Q1`.
        what: What was measured.
        against: What it was compared with.
        ratio: How many times as much as `against` it took, or the other way round where `at_least` is set.
        goal: The bound of the ratio; None where the figure is for information.
        at_least: Whether the goal is a lower bound.
        cost: What `what` cost, with its unit.
        cost_against: What `against` cost, with its unit.
    """

    row: str
    what: str
    against: str
    ratio: Ratio | None
    goal: float | None = None
    at_least: bool = False
    cost: str = ""
    cost_against: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none, or nothing was measured."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio.median >= self.goal if self.at_least else self.ratio.median <= self.goal


class Samples:
    """What each variant cost per unit, in nanoseconds, round by round."""

    def __init__(self, per_unit: Mapping[str, list[float]]) -> None:
        self._per_unit = per_unit

    def ratio(self, name: str, against: str) -> Ratio:
        """How many times the cost of `against` the variant `name` had, paired by round."""
        pairs = zip(self._per_unit[name], self._per_unit[against], strict=True)
        return Ratio.of(one / other for one, other in pairs)

    def part(self, name: str, nanoseconds: float) -> Ratio:
        """How much of a fixed time a unit of the variant took."""
        return Ratio.of(cost / nanoseconds for cost in self._per_unit[name])

    def cost(self, name: str) -> str:
        """The median cost of one unit, for reading."""
        return time_text(statistics.median(self._per_unit[name]))


class Bench:
    """One run: how much is measured, and the clock it is measured with.

    Args:
        effort: How much.
        profiler: Runs while our own code is timed; the times are then worth nothing.
    """

    def __init__(self, effort: Effort, profiler: cProfile.Profile | None = None) -> None:
        self.effort = effort
        self._profiler = profiler

    def cpu_ns(self, work: Work, *, ours: bool = False) -> int:
        """The CPU time of one slice, in nanoseconds, under the rules that the module's text states."""
        gc.collect()
        gc.freeze()
        gc.disable()
        profiler = self._profiler if ours else None
        try:
            if profiler is not None:
                profiler.enable()
            began = time.process_time_ns()
            work()
            return time.process_time_ns() - began
        finally:
            if profiler is not None:
                profiler.disable()
            gc.enable()

    @property
    def here(self) -> bool:
        """Whether all of the work has to be done in this process: to be looked into, or to be quick."""
        return self._profiler is not None or not self.effort.peers

    def compare(self, variants: Iterable[Variant | Elsewhere], rounds: int | None = None) -> Samples:
        """Give each variant its turn, round after round, after one round that only warms up."""
        in_order = list(variants)
        per_unit: dict[str, list[float]] = {variant.name: [] for variant in in_order}
        for variant in in_order:
            variant.cpu_ns(self, max(variant.units // 10, 1))
        for number in range(self.effort.rounds if rounds is None else rounds):
            for variant in in_order if number % 2 == 0 else reversed(in_order):
                per_unit[variant.name].append(variant.cpu_ns(self, variant.units) / variant.units)
        return Samples(per_unit)


def time_text(nanoseconds: float) -> str:
    """A duration with a unit that leaves a short number."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def bodies(count: int) -> list[str]:
    """Message bodies of 1 KiB, each a string of its own."""
    return [f"{number:016d}" + _PADDING for number in range(count)]


def payloads(count: int) -> list[bytes]:
    """Record data of 1 KiB, each an object of its own."""
    return [body.encode() for body in bodies(count)]


_PADDING = "queuestream bench " * 56
