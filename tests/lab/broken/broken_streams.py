"""Streams with one bug each, as broken_queues.py has queues."""

from unittest import mock

import attrs
from broken_queues import every, replaced

from queuestream.aio import AsyncStream
from queuestream.core.streams import iterators, stream
from queuestream.core.streams.hash_keys import md5
from queuestream.core.streams.stream import Stream


def replaced_call(name, bug):
    """An operation of all streams with a bug; it is given the right one first."""
    broken = bug(getattr(Stream, name))

    async def operation(self, *arguments, **named):
        return broken(self.core, *arguments, **named)

    return mock.patch.object(AsyncStream, name, operation)


def shard_of(stream, record):
    return stream._shards[record.shard_id]


def record_skipped_at_a_boundary():
    """Of every fifth page the last record is left out; the iterator goes on after it."""
    strikes = every(5)

    def bug(right):
        def get_records(self, *arguments, **named):
            result = right(self, *arguments, **named)
            return attrs.evolve(result, records=result.records[:-1]) if strikes() else result

        return get_records

    return replaced_call("get_records", bug)


def record_repeated_at_a_boundary():
    """Every fifth iterator stands one record too early."""
    strikes = every(5)

    def bug(right):
        return lambda secret, created_ns, index, number: right(
            secret, created_ns, index, max(1, number - strikes())
        )

    return replaced(iterators, "iterator_text", bug)


def parents_end_too_soon():
    """A closed shard ends with the first page that is read after it was closed."""

    def bug(right):
        def get_records(self, shard_iterator, limit=None, dry_run=None):
            result = right(self, shard_iterator, limit, dry_run)
            position = iterators.position_of(self._secret, shard_iterator)
            shard = self._shards[f"shardId-{position.shard_index:012d}"]
            if shard.is_open:
                return result
            return attrs.evolve(
                result,
                next_shard_iterator=None,
                child_shards=[child.as_child() for child in shard.children],
            )

        return get_records

    return replaced_call("get_records", bug)


def parents_forgotten():
    """Nobody is told which shards a shard came from, so readers begin with the children at once."""

    def bug(right):
        def list_shards(self, *arguments, **named):
            result = right(self, *arguments, **named)
            alone = [
                attrs.evolve(shard, parent_shard_id=None, adjacent_parent_shard_id=None)
                for shard in result.shards
            ]
            return attrs.evolve(result, shards=alone)

        return list_shards

    return replaced_call("list_shards", bug)


def after_a_put(strikes, spoil):
    """What is done to a shard after a single record was put into it, now and then."""

    def bug(right):
        def put_record(self, *arguments, **named):
            record = right(self, *arguments, **named)
            if strikes():
                spoil(shard_of(self, record), record)
            return record

        return put_record

    return replaced_call("put_record", bug)


def records_swapped():
    """Two records of a shard stand the wrong way round, now and then."""

    def spoil(shard, record):
        shard.records[-3:-1] = reversed(shard.records[-3:-1])

    return after_a_put(every(5), spoil)


def put_lost():
    """Every seventh record is acknowledged, and its place is given to the next one."""
    return after_a_put(every(7), lambda shard, record: shard.records.pop())


def put_after_the_end():
    """Every third record that is put after a split goes into the shard that was closed."""
    strikes = every(3)

    def bug(right):
        def put_record(self, *arguments, **named):
            record = right(self, *arguments, **named)
            closed = [shard for shard in self._shards.values() if not shard.is_open]
            if not closed or not strikes():
                return record
            shard_of(self, record).records.pop()
            record.shard, record.number = closed[-1].identity, closed[-1].next_number
            closed[-1].records.append(record)
            return record

        return put_record

    return replaced_call("put_record", bug)


def number_below_the_last():
    """Every sixth record is acknowledged with a number below that of the one before."""
    strikes = every(6)

    def bug(right):
        def put_record(self, *arguments, **named):
            record = right(self, *arguments, **named)
            if not strikes():
                return record
            number = max(1, record.number - 2)
            return type(record)(
                record.data, record.partition_key, record.shard, number, record.arrival_ns, record.end
            )

        return put_record

    return replaced_call("put_record", bug)


def keys_go_anywhere():
    """A partition key belongs to one shard at one time, and to another at another."""
    times = iter(range(1, 10**9))
    return replaced(stream, "md5", lambda right: lambda key: md5(key + bytes([next(times) % 3])))


def data_mixed_up():
    """A page of several records has the first one's data in the second one's place, now and then."""
    strikes = every(2)

    def bug(right):
        def get_records(self, *arguments, **named):
            result = right(self, *arguments, **named)
            if len(result.records) < 2 or not strikes():
                return result
            first, second, *more = result.records
            wrong = type(second)(
                first.data, second.partition_key, second.shard, second.number, second.arrival_ns, second.end
            )
            return attrs.evolve(result, records=[first, wrong, *more])

        return get_records

    return replaced_call("get_records", bug)
