"""A broker's disk that takes as long as a test wants."""

import asyncio
import contextlib
import threading

from queuestream.storage.commit_lock import CommitLock

PATIENCE = 10


class SlowDisk:
    """A disk that syncs when it is told to; every change of its broker is a promise."""

    def __init__(self, broker):
        self.appended = self.synced = 0
        self.syncs = 0
        self.failure = None
        self.asked, self._may = threading.Event(), threading.Event()
        self.lock = broker.lock = CommitLock(self.reach, lambda: self.synced)
        broker.listen(self.hear)

    def hear(self, changes):
        self.appended += 1
        self.lock.promised = self.appended

    def reach(self, position):
        if self.synced >= position:
            return
        assert threading.current_thread().name.startswith("queuestream syncs"), (
            "an event loop waits for the disk"
        )
        upto = self.appended
        self.asked.set()
        assert self._may.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        self.syncs += 1
        self.synced = max(self.synced, upto)

    @contextlib.contextmanager
    def has_all(self):
        """What is done meanwhile is on disk already."""
        with self.lock.deferred():
            yield
        self.synced = self.appended

    async def is_asked(self):
        await asyncio.to_thread(self.asked.wait, PATIENCE)
        self.asked.clear()

    def go_on(self):
        self._may.set()

    def stop(self):
        self._may.clear()
