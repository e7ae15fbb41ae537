"""What each level of durability waits for, who waits together, and that nothing is told before it is safe."""

import errno

import pytest
from stores import PATIENCE, Call, WatchedDisk, bodies, left_by_a_kill, threads_end, until

from queuestream.core.errors import BrokerClosed, StorageFailed
from queuestream.storage import store


@pytest.fixture(autouse=True)
def no_folds(monkeypatch):
    """A fold in the middle would have two files of the journal synced."""
    monkeypatch.setattr(store, "_FOLD_SECONDS", 3_600)


@pytest.fixture
def disk():
    return WatchedDisk()


@pytest.fixture
def broker(open_file, disk):
    return open_file(disk=disk)


@pytest.fixture
def queue(broker):
    return broker.create_queue("emails")


def waiting_for_the_disk(broker, count):
    """Until so many threads wait behind the one that syncs."""
    until(lambda: len(broker.storage._journal._followers) >= count)


# --- what waits -----------------------------------------------------------------------------------------


def test_a_send_and_a_delete_are_synced_and_a_receive_is_not(queue, disk):
    assert disk.of(queue.send, "hello") == 1
    assert disk.of(queue.receive) == 0
    [message] = queue.send("again") and queue.receive()
    assert disk.of(queue.delete, message) == 1


def test_a_receive_from_a_fifo_queue_is_synced_too(broker, disk):
    orders = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    orders.send("one", message_group_id="a")

    assert disk.of(orders.receive) == 1
    assert disk.of(orders.receive) == 0  # which had nothing to give


def test_a_batch_is_one_sync(broker, queue, disk):
    assert disk.of(queue.send_batch, [str(number) for number in range(10)]) == 1
    messages = queue.receive(max_number_of_messages=10)
    assert disk.of(queue.change_visibility_batch, [(message, 60) for message in messages]) == 1
    assert disk.of(queue.delete_batch, messages) == 1
    events = broker.create_stream("events")
    assert disk.of(events.put_records, [(b"x", "key")] * 500) == 1


def test_everything_else_that_changes_something_is_synced(broker, queue, disk):
    for call in (
        lambda: broker.create_queue("more"),
        lambda: queue.set_attributes(visibility_timeout=5),
        lambda: queue.tag({"team": "mail"}),
        queue.purge,
        lambda: broker.delete_queue("more"),
        lambda: broker.create_stream("events", shard_count=2),
        lambda: broker.stream("events").put_record(b"x", "key"),
        lambda: broker.stream("events").split_shard("shardId-000000000000", str(2**126)),
        lambda: broker.delete_stream("events"),
    ):
        assert disk.of(call) == 1


def test_what_only_looks_is_not_synced(broker, queue, disk):
    events = broker.create_stream("events")
    for look in (queue.peek, queue.counts, broker.list_queues, events.describe, events.peek, queue.receive):
        assert disk.of(look) == 0


@pytest.mark.parametrize(
    ("durability", "synchronous"), [("commit", "full"), ("interval", "full"), ("none", "normal")]
)
def test_sqlite_syncs_each_fold_unless_nothing_is_to_be_synced(open_file, durability, synchronous):
    connection = open_file(durability=durability).storage._connection

    assert connection.execute("pragma synchronous").fetchone() == ({"normal": 1, "full": 2}[synchronous],)


def test_by_interval_nobody_waits_and_all_is_synced_a_little_later(open_file, disk):
    broker = open_file(disk=disk, durability="interval", sync_interval_ms=1)
    queue = broker.create_queue("emails")
    disk.hold()
    queue.send("hello")  # while nothing can be synced

    assert disk.has_begun.acquire(timeout=PATIENCE)
    queue.send("world")
    disk.may_go_on.set()
    assert disk.has_begun.acquire(timeout=PATIENCE)
    journal = broker.storage._journal
    until(lambda: journal.synced == journal.position)


def test_without_durability_nothing_is_synced(open_file, disk):
    queue = open_file(disk=disk, durability="none").create_queue("emails")
    before = disk.syncs
    for number in range(100):
        queue.send(str(number))
    queue.delete_batch(queue.receive(max_number_of_messages=10))

    assert disk.syncs == before


def test_without_durability_a_power_cut_leaves_an_older_state_and_a_whole_file(open_file, path):
    broker = open_file(durability="none")
    queue = broker.create_queue("emails")
    queue.send("one")
    broker.storage.fold()
    log = path.with_name(f"{path.name}-wal")
    synced = log.read_bytes()
    for body in ("two", "three"):
        queue.send(body)
        broker.storage.fold()
    queue.send("four")
    copy = left_by_a_kill(broker, path.parent / "copy")
    # SQLite did not sync the later folds; the journal has used their space for what came after them.
    copy.with_name(log.name).write_bytes(synced)
    copy.with_name(f"{path.name}-shm").unlink()

    again = open_file(copy, durability="none")
    assert bodies(again.queue("emails")) == ["one"]
    again.queue("emails").send("five")
    again.close()
    assert bodies(open_file(copy).queue("emails")) == ["five", "one"]


