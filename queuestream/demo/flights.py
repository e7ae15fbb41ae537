"""The data that comes with the package: two weeks of departures from New York, 2013.

Every departure is a record, keyed by the aircraft; every long delay is a task: notify the
passengers.  The data are the lab's, too, and lie there.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from queuestream.demo.records import TaskRule, lines_of, read_records
from queuestream.lab.departures import instant_ns, packed_departures

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.demo.records import BrokenLine, Fields, Record

KEY_FIELD = "tail_number"
LONG_DELAY = TaskRule.parse("departure_delay_minutes>=60")


def read_flights(
    key_field: str = KEY_FIELD, is_task: Callable[[Fields], bool] = LONG_DELAY
) -> tuple[list[Record], list[BrokenLine]]:
    """The departures, in the order in which they happened."""
    lines = lines_of(io.BufferedReader(io.BytesIO(packed_departures())))
    return read_records(lines, key_field, is_task=is_task, at_ns=_departed_at_ns)


def _departed_at_ns(_: int, fields: Fields) -> int:
    return instant_ns(fields["departed_at"])
