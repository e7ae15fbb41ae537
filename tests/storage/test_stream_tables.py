"""What the tables say of streams, what is written when, and what opening costs."""

import pytest
from stream_files import StreamFile

from queuestream.core.streams.limits import MIB
from queuestream.core.streams.record import Record
from queuestream.storage.records import Tail

FIRST = "shardId-000000000000"


@pytest.fixture
def file(clock):
    return StreamFile(clock)


@pytest.fixture
def events(file):
    """A stream of two records and one shard, written."""
    stream = file.broker.create_stream("events")
    stream.put_records([(b"0", "k"), (b"1", "k")])
    file.write()
    return stream


def read(stream, shard_id=FIRST):
    iterator = stream.get_shard_iterator(shard_id, "TRIM_HORIZON")
    return [record.data for record in stream.get_records(iterator).records]


def selects(file, call):
    """What a call asks of the database."""
    asked = []
    file.connection.set_trace_callback(asked.append)
    call()
    file.connection.set_trace_callback(None)
    return asked


def counts(file, *tables):
    return [file.query(f"select count(*) from {table}")[0][0] for table in tables]


# --- for people ---


def test_a_view_shows_records_by_stream_and_shard(file, clock, events):
    clock.advance(seconds=1.5)
    events.start_stream_encryption("KMS", "key")
    events.put_record(b"2", "other")
    events.put_record(b"not written yet", "k")
    file.write()
    assert file.query("select * from stream_records where number > 1") == [
        ("events", FIRST, 2, "2025-01-01T00:00:00.000Z", "k", "NONE", b"1"),
        ("events", FIRST, 3, "2025-01-01T00:00:01.500Z", "other", "KMS", b"2"),
        ("events", FIRST, 4, "2025-01-01T00:00:01.500Z", "k", "KMS", b"not written yet"),
    ]


def test_a_view_shows_shards_with_what_they_hold_and_where_they_come_from(file, clock, events):
    clock.advance(seconds=1)
    events.split_shard(FIRST, "5000")
    events.put_record(b"2", "k", "5000")
    file.write()
    assert file.query("select * from stream_shards") == [
        ("events", FIRST, "closed", 2, "2025-01-01T00:00:00.000Z", None, None, "0", str(2**128 - 1)),
        ("events", "shardId-000000000001", "open", 0, None, FIRST, None, "0", "4999"),
        (
            "events",
            "shardId-000000000002",
            "open",
            1,
            "2025-01-01T00:00:01.000Z",
            FIRST,
            None,
            "5000",
            str(2**128 - 1),
        ),
    ]


def test_the_view_does_not_show_what_was_trimmed(file, clock, events):
    clock.advance(hours=24)
    events.put_record(b"2", "k")
    file.write()
    assert counts(file, "records") == [3]
    assert [row[-1] for row in file.query("select * from stream_records")] == [b"2"]


# --- what is written ---


def test_nothing_is_gathered_where_nothing_was_changed(file, events):
    events.peek()
    gathered = file.rows.gather(file.clock.now_ns())
    assert gathered.statements == []
    assert gathered.then is None


def test_a_put_writes_its_record_and_what_its_shard_and_stream_say_of_it(file, events):
    events.put_record(b"2", "k")
    gathered = file.rows.gather(file.clock.now_ns())
    assert [statement.split(" set ")[0].split(" values")[0] for statement, _ in gathered.statements] == [
        "update streams",
        "update shards",
        "insert into records",
    ]


def test_what_came_and_went_in_between_is_never_written(file):
    stream = file.broker.create_stream("brief")
    stream.put_record(b"", "k")
    stream.register_stream_consumer("reader")
    stream.delete(enforce_consumer_deletion=True)
    file.write()
    assert counts(file, "streams", "shards", "records", "consumers", "garbage") == [0] * 5


