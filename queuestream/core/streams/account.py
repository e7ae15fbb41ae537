"""The streams of a broker taken together: finding and listing them, quotas and settings of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.core.arns import parse_arn
from queuestream.core.clock import HOUR
from queuestream.core.errors import (
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.streams import checks, iterators
from queuestream.core.streams.changes import BillingCommitmentChanged
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.settings import ON_DEMAND

if TYPE_CHECKING:
    from datetime import datetime

    from queuestream.core.broker import Broker
    from queuestream.core.streams.stream import Stream

_TOKEN = b"list streams"

_COMMITMENT_NS = 24 * HOUR
_STATUSES = ("ENABLED", "DISABLED")


@attrs.frozen(kw_only=True)
class StreamSummary:
    """What `list_streams` says about a stream."""

    stream_name: str
    stream_arn: str
    stream_status: str
    stream_mode: str
    stream_creation_timestamp: datetime


@attrs.frozen(kw_only=True)
class ListStreamsResult:
    """One page of streams, in the order of their names.

    Attributes:
        next_token: For the next page; None where this is the last one.
    """

    stream_names: list[str]
    stream_summaries: list[StreamSummary]
    has_more_streams: bool
    next_token: str | None


@attrs.frozen(kw_only=True)
class AccountLimits:
    """What `describe_limits` says about an account."""

    shard_limit: int
    open_shard_count: int
    on_demand_stream_count: int
    on_demand_stream_count_limit: int


@attrs.frozen(kw_only=True)
class MinimumThroughputBillingCommitment:
    """What `describe_account_settings` says about the account's commitment.

    Attributes:
        status: `ENABLED`, `DISABLED`, or `ENABLED_UNTIL_EARLIEST_ALLOWED_END`.
        started_at: When it began; None where there never was one.
        ended_at: When it ended; None while it goes on.
        earliest_allowed_end_at: 24 hours after it began; None where it does not go on.
    """

    status: str
    started_at: datetime | None
    ended_at: datetime | None
    earliest_allowed_end_at: datetime | None


@attrs.frozen
class AccountSettings:
    """What `describe_account_settings` says."""

    minimum_throughput_billing_commitment: MinimumThroughputBillingCommitment


@attrs.frozen
class BillingCommitment:
    """The latest commitment of an account.

    Attributes:
        started_ns: When it began.
        ends_ns: When it ends or ended; None where nobody has said so.
    """

    started_ns: int
    ends_ns: int | None = None

    @property
    def earliest_end_ns(self) -> int:
        """It lasts 24 hours at least (the page "MinimumThroughputBillingCommitmentInput")."""
        return self.started_ns + _COMMITMENT_NS

    def goes_on(self, now_ns: int) -> bool:
        """Whether it has not ended."""
        return self.ends_ns is None or now_ns < self.ends_ns


def is_committed(broker: Broker, now_ns: int) -> bool:
    """Whether the account has a minimum throughput billing commitment."""
    commitment = broker._billing_commitment
    return commitment is not None and commitment.goes_on(now_ns)


def check_commitment(broker: Broker, now_ns: int) -> None:
    """Refuse what only an account with a commitment may do (the page "UpdateStreamWarmThroughput").

    Raises:
        ValidationException: It has none.
    """
    if not is_committed(broker, now_ns):
        raise ValidationException(
            f"Request is invalid. Account {broker.account_id} does not have "
            "MinimumThroughputBillingCommitment enabled, which warm throughput needs."
        )


def describe_settings(broker: Broker, now_ns: int) -> AccountSettings:
    """The account's settings."""
    commitment = broker._billing_commitment
    if commitment is None:
        return AccountSettings(
            MinimumThroughputBillingCommitment(
                status="DISABLED", started_at=None, ended_at=None, earliest_allowed_end_at=None
            )
        )
    goes_on, ends_ns = commitment.goes_on(now_ns), commitment.ends_ns
    status = "DISABLED"
    if goes_on:
        status = "ENABLED" if ends_ns is None else "ENABLED_UNTIL_EARLIEST_ALLOWED_END"
    return AccountSettings(
        MinimumThroughputBillingCommitment(
            status=status,
            started_at=checks.timestamp(commitment.started_ns),
            ended_at=None if goes_on or ends_ns is None else checks.timestamp(ends_ns),
            earliest_allowed_end_at=checks.timestamp(commitment.earliest_end_ns) if goes_on else None,
        )
    )


