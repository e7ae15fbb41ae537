"""Kinesis' operations, in one table: AWS's name to a function from a request to an answer.

Here are the operations about streams as wholes; those about records and about consumers stand beside
(`kinesis_records`, `kinesis_consumers`), and so does how a request names a stream (`kinesis_names`) and
what AWS's shapes look like (`kinesis_shapes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.operations.kinesis_consumers import (
    delete_resource_policy,
    deregister_stream_consumer,
    describe_stream_consumer,
    get_resource_policy,
    list_stream_consumers,
    list_tags_for_resource,
    put_resource_policy,
    register_stream_consumer,
    subscribe_to_shard,
    tag_resource,
    untag_resource,
)
from queuestream.aws.operations.kinesis_names import (
    resharded_stream_of,
    stream_of,
    with_name,
    without_name,
)
from queuestream.aws.operations.kinesis_records import (
    get_records,
    get_shard_iterator,
    put_record,
    put_records,
)
from queuestream.aws.operations.kinesis_shapes import (
    account_settings_shape,
    shard_shape,
    stream_description_shape,
    stream_description_summary_shape,
    stream_summary_shape,
    tag_shapes,
    without_none,
)
from queuestream.core.errors import InvalidArgumentException
from queuestream.core.streams import account
from queuestream.core.streams.listing import ShardFilter

if TYPE_CHECKING:
    from queuestream.aws.calls import Caller, Operation, Shape
    from queuestream.core.streams.administration import EnhancedMonitoring
    from queuestream.core.streams.settings import StreamArguments
    from queuestream.core.streams.stream import Stream


# --- a stream's life ---


def create_stream(caller: Caller, request: Shape) -> None:
    """Kinesis CreateStream."""
    settings: StreamArguments = {**caller.aws.stream_settings}
    if "ShardCount" in request:
        settings["shard_count"] = request["ShardCount"]
    if "StreamModeDetails" in request:
        settings["stream_mode"] = request["StreamModeDetails"]["StreamMode"]
    elif "ShardCount" not in request:
        settings["stream_mode"] = "ON_DEMAND"  # AWS makes four shards of it
    if "Tags" in request:
        settings["tags"] = request["Tags"]
    if "MaxRecordSizeInKiB" in request:
        settings["max_record_size_in_kib"] = request["MaxRecordSizeInKiB"]
    if "WarmThroughputMiBps" in request:
        settings["warm_throughput_mibps"] = request["WarmThroughputMiBps"]
    if "RecordDistributionStrategy" in request:
        settings["record_distribution_strategy"] = request["RecordDistributionStrategy"]
    caller.broker.create_stream(request["StreamName"], **settings)


def delete_stream(caller: Caller, request: Shape) -> None:
    """Kinesis DeleteStream."""
    stream_of(caller, request).delete(request.get("EnforceConsumerDeletion"))


def describe_stream(caller: Caller, request: Shape) -> Shape:
    """Kinesis DescribeStream."""
    description = stream_of(caller, request).describe(
        request.get("Limit"), request.get("ExclusiveStartShardId")
    )
    return {"StreamDescription": stream_description_shape(description)}


def describe_stream_summary(caller: Caller, request: Shape) -> Shape:
    """Kinesis DescribeStreamSummary."""
    summary = stream_of(caller, request).describe_summary()
    return {"StreamDescriptionSummary": stream_description_summary_shape(summary)}


def list_streams(caller: Caller, request: Shape) -> Shape:
    """Kinesis ListStreams."""
    page = caller.broker.list_streams(
        request.get("Limit"), request.get("ExclusiveStartStreamName"), request.get("NextToken")
    )
    return without_none(
        {
            "StreamNames": page.stream_names,
            "HasMoreStreams": page.has_more_streams,
            "NextToken": page.next_token,
            "StreamSummaries": [stream_summary_shape(summary) for summary in page.stream_summaries],
        }
    )


# --- the account ---


def describe_limits(caller: Caller, request: Shape) -> Shape:  # noqa: ARG001 - it asks nothing
    """Kinesis DescribeLimits."""
    broker = caller.broker
    broker.check_open()
    limits = account.describe_limits(broker, caller.aws.stream_settings.get("limits"))
    return {
        "ShardLimit": limits.shard_limit,
        "OpenShardCount": limits.open_shard_count,
        "OnDemandStreamCount": limits.on_demand_stream_count,
        "OnDemandStreamCountLimit": limits.on_demand_stream_count_limit,
    }


def describe_account_settings(caller: Caller, request: Shape) -> Shape:  # noqa: ARG001 - it asks nothing
    """Kinesis DescribeAccountSettings."""
    return account_settings_shape(caller.broker.describe_account_settings())


def update_account_settings(caller: Caller, request: Shape) -> Shape:
    """Kinesis UpdateAccountSettings."""
    commitment = request["MinimumThroughputBillingCommitment"]
    return account_settings_shape(caller.broker.update_account_settings(commitment["Status"]))


# --- shards ---


def list_shards(caller: Caller, request: Shape) -> Shape:
    """Kinesis ListShards."""
    if "NextToken" in request:
        if "StreamName" in request:
            raise InvalidArgumentException("NextToken and StreamName cannot be provided together.")
        stream, token = without_name(caller, request, "NextToken", "NextToken is invalid.")
    else:
        stream, token = stream_of(caller, request), None
    shard_filter = request.get("ShardFilter")
    if shard_filter is not None:
        shard_filter = ShardFilter(
            shard_filter["Type"], shard_filter.get("ShardId"), shard_filter.get("Timestamp")
        )
    page = stream.list_shards(
        next_token=token,
        exclusive_start_shard_id=request.get("ExclusiveStartShardId"),
        max_results=request.get("MaxResults"),
        stream_creation_timestamp=request.get("StreamCreationTimestamp"),
        shard_filter=shard_filter,
    )
    shape: Shape = {"Shards": [shard_shape(shard) for shard in page.shards]}
    if page.next_token is not None:
        shape["NextToken"] = with_name(page.next_token, stream.name)
    return shape


def split_shard(caller: Caller, request: Shape) -> None:
    """Kinesis SplitShard."""
    stream = resharded_stream_of(caller, request, "ShardToSplit")
    stream.split_shard(request["ShardToSplit"], request["NewStartingHashKey"])


def merge_shards(caller: Caller, request: Shape) -> None:
    """Kinesis MergeShards."""
    stream = resharded_stream_of(caller, request, "ShardToMerge", "AdjacentShardToMerge")
    stream.merge_shards(request["ShardToMerge"], request["AdjacentShardToMerge"])


def update_shard_count(caller: Caller, request: Shape) -> Shape:
    """Kinesis UpdateShardCount."""
    stream = stream_of(caller, request)
    result = stream.update_shard_count(request["TargetShardCount"], request["ScalingType"])
    return {
        "StreamName": stream.name,
        "CurrentShardCount": result.current_shard_count,
        "TargetShardCount": result.target_shard_count,
        "StreamARN": stream.arn,
    }


# --- what is set about a stream ---


def increase_stream_retention_period(caller: Caller, request: Shape) -> None:
    """Kinesis IncreaseStreamRetentionPeriod."""
    stream_of(caller, request).increase_stream_retention_period(request["RetentionPeriodHours"])


def decrease_stream_retention_period(caller: Caller, request: Shape) -> None:
    """Kinesis DecreaseStreamRetentionPeriod."""
    stream_of(caller, request).decrease_stream_retention_period(request["RetentionPeriodHours"])


def update_stream_mode(caller: Caller, request: Shape) -> None:
    """Kinesis UpdateStreamMode."""
    stream_of(caller, request).update_stream_mode(
        request["StreamModeDetails"]["StreamMode"], request.get("WarmThroughputMiBps")
    )


def update_stream_warm_throughput(caller: Caller, request: Shape) -> Shape:
    """Kinesis UpdateStreamWarmThroughput."""
    stream = stream_of(caller, request)
    warm = stream.update_stream_warm_throughput(request["WarmThroughputMiBps"])
    return {
        "StreamARN": stream.arn,
        "StreamName": stream.name,
        "WarmThroughput": {"TargetMiBps": warm.target_mibps, "CurrentMiBps": warm.current_mibps},
    }


def update_stream_record_distribution_strategy(caller: Caller, request: Shape) -> None:
    """Kinesis UpdateStreamRecordDistributionStrategy."""
    stream_of(caller, request).update_stream_record_distribution_strategy(
        request["RecordDistributionStrategy"]
    )


def update_max_record_size(caller: Caller, request: Shape) -> None:
    """Kinesis UpdateMaxRecordSize."""
    stream_of(caller, request).update_max_record_size(request["MaxRecordSizeInKiB"])


def start_stream_encryption(caller: Caller, request: Shape) -> None:
    """Kinesis StartStreamEncryption."""
    stream_of(caller, request).start_stream_encryption(request["EncryptionType"], request["KeyId"])


def stop_stream_encryption(caller: Caller, request: Shape) -> None:
    """Kinesis StopStreamEncryption."""
    stream_of(caller, request).stop_stream_encryption(request["EncryptionType"], request["KeyId"])


def enable_enhanced_monitoring(caller: Caller, request: Shape) -> Shape:
    """Kinesis EnableEnhancedMonitoring."""
    stream = stream_of(caller, request)
    return _monitoring_shape(stream, stream.enable_enhanced_monitoring(request["ShardLevelMetrics"]))


def disable_enhanced_monitoring(caller: Caller, request: Shape) -> Shape:
    """Kinesis DisableEnhancedMonitoring."""
    stream = stream_of(caller, request)
    return _monitoring_shape(stream, stream.disable_enhanced_monitoring(request["ShardLevelMetrics"]))


def _monitoring_shape(stream: Stream, monitoring: EnhancedMonitoring) -> Shape:
    return {
        "StreamName": stream.name,
        "CurrentShardLevelMetrics": list(monitoring.current_shard_level_metrics),
        "DesiredShardLevelMetrics": list(monitoring.desired_shard_level_metrics),
        "StreamARN": stream.arn,
    }


# --- a stream's tags by the older operations ---


def add_tags_to_stream(caller: Caller, request: Shape) -> None:
    """Kinesis AddTagsToStream."""
    stream_of(caller, request).add_tags(request["Tags"])


def remove_tags_from_stream(caller: Caller, request: Shape) -> None:
    """Kinesis RemoveTagsFromStream."""
    stream_of(caller, request).remove_tags(request["TagKeys"])


def list_tags_for_stream(caller: Caller, request: Shape) -> Shape:
    """Kinesis ListTagsForStream."""
    page = stream_of(caller, request).list_tags(request.get("ExclusiveStartTagKey"), request.get("Limit"))
    return {"Tags": tag_shapes(page.tags), "HasMoreTags": page.has_more_tags}


KINESIS: dict[str, Operation] = {
    "AddTagsToStream": add_tags_to_stream,
    "CreateStream": create_stream,
    "DecreaseStreamRetentionPeriod": decrease_stream_retention_period,
    "DeleteResourcePolicy": delete_resource_policy,
    "DeleteStream": delete_stream,
    "DeregisterStreamConsumer": deregister_stream_consumer,
    "DescribeAccountSettings": describe_account_settings,
    "DescribeLimits": describe_limits,
    "DescribeStream": describe_stream,
    "DescribeStreamConsumer": describe_stream_consumer,
    "DescribeStreamSummary": describe_stream_summary,
    "DisableEnhancedMonitoring": disable_enhanced_monitoring,
    "EnableEnhancedMonitoring": enable_enhanced_monitoring,
    "GetRecords": get_records,
    "GetResourcePolicy": get_resource_policy,
    "GetShardIterator": get_shard_iterator,
    "IncreaseStreamRetentionPeriod": increase_stream_retention_period,
    "ListShards": list_shards,
    "ListStreamConsumers": list_stream_consumers,
    "ListStreams": list_streams,
    "ListTagsForResource": list_tags_for_resource,
    "ListTagsForStream": list_tags_for_stream,
    "MergeShards": merge_shards,
    "PutRecord": put_record,
    "PutRecords": put_records,
    "PutResourcePolicy": put_resource_policy,
    "RegisterStreamConsumer": register_stream_consumer,
    "RemoveTagsFromStream": remove_tags_from_stream,
    "SplitShard": split_shard,
    "StartStreamEncryption": start_stream_encryption,
    "StopStreamEncryption": stop_stream_encryption,
    "SubscribeToShard": subscribe_to_shard,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateAccountSettings": update_account_settings,
    "UpdateMaxRecordSize": update_max_record_size,
    "UpdateShardCount": update_shard_count,
    "UpdateStreamMode": update_stream_mode,
    "UpdateStreamRecordDistributionStrategy": update_stream_record_distribution_strategy,
    "UpdateStreamWarmThroughput": update_stream_warm_throughput,
}
"""By AWS's name."""
