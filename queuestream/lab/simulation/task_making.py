"""Tasks of a simulation: each is an actor, by its name.

Here the versions of asyncio are made alike, since a run must not depend on them: some make a task within
`asyncio.wait_for` and some don't, some give a task its name when it is made and some after that.
"""

from __future__ import annotations

import asyncio
import sys
from contextvars import Context, copy_context
from itertools import count
from typing import TYPE_CHECKING, Any

from queuestream.lab.simulation.actors import CURRENT, Actor, ActorTask
from queuestream.lab.simulation.loop_duties import LoopDuties
from queuestream.lab.simulation.threads import as_in_a_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType

_ENSURE_FUTURE = {
    function.__code__
    for name in ("ensure_future", "_ensure_future")  # the latter up to Python 3.11
    if (function := getattr(asyncio.tasks, name, None)) is not None
}
# Its tasks begin in the turn of whoever makes them; from Python 3.12 on.
_EAGER = getattr(asyncio, "eager_task_factory", None)
# In some versions they make a task first and give it its name then, but we go by names.
_NAMING_LATER = {asyncio.create_task.__code__, asyncio.TaskGroup.create_task.__code__}


class TaskMaking(LoopDuties):
    """An event loop's tasks, and what it does in the place of threads."""

    current: Actor

    def __init__(self) -> None:
        super().__init__()
        self._actor_numbers = count(1)
        self._names: dict[str, int] = {}
        self._task_factory: Any = None
        # What the event loop is given to run for a step of a task; known when there was a task.
        self._step_type: type | None = None
        # Whose is what no task asked for.
        self._nobody = self._new_actor("nobody")

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
                name = frame.f_locals.get("name")
            actor = self._new_actor(name, getattr(coro, "__name__", type(coro).__name__))
            context.run(CURRENT.set, actor)
        if self._task_factory is not None and self._task_factory is not _EAGER:
            task: asyncio.Task[Any] = self._task_factory(self, coro, context=context, **arguments)
            task.set_name(actor.name if name is None else name)
            return task
        if self._task_factory is not None:
            arguments.setdefault("eager_start", True)
        before = self.current
        if arguments.get("eager_start"):
            self.current = actor
        try:
            task = ActorTask(
                coro,
                actor,
                loop=self,
                name=actor.name if name is None else name,
                context=context,
                **arguments,
            )
        finally:
            self.current = before
        if self._step_type is None and actor.ready:
            self._step_type = type(actor.ready[-1]._callback)
        return task

    def _new_actor(self, name: str | None, work: str = "") -> Actor:
        """An actor of that name, or called after its work and counted."""
        known = work if name is None else str(name)
        number = self._names[known] = self._names.get(known, 0) + 1
        return Actor(
            known if name is not None and number == 1 else f"{known}-{number}", next(self._actor_numbers)
        )

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
                with as_in_a_thread():
                    result = func(*args)
                future.set_result(result)
            except StopIteration as error:  # which no future takes
                future.set_exception(RuntimeError(f"A thread ended by {error!r}."))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)

        # A thread begins with nothing in its context; asyncio.to_thread brings the caller's.
        context = Context()
        actor = self._new_actor(None, "thread")
        context.run(CURRENT.set, actor)
        self.call_soon(run, context=context)
        return future


def _is_wait_for(frame: FrameType) -> bool:
    """Whether it is `asyncio.wait_for` that makes a task, which some versions of Python do and some don't.

    What such a task does is done by the one that waits, so that a run is the same on all of them.
    """
    while frame.f_code in _ENSURE_FUTURE and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code is asyncio.wait_for.__code__
