import pytest

from queuestream.core.clock import SECOND
from queuestream.core.errors import ProvisionedThroughputExceededException
from queuestream.core.streams.limits import MIB, StreamLimits
from queuestream.core.streams.record import Record, RejectedRecord
from queuestream.core.streams.stream import Stream

FIRST = "shardId-000000000000"
LOW, HIGH = "0", str(2**128 - 1)
RATE_EXCEEDED = "Rate exceeded for shard shardId-000000000000 in stream events under account 000000000000."


@pytest.fixture
def hot(clock):
    return Stream("events", shard_count=2, clock=clock, enforce_throughput=True)


def test_without_the_option_a_shard_takes_everything(one):
    for _ in range(5):
        one.put_records([(b"", "k")] * 500)
    assert len(one.peek()) == 2500


def test_a_shard_takes_1000_records_in_a_second(hot, clock):
    for _ in range(1000):
        hot.put_record(b"", "k", LOW)
    with pytest.raises(ProvisionedThroughputExceededException) as caught:
        hot.put_record(b"", "k", LOW)
    assert caught.value.message == RATE_EXCEEDED
    hot.put_record(b"", "k", HIGH)
    clock.advance(milliseconds=1, nanoseconds=-1)
    with pytest.raises(ProvisionedThroughputExceededException):
        hot.put_record(b"", "k", LOW)
    clock.advance(nanoseconds=1)
    hot.put_record(b"", "k", LOW)


