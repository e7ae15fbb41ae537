import hashlib
import itertools

import pytest

from queuestream.core.errors import InvalidArgumentException, ValidationException
from queuestream.core.streams.entries import PutRecordsEntry, refusal
from queuestream.core.streams.hash_keys import HASH_KEY_MAX, even_ranges
from queuestream.core.streams.limits import KIB, MIB, StreamLimits
from queuestream.core.streams.record import Record
from queuestream.core.streams.stream import Stream


def test_a_record_goes_to_the_shard_whose_range_holds_the_md5_of_its_key(stream):
    for key in ["a", "LX-320", "ключ", "k" * 256]:
        hash_key = int(hashlib.md5(key.encode()).hexdigest(), 16)
        put = stream.put_record(b"data", key)
        [shard] = [shard for shard in stream.list_shards().shards if shard.shard_id == put.shard_id]
        start, end = map(int, shard.hash_key_range)
        assert start <= hash_key <= end


def test_both_ends_of_a_range_belong_to_it(stream):
    for shard in stream.list_shards().shards:
        for hash_key in shard.hash_key_range:
            assert stream.put_record(b"", "key", explicit_hash_key=hash_key).shard_id == shard.shard_id


def test_equal_ranges_are_those_that_aws_makes():
    assert even_ranges(3) == [
        (0, 113427455640312821154458202477256070484),
        (113427455640312821154458202477256070485, 226854911280625642308916404954512140969),
        (226854911280625642308916404954512140970, 340282366920938463463374607431768211455),
    ]


def test_a_put_answers_with_the_record_as_it_is_stored(one, clock):
    put = one.put_record(b"departed", "LX-320")
    assert (put.data, put.partition_key, put.shard_id) == (b"departed", "LX-320", "shardId-000000000000")
    assert put.encryption_type == "NONE"
    assert put.error_code is put.error_message is None
    assert put.approximate_arrival_timestamp.timestamp() == clock.now_ns() // 10**6 / 1000
    assert one.peek() == [put]
    assert repr(put) == "<Record 1 of shardId-000000000000: b'departed' under 'LX-320'>"
    assert "...' under" in repr(one.put_record(b"x" * 100, "LX-320"))


def test_bytes_like_data_is_copied(one):
    data = bytearray(b"departed")
    put = one.put_record(data, "LX-320")
    data[:] = b"ARRIVED."
    assert put.data == b"departed"
    assert one.put_record(memoryview(b"x"), "LX-320").data == b"x"


def test_sequence_numbers_have_56_digits_and_grow(stream, clock):
    numbers = {}
    for step in range(200):
        put = stream.put_record(b"", f"key {step}")
        assert len(put.sequence_number) == 56
        assert numbers.get(put.shard_id, 0) < int(put.sequence_number)
        numbers[put.shard_id] = int(put.sequence_number)
        clock.advance(milliseconds=7)
    assert len({record.sequence_number for record in stream.peek()}) == 200


@pytest.mark.parametrize(
    ("data", "key", "explicit_hash_key", "error", "sentence"),
    [
        (
            None,
            "k",
            None,
            ValidationException,
            "Value null at 'data' failed to satisfy constraint: Member must not be null",
        ),
        ("text", "k", None, ValidationException, "Value 'text' at 'data'"),
        (b"", None, None, ValidationException, "Value null at 'partitionKey'"),
        (
            b"",
            5,
            None,
            ValidationException,
            "Value '5' at 'partitionKey' failed to satisfy constraint: Member must be a string",
        ),
        (b"", "", None, ValidationException, "Member must have length greater than or equal to 1"),
        (b"", "k" * 257, None, ValidationException, "Member must have length less than or equal to 256"),
        (b"", "\ud800", None, ValidationException, "Member must be text that UTF-8 can carry"),
        (b"x" * (MIB + 1), "k", None, ValidationException, "Value at "),
        (b"x" * MIB, "k", None, ValidationException, "Value at "),
        (b"", "k", "01", ValidationException, "Member must satisfy regular expression pattern"),
        (b"", "k", "-1", ValidationException, "Member must satisfy regular expression pattern"),
        (b"", "k", "٣", ValidationException, "Member must satisfy regular expression pattern"),
        (b"", "k", 1, ValidationException, "explicitHashKey"),
        (b"", "k", str(HASH_KEY_MAX + 1), InvalidArgumentException, "Invalid ExplicitHashKey"),
    ],
)
def test_a_record_of_the_wrong_form_is_refused_and_nothing_is_put(
    one, data, key, explicit_hash_key, error, sentence
):
    with pytest.raises(error) as caught:
        one.put_record(data, key, explicit_hash_key)
    assert sentence in caught.value.message
    with pytest.raises(error) as caught:
        one.put_records([(b"good", "key"), (data, key, explicit_hash_key)])
    assert sentence.split("'")[0] in caught.value.message
    if explicit_hash_key is None:
        with pytest.raises(error):
            one.put_records([(b"good", "key"), (data, key)])
    assert one.peek() == []


def test_the_partition_key_counts_for_the_size_in_utf_8_bytes(one):
    one.put_record(b"x" * (MIB - 2), "é")
    with pytest.raises(ValidationException):
        one.put_record(b"x" * (MIB - 1), "é")


