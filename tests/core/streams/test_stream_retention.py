import pytest

from queuestream.core.clock import HOUR
from queuestream.core.errors import InvalidArgumentException, ResourceInUseException, ValidationException
from queuestream.core.streams.stream import Stream

FIRST = "shardId-000000000000"


def test_a_record_is_readable_until_just_before_the_retention_period_is_over(one, clock, read):
    one.put_record(b"0", "k")
    clock.advance(hours=24, nanoseconds=-1)
    assert read(one) == [b"0"]
    assert len(one.peek()) == 1
    assert repr(one) == "<Stream 'events': 1 shard open, 0 closed, 1 record>"
    clock.advance(nanoseconds=1)
    assert len(one.peek()) == 0
    assert repr(one) == "<Stream 'events': 1 shard open, 0 closed, 0 records>"
    assert read(one) == []


def test_a_read_is_exact_between_two_sweeps(one, clock, read):
    for number in range(3):
        one.put_record(b"%d" % number, "k")
        clock.advance(seconds=1)
    clock.advance(hours=24, seconds=-3)
    assert read(one) == [b"1", b"2"]
    clock.advance(seconds=1, nanoseconds=-1)
    assert read(one) == [b"1", b"2"]
    clock.advance(nanoseconds=1)
    assert read(one) == [b"2"]


def test_trim_horizon_moves_and_an_iterator_below_it_starts_there(one, clock):
    for number in range(3):
        one.put_record(b"%d" % number, "k")
        clock.advance(hours=8)
    iterator = one.get_shard_iterator(FIRST, "TRIM_HORIZON")
    at_first = one.get_shard_iterator(FIRST, "AT_TIMESTAMP", timestamp=0)
    assert [record.data for record in one.get_records(iterator).records] == [b"1", b"2"]
    assert [record.data for record in one.get_records(at_first).records] == [b"1", b"2"]
    one.check_invariants()


def test_an_iterator_at_a_trimmed_sequence_number_starts_at_the_horizon(one, clock):
    first = one.put_record(b"0", "k").sequence_number
    clock.advance(hours=23)
    one.put_record(b"1", "k")
    clock.advance(hours=1)
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        got = one.get_records(one.get_shard_iterator(FIRST, kind, first))
        assert [record.data for record in got.records] == [b"1"]


