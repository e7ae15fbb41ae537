"""Order, seen: the place in which messages were sent against that in which they were received."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from queuestream.lab.metrics.density import displacements
from queuestream.lab.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from queuestream.lab.report.deliveries import Flow

_BARS_MAX = 61
_MANY = 200
"""With more messages, those that are near their place look as if they were in it."""


def places(flow: Flow) -> Figure:
    """A dot for each delivery: place sent, place received; or places late, where all were on the line."""
    figure = style.new_figure(height=4.4)
    axes = figure.add_subplot()
    count = len(flow.sent_ns)
    firsts = flow.firsts
    reach = max((abs(one.received - one.sent) for one in firsts), default=0)
    is_one_line = count > _MANY and reach < count / 12
    handles = []
    for ones, colour, marker, label in (
        ([one for one in firsts if not one.is_late], style.IN_ORDER, "o", "in order"),
        ([one for one in firsts if one.is_late], style.LATE, "^", "late"),
        ([one for one in flow.deliveries if one.is_repeat], style.REPEAT, "x", "received again"),
    ):
        if ones:
            handles.append((f"{label} ({len(ones):,})", colour, marker))
            axes.scatter(
                [one.sent for one in ones],
                [one.received - one.sent if is_one_line else one.received for one in ones],
                c=colour,
                **style.dots(count, marker),
            )
    if lost := flow.lost:
        handles.append((f"never received ({len(lost):,})", style.INK, "|"))
        axes.plot(lost, [0] * len(lost), "|", color=style.INK, markersize=9)
    if is_one_line:
        axes.axhline(0, color=style.MUTED, linewidth=0.8, zorder=2)
        axes.set(xlabel="place in which it was sent", ylabel="places late (negative: early)")
        style.thousands(axes)
    else:
        _draw_line_of_order(axes, count)
        _say_axes(axes, count)
    style.say_legend(figure, handles)
    style.say_heading(figure, "Each dot is a message; the line is perfect order", _how_many_late(flow))
    return figure


def draw_places_by_key(axes: Axes, flow: Flow, colours: dict[str, str]) -> None:
    """The same with a colour for each key, and a mark above what was late within its key."""
    count = len(flow.sent_ns)
    _draw_line_of_order(axes, count)
    for key, colour in reversed(colours.items()):  # the many grey ones below the others
        ones = [one for one in flow.firsts if one.key == key]
        axes.scatter(
            [one.sent for one in ones], [one.received for one in ones], c=colour, **style.dots(count, "o")
        )
    late = [one for one in flow.firsts if one.is_late_in_key]
    axes.scatter(
        [one.sent for one in late],
        [one.received + 0.04 * count for one in late],
        s=14,
        marker="v",
        c=style.INK,
        linewidths=0,
        rasterized=len(late) > style.POINTS_AS_VECTORS,
        zorder=4,
    )
    _say_axes(axes, count)


def _draw_line_of_order(axes: Axes, count: int) -> None:
    axes.plot([0, max(count - 1, 1)], [0, max(count - 1, 1)], color=style.MUTED, linewidth=0.8, zorder=2)


def _say_axes(axes: Axes, count: int) -> None:
    edge = max(1.0, 0.03 * count)
    axes.set(
        xlim=(-edge, count - 1 + edge),
        ylim=(-edge, count - 1 + edge),
        xlabel="place in which it was sent",
        ylabel="place in which it was received",
    )
    style.thousands(axes)


def displacement(flow: Flow) -> Figure:
    """How many messages were late, or early, by how many places."""
    figure = style.new_figure(height=3.4)
    axes = figure.add_subplot()
    counts = Counter(displacements([one.sent for one in flow.firsts]))
    total = max(1, counts.total())
    width = max(1, -(-(max(counts, default=0) - min(counts, default=0) + 1) // _BARS_MAX))
    bars: Counter[int] = Counter()
    for places_late, count in counts.items():
        bars[0 if places_late == 0 else _bar(places_late, width)] += count
    for sign, colour, label in (
        (0, style.GREY, "at its place"),
        (-1, style.BLUE, "early"),
        (1, style.RED, "late"),
    ):
        some = {place: count for place, count in sorted(bars.items()) if (place > 0) - (place < 0) == sign}
        if some:
            share = 100 * sum(some.values()) / total
            axes.bar(
                list(some),
                [100 * count / total for count in some.values()],
                width=0.85 * width,
                color=colour,
                label=f"{label} ({share:.3g} %)",
            )
    style.say_heading(figure, "How far from their place messages came", _displacement_in_words(flow, counts))
    axes.set(xlabel="places (negative: early, positive: late)" + (f", {width:,} a bar" if width > 1 else ""))
    if total > 1 and max(bars.values(), default=0) / total > 0.6 and len(bars) > 1:
        axes.set(yscale="log", ylabel="messages, % (log scale)")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.set(ylabel="messages, %")
    axes.xaxis.set_major_locator(style.whole_numbers())
    reach = max(1, *map(abs, bars)) if bars else 1
    axes.set_xlim(-reach - width, reach + width)
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper left", handlelength=0.9)
    return figure


def _bar(places_late: int, width: int) -> int:
    """The middle of the bar that stands for some places; the one of zero has zero alone."""
    size = abs(places_late)
    middle = (size - 1) // width * width + (width + 1) // 2
    return middle if places_late > 0 else -middle


def _how_many_late(flow: Flow) -> str:
    firsts = flow.firsts
    late = sum(one.is_late for one in firsts)
    share = f" ({100 * late / len(firsts):.3g} %)" if late else ""
    return f"{flow.name}: {late:,} of {len(firsts):,} messages came after a later one{share}"


def _displacement_in_words(flow: Flow, counts: Counter[int]) -> str:
    latest, earliest = max(counts, default=0), -min(counts, default=0)
    if latest == earliest == 0:
        return f"{flow.name}: every message came at its place"
    return f"{flow.name}: up to {latest:,} places late, up to {earliest:,} early"
