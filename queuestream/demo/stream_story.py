"""A stream: every record, keyed, through shards that are split and merged on the way.

A key's records always go to one shard, in order.  When that shard is split or merged, the
key moves to a child of it: who wants a key's records in order reads a parent to its end
before its children.  The reader below does, and keeps one checkpoint per shard.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuestream.core.broker import Broker
    from queuestream.core.streams.record import ChildShard, GetRecordsResult
    from queuestream.core.streams.shard import ShardDescription
    from queuestream.core.streams.stream import Stream
    from queuestream.demo.records import Record


class StreamStory:
    """The stream, its producer, and the operator who reshards it."""

    def __init__(self, broker: Broker) -> None:
        self.stream = broker.create_stream("records", shard_count=4, max_record_size_in_kib=10_240)
        self.reader = Reader(self.stream)
        self.splits = self.merges = 0

    def put(self, record: Record) -> None:
        """The producer: the key decides on the shard."""
        self.stream.put_record(record.to_bytes(), record.key)

    def split(self) -> None:
        """Halve the shard with the most hash keys; its records stay readable, new ones go to the children."""
        shard = max(self._open_shards(), key=_width)
        first, last = map(int, shard.hash_key_range)
        self.stream.split_shard(shard.shard_id, str((first + last) // 2 + 1))
        self.splits += 1

    def merge(self) -> None:
        """Join the two neighbours that have the fewest hash keys together."""
        shards = self._open_shards()
        left, right = min(pairwise(shards), key=lambda pair: sum(map(_width, pair)))
        self.stream.merge_shards(left.shard_id, right.shard_id)
        self.merges += 1

    def _open_shards(self) -> list[ShardDescription]:
        """The shards that take records now, in the order of their hash keys."""
        shards = self.stream.list_shards(shard_filter="AT_LATEST").shards
        return sorted(shards, key=lambda shard: int(shard.hash_key_range[0]))


class Reader:
    """A consumer that comes by now and then, and reads parents before children.

    Attributes:
        seen: The lines of the records, in the order in which it read them.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.seen: list[int] = []
        # By shard, the last sequence number read; None at the start of a shard.
        self._checkpoints: dict[str, str | None] = {
            shard.shard_id: None for shard in stream.list_shards().shards if shard.parent_shard_id is None
        }
        self._finished: set[str] = set()

    def read(self) -> None:
        """Read whatever is there, in all shards and in the children that they lead to."""
        shards = list(self._checkpoints)
        for shard_id in shards:  # grows while we go through it
            shards += self._read_shard(shard_id)

    def _read_shard(self, shard_id: str) -> list[str]:
        """Read one shard to its present end; gives the shards that may be read next."""
        iterator = self._iterator(shard_id)
        while True:
            answer = self._stream.get_records(iterator)
            self._take(answer, shard_id)
            if answer.next_shard_iterator is None:  # a closed shard, to its very end
                return self._move_on(shard_id, answer.child_shards)
            if answer.millis_behind_latest == 0:
                return []
            iterator = answer.next_shard_iterator

    def _iterator(self, shard_id: str) -> str:
        """An iterator lives for five minutes only, so each visit starts from the checkpoint."""
        checkpoint = self._checkpoints[shard_id]
        if checkpoint is None:
            return self._stream.get_shard_iterator(shard_id, "TRIM_HORIZON")
        return self._stream.get_shard_iterator(shard_id, "AFTER_SEQUENCE_NUMBER", checkpoint)

    def _take(self, answer: GetRecordsResult, shard_id: str) -> None:
        for record in answer.records:
            self.seen.append(json.loads(record.data)["line"])
        if answer.records:
            self._checkpoints[shard_id] = answer.records[-1].sequence_number

    def _move_on(self, shard_id: str, children: list[ChildShard]) -> list[str]:
        """Leave a shard for good; a child is read once all its parents are finished."""
        del self._checkpoints[shard_id]
        self._finished.add(shard_id)
        ready = [child.shard_id for child in children if self._finished.issuperset(child.parent_shards)]
        self._checkpoints.update(dict.fromkeys(ready))
        return ready


def _width(shard: ShardDescription) -> int:
    first, last = map(int, shard.hash_key_range)
    return last - first + 1
