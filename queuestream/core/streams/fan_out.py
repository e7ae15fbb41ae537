"""Registered consumers, and the subscriptions that push a shard's records to them.

A subscription lasts five minutes.  It is a Python iterator of events: each `next` returns what
is there, or waits on the broker's clock for what comes.  The next subscription of the same
consumer to the same shard is refused for five seconds, and takes over after that.  (The pages
"RegisterStreamConsumer" and "SubscribeToShard".)

What AWS allots to a consumer, 2 MiB per second and shard, is not enforced.

Consumers are part of the stream's state.  Subscriptions, like iterators, are not: whoever has
one goes on with a new one after a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import attrs

from queuestream.core.clock import MILLISECOND, SECOND, Wakeup
from queuestream.core.errors import (
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from queuestream.core.streams import checks, iterators, sequence_numbers
from queuestream.core.streams.changes import ConsumerChanged, ConsumerDeregistered, ConsumerRegistered
from queuestream.core.streams.state import StreamState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from queuestream.core.streams.record import ChildShard, Record
    from queuestream.core.streams.shard import Shard

_TOKEN = b"list consumers"


@attrs.frozen
class StartingPosition:
    """Where a subscription starts: a type of iterator, and what the type needs."""

    type: str
    sequence_number: str | None = None
    timestamp: Any = None


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


@attrs.define
class SubscribeToShardEvent:
    """What a subscription says at a time.

    Attributes:
        records: The records, oldest first.  They are the stored ones: don't change them.
        continuation_sequence_number: Where to go on (`AFTER_SEQUENCE_NUMBER`); None at the end of a closed
            shard.
        millis_behind_latest: How old the last record is, while more wait behind it; 0 at the tip.
        child_shards: At the end of a closed shard, the shards to go on with.
    """

    records: list[Record]
    continuation_sequence_number: str | None
    millis_behind_latest: int
    child_shards: list[ChildShard]


@attrs.define(eq=False)
class Consumer:
    """A registered consumer.

    Attributes:
        subscriptions: The newest subscription to each shard.
    """

    name: str
    arn: str
    created_at_ns: int
    active_from_ns: int
    tags: dict[str, str]
    resource_policy: str | None = None
    subscriptions: dict[str, Subscription] = attrs.Factory(dict)

    def describe(self, stream_arn: str, now_ns: int) -> ConsumerDescription:
        """What AWS says about it."""
        return ConsumerDescription(
            consumer_name=self.name,
            consumer_arn=self.arn,
            consumer_status="CREATING" if now_ns < self.active_from_ns else "ACTIVE",
            consumer_creation_timestamp=checks.timestamp(self.created_at_ns),
            stream_arn=stream_arn,
        )


class Subscription:
    """The events of one shard for one consumer, for five minutes.

    Iterating ends after five minutes, with a last event that says where to go on, and at the
    end of a closed shard.  It raises `ResourceInUseException` when another subscription took
    over, and `ResourceNotFoundException` when the consumer or the stream went away.

    It doesn't wait by itself but says what to wait for, so that a thread (`next`) and an
    asyncio task can each wait in its own way:

        while (event := subscription.attempt()) is None and not subscription.ended:
            clock.wait(subscription.wakeup, subscription.until_ns)

    Attributes:
        started_at_ns: When it was made.
        ended: Whether no more events come.
        wakeup: Set when there may be something new.
        until_ns: When to try again if nobody sets it.
    """

    def __init__(self, stream: FanOut, consumer: Consumer, shard: Shard, number: int, now_ns: int) -> None:
        self._stream = stream
        self._consumer = consumer
        self._shard = shard
        self._number = number
        self._ends_at_ns = now_ns + stream.limits.subscription_seconds * SECOND
        self.started_at_ns = now_ns
        self.ended = False
        self.wakeup = Wakeup()
        self.until_ns = self._ends_at_ns

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SubscribeToShardEvent:
        try:
            while (event := self.attempt()) is None and not self.ended:
                self._stream.broker.clock.wait(self.wakeup, self.until_ns)
        finally:
            self._stop_waiting()
        if event is None:
            raise StopIteration
        return event

    def attempt(self) -> SubscribeToShardEvent | None:
        """The next event; None while there is nothing to say, and when it has ended.

        Raises:
            ResourceInUseException: Another subscription took over.
            ResourceNotFoundException: The consumer or the stream went away.
        """
        stream = self._stream
        with stream._lock:
            self._stop_waiting()
            if self.ended:
                return None
            self.ended = True  # whatever is raised
            now_ns = stream._enter()
            self._check_it_is_ours()
            event = self._event(now_ns)
            if event is None:
                self.ended = False
                self.wakeup = Wakeup()
                self.until_ns = stream._next_completion_ns(self._ends_at_ns)
                self._shard.waiters.add(self.wakeup)
            elif event.continuation_sequence_number is not None and now_ns < self._ends_at_ns:
                self.ended = False
            return event

    def close(self) -> None:
        """End it; iterating stops."""
        with self._stream._lock:
            self.ended = True
            self._shard.wake()

    def _stop_waiting(self) -> None:
        with self._stream._lock:
            self._shard.waiters.discard(self.wakeup)

    def _check_it_is_ours(self) -> None:
        """Refuse to go on where the consumer, or its claim on the shard, is gone."""
        stream, consumer, shard_id = self._stream, self._consumer, self._shard.shard_id
        if stream._consumers.get(consumer.name) is not consumer:
            raise stream._no_consumer(consumer.name)
        if consumer.subscriptions[shard_id] is not self:
            raise ResourceInUseException(
                f"Another subscription of consumer {consumer.arn} to shard {shard_id} took over."
            )

    def _event(self, now_ns: int) -> SubscribeToShardEvent | None:
        """What there is to say now."""
        stream, shard, limits = self._stream, self._shard, self._stream.limits
        stream._trim(shard, now_ns)
        records: list[Record] = []
        if now_ns < self._ends_at_ns:
            records = shard.read(
                self._number, limits.subscription_event_records_max, limits.get_records_bytes_max
            )
        self._number = records[-1].number + 1 if records else max(self._number, shard.horizon)
        caught_up = self._number == shard.next_number
        if caught_up and not shard.is_open:
            return SubscribeToShardEvent(records, None, 0, [child.as_child() for child in shard.children])
        if not records and now_ns < self._ends_at_ns:
            return None
        last = records[-1] if records else None
        millis = 0
        if not caught_up:
            latest = last or shard.records[self._number - shard.base_number]
            millis = max(1, (now_ns - latest.arrival_ns) // MILLISECOND)
        # Where nothing was read, the place before the next record is still a place to go on from.
        continuation = (
            last.sequence_number
            if last is not None
            else sequence_numbers.text_of(shard.identity.base, self._number - 1, now_ns)
        )
        return SubscribeToShardEvent(records, continuation, millis, [])


class FanOut(StreamState):
    """The operations of registered consumers."""

    def register_stream_consumer(
        self, consumer_name: str, tags: Mapping[str, str] | None = None
    ) -> ConsumerDescription:
        """Register a consumer, which can then subscribe to shards.

        Raises:
            ResourceInUseException: There is one of that name.
            LimitExceededException: There are 20, or five that are CREATING.
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
            if len(self._consumers) >= limits.consumers_per_stream:
                raise LimitExceededException(
                    f"Stream {self.name} under account {account} has reached its limit of "
                    f"{limits.consumers_per_stream} registered consumers."
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

    def subscribe_to_shard(
        self, consumer_arn: str, shard_id: str, starting_position: StartingPosition | str
    ) -> Subscription:
        """Have a shard's records pushed for five minutes.

        Args:
            consumer_arn: The registered consumer.
            shard_id: The shard.
            starting_position: A `StartingPosition`, or the type of one that needs nothing else.

        Returns:
            An iterator of events.

        Raises:
            ResourceInUseException: The same consumer subscribed to the same shard less than five seconds ago,
                or is not ACTIVE yet.
            ResourceNotFoundException: There is no such consumer or shard.
            InvalidArgumentException: The starting position makes no sense.
        """
        by = self._check_consumer(None, consumer_arn)
        shard_id = checks.check_text(shard_id, "shardId", 1, 128, checks.NAME)
        if isinstance(starting_position, str):
            starting_position = StartingPosition(starting_position)
        if not isinstance(starting_position, StartingPosition):
            raise checks.violation(starting_position, "startingPosition", "Member must be a structure")
        start = iterators.check_start(
            starting_position.type,
            starting_position.sequence_number,
            starting_position.timestamp,
            "startingPosition.type",
        )
        with self._lock:
            now_ns = self._enter()
            self._require_usable(now_ns)
            consumer = self._consumer(*by)
            shard = self._shard(shard_id, now_ns)
            if now_ns < consumer.active_from_ns:
                raise ResourceInUseException(
                    f"Consumer {consumer.arn} is not ACTIVE, instead in state CREATING."
                )
            number = self._starting_number(shard, start, "SubscribeToShard", now_ns)
            earlier = consumer.subscriptions.get(shard_id)
            safe_ns = self.limits.subscription_takeover_seconds * SECOND
            if earlier is not None and now_ns < earlier.started_at_ns + safe_ns:
                raise ResourceInUseException(
                    f"Another active subscription exists for this consumer: {consumer.arn} "
                    f"and shard {shard_id}."
                )
            subscription = Subscription(self, consumer, shard, number, now_ns)
            consumer.subscriptions[shard_id] = subscription
            shard.wake()  # the earlier subscription notices that it was taken over
            return subscription

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
        keys = checks.check_texts(tag_keys, "tagKeys", 1, 50)
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
            ResourceNotFoundException: There is no such consumer.
        """
        by = self._check_consumer(None, consumer_arn)
        text = None if policy is None else checks.check_text(policy, "policy", 1, 20_480)
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

    def _next_completion_ns(self, until_ns: int) -> int:
        """When a reshard is completed, if that is before then: it may close the shard that somebody reads."""
        return until_ns if self._pending is None else min(until_ns, self._pending.completed_at_ns)

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
        return ResourceNotFoundException(f"Consumer {consumer}, account {self.broker.account_id} not found.")

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
