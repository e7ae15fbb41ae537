"""A stream's settings, as one frozen value that is replaced when one of them changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import attrs

from queuestream.core.clock import HOUR, SECOND
from queuestream.core.errors import InvalidArgumentException
from queuestream.core.streams import checks
from queuestream.core.streams.limits import KIB, StreamLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVISIONED = "PROVISIONED"
ON_DEMAND = "ON_DEMAND"
MODES = (PROVISIONED, ON_DEMAND)

AUTO = "AUTO"
USER_PARTITION_KEY = "USER_PARTITION_KEY"
STRATEGIES = (AUTO, USER_PARTITION_KEY)

_DAY_NS = 24 * HOUR


class StreamArguments(TypedDict, total=False):
    """What can be said about a new stream."""

    shard_count: int | None
    stream_mode: str
    retention_period_hours: int
    max_record_size_in_kib: int
    tags: Mapping[str, str] | None
    warm_throughput_mibps: int | None
    record_distribution_strategy: str | None
    enforce_throughput: bool
    scale_on_demand: bool
    provisioning_time_seconds: float
    limits: StreamLimits


@attrs.frozen(kw_only=True)
class StreamSettings:
    """What is set about a stream.

    Attributes:
        stream_mode: `PROVISIONED` or `ON_DEMAND`.
        retention_period_hours: How long a record can be read.
        max_record_size_in_kib: How large a record may be.
        tags: By their keys.
        encryption_type: `NONE` or `KMS`.
        key_id: The KMS key, where there is one.
        shard_level_metrics: The enhanced monitoring that is switched on.
        resource_policy: A JSON text, kept and not evaluated; None where there is none.
        warm_throughput_mibps: What an on-demand stream is warmed to; None where it never was.
        warm_throughput_before_mibps: What it was warmed to before that.
        record_distribution_strategy: `USER_PARTITION_KEY`, or `AUTO`: evenly, whatever the keys.
        enforce_throughput: Ours: whether shards refuse more than their allowance.
        scale_on_demand: Ours: whether an on-demand stream adds shards as its load grows.
        provisioning_time_seconds: Ours: how long CREATING, UPDATING and DELETING last.
        limits: The quotas.
        scaled_at_ns: When `update_shard_count` was called in the last 24 hours.
        mode_changed_at_ns: When `update_stream_mode` was called in the last 24 hours.
        encryption_started_at_ns: When `start_stream_encryption` was called in the last 24 hours.
        encryption_stopped_at_ns: When `stop_stream_encryption` was called in the last 24 hours.
    """

    stream_mode: str = PROVISIONED
    retention_period_hours: int = 24
    max_record_size_in_kib: int = 1024
    tags: Mapping[str, str] = attrs.Factory(dict)
    encryption_type: str = "NONE"
    key_id: str | None = None
    shard_level_metrics: tuple[str, ...] = ()
    resource_policy: str | None = None
    warm_throughput_mibps: int | None = None
    warm_throughput_before_mibps: int | None = None
    record_distribution_strategy: str = USER_PARTITION_KEY
    enforce_throughput: bool = False
    scale_on_demand: bool = False
    provisioning_time_seconds: float = 0
    limits: StreamLimits = attrs.Factory(StreamLimits)
    scaled_at_ns: tuple[int, ...] = ()
    mode_changed_at_ns: tuple[int, ...] = ()
    encryption_started_at_ns: tuple[int, ...] = ()
    encryption_stopped_at_ns: tuple[int, ...] = ()

    @property
    def retention_ns(self) -> int:
        """How long a record can be read, in nanoseconds."""
        return self.retention_period_hours * HOUR

    @property
    def max_record_bytes(self) -> int:
        """How large a record may be."""
        return self.max_record_size_in_kib * KIB

    @property
    def provisioning_ns(self) -> int:
        """How long CREATING, UPDATING and DELETING last, in nanoseconds."""
        return round(self.provisioning_time_seconds * SECOND)


def in_the_last_day(times_ns: tuple[int, ...], now_ns: int) -> tuple[int, ...]:
    """Those of the times that lie less than 24 hours back."""
    return tuple(time_ns for time_ns in times_ns if time_ns > now_ns - _DAY_NS)


def check_settings(
    *,
    stream_mode: object,
    retention_period_hours: object,
    max_record_size_in_kib: object,
    tags: object,
    warm_throughput_mibps: object,
    record_distribution_strategy: object,
    enforce_throughput: object,
    scale_on_demand: object,
    provisioning_time_seconds: object,
    limits: object,
) -> StreamSettings:
    """The settings of a new stream, each of them checked.

    Raises:
        ValidationException: One of them has the wrong form or is out of its range.
        InvalidArgumentException: What only an on-demand stream may have, for another one.
    """
    if not isinstance(limits, StreamLimits):
        raise checks.violation(limits, "limits", "Member must be a StreamLimits")
    seconds = provisioning_time_seconds
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 86_400:
        raise checks.violation(seconds, "provisioningTimeSeconds", "Member must have value from 0 to 86400")
    mode = checks.check_choice(stream_mode, "streamModeDetails.streamMode", MODES)
    return StreamSettings(
        stream_mode=mode,
        warm_throughput_mibps=None
        if warm_throughput_mibps is None
        else check_warm_throughput(warm_throughput_mibps, mode, limits),
        record_distribution_strategy=USER_PARTITION_KEY
        if record_distribution_strategy is None
        else check_strategy(record_distribution_strategy, mode),
        retention_period_hours=checks.check_integer(
            retention_period_hours,
            "retentionPeriodHours",
            limits.retention_period_hours_min,
            limits.retention_period_hours_max,
        ),
        max_record_size_in_kib=checks.check_integer(
            max_record_size_in_kib,
            "maxRecordSizeInKiB",
            limits.max_record_size_in_kib_min,
            limits.max_record_size_in_kib_max,
        ),
        tags={} if tags is None else checks.check_tags(tags, low=0, high=limits.tags_max),
        enforce_throughput=checks.check_boolean(enforce_throughput, "enforceThroughput"),
        scale_on_demand=checks.check_boolean(scale_on_demand, "scaleOnDemand"),
        provisioning_time_seconds=seconds,
        limits=limits,
    )


def check_warm_throughput(warm_throughput_mibps: object, stream_mode: str, limits: StreamLimits) -> int:
    """What a stream of that mode may be warmed to (the page "UpdateStreamMode").

    Raises:
        ValidationException: It is out of its range.
        InvalidArgumentException: The stream is a provisioned one.
    """
    warm = checks.check_integer(
        warm_throughput_mibps, "warmThroughputMiBps", 0, limits.warm_throughput_mibps_max
    )
    if stream_mode != ON_DEMAND:
        raise InvalidArgumentException("WarmThroughputMiBps is only valid for a stream in ON_DEMAND mode.")
    return warm


def check_strategy(record_distribution_strategy: object, stream_mode: str) -> str:
    """How a stream of that mode may distribute its records.

    The page "UpdateStreamRecordDistributionStrategy" of the API reference.

    Raises:
        ValidationException: There is no such strategy.
        InvalidArgumentException: `AUTO`, for a provisioned stream.
    """
    strategy = checks.check_choice(record_distribution_strategy, "recordDistributionStrategy", STRATEGIES)
    if strategy == AUTO and stream_mode != ON_DEMAND:
        raise InvalidArgumentException(
            "RecordDistributionStrategy AUTO is only valid for a stream in ON_DEMAND mode."
        )
    return strategy
