"""The journal: what has changed since the last fold, entry by entry, in two files in turn.

How it works.  An entry is stored into a mapping of the current file, which is a copy in
memory and no system call; a killed process leaves it behind all the same, since the pages
are the system's.  `sync` makes everything so far safe from a power cut, for all who wait
at once (`group_commit.py`).  Positions count the bytes that were ever appended.

What goes into one file between two switches is an *epoch*.  `switch` ends it and begins
the next one in the other file; when the database has all of an epoch, `free` says so, and
only then may there be another switch.  Until then the current file grows.

After a crash, an epoch counts if it is the one after those that the database has, or the
one after another that counts and was read as far as it had been written, which its
successor's header says.  What is beyond an entry that was lost is nobody's any more:
`last_epoch` includes it, and the database, when it has what was read, has to note that it
has everything up to `last_epoch`.  That is what makes it stay lost.

What entries mean, and when to switch, is left to others.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING
from zlib import crc32

from queuestream.storage.disk import cannot_open
from queuestream.storage.forks import FORKED, tell_child
from queuestream.storage.group_commit import GroupCommit
from queuestream.storage.segment import (
    ENTRY,
    ENTRY_BYTES,
    HEADER_BYTES,
    Segment,
    read_entries,
    read_header,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from queuestream.core.errors import StorageFailed
    from queuestream.storage.disk import Disk
    from queuestream.storage.segment import Header

SEGMENT_BYTES = 16 << 20

_store = ENTRY.pack_into


def files_of(path: Path) -> tuple[Path, Path]:
    """The journal's two files, beside its database."""
    return path.with_name(f"{path.name}-changes-a"), path.with_name(f"{path.name}-changes-b")


