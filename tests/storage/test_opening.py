"""Opening a file: the time it has seen, whose it is, and what cannot be opened."""

import contextlib
import os
import random
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import pytest
from rich_files import fill, seen
from stores import left_by_a_kill, names

from queuestream import QueueLimits, SystemClock, VirtualClock
from queuestream.core.errors import InvalidParameterValue, StorageDamaged, StorageError, StorageTooNew
from queuestream.storage import store
from queuestream.storage.inspecting import inspect
from queuestream.storage.opening import open_broker

# --- time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["commit", "interval", "none"])
def test_a_wait_on_a_virtual_clock_jumps_whatever_the_threads_of_storage_do(
    open_file, monkeypatch, durability
):
    monkeypatch.setattr(store, "_FOLD_SECONDS", 15)
    clock = VirtualClock(patience_seconds=20)
    queue = open_file(clock=clock, durability=durability, sync_interval_ms=15_000).create_queue("emails")
    queue.send("later", delay_seconds=600)
    before_ns, began = clock.now_ns(), time.monotonic()

    assert queue.receive(wait_time_seconds=20) == []
    assert clock.now_ns() - before_ns == 20_000_000_000
    assert time.monotonic() - began < 10


def test_a_virtual_clock_must_not_be_behind_the_file(open_file, path, clock):
    broker = open_file()
    clock.advance(nanoseconds=1)
    broker.create_queue("emails")
    broker.close()
    before = path.read_bytes()

    with pytest.raises(
        StorageError, match=r"has seen 2025-01-01 00:00:00.000001\+00:00, and <VirtualClock .* less"
    ):
        open_file(clock=VirtualClock())
    assert path.read_bytes() == before
    later = VirtualClock()
    later.advance(seconds=1)
    open_file(clock=later).queue("emails")


@pytest.mark.parametrize("is_killed", [False, True])
def test_the_machines_time_may_be_set_back_between_two_openings(open_file, path, monkeypatch, is_killed):
    now_ns = 1_800_000_000 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: now_ns)
    broker = open_file(clock=SystemClock())
    sent = broker.create_queue("emails").send("hello", delay_seconds=600)
    copy = left_by_a_kill(broker, path.parent / "copy")
    broker.close()

    monkeypatch.setattr(time, "time_ns", lambda: now_ns - 3_600 * 10**9)
    clock = SystemClock()
    again = open_file(copy if is_killed else path, clock=clock)
    assert clock.now_ns() == now_ns
    assert again.queue("emails").receive() == []
    assert again.queue("emails").peek()[0].message_id == sent.message_id


# --- whose the file is ----------------------------------------------------------------------------------


def test_a_file_keeps_its_account_and_region(open_file):
    open_file(account_id="123456789012", region="eu-west-1").close()

    broker = open_file()
    assert (broker.account_id, broker.region) == ("123456789012", "eu-west-1")
    broker.close()
    for asked in ({"account_id": "210987654321"}, {"region": "us-west-2"}):
        with pytest.raises(
            StorageError, match=r"belongs to the (account_id 123456789012|region eu-west-1), not"
        ):
            open_file(**asked)


@pytest.mark.parametrize(
    "options",
    [{"durability": "always"}, {"sync_interval_ms": 0}, {"account_id": "one"}, {"region": ""}],
    ids=lambda options: next(iter(options)),
)
def test_an_option_that_makes_no_sense_leaves_no_file(open_file, path, options):
    with pytest.raises(InvalidParameterValue):
        open_file(**options)
    assert names(path.parent) == []


# --- what cannot be opened ------------------------------------------------------------------------------


def contents(folder):
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.is_file() and not file.name.endswith("-owner")  # a dead owner's says nothing
    }


def refused(path, kind, *words):
    """Opening a file is refused, for these reasons, and changes nothing."""
    before = contents(path.parent) if path.parent.is_dir() else None
    with pytest.raises(kind) as raised:
        open_broker(path, clock=VirtualClock())
    assert type(raised.value) is kind
    assert raised.value.path.startswith(str(path))
    for word in words:
        assert word in str(raised.value)
    if before is not None:
        assert contents(path.parent) == before


def test_a_folder_that_is_not_there_is_not_made(path):
    folder = path.parent / "data"
    refused(folder / "orders.db", StorageError, f"There is no folder {folder}", "make it first")


def test_a_folder_is_no_file(path):
    path.mkdir()
    refused(path, StorageError, "cannot be opened: SQLite says: unable to open database file", "to be a file")


def test_a_file_that_is_no_database_is_left_alone(path):
    path.write_text("Dear diary,\n" * 1_000)
    refused(path, StorageDamaged, "it is not an SQLite database", "Nothing was changed", "inspect")