# --- who waits together ---------------------------------------------------------------------------------


def test_threads_that_send_during_a_sync_share_the_next_one(broker, queue, disk):
    disk.hold()
    first = Call(queue.send, "first")
    disk.has_begun.acquire()
    others = [Call(queue.send, str(number)) for number in range(15)]
    waiting_for_the_disk(broker, 15)
    before = disk.syncs
    disk.may_go_on.set()

    assert {type(call.end()).__name__ for call in (first, *others)} == {"SentMessage"}
    assert disk.syncs == before + 1


# --- what is told ---------------------------------------------------------------------------------------


def sent_but_not_synced(queue, disk):
    """A send of another thread that is still in the middle of its sync."""
    disk.hold()
    send = Call(queue.send, "hello")
    disk.has_begun.acquire()
    return send


@pytest.mark.parametrize(
    "look",
    [
        lambda queue: queue.receive()[0].body,
        lambda queue: queue.receive(wait_time_seconds=20)[0].body,
        lambda queue: queue.peek()[0].body,
        lambda queue: queue.counts().visible,
        lambda queue: queue.attributes and queue.broker.list_queues()[0].name,
    ],
    ids=["receive", "poll", "peek", "counts", "list"],
)
def test_nobody_is_told_of_a_message_before_it_is_safe(broker, queue, disk, look):
    send = sent_but_not_synced(queue, disk)
    looking = Call(look, queue)
    waiting_for_the_disk(broker, 1)
    assert looking.outcome is None

    disk.may_go_on.set()
    send.end()
    assert looking.end() in {"hello", 1, "emails"}


def test_nobody_is_told_of_a_record_before_it_is_safe(broker, disk):
    events = broker.create_stream("events")
    iterator = events.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")
    disk.hold()
    put = Call(events.put_record, b"hello", "key")
    disk.has_begun.acquire()
    reading = Call(events.get_records, iterator)
    waiting_for_the_disk(broker, 1)
    assert reading.outcome is None

    disk.may_go_on.set()
    put.end()
    assert [record.data for record in reading.end().records] == [b"hello"]


def test_closing_waits_until_what_was_sent_is_safe(open_file, broker, queue, disk):
    send = sent_but_not_synced(queue, disk)
    closing = Call(broker.close)
    waiting_for_the_disk(broker, 1)
    disk.may_go_on.set()

    assert send.end().message_id
    assert closing.end() is None
    assert bodies(open_file().queue("emails")) == ["hello"]


# --- a sync that fails ----------------------------------------------------------------------------------


def test_a_failed_sync_is_told_to_all_who_relied_on_it_and_closes_the_broker(open_file, broker, queue, disk):
    queue.send("before")
    send = sent_but_not_synced(queue, disk)
    others = [Call(queue.send, "me too"), Call(queue.peek), Call(queue.receive)]
    waiting_for_the_disk(broker, 3)
    disk.failure = OSError(errno.EIO, "Input/output error")
    disk.may_go_on.set()

    for call in (send, *others):
        assert type(call.end()) is StorageFailed
        assert "Input/output error" in str(call.outcome)
    for call in (lambda: queue.send("later"), queue.peek, broker.storage.fold):
        with pytest.raises(BrokerClosed, match=r"writing to .* failed: .*Input/output error"):
            call()
    broker.close()
    assert "before" in bodies(open_file().queue("emails"))


def test_a_failed_sync_wakes_those_who_wait_for_messages(open_file, disk):
    broker = open_file(disk=disk, clock=None)
    queue, other = broker.create_queue("emails"), broker.create_queue("other")
    polling = Call(other.receive, wait_time_seconds=20)
    until(lambda: other._waiting)
    disk.failure = OSError(errno.EIO, "Input/output error")

    with pytest.raises(StorageFailed):
        queue.send("hello")
    assert type(polling.end()) is BrokerClosed


@pytest.mark.parametrize("durability", ["interval", "none"])
def test_a_sync_that_nobody_waits_for_may_fail_too(open_file, disk, durability):
    broker = open_file(disk=disk, durability=durability, sync_interval_ms=1)
    queue = broker.create_queue("emails")
    disk.failure = OSError(errno.EIO, "Input/output error")
    queue.send("hello")

    if durability == "interval":
        threads_end(broker)
        with pytest.raises(BrokerClosed, match="Input/output error"):
            queue.send("hello")
    broker.close()
    assert bodies(open_file().queue("emails")) == ["hello"]


def test_closing_says_when_not_everything_could_be_brought_into_the_one_file(open_file, path, broker, queue):
    queue.send("hello")

    def fail(now_ns):
        raise OSError(errno.ENOSPC, "No space left on device")

    broker.storage._rows[0].gather = fail
    with pytest.raises(StorageFailed, match="No space left on device"):
        broker.close()
    broker.close()
    assert path.with_name("orders.db-changes-a").exists()
    assert bodies(open_file().queue("emails")) == ["hello"]
