"""botocore's own waits, on a clock of ours: between the polls of a waiter, and before a retry.

botocore sleeps by `time.sleep`, named through its module, and so does aiobotocore before version 3 by
`asyncio.sleep`.  What sleeps is one function of each kind, and a function can be run with other globals: the
same code, in which the module is ours.  Nothing of botocore changes.  Later versions of aiobotocore have a
method for it, which is replaced by `sleep_async`.
"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any

from queuestream.core.clock import SECOND, Wakeup, duration_ns, sleep

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.clock import Clock


class _Sleeping:
    """A module with a `sleep` that a clock obeys."""

    def __init__(self, module: Any, sleep: Callable[[float], Any]) -> None:
        self._module = module
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def sleeping_on(function: Callable[..., Any], clock: Clock) -> Callable[..., Any]:
    """A function of botocore's that calls `time.sleep` or `asyncio.sleep`, sleeping on `clock` instead."""
    plain: Any = inspect.unwrap(function)
    sleeping = {
        name: _Sleeping(plain.__globals__[name], functools.partial(ours, clock))
        for name, ours in (("time", sleep), ("asyncio", sleep_async))
        if name in plain.__globals__
    }
    copied = FunctionType(
        plain.__code__,
        {**plain.__globals__, **sleeping},
        plain.__name__,
        plain.__defaults__,
        plain.__closure__,
    )
    copied.__kwdefaults__ = plain.__kwdefaults__
    return copied


async def sleep_async(clock: Clock, seconds: float) -> None:
    """Let other tasks run until `clock` has gone on by so many seconds."""
    until_ns = clock.now_ns() + duration_ns(seconds, SECOND)
    nobody = Wakeup()
    while clock.now_ns() < until_ns:
        await clock.wait_async(nobody, until_ns)
