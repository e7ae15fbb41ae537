"""What is asked of files, thinly: here a test makes each of them fail in turn.

Everything that the journal and the owner's file do to the disk is a method of `Disk`, and
raises what the operating system raises; who asked knows whether that means that the file
cannot be opened (`cannot_open` finds the words) or that a write failed.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from typing import TYPE_CHECKING

from queuestream.core.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_READ_AHEAD = 1 << 18
_ZEROS = bytes(1 << 18)
# Where Windows locks a byte: it keeps others from reading what it locks, and the holder's name is to be read.
_LOCKED_BYTE = 1 << 30
_NO_PREALLOCATION = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}

FileIdentity = tuple[int, int]


class Disk:
    """The operating system's files."""

    def open(self, path: Path, mode: int = 0o644) -> int:
        """A file to read and write, made where there is none."""
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), mode)

    def reader(self, path: Path) -> BinaryIO:
        """A file to read from its beginning."""
        return path.open("rb", buffering=_READ_AHEAD)

    def exists(self, path: Path) -> bool:
        """Whether there is a file of that name.

        Asked without `stat`: since a file's times have become exact, a sync takes a quarter longer when
        somebody has just seen them.
        """
        return os.access(path, os.F_OK)

    def is_writable(self, path: Path) -> bool:
        """Whether we may write to a file that is there; nothing is opened, and nothing changed."""
        return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)

    def identity(self, file: Path | int) -> FileIdentity | None:
        """What tells a file from any other one, whatever it is called; None where there is none."""
        try:
            found = os.stat(file)  # noqa: PTH116 - which may be an open one
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def preallocate(self, fd: int, start: int, end: int) -> None:
        """Take the space for these bytes, which are zeros then.

        A full disk says so here.  Storing into a mapping of a file that has no space of its own would be
        the end of the process instead (SIGBUS).
        """
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(fd, start, end - start)
            except OSError as error:
                if error.errno not in _NO_PREALLOCATION:
                    raise
            else:
                return
        os.lseek(fd, start, os.SEEK_SET)
        while start < end:
            start += os.write(fd, _ZEROS[: end - start])

    def truncate(self, fd: int, size: int) -> None:
        """Give the space beyond back."""
        os.ftruncate(fd, size)

    def map(self, fd: int, size: int) -> mmap.mmap:
        """The file's bytes as memory: what is stored there outlives the process."""
        return mmap.mmap(fd, size)

    def write(self, fd: int, content: bytes) -> None:
        """Make this the file's whole content."""
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, content)

    def sync(self, fd: int, mapping: mmap.mmap) -> None:
        """Return when what was stored in the mapping would outlive a power cut.  Others run meanwhile."""
        if hasattr(os, "fdatasync"):
            os.fdatasync(fd)  # those who have it keep one cache of a file and of its mappings
            return
        mapping.flush()
        if sys.platform == "darwin":
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # its fsync leaves the disk's own cache alone
        else:
            os.fsync(fd)

    def sync_directory(self, directory: Path) -> None:
        """Return when the names of new files would outlive a power cut."""
        if sys.platform == "win32":
            return  # a directory cannot be opened there, and NTFS keeps a journal of names
        fd = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def lock(self, fd: int) -> None:
        """Lock a file for as long as it is open here, which a crash ends too.

        Raises:
            BlockingIOError: Somebody else has locked it.
        """
        try:
            if sys.platform == "win32":
                os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _TAKEN:
                raise BlockingIOError(*error.args) from error
            raise

    def close(self, fd: int) -> None:
        """Let an open file go."""
        os.close(fd)

    def unlink(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)


def cannot_open(path: Path, error: OSError) -> StorageError:
    """The error for a file that cannot be opened, which says what to do about it."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            advice = f"Make the directory {path.parent} first."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            advice = "Its directory has to be writable too: what has just changed is kept in files beside it."
        case errno.ENOSPC | errno.EDQUOT:
            advice = "Make some space on that disk, and open it again."
        case errno.ENOLCK | errno.EOPNOTSUPP:
            advice = "Keep it on a disk of this machine: this file system has no locks."
        case _:
            advice = "See to the disk, and open it again: nothing was changed."
    return StorageError(str(path), f"{path} cannot be opened: {error}. {advice}")
