"""A virtual clock for a server: it stands still until it is told to move, and a wait on it just waits.

A virtual clock jumps when everybody who could act is waiting, and raises where nobody could.  Both are
questions about this process, and a server's clients are in others: any of them may send a message
or advance the clock at any time.  So a task that waits here waits until then.  Threads wait as on any
virtual clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.event_loops import wait_on_loop
from queuestream.core.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from datetime import datetime

    from queuestream.core.clock import Wakeup


class ManualClock(VirtualClock):
    """Time that passes only when told to.

    Args:
        start: An aware datetime, or seconds since the Unix epoch; always the same one where none is given.
    """

    __slots__ = ("_tasks",)

    def __init__(self, start: datetime | float | None = None) -> None:
        if start is None:
            super().__init__(autojump=False)
        else:
            super().__init__(start, autojump=False)
        self._tasks: dict[Wakeup, int] = {}

    def _set_now_ns(self, now_ns: int) -> list[Wakeup]:
        due = super()._set_now_ns(now_ns)
        # A copy in one step: tasks come and go in the loop's thread.
        return due + [wakeup for wakeup, until_ns in list(self._tasks.items()) if until_ns <= now_ns]

    def reach(self, instant_ns: int) -> None:
        """It is `instant_ns` now, at the least: a file that is served has seen it."""
        if instant_ns > self.now_ns():
            self.advance(nanoseconds=instant_ns - self.now_ns())

    async def wait_async(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """Wait as a task until `wakeup` is set or nudged, or somebody moves the clock to `until_ns`."""
        if until_ns is not None:
            self._tasks[wakeup] = until_ns
        try:
            if until_ns is None or until_ns > self.now_ns():  # after having been added: it may move now
                await wait_on_loop(wakeup)
        finally:
            self._tasks.pop(wakeup, None)
