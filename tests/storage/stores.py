"""Brokers in files for tests: what a kill leaves of them, and threads that call them."""

import os
import shutil
import threading
import time

from queuestream.storage.disk import Disk

PATIENCE = 10


def left_by_a_kill(broker, folder):
    """A copy of a broker's files as a kill would leave them now; gives the database's path there."""
    path = broker.storage._path
    folder.mkdir()
    with broker.storage._folding:  # a copy takes a while, a kill is an instant
        for file in path.parent.glob(f"{path.name}*"):
            shutil.copyfile(file, folder / file.name)
    return folder / path.name


def threads_end(broker):
    """Wait until a store's threads have ended by themselves."""
    for thread in broker.storage._threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(condition):
    """Let others go on until something holds."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        os.sched_yield()


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def bodies(queue):
    return sorted(message.body for message in queue.peek())


class Call(threading.Thread):
    """A thread that makes one call, and what came of it."""

    def __init__(self, call, *arguments, **keywords):
        super().__init__(daemon=True)
        self.call = call
        self.arguments = arguments
        self.keywords = keywords
        self.outcome = None
        self.start()

    def run(self):
        try:
            self.outcome = self.call(*self.arguments, **self.keywords)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.outcome = error

    def end(self):
        """What it has answered or raised."""
        self.join(PATIENCE)
        assert not self.is_alive()
        return self.outcome

    def answer(self):
        """What it has answered; what it has raised is raised here."""
        if isinstance(self.end(), BaseException):
            raise self.outcome
        return self.outcome


class WatchedDisk(Disk):
    """A disk that counts syncs of the journal, and holds them up while it is told to."""

    def __init__(self):
        self.syncs = 0
        self.has_begun = threading.Semaphore(0)
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.failure = None

    def sync(self, fd, mapping):
        self.syncs += 1
        self.has_begun.release()
        assert self.may_go_on.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure

    def of(self, call, *arguments, **keywords):
        """How many syncs a call takes."""
        before = self.syncs
        call(*arguments, **keywords)
        return self.syncs - before

    def hold(self):
        """Let nobody's sync end; gives what to wait with until one has begun."""
        while self.has_begun.acquire(blocking=False):
            pass
        self.may_go_on.clear()
