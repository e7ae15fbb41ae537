"""What the tests of streams start from: streams that are deleted again, and ways to read from any engine."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from queuestream.core.errors import ResourceNotFoundException
from queuestream.testing.conformance.capabilities import STREAM_CAPABILITIES
from queuestream.testing.conformance.suite import Conformance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from queuestream.core.broker import Broker
    from queuestream.core.streams.record import Record
    from queuestream.core.streams.stream import Stream

    NewStream = Callable[..., Stream]

HASH_KEYS = 2**128
MIDDLE = str(HASH_KEYS // 2)
NO_SHARD = "shardId-000000000099"

_READS_MAX = 20


class StreamSuite(Conformance):
    """The fixtures of every class of tests about streams."""

    capabilities: ClassVar[AbstractSet[str]] = frozenset(STREAM_CAPABILITIES)

    _all_capabilities: ClassVar[Mapping[str, str]] = STREAM_CAPABILITIES

    @pytest.fixture
    def new_stream(self, broker: Broker, unique: Callable[[str], str]) -> Iterator[NewStream]:
        """Makes a stream of a name of its own, with one shard or as asked for; deletes it afterwards."""
        made: list[Stream] = []

        def new_stream(stem: str = "events", **settings: Any) -> Stream:
            if settings.get("stream_mode") != "ON_DEMAND":
                settings.setdefault("shard_count", 1)
            made.append(broker.create_stream(unique(stem), **settings))
            self.active(made[-1])
            return made[-1]

        yield new_stream
        for stream in reversed(made):
            self.delete(stream)

    @pytest.fixture
    def stream(self, new_stream: NewStream) -> Stream:
        """A stream with one shard."""
        return new_stream()

    @pytest.fixture
    def two(self, new_stream: NewStream) -> Stream:
        """A stream with two shards."""
        return new_stream(shard_count=2)

    def delete(self, stream: Stream) -> None:
        """Delete a stream with its consumers, if it is still there."""
        # A parameter that not every service knows is left out where it is not needed.
        options = {"enforce_consumer_deletion": True} if "consumers" in self.capabilities else {}
        with suppress(ResourceNotFoundException):
            self.settles(lambda: stream.status not in {"CREATING", "UPDATING"})
            stream.delete(**options)

    def active(self, stream: Stream) -> None:
        """Wait until a stream is done with what was asked of it."""
        self.becomes(lambda: stream.status, "ACTIVE")

    def read(
        self, stream: Stream, kind: str = "TRIM_HORIZON", *position: Any, count: int = 1, **more: Any
    ) -> list[bytes]:
        """What the first shard gives from a position on, as soon as it is so many records."""
        iterator = stream.get_shard_iterator(first_shard(stream), kind, *position, **more)
        return data(self.records_from(stream, iterator, count))

    def records_from(self, stream: Stream, shard_iterator: str, count: int = 1) -> list[Record]:
        """Read on until so many records have come, or no more come."""
        records: list[Record] = []
        iterator: str | None = shard_iterator
        for _ in range(_READS_MAX):
            if len(records) >= count or iterator is None:
                break
            result = stream.get_records(iterator)
            records += result.records
            iterator = result.next_shard_iterator
        return records


def data(records: Iterable[Record]) -> list[bytes]:
    """What was put."""
    return [record.data for record in records]


def shard_ids(stream: Stream) -> list[str]:
    """The ids of all shards."""
    return [shard.shard_id for shard in stream.list_shards().shards]


def first_shard(stream: Stream) -> str:
    """The id of the shard that was made first."""
    return shard_ids(stream)[0]


def open_ranges(stream: Stream) -> list[tuple[int, int]]:
    """The first and last hash keys of the open shards."""
    return sorted(
        (int(shard.hash_key_range[0]), int(shard.hash_key_range[1]))
        for shard in stream.list_shards().shards
        if shard.ending_sequence_number is None
    )
