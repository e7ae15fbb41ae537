"""Every write fails in turn: those of the journal, of SQLite, of the owner's file.

A series of calls is made on a broker in a file and on one in memory.  One of the file's writes fails.
Then the call raises, the broker is closed for everybody, and the file, opened on a disk that is well
again, has what was answered: it equals the broker in memory, before the call that failed or after it.
"""

import errno
import random

import pytest
from failing_sqlite import sqlite_on
from faulty_disk import FaultyDisk
from scripted import World, state
from stores import Call

from queuestream.core.errors import BrokerClosed, StorageError, StorageFailed
from queuestream.storage import opening, store
from queuestream.storage.opening import open_broker


def check_afterwards(world):
    """The file has what was answered, and nothing that was not asked for."""
    if world.kept is not None:
        world.kept.close()
    with open_broker(world.path, clock=world.clock) as broker:
        found = state(broker)
    if world.in_doubt is not None and found != state(world.twin):
        world.in_doubt(world.twin, world.twins_taken)
    assert found == state(world.twin)


def check_closed(broker):
    """Nobody gets any further."""
    for call in (
        lambda: broker.create_queue("more"),
        lambda: broker.queue("emails").send("x"),
        lambda: broker.queue("emails").peek(),
        lambda: broker.stream("events").peek(),
        broker.storage.fold,
        broker.list_queues,
    ):
        with pytest.raises((BrokerClosed, StorageFailed)):
            call()


def writes(folder):
    """What is written when all goes well, in this order."""
    disk = FaultyDisk()
    world = World(folder, disk)
    assert list(world.run())
    check_afterwards(world)
    assert {"open", "preallocate", "map", "write", "sync", "truncate", "unlink", "lock"} <= set(disk.asked)
    assert sum("incremental_vacuum" in what for what in disk.asked) > 2
    assert disk.asked.count("commit") > 10
    return disk.asked


def fail_at(folder, number, code, *, lasts):
    world = World(folder, FaultyDisk(number, code, lasts=lasts))
    try:
        list(world.run())
    except StorageError as error:
        if type(error) is StorageFailed:
            check_closed(world.kept)
        outcome = type(error).__name__
    else:
        outcome = None
    assert world.disk.has_failed
    check_afterwards(world)
    return outcome


def check(folder, numbers, asked):
    for number in numbers:
        for code, lasts in ((errno.ENOSPC, True), (errno.EIO, False)):
            # In a thread, so that one who waits for ever is seen.
            attempt = Call(fail_at, folder / f"{number} {code}", number, code, lasts=lasts)
            # What cannot be removed in the end is in nobody's way.
            assert attempt.answer() is not None or asked[number] in {"unlink", "rollback"}, asked[number]


@pytest.mark.usefixtures("repeatable")
def test_a_write_that_fails_is_told_and_takes_nothing_that_was_answered(fast_folder):
    asked = writes(fast_folder / "well")
    check(fast_folder, random.Random(1).sample(range(len(asked)), 12), asked)


@pytest.mark.slow
@pytest.mark.usefixtures("repeatable")
def test_each_write_that_fails_is_told_and_takes_nothing_that_was_answered(fast_folder):
    asked = writes(fast_folder / "well")
    check(fast_folder, range(len(asked)), asked)


# --- many threads ---------------------------------------------------------------------------------------


class Crowd:
    """Threads that work on a broker until they cannot any more, and what they were told."""

    def __init__(self, broker):
        self.queue, self.empty = broker.create_queue("emails"), broker.create_queue("empty")
        self.stream = broker.create_stream("events")
        self.sent, self.deleting, self.deleted, self.put = set(), set(), set(), set()
        loops = [self.send, self.send, self.work, self.work, self.put_records, broker.storage.fold]
        self.calls = [Call(self.forever, loop, number) for number, loop in enumerate(loops)]
        self.calls.append(Call(self.empty.receive, wait_time_seconds=20))

    def forever(self, loop, number):
        for step in range(1_000_000):
            if loop in {self.send, self.put_records}:
                loop(f"{number} {step}")
            else:
                loop()

    def send(self, body):
        self.queue.send(body)
        self.sent.add(body)

    def work(self):
        for message in self.queue.receive(max_number_of_messages=10):
            self.deleting.add(message.body)
            self.queue.delete(message)
            self.deleted.add(message.body)

    def put_records(self, data):
        self.stream.put_record(data.encode(), "key")
        self.put.add(data.encode())


def fail_among_many(path, seed):
    chance = random.Random(seed)
    disk = FaultyDisk(code=chance.choice([errno.ENOSPC, errno.EIO]), lasts=chance.random() < 0.5)
    with sqlite_on(disk):
        broker = open_broker(path, disk=disk, durability=chance.choice(["commit", "commit", "interval"]))
        crowd = Crowd(broker)
        disk.fail_at = len(disk.asked) + chance.choice([1, 10, 30, 100, 200])
        assert {type(call.end()) for call in crowd.calls} <= {BrokerClosed, StorageFailed}
        check_closed(broker)
        broker.close()
    with open_broker(path) as again:
        broker_has = {message.body for message in again.queue("emails").peek()}
        assert crowd.sent - crowd.deleting <= broker_has
        assert not crowd.deleted & broker_has
        assert crowd.put <= {record.data for record in again.stream("events").peek()}
        again.check_invariants()


@pytest.fixture
def folding(monkeypatch):
    """Small files and folds without a pause."""
    monkeypatch.setattr(opening, "SEGMENT_BYTES", 1 << 16)
    monkeypatch.setattr(store, "_FOLD_SECONDS", 0)


def test_a_write_that_fails_among_many_threads_ends_all_of_them(fast_folder, folding):
    for seed in range(3):
        fail_among_many(fast_folder / f"{seed}.db", seed)


@pytest.mark.slow
def test_a_write_that_fails_among_many_threads_ends_all_of_them_for_long(fast_folder, folding):
    for seed in range(10, 100):
        fail_among_many(fast_folder / f"{seed}.db", seed)
