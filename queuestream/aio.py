"""The same queues and streams for asyncio.

    queue = AsyncQueue("emails", visibility_timeout=30)         # alone, or around a Queue that is there:
    queue = AsyncQueue(broker.create_queue("emails"))

    await queue.send("hello")
    for message in await queue.receive(wait_time_seconds=20):
        await queue.delete(message)

Every operation of `Queue` and `Stream` is here under its own name, with its own
parameters, results and errors, to be awaited.  They are the core's operations, which
take microseconds and are done at once.  Two of them wait, without a thread: a `receive`
with a waiting time, and a subscription to a shard (`async for`).

Safe to cancel: a receive that is cancelled has taken nothing, because messages are
taken in the last step, which returns them; and what it was woken for goes to the next
who waits.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from queuestream.core.queues.message_attributes import ALL
from queuestream.core.queues.polling import LongPoll
from queuestream.core.queues.queue import Queue
from queuestream.core.streams.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from queuestream.core.broker import Broker
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.core.streams.fan_out import StartingPosition, SubscribeToShardEvent, Subscription

__all__ = ["AsyncQueue", "AsyncStream", "AsyncSubscription"]

P = ParamSpec("P")
R = TypeVar("R")


def _operation(
    method: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """An operation that waits for nothing, to be awaited."""

    @functools.wraps(method)
    async def operation(wrapped: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(wrapped.core, *args, **kwargs)

    return operation


def _made_like(
    core: Callable[Concatenate[str, P], R],
) -> Callable[[Callable[..., None]], Callable[Concatenate[Any, R | str, P], None]]:
    """Of a constructor: takes an object of the core's class, or the arguments to make one."""

    def as_it_is(constructor: Callable[..., None]) -> Callable[Concatenate[Any, R | str, P], None]:
        constructor.__doc__ = core.__doc__
        return constructor

    return as_it_is


class AsyncQueue:
    """A queue's operations for asyncio.

    Args:
        queue: The `Queue`, or the name and the other arguments of one to make.

    Attributes:
        core: The Queue itself.
    """

    core: Queue

    @_made_like(Queue)
    def __init__(self, queue: Queue | str, **arguments: Any) -> None:
        if not isinstance(queue, Queue):
            queue = Queue(queue, **arguments)
        elif arguments:
            raise TypeError("These arguments make a queue, but there is one already.")
        self.core = queue

    @property
    def broker(self) -> Broker:
        """The broker that the queue belongs to."""
        return self.core.broker

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.core.name

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return self.core.arn

    @property
    def url(self) -> str:
        """The queue's URL."""
        return self.core.url

    @property
    def is_fifo(self) -> bool:
        """Whether it keeps the order of each message group."""
        return self.core.is_fifo

    @property
    def attributes(self) -> QueueAttributes:
        """The queue's settings."""
        return self.core.attributes

    @property
    def tags(self) -> dict[str, str]:
        """The cost allocation tags."""
        return self.core.tags

    @property
    def approximate_number_of_messages(self) -> int:
        """How many messages can be received now."""
        return self.core.approximate_number_of_messages

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """How many messages are in flight."""
        return self.core.approximate_number_of_messages_not_visible

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """How many messages wait for their delay to end."""
        return self.core.approximate_number_of_messages_delayed

    async def receive(
        self,
        *,
        max_number_of_messages: int = 1,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
        message_attribute_names: Iterable[str] = ALL,
        receive_request_attempt_id: str | None = None,
    ) -> list[ReceivedMessage]:
        """Take messages to work on, as `Queue.receive` does; waits without a thread."""
        queue = self.core
        request = queue._check_receive(
            max_number_of_messages,
            visibility_timeout,
            wait_time_seconds,
            message_attribute_names,
            receive_request_attempt_id,
        )
        poll = LongPoll(queue, request)
        try:
            while (messages := poll.attempt()) is None:
                await queue.broker.clock.wait_async(poll.wakeup, poll.until_ns)
        finally:
            poll.close()
        return messages

    send = _operation(Queue.send)
    send_batch = _operation(Queue.send_batch)
    delete = _operation(Queue.delete)
    delete_batch = _operation(Queue.delete_batch)
    change_visibility = _operation(Queue.change_visibility)
    change_visibility_batch = _operation(Queue.change_visibility_batch)
    purge = _operation(Queue.purge)
    counts = _operation(Queue.counts)
    peek = _operation(Queue.peek)
    delete_queue = _operation(Queue.delete_queue)
    set_attributes = _operation(Queue.set_attributes)
    tag = _operation(Queue.tag)
    untag = _operation(Queue.untag)
    add_permission = _operation(Queue.add_permission)
    remove_permission = _operation(Queue.remove_permission)
    list_dead_letter_source_queues = _operation(Queue.list_dead_letter_source_queues)
    start_message_move_task = _operation(Queue.start_message_move_task)
    list_message_move_tasks = _operation(Queue.list_message_move_tasks)

    def __repr__(self) -> str:
        return f"<Async{repr(self.core)[1:]}"


