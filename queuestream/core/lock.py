"""What a broker's lock can do: `threading.RLock`'s part of it that the core uses.

Storage has one of its own, which is let go when what the call promised is on disk.
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