def update_settings(broker: Broker, minimum_throughput_billing_commitment: object, now_ns: int) -> None:
    """Begin a commitment, or end it as early as it may end (the page "UpdateAccountSettings").

    Raises:
        ValidationException: Neither `ENABLED` nor `DISABLED`.
    """
    status = checks.check_choice(
        minimum_throughput_billing_commitment, "minimumThroughputBillingCommitment.status", _STATUSES
    )
    known = broker._billing_commitment
    changed = known
    if known is None or not known.goes_on(now_ns):
        if status == "ENABLED":
            changed = BillingCommitment(now_ns)
    elif status == "ENABLED":
        changed = BillingCommitment(known.started_ns)
    elif known.ends_ns is None:
        changed = BillingCommitment(known.started_ns, max(now_ns, known.earliest_end_ns))
    if changed is not None and changed != known:
        change = BillingCommitmentChanged(changed)
        if broker.listeners:
            broker.publish((change,))
        change.apply(broker)


def find(broker: Broker, stream_name: object) -> Stream:
    """The stream of that name.

    Raises:
        ResourceNotFoundException: There is none.
    """
    name = checks.check_text(stream_name, "streamName", 1, 128, checks.NAME)
    with broker.lock:
        broker.check_open()
        stream = broker.streams.get(name)
        if stream is None or stream._is_gone(broker.clock.now_ns()):
            raise ResourceNotFoundException(f"Stream {name} under account {broker.account_id} not found.")
        return stream


def find_by_arn(broker: Broker, stream_arn: object) -> Stream:
    """The stream that an ARN names; a consumer's ARN names its stream.

    Raises:
        ValidationException: It isn't the ARN of a stream.
        InvalidArgumentException: It is one of another region.
        ResourceNotFoundException: There is no such stream in this account.
    """
    text = checks.check_text(stream_arn, "streamARN", 1, 2048)
    arn = parse_arn(text)
    if arn is None or arn.service != "kinesis" or not arn.resource.startswith("stream/") or not arn.name:
        raise checks.violation(
            text,
            "streamARN",
            "Member must satisfy regular expression pattern: arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+",
        )
    if arn.region != broker.region:
        raise InvalidArgumentException(
            f"The region specified in the ARN '{text}' does not match the endpoint region"
        )
    if arn.account_id != broker.account_id:
        raise ResourceNotFoundException(f"Stream {arn.name} under account {arn.account_id} not found.")
    return find(broker, arn.name)


def list_streams(
    broker: Broker,
    limit: object = None,
    exclusive_start_stream_name: object = None,
    next_token: object = None,
) -> ListStreamsResult:
    """A page of streams, in the order of their names.

    Raises:
        ValidationException: A parameter has the wrong form.
        InvalidArgumentException: The token wasn't made here.
        ExpiredNextTokenException: The token is older than five minutes.
    """
    limits = StreamLimits()
    count = limits.list_streams_max
    if limit is not None:
        count = min(count, checks.check_integer(limit, "limit", 1, 10_000))
    start = ""
    if exclusive_start_stream_name is not None:
        start = checks.check_text(
            exclusive_start_stream_name, "exclusiveStartStreamName", 1, 128, checks.NAME
        )
    token = None if next_token is None else checks.check_text(next_token, "nextToken", 1, 1_048_576)
    with broker.lock:
        broker.check_open()
        now_ns = broker.clock.now_ns()
        forget_gone(broker)
        # No secret belongs to a whole account; the token's seal only catches what isn't one at all.
        secret = f"{broker.region}:{broker.account_id}".encode()[:64]
        if token is not None:
            seconds = limits.next_token_seconds
            start = iterators.token_payload(secret, _TOKEN, token, now_ns, seconds).decode()
        names = sorted(name for name in broker.streams if name > start)
        page = names[:count]
        more = len(names) > count
        onward = iterators.token_text(secret, _TOKEN, now_ns, page[-1].encode()) if more else None
        return ListStreamsResult(
            stream_names=page,
            stream_summaries=[_summary(broker.streams[name], now_ns) for name in page],
            has_more_streams=more,
            next_token=onward,
        )


