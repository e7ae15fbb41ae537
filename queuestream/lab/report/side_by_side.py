"""The same load on several kinds of queue, in columns: what order came out, and who worked on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.lab.report import labels, lane_plots, order_plots, style, waiting_plots
from queuestream.lab.report.deliveries import keys_at_two, work_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from queuestream.lab.report.deliveries import Flow, Work

COLUMNS_MAX = 4
"""So many fit beside each other."""

TITLES: dict[str, str] = {"standard": "Standard queue", "fifo": "FIFO queue", "stream": "Stream"}

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


def columns_of(flows: Sequence[Flow]) -> list[Column]:
    """A column for each flow, called by its kind, or by its name where there are several of a kind."""
    kinds = {flow.kind for flow in flows}
    return [Column(TITLES[flow.kind] if len(kinds) == len(flows) else flow.name, flow) for flow in flows]


def side_by_side(columns: Sequence[Column]) -> Figure:
    """Above, the order that came out; below, which consumer had what and when, if work took any time."""
    works = [work_of(column.flow.deliveries) for column in columns]
    rows = max(2, *(len(_consumers(column.flow)) for column in columns)) if any(works) else 0
    height = 0.9 + 0.3 * rows if rows else 0
    figure = style.new_figure(3.5 * len(columns), 3.7 + height)
    grid = figure.subplots(
        2 if rows else 1, len(columns), squeeze=False, height_ratios=[3.2, height] if rows else [1]
    )
    colours = colours_of_all(columns)
    flat_reach = None
    if all(order_plots.looks_like_a_line(column.flow) for column in columns):
        flat_reach = max(2, *(order_plots.reach_of(column.flow) for column in columns))
    for axes, column in zip(grid[0], columns, strict=True):
        order_plots.draw_places_by_key(axes, column.flow, colours, flat_reach)
        style.say_title(axes, column.title, _received_late(column.flow))
        if axes is not grid[0][0]:
            axes.set_ylabel("")
    handles = labels.key_handles(colours)
    shown = [one for column in columns for one in column.flow.deliveries]
    if any(one.is_late_in_key or (rows and one.is_finished_late) for one in shown):
        handles.append(("overtaken by a later message of its key", style.INK, "v"))
    if rows:
        _draw_consumers(grid[1], columns, works, colours)
        if any(one.done_ns is None for one in shown):
            handles.append(("received, not finished", style.MUTED, "o"))
    style.say_legend(figure, handles)
    return figure


def waits_side_by_side(columns: Sequence[Column]) -> Figure:
    """How long messages waited, in each column on the same scale."""
    figure = style.new_figure(3.5 * len(columns), 3.6)
    every = figure.subplots(1, len(columns), squeeze=False, sharex=True, sharey=True)[0]
    colours = colours_of_all(columns)
    scale = waiting_plots.Waits.of([column.flow for column in columns])
    for column, axes in zip(columns, every, strict=True):
        waiting_plots.draw_dwell(axes, column.flow, scale, colours)
        style.say_title(axes, column.title, waiting_plots.in_words(column.flow, scale))
        axes.label_outer()
    style.say_legend(figure, labels.key_handles(colours))
    return figure


def colours_of_all(columns: Sequence[Column]) -> dict[str, str]:
    """A colour for each key, the same in every column."""
    names = columns[0].flow.largest_keys if columns else []
    others = {key for column in columns for key in column.flow.keys} - {*names}
    return labels.colours_of_keys([*names, *sorted(others)])


def _consumers(flow: Flow) -> list[str]:
    return sorted({one.actor for one in flow.deliveries}, key=labels.natural)[:_ROWS_MAX]


def _received_late(flow: Flow) -> str:
    if late := sum(one.is_late_in_key for one in flow.deliveries):
        return f"{late:,} of {len(flow.firsts):,} received late in their key"
    return "every key received in order"


def _worked_late(flow: Flow, work: Sequence[Work]) -> str:
    late = sum(one.is_finished_late for one in flow.deliveries)
    finished = f"{late:,} finished late in their key" if late else "every key finished in order"
    keys = flow.keys
    if shared := len(keys_at_two(work)):
        return f"{finished}\n{shared:,} of {len(keys):,} keys at two consumers at once"
    return f"{finished}\nno key at two consumers at once"


def _draw_consumers(
    row: Sequence[Axes], columns: Sequence[Column], works: Sequence[Sequence[Work]], colours: dict[str, str]
) -> None:
    """Who worked on what: on the same scale in all columns."""
    unit_ns, unit = max(labels.unit_of(column.flow) for column in columns)
    for axes, column, work in zip(row, columns, works, strict=True):
        every, consumers = column.flow.deliveries, _consumers(column.flow)
        shown = every[: lane_plots.BARS_MAX]
        part = f" (first {len(shown)} of {len(every):,})" if len(shown) < len(every) else ""
        lane_plots.draw_consumers(axes, column.flow, shown, consumers, colours, unit_ns)
        lane_plots.say_lanes(axes, consumers, f"time, {unit}{part}")
        style.say_title(axes, "", _worked_late(column.flow, work))
    end = max(axes.get_xlim()[1] for axes in row)
    for axes in row:
        axes.set_xlim(right=end)
        axes.set_ylim(max(len(_consumers(column.flow)) for column in columns) - 0.4, -0.6)
        if axes is not row[0] and len({tuple(_consumers(column.flow)) for column in columns}) == 1:
            axes.tick_params(axis="y", labelleft=False)  # as those of the first column
