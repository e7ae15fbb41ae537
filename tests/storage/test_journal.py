import errno
import os
from functools import partial

import pytest
from faulty_disk import FaultyDisk, LightDisk
from journals import SMALL, begun, read

from queuestream.core.errors import StorageDamaged, StorageError, StorageFailed, StorageTooNew
from queuestream.storage import segment
from queuestream.storage.journal import Journal, files_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.db"


@pytest.fixture
def journal(path):
    journal = begun(path)
    yield journal
    journal.close(remove=True)


# --- what was appended is there -------------------------------------------------------------------------


def test_a_killed_process_leaves_everything_that_it_has_appended(journal, path):
    for payload in (b"one", b"two", b"three" * 100):
        journal.append(payload)

    assert read(path) == [b"one", b"two", b"three" * 100]


def test_positions_count_what_was_ever_appended(journal):
    first = journal.append(b"x" * 10)
    journal.switch()
    second = journal.append(b"x" * 30)

    assert (first, second, journal.position) == (18, 56, 56)
    assert repr(journal) == f"<Journal of {journal.path}: 56 bytes, 0 synced>"


def test_a_journal_that_was_never_written_has_nothing(path):
    journal = Journal(path, LightDisk())

    assert list(journal.entries(7)) == []
    assert (journal.last_epoch, journal.was_left) == (7, False)


def test_entries_of_both_files_come_in_the_order_of_their_epochs(journal, path):
    journal.append(b"one")
    assert journal.switch() == 1
    journal.append(b"two")
    assert read(path) == [b"one", b"two"]

    journal.free(1)
    assert journal.switch() == 2
    journal.append(b"three")
    assert read(path, after=1) == [b"two", b"three"]


def test_what_the_database_has_is_not_read_again(journal, path):
    journal.append(b"one")
    journal.switch()
    journal.append(b"two")

    assert read(path, after=1) == [b"two"]
    assert read(path, after=2) == []


def test_beginning_anew_forgets_what_was_there(path):
    begun(path).append(b"one")
    begun(path).append(b"two")

    assert read(path, after=1) == [b"two"]


def test_an_epoch_cannot_begin_again(path):
    begun(path).append(b"one")
    journal = Journal(path, LightDisk())
    list(journal.entries(0))

    assert journal.was_left
    with pytest.raises(AssertionError, match="the database has to note"):
        journal.begin(1)


def test_what_an_earlier_epoch_left_in_a_file_is_not_read(journal, path):
    for _ in range(5):
        journal.append(b"of epoch 1")
    journal.free(journal.switch())
    journal.free(journal.switch())
    journal.append(b"of epoch 3")

    assert read(path, after=2) == [b"of epoch 3"]


def test_the_same_epoch_written_a_second_time_has_nothing_of_the_first(path):
    before = begun(path)
    before.append(b"first")
    before.append(b"second")
    left = files_of(path)[0].read_bytes()
    after = begun(path)  # the epoch would be the second now
    after._segments[0].begin(owner=0, epoch=1, previous_end=0, begins_at=0)
    files_of(path)[0].write_bytes(
        files_of(path)[0].read_bytes()[: segment.HEADER_BYTES] + left[segment.HEADER_BYTES :]
    )

    assert read(path) == []


# --- space ----------------------------------------------------------------------------------------------


def test_a_file_grows_when_it_is_full(journal, path):
    payloads = [bytes([number]) * 1000 for number in range(20)]
    for payload in payloads:
        journal.append(payload)

    assert read(path) == payloads
    assert files_of(path)[0].stat().st_size == 5 * SMALL


def test_an_entry_may_be_larger_than_a_file(journal, path):
    journal.append(b"small")
    journal.append(b"large" * SMALL)
    journal.switch()
    journal.append(b"large again" * SMALL)

    assert read(path) == [b"small", b"large" * SMALL, b"large again" * SMALL]


def test_a_file_that_has_grown_shrinks_when_the_database_has_it(journal, path):
    journal.append(b"x" * 3 * SMALL)
    journal.free(journal.switch())

    assert files_of(path)[0].stat().st_size == SMALL
    journal.switch()
    journal.append(b"y" * 2 * SMALL)
    assert read(path, after=2) == [b"y" * 2 * SMALL]


def test_there_is_no_switch_while_the_database_does_not_have_the_epoch_before(journal):
    journal.switch()

    with pytest.raises(AssertionError, match="the database has to have the epoch before"):
        journal.switch()


def test_a_file_is_for_those_eyes_that_the_database_is_for(path):
    begun(path).close(remove=False)
    assert files_of(path)[0].stat().st_mode & 0o777 == 0o600

    path.touch(0o640)
    begun(path).close(remove=False)
    assert files_of(path)[0].stat().st_mode & 0o777 == 0o640


def test_closing_removes_the_files_when_the_database_has_everything(path):
    journal = begun(path)
    journal.append(b"one")
    journal.close(remove=False)
    assert read(path) == [b"one"]

    begun(path).close(remove=True)
    assert [file.exists() for file in files_of(path)] == [False, False]


def test_a_closed_journal_takes_nothing(path):
    journal = begun(path)
    position = journal.append(b"one")
    journal.close(remove=True)

    for late in (lambda: journal.append(b"x"), lambda: journal.sync(position), journal.switch):
        with pytest.raises(StorageFailed, match="it was closed"):
            late()


