"""A world: everything that one simulation has, under one seed.

    async def main(world):
        queue = await world.aio.create_queue("orders")
        world.start(produce(queue), name="producer-1")
        world.start(consume(queue), name="consumer-1")
        await world.sleep(60)

    World(seed=7).run(main)

The programs are ordinary asyncio: tasks, timeouts, queues, `asyncio.sleep`, and no real time passes.  Where
several tasks could go on at the same instant, the seed says which does.  The same seed gives the same
run, so what one seed has found can be looked at again.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from contextlib import contextmanager
from contextvars import copy_context
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from queuestream.core.broker import Broker
from queuestream.core.clock import SECOND, duration_ns
from queuestream.lab.history import History
from queuestream.lab.simulation import trace as traces
from queuestream.lab.simulation.asyncio_sets import sets_in_order
from queuestream.lab.simulation.chance import Chance, seeded_random
from queuestream.lab.simulation.clock import WorldClock
from queuestream.lab.simulation.event_loop import NEVER_NS, NOWHERE, SimulatedLoop, TurningPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from queuestream.aio import AsyncBroker
    from queuestream.core.delivery import Delivery
    from queuestream.lab.recording import Recorder
    from queuestream.lab.simulation.actors import Actor
    from queuestream.lab.simulation.distance import Latency

_Result = TypeVar("_Result")

_UNSAID = {"delivery": "strict"}
"""The arguments of a world that go without saying."""


class World:
    """One simulation: actors on one virtual clock, whose order a seed chooses.

    Args:
        seed: Any integer or text; it names the run.
        delivery: How the queues of `broker` behave: `strict`, `aws_like`, `adversarial`, or a `Delivery`.
        trace: Whether every decision is written down in `trace`.
        latency: How many seconds each way between a client of `aio` and the broker takes: a number, or the
            least and the most, between which the seed chooses; none where None.
        **broker_arguments: More arguments for the `Broker`.

    Attributes:
        seed: What was given.
        clock: The world's time, to be given to whatever needs a clock (`mock_aws(clock=world.clock)`).
        broker: Queues and streams on that clock.
        history: What the world's clients saw, if they are recorded: see `recorder`.
        trace: Every decision, every note and every event of `history`, where tracing was asked for.
    """

    def __init__(
        self,
        seed: int | str = 7,
        *,
        delivery: Delivery | str = "strict",
        trace: bool = False,
        latency: Latency | None = None,
        **broker_arguments: Any,
    ) -> None:
        self._arguments = {"delivery": delivery, "latency": latency, **broker_arguments, "trace": trace}
        self.seed = seed
        self.clock = WorldClock()
        self._chance = Chance(seed)
        # What a loop refuses is put into its class by name, which mypy does not see.
        self._loop = SimulatedLoop(self.clock, self._chance)  # type: ignore[abstract]
        self.broker = Broker(clock=self.clock, seed=f"{seed} broker", delivery=delivery, **broker_arguments)
        self._latency = latency
        self.history = History()
        self.trace: list[traces.Entry] = []
        self._traced = trace
        self._traced_events = 0
        self._main: tuple[Callable[..., Coroutine[Any, Any, Any]], tuple[Any, ...]] | None = None
        # Where it was forked: after so many decisions or at that instant, and with which seed; those to come.
        self._forks: tuple[tuple[int, int, int | str], ...] = ()
        self._forks_to_come: list[tuple[int, int, int | str]] = []
        arguments = {**self._arguments, "trace": True}
        said = {name: value for name, value in arguments.items() if value != _UNSAID.get(name)}
        self._made_by = f"World({', '.join([repr(seed), *(f'{name}={said[name]!r}' for name in said)])})"
        # How many were started before the first run, and must be in a fork; how many runs there were.
        self._started_before = self._must_be_started = 0
        self._runs = 0
        # How to see a failure again, where that is not by the world itself.
        self._again: str | None = None
        self._failed: asyncio.Task[Any] | None = None
        self._ending = False

    def __repr__(self) -> str:
        return f"<World of seed {self.seed!r}: {self._loop.time():g} s, {self.decisions} decisions>"

    # --- what is in it ----------------------------------------------------------------------------------

    @cached_property
    def aio(self) -> AsyncBroker:
        """The queues and streams of `broker`, to be awaited."""
        from queuestream.aio import AsyncBroker  # noqa: PLC0415 - only who uses it

        if self._latency is None:
            return AsyncBroker(self.broker)
        from queuestream.lab.simulation.distance import at_a_distance, travelling  # noqa: PLC0415

        return at_a_distance(
            self.broker,
            travelling(self._latency, lambda: self.chance(f"latency of {self._loop.current.name}")),
        )

    @cached_property
    def recorder(self) -> Recorder:
        """What writes down in `history` what the world's clients do."""
        from queuestream.lab.recording import Recorder  # noqa: PLC0415 - only who uses it

        return Recorder(self.history, self.clock)

    @property
    def decisions(self) -> int:
        """How often the seed has chosen so far who runs next."""
        return self._loop.decisions

    def now_ns(self) -> int:
        """The time, in nanoseconds since the Unix epoch."""
        return self.clock._now_ns

    def chance(self, name: str) -> random.Random:
        """A stream of chance of the world's seed, always the same object for a name.

        What one stream gives does not depend on the others, so each actor should have one of its own.
        """
        return self._chance.stream(name)

    def record(self, what: str, /, **details: Any) -> None:
        """Put a line into the trace, about the actor that runs; nothing where there is no trace."""
        if self._traced:
            self._trace_history()
            actor = self._loop.current.name
            self.trace.append(traces.Entry(self._elapsed_ns(), actor, what, details))

    def trace_text(self) -> str:
        """The trace for reading, a line an entry."""
        return "".join(f"{entry}\n" for entry in self.trace)

    def _decided(self, actor: Actor, others: list[Actor]) -> None:
        self._trace_history()
        self.trace.append(traces.decision(self._elapsed_ns(), actor, others))

    def _trace_history(self) -> None:
        """Put what clients have seen since into the trace, between what led to it and what follows."""
        events = self.history.events
        start_ns = self.clock.start_ns
        self.trace += [traces.seen(event, start_ns) for event in events[self._traced_events :]]
        self._traced_events = len(events)

    def _elapsed_ns(self) -> int:
        return self.clock._now_ns - self.clock.start_ns

    # --- running ----------------------------------------------------------------------------------------

    def start(
        self, coroutine: Coroutine[Any, Any, _Result], *, name: str | None = None
    ) -> asyncio.Task[_Result]:
        """Have an actor act, beside those that do already; before `run`, or while it runs.

        A started actor may end whenever it likes; what it raises ends the run.
        """
        if not self._runs:
            self._started_before += 1
        context = copy_context()
        task = self._loop.create_task(coroutine, name=name, context=context)
        task.add_done_callback(self._ended, context=context)
        return task

    async def sleep(self, seconds: float) -> None:
        """Let so much of the world's time pass; as `asyncio.sleep`."""
        await asyncio.sleep(seconds)

    def run(self, main: Callable[..., Coroutine[Any, Any, _Result]] | None = None, *args: Any) -> _Result:
        """Run until `main` is done, and cancel whoever acts still.

        Args:
            main: An `async def`, or what gives a coroutine when it is called; where its first parameter is
                called `world`, it is given this world.  A fork may leave it out, to run what its original
                has run.
            *args: Its other arguments.

        Returns:
            What `main` returns.

        Raises:
            DeadlockError: Everybody waits for something that nobody brings.
        """
        if main is None and self._main is not None:
            main, args = self._main
        if not callable(main):
            raise TypeError(f"A world runs an async def, called by the world itself; this is {main!r}.")
        self._loop.check_may_run()
        if self._started_before < self._must_be_started and not self._runs:
            raise ValueError(
                f"A fork is the same up to a point. {self._must_be_started} actors were started before "
                f"its original, {self._started_before} before it. Start them all, or let main start them."
            )
        first = next(iter(inspect.signature(main).parameters), None)
        self._main = main, args
        self._runs += 1
        with _repeatable(self._chance):
            context = copy_context()
            coroutine = main(self, *args) if first == "world" else main(*args)
            if not inspect.iscoroutine(coroutine):
                raise TypeError(f"A world runs an async def, and {main!r} gave {coroutine!r}, no coroutine.")
            task = self._loop.create_task(coroutine, name="main", context=context)
            task.add_done_callback(self._ended_main, context=context)
            self._ending = False
            self._loop.decided = self._decided if self._traced else None
            try:
                self._loop.run_forever()
            except BaseException as error:
                self._tell(error, None)
                raise
            finally:
                stopped = not task.done()
                failed, self._failed = self._failed, None
                self._end()
                if self._traced:
                    self._trace_history()
            if stopped and failed is None:
                raise RuntimeError("The event loop was stopped before main was done.")
            failed = failed or self._failed or task
            if not failed.cancelled() and (raised := failed.exception()) is not None:
                self._tell(raised, failed)
                raise raised
            result: _Result = task.result()
            return result

    def fork(
        self, seed: int | str, *, after_decisions: int | None = None, after_seconds: float | None = None
    ) -> World:
        """A world whose run is the same up to a point, and has another seed from there on.

        It is new, and comes to that point by running again.  So it needs the same `main`, which is what
        `run` takes by itself; called within a run, it forks what has been decided so far.

        Args:
            seed: Of what is chosen after that point: who runs next, and what `chance` gives.  What the broker
                chooses, its ids among it, is of the first seed still.
            after_decisions: After so many choices of who runs next; as many as there were so far where
                neither is given.
            after_seconds: Or when the world gets to be so many seconds old, or older.

        Raises:
            ValueError: Both are given; or the world has run several times, which no fork could repeat.
        """
        if after_seconds is not None and after_decisions is not None:
            raise ValueError("A fork is made after_decisions or after_seconds, not both.")
        if self._runs > 1:
            raise ValueError(
                f"A fork repeats one run, and this world has had {self._runs}: give each a world of its own."
            )
        at_ns = NEVER_NS
        if after_seconds is not None:
            at_ns = self.clock.start_ns + duration_ns(after_seconds, SECOND)
            named = f"after_seconds={after_seconds!r}"
        else:
            after_decisions = self.decisions if after_decisions is None else after_decisions
            named = f"after_decisions={after_decisions!r}"
        other = World(self.seed, **self._arguments)
        other._main = self._main
        other._must_be_started = max(self._started_before, self._must_be_started)
        other._made_by = f"{self._made_by}.fork({seed!r}, {named})"
        decisions = NEVER_NS if after_decisions is None else after_decisions
        other._forks = (*self._forks, (decisions, at_ns, seed))
        other._forks_to_come = list(other._forks)
        other._go_to_fork()
        return other

    def _go_to_fork(self) -> None:
        """The loop is to turn away at the next fork, if there is one to come."""
        self._loop.turning_point = (
            TurningPoint(*self._forks_to_come[0][:2], self._at_fork) if self._forks_to_come else NOWHERE
        )

    def _at_fork(self) -> None:
        self._chance.begin_anew(self._forks_to_come.pop(0)[2])
        random.seed(self._chance.stream("random").random())
        self._go_to_fork()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self._failed is None and not task.cancelled() and task.exception() is not None:
            self._failed = task
            if not self._ending:
                self._loop.stop()

    def _ended_main(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # it has been looked at, also if Ctrl-C comes first
        if not self._ending:
            self._loop.stop()

    def _end(self) -> None:
        """Cancel all tasks, and let them have their last words."""
        self._ending = True
        loop, decisions = self._loop, self.decisions
        loop.decided = None
        while tasks := sorted(asyncio.all_tasks(loop), key=hash):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            for task in tasks:
                if task is not self._failed and not task.cancelled() and (error := task.exception()):
                    message = "A task that was cancelled, as main was done, has raised"
                    loop.call_exception_handler({"message": message, "exception": error, "task": task})
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.decisions = decisions  # of these nobody asked for

    def _tell(self, error: BaseException, task: asyncio.Task[Any] | None) -> None:
        """Note on an error whose it is, and how to see it again."""
        actor = "" if task is None else f"in actor {getattr(task, 'actor', self._loop.current).name!r}, "
        again = self._again or f"{self._made_by} does the same again, and tells every decision."
        note = f"({actor}{self._loop.time():g} s into the world of seed {self.seed!r}; {again})"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)


@contextmanager
def _repeatable(chance: Chance) -> Iterator[None]:
    """What programs share by being in one process is the same each time: `random`, asyncio's sets."""
    with seeded_random(chance.stream("random").random()), sets_in_order():
        yield


def simulate(
    main: Callable[..., Coroutine[Any, Any, _Result]],
    *args: Any,
    seed: int | str = 7,
    **world_arguments: Any,
) -> _Result:
    """Run an asyncio program in a world of its own, in the place of `asyncio.run(main(*args))`.

    Args:
        main: An `async def`.
        *args: Its arguments.
        seed: Chooses what runs next where several could.
        **world_arguments: As for `World`.

    Returns:
        What it returns.
    """
    return World(seed, **world_arguments).run(main, *args)
