"""What is seen of a file without owning it: whole, in use, left behind, damaged."""

import shutil
import sqlite3

import pytest
from rich_files import fill, make

from queuestream import Broker, VirtualClock
from queuestream.core.clock import HOUR, SECOND
from queuestream.storage.findings import queues_in, streams_in
from queuestream.storage.inspecting import inspect
from queuestream.storage.opening import open_broker


@pytest.fixture(scope="module")
def folder(lasting_folder):
    return lasting_folder / "rich"


@pytest.fixture(scope="module")
def now_ns(folder):
    return make(folder).now_ns()


@pytest.fixture(scope="module")
def in_memory():
    """What is found in a broker to which the same has happened."""
    broker = Broker(clock=VirtualClock(), seed=7, region="eu-west-1")
    fill(broker)
    now_ns = broker.clock.now_ns()
    return queues_in(broker, now_ns), streams_in(broker, now_ns)


def test_each_queue_is_counted_by_state(in_memory):
    queues = {queue.name: queue for queue in in_memory[0]}
    emails, dead, orders = (queues[name] for name in ("emails", "dead", "orders.fifo"))
    assert (emails.visible, emails.in_flight, emails.delayed, emails.expired) == (20, 1, 1, 0)
    assert emails.dead_letter_queue.endswith(":dead")
    assert (dead.visible, dead.dead_letters, dead.move_tasks) == (1, 1, 1)
    assert orders.is_fifo
    assert sum((orders.visible, orders.in_flight)) == 5
    assert queues["purged"].oldest_sent_ns is None


def test_each_stream_is_counted_by_shard(in_memory):
    clicks, events = in_memory[1]
    assert (clicks.mode, clicks.records, clicks.oldest_arrival_ns) == ("ON_DEMAND", 0, None)
    assert (events.status, events.records, list(events.consumers)) == ("ACTIVE", 12, ["reader"])
    assert [shard.is_open for shard in events.shards] == [False, True, True, True]
    assert events.bytes == sum(len(b"\xff\0%d" % n) + len(f"key {n}") for n in range(10)) + 9 + 11


def test_a_file_that_was_closed_is_what_the_broker_was(folder, now_ns, in_memory):
    found = inspect(folder / "closed.db", now_ns)
    assert (found.problems, found.owner, found.journal_calls) == ([], None, 0)
    assert (found.queues, found.streams) == in_memory
    assert list(found.files) == ["closed.db"]
    assert (found.meta.region, found.latest_ns) == ("eu-west-1", now_ns)


def test_a_file_that_was_left_has_what_its_journal_has(folder, now_ns, in_memory):
    found = inspect(folder / "killed.db", now_ns)
    assert (found.problems, found.owner) == ([], None)
    assert (found.queues, found.streams) == in_memory
    assert found.journal_calls > 50
    assert found.journal_bytes > 1_000


def test_what_has_outlived_its_retention_is_still_there_and_counted(folder, now_ns):
    found = inspect(folder / "closed.db", now_ns + 24 * HOUR)
    assert sum(queue.expired for queue in found.queues) == 0
    [_, events] = found.streams
    assert sum(shard.expired for shard in events.shards) == events.records == 12
    later = inspect(folder / "closed.db", now_ns + 24 * 4 * HOUR)
    assert all(queue.expired == queue.visible + queue.in_flight + queue.delayed for queue in later.queues)


def test_a_file_in_use_is_seen_as_it_is_now_and_stays_in_use(fast_folder):
    path = fast_folder / "file.db"
    with open_broker(path, clock=VirtualClock(), durability="none") as broker:
        queue = broker.create_queue("emails")
        queue.send("first")
        broker.storage.fold()
        queue.send("second")
        found = inspect(path, broker.clock.now_ns() + 5 * SECOND)
        assert found.owner == "another broker of this process"
        assert [queue.visible for queue in found.queues] == [2]
        assert (found.problems, found.journal_calls) == ([], 1)
        queue.send("third")
    assert inspect(path, 0).owner is None


def test_a_file_of_somebody_else_is_no_file_of_ours(fast_folder):
    path = fast_folder / "file.db"
    path.write_bytes(b"It was a dark and stormy night." * 1_000)
    found = inspect(path, 0)
    assert found.problems == ["file is not a database."]
    assert found.meta is None
    path.write_bytes(b"")
    assert "no database that queuestream has made" in inspect(path, 0).problems[0]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("update queues set attributes = '{' where name = 'emails'", "The rows cannot be read: "),
        (
            "delete from records where key = (select max(key) from records)",
            "Shard shardId-000000000002 of stream events should have 2 records on disk, and has 1.",
        ),
        ("update consumers set stream_id = 77", "belongs to a row of streams that is not there."),
        ("pragma application_id = 7", "it is no database that queuestream has made"),
        ("pragma user_version = 77", "schema version 77"),
        ("update meta set value = 'x' where name = 'folded_epoch'", "invalid literal"),
    ],
)
def test_what_makes_no_sense_is_a_problem(folder, now_ns, fast_folder, statement, sentence):
    path = shutil.copyfile(folder / "closed.db", fast_folder / "file.db")
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert any(sentence in problem for problem in inspect(path, now_ns, thoroughly=False).problems)


def test_a_damaged_page_is_a_problem_and_the_rest_is_shown(fast_folder):
    path = fast_folder / "file.db"
    with open_broker(path, durability="none") as broker:
        broker.create_queue("emails").send_batch(["x" * 4_000] * 10)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 8_192)
        file.write(b"\xff" * 8_192)
    found = inspect(path, 0)
    assert found.problems
    assert found.meta.schema_version == 1
