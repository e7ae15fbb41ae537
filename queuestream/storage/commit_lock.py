"""The broker's lock, which a call leaves when what it has promised is on disk.

Under the lock, whoever writes to the journal notes the position that must be safe before
anybody hears of it: `lock.promised = position`.  The thread that lets the lock go for good
reads it while it still has the lock, lets go, and waits: others go on meanwhile, and one
sync serves them all.  A call that has only looked waits too, since what it saw may not be
safe yet.  Usually it is, and then this costs one comparison.

An event loop must not wait like this.  Within `deferred()` no release of this thread does;
what it would have waited for is in the object that `deferred` gives, for the caller to
`reach` elsewhere, before anybody is told.

Inside is the standard library's own lock, so taking this one costs what it costs there.
"""

from __future__ import annotations

import contextlib
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any

from queuestream.storage.forks import tell_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType


class Deferred:
    """What has to be reached before anybody is told of what was done meanwhile.

    Attributes:
        position: The position in the journal; 0 where there is nothing to wait for.
    """

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position = 0


class CommitLock:
    """A lock that the thread which has it may take again, and whose last release waits.

    Args:
        wait: Returns when everything up to a position is safe, and raises where it cannot be.
        synced: Up to where everything is safe already.
        interrupted: Told, with the lock, what a `with` is left by that is no error of a call's own; nobody
            where nothing is said.

    Attributes:
        promised: The position that everybody's answers rely on; whoever changes it has the lock.
        for_tasks: What waits for event loops, made by the first who needs it.
    """

    def __init__(
        self,
        wait: Callable[[int], object],
        synced: Callable[[], int],
        interrupted: Callable[[BaseException], object] | None = None,
    ) -> None:
        self.promised = 0
        self.synced = synced
        self.for_tasks: object = None
        self._wait = wait
        self._interrupted = interrupted
        inner: Any = RLock()
        # The inner lock's own: a call around it would double the cost.
        self.acquire = inner.acquire  # type: ignore[method-assign]
        self._enter = inner.__enter__
        self._release = inner.release
        # What a Condition asks any lock, to know whether it was let go for good.
        self._is_owned = inner._is_owned
        self._begin_anew = inner._at_fork_reinit
        # How far somebody has waited; a shorter way to know that there is nothing to wait for.
        self._reached = 0
        self._deferred: dict[int, Deferred] = {}
        tell_child(self)

    if TYPE_CHECKING:

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            """Take it."""

    def release(self) -> None:
        """Let it go, once for each time that it was taken; the last time, wait for what was promised.

        Raises:
            RuntimeError: This thread does not have it.
            StorageFailed: What was promised could not be kept.
        """
        promised = self.promised
        self._release()
        if promised > self._reached and not self._is_owned():
            self._keep(promised)

    def __enter__(self) -> object:
        return self._enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception) and self._interrupted is not None:
            self._interrupted(error)
        # What release does, without another call.
        promised = self.promised
        self._release()
        if promised > self._reached and not self._is_owned():
            self._keep(promised)

    def _keep(self, promised: int) -> None:
        """Wait until a promise is kept, or leave that to the one who defers it."""
        if promised > self.synced():
            deferred = self._deferred.get(get_ident())
            if deferred is not None:
                deferred.position = max(deferred.position, promised)
                return
            self._wait(promised)
        self._reached = max(self._reached, promised)  # where two do this at once, one of them waits again

    @contextlib.contextmanager
    def deferred(self) -> Iterator[Deferred]:
        """Let the releases of this thread not wait, until the end of the block."""
        thread = get_ident()
        outer = self._deferred.get(thread)
        self._deferred[thread] = inner = Deferred()
        try:
            yield inner
        finally:
            if outer is None:
                del self._deferred[thread]
            else:
                self._deferred[thread] = outer
                outer.position = max(outer.position, inner.position)

    def reach(self, position: int) -> None:
        """Wait for what was deferred.

        Raises:
            StorageFailed: It could not be kept.
        """
        self._wait(position)
        self._reached = max(self._reached, position)

    def _forked(self) -> None:
        """Be free in the child, where the thread that has it does not exist."""
        self._deferred.clear()
        if not self._is_owned():
            self._begin_anew()
