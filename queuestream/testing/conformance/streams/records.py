"""Records: which shard they go to, the numbers they get, and how large they may be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from queuestream.core.errors import InvalidArgumentException, ValidationException
from queuestream.core.streams.entries import PutRecordsEntry
from queuestream.testing.conformance.refusals import refused
from queuestream.testing.conformance.streams.fixtures import HASH_KEYS, MIDDLE, StreamSuite, first_shard

if TYPE_CHECKING:
    from queuestream.core.streams.stream import Stream
    from queuestream.testing.conformance.streams.fixtures import NewStream

MEBIBYTE = 1_048_576


def shard_of(stream: Stream, hash_key: int) -> str:
    """The shard in whose range a hash key lies."""
    [shard] = [
        shard.shard_id
        for shard in stream.list_shards().shards
        if int(shard.hash_key_range[0]) <= hash_key <= int(shard.hash_key_range[1])
    ]
    return shard


class Records(StreamSuite):
    """What is put."""

    # --- where a record goes ---

    @pytest.mark.parametrize(
        "key", ["a", "b", "customer 17", "clé", "x" * 256], ids=["a", "b", "two-words", "accent", "long"]
    )
    def test_the_md5_of_the_partition_key_decides_the_shard(self, two: Stream, key: str) -> None:
        hash_key = int(hashlib.md5(key.encode()).hexdigest(), 16)
        assert two.put_record(b"x", key).shard_id == shard_of(two, hash_key)

    @pytest.mark.parametrize(
        "hash_key", [0, HASH_KEYS // 2 - 1, HASH_KEYS // 2, HASH_KEYS - 1], ids=["0", "low", "high", "last"]
    )
    def test_an_explicit_hash_key_decides_instead(self, two: Stream, hash_key: int) -> None:
        assert two.put_record(b"x", "key", str(hash_key)).shard_id == shard_of(two, hash_key)

    def test_a_hash_key_has_128_bits(self, stream: Stream) -> None:
        with refused(InvalidArgumentException):
            stream.put_record(b"x", "key", str(HASH_KEYS))

    @pytest.mark.parametrize("hash_key", ["-1", "01", "1.0", "ten"])
    def test_a_hash_key_of_another_form_is_refused(self, stream: Stream, hash_key: str) -> None:
        with refused(ValidationException):
            stream.put_record(b"x", "key", hash_key)

    # --- its numbers ---

    def test_a_put_says_where_the_record_lies(self, stream: Stream) -> None:
        put = stream.put_record(b"x", "key")
        assert put.shard_id == first_shard(stream)
        assert put.sequence_number.isdigit()
        assert (put.data, put.partition_key, put.encryption_type) == (b"x", "key", "NONE")

    def test_sequence_numbers_grow_within_a_shard(self, stream: Stream) -> None:
        numbers = [int(stream.put_record(b"x", "key").sequence_number) for _ in range(3)]
        numbers += [int(put.sequence_number or 0) for put in stream.put_records([(b"x", "key")] * 5).records]
        numbers += [int(stream.put_record(b"x", "key").sequence_number)]
        assert numbers == sorted(set(numbers))

    def test_sequence_numbers_are_unique_in_a_stream(self, two: Stream) -> None:
        result = two.put_records([(b"x", str(number)) for number in range(100)])
        assert len({record.sequence_number for record in result.records}) == 100

    def test_a_record_can_be_ordered_after_the_one_before(self, stream: Stream) -> None:
        first = stream.put_record(b"1", "key")
        second = stream.put_record(b"2", "key", None, first.sequence_number)
        assert int(second.sequence_number) > int(first.sequence_number)

    def test_a_made_up_number_for_ordering_is_refused(self, stream: Stream) -> None:
        with refused(InvalidArgumentException):
            stream.put_record(b"x", "key", None, "1")

    # --- what it is ---

    def test_a_record_is_read_as_it_was_put(self, stream: Stream) -> None:
        put = stream.put_record(bytes(range(256)), "\N{SNOWMAN}" * 256)
        iterator = stream.get_shard_iterator(put.shard_id, "TRIM_HORIZON")
        [record] = self.records_from(stream, iterator)
        assert (record.data, record.partition_key) == (bytes(range(256)), "\N{SNOWMAN}" * 256)
        assert record.sequence_number == put.sequence_number
        assert record.approximate_arrival_timestamp.tzinfo is not None

    def test_a_record_may_be_empty(self, stream: Stream) -> None:
        stream.put_record(b"", "key")
        assert self.read(stream) == [b""]

    def test_a_record_may_have_one_mebibyte_with_its_key(self, stream: Stream) -> None:
        stream.put_record(bytes(MEBIBYTE - 3), "key")
        [record] = self.read(stream)
        assert len(record) == MEBIBYTE - 3

    def test_a_record_of_more_than_one_mebibyte_is_refused(self, stream: Stream) -> None:
        with refused(ValidationException):
            stream.put_record(bytes(MEBIBYTE + 1), "key")

    def test_the_key_counts_towards_the_size_of_a_record(self, stream: Stream) -> None:
        with refused(ValidationException):
            stream.put_record(bytes(MEBIBYTE - 2), "key")

    @pytest.mark.parametrize("key", ["k" * 257, ""], ids=["long", "empty"])
    def test_a_partition_key_has_1_to_256_characters(self, stream: Stream, key: str) -> None:
        with refused(ValidationException):
            stream.put_record(b"x", key)

    # --- many at once ---

    def test_records_that_are_put_together_are_answered_in_order(self, two: Stream) -> None:
        keys = [str(number) for number in range(20)]
        result = two.put_records([(key.encode(), key) for key in keys])
        assert (result.failed_record_count, result.encryption_type) == (0, "NONE")
        expected = [shard_of(two, int(hashlib.md5(key.encode()).hexdigest(), 16)) for key in keys]
        assert [put.shard_id for put in result.records] == expected
        assert {put.error_code for put in result.records} == {None}

    def test_records_that_are_put_together_may_have_hash_keys(self, two: Stream) -> None:
        entries = [PutRecordsEntry(b"x", "key", hash_key) for hash_key in (MIDDLE, "0")]
        puts = two.put_records(entries).records
        assert [put.shard_id for put in puts] == [shard_of(two, HASH_KEYS // 2), shard_of(two, 0)]

    def test_records_that_are_put_together_are_read_in_order(self, stream: Stream) -> None:
        sent = [b"%d" % number for number in range(50)]
        stream.put_records([(one, "key") for one in sent])
        assert self.read(stream, count=50) == sent

    def test_five_hundred_records_can_be_put_together(self, stream: Stream) -> None:
        assert len(stream.put_records([(b"x", "key")] * 500).records) == 500
        with refused(ValidationException):
            stream.put_records([(b"x", "key")] * 501)

    def test_no_records_cannot_be_put(self, stream: Stream) -> None:
        with refused(ValidationException):
            stream.put_records([])

    def test_a_request_that_is_refused_puts_nothing(self, new_stream: NewStream) -> None:
        stream = new_stream()
        with refused(ValidationException):
            stream.put_records([(b"1", "k"), (b"2", "k" * 257)])
        assert self.read(stream) == []
