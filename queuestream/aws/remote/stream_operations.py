"""A stream's operations over AWS, each as the steps that it takes (`calls`).

They are named, take and give what the operations of `Stream` do; the values are the core's own.  Each says
what AWS does otherwise, and no more: what an operation is for stands with the core's.

A call that leaves a stream or consumer CREATING, UPDATING or DELETING waits until it isn't any more, unless
the broker's option `wait` is off (`stream_waiting`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.aws.remote import stream_values as values
from queuestream.aws.remote.calls import Call, NextEvent, present
from queuestream.aws.remote.records import ShardIterator, shard_of
from queuestream.aws.remote.stream_requests import (
    mapping,
    point_in_time,
    put_records_entries,
    shard_filter_shape,
    starting_position_shape,
    texts,
)
from queuestream.aws.remote.stream_waiting import GONE, wait_for
from queuestream.core.arns import parse_arn
from queuestream.core.errors import ResourceNotFoundException
from queuestream.core.streams import checks
from queuestream.core.streams.administration import ListTagsResult
from queuestream.core.streams.capacity_mode import WarmThroughput
from queuestream.core.streams.consumers import ListStreamConsumersResult, consumer_not_found
from queuestream.core.streams.listing import ListShardsResult
from queuestream.core.streams.resharding import UpdateShardCountResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.aws.remote.calls import Steps
    from queuestream.core.streams.administration import EnhancedMonitoring
    from queuestream.core.streams.consumers import ConsumerDescription
    from queuestream.core.streams.entries import PutRecordsEntry
    from queuestream.core.streams.fan_out import StartingPosition, SubscribeToShardEvent
    from queuestream.core.streams.listing import ShardFilter, StreamDescription, StreamDescriptionSummary
    from queuestream.core.streams.record import GetRecordsResult, PutRecordsResult, Record

_NO_POLICY = "{}"


class StreamOperations:
    """What there is to do with one stream.

    Args:
        name: The stream's name.
        arn: Its ARN.
        named: How requests name it: by name, or by ARN, which finds streams of other accounts, too.
        wait: Whether calls wait until what they began is done.
    """

    def __init__(self, name: str, arn: str, named: Mapping[str, str], *, wait: bool) -> None:
        self.name = name
        self.arn = arn
        self._named = named
        self._wait = wait

    # --- how it asks ---

    def _call(self, operation: str, **members: Any) -> Call:
        """A request about this stream."""
        return Call("kinesis", operation, {**self._named, **present(**members)})

    def _call_by_arn(self, operation: str, **members: Any) -> Call:
        """The same for operations that know streams by ARN only."""
        return Call("kinesis", operation, present(StreamARN=self.arn, **members))

    def _change(self, call: Call) -> Steps[Any]:
        """Ask for a change, and wait until it is made."""
        answer = yield call
        if self._wait:
            yield from self.until_active()
        return answer

    def until_active(self) -> Steps[None]:
        """Return when the stream is ACTIVE."""
        yield from wait_for("ACTIVE", self.status, f"Stream {self.name}")

    # --- putting ---

    def put_record(
        self,
        data: bytes,
        partition_key: str | None = None,
        explicit_hash_key: str | None = None,
        sequence_number_for_ordering: str | None = None,
        dry_run: bool | None = None,
    ) -> Steps[Record]:
        """Put a record, as `Stream.put_record` does; of two puts in parallel AWS may take either first.

        The record that comes back has no `approximate_arrival_timestamp`, which AWS says to readers only.
        """
        data = checks.check_data(data, "data")
        answer = yield self._call(
            "PutRecord",
            Data=data,
            PartitionKey=partition_key,
            ExplicitHashKey=explicit_hash_key,
            SequenceNumberForOrdering=sequence_number_for_ordering,
            DryRun=dry_run,
        )
        return values.put_record(answer, data, partition_key)

    def put_records(
        self,
        records: Iterable[tuple[bytes, str] | PutRecordsEntry | Mapping[str, object]],
        dry_run: bool | None = None,
    ) -> Steps[PutRecordsResult]:
        """Put up to 500 records, as `Stream.put_records` does; look at `failed_record_count`.

        A record that AWS had no room for just then is a `RejectedRecord` of the answer, to be put again.
        """
        entries = put_records_entries(records)
        answer = yield self._call("PutRecords", Records=entries, DryRun=dry_run)
        return values.put_records_result(answer, entries)

    # --- reading ---

    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: str | None = None,
        timestamp: object = None,
        dry_run: bool | None = None,
    ) -> Steps[str]:
        """Where to start reading a shard, as `Stream.get_shard_iterator` says."""
        answer = yield self._call(
            "GetShardIterator",
            ShardId=shard_id,
            ShardIteratorType=shard_iterator_type,
            StartingSequenceNumber=starting_sequence_number,
            Timestamp=point_in_time(timestamp, "timestamp"),
            DryRun=dry_run,
        )
        return ShardIterator(answer["ShardIterator"], shard_id)

    def get_records(
        self, shard_iterator: str, limit: int | None = None, dry_run: bool | None = None
    ) -> Steps[GetRecordsResult]:
        """Read on from where an iterator stands, as `Stream.get_records` does.

        AWS may answer with no records while there are more (`millis_behind_latest` is above 0): go on with
        the next iterator.
        """
        request = present(ShardIterator=shard_iterator, Limit=limit, DryRun=dry_run)
        if "StreamARN" in self._named:
            request["StreamARN"] = self.arn
        answer = yield Call("kinesis", "GetRecords", request)
        return values.get_records_result(answer, shard_of(shard_iterator))

    # --- describing ---

    def status(self) -> Steps[str]:
        """`CREATING`, `ACTIVE`, `UPDATING` or `DELETING`."""
        summary = yield from self.describe_summary()
        return summary.stream_status

    def describe(
        self, limit: int | None = None, exclusive_start_shard_id: str | None = None
    ) -> Steps[StreamDescription]:
        """The stream with a page of its shards, as `Stream.describe` has it."""
        answer = yield self._call(
            "DescribeStream", Limit=limit, ExclusiveStartShardId=exclusive_start_shard_id
        )
        return values.stream_description(answer["StreamDescription"])

    def describe_summary(self) -> Steps[StreamDescriptionSummary]:
        """The stream without its shards."""
        answer = yield self._call("DescribeStreamSummary")
        return values.stream_description_summary(answer["StreamDescriptionSummary"])

    def list_shards(
        self,
        next_token: str | None = None,
        exclusive_start_shard_id: str | None = None,
        max_results: int | None = None,
        stream_creation_timestamp: object = None,
        shard_filter: ShardFilter | str | None = None,
    ) -> Steps[ListShardsResult]:
        """The shards, open and closed, as `Stream.list_shards` has them."""
        members = present(
            NextToken=next_token,
            ExclusiveStartShardId=exclusive_start_shard_id,
            MaxResults=max_results,
            StreamCreationTimestamp=point_in_time(stream_creation_timestamp, "streamCreationTimestamp"),
            ShardFilter=shard_filter_shape(shard_filter),
        )
        if next_token is None:
            members.update(self._named)
        elif "StreamARN" in self._named:
            members["StreamARN"] = self.arn  # while a token and a name do not go together
        answer = yield Call("kinesis", "ListShards", members)
        shards = [values.shard_description(shard) for shard in answer.get("Shards", ())]
        return ListShardsResult(shards, answer.get("NextToken"))

    # --- shards ---

    def split_shard(self, shard_to_split: str, new_starting_hash_key: str) -> Steps[None]:
        """Split a shard in two, and wait until the children are there."""
        yield from self._change(
            self._call("SplitShard", ShardToSplit=shard_to_split, NewStartingHashKey=new_starting_hash_key)
        )

    def merge_shards(self, shard_to_merge: str, adjacent_shard_to_merge: str) -> Steps[None]:
        """Merge two neighbours into one shard, and wait until it is there."""
        yield from self._change(
            self._call(
                "MergeShards", ShardToMerge=shard_to_merge, AdjacentShardToMerge=adjacent_shard_to_merge
            )
        )

    def update_shard_count(
        self, target_shard_count: int, scaling_type: str = "UNIFORM_SCALING"
    ) -> Steps[UpdateShardCountResult]:
        """Split and merge until there are so many shards, and wait until there are."""
        answer = yield from self._change(
            self._call("UpdateShardCount", TargetShardCount=target_shard_count, ScalingType=scaling_type)
        )
        return UpdateShardCountResult(
            current_shard_count=answer["CurrentShardCount"], target_shard_count=answer["TargetShardCount"]
        )

    # --- what is set about a stream ---

    def update_stream_mode(self, stream_mode: str, warm_throughput_mibps: int | None = None) -> Steps[None]:
        """Change between `PROVISIONED` and `ON_DEMAND`."""
        yield from self._change(
            self._call_by_arn(
                "UpdateStreamMode",
                StreamModeDetails={"StreamMode": stream_mode},
                WarmThroughputMiBps=warm_throughput_mibps,
            )
        )

    def update_stream_warm_throughput(self, warm_throughput_mibps: int) -> Steps[WarmThroughput]:
        """Have an on-demand stream be ready for so much, and wait until it is."""
        answer = yield from self._change(
            self._call("UpdateStreamWarmThroughput", WarmThroughputMiBps=warm_throughput_mibps)
        )
        warm = answer["WarmThroughput"]
        target, current = warm["TargetMiBps"], warm["CurrentMiBps"]
        if self._wait and current != target:
            summary = yield from self.describe_summary()
            current = summary.current_warm_throughput_mibps or current
        return WarmThroughput(target, current)

    def update_stream_record_distribution_strategy(self, record_distribution_strategy: str) -> Steps[None]:
        """Have the keys of records say which shard takes them, or an on-demand stream itself."""
        yield from self._change(
            self._call_by_arn(
                "UpdateStreamRecordDistributionStrategy",
                RecordDistributionStrategy=record_distribution_strategy,
            )
        )

    def update_max_record_size(self, max_record_size_in_kib: int) -> Steps[None]:
        """Change how large a record may be."""
        yield from self._change(
            self._call_by_arn("UpdateMaxRecordSize", MaxRecordSizeInKiB=max_record_size_in_kib)
        )

    def increase_stream_retention_period(self, retention_period_hours: int) -> Steps[None]:
        """Keep records for longer."""
        yield from self._change(
            self._call("IncreaseStreamRetentionPeriod", RetentionPeriodHours=retention_period_hours)
        )

    def decrease_stream_retention_period(self, retention_period_hours: int) -> Steps[None]:
        """Keep records for less long."""
        yield from self._change(
            self._call("DecreaseStreamRetentionPeriod", RetentionPeriodHours=retention_period_hours)
        )

    def start_stream_encryption(self, encryption_type: str, key_id: str) -> Steps[None]:
        """Have AWS encrypt the records that arrive from now on; AWS looks the key up."""
        yield from self._change(
            self._call("StartStreamEncryption", EncryptionType=encryption_type, KeyId=key_id)
        )

    def stop_stream_encryption(self, encryption_type: str, key_id: str) -> Steps[None]:
        """Have AWS not encrypt the records that arrive from now on."""
        yield from self._change(
            self._call("StopStreamEncryption", EncryptionType=encryption_type, KeyId=key_id)
        )

    def enable_enhanced_monitoring(self, shard_level_metrics: Iterable[str]) -> Steps[EnhancedMonitoring]:
        """Switch metrics on; `ALL` means each of them."""
        return (yield from self._monitor("EnableEnhancedMonitoring", shard_level_metrics))

    def disable_enhanced_monitoring(self, shard_level_metrics: Iterable[str]) -> Steps[EnhancedMonitoring]:
        """Switch metrics off; `ALL` means each of them."""
        return (yield from self._monitor("DisableEnhancedMonitoring", shard_level_metrics))

    def _monitor(self, operation: str, shard_level_metrics: object) -> Steps[EnhancedMonitoring]:
        metrics = texts(shard_level_metrics, "shardLevelMetrics")
        answer = yield from self._change(self._call(operation, ShardLevelMetrics=metrics))
        return values.monitoring(answer)

    def delete(self, enforce_consumer_deletion: bool | None = None) -> Steps[None]:
        """Delete the stream with all its records, and wait until it is gone."""
        yield self._call("DeleteStream", EnforceConsumerDeletion=enforce_consumer_deletion)
        if self._wait:
            yield from wait_for(GONE, self.status, f"Stream {self.name}")

    # --- tags and policies ---

    def tags(self) -> Steps[dict[str, str]]:
        """All tags, by their keys."""
        tags: dict[str, str] = {}
        page = yield from self.list_tags()
        tags.update(page.tags)
        while page.has_more_tags:
            page = yield from self.list_tags(exclusive_start_tag_key=max(page.tags))
            tags.update(page.tags)
        return tags

    def add_tags(self, tags: Mapping[str, str]) -> Steps[None]:
        """Add tags, or replace those that have the same keys."""
        yield self._call("AddTagsToStream", Tags=mapping(tags, "tags"))

    def remove_tags(self, tag_keys: Iterable[str]) -> Steps[None]:
        """Remove tags; a key that isn't there is ignored."""
        yield self._call("RemoveTagsFromStream", TagKeys=texts(tag_keys, "tagKeys"))

    def list_tags(
        self, exclusive_start_tag_key: str | None = None, limit: int | None = None
    ) -> Steps[ListTagsResult]:
        """A page of tags, in the order of their keys."""
        answer = yield self._call(
            "ListTagsForStream", ExclusiveStartTagKey=exclusive_start_tag_key, Limit=limit
        )
        return ListTagsResult(values.tags(answer), answer["HasMoreTags"])

    def put_resource_policy(self, policy: str) -> Steps[None]:
        """Attach a resource policy, which AWS evaluates."""
        yield self._of_resource("PutResourcePolicy", self.arn, Policy=policy)

    def get_resource_policy(self) -> Steps[str]:
        """The resource policy; `{}` where there is none."""
        answer = yield self._of_resource("GetResourcePolicy", self.arn)
        policy: str = answer["Policy"]
        return policy

    def delete_resource_policy(self) -> Steps[None]:
        """Detach the resource policy."""
        yield self._of_resource("DeleteResourcePolicy", self.arn)

    def _of_resource(self, operation: str, arn: str, **members: Any) -> Call:
        """A request about the stream or one of its consumers, whichever the ARN names."""
        self._check_own(arn)
        return Call("kinesis", operation, {"ResourceARN": arn, **members})

    def _check_own(self, arn: object) -> None:
        """Refuse the consumers of other streams, which AWS would find by their ARNs, and the core does not.

        Raises:
            ResourceNotFoundException: It is the ARN of another stream's consumer.
        """
        parts = parse_arn(arn)
        if parts is None or not isinstance(arn, str):
            return
        stream_arn, _, consumer = arn.partition("/consumer/")
        if consumer and stream_arn != self.arn:
            raise consumer_not_found(arn, parts.account_id)

    # --- consumers ---

    def register_stream_consumer(
        self, consumer_name: str, tags: Mapping[str, str] | None = None
    ) -> Steps[ConsumerDescription]:
        """Register a consumer, and wait until it may subscribe."""
        answer = yield self._call_by_arn(
            "RegisterStreamConsumer",
            ConsumerName=consumer_name,
            Tags=None if tags is None else mapping(tags, "tags"),
        )
        consumer = values.consumer_description(answer["Consumer"], self.arn)
        if not self._wait or consumer.consumer_status == "ACTIVE":
            return consumer
        yield from self._until_consumer("ACTIVE", consumer.consumer_name, consumer.consumer_arn)
        return (yield from self.describe_stream_consumer(consumer_arn=consumer.consumer_arn))

    def deregister_stream_consumer(
        self, consumer_name: str | None = None, consumer_arn: str | None = None
    ) -> Steps[None]:
        """Deregister a consumer, named by its name, its ARN or both, and wait until it is gone."""
        yield self._of_consumer("DeregisterStreamConsumer", consumer_name, consumer_arn)
        if self._wait:
            yield from self._until_consumer(GONE, consumer_name, consumer_arn)

    def _until_consumer(self, wanted: str, name: str | None, arn: str | None) -> Steps[None]:
        def status() -> Steps[str]:
            consumer = yield from self.describe_stream_consumer(name, arn)
            return consumer.consumer_status

        yield from wait_for(wanted, status, f"Consumer {name or arn}")

    def describe_stream_consumer(
        self, consumer_name: str | None = None, consumer_arn: str | None = None
    ) -> Steps[ConsumerDescription]:
        """What AWS says about a consumer, named by its name, its ARN or both."""
        answer = yield self._of_consumer("DescribeStreamConsumer", consumer_name, consumer_arn)
        return values.consumer_description(answer["ConsumerDescription"], self.arn)

    def _of_consumer(self, operation: str, name: str | None, arn: str | None) -> Call:
        """A request about a consumer; one that is named by nothing is for AWS to refuse."""
        self._check_own(arn)
        by_arn_only = arn is not None and name is None
        members = present(StreamARN=None if by_arn_only else self.arn, ConsumerName=name, ConsumerARN=arn)
        return Call("kinesis", operation, members)

    def list_stream_consumers(
        self,
        next_token: str | None = None,
        max_results: int | None = None,
        stream_creation_timestamp: object = None,
    ) -> Steps[ListStreamConsumersResult]:
        """A page of the registered consumers."""
        answer = yield self._call_by_arn(
            "ListStreamConsumers",
            NextToken=next_token,
            MaxResults=max_results,
            StreamCreationTimestamp=point_in_time(stream_creation_timestamp, "streamCreationTimestamp"),
        )
        consumers = [values.consumer_description(consumer, self.arn) for consumer in answer["Consumers"]]
        return ListStreamConsumersResult(consumers, answer.get("NextToken"))

    def tag_consumer(self, consumer_arn: str, tags: Mapping[str, str]) -> Steps[None]:
        """Add tags to a consumer, or replace those that have the same keys."""
        yield self._of_resource("TagResource", consumer_arn, Tags=mapping(tags, "tags"))

    def untag_consumer(self, consumer_arn: str, tag_keys: Iterable[str]) -> Steps[None]:
        """Remove tags from a consumer; a key that isn't there is ignored."""
        yield self._of_resource("UntagResource", consumer_arn, TagKeys=texts(tag_keys, "tagKeys"))

    def consumer_tags(self, consumer_arn: str) -> Steps[dict[str, str]]:
        """A consumer's tags, by their keys."""
        answer = yield self._of_resource("ListTagsForResource", consumer_arn)
        return values.tags(answer)

    def set_consumer_policy(self, consumer_arn: str, policy: str | None) -> Steps[None]:
        """Attach a resource policy to a consumer, or detach it with None."""
        if policy is not None:
            yield self._of_resource("PutResourcePolicy", consumer_arn, Policy=policy)
            return
        try:
            yield self._of_resource("DeleteResourcePolicy", consumer_arn)
        except ResourceNotFoundException:
            # There is no policy, which is what was wanted; or no consumer, which this asks.
            yield self._of_resource("GetResourcePolicy", consumer_arn)

    def consumer_policy(self, consumer_arn: str) -> Steps[str | None]:
        """A consumer's resource policy, None where it has none."""
        answer = yield self._of_resource("GetResourcePolicy", consumer_arn)
        policy: str = answer["Policy"]
        return None if policy == _NO_POLICY else policy

    # --- subscriptions ---

    def subscribe(
        self,
        consumer_arn: str,
        shard_id: str,
        starting_position: StartingPosition | str,
        dry_run: bool | None = None,
    ) -> Steps[NextEvent]:
        """Subscribe to a shard; gives the step to the next of its events (`next_event`)."""
        self._check_own(consumer_arn)
        request = present(
            ConsumerARN=consumer_arn,
            ShardId=shard_id,
            StartingPosition=starting_position_shape(starting_position),
            DryRun=dry_run,
        )
        call = Call("kinesis", "SubscribeToShard", request)
        answer = yield call
        return NextEvent(call, answer["EventStream"])


def next_event(step: NextEvent, shard_id: str) -> Steps[SubscribeToShardEvent | None]:
    """The next event of a subscription; None at its end."""
    while (event := (yield step)) is not None:
        said = event.get("SubscribeToShardEvent")
        if said is not None:
            return values.subscription_event(said, shard_id)
    return None
