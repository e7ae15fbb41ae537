"""What a parameter does: a figure's mean over seeds against the parameter, with its confidence interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.lab.report import style
from queuestream.lab.report.tables import is_share, label_of
from queuestream.lab.scenarios import SCENARIOS
from queuestream.lab.scenarios.knobs import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from queuestream.lab.sweeps import Sweep

CURVES_MAX = 4
"""So many figures of a sweep are drawn if nobody says which."""

_WIDE = 8
"""A parameter whose largest value is so many times its smallest, or more, is drawn on a logarithmic scale."""


def sweep(swept: Sweep, names: Sequence[str]) -> Figure:
    """A row for each figure, all above the same values of the knob."""
    figure = style.new_figure(height=0.9 + 1.75 * len(names))
    every = figure.subplots(len(names), 1, squeeze=False, sharex=True)[:, 0]
    for name, axes in zip(names, every, strict=True):
        _draw(axes, swept, name)
    style.say_heading(
        figure,
        f"{swept.scenario}: what the knob {swept.parameter} does",
        f"means of {len(swept.seeds)} seeds, with their 95 % confidence intervals"
        if len(swept.seeds) > 1
        else f"seed {swept.seeds[0]} alone",
    )
    scenario = SCENARIOS.get(swept.scenario)
    unit = scenario.knobs()[swept.parameter].unit if scenario else ""
    every[-1].set_xlabel(", ".join(filter(None, (swept.parameter, unit))))
    return figure


def telling_figures(swept: Sweep) -> list[str]:
    """The figures that are worth a look: of those that change at all, order first, at most `CURVES_MAX`."""
    changing = [
        name for name in swept.figures() if len({point.estimates[name].mean for point in swept.points}) > 1
    ]
    first = [name for name in changing if name.startswith("reordered_ratio")]
    then = [name for name in ("unreceived", "delivered_again", "wait_p99", "per_second") if name in changing]
    return [*first, *then][:CURVES_MAX] or swept.figures()[:1]


def _draw(axes: Axes, swept: Sweep, name: str) -> None:
    values = [shown(point.value) for point in swept.points]
    numbers = _numbers(values)
    across = range(len(values)) if numbers is None else numbers
    in_percent = is_share(name)
    factor = 100 if in_percent else 1
    estimates = [point.estimates[name] for point in swept.points]
    low, mean, high = (
        [factor * getattr(estimate, end) for estimate in estimates] for end in ("low", "mean", "high")
    )
    if numbers is None:
        errors = [
            [m - a for m, a in zip(mean, low, strict=True)],
            [b - m for m, b in zip(mean, high, strict=True)],
        ]
        axes.errorbar(across, mean, yerr=errors, fmt="o", color=style.BLUE, capsize=4, markersize=5)
    else:
        axes.fill_between(across, low, high, color=style.BLUE, alpha=0.25, linewidth=0)
        axes.plot(across, mean, "o-", color=style.BLUE, markersize=4, linewidth=1.5)
        if min(numbers) > 0 and max(numbers) >= _WIDE * min(numbers):
            axes.set_xscale("log")
            axes.minorticks_off()
    axes.set_xticks(list(across), values)
    axes.margins(x=0.08)
    label = f"{label_of(name)}, %" if in_percent else label_of(name)
    axes.set_title(label, fontsize=10.5, fontweight="normal", pad=4)
    top, bottom = max(high), min(0.0, min(low) if min(mean) < 0 else 0.0)
    axes.set_ylim(bottom, top + 0.22 * (top - bottom) or 1.0)
    for place in sorted({0, len(mean) - 1}):
        axes.annotate(
            f"{mean[place]:,.3g}" + (" %" if in_percent else ""),
            (across[place], high[place]),  # above the interval, where no curve is
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=9.5,
            color=style.MUTED,
        )


def _numbers(values: Sequence[str]) -> list[float] | None:
    """The values as numbers; None where one is none."""
    try:
        return [float(value) for value in values]
    except ValueError:
        return None
