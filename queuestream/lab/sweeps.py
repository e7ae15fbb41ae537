"""Sweeps: one knob over a range, many seeds at each value, and what came out on average.

    >>> swept = sweep("short-visibility", "visibility_timeout", [3, 8], seeds=3, settings={"messages": 40})
    >>> [point.mean("delivered_again") > 0 for point in swept.points]
    [True, False]

One seed shows what can happen; a sweep shows what mostly does.  Each figure of a run is told as the mean
over the seeds, with the interval that holds the true mean with 95 % confidence (Student's t): too few seeds
are seen by a wide interval.  Only what came out alike under all seeds has none, however few they are: what
happened in none of three runs may yet happen in most others.
"""

from __future__ import annotations

import json
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.running import run, scenario_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from queuestream.lab.scenarios.scenario import Scenario

_DIGITS = 6

# Student's t, 97.5 %, for 1 to 30 degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_Z = 1.959964


@attrs.frozen
class Estimate:
    """A figure over several runs.

    Attributes:
        mean: On average.
        low: The lower end of its 95 % confidence interval.
        high: The upper end.
        least: The least of all runs.
        most: The most of all runs.
    """

    mean: float
    low: float
    high: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """The mean and its interval (mean ± t · s / √n), which one value alone has none of."""
        mean = math.fsum(values) / len(values)
        half = 0.0
        if len(values) > 1:
            squares = math.fsum((value - mean) ** 2 for value in values)
            half = _t(len(values) - 1) * math.sqrt(squares / (len(values) - 1) / len(values))
        return cls(
            *(round(each, _DIGITS) for each in (mean, mean - half, mean + half, min(values), max(values)))
        )


@attrs.frozen(kw_only=True)
class Point:
    """All runs at one value of the knob.

    Attributes:
        value: Where the knob stood.
        runs: How many there were.
        valid: How many kept all promises.
        estimates: By figure, as `Run.figures` names them.
    """

    value: Any
    runs: int
    valid: int
    estimates: dict[str, Estimate]

    def mean(self, figure: str) -> float:
        """A figure's mean."""
        return self.estimates[figure].mean


@attrs.frozen(kw_only=True)
class Sweep:
    """A knob's range, and what came out at each value.

    Attributes:
        scenario: The scenario's name.
        parameter: The knob.
        seeds: What each value was played under.
        settings: Where the other knobs stood.
        points: One for each value, in the order in which they were given.
    """

    scenario: str
    parameter: str
    seeds: tuple[int, ...]
    settings: dict[str, Any]
    points: tuple[Point, ...]

    def figures(self) -> list[str]:
        """What can be drawn over the knob: numbers that every run had."""
        return list(self.points[0].estimates) if self.points else []

    def as_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "scenario": self.scenario,
            "parameter": self.parameter,
            "seeds": list(self.seeds),
            "settings": self.settings,
            "points": [attrs.asdict(point) for point in self.points],
        }

    def to_json(self) -> str:
        """The same as text; the same sweep gives the same bytes, in however many processes."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2) + "\n"


def sweep(
    scenario: str | Scenario | type[Scenario],
    parameter: str,
    values: Iterable[object],
    seeds: int | Iterable[int] = 20,
    *,
    settings: Mapping[str, object] | None = None,
    processes: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> Sweep:
    """Play a scenario at each value of a knob, under each seed.

    Args:
        scenario: As for `run`.
        parameter: The knob.
        values: Where it is to stand, as text or values.
        seeds: Which seeds, or how many, from 1 on.
        settings: Other knobs to be turned.
        processes: How many runs at a time; with more than one, scenarios of your own have to be in a module
            that can be imported.
        progress: Told after each run how many are done, and of how many.

    Raises:
        UnknownScenario: There is none of that name.
        SettingError: It has no such knob, or a value is out of its range.
        ValueError: There are no values, or no seeds, or a seed comes twice.
    """
    numbers = tuple(range(1, seeds + 1)) if isinstance(seeds, int) else tuple(seeds)
    turned = dict(settings or {})
    played = [scenario_of(scenario, {**turned, parameter: value}) for value in values]
    if not played or not numbers:
        raise ValueError("A sweep needs at least one value and one seed.")
    if len(set(numbers)) < len(numbers):
        # The same run twice would only make the interval narrower.
        raise ValueError("A sweep needs seeds that differ from each other.")
    work = [(one, seed) for one in played for seed in numbers]
    results = []
    for result in _play_all(work, processes):
        results.append(result)
        if progress is not None:
            progress(len(results), len(work))
    fixed = played[0].settings()
    del fixed[parameter]
    return Sweep(
        scenario=played[0].name,
        parameter=parameter,
        seeds=numbers,
        settings=fixed,
        points=tuple(
            _point(getattr(one, parameter), results[place * len(numbers) : (place + 1) * len(numbers)])
            for place, one in enumerate(played)
        ),
    )


def _play_all(
    work: Sequence[tuple[Scenario, int]], processes: int
) -> Iterator[tuple[bool, dict[str, float]]]:
    """The figures of each run, in the order of the work, however many processes share it."""
    if processes <= 1:
        yield from map(_play, work)
        return
    # A fork would copy threads' locks, but not the threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_play, work)


def _play(work: tuple[Scenario, int]) -> tuple[bool, dict[str, float]]:
    scenario, seed = work
    played = run(scenario, seed=seed)
    return played.verdict.valid, played.figures()


def _point(value: object, results: Sequence[tuple[bool, dict[str, float]]]) -> Point:
    names = list(results[0][1])
    return Point(
        value=value,
        runs=len(results),
        valid=sum(valid for valid, _ in results),
        estimates={name: Estimate.of([figures[name] for _, figures in results]) for name in names},
    )


def _t(degrees: int) -> float:
    """Student's t for a 95 % interval; beyond the table by its expansion about the normal distribution.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    if degrees <= len(_T):
        return _T[degrees - 1]
    cube = _Z * _Z * _Z
    first = (cube + _Z) / 4
    second = (5 * cube * _Z * _Z + 16 * cube + 3 * _Z) / 96
    return _Z + first / degrees + second / (degrees * degrees)
