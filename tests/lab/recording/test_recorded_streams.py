"""What is written down of what clients do with streams, for threads and for asyncio."""

import asyncio
import inspect

import pytest

from queuestream.aio import AsyncStream
from queuestream.core.errors import InvalidArgumentException
from queuestream.core.streams.entries import PutRecordsEntry
from queuestream.core.streams.fan_out import StartingPosition

FIRST, SECOND, THIRD = "shardId-000000000000", "shardId-000000000001", "shardId-000000000002"
MIDDLE = str(2**127)


class Awaiting:
    """A stream for asyncio whose operations are called as a stream's for threads."""

    def __init__(self, stream):
        self.stream = stream

    def __getattr__(self, name):
        value = getattr(self.stream, name)
        if not inspect.iscoroutinefunction(value):
            return value

        def called(*arguments, **named):
            answer = asyncio.run(value(*arguments, **named))
            return AllOf(answer) if hasattr(answer, "__anext__") else answer

        return called


class AllOf:
    """A subscription for asyncio, iterated as one for threads."""

    def __init__(self, subscription):
        self.subscription = subscription

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return asyncio.run(anext_of(self.subscription))
        except StopAsyncIteration:
            raise StopIteration from None


async def anext_of(subscription):
    return await anext(subscription)


@pytest.fixture(params=["threads", "asyncio"])
def recorded(request, recorder, broker):
    """The stream `events`, recorded for an actor."""
    stream = broker.create_stream("events")

    def recorded(actor="me", application=""):
        if request.param == "threads":
            return recorder.stream(stream, actor, application)
        return Awaiting(recorder.stream(AsyncStream(stream), actor, application))

    return recorded


@pytest.fixture
def events(recorded):
    return recorded("reader-1", "billing")


def read(stream, iterator):
    return stream.get_records(iterator).next_shard_iterator


