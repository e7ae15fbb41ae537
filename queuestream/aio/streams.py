"""A stream's operations for asyncio, and the subscriptions to its shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from queuestream.aio.operations import glance, made_like, operation
from queuestream.core.streams.stream import Stream
from queuestream.storage.async_commit import commit_of

if TYPE_CHECKING:
    from queuestream.core.broker import Broker
    from queuestream.core.streams.fan_out import StartingPosition, SubscribeToShardEvent, Subscription


class AsyncStream:
    """A stream's operations for asyncio.

    Args:
        stream: The `Stream`, or the name and the other arguments of one to make.

    Attributes:
        core: The Stream itself.
    """

    core: Stream

    @made_like(Stream)
    def __init__(self, stream: Stream | str, **arguments: Any) -> None:
        if not isinstance(stream, Stream):
            stream = Stream(stream, **arguments)
        elif arguments:
            raise TypeError("These arguments make a stream, but there is one already.")
        self.core = stream
        self._commit = commit_of(stream.broker)

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
        with glance(self._commit):
            return self.core.status

    @property
    def tags(self) -> dict[str, str]:
        """The stream's tags."""
        with glance(self._commit):
            return self.core.tags

    async def subscribe_to_shard(
        self,
        consumer_arn: str,
        shard_id: str,
        starting_position: StartingPosition | str,
        dry_run: bool | None = None,
    ) -> AsyncSubscription:
        """Have a shard's records pushed for five minutes, as `Stream.subscribe_to_shard` does."""
        subscription = await self._subscribe_to_shard(consumer_arn, shard_id, starting_position, dry_run)
        return AsyncSubscription(subscription)

    _subscribe_to_shard = operation(Stream.subscribe_to_shard)
    put_record = operation(Stream.put_record)
    put_records = operation(Stream.put_records)
    get_shard_iterator = operation(Stream.get_shard_iterator)
    get_records = operation(Stream.get_records)
    peek = operation(Stream.peek)
    list_shards = operation(Stream.list_shards)
    describe = operation(Stream.describe)
    describe_summary = operation(Stream.describe_summary)
    split_shard = operation(Stream.split_shard)
    merge_shards = operation(Stream.merge_shards)
    update_shard_count = operation(Stream.update_shard_count)
    update_stream_mode = operation(Stream.update_stream_mode)
    update_stream_warm_throughput = operation(Stream.update_stream_warm_throughput)
    update_stream_record_distribution_strategy = operation(Stream.update_stream_record_distribution_strategy)
    update_max_record_size = operation(Stream.update_max_record_size)
    increase_stream_retention_period = operation(Stream.increase_stream_retention_period)
    decrease_stream_retention_period = operation(Stream.decrease_stream_retention_period)
    register_stream_consumer = operation(Stream.register_stream_consumer)
    deregister_stream_consumer = operation(Stream.deregister_stream_consumer)
    describe_stream_consumer = operation(Stream.describe_stream_consumer)
    list_stream_consumers = operation(Stream.list_stream_consumers)
    tag_consumer = operation(Stream.tag_consumer)
    untag_consumer = operation(Stream.untag_consumer)
    consumer_tags = operation(Stream.consumer_tags)
    consumer_policy = operation(Stream.consumer_policy)
    set_consumer_policy = operation(Stream.set_consumer_policy)
    add_tags = operation(Stream.add_tags)
    remove_tags = operation(Stream.remove_tags)
    list_tags = operation(Stream.list_tags)
    start_stream_encryption = operation(Stream.start_stream_encryption)
    stop_stream_encryption = operation(Stream.stop_stream_encryption)
    enable_enhanced_monitoring = operation(Stream.enable_enhanced_monitoring)
    disable_enhanced_monitoring = operation(Stream.disable_enhanced_monitoring)
    put_resource_policy = operation(Stream.put_resource_policy)
    get_resource_policy = operation(Stream.get_resource_policy)
    delete_resource_policy = operation(Stream.delete_resource_policy)
    delete = operation(Stream.delete)

    def __repr__(self) -> str:
        with glance(self._commit):
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
        self._commit = commit_of(subscription._stream.broker)
        self._nobody_got: SubscribeToShardEvent | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SubscribeToShardEvent:
        steps = self._next()
        if self._commit is None:
            event = await steps
        else:
            event = await self._commit.keep(steps, give_back=self._give_back)
        if event is None:
            raise StopAsyncIteration
        return event

    def _give_back(self, event: SubscribeToShardEvent | None) -> None:
        """Have the next one who asks get what was found for somebody who has gone."""
        self._nobody_got = event

    async def _next(self) -> SubscribeToShardEvent | None:
        event, self._nobody_got = self._nobody_got, None
        if event is not None:
            return event
        subscription = self.core
        clock = subscription._stream.broker.clock
        try:
            while (event := subscription.attempt()) is None and not subscription.ended:
                await clock.wait_async(subscription.wakeup, subscription.until_ns)
        finally:
            subscription._stop_waiting()
        return event

    def close(self) -> None:
        """End it; iterating stops."""
        with glance(self._commit):
            self.core.close()
