"""Rows for reading: the verdict, the figures, the settings.

A table is text already, so that a terminal and a page show the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from queuestream.lab.checkers.verdicts import COUNTS
from queuestream.lab.scenarios.knobs import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queuestream.lab.checkers import Verdict
    from queuestream.lab.metrics import Measures
    from queuestream.lab.running import Run
    from queuestream.lab.scenarios import Scenario
    from queuestream.lab.sweeps import Point, Sweep

_LABELS = {
    "sent": "messages sent",
    "deliveries": "deliveries",
    "delivered_again": "delivered again",
    "lost": "lost",
    "unreceived": "not yet received when cut off",
    "wait_p50": "half waited no longer than, s",
    "wait_p99": "99 % waited no longer than, s",
    "wait_max": "longest wait, s",
    "per_second": "messages a second",
    "virtual_seconds": "how long it took, virtual s",
    "reordered_ratio": "late",
    "max_extent": "places late, at most",
    "kendall_tau": "Kendall's tau (1: perfect order)",
}
_SCOPES = {
    "global": "over all",
    "resource": "within a queue",
    "key": "within a key",
    "key_again": "within a key, repeats too",
    "key_done": "within a key, when done",
    "key_meant": "within a key, as meant",
    "group": "within a message group",
    "shard": "within a shard",
    "partition_key": "within a partition key",
}


class Table(NamedTuple):
    """What is shown in rows.

    Attributes:
        columns: Each one's heading, and whether it holds numbers.
    """

    title: str
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[str]]


def verdict_table(verdict: Verdict) -> Table:
    """How many messages met with what, for each queue and stream."""
    several = len(verdict.promises) > 1
    rows = [
        [f"{name or 'the queue'} ({promise})", verdict.tallies[name]]
        for name, promise in verdict.promises.items()
    ]
    if several:
        rows.append(["all", verdict.tally])
    return Table(
        "What became of the messages",
        [("", False), *((str(name), True) for name, _ in rows)],
        [[count, *(f"{getattr(tally, count):,}" for _, tally in rows)] for count in (*COUNTS, "violations")],
    )


def verdict_sentence(verdict: Verdict) -> str:
    """The verdict in a sentence."""
    if verdict.valid:
        return "Valid: every promise was kept."
    times = verdict.tally.violations
    return f"Not valid: {times:,} violation{'' if times == 1 else 's'} of what was promised."


def figures_table(runs: Mapping[str, Run]) -> Table:
    """The figures of some runs, a column for each, under the titles that are given."""
    every = {title: run.figures() for title, run in runs.items()}
    names = dict.fromkeys(name for figures in every.values() for name in figures)
    return Table(
        "Figures",
        [("", False), *((title, True) for title in every)],
        [
            [label_of(name), *(figure_text(name, figures.get(name)) for figures in every.values())]
            for name in names
        ],
    )


def own_figures_table(figures: Mapping[str, float]) -> Table:
    """What a scenario counts besides."""
    return Table(
        "What this scenario counts besides",
        [("figure", False), ("value", True)],
        [[label_of(name), figure_text(name, value)] for name, value in figures.items()],
    )


def measures_table(measures: Mapping[str, Measures]) -> Table:
    """How much was out of order, a column for each scope."""
    columns = {
        _SCOPES.get(scope, scope): {row[0]: row[1] for row in found.rows()}
        for scope, found in measures.items()
    }
    names = dict.fromkeys(name for figures in columns.values() for name in figures)
    return Table(
        "How much was out of order",
        [("", False), *((scope, True) for scope in columns)],
        [[name, *(figures.get(name, "") for figures in columns.values())] for name in names],
    )


def settings_table(scenario: Scenario) -> Table:
    """Where the knobs stood, and where they may stand."""
    knobs, settings = scenario.knobs(), scenario.settings()
    return Table(
        "Settings",
        [("knob", False), ("value", False), ("default", False), ("may be", False), ("what it does", False)],
        [
            [name, shown(settings[name]), shown(knob.default), knob.range, _with_unit(knob.help, knob.unit)]
            for name, knob in knobs.items()
        ],
    )


def knobs_table(scenario: type[Scenario]) -> Table:
    """What can be set."""
    return Table(
        "Knobs",
        [("knob", False), ("default", False), ("may be", False), ("what it does", False)],
        [
            [name, shown(knob.default), knob.range, _with_unit(knob.help, knob.unit)]
            for name, knob in scenario.knobs().items()
        ],
    )


def sweep_table(swept: Sweep, names: Sequence[str]) -> Table:
    """The means of some figures, with their confidence intervals, a row for each value of the knob."""
    return Table(
        f"Means of {len(swept.seeds)} seeds, ± the half of a 95 % confidence interval"
        if len(swept.seeds) > 1
        else f"Seed {swept.seeds[0]}",
        [(swept.parameter, False), *((label_of(name), True) for name in names), ("valid", True)],
        [
            [
                shown(point.value),
                *(_estimate_text(name, point) for name in names),
                f"{point.valid} of {point.runs}",
            ]
            for point in swept.points
        ],
    )


def label_of(figure: str) -> str:
    """A figure's name for people."""
    for name, label in _LABELS.items():
        if figure == name:
            return label
        scope = figure.removeprefix(f"{name}_")
        if scope in _SCOPES:
            return f"{label}, {_SCOPES[scope]}"
        if figure.endswith(f"_{name}"):
            return f"{figure.removesuffix(f'_{name}').replace('_', ' ')}: {label}"
    if figure.endswith("_seconds"):
        return f"{figure.removesuffix('_seconds').replace('_', ' ')}, s"
    return figure.removesuffix("_share").replace("_", " ")


def is_share(figure: str) -> bool:
    """Whether a figure is a part of a whole, to be told in percent."""
    return "ratio" in figure or "share" in figure or figure.endswith("_rate")


def figure_text(name: str, value: float | None) -> str:
    """A figure as it is read."""
    if value is None:
        return ""
    if is_share(name):
        return f"{100 * value:.3g} %" if value < 1 else "100 %"
    if isinstance(value, int) or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"


def _estimate_text(name: str, point: Point) -> str:
    estimate = point.estimates[name]
    if point.runs == 1:  # no interval, and none of no width
        return figure_text(name, estimate.mean)
    half = (estimate.high - estimate.low) / 2
    if is_share(name):
        return f"{100 * estimate.mean:.3g} ± {100 * half:.2g} %"
    return f"{figure_text(name, estimate.mean)} ± {half:,.2g}"


def _with_unit(text: str, unit: str) -> str:
    return f"{text} ({unit})" if unit and unit not in text else text
