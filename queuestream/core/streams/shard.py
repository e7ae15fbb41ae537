"""A shard: the records of one range of hash keys, in the order in which they arrived.

The records stand in a list that grows at its end.  Numbers count up by one and arrival times
never fall, so a number is found by subtraction and a time by bisection.  What has outlived the
retention period is always a prefix.  Trimming puts a placeholder where each record stood, which
frees the record at once, and cuts the placeholders off when they are half of the list, so that
a trimmed record costs the same on average, however long the list is.

Nothing here holds a clock or publishes changes; that is for the stream.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs

from queuestream.core.clock import SECOND, Wakeup
from queuestream.core.errors import ResourceNotFoundException
from queuestream.core.streams import sequence_numbers
from queuestream.core.streams.hash_keys import hash_bytes
from queuestream.core.streams.record import ChildShard, Record

if TYPE_CHECKING:
    from queuestream.core.streams.throughput import Allowance

_INDEX_MAX = 2**31 - 1

_arrival = attrgetter("arrival_ns")
_end = attrgetter("end")


def shard_id_of(index: int) -> str:
    """The name of the stream's n-th shard, counted from 0."""
    return f"shardId-{index:012d}"


def index_of(shard_id: str) -> int | None:
    """The index that a shard's name says; None where it says none.

    AWS was recorded to look at the number after the first hyphen, and at nothing else: `shardId-0`,
    `shard-0` and `0` name the first shard, too.
    """
    digits = shard_id.partition("-")[2].partition("-")[0] or shard_id
    if not (digits.isascii() and digits.isdigit()):
        return None
    index = int(digits)
    return index if index <= _INDEX_MAX else None


def shard_not_found(shard_id: str, stream_name: str, account_id: str) -> ResourceNotFoundException:
    """What AWS says to a reader of a shard, or of a stream, that isn't there."""
    index = index_of(shard_id)
    if index is None:
        return no_such_shard(shard_id, stream_name, account_id)
    return ResourceNotFoundException(
        f"Shard {shard_id_of(index)} in stream {stream_name} under account {account_id} does not exist"
    )


def no_such_shard(shard_id: str, stream_name: str, account_id: str) -> ResourceNotFoundException:
    """What AWS says where a shard is to be split or merged, and of a name that is no shard's at all."""
    return ResourceNotFoundException(
        f"Could not find shard {shard_id} in stream {stream_name} under account {account_id}."
    )


@attrs.frozen(kw_only=True)
class ShardIdentity:
    """What is settled about a shard when it is made.

    Attributes:
        shard_id: `shardId-` and twelve digits.
        index: The number in it: the how-manieth shard of the stream it is, from 0.
        starting_hash_key: The first hash key of its range.
        ending_hash_key: The last hash key of its range; it belongs to the range.
        created_at_ns: When it was made.
        stamp: The second in which it was made, at least one more than its parents' stamps.
        parent_shard_id: The shard that it was split off or merged from.
        adjacent_parent_shard_id: The other one, after a merge.
        base: What all its sequence numbers have in common.
    """

    shard_id: str
    index: int
    starting_hash_key: int
    ending_hash_key: int
    created_at_ns: int
    stamp: int
    parent_shard_id: str | None = None
    adjacent_parent_shard_id: str | None = None
    base: int = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "base", sequence_numbers.base_of(self.stamp, self.index))

    @property
    def parents(self) -> tuple[str, ...]:
        """The shards that it came from: none, one after a split, two after a merge."""
        return tuple(
            shard_id
            for shard_id in (self.parent_shard_id, self.adjacent_parent_shard_id)
            if shard_id is not None
        )

    @property
    def hash_key_range(self) -> tuple[str, str]:
        """Both ends of its range, in digits."""
        return str(self.starting_hash_key), str(self.ending_hash_key)

    @property
    def starting_sequence_number(self) -> str:
        """A sequence number just below the first record's."""
        return sequence_numbers.text_of(self.base, 0, self.stamp * SECOND)

    def as_child(self) -> ChildShard:
        """What a parent's readers are told about it."""
        return ChildShard(self.shard_id, self.parents, self.hash_key_range)


@attrs.frozen
class ShardDescription:
    """What AWS says about a shard.

    Attributes:
        hash_key_range: The first and the last hash key of its range, in digits.
        starting_sequence_number: Just below its first record's.
        ending_sequence_number: Above its last record's; None while the shard is open.
    """

    shard_id: str
    parent_shard_id: str | None
    adjacent_parent_shard_id: str | None
    hash_key_range: tuple[str, str]
    starting_sequence_number: str
    ending_sequence_number: str | None


