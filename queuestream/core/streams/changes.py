"""What a stream's operations change, as values that know how to make the same change again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.core.changes import Change

if TYPE_CHECKING:
    from queuestream.core.broker import Broker
    from queuestream.core.streams.account import BillingCommitment
    from queuestream.core.streams.settings import StreamSettings
    from queuestream.core.streams.shard import ShardIdentity


@attrs.frozen
class StreamCreated(Change):
    """A stream was made, with its first shards.

    Attributes:
        secret: What its iterators are sealed under.
    """

    stream_name: str
    settings: StreamSettings
    secret: bytes = attrs.field(repr=False)
    created_at_ns: int
    shards: tuple[ShardIdentity, ...]

    def apply(self, broker: Broker) -> None:
        """Make the stream."""
        from queuestream.core.streams.stream import Stream  # noqa: PLC0415 - it imports this module

        stream = Stream.__new__(Stream)
        stream._begin(broker, self)
        broker.streams[self.stream_name] = stream


@attrs.frozen
class StreamChanged(Change):
    """A stream's settings were replaced.

    Attributes:
        busy_until_ns: Until when it is UPDATING.
    """

    stream_name: str
    settings: StreamSettings
    busy_until_ns: int

    def apply(self, broker: Broker) -> None:
        """Replace the settings."""
        broker.streams[self.stream_name]._apply_settings(self.settings, self.busy_until_ns)


@attrs.frozen
class StreamDeleted(Change):
    """A stream was deleted.

    Attributes:
        gone_from_ns: From when on it is gone; it is DELETING until then.
    """

    stream_name: str
    gone_from_ns: int

    def apply(self, broker: Broker) -> None:
        """Delete the stream."""
        broker.streams[self.stream_name]._apply_delete(self.gone_from_ns)


@attrs.define
class RecordPut(Change):
    """A record was put.

    Attributes:
        number: Its place in its shard, counted from 1.
    """

    stream_name: str
    shard_id: str
    number: int
    data: bytes
    partition_key: str
    arrival_ns: int
    encryption_type: str

    def apply(self, broker: Broker) -> None:
        """Put the record."""
        broker.streams[self.stream_name]._apply_record(
            self.shard_id, self.data, self.partition_key, self.number, self.arrival_ns, self.encryption_type
        )


@attrs.frozen
class RecordsTrimmed(Change):
    """Records outlived the retention period.

    Attributes:
        horizon: The number of the first record that is still there.
    """

    stream_name: str
    shard_id: str
    horizon: int

    def apply(self, broker: Broker) -> None:
        """Forget them."""
        broker.streams[self.stream_name]._apply_trim(self.shard_id, self.horizon)


@attrs.frozen
class ShardExpired(Change):
    """A closed shard outlived the retention period, and all its records with it."""

    stream_name: str
    shard_id: str

    def apply(self, broker: Broker) -> None:
        """Forget it."""
        del broker.streams[self.stream_name]._shards[self.shard_id]


@attrs.frozen
class ReshardScheduled(Change):
    """A reshard was asked for, and will be completed later.

    Attributes:
        shards: The shards that it makes, in this order.
        completed_at_ns: When; the stream is UPDATING until then.
    """

    stream_name: str
    shards: tuple[ShardIdentity, ...]
    completed_at_ns: int

    def completed(self) -> Resharded:
        """What happens then."""
        return Resharded(self.stream_name, self.shards, self.completed_at_ns)

    def apply(self, broker: Broker) -> None:
        """Keep it in mind."""
        broker.streams[self.stream_name]._apply_schedule(self)


@attrs.frozen
class Resharded(Change):
    """Shards were split or merged: new ones made, their parents closed."""

    stream_name: str
    shards: tuple[ShardIdentity, ...]
    completed_at_ns: int

    def apply(self, broker: Broker) -> None:
        """Make the new shards, and close their parents."""
        broker.streams[self.stream_name]._apply_reshard(self.shards, self.completed_at_ns)


@attrs.frozen
class ConsumerRegistered(Change):
    """A consumer was registered.

    Attributes:
        active_from_ns: From when on it can subscribe; it is CREATING until then.
    """

    stream_name: str
    consumer_name: str
    created_at_ns: int
    active_from_ns: int
    tags: dict[str, str]

    def apply(self, broker: Broker) -> None:
        """Register it."""
        broker.streams[self.stream_name]._apply_register(self)


@attrs.frozen
class ConsumerChanged(Change):
    """A consumer's tags or its resource policy were replaced."""

    stream_name: str
    consumer_name: str
    tags: dict[str, str]
    resource_policy: str | None

    def apply(self, broker: Broker) -> None:
        """Replace them."""
        broker.streams[self.stream_name]._apply_consumer(self.consumer_name, self.tags, self.resource_policy)


@attrs.frozen
class ConsumerDeregistered(Change):
    """A consumer was deregistered."""

    stream_name: str
    consumer_name: str

    def apply(self, broker: Broker) -> None:
        """Deregister it."""
        broker.streams[self.stream_name]._apply_deregister(self.consumer_name)


@attrs.frozen
class BillingCommitmentChanged(Change):
    """The account's minimum throughput billing commitment began, or its end was decided or taken back."""

    commitment: BillingCommitment

    def apply(self, broker: Broker) -> None:
        """Keep it."""
        broker._billing_commitment = self.commitment
