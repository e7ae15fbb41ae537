"""Kinesis: shard iterators, and reading on from them."""

from datetime import timedelta

import pytest
from drivers.refusals import refused

from queuestream.core.streams.limits import StreamLimits

ITERATOR = "Kinesis API reference: GetShardIterator"
GET = "Kinesis API reference: GetRecords"
FIRST = "shardId-000000000000"


@pytest.fixture
def stream(broker):
    return broker.create_stream("events", shard_count=1)


def read(stream, kind="TRIM_HORIZON", *position, **more):
    return stream.get_records(stream.get_shard_iterator(FIRST, kind, *position, **more))


def data(result):
    return [record.data for record in result.records]


# --- where to start ---


@pytest.mark.aws("TRIM_HORIZON starts at the oldest record.", page=ITERATOR)
def test_trim_horizon_starts_at_the_oldest_record(stream):
    stream.put_records([(b"1", "k"), (b"2", "k")])
    assert data(read(stream)) == [b"1", b"2"]


@pytest.mark.aws("LATEST starts just after the most recent record.", page=ITERATOR)
def test_latest_starts_at_what_comes_next(stream):
    stream.put_record(b"1", "k")
    iterator = stream.get_shard_iterator(FIRST, "LATEST")
    stream.put_record(b"2", "k")
    assert data(stream.get_records(iterator)) == [b"2"]


@pytest.mark.aws("AT_SEQUENCE_NUMBER starts at the record with that number.", page=ITERATOR)
def test_at_sequence_number_starts_at_that_record(stream):
    puts = [stream.put_record(b"%d" % number, "k") for number in range(3)]
    assert data(read(stream, "AT_SEQUENCE_NUMBER", puts[1].sequence_number)) == [b"1", b"2"]


@pytest.mark.aws("AFTER_SEQUENCE_NUMBER starts right after the record with that number.", page=ITERATOR)
def test_after_sequence_number_starts_after_that_record(stream):
    puts = [stream.put_record(b"%d" % number, "k") for number in range(3)]
    assert data(read(stream, "AFTER_SEQUENCE_NUMBER", puts[1].sequence_number)) == [b"2"]


@pytest.mark.aws(
    "AT_TIMESTAMP starts at the record at that time, or at the first one after it.", page=ITERATOR
)
def test_at_timestamp_starts_at_that_time(stream, clock):
    for number in range(3):
        stream.put_record(b"%d" % number, "k")
        clock.advance(seconds=10)
    times = [record.approximate_arrival_timestamp for record in read(stream).records]
    assert data(read(stream, "AT_TIMESTAMP", timestamp=times[1])) == [b"1", b"2"]
    assert data(read(stream, "AT_TIMESTAMP", timestamp=times[1] + timedelta(milliseconds=1))) == [b"2"]
    assert data(read(stream, "AT_TIMESTAMP", timestamp=times[0] - timedelta(days=1))) == [b"0", b"1", b"2"]


@pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"])
@pytest.mark.aws("StartingSequenceNumber is used with AT_ and AFTER_SEQUENCE_NUMBER.", page=ITERATOR)
def test_a_sequence_number_that_is_missing_is_asked_for(stream, kind):
    with refused(
        "InvalidArgumentException",
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
        "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
        f"Request specified {kind} and no StartingSequenceNumber.",
    ):
        stream.get_shard_iterator(FIRST, kind)


@pytest.mark.aws("A sequence number says which shard it belongs to.", page=ITERATOR)
def test_a_sequence_number_of_another_shard_is_refused(broker):
    stream = broker.create_stream("wide", shard_count=2)
    put = stream.put_record(b"x", "k", "0")
    with refused(
        "InvalidArgumentException",
        "Invalid StartingSequenceNumber. It encodes shardId-000000000000, while it was used in a call to a "
        "shard with shardId-000000000001",
    ):
        stream.get_shard_iterator("shardId-000000000001", "AT_SEQUENCE_NUMBER", put.sequence_number)


@pytest.mark.aws("A sequence number is one of the stream's.", page=ITERATOR)
def test_a_sequence_number_of_another_stream_is_refused(stream, broker, clock):
    clock.advance(seconds=1)
    put = broker.create_stream("other", shard_count=1).put_record(b"x", "k")
    with refused("InvalidArgumentException"):
        stream.get_shard_iterator(FIRST, "AT_SEQUENCE_NUMBER", put.sequence_number)


@pytest.mark.aws("A timestamp in the future is refused.", page=ITERATOR)
def test_a_timestamp_in_the_future_is_refused(stream):
    put_at = stream.describe().stream_creation_timestamp
    with refused("InvalidArgumentException"):
        stream.get_shard_iterator(FIRST, "AT_TIMESTAMP", timestamp=put_at + timedelta(days=1))


