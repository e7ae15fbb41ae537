"""Answers that are not there yet: long polls, pauses of a fault plan, the events of a subscription.

Each is one task that sleeps until there is news for it, its time has come, its client has gone, or the
server stops.  Whoever has gone is given nothing: what a poll takes from a queue would be lost until
its visibility timeout.  When the server stops, open polls answer with what is there, and
subscriptions end as they do after their five minutes.

On a clock that is moved by hand a long poll's time may never come, so that it is counted in real seconds,
too: a client that asked to wait twenty seconds has its answer after twenty seconds at the latest.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from queuestream.aws.calls import Later
from queuestream.core.clock import SECOND
from queuestream.core.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from queuestream.aws.calls import Waits
    from queuestream.aws.front_end.http import EventBody
    from queuestream.core.clock import Clock
    from queuestream.storage.async_commit import AsyncCommit


class ClientLeft(Exception):
    """Nobody is there any more to be answered."""


class Presence:
    """Whether a client is still there; nobody looks before somebody asks.

    Args:
        leaves: Returns when the client has left.
    """

    __slots__ = ("_gone", "_leaves")

    def __init__(self, leaves: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._leaves = leaves
        self._gone: asyncio.Task[Any] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the client was seen leaving."""
        return self._gone is not None and self._gone.done()

    def call_at_the_end(self, callback: Callable[[], object]) -> None:
        """From now on look, and call when the client leaves."""
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_task(self._leaves())
        self._gone.add_done_callback(lambda _: callback())

    def forget(self) -> None:
        """Look no longer."""
        if self._gone is not None:
            self._gone.cancel()


class Waiting:
    """All who wait for an answer of this server.  One event loop's, except `stop`, which any thread may call.

    Args:
        clock: What long polls wait on.
        commit: What tasks wait for the disk with, where there is one.

    Attributes:
        stopped: Whether nobody waits any longer.
    """

    def __init__(self, clock: Clock, commit: AsyncCommit | None = None) -> None:
        self._clock = clock
        self._commit = commit
        self._by_hand = isinstance(clock, VirtualClock)
        self._polls: set[Waits] = set()
        self._bodies: set[EventBody] = set()
        self.stopped = False

    def __len__(self) -> int:
        return len(self._polls) + len(self._bodies)

    def stop(self) -> None:
        """Let everybody who waits have an answer now, and whoever comes later, too."""
        self.stopped = True
        for poll in list(self._polls):
            _expire(poll)
        for body in list(self._bodies):
            _look_again(body)

    async def answer(self, later: Later, presence: Presence) -> Any:
        """What a `Later` answers in the end.

        Raises:
            ClientLeft: It has left first.
        """
        answer: Any = later
        while isinstance(answer, Later):
            answer = answer.answer(await self._found(answer.poll, presence))
        return answer

    async def pieces(self, body: EventBody, presence: Presence) -> AsyncGenerator[bytes, None]:
        """The pieces of a body that goes on, until it ends or the client leaves."""
        commit = self._commit
        self._bodies.add(body)
        presence.call_at_the_end(lambda: _look_again(body))
        try:
            while not (self.stopped or presence.is_over):
                piece = body.attempt() if commit is None else await commit.call(body.attempt)
                if piece is not None:
                    yield piece
                elif body.ended:
                    return
                else:
                    await self._clock.wait_async(body.wakeup, body.until_ns)
        finally:
            self._bodies.discard(body)
            with nullcontext() if commit is None else commit.glance():
                body.close()

    async def _found(self, poll: Waits, presence: Presence) -> Any:
        timer: asyncio.TimerHandle | None = None
        if self.stopped:
            poll.expire()
        self._polls.add(poll)
        try:
            found = poll.attempt()
            if found is None:
                presence.call_at_the_end(lambda: _look_again(poll))
                if self._by_hand and poll.deadline_ns is not None:
                    seconds = (poll.deadline_ns - self._clock.now_ns()) / SECOND
                    timer = asyncio.get_running_loop().call_later(seconds, _expire, poll)
            while found is None:
                await self._clock.wait_async(poll.wakeup, poll.until_ns)
                if presence.is_over:
                    raise ClientLeft
                found = poll.attempt()
        finally:
            self._polls.discard(poll)
            poll.close()
            if timer is not None:
                timer.cancel()
        return found


def _expire(poll: Waits) -> None:
    poll.expire()
    _look_again(poll)


def _look_again(waits: Waits | EventBody) -> None:
    waits.wakeup.nudge()  # which is another one after each attempt
