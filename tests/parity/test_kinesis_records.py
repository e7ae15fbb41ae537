"""Kinesis: putting records, and which shard and which place they get."""

import hashlib

import pytest
from drivers.refusals import refused

from queuestream.core.streams.entries import PutRecordsEntry
from queuestream.core.streams.limits import StreamLimits

PUT = "Kinesis API reference: PutRecord"
PUTS = "Kinesis API reference: PutRecords"
HASHES = 2**128
MEBIBYTE = 1_048_576
FIRST = "shardId-000000000000"


@pytest.fixture
def stream(broker):
    return broker.create_stream("events", shard_count=4)


def shard_of(stream, hash_key):
    [shard] = [
        shard.shard_id
        for shard in stream.list_shards().shards
        if int(shard.hash_key_range[0]) <= hash_key <= int(shard.hash_key_range[1])
    ]
    return shard


def read_all(stream, shard_id=FIRST):
    return stream.get_records(stream.get_shard_iterator(shard_id, "TRIM_HORIZON")).records


# --- where a record goes ---


@pytest.mark.parametrize("key", ["a", "b", "customer 17", "clé", "x" * 256])
@pytest.mark.aws("The MD5 of the partition key is the hash key, which lies in one shard's range.", page=PUT)
def test_the_md5_of_the_partition_key_decides_the_shard(stream, key):
    hash_key = int(hashlib.md5(key.encode()).hexdigest(), 16)
    assert stream.put_record(b"x", key).shard_id == shard_of(stream, hash_key)


