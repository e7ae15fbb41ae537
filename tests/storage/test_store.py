"""A broker in a file: opened, closed, killed, forked, taken over."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from rich_files import fill, seen, what_comes_next
from stores import Call, bodies, left_by_a_kill, names, threads_end, until

from queuestream import VirtualClock, connect
from queuestream.core.errors import (
    BrokerClosed,
    StorageError,
    StorageFailed,
    StorageInUse,
)
from queuestream.storage import store
from queuestream.storage.opening import open_broker

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
# From 3.12 on Python says that a child may hang on a lock that another thread had.
MAY_FORK = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


# --- closed, or not -------------------------------------------------------------------------------------


def test_a_closed_broker_is_one_file_and_opens_as_it_was(open_file, path):
    broker = open_file()
    fill(broker)
    before = seen(broker)
    endings = ["", "-changes-a", "-changes-b", "-owner", "-shm", "-wal"]
    assert names(path.parent) == [f"orders.db{ending}" for ending in endings]
    broker.close()
    assert names(path.parent) == ["orders.db"]

    assert seen(open_file()) == before


def test_a_broker_that_a_kill_ended_opens_as_it_was(open_file, path):
    broker = open_file()
    fill(broker)
    broker.queue("emails").send("after all that")
    copy = left_by_a_kill(broker, path.parent / "copy")

    killed = open_file(copy)
    assert seen(killed) == seen(broker)
    assert what_comes_next(killed) == what_comes_next(broker)


def test_closing_again_changes_nothing(open_file, path):
    broker = open_file()
    broker.create_queue("emails")
    broker.close()
    broker.close("for another reason")

    assert broker.closed_because == "it was closed"
    assert names(path.parent) == ["orders.db"]


def test_every_call_of_a_closed_broker_says_so(open_file):
    broker = open_file()
    queue, stream = broker.create_queue("emails"), broker.create_stream("events")
    queue.send("hello")
    stream.put_record(b"x", "key")
    broker.storage.fold()
    iterator = stream.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")
    broker.close()

    for call in (
        lambda: queue.send("x"),
        queue.receive,
        queue.peek,
        queue.counts,
        lambda: broker.queue("emails"),
        lambda: broker.create_queue("more"),
        lambda: stream.put_record(b"x", "key"),
        lambda: stream.get_records(iterator),
        stream.peek,
        stream.describe,
        lambda: broker.stream("events"),
        broker.storage.fold,
    ):
        with pytest.raises(BrokerClosed, match="it was closed"):
            call()


def test_closing_while_others_call_loses_nothing_that_they_were_told(open_file):
    broker = open_file(clock=None)
    queue = broker.create_queue("emails")
    sent, deleted = set(), set()

    def send(number):
        for step in range(1_000_000):
            body = f"{number} {step}"
            queue.send(body)
            sent.add(body)

    def work():
        while True:
            for message in queue.receive(max_number_of_messages=10):
                queue.delete(message)
                deleted.add(message.body)

    calls = [Call(send, number) for number in range(4)] + [Call(work) for _ in range(2)]
    until(lambda: len(deleted) >= 20)
    broker.close()
    assert {type(call.end()) for call in calls} == {BrokerClosed}

    there = bodies(open_file(clock=None).queue("emails"))
    assert len(there) == len(set(there))
    assert not deleted & set(there)
    # Of each worker's, one more may be deleted, which was not told.
    assert len(sent - deleted - set(there)) <= 2


def test_closing_wakes_those_who_wait_for_messages_and_records(open_file):
    broker = open_file(clock=None)
    queue = broker.create_queue("emails")
    waiting = [Call(queue.receive, wait_time_seconds=20) for _ in range(3)]
    until(lambda: len(queue._waiting) == 3)
    broker.close()

    assert [type(call.end()) for call in waiting] == [BrokerClosed] * 3


def test_two_threads_may_close_at_once(open_file, path):
    broker = open_file()
    broker.create_queue("emails").send("hello")

    closing = [Call(broker.close) for _ in range(4)]
    assert [call.end() for call in closing] == [None] * 4
    assert names(path.parent) == ["orders.db"]


def test_who_is_in_the_middle_of_a_call_may_close(open_file, path):
    """As a signal's handler is; the call that it interrupts ends as if nothing had been."""
    broker = open_file()
    queue = broker.create_queue("emails")
    broker.listen(lambda changes: broker.close())

    queue.send("hello")
    threads_end(broker)
    assert names(path.parent) == ["orders.db"]
    assert bodies(open_file().queue("emails")) == ["hello"]


def test_a_listener_that_refuses_keeps_a_change_out_of_the_file(open_file, path):
    broker = open_file()
    queue = broker.create_queue("emails")

    def refuse(changes):
        raise ValueError("not this one")

    broker.listen(refuse)
    with pytest.raises(ValueError, match="not this one"):
        queue.send("hello")

    broker.listeners = broker.listeners[1:]
    queue.send("world")
    killed = open_file(left_by_a_kill(broker, path.parent / "copy"))
    assert bodies(killed.queue("emails")) == bodies(queue) == ["world"]


AT_EXIT = """
import os, sys
from queuestream import connect
from queuestream.core.errors import BrokerClosed

broker = connect("sqlite:///" + sys.argv[1])
queue = broker.create_queue("emails")
queue.send("before")
if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        try:
            queue.send("from a child")
        except BrokerClosed as error:
            print(error, flush=True)
        sys.exit(0)  # with all that Python does at its end
    assert os.waitpid(child, 0)[1] == 0
queue.send("after")
"""


