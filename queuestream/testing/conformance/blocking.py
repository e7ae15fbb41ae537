"""An engine for asyncio, seen as one that isn't.

`blocking` runs an event loop in a thread of its own, and gives a broker whose operations run there and are
waited for.  So the suite is written once.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from contextlib import AbstractAsyncContextManager


@contextmanager
def blocking(engine: AbstractAsyncContextManager[Any]) -> Iterator[Any]:
    """Enter an engine for asyncio, and use its broker without asyncio.

    Args:
        engine: What `async with` gives the broker of.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="an engine for asyncio")
    thread.start()

    def run(awaited: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_awaited(awaited), loop).result()

    try:
        broker = run(engine.__aenter__())
        try:
            yield Blocking(broker, run)
        finally:
            run(engine.__aexit__(None, None, None))
        run(loop.shutdown_asyncgens())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Blocking:
    """A broker, queue, stream or subscription for asyncio, whose operations are waited for.

    Args:
        wrapped: What it stands for.
        run: Runs something to be awaited where the engine lives.
    """

    def __init__(self, wrapped: Any, run: Callable[[Awaitable[Any]], Any]) -> None:
        self._wrapped = wrapped
        self._run = run

    def __getattr__(self, name: str) -> Any:
        return self._outside(getattr(self._wrapped, name))

    def __iter__(self) -> Blocking:
        return self

    def __next__(self) -> Any:
        try:
            return self._run(self._wrapped.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def __repr__(self) -> str:
        return f"<Blocking {self._wrapped!r}>"

    def _outside(self, value: Any) -> Any:
        """A value as somebody without asyncio sees it."""
        if inspect.isawaitable(value):
            return self._outside(self._run(value))
        if callable(value) and not isinstance(value, type):
            return lambda *args, **kwargs: self._outside(value(*args, **kwargs))
        if isinstance(value, list):
            return _Page(map(self._outside, value), getattr(value, "next_token", None))
        # What has operations to be awaited says so in its name, as all of ours do.
        return Blocking(value, self._run) if type(value).__name__.startswith("Async") else value


class _Page(list[Any]):
    """A list, and where to go on where it is a page of one."""

    def __init__(self, values: Iterable[Any], next_token: str | None) -> None:
        super().__init__(values)
        self.next_token = next_token


async def _awaited(awaited: Awaitable[Any]) -> Any:
    return await awaited
