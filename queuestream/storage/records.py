"""Shards whose records stay on disk: the newest in memory, the others read when somebody asks.

A shard's records are rows whose keys are the shard's own number and the record's number in
the shard, so a record is one look into the table, and a read of many is one SELECT.  Arrival
times never fall with the number, so a time is found by bisecting numbers, without an index
of times; what has expired is found from the oldest record on, in ever longer steps.

A record comes into memory when it is put.  Once it is a row it may leave, and does so when the
shard has a *tail* of newer ones: who reads at the tip is served from memory, and a stream may be
larger than memory.  What is in memory is always the end of the shard:

    numbers   1 ...... horizon ............ base_number ........... next_number
              trimmed  rows, read from disk  in memory; rows, too, until `written`

Nothing here writes: which records are to become rows, and which rows are to go, is for
stream_rows.py to ask, and opening is not a matter of how many records there are.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from contextlib import closing
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs

from queuestream.core.errors import StorageDamaged
from queuestream.core.streams.limits import MIB
from queuestream.core.streams.record import EncryptedRecord, Record
from queuestream.core.streams.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.core.streams.shard import ShardIdentity

NUMBER_BITS = 40
_NUMBERS = 2**NUMBER_BITS - 1

# A record's class, by what its row says in `encrypted`.
_KINDS = (Record, EncryptedRecord)

_arrival = attrgetter("arrival_ns")
_end = attrgetter("end")

_BETWEEN = (
    f"select data, partition_key, key & {_NUMBERS}, arrival_ns, end_bytes, encrypted "  # noqa: S608 - a number
    "from records where key >= ? and key < ? order by key"
)
_ARRIVAL = "select arrival_ns from records where key = ?"
_START = "select end_bytes - length(data) - length(cast(partition_key as blob)) from records where key = ?"


@attrs.frozen
class Tail:
    """How much of what is on disk stays in memory, too, for those who read at the tip.

    Attributes:
        records_max: Records of a shard.
        bytes_max: Bytes of a shard.
        stream_bytes_max: Bytes of all open shards of a stream; a closed shard has no tail.
    """

    records_max: int = 1_000
    bytes_max: int = MIB
    stream_bytes_max: int = 32 * MIB

    def bytes_of_each(self, open_shards: int) -> int:
        """What each of so many shards may keep."""
        return min(self.bytes_max, self.stream_bytes_max // max(1, open_shards))


class StoredRecords:
    """The table of records, as shards read it.

    Args:
        connection: Used under the broker's lock only; what writes has another one.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._path = connection.execute("PRAGMA database_list").fetchone()[2] or ":memory:"

    def arrival_ns(self, key: int) -> int:
        """When a record arrived."""
        return self._number(_ARRIVAL, key)

    def start(self, key: int) -> int:
        """The bytes that the shard had taken in before a record."""
        return self._number(_START, key)

    def read(self, key: int, end_key: int, identity: ShardIdentity, bytes_max: int | None) -> list[Record]:
        """The records from one key up to another: as many as the bytes allow, and one at the least.

        Raises:
            StorageDamaged: One of them isn't there, or cannot be read.
        """
        records: list[Record] = []
        add = records.append
        kinds = _KINDS
        bytes_end: int | None = None
        try:
            # An unfinished SELECT would keep the write-ahead log from being written back.
            with closing(self._connection.execute(_BETWEEN, (key, end_key))) as rows:
                for data, partition_key, number, arrival_ns, end, encrypted in rows:
                    record = kinds[encrypted](data, partition_key, identity, number, arrival_ns, end)
                    if bytes_end is None:
                        bytes_end = 2**63 if bytes_max is None else end - record.size + bytes_max
                    elif end > bytes_end:
                        end_key = key + len(records)
                        break
                    add(record)
        except (sqlite3.Error, LookupError, TypeError, ValueError) as error:
            raise StorageDamaged(self._path, str(error)) from error
        if len(records) != end_key - key:
            raise self._missing(key, end_key)
        return records

    def _number(self, question: str, key: int) -> int:
        try:
            row = self._connection.execute(question, (key,)).fetchone()
        except sqlite3.Error as error:
            raise StorageDamaged(self._path, str(error)) from error
        if row is None:
            raise self._missing(key, key + 1)
        number: int = row[0]
        return number

    def _missing(self, key: int, end_key: int) -> StorageDamaged:
        return StorageDamaged(self._path, f"records are missing between the keys {key} and {end_key}")


