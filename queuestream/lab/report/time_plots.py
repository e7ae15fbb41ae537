"""Time, seen: who had which message when, and how long messages waited."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from queuestream.core.clock import HOUR, MILLISECOND, SECOND
from queuestream.lab.report import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from queuestream.lab.report.deliveries import Delivery, Flow

By = Literal["actor", "key", "shard"]

LANES_MAX = 14
BARS_MAX = 300
"""So many bars can be told apart; of more deliveries, a stretch of so many is shown."""

_CURVES_MAX = 6
_STEPS_MAX = 500
_WIDE = 40
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
    part = (
        f"deliveries {begin + 1:,} to {end:,} of {len(flow.deliveries):,}"
        if end - begin < len(flow.deliveries)
        else f"{len(shown):,} deliveries"
    )
    some = f"; {len(rows)} of {len(rows) + hidden:,} consumers" if hidden else ""
    style.say_legend(figure, key_handles(flow, colours))
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
    axes: Axes, flow: Flow, shown: Sequence[Delivery], rows: list[str], colours: dict[str, str]
) -> None:
    """Bars in the colour of the key; above what was finished too late for its key stands a mark.

    A bar is the work, where the history tells; otherwise it begins with the receive, or with the same
    consumer's delete before it (it works on one message after the other), and ends with the delete.
    """
    from matplotlib.collections import PolyCollection  # noqa: PLC0415 - an extra

    (unit_ns, unit), zero = unit_of(flow), flow.begin_ns
    height = 0.3
    free_ns: dict[str, int] = {}
    bars, shades, marks = [], [], []
    dots: list[Delivery] = []
    for one in shown:
        if one.actor not in rows:
            continue
        y = rows.index(one.actor)
        begin_ns = one.begun_ns or max(one.received_ns, free_ns.get(one.actor, 0))
        if one.done_ns is None or one.done_ns <= begin_ns:
            dots.append(one)
        else:
            free_ns[one.actor] = one.done_ns
            left, right = (begin_ns - zero) / unit_ns, (one.done_ns - zero) / unit_ns
            bars.append([(left, y - height), (right, y - height), (right, y + height), (left, y + height)])
            shades.append(colours.get(one.key, style.BLUE))
        if one.is_finished_late:
            marks.append(((begin_ns - zero) / unit_ns, y - height - 0.13))
    axes.add_collection(
        PolyCollection(bars, facecolors=shades, edgecolors=style.PAPER, linewidths=0.4, zorder=2)
    )
    axes.scatter(
        [(one.received_ns - zero) / unit_ns for one in dots],
        [rows.index(one.actor) for one in dots],
        c=[colours.get(one.key, style.BLUE) for one in dots],
        **style.dots(len(shown), "o"),
    )
    if marks:
        across, up = zip(*marks, strict=True)
        axes.scatter(across, up, s=14, marker="v", c=style.INK, linewidths=0, zorder=4)
    _say_lanes(axes, rows, unit)


def colours_of_keys(largest: Sequence[str]) -> dict[str, str]:
    """A colour for each of the largest keys, in the order of their names; grey for the others."""
    most = len(style.KEY_COLOURS)
    return style.colours_of([*sorted(largest[:most], key=natural), *largest[most:]])


def key_handles(flow: Flow, colours: dict[str, str]) -> list[tuple[str, str, str]]:
    """What a legend says of keys' colours: label, colour, marker."""
    handles = [(short(key), colour, "s") for key, colour in colours.items() if colour != style.GREY]
    if others := len(colours) - len(handles):
        handles.append((f"{others:,} other keys", style.GREY, "s"))
    if any(one.is_finished_late for one in flow.deliveries):
        handles.append(("finished late for its key", style.INK, "v"))
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
    _say_lanes(axes, rows, unit)
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


def _say_lanes(axes: Axes, rows: list[str], unit: str) -> None:
    axes.set_yticks(range(len(rows)), [short(name) or "(none)" for name in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"virtual time since the first send, {unit}")
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
    longest = f"at most {figure_of(scale.longest_ns / scale.unit_ns)} {scale.unit}"
    style.say_legend(figure, handles)
    style.say_heading(figure, "How long messages waited to be received", f"{flow.name}: {longest}")
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
        waits = sorted(max(0, one.received_ns - one.sent_ns) for flow in flows for one in flow.firsts) or [0]
        longest_ns = waits[-1]
        return cls(longest_ns, _WIDE * waits[len(waits) // 2] < longest_ns, *_unit(longest_ns))


def draw_dwell(axes: Axes, flow: Flow, scale: Waits, colours: dict[str, str]) -> list[tuple[str, str, str]]:
    """The share of messages that waited no longer, for the largest keys and for the others together.

    Returns:
        What a legend says of the curves: label, colour, marker.
    """
    unit_ns, unit = scale.unit_ns, scale.unit
    waits: dict[str, list[int]] = {}
    ranked = flow.largest_keys
    shown = ranked if len(ranked) <= _CURVES_MAX else ranked[: _CURVES_MAX - 1]
    others = f"{len(ranked) - len(shown)} others"
    handles = []
    for one in flow.firsts:
        waits.setdefault(one.key if one.key in shown else others, []).append(
            max(0, one.received_ns - one.sent_ns)
        )
    for key in [*sorted(shown, key=natural), others]:
        if key not in waits:
            continue
        ordered = sorted(waits[key])
        steps = _quantiles(ordered)
        half = ordered[(len(ordered) - 1) // 2]
        colour = style.GREY if key == others else colours[key]
        axes.step(
            [wait / unit_ns for wait, _ in [(steps[0][0], 0.0), *steps]],
            [0.0, *(100 * share for _, share in steps)],
            where="post",
            color=colour,
            linewidth=1.6,
        )
        label = f"{short(key) or 'all'}: half within {figure_of(half / unit_ns)} {unit}"
        handles.append((label, colour, "s"))
    axes.set(xlabel=f"time from send to first receive, {unit}", ylabel="received by then, %", ylim=(0, 102))
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