@pytest.mark.aws("A shard is found by the number in its id.", page=ITERATOR)
@pytest.mark.parametrize("name", ["shardId-0", "shard-0", "0", "-00", "a-0-1"])
def test_a_shard_is_found_by_its_number(stream, name):
    stream.put_record(b"1", "k")
    assert data(stream.get_records(stream.get_shard_iterator(name, "TRIM_HORIZON"))) == [b"1"]


@pytest.mark.aws("An id that says no number, or one that is too large, is none of a shard.", page=ITERATOR)
@pytest.mark.parametrize("name", ["shardId", "2147483648", "shardId-002147483648", "2.14E4", "shardId--1"])
def test_a_name_without_a_number_is_none_of_a_shard(stream, name):
    with refused(
        "ResourceNotFoundException",
        f"Could not find shard {name} in stream events under account 123456789012.",
    ):
        stream.get_shard_iterator(name, "LATEST")


@pytest.mark.aws("A shard that does not exist is not found.", page=ITERATOR)
def test_a_shard_that_is_not_there_is_not_found(stream):
    with refused(
        "ResourceNotFoundException",
        "Shard shardId-000000000009 in stream events under account 123456789012 does not exist",
    ):
        stream.get_shard_iterator("shardId-000000000009", "LATEST")


# --- how long an iterator lasts ---


@pytest.mark.aws("A shard iterator expires five minutes after it was returned.", page=ITERATOR)
def test_an_iterator_lasts_for_five_minutes(stream, clock):
    stream.put_record(b"1", "k")
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    clock.advance(seconds=299.999)
    assert data(stream.get_records(iterator)) == [b"1"]
    clock.advance(milliseconds=1)
    with refused("ExpiredIteratorException") as error:
        stream.get_records(iterator)
    assert error.value.message.startswith("Iterator expired. The iterator was created at time ")


@pytest.mark.aws("A new iterator is returned with every answer.", page=GET)
def test_a_reader_that_goes_on_reads_for_ever(stream, clock):
    iterator = stream.get_shard_iterator(FIRST, "LATEST")
    for _ in range(4):
        clock.advance(minutes=4)
        iterator = stream.get_records(iterator).next_shard_iterator
    stream.put_record(b"1", "k")
    assert data(stream.get_records(iterator)) == [b"1"]


@pytest.mark.aws("A read changes nothing: the same iterator gives the same records.", page=GET)
def test_an_iterator_can_be_used_again(stream):
    stream.put_record(b"1", "k")
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    assert data(stream.get_records(iterator)) == data(stream.get_records(iterator)) == [b"1"]


@pytest.mark.parametrize("iterator", ["made up", "AAAAAAAAAAE=", "AAAA" * 20])
@pytest.mark.aws("An iterator that Kinesis did not give is invalid.", page=GET)
def test_an_iterator_that_is_made_up_is_refused(stream, iterator):
    with refused("InvalidArgumentException", "Invalid ShardIterator."):
        stream.get_records(iterator)


# --- what a read gives ---


@pytest.mark.aws("A read goes on where the one before ended, without gap or overlap.", page=GET)
def test_reads_follow_each_other_without_gap(stream):
    stream.put_records([(b"%d" % number, "k") for number in range(10)])
    iterator, seen = stream.get_shard_iterator(FIRST, "TRIM_HORIZON"), []
    for _ in range(4):
        result = stream.get_records(iterator, limit=3)
        seen.append(len(result.records))
        iterator = result.next_shard_iterator
    assert seen == [3, 3, 3, 1]


@pytest.mark.aws("If there are no records, GetRecords returns an empty list.", page=GET)
def test_a_read_of_nothing_is_empty(stream):
    result = read(stream)
    assert result.records == []
    assert result.next_shard_iterator is not None
    assert result.millis_behind_latest == 0


@pytest.mark.aws("Limit is 10,000 at the most.", page=GET)
def test_a_read_has_a_limit(stream):
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    with refused(
        "ValidationException",
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 10000",
    ):
        stream.get_records(iterator, limit=10_001)


@pytest.mark.aws("A read gives 10 MiB at the most.", page=GET)
@pytest.mark.settings(stream_settings={"limits": StreamLimits(get_records_bytes_max=10_000)})
def test_a_read_has_a_size(stream):
    stream.put_records([(bytes(2_999), "k")] * 4)
    result = read(stream)
    assert len(result.records) == 3
    assert len(stream.get_records(result.next_shard_iterator).records) == 1


