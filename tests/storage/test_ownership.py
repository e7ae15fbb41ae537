"""One owner at a time; who is gone is in nobody's way."""

import errno
import json
import os
import subprocess
import sys
import threading

import pytest
from faulty_disk import FaultyDisk

from queuestream.core.errors import StorageError, StorageInUse
from queuestream.storage.disk import Disk
from queuestream.storage.ownership import Ownership, owner_file

TAKE = """
import sys
from pathlib import Path
from queuestream.storage.disk import Disk
from queuestream.storage.ownership import Ownership

ownership = Ownership.take(Path(sys.argv[1]), Disk())
print("taken", flush=True)
sys.stdin.read()
ownership.release()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.db"


class OtherProcess:
    """A process that has a file until it is told to let it go, or is killed."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "taken\n"
        self.pid = self.process.pid

    def let_go(self):
        self.process.communicate(timeout=10)

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=10)


# --- within one process ---------------------------------------------------------------------------------


def test_an_owner_leaves_nothing_behind(path):
    ownership = Ownership.take(path, Disk())
    assert owner_file(path).exists()

    ownership.release()
    ownership.release()
    assert list(path.parent.iterdir()) == []
    assert repr(ownership) == f"<Ownership by {owner_file(path)}: released>"


def test_an_owner_says_who_it_is(path):
    ownership = Ownership.take(path, Disk())

    who = json.loads(owner_file(path).read_text())
    assert who["pid"] == os.getpid()
    assert set(who) == {"pid", "command", "host", "since"}
    assert len(who["command"]) <= 60
    ownership.release()


def test_one_process_does_not_open_a_file_twice(path, monkeypatch):
    ownership = Ownership.take(path, Disk())
    monkeypatch.chdir(path.parent)

    for same in (path, path.relative_to(path.parent)):
        with pytest.raises(StorageInUse, match="in use by another broker of this process"):
            Ownership.take(same, Disk())

    ownership.release()
    Ownership.take(path, Disk()).release()


def test_files_beside_each_other_have_owners_of_their_own(path):
    ownerships = [Ownership.take(path, Disk()), Ownership.take(path.with_name("mails.db"), Disk())]

    for ownership in ownerships:
        ownership.release()


def test_a_file_that_a_dead_owner_left_is_taken_over(path):
    owner_file(path).write_text("whatever was in it, which is longer than what will be " * 20)

    ownership = Ownership.take(path, Disk())
    assert json.loads(owner_file(path).read_text())["pid"] == os.getpid()
    ownership.release()


def test_who_gets_the_lock_of_a_file_that_was_removed_meanwhile_begins_again(path):
    """Between opening the file and locking it, its owner lets go and another one comes."""
    came = []

    class LateDisk(Disk):
        def lock(self, fd):
            if not came:
                owner_file(path).unlink()
                came.append(owner_file(path).write_text("a new file"))
            super().lock(fd)

    ownership = Ownership.take(path, LateDisk())
    assert json.loads(owner_file(path).read_text())["pid"] == os.getpid()
    with pytest.raises(StorageInUse):
        Ownership.take(path, Disk())
    ownership.release()


def test_letting_go_removes_no_file_that_somebody_else_has_made(path):
    ownership = Ownership.take(path, Disk())
    owner_file(path).unlink()
    owner_file(path).write_text("of somebody else")

    ownership.release()
    assert owner_file(path).read_text() == "of somebody else"


def test_of_many_threads_one_becomes_the_owner(path):
    outcomes = []

    def take():
        try:
            outcomes.append(Ownership.take(path, Disk()))
        except StorageInUse as error:
            outcomes.append(error)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [owner] = [outcome for outcome in outcomes if isinstance(outcome, Ownership)]
    assert len(outcomes) == 8
    owner.release()


# --- what cannot be opened ------------------------------------------------------------------------------


def test_a_directory_that_is_not_there_is_to_be_made_first(path):
    nowhere = path.parent / "nowhere" / "orders.db"

    with pytest.raises(StorageError, match=r"cannot be opened: .* Make the directory .*nowhere first"):
        Ownership.take(nowhere, Disk())


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "Make some space on that disk"),
        (errno.EROFS, "Its directory has to be writable too"),
        (errno.EACCES, "Its directory has to be writable too"),
        (errno.ENOLCK, "Keep it on a disk of this machine"),
        (errno.EIO, "See to the disk"),
    ],
)
def test_whatever_fails_says_what_to_do_and_takes_nothing(path, code, advice):
    counting = FaultyDisk()
    Ownership.take(path, counting).release()
    assert counting.asked == ["open", "lock", "write", "unlink"]

    for number in range(3):
        with pytest.raises(StorageError, match=f"orders.db cannot be opened: .*{advice}") as raised:
            Ownership.take(path, FaultyDisk(number, code))
        assert not isinstance(raised.value, StorageInUse)
        Ownership.take(path, Disk()).release()


def test_a_file_that_cannot_be_removed_is_in_nobodys_way(path):
    Ownership.take(path, FaultyDisk(3, errno.EIO)).release()

    assert owner_file(path).exists()
    Ownership.take(path, Disk()).release()


# --- between processes ----------------------------------------------------------------------------------


def test_another_process_is_told_who_has_the_file_until_that_one_is_killed(path):
    other = OtherProcess(path)

    with pytest.raises(StorageInUse) as raised:
        Ownership.take(path, Disk())
    assert raised.value.holder.startswith(f"process {other.pid} (python")
    assert " on host " in raised.value.holder
    assert " since 20" in raised.value.holder
    assert "queuestream serve --data" in str(raised.value)

    other.kill()
    assert owner_file(path).exists()
    Ownership.take(path, Disk()).release()


def test_an_owner_that_has_not_said_yet_who_it_is_has_the_file_all_the_same(path):
    fd = Disk().open(owner_file(path))
    Disk().lock(fd)

    with pytest.raises(StorageInUse, match="in use by another process, which has just opened it"):
        Ownership.take(path, Disk())
    os.close(fd)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_keeps_nobody_out_when_its_parent_has_let_go(path):
    ownership = Ownership.take(path, Disk())
    is_there, may_end = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        ownership.release()  # which is not for it to do
        os.write(is_there[1], b"!")
        os.read(may_end[0], 1)
        os._exit(0)
    os.read(is_there[0], 1)

    assert owner_file(path).exists()
    with pytest.raises(StorageInUse):
        Ownership.take(path, Disk())
    os.close(ownership._fd)  # as the end of the parent would
    ownership._fd = None
    fd = Disk().open(owner_file(path))
    Disk().lock(fd)

    os.write(may_end[1], b"!")
    os.waitpid(child, 0)
    for open_file in (fd, *is_there, *may_end):
        os.close(open_file)


RACE = """
import os, sys
from pathlib import Path
from queuestream.core.errors import StorageInUse
from queuestream.storage.disk import Disk
from queuestream.storage.ownership import Ownership

path, inside = Path(sys.argv[1]), Path(sys.argv[1] + "-inside")
disk, won = Disk(), 0
while won < 100:
    try:
        ownership = Ownership.take(path, disk)
    except StorageInUse:
        continue
    os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
    inside.unlink()
    won += 1
    ownership.release()
"""


@pytest.mark.slow
def test_processes_that_race_for_a_file_never_have_it_together(path):
    processes = [
        subprocess.Popen([sys.executable, "-c", RACE, str(path)], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=100)[1] for process in processes] == [""] * 4
    assert list(path.parent.iterdir()) == []
