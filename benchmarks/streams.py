"""What the stream costs: rows S1 to S4.

Each row is a generator of findings over a `Bench`; the goals are the issue's.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import queuestream
from benchmarks import floors
from benchmarks.harness import Bench, Finding, Variant, Work, payloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from queuestream import Stream

_SHARDS = 4
_KEYS = [f"aircraft-{number}" for number in range(2_621)]
_BATCH = 500
_FLAT = 2
"""How much dearer than in a small shard S4 allows a look-up in a large one to be."""


def _keys(count: int) -> list[str]:
    return [_KEYS[number % len(_KEYS)] for number in range(count)]


def _puts(count: int) -> Work:
    """`put_record` on a new stream of four shards."""
    stream = queuestream.Stream("bench", shard_count=_SHARDS)
    records = list(zip(payloads(count), _keys(count), strict=True))

    def work() -> None:
        for data, partition_key in records:
            stream.put_record(data, partition_key)

    return work


def _floor(count: int) -> Work:
    data, keys = payloads(count), _keys(count)
    return lambda: floors.stream(data, keys, _SHARDS)


def s1(bench: Bench) -> Iterator[Finding]:
    """`put_record` over 4 shards."""
    units = 2 * bench.effort.cycles
    samples = bench.compare(
        [Variant("the floor", _floor, units), Variant("put_record", _puts, units, ours=True)]
    )
    yield Finding(
        row="S1",
        what=f"put_record over {_SHARDS} shards",
        against="the floor",
        ratio=samples.ratio("put_record", "the floor"),
        goal=2,
        cost=samples.cost("put_record"),
        cost_against=samples.cost("the floor"),
    )


def s2(bench: Bench) -> Iterator[Finding]:
    """`put_records`, 500 at a time."""

    def in_batches(count: int) -> Work:
        stream = queuestream.Stream("bench", shard_count=_SHARDS)
        records = list(zip(payloads(count), _keys(count), strict=True))
        batches = [records[first : first + _BATCH] for first in range(0, count, _BATCH)]

        def work() -> None:
            for batch in batches:
                stream.put_records(batch)

        return work

    units = 2 * bench.effort.cycles
    samples = bench.compare(
        [
            Variant("the floor", _floor, units),
            Variant("S1", _puts, units),
            Variant("put_records", in_batches, units, ours=True),
        ]
    )
    for against, goal in (("S1", 0.7), ("the floor", None)):
        yield Finding(
            row="S2",
            what=f"put_records of {_BATCH}, per record",
            against=against,
            ratio=samples.ratio("put_records", against),
            goal=goal,
            cost=samples.cost("put_records"),
            cost_against=samples.cost(against),
        )


def s3(bench: Bench) -> Iterator[Finding]:
    """`get_records` from the oldest record to the newest of a shard."""
    count = bench.effort.backlog(1_000_000)
    stream = queuestream.Stream("bench", shard_count=1, clock=queuestream.VirtualClock())
    _fill(stream, count)
    shard_id = _only_shard(stream)
    records: list[object] = []
    sizes: list[int] = []
    for got in _read(stream, shard_id, count):
        records += got
        sizes.append(len(got))

    def drain(_: int) -> Work:
        def work() -> None:
            for _ in _read(stream, shard_id, count):
                pass

        return work

    def slicing(_: int) -> Work:
        return lambda: floors.slices(records, max(sizes))

    samples = bench.compare(
        [Variant("slicing a list of them", slicing, count), Variant("get_records", drain, count, ours=True)],
        rounds=min(bench.effort.rounds, 9),
    )
    yield Finding(
        row="S3",
        what=f"get_records, draining {count:,}, per record",
        against="slicing a list of them",
        ratio=samples.ratio("get_records", "slicing a list of them"),
        goal=5,
        cost=samples.cost("get_records"),
        cost_against=samples.cost("slicing a list of them"),
    )


def _fill(stream: Stream, count: int) -> None:
    for first in range(0, count, _BATCH):
        data = payloads(min(_BATCH, count - first))
        stream.put_records(list(zip(data, _keys(len(data)), strict=True)))


def _only_shard(stream: Stream) -> str:
    [shard] = stream.list_shards().shards
    return shard.shard_id


def _read(stream: Stream, shard_id: str, count: int) -> Iterator[list[Any]]:
    iterator: str | None = stream.get_shard_iterator(shard_id, "TRIM_HORIZON")
    read = 0
    while read < count:
        assert iterator is not None, "an open shard has no end"
        got = stream.get_records(iterator)
        yield got.records
        read += len(got.records)
        iterator = got.next_shard_iterator


def s4(bench: Bench) -> Iterator[Finding]:
    """An iterator at a random record, and that record read: by time and by sequence number."""
    most = bench.effort.backlog(1_000_000)
    sizes = (most // 100 or 1, most)
    units = bench.effort.cycles // 4
    variants = []
    names = []
    for count in sizes:
        stream, sequence_numbers, times = _with_records_at_times(count)
        by_time = f"AT_TIMESTAMP at {count:,} records"
        by_number = f"AT_SEQUENCE_NUMBER at {count:,} records"
        names.append((by_time, by_number))
        variants += [
            Variant(
                by_time, _look_ups(stream, "AT_TIMESTAMP", "timestamp", times), units, ours=count == most
            ),
            Variant(
                by_number,
                _look_ups(stream, "AT_SEQUENCE_NUMBER", "starting_sequence_number", sequence_numbers),
                units,
                ours=count == most,
            ),
        ]
    samples = bench.compare(variants)
    for against, what in zip(*names, strict=True):
        yield Finding(
            row="S4",
            what=what,
            against=against,
            ratio=samples.ratio(what, against),
            goal=_FLAT,
            cost=samples.cost(what),
            cost_against=samples.cost(against),
        )


def _with_records_at_times(count: int) -> tuple[Stream, list[str], list[float]]:
    """A shard with a record every millisecond, all their sequence numbers, and all their times."""
    start = 1_700_000_000
    clock = queuestream.VirtualClock(start)
    stream = queuestream.Stream("bench", shard_count=1, clock=clock)
    sequence_numbers = []
    for data in _each_payload(count):
        clock.advance(milliseconds=1)
        sequence_numbers.append(stream.put_record(data, "aircraft").sequence_number)
    return stream, sequence_numbers, [start + (number + 1) / 1000 for number in range(count)]


def _each_payload(count: int) -> Iterator[bytes]:
    for first in range(0, count, _BATCH):
        yield from payloads(min(_BATCH, count - first))


def _look_ups(
    stream: Stream, iterator_type: str, parameter: str, positions: list[Any]
) -> Callable[[int], Work]:
    chance = random.Random(7)
    shard_id = _only_shard(stream)

    def prepare(count: int) -> Work:
        chosen = chance.choices(positions, k=count)

        def work() -> None:
            for position in chosen:
                iterator = stream.get_shard_iterator(shard_id, iterator_type, **{parameter: position})
                [_] = stream.get_records(iterator, limit=1).records

        return work

    return prepare


ROWS = {"S1": s1, "S2": s2, "S3": s3, "S4": s4}
