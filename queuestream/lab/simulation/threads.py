"""What becomes of threads: there is one, which is everybody's.

What `asyncio.to_thread` is given is run in a turn of its own, and has no event loop, as in a thread.  It
may hand coroutines to the loop (`asyncio.run_coroutine_threadsafe`), but not block until they are done: they
would never begin.  Threads that the program starts by itself run beside the simulation, and unknown to it.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from queuestream.core.errors import DeadlockError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_HANDING_OVER = asyncio.run_coroutine_threadsafe.__code__


@contextmanager
def as_in_a_thread() -> Iterator[None]:
    """While inside, no event loop runs, as in a thread."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


def let_nobody_block(caller: FrameType) -> None:
    """Where a coroutine is handed over, have its future say that nobody can block until it is done."""
    if caller.f_code is _HANDING_OVER:
        caller.f_locals["future"].__class__ = _HandedOver


class _HandedOver(Future[Any]):
    """What `asyncio.run_coroutine_threadsafe` gives."""

    def result(self, timeout: float | None = None) -> Any:
        self._check(timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._check(timeout)
        return super().exception(timeout)

    def _check(self, timeout: float | None) -> None:
        if not self.done() and (timeout is None or timeout > 0):
            raise DeadlockError(
                "This blocks the only thread of the simulation, so the coroutine that was handed to it by "
                "asyncio.run_coroutine_threadsafe can never run. Await it in a task, or go on without it."
            )


def alive() -> set[int | None]:
    """The threads that there are."""
    return {thread.ident for thread in threading.enumerate()}


def started_since(before: set[int | None]) -> str:
    """A sentence about the threads that were started since; nothing where there are none."""
    names = sorted(thread.name for thread in threading.enumerate() if thread.ident not in before)
    if not names:
        return ""
    return (
        f" Nobody waits for threads that the program itself has started ({', '.join(names)}): they are not "
        "simulated. Let asyncio.to_thread run what they do."
    )
