"""The same load on several kinds of queue, in columns: what order came out, and who worked on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.lab.report import order_plots, style, time_plots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from queuestream.lab.report.deliveries import Flow

COLUMNS_MAX = 4
"""So many fit beside each other."""

_ROWS_MAX = 10


@attrs.frozen
class Column:
    """One of those that stand side by side.

    Attributes:
        title: What it is called.
        flow: What was seen there.
    """

    title: str
    flow: Flow


def side_by_side(columns: Sequence[Column]) -> Figure:
    """Above, the order that came out; below, which consumer had what and when."""
    rows = max(len(_consumers(column.flow)) for column in columns)
    figure = style.new_figure(3.5 * len(columns), 4.2 + 0.3 * max(2, rows))
    grid = figure.subplots(2, len(columns), squeeze=False, height_ratios=[3.2, 0.5 + 0.3 * max(2, rows)])
    colours = colours_of_all(columns)
    flat_reach = None
    if all(order_plots.looks_like_a_line(column.flow) for column in columns):
        flat_reach = max(2, *(order_plots.reach_of(column.flow) for column in columns))
    for number, column in enumerate(columns):
        above, below = grid[0][number], grid[1][number]
        order_plots.draw_places_by_key(above, column.flow, colours, flat_reach)
        style.say_title(above, column.title, _lateness(column.flow))
        _draw_consumers(below, column.flow, colours)
        if number:
            grid[0][number].set_ylabel("")
    handles = _handles(colours)
    if any(
        one.is_late_in_key or one.is_finished_late for column in columns for one in column.flow.deliveries
    ):
        handles.append(("overtaken by a later message of its key", style.INK, "v"))
    style.say_legend(figure, handles)
    return figure


def waits_side_by_side(columns: Sequence[Column]) -> Figure:
    """How long messages waited, in each column on the same scale."""
    figure = style.new_figure(3.5 * len(columns), 3.6)
    every = figure.subplots(1, len(columns), squeeze=False, sharex=True, sharey=True)[0]
    colours = colours_of_all(columns)
    scale = time_plots.Waits.of([column.flow for column in columns])
    for column, axes in zip(columns, every, strict=True):
        time_plots.draw_dwell(axes, column.flow, scale, colours)
        style.say_title(axes, column.title, "how long messages waited to be received")
        axes.label_outer()
    style.say_legend(figure, _handles(colours))
    return figure


def colours_of_all(columns: Sequence[Column]) -> dict[str, str]:
    """A colour for each key, the same in every column."""
    names = columns[0].flow.largest_keys if columns else []
    others = {key for column in columns for key in column.flow.keys} - {*names}
    return time_plots.colours_of_keys([*names, *sorted(others)])


def _handles(colours: dict[str, str]) -> list[tuple[str, str, str]]:
    named = [(time_plots.short(key), colour, "s") for key, colour in colours.items() if colour != style.GREY]
    others = len(colours) - len(named)
    return [*named, (f"{others:,} other keys", style.GREY, "s")] if others else named


def _consumers(flow: Flow) -> list[str]:
    return sorted({one.actor for one in flow.deliveries}, key=time_plots.natural)[:_ROWS_MAX]


def _lateness(flow: Flow) -> str:
    received = sum(one.is_late_in_key for one in flow.deliveries)
    finished = sum(one.is_finished_late for one in flow.deliveries)
    if received or finished:
        return f"late in key: {received:,} received, {finished:,} finished"
    return "every key in order"


def _draw_consumers(axes: Axes, flow: Flow, colours: dict[str, str]) -> None:
    shown = flow.deliveries[: time_plots.BARS_MAX]
    time_plots.draw_consumers(axes, flow, shown, _consumers(flow), colours)
    part = f" (first {len(shown)} of {len(flow.deliveries):,})" if len(shown) < len(flow.deliveries) else ""
    axes.set_xlabel(f"time, {time_plots.unit_of(flow)[1]}{part}")