class Journal(GroupCommit):
    """The journal of one database.

    `entries` reads what there is, then `begin` starts anew; from then on `append`, `switch` and `free` are
    for one thread at a time, which the broker's lock sees to, and `sync` for any.

    Args:
        path: The database.
        disk: The files.
        segment_bytes: What each of the two takes on the disk, unless an epoch needs more.
        owner: A number that tells the database from others, so that the journal of one that was removed is
            not taken for the journal of the next.

    Attributes:
        position: How many bytes were ever appended.
        synced: How many of them would outlive a power cut.
        filled: Bytes in the current file.
        last_epoch: The latest epoch that there is anything of; known once `entries` was called.
        was_left: Whether there was anything: who wrote last did not close. Known once `entries` was called.
    """

    def __init__(self, path: Path, disk: Disk, segment_bytes: int = SEGMENT_BYTES, owner: int = 0) -> None:
        super().__init__(path)
        self.disk = disk
        self.owner = owner
        self.position = 0
        self.filled = 0
        self.last_epoch = 0
        self.was_left = False
        self._segment_bytes = segment_bytes
        # From the root on: the program may go to another directory.
        self._files = files_of(path.absolute())
        self._segments: list[Segment] = []
        # What a sync has to look at: the file of the epoch that ended, until the database has it, and the
        # current one.  Replaced as a whole, since a sync reads it without a lock.
        self._written: tuple[Segment | None, Segment | None] = (None, None)
        # Keeps the files open while one is synced.
        self._using_files = threading.RLock()
        # What append needs, of the current file. No room, where nothing may be appended.
        self._room = 0
        self._base = 0
        self._salt = 0

    def __repr__(self) -> str:
        return f"<Journal of {self.path}: {self.position} bytes, {self.synced} synced>"

    # --- after a crash, or after none ---

    def entries(self, after_epoch: int) -> Iterator[bytes]:
        """What was appended in the epochs that the database does not have, as far as nothing is missing.

        Changes nothing.

        Args:
            after_epoch: The last epoch that the database has.

        Raises:
            StorageDamaged: A file of another database.
            StorageTooNew: A newer version has written it.
            StorageError: A file could not be read.
        """
        found = []
        try:
            for path in self._files:
                header = read_header(path, self.disk, self.owner)
                if header is not None:
                    found.append((header.epoch, path, header))
        except OSError as error:
            raise cannot_open(self.path, error) from error
        self.was_left = bool(found)
        self.last_epoch = max([after_epoch, *(epoch for epoch, _, _ in found)])
        return self._replay(after_epoch, sorted(found, key=lambda file: file[0]))

    def _replay(self, epoch: int, found: list[tuple[int, Path, Header]]) -> Iterator[bytes]:
        """The entries after an epoch, from files in the order of theirs."""
        read_to: int | None = None
        for of_file, path, header in found:
            if of_file <= epoch:
                continue
            if of_file != epoch + 1 or read_to not in {None, header.previous_end}:
                return
            try:
                read_to = yield from read_entries(path, self.disk, header)
            except OSError as error:
                raise cannot_open(self.path, error) from error
            epoch = of_file

    def begin(self, epoch: int) -> None:
        """Begin to write; what the files held is forgotten.

        Args:
            epoch: The one after the last that the database has, which is `last_epoch` at least.

        Raises:
            StorageError: The files could not be made.
        """
        assert epoch > self.last_epoch, "the database has to note that it has all that was there"
        try:
            # For the same eyes as the database.
            mode = self.path.stat().st_mode & 0o666 if self.path.exists() else 0o600
            for path in self._files:
                self._segments.append(Segment.create(path, self.disk, self._segment_bytes, mode))
            self._write_to(self._segments[0], epoch, 0)
            for segment in self._segments:
                segment.sync()
            self.disk.sync_directory(self._files[0].parent)
        except OSError as error:
            self.close(remove=True)
            raise cannot_open(self.path, error) from error
        self._written = (None, self._segments[0])
        tell_child(self)

    # --- one thread at a time, under the broker's lock ---

    def append(self, payload: bytes) -> int:
        """Add an entry, which a killed process leaves behind; gives the position after it.

        Cost: a checksum and a copy of the payload.

        Args:
            payload: At least one byte.

        Raises:
            StorageFailed: The file was full and could not grow, or an earlier write has failed.
        """
        start = self.filled
        length = len(payload)
        end = start + ENTRY_BYTES + length
        if end > self._room:
            self._make_room(end)
        mapping = self._mapping
        mapping[start + ENTRY_BYTES : end] = payload
        _store(mapping, start, length, crc32(payload, self._salt))
        self.filled = end
        # Last: a sync that sees this position finds the entry in the file.
        self.position = position = self._base + end
        return position

    def _make_room(self, end: int) -> None:
        """Let the current file grow, by as much as a new one has or more."""
        self._check()
        current = self._current()
        try:
            current.grow(-(-end // self._segment_bytes) * self._segment_bytes)
        except OSError as error:
            raise self._fail(error) from error
        self._mapping = current.mapping
        self._room = current.size

    def switch(self) -> int:
        """Go on in the other file, with the next epoch; gives the epoch that ended.

        Raises:
            StorageFailed: An earlier write has failed.
        """
        self._check()
        older, ended = self._written
        assert older is None, "the database has to have the epoch before"
        assert ended is not None
        [other] = (segment for segment in self._segments if segment is not ended)
        ended.ends_at = self.position
        self._write_to(other, ended.epoch + 1, self.filled)
        self._written = (ended, other)
        return ended.epoch

    def _write_to(self, segment: Segment, epoch: int, previous_end: int) -> None:
        self._salt = segment.begin(self.owner, epoch, previous_end, self.position)
        self._mapping = segment.mapping
        self._room = segment.size
        self._base = self.position - HEADER_BYTES
        self.filled = HEADER_BYTES
        self.last_epoch = epoch

    def free(self, epoch: int) -> None:
        """The database has this epoch, the one that ended at the last switch: its file may be used again.

        Raises:
            StorageFailed: The space by which the file had grown could not be given back.
        """
        self._check()
        older, current = self._written
        assert older is not None, "there has to be one that ended"
        assert older.epoch == epoch
        self._written = (None, current)
        if older.size > self._segment_bytes:
            with self._using_files:
                try:
                    older.shrink(self._segment_bytes)
                except OSError as error:
                    raise self._fail(error) from error

    def _current(self) -> Segment:
        current = self._written[1]
        assert current is not None, "begin comes first"
        return current

    # --- any thread ---

    def _sync_all(self) -> int:
        with self._using_files:
            self._check()
            # First, so that what the files are asked for afterwards includes it.
            position = self.position
            # The older first: what the newer one has counts only if the older is whole.
            for segment in self._written:
                if segment is None or segment.begins_at >= position:
                    continue
                if segment.needs_sync(self.synced):
                    segment.sync()
            return position

    def _fail(self, why: object) -> StorageFailed:
        self._room = 0
        return super()._fail(why)

    def close(self, *, remove: bool) -> None:
        """Write no more, and let the files go.

        Args:
            remove: The database has everything, and the files with it are not needed any more.
        """
        self._fail("it was closed")
        with self._using_files:
            for segment in self._segments:
                segment.close()
                if remove:
                    # One that stays says nothing: the database has its epoch.
                    with contextlib.suppress(OSError):
                        self.disk.unlink(segment.path)
            self._segments = []
            self._written = (None, None)

    def _forked(self) -> None:
        """Leave the files to the process that opened them."""
        self._meet()
        self._using_files = threading.RLock()
        self._fail(FORKED)
        self.close(remove=False)
