"""Putting records while it takes care: somebody listens, shards have an allowance, or take turns.

So it does where a batch may be stored in another order than it was given in: AWS processes each record of a
`put_records` whatever becomes of the others, and guarantees no order among them (PutRecords).

While none of it is the case, `Stream.put_record` and `put_records` take a shorter way to the same
result.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import attrs

from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidArgumentException, ProvisionedThroughputExceededException
from queuestream.core.streams import sequence_numbers
from queuestream.core.streams.capacity_mode import CapacityMode
from queuestream.core.streams.changes import RecordPut
from queuestream.core.streams.record import Record, RejectedRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from queuestream.core.streams.entries import Prepared
    from queuestream.core.streams.shard import Shard, ShardIdentity
    from queuestream.core.streams.throughput import Allowance


# Made per shard and call, and looked at per record: not frozen, because speed decided.
@attrs.define
class _Run:
    """The records of one call that go to one shard."""

    identity: ShardIdentity
    shard_id: str
    number: int
    end: int
    records: list[Record]


class CarefulPuts(CapacityMode):
    """What putting takes when it isn't simple."""

    def _put_carefully(self, prepared: list[Prepared], now_ns: int) -> list[Record | RejectedRecord]:
        """Put records while somebody listens, or while which shard takes one is a question.

        Everything is decided before the listeners hear of it, and everything is told before it is done.
        """
        if not self._puts_carefully:
            return self._put_told(prepared, now_ns)
        if self._load is not None:
            self._scale_with_load(now_ns)
        places: dict[Shard, tuple[int, int, Allowance | None]] = {}
        answers: list[Record | RejectedRecord | None] = [None] * len(prepared)
        put: list[tuple[Shard, Record]] = []
        for at in self._order_of(prepared):
            data, partition_key, hash_key, size = prepared[at]
            for shard in self._takers(hash_key, self._turn + len(put)):
                if shard not in places:
                    places[shard] = shard.next_number, shard.end, shard.allowance and shard.allowance.copy()
                number, end, allowance = places[shard]
                if allowance is None or allowance.admits(size, now_ns):
                    break
            else:
                answers[at] = self._rejected(shard)
                continue
            if allowance is not None:
                allowance.put(size, now_ns)
            record = self._make_record(data, partition_key, shard.identity, number, now_ns, end + size)
            places[shard] = number + 1, end + size, allowance
            answers[at] = record
            put.append((shard, record))
        if put and self.broker.listeners:
            self.broker.publish(
                tuple(
                    [
                        RecordPut(
                            self.name,
                            shard.shard_id,
                            record.number,
                            record.data,
                            record.partition_key,
                            now_ns,
                            record.encryption_type,
                        )
                        for shard, record in put
                    ]
                )
            )
        for shard, record in put:
            self._take_in(shard, record)
        return answers  # type: ignore[return-value]  # each has its answer by now

    def _order_of(self, prepared: list[Prepared]) -> Iterable[int]:
        """In which order the records of one call are stored."""
        count = len(prepared)
        if count > 1 and self._reordered_puts:
            from queuestream.core.chance import Chance  # noqa: PLC0415 - few brokers ask for it

            # No two calls find the first record's shard as it is now, but those that store nothing.
            chance, shard = Chance(self._secret), self._shard_of(prepared[0][2])
            about = shard.identity.index, shard.next_number, self._turn
            if chance.strikes(self._reordered_puts, "reorder", *about):
                return chance.shuffled(count, "order", *about)
        return range(count)

    def _put_told(self, prepared: list[Prepared], now_ns: int) -> list[Record | RejectedRecord]:
        """What the rest of `_put_carefully` does, where nothing needs care but that somebody listens."""
        name, make_record, encryption_type = self.name, self._make_record, self.settings.encryption_type
        open_shards, range_ends = self._open_shards, self._range_ends
        runs: dict[Shard, _Run] = {}
        put: list[Record | RejectedRecord] = []
        changes: list[RecordPut] = []
        for data, partition_key, hash_key, size in prepared:
            shard = open_shards[bisect_left(range_ends, hash_key)]
            run = runs.get(shard)
            if run is None:
                run = runs[shard] = _Run(shard.identity, shard.shard_id, shard.next_number, shard.end, [])
            number = run.number
            run.end = end = run.end + size
            record = make_record(data, partition_key, run.identity, number, now_ns, end)
            run.number = number + 1
            run.records.append(record)
            put.append(record)
            changes.append(
                RecordPut(name, run.shard_id, number, data, partition_key, now_ns, encryption_type)
            )
        self.broker.publish(tuple(changes))
        for shard, run in runs.items():
            shard.records += run.records
            shard.end = run.end
            if shard.waiters:
                shard.wake()
        return put

    def _takers(self, hash_key: bytes, turn: int) -> Iterator[Shard]:
        """The shards that may take a record, the one that should first.

        A stream that distributes its records itself gives them to its open shards in turn, and passes over
        those that have no room.
        """
        if not self._distributes:
            yield self._shard_of(hash_key)
            return
        count = len(self._open_shards)
        for step in range(count):
            yield self._open_shards[(turn + step) % count]

    def _rate_exceeded(self, shard: Shard) -> str:
        return f"Rate exceeded for {self._where(shard)}."

    def _rejected(self, shard: Shard) -> RejectedRecord:
        return RejectedRecord(
            error_code=ProvisionedThroughputExceededException.code, error_message=self._rate_exceeded(shard)
        )

    def _check_ordering(self, sequence_number: str, now_ns: int) -> None:
        """Refuse what is no sequence number, or one of a time to come.

        AWS was recorded to take every other one, from whatever shard and stream it comes.
        """
        if self._distributes:
            raise InvalidArgumentException(
                f"SequenceNumberForOrdering can't be used with stream {self.name} under account "
                f"{self.broker.account_id}, whose record distribution strategy is AUTO."
            )
        second = sequence_numbers.second_of(sequence_number)
        if second is None or second > now_ns // SECOND:
            raise InvalidArgumentException(
                f"ExclusiveMinimumSequenceNumber {sequence_number} used in PutRecord on stream {self.name} "
                f"under account {self.broker.account_id} is invalid."
            )
