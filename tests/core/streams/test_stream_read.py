from datetime import UTC, datetime, timedelta, timezone

import pytest

from queuestream.core.clock import MILLISECOND, SECOND
from queuestream.core.errors import (
    ExpiredIteratorException,
    InvalidArgumentException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.streams.limits import MIB, StreamLimits
from queuestream.core.streams.stream import Stream

FIRST = "shardId-000000000000"


def data(got):
    return [record.data for record in got.records]


def test_what_was_put_is_read_in_order(one):
    for number in range(5):
        one.put_record(b"%d" % number, "k")
    got = one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    assert data(got) == [b"0", b"1", b"2", b"3", b"4"]
    assert got.child_shards == []
    assert data(one.get_records(got.next_shard_iterator)) == []


def test_a_reader_gets_the_stored_records(one):
    put = one.put_record(b"", "k")
    [got] = one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON")).records
    assert got is put


def test_latest_is_what_comes_after(one):
    one.put_record(b"before", "k")
    iterator = one.get_shard_iterator(FIRST, "LATEST")
    one.put_record(b"after", "k")
    assert data(one.get_records(iterator)) == [b"after"]


def test_at_and_after_a_sequence_number(one):
    second = [one.put_record(b"%d" % number, "k").sequence_number for number in range(4)][1]
    at = one.get_shard_iterator(FIRST, "AT_SEQUENCE_NUMBER", second)
    after = one.get_shard_iterator(FIRST, "AFTER_SEQUENCE_NUMBER", starting_sequence_number=second)
    assert data(one.get_records(at)) == [b"1", b"2", b"3"]
    assert data(one.get_records(after)) == [b"2", b"3"]


def test_the_shards_own_sequence_numbers_are_its_ends(one):
    one.put_record(b"0", "k")
    start = one.list_shards().shards[0].starting_sequence_number
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        assert data(one.get_records(one.get_shard_iterator(FIRST, kind, start))) == [b"0"]
    one.split_shard(FIRST, str(2**127))
    end = one.list_shards().shards[0].ending_sequence_number
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        got = one.get_records(one.get_shard_iterator(FIRST, kind, end))
        assert (data(got), got.next_shard_iterator) == ([], None)


def test_at_timestamp_is_the_first_record_of_that_millisecond_or_later(one, clock):
    times = []
    for number in range(4):
        times.append(one.put_record(b"%d" % number, "k").approximate_arrival_timestamp)
        clock.advance(seconds=1)
    for timestamp, expected in [
        (times[1], [b"1", b"2", b"3"]),
        (times[1].timestamp(), [b"1", b"2", b"3"]),
        (times[1] - timedelta(milliseconds=1), [b"1", b"2", b"3"]),
        (times[1] + timedelta(milliseconds=1), [b"2", b"3"]),
        (times[1].astimezone(timezone(timedelta(hours=5))), [b"1", b"2", b"3"]),
        (times[1].replace(tzinfo=None), [b"1", b"2", b"3"]),
        (datetime(1999, 1, 1, tzinfo=UTC), [b"0", b"1", b"2", b"3"]),
        (int(times[0].timestamp()), [b"0", b"1", b"2", b"3"]),
        (times[3] + timedelta(milliseconds=1), []),
    ]:
        iterator = one.get_shard_iterator(FIRST, "AT_TIMESTAMP", timestamp=timestamp)
        assert data(one.get_records(iterator)) == expected


def test_a_timestamp_in_the_future_is_refused_one_millisecond_ahead(one, clock):
    now = datetime.fromtimestamp(clock.now_ns() // SECOND, UTC)
    one.get_shard_iterator(FIRST, "AT_TIMESTAMP", timestamp=now)
    with pytest.raises(InvalidArgumentException, match="cannot be greater than the currentTimestampInMillis"):
        one.get_shard_iterator(FIRST, "AT_TIMESTAMP", timestamp=now + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("kind", "number", "timestamp", "sentence"),
    [
        (
            "AT_SEQUENCE_NUMBER",
            None,
            None,
            "Request specified AT_SEQUENCE_NUMBER and no StartingSequenceNumber.",
        ),
        ("AFTER_SEQUENCE_NUMBER", None, None, "and no StartingSequenceNumber."),
        ("LATEST", "0", None, "Request specified LATEST and also a StartingSequenceNumber."),
        ("TRIM_HORIZON", "0", None, "and also a StartingSequenceNumber."),
        ("AT_TIMESTAMP", "0", 1, "and also a StartingSequenceNumber."),
        ("AT_TIMESTAMP", None, None, "Must specify timestampInMillis parameter"),
        ("LATEST", None, 1, "Timestamp can't be used"),
        ("AT_SEQUENCE_NUMBER", "0", None, "StartingSequenceNumber 0 used in GetShardIterator on shard"),
        ("AT_SEQUENCE_NUMBER", "5" * 56, None, "is invalid."),
        ("AT_SEQUENCE_NUMBER", "9" * 129, None, "is invalid."),
    ],
)
def test_what_an_iterator_type_needs_is_given_and_nothing_else(one, kind, number, timestamp, sentence):
    with pytest.raises(InvalidArgumentException) as caught:
        one.get_shard_iterator(FIRST, kind, number, timestamp)
    assert sentence in caught.value.message


def test_a_sequence_number_of_another_shard_or_stream_or_of_no_record_is_refused(stream, clock):
    by_shard = {}
    for key in range(20):
        put = stream.put_record(b"", str(key))
        by_shard[put.shard_id] = put.sequence_number
    with pytest.raises(InvalidArgumentException) as caught:
        stream.get_shard_iterator(FIRST, "AT_SEQUENCE_NUMBER", by_shard["shardId-000000000001"])
    assert caught.value.message == (
        "Invalid StartingSequenceNumber. It encodes shardId-000000000001, "
        "while it was used in a call to a shard with shardId-000000000000"
    )
    clock.advance(seconds=1)
    later = Stream("later", clock=clock).put_record(b"", "k").sequence_number
    with pytest.raises(InvalidArgumentException, match="because it did not come from this stream"):
        stream.get_shard_iterator(FIRST, "AT_SEQUENCE_NUMBER", later)
    unissued = str(int(by_shard[FIRST]) + (1000 << 80))
    with pytest.raises(InvalidArgumentException, match="because no record has it"):
        stream.get_shard_iterator(FIRST, "AT_SEQUENCE_NUMBER", unissued)


def test_a_shard_that_is_not_there_is_named(one):
    with pytest.raises(ResourceNotFoundException) as caught:
        one.get_shard_iterator("shardId-000000000009", "LATEST")
    assert caught.value.message == (
        "Shard shardId-000000000009 in stream events under account 000000000000 does not exist"
    )


@pytest.mark.parametrize(
    ("shard_id", "kind", "timestamp"),
    [
        (None, "LATEST", None),
        ("", "LATEST", None),
        ("a b", "LATEST", None),
        ("x" * 129, "LATEST", None),
        (FIRST, "NEWEST", None),
        (FIRST, None, None),
        (FIRST, ["LATEST"], None),
        (FIRST, "AT_TIMESTAMP", "yesterday"),
        (FIRST, "AT_TIMESTAMP", float("nan")),
        (FIRST, "AT_TIMESTAMP", float("inf")),
        (FIRST, "AT_TIMESTAMP", True),
        (FIRST, "AT_TIMESTAMP", 1e308),
        pytest.param(FIRST, "AT_TIMESTAMP", 10**5000, id="huge"),
    ],
)
def test_parameters_of_the_wrong_form_are_refused(one, shard_id, kind, timestamp):
    with pytest.raises(ValidationException):
        one.get_shard_iterator(shard_id, kind, timestamp=timestamp)


# --- iterators ---


def test_an_iterator_is_good_until_just_before_five_minutes_are_over(one, clock):
    iterator = one.get_shard_iterator(FIRST, "LATEST")
    clock.advance(seconds=300, nanoseconds=-1)
    one.get_records(iterator)


def test_an_iterator_has_expired_after_five_minutes(one, clock):
    iterator = one.get_shard_iterator(FIRST, "LATEST")
    clock.advance(seconds=300)
    with pytest.raises(ExpiredIteratorException) as caught:
        one.get_records(iterator)
    assert caught.value.message == (
        "Iterator expired. The iterator was created at time Wed Jan 01 00:00:00 UTC 2025 while right now "
        "it is Wed Jan 01 00:05:00 UTC 2025 which is further in the future than the "
        "tolerated delay of 300000 milliseconds."
    )


def test_an_iterator_may_be_used_again_and_again(one):
    one.put_record(b"0", "k")
    iterator = one.get_shard_iterator(FIRST, "TRIM_HORIZON")
    assert data(one.get_records(iterator)) == data(one.get_records(iterator)) == [b"0"]


def test_foreign_and_forged_iterators_are_refused(one, clock):
    iterator = one.get_shard_iterator(FIRST, "TRIM_HORIZON")
    foreign = Stream("events", clock=clock, seed=2).get_shard_iterator(FIRST, "TRIM_HORIZON")
    changed = iterator[:-1] + ("A" if iterator[-1] != "A" else "B")
    for forged in [
        foreign,
        changed,
        iterator[:-4],
        iterator + "AAAA",
        "AAAA",
        "=",
        "ü",
        "x" * 512,
        iterator[4:],
    ]:
        with pytest.raises(InvalidArgumentException, match=r"Invalid ShardIterator\."):
            one.get_records(forged)
    for wrong in [None, "", 5, b"AAAA", "x" * 513, "\ud800"]:
        with pytest.raises(ValidationException):
            one.get_records(wrong)


def test_the_same_seed_gives_the_same_iterators(clock):
    first, second = (Stream("events", clock=clock, seed=7) for _ in range(2))
    assert first.get_shard_iterator(FIRST, "LATEST") == second.get_shard_iterator(FIRST, "LATEST")


# --- how much one answer holds ---


def test_a_limit_cuts_the_answer(one):
    one.put_records([(b"%d" % number, "k") for number in range(5)])
    got = one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"), limit=2)
    assert data(got) == [b"0", b"1"]
    assert data(one.get_records(got.next_shard_iterator, limit=10_000)) == [b"2", b"3", b"4"]


@pytest.mark.parametrize("limit", [0, -1, 10_001, 1.5, "1", True, pytest.param(10**5000, id="huge")])
def test_a_limit_is_a_number_from_1_to_10000(one, limit):
    with pytest.raises(ValidationException, match="at 'limit'"):
        one.get_records(one.get_shard_iterator(FIRST, "LATEST"), limit=limit)


def test_an_answer_holds_10000_records(one):
    for _ in range(21):
        one.put_records([(b"", "k")] * 500)
    got = one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    assert len(got.records) == 10_000
    assert len(one.get_records(got.next_shard_iterator).records) == 500


def test_an_answer_holds_10_mib_with_partition_keys(one):
    for _ in range(11):
        one.put_record(b"x" * (MIB - 1), "k")
    assert len(one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON")).records) == 10


def test_a_record_that_is_larger_than_an_answer_is_given_alone(clock):
    stream = Stream("s", clock=clock, limits=StreamLimits(get_records_bytes_max=4))
    stream.put_records([(b"too much", "k"), (b"1", "k"), (b"2", "k"), (b"3", "k")])
    got = stream.get_records(stream.get_shard_iterator(FIRST, "TRIM_HORIZON"))
    assert data(got) == [b"too much"]
    assert data(stream.get_records(got.next_shard_iterator)) == [b"1", b"2"]


# --- how far behind ---


def test_millis_behind_latest_is_the_age_of_the_last_record_while_more_wait(one, clock):
    one.put_record(b"0", "k")
    clock.advance(milliseconds=1500)
    one.put_record(b"1", "k")
    clock.advance(seconds=2)
    got = one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"), limit=1)
    assert got.millis_behind_latest == 3500
    assert one.get_records(got.next_shard_iterator).millis_behind_latest == 0
    assert one.get_records(one.get_shard_iterator(FIRST, "LATEST")).millis_behind_latest == 0


def test_who_has_not_read_everything_is_behind_even_within_one_instant(one):
    one.put_records([(b"0", "k"), (b"1", "k")])
    assert one.get_records(one.get_shard_iterator(FIRST, "TRIM_HORIZON"), limit=1).millis_behind_latest == 1


def test_timestamps_have_milliseconds(one, clock):
    clock.advance(milliseconds=1.5)
    put = one.put_record(b"", "k")
    assert put.approximate_arrival_timestamp.microsecond == 1000
    assert put.arrival_ns % MILLISECOND == 500_000
