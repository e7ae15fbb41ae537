"""Streams through AWS's operations: the core's names in, AWS's requests out, and the core's values back."""

import attrs

from drivers.aws_queues import present
from queuestream.core.streams.account import (
    AccountLimits,
    AccountSettings,
    ListStreamsResult,
    MinimumThroughputBillingCommitment,
    StreamSummary,
)
from queuestream.core.streams.administration import EnhancedMonitoring, ListTagsResult
from queuestream.core.streams.capacity_mode import WarmThroughput
from queuestream.core.streams.consumers import ConsumerDescription, ListStreamConsumersResult
from queuestream.core.streams.entries import PutRecordsEntry
from queuestream.core.streams.fan_out import StartingPosition, SubscribeToShardEvent
from queuestream.core.streams.listing import (
    ListShardsResult,
    ShardFilter,
    StreamDescription,
    StreamDescriptionSummary,
)
from queuestream.core.streams.record import ChildShard, GetRecordsResult, PutRecordsResult
from queuestream.core.streams.resharding import UpdateShardCountResult
from queuestream.core.streams.shard import ShardDescription


@attrs.frozen
class Put:
    """What became of a record that was put."""

    shard_id: str | None
    sequence_number: str | None
    encryption_type: str = "NONE"
    error_code: str | None = None
    error_message: str | None = None

    @classmethod
    def of(cls, shape, encryption_type="NONE"):
        return cls(
            shape.get("ShardId"),
            shape.get("SequenceNumber"),
            shape.get("EncryptionType", encryption_type),
            shape.get("ErrorCode"),
            shape.get("ErrorMessage"),
        )


@attrs.frozen
class Read:
    """A record that was read."""

    data: bytes
    partition_key: str
    sequence_number: str
    approximate_arrival_timestamp: object
    encryption_type: str

    @classmethod
    def of(cls, shape):
        return cls(
            shape["Data"],
            shape.get("PartitionKey", ""),
            shape["SequenceNumber"],
            shape["ApproximateArrivalTimestamp"],
            shape.get("EncryptionType", "NONE"),
        )


class AwsStreams:
    """What a broker can do with streams, as a mix-in of an `AwsWay`."""

    def create_stream(
        self,
        name,
        *,
        shard_count=None,
        stream_mode=None,
        max_record_size_in_kib=None,
        warm_throughput_mibps=None,
        record_distribution_strategy=None,
        tags=None,
    ):
        request = present(
            StreamName=name,
            ShardCount=shard_count,
            StreamModeDetails=None if stream_mode is None else {"StreamMode": stream_mode},
            MaxRecordSizeInKiB=max_record_size_in_kib,
            WarmThroughputMiBps=warm_throughput_mibps,
            RecordDistributionStrategy=record_distribution_strategy,
            Tags=tags,
        )
        self.call("kinesis", "CreateStream", request)
        return AwsStream(self, name)

    def stream(self, name):
        self.call("kinesis", "DescribeStreamSummary", {"StreamName": name})
        return AwsStream(self, name)

    def delete_stream(self, name, enforce_consumer_deletion=None):
        AwsStream(self, name).delete(enforce_consumer_deletion)

    def list_streams(self, limit=None, exclusive_start_stream_name=None, next_token=None):
        request = present(
            Limit=limit, ExclusiveStartStreamName=exclusive_start_stream_name, NextToken=next_token
        )
        answer = self.call("kinesis", "ListStreams", request)
        return ListStreamsResult(
            stream_names=answer["StreamNames"],
            stream_summaries=[
                StreamSummary(
                    stream_name=summary["StreamName"],
                    stream_arn=summary["StreamARN"],
                    stream_status=summary["StreamStatus"],
                    stream_mode=summary["StreamModeDetails"]["StreamMode"],
                    stream_creation_timestamp=summary["StreamCreationTimestamp"],
                )
                for summary in answer["StreamSummaries"]
            ],
            has_more_streams=answer["HasMoreStreams"],
            next_token=answer.get("NextToken"),
        )

    def describe_stream_limits(self):
        answer = self.call("kinesis", "DescribeLimits", {})
        return AccountLimits(
            shard_limit=answer["ShardLimit"],
            open_shard_count=answer["OpenShardCount"],
            on_demand_stream_count=answer["OnDemandStreamCount"],
            on_demand_stream_count_limit=answer["OnDemandStreamCountLimit"],
        )

    def describe_account_settings(self):
        return _account_settings(self.call("kinesis", "DescribeAccountSettings", {}))

    def update_account_settings(self, minimum_throughput_billing_commitment):
        commitment = {"Status": minimum_throughput_billing_commitment}
        request = {"MinimumThroughputBillingCommitment": commitment}
        return _account_settings(self.call("kinesis", "UpdateAccountSettings", request))


