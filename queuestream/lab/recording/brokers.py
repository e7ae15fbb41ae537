"""Brokers whose queues and streams are recorded; what an operator does with them is told."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from queuestream.core.arns import parse_arn
from queuestream.lab.operation_names import GIVING
from queuestream.lab.recording.wrapping import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from queuestream.lab.history import Event


class RecordedBroker(Recording):
    """A broker whose queues and streams are recorded."""

    operators: Mapping[str, str | None] = {
        "delete_queue": "queue_name",
        "delete_stream": "name",
        "start_message_move_task": "source_arn",
    }

    def __getattr__(self, name: str) -> Any:
        if name not in GIVING:
            return super().__getattr__(name)
        giving = self._giving(getattr(self.wrapped, name))
        setattr(self, name, giving)
        return giving

    def _giving(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call that gives queues or streams, which are recorded."""

        @wraps(call)
        def giving(*arguments: Any, **named: Any) -> Any:
            return self._given(call(*arguments, **named))

        @wraps(call)
        async def giving_async(*arguments: Any, **named: Any) -> Any:
            return self._given(await call(*arguments, **named))

        return giving_async if iscoroutinefunction(call) else giving

    def _given(self, answer: Any) -> Any:
        if isinstance(answer, list):  # a page of queues
            answer[:] = [self._given(each) for each in answer]
            return answer
        if answer is None:
            return None
        record = self.recorder.queue if hasattr(answer, "receive") else self.recorder.stream
        return record(answer, self._actor, self._application)

    def _begun_by_operator(self, name: str, arguments: tuple[object, ...], named: dict[str, Any]) -> Event:
        """The event of an operator's call; it says which queue or stream."""
        event = self._begun(name)
        told = arguments[0] if arguments else named.get(str(self.operators[name]), "")
        arn = parse_arn(told)
        event.resource = str(told) if arn is None else arn.name
        return event
