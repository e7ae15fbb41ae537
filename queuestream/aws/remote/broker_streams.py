"""What a broker over AWS can do with streams: `Broker`'s operations on them, for threads and for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.remote import stream_account as account
from queuestream.aws.remote.engine import AsyncRemoteEngine, RemoteEngine
from queuestream.aws.remote.streams import AsyncRemoteStream, RemoteStream

if TYPE_CHECKING:
    from typing import Unpack

    from queuestream.core.streams.account import AccountLimits, AccountSettings, ListStreamsResult
    from queuestream.core.streams.settings import StreamArguments


class RemoteBrokerStreams(RemoteEngine):
    """A broker's operations on streams."""

    def create_stream(self, name: str, **settings: Unpack[StreamArguments]) -> RemoteStream:
        """Make a stream, and wait until it is ACTIVE, which takes AWS about ten seconds.

        The settings are those of `Stream`, and mean the same where they are left out: one shard, and not
        AWS's on-demand mode.  With AWS, throughput is always enforced and an on-demand stream always scales,
        the quotas are the account's, and provisioning takes as long as it takes.

        With `wait` off the stream is still CREATING, unless a `retention_period_hours` is given: that can be
        set on an ACTIVE stream only.

        Raises:
            ResourceInUseException: There is one of that name.
            LimitExceededException: A quota of the account is used up.
            NotSupportedByEngine: `limits`, `provisioning_time_seconds`, or throughput that is not enforced.
        """
        return RemoteStream(self, self._run(account.create_stream(name, wait=self.wait, **settings)))

    def stream(self, name: str) -> RemoteStream:
        """The stream of that name.

        Raises:
            ResourceNotFoundException: There is none.
        """
        return RemoteStream(self, self._run(account.find_stream(name, wait=self.wait)))

    def stream_by_arn(self, stream_arn: str) -> RemoteStream:
        """The stream of that ARN; a registered consumer's ARN names its stream.

        It may be one of another account that lets this one use it.

        Raises:
            ResourceNotFoundException: There is none.
        """
        return RemoteStream(self, self._run(account.find_stream_by_arn(stream_arn, wait=self.wait)))

    def list_streams(
        self,
        limit: int | None = None,
        exclusive_start_stream_name: str | None = None,
        next_token: str | None = None,
    ) -> ListStreamsResult:
        """The streams in the order of their names, up to 100 at a time."""
        return self._run(account.list_streams(limit, exclusive_start_stream_name, next_token))

    def delete_stream(self, name: str, enforce_consumer_deletion: bool | None = None) -> None:
        """Delete a stream with all its records, and wait until it is gone.

        Raises:
            ResourceNotFoundException: There is none of that name.
            ResourceInUseException: It has registered consumers.
        """
        self._run(account.delete_stream(name, enforce_consumer_deletion, wait=self.wait))

    def describe_stream_limits(self) -> AccountLimits:
        """The account's quotas of shards and on-demand streams, and what is used of them."""
        return self._run(account.describe_stream_limits())

    def describe_account_settings(self) -> AccountSettings:
        """The account's settings for streams: whether it has committed itself to a minimum throughput."""
        return self._run(account.describe_account_settings())

    def update_account_settings(self, minimum_throughput_billing_commitment: str) -> AccountSettings:
        """Commit the account to a minimum throughput, or end that; see `Broker.update_account_settings`.

        Raises:
            ValidationException: Neither `ENABLED` nor `DISABLED`.
        """
        return self._run(account.update_account_settings(minimum_throughput_billing_commitment))


class AsyncRemoteBrokerStreams(AsyncRemoteEngine):
    """A broker's operations on streams, to be awaited; see `RemoteBrokerStreams`."""

    async def create_stream(self, name: str, **settings: Unpack[StreamArguments]) -> AsyncRemoteStream:
        """Make a stream, and wait until it is ACTIVE; see `RemoteBrokerStreams.create_stream`."""
        made = await self._run(account.create_stream(name, wait=self.wait, **settings))
        return AsyncRemoteStream(self, made)

    async def stream(self, name: str) -> AsyncRemoteStream:
        """The stream of that name."""
        return AsyncRemoteStream(self, await self._run(account.find_stream(name, wait=self.wait)))

    async def stream_by_arn(self, stream_arn: str) -> AsyncRemoteStream:
        """The stream of that ARN; a registered consumer's ARN names its stream."""
        found = await self._run(account.find_stream_by_arn(stream_arn, wait=self.wait))
        return AsyncRemoteStream(self, found)

    async def list_streams(
        self,
        limit: int | None = None,
        exclusive_start_stream_name: str | None = None,
        next_token: str | None = None,
    ) -> ListStreamsResult:
        """The streams in the order of their names, up to 100 at a time."""
        return await self._run(account.list_streams(limit, exclusive_start_stream_name, next_token))

    async def delete_stream(self, name: str, enforce_consumer_deletion: bool | None = None) -> None:
        """Delete a stream with all its records, and wait until it is gone."""
        await self._run(account.delete_stream(name, enforce_consumer_deletion, wait=self.wait))

    async def describe_stream_limits(self) -> AccountLimits:
        """The account's quotas of shards and on-demand streams, and what is used of them."""
        return await self._run(account.describe_stream_limits())

    async def describe_account_settings(self) -> AccountSettings:
        """The account's settings for streams: whether it has committed itself to a minimum throughput."""
        return await self._run(account.describe_account_settings())

    async def update_account_settings(self, minimum_throughput_billing_commitment: str) -> AccountSettings:
        """Commit the account to a minimum throughput, or end that."""
        return await self._run(account.update_account_settings(minimum_throughput_billing_commitment))
