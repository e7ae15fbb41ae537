"""A shard on disk answers what one in memory answers, wherever its records are."""

import sqlite3
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core.errors import StorageDamaged
from queuestream.core.streams.limits import MIB
from queuestream.core.streams.record import EncryptedRecord, Record
from queuestream.core.streams.resharding import first_shards
from queuestream.core.streams.shard import Shard
from queuestream.storage.records import StoredRecords, StoredShard, Tail, rows_of
from queuestream.storage.stream_tables import TABLES

[IDENTITY] = first_shards([(0, 2**128 - 1)], 0)
ROW_ID = 3


class OnDisk:
    """A shard whose records are written when a test says so."""

    def __init__(self):
        self.connection = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self.connection.close)
        self.connection.executescript(TABLES)
        self.asked = []
        self.shard = StoredShard(IDENTITY, stored=StoredRecords(self.connection), row_id=ROW_ID)
        self.connection.set_trace_callback(self.asked.append)

    def put(self, size=1, arrival_ns=0, key="k", kind=Record):
        put_into(self.shard, size, arrival_ns, key, kind)

    def write(self):
        """Make rows of what is none yet; the number up to which there are rows now."""
        shard = self.shard
        self.connection.executemany("insert into records values (?, ?, ?, ?, ?, ?)", self.rows())
        shard.written = shard.next_number
        return shard.written

    def rows(self):
        return rows_of(ROW_ID, self.shard.unwritten())

    def evict(self, upto=None, *, records_max=0, bytes_max=0):
        self.shard.evict(self.write() if upto is None else upto, records_max, bytes_max)


def put_into(shard, size, arrival_ns, key, kind):
    end = shard.end + size + len(key.encode())
    shard.append(kind(b"x" * size, key, IDENTITY, shard.next_number, arrival_ns, end))


@pytest.fixture
def disk():
    return OnDisk()


def told(records):
    return [
        (type(record), record.number, record.data, record.partition_key, record.arrival_ns, record.end)
        for record in records
    ]


# --- the same as in memory ---

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.integers(1, 4),
            st.integers(0, 4),
            st.integers(0, 2),
            st.sampled_from(["k", "é", "a\0é"]),
            st.sampled_from([Record, EncryptedRecord]),
        ),
        st.tuples(st.just("trim"), st.integers(0, 3)),
        st.tuples(st.just("write")),
        st.tuples(st.just("evict"), st.integers(0, 9), st.integers(0, 30)),
    ),
    max_size=20,
)


def same_answers(one, other, now_ns):
    assert (one.horizon, one.next_number, one.end) == (other.horizon, other.next_number, other.end)
    assert told(one.live_records()) == told(other.live_records())
    numbers = range(other.horizon, other.next_number)
    for number in numbers:
        assert one.arrival_ns(number) == other.arrival_ns(number)
    for number in (0, *numbers, other.next_number, other.next_number + 1):
        assert one.bytes_from(number) == other.bytes_from(number)
        for records_max in (1, 2, 100):
            for bytes_max in (0, 3, 7, 1000):
                read = one.read(number, records_max, bytes_max)
                assert told(read) == told(other.read(number, records_max, bytes_max))
    for time_ns in range(-1, now_ns + 2):
        assert one.number_at_time(time_ns) == other.number_at_time(time_ns)
        assert one.expired(time_ns) == other.expired(time_ns)
        assert one.oldest_arrival_ns(time_ns) == other.oldest_arrival_ns(time_ns)
        skipped = one.expired(time_ns)
        assert told(one.live_records(skipped)) == told(other.live_records(skipped))


@given(OPERATIONS)
def test_a_shard_on_disk_answers_what_one_in_memory_answers(operations):
    disk, memory = OnDisk(), Shard(IDENTITY)
    shard, now_ns, upto = disk.shard, 0, 1
    for name, *arguments in operations:
        match name:
            case "put":
                count, size, later_ns, key, kind = arguments
                for _ in range(count):
                    now_ns += later_ns
                    for one in (shard, memory):
                        put_into(one, size, now_ns, key, kind)
            case "trim":
                count = min(arguments[0], memory.next_number - memory.horizon)
                for one in (shard, memory):
                    one.trim(count)
            case "write":
                upto = disk.write()
            case "evict":
                disk.evict(upto, records_max=arguments[0], bytes_max=arguments[1])
        # Asked before all else, because it is remembered.
        assert shard.expired(now_ns - 1) == memory.expired(now_ns - 1)
    same_answers(shard, memory, now_ns)


# --- what is read from where ---


def test_the_tip_is_read_from_memory(disk):
    for _ in range(10):
        disk.put()
    disk.evict(records_max=3, bytes_max=MIB)
    disk.asked.clear()
    assert len(disk.shard.read(8, 10, MIB)) == 3
    assert disk.asked == []


def test_what_is_older_is_read_by_one_select_however_much_it_is(disk):
    for _ in range(1_000):
        disk.put()
    disk.evict(records_max=3, bytes_max=MIB)
    disk.asked.clear()
    assert len(disk.shard.read(1, 1_000, MIB)) == 1_000
    assert len(disk.asked) == 1


