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
import logging
import sys
import threading
import weakref
from bisect import insort
from contextvars import copy_context
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.errors import DeadlockError, NotSimulated
from queuestream.lab.simulation.actors import CURRENT, Actor, ActorTask, Call, Timer
from queuestream.lab.simulation.outside import OutsideWorld
from queuestream.lab.simulation.standstill import explain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from contextvars import Context
    from types import FrameType

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

_ENSURE_FUTURE = {
    function.__code__
    for name in ("ensure_future", "_ensure_future")  # the latter up to Python 3.11
    if (function := getattr(asyncio.tasks, name, None)) is not None
}
# Up to Python 3.12 they make a task first and give it its name then, but we go by names.
_NAMING_LATER = {asyncio.create_task.__code__, asyncio.TaskGroup.create_task.__code__}
_END_OF_SLEEP = getattr(asyncio.futures, "_set_result_unless_cancelled", None)
_LOGGER = logging.getLogger("asyncio")


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


class SimulatedLoop(OutsideWorld):
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
        self._clock = clock
        self._chance = chance
        clock._loop = self
        clock._passed = self._bring_due
        self.decisions = 0
        self.decided: Callable[[Actor, list[Actor]], object] | None = None
        self.turning_point = NOWHERE
        # Actors are counted apart: how many timers there are depends on the version of Python.
        self._actor_numbers = count(1)
        self._numbers = count(1)
        self._names: dict[str, int] = {}
        # Those that could run: as they came, and by their numbers.
        self._arrivals: list[Actor] = []
        self._line: list[tuple[int, Actor]] = []
        self._choose = chance.stream("what runs next").random
        # Those that gave way too often at this instant.
        self._idle: list[Actor] = []
        self._timers: list[tuple[int, int, Timer]] = []
        self._cancelled_timers = 0
        self._stopping = self._running = self._closed = False
        self._thread = 0
        self._call: Call | None = None
        self._step_type: type | None = None
        self._task_factory: Any = None
        self._exception_handler: Any = None
        self._async_generators: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        # A future of this loop; made without a method of ours, as each sleep needs one.
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]
        # Whose is what no task asked for.
        self._nobody = self._new_actor("nobody")
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

    # --- tasks and futures ------------------------------------------------------------------------------

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
        **arguments: Any,
    ) -> asyncio.Task[Any]:
        """A task, which is an actor of its own."""
        if context is None:
            context = copy_context()
        frame = sys._getframe(1)
        if _is_wait_for(frame):
            actor = context.get(CURRENT, self._nobody)
        else:
            if name is None and frame.f_code in _NAMING_LATER:
                name = frame.f_locals["name"]
            actor = self._new_actor(name, coro)
            context.run(CURRENT.set, actor)
        if self._task_factory is not None:
            task: asyncio.Task[Any] = self._task_factory(self, coro, context=context, **arguments)
            task.set_name(actor.name if name is None else name)
            return task
        task = ActorTask(
            coro,
            actor,
            loop=self,
            name=actor.name if name is None else name,
            context=context,
            **arguments,
        )
        if self._step_type is None:
            self._step_type = type(actor.ready[-1]._callback)
        return task

    def _new_actor(self, name: str | None, coroutine: object = None) -> Actor:
        if name is None:
            base = getattr(coroutine, "__name__", type(coroutine).__name__)
            number = self._names[base] = self._names.get(base, 0) + 1
            name = f"{base}-{number}"
        else:
            name = str(name)
            number = self._names[name] = self._names.get(name, 0) + 1
            if number > 1:
                name = f"{name}-{number}"
        return Actor(name, next(self._actor_numbers))

    def set_task_factory(self, factory: Any) -> None:
        """Have tasks made by `factory(loop, coroutine, context=...)`."""
        self._task_factory = factory

    def get_task_factory(self) -> Any:
        """What makes tasks; None where nobody was asked to."""
        return self._task_factory

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run it in a turn of its own, as a thread would at some instant; nobody else runs meanwhile."""
        future = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except StopIteration as error:  # which no future takes
                future.set_exception(RuntimeError(f"A thread ended by {error!r}."))
            except Exception as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)

        context = copy_context()
        actor = self._new_actor(None, func)
        context.run(CURRENT.set, actor)
        self.call_soon(run, context=context)
        return future

    def set_default_executor(self, executor: object) -> None:
        """Nothing: there are no threads."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's
        """Nothing: there are no threads."""

    # --- running ----------------------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run until `stop`.

        Raises:
            DeadlockError: Nothing can happen any more.
        """
        self.check_may_run()
        self._thread = threading.get_ident()
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
                            insort(line, actor.place)
                        arrivals.clear()
                        actor = line.pop(int(choose() * len(line)))[1]
                    else:
                        actor = arrivals.pop()
                    self.current = actor
                    if self.decided is not None:
                        self.decided(actor, [place[1] for place in line])
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

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Run nothing any more."""
        if self._running:
            raise RuntimeError("Cannot close a running event loop")
        self._closed = True

    def time(self) -> float:
        """Seconds since the world began."""
        return (self._clock._now_ns - self._clock.start_ns) / _SECOND

    # --- asynchronous generators, signals, errors -------------------------------------------------------

    def _generator_begins(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._async_generators[next(self._numbers)] = generator

    def _generator_ends(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.call_soon(self.create_task, generator.aclose())

    async def shutdown_asyncgens(self) -> None:
        """Close the generators that nobody has closed, in the order in which they began."""
        generators = list(self._async_generators.values())
        self._async_generators.clear()
        endings = await asyncio.gather(*[one.aclose() for one in generators], return_exceptions=True)
        for generator, ending in zip(generators, endings, strict=True):
            if isinstance(ending, Exception):
                self.call_exception_handler(
                    {"message": f"Closing {generator!r} failed", "exception": ending, "asyncgen": generator}
                )

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """Nothing: nobody sends signals to a simulation."""

    def remove_signal_handler(self, sig: int) -> bool:
        """Nothing."""
        return False

    # The constructor of each future asks this; a function in C answers soonest.
    get_debug = staticmethod(bool)

    def set_debug(self, enabled: bool) -> None:
        """Nothing: the trace of the world tells what its loop does."""

    def get_exception_handler(self) -> Any:
        """Who is told of exceptions that nobody took; None for the log."""
        return self._exception_handler

    def set_exception_handler(self, handler: Any) -> None:
        """Have `handler(loop, context)` told of exceptions that nobody took."""
        self._exception_handler = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tell somebody of an exception that nobody took."""
        if self._exception_handler is None:
            self.default_exception_handler(context)
        else:
            self._exception_handler(self, context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Write it to the log, as asyncio does."""
        lines = [context.get("message") or "Unhandled exception in event loop"]
        lines += [f"{name}: {context[name]!r}" for name in sorted(context.keys() - {"message", "exception"})]
        _LOGGER.error("\n".join(lines), exc_info=context.get("exception"))


def _is_wait_for(frame: FrameType) -> bool:
    """Whether it is `asyncio.wait_for` that makes a task, which some versions of Python do and some don't.

    What such a task does is done by the one that waits, so that a run is the same on all of them.
    """
    while frame.f_code in _ENSURE_FUTURE and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code is asyncio.wait_for.__code__
