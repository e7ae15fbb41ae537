"""How keys, names and times are called in pictures, so that all of them call them the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.clock import HOUR, MILLISECOND, SECOND
from queuestream.lab.report import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queuestream.lab.report.deliveries import Flow

_UNITS = ((HOUR, "h", 3), (60 * SECOND, "min", 5), (SECOND, "s", 2), (MILLISECOND, "ms", 0))
"""A unit, its sign, and how many of it there must be for it to be used."""


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


def natural(name: str) -> tuple[str, int, str]:
    """So that consumer-10 comes after consumer-9."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0), name


def short(name: str, most: int = 16) -> str:
    """A name that fits beside an axis."""
    if name.startswith("shardId-") and name[8:].isdigit():
        return f"shard {int(name[8:])}"
    return name if len(name) <= most else f"{name[: most - 1]}…"


def unit_of(flow: Flow) -> tuple[int, str]:
    """The unit in which a flow's time is told, in nanoseconds and as a sign."""
    last = max((one.done_ns or one.received_ns for one in flow.deliveries), default=0)
    return unit_for(max(last, *flow.sent_ns[-1:], flow.begin_ns) - flow.begin_ns)


def unit_for(span_ns: int) -> tuple[int, str]:
    """The unit in which so long a time is told, in nanoseconds and as a sign."""
    return next((unit, sign) for unit, sign, least in _UNITS if span_ns >= least * unit)


def figure_of(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