def test_what_was_trimmed_before_it_was_written_leaves_nothing_to_tidy_up(file, clock, events):
    events.put_record(b"brief", "k")
    clock.advance(hours=24)
    events.put_record(b"new", "k")
    file.write()
    assert file.query("select first_key & 255, last_key & 255 from garbage") == [(1, 2)]


def test_a_stream_that_is_made_again_shares_nothing_with_the_one_before(file, events):
    events.delete()
    again = file.broker.create_stream("events")
    again.put_record(b"new", "k")
    again = file.reopened().stream("events")
    assert read(again) == [b"new"]
    assert counts(file, "streams", "shards", "records") == [1, 1, 3]
    file.tidy()
    assert file.query("select data from records") == [(b"new",)]
    again.check_invariants()


def test_the_rows_of_a_stream_go_when_its_deletion_is_complete(file, clock):
    stream = file.broker.create_stream("slow", provisioning_time_seconds=30)
    clock.advance(seconds=30)
    stream.put_record(b"", "k")
    stream.register_stream_consumer("reader")
    stream.delete(enforce_consumer_deletion=True)
    clock.advance(seconds=30, nanoseconds=-1)
    assert file.reopened().stream("slow").status == "DELETING"
    clock.advance(nanoseconds=1)
    file.write()
    file.tidy()
    assert counts(file, "streams", "shards", "consumers", "records", "garbage") == [0] * 5


def test_the_rows_of_a_shard_go_when_it_has_outlived_the_retention_period(file, clock, events):
    events.split_shard(FIRST, "5000")
    file.write()
    clock.advance(hours=24)
    events.put_record(b"2", "k")
    file.write()
    file.tidy()
    assert [shard_id for (shard_id,) in file.query("select shard_id from shards")] == [
        "shardId-000000000001",
        "shardId-000000000002",
    ]
    assert file.query("select data from records") == [(b"2",)]
    assert file.open().stream("events").peek()[0].data == b"2"


def test_a_shards_number_is_not_used_again_while_rows_of_it_are_left(file, events):
    events.delete()
    file.reopened().create_stream("other").put_record(b"new", "k")
    file.write()
    file.tidy()
    assert read(file.open().stream("other")) == [b"new"]


# --- what is in memory, and what is asked of the disk ---


def test_opening_reads_no_records(file, events):
    asked = selects(file, file.reopened)
    assert asked
    assert not any("from records" in question for question in asked)


def test_whether_anything_has_expired_is_asked_once_for_each_shard(file, clock, events):
    events.update_shard_count(2)
    events.put_records([(b"", str(number)) for number in range(20)])
    stream = file.reopened().stream("events")
    assert len(selects(file, stream.describe_summary)) == len(stream._shards)
    clock.advance(hours=1)
    assert selects(file, stream.describe_summary) == []


def test_a_tail_of_an_open_shard_stays_in_memory_and_none_of_a_closed_one(clock):
    file = StreamFile(clock, Tail(records_max=2, bytes_max=MIB))
    stream = file.broker.create_stream("events")
    stream.put_records([(b"", "k")] * 5)
    shard = stream._shards[FIRST]
    assert len(shard.records) == 5
    file.write()
    assert len(shard.records) == 2
    stream.split_shard(FIRST, "5000")
    file.write()
    assert shard.records == []
    assert len(stream.peek()) == 5


def test_a_record_that_is_read_from_disk_is_the_record_that_was_put(file):
    stream = file.broker.create_stream("events")
    put = [stream.put_record(b"plain", "é\0k")]
    stream.start_stream_encryption("KMS", "key")
    put.append(stream.put_record(bytes(range(256)), "k"))
    file.write()
    for record, found in zip(put, stream.peek(), strict=True):
        assert found is not record
        assert type(found) is type(record)
        for name in Record.__slots__:
            assert getattr(found, name) == getattr(record, name)
        assert found.sequence_number == record.sequence_number
        assert found.approximate_arrival_timestamp == record.approximate_arrival_timestamp
