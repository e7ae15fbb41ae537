"""Registered consumers: those who may subscribe to a stream's shards (the page "RegisterStreamConsumer").

They are part of the stream's state; their subscriptions (`fan_out.py`) are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.core.clock import MILLISECOND, SECOND
from queuestream.core.errors import (
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from queuestream.core.streams import checks, iterators
from queuestream.core.streams.account import is_committed
from queuestream.core.streams.changes import ConsumerChanged, ConsumerDeregistered, ConsumerRegistered
from queuestream.core.streams.settings import ON_DEMAND
from queuestream.core.streams.state import StreamState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from queuestream.core.bucket import Bucket
    from queuestream.core.streams.fan_out import Subscription

_TOKEN = b"list consumers"


@attrs.frozen(kw_only=True)
class ConsumerDescription:
    """What AWS says about a registered consumer."""

    consumer_name: str
    consumer_arn: str
    consumer_status: str
    consumer_creation_timestamp: datetime
    stream_arn: str


@attrs.frozen
class ListStreamConsumersResult:
    """One page of consumers.

    Attributes:
        next_token: For the next page; None where this is the last one.
    """

    consumers: list[ConsumerDescription]
    next_token: str | None


@attrs.define(eq=False)
class Consumer:
    """A registered consumer.

    Attributes:
        subscriptions: The newest subscription to each shard.
        allowances: What it may still be given of each shard (with `enforce_throughput`).
    """

    name: str
    arn: str
    created_at_ns: int
    active_from_ns: int
    tags: dict[str, str]
    resource_policy: str | None = None
    subscriptions: dict[str, Subscription] = attrs.Factory(dict)
    allowances: dict[str, Bucket] = attrs.Factory(dict)

    def describe(self, stream_arn: str, now_ns: int) -> ConsumerDescription:
        """What AWS says about it."""
        return ConsumerDescription(
            consumer_name=self.name,
            consumer_arn=self.arn,
            consumer_status="CREATING" if now_ns < self.active_from_ns else "ACTIVE",
            consumer_creation_timestamp=checks.timestamp(self.created_at_ns),
            stream_arn=stream_arn,
        )


def consumer_not_found(consumer: str | None, account_id: str) -> ResourceNotFoundException:
    """What AWS says of a consumer that isn't there, by its name or its ARN."""
    return ResourceNotFoundException(f"Consumer {consumer}, account {account_id} not found.")


