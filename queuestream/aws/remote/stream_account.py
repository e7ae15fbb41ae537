"""What there is to do with the streams of an account, each as the steps that it takes (`calls`).

They are named, take and give what the operations of `Broker` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.remote import stream_values as values
from queuestream.aws.remote.calls import Call, present
from queuestream.aws.remote.stream_operations import StreamOperations
from queuestream.aws.remote.stream_requests import RETENTION_PERIOD_HOURS, new_stream
from queuestream.core.arns import parse_arn
from queuestream.core.streams import checks

if TYPE_CHECKING:
    from typing import Unpack

    from queuestream.aws.remote.calls import Steps
    from queuestream.core.streams.account import AccountLimits, AccountSettings, ListStreamsResult
    from queuestream.core.streams.settings import StreamArguments


def create_stream(name: str, *, wait: bool, **settings: Unpack[StreamArguments]) -> Steps[StreamOperations]:
    """Make a stream, and wait until it is ACTIVE.

    How long its records are kept can be changed only then, so it is waited for in any case where it is not to
    be a day.
    """
    yield Call("kinesis", "CreateStream", new_stream(_checked(name), **settings))
    stream = yield from find_stream(name, wait=wait)
    hours = settings.get("retention_period_hours", RETENTION_PERIOD_HOURS)
    is_kept_longer = hours != RETENTION_PERIOD_HOURS
    if wait or is_kept_longer:
        yield from stream.until_active()
    if is_kept_longer:
        yield from stream.increase_stream_retention_period(hours)
    return stream


def find_stream(name: str, *, wait: bool) -> Steps[StreamOperations]:
    """The stream of that name."""
    return (yield from _described({"StreamName": _checked(name)}, wait=wait))


def find_stream_by_arn(stream_arn: str, *, wait: bool) -> Steps[StreamOperations]:
    """The stream of that ARN, be it another account's; a registered consumer's ARN names its stream."""
    arn = checks.check_text(stream_arn, "streamARN", 1, 2048)
    if parse_arn(arn) is not None:
        arn = arn.partition("/consumer/")[0]
    return (yield from _described({"StreamARN": arn}, wait=wait))


def _described(named: dict[str, str], *, wait: bool) -> Steps[StreamOperations]:
    answer = yield Call("kinesis", "DescribeStreamSummary", named)
    summary = answer["StreamDescriptionSummary"]
    return StreamOperations(summary["StreamName"], summary["StreamARN"], named, wait=wait)


def delete_stream(name: str, enforce_consumer_deletion: bool | None = None, *, wait: bool) -> Steps[None]:
    """Delete a stream, and wait until it is gone."""
    stream = StreamOperations(name, "", {"StreamName": _checked(name)}, wait=wait)
    yield from stream.delete(enforce_consumer_deletion)


def list_streams(
    limit: int | None = None,
    exclusive_start_stream_name: str | None = None,
    next_token: str | None = None,
) -> Steps[ListStreamsResult]:
    """A page of the streams, in the order of their names."""
    request = present(Limit=limit, ExclusiveStartStreamName=exclusive_start_stream_name, NextToken=next_token)
    answer = yield Call("kinesis", "ListStreams", request)
    return values.list_streams_result(answer)


def describe_stream_limits() -> Steps[AccountLimits]:
    """The account's quotas of shards and on-demand streams, and what is used of them."""
    answer = yield Call("kinesis", "DescribeLimits", {})
    return values.account_limits(answer)


def describe_account_settings() -> Steps[AccountSettings]:
    """Whether the account has committed itself to a minimum throughput."""
    answer = yield Call("kinesis", "DescribeAccountSettings", {})
    return values.account_settings(answer)


def update_account_settings(minimum_throughput_billing_commitment: str) -> Steps[AccountSettings]:
    """Commit the account to a minimum throughput, or end that."""
    commitment = {"Status": minimum_throughput_billing_commitment}
    request = {"MinimumThroughputBillingCommitment": commitment}
    answer = yield Call("kinesis", "UpdateAccountSettings", request)
    return values.account_settings(answer)


def _checked(name: object) -> str:
    return checks.check_text(name, "streamName", 1, 128, checks.NAME)