def test_the_database_of_another_program_is_left_alone(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("create table diary (day, entry)")
    refused(path, StorageDamaged, "it is an SQLite database, but none that queuestream has made")


def test_a_file_of_a_newer_version_is_left_alone(open_file, path):
    open_file().close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    refused(path, StorageTooNew, "has schema version 99", "Install a newer queuestream")


@pytest.fixture
def guarded_folder():
    """A folder that may be guarded from us; whoever may do everything gives that up for the while."""
    folder = Path(tempfile.mkdtemp())
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.chown(folder, 65_534, 65_534)
        os.seteuid(65_534)
    yield folder
    folder.chmod(0o700)
    if is_root:
        os.seteuid(0)
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions as Unix has them")
@pytest.mark.parametrize("has_file", [False, True])
def test_a_folder_has_to_be_writable(guarded_folder, has_file):
    path = guarded_folder / "orders.db"
    if has_file:
        open_broker(path).close()
    guarded_folder.chmod(0o500)
    refused(path, StorageError, "Permission denied", "Its directory has to be writable too")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions as Unix has them")
@pytest.mark.parametrize("mode", [0o400, 0o000])
def test_a_file_has_to_be_writable(guarded_folder, mode):
    path = guarded_folder / "orders.db"
    open_broker(path, clock=VirtualClock()).close()
    path.chmod(mode)
    with pytest.raises(StorageError, match="Permission denied"):
        open_broker(path, clock=VirtualClock())
    assert names(guarded_folder) == ["orders.db"]


def test_a_journal_beside_another_database_is_not_taken_for_its_own(open_file, path):
    copy = left_by_a_kill(open_file(), path.parent / "copy")
    other = path.parent / "other.db"
    open_file(other).close()
    other.replace(copy)
    refused(copy, StorageDamaged, "it has the latest changes of another database")


@pytest.mark.parametrize("name", ["number", "folded_epoch", "saved_ns"])
def test_a_file_that_says_nonsense_of_itself_is_damaged(open_file, path, name):
    open_file().close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update meta set value = 'v17' where name = ?", (name,))
    refused(path, StorageDamaged, "it has a row that makes no sense", "v17")


# --- what is damaged ------------------------------------------------------------------------------------


def damaged_in_some_way(path, chance):
    """Flip bits of a file, or cut its end off."""
    content = bytearray(path.read_bytes())
    if chance.random() < 0.2:
        del content[chance.randrange(1, len(content)) :]
    else:
        for _ in range(chance.choice([1, 1, 10, 100])):
            # Where something is, mostly, and not in the middle of an empty page.
            place = next((at for at in (chance.randrange(len(content)) for _ in range(5)) if content[at]), 0)
            content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def check_damage(folder, seeds):
    clock = VirtualClock()
    whole = folder / "whole.db"
    broker = open_broker(whole, clock=clock)
    fill(broker)
    before = seen(broker)
    broker.close()
    outcomes = set()
    for seed in seeds:
        path = folder / str(seed) / "orders.db"
        path.parent.mkdir()
        shutil.copyfile(whole, path)
        damaged_in_some_way(path, random.Random(seed))
        content = path.read_bytes()
        try:
            # Its bodies may have changed unnoticed, but no error is any other than these.
            broker = open_broker(path, clock=clock)
            with contextlib.suppress(AssertionError, StorageError):
                outcomes.add("as before" if seen(broker) == before else "different")
            with contextlib.suppress(StorageError):
                broker.close()
        except StorageError as error:
            outcomes.add(type(error).__name__)
            outcomes.add("as it was" if path.read_bytes() == content else "was changed")
        shutil.rmtree(path.parent)
    return outcomes


def test_a_damaged_file_opens_or_says_that_it_is_damaged(fast_folder):
    outcomes = check_damage(fast_folder, range(12))
    assert "StorageDamaged" in outcomes
    assert "was changed" not in outcomes


@pytest.mark.slow
def test_a_damaged_file_opens_or_says_that_it_is_damaged_for_long(fast_folder):
    outcomes = check_damage(fast_folder, range(100, 1_500))
    assert {"StorageDamaged", "as before", "different"} <= outcomes
    assert "was changed" not in outcomes


# --- limits ---------------------------------------------------------------------------------------------


def test_what_a_kill_left_is_replayed_by_the_limits_that_it_was_done_by(open_file, clock, tmp_path):
    broker = open_file(queue_limits=QueueLimits(fifo_look_ahead_max=2))
    queue = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    for number, group in enumerate("aab"):
        queue.send(str(number), message_group_id=group)
    assert [message.body for message in queue.receive(max_number_of_messages=10)] == ["0", "1"]
    path = left_by_a_kill(broker, tmp_path / "killed")

    found = inspect(path, clock.now_ns())
    assert found.problems == []
    assert [(queue.visible, queue.in_flight) for queue in found.queues] == [(1, 2)]
    with open_broker(path, clock=clock, durability="none") as again:
        assert again.queue("orders.fifo").counts() == (1, 2, 0)
        [message] = again.queue("orders.fifo").receive(max_number_of_messages=10)
        assert message.body == "2"


def test_groups_that_smaller_limits_kept_out_of_sight_come_after_those_in_line(open_file):
    broker = open_file(queue_limits=QueueLimits(fifo_look_ahead_max=3))
    queue = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    for number, group in enumerate("abacd"):
        queue.send(str(number), message_group_id=group)
    [first] = queue.receive()
    queue.change_visibility(first, 0)
    broker.close()

    again = open_file()
    again.check_invariants()
    taken = [again.queue("orders.fifo").receive()[0].message_group_id for _ in range(4)]
    assert taken == ["b", "a", "c", "d"]
