"""Subscriptions: a shard's records pushed to a registered consumer (the page "SubscribeToShard").

A subscription lasts five minutes.  It is a Python iterator of events: each `next` returns what
is there, or waits on the broker's clock for what comes.  Every five seconds without a record
it says so, in an event without records: clients take a longer silence for a connection that
broke (AWS' SDK for Java after ten seconds).  The next subscription of the same
consumer to the same shard is refused for five seconds, and takes over after that.
With `enforce_throughput`, a consumer gets 2 MiB of each shard in a second, however many others
there are; what is more waits.

Subscriptions, like iterators, are not part of the stream's state: whoever has one goes on with
a new one after a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import attrs

from queuestream.core.bucket import Bucket
from queuestream.core.clock import MILLISECOND, SECOND, Wakeup
from queuestream.core.errors import DryRunOperationException, ResourceInUseException
from queuestream.core.streams import checks, iterators, sequence_numbers
from queuestream.core.streams.consumers import Consumer, Consumers

if TYPE_CHECKING:
    from queuestream.core.streams.record import ChildShard, Record
    from queuestream.core.streams.shard import Shard


@attrs.frozen
class StartingPosition:
    """Where a subscription starts: a type of iterator, and what the type needs."""

    type: str
    sequence_number: str | None = None
    timestamp: Any = None


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
        self._silent_until_ns = now_ns + stream.limits.subscription_silence_seconds * SECOND
        self.started_at_ns = now_ns
        self.ended = False
        self.wakeup = Wakeup()
        self.until_ns = self._ends_at_ns
        self._room_from_ns: int | None = None

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
                self.until_ns = stream._next_change_ns(min(self._ends_at_ns, self._silent_until_ns))
                if self._room_from_ns is not None:
                    self.until_ns = min(self.until_ns, self._room_from_ns)
                self._shard.waiters.add(self.wakeup)
            elif event.continuation_sequence_number is not None and now_ns < self._ends_at_ns:
                self.ended = False
                self._silent_until_ns = now_ns + stream.limits.subscription_silence_seconds * SECOND
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

    def _allowance(self) -> Bucket | None:
        """What the consumer may still be given of the shard; None where nobody counts it."""
        settings = self._stream.settings
        if not settings.enforce_throughput:
            return None
        return self._consumer.allowances.setdefault(
            self._shard.shard_id, Bucket(settings.limits.subscription_bytes_per_second)
        )

    def _event(self, now_ns: int) -> SubscribeToShardEvent | None:
        """What there is to say now."""
        shard = self._shard
        self._stream._trim(shard, now_ns)
        records = self._read(now_ns) if now_ns < self._ends_at_ns else []
        self._number = records[-1].number + 1 if records else max(self._number, shard.horizon)
        caught_up = self._number == shard.next_number
        if caught_up and not shard.is_open:
            return SubscribeToShardEvent(records, None, 0, [child.as_child() for child in shard.children])
        if not records and now_ns < min(self._ends_at_ns, self._silent_until_ns):
            return None
        last = records[-1] if records else None
        millis = 0
        if not caught_up:
            arrival_ns = shard.arrival_ns(self._number) if last is None else last.arrival_ns
            millis = max(1, (now_ns - arrival_ns) // MILLISECOND)
        # Where nothing was read, the place before the next record is still a place to go on from.
        continuation = (
            last.sequence_number
            if last is not None
            else sequence_numbers.text_of(shard.identity.base, self._number - 1, now_ns)
        )
        return SubscribeToShardEvent(records, continuation, millis, [])

    def _read(self, now_ns: int) -> list[Record]:
        """What there is to read, as far as the throughput goes."""
        shard, limits = self._shard, self._stream.limits
        allowance = self._allowance()
        bytes_max = limits.get_records_bytes_max
        self._room_from_ns = None
        if allowance is not None:
            bytes_max = min(bytes_max, allowance.rate)
            wanted = shard.bytes_from(self._number)
            if wanted and not allowance.has(wanted, now_ns):
                self._room_from_ns = allowance.has_from_ns(wanted)
                return []
        records = shard.read(self._number, limits.subscription_event_records_max, bytes_max)
        if allowance is not None and records:
            allowance.take(records[-1].end - records[0].end + records[0].size, now_ns)
        return records


class FanOut(Consumers):
    """The operation of registered consumers that reads."""

    def subscribe_to_shard(
        self,
        consumer_arn: str,
        shard_id: str,
        starting_position: StartingPosition | str,
        dry_run: bool | None = None,
    ) -> Subscription:
        """Have a shard's records pushed for five minutes.

        Args:
            consumer_arn: The registered consumer.
            shard_id: The shard.
            starting_position: A `StartingPosition`, or the type of one that needs nothing else.
            dry_run: Whether to check everything and not to subscribe.

        Returns:
            An iterator of events.

        Raises:
            ResourceInUseException: The same consumer subscribed to the same shard less than five seconds ago,
                or is not ACTIVE yet.
            ResourceNotFoundException: There is no such consumer or shard.
            InvalidArgumentException: The starting position makes no sense.
            DryRunOperationException: It was a dry run, and would have succeeded.
        """
        if dry_run is not None:
            checks.check_boolean(dry_run, "dryRun")
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
            number = iterators.starting_number(
                shard, start, f"SubscribeToShard on {self._where(shard)}", now_ns
            )
            earlier = consumer.subscriptions.get(shard.shard_id)
            safe_ns = self.limits.subscription_takeover_seconds * SECOND
            if earlier is not None and now_ns < earlier.started_at_ns + safe_ns:
                raise ResourceInUseException(
                    f"Another active subscription exists for this consumer: {consumer.arn} "
                    f"and shard {shard.shard_id}."
                )
            if dry_run:
                raise DryRunOperationException
            subscription = Subscription(self, consumer, shard, number, now_ns)
            consumer.subscriptions[shard.shard_id] = subscription
            shard.wake()  # the earlier subscription notices that it was taken over
            return subscription

    def _next_change_ns(self, until_ns: int) -> int:
        """When a reshard or the stream's deletion is completed, if that is before then."""
        if self._pending is not None:
            until_ns = min(until_ns, self._pending.completed_at_ns)
        return until_ns if self._gone_from_ns is None else min(until_ns, self._gone_from_ns)