class AwsStream:
    """A stream by its name."""

    def __init__(self, way, name):
        self._way = way
        self.name = name

    def _call(self, operation, **members):
        return self._way.call("kinesis", operation, {"StreamName": self.name, **present(**members)})

    def _call_by_arn(self, operation, **members):
        return self._way.call("kinesis", operation, {"StreamARN": self.arn, **present(**members)})

    def _call_resource(self, operation, resource_arn=None, **members):
        request = {"ResourceARN": resource_arn or self.arn, **present(**members)}
        return self._way.call("kinesis", operation, request)

    # --- records ---

    def put_record(
        self,
        data,
        partition_key=None,
        explicit_hash_key=None,
        sequence_number_for_ordering=None,
        dry_run=None,
    ):
        answer = self._call(
            "PutRecord",
            Data=data,
            PartitionKey=partition_key,
            ExplicitHashKey=explicit_hash_key,
            SequenceNumberForOrdering=sequence_number_for_ordering,
            DryRun=dry_run,
        )
        return Put.of(answer)

    def put_records(self, records, dry_run=None):
        answer = self._call("PutRecords", Records=[_entry(record) for record in records], DryRun=dry_run)
        encryption_type = answer.get("EncryptionType", "NONE")
        return PutRecordsResult(
            answer["FailedRecordCount"],
            [Put.of(record, encryption_type) for record in answer["Records"]],
            encryption_type,
        )

    def get_shard_iterator(
        self, shard_id, shard_iterator_type, starting_sequence_number=None, timestamp=None, dry_run=None
    ):
        answer = self._call(
            "GetShardIterator",
            ShardId=shard_id,
            ShardIteratorType=shard_iterator_type,
            StartingSequenceNumber=starting_sequence_number,
            Timestamp=timestamp,
            DryRun=dry_run,
        )
        return answer["ShardIterator"]

    def get_records(self, shard_iterator, limit=None, dry_run=None):
        request = present(ShardIterator=shard_iterator, Limit=limit, DryRun=dry_run)
        answer = self._way.call("kinesis", "GetRecords", request)
        return GetRecordsResult(
            [Read.of(record) for record in answer["Records"]],
            answer.get("NextShardIterator"),
            answer["MillisBehindLatest"],
            _child_shards(answer),
        )

    # --- describing ---

    @property
    def arn(self):
        return self._summary["StreamARN"]

    @property
    def status(self):
        return self._summary["StreamStatus"]

    @property
    def _summary(self):
        return self._call("DescribeStreamSummary")["StreamDescriptionSummary"]

    def describe(self, limit=None, exclusive_start_shard_id=None):
        answer = self._call("DescribeStream", Limit=limit, ExclusiveStartShardId=exclusive_start_shard_id)
        description = answer["StreamDescription"]
        return StreamDescription(
            **_described(description),
            shards=[_shard(shard) for shard in description["Shards"]],
            has_more_shards=description["HasMoreShards"],
        )

    def describe_summary(self):
        summary = self._summary
        return StreamDescriptionSummary(
            **_described(summary),
            open_shard_count=summary["OpenShardCount"],
            consumer_count=summary["ConsumerCount"],
            max_record_size_in_kib=summary["MaxRecordSizeInKiB"],
            warm_throughput_mibps=summary.get("WarmThroughput", {}).get("TargetMiBps"),
            current_warm_throughput_mibps=summary.get("WarmThroughput", {}).get("CurrentMiBps"),
            record_distribution_strategy=summary.get("RecordDistributionStrategy"),
        )

    def list_shards(
        self,
        next_token=None,
        exclusive_start_shard_id=None,
        max_results=None,
        stream_creation_timestamp=None,
        shard_filter=None,
    ):
        if isinstance(shard_filter, str):
            shard_filter = ShardFilter(shard_filter)
        if shard_filter is not None:
            shard_filter = present(
                Type=shard_filter.type, ShardId=shard_filter.shard_id, Timestamp=shard_filter.timestamp
            )
        request = present(
            # AWS's token says which stream it goes on with.
            StreamName=self.name if next_token is None else None,
            NextToken=next_token,
            ExclusiveStartShardId=exclusive_start_shard_id,
            MaxResults=max_results,
            StreamCreationTimestamp=stream_creation_timestamp,
            ShardFilter=shard_filter,
        )
        answer = self._way.call("kinesis", "ListShards", request)
        return ListShardsResult([_shard(shard) for shard in answer["Shards"]], answer.get("NextToken"))

    # --- shards, settings, the end ---

    def split_shard(self, shard_to_split, new_starting_hash_key):
        self._call("SplitShard", ShardToSplit=shard_to_split, NewStartingHashKey=new_starting_hash_key)

    def merge_shards(self, shard_to_merge, adjacent_shard_to_merge):
        self._call("MergeShards", ShardToMerge=shard_to_merge, AdjacentShardToMerge=adjacent_shard_to_merge)

    def update_shard_count(self, target_shard_count):
        answer = self._call(
            "UpdateShardCount", TargetShardCount=target_shard_count, ScalingType="UNIFORM_SCALING"
        )
        return UpdateShardCountResult(
            current_shard_count=answer["CurrentShardCount"], target_shard_count=answer["TargetShardCount"]
        )

    def increase_stream_retention_period(self, retention_period_hours):
        self._call("IncreaseStreamRetentionPeriod", RetentionPeriodHours=retention_period_hours)

    def decrease_stream_retention_period(self, retention_period_hours):
        self._call("DecreaseStreamRetentionPeriod", RetentionPeriodHours=retention_period_hours)

    def update_stream_mode(self, stream_mode, warm_throughput_mibps=None):
        self._call_by_arn(
            "UpdateStreamMode",
            StreamModeDetails={"StreamMode": stream_mode},
            WarmThroughputMiBps=warm_throughput_mibps,
        )

    def update_stream_warm_throughput(self, warm_throughput_mibps):
        answer = self._call("UpdateStreamWarmThroughput", WarmThroughputMiBps=warm_throughput_mibps)
        warm = answer["WarmThroughput"]
        return WarmThroughput(warm["TargetMiBps"], warm["CurrentMiBps"])

    def update_stream_record_distribution_strategy(self, record_distribution_strategy):
        self._call_by_arn(
            "UpdateStreamRecordDistributionStrategy", RecordDistributionStrategy=record_distribution_strategy
        )

    def update_max_record_size(self, max_record_size_in_kib):
        self._call_by_arn("UpdateMaxRecordSize", MaxRecordSizeInKiB=max_record_size_in_kib)

    def start_stream_encryption(self, encryption_type, key_id):
        self._call("StartStreamEncryption", EncryptionType=encryption_type, KeyId=key_id)

    def stop_stream_encryption(self, encryption_type, key_id):
        self._call("StopStreamEncryption", EncryptionType=encryption_type, KeyId=key_id)

    def enable_enhanced_monitoring(self, shard_level_metrics):
        return _monitoring(
            self._call("EnableEnhancedMonitoring", ShardLevelMetrics=list(shard_level_metrics))
        )

    def disable_enhanced_monitoring(self, shard_level_metrics):
        return _monitoring(
            self._call("DisableEnhancedMonitoring", ShardLevelMetrics=list(shard_level_metrics))
        )

    def delete(self, enforce_consumer_deletion=None):
        self._call("DeleteStream", EnforceConsumerDeletion=enforce_consumer_deletion)

    # --- tags and policies ---

    @property
    def tags(self):
        return _tags(self._call_resource("ListTagsForResource"))

    def add_tags(self, tags):
        self._call("AddTagsToStream", Tags=tags)

    def remove_tags(self, tag_keys):
        self._call("RemoveTagsFromStream", TagKeys=list(tag_keys))

    def list_tags(self, exclusive_start_tag_key=None, limit=None):
        answer = self._call("ListTagsForStream", ExclusiveStartTagKey=exclusive_start_tag_key, Limit=limit)
        return ListTagsResult(_tags(answer), answer["HasMoreTags"])

    def put_resource_policy(self, policy):
        self._call_resource("PutResourcePolicy", Policy=policy)

    def get_resource_policy(self):
        return self._call_resource("GetResourcePolicy")["Policy"]

    def delete_resource_policy(self):
        self._call_resource("DeleteResourcePolicy")

    # --- consumers ---

    def register_stream_consumer(self, consumer_name, tags=None):
        answer = self._call_by_arn("RegisterStreamConsumer", ConsumerName=consumer_name, Tags=tags)
        return _consumer(answer["Consumer"], self.arn)

    def deregister_stream_consumer(self, consumer_name=None, consumer_arn=None):
        self._call_consumer("DeregisterStreamConsumer", consumer_name, consumer_arn)

    def describe_stream_consumer(self, consumer_name=None, consumer_arn=None):
        answer = self._call_consumer("DescribeStreamConsumer", consumer_name, consumer_arn)
        description = answer["ConsumerDescription"]
        return _consumer(description, description["StreamARN"])

    def _call_consumer(self, operation, consumer_name, consumer_arn):
        request = present(
            StreamARN=None if consumer_name is None else self.arn,
            ConsumerName=consumer_name,
            ConsumerARN=consumer_arn,
        )
        return self._way.call("kinesis", operation, request)

    def list_stream_consumers(self, next_token=None, max_results=None, stream_creation_timestamp=None):
        answer = self._call_by_arn(
            "ListStreamConsumers",
            NextToken=next_token,
            MaxResults=max_results,
            StreamCreationTimestamp=stream_creation_timestamp,
        )
        return ListStreamConsumersResult(
            [_consumer(consumer, self.arn) for consumer in answer["Consumers"]], answer.get("NextToken")
        )

    def tag_consumer(self, consumer_arn, tags):
        self._call_resource("TagResource", consumer_arn, Tags=tags)

    def untag_consumer(self, consumer_arn, tag_keys):
        self._call_resource("UntagResource", consumer_arn, TagKeys=list(tag_keys))

    def consumer_tags(self, consumer_arn):
        return _tags(self._call_resource("ListTagsForResource", consumer_arn))

    def subscribe_to_shard(self, consumer_arn, shard_id, starting_position, dry_run=None):
        if isinstance(starting_position, str):
            starting_position = StartingPosition(starting_position)
        position = present(
            Type=starting_position.type,
            SequenceNumber=starting_position.sequence_number,
            Timestamp=starting_position.timestamp,
        )
        request = present(
            ConsumerARN=consumer_arn, ShardId=shard_id, StartingPosition=position, DryRun=dry_run
        )
        events = self._way.subscribe(request)
        return (_event(event["SubscribeToShardEvent"]) for event in events)