class AsyncStream:
    """A stream's operations for asyncio.

    Args:
        stream: The `Stream`, or the name and the other arguments of one to make.

    Attributes:
        core: The Stream itself.
    """

    core: Stream

    @_made_like(Stream)
    def __init__(self, stream: Stream | str, **arguments: Any) -> None:
        if not isinstance(stream, Stream):
            stream = Stream(stream, **arguments)
        elif arguments:
            raise TypeError("These arguments make a stream, but there is one already.")
        self.core = stream

    @property
    def broker(self) -> Broker:
        """The broker that the stream belongs to."""
        return self.core.broker

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.core.name

    @property
    def arn(self) -> str:
        """The stream's ARN."""
        return self.core.arn

    @property
    def status(self) -> str:
        """`CREATING`, `ACTIVE`, `UPDATING` or `DELETING`."""
        return self.core.status

    @property
    def tags(self) -> dict[str, str]:
        """The stream's tags."""
        return self.core.tags

    async def subscribe_to_shard(
        self,
        consumer_arn: str,
        shard_id: str,
        starting_position: StartingPosition | str,
        dry_run: bool | None = None,
    ) -> AsyncSubscription:
        """Have a shard's records pushed for five minutes, as `Stream.subscribe_to_shard` does."""
        subscription = self.core.subscribe_to_shard(consumer_arn, shard_id, starting_position, dry_run)
        return AsyncSubscription(subscription)

    put_record = _operation(Stream.put_record)
    put_records = _operation(Stream.put_records)
    get_shard_iterator = _operation(Stream.get_shard_iterator)
    get_records = _operation(Stream.get_records)
    peek = _operation(Stream.peek)
    list_shards = _operation(Stream.list_shards)
    describe = _operation(Stream.describe)
    describe_summary = _operation(Stream.describe_summary)
    split_shard = _operation(Stream.split_shard)
    merge_shards = _operation(Stream.merge_shards)
    update_shard_count = _operation(Stream.update_shard_count)
    update_stream_mode = _operation(Stream.update_stream_mode)
    update_stream_warm_throughput = _operation(Stream.update_stream_warm_throughput)
    update_stream_record_distribution_strategy = _operation(Stream.update_stream_record_distribution_strategy)
    update_max_record_size = _operation(Stream.update_max_record_size)
    increase_stream_retention_period = _operation(Stream.increase_stream_retention_period)
    decrease_stream_retention_period = _operation(Stream.decrease_stream_retention_period)
    register_stream_consumer = _operation(Stream.register_stream_consumer)
    deregister_stream_consumer = _operation(Stream.deregister_stream_consumer)
    describe_stream_consumer = _operation(Stream.describe_stream_consumer)
    list_stream_consumers = _operation(Stream.list_stream_consumers)
    tag_consumer = _operation(Stream.tag_consumer)
    untag_consumer = _operation(Stream.untag_consumer)
    consumer_tags = _operation(Stream.consumer_tags)
    consumer_policy = _operation(Stream.consumer_policy)
    set_consumer_policy = _operation(Stream.set_consumer_policy)
    add_tags = _operation(Stream.add_tags)
    remove_tags = _operation(Stream.remove_tags)
    list_tags = _operation(Stream.list_tags)
    start_stream_encryption = _operation(Stream.start_stream_encryption)
    stop_stream_encryption = _operation(Stream.stop_stream_encryption)
    enable_enhanced_monitoring = _operation(Stream.enable_enhanced_monitoring)
    disable_enhanced_monitoring = _operation(Stream.disable_enhanced_monitoring)
    put_resource_policy = _operation(Stream.put_resource_policy)
    get_resource_policy = _operation(Stream.get_resource_policy)
    delete_resource_policy = _operation(Stream.delete_resource_policy)
    delete = _operation(Stream.delete)

    def __repr__(self) -> str:
        return f"<Async{repr(self.core)[1:]}"


class AsyncSubscription:
    """The events of one shard for one consumer, for five minutes, by `async for`; see `Subscription`.

    Args:
        subscription: What waits without a thread here.

    Attributes:
        core: The Subscription itself.
    """

    def __init__(self, subscription: Subscription) -> None:
        self.core = subscription

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SubscribeToShardEvent:
        subscription = self.core
        clock = subscription._stream.broker.clock
        try:
            while (event := subscription.attempt()) is None and not subscription.ended:
                await clock.wait_async(subscription.wakeup, subscription.until_ns)
        finally:
            subscription._stop_waiting()
        if event is None:
            raise StopAsyncIteration
        return event

    def close(self) -> None:
        """End it; iterating stops."""
        self.core.close()
