"""One owner at a time, and who it is.

The owner has the lock of a file beside the database, `orders.db-owner`, in which it says
who it is.  The kernel takes the lock away from a process that is gone, however it went; so
a file that is merely there means nothing, and an owner that died is in nobody's way.

Whoever lets go removes the file while it still has the lock.  Another one may have opened
that file just before, and gets the lock of something that has no name any more, while a
third one makes a new file and has the lock of that.  So who has got a lock looks whether
the file is still what its name says, and begins again where it is not.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from queuestream.core.errors import StorageInUse
from queuestream.storage.disk import cannot_open
from queuestream.storage.forks import tell_child

if TYPE_CHECKING:
    from queuestream.storage.disk import Disk, FileIdentity

_COMMAND_MAX = 60

# The owners' files of this process. Some file systems give a process the same lock twice, and take it away
# when the file is closed once; so those are not even opened.
_ours: set[FileIdentity] = set()
_taking = threading.Lock()


def owner_file(path: Path) -> Path:
    """The file whose lock means owning a database."""
    return path.with_name(f"{path.name}-owner")


class Ownership:
    """That this process, and one broker in it, has a database: see `take`."""

    def __init__(self, file: Path, disk: Disk, fd: int, identity: FileIdentity) -> None:
        self._file = file
        self._disk = disk
        self._fd: int | None = fd
        self._identity = identity
        tell_child(self)

    def __repr__(self) -> str:
        return f"<Ownership by {self._file}: {'released' if self._fd is None else 'held'}>"

    @classmethod
    def take(cls, path: Path, disk: Disk) -> Ownership:
        """Become the owner of a database, whether it is there already or not.

        Raises:
            StorageInUse: Another process has it, or this one has it already.
            StorageError: The owner's file could not be made or locked.
        """
        file = owner_file(path.absolute())
        try:
            with _taking:
                while True:
                    if disk.identity(file) in _ours:
                        raise StorageInUse(str(path), "another broker of this process: close that one first")
                    ownership = cls._try(file, disk)
                    if ownership is not None:
                        return ownership
        except BlockingIOError as error:
            raise StorageInUse(str(path), _holder(disk, file)) from error
        except OSError as error:
            raise cannot_open(path, error) from error

    @classmethod
    def _try(cls, file: Path, disk: Disk) -> Ownership | None:
        """Lock the file; None where it lost its name before it was locked.

        Raises:
            BlockingIOError: Somebody has the lock.
        """
        fd = disk.open(file)
        try:
            disk.lock(fd)
            identity = disk.identity(fd)
            if identity is not None and identity == disk.identity(file):
                disk.write(fd, _introduction())
                _ours.add(identity)
                return cls(file, disk, fd, identity)
        except BaseException:
            disk.close(fd)
            raise
        disk.close(fd)
        return None

    def release(self) -> None:
        """Let another one have it.  Releasing again changes nothing."""
        if self._fd is None:
            return
        # A file that stays is in nobody's way. (Windows removes no file that is open.)
        with contextlib.suppress(OSError):
            if self._disk.identity(self._file) == self._identity:
                self._disk.unlink(self._file)
        self._let_go()

    def _let_go(self) -> None:
        fd, self._fd = self._fd, None
        _ours.discard(self._identity)
        if fd is not None:
            with contextlib.suppress(OSError):
                self._disk.close(fd)

    def _forked(self) -> None:
        """Leave the lock to the process that took it, which has it as long as any process has it open."""
        self._let_go()


def _introduction() -> bytes:
    """A line that says who this process is."""
    program, *arguments = sys.orig_argv or [sys.executable]
    command = " ".join(" ".join([Path(program).name, *arguments]).split())
    if len(command) > _COMMAND_MAX:
        command = f"{command[: _COMMAND_MAX - 1]}…"
    who = {
        "pid": os.getpid(),
        "command": command,
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return json.dumps(who, ensure_ascii=False).encode() + b"\n"


def _holder(disk: Disk, file: Path) -> str:
    """Who has the lock, as a person would say it."""
    try:
        with disk.reader(file) as found:
            who = json.loads(found.read())
        return f"process {who['pid']} ({who['command']}) on host {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        # It has the lock, and has not written who it is yet.
        return "another process, which has just opened it"
