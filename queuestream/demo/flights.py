"""The data that comes with the package: two weeks of departures from New York, 2013.

Every departure is a record, keyed by the aircraft; every long delay is a task: notify the
passengers.  Where the data come from stands in data/README.md.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.demo.records import TaskRule, lines_of, read_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.demo.records import BrokenLine, Fields, Record

KEY_FIELD = "tail_number"
LONG_DELAY = TaskRule.parse("departure_delay_minutes>=60")


def read_flights(
    key_field: str = KEY_FIELD, is_task: Callable[[Fields], bool] = LONG_DELAY
) -> tuple[list[Record], list[BrokenLine]]:
    """The departures, in the order in which they happened."""
    packed = files("queuestream.demo").joinpath("data/flights.jsonl.gz").read_bytes()
    lines = lines_of(io.BufferedReader(io.BytesIO(packed)))
    return read_records(lines, key_field, is_task=is_task, at_ns=_departed_at_ns)


def _departed_at_ns(_: int, fields: Fields) -> int:
    """New York's time as it stands in the data, taken for UTC: what counts is what lies between."""
    departed_at = datetime.fromisoformat(fields["departed_at"]).replace(tzinfo=UTC)
    return int(departed_at.timestamp()) * SECOND
