"""Time, seen: who had which message when, and how long messages waited."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from queuestream.core.clock import HOUR, MILLISECOND, SECOND
from queuestream.lab.report import style
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

_STEPS_MAX = 500
_WIDE = 40
_HALF_BAR = 0.3
_UNITS = ((HOUR, "h", 3), (60 * SECOND, "min", 5), (SECOND, "s", 2), (MILLISECOND, "ms", 0))
"""A unit, its sign, and how many of it there must be for it to be used."""


def consumer_lanes(flow: Flow) -> Figure:
    """A row for each consumer, a bar for each message that it worked on."""
    begin, end = stretch(flow.deliveries)
    shown = flow.deliveries[begin:end]
    rows, hidden = _rows(shown, "actor")
    colours = colours_of_keys(flow.largest_keys) if len(flow.keys) > 1 else {}
    figure = style.new_figure(height=1.7 + 0.26 * max(3, len(rows)))
    axes = figure.add_subplot()
    draw_consumers(axes, flow, shown, rows, colours)
    say_lanes(axes, rows, f"virtual time since the first send, {unit_of(flow)[1]}")
    style.say_legend(figure, [*key_handles(colours), *mark_handles(flow, shown)])
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

    unit_ns, zero = unit_ns or unit_of(flow)[0], flow.begin_ns
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


def colours_of_keys(largest: Sequence[str]) -> dict[str, str]:
    """A colour for each of the largest keys, in the order of their names; grey for the others."""
    most = len(style.KEY_COLOURS)
    return style.colours_of([*sorted(largest[:most], key=natural), *largest[most:]])


def key_handles(colours: dict[str, str]) -> list[tuple[str, str, str]]:
    """What a legend says of keys' colours: label, colour, marker."""
    handles = [(short(key), colour, "s") for key, colour in colours.items() if colour != style.GREY]
    if others := len(colours) - len(handles):
        handles.append((f"{others:,} other key{'' if others == 1 else 's'}", style.GREY, "s"))
    return handles


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
    (unit_ns, unit), zero = unit_of(flow), flow.begin_ns
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
    say_lanes(axes, rows, f"virtual time since the first send, {unit}")
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
    return sorted(ranked[:LANES_MAX], key=natural), max(0, len(ranked) - LANES_MAX)


def natural(name: str) -> tuple[str, int, str]:
    """So that consumer-10 comes after consumer-9."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0), name


def say_lanes(axes: Axes, rows: list[str], label: str) -> None:
    """A name beside each row, and what is told below them."""
    axes.set_yticks(range(len(rows)), [short(name) or "(none)" for name in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    axes.margins(x=0.015)
    axes.autoscale_view()
    axes.set_ylim(len(rows) - 0.4, -0.6)


def short(name: str, most: int = 16) -> str:
    """A name that fits beside an axis."""
    if name.startswith("shardId-") and name[8:].isdigit():
        return f"shard {int(name[8:])}"
    return name if len(name) <= most else f"{name[: most - 1]}…"


def dwell(flow: Flow) -> Figure:
    """How long messages waited to be received for the first time, for each of the largest keys."""
    figure = style.new_figure(height=3.6)
    axes = figure.add_subplot()
    scale = Waits.of([flow])
    handles = draw_dwell(axes, flow, scale, colours_of_keys(flow.largest_keys))
    style.say_legend(figure, handles)
    style.say_heading(
        figure, "How long messages waited to be received", f"{flow.name}: {in_words(flow, scale)}"
    )
    return figure


class Waits(NamedTuple):
    """The scale on which waits are drawn.

    Attributes:
        longest_ns: The longest.
        is_wide: Half of them are so much shorter that they would be one line: the scale is logarithmic.
        unit_ns: What is counted.
        unit: Its sign.
    """

    longest_ns: int
    is_wide: bool
    unit_ns: int
    unit: str

    @classmethod
    def of(cls, flows: Sequence[Flow]) -> Waits:
        """One scale for all of these."""
        waits = sorted(wait_of(one) for flow in flows for one in flow.firsts) or [0]
        longest_ns = waits[-1]
        return cls(longest_ns, _WIDE * waits[len(waits) // 2] < longest_ns, *_unit(longest_ns))

    def told(self, wait_ns: int) -> str:
        """A wait with its unit."""
        return f"{figure_of(wait_ns / self.unit_ns)} {self.unit}"


def wait_of(first: Delivery) -> int:
    """How long a message waited for its first delivery, in nanoseconds."""
    return max(0, first.received_ns - first.sent_ns)


def in_words(flow: Flow, scale: Waits) -> str:
    """How long half of a flow's messages waited, and the last one."""
    waits = sorted(map(wait_of, flow.firsts)) or [0]
    return f"half within {scale.told(waits[(len(waits) - 1) // 2])}, all within {scale.told(waits[-1])}"


