"""The world's time, as a clock of the core.

Time passes when no actor has anything to run: the event loop moves the clock to its next
timer.  A task that waits has a timer of the loop, and nobody looks for other threads as a
`VirtualClock` must: whoever acts is an actor.

A wait that blocks (a plain `Queue.receive` with a waiting time, `clock.sleep`) holds up all actors, as it
does on a real event loop; time goes on to its deadline, and then the others have their turn.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from queuestream.core.clock import sleep
from queuestream.core.errors import DeadlockError
from queuestream.core.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.clock import Wakeup

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WorldClock:
    """The time of one world.

    Args:
        start: When the world begins: an aware datetime, or seconds since the Unix epoch; as `VirtualClock`
            does where none is given.

    Attributes:
        start_ns: When the world began.
    """

    __slots__ = ("_loop", "_now_ns", "_passed", "start_ns")

    def __init__(self, start: datetime | float | None = None) -> None:
        self._now_ns = self.start_ns = (VirtualClock() if start is None else VirtualClock(start)).now_ns()
        self._loop: Any = None
        self._passed: Callable[[], object] = int

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._now_ns

    @property
    def now(self) -> datetime:
        """The time for people: an aware datetime in UTC, cut to whole microseconds."""
        return _EPOCH + timedelta(microseconds=self._now_ns // 1_000)

    def wait(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """Let time go on to `until_ns` if `wakeup` is not set; no actor runs meanwhile.

        Raises:
            DeadlockError: There is no such instant, and nobody could set `wakeup`.
        """
        if wakeup.is_set:
            return
        if until_ns is None:
            raise DeadlockError(
                "This wait blocks the only thread of the simulation, so nobody can ever end it. "
                "Await it (queuestream.aio has the same operations), or give it a time to end."
            )
        if until_ns > self._now_ns:
            self._now_ns = until_ns
            self._passed()

    async def wait_async(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """Wait until `wakeup` is set or the clock reads `until_ns`; safe to cancel.

        Raises:
            RuntimeError: Outside of the world's event loop.
        """
        loop = self._loop
        if asyncio.get_running_loop() is not loop:
            raise RuntimeError("A world's clock moves in its own event loop: start this by world.run().")
        if wakeup.is_set or (until_ns is not None and until_ns <= self._now_ns):
            return
        ended: asyncio.Future[None] = asyncio.Future(loop=loop)

        def end() -> None:
            if not ended.done():
                ended.set_result(None)

        wakeup.relay = end
        timer = None if until_ns is None else self._loop.call_at_ns(until_ns, end)
        try:
            await ended
        finally:
            wakeup.relay = None
            if timer is not None:
                timer.cancel()

    def sleep(self, seconds: float) -> None:
        """Let so much time pass at once; no actor runs meanwhile."""
        sleep(self, seconds)

    def __repr__(self) -> str:
        return f"<WorldClock {self.now}>"