def test_a_program_may_go_to_another_directory(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    journal = begun(path.relative_to(path.parent))
    monkeypatch.chdir("/")
    journal.sync(journal.append(b"one"))

    journal.close(remove=True)
    assert list(path.parent.iterdir()) == []


# --- files that are not ours ----------------------------------------------------------------------------


def test_the_journal_of_another_database_is_not_read(path):
    begun(path, owner=1).append(b"one")

    with pytest.raises(StorageDamaged, match="the latest changes of another database"):
        read(path, owner=2)


def test_the_journal_of_a_newer_version_is_not_read(path, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(segment, "VERSION", 2)
        begun(path).append(b"one")

    with pytest.raises(StorageTooNew, match="version 2, and this version of queuestream knows up to 1"):
        read(path)


def test_a_journal_that_cannot_be_read_is_an_error_that_says_so(path):
    files_of(path)[1].mkdir()

    with pytest.raises(StorageError, match=r"cannot be opened: .*Is a directory"):
        read(path)


# --- writes that fail -----------------------------------------------------------------------------------


class Promised:
    """What somebody was told: that entries are safe, and that the database has all of an epoch."""

    def __init__(self):
        self.payloads = []
        self.in_database = 0


def work(journal, promised):
    """Everything that is done to a journal."""
    for number in range(3):
        for payload in (b"small %d" % number, b"large %d" % number * SMALL):
            journal.sync(journal.append(payload))
            promised.payloads.append(payload)
        epoch = journal.switch()
        payload = b"after the switch %d" % number
        journal.sync(journal.append(payload))
        promised.payloads = [payload]
        promised.in_database = epoch
        journal.free(epoch)


def asked_by_opening_and_working(directory):
    directory.mkdir()
    disk = FaultyDisk()
    journal = begun(directory / "orders.db", disk=disk)
    by_opening = len(disk.asked)
    work(journal, Promised())
    journal.close(remove=False)
    assert set(disk.asked[by_opening:]) == {"preallocate", "map", "sync", "truncate"}
    return by_opening, len(disk.asked)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("lasts", [True, False])
def test_whatever_fails_in_opening_says_that_the_file_cannot_be_opened(tmp_path, code, lasts):
    by_opening, _ = asked_by_opening_and_working(tmp_path / "count")
    path = tmp_path / "orders.db"
    for number in range(by_opening):
        with pytest.raises(StorageError, match=r"orders.db cannot be opened: \[Errno") as raised:
            begun(path, disk=FaultyDisk(number, code, lasts=lasts))
        assert not isinstance(raised.value, StorageFailed)
        # On a full disk least of all is space kept that nobody uses.
        assert lasts or not any(file.exists() for file in files_of(path))

        # The disk is well again.
        journal = begun(path)
        journal.append(b"one")
        assert read(path, after=journal.last_epoch - 1) == [b"one"]
        journal.close(remove=True)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("lasts", [True, False])
def test_whatever_fails_later_takes_nothing_that_was_promised(tmp_path, code, lasts):
    for number in range(*asked_by_opening_and_working(tmp_path / "count")):
        path = tmp_path / f"{number}.db"
        journal = begun(path, disk=FaultyDisk(number, code, lasts=lasts))
        promised = Promised()
        with pytest.raises(StorageFailed, match=f"Writing to {path} failed: .*{os.strerror(code)}"):
            work(journal, promised)

        for call in (partial(journal.append, b"x"), partial(journal.sync, 2**60), journal.switch):
            with pytest.raises(StorageFailed, match=os.strerror(code)):
                call()
        journal.close(remove=False)
        # There may be one more, of which nobody was told.
        found = read(path, after=promised.in_database)
        assert found[: len(promised.payloads)] == promised.payloads
        assert len(found) <= len(promised.payloads) + 1


def test_a_full_disk_is_noticed_when_space_is_taken(path):
    disk = FaultyDisk()
    journal = begun(path, disk=disk)
    journal.append(b"one")
    disk.fail_at = len(disk.asked)

    with pytest.raises(StorageFailed, match="No space left on device"):
        journal.append(b"x" * SMALL)
    assert disk.asked[-1] == "preallocate"
    assert read(path) == [b"one"]


def test_a_file_that_was_removed_meanwhile_is_a_failed_write(journal, path):
    journal.sync(journal.append(b"one"))
    files_of(path)[0].unlink()

    with pytest.raises(StorageFailed, match=r"orders.db-changes-a was removed while it was in use"):
        journal.sync(journal.append(b"two"))


def test_a_disk_that_cannot_preallocate_is_written_full_of_zeros(path, monkeypatch):
    def unknown(fd, start, length):
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", unknown, raising=False)
    journal = begun(path)
    for number in range(10):
        journal.append(b"%d" % number * 1000)

    assert read(path) == [b"%d" % number * 1000 for number in range(10)]


# --- forks ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_leaves_the_journal_to_its_parent(journal, path):
    position = journal.append(b"one")

    child = os.fork()
    if child == 0:
        refused = 0
        for call in (lambda: journal.append(b"two"), lambda: journal.sync(position), journal.switch):
            try:
                call()
            except StorageFailed:
                refused += 1
        journal.close(remove=True)
        os._exit(refused)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 3
    journal.sync(journal.append(b"three"))
    assert read(path) == [b"one", b"three"]
