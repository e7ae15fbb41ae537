"""Which message is the oldest: what the retention period removes next.

Messages are sent in the order of their ages, so they stand in a deque; the few that
arrive with an age of their own (a dead-letter queue keeps the time at which a message
was first sent) stand in a heap beside it.  A message that is gone is dropped when it
comes to the front, and all of them at once when they are as many as the rest, so that
a single message that stays for days keeps nobody else's memory.

AWS: "MessageRetentionPeriod" of SetQueueAttributes; "Setting up dead-letter queue
retention" in the SQS developer guide.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from queuestream.core.queues.message import GONE, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLEANING_MIN = 64


class Ages:
    """Every message of one queue, the oldest first."""

    __slots__ = ("_arrivals", "_elders", "_gone", "add")

    def __init__(self) -> None:
        self._arrivals: deque[Message] = deque()
        self._elders: list[tuple[int, int, Message]] = []  # a heap of (sent, number, message)
        self._gone = 0
        # Takes in a message that was just sent to this queue.  On the way of every message: the deque's own.
        self.add = self._arrivals.append

    def __len__(self) -> int:
        return len(self._arrivals) + len(self._elders) - self._gone

    def __iter__(self) -> Iterator[Message]:
        """All messages, in the order in which the queue took them in."""
        elders = (message for _, _, message in self._elders)
        merged = (
            sorted((*self._arrivals, *elders), key=lambda message: message.number)
            if self._elders
            else self._arrivals
        )
        return (message for message in merged if message.state != GONE)

    def add_elder(self, message: Message) -> None:
        """Take in a message that was sent earlier, to another queue."""
        heappush(self._elders, (message.sent_ns, message.number, message))

    def remember(self, messages: Iterable[Message]) -> None:
        """Take in messages that were here before, in the order of their numbers."""
        latest_ns = 0
        for message in messages:
            if message.sent_ns >= latest_ns:
                latest_ns = message.sent_ns
                self._arrivals.append(message)
            else:
                self.add_elder(message)

    def forget(self, message: Message) -> None:
        """A message is GONE now."""
        arrivals, elders = self._arrivals, self._elders
        if arrivals and arrivals[0] is message and not self._gone:
            arrivals.popleft()
            return
        self._gone += 1
        while arrivals and arrivals[0].state == GONE:
            arrivals.popleft()
            self._gone -= 1
        while elders and elders[0][2].state == GONE:
            heappop(elders)
            self._gone -= 1
        if self._gone > _CLEANING_MIN and self._gone * 2 > len(arrivals) + len(elders):
            self._arrivals = deque(message for message in arrivals if message.state != GONE)
            self.add = self._arrivals.append
            self._elders = [entry for entry in elders if entry[2].state != GONE]
            heapify(self._elders)
            self._gone = 0

    def up_to(self, instant_ns: int) -> list[Message]:
        """The messages that were sent at an instant or before; costs in proportion to their number."""
        found: list[Message] = []
        for message in self._arrivals:
            if message.sent_ns > instant_ns:
                break
            if message.state != GONE:
                found.append(message)
        # In a heap, what stands below an entry is not smaller: no need to look there.
        places = [0]
        while places:
            place = places.pop()
            if place < len(self._elders) and self._elders[place][0] <= instant_ns:
                if self._elders[place][2].state != GONE:
                    found.append(self._elders[place][2])
                places += (2 * place + 1, 2 * place + 2)
        return found

    def oldest(self) -> Message | None:
        """The message that the retention period removes next; None where there is no message."""
        arrivals, elders = self._arrivals, self._elders
        if elders and (not arrivals or elders[0][0] < arrivals[0].sent_ns):
            return elders[0][2]
        return arrivals[0] if arrivals else None

    def check_invariants(self) -> None:
        """Assert what the index relies on; cost grows with its size."""
        sent = [message.sent_ns for message in self._arrivals]
        assert sent == sorted(sent)
        held = [*self._arrivals, *(message for _, _, message in self._elders)]
        assert sum(message.state == GONE for message in held) == self._gone
        assert not held or self.oldest() is not None
