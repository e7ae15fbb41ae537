"""What the other threads are doing: can any of them still act, or does everybody wait?

A virtual clock jumps only when nobody could act before its next deadline.  For each
other thread, the best answer that can be had:

- The standard library's own books say that it waits and that nobody has woken it:
  `Thread.join` of a thread that still lives; an `Event`, `Condition`, `Queue` or
  `Future` that was not notified; a pool's idle worker.  This is knowledge, not a guess,
  and costs no time.
- It stands in another blocking function of the standard library, a selector say: it
  waits if it stands still for `SETTLE_SECONDS` of real time.
- It stands anywhere else (`time.sleep`, a lock, a C call, a short timeout that will
  end by itself): it gets `patience_seconds`, and longer while somebody uses the
  processor.  Who was once given that only has to settle at the same place the next
  time, so that one sleeping thread does not cost its patience again and again.
- It moves: it could act.  Yet nobody holds a clock up for good: after `RESTLESS` times
  the patience it is taken for one who will never act.

A thread's place is its whole stack: each frame's code and the position in it.  Real time
is counted by the naps between two looks, so that no frozen clock can hold it up.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from queuestream.core.clock import others_cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import CodeType, FrameType

    Frames = dict[int, FrameType]
    Place = tuple[tuple[CodeType, int], ...]

SETTLE_SECONDS = 0.01
RESTLESS = 100
NAP_MIN_SECONDS = 0.001
NAP_MAX_SECONDS = 0.02
# The share of a processor that others use: above a progress bar's, below a computation's on a busy machine.
COMPUTING = 0.05

SELECTORS = {"selectors": {"select"}, "asyncio.windows_events": {"_poll"}}
_BLOCKING = SELECTORS | {
    "threading": {"wait", "join", "_wait_for_tstate_lock"},
    "concurrent.futures.thread": {"_worker"},
    "multiprocessing.connection": {"_recv", "_recv_bytes", "accept"},
    "multiprocessing.popen_fork": {"poll"},
}

# From 3.13 on a queue hands what is put into it straight to who waits: that it is empty says nothing.
_HANDED_OVER = sys.version_info >= (3, 13)

uninvolved: set[int] = set()
"""Threads that bring nothing about by themselves, by their idents.

Those that only write down what others did, or answer what others ask.
"""

# Where each thread stood when it had used up its patience.
_known_to_stand: dict[int, Place] = {}


def bystanders(absent: Collection[int]) -> Frames:
    """The innermost frame of every running thread but the absent and the uninvolved, at one instant."""
    return {
        ident: frame
        for ident, frame in sys._current_frames().items()
        if ident not in absent and ident not in uninvolved
    }


def somebody_starts() -> bool:
    """Whether a thread was started that does not run yet: it has no frame, and its starter waits for it."""
    return any(thread.ident is None for thread in threading.enumerate())


def stands_in(frame: FrameType, functions: dict[str, set[str]]) -> bool:
    """Whether the innermost frame is one of these functions."""
    return frame.f_code.co_name in functions.get(frame.f_globals.get("__name__", ""), ())


class Watch:
    """One waiter's looks at the other threads.

    Args:
        patience_seconds: The real time given to a thread of which nobody knows what it waits for.

    Attributes:
        nap_seconds: How long to wait until the next look.
    """

    __slots__ = ("_patience_seconds", "_seen", "_watched_seconds", "nap_seconds")

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        # By thread: its place, for how long, and the processor time of others when it was first seen there.
        self._seen: dict[int, tuple[Place, float, float]] = {}
        self._watched_seconds = 0.0
        self.nap_seconds = 0.0

    def nobody_can_act(self, frames: Frames, rested_seconds: float) -> bool:
        """Look once.

        Args:
            frames: Of the threads in question.
            rested_seconds: The real time since the last look.
        """
        self._watched_seconds += rested_seconds
        self.nap_seconds = min(self.nap_seconds + NAP_MIN_SECONDS, NAP_MAX_SECONDS)
        seen, self._seen = self._seen, {}
        cpu_seconds = others_cpu_seconds()
        everybody_waits = True
        for ident, frame in frames.items():
            waits = self._is_known_to_wait(frame)
            if waits is None:
                place = _place(frame)
                was_at, still_seconds, cpu_at_first = seen.get(ident, (None, 0.0, 0.0))
                if was_at == place:
                    still_seconds += rested_seconds
                else:
                    still_seconds, cpu_at_first = 0, cpu_seconds
                self._seen[ident] = place, still_seconds, cpu_at_first
                waits = self._seems_to_wait(ident, frame, cpu_seconds)
            everybody_waits &= waits
        return everybody_waits or self._watched_seconds >= RESTLESS * self._patience_seconds

    def _is_known_to_wait(self, frame: FrameType) -> bool | None:
        """What the standard library's books say: it waits, or is on its way in or out; None: nothing."""
        if not stands_in(frame, _BLOCKING) or self._ends_soon(names := frame.f_locals):
            return None
        match frame.f_code.co_name, names:
            case "wait", {"self": threading.Condition() as condition, "waiter": waiter}:
                return waiter in getattr(condition, "_waiters", ())
            case "wait", _:
                return False
            case "join" | "_wait_for_tstate_lock", {"self": threading.Thread() as thread}:
                return thread.ident in sys._current_frames()  # is_alive() would take part in the joining
            case "_worker", {"work_queue": queue} if not _HANDED_OVER:
                # It has a work item in hand, or looks after its executor, before it waits for the next one.
                return bool(queue.empty()) and {"work_item", "executor"}.isdisjoint(names)
        return None

    def _seems_to_wait(self, ident: int, frame: FrameType, cpu_seconds: float) -> bool:
        place, still_seconds, cpu_at_first = self._seen[ident]
        if still_seconds < SETTLE_SECONDS:
            return False
        if stands_in(frame, _BLOCKING) and not self._ends_soon(frame.f_locals):
            return True
        if cpu_seconds - cpu_at_first > COMPUTING * still_seconds:
            return False
        if _known_to_stand.get(ident) == place:
            return True
        if still_seconds < self._patience_seconds:
            return False
        for ended in _known_to_stand.keys() - sys._current_frames().keys():
            del _known_to_stand[ended]
        _known_to_stand[ident] = place
        return True

    def _ends_soon(self, names: dict[str, object]) -> bool:
        """Whether a blocking function has a timeout that is worth waiting for."""
        timeout = names.get("timeout")
        return isinstance(timeout, int | float) and 0 <= timeout <= self._patience_seconds


def describe(ident: int, frame: FrameType | None) -> str:
    """A thread's name, and where its own code stands."""
    name = next((thread.name for thread in threading.enumerate() if thread.ident == ident), f"thread {ident}")
    while frame is not None and (stands_in(frame, _BLOCKING) or _is_ours(frame)) and frame.f_back is not None:
        frame = frame.f_back
    if frame is None:
        return name
    file = frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{name} in {frame.f_code.co_name} ({file}:{frame.f_lineno})"


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("queuestream.")


def _place(frame: FrameType | None) -> Place:
    place = []
    while frame is not None:
        place.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(place)
