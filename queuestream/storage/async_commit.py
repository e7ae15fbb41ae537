"""How a task waits until what its call promised is on disk, while others go on.

A call on a broker that is kept in a file returns when what it promised is on disk, which blocks its
thread (`commit_lock.py`).  An event loop's thread must not be blocked, so a call that is
made there lets the lock go at once (`CommitLock.deferred`), and its task waits here before
anybody is told:

    commit = commit_of(broker)                          # None for a broker in memory
    answer = await commit.call(queue.send, "hello")     # a function that returns at once
    answer = await commit.keep(coroutine)               # one that waits for other things, too

One thread waits for all tasks of all event loops: it takes the furthest position that anybody
wants, has it reached, and wakes everybody whom that serves.  Who comes meanwhile is the next
round.  So a thousand tasks that send at once share a sync or two.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from queuestream.storage.commit_lock import CommitLock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from contextlib import AbstractContextManager

    from queuestream.core.broker import Broker

P = ParamSpec("P")
R = TypeVar("R")

_Waiting = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class AsyncCommit:
    """Waits for one broker's disk, for all tasks.  Any event loop of any thread may use it.

    Args:
        lock: The broker's.
    """

    def __init__(self, lock: CommitLock) -> None:
        self._lock = lock
        self._gate = threading.Lock()
        self._position = 0
        self._waiting: list[_Waiting] = []
        self._is_working = False
        # A thread of its own: the loop's may all be busy with what waits for us.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="queuestream syncs")

    async def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """What a function returns or raises, once all that it may have seen is on disk.

        Raises:
            StorageFailed: It could not be kept.
        """
        promise = None
        try:
            with self._lock.deferred() as promise:
                return function(*args, **kwargs)
        finally:
            # What is raised says something about what was seen, too.
            if promise is not None:
                await self._kept(promise.position)

    async def keep(
        self, steps: Coroutine[Any, Any, R], *, give_back: Callable[[R], object] | None = None
    ) -> R:
        """The same of a coroutine, which lets the lock go at once wherever it takes it.

        Args:
            steps: The coroutine.
            give_back: Called with the answer where nobody will get it, because the task was cancelled while
                the disk was waited for.

        Raises:
            StorageFailed: It could not be kept.
        """
        promised = _Promised()
        try:
            answer = await _deferring(steps, self._lock, promised)
        except BaseException:
            await self._kept(promised.position)
            raise
        try:
            await self._kept(promised.position)
        except asyncio.CancelledError:
            if give_back is not None:
                with self._lock.deferred():
                    give_back(answer)
            raise
        return answer

    def glance(self) -> AbstractContextManager[object]:
        """Let the lock go at once in here, for what only looks and tells nobody what it promises."""
        return self._lock.deferred()

    async def _kept(self, position: int) -> None:
        """Wait until the disk has all up to a position."""
        if position <= self._lock.synced():
            return
        loop = asyncio.get_running_loop()
        kept = loop.create_future()
        with self._gate:
            self._waiting.append((loop, kept))
            self._position = max(self._position, position)
            starts, self._is_working = not self._is_working, True
        if starts:
            self._thread.submit(self._work)
        await kept

    def _work(self) -> None:
        while True:
            with self._gate:
                waiting, self._waiting = self._waiting, []
                position = self._position
                self._is_working = bool(waiting)
            if not waiting:
                return
            failure: BaseException | None = None
            try:
                self._lock.reach(position)
            except BaseException as error:  # noqa: BLE001 - it is raised in the tasks
                failure = error
            for loop in {loop for loop, _ in waiting}:
                theirs = [kept for other, kept in waiting if other is loop]
                try:
                    loop.call_soon_threadsafe(_wake, theirs, failure)
                except RuntimeError:  # it is closed: nobody waits any more
                    continue


class _Promised:
    """How far the disk has to be before an answer may be told."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position = 0


@coroutine
def _deferring(
    steps: Coroutine[Any, Any, R], lock: CommitLock, promised: _Promised
) -> Generator[Any, Any, R]:
    """A coroutine whose every step is made without waiting for the disk."""
    step: Callable[[Any], Any] = steps.send
    value: Any = None
    while True:
        with lock.deferred() as promise:
            try:
                awaited = step(value)
            except StopIteration as end:
                answer: R = end.value
                return answer
            finally:
                promised.position = max(promised.position, promise.position)
        try:
            step, value = steps.send, (yield awaited)
        except BaseException as error:  # noqa: BLE001 - a cancellation, say, which is for the coroutine
            step, value = steps.throw, error


def _wake(waiting: list[asyncio.Future[None]], failure: BaseException | None) -> None:
    for kept in waiting:
        if kept.done():  # its task was cancelled
            continue
        if failure is None:
            kept.set_result(None)
        else:
            kept.set_exception(failure)


def commit_of(broker: Broker) -> AsyncCommit | None:
    """What tasks that call a broker wait with; None where it is in memory, and nobody has to wait."""
    lock = broker.lock
    if not isinstance(lock, CommitLock):
        return None
    if not isinstance(lock.for_tasks, AsyncCommit):
        lock.for_tasks = AsyncCommit(lock)
    return lock.for_tasks
