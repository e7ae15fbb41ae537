"""What an event loop owes to asyncio that has nothing to do with what runs next.

It closes the asynchronous generators that were left, passes on exceptions that nobody took, and
accepts what makes no difference here: signal handlers, debugging, executors.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

from queuestream.lab.simulation.outside import OutsideWorld

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

_LOGGER = logging.getLogger("asyncio")


class LoopDuties(OutsideWorld):
    """An event loop's duties besides running things."""

    def __init__(self) -> None:
        self._closed = False
        self._exception_handler: Any = None
        # In the order in which they began.
        self._async_generators: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._generator_numbers = count(1)

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    # --- asynchronous generators ------------------------------------------------------------------------

    def _generator_begins(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._async_generators[next(self._generator_numbers)] = generator

    def _generator_ends(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.call_soon(self.create_task, generator.aclose())

    async def shutdown_asyncgens(self) -> None:
        """Close the generators that nobody has closed, in the order in which they began."""
        generators = list(self._async_generators.values())
        self._async_generators.clear()
        endings = await asyncio.gather(*[one.aclose() for one in generators], return_exceptions=True)
        for generator, ending in zip(generators, endings, strict=True):
            if isinstance(ending, Exception):
                self.call_exception_handler(
                    {"message": f"Closing {generator!r} failed", "exception": ending, "asyncgen": generator}
                )

    # --- what makes no difference -----------------------------------------------------------------------

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """Nothing: nobody sends signals to a simulation."""

    def remove_signal_handler(self, sig: int) -> bool:
        """Nothing."""
        return False

    # The constructor of each future asks this; a function in C answers soonest.
    get_debug = staticmethod(bool)

    def set_debug(self, enabled: bool) -> None:
        """Nothing: the trace of the world tells what its loop does."""

    def set_default_executor(self, executor: object) -> None:
        """Nothing: there are no threads."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's
        """Nothing: there are no threads."""

    # --- exceptions that nobody took ---------------------------------------------------------------------

    def get_exception_handler(self) -> Any:
        """Who is told of exceptions that nobody took; None for the log."""
        return self._exception_handler

    def set_exception_handler(self, handler: Any) -> None:
        """Have `handler(loop, context)` told of exceptions that nobody took."""
        self._exception_handler = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tell somebody of an exception that nobody took."""
        if self._exception_handler is None:
            self.default_exception_handler(context)
        else:
            self._exception_handler(self, context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Write it to the log, as asyncio does."""
        lines = [context.get("message") or "Unhandled exception in event loop"]
        lines += [f"{name}: {context[name]!r}" for name in sorted(context.keys() - {"message", "exception"})]
        _LOGGER.error("\n".join(lines), exc_info=context.get("exception"))
