"""A queue, and a worker of the user's; Hypothesis is everybody else.

The machine sends, receives for the worker, and lets it handle what it holds or stop before it has.  At the
end of each example it lets time pass until all is done, and holds the queue to its word: what was sent
has been handled, unless it went to a dead-letter queue.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from queuestream.core.broker import Broker
from queuestream.core.errors import InvalidParameterValue
from queuestream.core.virtual_clock import VirtualClock
from queuestream.testing.strategies import bodies, group_ids, seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import DataObject, SearchStrategy

    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.core.queues.queue import Queue

_TRIES_MAX = 100


class QueueMachine(RuleBasedStateMachine):
    """A queue with a worker.  Subclass it, write `handle`, and run its `TestCase`.

    Attributes:
        bodies: Class attribute: what is sent.
        groups: Class attribute: the message groups of what is sent; None among them on a standard queue.
        attributes: Class attribute: the queue's settings, as of `Broker.create_queue`.
        delivery: Class attribute: how a standard queue misbehaves, a `Delivery` or its name.
        clock: The VirtualClock of the example.
        broker: Its Broker.
        queue: Its Queue.
        held: The messages that the worker has received and not handled yet, the earliest first.
        sent: The bodies of all messages sent, by message id.
        handled: How often each message was handled, by message id.
    """

    bodies: ClassVar[SearchStrategy[str]] = bodies()
    groups: ClassVar[SearchStrategy[str | None]] = st.none() | group_ids()
    attributes: ClassVar[Mapping[str, Any]] = {}
    delivery: ClassVar[Delivery | str] = "adversarial"

    clock: VirtualClock
    broker: Broker
    queue: Queue
    held: list[ReceivedMessage]
    sent: dict[str, str]
    handled: dict[str, int]

    def __init_subclass__(cls) -> None:
        if inspect.iscoroutinefunction(cls.handle):
            raise TypeError(f"{cls.__name__}.handle is called, not awaited: write it without async.")

    # --- what users write ---

    def prepare(self) -> None:
        """Begin an example: make what the worker works on.  The broker and the queue are there."""

    def handle(self, message: ReceivedMessage) -> object:
        """The worker's work with one message.

        Returns:
            False where it did not succeed: the message comes again.  Anything else: it is deleted.
        """
        raise NotImplementedError(f"{type(self).__name__} says in `handle` what its worker does.")

    def check(self) -> None:
        """Assert what holds after every step."""

    def check_at_the_end(self) -> None:
        """Assert what holds when all messages have been handled."""

    # --- what Hypothesis does ---

    @initialize(seed=seeds())
    def begin(self, seed: int) -> None:
        """A new queue."""
        is_fifo = self.attributes.get("fifo_queue", False)
        self.clock = VirtualClock()
        self.broker = Broker(clock=self.clock, seed=seed, delivery=self.delivery)
        self.queue = self.broker.create_queue("queue.fifo" if is_fifo else "queue", **self.attributes)
        self.held, self.sent, self.handled = [], {}, {}
        self.prepare()

    @rule(data=st.data())
    def send(self, data: DataObject) -> None:
        """A producer sends a message."""
        body, group = data.draw(self.bodies, label="body"), data.draw(self.groups, label="group")
        arguments: dict[str, Any] = {"message_group_id": group}
        if self.queue.is_fifo:
            # No two are the same message, whatever their bodies say.
            arguments = {"message_group_id": group or "all", "message_deduplication_id": str(len(self.sent))}
        sent = self.queue.send(body, **arguments)
        self.sent[sent.message_id] = body

    @rule(count=st.integers(1, 10))
    def receive(self, count: int) -> None:
        """The worker receives, without waiting."""
        self.held += self.queue.receive(max_number_of_messages=count)

    @precondition(lambda self: self.held)
    @rule()
    def work(self) -> None:
        """The worker handles the message that it has held longest, and deletes it."""
        self._work(self.held.pop(0))

    @precondition(lambda self: self.held)
    @rule()
    def stop_before_the_delete(self) -> None:
        """The worker handles a message, stops before the delete, and begins anew: it holds nothing."""
        self._handle(self.held[0])
        self.held.clear()

    @precondition(lambda self: self.held)
    @rule()
    def stop(self) -> None:
        """The worker stops, and begins anew: it holds nothing."""
        self.held.clear()

    @rule(seconds=st.sampled_from([0.5, 1, 29, 30, 31, 300]))
    def let_time_pass(self, seconds: float) -> None:
        """Time passes; what the worker holds may come back to the queue."""
        self.clock.advance(seconds=seconds)

    @invariant()
    def holds(self) -> None:
        """What users say holds, and the queue's own books."""
        if hasattr(self, "queue"):
            self.queue.check_invariants()
            self.check()

    def teardown(self) -> None:
        """All is handled, and nothing was lost."""
        if not hasattr(self, "queue"):
            return
        try:
            self._drain()
            left = {message.message_id for queue in self.broker.queues.values() for message in queue.peek()}
            lost = [self.sent[one] for one in self.sent if one not in self.handled and one not in left]
            assert not lost, f"Sent, and never handled: {lost}"
            self.check_at_the_end()
        finally:
            self.broker.close()

    # --- how ---

    def _drain(self) -> None:
        while self.held:
            self._work(self.held.pop(0))
        while any(self.queue.counts()):
            for message in self.queue.receive(max_number_of_messages=10, wait_time_seconds=20):
                assert message.receive_count <= _TRIES_MAX, (
                    f"{message.body!r} was received {_TRIES_MAX} times and never handled; "
                    "a queue whose worker may fail for good needs a dead-letter queue (`redrive_policy`)."
                )
                self._work(message)
            self.check()

    def _work(self, message: ReceivedMessage) -> None:
        if self._handle(message):
            # A FIFO queue's handle is worth nothing any more when its time is over: the message comes again.
            with suppress(InvalidParameterValue):
                self.queue.delete(message)

    def _handle(self, message: ReceivedMessage) -> bool:
        if self.handle(message) is False:
            return False
        self.handled[message.message_id] = self.handled.get(message.message_id, 0) + 1
        return True