@pytest.mark.parametrize("look", ["read", "put elsewhere"])
def test_what_expired_is_freed_whoever_comes_first(stream, clock, look):
    stream.put_record(b"x", "k", explicit_hash_key="0")
    clock.advance(hours=24)
    if look == "read":
        stream.get_records(stream.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    else:
        stream.put_record(b"", "k", explicit_hash_key=str(2**128 - 1))
    assert stream._shards[FIRST].records == []
    stream.check_invariants()


def test_a_record_that_is_trimmed_is_freed_at_once_and_its_place_with_the_next_ones(one, clock):
    for _ in range(10):
        one.put_record(b"x", "k")
        clock.advance(hours=1)
    shard = one._shards[FIRST]
    clock.advance(hours=14)
    one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    assert (len(shard.records), shard.dead) == (10, 1)
    assert shard.records[0].number == 0
    clock.advance(hours=4)
    one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    assert (len(shard.records), shard.dead) == (5, 0)


def test_the_next_event_is_the_next_expiry(one, clock):
    assert one.next_event_ns() is None
    one.put_record(b"", "k")
    assert one.next_event_ns() == clock.now_ns() + 24 * HOUR


def test_the_next_event_passes_over_what_has_expired_and_was_not_let_go_of_yet(one, clock):
    one.put_record(b"first", "k")
    clock.advance(hours=1)
    one.put_record(b"second", "k")
    clock.advance(hours=23)
    assert one._shards[FIRST].horizon == 1
    assert one.next_event_ns() == clock.now_ns() + HOUR


def test_a_stream_that_is_gone_expects_nothing(clock):
    stream = Stream("s", clock=clock, provisioning_time_seconds=5)
    clock.advance(seconds=5)
    stream.put_record(b"", "k")
    stream.delete()
    clock.advance(seconds=5)
    assert stream.next_event_ns() is None


def test_a_longer_period_does_not_bring_back_what_is_gone(one, clock, read):
    one.put_record(b"0", "k")
    clock.advance(hours=23)
    one.put_record(b"1", "k")
    clock.advance(hours=1)
    one.increase_stream_retention_period(48)
    assert read(one) == [b"1"]
    clock.advance(hours=47, nanoseconds=-1)
    assert read(one) == [b"1"]
    clock.advance(nanoseconds=1)
    assert read(one) == []


def test_a_shorter_period_lets_go_at_once(one, clock, read):
    one.increase_stream_retention_period(72)
    one.put_record(b"0", "k")
    clock.advance(hours=24)
    one.put_record(b"1", "k")
    one.decrease_stream_retention_period(24)
    assert read(one) == [b"1"]
    assert len(one.peek()) == 1


@pytest.mark.parametrize("hours", [24, 8760])
def test_the_retention_period_reaches_from_a_day_to_a_year(clock, hours):
    stream = Stream("s", retention_period_hours=48, clock=clock)
    (stream.increase_stream_retention_period if hours > 48 else stream.decrease_stream_retention_period)(
        hours
    )
    assert stream.describe_summary().retention_period_hours == hours


@pytest.mark.parametrize(
    ("change", "hours", "sentence"),
    [
        (
            "increase",
            8761,
            "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours)",
        ),
        (
            "decrease",
            23,
            "Minimum allowed retention period is 24 hours. Requested retention period (23 hours)",
        ),
        (
            "increase",
            47,
            "can not be shorter than existing retention period (48 hours). Use DecreaseRetentionPeriod",
        ),
        (
            "decrease",
            49,
            "can not be longer than existing retention period (48 hours). Use IncreaseRetentionPeriod",
        ),
    ],
)
def test_a_period_out_of_its_range_or_in_the_wrong_direction_is_refused(clock, change, hours, sentence):
    stream = Stream("s", retention_period_hours=48, clock=clock)
    with pytest.raises(InvalidArgumentException) as caught:
        getattr(stream, f"{change}_stream_retention_period")(hours)
    assert sentence in caught.value.message
    with pytest.raises(ValidationException):
        getattr(stream, f"{change}_stream_retention_period")("48")
    assert stream.settings.retention_period_hours == 48


def test_while_the_stream_is_updating_the_period_stays(clock):
    stream = Stream("s", clock=clock, provisioning_time_seconds=5)
    clock.advance(seconds=5)
    stream.increase_stream_retention_period(25)
    with pytest.raises(ResourceInUseException):
        stream.decrease_stream_retention_period(24)
    clock.advance(seconds=5)
    stream.decrease_stream_retention_period(24)


def test_trimming_bit_by_bit_keeps_the_shard_right(one, clock):
    for number in range(50):
        one.put_record(b"%d" % number, "k")
        clock.advance(minutes=1)
    clock.advance(hours=23, minutes=10, nanoseconds=-1)
    for left in range(50, 0, -1):
        got = one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"))
        assert [record.data for record in got.records] == [b"%d" % number for number in range(50 - left, 50)]
        one.check_invariants()
        clock.advance(minutes=1)
    assert one.put_record(b"", "k").number == 51


def test_a_shorter_period_holds_even_if_what_it_removes_cannot_be_recorded_yet(one, clock):
    one.increase_stream_retention_period(48)
    one.put_record(b"old", "k")
    clock.advance(hours=30)

    def refuse_removals(changes):
        if any(type(change).__name__ == "RecordsTrimmed" for change in changes):
            raise OSError("disk full")

    one.broker.listen(refuse_removals)
    one.decrease_stream_retention_period(24)
    assert one.settings.retention_period_hours == 24
    with pytest.raises(OSError, match="disk full"):
        one.put_record(b"new", "k")
    one.broker.listeners = ()
    assert [record.data for record in one.peek()] == []
