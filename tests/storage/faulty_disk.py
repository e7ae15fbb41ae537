"""A disk that fails when it is told to, and one that loses its power."""

import contextlib
import errno
import os
import random

from queuestream.storage.disk import Disk

SECTOR = 512


class FaultyDisk(Disk):
    """A disk whose n-th write fails, or which only notes what is asked of it.

    Args:
        fail_at: Which one: 0 is the first. None: all succeed.
        code: With what: ENOSPC, EIO, EROFS.
        lasts: Whether all later ones fail too, as those of a full disk do.
    """

    def __init__(self, fail_at=None, code=errno.ENOSPC, *, lasts=True):
        self.fail_at = fail_at
        self.code = code
        self.lasts = lasts
        self.asked = []

    def _asked(self, what):
        number = len(self.asked)
        self.asked.append(what)
        if self.fail_at is not None and (number == self.fail_at or (self.lasts and number > self.fail_at)):
            raise OSError(self.code, os.strerror(self.code))

    @property
    def has_failed(self):
        return self.fail_at is not None and len(self.asked) > self.fail_at

    @contextlib.contextmanager
    def well(self):
        """A while in which nothing fails, and nothing is counted."""
        asked, fail_at = self.asked, self.fail_at
        self.asked, self.fail_at = [], None
        yield
        self.asked, self.fail_at = asked, fail_at

    def open(self, path, mode=0o644):
        self._asked("open")
        return super().open(path, mode)

    def preallocate(self, fd, start, end):
        self._asked("preallocate")
        super().preallocate(fd, start, end)

    def truncate(self, fd, size):
        self._asked("truncate")
        super().truncate(fd, size)

    def map(self, fd, size):
        self._asked("map")
        return super().map(fd, size)

    def write(self, fd, content):
        self._asked("write")
        super().write(fd, content)

    def sync(self, fd, mapping):
        self._asked("sync")
        super().sync(fd, mapping)

    def sync_directory(self, directory):
        self._asked("sync_directory")
        super().sync_directory(directory)

    def lock(self, fd):
        self._asked("lock")
        super().lock(fd)

    def unlink(self, path):
        self._asked("unlink")
        super().unlink(path)


class LightDisk(Disk):
    """A disk that syncs nothing, for tests that cut no power."""

    def sync(self, fd, mapping):
        pass

    def sync_directory(self, directory):
        pass


class PowerCut(BaseException):
    """The machine has stopped; no code of ours runs after it."""


class PowerlessDisk(Disk):
    """A disk that knows what a power cut would leave of each file.

    Args:
        cut_at: Which of the things that are asked of it meets a power cut; None where all are done.
    """

    def __init__(self, cut_at=None):
        self._cut_at = cut_at
        self._open = {}
        # What was synced last, of each file; and what names stood for when they were.
        self._safe = {}
        self._names = {}

    def _asked(self):
        if self._cut_at is not None:
            if self._cut_at == 0:
                raise PowerCut
            self._cut_at -= 1

    def _renames(self, path):
        self._names.setdefault(path, path.read_bytes() if path.exists() else None)

    def open(self, path, mode=0o644):
        self._asked()
        self._renames(path)
        fd = super().open(path, mode)
        self._open[fd] = path
        self._safe[path] = b""
        return fd

    def preallocate(self, fd, start, end):
        self._asked()
        super().preallocate(fd, start, end)

    def truncate(self, fd, size):
        self._asked()
        super().truncate(fd, size)

    def map(self, fd, size):
        self._asked()
        return super().map(fd, size)

    def sync(self, fd, mapping):
        self._asked()
        self._safe[self._open[fd]] = bytes(mapping)

    def sync_directory(self, directory):
        self._asked()
        self._names.clear()

    def unlink(self, path):
        self._asked()
        self._renames(path)
        super().unlink(path)

    def close(self, fd):
        del self._open[fd]
        super().close(fd)

    def cut_power(self, seed):
        """Leave each sector as it was synced last, or as it is now: they reach the disk in any order."""
        for fd in list(self._open):
            self.close(fd)
        chance = random.Random(seed)
        for path, safe in self._safe.items():
            now = path.read_bytes() if path.exists() else b""
            before = safe.ljust(len(now), b"\0")
            # Now much has arrived, now little.
            share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
            path.write_bytes(
                b"".join(
                    (now if chance.random() < share else before)[at : at + SECTOR]
                    for at in range(0, len(now), SECTOR)
                )
            )
        for path, content in self._names.items():
            if chance.random() < 0.5:
                path.unlink(missing_ok=True)
                if content is not None:
                    path.write_bytes(content)