@pytest.mark.aws("A record says when it arrived, to the millisecond.", page="Kinesis API reference: Record")
def test_a_record_says_when_it_arrived(stream, clock):
    created = stream.describe().stream_creation_timestamp
    clock.advance(milliseconds=1_234)
    stream.put_record(b"1", "k")
    [record] = read(stream).records
    assert record.approximate_arrival_timestamp == created + timedelta(milliseconds=1_234)
    assert record.approximate_arrival_timestamp.tzinfo is not None


@pytest.mark.aws(
    "A record comes with its partition key and its sequence number.", page="Kinesis API reference: Record"
)
def test_a_record_comes_with_its_key_and_number(stream):
    put = stream.put_record(b"1", "k")
    [record] = read(stream).records
    assert (record.partition_key, record.sequence_number) == ("k", put.sequence_number)


@pytest.mark.aws(
    "MillisBehindLatest says how far the answer is from the tip of the stream; 0 when it is there.", page=GET
)
def test_a_reader_learns_how_far_behind_it_is(stream, clock):
    for number in range(3):
        stream.put_record(b"%d" % number, "k")
        clock.advance(seconds=10)
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    behind = []
    for _ in range(3):
        result = stream.get_records(iterator, limit=1)
        behind.append(result.millis_behind_latest)
        iterator = result.next_shard_iterator
    assert behind == [30_000, 20_000, 0]


@pytest.mark.aws("Every consumer reads all records of a shard.", page="Kinesis developer guide: Key concepts")
def test_readers_do_not_disturb_each_other(stream):
    stream.put_record(b"1", "k")
    readers = [stream.get_shard_iterator(FIRST, "TRIM_HORIZON") for _ in range(3)]
    assert [data(stream.get_records(reader)) for reader in readers] == [[b"1"]] * 3


# --- retention ---


@pytest.mark.aws(
    "Records can be read for 24 hours by default.",
    page="Kinesis developer guide: Change the data retention period",
)
def test_a_record_can_be_read_for_a_day(stream, clock):
    stream.put_record(b"1", "k")
    clock.advance(hours=24, milliseconds=-1)
    assert data(read(stream)) == [b"1"]
    clock.advance(milliseconds=1)
    assert data(read(stream)) == []


@pytest.mark.aws(
    "The retention period can be made longer, up to 365 days.",
    page="Kinesis API reference: IncreaseStreamRetentionPeriod",
)
def test_records_can_be_kept_for_longer(stream, clock):
    stream.put_record(b"1", "k")
    stream.increase_stream_retention_period(8_760)
    assert stream.describe_summary().retention_period_hours == 8_760
    clock.advance(hours=364 * 24)
    assert data(read(stream)) == [b"1"]
    clock.advance(hours=24)
    assert data(read(stream)) == []


@pytest.mark.aws(
    "A shorter retention period makes older records inaccessible.",
    page="Kinesis API reference: DecreaseStreamRetentionPeriod",
)
def test_records_can_be_kept_for_less_long(stream, clock):
    stream.increase_stream_retention_period(48)
    stream.put_record(b"old", "k")
    clock.advance(hours=30)
    stream.put_record(b"new", "k")
    assert data(read(stream)) == [b"old", b"new"]
    stream.decrease_stream_retention_period(24)
    assert data(read(stream)) == [b"new"]


@pytest.mark.aws(
    "The retention period is 24 to 8,760 hours.",
    page="Kinesis API reference: IncreaseStreamRetentionPeriod",
)
def test_the_retention_period_has_a_range(stream):
    with refused(
        "InvalidArgumentException",
        "Maximum allowed retention period is 8760 hours. "
        "Requested retention period (8761 hours) is too long.",
    ):
        stream.increase_stream_retention_period(8_761)
    with refused(
        "InvalidArgumentException",
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.",
    ):
        stream.decrease_stream_retention_period(23)


@pytest.mark.aws(
    "Increasing cannot make the period shorter, nor decreasing longer.",
    page="Kinesis API reference: DecreaseStreamRetentionPeriod",
)
def test_the_retention_period_goes_the_way_it_is_asked_to(stream):
    stream.increase_stream_retention_period(48)
    with refused("InvalidArgumentException"):
        stream.increase_stream_retention_period(24)
    with refused("InvalidArgumentException"):
        stream.decrease_stream_retention_period(72)


@pytest.mark.aws("TRIM_HORIZON is the oldest record that is still there.", page=ITERATOR)
def test_the_horizon_moves(stream, clock):
    for number in range(3):
        stream.put_record(b"%d" % number, "k")
        clock.advance(hours=10)
    assert data(read(stream)) == [b"1", b"2"]