class Consumers(StreamState):
    """The operations of registered consumers."""

    def register_stream_consumer(
        self, consumer_name: str, tags: Mapping[str, str] | None = None
    ) -> ConsumerDescription:
        """Register a consumer, which can then subscribe to shards.

        Raises:
            ResourceInUseException: There is one of that name.
            LimitExceededException: There are 20 (50, where the account has a minimum throughput billing
                commitment and the stream is in on-demand mode), or five that are CREATING.
            ValidationException: A parameter has the wrong form.
        """
        name = checks.check_text(consumer_name, "consumerName", 1, 128, checks.NAME)
        limits = self.limits
        checked = {} if tags is None else checks.check_tags(tags, low=0, high=limits.tags_max)
        with self._lock:
            now_ns = self._enter()
            self._require_usable(now_ns)
            account = self.broker.account_id
            if name in self._consumers:
                raise ResourceInUseException(
                    f"Consumer {name} of stream {self.name} under account {account} already exists."
                )
            is_advantage = self.settings.stream_mode == ON_DEMAND and is_committed(self.broker, now_ns)
            most = limits.consumers_per_advantage_stream if is_advantage else limits.consumers_per_stream
            if len(self._consumers) >= most:
                raise LimitExceededException(
                    f"Stream {self.name} under account {account} has reached its limit of {most} registered "
                    "consumers."
                )
            creating = sum(consumer.active_from_ns > now_ns for consumer in self._consumers.values())
            if creating >= limits.consumers_creating_max:
                raise LimitExceededException(
                    f"Stream {self.name} under account {account} has {creating} consumers in the state "
                    "CREATING, which is as many as it may."
                )
            self._commit(ConsumerRegistered(self.name, name, now_ns, self._busy_from(now_ns), checked))
            return self._consumers[name].describe(self.arn, now_ns)

    def deregister_stream_consumer(
        self, consumer_name: str | None = None, consumer_arn: str | None = None
    ) -> None:
        """Deregister a consumer, named by its name, its ARN or both; its subscriptions end.

        Raises:
            ResourceNotFoundException: There is no such consumer.
            InvalidArgumentException: Neither name nor ARN, or two that don't belong together.
        """
        by = self._check_consumer(consumer_name, consumer_arn)
        with self._lock:
            self._enter()
            consumer = self._consumer(*by)
            self._commit(ConsumerDeregistered(self.name, consumer.name))

    def describe_stream_consumer(
        self, consumer_name: str | None = None, consumer_arn: str | None = None
    ) -> ConsumerDescription:
        """What AWS says about a consumer, named by its name, its ARN or both.

        Raises:
            ResourceNotFoundException: There is no such consumer.
            InvalidArgumentException: Neither name nor ARN, or two that don't belong together.
        """
        by = self._check_consumer(consumer_name, consumer_arn)
        with self._lock:
            now_ns = self._enter()
            return self._consumer(*by).describe(self.arn, now_ns)

    def list_stream_consumers(
        self,
        next_token: str | None = None,
        max_results: int | None = None,
        stream_creation_timestamp: object = None,
    ) -> ListStreamConsumersResult:
        """The registered consumers in the order of their names, up to 100 at a time.

        Raises:
            InvalidArgumentException: The token isn't one of this stream's, or stands beside a timestamp.
            ExpiredNextTokenException: The token is older than five minutes.
            ResourceNotFoundException: No stream of this name was made at that time.
        """
        limits = self.limits
        count = limits.list_consumers_max
        if max_results is not None:
            count = min(count, checks.check_integer(max_results, "maxResults", 1, 10_000))
        created_ns = None
        if stream_creation_timestamp is not None:
            created_ns = checks.check_timestamp(stream_creation_timestamp, "streamCreationTimestamp")
        if next_token is not None:
            checks.check_text(next_token, "nextToken", 1, 1_048_576)
            if created_ns is not None:
                raise InvalidArgumentException(
                    "NextToken and StreamCreationTimestamp cannot be provided together."
                )
        with self._lock:
            now_ns = self._enter()
            if created_ns is not None and created_ns != self.created_at_ns // MILLISECOND * MILLISECOND:
                raise self._not_found()
            seen = 0
            if next_token is not None:
                seen = int.from_bytes(
                    iterators.token_payload(
                        self._secret, _TOKEN, next_token, now_ns, limits.next_token_seconds
                    ),
                    "big",
                )
            consumers = sorted(self._consumers.values(), key=lambda consumer: consumer.name)[seen:]
            more = len(consumers) > count
            token = None
            if more:
                token = iterators.token_text(self._secret, _TOKEN, now_ns, (seen + count).to_bytes(4, "big"))
            return ListStreamConsumersResult(
                [consumer.describe(self.arn, now_ns) for consumer in consumers[:count]], token
            )

    # --- a consumer's tags and policy ---

    def tag_consumer(self, consumer_arn: str, tags: Mapping[str, str]) -> None:
        """Add tags to a consumer, or replace those that have the same keys.

        Raises:
            ResourceNotFoundException: There is no such consumer.
            InvalidArgumentException: It would have more than 50.
        """
        by = self._check_consumer(None, consumer_arn)
        added = checks.check_tags(tags)
        with self._lock:
            self._enter()
            consumer = self._consumer(*by)
            merged = {**consumer.tags, **added}
            if len(merged) > self.limits.tags_max:
                raise InvalidArgumentException(
                    f"A consumer cannot have more than {self.limits.tags_max} tags."
                )
            self._commit(ConsumerChanged(self.name, consumer.name, merged, consumer.resource_policy))

    def untag_consumer(self, consumer_arn: str, tag_keys: Iterable[str]) -> None:
        """Remove tags from a consumer; a key that isn't there is ignored.

        Raises:
            ResourceNotFoundException: There is no such consumer.
        """
        by = self._check_consumer(None, consumer_arn)
        keys = checks.check_tag_keys(tag_keys)
        with self._lock:
            self._enter()
            consumer = self._consumer(*by)
            tags = {key: value for key, value in consumer.tags.items() if key not in keys}
            self._commit(ConsumerChanged(self.name, consumer.name, tags, consumer.resource_policy))

    def consumer_tags(self, consumer_arn: str) -> dict[str, str]:
        """A consumer's tags, by their keys.

        Raises:
            ResourceNotFoundException: There is no such consumer.
        """
        by = self._check_consumer(None, consumer_arn)
        with self._lock:
            self._enter()
            return dict(self._consumer(*by).tags)

    def set_consumer_policy(self, consumer_arn: str, policy: str | None) -> None:
        """Attach a resource policy to a consumer (kept, not evaluated), or detach it with None.

        Raises:
            InvalidArgumentException: It isn't a policy.
            ResourceNotFoundException: There is no such consumer.
        """
        by = self._check_consumer(None, consumer_arn)
        text = None if policy is None else checks.check_policy(policy)
        with self._lock:
            self._enter()
            consumer = self._consumer(*by)
            self._commit(ConsumerChanged(self.name, consumer.name, consumer.tags, text))

    def consumer_policy(self, consumer_arn: str) -> str | None:
        """A consumer's resource policy, None where it has none.

        Raises:
            ResourceNotFoundException: There is no such consumer.
        """
        by = self._check_consumer(None, consumer_arn)
        with self._lock:
            self._enter()
            return self._consumer(*by).resource_policy

    # --- finding one ---

    @staticmethod
    def _check_consumer(consumer_name: object, consumer_arn: object) -> tuple[str | None, str | None]:
        if consumer_name is None and consumer_arn is None:
            raise InvalidArgumentException(
                "Either ConsumerARN, or ConsumerName and StreamARN, must be provided."
            )
        return (
            None
            if consumer_name is None
            else checks.check_text(consumer_name, "consumerName", 1, 128, checks.NAME),
            None if consumer_arn is None else checks.check_text(consumer_arn, "consumerARN", 1, 2048),
        )

    def _consumer(self, name: str | None, arn: str | None) -> Consumer:
        for consumer in self._consumers.values():
            if arn == consumer.arn or (arn is None and name == consumer.name):
                if name not in {None, consumer.name}:
                    raise InvalidArgumentException(f"ConsumerName {name} is not that of ConsumerARN {arn}.")
                return consumer
        raise self._no_consumer(arn or name)

    def _no_consumer(self, consumer: str | None) -> ResourceNotFoundException:
        return consumer_not_found(consumer, self.broker.account_id)

    # --- applying changes ---

    def _apply_register(self, change: ConsumerRegistered) -> None:
        name = change.consumer_name
        self._consumers[name] = Consumer(
            name,
            f"{self.arn}/consumer/{name}:{change.created_at_ns // SECOND}",
            change.created_at_ns,
            change.active_from_ns,
            dict(change.tags),
        )

    def _apply_consumer(self, name: str, tags: Mapping[str, str], resource_policy: str | None) -> None:
        consumer = self._consumers[name]
        consumer.tags, consumer.resource_policy = dict(tags), resource_policy

    def _apply_deregister(self, name: str) -> None:
        del self._consumers[name]
        self._give_up()
