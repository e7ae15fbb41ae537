"""Two weeks of departures from New York, 2013: real events with real keys, to play with.

    >>> [first] = departures(1)
    >>> first.aircraft, first.flight, first.delay_minutes
    ('N14228', 'UA1545', 2)

Where the data come from stands in data/README.md.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import attrs

from queuestream.core.clock import SECOND


@attrs.frozen
class Departure:
    """One aircraft that left.

    Attributes:
        at_ns: When, in nanoseconds since the epoch.
        aircraft: Its registration; what order is wanted by.
        flight: The airline's code and its flight number.
        origin: The airport it left, by its code.
        destination: The airport it went to.
        delay_minutes: How long after its time it left; negative where it was early.
    """

    at_ns: int
    aircraft: str
    flight: str
    origin: str
    destination: str
    delay_minutes: int


def packed_departures() -> bytes:
    """The file itself: JSON lines, compressed by gzip."""
    return files("queuestream.lab").joinpath("data/flights.jsonl.gz").read_bytes()


def instant_ns(departed_at: str) -> int:
    """New York's time as it stands in the data, taken for UTC: what counts is what lies between."""
    return int(datetime.fromisoformat(departed_at).replace(tzinfo=UTC).timestamp()) * SECOND


@cache
def departures(count: int | None = None) -> tuple[Departure, ...]:
    """The first so many, or all 12,126, in the order in which they happened; read once in a process."""
    return tuple(
        Departure(
            at_ns=instant_ns(fields["departed_at"]),
            aircraft=fields["tail_number"],
            flight=f"{fields['carrier']}{fields['flight']}",
            origin=fields["origin"],
            destination=fields["destination"],
            delay_minutes=fields["departure_delay_minutes"],
        )
        for fields in map(json.loads, gzip.decompress(packed_departures()).splitlines()[:count])
    )
