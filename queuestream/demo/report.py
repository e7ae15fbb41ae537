"""What the demo found: a table and sentences for people, JSON for machines.

Everything here is text from values; what goes where is the command's business.
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.clock import HOUR, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queuestream.demo.judgement import Judgement, Words
    from queuestream.demo.records import BrokenLine
    from queuestream.demo.verdicts import Verdict

WIDTH_MIN, WIDTH_MAX = 40, 100


@attrs.frozen
class Marks:
    """The signs that not every terminal can show."""

    holds: str
    fails: str
    rule: str

    def __str__(self) -> str:
        return self.holds + self.fails + self.rule


UNICODE = Marks("✓", "✗", "─")
ASCII = Marks("ok", "NO", "-")
# Green and red, as terminals say it.
COLOURED = Marks("\x1b[32m✓\x1b[0m", "\x1b[31m✗\x1b[0m", "─")


@attrs.frozen(kw_only=True)
class Report:
    """One run, ready to be told.

    Attributes:
        source: Where the records came from.
        wall_seconds: How long it took; not in the JSON, which is the same for the same seed.
    """

    source: str
    seed: int
    words: Words
    judgement: Judgement
    broken: Sequence[BrokenLine]
    records: int
    virtual_ns: int
    wall_seconds: float

    def to_text(self, marks: Marks, width: int = 80) -> str:
        """The whole of it, for people."""
        width = max(WIDTH_MIN, min(width, WIDTH_MAX))
        blocks = (
            textwrap.fill(self._heading(), width),
            self._table(marks),
            verdict_lines(self.judgement.verdicts, marks, width),
            textwrap.fill(self._times(), width),
        )
        return "\n\n".join(blocks)

    def _heading(self) -> str:
        words = self.words
        records = _count(self.records, words.record, words.records)
        keys = _count(self.judgement.keys, words.key, words.keys)
        skipped = f", {_count(len(self.broken), 'line', 'lines')} skipped" if self.broken else ""
        return f"{records} of {keys} from {self.source}{skipped}; seed {self.seed}"

    def _table(self, marks: Marks) -> str:
        flows = self.judgement.flows
        rows = [
            ("", *flows),
            ("sent", *(f"{flow.sent:,}" for flow in flows.values())),
            ("delivered", *(f"{flow.deliveries:,}" for flow in flows.values())),
            ("  more than once", *(f"{flow.repeated:,}" for flow in flows.values())),
            ("done out of order", *(f"{flow.done.reordered_ratio:.1%}" for flow in flows.values())),
            ("  places late, at most", *(f"{flow.done.extent:,}" for flow in flows.values())),
            ("  Kendall's tau", *(f"{flow.done.kendall_tau:.4f}" for flow in flows.values())),
            (f"{self.words.keys} out of order", *(f"{flow.keys_out_of_order:,}" for flow in flows.values())),
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "   ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))).rstrip()
            for row in rows
        ]
        lines.insert(1, marks.rule * len(lines[0]))
        return "\n".join(lines)

    def _times(self) -> str:
        faster = _round(self.virtual_ns / SECOND / self.wall_seconds)
        return (
            f"Virtual time: {_duration(self.virtual_ns)}.  Wall time: {self.wall_seconds:.2f} s, "
            f"{faster:,} times faster."
        )

    def to_json(self) -> str:
        """The verdicts for machines; the same bytes for the same input and seed."""
        judgement = self.judgement
        document: dict[str, Any] = {
            "holds": judgement.holds,
            "input": self.source,
            "seed": self.seed,
            "records": self.records,
            "keys": judgement.keys,
            "skipped": [attrs.asdict(line) for line in self.broken],
            "virtual_seconds": self.virtual_ns / SECOND,
            "flows": {
                name.lower().replace(" ", "_"): {
                    "sent": flow.sent,
                    "deliveries": flow.deliveries,
                    "delivered_more_than_once": flow.repeated,
                    "done": flow.done.seen,
                    "reordered": flow.done.reordered,
                    "reordered_ratio": round(flow.done.reordered_ratio, 6),
                    "reordering_extent": flow.done.extent,
                    "kendall_tau": round(flow.done.kendall_tau, 6),
                    "keys_out_of_order": flow.keys_out_of_order,
                }
                for name, flow in judgement.flows.items()
            },
            "verdicts": [attrs.asdict(verdict) for verdict in judgement.verdicts],
        }
        return json.dumps(document, indent=2)


def verdict_lines(verdicts: Sequence[Verdict], marks: Marks, width: int) -> str:
    """One sentence each, behind its tick or cross."""
    blank = " " * 3
    return "\n".join(
        (marks.holds if verdict.holds else marks.fails)
        + (" " if marks is ASCII else "  ")
        + textwrap.fill(verdict.sentence, width, initial_indent=blank, subsequent_indent=blank).lstrip()
        for verdict in verdicts
    )


def broken_lines(broken: Sequence[BrokenLine]) -> list[str]:
    """What to say about the lines that were left out; neighbours with the same reason together."""
    runs: list[tuple[int, int, str]] = []
    for line in broken:
        if runs and runs[-1][1:] == (line.line - 1, line.reason):
            runs[-1] = (runs[-1][0], line.line, line.reason)
        else:
            runs.append((line.line, line.line, line.reason))
    return [
        f"line {first:,} skipped: {reason}"
        if first == last
        else f"lines {first:,} to {last:,} skipped: {reason}"
        for first, last, reason in runs
    ]


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _duration(duration_ns: int) -> str:
    """Days and hours; a play goes through one night at least."""
    days, hours = divmod(duration_ns // HOUR, 24)
    return f"{_count(days, 'day', 'days')} {hours} h"


def _round(number: float) -> int:
    """Two digits that mean something."""
    whole = round(number)
    return round(whole, 2 - len(str(whole)))