@attrs.define(eq=False)
class StoredShard(Shard):
    """A shard whose records are on disk, but for the newest.

    Attributes:
        stored: Where its rows are read.
        row_id: Its own number in the database.
        row: What its row says of what may change; None where it has none yet.
        written: The number of the first record that is no row yet.
        trimmed: The number of the first record whose row is not on its way out.
    """

    stored: StoredRecords = attrs.field(kw_only=True)
    row_id: int = attrs.field(kw_only=True)
    row: tuple[object, ...] | None = attrs.field(default=None, init=False)
    written: int = attrs.field(default=1, kw_only=True)
    trimmed: int = attrs.field(default=1, kw_only=True)
    _horizon: int = attrs.field(default=1, kw_only=True)
    # When the record at the horizon arrived, where it is on disk and that was asked before.
    _oldest_ns: int | None = attrs.field(default=None, init=False)

    @property
    def horizon(self) -> int:
        """The number of the oldest record that was not trimmed."""
        return self._horizon

    # --- looking up ---

    def number_at_time(self, time_ns: int) -> int:
        """The number of the first record that arrived at this time or later."""
        first, memory = self.base_number, self.records
        if self._horizon >= first or (memory and memory[0].arrival_ns < time_ns):
            return super().number_at_time(time_ns)
        return self._horizon + bisect_left(range(self._horizon, first), time_ns, key=self.arrival_ns)

    def read(self, number: int, records_max: int, bytes_max: int) -> list[Record]:
        """The records from this number on: as many as both limits allow, and at least one if there is one."""
        first = max(number, self._horizon)
        if first >= self.base_number:
            return super().read(first, records_max, bytes_max)
        last = min(first + records_max, self.base_number)
        records = self._read(first, last, bytes_max)
        bytes_end = records[0].end - records[0].size + bytes_max
        rest = min(records_max - len(records), len(self.records))
        return records + self.records[: bisect_right(self.records, bytes_end, 0, rest, key=_end)]

    def bytes_from(self, number: int) -> int:
        """How many bytes there are to read from this number on."""
        first = max(number, self._horizon)
        if first >= self.base_number:
            return super().bytes_from(first)
        return self.end - self.stored.start(self.row_id << NUMBER_BITS | first)

    def arrival_ns(self, number: int) -> int:
        """When the record with this number arrived; it is one that was not trimmed."""
        if number >= self.base_number:
            return super().arrival_ns(number)
        if number != self._horizon:
            return self.stored.arrival_ns(self.row_id << NUMBER_BITS | number)
        if self._oldest_ns is None:
            self._oldest_ns = self.stored.arrival_ns(self.row_id << NUMBER_BITS | number)
        return self._oldest_ns

    def live_records(self, skipped: int = 0) -> list[Record]:
        """A list of what was not trimmed, oldest first, without the first so many; all of it in memory."""
        first = self._horizon + skipped
        if first >= self.base_number:
            return self.records[first - self.base_number :]
        return self._read(first, self.base_number, None) + self.records

    def _read(self, first: int, last: int, bytes_max: int | None) -> list[Record]:
        key = self.row_id << NUMBER_BITS
        return self.stored.read(key | first, key | last, self.identity, bytes_max)

    # --- shrinking ---

    def expired(self, horizon_ns: int) -> int:
        """How many of its oldest records arrived at this time or before.

        Cost: constant where there are none, and logarithmic in their number else.
        """
        first, horizon, memory = self.base_number, self._horizon, self.records
        if horizon >= first:
            return super().expired(horizon_ns)
        if self.arrival_ns(horizon) > horizon_ns:
            return 0
        if memory and memory[0].arrival_ns <= horizon_ns:
            return first - horizon + bisect_right(memory, horizon_ns, key=_arrival)
        low, step = horizon, 1
        while low + step < first and self.arrival_ns(low + step) <= horizon_ns:
            low, step = low + step, step * 2
        numbers = range(low, min(low + step, first))
        return low - horizon + bisect_right(numbers, horizon_ns, key=self.arrival_ns)

    def trim(self, count: int) -> None:
        """Forget this many of its oldest records."""
        horizon = self._horizon + count
        in_memory = horizon - self.base_number - self.dead
        if in_memory > 0:
            super().trim(in_memory)
        self._horizon = horizon
        self._oldest_ns = None

    # --- becoming rows, and leaving memory ---

    def unwritten(self) -> list[Record]:
        """What is to become rows."""
        return self.records[max(self.written, self._horizon) - self.base_number :]

    def evict(self, upto: int, records_max: int, bytes_max: int) -> None:
        """Let go of what is on disk, but for a tail.

        Args:
            upto: The number before which all that was not trimmed is on disk.
            records_max: How many the tail may have.
            bytes_max: How many bytes.
        """
        memory = self.records
        by_bytes = bisect_right(memory, self.end - bytes_max, key=_end)
        count = min(upto - self.base_number, max(len(memory) - records_max, by_bytes))
        if count <= 0:
            return
        if self._horizon >= self.base_number and self.dead < count:
            self._oldest_ns = memory[self.dead].arrival_ns
        del memory[:count]
        self.base_number += count
        self.dead = max(0, self.dead - count)

    def check_invariants(self) -> None:
        """Raise AssertionError where the shard contradicts itself; cost grows with all that it holds."""
        super().check_invariants()
        assert self.dead == max(0, self._horizon - self.base_number)
        assert self.base_number <= max(self.written, self._horizon)
        assert self.written <= self.next_number
        assert self.trimmed <= self._horizon
        if self._oldest_ns is not None and self._horizon < self.base_number:
            assert self._oldest_ns == self.stored.arrival_ns(self.row_id << NUMBER_BITS | self._horizon)


def rows_of(row_id: int, records: Iterable[Record]) -> Iterable[tuple[object, ...]]:
    """What records are as rows of the table `records`."""
    key = row_id << NUMBER_BITS
    for record in records:
        yield (
            key | record.number,
            record.arrival_ns,
            record.end,
            record.encryption_type == "KMS",
            record.partition_key,
            record.data,
        )
