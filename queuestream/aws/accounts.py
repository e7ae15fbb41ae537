"""The accounts and regions behind an endpoint: a broker for each, on one clock, with one seed.

Queues and streams of different accounts and regions do not see each other.  A queue URL
or an ARN that names another account, or for a stream another region, finds its broker.
"""

from __future__ import annotations

import re
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from queuestream.core.broker import Broker
from queuestream.core.clock import Clock, SystemClock
from queuestream.core.ids import Ids
from queuestream.core.queues.consistency import AT_ONCE, Consistency
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.delivery import Delivery
    from queuestream.core.streams.settings import StreamArguments
    from queuestream.storage.async_commit import AsyncCommit

DEFAULT_ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "us-east-1"

_ACCOUNT_ID = re.compile("[0-9]{12}")


class Aws:
    """AWS as its clients see it: accounts and regions, with a broker for each that is made when first named.

    Safe to share between threads.

    Args:
        clock: The time of all of them; the machine's where none is given.
        seed: Makes every id repeatable, whichever broker is made first.
        account_id: The account of clients whose access key names no other.
        region: The region where a request names none.
        queue_limits: SQS's quotas; AWS's values where none are given.
        consistency: How long SQS takes until a change holds: `AT_ONCE`, or `EVENTUAL` as AWS documents it.
        delivery: How messages and records are delivered, as for `Broker`.
        stream_settings: What new streams are made with besides what CreateStream says:
            `{"provisioning_time_seconds": 30, "enforce_throughput": True}`, `limits`.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | str | None = None,
        account_id: str = DEFAULT_ACCOUNT_ID,
        region: str = DEFAULT_REGION,
        queue_limits: QueueLimits = AWS_LIMITS,
        consistency: Consistency = AT_ONCE,
        delivery: Delivery | str = "strict",
        stream_settings: Mapping[str, object] | None = None,
    ) -> None:
        # Any: who gives a VirtualClock wants to advance it, and gets it back as what it is.
        self.clock: Any = SystemClock() if clock is None else clock
        self.seed = seed
        self.account_id = account_id
        self.region = region
        self.queue_limits = queue_limits
        self.consistency = consistency
        self.delivery = delivery
        self.stream_settings: StreamArguments = dict(stream_settings or {})  # type: ignore[assignment]
        # Of their own, so that asking for request ids changes no message id.
        self._request_ids = Ids(None if seed is None else f"{seed} requests")
        self._lock = threading.Lock()
        self._brokers: dict[tuple[str, str], Broker] = {}
        self.broker()  # what is wrong with the account or region is said at once

    def __repr__(self) -> str:
        return f"<Aws: {', '.join(f'{account} in {region}' for account, region in self._brokers)}>"

    def broker(self, account_id: str | None = None, region: str | None = None) -> Broker:
        """The broker of an account in a region; the default ones where none are named.

        Raises:
            InvalidParameterValue: An account id that isn't one, or an empty region.
        """
        key = account_id or self.account_id, region or self.region
        broker = self._brokers.get(key)
        if broker is None:
            seed = None if self.seed is None else f"{self.seed} {key[0]} {key[1]}"
            with self._lock:
                broker = self._brokers.get(key)
                if broker is None:
                    broker = Broker(
                        clock=self.clock,
                        seed=seed,
                        account_id=key[0],
                        region=key[1],
                        queue_limits=self.queue_limits,
                        consistency=self.consistency,
                        delivery=self.delivery,
                    )
                    self._brokers[key] = broker
        return broker

    @cached_property
    def commit(self) -> AsyncCommit | None:
        """What tasks wait for the disk with; None, since all brokers are in memory."""
        return None

    def known_broker(self, account_id: str, region: str) -> Broker | None:
        """The broker of an account in a region, None where nobody has named it yet."""
        return self._brokers.get((account_id, region))

    def brokers(self) -> list[Broker]:
        """Every broker that was named so far."""
        with self._lock:
            return list(self._brokers.values())

    def account_of(self, access_key_id: str | None) -> str:
        """The account that an access key id stands for: the default one, or itself if it is twelve digits."""
        if access_key_id and _ACCOUNT_ID.fullmatch(access_key_id):
            return access_key_id
        return self.account_id

    def request_id(self) -> str:
        """A new id for a request."""
        return self._request_ids.uuid()

    def reset(self) -> None:
        """Forget every queue and stream; those who wait for a message get `BrokerClosed`."""
        with self._lock:
            brokers = list(self._brokers.values())
            self._brokers.clear()
        for broker in brokers:
            broker.close("everything was reset")
