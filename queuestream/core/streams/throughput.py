"""What a shard may take in and give out in a second.

The page "Quotas and limits": a shard takes 1,000 records and 1 MiB each second, answers five
`get_records` calls and gives out 2 MiB each second; a `get_records` that fills its 10 MiB is
followed by a pause of five seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.core.bucket import Bucket
from queuestream.core.clock import SECOND

if TYPE_CHECKING:
    from queuestream.core.streams.limits import StreamLimits
    from queuestream.core.streams.record import Record


@attrs.define(eq=False)
class Allowance:
    """What one shard may take in and give out."""

    _write_records: Bucket
    _write_bytes: Bucket
    _read_calls: Bucket
    _read_bytes: Bucket
    _pause_ns: int
    _paused_until_ns: int = 0

    @classmethod
    def of(cls, limits: StreamLimits) -> Allowance:
        """A full allowance."""
        return cls(
            Bucket(limits.write_records_per_second),
            Bucket(limits.write_bytes_per_second),
            Bucket(limits.read_calls_per_second),
            Bucket(limits.read_bytes_per_second),
            pause_ns=limits.get_records_bytes_max * SECOND // limits.read_bytes_per_second,
        )

    def admits(self, size: int, now_ns: int) -> bool:
        """Whether the shard has room for a record of so many bytes.

        A record of more than a second's bytes (the page "Large records") needs a full allowance, and is paid
        for afterwards.
        """
        return self._write_records.has(1, now_ns) and self._write_bytes.has(size, now_ns)

    def put(self, size: int, now_ns: int) -> None:
        """Account for a record that was put."""
        self._write_records.take(1, now_ns)
        self._write_bytes.take(size, now_ns)

    def answers(self, now_ns: int) -> bool:
        """Whether the shard answers a `get_records` now, and accounts for the call."""
        if now_ns < self._paused_until_ns or not (
            self._read_calls.has(1, now_ns) and self._read_bytes.has(1, now_ns)
        ):
            return False
        self._read_calls.take(1, now_ns)
        return True

    def gave(self, records: list[Record], now_ns: int, *, pause: bool) -> None:
        """Account for the records of an answer.

        Args:
            records: At least one.
            now_ns: When they were read.
            pause: Whether the answer was cut short by its size, after which the shard rests until it has made
                up for it (the page "GetRecords": five seconds for 10 MiB).
        """
        size = records[-1].end - records[0].end + records[0].size
        self._read_bytes.take(size, now_ns)
        if pause:
            self._paused_until_ns = now_ns + self._pause_ns

    @property
    def used_by_puts(self) -> tuple[int, int]:
        """What puts have used up, to be kept; reading is no change, so what it has used up is not kept."""
        return self._write_records._full_at, self._write_bytes._full_at

    def resume(self, used_by_puts: tuple[int, int]) -> None:
        """Go on from what was kept."""
        self._write_records._full_at, self._write_bytes._full_at = used_by_puts

    def copy(self) -> Allowance:
        """The same allowance, to try something on."""
        return attrs.evolve(
            self, write_records=attrs.evolve(self._write_records), write_bytes=attrs.evolve(self._write_bytes)
        )


@attrs.define(eq=False)
class LoadMeter:
    """How many shards an on-demand stream wants for its load: room for twice the highest that it has seen.

    Attributes:
        shards_wanted: So many, by the busiest second so far.
    """

    _records_per_second: int
    _bytes_per_second: int
    shards_wanted: int = 0
    _second: int = 0
    _records: int = 0
    _bytes: int = 0

    @classmethod
    def of(cls, limits: StreamLimits) -> LoadMeter:
        """A meter that has seen nothing."""
        return cls(limits.write_records_per_second, limits.write_bytes_per_second)

    @property
    def seen(self) -> tuple[int, int, int, int]:
        """What it has seen, to be kept."""
        return self.shards_wanted, self._second, self._records, self._bytes

    def resume(self, seen: tuple[int, int, int, int]) -> None:
        """Go on from what was kept."""
        self.shards_wanted, self._second, self._records, self._bytes = seen

    def add(self, size: int, now_ns: int) -> None:
        """Count a record of so many bytes."""
        if now_ns // SECOND != self._second:
            self._second, self._records, self._bytes = now_ns // SECOND, 0, 0
        self._records += 1
        self._bytes += size
        self.shards_wanted = max(
            self.shards_wanted,
            -(-2 * self._records // self._records_per_second),
            -(-2 * self._bytes // self._bytes_per_second),
        )