@pytest.mark.parametrize("hash_key", [0, HASHES // 4 - 1, HASHES // 4, HASHES // 2, HASHES - 1])
@pytest.mark.aws("ExplicitHashKey decides the shard instead of the partition key's hash.", page=PUT)
def test_an_explicit_hash_key_decides_the_shard(stream, hash_key):
    assert stream.put_record(b"x", "key", str(hash_key)).shard_id == shard_of(stream, hash_key)


@pytest.mark.aws(
    "Both ends of a hash key range belong to the shard.", page="Kinesis API reference: HashKeyRange"
)
def test_the_ends_of_a_range_belong_to_its_shard(stream):
    for shard in stream.list_shards().shards:
        for end in shard.hash_key_range:
            assert stream.put_record(b"x", "key", end).shard_id == shard.shard_id


@pytest.mark.aws("A hash key has 128 bits.", page=PUT)
def test_a_hash_key_beyond_128_bits_is_refused(stream):
    with refused("InvalidArgumentException"):
        stream.put_record(b"x", "key", str(HASHES))


@pytest.mark.parametrize("hash_key", ["-1", "01", "1.0", "ten"])
@pytest.mark.aws("ExplicitHashKey is a decimal number: 0|([1-9]\\d{0,38}).", page=PUT)
def test_a_hash_key_that_is_no_number_is_refused(stream, hash_key):
    with refused(
        "ValidationException",
        f"1 validation error detected: Value '{hash_key}' at 'explicitHashKey' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: ^(0|([1-9]\d{0,38}))$",
    ):
        stream.put_record(b"x", "key", hash_key)


# --- its sequence number ---


@pytest.mark.aws(
    "Sequence numbers increase over time, for the same partition key.",
    page="Kinesis developer guide: Key concepts",
)
def test_sequence_numbers_grow_within_a_shard(stream, clock):
    numbers = []
    for _ in range(3):
        numbers += [int(stream.put_record(b"x", "key").sequence_number) for _ in range(3)]
        clock.advance(seconds=1)
    assert numbers == sorted(set(numbers))


@pytest.mark.aws("A sequence number is unique across all records of the stream.", page=PUT)
def test_sequence_numbers_are_unique_in_a_stream(stream):
    result = stream.put_records([(b"x", str(number)) for number in range(100)])
    assert len({record.sequence_number for record in result.records}) == 100


@pytest.mark.aws("SequenceNumberForOrdering takes the sequence number of the record before.", page=PUT)
def test_a_record_can_be_ordered_after_the_one_before(stream):
    first = stream.put_record(b"1", "key")
    second = stream.put_record(b"2", "key", None, first.sequence_number)
    assert int(second.sequence_number) > int(first.sequence_number)


@pytest.mark.aws("SequenceNumberForOrdering can be a number that another stream has given.", page=PUT)
def test_a_number_of_another_stream_does_for_ordering(broker, stream):
    other = broker.create_stream("other", shard_count=3).put_record(b"x", "key", str(2**128 - 1))
    put = stream.put_record(b"1", "key", None, other.sequence_number)
    assert put.shard_id == "shardId-000000000000"


@pytest.mark.aws("SequenceNumberForOrdering has to be a sequence number.", page=PUT)
def test_a_made_up_number_for_ordering_is_refused(stream):
    with refused(
        "InvalidArgumentException",
        "ExclusiveMinimumSequenceNumber 1 used in PutRecord on stream events under account 123456789012 is "
        "invalid.",
    ):
        stream.put_record(b"x", "key", None, "1")


# --- its size and its key ---


@pytest.mark.aws("A record has 1 MiB by default, its partition key included.", page=PUT)
def test_a_record_of_one_mebibyte_is_taken(broker):
    stream = broker.create_stream("events", shard_count=1)
    stream.put_record(bytes(MEBIBYTE - 3), "key")
    [record] = read_all(stream)
    assert len(record.data) == MEBIBYTE - 3


@pytest.mark.aws("The partition key counts towards the size of a record.", page=PUT)
def test_a_record_of_one_byte_more_is_refused(stream):
    with refused("ValidationException"):
        stream.put_record(bytes(MEBIBYTE - 2), "key")


@pytest.mark.aws(
    "MaxRecordSizeInKiB can be raised to 10,240 KiB.", page="Kinesis API reference: UpdateMaxRecordSize"
)
def test_the_largest_record_can_be_made_larger(broker):
    stream = broker.create_stream("events", shard_count=1)
    stream.update_max_record_size(10_240)
    assert stream.describe_summary().max_record_size_in_kib == 10_240
    stream.put_record(bytes(2 * MEBIBYTE), "key")
    [record] = read_all(stream)
    assert len(record.data) == 2 * MEBIBYTE


@pytest.mark.parametrize("size", [1_023, 10_241])
@pytest.mark.aws("MaxRecordSizeInKiB is 1,024 to 10,240.", page="Kinesis API reference: UpdateMaxRecordSize")
def test_the_largest_record_has_a_range(stream, size):
    with refused("ValidationException"):
        stream.update_max_record_size(size)


@pytest.mark.aws("Data may be empty.", page=PUT)
def test_a_record_may_be_empty(broker):
    stream = broker.create_stream("events", shard_count=1)
    stream.put_record(b"", "key")
    assert [record.data for record in read_all(stream)] == [b""]


@pytest.mark.aws("Data is opaque and immutable to Kinesis.", page=PUT)
def test_every_byte_comes_back(broker):
    stream = broker.create_stream("events", shard_count=1)
    stream.put_record(bytes(range(256)), "key")
    assert [record.data for record in read_all(stream)] == [bytes(range(256))]


@pytest.mark.aws("A partition key has 256 characters at the most.", page=PUT)
def test_a_partition_key_of_257_characters_is_refused(stream):
    key = "k" * 257
    with refused(
        "ValidationException",
        f"1 validation error detected: Value '{key}' at 'partitionKey' failed to satisfy constraint: "
        "Member must have length less than or equal to 256",
    ):
        stream.put_record(b"x", key)


@pytest.mark.aws("Partition keys are Unicode strings of up to 256 characters.", page=PUT)
def test_a_partition_key_may_have_256_characters_of_any_kind(broker):
    stream = broker.create_stream("events", shard_count=1)
    stream.put_record(b"x", "\N{SNOWMAN}" * 256)
    assert [record.partition_key for record in read_all(stream)] == ["\N{SNOWMAN}" * 256]


# --- many at once ---


@pytest.mark.aws("The answer has an entry for each record, in the order of the request.", page=PUTS)
def test_records_that_are_put_together_are_answered_in_order(stream):
    keys = [str(number) for number in range(20)]
    result = stream.put_records([(key.encode(), key) for key in keys])
    assert result.failed_record_count == 0
    hash_keys = [int(hashlib.md5(key.encode()).hexdigest(), 16) for key in keys]
    assert [put.shard_id for put in result.records] == [shard_of(stream, key) for key in hash_keys]


@pytest.mark.aws("Each record of a PutRecords can have its own ExplicitHashKey.", page=PUTS)
def test_records_that_are_put_together_may_have_explicit_hash_keys(stream):
    entries = [PutRecordsEntry(b"x", "key", str(HASHES // 4 * number)) for number in range(4)]
    result = stream.put_records(entries)
    assert [put.shard_id[-1] for put in result.records] == ["0", "1", "2", "3"]


@pytest.mark.aws("A PutRecords has 500 records at the most.", page=PUTS)
def test_five_hundred_records_can_be_put_together(stream):
    result = stream.put_records([(b"x", "key")] * 500)
    assert len(result.records) == 500
    with refused("ValidationException"):
        stream.put_records([(b"x", "key")] * 501)


@pytest.mark.aws("A PutRecords has 10 MiB at the most, partition keys included.", page=PUTS)
@pytest.mark.settings(stream_settings={"limits": StreamLimits(put_records_bytes_max=100 * 1_024)})
def test_records_that_are_put_together_have_a_size_together(stream):
    half = bytes(50 * 1_024 - 1)
    assert stream.put_records([(half, "k"), (half, "k")]).failed_record_count == 0
    with refused("InvalidArgumentException"):
        stream.put_records([(half, "k"), (half, "kk")])


@pytest.mark.aws("A PutRecords that is refused puts nothing.", page=PUTS)
def test_a_request_that_is_refused_puts_nothing(broker):
    stream = broker.create_stream("events", shard_count=1)
    with refused(
        "ValidationException",
        f"1 validation error detected: Value '{'k' * 257}' at 'records.2.member.partitionKey' failed to "
        "satisfy constraint: Member must have length less than or equal to 256",
    ):
        stream.put_records([(b"1", "k"), (b"2", "k" * 257)])
    assert read_all(stream) == []


# --- encryption ---


@pytest.mark.aws(
    "Records that arrive after StartStreamEncryption are encrypted.",
    page="Kinesis API reference: StartStreamEncryption",
)
def test_records_say_whether_they_are_encrypted(broker):
    stream = broker.create_stream("events", shard_count=1)
    assert stream.put_record(b"1", "key").encryption_type == "NONE"
    stream.start_stream_encryption("KMS", "alias/aws/kinesis")
    assert stream.put_record(b"2", "key").encryption_type == "KMS"
    assert stream.put_records([(b"3", "key")]).encryption_type == "KMS"
    stream.stop_stream_encryption("KMS", "alias/aws/kinesis")
    assert stream.put_records([(b"4", "key")]).encryption_type == "NONE"
    assert [record.encryption_type for record in read_all(stream)] == ["NONE", "KMS", "KMS", "NONE"]


@pytest.mark.aws(
    "A stream that is encrypted says so, and with which key.",
    page="Kinesis API reference: DescribeStreamSummary",
)
def test_a_stream_says_whether_it_is_encrypted(stream):
    assert (stream.describe().encryption_type, stream.describe().key_id) == ("NONE", None)
    stream.start_stream_encryption("KMS", "alias/aws/kinesis")
    summary = stream.describe_summary()
    assert (summary.encryption_type, summary.key_id) == ("KMS", "alias/aws/kinesis")


# --- a stream that isn't there ---


@pytest.mark.aws("A stream that does not exist is not found.", page=PUT)
def test_nothing_can_be_put_into_a_stream_that_is_gone(broker, stream):
    stream.delete()
    with refused("ResourceNotFoundException", "Stream events under account 123456789012 not found."):
        stream.put_record(b"x", "key")
