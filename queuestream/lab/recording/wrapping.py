"""What the recorded queues and streams have in common: who does something, when, and what became of it.

An event is made before the call, so that it has the time of its beginning, and goes into the history
when the answer is there.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from queuestream.lab.history import Event
from queuestream.lab.recording.outcomes import code_of, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from queuestream.lab.recording.recorder import Recorder


class Recording:
    """One client's doings with one queue or stream; what is not recorded goes through.

    Args:
        recorder: Who writes down.
        wrapped: What the calls go to.
        actor: Which client it is.
        application: Whose work it shares.
    """

    # What an operator does, and which parameter is a shard.
    operators: Mapping[str, str | None]

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        self.recorder = recorder
        self.wrapped = wrapped
        self._actor, self._application = actor, application
        self._resource = str(getattr(wrapped, "name", ""))
        self._now_ns = recorder.now_ns
        self._name_of = recorder.name_of
        self._append: Callable[[Event], None] = recorder.history.events.append

    def __getattr__(self, name: str) -> Any:
        if name in self.operators:
            operation = self._operated(name)
            setattr(self, name, operation)
            return operation
        return getattr(self.wrapped, name)

    def __repr__(self) -> str:
        return f"<Recorded {self.wrapped!r}>"

    def _operated(self, name: str) -> Callable[..., Any]:
        """An operator's call, recorded."""
        call = getattr(self.wrapped, name)

        def operated(*arguments: Any, **named: Any) -> Any:
            event = self._begun_by_operator(name, arguments, named)
            answer = self._perform((event,), call, *arguments, **named)
            self._done(event)
            return answer

        async def operated_async(*arguments: Any, **named: Any) -> Any:
            event = self._begun_by_operator(name, arguments, named)
            answer = await self._perform_async((event,), call, *arguments, **named)
            self._done(event)
            return answer

        return operated_async if iscoroutinefunction(call) else operated

    # --- calls ---

    def _perform(self, events: Iterable[Event], call: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """A call; where it raises, its events are told."""
        try:
            return call(*args, **named)
        except BaseException as error:
            self._raised(events, error)
            raise

    async def _perform_async(
        self, events: Iterable[Event], call: Callable[..., Any], /, *args: Any, **named: Any
    ) -> Any:
        """The same, awaited; who is cancelled does not know."""
        try:
            return await call(*args, **named)
        except BaseException as error:
            self._raised(events, error)
            raise

    # --- events ---

    def _begun(self, operation: str, message: str | None = None) -> Event:
        """An event that begins now."""
        return Event(
            operation,
            message,
            "ok",
            self._now_ns(),
            None,
            self._actor,
            self._application,
            self._resource,
        )

    def _event_at(self, operation: str, started_ns: int, ended_ns: int | None) -> Event:
        """An event of a call that began, and perhaps ended, at these times."""
        return Event(
            operation, None, "ok", started_ns, ended_ns, self._actor, self._application, self._resource
        )

    def _begun_by_operator(self, name: str, arguments: tuple[object, ...], named: dict[str, Any]) -> Event:
        """The event of an operator's call; it says which shard, where there is one."""
        event = self._begun(name)
        parameter = self.operators[name]
        if parameter is not None:
            event.shard = str(named.get(parameter) or next(iter(arguments), None))
        return event

    def _done(self, event: Event) -> None:
        """The answer is there."""
        event.ended_ns = self._now_ns()
        self._append(event)

    def _refused(self, event: Event, code: str) -> None:
        """One entry of a batch was not done."""
        event.outcome = "failed"
        event.error = code
        self._done(event)

    def _raised(self, events: Iterable[Event], error: BaseException) -> None:
        """A call with these events raised."""
        outcome, code = outcome_of(error), code_of(error)
        ended_ns = None if outcome == "unknown" else self._now_ns()
        for event in events:
            event.outcome, event.error, event.ended_ns = outcome, code, ended_ns
            self._append(event)
