"""Time that passes only when told to, or when everybody waits for it.

    >>> clock = VirtualClock()
    >>> clock.advance(hours=12)
    >>> clock
    <VirtualClock 2025-01-01 12:00:00+00:00>

A wait on it takes no real time: when everyone who could act is waiting, the clock jumps
to the next deadline by itself, as in trio's autojump.  A wait either jumps or raises
`DeadlockError`; it never hangs.  Who waits, and who could act, is known in
`waiting_room.py` and `bystanders.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from queuestream.core.clock import HOUR, MILLISECOND, SECOND, duration_ns, sleep
from queuestream.core.waiting_room import Waiter, WaitingRoom

if TYPE_CHECKING:
    from queuestream.core.clock import Wakeup

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEW_YEAR_2025 = 1_735_689_600
_ROOM = WaitingRoom()


class VirtualClock:
    """Time that passes only when told to, or when everybody waits for it.

    Args:
        start: An aware datetime, or seconds since the Unix epoch; always the same one where none is given.
        autojump: Whether the clock jumps when everybody waits.  Without it the test alone moves the clock,
            and a wait that nobody is left to end raises `DeadlockError`.
        patience_seconds: The real time given to a thread or timer of which nobody knows what it waits for
            (a `time.sleep`, a socket) before the clock goes on without it.
    """

    __slots__ = ("_now_ns", "autojump", "patience_seconds")

    def __init__(
        self,
        start: datetime | float = _NEW_YEAR_2025,
        *,
        autojump: bool = True,
        patience_seconds: float = 0.5,
    ) -> None:
        self._now_ns = _instant_ns(start)
        self.autojump = autojump
        self.patience_seconds = patience_seconds

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch; never less than an earlier answer."""
        return self._now_ns

    @property
    def now(self) -> datetime:
        """The time for people: an aware datetime in UTC, cut to whole microseconds."""
        return _EPOCH + timedelta(microseconds=self._now_ns // 1_000)

    def advance(
        self,
        duration: timedelta | None = None,
        *,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        milliseconds: float = 0,
        nanoseconds: int = 0,
    ) -> None:
        """Let the sum of these pass, and wake everyone whose time has come.

        Raises:
            ValueError: The sum is negative.
        """
        step_ns = (
            duration_ns(hours, HOUR)
            + duration_ns(minutes, 60 * SECOND)
            + duration_ns(seconds, SECOND)
            + duration_ns(milliseconds, MILLISECOND)
            + nanoseconds
            + (0 if duration is None else _timedelta_ns(duration))
        )
        if step_ns < 0:
            raise ValueError(f"A clock never runs backwards: it cannot advance by {step_ns / SECOND} s.")
        with _ROOM.lock:
            due = self._set_now_ns(self._now_ns + step_ns)
        for wakeup in due:
            wakeup.nudge()

    def advance_to(self, instant: datetime | float) -> None:
        """Go to an instant (an aware datetime, or seconds since the epoch), and wake everyone due by then.

        Raises:
            ValueError: The instant has passed already, or the datetime has no time zone.
        """
        with _ROOM.lock:
            until_ns = _instant_ns(instant)
            if until_ns < self._now_ns:
                raise ValueError(
                    f"A clock never runs backwards: it is {self.now} already and cannot go to {instant}."
                )
            due = self._set_now_ns(until_ns)
        for wakeup in due:
            wakeup.nudge()

    def _set_now_ns(self, now_ns: int) -> list[Wakeup]:
        """With the room's lock held: it is `now_ns`; gives those to nudge when the lock is let go."""
        self._now_ns = now_ns
        return _ROOM.call_out_due(self)

    def wait(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """Block until `wakeup` is set or the clock reads `until_ns`; the clock jumps when everybody waits.

        Raises:
            DeadlockError: Everybody waits, and nothing can end it.
        """
        _ROOM.wait(Waiter(self, wakeup, until_ns))

    async def wait_async(self, wakeup: Wakeup, until_ns: int | None) -> None:
        """The same for an asyncio task, without a thread; safe to cancel."""
        from asyncio import get_running_loop  # noqa: PLC0415 - asyncio takes 20 ms to import

        await _ROOM.wait_async(Waiter(self, wakeup, until_ns, get_running_loop()))

    def sleep(self, seconds: float) -> None:
        """Block this thread until the clock has gone on by so much; no real time where everybody waits."""
        sleep(self, seconds)

    def __repr__(self) -> str:
        waiting = _ROOM.count(self)
        return f"<VirtualClock {self.now}{f', {waiting} waiting' if waiting else ''}>"


def _timedelta_ns(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1) * 1_000


def _instant_ns(instant: datetime | float) -> int:
    if not isinstance(instant, datetime):
        return duration_ns(instant, SECOND)
    if instant.tzinfo is None:
        raise ValueError(f"{instant} says no time zone; write datetime(..., tzinfo=UTC).")
    return _timedelta_ns(instant - _EPOCH)
