"""Actors: one for each task, with what it has to run at this instant.

Every callback belongs to an actor, which is found in the callback's context: a task's context
names the task's actor, and what is called on behalf of the task inherits it.  So when one actor sets a future
that another one waits for, what follows is run by the one that waited.

So what is chosen between are actors, and what is chosen depends on who wakes whom; not on how many
callbacks asyncio needs for it, which differs between versions of Python.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from queuestream.lab.simulation.event_loop import SimulatedLoop


class Call(asyncio.Handle):
    """A callback that is to be run; an `asyncio.Handle` without what is kept for debugging."""

    __slots__ = ()

    # One is made for each callback: nothing is done here that is not needed.
    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context) -> None:
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False

    def cancel(self) -> None:
        """Have it not run."""
        self._cancelled = True
        self._args = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._callback!r}{': cancelled' if self._cancelled else ''}>"


class Timer(Call, asyncio.TimerHandle):
    """A callback that is to be run at an instant.

    Attributes:
        when_ns: The instant, on the world's clock.
        actor: Who runs it.
    """

    __slots__ = ("actor", "when_ns")

    def __init__(
        self,
        when_ns: int,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: Context,
        actor: Actor,
        loop: SimulatedLoop,
    ) -> None:
        self.when_ns = when_ns
        self.actor = actor
        self._loop = loop
        self._scheduled = True
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False

    def cancel(self) -> None:
        """Have it not run."""
        self._cancelled = True
        self._args = ()
        if self._scheduled:
            self._scheduled = False
            self._loop._timer_handle_cancelled(self)

    def when(self) -> float:
        """The instant, in the loop's seconds."""
        return (self.when_ns - self._loop._clock.start_ns) / 1e9

    # What handles of asyncio compare themselves by.
    _when = property(when)


class Actor:
    """Who runs: a task, and what is called on its behalf.

    Args:
        name: No two of a world have the same one.
        number: Grows in the order in which they were started.

    Attributes:
        ready: What it has to run, in this order.
        due: What it has to run after that, because its time has come.  So what came in time counts; where
            a timeout and what is waited for come at the same instant, versions of Python differ.
        later: What it has to run when others had their turn.
        scheduled: Whether it has a place among those that could run, or runs.
        cause: Who gave it something to run: another actor, or None for time.
        idle_turns: How often it has given way at the same instant.
        idle_ns: That instant.
    """

    __slots__ = (
        "cause",
        "due",
        "idle_ns",
        "idle_turns",
        "later",
        "name",
        "number",
        "ready",
        "scheduled",
    )

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.ready: deque[Call] = deque()
        self.due: deque[Timer] = deque()
        self.later: list[Call] = []
        self.scheduled = False
        self.cause: Actor | None = None
        self.idle_turns = 0
        self.idle_ns = 0

    def __repr__(self) -> str:
        return f"<Actor {self.name!r}>"


class ActorTask(asyncio.Task[Any]):
    """A task of a simulation.

    Its hash is its actor's number, so that a set of tasks (`asyncio.wait` gives two) has the same order in
    every run.

    Attributes:
        actor: Who runs it.
    """

    __slots__ = ("actor",)

    def __init__(
        self, coroutine: Generator[Any, None, Any] | Coroutine[Any, Any, Any], actor: Actor, **arguments: Any
    ) -> None:
        self.actor = actor
        super().__init__(coroutine, **arguments)

    def __hash__(self) -> int:
        return self.actor.number


CURRENT: ContextVar[Actor] = ContextVar("queuestream actor")
"""Whose context it is."""
