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
_ABOVE = 0.04
"""How far above its dot a mark stands, as a part of the axis."""

_LEAST_REACH = 2.2
"""So many places are seen above and below the line, even where nothing is."""

_MANY = 200
"""With more messages, those that are near their place look as if they were in it."""


def places(flow: Flow) -> Figure:
    """A dot for each delivery: place sent, place received; or places late, where all were on the line."""
    figure = style.new_figure(height=4.4)
    axes = figure.add_subplot()
    count = len(flow.sent_ns)
    firsts = flow.firsts
    is_flat = looks_like_a_line(flow)
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
                [one.received - one.sent if is_flat else one.received for one in ones],
                c=colour,
                **style.dots(count, marker),
            )
    if lost := flow.lost:
        handles.append((f"never received ({len(lost):,})", style.INK, "|"))
        axes.plot(lost, [0] * len(lost), "|", color=style.INK, markersize=9)
    _say_axes(axes, count, is_flat=is_flat)
    low, high = axes.get_ylim()
    if high - low < 2 * _LEAST_REACH:
        axes.set_ylim(-_LEAST_REACH, _LEAST_REACH)
    style.say_legend(figure, handles)
    style.say_heading(figure, "Each dot is a message; the line is perfect order", _how_many_late(flow))
    return figure


def looks_like_a_line(flow: Flow) -> bool:
    """Whether there are so many messages, so near their places, that their dots would lie on the line."""
    count = len(flow.sent_ns)
    return count > _MANY and reach_of(flow) < count / 12


def reach_of(flow: Flow) -> int:
    """How many places late or early a message came, at most."""
    return max((abs(one.received - one.sent) for one in flow.firsts), default=0)


def draw_places_by_key(
    axes: Axes, flow: Flow, colours: dict[str, str], flat_reach: int | None = None
) -> None:
    """The same with a colour for each key, and a mark above what was late within its key.

    Args:
        axes: Where to draw.
        flow: What to draw.
        colours: By key.
        flat_reach: So many places the axis shows, where it is to tell how late messages came; None where it
            tells the place in which they were received.
    """
    is_flat = flat_reach is not None
    count, firsts = len(flow.sent_ns), flow.firsts
    for key, colour in reversed(colours.items()):  # the many grey ones below the others
        ones = [one for one in firsts if one.key == key]
        axes.scatter(
            [one.sent for one in ones],
            [one.received - one.sent if is_flat else one.received for one in ones],
            c=colour,
            **style.dots(count, "o"),
        )
    late = [one for one in firsts if one.is_late_in_key]
    above = _ABOVE * (count if flat_reach is None else 2 * flat_reach)
    axes.scatter(
        [one.sent for one in late],
        [(one.received - one.sent if is_flat else one.received) + above for one in late],
        s=14,
        marker="v",
        c=style.INK,
        linewidths=0,
        rasterized=len(late) > style.POINTS_AS_VECTORS,
        zorder=4,
    )
    _say_axes(axes, count, is_flat=is_flat)
    if flat_reach is not None:
        axes.set_ylim(-1.15 * flat_reach, 1.15 * flat_reach)


def _say_axes(axes: Axes, count: int, *, is_flat: bool) -> None:
    """The line of perfect order, and what is told on the axes."""
    last = max(count - 1, 1)
    edge = max(1.0, 0.03 * count)
    axes.plot([0, last], [0, 0 if is_flat else last], color=style.MUTED, linewidth=0.8, zorder=2)
    axes.set(
        xlim=(-edge, last + edge),
        xlabel="place in which it was sent",
        ylabel="places late (negative: early)" if is_flat else "place in which it was received",
    )
    if not is_flat:
        axes.set_ylim(-edge, last + edge + _ABOVE * count)
    style.thousands(axes)


def displacement(flow: Flow) -> Figure:
    """How many messages were late, or early, by how many places."""
    figure = style.new_figure(height=3.4)
    axes = figure.add_subplot()
    counts = Counter(displacements([one.sent for one in flow.firsts]))
    total = max(1, counts.total())
    handles: list[tuple[str, str, str]] = []
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
            handles.append((f"{label} ({share:.3g} %)", colour, "s"))
            axes.bar(
                list(some),
                [100 * count / total for count in some.values()],
                # One place alone, between bars of several: on top of them, and no wider than can be seen.
                width=0.85 * width if sign else max(0.85, 0.35 * width),
                zorder=2 if sign else 3,
                color=colour,
            )
    axes.set(xlabel="places late (negative: early)" + (f", {width:,} a bar" if width > 1 else ""))
    if total > 1 and max(bars.values(), default=0) / total > 0.6 and len(bars) > 1:
        axes.set(yscale="log", ylabel="messages, % (log scale)")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.set(ylabel="messages, %")
    axes.xaxis.set_major_locator(style.whole_numbers())
    reach = max(1, *map(abs, bars)) if bars else 1
    axes.set_xlim(-reach - width, reach + width)
    axes.grid(visible=False, axis="x")
    style.say_legend(figure, handles)
    style.say_heading(figure, "How far from their place messages came", _displacement_in_words(flow, counts))
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
