"""The recorder: a history, a clock, and what all that is recorded shares.

Whoever deletes a message names it by a receipt, whoever reads a shard by an iterator.  The recorder
remembers what these stand for, also across the clients that it records: one may receive and
another delete.  Receipts are forgotten with their delete, and the oldest when there are more than SQS
would have in flight.

For queues and streams that are neither ours nor boto3's there are two plain calls:

    recorder.event("receive", "order-17", actor="worker-2", resource="orders")
    with recorder.operation("send", "order-17", actor="shop") as event:     # times and outcome by themselves
        event.message_id = redis.xadd("orders", {"id": "order-17"})
"""

from __future__ import annotations

import inspect
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from queuestream.lab.history import Event
from queuestream.lab.recording.memory import Memory
from queuestream.lab.recording.outcomes import code_of, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from queuestream.core.clock import Clock
    from queuestream.lab.history import History

# More than a standard queue's messages in flight (quotas of Amazon SQS: 120,000), and than anybody's shards.
_RECEIPTS, _ITERATORS = 300_000, 20_000

Recorded = TypeVar("Recorded")


class Recorder:
    """Writes down what clients do, at their side.

    Args:
        history: What it writes to.
        clock: Whose time events have; the machine's where None.
        identify: What the producer calls the message with this body; the text itself where None.

    Attributes:
        history: As given.
        now_ns: The time that an event would have now.
        name_of: What the producer calls the message with a body.
    """

    def __init__(
        self,
        history: History,
        clock: Clock | None = None,
        *,
        identify: Callable[[Any], str] | None = None,
    ) -> None:
        self.history = history
        self.now_ns: Callable[[], int] = time.time_ns if clock is None else clock.now_ns
        self.name_of: Callable[[Any], str | None] = _text_of if identify is None else identify
        # What was received under a receipt; where an iterator stands; the shards whose parents are told.
        self.receipts: Memory[Event] = Memory(_RECEIPTS)
        self.iterators: Memory[tuple[str, str, str | None]] = Memory(_ITERATORS)
        self._lineages: dict[tuple[str, str], None] = {}

    def __repr__(self) -> str:
        return f"<Recorder of {self.history!r}>"

    # --- ours ---

    def queue(self, queue: Recorded, actor: str = "", application: str = "") -> Recorded:
        """The same queue, recorded: for threads or for asyncio, as what is given.

        Args:
            queue: A `Queue`, an `AsyncQueue`, one of a broker over AWS, or what has their methods.
            actor: Which client it is.
            application: Those clients who share the work of reading.
        """
        from queuestream.lab.recording.queues import AsyncRecordedQueue, RecordedQueue  # noqa: PLC0415

        kind = AsyncRecordedQueue if is_async(queue, "send") else RecordedQueue
        return cast("Recorded", kind(self, queue, actor, application))

    def stream(self, stream: Recorded, actor: str = "", application: str = "") -> Recorded:
        """The same stream, recorded: for threads or for asyncio, as what is given.

        Args:
            stream: A `Stream`, an `AsyncStream`, one of a broker over AWS, or what has their methods.
            actor: Which client it is.
            application: Those clients who share the work of reading.
        """
        from queuestream.lab.recording.streams import AsyncRecordedStream, RecordedStream  # noqa: PLC0415

        kind = AsyncRecordedStream if is_async(stream, "put_record") else RecordedStream
        return cast("Recorded", kind(self, stream, actor, application))

    def broker(self, broker: Recorded, actor: str = "", application: str = "") -> Recorded:
        """The same broker, whose queues and streams are recorded; for threads or for asyncio.

        Args:
            broker: A `Broker`, an `AsyncBroker`, one over AWS, or what has their methods.
            actor: Which client it is.
            application: Those clients who share the work of reading.
        """
        from queuestream.lab.recording.brokers import RecordedBroker  # noqa: PLC0415

        return cast("Recorded", RecordedBroker(self, broker, actor, application))

    def boto3(self, client: Any, actor: str = "", application: str = "") -> Callable[[], None]:
        """Record what a client of boto3, botocore or aiobotocore does, whatever endpoint it talks to.

        The client stays what it is, with all its methods and paginators.  Of a receive it is known until
        when the message is hidden where the call says so, or where the client was seen to make the queue,
        to set its visibility timeout or to ask for it.

        Args:
            client: A client of SQS or Kinesis, or a resource of SQS.
            actor: Which client it is.
            application: Those clients who share the work of reading.

        Returns:
            A function that ends it.

        Raises:
            TypeError: It is a client of another service, or none.
        """
        from queuestream.lab.recording.boto3_clients import record_client  # noqa: PLC0415 - needs botocore

        return record_client(self, client, actor, application)

    # --- anybody's ---

    def event(
        self,
        operation: str,
        message: str | None = None,
        *,
        started_ns: int | None = None,
        ended_ns: int | None = None,
        **fields: Any,
    ) -> Event:
        """Write down one event; the other fields are those of `Event`.

        Args:
            operation: What was done: `send`, `receive`, `delete` ...
            message: What the producer calls the message.
            started_ns: When; now where None.
            ended_ns: When the answer came; now where None, unless the outcome is unknown.
            **fields: `actor`, `resource`, `group` and so on.
        """
        now_ns = self.now_ns()
        event = Event(operation, message, started_ns=now_ns if started_ns is None else started_ns, **fields)
        if ended_ns is not None or event.outcome != "unknown":
            event.ended_ns = now_ns if ended_ns is None else ended_ns
        self.history.events.append(event)
        return event

    @contextmanager
    def operation(self, operation: str, message: str | None = None, **fields: Any) -> Generator[Event]:
        """Write down an event around what is done inside: when it began and ended, and what became of it.

        What is raised inside goes on.  The event's outcome is `unknown` then, or `failed` where the error
        says that nothing was done; one that was set inside stays.
        """
        event = Event(operation, message, started_ns=self.now_ns(), **fields)
        try:
            yield event
        except BaseException as error:
            if event.outcome == "ok":
                event.outcome = outcome_of(error)
            event.error = event.error or code_of(error)
            raise
        finally:
            if event.outcome != "unknown":
                event.ended_ns = self.now_ns()
            self.history.events.append(event)

    # --- what the wrappers and hooks share ---

    def lineage(
        self, actor: str, application: str, stream: str, shard: str, parents: tuple[str, ...]
    ) -> None:
        """A client has learnt a shard's parents; told once."""
        if parents and (stream, shard) not in self._lineages:
            self._lineages[stream, shard] = None
            self.event(
                "lineage", actor=actor, application=application, resource=stream, shard=shard, parents=parents
            )


def is_async(thing: object, method: str) -> bool:
    """Whether the operations of a queue, a stream or a broker are to be awaited; this is one of them."""
    return inspect.iscoroutinefunction(getattr(thing, method))


def _text_of(body: Any) -> str | None:
    """A body as it is, as text; None where it is none."""
    if isinstance(body, str):
        return body
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body).decode("utf-8", "backslashreplace")
    return None
