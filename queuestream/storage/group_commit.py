"""One sync for everybody who waits: the first to come leads, the others follow.

The leader syncs all that has been appended so far, which is more than it was asked for.
Those who come meanwhile leave word how far they need, and sleep; when the leader is back,
it wakes those whom it has served, and of the others one, who leads next.  Nobody is woken
for nothing, and nobody who is served waits for the next sync.

A sync that fails is the last one.  The operating system may have thrown away what it could
not write, and the next sync of the same file would succeed without it: trying again means
to promise what is lost.  So everybody who waits or comes later gets `StorageFailed`.

A signal's handler may sync in the middle of its own thread's sync: it finds itself leading
already, and syncs then and there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from queuestream.core.errors import StorageFailed

if TYPE_CHECKING:
    from pathlib import Path


class _Follower:
    """A thread that waits: how far it needs, and a lock which it cannot have before its turn."""

    __slots__ = ("thread", "turn", "upto")

    def __init__(self, thread: int, upto: int) -> None:
        self.thread = thread
        self.upto = upto
        self.turn = threading.Lock()
        self.turn.acquire()


class GroupCommit:
    """What is synced by one thread for all; what syncing means, a subclass says in `_sync_all`.

    Attributes:
        synced: The position up to which everything would outlive a power cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.synced = 0
        # Why nothing can be written any more.
        self._why: object = None
        self._meet()

    def _meet(self) -> None:
        """Begin with nobody waiting."""
        # Held for a few lines at a time.  A signal's handler may come back to it in the same thread.
        self._gate = threading.RLock()
        self._leader: int | None = None
        self._followers: list[_Follower] = []

    def _sync_all(self) -> int:
        """Sync everything that has been appended so far.

        Returns:
            The position up to which it has.

        Raises:
            OSError: It could not.
        """
        raise NotImplementedError

    def sync(self, upto: int) -> None:
        """Return when everything up to a position would outlive a power cut.

        Raises:
            StorageFailed: This sync, or an earlier one, could not do it.
        """
        if self.synced >= upto:
            return
        me = threading.get_ident()
        if self._leader == me:
            self._lead()
            return
        follower = None
        try:
            with self._gate:
                self._check()
                if self.synced >= upto:
                    return
                if self._leader is None:
                    self._leader = me
                else:
                    follower = _Follower(me, upto)
                    self._followers.append(follower)
            if follower is not None:
                follower.turn.acquire()
            if self._leader == me:
                self._lead()
        finally:
            # However this thread leaves, by Ctrl-C too, nobody may go on waiting for it.
            with self._gate:
                if self._leader == me:
                    self._leader = None
                    if self._followers:
                        self._hand_on()
                elif follower in self._followers:
                    self._followers.remove(follower)
        if self.synced < upto:
            self._check()

    def _lead(self) -> None:
        try:
            synced = self._sync_all()
        except OSError as error:
            raise self._fail(error) from error
        with self._gate:
            self.synced = max(self.synced, synced)

    def _hand_on(self) -> None:
        """Lead no more: wake those who are served, and let one of the others lead."""
        followers, self._followers = self._followers, []
        waiting = []
        for follower in followers:
            if self.synced >= follower.upto or self._why is not None:
                follower.turn.release()
            else:
                waiting.append(follower)
        if waiting:
            # The last to come: if it is a signal's handler, its thread's earlier wait is below it.
            heir = waiting.pop()
            self._leader = heir.thread
            heir.turn.release()
        self._followers = waiting

    def _fail(self, why: object) -> StorageFailed:
        """Write nothing any more; gives the error to raise."""
        with self._gate:
            if self._why is None:
                self._why = why
        return StorageFailed(str(self.path), why)

    def _check(self) -> None:
        if self._why is not None:
            raise StorageFailed(str(self.path), self._why)