def test_a_shard_takes_1_mib_in_a_second(hot, clock):
    hot.put_record(b"x" * (MIB // 2 - 1), "k", LOW)
    hot.put_record(b"x" * (MIB // 2 - 1), "k", LOW)
    with pytest.raises(ProvisionedThroughputExceededException):
        hot.put_record(b"", "k", LOW)
    clock.advance(milliseconds=500, nanoseconds=-1)
    with pytest.raises(ProvisionedThroughputExceededException):
        hot.put_record(b"x" * (MIB // 2 - 1), "k", LOW)
    clock.advance(nanoseconds=1)
    hot.put_record(b"x" * (MIB // 2 - 1), "k", LOW)


def test_a_large_record_needs_a_full_allowance_and_is_paid_for_afterwards(clock):
    stream = Stream("s", clock=clock, enforce_throughput=True, max_record_size_in_kib=10_240)
    stream.put_record(b"x" * (4 * MIB - 1), "k")
    clock.advance(seconds=4, nanoseconds=-1)
    with pytest.raises(ProvisionedThroughputExceededException):
        stream.put_record(b"x" * (4 * MIB - 1), "k")
    clock.advance(nanoseconds=1)
    stream.put_record(b"x" * (4 * MIB - 1), "k")


def test_put_records_fails_exactly_the_records_of_the_hot_shard(hot):
    for _ in range(997):
        hot.put_record(b"", "k", LOW)
    result = hot.put_records([(b"%d" % number, "k", LOW if number % 2 else HIGH) for number in range(10)])
    assert result.failed_record_count == 2
    for number, entry in enumerate(result.records):
        if number in {7, 9}:
            assert entry == RejectedRecord(
                error_code="ProvisionedThroughputExceededException", error_message=RATE_EXCEEDED
            )
            assert entry.shard_id is entry.sequence_number is None
        else:
            assert isinstance(entry, Record)
            assert entry.error_code is None
    assert len(hot.peek()) == 997 + 8
    hot.check_invariants()


def test_what_a_listener_refuses_uses_up_nothing(hot):
    def refuse(changes):
        raise OSError("disk full")

    hot.broker.listen(refuse)
    for _ in range(3):
        with pytest.raises(OSError, match="disk full"):
            hot.put_records([(b"", "k", LOW)] * 500)
    hot.broker.listeners = ()
    assert hot.peek() == []
    for _ in range(2):
        assert hot.put_records([(b"", "k", LOW)] * 500).failed_record_count == 0


def test_a_shard_answers_five_calls_in_a_second(hot, clock):
    iterator = hot.get_shard_iterator(FIRST, "TRIM_HORIZON")
    for _ in range(5):
        hot.get_records(iterator)
    with pytest.raises(ProvisionedThroughputExceededException) as caught:
        hot.get_records(iterator)
    assert caught.value.message == RATE_EXCEEDED
    hot.get_records(hot.get_shard_iterator("shardId-000000000001", "TRIM_HORIZON"))
    clock.advance(milliseconds=200, nanoseconds=-1)
    with pytest.raises(ProvisionedThroughputExceededException):
        hot.get_records(iterator)
    clock.advance(nanoseconds=1)
    hot.get_records(iterator)


def test_a_shard_gives_out_2_mib_in_a_second(hot, clock):
    for _ in range(3):
        hot.put_record(b"x" * (MIB - 1), "k", LOW)
        clock.advance(seconds=1)
    iterator = hot.get_shard_iterator(FIRST, "TRIM_HORIZON")
    iterator = hot.get_records(iterator, limit=2).next_shard_iterator
    with pytest.raises(ProvisionedThroughputExceededException):
        hot.get_records(iterator)
    clock.advance(milliseconds=1)
    assert len(hot.get_records(iterator).records) == 1


def test_an_answer_of_10_mib_is_followed_by_a_pause_of_five_seconds(hot, clock):
    for _ in range(11):
        hot.put_record(b"x" * (MIB - 1), "k", LOW)
        clock.advance(seconds=1)
    got = hot.get_records(hot.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    assert len(got.records) == 10
    clock.advance(seconds=5, nanoseconds=-1)
    with pytest.raises(ProvisionedThroughputExceededException):
        hot.get_records(got.next_shard_iterator)
    clock.advance(nanoseconds=1)
    assert len(hot.get_records(got.next_shard_iterator).records) == 1


def test_children_have_an_allowance_of_their_own(hot):
    for _ in range(1000):
        hot.put_record(b"", "k", LOW)
    hot.split_shard(FIRST, "5000")
    hot.put_record(b"", "k", LOW)


# --- on demand ---


def test_an_on_demand_stream_starts_with_four_shards(clock):
    stream = Stream("s", stream_mode="ON_DEMAND", clock=clock)
    assert stream.describe_summary().open_shard_count == 4


def test_an_on_demand_stream_has_room_for_twice_the_load_it_has_seen(clock):
    stream = Stream("s", stream_mode="ON_DEMAND", scale_on_demand=True, enforce_throughput=True, clock=clock)
    count = lambda: stream.describe_summary().open_shard_count
    entries = [(b"", str(number)) for number in range(500)]
    for _ in range(4):
        stream.put_records(entries)
    assert count() == 4
    clock.advance(seconds=10)
    stream.put_record(b"", "k")
    assert count() == 4
    for _ in range(4):
        stream.put_records(entries)
    assert count() == 4
    stream.put_record(
        b"", "k"
    )  # the 2,001st record of this second asked for more than 4 shards before this one
    assert count() == 8
    clock.advance(seconds=60)
    stream.put_record(b"", "k")
    assert count() == 8
    stream.check_invariants()


def test_bytes_scale_an_on_demand_stream_too(clock):
    stream = Stream("s", stream_mode="ON_DEMAND", scale_on_demand=True, clock=clock)
    for key in "abc":
        stream.put_record(b"x" * (MIB - 1), key)
    assert stream.describe_summary().open_shard_count == 4
    stream.put_record(b"", "k")
    assert stream.describe_summary().open_shard_count == 8


def test_what_was_seen_of_the_load_outlives_a_change_of_settings(clock):
    stream = Stream("s", stream_mode="ON_DEMAND", scale_on_demand=True, clock=clock)
    for key in "abc":
        stream.put_record(b"x" * (MIB - 1), key)
    stream.update_max_record_size(2048)
    stream.put_record(b"", "k")
    assert stream.describe_summary().open_shard_count == 8


def test_scaling_stops_at_the_streams_limit_and_while_it_is_updating(clock):
    capped = Stream(
        "s",
        stream_mode="ON_DEMAND",
        scale_on_demand=True,
        clock=clock,
        limits=StreamLimits(shards_per_stream=7),
    )
    slow = Stream(
        "s", stream_mode="ON_DEMAND", scale_on_demand=True, clock=clock, provisioning_time_seconds=1
    )
    clock.advance(seconds=1)
    for stream in (capped, slow):
        stream.put_records([(b"x" * (MIB - 1), key) for key in "abcdefg"])
        for _ in range(3):
            stream.put_record(b"", "k")
        assert stream.describe_summary().open_shard_count == 4
    clock.advance(seconds=1)
    assert slow.describe_summary().open_shard_count == 8


def test_a_provisioned_stream_does_not_scale(clock):
    stream = Stream("s", scale_on_demand=True, clock=clock)
    for key in "abc":
        stream.put_record(b"x" * (MIB - 1), key)
    assert stream.describe_summary().open_shard_count == 1
    stream.update_stream_mode("ON_DEMAND")
    for key in "abc":
        stream.put_record(b"x" * (MIB - 1), key)
    assert stream.describe_summary().open_shard_count > 1


# --- a consumer's own throughput ---


@pytest.fixture
def pushed(clock):
    """A stream of one shard that gives each consumer 1,000 bytes a second."""
    limits = StreamLimits(subscription_bytes_per_second=1_000)
    return Stream("events", clock=clock, enforce_throughput=True, limits=limits)


def subscribed(stream, name="reader"):
    arn = stream.register_stream_consumer(name).consumer_arn
    return stream.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON")


def test_a_consumer_is_pushed_no_more_than_its_own_throughput(pushed, clock):
    for _ in range(25):
        pushed.put_record(b"x" * 99, "k")
    start_ns = clock.now_ns()
    events = subscribed(pushed)
    seen = [(len(next(events).records), clock.now_ns() - start_ns) for _ in range(3)]
    assert seen == [(10, 0), (10, SECOND), (5, SECOND + SECOND // 2)]


def test_what_fits_into_the_throughput_is_pushed_at_once(pushed, clock):
    events = subscribed(pushed)
    start_ns = clock.now_ns()
    for _ in range(10):
        pushed.put_record(b"x" * 99, "k")
        assert len(next(events).records) == 1
    assert clock.now_ns() == start_ns


def test_each_consumer_has_a_throughput_of_its_own(pushed, clock):
    for _ in range(10):
        pushed.put_record(b"x" * 99, "k")
    start_ns = clock.now_ns()
    for name in ("one", "two", "three"):
        assert len(next(subscribed(pushed, name)).records) == 10
    assert clock.now_ns() == start_ns


def test_a_new_subscription_does_not_begin_with_a_new_throughput(pushed, clock):
    for _ in range(20):
        pushed.put_record(b"x" * 99, "k")
    events = subscribed(pushed)
    next(events)
    clock.advance(seconds=5)
    next(events)
    start_ns = clock.now_ns()
    arn = pushed.describe_stream_consumer("reader").consumer_arn
    again = pushed.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON")
    assert len(next(again).records) == 10
    assert clock.now_ns() == start_ns + SECOND


def test_a_record_larger_than_a_seconds_throughput_is_pushed_and_paid_for_afterwards(pushed, clock):
    pushed.put_record(b"x" * 2_999, "k")
    pushed.put_record(b"x" * 99, "k")
    events = subscribed(pushed)
    start_ns = clock.now_ns()
    assert [len(next(events).records) for _ in range(2)] == [1, 1]
    assert clock.now_ns() == start_ns + 2 * SECOND + SECOND // 10


def test_a_subscription_ends_in_time_while_it_waits_for_its_throughput(clock):
    limits = StreamLimits(subscription_bytes_per_second=1)
    stream = Stream("events", clock=clock, enforce_throughput=True, limits=limits)
    stream.put_record(b"x" * 999, "k")
    stream.put_record(b"x" * 999, "k")
    events = subscribed(stream)
    start_ns = clock.now_ns()
    first, *silence, last = events
    assert [len(event.records) for event in silence] == [0] * 59
    assert (len(first.records), len(last.records)) == (1, 0)
    assert int(last.continuation_sequence_number) >= int(first.continuation_sequence_number)
    assert last.millis_behind_latest == 300_000
    assert clock.now_ns() == start_ns + 300 * SECOND


def test_nobody_counts_what_is_pushed_unless_throughput_is_enforced(clock):
    stream = Stream("events", clock=clock, limits=StreamLimits(subscription_bytes_per_second=1))
    for _ in range(25):
        stream.put_record(b"x" * 99, "k")
    assert len(next(subscribed(stream)).records) == 25
