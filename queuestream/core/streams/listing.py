"""What AWS says about a stream and its shards: list_shards, describe, describe_summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.clock import MILLISECOND
from queuestream.core.errors import InvalidArgumentException
from queuestream.core.streams import account, checks, iterators
from queuestream.core.streams.settings import ON_DEMAND
from queuestream.core.streams.shard import Shard, ShardDescription, index_of
from queuestream.core.streams.state import StreamState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

FILTER_TYPES = (
    "AFTER_SHARD_ID",
    "AT_TRIM_HORIZON",
    "FROM_TRIM_HORIZON",
    "AT_LATEST",
    "AT_TIMESTAMP",
    "FROM_TIMESTAMP",
)
_WITH_TIMESTAMP = ("AT_TIMESTAMP", "FROM_TIMESTAMP")
_TOKEN = b"list shards"


@attrs.frozen
class ShardFilter:
    """Which shards `list_shards` lists.

    Attributes:
        type: `AFTER_SHARD_ID` (with `shard_id`), `AT_TRIM_HORIZON` (those open when the oldest record
            arrived),
            `FROM_TRIM_HORIZON` (all of them), `AT_LATEST` (those open now), `AT_TIMESTAMP` (with `timestamp`:
            those open then), `FROM_TIMESTAMP` (with `timestamp`: those open then or later).
        timestamp: A `datetime` (UTC where it says nothing else), or seconds since the epoch.
    """

    type: str
    shard_id: str | None = None
    timestamp: Any = None


@attrs.frozen
class ListShardsResult:
    """One page of shards.

    Attributes:
        next_token: For the next page; None where this is the last one.
    """

    shards: list[ShardDescription]
    next_token: str | None


@attrs.frozen(kw_only=True)
class StreamDescription:
    """What AWS says about a stream and its shards."""

    stream_name: str
    stream_arn: str
    stream_status: str
    stream_mode: str
    shards: list[ShardDescription]
    has_more_shards: bool
    retention_period_hours: int
    stream_creation_timestamp: datetime
    enhanced_monitoring: tuple[str, ...]
    encryption_type: str
    key_id: str | None


@attrs.frozen(kw_only=True)
class StreamDescriptionSummary:
    """What AWS says about a stream, without its shards.

    Attributes:
        warm_throughput_mibps: What it is being warmed to; None where it is not, or where the account has no
            minimum throughput billing commitment.
        current_warm_throughput_mibps: What it is warmed to by now.
        record_distribution_strategy: `USER_PARTITION_KEY` or `AUTO`; None where it is not on demand.
    """

    stream_name: str
    stream_arn: str
    stream_status: str
    stream_mode: str
    retention_period_hours: int
    stream_creation_timestamp: datetime
    enhanced_monitoring: tuple[str, ...]
    encryption_type: str
    key_id: str | None
    open_shard_count: int
    consumer_count: int
    max_record_size_in_kib: int
    warm_throughput_mibps: int | None
    current_warm_throughput_mibps: int | None = None
    record_distribution_strategy: str | None = None


class _Choice:
    """A shard filter, checked, in the form that a paging token carries on."""

    def __init__(self, type_: str, after: int = -1, time_ns: int = 0) -> None:
        self.type = type_
        self.after = after
        self.time_ns = time_ns

    def to_bytes(self) -> bytes:
        time_ns = self.time_ns.to_bytes(16, "big", signed=True)
        return bytes([FILTER_TYPES.index(self.type)]) + self.after.to_bytes(5, "big", signed=True) + time_ns

    @classmethod
    def from_bytes(cls, payload: bytes) -> _Choice:
        after = int.from_bytes(payload[1:6], "big", signed=True)
        return cls(FILTER_TYPES[payload[0]], after, int.from_bytes(payload[6:], "big", signed=True))

    def chooses(self, shard: Shard, listed: dict[str, Shard]) -> bool:
        """Whether the filter lets a shard through; one is open from its making until before its closing."""
        if shard.identity.index <= self.after:
            return False
        if self.type == "AT_LATEST":
            return shard.is_open
        if self.type == "AT_TRIM_HORIZON":
            return listed.keys().isdisjoint(shard.identity.parents)
        if self.type not in _WITH_TIMESTAMP:
            return True
        if shard.closed_at_ns is not None and shard.closed_at_ns <= self.time_ns:
            return False
        # Before the stream's or the horizon's time, the oldest shards are what was there.
        return (
            self.type == "FROM_TIMESTAMP"
            or shard.identity.created_at_ns < self.time_ns + MILLISECOND
            or listed.keys().isdisjoint(shard.identity.parents)
        )


class Listing(StreamState):
    """The operations that describe a stream."""

    @property
    def status(self) -> str:
        """`CREATING`, `ACTIVE`, `UPDATING` or `DELETING`."""
        with self._lock:
            return self._status(self._enter())

    def list_shards(
        self,
        next_token: str | None = None,
        exclusive_start_shard_id: str | None = None,
        max_results: int | None = None,
        stream_creation_timestamp: object = None,
        shard_filter: ShardFilter | str | None = None,
    ) -> ListShardsResult:
        """The shards, open and closed, in the order in which they were made; not those that have expired.

        Args:
            next_token: From the last answer, within five minutes; the filter goes on with it.
            exclusive_start_shard_id: Only shards after this one.
            max_results: 1 to 10,000; never more than 1,000 at a time.
            stream_creation_timestamp: Names one of several streams that had this name one after the other.
            shard_filter: A `ShardFilter`, or the type of one that needs nothing else.

        Raises:
            ValidationException: A parameter has the wrong form.
            InvalidArgumentException: Parameters that don't go together, or a token that isn't one of this
                stream's.
            ExpiredNextTokenException: The token is older than five minutes.
            ResourceNotFoundException: No stream of this name was made at that time.

        Cost: linear in the shards.
        """
        limits = self.limits
        count = limits.list_shards_max
        if max_results is not None:
            count = min(count, checks.check_integer(max_results, "maxResults", 1, 10_000))
        after, created_ns = -1, None
        if exclusive_start_shard_id is not None:
            after = _index_of(exclusive_start_shard_id, "exclusiveStartShardId")
        if stream_creation_timestamp is not None:
            created_ns = checks.check_timestamp(stream_creation_timestamp, "streamCreationTimestamp")
        choice = _check_filter(shard_filter)
        choice.after = max(choice.after, after)
        if next_token is not None:
            checks.check_text(next_token, "nextToken", 1, 1_048_576)
            if exclusive_start_shard_id is not None or created_ns is not None or shard_filter is not None:
                raise InvalidArgumentException(
                    "NextToken and StreamCreationTimestamp, ExclusiveStartShardId or ShardFilter cannot be "
                    "provided together."
                )
        with self._lock:
            now_ns = self._enter()
            if created_ns is not None and created_ns != self.created_at_ns // MILLISECOND * MILLISECOND:
                raise self._not_found()
            if next_token is not None:
                seconds = limits.next_token_seconds
                choice = _Choice.from_bytes(
                    iterators.token_payload(self._secret, _TOKEN, next_token, now_ns, seconds)
                )
            if choice.time_ns > now_ns:
                raise InvalidArgumentException("The timestamp of the ShardFilter cannot lie in the future.")
            listed = self._listed(now_ns)
            page, more = _page([shard for shard in listed.values() if choice.chooses(shard, listed)], count)
            if more:
                choice.after = page[-1].identity.index
            token = iterators.token_text(self._secret, _TOKEN, now_ns, choice.to_bytes()) if more else None
            return ListShardsResult([shard.describe() for shard in page], token)

    def describe(
        self, limit: int | None = None, exclusive_start_shard_id: str | None = None
    ) -> StreamDescription:
        """The stream with its shards, 100 at a time.

        Raises:
            ValidationException: A parameter has the wrong form.
        """
        count = self.limits.describe_shards_max
        if limit is not None:
            count = min(count, checks.check_integer(limit, "limit", 1, 10_000))
        after = -1
        if exclusive_start_shard_id is not None:
            after = _index_of(exclusive_start_shard_id, "exclusiveStartShardId")
        with self._lock:
            now_ns = self._enter()
            listed = self._listed(now_ns)
            page, more = _page([shard for shard in listed.values() if shard.identity.index > after], count)
            settings = self.settings
            return StreamDescription(
                stream_name=self.name,
                stream_arn=self.arn,
                stream_status=self._status(now_ns),
                stream_mode=settings.stream_mode,
                shards=[shard.describe() for shard in page],
                has_more_shards=more,
                retention_period_hours=settings.retention_period_hours,
                stream_creation_timestamp=checks.timestamp(self.created_at_ns),
                enhanced_monitoring=settings.shard_level_metrics,
                encryption_type=settings.encryption_type,
                key_id=settings.key_id,
            )

    def describe_summary(self) -> StreamDescriptionSummary:
        """The stream without its shards."""
        with self._lock:
            now_ns = self._enter()
            settings = self.settings
            is_committed = account.is_committed(self.broker, now_ns)
            return StreamDescriptionSummary(
                stream_name=self.name,
                stream_arn=self.arn,
                stream_status=self._status(now_ns),
                stream_mode=settings.stream_mode,
                retention_period_hours=settings.retention_period_hours,
                stream_creation_timestamp=checks.timestamp(self.created_at_ns),
                enhanced_monitoring=settings.shard_level_metrics,
                encryption_type=settings.encryption_type,
                key_id=settings.key_id,
                open_shard_count=len(self._open_shards),
                consumer_count=len(self._consumers),
                max_record_size_in_kib=settings.max_record_size_in_kib,
                warm_throughput_mibps=settings.warm_throughput_mibps if is_committed else None,
                current_warm_throughput_mibps=self._warm_throughput(now_ns) if is_committed else None,
                record_distribution_strategy=settings.record_distribution_strategy
                if settings.stream_mode == ON_DEMAND
                else None,
            )

    def _listed(self, now_ns: int) -> dict[str, Shard]:
        """The shards that AWS lists; while the stream is CREATING it has none."""
        if now_ns < self._active_from_ns:
            return {}
        return {name: shard for name, shard in self._shards.items() if not self._has_expired(shard, now_ns)}


def _page(shards: Sequence[Shard], count: int) -> tuple[Sequence[Shard], bool]:
    return shards[:count], len(shards) > count


def _index_of(shard_id: object, at: str) -> int:
    """The index in a shard id, which need not be there any more."""
    text = checks.check_text(shard_id, at, 1, 128, checks.NAME)
    index = index_of(text)
    if index is None:
        raise InvalidArgumentException(f"{at} {text} is not the id of a shard.")
    return index


def _check_filter(shard_filter: object) -> _Choice:
    """A filter with what its type needs, and nothing else."""
    if shard_filter is None:
        return _Choice("FROM_TRIM_HORIZON")
    if isinstance(shard_filter, str):
        shard_filter = ShardFilter(shard_filter)
    if not isinstance(shard_filter, ShardFilter):
        raise checks.violation(shard_filter, "shardFilter", "Member must be a structure")
    choice = _Choice(checks.check_choice(shard_filter.type, "shardFilter.type", FILTER_TYPES))
    if (choice.type == "AFTER_SHARD_ID") is not (shard_filter.shard_id is not None):
        raise InvalidArgumentException(
            "A ShardFilter has a ShardId when its type is AFTER_SHARD_ID, and only then."
        )
    if (choice.type in _WITH_TIMESTAMP) is not (shard_filter.timestamp is not None):
        raise InvalidArgumentException(
            "A ShardFilter has a Timestamp when its type is AT_TIMESTAMP or FROM_TIMESTAMP, and only then."
        )
    if shard_filter.shard_id is not None:
        choice.after = _index_of(shard_filter.shard_id, "shardFilter.shardId")
    if shard_filter.timestamp is not None:
        # What is older than the epoch is older than every stream.
        choice.time_ns = max(0, checks.check_timestamp(shard_filter.timestamp, "shardFilter.timestamp"))
    return choice
