"""An event loop without sockets, whose time is a world's and whose order is chosen by a seed.

    until it is stopped:
        choose one of the actors that have something to run, and run that
        if there is none: move the clock to the next timer

asyncio's own tasks, futures, timeouts, queues and locks run on it as they are.  What a real loop does in the
order of coming is chosen here; what happens at one instant happens in some order that a seed names, and
every order that a real loop could show has its seeds.

An actor's turn lasts until it has nothing to run any more: it waits, or has given way by
`asyncio.sleep(0)`.  A thread (`asyncio.to_thread`) is run at once when its turn comes.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from bisect import insort
from contextvars import copy_context
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.errors import DeadlockError, NotSimulated
from queuestream.lab.simulation.actors import CURRENT, Actor, Call, Timer
from queuestream.lab.simulation.standstill import explain
from queuestream.lab.simulation.task_making import TaskMaking
from queuestream.lab.simulation.threads import alive, let_nobody_block

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from queuestream.lab.simulation.chance import Chance
    from queuestream.lab.simulation.clock import WorldClock

_SECOND = 1_000_000_000
NEVER_NS = 1 << 80

_TURN = range(1_000)
"""How many callbacks an actor runs before others have their turn, though it has more of them."""
_TURNS_MAX = 1_000_000
"""How many turns there may be at one instant before time passes all the same."""
_CANCELLED_MAX = 1_000
"""How many timers are kept that will not run."""
_IDLE_TURNS_MAX = 1_000
"""How often an actor gives way at one instant before time passes all the same."""
_IDLE_TURNS_END = 1_000_000
"""How often it does so, where nothing is left that could happen."""

_END_OF_SLEEP = getattr(asyncio.futures, "_set_result_unless_cancelled", None)


@attrs.frozen
class TurningPoint:
    """Where another seed takes over.

    Attributes:
        decisions: After so many decisions.
        at_ns: Or before time goes on to this instant or a later one.
        turn: Called then; it sets the next turning point, and gives the chance its other seed.
    """

    decisions: int
    at_ns: int
    turn: Callable[[], object]


NOWHERE = TurningPoint(NEVER_NS, NEVER_NS, int)


class SimulatedLoop(TaskMaking):
    """The event loop of a world.

    Args:
        clock: The time, which the loop moves.
        chance: Where the choices come from.

    Attributes:
        decisions: How many there have been: how often an actor was chosen.
        current: The actor whose turn it is.
        decided: Called with each actor whose turn begins and those that could have had it; None for nobody.
        turning_point: Where another seed takes over; there is none in the beginning.
    """

    def __init__(self, clock: WorldClock, chance: Chance) -> None:
        super().__init__()
        self._clock = clock
        clock._loop = self
        clock._passed = self._bring_due
        self.decisions = 0
        self.decided: Callable[[Actor, list[Actor]], object] | None = None
        self.turning_point = NOWHERE
        self._numbers = count(1)
        # Those that could run: as they came, and by their numbers.
        self._arrivals: list[Actor] = []
        self._line: list[tuple[int, Actor]] = []
        self._choose = chance.stream("what runs next").random
        # Those that gave way too often at this instant.
        self._idle: list[Actor] = []
        self._timers: list[tuple[int, int, Timer]] = []
        self._cancelled_timers = 0
        self._stopping = self._running = False
        self._thread = 0
        self._threads_before: set[int | None] = set()
        self._call: Call | None = None
        # A future of this loop; made without a method of ours, as each sleep needs one.
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]
        self.current = self._nobody

    def __repr__(self) -> str:
        return f"<SimulatedLoop at {self.time():g} s, after {self.decisions} decisions>"

    # --- what is to be run ------------------------------------------------------------------------------

    # What follows is done for each sleep and each wait.  It repeats itself where a call more would cost.

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Call:
        """Run it in this instant, in a turn of the actor whose context it is."""
        if context is None:
            context = copy_context()
        actor = context.get(CURRENT, self._nobody)
        call = Call(callback, args, context)
        if type(callback) is self._step_type and self._is_running(callback):
            # The running task wants to go on without having waited: it gives way.
            actor.later.append(call)
            return call
        actor.ready.append(call)
        if not actor.scheduled:
            actor.scheduled = True
            actor.cause = self.current
            self._arrivals.append(actor)
        return call

    def _is_running(self, step: Any) -> bool:
        """Whether it is a step of the task that runs; otherwise it is the first one of a new task."""
        return self._call is not None and getattr(self._call._callback, "__self__", None) is step.__self__

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Call:
        """As `call_soon`.

        Raises:
            NotSimulated: Another thread calls while the world runs: when it does can't be repeated.
        """
        if self._running and threading.get_ident() != self._thread:
            raise NotSimulated(
                "Another thread calls into a simulation, and when it does cannot be repeated. "
                "Let asyncio.to_thread run what it does: its turn is chosen like any other."
            )
        let_nobody_block(sys._getframe(1))
        return self.call_soon(callback, *args, context=context)

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Timer:
        """Run it when so many seconds have passed."""
        try:
            when_ns = self._clock._now_ns + round(delay * _SECOND)
        except OverflowError:  # an infinite delay
            when_ns = NEVER_NS
        if delay <= 0:
            return self.call_at_ns(when_ns, callback, args, context)
        if context is None:
            context = copy_context()
        timer = Timer(when_ns, callback, args, context, context.get(CURRENT, self._nobody), self)
        heappush(self._timers, (when_ns, next(self._numbers), timer))
        return timer

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Timer:
        """Run it when the loop's time is `when`."""
        try:
            when_ns = self._clock.start_ns + round(when * _SECOND)
        except OverflowError:
            when_ns = NEVER_NS
        return self.call_at_ns(when_ns, callback, args, context)

    def call_at_ns(
        self,
        when_ns: int,
        callback: Callable[..., Any],
        args: tuple[Any, ...] = (),
        context: Context | None = None,
    ) -> Timer:
        """Run it when the clock reads `when_ns`."""
        if context is None:
            context = copy_context()
        timer = Timer(when_ns, callback, args, context, context.get(CURRENT, self._nobody), self)
        heappush(self._timers, (when_ns, next(self._numbers), timer))
        if when_ns <= self._clock._now_ns:
            self._bring_due(self.current)
        return timer

    # --- running ----------------------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run until `stop`.

        Raises:
            DeadlockError: Nothing can happen any more.
        """
        self.check_may_run()
        self._thread = threading.get_ident()
        self._threads_before = alive()
        self._running = True
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._generator_begins, finalizer=self._generator_ends)
        asyncio._set_running_loop(self)
        try:
            self._take_turns()
        finally:
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
            self._running = self._stopping = False
            self._call = None
            self.current = self._nobody

    def check_may_run(self) -> None:
        """Let a run begin.

        Raises:
            RuntimeError: An event loop runs already, this one or another one, or this one is closed.
        """
        if self._closed:
            raise RuntimeError("Event loop is closed")
        if self._running or asyncio._get_running_loop() is not None:
            raise RuntimeError("A world cannot run while another event loop runs in this thread.")

    def run_until_complete(self, future: Any) -> Any:
        """Run until a coroutine or future is done; its result.

        Raises:
            DeadlockError: Nothing can happen any more, and it is not done.
        """
        task = asyncio.ensure_future(future, loop=self)

        def stop(_: object) -> None:
            self.stop()

        task.add_done_callback(stop)
        try:
            self.run_forever()
        finally:
            task.remove_done_callback(stop)
        if not task.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return task.result()

    def _take_turns(self) -> None:
        arrivals, line, choose, clock = self._arrivals, self._line, self._choose, self._clock
        actor = self._nobody
        # All in one place, as this is what a simulation does.
        try:
            while not self._stopping:
                began_ns = clock._now_ns
                # This counts without a cost; the loop is left in the end only, or at a turning point.
                first, last = self.decisions + 1, self.decisions + _TURNS_MAX
                for self.decisions in range(first, min(last, self.turning_point.decisions) + 1):  # noqa: B020
                    while not arrivals and not line:
                        self._let_time_pass()
                    if line or len(arrivals) > 1:
                        # In which order they came must not matter, as it is asyncio's affair.
                        for actor in arrivals:
                            insort(line, (actor.number, actor))
                        arrivals.clear()
                        actor = line.pop(int(choose() * len(line)))[1]
                    else:
                        actor = arrivals.pop()
                    self.current = actor
                    if self.decided is not None:
                        self.decided(actor, [other for _, other in line])
                    ready, due = actor.ready, actor.due
                    for _ in _TURN:
                        if ready:
                            self._call = call = ready.popleft()
                        elif due:
                            self._call = call = due.popleft()
                        else:
                            break
                        if not call._cancelled:
                            try:
                                if call._callback is _END_OF_SLEEP:
                                    # What it does, without a context: a seventh of what a sleep costs.
                                    future, result = call._args
                                    if not future.cancelled():
                                        future.set_result(result)
                                else:
                                    call._context.run(call._callback, *call._args)
                            except BaseException as error:  # noqa: BLE001 - nobody's: tasks keep theirs
                                self._failed(call, error)
                    if actor.later or ready or due:
                        self._give_way(actor)
                    else:
                        actor.scheduled = False
                    if self._stopping:
                        return
                if self.decisions >= self.turning_point.decisions:
                    self.turning_point.turn()
                elif clock._now_ns == began_ns:
                    self._let_time_pass()
        except BaseException:  # Ctrl-C, and a deadlock: those who are left are run once more, to be ended
            actor.scheduled = False
            if actor.ready or actor.due or actor.later:
                self._give_way(actor)
            raise

    def _failed(self, call: Call, error: BaseException) -> None:
        if isinstance(error, SystemExit | KeyboardInterrupt):
            raise error
        self.call_exception_handler({"message": f"Exception in {call!r}", "exception": error, "handle": call})

    def _give_way(self, actor: Actor) -> None:
        """Let others have their turn before the actor has the next one."""
        actor.ready.extend(actor.later)
        actor.later.clear()
        actor.cause = actor
        actor.scheduled = True
        if actor.idle_ns != self._clock._now_ns:
            actor.idle_ns = self._clock._now_ns
            actor.idle_turns = 0
        actor.idle_turns += 1
        (self._arrivals if actor.idle_turns % _IDLE_TURNS_MAX else self._idle).append(actor)

    def _let_time_pass(self) -> None:
        """Go on to the next timer; those that only give way cannot hold time up.

        Raises:
            DeadlockError: There is none.
        """
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heappop(timers)
            self._cancelled_timers -= 1
        if timers and (when_ns := timers[0][0]) != NEVER_NS:
            if when_ns >= self.turning_point.at_ns:
                self.turning_point.turn()
            self._clock._now_ns = when_ns
            self._bring_due()
        elif not self._idle or max(actor.idle_turns for actor in self._idle) >= _IDLE_TURNS_END:
            raise DeadlockError(explain(self))
        if self._idle:
            self._arrivals += self._idle
            self._idle.clear()

    def _bring_due(self, cause: Actor | None = None) -> None:
        """What was to be run by now is ready; `cause` is who saw to it, None for time."""
        timers, now_ns = self._timers, self._clock._now_ns
        while timers and timers[0][0] <= now_ns:
            timer = heappop(timers)[2]
            if timer._cancelled:
                self._cancelled_timers -= 1
                continue
            timer._scheduled = False
            actor = timer.actor
            actor.due.append(timer)
            if not actor.scheduled:
                actor.scheduled = True
                actor.cause = cause
                self._arrivals.append(actor)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A timer will not run.  When most of them won't, they are thrown away: long polls end early."""
        self._cancelled_timers += 1
        if self._cancelled_timers > _CANCELLED_MAX and self._cancelled_timers > len(self._timers) // 2:
            self._timers[:] = [entry for entry in self._timers if not entry[2]._cancelled]
            heapify(self._timers)
            self._cancelled_timers = 0

    def stop(self) -> None:
        """End `run_forever` after this turn."""
        self._stopping = True

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._running

    def close(self) -> None:
        """Run nothing any more."""
        if self._running:
            raise RuntimeError("Cannot close a running event loop")
        self._closed = True

    def time(self) -> float:
        """Seconds since the world began."""
        return (self._clock._now_ns - self._clock.start_ns) / _SECOND
