"""A receive that waits: tried again whenever there may be something to receive.

A long poll does not wait by itself: it says what to wait for, so that a thread
(`Queue.receive`) and an asyncio task (`AsyncQueue.receive`) wait each in its own way:

    poll = LongPoll(queue, request)
    try:
        while (messages := poll.attempt()) is None:
            clock.wait(poll.wakeup, poll.until_ns)
    finally:
        poll.close()

Whoever sends a message wakes one of those who wait, in the order in which they came.
A poll that was woken and gives up without having looked passes the news on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.clock import Wakeup

if TYPE_CHECKING:
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.core.queues.receiving import ReceiveRequest, Receiving


class LongPoll:
    """One receive that waits for messages.

    Args:
        queue: The queue that is polled.
        request: What to receive, and how long to wait at most, from the first attempt on.

    Attributes:
        wakeup: Set when there may be something to receive.
        until_ns: When to try again if nobody sets it.
        deadline_ns: When it answers at the latest; None before the first attempt.
    """

    __slots__ = ("_in_line", "_queue", "_request", "deadline_ns", "until_ns", "wakeup")

    wakeup: Wakeup
    until_ns: int
    deadline_ns: int | None

    def __init__(self, queue: Receiving, request: ReceiveRequest) -> None:
        self._queue = queue
        self._request = request
        self.deadline_ns = None
        self._in_line = False

    def attempt(self) -> list[ReceivedMessage] | None:
        """Messages, or none because the time is up; None while it is worth waiting on."""
        queue = self._queue
        with queue.broker.lock:
            queue._waiting.pop(self, None)
            self._in_line = False
            now_ns = queue._look_at_the_time()
            if self.deadline_ns is None:
                if queue._throughput is not None:
                    queue._throughput.take("ReceiveMessage", (), now_ns)
                self.deadline_ns = now_ns + self._request[-1]
            messages = queue._receive_at(self._request, now_ns)
            if messages or now_ns >= self.deadline_ns:
                return messages
            self.wakeup = Wakeup()
            # What expires in flight may open its message group, or make room for another one.
            event_ns = queue.next_event_ns()
            self.until_ns = self.deadline_ns if event_ns is None else min(self.deadline_ns, event_ns)
            self._in_line = True
            queue._waiting[self] = None
        return None

    def expire(self) -> None:
        """Its time is up: the next attempt answers, if only with nothing."""
        self.deadline_ns = 0

    def close(self) -> None:
        """Stop waiting; safe to call at any time."""
        if not self._in_line:  # only who waits changes that
            return
        queue = self._queue
        with queue.broker.lock:
            if self not in queue._waiting:
                # It was woken and has not looked: somebody else may want to.
                queue._wake(1)
            queue._waiting.pop(self, None)
            self._in_line = False
