"""botocore's own waits, on a clock of ours: between the polls of a waiter, and before a retry.

botocore sleeps by `time.sleep`, named through its module.  What sleeps is one function of each kind, and a
function can be run with other globals: the same code, in which `time` is ours.  Nothing of botocore changes.
"""

from __future__ import annotations

import inspect
import time
from types import FunctionType
from typing import TYPE_CHECKING, Any

from queuestream.core.clock import SECOND, Wakeup, duration_ns, sleep

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.clock import Clock


class _TimeOf:
    """The module `time`, with a `sleep` that a clock obeys."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def sleep(self, seconds: float) -> None:
        sleep(self._clock, seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def sleeping_on(function: Callable[..., Any], clock: Clock) -> Callable[..., Any]:
    """A function of botocore's that calls `time.sleep`, sleeping on `clock` instead."""
    plain: Any = inspect.unwrap(function)
    copied = FunctionType(
        plain.__code__,
        {**plain.__globals__, "time": _TimeOf(clock)},
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
