"""The core's answers about streams as AWS's shapes: names, lists of pairs, timestamps in local time.

Records are made by the thousand, so what they cost is decided here: one dictionary each, the digits of
its sequence number, and a timestamp for each millisecond rather than for each record.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dateutil.tz import tzlocal

from queuestream.core.clock import MILLISECOND
from queuestream.core.streams.record import Record
from queuestream.core.streams.sequence_numbers import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from queuestream.aws.calls import Shape
    from queuestream.core.streams.account import AccountSettings, StreamSummary
    from queuestream.core.streams.consumers import ConsumerDescription
    from queuestream.core.streams.fan_out import SubscribeToShardEvent
    from queuestream.core.streams.listing import StreamDescription, StreamDescriptionSummary
    from queuestream.core.streams.record import ChildShard
    from queuestream.core.streams.shard import ShardDescription

_QUARTER_MS = 15 * 60 * 1000
"""Wherever clocks are set, they are set at a multiple of a quarter of an hour."""


def without_none(shape: Shape) -> Shape:
    """The members that there are."""
    return {name: value for name, value in shape.items() if value is not None}


# --- timestamps ---


def timestamp_shape(timestamp: datetime) -> datetime:
    """A time as botocore's parser gives it: in the machine's time zone."""
    return timestamp.astimezone(tzlocal())


class _Arrivals:
    """From a record's arrival to AWS's timestamp of it, as botocore's parser gives it.

    Asking a time zone takes as long as several records, so it is asked once for each quarter of an hour.
    """

    def __init__(self) -> None:
        self._zone = tzlocal()
        self._quarter = -1
        self._start: datetime | None = None

    def timestamp(self, arrival_ms: int) -> datetime:
        quarter, rest = divmod(arrival_ms, _QUARTER_MS)
        if quarter != self._quarter:
            self._quarter = quarter
            start = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, self._zone)
            # The hour that comes twice has to be told apart, which adding to its start doesn't do.
            self._start = None if start.fold else start
        if self._start is None:
            return datetime.fromtimestamp(arrival_ms / 1000, self._zone)
        return self._start + timedelta(0, 0, 0, rest)


# --- records ---


def record_shapes(records: Sequence[Record]) -> list[Shape]:
    """The records that were read.  AWS names the encryption only of those that are encrypted."""
    shapes: list[Shape] = []
    add = shapes.append
    timestamp_of = _Arrivals().timestamp
    known_ms = -1
    timestamp: datetime | None = None
    for record, sequence_number in zip(records, texts_of(records), strict=True):
        arrival_ms = record.arrival_ns // MILLISECOND
        if arrival_ms != known_ms:
            known_ms = arrival_ms
            timestamp = timestamp_of(arrival_ms)
        shape: Shape = {
            "SequenceNumber": sequence_number,
            "ApproximateArrivalTimestamp": timestamp,
            "Data": record.data,
            "PartitionKey": record.partition_key,
        }
        if type(record) is not Record:
            shape["EncryptionType"] = record.encryption_type
        if not shape["PartitionKey"]:
            del shape["PartitionKey"]  # a stream that distributes its records itself needs none
        add(shape)
    return shapes


def child_shard_shapes(child_shards: Iterable[ChildShard]) -> list[Shape]:
    """The shards to go on with after a closed one."""
    return [
        {
            "ShardId": child.shard_id,
            "ParentShards": list(child.parent_shards),
            "HashKeyRange": _hash_key_range(child.hash_key_range),
        }
        for child in child_shards
    ]


def event_shape(event: SubscribeToShardEvent) -> Shape:
    """What a subscription says, under the name that it has in the event stream."""
    shape: Shape = {
        "Records": record_shapes(event.records),
        # AWS's model wants a text here; at the end of a closed shard there is none to go on from.
        "ContinuationSequenceNumber": event.continuation_sequence_number,
        "MillisBehindLatest": event.millis_behind_latest,
    }
    if event.child_shards:
        shape["ChildShards"] = child_shard_shapes(event.child_shards)
    return {"SubscribeToShardEvent": without_none(shape)}


# --- streams, shards, consumers ---


def stream_description_shape(description: StreamDescription) -> Shape:
    """A stream with its shards."""
    shape = _stream_shape(description)
    shape["Shards"] = [shard_shape(shard) for shard in description.shards]
    shape["HasMoreShards"] = description.has_more_shards
    return shape


def stream_description_summary_shape(summary: StreamDescriptionSummary) -> Shape:
    """A stream without its shards."""
    shape = _stream_shape(summary)
    shape["OpenShardCount"] = summary.open_shard_count
    shape["ConsumerCount"] = summary.consumer_count
    shape["MaxRecordSizeInKiB"] = summary.max_record_size_in_kib
    if summary.warm_throughput_mibps is not None:
        shape["WarmThroughput"] = {
            "TargetMiBps": summary.warm_throughput_mibps,
            "CurrentMiBps": summary.current_warm_throughput_mibps or 0,
        }
    if summary.record_distribution_strategy is not None:
        shape["RecordDistributionStrategy"] = summary.record_distribution_strategy
    return shape


def _stream_shape(description: StreamDescription | StreamDescriptionSummary) -> Shape:
    return without_none(
        {
            "StreamName": description.stream_name,
            "StreamARN": description.stream_arn,
            "StreamStatus": description.stream_status,
            "StreamModeDetails": {"StreamMode": description.stream_mode},
            "RetentionPeriodHours": description.retention_period_hours,
            "StreamCreationTimestamp": timestamp_shape(description.stream_creation_timestamp),
            "EnhancedMonitoring": [{"ShardLevelMetrics": list(description.enhanced_monitoring)}],
            "EncryptionType": description.encryption_type,
            "KeyId": description.key_id,
        }
    )


def stream_summary_shape(summary: StreamSummary) -> Shape:
    """A stream in a list of streams."""
    return {
        "StreamName": summary.stream_name,
        "StreamARN": summary.stream_arn,
        "StreamStatus": summary.stream_status,
        "StreamModeDetails": {"StreamMode": summary.stream_mode},
        "StreamCreationTimestamp": timestamp_shape(summary.stream_creation_timestamp),
    }


def shard_shape(shard: ShardDescription) -> Shape:
    """A shard."""
    return without_none(
        {
            "ShardId": shard.shard_id,
            "ParentShardId": shard.parent_shard_id,
            "AdjacentParentShardId": shard.adjacent_parent_shard_id,
            "HashKeyRange": _hash_key_range(shard.hash_key_range),
            "SequenceNumberRange": without_none(
                {
                    "StartingSequenceNumber": shard.starting_sequence_number,
                    "EndingSequenceNumber": shard.ending_sequence_number,
                }
            ),
        }
    )


def _hash_key_range(hash_key_range: tuple[str, str]) -> Shape:
    starting, ending = hash_key_range
    return {"StartingHashKey": starting, "EndingHashKey": ending}


def consumer_shape(consumer: ConsumerDescription) -> Shape:
    """A registered consumer; AWS names its stream only where one consumer is described."""
    return {
        "ConsumerName": consumer.consumer_name,
        "ConsumerARN": consumer.consumer_arn,
        "ConsumerStatus": consumer.consumer_status,
        "ConsumerCreationTimestamp": timestamp_shape(consumer.consumer_creation_timestamp),
    }


def account_settings_shape(settings: AccountSettings) -> Shape:
    """An account's settings."""
    commitment = settings.minimum_throughput_billing_commitment
    return {
        "MinimumThroughputBillingCommitment": without_none(
            {
                "Status": commitment.status,
                "StartedAt": _timestamp_or_none(commitment.started_at),
                "EndedAt": _timestamp_or_none(commitment.ended_at),
                "EarliestAllowedEndAt": _timestamp_or_none(commitment.earliest_allowed_end_at),
            }
        )
    }


def _timestamp_or_none(timestamp: datetime | None) -> datetime | None:
    return None if timestamp is None else timestamp_shape(timestamp)


def tag_shapes(tags: Mapping[str, str]) -> list[Shape]:
    """Tags, in the order of their keys."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
