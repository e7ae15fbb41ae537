"""Subscriptions to shards over AWS: events that come over a connection of their own, for five minutes.

They are iterated as the core's are.  What comes is AWS's event stream, an HTTP answer that goes on; over
HTTP/1.1, which boto3 and aiobotocore speak, each subscription keeps a connection.  One that breaks raises
`NoAnswer`, and is not mended: whoever reads goes on with a new subscription after the last event's
`continuation_sequence_number`, as he does after five minutes.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Self

from queuestream.aws.remote.stream_consumers import next_event

if TYPE_CHECKING:
    from queuestream.aws.remote.calls import NextEvent
    from queuestream.aws.remote.engine import AsyncRemoteEngine, RemoteEngine
    from queuestream.core.streams.fan_out import SubscribeToShardEvent


class RemoteSubscription:
    """The events of one shard for one consumer, for five minutes.

    Iterating ends after five minutes, and at the end of a closed shard.  It raises `ResourceInUseException`
    when another subscription took over, `ResourceNotFoundException` when the consumer or the stream went
    away, and `NoAnswer` when the connection broke.

    Attributes:
        ended: Whether no more events come.
    """

    def __init__(self, broker: RemoteEngine, step: NextEvent, shard_id: str) -> None:
        self._broker = broker
        self._step = step
        self._shard_id = shard_id
        # Held by who waits for an event: a connection is not closed under a reader.
        self._reading = threading.Lock()
        self.ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SubscribeToShardEvent:
        with self._reading:
            event = None if self.ended else self._next()
            if self.ended:
                self._step.stream.close()
        if event is None:
            raise StopIteration
        return event

    def _next(self) -> SubscribeToShardEvent | None:
        try:
            event = self._broker._run(next_event(self._step, self._shard_id))
        except BaseException:
            self.ended = True
            self._step.stream.close()
            raise
        if self.ended:
            return None
        self.ended = event is None or event.continuation_sequence_number is None
        return event

    def close(self) -> None:
        """End it; iterating stops, in another thread with the next event, which comes within five seconds."""
        self.ended = True
        if self._reading.acquire(blocking=False):
            try:
                self._step.stream.close()
            finally:
                self._reading.release()


class AsyncRemoteSubscription:
    """The events of one shard for one consumer, for five minutes, by `async for`; see `RemoteSubscription`.

    Safe to cancel: an event that nobody waits for any more is the next one.

    Attributes:
        ended: Whether no more events come.
    """

    def __init__(self, broker: AsyncRemoteEngine, step: NextEvent, shard_id: str) -> None:
        self._broker = broker
        self._step = step
        self._shard_id = shard_id
        self._coming: asyncio.Task[SubscribeToShardEvent | None] | None = None
        self.ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SubscribeToShardEvent:
        if self.ended:
            raise StopAsyncIteration
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._broker._run(next_event(self._step, self._shard_id)))
            self._coming.add_done_callback(_forget_error)
        coming = self._coming
        # A task that is cancelled in a read takes the stream with it; so the read goes on by itself.
        await asyncio.wait((coming,))
        self._coming = None
        error = coming.exception()
        event = coming.result() if error is None else None
        was_closed = self.ended
        if was_closed or event is None or event.continuation_sequence_number is None:
            self.close()
        if error is not None and not was_closed:
            raise error
        if event is None or was_closed:
            raise StopAsyncIteration
        return event

    def close(self) -> None:
        """End it; iterating stops."""
        self.ended = True
        self._step.stream.close()


def _forget_error(task: asyncio.Task[object]) -> None:
    """Have asyncio not complain of an error that nobody asks for, as he has closed what it is about."""
    if not task.cancelled():
        task.exception()
