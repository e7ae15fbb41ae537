"""The play: the three stories on one virtual clock.

The clock goes from one thing that happens to the next: a record of the input, a task that
comes back, the reader's hourly visit, the evening's look at the dead letters, the fix twelve
hours later.  Nothing waits in real time, so two weeks pass while the program runs for a
second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.broker import Broker
from queuestream.core.clock import HOUR, SECOND
from queuestream.core.virtual_clock import VirtualClock
from queuestream.demo.fifo_story import FifoStory
from queuestream.demo.gateway import Gateway
from queuestream.demo.queue_story import QueueStory
from queuestream.demo.stream_story import StreamStory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queuestream.core.queues.queue import Queue
    from queuestream.demo.records import Record

FIRST_LOOK = 18 * HOUR
FIX_TAKES = 12 * HOUR
DAY = 24 * HOUR

# A week after the last record nobody waits any longer: what has not come by then counts as lost.
_PATIENCE = 7 * DAY


class Play:
    """The stories, who acts in them, and what they saw.

    Args:
        records: At least one, in the order of their times, and one task among them.
        seed: Decides what fails and what is sent twice, and every id.

    Attributes:
        started_ns: When the clock began to run.
        now_ns: What it shows.
    """

    def __init__(self, records: Sequence[Record], seed: int) -> None:
        self.records = records
        self.tasks = [record.line for record in records if record.is_task]
        self.started_ns = records[0].at_ns // DAY * DAY
        self._clock = VirtualClock(start=self.started_ns // SECOND)
        self.broker = Broker(clock=self._clock, seed=seed)
        self._gateways = Gateway(self.tasks, seed), Gateway(self.tasks, seed)
        self.poisonous = self._gateways[0].poisonous
        self.stream = StreamStory(self.broker)
        self.queue = QueueStory(self.broker, self._gateways[0])
        self.fifo = FifoStory(self.broker, self._gateways[1], seed)
        self._next_reading_ns = self.started_ns + HOUR
        self._next_look_ns = self.started_ns + FIRST_LOOK
        self._fix_at_ns: int | None = None
        self._to_fix: list[int] = []
        self._due_ns = self._next_due_ns()

    @property
    def now_ns(self) -> int:
        """The time on the stage."""
        return self._clock.now_ns()

    def run(self, progress: Callable[[int], object] = lambda _: None) -> None:
        """Play it from the first record to the last task.

        Args:
            progress: Told, now and then, how many records have been played.
        """
        operations = (self.stream.split, self.stream.split, self.stream.merge)
        reshards = [(len(self.records) * quarter // 4, each) for quarter, each in enumerate(operations, 1)]
        a_percent = max(1, len(self.records) // 100)
        for count, record in enumerate(self.records):
            while reshards and reshards[0][0] <= count:
                reshards.pop(0)[1]()
            self._let_time_pass(record.at_ns)
            self._happens(record)
            if count % a_percent == 0:
                progress(count)
        self._finish()
        progress(len(self.records))

    def _happens(self, record: Record) -> None:
        self.stream.put(record)
        if record.is_task:
            self.queue.send(record)
            self.fifo.send(record)
            if not self.queue.deliveries:
                self.queue.take_and_die()
            self._work()

    def _work(self) -> None:
        """The workers do what there is to do, and then it is known when to look again."""
        self.queue.work()
        self.fifo.work()
        self._due_ns = self._next_due_ns()

    def _let_time_pass(self, until_ns: int) -> None:
        """Go from one thing that is due to the next, up to an instant."""
        while self._due_ns <= until_ns:
            self._clock.advance(nanoseconds=self._due_ns - self.now_ns)
            self._act()
        self._clock.advance(nanoseconds=until_ns - self.now_ns)

    def _next_due_ns(self) -> int:
        due = [self._next_reading_ns, self._fix_at_ns or self._next_look_ns]
        # A message that comes back, or is moved, or has been kept for too long.
        due += [at_ns for queue in self._queues() if (at_ns := queue.next_event_ns()) and at_ns > self.now_ns]
        return min(due)

    def _queues(self) -> tuple[Queue, Queue]:
        return self.queue.queue, self.fifo.queue

    def _act(self) -> None:
        """Those whose time has come do their work."""
        now_ns = self.now_ns
        if self._fix_at_ns is None and now_ns >= self._next_look_ns:
            self._look_at_dead_letters()
        elif self._fix_at_ns is not None and now_ns >= self._fix_at_ns:
            self._fix()
        if now_ns >= self._next_reading_ns:
            self.stream.reader.read()
            self._next_reading_ns += HOUR
        self._work()

    def _look_at_dead_letters(self) -> None:
        self._next_look_ns += DAY
        self._to_fix = self.queue.look_at_dead_letters()
        if self._to_fix:
            self._fix_at_ns = self.now_ns + FIX_TAKES

    def _fix(self) -> None:
        self._fix_at_ns = None
        for gateway in self._gateways:
            gateway.fix(self._to_fix)
        self.queue.redrive()

    def _finish(self) -> None:
        """Go on until every queue is empty, and read the stream to its end."""
        until_ns = self.now_ns + _PATIENCE
        queues = *self._queues(), self.queue.dead_letters
        while self._due_ns <= until_ns and any(map(_holds_messages, queues)):
            self._let_time_pass(self._due_ns)
        self.stream.reader.read()


def _holds_messages(queue: Queue) -> bool:
    return any(queue.counts())
