"""Streams over AWS: every operation of `Stream`, for threads and for asyncio.

What a call does is in `stream_operations`; here it becomes a method.  Subscriptions to shards stand beside
(`subscriptions`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from queuestream.aws.remote.engine import Asked, async_operation, not_supported, operation
from queuestream.aws.remote.stream_operations import StreamOperations
from queuestream.aws.remote.subscriptions import AsyncRemoteSubscription, RemoteSubscription
from queuestream.core.streams.stream import Stream

if TYPE_CHECKING:
    from queuestream.aws.remote.broker_streams import AsyncRemoteBrokerStreams, RemoteBrokerStreams
    from queuestream.core.streams.fan_out import StartingPosition

_NO_PEEK = "get_shard_iterator() and get_records() read without a side effect, too."


class _Named:
    """What both kinds of stream have without asking AWS."""

    broker: RemoteBrokerStreams | AsyncRemoteBrokerStreams
    _operations: StreamOperations

    @property
    def name(self) -> str:
        """The stream's name."""
        return self._operations.name

    @property
    def arn(self) -> str:
        """The stream's ARN."""
        return self._operations.arn

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Named):
            return NotImplemented
        return self.broker is other.broker and self.arn == other.arn

    def __hash__(self) -> int:
        return hash((id(self.broker), self.arn))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} in {self.broker.region}>"


