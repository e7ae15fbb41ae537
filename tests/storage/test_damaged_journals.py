"""Whatever a crash leaves of a journal, what is read of it is a beginning of what was appended."""

import os

import pytest
from faulty_disk import LightDisk, PowerlessDisk
from hypothesis import given
from hypothesis import strategies as st
from journals import begun, flip, read

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
def test_a_flipped_bit_leaves_a_beginning_of_what_was_appended(tmp_path_factory, epochs, data):
    path, payloads = written(tmp_path_factory.mktemp("flip"), epochs)
    file = data.draw(st.sampled_from(files_of(path)))
    flip(file, data.draw(st.integers(0, file.stat().st_size * 8 - 1)))

    found = read(path)
    assert found == payloads[: len(found)]


@given(epochs=histories(), data=st.data())
def test_a_file_cut_off_anywhere_leaves_a_beginning_of_what_was_appended(tmp_path_factory, epochs, data):
    path, payloads = written(tmp_path_factory.mktemp("cut"), epochs)
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


@given(
    lives=st.lists(
        st.lists(st.sampled_from(["append", "append", "append", "sync", "fold", "folded"]), max_size=30),
        min_size=1,
        max_size=3,
    ),
    seed=st.integers(0, 2**32),
)
def test_power_cuts_take_nothing_that_was_synced_and_leave_no_gap(tmp_path_factory, lives, seed):
    path = tmp_path_factory.mktemp("power") / "orders.db"
    appended, in_database, folded_epoch = [], 0, 0
    for life, steps in enumerate(lives):
        disk = PowerlessDisk()
        journal = begun(path, after=folded_epoch, disk=disk, segment_bytes=1024)
        synced, folding = in_database, None
        for number, step in enumerate(steps):
            match step:
                case "append":
                    payload = f"{life} {number} ".encode() * (1 + (seed + number) % 60)
                    journal.append(payload)
                    appended.append(payload)
                case "sync":
                    journal.sync(journal.position)
                    synced = len(appended)
                case "fold" if folding is None:
                    folding = journal.switch(), len(appended)
                case "folded" if folding is not None:
                    folded_epoch, in_database = folding
                    folding = None
                    journal.free(folded_epoch)
        journal.close(remove=False)
        disk.cut_power(seed + life)

        after = Journal(path, disk)
        found = appended[:in_database] + list(after.entries(folded_epoch))
        assert found == appended[: len(found)]
        assert len(found) >= max(synced, in_database)
        # As opening does: the database takes what was found, and notes how far that goes.
        appended, in_database, folded_epoch = found, len(found), after.last_epoch
