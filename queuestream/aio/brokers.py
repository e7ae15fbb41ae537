"""A broker's operations for asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from queuestream.aio.operations import glance, operation
from queuestream.aio.queues import AsyncQueue, AsyncQueuePage
from queuestream.aio.streams import AsyncStream
from queuestream.core.broker import Broker
from queuestream.storage.async_commit import commit_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from queuestream.core.clock import Clock
    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.attribute_types import QueueAttributesDict
    from queuestream.core.streams.settings import StreamArguments


class AsyncBroker:
    """A broker's operations for asyncio; what they give are `AsyncQueue`s and `AsyncStream`s.

    Args:
        broker: The `Broker`; a new one in memory where there is none, made of the other arguments.

    Attributes:
        core: The Broker itself.
    """

    core: Broker

    def __init__(self, broker: Broker | None = None, **arguments: Any) -> None:
        if broker is None:
            broker = Broker(**arguments)
        elif arguments:
            raise TypeError("These arguments make a broker, but there is one already.")
        self.core = broker
        self._commit = commit_of(broker)

    @property
    def clock(self) -> Clock:
        """The broker's clock."""
        return self.core.clock

    @property
    def account_id(self) -> str:
        """The account, part of every ARN and queue URL."""
        return self.core.account_id

    @property
    def region(self) -> str:
        """The region, part of every ARN and queue URL."""
        return self.core.region

    @property
    def delivery(self) -> Delivery:
        """How messages and records are delivered."""
        return self.core.delivery

    # --- open and closed ---

    async def close(self, reason: str = "it was closed") -> None:
        """Take no more calls; those who wait get `BrokerClosed`.  Closing again changes nothing."""
        if self._commit is None:
            self.core.close(reason)
        else:  # what is not in the file yet is written first
            await asyncio.to_thread(self.core.close, reason)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    # --- queues ---

    async def create_queue(
        self,
        queue_name: str,
        *,
        tags: Mapping[str, str] | None = None,
        **attributes: Unpack[QueueAttributesDict],
    ) -> AsyncQueue:
        """A new queue, or the existing one of that name; as `Broker.create_queue`."""
        return AsyncQueue(await self._create_queue(queue_name, tags=tags, **attributes))

    async def queue(self, queue_name: str) -> AsyncQueue:
        """The queue of that name, as `Broker.queue`."""
        return AsyncQueue(await self._queue(queue_name))

    async def queue_by_arn(self, queue_arn: str) -> AsyncQueue:
        """The queue of that ARN, as `Broker.queue_by_arn`."""
        return AsyncQueue(await self._queue_by_arn(queue_arn))

    async def queue_by_url(self, queue_url: str) -> AsyncQueue:
        """The queue of that URL, as `Broker.queue_by_url`."""
        return AsyncQueue(await self._queue_by_url(queue_url))

    async def list_queues(
        self, *, queue_name_prefix: str = "", max_results: int | None = None, next_token: str | None = None
    ) -> AsyncQueuePage:
        """The queues by name, as `Broker.list_queues`."""
        page = await self._list_queues(
            queue_name_prefix=queue_name_prefix, max_results=max_results, next_token=next_token
        )
        return AsyncQueuePage.of(page)

    delete_queue = operation(Broker.delete_queue)

    _create_queue = operation(Broker.create_queue)
    _queue = operation(Broker.queue)
    _queue_by_arn = operation(Broker.queue_by_arn)
    _queue_by_url = operation(Broker.queue_by_url)
    _list_queues = operation(Broker.list_queues)

    # --- streams ---

    async def create_stream(self, name: str, **settings: Unpack[StreamArguments]) -> AsyncStream:
        """Make a stream, as `Broker.create_stream`."""
        return AsyncStream(await self._create_stream(name, **settings))

    async def stream(self, name: str) -> AsyncStream:
        """The stream of that name, as `Broker.stream`."""
        return AsyncStream(await self._stream(name))

    async def stream_by_arn(self, stream_arn: str) -> AsyncStream:
        """The stream of that ARN, as `Broker.stream_by_arn`."""
        return AsyncStream(await self._stream_by_arn(stream_arn))

    list_streams = operation(Broker.list_streams)
    delete_stream = operation(Broker.delete_stream)
    describe_stream_limits = operation(Broker.describe_stream_limits)
    describe_account_settings = operation(Broker.describe_account_settings)
    update_account_settings = operation(Broker.update_account_settings)

    _create_stream = operation(Broker.create_stream)
    _stream = operation(Broker.stream)
    _stream_by_arn = operation(Broker.stream_by_arn)

    # --- message move tasks ---

    start_message_move_task = operation(Broker.start_message_move_task)
    cancel_message_move_task = operation(Broker.cancel_message_move_task)
    list_message_move_tasks = operation(Broker.list_message_move_tasks)

    def __repr__(self) -> str:
        with glance(self._commit):
            return f"<Async{repr(self.core)[1:]}"