def test_a_record_is_written_down_from_put_to_get(events, history):
    put = events.put_record(b"departed", "LX-320")
    read(events, events.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    stored, seek, got = history
    assert [event.operation for event in history] == ["put", "seek", "get"]
    for event in (stored, got):
        assert (event.message, event.partition_key, event.shard) == ("departed", "LX-320", FIRST)
        assert event.sequence_number == put.sequence_number
        assert (event.actor, event.application, event.resource) == ("reader-1", "billing", "events")
        assert event.ended_ns is not None
    assert (seek.shard, seek.sequence_number) == (FIRST, "0")


def test_a_read_of_nothing_is_no_event(events, told):
    read(events, read(events, events.get_shard_iterator(FIRST, "LATEST")))
    assert told("operation", "sequence_number") == [("seek", None)]


def test_data_that_is_no_text_has_a_name_all_the_same(events, told):
    events.put_record(b"\xff\x00", "k")
    assert told("message") == [("\\xff\x00",)]


@pytest.mark.parametrize(
    "records",
    [
        [(b"a", "one"), (b"b", "two", "0")],
        [{"data": b"a", "partition_key": "one"}, PutRecordsEntry(b"b", "two")],
    ],
    ids=["tuples", "entries"],
)
def test_each_record_of_a_batch_is_an_event(events, told, records):
    result = events.put_records(record for record in records)
    assert told("operation", "message", "partition_key", "sequence_number") == [
        ("put", "a", "one", result.records[0].sequence_number),
        ("put", "b", "two", result.records[1].sequence_number),
    ]


def test_a_record_that_its_shard_has_no_room_for_failed(recorder, broker, told):
    stream = recorder.stream(broker.create_stream("small", enforce_throughput=True))
    stream.put_records([(b"x" * 700_000, "k"), (b"y" * 700_000, "k")])
    assert told("outcome", "error") == [
        ("ok", None),
        ("failed", "ProvisionedThroughputExceededException"),
    ]


def test_a_refused_put_failed(events, history):
    with pytest.raises(InvalidArgumentException):
        events.put_record(b"departed", "LX-320", explicit_hash_key=str(2**128))
    [event] = history
    assert (event.message, event.outcome, event.error) == ("departed", "failed", "InvalidArgumentException")


def test_a_reader_says_after_which_record_it_begins(events, history):
    put = events.put_record(b"a", "k")
    events.get_shard_iterator(FIRST, "AFTER_SEQUENCE_NUMBER", put.sequence_number)
    assert history.events[-1].sequence_number == put.sequence_number


def test_a_reader_that_goes_back_takes_up_another_position(events, told):
    put = [events.put_record(data, "k") for data in (b"a", b"b")]
    start = events.get_shard_iterator(FIRST, "TRIM_HORIZON")
    onward = events.get_records(start, 1).next_shard_iterator
    read(events, onward)
    read(events, onward)
    assert told("operation", "message", "sequence_number")[2:] == [
        ("seek", None, "0"),
        ("get", "a", put[0].sequence_number),
        ("get", "b", put[1].sequence_number),
        ("seek", None, put[0].sequence_number),
        ("get", "b", put[1].sequence_number),
    ]


def test_a_reader_that_asks_again_without_having_had_an_answer_does_not_go_back(events, told):
    events.put_record(b"a", "k")
    start = events.get_shard_iterator(FIRST, "TRIM_HORIZON")
    with pytest.raises(ValueError, match="limit"):
        events.get_records(start, limit=0)
    read(events, start)
    assert told("operation", "outcome")[1:] == [("seek", "ok"), ("get", "failed"), ("get", "ok")]


def test_who_reads_on_from_anothers_iterator_takes_up_a_position(recorded, told):
    one, other = recorded("one"), recorded("other")
    one.put_record(b"a", "k")
    start = one.get_shard_iterator(FIRST, "TRIM_HORIZON")
    read(other, start)
    assert told("actor", "operation", "shard")[1:] == [
        ("one", "seek", FIRST),
        ("other", "seek", FIRST),
        ("other", "get", FIRST),
    ]


def test_the_end_of_a_closed_shard_and_its_children_are_told_once(events, told):
    events.put_record(b"a", "k")
    iterator = events.get_shard_iterator(FIRST, "TRIM_HORIZON")
    events.split_shard(FIRST, MIDDLE)
    assert read(events, iterator) is None
    events.list_shards()
    assert told("operation", "shard", "parents")[2:] == [
        ("split_shard", FIRST, ()),
        ("get", FIRST, ()),
        ("finish", FIRST, ()),
        ("lineage", SECOND, (FIRST,)),
        ("lineage", THIRD, (FIRST,)),
    ]


def test_a_listing_tells_both_parents_of_a_merged_shard(events, told):
    events.split_shard(FIRST, MIDDLE)
    events.merge_shards(shard_to_merge=SECOND, adjacent_shard_to_merge=THIRD)
    events.list_shards()
    assert told("operation", "shard") == [
        ("split_shard", FIRST),
        ("merge_shards", SECOND),
        ("lineage", SECOND),
        ("lineage", THIRD),
        ("lineage", "shardId-000000000003"),
    ]
    assert told("parents", operation="lineage")[-1] == ((SECOND, THIRD),)


def test_what_a_subscription_tells_is_written_down(events, told):
    put = events.put_record(b"a", "k")
    consumer = events.register_stream_consumer("fan-out")
    subscription = events.subscribe_to_shard(consumer.consumer_arn, FIRST, "TRIM_HORIZON")
    [record] = next(subscription).records
    assert record.data == b"a"
    events.split_shard(FIRST, MIDDLE)
    assert len(list(subscription)) == 1
    assert told("operation", "shard", "sequence_number")[1:] == [
        ("seek", FIRST, "0"),
        ("get", FIRST, put.sequence_number),
        ("split_shard", FIRST, None),
        ("finish", FIRST, None),
        ("lineage", SECOND, None),
        ("lineage", THIRD, None),
    ]


def test_a_subscription_says_where_it_begins(events, history):
    put = events.put_record(b"a", "k")
    consumer = events.register_stream_consumer("fan-out")
    events.subscribe_to_shard(
        consumer.consumer_arn, FIRST, StartingPosition("AFTER_SEQUENCE_NUMBER", put.sequence_number)
    )
    assert history.events[-1].sequence_number == put.sequence_number
