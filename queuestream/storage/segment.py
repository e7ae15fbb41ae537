"""One file of the journal: a header, then entries, then space that is taken but not used.

    header   "qsJ", version, whose it is, epoch, where the epoch before it ended, chance, ..., checksum
    entry    length, checksum, payload
    entry    ...
    zeros, or what an earlier epoch left there

All numbers are little-endian.  The header's checksum, which chance makes another one each
time, is what the checksums of the entries begin with.  So an entry counts only in the epoch
that it was written in, and what an earlier one left behind is never taken for an entry.

Reading stops at the first entry that is not whole: pages reach the disk in any order, so
after a power cut there may be whole ones beyond it, of which nobody knows what came between.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING
from zlib import crc32

import attrs

from queuestream.core.errors import StorageDamaged, StorageTooNew

if TYPE_CHECKING:
    import mmap
    from collections.abc import Generator
    from pathlib import Path

    from queuestream.storage.disk import Disk

VERSION = 1
# What every version has: these at its beginning and the checksum at its end.
_HEADER = struct.Struct("<3sBQQQQ24x")
_CHECKSUM = struct.Struct("<I")
_MAGIC = b"qsJ"
HEADER_BYTES = _HEADER.size + _CHECKSUM.size
ENTRY = struct.Struct("<II")
ENTRY_BYTES = ENTRY.size


@attrs.frozen
class Header:
    """What a segment says about itself.

    Attributes:
        owner: The database that it belongs to.
        epoch: What its entries are part of.
        previous_end: How far the epoch before this one had been written, in its own segment.
        salt: What the checksums of its entries begin with.
    """

    owner: int
    epoch: int
    previous_end: int
    salt: int


@attrs.define(eq=False)
class Segment:
    """A file of the journal, open for writing.

    Attributes:
        size: Bytes that are taken on the disk, and mapped.
        epoch: What is being written to it, or was.
        begins_at: The journal's position at its first entry.
        ends_at: The journal's position after its last one; None while there may be more.
        synced_epoch: The epoch whose header would outlive a power cut.
    """

    path: Path
    disk: Disk
    fd: int
    size: int
    mapping: mmap.mmap
    epoch: int = 0
    begins_at: int = 0
    ends_at: int | None = None
    synced_epoch: int = 0

    @classmethod
    def create(cls, path: Path, disk: Disk, size: int, mode: int) -> Segment:
        """A new file, in the place of one that may be there.

        A file that was read is not written on: what reading leaves in the system's cache can make every
        sync of it twice as long.
        """
        disk.unlink(path)
        fd = disk.open(path, mode)
        try:
            disk.preallocate(fd, 0, size)
            mapping = disk.map(fd, size)
        except OSError:
            disk.close(fd)
            with contextlib.suppress(OSError):
                disk.unlink(path)
            raise
        return cls(path, disk, fd, size, mapping)

    def begin(self, owner: int, epoch: int, previous_end: int, begins_at: int) -> int:
        """Let a new epoch begin here, over whatever was here; gives the salt of its entries."""
        chance = int.from_bytes(os.urandom(8), "little")
        header = _HEADER.pack(_MAGIC, VERSION, owner, epoch, previous_end, chance)
        salt = crc32(header)
        self.mapping[:HEADER_BYTES] = header + _CHECKSUM.pack(salt)
        self.epoch = epoch
        self.begins_at = begins_at
        self.ends_at = None
        return salt

    def grow(self, size: int) -> None:
        """Take more space; what is there stays."""
        self.disk.preallocate(self.fd, self.size, size)
        # The old mapping is not closed, since another thread may be syncing it.
        self.mapping = self.disk.map(self.fd, size)
        self.size = size

    def shrink(self, size: int) -> None:
        """Give back what it has grown by."""
        self.mapping.close()
        self.disk.truncate(self.fd, size)
        self.mapping = self.disk.map(self.fd, size)
        self.size = size

    def needs_sync(self, synced: int) -> bool:
        """Whether anything in it is not safe, where entries up to a position are.

        An epoch without entries has a header, without which the next epoch would not count.
        """
        return self.ends_at is None or self.ends_at > synced or self.synced_epoch != self.epoch

    def sync(self) -> None:
        """Return when what is in it would outlive a power cut.

        Raises:
            OSError: It would not; nor would it if somebody had removed the file meanwhile.
        """
        epoch = self.epoch  # the next one may begin here meanwhile
        self.disk.sync(self.fd, self.mapping)
        self.synced_epoch = epoch
        if not self.disk.exists(self.path):
            raise FileNotFoundError(f"{self.path} was removed while it was in use")

    def close(self) -> None:
        """Let the file go."""
        self.mapping.close()
        self.disk.close(self.fd)


def read_header(path: Path, disk: Disk, owner: int) -> Header | None:
    """A file's header; None where there is no file, or none that was written to its end.

    Raises:
        StorageDamaged: It belongs to another database.
        StorageTooNew: A newer version has written it.
        OSError: It could not be read.
    """
    try:
        with disk.reader(path) as file:
            found = file.read(HEADER_BYTES)
    except FileNotFoundError:
        return None
    if len(found) < HEADER_BYTES or not found.startswith(_MAGIC):
        return None
    [checksum] = _CHECKSUM.unpack_from(found, _HEADER.size)
    if crc32(found[: _HEADER.size]) != checksum:
        return None
    _, version, whose, epoch, previous_end, _ = _HEADER.unpack_from(found)
    if version > VERSION:
        raise StorageTooNew(str(path), version, VERSION)
    if whose != owner:
        raise StorageDamaged(
            str(path), "it has the latest changes of another database, which is not there any more"
        )
    return Header(whose, epoch, previous_end, checksum)


def read_entries(path: Path, disk: Disk, header: Header) -> Generator[bytes, None, int]:
    """The entries of the header's epoch, up to the first that is not whole; returns where they end.

    Raises:
        OSError: It could not be read.
    """
    with disk.reader(path) as file:
        size = file.seek(0, os.SEEK_END)
        end = file.seek(HEADER_BYTES)
        while end + ENTRY_BYTES <= size:
            length, checksum = ENTRY.unpack(file.read(ENTRY_BYTES))
            # Nothing is as long as nothing: no entry is empty, and zeros are no entry.
            if not 0 < length <= size - end - ENTRY_BYTES:
                break
            payload = file.read(length)
            if crc32(payload, header.salt) != checksum:
                break
            yield payload
            end += ENTRY_BYTES + length
    return end