class RemoteStream(_Named):
    """A Kinesis data stream at AWS; safe to share between threads.

    It has the operations of `Stream`, with the same parameters, values and errors.  What differs:

    - A call that changes a stream or consumer returns when AWS is done, which may take a minute (`wait`).
    - `status`, `tags` and `created_at_ns` ask AWS each time.
    - A record that was put has no arrival time, and no record has a `number`, an `end` or a `shard`
      (`RemoteRecord`).
    - Whoever uses an iterator that he did not get from this process reads records without a `shard_id`.
    - There is no `peek`, and there are no `limits` and no `settings`: `describe_summary` says what is set.

    Made by `create_stream`, `stream` and `stream_by_arn` of a broker.

    Attributes:
        broker: The broker that it belongs to.
    """

    broker: RemoteBrokerStreams

    def __init__(self, broker: RemoteBrokerStreams, operations: StreamOperations) -> None:
        self.broker = broker
        self._operations = operations

    @property
    def status(self) -> str:
        """`CREATING`, `ACTIVE`, `UPDATING` or `DELETING`."""
        return self.broker._run(self._operations.status())

    @property
    def tags(self) -> dict[str, str]:
        """All tags, by their keys."""
        return self.broker._run(self._operations.tags())

    @property
    def created_at_ns(self) -> int:
        """When the stream was made, as exactly as AWS says it."""
        return self.broker._run(self._operations.created_at_ns())

    def subscribe_to_shard(
        self,
        consumer_arn: str,
        shard_id: str,
        starting_position: StartingPosition | str,
        dry_run: bool | None = None,
    ) -> RemoteSubscription:
        """Have a shard's records pushed for five minutes, as `Stream.subscribe_to_shard` does."""
        steps = self._operations.subscribe(consumer_arn, shard_id, starting_position, dry_run)
        return RemoteSubscription(self.broker, self.broker._run(steps), shard_id)

    put_record = operation(Stream.put_record, StreamOperations.put_record)
    put_records = operation(Stream.put_records, StreamOperations.put_records)
    get_shard_iterator = operation(Stream.get_shard_iterator, StreamOperations.get_shard_iterator)
    get_records = operation(Stream.get_records, StreamOperations.get_records)
    list_shards = operation(Stream.list_shards, StreamOperations.list_shards)
    describe = operation(Stream.describe, StreamOperations.describe)
    describe_summary = operation(Stream.describe_summary, StreamOperations.describe_summary)
    split_shard = operation(Stream.split_shard, StreamOperations.split_shard)
    merge_shards = operation(Stream.merge_shards, StreamOperations.merge_shards)
    update_shard_count = operation(Stream.update_shard_count, StreamOperations.update_shard_count)
    update_stream_mode = operation(Stream.update_stream_mode, StreamOperations.update_stream_mode)
    update_stream_warm_throughput = operation(
        Stream.update_stream_warm_throughput, StreamOperations.update_stream_warm_throughput
    )
    update_stream_record_distribution_strategy = operation(
        Stream.update_stream_record_distribution_strategy,
        StreamOperations.update_stream_record_distribution_strategy,
    )
    update_max_record_size = operation(Stream.update_max_record_size, StreamOperations.update_max_record_size)
    increase_stream_retention_period = operation(
        Stream.increase_stream_retention_period, StreamOperations.increase_stream_retention_period
    )
    decrease_stream_retention_period = operation(
        Stream.decrease_stream_retention_period, StreamOperations.decrease_stream_retention_period
    )
    register_stream_consumer = operation(
        Stream.register_stream_consumer, StreamOperations.register_stream_consumer
    )
    deregister_stream_consumer = operation(
        Stream.deregister_stream_consumer, StreamOperations.deregister_stream_consumer
    )
    describe_stream_consumer = operation(
        Stream.describe_stream_consumer, StreamOperations.describe_stream_consumer
    )
    list_stream_consumers = operation(Stream.list_stream_consumers, StreamOperations.list_stream_consumers)
    tag_consumer = operation(Stream.tag_consumer, StreamOperations.tag_consumer)
    untag_consumer = operation(Stream.untag_consumer, StreamOperations.untag_consumer)
    consumer_tags = operation(Stream.consumer_tags, StreamOperations.consumer_tags)
    consumer_policy = operation(Stream.consumer_policy, StreamOperations.consumer_policy)
    set_consumer_policy = operation(Stream.set_consumer_policy, StreamOperations.set_consumer_policy)
    add_tags = operation(Stream.add_tags, StreamOperations.add_tags)
    remove_tags = operation(Stream.remove_tags, StreamOperations.remove_tags)
    list_tags = operation(Stream.list_tags, StreamOperations.list_tags)
    start_stream_encryption = operation(
        Stream.start_stream_encryption, StreamOperations.start_stream_encryption
    )
    stop_stream_encryption = operation(Stream.stop_stream_encryption, StreamOperations.stop_stream_encryption)
    enable_enhanced_monitoring = operation(
        Stream.enable_enhanced_monitoring, StreamOperations.enable_enhanced_monitoring
    )
    disable_enhanced_monitoring = operation(
        Stream.disable_enhanced_monitoring, StreamOperations.disable_enhanced_monitoring
    )
    put_resource_policy = operation(Stream.put_resource_policy, StreamOperations.put_resource_policy)
    get_resource_policy = operation(Stream.get_resource_policy, StreamOperations.get_resource_policy)
    delete_resource_policy = operation(Stream.delete_resource_policy, StreamOperations.delete_resource_policy)
    delete = operation(Stream.delete, StreamOperations.delete)

    # --- what AWS has not ---

    @property
    def limits(self) -> NoReturn:
        """The quotas are those of the account; see `describe_stream_limits` of the broker."""
        raise not_supported("limits of a stream", "The broker's describe_stream_limits() has some quotas.")

    @property
    def settings(self) -> NoReturn:
        """What is set about a stream is in `describe_summary`."""
        raise not_supported("settings of a stream", "describe_summary() says what is set about a stream.")

    def peek(self) -> NoReturn:
        """AWS does not show records without an iterator."""
        raise not_supported("peek", _NO_PEEK)

    def next_event_ns(self) -> NoReturn:
        """AWS does not say when time changes something."""
        raise not_supported("next_event_ns", "It is for a clock that the caller owns.")

    def check_invariants(self) -> NoReturn:
        """AWS does not show what it is made of."""
        raise not_supported("check_invariants", "It is for a broker in this process.")