@pytest.mark.parametrize(
    ("records_max", "bytes_max", "left"),
    [(10, 1000, 10), (4, 1000, 4), (10, 5 * 2, 5), (10, 5 * 2 - 1, 5), (0, 1000, 0), (10, 0, 0)],
)
def test_a_tail_is_limited_in_records_and_in_bytes(disk, records_max, bytes_max, left):
    for _ in range(10):
        disk.put(size=1)
    disk.evict(records_max=records_max, bytes_max=bytes_max)
    assert len(disk.shard.records) == left


@pytest.mark.parametrize("in_memory", [0, 1, 2, 3])
@pytest.mark.parametrize(("bytes_max", "read"), [(0, 1), (9, 1), (10, 2), (14, 2), (15, 3)])
def test_a_read_is_limited_in_bytes_wherever_its_records_are(disk, in_memory, bytes_max, read):
    for _ in range(3):
        disk.put(size=4)
    disk.evict(records_max=in_memory, bytes_max=MIB)
    assert len(disk.shard.read(1, 10, bytes_max)) == read


def test_what_was_trimmed_may_leave_memory_bit_by_bit(disk):
    for _ in range(9):
        disk.put(arrival_ns=2)
    disk.write()
    disk.shard.trim(4)
    for left in range(9, -1, -1):
        disk.evict(records_max=left, bytes_max=MIB)
        assert len(disk.shard.records) == left
        assert [record.number for record in disk.shard.live_records()] == [5, 6, 7, 8, 9]
        assert [disk.shard.expired(time_ns) for time_ns in (1, 2)] == [0, 5]
        disk.shard.check_invariants()


def test_a_time_at_which_several_arrived_is_found_where_the_first_of_them_is(disk):
    for arrival_ns in (1, 2, 2, 2):
        disk.put(arrival_ns=arrival_ns)
    disk.evict(records_max=2, bytes_max=MIB)
    assert disk.shard.number_at_time(2) == 2


def test_a_key_counts_with_its_bytes_on_disk_too(disk):
    for _ in range(2):
        disk.put(size=3, key="é")
    disk.evict()
    assert [disk.shard.bytes_from(number) for number in (1, 2, 3)] == [10, 5, 0]


def test_what_was_put_since_the_rows_were_gathered_stays_in_memory(disk):
    disk.put()
    written = disk.write()
    disk.put()
    disk.evict(written)
    assert [record.number for record in disk.shard.records] == [2]


@pytest.mark.parametrize("trimmed", [1, 2, 3, 5])
def test_what_was_trimmed_before_it_was_written_never_becomes_a_row(disk, trimmed):
    for _ in range(5):
        disk.put()
    disk.shard.trim(trimmed)
    assert [row[0] & 0xFF for row in disk.rows()] == [1, 2, 3, 4, 5][trimmed:]


def test_the_shards_of_a_stream_share_what_the_stream_may_keep_in_memory():
    tail = Tail(records_max=10, bytes_max=100, stream_bytes_max=1_000)
    assert [tail.bytes_of_each(shards) for shards in (0, 1, 10, 20, 2_000)] == [100, 100, 100, 50, 0]


# --- what it costs ---


def test_whether_records_have_expired_is_asked_of_the_disk_once(disk):
    for number in range(100):
        disk.put(arrival_ns=number)
    disk.evict()
    disk.shard.expired(-1)
    disk.asked.clear()
    for _ in range(10):
        assert disk.shard.expired(-1) == 0
    assert disk.asked == []


@pytest.mark.parametrize("expired", [1, 2, 3, 50, 999, 1_000])
def test_how_many_have_expired_costs_the_logarithm_of_them(disk, expired):
    for number in range(1_000):
        disk.put(arrival_ns=number)
    disk.evict()
    disk.asked.clear()
    assert disk.shard.expired(expired - 1) == expired
    assert len(disk.asked) <= 2 + 2 * expired.bit_length()


def test_a_time_is_found_in_logarithmic_time(disk):
    for number in range(1_000):
        disk.put(arrival_ns=number)
    disk.evict()
    disk.asked.clear()
    assert disk.shard.number_at_time(700) == 701
    assert len(disk.asked) <= 10


# --- a damaged file ---


def test_a_record_that_is_missing_is_said_to_be(disk):
    for _ in range(3):
        disk.put()
    disk.evict()
    disk.connection.execute("delete from records where key & 255 = 2")
    for call in (
        lambda: disk.shard.read(1, 10, MIB),
        lambda: disk.shard.arrival_ns(2),
        lambda: disk.shard.bytes_from(2),
    ):
        with pytest.raises(StorageDamaged, match="records are missing"):
            call()
    assert len(disk.shard.read(3, 10, MIB)) == 1


def test_a_table_that_cannot_be_read_is_a_damaged_file(disk):
    disk.put()
    disk.evict()
    disk.connection.executescript("drop view stream_shards; drop view stream_records; drop table records")
    for call in (lambda: disk.shard.read(1, 10, MIB), lambda: disk.shard.bytes_from(1)):
        with pytest.raises(StorageDamaged, match="no such table: records"):
            call()
