"""Whatever a crash leaves of a journal, what is read of it is a beginning of what was appended."""

import contextlib
import os
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from faulty_disk import LightDisk, PowerCut, PowerlessDisk
from hypothesis import example, given, settings
from hypothesis import strategies as st
from journals import begun, flip, read

from queuestream.storage import segment
from queuestream.storage.journal import Journal, files_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.db"


@pytest.fixture(scope="module")
def somewhere():
    """Gives an empty directory each time, in memory where there is such a place: no disk is needed here."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as root:
        numbers = count()

        def make():
            directory = Path(root) / str(next(numbers))
            directory.mkdir()
            return directory

        yield make


@pytest.fixture
def journal(path):
    journal = begun(path)
    yield journal
    journal.close(remove=True)


@st.composite
def histories(draw):
    """Payloads, epoch by epoch."""
    payload = st.binary(min_size=1, max_size=40)
    return draw(st.lists(st.lists(payload, max_size=6), min_size=1, max_size=2))


def written(directory, epochs):
    path = directory / "orders.db"
    journal = begun(path, segment_bytes=128)
    for number, payloads in enumerate(epochs):
        if number:
            journal.switch()
        for payload in payloads:
            journal.append(payload)
    journal.close(remove=False)
    return path, [payload for payloads in epochs for payload in payloads]


@given(epochs=histories(), data=st.data())
def test_a_flipped_bit_leaves_a_beginning_of_what_was_appended(somewhere, epochs, data):
    path, payloads = written(somewhere(), epochs)
    file = data.draw(st.sampled_from(files_of(path)))
    flip(file, data.draw(st.integers(0, file.stat().st_size * 8 - 1)))

    found = read(path)
    assert found == payloads[: len(found)]


@given(epochs=histories(), data=st.data())
def test_a_file_cut_off_anywhere_leaves_a_beginning_of_what_was_appended(somewhere, epochs, data):
    path, payloads = written(somewhere(), epochs)
    file = data.draw(st.sampled_from(files_of(path)))
    os.truncate(file, data.draw(st.integers(0, file.stat().st_size)))

    found = read(path)
    assert found == payloads[: len(found)]


def test_an_epoch_counts_only_if_the_one_before_was_read_to_its_end(journal, path):
    journal.append(b"one")
    journal.append(b"two")
    journal.switch()
    journal.append(b"three")
    flip(files_of(path)[0], 8 * (segment.HEADER_BYTES + segment.ENTRY_BYTES + 3 + segment.ENTRY_BYTES))

    assert read(path) == [b"one"]


def test_an_epoch_that_was_lost_does_not_come_back_when_the_database_has_the_one_before(journal, path):
    journal.append(b"one")
    journal.switch()
    journal.append(b"two")
    flip(files_of(path)[0], 8 * (segment.HEADER_BYTES + segment.ENTRY_BYTES))

    found = Journal(path, LightDisk())
    assert list(found.entries(0)) == []
    # What the database is to note, so that the second epoch does not count as the next after the first.
    assert found.last_epoch == 2
    assert read(path, after=found.last_epoch) == []


class Life:
    """What a program has done with its journal, and what it was told, from one start to a power cut."""

    def __init__(self, path, payloads, in_database, folded_epoch):
        self.path = path
        self.payloads = payloads
        self.in_database = in_database
        self.folded_epoch = folded_epoch
        self.synced = in_database
        self.folding = None

    def go(self, disk, steps, seed):
        journal = begun(self.path, after=self.folded_epoch, disk=disk, segment_bytes=1024)
        for number, step in enumerate(steps):
            match step:
                case "append":
                    payload = f"{seed} {number} ".encode() * (1 + (seed + number) % 60)
                    self.payloads.append(payload)
                    journal.append(payload)
                case "sync":
                    journal.sync(journal.position)
                    self.synced = len(self.payloads)
                case "fold" if self.folding is None:
                    self.folding = journal.switch(), len(self.payloads)
                case "folded" if self.folding is not None:
                    self.folded_epoch, self.in_database = self.folding
                    self.folding = None
                    journal.free(self.folded_epoch)

    def after(self):
        """The life after it, whose database has taken what was found, and notes how far that goes."""
        journal = Journal(self.path, LightDisk())
        found = self.payloads[: self.in_database] + list(journal.entries(self.folded_epoch))
        assert found == self.payloads[: len(found)]
        assert len(found) >= max(self.synced, self.in_database)
        return Life(self.path, found, len(found), journal.last_epoch)


LIVES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["append", "append", "append", "sync", "fold", "folded"]), max_size=30),
        st.none() | st.integers(0, 40),
        st.integers(0, 2**32),
    ),
    min_size=1,
    max_size=4,
)


def live(path, lives):
    life = Life(path, [], 0, 0)
    for steps, cut_at, seed in lives:
        disk = PowerlessDisk(cut_at)
        with contextlib.suppress(PowerCut):
            life.go(disk, steps, seed)
        disk.cut_power(seed)
        life = life.after()


@given(lives=LIVES)
# An epoch without entries, whose header nobody had synced, kept the next one from counting.
@example(lives=[(["fold", "folded", "fold", "append", "sync"], None, 0)])
def test_power_cuts_take_nothing_that_was_synced_and_leave_no_gap(somewhere, lives):
    live(somewhere() / "orders.db", lives)


@pytest.mark.slow
@given(lives=LIVES)
@settings(max_examples=3_000)
def test_no_power_cut_does(somewhere, lives):
    live(somewhere() / "orders.db", lives)
