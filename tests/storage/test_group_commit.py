"""One sync for everybody who waits."""

import errno
import os
import threading
from functools import partial

import pytest
from faulty_disk import FaultyDisk, LightDisk
from journals import begun

from queuestream.core.errors import StorageFailed
from queuestream.storage.disk import Disk


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.db"


class SlowDisk(Disk):
    """A disk that syncs when it is let, and then does what it is told."""

    def __init__(self):
        self.syncs = []
        self.has_begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.during = lambda: None

    def sync(self, fd, mapping):
        self.syncs.append(threading.current_thread().name)
        self.has_begun.release()
        assert self.may_end.acquire(timeout=10)
        self.during()


class Call(threading.Thread):
    """A thread that makes one call, and what came of it."""

    def __init__(self, name, call):
        super().__init__(name=name, daemon=True)
        self.call = call
        self.outcome = None
        self.start()

    def run(self):
        try:
            self.outcome = self.call()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.outcome = error

    def end(self):
        self.join(10)
        assert not self.is_alive()
        return self.outcome


@pytest.fixture
def slow(path):
    disk = SlowDisk()
    for _ in range(2):
        disk.may_end.release()
    journal = begun(path, disk=disk)
    disk.syncs.clear()
    for _ in range(2):
        disk.has_begun.acquire()
    yield disk, journal
    journal.close(remove=True)


def wait_for_followers(journal, count):
    while len(journal._followers) < count:
        os.sched_yield()


def lead_and_follow(disk, journal, followers):
    """One thread in the middle of a sync, and others that wait behind it."""
    leader = Call("leader", partial(journal.sync, journal.append(b"one")))
    disk.has_begun.acquire()
    calls = []
    for name in followers:
        calls.append(Call(name, partial(journal.sync, journal.append(b"more"))))
        wait_for_followers(journal, len(calls))
    return leader, calls


def test_those_who_come_during_a_sync_share_the_next_one(slow):
    disk, journal = slow
    leader, calls = lead_and_follow(disk, journal, ["a", "b", "c"])
    assert journal.synced == 0

    disk.may_end.release()
    assert leader.end() is None
    disk.has_begun.acquire()
    assert 0 < journal.synced < journal.position

    disk.may_end.release()
    assert [call.end() for call in calls] == [None, None, None]
    assert len(disk.syncs) == 2
    assert journal.synced == journal.position


def test_who_is_served_already_waits_for_no_sync(slow):
    disk, journal = slow
    early, late = journal.append(b"early"), journal.append(b"late")
    leader = Call("leader", partial(journal.sync, early))
    disk.has_begun.acquire()
    follower = Call("follower", partial(journal.sync, late))
    wait_for_followers(journal, 1)

    disk.may_end.release()
    assert (leader.end(), follower.end()) == (None, None)
    journal.sync(late)
    assert disk.syncs == ["leader"]


def test_a_failed_sync_is_everybodys_and_the_last(slow):
    disk, journal = slow

    def fail():
        raise OSError(errno.EIO, "Input/output error")

    disk.during = fail
    leader, calls = lead_and_follow(disk, journal, ["a", "b"])
    disk.may_end.release()

    for call in (leader, *calls):
        assert isinstance(call.end(), StorageFailed)
    disk.during = lambda: None
    for late in (lambda: journal.sync(journal.position), lambda: journal.append(b"x")):
        with pytest.raises(StorageFailed, match="Input/output error"):
            late()
    assert disk.syncs == ["leader"]


def test_a_leader_that_is_interrupted_leaves_nobody_behind(slow):
    disk, journal = slow
    interruptions = [KeyboardInterrupt()]

    def interrupt():
        if interruptions:
            raise interruptions.pop()

    disk.during = interrupt
    leader, calls = lead_and_follow(disk, journal, ["a", "b"])
    disk.may_end.release()
    disk.may_end.release()

    assert isinstance(leader.end(), KeyboardInterrupt)
    assert [call.end() for call in calls] == [None, None]
    assert journal.synced == journal.position


def test_a_signals_handler_may_sync_in_the_middle_of_a_sync(slow):
    disk, journal = slow
    handled = []

    def handle():
        if not handled:
            handled.append(journal.append(b"two"))
            journal.sync(handled[0])
            assert journal.synced == handled[0]

    disk.during = handle
    disk.may_end.release()
    disk.may_end.release()
    journal.sync(journal.append(b"one"))

    assert len(disk.syncs) == 2
    assert journal._leader is None


class NotingDisk(LightDisk):
    """A disk that notes which files are synced."""

    def __init__(self):
        self.synced = []

    def sync(self, fd, mapping):
        self.synced.append(fd)


def test_the_older_file_is_synced_before_the_newer_one(path):
    disk = NotingDisk()
    journal = begun(path, disk=disk)
    older, newer = (segment.fd for segment in journal._segments)
    disk.synced.clear()

    journal.append(b"one")
    journal.switch()
    journal.sync(journal.append(b"two"))
    assert disk.synced == [older, newer]

    journal.sync(journal.append(b"three"))
    assert disk.synced == [older, newer, newer]


def test_an_older_file_without_entries_is_synced_since_the_newer_one_counts_only_after_it(path):
    disk = NotingDisk()
    journal = begun(path, disk=disk)
    newer, older = (segment.fd for segment in journal._segments)
    journal.free(journal.switch())
    journal.switch()
    disk.synced.clear()

    journal.sync(journal.append(b"one"))
    journal.sync(journal.append(b"two"))
    assert disk.synced == [older, newer, newer]


def test_what_the_database_has_needs_no_sync(path):
    disk = FaultyDisk()
    journal = begun(path, disk=disk)
    before = disk.asked.count("sync")
    journal.append(b"one")
    journal.free(journal.switch())

    journal.sync(journal.position)
    assert journal.synced == journal.position
    assert disk.asked.count("sync") == before
