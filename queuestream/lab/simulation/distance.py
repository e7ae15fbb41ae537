"""Clients at a distance: each call takes a while to reach the broker, and so does its answer.

What is cancelled on the way back has been done all the same, and its client doesn't know: a timeout that is
shorter than the way is a lost answer.
"""

from __future__ import annotations

import asyncio
import functools
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from queuestream.aio import AsyncBroker, AsyncQueue, AsyncQueuePage, AsyncStream

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from queuestream.core.broker import Broker

    Latency = float | tuple[float, float]
    Travel = Callable[[], Awaitable[None]]


def travelling(latency: Latency, chance: Callable[[], random.Random]) -> Travel:
    """What takes as long as one way does.

    Args:
        latency: How many seconds that is: always so many, or evenly between two bounds.
        chance: The luck of whoever is on the way.

    Raises:
        ValueError: It is less than no time.
    """
    low, high = latency if isinstance(latency, tuple) else (latency, latency)
    if not 0 <= low <= high:
        raise ValueError(f"A latency is a number of seconds, or the least and the most; not {latency!r}.")

    async def travel() -> None:
        await asyncio.sleep(low if low == high else chance().uniform(low, high))

    return travel


def at_a_distance(broker: Broker, travel: Travel) -> AsyncBroker:
    """The broker's operations for asyncio, each of which is to travel there and back."""
    far: AsyncBroker = _moved(AsyncBroker(broker), travel)
    return far


def _moved(near: Any, travel: Travel) -> Any:
    """What an operation gave, as it is from afar."""
    if isinstance(near, AsyncQueuePage):
        near[:] = [_moved(queue, travel) for queue in near]
    elif isinstance(near, AsyncBroker | AsyncQueue | AsyncStream):
        kind: Any = type(near)
        far = _far(kind)(near.core)
        far._travel = travel
        return far
    return near


@functools.cache
def _far(kind: Any) -> Any:
    """The same class, whose operations travel."""
    names = [name for name in dir(kind) if not name.startswith("_") and name != "close"]
    operations = {
        name: _travelled(method) for name in names if iscoroutinefunction(method := getattr(kind, name))
    }
    return type(kind.__name__, (kind,), {**operations, "__doc__": kind.__doc__, "__module__": __name__})


def _travelled(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def travelled(far: Any, /, *args: Any, **kwargs: Any) -> Any:
        await far._travel()
        try:
            answer = await method(far, *args, **kwargs)
        except Exception:  # a refusal travels back as well
            await far._travel()
            raise
        await far._travel()
        return _moved(answer, far._travel)

    return travelled