@attrs.define(eq=False)
class Shard:
    """The records of one range of hash keys.

    Attributes:
        identity: What was settled when it was made.
        records: Placeholders for what was trimmed, then the records, oldest first.
        dead: How many placeholders there are.
        base_number: The number that `records[0]` has, or had.
        end: Bytes taken in so far.
        closed_at_ns: When it was split or merged; None while it is open.
        children: What it was split or merged into.
        waiters: Who wants to hear of new records.
        allowance: What it may take in and give out just now, where the stream enforces that.
    """

    identity: ShardIdentity
    records: list[Record] = attrs.Factory(list)
    dead: int = 0
    base_number: int = 1
    end: int = 0
    closed_at_ns: int | None = None
    children: list[ShardIdentity] = attrs.Factory(list)
    waiters: set[Wakeup] = attrs.Factory(set)
    allowance: Allowance | None = None
    range_end: bytes = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.range_end = hash_bytes(self.identity.ending_hash_key)

    @property
    def shard_id(self) -> str:
        """Its name."""
        return self.identity.shard_id

    @property
    def is_open(self) -> bool:
        """Whether it takes records."""
        return self.closed_at_ns is None

    @property
    def next_number(self) -> int:
        """The number that the next record gets."""
        return self.base_number + len(self.records)

    @property
    def horizon(self) -> int:
        """The number of the oldest record that was not trimmed."""
        return self.base_number + self.dead

    # --- growing ---

    def append(self, record: Record) -> None:
        """Take in a record that was made for this place."""
        self.end = record.end
        self.records.append(record)
        if self.waiters:
            self.wake()

    def wake(self) -> None:
        """Tell everybody who waits that there is news."""
        for wakeup in self.waiters:
            wakeup.set()

    def close(self, now_ns: int) -> None:
        """Take no more records."""
        self.closed_at_ns = now_ns
        self.wake()

    # --- looking up; each in logarithmic time or better ---

    def number_at_time(self, time_ns: int) -> int:
        """The number of the first record that arrived at this time or later."""
        return self.base_number + bisect_left(self.records, time_ns, self.dead, key=_arrival)

    def read(self, number: int, records_max: int, bytes_max: int) -> list[Record]:
        """The records from this number on: as many as both limits allow, and at least one if there is one."""
        records = self.records
        first = max(number - self.base_number, self.dead)
        last = min(first + records_max, len(records))
        if first >= last:
            return []
        bytes_end = records[first].end - records[first].size + bytes_max
        if records[last - 1].end > bytes_end:
            last = max(first + 1, bisect_right(records, bytes_end, first, last, key=_end))
        return records[first:last]

    def bytes_from(self, number: int) -> int:
        """How many bytes there are to read from this number on."""
        first = max(number - self.base_number, self.dead)
        if first >= len(self.records):
            return 0
        return self.end - self.records[first].end + self.records[first].size

    def arrival_ns(self, number: int) -> int:
        """When the record with this number arrived; it is one that was not trimmed."""
        return self.records[number - self.base_number].arrival_ns

    def ending_sequence_number(self) -> str | None:
        """Above all of its records'; None while it is open."""
        if self.closed_at_ns is None:
            return None
        return sequence_numbers.text_of(self.identity.base, sequence_numbers.LAST_NUMBER, self.closed_at_ns)

    def describe(self) -> ShardDescription:
        """What AWS says about it."""
        identity = self.identity
        return ShardDescription(
            identity.shard_id,
            identity.parent_shard_id,
            identity.adjacent_parent_shard_id,
            identity.hash_key_range,
            identity.starting_sequence_number,
            self.ending_sequence_number(),
        )

    # --- shrinking ---

    def expired(self, horizon_ns: int) -> int:
        """How many of its oldest records arrived at this time or before."""
        records = self.records
        if self.dead == len(records) or records[self.dead].arrival_ns > horizon_ns:
            return 0
        return bisect_right(records, horizon_ns, self.dead, key=_arrival) - self.dead

    def oldest_arrival_ns(self, horizon_ns: int) -> int | None:
        """When the oldest of its records that arrived after this time did; None where there is none."""
        number = self.horizon + self.expired(horizon_ns)
        return None if number == self.next_number else self.arrival_ns(number)

    def trim(self, count: int) -> None:
        """Forget this many of its oldest records.  Cost: constant for each of them, on average."""
        dead = self.dead + count
        if dead * 2 >= len(self.records):
            del self.records[:dead]
            self.base_number += dead
            self.dead = 0
        else:
            self.records[self.dead : dead] = [_TRIMMED] * count
            self.dead = dead

    def live_records(self, skipped: int = 0) -> list[Record]:
        """A list of what was not trimmed, oldest first, without the first so many."""
        return self.records[self.dead + skipped :]

    def check_invariants(self) -> None:
        """Raise AssertionError where the shard contradicts itself."""
        live = self.live_records()
        assert all(record is _TRIMMED for record in self.records[: self.dead])
        assert [record.number for record in live] == list(range(self.horizon, self.next_number))
        assert all(record.shard is self.identity for record in live)
        assert all(a.arrival_ns <= b.arrival_ns and a.end <= b.end for a, b in pairwise(live))
        assert not live or live[-1].end == self.end
        assert self.dead * 2 < len(self.records) or not self.dead
        assert bool(self.children) is (not self.is_open)


NewShard = Callable[[str, ShardIdentity, "Allowance | None"], Shard]
"""Makes a shard of the stream of that name."""

_TRIMMED = Record(
    b"",
    "",
    ShardIdentity(shard_id="", index=0, starting_hash_key=0, ending_hash_key=0, created_at_ns=0, stamp=0),
    number=0,
    arrival_ns=0,
    end=0,
)
"""Stands where a trimmed record stood."""
