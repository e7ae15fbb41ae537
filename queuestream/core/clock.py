"""Time: what it is now, and how to wait for it.

Durations and instants are integers of nanoseconds; an instant counts from the Unix
epoch.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
HOUR = 3_600 * SECOND


class Wakeup:
    """A one-shot signal to one waiting thread: somebody has news for you."""

    __slots__ = ("_lock", "is_set")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.is_set = False

    def set(self) -> None:
        """Wake the waiter; later calls change nothing."""
        if not self.is_set:
            self.is_set = True
            self._lock.release()

    def wait(self, timeout_seconds: float = -1) -> None:
        """Block until set, or until the real time is over (-1: without end)."""
        if self._lock.acquire(timeout=timeout_seconds):
            self._lock.release()


class Clock(Protocol):
    """What the core needs of time."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; never less than an earlier answer."""

    def wait(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """Block until `wakeup` is set or the clock reads `until_ns`, whichever is first (None: only the first).

        The caller holds no lock.  May return early for no reason: the caller looks
        again at what it waits for.
        """


class SystemClock:
    """The machine's time, never running backwards."""

    def now_ns(self) -> int:
        return time.time_ns()

    def wait(self, wakeup: Wakeup, until_ns: int | None) -> None:
        wakeup.wait(-1 if until_ns is None else max(0, until_ns - self.now_ns()) / SECOND)


class VirtualClock:
    """Time that passes only when told to, or when everyone waits for it."""

    def __init__(self, start: float = 1_700_000_000) -> None:
        self._now_ns = int(start * SECOND)

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0, milliseconds: float = 0) -> None:
        self._now_ns += round((hours * 3600 + minutes * 60 + seconds + milliseconds / 1000) * SECOND)

    def wait(self, wakeup: Wakeup, until_ns: int | None) -> None:
        if until_ns is not None:
            self._now_ns = max(self._now_ns, until_ns)
