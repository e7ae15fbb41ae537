"""A FIFO queue: the same tasks, in order for each key, however often a worker fails.

A key is a message group.  While a task of a group is in flight, no later one of the group is
handed out, so a failure holds up its own key and nobody else's.  There is no dead-letter
queue here, on purpose: to set a task aside would let the next one overtake it.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from typing import TYPE_CHECKING

from queuestream.demo.queue_story import TWO_WEEKS, Delivery

if TYPE_CHECKING:
    from queuestream.core.broker import Broker
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.demo.gateway import Gateway
    from queuestream.demo.records import Record

SENT_TWICE = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 10, 3_600  # seconds


class FifoStory:
    """The queue, a producer that sometimes sends twice, and a worker that sometimes fails.

    Attributes:
        deliveries: What the workers saw, in order.
        repeats: How many tasks were sent a second time.
    """

    def __init__(self, broker: Broker, gateway: Gateway, seed: int) -> None:
        self._clock = broker.clock
        self._gateway = gateway
        self._chance = random.Random(f"repeats {seed}")
        self.queue = broker.create_queue(
            "notify.fifo", fifo_queue=True, visibility_timeout=60, message_retention_period=TWO_WEEKS
        )
        self.deliveries: list[Delivery] = []
        self.repeats = 0

    def send(self, record: Record) -> None:
        """The producer: where the answer gets lost it sends again, and the queue knows the task already.

        That happens to the first task, and to a tenth of the others.
        """
        self._send(record)
        if not self.repeats or self._chance.random() < SENT_TWICE:
            self._send(record)
            self.repeats += 1

    def _send(self, record: Record) -> None:
        self.queue.send(
            json.dumps({"line": record.line, "notify": record.key}),
            message_group_id=group_of(record.key),
            message_deduplication_id=str(record.line),
        )

    def work(self) -> None:
        """A worker takes one task at a time, and puts back what fails, for longer each time.

        With ten in its hands it would have to stop at the first failure of a group, or it
        would do the group's next task before this one.
        """
        for message in iter(self._receive_one, None):
            line = json.loads(message.body)["line"]
            done = self._gateway.accepts(line, attempt=message.receive_count)
            if done:
                self.queue.delete(message)
            else:
                doublings = min(message.receive_count - 1, 10)
                self.queue.change_visibility(message, min(FIRST_PAUSE << doublings, LONGEST_PAUSE))
            self.deliveries.append(Delivery(line, self._clock.now_ns(), done))

    def _receive_one(self) -> ReceivedMessage | None:
        return next(iter(self.queue.receive()), None)


def group_of(key: str) -> str:
    """The key itself where it may be a message group id: 1 to 128 printable ASCII characters, no space."""
    if re.fullmatch(r"[!-~]{1,128}", key):
        return key
    return f"sha256-{hashlib.sha256(key.encode()).hexdigest()}"
