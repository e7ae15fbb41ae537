"""Lanes over time: which consumer worked on what, when each key's and shard's messages were received."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from queuestream.lab.report import labels, style
from queuestream.lab.report.deliveries import work_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from queuestream.lab.report.deliveries import Delivery, Flow

By = Literal["actor", "key", "shard"]

LANES_MAX = 14
BARS_MAX = 300
"""So many bars can be told apart; of more deliveries, a stretch of so many is shown."""

_HALF_BAR = 0.3


def consumer_lanes(flow: Flow) -> Figure:
    """A row for each consumer, a bar for each message that it worked on."""
    begin, end = stretch(flow.deliveries)
    shown = flow.deliveries[begin:end]
    rows, hidden = _rows(shown, "actor")
    colours = labels.colours_of_keys(flow.largest_keys) if len(flow.keys) > 1 else {}
    figure = style.new_figure(height=1.7 + 0.26 * max(3, len(rows)))
    axes = figure.add_subplot()
    draw_consumers(axes, flow, shown, rows, colours)
    say_lanes(axes, rows, f"time since the first send, {labels.unit_of(flow)[1]}")
    style.say_legend(figure, [*labels.key_handles(colours), *mark_handles(flow, shown)])
    part = (
        f"deliveries {begin + 1:,} to {end:,} of {len(flow.deliveries):,}"
        if end - begin < len(flow.deliveries)
        else f"{len(shown):,} deliveries"
    )
    some = f"; {len(rows)} of {len(rows) + hidden:,} consumers" if hidden else ""
    style.say_heading(figure, "Each row is a consumer, each bar a message", f"{flow.name}: {part}{some}")
    return figure


def stretch(deliveries: Sequence[Delivery]) -> tuple[int, int]:
    """Which deliveries are shown where all were too many: the first stretch with the most disorder."""
    if len(deliveries) <= BARS_MAX:
        return 0, len(deliveries)
    disorder = [one.is_late_in_key or one.is_repeat for one in deliveries]
    begins = range(0, len(deliveries) - BARS_MAX // 2, BARS_MAX // 2)
    begin = max(begins, key=lambda begin: sum(disorder[begin : begin + BARS_MAX]))
    return begin, min(begin + BARS_MAX, len(deliveries))


def draw_consumers(
    axes: Axes,
    flow: Flow,
    shown: Sequence[Delivery],
    rows: list[str],
    colours: dict[str, str],
    unit_ns: int = 0,
) -> None:
    """Bars of work in the colour of the key; above what was finished too late for its key stands a mark.

    What was received and not finished is a dot.
    """
    from matplotlib.collections import PolyCollection  # noqa: PLC0415 - an extra

    unit_ns, zero = unit_ns or labels.unit_of(flow)[0], flow.begin_ns
    begun = {id(one): (begin_ns, end_ns) for one, begin_ns, end_ns in work_of(flow.deliveries)}
    bars, shades, marks, dots = [], [], [], []
    for one in shown:
        if one.actor not in rows:
            continue
        y, shade = rows.index(one.actor), colours.get(one.key, style.BLUE)
        begin_ns, end_ns = begun.get(id(one), (one.received_ns, one.received_ns))
        left, right = (begin_ns - zero) / unit_ns, (end_ns - zero) / unit_ns
        if id(one) in begun:
            top, bottom = y - _HALF_BAR, y + _HALF_BAR
            bars.append([(left, top), (right, top), (right, bottom), (left, bottom)])
            shades.append(shade)
        else:
            dots.append((left, y, shade))
        if one.is_finished_late:
            marks.append((left, y - _HALF_BAR - 0.13))
    axes.add_collection(
        PolyCollection(bars, facecolors=shades, edgecolors=style.PAPER, linewidths=0.4, zorder=2)
    )
    if dots:
        across, up, shades = (list(each) for each in zip(*dots, strict=True))
        axes.scatter(across, up, c=shades, **style.dots(len(shown), "o"))
    if marks:
        across, up = (list(each) for each in zip(*marks, strict=True))
        axes.scatter(across, up, s=14, marker="v", c=style.INK, linewidths=0, zorder=4)


def mark_handles(flow: Flow, shown: Sequence[Delivery]) -> list[tuple[str, str, str]]:
    """What it says of what else stands in the consumers' rows."""
    handles = []
    if any(one.is_finished_late for one in shown):
        handles.append(("finished late for its key", style.INK, "v"))
    if any(one.done_ns is None for one in shown) and work_of(flow.deliveries):
        handles.append(("received, not finished", style.MUTED, "o"))
    return handles


def lanes(flow: Flow, by: By) -> Figure:
    """A row for each key or shard, a dot for each delivery."""
    rows, hidden = _rows(flow.deliveries, by)
    figure = style.new_figure(height=1.7 + 0.26 * max(3, len(rows)))
    axes = figure.add_subplot()
    (unit_ns, unit), zero = labels.unit_of(flow), flow.begin_ns
    place = {name: number for number, name in enumerate(rows)}
    shown = [one for one in flow.deliveries if getattr(one, by) in place]
    handles = []
    for ones, colour, marker, label in (
        (
            [one for one in shown if not one.is_late_in_key and not one.is_repeat],
            style.IN_ORDER,
            "o",
            "in order",
        ),
        ([one for one in shown if one.is_late_in_key], style.LATE, "^", "late"),
        ([one for one in shown if one.is_repeat], style.REPEAT, "x", "received again"),
    ):
        if ones:
            axes.scatter(
                [(one.received_ns - zero) / unit_ns for one in ones],
                [place[getattr(one, by)] for one in ones],
                c=colour,
                **style.dots(len(shown), marker),
            )
            handles.append((f"{label} ({len(ones):,})", colour, marker))
    say_lanes(axes, rows, f"time since the first send, {unit}")
    noun = "shard" if by == "shard" else flow.key_noun
    late = sum(one.is_late_in_key for one in flow.deliveries)
    some = f"; {len(rows)} of {len(rows) + hidden:,} rows" if hidden else ""
    style.say_legend(figure, handles)
    style.say_heading(
        figure,
        f"Each row is a {noun}, each dot a delivery",
        f"{flow.name}: {late or 'none'} late within its {flow.key_noun}{some}",
    )
    return figure


def _rows(deliveries: Sequence[Delivery], by: By) -> tuple[list[str], int]:
    """The rows that are shown, and how many are not: those with most disorder, then most deliveries."""
    size: Counter[str] = Counter()
    for one in deliveries:
        size[getattr(one, by)] += 1 + 1_000 * (one.is_late_in_key or one.is_repeat)
    ranked = sorted(size, key=lambda name: (-size[name], name))
    return sorted(ranked[:LANES_MAX], key=labels.natural), max(0, len(ranked) - LANES_MAX)


def say_lanes(axes: Axes, rows: list[str], label: str) -> None:
    """A name beside each row, and what is told below them."""
    axes.set_yticks(range(len(rows)), [labels.short(name) or "(none)" for name in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    axes.margins(x=0.015)
    axes.autoscale_view()
    axes.set_ylim(len(rows) - 0.4, -0.6)
