"""What the tests of queues start from: queues that are deleted again, and ways to receive from any engine."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from queuestream.core.errors import QueueDoesNotExist
from queuestream.testing.conformance.capabilities import QUEUE_CAPABILITIES
from queuestream.testing.conformance.suite import Conformance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from queuestream.core.broker import Broker
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.core.queues.queue import Queue

    NewQueue = Callable[..., Queue]
    Soon = Callable[[Queue, int], list[ReceivedMessage]]

_PATIENCE_SECONDS = 3


class QueueSuite(Conformance):
    """The fixtures of every class of tests about queues."""

    capabilities: ClassVar[AbstractSet[str]] = frozenset(QUEUE_CAPABILITIES)

    _all_capabilities: ClassVar[Mapping[str, str]] = QUEUE_CAPABILITIES

    @pytest.fixture
    def new_queue(self, broker: Broker, unique: Callable[[str], str]) -> Iterator[NewQueue]:
        """Makes a queue of a name of its own, with the attributes that are given; deletes it afterwards."""
        made: list[Queue] = []

        def new_queue(stem: str = "emails", **attributes: Any) -> Queue:
            made.append(broker.create_queue(unique(stem), **attributes))
            return made[-1]

        yield new_queue
        for queue in reversed(made):
            with suppress(QueueDoesNotExist):  # the test itself may have deleted it
                queue.delete_queue()

    @pytest.fixture
    def queue(self, new_queue: NewQueue) -> Queue:
        """A standard queue."""
        return new_queue()

    @pytest.fixture
    def fifo_queue(self, new_queue: NewQueue) -> Queue:
        """A FIFO queue."""
        return new_queue("orders.fifo", fifo_queue=True)

    @pytest.fixture
    def soon(self, advance: Callable[[float], object] | None) -> Soon:
        """Receives what can be received in so many seconds: few, so that they can be waited for."""

        def soon(queue: Queue, seconds: int) -> list[ReceivedMessage]:
            if advance is None:
                wait_time_seconds = seconds + _PATIENCE_SECONDS
                return queue.receive(max_number_of_messages=10, wait_time_seconds=wait_time_seconds)
            advance(seconds)
            return self.take(queue, 10)

        return soon

    def take(self, queue: Queue, count: int = 1, **parameters: Any) -> list[ReceivedMessage]:
        """Receive until so many messages have come, or no more come."""
        taken: list[ReceivedMessage] = []
        while len(taken) < count:
            messages = queue.receive(
                max_number_of_messages=min(10, count - len(taken)),
                wait_time_seconds=self.receive_wait_seconds,
                **parameters,
            )
            if not messages:
                break
            taken += messages
        return taken

    def take_one(self, queue: Queue, **parameters: Any) -> ReceivedMessage:
        """Receive the message that has to be there."""
        [message] = self.take(queue, **parameters)
        return message


def bodies(messages: Iterable[ReceivedMessage]) -> list[str]:
    """What was sent."""
    return [message.body for message in messages]