# --- from AWS's shapes to the core's values ---


def _entry(record):
    if isinstance(record, PutRecordsEntry):
        record = record.data, record.partition_key, record.explicit_hash_key
    return present(**dict(zip(("Data", "PartitionKey", "ExplicitHashKey"), record, strict=False)))


def _described(shape):
    [monitoring] = shape["EnhancedMonitoring"]
    return {
        "stream_name": shape["StreamName"],
        "stream_arn": shape["StreamARN"],
        "stream_status": shape["StreamStatus"],
        "stream_mode": shape["StreamModeDetails"]["StreamMode"],
        "retention_period_hours": shape["RetentionPeriodHours"],
        "stream_creation_timestamp": shape["StreamCreationTimestamp"],
        "enhanced_monitoring": tuple(monitoring["ShardLevelMetrics"]),
        "encryption_type": shape["EncryptionType"],
        "key_id": shape.get("KeyId"),
    }


def _range(shape):
    return shape["HashKeyRange"]["StartingHashKey"], shape["HashKeyRange"]["EndingHashKey"]


def _shard(shape):
    return ShardDescription(
        shape["ShardId"],
        shape.get("ParentShardId"),
        shape.get("AdjacentParentShardId"),
        _range(shape),
        shape["SequenceNumberRange"]["StartingSequenceNumber"],
        shape["SequenceNumberRange"].get("EndingSequenceNumber"),
    )