def draw_dwell(axes: Axes, flow: Flow, scale: Waits, colours: dict[str, str]) -> list[tuple[str, str, str]]:
    """The share of messages that waited no longer, for each key that has a colour and all others together.

    Returns:
        What a legend says of the curves: label, colour, marker.
    """
    unit_ns = scale.unit_ns
    waits: dict[str, list[int]] = {key: [] for key, colour in colours.items() if colour != style.GREY}
    others = f"{len(colours) - len(waits):,} others"
    for one in flow.firsts:
        waits.setdefault(one.key if one.key in waits else others, []).append(wait_of(one))
    handles = []
    for key, each in waits.items():
        if not each:
            continue
        ordered = sorted(each)
        steps = _quantiles(ordered)
        colour = colours.get(key, style.GREY)
        axes.step(
            [wait / unit_ns for wait, _ in [(steps[0][0], 0.0), *steps]],
            [0.0, *(100 * share for _, share in steps)],
            where="post",
            color=colour,
            linewidth=1.6,
        )
        label = f"{short(key) or 'all'}: half within {scale.told(ordered[(len(ordered) - 1) // 2])}"
        handles.append((label, colour, "s"))
    axes.set(
        xlabel=f"time from send to first receive, {scale.unit}", ylabel="received by then, %", ylim=(0, 102)
    )
    longest = scale.longest_ns / unit_ns or 1.0
    if scale.is_wide:
        axes.set_xscale("symlog", linthresh=longest / 100, linscale=0.3)
        powers = [10.0**power for power in range(-3, 6) if longest / 100 < 10.0**power <= longest]
        axes.set_xticks([0, *powers], ["0", *(f"{power:,g}" for power in powers)])
        axes.minorticks_off()
    axes.set_xlim(0, 1.02 * longest)
    return handles


def _quantiles(waits: list[int]) -> list[tuple[int, float]]:
    """Each wait with the share of those that were no longer; evenly chosen ones where there are many."""
    count = len(waits)
    stride = max(1, count // _STEPS_MAX)
    ranks = [*range(stride - 1, count - 1, stride), count - 1]
    return [(waits[rank], (rank + 1) / count) for rank in ranks]


def backlog(flow: Flow) -> Figure:
    """How many messages were waiting, over time."""
    figure = style.new_figure(height=3.0)
    axes = figure.add_subplot()
    times, waiting = backlog_of(flow)
    most = max(waiting, default=0)
    times, waiting = _peaks(times, waiting)
    (unit_ns, unit), zero = unit_of(flow), flow.begin_ns
    shown = [(when - zero) / unit_ns for when in times]
    axes.fill_between(shown, waiting, step="post", color=style.BLUE, alpha=0.3, linewidth=0)
    axes.step(shown, waiting, where="post", color=style.BLUE, linewidth=1.2)
    style.say_heading(
        figure, "How many messages were waiting", f"{flow.name}: sent and not yet received; at most {most:,}"
    )
    style.thousands(axes)
    axes.set(xlabel=f"virtual time since the first send, {unit}", ylabel="messages")
    axes.set_ylim(bottom=0)
    return figure


def backlog_of(flow: Flow) -> tuple[list[int], list[int]]:
    """Instants, and how many messages had been sent and not received from then on."""
    change: Counter[int] = Counter(flow.sent_ns)
    change.subtract(one.received_ns for one in flow.firsts)
    times = sorted(change)
    waiting, levels = 0, []
    for when in times:
        waiting += change[when]
        levels.append(max(0, waiting))
    return times, levels


def _peaks(times: list[int], levels: list[int]) -> tuple[list[int], list[int]]:
    """The same curve in few steps: of each stretch of time the beginning, with its highest level."""
    if len(times) <= _STEPS_MAX:
        return times, levels
    span = max(1, (times[-1] - times[0]) // _STEPS_MAX)
    peaks: dict[int, int] = {}
    for when, level in zip(times, levels, strict=True):
        slot = (when - times[0]) // span
        peaks[slot] = max(level, peaks.get(slot, 0))
    return [times[0] + slot * span for slot in peaks], list(peaks.values())


def unit_of(flow: Flow) -> tuple[int, str]:
    """The unit in which a flow's time is told, in nanoseconds and as a sign."""
    last = max((one.done_ns or one.received_ns for one in flow.deliveries), default=0)
    return _unit(max(last, *flow.sent_ns[-1:], flow.begin_ns) - flow.begin_ns)


def _unit(span_ns: int) -> tuple[int, str]:
    return next((unit, sign) for unit, sign, least in _UNITS if span_ns >= least * unit)


def figure_of(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
