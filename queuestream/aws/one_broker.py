"""One broker behind an endpoint, in place of one for each account and region.

`OneBroker` serves whoever asks and from whatever region: what `wire(client, broker)` wants.  `KeptBroker`
serves a broker that a file keeps, and only to clients of its own account and region.  All others are refused
with a sentence that names both: a broker in memory beside it would lose what they send, and if they got
this one, the ARNs in its answers would not be theirs.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from queuestream.aws.accounts import Aws
from queuestream.core.errors import NotSupportedByEngine, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from queuestream.core.broker import Broker
    from queuestream.storage.async_commit import AsyncCommit


class OneBroker(Aws):
    """One broker, whoever calls and from whatever region.

    Args:
        broker: The one there is.
        stream_settings: As for `Aws`.
    """

    def __init__(self, broker: Broker, *, stream_settings: Mapping[str, object] | None = None) -> None:
        self._broker = broker
        super().__init__(
            clock=broker.clock,
            account_id=broker.account_id,
            region=broker.region,
            stream_settings=stream_settings,
        )
        self._brokers[broker.account_id, broker.region] = broker

    def broker(self, account_id: str | None = None, region: str | None = None) -> Broker:
        """The one there is."""
        return self._broker

    def known_broker(self, account_id: str, region: str) -> Broker | None:
        """The one there is, for its own account."""
        return self._broker if account_id == self._broker.account_id else None

    def account_of(self, access_key_id: str | None) -> str:
        """Everybody belongs to the broker's account."""
        return self._broker.account_id

    @cached_property
    def commit(self) -> AsyncCommit | None:
        """What tasks wait for the disk with; None where the broker is in memory."""
        from queuestream.storage.async_commit import commit_of  # noqa: PLC0415 - asyncio takes 20 ms to import

        return commit_of(self._broker)


class KeptBroker(OneBroker):
    """A broker that a file keeps, for clients of its account in its region.

    Args:
        broker: The one there is.
        path: The file.
        durability: When what was asked is on disk: `commit`, `interval` or `none`.
        stream_settings: As for `Aws`.
    """

    def __init__(
        self,
        broker: Broker,
        path: Path,
        durability: str,
        *,
        stream_settings: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(broker, stream_settings=stream_settings)
        self.path = path
        self.durability = durability

    def __repr__(self) -> str:
        return f"<KeptBroker: {self.account_id} in {self.region}, kept in {self.path}>"

    def broker(self, account_id: str | None = None, region: str | None = None) -> Broker:
        """The one there is.

        Raises:
            NotKeptHere: Somebody of another account or region asks.
        """
        if account_id not in {None, self.account_id} or region not in {None, self.region}:
            raise NotKeptHere(self, account_id or self.account_id, region or self.region)
        return self._broker

    def known_broker(self, account_id: str, region: str) -> Broker | None:
        """The one there is, for its own account and region."""
        return self._broker if (account_id, region) == (self.account_id, self.region) else None

    def account_of(self, access_key_id: str | None) -> str:
        """The account that an access key id stands for."""
        return Aws.account_of(self, access_key_id)

    def reset(self) -> None:
        """Refuse: what a file keeps is not forgotten at a stroke.

        Raises:
            NotSupportedByEngine: Always.
        """
        raise NotSupportedByEngine(
            "sqlite",
            "reset",
            f"This server keeps everything in {self.path.name}: delete queues and streams one by one, "
            "or stop it and remove the file.",
        )

    def close(self) -> None:
        """Bring everything into the file, and let it go."""
        self._broker.close("the server has stopped")


class NotKeptHere(ServiceError):
    """The server keeps one account and region in its file, and this is another one."""

    code = "AccessDeniedException"

    def __init__(self, kept: KeptBroker, account_id: str, region: str) -> None:
        super().__init__(
            f"{kept.path.name} keeps the account {kept.account_id} in the region {kept.region} and no other: "
            f"the request came for {account_id} in {region}. Set the client's region to {kept.region}, and "
            f"let its access key id be no account, or {kept.account_id}."
        )
        self.account_id = account_id
        self.region = region
