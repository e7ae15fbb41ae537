"""AWS's answers about streams as the core's values.

Timestamps are in UTC, as the core's are, and not in the machine's time zone, as botocore's are.  A member
that AWS may leave out stands for what AWS means by that; some that speak like AWS leave out more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict

from queuestream.aws.remote.records import RemoteRecord, ShardIterator
from queuestream.core.streams.account import (
    AccountLimits,
    AccountSettings,
    ListStreamsResult,
    MinimumThroughputBillingCommitment,
    StreamSummary,
)
from queuestream.core.streams.administration import EnhancedMonitoring
from queuestream.core.streams.consumers import ConsumerDescription
from queuestream.core.streams.fan_out import SubscribeToShardEvent
from queuestream.core.streams.listing import StreamDescription, StreamDescriptionSummary
from queuestream.core.streams.record import ChildShard, GetRecordsResult, PutRecordsResult, RejectedRecord
from queuestream.core.streams.settings import PROVISIONED
from queuestream.core.streams.shard import ShardDescription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queuestream.core.streams.record import Record

Shape = dict[str, Any]


# --- records ---


def put_record(answer: Shape, data: bytes, partition_key: str | None) -> Record:
    """The record that was put; AWS says where it went, and not what it was."""
    return RemoteRecord(
        data,
        partition_key or "",
        answer["SequenceNumber"],
        answer["ShardId"],
        answer.get("EncryptionType", "NONE"),
    )


def put_records_result(answer: Shape, entries: Sequence[Shape]) -> PutRecordsResult:
    """What became of the records, each of which may have failed by itself."""
    encryption_type = answer.get("EncryptionType", "NONE")
    records: list[Record | RejectedRecord] = [
        RejectedRecord(error_code=outcome["ErrorCode"], error_message=outcome.get("ErrorMessage", ""))
        if outcome.get("ErrorCode") is not None
        else RemoteRecord(
            entry["Data"],
            entry.get("PartitionKey", ""),
            outcome["SequenceNumber"],
            outcome["ShardId"],
            encryption_type,
        )
        for entry, outcome in zip(entries, answer["Records"], strict=True)
    ]
    return PutRecordsResult(answer.get("FailedRecordCount", 0), records, encryption_type)


def get_records_result(answer: Shape, shard_id: str | None) -> GetRecordsResult:
    """What was read of a shard, which AWS does not name."""
    onward = answer.get("NextShardIterator")
    return GetRecordsResult(
        _records(answer["Records"], shard_id),
        None if onward is None else ShardIterator(onward, shard_id),
        answer.get("MillisBehindLatest", 0),
        _child_shards(answer),
    )


def subscription_event(shape: Shape, shard_id: str) -> SubscribeToShardEvent:
    """What a subscription says; at the end of a closed shard there is nothing to go on from."""
    return SubscribeToShardEvent(
        _records(shape["Records"], shard_id),
        shape.get("ContinuationSequenceNumber"),
        shape["MillisBehindLatest"],
        _child_shards(shape),
    )


def _records(shapes: list[Shape], shard_id: str | None) -> list[Record]:
    return [
        RemoteRecord(
            shape["Data"],
            # A stream that distributes its records itself has some without a key.
            shape.get("PartitionKey", ""),
            shape["SequenceNumber"],
            shard_id,
            shape.get("EncryptionType", "NONE"),
            shape.get("ApproximateArrivalTimestamp"),
        )
        for shape in shapes
    ]


def _child_shards(shape: Shape) -> list[ChildShard]:
    return [
        ChildShard(child["ShardId"], tuple(child["ParentShards"]), _hash_key_range(child))
        for child in shape.get("ChildShards", ())
    ]


# --- streams and shards ---


class _Described(TypedDict):
    """What both descriptions of a stream have."""

    stream_name: str
    stream_arn: str
    stream_status: str
    stream_mode: str
    retention_period_hours: int
    stream_creation_timestamp: datetime
    enhanced_monitoring: tuple[str, ...]
    encryption_type: str
    key_id: str | None


def stream_description(shape: Shape) -> StreamDescription:
    """A stream with a page of its shards."""
    return StreamDescription(
        **_described(shape),
        shards=[shard_description(shard) for shard in shape["Shards"]],
        has_more_shards=shape["HasMoreShards"],
    )


def stream_description_summary(shape: Shape) -> StreamDescriptionSummary:
    """A stream without its shards."""
    warm = shape.get("WarmThroughput", {})
    return StreamDescriptionSummary(
        **_described(shape),
        open_shard_count=shape["OpenShardCount"],
        consumer_count=shape.get("ConsumerCount", 0),
        max_record_size_in_kib=shape.get("MaxRecordSizeInKiB", 1024),
        warm_throughput_mibps=warm.get("TargetMiBps"),
        current_warm_throughput_mibps=warm.get("CurrentMiBps"),
        record_distribution_strategy=shape.get("RecordDistributionStrategy"),
    )


def _described(shape: Shape) -> _Described:
    metrics = [
        metric for group in shape.get("EnhancedMonitoring", ()) for metric in group["ShardLevelMetrics"]
    ]
    return {
        "stream_name": shape["StreamName"],
        "stream_arn": shape["StreamARN"],
        "stream_status": shape["StreamStatus"],
        "stream_mode": _mode(shape),
        "retention_period_hours": shape["RetentionPeriodHours"],
        "stream_creation_timestamp": _utc(shape["StreamCreationTimestamp"]),
        "enhanced_monitoring": tuple(metrics),
        "encryption_type": shape.get("EncryptionType", "NONE"),
        "key_id": shape.get("KeyId"),
    }


def _mode(shape: Shape) -> str:
    mode: str = shape.get("StreamModeDetails", {}).get("StreamMode", PROVISIONED)
    return mode


def shard_description(shape: Shape) -> ShardDescription:
    """A shard."""
    sequence_numbers = shape["SequenceNumberRange"]
    return ShardDescription(
        shape["ShardId"],
        shape.get("ParentShardId"),
        shape.get("AdjacentParentShardId"),
        _hash_key_range(shape),
        sequence_numbers["StartingSequenceNumber"],
        sequence_numbers.get("EndingSequenceNumber"),
    )


def _hash_key_range(shape: Shape) -> tuple[str, str]:
    hash_keys = shape["HashKeyRange"]
    return hash_keys["StartingHashKey"], hash_keys["EndingHashKey"]


def monitoring(answer: Shape) -> EnhancedMonitoring:
    """The shard-level metrics before and after a change."""
    return EnhancedMonitoring(
        tuple(answer["CurrentShardLevelMetrics"]), tuple(answer["DesiredShardLevelMetrics"])
    )


def tags(answer: Shape) -> dict[str, str]:
    """Tags, by their keys; one that was given no value has an empty one."""
    return {tag["Key"]: tag.get("Value", "") for tag in answer["Tags"]}


def consumer_description(shape: Shape, stream_arn: str) -> ConsumerDescription:
    """A registered consumer; AWS does not always name its stream."""
    return ConsumerDescription(
        consumer_name=shape["ConsumerName"],
        consumer_arn=shape["ConsumerARN"],
        consumer_status=shape["ConsumerStatus"],
        consumer_creation_timestamp=_utc(shape["ConsumerCreationTimestamp"]),
        stream_arn=shape.get("StreamARN", stream_arn),
    )


# --- the account ---


def list_streams_result(answer: Shape) -> ListStreamsResult:
    """A page of streams."""
    return ListStreamsResult(
        stream_names=list(answer["StreamNames"]),
        stream_summaries=[
            StreamSummary(
                stream_name=summary["StreamName"],
                stream_arn=summary["StreamARN"],
                stream_status=summary["StreamStatus"],
                stream_mode=_mode(summary),
                stream_creation_timestamp=_utc(summary["StreamCreationTimestamp"]),
            )
            for summary in answer.get("StreamSummaries", ())
        ],
        has_more_streams=answer["HasMoreStreams"],
        next_token=answer.get("NextToken"),
    )


def account_limits(answer: Shape) -> AccountLimits:
    """The account's quotas, and what is used of them."""
    return AccountLimits(
        shard_limit=answer["ShardLimit"],
        open_shard_count=answer["OpenShardCount"],
        on_demand_stream_count=answer.get("OnDemandStreamCount", 0),
        on_demand_stream_count_limit=answer.get("OnDemandStreamCountLimit", 0),
    )


def account_settings(answer: Shape) -> AccountSettings:
    """Whether the account has committed itself to a minimum throughput."""
    commitment = answer.get("MinimumThroughputBillingCommitment", {})
    return AccountSettings(
        MinimumThroughputBillingCommitment(
            status=commitment.get("Status", "DISABLED"),
            started_at=_utc_or_none(commitment.get("StartedAt")),
            ended_at=_utc_or_none(commitment.get("EndedAt")),
            earliest_allowed_end_at=_utc_or_none(commitment.get("EarliestAllowedEndAt")),
        )
    )


def _utc(timestamp: datetime) -> datetime:
    return timestamp.astimezone(UTC)


def _utc_or_none(timestamp: datetime | None) -> datetime | None:
    return None if timestamp is None else _utc(timestamp)
