"""asyncio's few sets of what users gave it, in the order in which they gave it.

`asyncio.as_completed` and `asyncio.wait` put what they are given into a set.  The order of a set of
coroutines or futures depends on where in memory they lie, so that no two runs would be the same.  While a
world runs, these functions keep the order instead; they find the name `set` in their own module first.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_lock = threading.Lock()
_worlds = 0


@contextmanager
def sets_in_order() -> Iterator[None]:
    """While inside, the sets that `asyncio.tasks` makes of something keep its order."""
    global _worlds  # noqa: PLW0603 - several worlds may run in as many threads
    names = vars(asyncio.tasks)
    with _lock:
        _worlds += 1
        names["set"] = _in_order
    try:
        yield
    finally:
        with _lock:
            _worlds -= 1
            if not _worlds:
                del names["set"]


def _in_order(things: Iterable[Any] = ()) -> Any:
    """A set; of something that is there, in its order, and only to be read."""
    return dict.fromkeys(things) or set()
