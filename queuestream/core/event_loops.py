"""Waiting as an asyncio task, and whether an event loop has anything else to run.

A task waits on the same `Wakeup` as a thread does: for that while, whatever ends the
wait also calls into the event loop.

Whether a loop has anything else to run can be seen only from within it, by a task that
looks when everything else had its turn: nothing is ready (twice in a row, with a look at
the sockets in between), no timer of the loop is due within the clock's patience, and if
the loop has sockets, nothing came for `SETTLE_SECONDS`.  Tasks that wait for each other
need no special care then.  `_ready`, `_scheduled` and `_selector` are where asyncio's own
loops keep what they have to do; on a loop that keeps it elsewhere (uvloop), a task naps
for as long as on one with sockets instead, which lets everything that is ready run.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from queuestream.core.bystanders import NAP_MAX_SECONDS, NAP_MIN_SECONDS, RESTLESS, SETTLE_SECONDS

if TYPE_CHECKING:
    from queuestream.core.clock import Wakeup


async def wait_on_loop(wakeup: Wakeup, timeout_seconds: float | None = None) -> bool:
    """Wait until `wakeup` is set or nudged, or until the real time is over (None: without end).

    Returns:
        Whether it was woken; False where the time was over first.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bool] = loop.create_future()

    def end(woken: bool) -> None:
        if not ended.done():
            ended.set_result(woken)

    def relay() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(end, True)

    wakeup.relay = relay
    timer = None
    try:
        if wakeup.wait(0):  # it came before we listened
            return True
        if timeout_seconds is not None:
            timer = loop.call_later(timeout_seconds, end, False)
        woken = await ended
        wakeup.wait(0)  # a nudge ends one wait, not the next one too
        return woken
    finally:
        wakeup.relay = None
        if timer is not None:
            timer.cancel()


class LoopWatch:
    """One task's looks at the event loop that runs it.

    Args:
        patience_seconds: The real time within which a timer of the loop is worth waiting for.

    Attributes:
        nap_seconds: How long to wait until the next look.
    """

    __slots__ = ("_idle_looks", "_idle_seconds", "_loop", "_patience_seconds", "_since", "nap_seconds")

    def __init__(self, patience_seconds: float) -> None:
        self._loop: Any = asyncio.get_running_loop()
        self._patience_seconds = patience_seconds
        self._since = self._loop.time()
        self._idle_looks = 0
        self._idle_seconds = 0.0
        self.nap_seconds = 0.0

    def rests(self, rested_seconds: float) -> bool:
        """Look once, `rested_seconds` after the last look: has the loop nothing else to run?"""
        waited_seconds = self._loop.time() - self._since
        if waited_seconds >= RESTLESS * self._patience_seconds:
            return True
        if getattr(self._loop, "_ready", None):
            self._idle_looks = 0
            self._idle_seconds = self.nap_seconds = 0
            return False
        self._idle_looks += 1
        self._idle_seconds += rested_seconds
        if self._idle_looks == 1:  # one more round of the loop, which looks at its sockets
            return False
        self.nap_seconds = min(self.nap_seconds + NAP_MIN_SECONDS, NAP_MAX_SECONDS)
        if (patience_seconds := self._patience_seconds - waited_seconds) > 0 and self._timer_within(
            patience_seconds
        ):
            return False
        return self._hears_only_itself() or self._idle_seconds >= SETTLE_SECONDS

    def _timer_within(self, seconds: float) -> bool:
        # A cancelled timer at the top of the heap is gone with the loop's next round.
        timers: list[asyncio.TimerHandle] = getattr(self._loop, "_scheduled", [])
        return bool(timers) and timers[0].when() <= self._loop.time() + seconds

    def _hears_only_itself(self) -> bool:
        """Whether the loop has no socket but the one by which threads call into it."""
        try:
            return hasattr(self._loop, "_ready") and len(self._loop._selector.get_map()) == 1
        except AttributeError:
            return False