def test_a_program_that_ends_leaves_one_file_and_a_child_of_it_leaves_that_alone(open_file, path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AT_EXIT, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stderr == ""
    assert "forked from another one, and cannot be shared" in done.stdout or not hasattr(os, "fork")
    assert names(path.parent) == ["orders.db"]
    assert bodies(open_file(clock=None).queue("emails")) == ["after", "before"]


# --- one owner ------------------------------------------------------------------------------------------


def test_a_file_is_opened_once_in_a_process(open_file, path):
    broker = open_file()

    with pytest.raises(StorageInUse, match=r"another broker of this process: close that one first") as raised:
        connect(f"sqlite:///{path}")
    assert f"queuestream serve --data {path}" in str(raised.value)
    broker.create_queue("emails")  # it has not noticed
    broker.close()
    open_file()


@FORKS
@MAY_FORK
def test_another_process_is_told_who_has_the_file_and_how_to_share_it(open_file, path):
    open_file()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            open_broker(path)
        except StorageInUse as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()

    assert said.startswith(f"{path} is in use by process {os.getpid()} (")
    assert f"`queuestream serve --data {path}`" in said


@FORKS
@MAY_FORK
def test_the_lock_of_a_process_that_died_is_taken_over_with_what_it_did(open_file, path):
    child = os.fork()
    if child == 0:
        open_broker(path, clock=VirtualClock()).create_queue("emails").send("the last thing that I did")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert "orders.db-owner" in names(path.parent)

    assert bodies(open_file().queue("emails")) == ["the last thing that I did"]


# --- folds ----------------------------------------------------------------------------------------------


def rows(path, question):
    connection = sqlite3.connect(path)
    try:
        return [value for [value] in connection.execute(question)]
    finally:
        connection.close()


def test_a_fold_brings_what_is_there_into_the_rows(open_file, path):
    broker = open_file()
    queue = broker.create_queue("emails")
    queue.send_batch(["one", "two", "three"])
    queue.delete(queue.receive()[0])
    assert rows(path, "select body from messages") == []

    broker.storage.fold()
    assert rows(path, "select body from messages order by key") == ["two", "three"]
    assert broker.storage._journal.filled < 100


@pytest.mark.parametrize(("seconds", "half_a_segment"), [(0, 1 << 30), (3_600, 500)], ids=["time", "size"])
def test_folds_happen_by_themselves_and_nobody_notices(open_file, path, monkeypatch, seconds, half_a_segment):
    monkeypatch.setattr(store, "_FOLD_SECONDS", seconds)
    monkeypatch.setattr(store, "_FOLD_AT_BYTES", half_a_segment)
    kept, twin = open_file(clock=VirtualClock()), connect("memory://", clock=VirtualClock(), seed=1)
    for broker in (kept, twin):
        fill(broker)

    until(lambda: rows(path, "select name from queues where name = 'emails'") == ["emails"])
    assert seen(kept) == seen(twin)
    assert what_comes_next(kept) == what_comes_next(twin)


def test_a_fold_that_fails_closes_the_broker_though_nobody_has_called(open_file, path, monkeypatch):
    monkeypatch.setattr(store, "_FOLD_SECONDS", 0)
    broker = open_file()

    def gather(now_ns):
        raise KeyError("something that was not thought of")

    broker.storage._rows[0].gather = gather
    queue = broker.create_queue("emails")
    threads_end(broker)
    with pytest.raises(BrokerClosed, match=r"failed: KeyError.'something that was not thought of'"):
        queue.send("hello")

    assert [queue.name for queue in open_file().list_queues()] == ["emails"]


def test_a_fold_that_is_interrupted_leaves_the_journal(open_file):
    broker = open_file()
    broker.create_queue("emails")

    def interrupt():
        raise KeyboardInterrupt

    broker.storage._presence.check = interrupt
    with pytest.raises(KeyboardInterrupt):
        broker.storage.fold()
    broker.close()
    assert [queue.name for queue in open_file().list_queues()] == ["emails"]


# --- files that somebody removes ------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "-wal", "-owner", "-changes-a"])
def test_a_file_that_is_moved_away_closes_the_broker_and_nothing_is_lost(open_file, path, ending):
    broker = open_file()
    queue = broker.create_queue("emails")
    queue.send("before")
    broker.storage.fold()
    queue.send("since")
    file, elsewhere = path.with_name(path.name + ending), path.with_name("elsewhere")
    file.rename(elsewhere)

    with pytest.raises(StorageFailed, match=f"orders.db{ending} was removed or replaced while it was in use"):
        broker.storage.fold()
    with pytest.raises(BrokerClosed, match="was removed or replaced"):
        queue.send("later")
    broker.close()
    elsewhere.rename(file)
    assert bodies(open_file().queue("emails")) == ["before", "since"]


def test_a_database_that_is_replaced_is_noticed_and_its_journal_not_given_to_the_other(open_file, path):
    broker = open_file()
    broker.create_queue("emails").send("hello")
    other = path.with_name("other.db")
    open_file(other).close()
    other.rename(path)

    with pytest.raises(StorageFailed, match=r"orders.db was removed or replaced"):
        broker.storage.fold()
    broker.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="the latest changes of another database"):
        open_file()
    assert path.read_bytes() == before


def test_a_journal_that_is_removed_is_noticed_by_the_next_call(open_file, path):
    broker = open_file()
    queue = broker.create_queue("emails")
    for ending in "ab":
        path.with_name(f"{path.name}-changes-{ending}").unlink()

    with pytest.raises(StorageFailed, match="was removed while it was in use"):
        queue.send("hello")
    with pytest.raises(BrokerClosed):
        queue.send("hello")
