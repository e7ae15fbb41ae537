"""A stream, and a reader of the user's; Hypothesis is everybody else.

The machine puts records, splits and merges shards, and reads for the reader, who may stop and go on from its
last checkpoint, so that records come again.  Parents are read before their children.  At the end of each
example it reads on until nothing is left, and holds the stream to its word: every record has been handled, in
the order of its partition key.
"""

from __future__ import annotations

import inspect
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from queuestream.core.broker import Broker
from queuestream.core.virtual_clock import VirtualClock
from queuestream.testing.strategies import partition_keys, seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import DataObject, SearchStrategy

    from queuestream.core.streams.record import Record
    from queuestream.core.streams.shard import ShardDescription
    from queuestream.core.streams.stream import Stream

_SHARDS_MAX = 8


class StreamMachine(RuleBasedStateMachine):
    """A stream with a reader.  Subclass it, write `handle`, and run its `TestCase`.

    Attributes:
        data: Class attribute: what is put.
        partition_keys: Class attribute: the keys it is put under.
        settings: Class attribute: the stream's settings, as of `Broker.create_stream`.
        clock: The VirtualClock of the example.
        broker: Its Broker.
        stream: Its Stream.
        checkpoints: How far the reader has come for good: the last sequence number by shard.
        handled: The sequence numbers of what was handled, by partition key, repeats included.
    """

    data: ClassVar[SearchStrategy[bytes]] = st.binary(max_size=100)
    partition_keys: ClassVar[SearchStrategy[str]] = partition_keys()
    settings: ClassVar[Mapping[str, Any]] = {"shard_count": 2}

    clock: VirtualClock
    broker: Broker
    stream: Stream
    checkpoints: dict[str, str]
    handled: dict[str, list[int]]

    def __init_subclass__(cls) -> None:
        if inspect.iscoroutinefunction(cls.handle):
            raise TypeError(f"{cls.__name__}.handle is called, not awaited: write it without async.")

    # --- what users write ---

    def prepare(self) -> None:
        """Begin an example: make what the reader works on.  The broker and the stream are there."""

    def handle(self, record: Record) -> None:
        """The reader's work with one record, which may have been there before the last stop."""
        raise NotImplementedError(f"{type(self).__name__} says in `handle` what its reader does.")

    def check(self) -> None:
        """Assert what holds after every step."""

    def check_at_the_end(self) -> None:
        """Assert what holds when all records have been handled."""

    # --- what Hypothesis does ---

    @initialize(seed=seeds())
    def begin(self, seed: int) -> None:
        """A new stream."""
        self.clock = VirtualClock()
        self.broker = Broker(clock=self.clock, seed=seed)
        self.stream = self.broker.create_stream("stream", **self.settings)
        self.checkpoints, self.handled = {}, {}
        self._positions: dict[str, str] = {}
        self._finished: set[str] = set()
        self._put: dict[str, list[int]] = {}
        self.prepare()

    @rule(data=st.data(), count=st.integers(1, 5))
    def put(self, data: DataObject, count: int) -> None:
        """A producer puts records, one after the other."""
        for _ in range(count):
            key = data.draw(self.partition_keys, label="partition key")
            put = self.stream.put_record(data.draw(self.data, label="data"), key)
            self._put.setdefault(key, []).append(int(put.sequence_number))

    @rule(data=st.data(), limit=st.sampled_from([1, 2, 10]))
    def read(self, data: DataObject, limit: int) -> None:
        """The reader gets records of a shard, and handles them."""
        shards = self._readable()
        if shards:
            self._read(data.draw(st.sampled_from(shards), label="shard"), limit)

    @rule()
    def checkpoint(self) -> None:
        """The reader notes how far it has come."""
        self.checkpoints = dict(self._positions)

    @precondition(lambda self: self._positions != self.checkpoints)
    @rule()
    def stop(self) -> None:
        """The reader stops, and goes on from its checkpoints."""
        self._positions = dict(self.checkpoints)
        # A shard read to its end is looked at again, since what it ended with may come again.
        self._finished.clear()

    @rule(data=st.data())
    def split(self, data: DataObject) -> None:
        """An operator splits a shard in the middle."""
        shards = [shard for shard in self._open() if _width(shard) > 1]
        if shards and len(shards) < _SHARDS_MAX:
            shard = data.draw(st.sampled_from(shards), label="shard")
            first, last = map(int, shard.hash_key_range)
            self.stream.split_shard(shard.shard_id, str((first + last + 1) // 2))

    @rule(data=st.data())
    def merge(self, data: DataObject) -> None:
        """An operator merges two neighbours."""
        shards = sorted(self._open(), key=lambda shard: int(shard.hash_key_range[0]))
        pairs = list(pairwise(shards))
        if pairs:
            one, other = data.draw(st.sampled_from(pairs), label="shards")
            self.stream.merge_shards(one.shard_id, other.shard_id)

    @rule(seconds=st.sampled_from([0.5, 1, 60, 300]))
    def let_time_pass(self, seconds: float) -> None:
        """Time passes, not so much that records expire."""
        self.clock.advance(seconds=seconds)

    @invariant()
    def holds(self) -> None:
        """What users say holds, and the stream's own books."""
        if hasattr(self, "stream"):
            self.stream.check_invariants()
            self.check()

    def teardown(self) -> None:
        """All is handled, in order."""
        if not hasattr(self, "stream"):
            return
        try:
            # In rounds: a child has its turn in the round after its parents'.
            while any([self._read(shard, 10_000) for shard in self._readable()]):  # noqa: C419 - read them all
                self.clock.advance(seconds=1)
                self.check()
            for key, put in self._put.items():
                first_times = list(dict.fromkeys(self.handled.get(key, [])))
                assert first_times == put, f"Records of {key!r} were put as {put}, handled as {first_times}."
            self.check_at_the_end()
        finally:
            self.broker.close()

    # --- how ---

    def _read(self, shard_id: str, limit: int) -> bool:
        """Whether there is more to read."""
        after = self._positions.get(shard_id)
        iterator = (
            self.stream.get_shard_iterator(shard_id, "TRIM_HORIZON")
            if after is None
            else self.stream.get_shard_iterator(shard_id, "AFTER_SEQUENCE_NUMBER", after)
        )
        answer = self.stream.get_records(iterator, limit)
        for record in answer.records:
            self.handle(record)
            self.handled.setdefault(record.partition_key, []).append(int(record.sequence_number))
            self._positions[shard_id] = record.sequence_number
        if answer.next_shard_iterator is None:
            self._finished.add(shard_id)
            return True
        return bool(answer.records)

    def _readable(self) -> list[str]:
        """The shards whose parents have been read, and that are not at their end themselves."""
        shards = self.stream.list_shards().shards
        unread = {shard.shard_id for shard in shards} - self._finished
        return [
            shard.shard_id
            for shard in shards
            if shard.shard_id in unread
            and not unread & {shard.parent_shard_id, shard.adjacent_parent_shard_id}
        ]

    def _open(self) -> list[ShardDescription]:
        return [shard for shard in self.stream.list_shards().shards if shard.ending_sequence_number is None]


def _width(shard: ShardDescription) -> int:
    first, last = map(int, shard.hash_key_range)
    return last - first
