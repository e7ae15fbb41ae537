"""Records and iterators as AWS gives them: the core's, as far as AWS says what the core knows.

A `RemoteRecord` is a `Record`, so what a program does with one it does with the other.  What a record
of the core's has beyond AWS's is not there: asking for it says so, in the engine's own error.

AWS's answer with records does not name their shard, and an iterator is opaque.  So the iterators that a
stream hands out are texts that remember their shard: they can be used with boto3, too, and lose nothing but
the memory where they are written down and read again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Self

from queuestream.core.errors import NotSupportedByEngine
from queuestream.core.streams.record import Record

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_NOT_SAID = {
    "number": ("number of a record", "Its sequence_number is what names it."),
    "end": ("end of a record", "AWS does not say how much a shard has taken in."),
    "shard": ("shard of a record", "Its shard_id names it, and list_shards() says what there is about it."),
    "shard_id": (
        "shard_id of a record that was read with somebody else's iterator",
        "Use the iterators that this process got from get_shard_iterator() and get_records().",
    ),
    "approximate_arrival_timestamp": (
        "arrival time of a record that was just put",
        "The record has one when it is read.",
    ),
}
"""What AWS does not say of a record, or not in every place."""


class ShardIterator(str):
    """An iterator of AWS's that remembers its shard.

    Attributes:
        shard_id: The shard that it reads.
    """

    __slots__ = ("shard_id",)

    shard_id: str | None

    def __new__(cls, text: str, shard_id: str | None = None) -> Self:
        """A text that remembers."""
        iterator = super().__new__(cls, text)
        iterator.shard_id = shard_id
        return iterator


def taken_apart(shard_iterator: str) -> tuple[str, str | None]:
    """An iterator as a plain text, and the shard that it reads; None where it does not remember."""
    if isinstance(shard_iterator, ShardIterator):
        return str(shard_iterator), shard_iterator.shard_id
    return shard_iterator, None


class _NotSaid(NotSupportedByEngine, AttributeError):
    """Also an AttributeError, so that a record can be copied, pickled and looked into."""

    def __init__(self, name: str) -> None:
        super().__init__("aws", *_NOT_SAID[name])


class RemoteRecord(Record):
    """A record that AWS has taken or given; read-only.

    It has `data`, `partition_key`, `shard_id`, `sequence_number`, `approximate_arrival_timestamp` (and
    `arrival_ns`, with its milliseconds), `encryption_type`, `size`, `error_code` and `error_message`.  It has
    no `number`, `end` and `shard`.  When a record arrived is said to those who read it, and not to the one
    who put it.

    Args:
        data: Its bytes.
        partition_key: Its key.
        sequence_number: AWS's name for it in its stream.
        shard_id: Its shard; None where an iterator was used that does not remember.
        encryption_type: `NONE` or `KMS`.
        arrived_at: AWS's timestamp; None where AWS gives none.
    """

    __slots__ = ("_arrived_at", "_sequence_number", "_shard_id", "encryption_type")

    def __init__(
        self,
        data: bytes,
        partition_key: str,
        sequence_number: str,
        shard_id: str | None,
        encryption_type: str,
        arrived_at: datetime | None = None,
    ) -> None:
        # What Record keeps beside these stays unset, and is asked of __getattr__.
        self.data = data
        self.partition_key = partition_key
        self.encryption_type = encryption_type
        self._sequence_number = sequence_number
        self._shard_id = shard_id
        self._arrived_at = arrived_at

    @property
    def shard_id(self) -> str:
        """The shard that the record lies in."""
        if self._shard_id is None:
            raise _NotSaid("shard_id")
        return self._shard_id

    @property
    def sequence_number(self) -> str:
        """The digits that name the record in its stream."""
        return self._sequence_number

    @property
    def approximate_arrival_timestamp(self) -> datetime:
        """When the record arrived, in UTC, with the milliseconds that AWS gives."""
        if self._arrived_at is None:
            raise _NotSaid("approximate_arrival_timestamp")
        return self._arrived_at.astimezone(UTC)

    def __getattr__(self, name: str) -> Any:
        # Python asks here for what stayed unset, and again for a property that raised an AttributeError.
        if name == "arrival_ns":
            return (self.approximate_arrival_timestamp - _EPOCH) // _MICROSECOND * 1_000
        if name in _NOT_SAID:
            raise _NotSaid(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        data = self.data if len(self.data) <= 40 else self.data[:40] + b"..."
        place = (
            self._sequence_number
            if self._shard_id is None
            else f"{self._sequence_number} of {self._shard_id}"
        )
        return f"<{type(self).__name__} {place}: {data!r} under {self.partition_key!r}>"
