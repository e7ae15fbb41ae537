"""Waiting: how long messages did, by key, and how many of them at a time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from queuestream.lab.report import labels, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from queuestream.lab.report.deliveries import Delivery, Flow

_STEPS_MAX = 500
_WIDE = 40
"""Where the longest wait is so many times the median, the scale is logarithmic."""


def dwell(flow: Flow) -> Figure:
    """How long messages waited to be received for the first time, for each of the largest keys."""
    figure = style.new_figure(height=3.6)
    axes = figure.add_subplot()
    scale = Waits.of([flow])
    handles = draw_dwell(axes, flow, scale, labels.colours_of_keys(flow.largest_keys))
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
        return cls(longest_ns, _WIDE * waits[len(waits) // 2] < longest_ns, *labels.unit_for(longest_ns))

    def told(self, wait_ns: int) -> str:
        """A wait with its unit."""
        return f"{labels.figure_of(wait_ns / self.unit_ns)} {self.unit}"


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
        label = f"{labels.short(key) or 'all'}: half within {scale.told(ordered[(len(ordered) - 1) // 2])}"
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
    (unit_ns, unit), zero = labels.unit_of(flow), flow.begin_ns
    shown = [(when - zero) / unit_ns for when in times]
    axes.fill_between(shown, waiting, step="post", color=style.BLUE, alpha=0.3, linewidth=0)
    axes.step(shown, waiting, where="post", color=style.BLUE, linewidth=1.2)
    style.say_heading(
        figure, "How many messages were waiting", f"{flow.name}: sent and not yet received; at most {most:,}"
    )
    style.thousands(axes)
    axes.set(xlabel=f"time since the first send, {unit}", ylabel="messages")
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
