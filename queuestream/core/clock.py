"""Time: what it is now, and how to wait for it.

Durations and instants are integers of nanoseconds; an instant counts from the Unix
epoch.  A clock answers two questions: what time is it (`now_ns`), and wake me when
somebody has news or at this instant, whichever is first (`wait` for a thread,
`wait_async` for an asyncio task).

The news is a `Wakeup`, which serves both: whoever sets it need not know who waits.
Nothing here polls, and no thread runs in the background.

`SystemClock` is the machine's time.  It asks `time.time_ns` through its module, so that
it follows whoever puts another function there, and time-machine, which works below;
freezegun needs a word of its own (`_frozen_ns`).  It never runs backwards: when the
machine's time steps back, ours holds, then goes on at the machine's pace, and follows it
again once it has caught up.

`VirtualClock`, time that jumps, is in `virtual_clock.py`; this is the only module of
the core that may import `time`.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.virtual_clock import VirtualClock as VirtualClock  # noqa: PLC0414 - says: exported

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
HOUR = 3_600 * SECOND

# The machine's own function; None where something has taken its place already.
_MACHINE_NS = time.time_ns if type(time.time_ns) is BuiltinFunctionType else None


def duration_ns(amount: float, unit_ns: int) -> int:
    """`amount` of a unit in whole nanoseconds: the nearest one, by integer arithmetic."""
    if not hasattr(amount, "as_integer_ratio"):
        raise TypeError(f"A time or a duration is a number, not {amount!r}.")
    numerator, denominator = amount.as_integer_ratio()
    return (2 * numerator * unit_ns + denominator) // (2 * denominator)


class Wakeup:
    """A one-shot signal to one who waits, thread or task: there is news for you.

    Attributes:
        is_set: Whether somebody has brought news.
        relay: Called, in whatever thread, when a wait is to end; an event loop puts itself there.
    """

    __slots__ = ("_gate", "is_set", "relay")

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()
        self.is_set = False
        self.relay: Callable[[], object] | None = None

    def set(self) -> None:
        """Bring news; later calls change nothing.  Any thread may call it, several at once too."""
        if not self.is_set:
            self.is_set = True
            self.nudge()

    def nudge(self) -> None:
        """End this wait, or the next one, without news: a clock asks its waiter to look again."""
        # suppress() would cost as much as all the rest, and each message that is waited for comes here.
        try:  # noqa: SIM105
            self._gate.release()
        except RuntimeError:  # the gate is open already
            pass
        if self.relay is not None:
            self.relay()

    def wait(self, timeout_seconds: float = -1) -> bool:
        """Block until set or nudged, or until the real time is over (-1: without end).

        Returns:
            Whether it was woken; False where the time was over first.
        """
        woken = self._gate.acquire(timeout=timeout_seconds)
        if self.is_set:
            with suppress(RuntimeError):  # set by two at once
                self._gate.release()
        return woken


class Clock(Protocol):
    """What the core needs of time."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; never less than an earlier answer."""

    def wait(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """Block until `wakeup` is set or the clock reads `until_ns`, whichever is first (None: no such time).

        The caller holds no lock.  May return early for no reason: the caller looks
        again at what it waits for.
        """

    async def wait_async(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """The same for an asyncio task, without a thread; safe to cancel."""


class SystemClock:
    """The machine's time, never running backwards."""

    __slots__ = ("_last_ns", "_lock", "_stepped_to_ns", "_wall_ns")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ns = 0
        # The machine's time when we last gave another one, and what we gave instead.
        self._wall_ns = self._stepped_to_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; never less than an earlier answer."""
        # As _wall_ns, without the call: this is on the way of every operation.
        time_ns = time.time_ns
        wall_ns = time_ns() if time_ns is _MACHINE_NS else _wall_ns()
        if wall_ns >= self._last_ns:
            self._last_ns = wall_ns
            return wall_ns
        return self._after_a_step_back(wall_ns)

    def _after_a_step_back(self, wall_ns: int) -> int:
        with self._lock:
            last_ns = self._last_ns
            before_ns = self._wall_ns if last_ns == self._stepped_to_ns else last_ns
            # A step that would bring the machine up to us is it coming back, not time passing.
            if 0 < (step_ns := wall_ns - before_ns) < last_ns - wall_ns:
                last_ns += step_ns
            self._wall_ns = wall_ns
            self._last_ns = self._stepped_to_ns = last_ns
            return last_ns

    def wait(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """Block until `wakeup` is set or the clock reads `until_ns`, at most an hour at a time."""
        if until_ns is None:
            wakeup.wait()
        elif (wait_ns := min(until_ns - (now_ns := self.now_ns()), HOUR)) > 0 and not wakeup.wait(
            wait_ns / SECOND
        ):
            self.reach(now_ns + wait_ns)

    async def wait_async(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """The same for an asyncio task, without a thread; safe to cancel."""
        from queuestream.core.event_loops import wait_on_loop  # noqa: PLC0415 - asyncio takes 20 ms to import

        if until_ns is None:
            await wait_on_loop(wakeup)
        elif (wait_ns := min(until_ns - (now_ns := self.now_ns()), HOUR)) > 0 and not await wait_on_loop(
            wakeup, wait_ns / SECOND
        ):
            self.reach(now_ns + wait_ns)

    def reach(self, instant_ns: int) -> None:
        """It is `instant_ns` at least: somebody has seen it, or waited for it on a frozen machine."""
        wall_ns = _wall_ns()
        with self._lock:
            if instant_ns > self._last_ns:
                self._wall_ns = wall_ns
                self._last_ns = self._stepped_to_ns = instant_ns

    def sleep(self, seconds: float) -> None:
        """Block this thread for so long."""
        sleep(self, seconds)

    def __repr__(self) -> str:
        return "<SystemClock>"


def sleep(clock: Clock, seconds: float) -> None:
    """Block this thread until `clock` has gone on by so many seconds."""
    until_ns = clock.now_ns() + duration_ns(seconds, SECOND)
    nobody = Wakeup()
    while clock.now_ns() < until_ns:
        clock.wait(nobody, until_ns)


def others_cpu_seconds() -> float:
    """The processor time that the other threads of this process have used so far."""
    return time.process_time() - time.thread_time()


def _wall_ns() -> int:
    time_ns = time.time_ns
    if type(time_ns) is BuiltinFunctionType or time_ns.__module__ != "freezegun.api":
        return time_ns()
    return _frozen_ns()


def _frozen_ns() -> int:
    """The time that freezegun shows.

    Its `time.time_ns` gives the real time to the standard library's `queue`, which it
    tells by the name that the caller's module begins with: we would never be frozen.
    Its `datetime` makes no exceptions.
    """
    import datetime as dt  # noqa: PLC0415 - it takes a millisecond to import

    since_the_epoch = dt.datetime.utcnow() - dt.datetime(1970, 1, 1)  # noqa: DTZ001, DTZ003 - both UTC
    return since_the_epoch // dt.timedelta(microseconds=1) * 1_000


if not TYPE_CHECKING:  # pragma: no branch - a type checker would take it for a promise of every name

    def __getattr__(name: str) -> object:
        if name == "VirtualClock":
            from queuestream.core.virtual_clock import VirtualClock  # noqa: PLC0415 - only who tests needs it

            return VirtualClock
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
