"""What a caller hands in for a stream, as the members of AWS's requests.

Whether AWS takes it is for AWS to say.  What is checked here is the form, where botocore would take
something else than the core does, or would ask with something else than was meant: a `datetime` that says
no time zone is in UTC, a text is no list of texts and no bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from queuestream.aws.remote.calls import present
from queuestream.core.errors import NotSupportedByEngine
from queuestream.core.streams import checks
from queuestream.core.streams.entries import fields_of
from queuestream.core.streams.fan_out import StartingPosition
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.listing import ShardFilter
from queuestream.core.streams.settings import PROVISIONED

if TYPE_CHECKING:
    from datetime import datetime


Shape = dict[str, Any]


RETENTION_PERIOD_HOURS = 24
"""How long AWS keeps the records of a new stream."""


def new_stream(
    name: str,
    *,
    shard_count: int | None = None,
    stream_mode: str = PROVISIONED,
    retention_period_hours: int = RETENTION_PERIOD_HOURS,
    max_record_size_in_kib: int | None = None,
    tags: Mapping[str, str] | None = None,
    warm_throughput_mibps: int | None = None,
    record_distribution_strategy: str | None = None,
    enforce_throughput: bool = True,
    scale_on_demand: bool = True,
    provisioning_time_seconds: float = 0,
    limits: StreamLimits | None = None,
) -> Shape:
    """CreateStream's request for a stream of these settings; where they are silent, as the core has it.

    How long records are kept is not in it, but is set later; it is checked before there is a stream.

    Raises:
        NotSupportedByEngine: A setting that AWS has not.
        ValidationException: A setting that AWS cannot refuse in time.
    """
    quotas = StreamLimits()
    checks.check_integer(
        retention_period_hours,
        "retentionPeriodHours",
        quotas.retention_period_hours_min,
        quotas.retention_period_hours_max,
    )
    if limits not in {None, quotas}:
        raise NotSupportedByEngine("aws", "limits of a stream", "The quotas are those of the account.")
    if provisioning_time_seconds:
        raise NotSupportedByEngine(
            "aws", "provisioning_time_seconds of a stream", "With AWS, it takes as long as it takes."
        )
    if not enforce_throughput:
        raise NotSupportedByEngine(
            "aws", "stream without limits of throughput", "With AWS, enforce_throughput is always true."
        )
    if not scale_on_demand:
        raise NotSupportedByEngine(
            "aws", "on-demand stream of a fixed size", "With AWS, scale_on_demand is always true."
        )
    if shard_count is None and stream_mode == PROVISIONED:
        shard_count = 1  # where AWS would make an on-demand stream
    return present(
        StreamName=name,
        ShardCount=shard_count,
        StreamModeDetails=None if stream_mode == PROVISIONED else {"StreamMode": stream_mode},
        MaxRecordSizeInKiB=max_record_size_in_kib,
        WarmThroughputMiBps=warm_throughput_mibps,
        RecordDistributionStrategy=record_distribution_strategy,
        Tags=None if tags is None else mapping(tags, "tags"),
    )


def put_records_entries(records: object) -> list[Shape]:
    """The records of one PutRecords.

    Raises:
        ValidationException: They are no list of records.
    """
    if isinstance(records, str | bytes | Mapping) or not isinstance(records, Iterable):
        raise checks.violation(
            records, "records", "Member must not be null" if records is None else "Member must be a list"
        )
    # One more than AWS takes is enough for AWS to refuse them, also of what never ends.
    entries = islice(records, StreamLimits().put_records_max + 1)
    return [_entry(entry, f"records.{number}.member.") for number, entry in enumerate(entries, 1)]


def _entry(entry: object, at: str) -> Shape:
    if type(entry) is tuple and len(entry) == 2 and type(entry[0]) is bytes and type(entry[1]) is str:
        # The same without detours: a record of a batch should cost little.
        return {"Data": entry[0], "PartitionKey": entry[1]}
    data, partition_key, explicit_hash_key = fields_of(entry, at)
    return present(
        Data=checks.check_data(data, f"{at}data"),
        PartitionKey=partition_key,
        ExplicitHashKey=explicit_hash_key,
    )


def flag(value: object, at: str) -> bool | None:
    """True, False or None: a text that AWS may take for either should not delete anything.

    Raises:
        ValidationException: It is something else.
    """
    return None if value is None else checks.check_boolean(value, at)


def point_in_time(value: object, at: str) -> datetime | None:
    """A point in time, cut to the milliseconds that Kinesis knows; None stays None.

    Raises:
        ValidationException: It is none.
    """
    return None if value is None else checks.timestamp(checks.check_timestamp(value, at))


def shard_filter_shape(shard_filter: object) -> Shape | None:
    """A ShardFilter, or the type of one that needs nothing else; None stays None.

    Raises:
        ValidationException: It is none.
    """
    if shard_filter is None:
        return None
    if isinstance(shard_filter, str):
        shard_filter = ShardFilter(shard_filter)
    if not isinstance(shard_filter, ShardFilter):
        raise checks.violation(shard_filter, "shardFilter", "Member must be a structure")
    return present(
        Type=shard_filter.type,
        ShardId=shard_filter.shard_id,
        Timestamp=point_in_time(shard_filter.timestamp, "shardFilter.timestamp"),
    )


def starting_position_shape(starting_position: object) -> Shape:
    """A StartingPosition, or the type of one that needs nothing else.

    Raises:
        ValidationException: It is none.
    """
    if isinstance(starting_position, str):
        starting_position = StartingPosition(starting_position)
    if not isinstance(starting_position, StartingPosition):
        raise checks.violation(starting_position, "startingPosition", "Member must be a structure")
    return present(
        Type=starting_position.type,
        SequenceNumber=starting_position.sequence_number,
        Timestamp=point_in_time(starting_position.timestamp, "startingPosition.timestamp"),
    )


def mapping(value: object, at: str) -> dict[str, str]:
    """Tags, in whichever kind of mapping they come.

    Raises:
        ValidationException: They come in none.
    """
    if not isinstance(value, Mapping):
        raise checks.violation(
            value, at, "Member must not be null" if value is None else "Member must be a map"
        )
    return dict(value)


def texts(value: object, at: str) -> list[str]:
    """A list of texts, in whichever collection they come.

    Raises:
        ValidationException: They come in none, or one of them is no text.
    """
    return checks.check_texts(value, at, 0, sys.maxsize)
