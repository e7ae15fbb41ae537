"""A standard queue: tasks that fail come back, and those that always fail are set aside.

A worker that cannot do a task simply doesn't delete it: the task comes back when its
visibility timeout has passed.  What was handed out three times without success goes to the
dead-letter queue, where somebody looks at it; after the fix, a message move task brings it
back to where it came from.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from queuestream.core.queues.redrive_policy import RedrivePolicy

if TYPE_CHECKING:
    from queuestream.core.broker import Broker
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.demo.gateway import Gateway
    from queuestream.demo.records import Record

TWO_WEEKS = 1_209_600  # seconds: as long as SQS keeps a message at most
TWELVE_HOURS = 43_200  # seconds: the longest visibility timeout
MAX_RECEIVE_COUNT = 3


# One for each delivery: not frozen, because speed decided; read-only by convention.
@attrs.define
class Delivery:
    """What a worker saw: a task was handed to it, and it was done or not.

    Attributes:
        line: The task.
        at_ns: When, in nanoseconds since the epoch.
        done: Whether it was done, and deleted.
    """

    line: int
    at_ns: int
    done: bool


class QueueStory:
    """The queue with its dead-letter queue, and the people around it.

    Attributes:
        deliveries: What the workers saw, in order.
        dead_letters_seen: The tasks found in the dead-letter queue, in order.
    """

    def __init__(self, broker: Broker, gateway: Gateway) -> None:
        self._clock = broker.clock
        self._gateway = gateway
        self.dead_letters = broker.create_queue("notify-dead-letters", message_retention_period=TWO_WEEKS)
        self.queue = broker.create_queue(
            "notify",
            visibility_timeout=3_600,
            message_retention_period=TWO_WEEKS,
            redrive_policy=RedrivePolicy(
                dead_letter_target_arn=self.dead_letters.arn, max_receive_count=MAX_RECEIVE_COUNT
            ),
        )
        self.deliveries: list[Delivery] = []
        self.dead_letters_seen: list[int] = []

    def send(self, record: Record) -> None:
        """The task names its record and doesn't carry it, so it is small however large the record is."""
        self.queue.send(json.dumps({"line": record.line, "notify": record.key}))

    def work(self) -> None:
        """A worker takes what there is, ten at a time; what fails it leaves alone, and it comes back."""
        while messages := self.queue.receive(max_number_of_messages=10):
            for message in messages:
                line = _line_of(message)
                done = self._gateway.accepts(line, attempt=message.receive_count)
                if done:
                    self.queue.delete(message)
                self._saw(line, done=done)

    def take_and_die(self) -> None:
        """A worker takes a task for twelve hours, and is never heard of again."""
        for message in self.queue.receive(visibility_timeout=TWELVE_HOURS):
            self._saw(_line_of(message), done=False)

    def look_at_dead_letters(self) -> list[int]:
        """What has failed for good, read as from any queue; a minute later all of it is visible again."""
        lines = []
        while messages := self.dead_letters.receive(max_number_of_messages=10, visibility_timeout=60):
            lines += [_line_of(message) for message in messages]
        self.dead_letters_seen += lines
        return lines

    def redrive(self) -> None:
        """Back to the queue that they failed in, up to 500 a second, as new messages."""
        self.dead_letters.start_message_move_task()

    def _saw(self, line: int, *, done: bool) -> None:
        self.deliveries.append(Delivery(line, self._clock.now_ns(), done))


def _line_of(message: ReceivedMessage) -> int:
    line: int = json.loads(message.body)["line"]
    return line
