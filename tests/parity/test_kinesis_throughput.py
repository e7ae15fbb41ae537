"""Kinesis: what a shard takes in and gives out each second."""

import pytest
from drivers import REBUILT
from drivers.refusals import refused

from queuestream.core.streams.limits import StreamLimits

QUOTAS = "Kinesis developer guide: Quotas and limits"
PUTS = "Kinesis API reference: PutRecords"
GET = "Kinesis API reference: GetRecords"
FIRST, SECOND = (f"shardId-{number:012}" for number in range(2))
KIBIBYTE = 1_024

pytestmark = pytest.mark.settings(stream_settings={"enforce_throughput": True})


@pytest.fixture
def stream(broker):
    return broker.create_stream("events", shard_count=2)


@pytest.mark.aws("A shard takes 1,000 records each second.", page=QUOTAS)
def test_a_shard_takes_a_thousand_records_a_second(stream, clock):
    for _ in range(2):
        assert stream.put_records([(b"x", "k", "0")] * 500).failed_record_count == 0
    with refused(
        "ProvisionedThroughputExceededException",
        f"Rate exceeded for shard {FIRST} in stream events under account 123456789012.",
    ):
        stream.put_record(b"x", "k", "0")
    clock.advance(seconds=1)
    stream.put_record(b"x", "k", "0")


@pytest.mark.aws("A shard takes 1 MiB each second.", page=QUOTAS)
def test_a_shard_takes_a_mebibyte_a_second(stream, clock):
    half = bytes(512 * KIBIBYTE - 1)
    stream.put_record(half, "k", "0")
    stream.put_record(half, "k", "0")
    with refused("ProvisionedThroughputExceededException"):
        stream.put_record(b"x", "k", "0")
    clock.advance(seconds=1)
    stream.put_record(half, "k", "0")


@pytest.mark.aws("The limits hold for each shard by itself.", page=QUOTAS)
def test_shards_have_their_limits_by_themselves(stream):
    for _ in range(2):
        stream.put_records([(b"x", "k", "0")] * 500)
    assert stream.put_record(b"x", "k", str(2**127)).shard_id == SECOND


@pytest.mark.aws("Records of one PutRecords can fail one by one; those that fail say why.", page=PUTS)
def test_one_hot_shard_fails_its_own_records_only(stream):
    stream.put_records([(b"x", "k", "0")] * 500)
    stream.put_records([(b"x", "k", "0")] * 499)
    result = stream.put_records([(b"x", "k", "0"), (b"x", "k", "0"), (b"x", "k", str(2**127))])
    assert result.failed_record_count == 1
    assert [put.error_code for put in result.records] == [
        None,
        "ProvisionedThroughputExceededException",
        None,
    ]
    failed = result.records[1]
    assert (failed.shard_id, failed.sequence_number) == (None, None)
    assert failed.error_message == (
        f"Rate exceeded for shard {FIRST} in stream events under account 123456789012."
    )


@pytest.mark.aws(
    "PutRecords does not guarantee the order of records: one that failed and is sent again comes later.",
    page=PUTS,
)
def test_a_record_that_is_sent_again_comes_later(stream, clock):
    large, small, high = bytes(600 * KIBIBYTE), b"3", str(2**127)
    batch = [(large, "k", high), (large, "k", high), (small, "k", high)]
    result = stream.put_records(batch)
    assert [put.error_code is None for put in result.records] == [True, False, True]
    clock.advance(seconds=1)
    stream.put_records([batch[1]])
    iterator = stream.get_shard_iterator(SECOND, "TRIM_HORIZON")
    assert [len(record.data) for record in stream.get_records(iterator).records] == [
        600 * KIBIBYTE,
        1,
        600 * KIBIBYTE,
    ]


NOT_REBUILT = pytest.mark.not_through(*REBUILT, why="what was read lately is not part of a stream's state")


@pytest.mark.aws("A shard answers five GetRecords each second.", page=QUOTAS)
@NOT_REBUILT
def test_a_shard_answers_five_reads_a_second(stream, clock):
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    for _ in range(5):
        stream.get_records(iterator)
    with refused("ProvisionedThroughputExceededException"):
        stream.get_records(iterator)
    clock.advance(seconds=1)
    stream.get_records(iterator)


@pytest.mark.aws("A shard gives out 2 MiB each second; after more than that, reads wait.", page=GET)
@NOT_REBUILT
def test_a_shard_gives_out_two_mebibytes_a_second(stream, clock):
    for _ in range(4):
        stream.put_record(bytes(1_000 * KIBIBYTE), "k", "0")
        clock.advance(seconds=1)
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    assert len(stream.get_records(iterator).records) == 4
    with refused("ProvisionedThroughputExceededException"):
        stream.get_records(iterator)
    clock.advance(seconds=2)
    stream.get_records(iterator)


@pytest.mark.aws("After an answer of 10 MiB, reads within the next five seconds are refused.", page=GET)
@pytest.mark.settings(
    stream_settings={
        "enforce_throughput": True,
        "limits": StreamLimits(get_records_bytes_max=2_000, read_bytes_per_second=400),
    }
)
@NOT_REBUILT
def test_a_full_answer_is_followed_by_a_pause(stream, clock):
    stream.put_records([(bytes(999), "k", "0")] * 3)
    result = stream.get_records(stream.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    assert len(result.records) == 2
    clock.advance(seconds=4.999)
    with refused("ProvisionedThroughputExceededException"):
        stream.get_records(result.next_shard_iterator)
    clock.advance(milliseconds=1)
    assert len(stream.get_records(result.next_shard_iterator).records) == 1


@pytest.mark.aws(
    "An on-demand stream adapts to its traffic.",
    page="Kinesis developer guide: Choose the right mode to stream in",
)
@pytest.mark.settings(stream_settings={"scale_on_demand": True})
def test_an_on_demand_stream_grows_with_its_load(broker, clock):
    stream = broker.create_stream("growing", stream_mode="ON_DEMAND")
    for _ in range(2):
        stream.put_records([(bytes(1_000 * KIBIBYTE), str(number)) for number in range(5)])
        clock.advance(seconds=1)
    assert stream.describe_summary().open_shard_count > 4