def _summary(stream: Stream, now_ns: int) -> StreamSummary:
    return StreamSummary(
        stream_name=stream.name,
        stream_arn=stream.arn,
        stream_status=stream._status(now_ns),
        stream_mode=stream.settings.stream_mode,
        stream_creation_timestamp=checks.timestamp(stream.created_at_ns),
    )


def describe_limits(broker: Broker, limits: StreamLimits | None = None) -> AccountLimits:
    """The account's quotas of shards and on-demand streams, and how much of them is used."""
    limits = limits or StreamLimits()
    with broker.lock:
        forget_gone(broker)
        return AccountLimits(
            shard_limit=limits.shards_per_account,
            open_shard_count=open_shard_count(broker),
            on_demand_stream_count=_on_demand_streams(broker),
            on_demand_stream_count_limit=limits.on_demand_streams_per_account,
        )


def open_shard_count(broker: Broker) -> int:
    """The open shards of all streams."""
    return sum(len(stream._open_shards) for stream in broker.streams.values())


def _on_demand_streams(broker: Broker) -> int:
    return sum(stream.settings.stream_mode == ON_DEMAND for stream in broker.streams.values())


def forget_gone(broker: Broker) -> None:
    """Let go of streams whose deletion is complete."""
    now_ns = broker.clock.now_ns()
    for stream in [stream for stream in broker.streams.values() if stream._is_gone(now_ns)]:
        del broker.streams[stream.name]


def check_new_stream(
    broker: Broker, name: str, stream_mode: str, shards: int, limits: StreamLimits, now_ns: int
) -> None:
    """Refuse a stream that the account has no room for (the page "CreateStream").

    Raises:
        ResourceInUseException: There is one of that name.
        LimitExceededException: A quota is used up.
    """
    forget_gone(broker)
    account = broker.account_id
    if name in broker.streams:
        raise ResourceInUseException(f"Stream {name} under account {account} already exists.")
    creating = sum(stream._status(now_ns) == "CREATING" for stream in broker.streams.values())
    if creating >= limits.streams_creating_max:
        raise LimitExceededException(
            f"Account {account} has {creating} streams in the state CREATING, which is as many as it may."
        )
    check_shards(broker, limits, shards)
    if stream_mode == ON_DEMAND:
        check_on_demand_streams(broker, limits)


def check_shards(broker: Broker, limits: StreamLimits, additional: int) -> None:
    """Refuse more open shards than the account may have (the page "Quotas and limits").

    Raises:
        LimitExceededException: The quota would be exceeded.
    """
    forget_gone(broker)
    count = open_shard_count(broker)
    if count + additional > limits.shards_per_account:
        raise LimitExceededException(
            f"This request would exceed the shard limit for the account {broker.account_id} in "
            f"{broker.region}. Current shard count for the account: {count}. Limit: "
            f"{limits.shards_per_account}. Number of additional shards that would have resulted from this "
            f"request: {additional}. Refer to the AWS Service Limits page "
            "(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and "
            "how to request higher limits."
        )


def check_on_demand_streams(broker: Broker, limits: StreamLimits) -> None:
    """Refuse one more on-demand stream than the account may have.

    Raises:
        LimitExceededException: The quota would be exceeded.
    """
    if _on_demand_streams(broker) >= limits.on_demand_streams_per_account:
        raise LimitExceededException(
            f"Account {broker.account_id} has reached its limit of {limits.on_demand_streams_per_account} "
            "streams in ON_DEMAND mode."
        )
