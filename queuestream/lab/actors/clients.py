"""What an actor speaks to: its queue or stream, where calls go wrong as planned and are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.aio import AsyncStream
from queuestream.aws.faults import AnswerLost
from queuestream.core.errors import ServiceError

if TYPE_CHECKING:
    from queuestream.aio import AsyncQueue
    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.lab.simulation.world import World

FAILURES = (ServiceError, AnswerLost)
"""What happens to calls: the service says no, or its answer never arrives."""


def recorded(
    world: World,
    target: AsyncQueue | AsyncStream,
    actor: str,
    *,
    application: str = "",
    faults: FaultPlan | None = None,
) -> Any:
    """The same operations, seen from the actor's side: what did not come back to it is not known."""
    client: Any = target
    if faults is not None:
        from queuestream.lab.faults import faulty  # noqa: PLC0415 - only who uses it

        client = faulty(target, faults)
    record = world.recorder.stream if isinstance(target, AsyncStream) else world.recorder.queue
    return record(client, actor=actor, application=application)