def test_the_largest_record_can_be_made_larger(one):
    one.update_max_record_size(10_240)
    one.put_record(b"x" * (10 * MIB - 1), "k")
    with pytest.raises(ValidationException):
        one.put_record(b"x" * (10 * MIB), "k")


def test_the_quick_look_and_the_thorough_one_agree():
    with pytest.raises(AssertionError, match="must agree"):
        refusal(b"", "key", StreamLimits(), KIB)


# --- sequence_number_for_ordering ---


def test_a_sequence_number_of_the_stream_is_taken_for_ordering(stream, clock):
    last = None
    for step in range(20):
        last = stream.put_record(b"", f"key {step}", sequence_number_for_ordering=last).sequence_number
    clock.advance(seconds=1)
    parent = stream.put_record(b"", "key")
    stream.split_shard(parent.shard_id, str(sum(map(int, parent.shard.hash_key_range)) // 2))
    child = stream.put_record(b"", "key", sequence_number_for_ordering=parent.sequence_number)
    assert int(child.sequence_number) > int(parent.sequence_number)
    clock.advance(hours=25)  # the parent has expired, and its sequence number is still one of this stream's
    stream.put_record(b"", "key", sequence_number_for_ordering=parent.sequence_number)


@pytest.mark.parametrize("spoil", ["future", "short", "version", "marker", "count"])
def test_what_is_no_sequence_number_or_one_of_a_time_to_come_is_refused_for_ordering(stream, clock, spoil):
    number = int(stream.put_record(b"", "key").sequence_number)
    text = {
        "future": str(number + (1 << 40)),
        "short": "12",
        "version": str(number ^ 1),
        "marker": str(number + (1 << 184)),
        "count": str(number | 1 << 143),
    }[spoil]
    with pytest.raises(InvalidArgumentException) as caught:
        stream.put_record(b"", "key", sequence_number_for_ordering=text)
    assert caught.value.message == (
        f"ExclusiveMinimumSequenceNumber {text} used in PutRecord "
        "on stream events under account 000000000000 is invalid."
    )
    with pytest.raises(ValidationException):
        stream.put_record(b"", "key", sequence_number_for_ordering="x")
    assert len(stream.peek()) == 1


# --- put_records ---


def test_put_records_takes_entries_in_every_form(stream):
    result = stream.put_records(
        [
            (b"1", "a"),
            (b"2", "a", "0"),
            PutRecordsEntry(b"3", "a"),
            {"data": b"4", "partition_key": "a", "explicit_hash_key": str(HASH_KEY_MAX)},
        ]
    )
    assert result.failed_record_count == 0
    assert result.encryption_type == "NONE"
    assert [record.data for record in result.records] == [b"1", b"2", b"3", b"4"]
    assert result.records[1].shard_id == "shardId-000000000000"
    assert result.records[3].shard_id == "shardId-000000000003"
    assert sorted(record.sequence_number for record in result.records) == sorted(
        record.sequence_number for record in stream.peek()
    )


def test_put_records_takes_500_and_no_more(one):
    assert len(one.put_records([(b"", "k")] * 500).records) == 500
    for entries in ([], [(b"", "k")] * 501):
        with pytest.raises(ValidationException, match="at 'records'"):
            one.put_records(entries)
    assert len(one.peek()) == 500


def test_put_records_takes_10_mib_and_no_more(one):
    records = [(b"x" * (MIB - 1), "k")] * 10
    one.put_records(records)
    with pytest.raises(InvalidArgumentException, match="Records size exceeds 10 MB limit"):
        one.put_records([*records, (b"", "k")])
    assert len(one.peek()) == 10


@pytest.mark.parametrize(
    "records",
    [None, 5, "text", b"bytes", {"data": b"x"}, [None], [5], [()], [(b"x",)], ["ab"], [{"Data": b"x"}], [{}]],
)
def test_put_records_of_the_wrong_form_is_refused(one, records):
    with pytest.raises(ValidationException):
        one.put_records(records)


def test_the_place_of_a_bad_entry_is_named(one):
    with pytest.raises(ValidationException, match=r"Value '' at 'records.3.member.partitionKey'"):
        one.put_records([(b"", "k"), (b"", "k"), (b"", "")])
    with pytest.raises(ValidationException, match=r"'records.2.member.partitionKey'"):
        one.put_records([(b"", "k"), (b"", "\udfff")])


def test_any_iterable_of_entries_will_do(one):
    assert len(one.put_records((b"", str(i)) for i in range(3)).records) == 3


def test_a_batch_that_never_ends_is_too_long(one):
    with pytest.raises(ValidationException, match="Member must have length less than or equal to 500"):
        one.put_records(itertools.repeat((b"", "k")))


def test_the_limits_are_the_streams_own(clock):
    stream = Stream("s", clock=clock, limits=StreamLimits(put_records_max=2, partition_key_length_max=3))
    with pytest.raises(ValidationException):
        stream.put_records([(b"", "k")] * 3)
    with pytest.raises(ValidationException):
        stream.put_record(b"", "long")


def test_a_stored_record_is_small(one):
    assert not hasattr(one.put_record(b"", "k"), "__dict__")
    assert Record.encryption_type == "NONE"
