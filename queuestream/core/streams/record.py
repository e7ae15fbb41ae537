"""Records: what a producer puts in, and what every consumer of a shard reads.

A record is made once and handed to everybody: the put answers with it, the shard keeps it,
every read returns it.  That is why it has what AWS says in each of these places
(`shard_id`, `sequence_number`, `approximate_arrival_timestamp` ...), and why it is read-only
by convention: `Record` is a plain class with slots, because a frozen one costs four times as
much to make, and copying each record for each reader costs more than reading it.

What can be worked out later is worked out when it is asked for: the 56 digits of a sequence
number, the timestamp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.core.streams import sequence_numbers
from queuestream.core.streams.checks import timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from queuestream.core.streams.shard import ShardIdentity


class Record:
    """One record of a stream; read-only.

    Attributes:
        data: The bytes that were put.
        partition_key: The key that they were put under.
        shard: What the shard is that the record lies in.
        number: The record's place in its shard, counted from 1.
        arrival_ns: When it arrived, in nanoseconds since the epoch.
        end: Bytes that its shard had taken in once this record was in it (data and partition keys).
        encryption_type: `NONE` or `KMS`.
    """

    __slots__ = ("arrival_ns", "data", "end", "number", "partition_key", "shard")

    encryption_type = "NONE"

    # A record that was put is also an entry of the answer to `put_records`: one without an error.
    error_code: str | None = None
    error_message: str | None = None

    def __init__(
        self, data: bytes, partition_key: str, shard: ShardIdentity, number: int, arrival_ns: int, end: int
    ) -> None:
        self.data = data
        self.partition_key = partition_key
        self.shard = shard
        self.number = number
        self.arrival_ns = arrival_ns
        self.end = end

    @property
    def shard_id(self) -> str:
        """The shard that the record lies in."""
        return self.shard.shard_id

    @property
    def sequence_number(self) -> str:
        """The 56 digits that name the record in its stream."""
        return sequence_numbers.text_of(self.shard.base, self.number, self.arrival_ns)

    @property
    def approximate_arrival_timestamp(self) -> datetime:
        """When the record arrived, in UTC, with the millisecond precision that AWS gives."""
        return timestamp(self.arrival_ns)

    @property
    def size(self) -> int:
        """Its bytes as Kinesis counts them: the data's and the partition key's."""
        return len(self.data) + len(self.partition_key.encode())

    def __repr__(self) -> str:
        data = self.data if len(self.data) <= 40 else self.data[:40] + b"..."
        return (
            f"<{type(self).__name__} {self.number} of {self.shard_id}: {data!r} under {self.partition_key!r}>"
        )


class EncryptedRecord(Record):
    """A record that arrived while the stream was encrypted."""

    __slots__ = ()

    encryption_type = "KMS"


@attrs.frozen(kw_only=True)
class RejectedRecord:
    """The entry of `put_records`' answer for a record that its shard had no room for just then."""

    error_code: str
    error_message: str
    shard_id: None = None
    sequence_number: None = None


# Made once per call: not frozen, because speed decided; read-only by convention.
@attrs.define
class PutRecordsResult:
    """What became of the records of one `put_records`.

    Attributes:
        failed_record_count: How many were not put, and should be put again.
        records: One entry for each record, in the order of the request.
        encryption_type: `NONE` or `KMS`.
    """

    failed_record_count: int
    records: list[Record | RejectedRecord]
    encryption_type: str


@attrs.frozen
class ChildShard:
    """A shard that another one was split or merged into."""

    shard_id: str
    parent_shards: tuple[str, ...]
    hash_key_range: tuple[str, str]


@attrs.define
class GetRecordsResult:
    """What one `get_records` found.

    Attributes:
        records: The records, oldest first.  They are the stored ones: don't change them.
        next_shard_iterator: Where to go on; None at the end of a closed shard.
        millis_behind_latest: How old the last record of the answer is, while more wait behind it; 0 at the
            tip.
        child_shards: At the end of a closed shard, the shards to go on with.
    """

    records: list[Record]
    next_shard_iterator: str | None
    millis_behind_latest: int
    child_shards: list[ChildShard]
