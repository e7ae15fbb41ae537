"""Which shard takes a record: its key says so, or an on-demand stream gives its shards their turns."""

import pytest

from queuestream import PutRecordsEntry, Stream
from queuestream.core.errors import InvalidArgumentException, ResourceInUseException, ValidationException
from queuestream.core.streams.limits import StreamLimits


@pytest.fixture
def even(clock):
    """A stream of four shards that distributes its records itself."""
    return Stream("events", stream_mode="ON_DEMAND", record_distribution_strategy="AUTO", clock=clock)


def strategy(stream):
    return stream.describe_summary().record_distribution_strategy


def shards(records):
    return [record.shard_id[-1] for record in records]


def test_an_on_demand_stream_goes_by_the_keys_unless_it_is_told_otherwise(clock, even):
    assert strategy(Stream("events", stream_mode="ON_DEMAND", clock=clock)) == "USER_PARTITION_KEY"
    assert strategy(even) == "AUTO"


def test_records_are_spread_evenly_whatever_their_keys(even):
    put = [even.put_record(b"", "the same", explicit_hash_key="0") for _ in range(5)]
    put += even.put_records([(b"", "the same")] * 7).records
    assert shards(put) == list("012301230123")
    assert {record.partition_key for record in put} == {"the same"}


def test_whose_turn_it_is_does_not_depend_on_whether_anybody_listens(clock):
    shards_taken = []
    for listener in (None, lambda changes: None):
        stream = Stream("events", stream_mode="ON_DEMAND", clock=clock)
        if listener is not None:
            stream.broker.listen(listener)
        stream.put_records([(b"", "by its key"), (b"", "by its key")])
        stream.update_stream_record_distribution_strategy("AUTO")
        shards_taken.append(shards(stream.put_record(b"", "k") for _ in range(4)))
    assert shards_taken == [list("0123")] * 2


def test_records_without_a_key_and_without_data_take_no_room(even, read):
    put = [even.put_record(b"") for _ in range(8)]
    assert shards(put) == list("01230123")
    assert read(even, "shardId-000000000001") == [b"", b""]
    even.check_invariants()


def test_a_record_needs_no_key_where_keys_say_nothing(even, read):
    put = [
        even.put_record(b"one"),
        *even.put_records([PutRecordsEntry(b"two"), {"data": b"three"}, (b"four", None)]).records,
    ]
    assert [(record.partition_key, record.size) for record in put] == [("", 3), ("", 3), ("", 5), ("", 4)]
    assert read(even) == [b"one"]
    with pytest.raises(ValidationException, match="partitionKey"):
        even.put_record(b"", "")


def test_a_record_needs_a_key_where_keys_say_where_it_goes(stream):
    for put in (
        lambda: stream.put_record(b""),
        lambda: stream.put_records([PutRecordsEntry(b"")]),
        lambda: stream.put_records([(b"", None)]),
    ):
        with pytest.raises(ValidationException, match="artitionKey"):
            put()


def test_there_is_no_order_to_ask_for(even):
    # Developer guide, "Producer API behavior with service-managed distribution".
    first = even.put_record(b"", "k")
    with pytest.raises(InvalidArgumentException, match="SequenceNumberForOrdering"):
        even.put_record(b"", "k", sequence_number_for_ordering=first.sequence_number)


def test_the_strategy_holds_from_the_next_record_on(even):
    before = even.put_record(b"", "k").shard_id
    even.update_stream_record_distribution_strategy("USER_PARTITION_KEY")
    by_key = {even.put_record(b"", "k").shard_id for _ in range(5)}
    assert len(by_key) == 1
    even.update_stream_record_distribution_strategy("AUTO")
    assert len({even.put_record(b"", "k").shard_id for _ in range(4)}) == 4
    assert before in [record.shard_id for record in even.peek()]


def test_a_shard_without_room_is_passed_over(clock):
    stream = Stream(
        "events",
        stream_mode="ON_DEMAND",
        record_distribution_strategy="AUTO",
        enforce_throughput=True,
        limits=StreamLimits(write_records_per_second=2, on_demand_shards=2),
        clock=clock,
    )
    stream.update_stream_record_distribution_strategy("USER_PARTITION_KEY")
    for _ in range(2):
        stream.put_record(b"", "k", explicit_hash_key="0")
    stream.update_stream_record_distribution_strategy("AUTO")
    result = stream.put_records([(b"", "k")] * 3)
    assert shards(result.records[:2]) == ["1", "1"]
    assert result.failed_record_count == 1
    assert result.records[2].error_code == "ProvisionedThroughputExceededException"


def test_a_provisioned_stream_has_no_strategy(clock, stream):
    assert strategy(stream) is None
    with pytest.raises(InvalidArgumentException, match="ON_DEMAND"):
        Stream("events", record_distribution_strategy="AUTO", clock=clock)
    for wanted in ("AUTO", "USER_PARTITION_KEY"):
        with pytest.raises(InvalidArgumentException, match="ON_DEMAND"):
            stream.update_stream_record_distribution_strategy(wanted)
    assert strategy(Stream("events", record_distribution_strategy="USER_PARTITION_KEY")) is None


def test_a_stream_that_becomes_a_provisioned_one_goes_by_its_keys_again(even):
    even.update_stream_mode("PROVISIONED")
    assert len({even.put_record(b"", "k").shard_id for _ in range(5)}) == 1
    even.update_stream_mode("ON_DEMAND")
    assert strategy(even) == "USER_PARTITION_KEY"


def test_there_are_two_strategies(even, clock):
    for wrong in ("EVEN", None, 5):
        with pytest.raises(ValidationException, match="recordDistributionStrategy"):
            even.update_stream_record_distribution_strategy(wrong)
    with pytest.raises(ValidationException, match="recordDistributionStrategy"):
        Stream("events", stream_mode="ON_DEMAND", record_distribution_strategy="EVEN", clock=clock)


def test_the_strategy_changes_when_the_stream_is_active_and_leaves_it_so(clock):
    stream = Stream("events", stream_mode="ON_DEMAND", provisioning_time_seconds=30, clock=clock)
    with pytest.raises(ResourceInUseException):
        stream.update_stream_record_distribution_strategy("AUTO")
    clock.advance(seconds=30)
    stream.update_stream_record_distribution_strategy("AUTO")
    assert (stream.status, strategy(stream)) == ("ACTIVE", "AUTO")
