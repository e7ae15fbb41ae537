"""A picture: its name, what to look for, how it is drawn; and which ones a history deserves.

A picture is drawn when its bytes are asked for, as often as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.lab.report import lane_plots, order_plots, side_by_side, style, waiting_plots
from queuestream.lab.report.deliveries import flows_of, work_of
from queuestream.lab.report.side_by_side import COLUMNS_MAX, columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.figure import Figure

    from queuestream.lab.history import Event, History
    from queuestream.lab.report.deliveries import Flow
    from queuestream.lab.report.side_by_side import Column
    from queuestream.lab.report.style import Format


@attrs.frozen
class Picture:
    """Something to look at.

    Attributes:
        name: What its file is called, without the ending; a slash ends a folder's name.
        caption: What it shows, and how to read it.
        draw: Makes the drawing.
        is_wide: It is too wide for a phone, and scrolls there.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]
    is_wide: bool = False

    def to_bytes(self, picture_format: Format) -> bytes:
        """The picture as a file; the same bytes each time.

        Raises:
            PictureNeedsMatplotlib: It is not installed.
        """
        return self.to_files((picture_format,))[picture_format]

    def to_files(self, formats: Iterable[Format]) -> dict[Format, bytes]:
        """The picture in several formats, drawn once.

        Raises:
            PictureNeedsMatplotlib: It is not installed.
        """
        with style.drawing():
            figure = self.draw()
            style.lay_out(figure)
            return {picture_format: style.to_bytes(figure, picture_format) for picture_format in formats}


FLOWS_MAX = 6
"""Of so many flows there are pictures; a history with more has those of the largest."""


def pictures_of(history: History | Iterable[Event]) -> list[Picture]:
    """What there is to see in a history: several flows side by side; then of each the order and the times."""
    flows = flows_of(history)
    largest = sorted(flows, key=lambda flow: (-len(flow.deliveries), flow.name))[:FLOWS_MAX]
    shown = [flow for flow in flows if flow in largest]
    pictures = []
    if 1 < len(shown) <= COLUMNS_MAX:
        pictures += beside(columns_of(shown))
    for flow in shown:
        pictures += _of_flow(flow, f"{file_name(flow.name)}-" if len(flows) > 1 else "")
    return pictures


def beside(columns: Sequence[Column]) -> list[Picture]:
    """Several flows side by side: their order and who had what; how long messages waited."""
    return [
        Picture(
            "side-by-side",
            "Above, each message in the colour of its key, at the place in which it was sent (across) and "
            "that in which it was received, or how many places late it was (up): on the line is perfect "
            "order. Below, which consumer worked on what, and when. "
            "A mark stands above a message that was received (below: finished) after a later one of its key.",
            lambda: side_by_side.side_by_side(columns),
            is_wide=True,
        ),
        Picture(
            "waits-side-by-side",
            "From being sent to being received for the first time: the share of messages that had waited "
            "no longer than that.",
            lambda: side_by_side.waits_side_by_side(columns),
            is_wide=True,
        ),
    ]


def _of_flow(flow: Flow, prefix: str) -> list[Picture]:
    upwards = "how many places late it was" if order_plots.looks_like_a_line(flow) else "received"
    pictures = [
        Picture(
            f"{prefix}places",
            f"Each message at the place in which it was sent (across), and {upwards} (up). "
            "Above the line it came late, below it came early. Red is what came after a message that was "
            "sent later.",
            lambda: order_plots.places(flow),
        ),
        Picture(
            f"{prefix}displacement",
            "By how many places messages were late or early: the reorder density of RFC 5236.",
            lambda: order_plots.displacement(flow),
        ),
    ]
    if len({one.actor for one in flow.deliveries}) > 1 or work_of(flow.deliveries):
        pictures.append(
            Picture(
                f"{prefix}lanes-by-consumer",
                "Who worked on what, and when. A mark stands above a message that was finished after a later "
                "one of its own key.",
                lambda: lane_plots.consumer_lanes(flow),
            )
        )
    if len(flow.keys) > 1:
        pictures.append(
            Picture(
                f"{prefix}lanes-by-key",
                f"The deliveries of each {flow.key_noun}, over time: late and repeated where they were so "
                f"within their {flow.key_noun}.",
                lambda: lane_plots.lanes(flow, "key"),
            )
        )
    if flow.kind == "stream" and len({one.shard for one in flow.deliveries}) > 1:
        pictures.append(
            Picture(
                f"{prefix}lanes-by-shard",
                "The deliveries of each shard, over time: late and repeated where they were so within their "
                f"{flow.key_noun}.",
                lambda: lane_plots.lanes(flow, "shard"),
            )
        )
    pictures += [
        Picture(
            f"{prefix}waiting",
            "From being sent to being received for the first time: the share of messages that had waited "
            "no longer than that.",
            lambda: waiting_plots.dwell(flow),
        ),
        Picture(
            f"{prefix}backlog",
            "Messages that had been sent and not yet received by anybody.",
            lambda: waiting_plots.backlog(flow),
        ),
    ]
    return pictures


def file_name(text: str) -> str:
    """A text as the name of a file anywhere."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)
