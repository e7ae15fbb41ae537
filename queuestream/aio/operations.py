"""How an operation of the core becomes one to be awaited.

Where the broker is in memory, an operation takes microseconds and is done at once.  Where it
is kept in a file, its task waits until what was promised is on disk, and others go on: see
`queuestream.storage.async_commit`.
"""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

    from queuestream.storage.async_commit import AsyncCommit

P = ParamSpec("P")
R = TypeVar("R")


def operation(
    method: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """An operation that waits for nothing but the disk, to be awaited.

    Of a class whose objects have what they wrap in `core`, and in `_commit` what their tasks wait for the
    disk with; None where there is none.
    """

    @functools.wraps(method)
    async def awaited(wrapped: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        commit = wrapped._commit
        if commit is None:
            return method(wrapped.core, *args, **kwargs)
        answer: R = await commit.call(method, wrapped.core, *args, **kwargs)
        return answer

    return awaited


def glance(commit: AsyncCommit | None) -> AbstractContextManager[object]:
    """Look at something without waiting until it is on disk, for what cannot be awaited."""
    return nullcontext() if commit is None else commit.glance()


def made_like(
    core: Callable[Concatenate[str, P], R],
) -> Callable[[Callable[..., None]], Callable[Concatenate[Any, R | str, P], None]]:
    """Of a constructor: takes an object of the core's class, or the arguments to make one."""

    def as_it_is(constructor: Callable[..., None]) -> Callable[Concatenate[Any, R | str, P], None]:
        constructor.__doc__ = core.__doc__
        return constructor

    return as_it_is