class AsyncRemoteStream(_Named):
    """A Kinesis data stream at AWS, for asyncio; see `RemoteStream`.

    Every operation is to be awaited, and so are `status`, `tags` and `created_at_ns`, because AWS is asked.

    Attributes:
        broker: The broker that it belongs to.
    """

    broker: AsyncRemoteBrokerStreams

    def __init__(self, broker: AsyncRemoteBrokerStreams, operations: StreamOperations) -> None:
        self.broker = broker
        self._operations = operations

    @property
    def status(self) -> Asked[str]:
        """`CREATING`, `ACTIVE`, `UPDATING` or `DELETING`, to be awaited."""
        return Asked(lambda: self.broker._run(self._operations.status()), "status")

    @property
    def tags(self) -> Asked[dict[str, str]]:
        """All tags, by their keys, to be awaited."""
        return Asked(lambda: self.broker._run(self._operations.tags()), "tags")

    @property
    def created_at_ns(self) -> Asked[int]:
        """When the stream was made, as exactly as AWS says it, to be awaited."""
        return Asked(lambda: self.broker._run(self._operations.created_at_ns()), "created_at_ns")

    async def subscribe_to_shard(
        self,
        consumer_arn: str,
        shard_id: str,
        starting_position: StartingPosition | str,
        dry_run: bool | None = None,
    ) -> AsyncRemoteSubscription:
        """Have a shard's records pushed for five minutes, as `Stream.subscribe_to_shard` does."""
        steps = self._operations.subscribe(consumer_arn, shard_id, starting_position, dry_run)
        return AsyncRemoteSubscription(self.broker, await self.broker._run(steps), shard_id)

    put_record = async_operation(Stream.put_record, StreamOperations.put_record)
    put_records = async_operation(Stream.put_records, StreamOperations.put_records)
    get_shard_iterator = async_operation(Stream.get_shard_iterator, StreamOperations.get_shard_iterator)
    get_records = async_operation(Stream.get_records, StreamOperations.get_records)
    list_shards = async_operation(Stream.list_shards, StreamOperations.list_shards)
    describe = async_operation(Stream.describe, StreamOperations.describe)
    describe_summary = async_operation(Stream.describe_summary, StreamOperations.describe_summary)
    split_shard = async_operation(Stream.split_shard, StreamOperations.split_shard)
    merge_shards = async_operation(Stream.merge_shards, StreamOperations.merge_shards)
    update_shard_count = async_operation(Stream.update_shard_count, StreamOperations.update_shard_count)
    update_stream_mode = async_operation(Stream.update_stream_mode, StreamOperations.update_stream_mode)
    update_stream_warm_throughput = async_operation(
        Stream.update_stream_warm_throughput, StreamOperations.update_stream_warm_throughput
    )
    update_stream_record_distribution_strategy = async_operation(
        Stream.update_stream_record_distribution_strategy,
        StreamOperations.update_stream_record_distribution_strategy,
    )
    update_max_record_size = async_operation(
        Stream.update_max_record_size, StreamOperations.update_max_record_size
    )
    increase_stream_retention_period = async_operation(
        Stream.increase_stream_retention_period, StreamOperations.increase_stream_retention_period
    )
    decrease_stream_retention_period = async_operation(
        Stream.decrease_stream_retention_period, StreamOperations.decrease_stream_retention_period
    )
    register_stream_consumer = async_operation(
        Stream.register_stream_consumer, StreamOperations.register_stream_consumer
    )
    deregister_stream_consumer = async_operation(
        Stream.deregister_stream_consumer, StreamOperations.deregister_stream_consumer
    )
    describe_stream_consumer = async_operation(
        Stream.describe_stream_consumer, StreamOperations.describe_stream_consumer
    )
    list_stream_consumers = async_operation(
        Stream.list_stream_consumers, StreamOperations.list_stream_consumers
    )
    tag_consumer = async_operation(Stream.tag_consumer, StreamOperations.tag_consumer)
    untag_consumer = async_operation(Stream.untag_consumer, StreamOperations.untag_consumer)
    consumer_tags = async_operation(Stream.consumer_tags, StreamOperations.consumer_tags)
    consumer_policy = async_operation(Stream.consumer_policy, StreamOperations.consumer_policy)
    set_consumer_policy = async_operation(Stream.set_consumer_policy, StreamOperations.set_consumer_policy)
    add_tags = async_operation(Stream.add_tags, StreamOperations.add_tags)
    remove_tags = async_operation(Stream.remove_tags, StreamOperations.remove_tags)
    list_tags = async_operation(Stream.list_tags, StreamOperations.list_tags)
    start_stream_encryption = async_operation(
        Stream.start_stream_encryption, StreamOperations.start_stream_encryption
    )
    stop_stream_encryption = async_operation(
        Stream.stop_stream_encryption, StreamOperations.stop_stream_encryption
    )
    enable_enhanced_monitoring = async_operation(
        Stream.enable_enhanced_monitoring, StreamOperations.enable_enhanced_monitoring
    )
    disable_enhanced_monitoring = async_operation(
        Stream.disable_enhanced_monitoring, StreamOperations.disable_enhanced_monitoring
    )
    put_resource_policy = async_operation(Stream.put_resource_policy, StreamOperations.put_resource_policy)
    get_resource_policy = async_operation(Stream.get_resource_policy, StreamOperations.get_resource_policy)
    delete_resource_policy = async_operation(
        Stream.delete_resource_policy, StreamOperations.delete_resource_policy
    )
    delete = async_operation(Stream.delete, StreamOperations.delete)

    async def peek(self) -> NoReturn:
        """AWS does not show records without an iterator."""
        raise not_supported("peek", _NO_PEEK)
