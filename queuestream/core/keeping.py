"""What the core asks of whoever keeps a broker: a lock, and to be told when it closes.

A broker in memory has an ordinary lock, and nobody keeps it.  Storage has a lock of its own,
which is let go when what the call promised is on disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType


class Lock(Protocol):
    """A lock that the thread which has it may take again."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it."""

    def release(self) -> None:
        """Let it go, once for each time that it was taken.

        Raises:
            StorageFailed: What the call changed could not be kept.
        """

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Storage(Protocol):
    """What keeps a broker."""

    def fold(self) -> None:
        """Bring everything that has changed so far into the place where it is kept for good.

        Raises:
            StorageFailed: It cannot be written; the broker is closed.
        """

    def interrupted(self, error: BaseException) -> None:
        """A call was left in the middle, by Ctrl-C say; what it has told may not be done.

        The caller holds the lock.
        """

    def closed(self) -> None:
        """The broker has been closed, perhaps once more.  The caller does not hold the lock."""
