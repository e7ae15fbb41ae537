"""Every write fails in turn: those of the journal, of SQLite, of the owner's file.

A series of calls is made on a broker in a file and on one in memory.  One of the file's writes fails.
Then the call raises, the broker is closed for everybody, and the file, opened on a disk that is well
again, has what was answered: it equals the broker in memory, before the call that failed or after it.
"""

import errno
import random

import pytest
from faulty_disk import FaultyDisk
from scripted import World, state
from stores import Call

from queuestream.core.errors import BrokerClosed, StorageError, StorageFailed
from queuestream.storage.opening import open_broker

pytestmark = pytest.mark.usefixtures("repeatable")


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


def test_a_write_that_fails_is_told_and_takes_nothing_that_was_answered(fast_folder):
    asked = writes(fast_folder / "well")
    check(fast_folder, random.Random(1).sample(range(len(asked)), 12), asked)


@pytest.mark.slow
def test_each_write_that_fails_is_told_and_takes_nothing_that_was_answered(fast_folder):
    asked = writes(fast_folder / "well")
    check(fast_folder, range(len(asked)), asked)
