"""Everybody in this process who waits on a virtual clock, and who moves the clock on.

There is one waiting room for all virtual clocks, because whether anybody can still act
is a question about the whole process: a thread that waits on one clock may be what a
thread on another clock waits for.  When everybody waits, the clock whose next deadline
is nearest jumps to it, and those whose time has come are called out.  They are not in
the room any more from then on, so nothing jumps again before they have had their say.

Nobody runs in the background.  The waiters look themselves: each once when it comes in,
and one *leader* again and again (every 1 to 20 ms) while others could still act; the
rest sleep until they are called.  A leader who leaves names the next.  Threads have one
leader; each event loop has its own among its tasks, since only from within can it be
seen whether a loop has anything else to run.

A look and the jump that follows from it are one step under the room's lock, which is
never held while calling out.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from sortedcontainers import SortedDict

from queuestream.core.bystanders import SELECTORS, Watch, bystanders, describe, somebody_starts, stands_in
from queuestream.core.errors import DeadlockError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Iterator

    from queuestream.core.clock import Wakeup
    from queuestream.core.event_loops import LoopWatch
    from queuestream.core.virtual_clock import VirtualClock


class Waiter:
    """One thread or task in the waiting room.

    Attributes:
        loop: The task's event loop; None for a thread.
        loop_rests: Of an event loop's leader: whether it saw nothing else to run when it last looked.
        ident: The thread, or the one that runs the loop.
        number: Grows in the order of coming.
    """

    __slots__ = ("clock", "ident", "loop", "loop_rests", "number", "until_ns", "wakeup")

    def __init__(
        self, clock: VirtualClock, wakeup: Wakeup, until_ns: int | None, loop: AbstractEventLoop | None = None
    ) -> None:
        self.clock = clock
        self.wakeup = wakeup
        self.until_ns = until_ns
        self.loop = loop
        self.loop_rests = False
        self.ident = threading.get_ident()
        self.number = 0


class WaitingRoom:
    """All who wait on a virtual clock."""

    def __init__(self) -> None:
        # Reentrant, because a signal handler or a finalizer may come in while we are in here.
        self.lock = threading.RLock()
        self._threads: dict[Waiter, None] = {}
        self._tasks: dict[Waiter, None] = {}
        # Who has a deadline on each clock, by (deadline, order of coming).
        self._deadlines: dict[VirtualClock, Any] = {}
        self._leaders: dict[AbstractEventLoop | None, Waiter] = {}
        self._numbers = count(1)

    def wait(self, waiter: Waiter) -> None:
        """Block this thread until there is news or its time has come."""
        watch = Watch(waiter.clock.patience_seconds)
        rested_seconds = 0.0
        with self._present(waiter):
            while self._still_waits(waiter):
                nap_seconds = self._look(waiter, watch, None, rested_seconds)
                woken = waiter.wakeup.wait(-1 if nap_seconds is None else nap_seconds)
                rested_seconds = 0 if woken or nap_seconds is None else nap_seconds

    async def wait_async(self, waiter: Waiter) -> None:
        """The same for a task of the running event loop."""
        from queuestream.core.event_loops import LoopWatch, wait_on_loop  # noqa: PLC0415 - imports asyncio

        watch = Watch(waiter.clock.patience_seconds)
        loop_watch = LoopWatch(waiter.clock.patience_seconds)
        rested_seconds = 0.0
        with self._present(waiter):
            while self._still_waits(waiter):
                nap_seconds = self._look(waiter, watch, loop_watch, rested_seconds)
                woken = await wait_on_loop(waiter.wakeup, nap_seconds)
                rested_seconds = 0 if woken or nap_seconds is None else nap_seconds

    def call_out_due(self, clock: VirtualClock) -> list[Wakeup]:
        """Take out those whose time has come, earliest deadline first.

        The caller holds the lock, and nudges them when it has let it go.
        """
        due = []
        while (deadlines := self._deadlines.get(clock)) and deadlines.keys()[0][0] <= clock.now_ns():
            waiter = deadlines.values()[0]
            self._remove(waiter)
            self._leaders.get(waiter.loop, waiter).loop_rests = False
            due.append(waiter.wakeup)
        return due

    def count(self, clock: VirtualClock) -> int:
        """How many wait on this clock."""
        with self.lock:
            return sum(waiter.clock is clock for waiter in (*self._threads, *self._tasks))

    # --- coming and going -----------------------------------------------------------------------------

    @contextmanager
    def _present(self, waiter: Waiter) -> Iterator[None]:
        try:
            self._add(waiter)
            yield
        finally:
            self._leave(waiter)

    def _add(self, waiter: Waiter) -> None:
        with self.lock:
            waiter.number = next(self._numbers)
            if waiter.until_ns is not None:
                if waiter.until_ns <= waiter.clock.now_ns():
                    return
                deadlines = self._deadlines.setdefault(waiter.clock, SortedDict())
                deadlines[waiter.until_ns, waiter.number] = waiter
            self._group(waiter)[waiter] = None

    def _remove(self, waiter: Waiter) -> None:
        self._group(waiter).pop(waiter, None)
        deadlines = self._deadlines.get(waiter.clock)
        if deadlines is not None:
            deadlines.pop((waiter.until_ns, waiter.number), None)
            if not deadlines:
                del self._deadlines[waiter.clock]

    def _leave(self, waiter: Waiter) -> None:
        with self.lock:
            self._remove(waiter)
            if self._leaders.get(waiter.loop) is not waiter:
                return
            del self._leaders[waiter.loop]
            heir = next((other for other in self._group(waiter) if other.loop is waiter.loop), None)
            if heir is not None:
                self._leaders[waiter.loop] = heir
        if heir is not None:
            heir.wakeup.nudge()

    def _group(self, waiter: Waiter) -> dict[Waiter, None]:
        return self._threads if waiter.loop is None else self._tasks

    def _still_waits(self, waiter: Waiter) -> bool:
        return waiter in self._group(waiter) and not waiter.wakeup.is_set

    # --- looking and jumping --------------------------------------------------------------------------

    def _look(
        self, waiter: Waiter, watch: Watch, loop_watch: LoopWatch | None, rested_seconds: float
    ) -> float | None:
        """Jump if everybody waits.

        Returns:
            How long to nap before the next look, in seconds; None to sleep until called.

        Raises:
            DeadlockError: Everybody waits, and there is no deadline to jump to.
        """
        with self.lock:
            if not self._still_waits(waiter):  # called out meanwhile: it is one who can act
                return 0
            leads = self._leaders.setdefault(waiter.loop, waiter) is waiter
            if loop_watch is not None and not leads:
                return None
            if not self._everybody_waits(waiter, watch, loop_watch, rested_seconds):
                if loop_watch is not None and not waiter.loop_rests:
                    return loop_watch.nap_seconds
                return watch.nap_seconds if leads else None
            due = self._jump(waiter)
        for wakeup in due:
            wakeup.nudge()
        return 0

    def _everybody_waits(
        self, waiter: Waiter, watch: Watch, loop_watch: LoopWatch | None, rested_seconds: float
    ) -> bool:
        """Whether nobody but the clocks can bring anything about.

        Everything is asked between two pictures of where the threads stand.  Where both
        show the same calls in the same frames, nobody has acted meanwhile, so all the
        answers are true at one instant.
        """
        absent = {other.ident for other in self._threads}
        absent.add(waiter.ident)
        frames = bystanders(absent)
        if loop_watch is not None:
            waiter.loop_rests = loop_watch.rests(rested_seconds)
            if not waiter.loop_rests:
                return False
        if any(other.wakeup.is_set for other in self._threads):
            return False
        if not frames:
            return True
        if somebody_starts():
            return False
        unknown = dict(frames)
        for loop, leader in self._leaders.items():
            if loop is not None and leader.ident in frames and stands_in(frames[leader.ident], SELECTORS):
                # Its leader knows best, who is awake now and then.
                if not leader.loop_rests or getattr(loop, "_ready", None):
                    return False
                del unknown[leader.ident]
        return watch.nobody_can_act(unknown, rested_seconds) and bystanders(absent) == frames

    def _jump(self, waiter: Waiter) -> list[Wakeup]:
        """The nearest deadline of all clocks that may jump is now; gives those whose time has come."""
        nearest = min(
            (
                (deadlines.keys()[0][0], clock)
                for clock, deadlines in self._deadlines.items()
                if clock.autojump
            ),
            key=lambda deadline: deadline[0] - deadline[1].now_ns(),
            default=None,
        )
        if nearest is None:
            raise DeadlockError(self._explain(waiter))
        until_ns, clock = nearest
        return clock._set_now_ns(until_ns)

    def _explain(self, waiter: Waiter) -> str:
        frames = bystanders(())
        lines = []
        for other in (*self._threads, *self._tasks):
            frame = frames.pop(other.ident, None)
            until = "without a deadline" if other.until_ns is None else "for a later time"
            lines.append(f"{describe(other.ident, frame)} waits {until} on {other.clock!r}")
        lines += [f"{describe(ident, frame)} does not move" for ident, frame in frames.items()]
        if waiter.until_ns is None:
            advice = "Bring what it waits for first, or from another thread, or give it a deadline"
        else:
            advice = "Call clock.advance(...) from another thread, or let the clock jump (autojump=True)"
        return f"Nobody is left who could end this wait: {'; '.join(lines)}. {advice}."