def _child_shards(shape):
    return [
        ChildShard(child["ShardId"], tuple(child["ParentShards"]), _range(child))
        for child in shape.get("ChildShards", [])
    ]


def _event(shape):
    return SubscribeToShardEvent(
        [Read.of(record) for record in shape["Records"]],
        shape.get("ContinuationSequenceNumber"),
        shape["MillisBehindLatest"],
        _child_shards(shape),
    )


def _consumer(shape, stream_arn):
    return ConsumerDescription(
        consumer_name=shape["ConsumerName"],
        consumer_arn=shape["ConsumerARN"],
        consumer_status=shape["ConsumerStatus"],
        consumer_creation_timestamp=shape["ConsumerCreationTimestamp"],
        stream_arn=stream_arn,
    )


def _monitoring(shape):
    return EnhancedMonitoring(
        tuple(shape["CurrentShardLevelMetrics"]), tuple(shape["DesiredShardLevelMetrics"])
    )


def _account_settings(shape):
    commitment = shape["MinimumThroughputBillingCommitment"]
    return AccountSettings(
        MinimumThroughputBillingCommitment(
            status=commitment["Status"],
            started_at=commitment.get("StartedAt"),
            ended_at=commitment.get("EndedAt"),
            earliest_allowed_end_at=commitment.get("EarliestAllowedEndAt"),
        )
    )


def _tags(shape):
    return {tag["Key"]: tag["Value"] for tag in shape["Tags"]}
