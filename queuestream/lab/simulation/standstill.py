"""Why nothing can happen any more: who waits, and where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from queuestream.lab.simulation.threads import started_since

if TYPE_CHECKING:
    from types import CodeType

    from queuestream.lab.simulation.event_loop import SimulatedLoop

_SHOWN_MAX = 20


def explain(loop: SimulatedLoop) -> str:
    """Each actor that is not done, and the line of its own code where it waits."""
    places = sorted(f"{name_of(task)} waits in {place_of(task)}" for task in asyncio.all_tasks(loop))
    more = f", and {len(places) - _SHOWN_MAX} more" if len(places) > _SHOWN_MAX else ""
    return (
        f"Nothing can happen any more at {loop._clock.now}: {'; '.join(places[:_SHOWN_MAX])}{more}. "
        "Nobody is left who could end these waits, and none of them has a time to end by itself: "
        "bring what they wait for, or give them one (asyncio.timeout)."
        f"{started_since(loop._threads_before)}"
    )


def name_of(task: asyncio.Task[Any]) -> str:
    """What the task's actor is called."""
    actor = getattr(task, "actor", None)
    return task.get_name() if actor is None else str(actor.name)


def place_of(task: asyncio.Task[Any]) -> str:
    """The innermost line of the user's own code, and what it waits for there."""
    frames: list[tuple[CodeType, int, str]] = []
    waits: Any = task.get_coro()
    while waits is not None:
        frame = _first_of(waits, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            frames.append((frame.f_code, frame.f_lineno, str(frame.f_globals.get("__name__", ""))))
        waits = _first_of(waits, "cr_await", "gi_yieldfrom", "ag_await")
    own = [one for one in frames if one[2].partition(".")[0] not in {"asyncio", "queuestream"}] or frames[:1]
    if not own:
        return "what nobody can see"
    code, line, _ = own[-1]
    file = code.co_filename.replace("\\", "/").rpartition("/")[2]
    inner = f", in {frames[-1][0].co_qualname}" if frames[-1][0] is not code else ""
    return f"{code.co_qualname} ({file}:{line}){inner}"


def _first_of(thing: object, *names: str) -> Any:
    """The first attribute that there is and that is something: coroutines and generators name them apart."""
    return next((found for name in names if (found := getattr(thing, name, None)) is not None), None)
