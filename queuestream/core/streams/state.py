"""What a stream is at a time: its settings, its shards, its status; and how changes get to it.

`Stream` is made of this and of one class per subject (retention, resharding, fan-out ...), each
in its own module.  They all go about an operation in the same way:

    validate the arguments
    with self._lock:
        now_ns = self._enter()          # the clock, read once; what came due meanwhile is done first
        decide                          # nothing has changed up to here
        self._commit(SomeChange(...))   # told to the listeners, then applied

`_commit` applies a change in the same way as a listener's twin does later, so the two can't
differ.  Only putting records takes a shorter way while nobody listens.

The status is a function of the state and the time: nothing has to happen for a stream to become
ACTIVE.  What does have to happen at a time (records that expire, a reshard that is completed)
is done by the first operation that comes after it.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from queuestream.core.arns import Arn
from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    ResourceInUseException,
    ResourceNotFoundException,
)
from queuestream.core.streams.changes import RecordsTrimmed, ShardExpired
from queuestream.core.streams.limits import MIB
from queuestream.core.streams.record import EncryptedRecord, Record
from queuestream.core.streams.settings import AUTO, ON_DEMAND
from queuestream.core.streams.shard import Shard, ShardIdentity, index_of, shard_id_of, shard_not_found
from queuestream.core.streams.throughput import Allowance, LoadMeter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.core.broker import Broker
    from queuestream.core.changes import Change
    from queuestream.core.streams.changes import ReshardScheduled, StreamCreated
    from queuestream.core.streams.consumers import Consumer
    from queuestream.core.streams.limits import StreamLimits
    from queuestream.core.streams.settings import StreamSettings

_SWEEP_NS = 60 * SECOND
"""Memory of shards that nobody reads is given back this often at the most; reads are always exact."""


class StreamState:
    """A stream's state, without its operations.

    Attributes:
        name: Its name, unique in the account and region.
        arn: Its Amazon Resource Name.
        broker: The broker that it belongs to.
        settings: What is set about it.
        created_at_ns: When it was made.
    """

    name: str
    arn: str
    broker: Broker
    settings: StreamSettings
    created_at_ns: int

    def _begin(self, broker: Broker, change: StreamCreated) -> None:
        """Become the stream that was created."""
        self.name = change.stream_name
        self.arn = str(Arn("kinesis", broker.region, broker.account_id, f"stream/{self.name}"))
        self.broker = broker
        self.created_at_ns = change.created_at_ns
        self._lock = broker.lock
        self._now_ns = broker.clock.now_ns
        self._secret = change.secret
        self._active_from_ns = change.created_at_ns + change.settings.provisioning_ns
        self._busy_until_ns = 0
        self._gone_from_ns: int | None = None
        self._pending: ReshardScheduled | None = None
        self._consumers: dict[str, Consumer] = {}
        self._shards: dict[str, Shard] = {}
        self._next_index = 0
        self._load: LoadMeter | None = None
        # How many records the stream has distributed itself, which says whose turn it is.
        self._turn = 0
        # Of how many `put_records` the records change places.
        self._reordered_puts = 0.0 if broker._delivery is None else broker._delivery.reordered_puts
        self._apply_settings(change.settings, 0)
        self._apply_reshard(change.shards, change.created_at_ns)

    @property
    def limits(self) -> StreamLimits:
        """The quotas that it keeps."""
        return self.settings.limits

    # --- status, a function of the state and the time ---

    def _status(self, now_ns: int) -> str:
        if self._gone_from_ns is not None:
            return "DELETING"
        if now_ns < self._active_from_ns:
            return "CREATING"
        return "UPDATING" if now_ns < self._busy_until_ns else "ACTIVE"

    def _is_gone(self, now_ns: int) -> bool:
        return self._gone_from_ns is not None and now_ns >= self._gone_from_ns

    def _not_found(self) -> ResourceNotFoundException:
        return ResourceNotFoundException(
            f"Stream {self.name} under account {self.broker.account_id} not found."
        )

    def _require_active(self, now_ns: int) -> None:
        status = self._status(now_ns)
        if status != "ACTIVE":
            raise ResourceInUseException(
                f"Stream {self.name} under account {self.broker.account_id} not ACTIVE, "
                f"instead in state {status}"
            )

    def _require_usable(self, now_ns: int) -> None:
        """Records can be put and read in every state but CREATING, which AWS takes for no stream at all."""
        if now_ns < self._active_from_ns:
            raise self._not_found()

    def _busy_from(self, now_ns: int) -> int:
        """Until when an update that starts now keeps the stream UPDATING."""
        return now_ns + self.settings.provisioning_ns

    # --- how an operation begins and how it ends ---

    def _enter(self) -> int:
        """Read the clock, and do what came due since the last operation.

        Raises:
            BrokerClosed: The broker takes no more calls.
            ResourceNotFoundException: The stream was deleted.
        """
        self.broker.check_open()
        now_ns = self._now_ns()
        if now_ns >= self._due_ns:
            self._catch_up(now_ns)
        return now_ns

    def _commit(self, *changed: Change) -> None:
        """Tell the listeners what changes, then change it."""
        broker = self.broker
        if broker.listeners:
            broker.publish(changed)
        for change in changed:
            change.apply(broker)

    def _catch_up(self, now_ns: int) -> None:
        """Do what came due, and work out before which time nothing else does.

        Raises:
            ResourceNotFoundException: The stream was deleted.
        """
        if self._is_gone(now_ns):
            raise self._not_found()
        pending = self._pending
        if pending is not None and now_ns >= pending.completed_at_ns:
            self._commit(pending.completed())
        if now_ns >= self._sweep_at_ns:
            self._sweep(now_ns)
        self._due_ns = self._sweep_at_ns
        if self._pending is not None:
            self._due_ns = min(self._due_ns, self._pending.completed_at_ns)
        if self._gone_from_ns is not None:
            self._due_ns = min(self._due_ns, self._gone_from_ns)

    def next_event_ns(self) -> int | None:
        """When time alone next changes something here; None where it never does."""
        with self._lock:
            now_ns = self._now_ns()
            if self._is_gone(now_ns):
                return None
            events = [
                self._active_from_ns,
                self._busy_until_ns,
                self._gone_from_ns,
                self._pending.completed_at_ns if self._pending is not None else None,
                self._next_expiry_ns(now_ns),
                *(consumer.active_from_ns for consumer in self._consumers.values()),
            ]
            return min(
                (event_ns for event_ns in events if event_ns is not None and event_ns > now_ns), default=None
            )

    def _give_up(self) -> None:
        """Let everybody who waits look again: there is news for all, or the stream or broker went away."""
        for shard in self._shards.values():
            shard.wake()

    # --- shards ---

    def _where(self, shard: Shard) -> str:
        """A shard as AWS's sentences name it."""
        return f"shard {shard.shard_id} in stream {self.name} under account {self.broker.account_id}"

    def _shard(self, shard_id: str, now_ns: int) -> Shard:
        """The shard that a reader names, which may be called otherwise (`index_of`)."""
        index = index_of(shard_id)
        shard = None if index is None else self._shards.get(shard_id_of(index))
        if shard is None or self._has_expired(shard, now_ns):
            raise shard_not_found(shard_id, self.name, self.broker.account_id)
        return shard

    # --- retention: what has outlived it goes ---

    def _next_expiry_ns(self, now_ns: int) -> int | None:
        """When the next record or closed shard outlives the retention period.  Cost: linear in the shards."""
        horizon_ns = now_ns - self.settings.retention_ns
        times = [
            time_ns
            for shard in self._shards.values()
            for time_ns in (shard.oldest_arrival_ns(horizon_ns), shard.closed_at_ns)
            if time_ns is not None and time_ns > horizon_ns
        ]
        return min(times) + self.settings.retention_ns if times else None

    def _has_expired(self, shard: Shard, now_ns: int) -> bool:
        """Whether a shard was closed so long ago that all its records have outlived the retention period."""
        return shard.closed_at_ns is not None and now_ns >= shard.closed_at_ns + self.settings.retention_ns

    def _trim(self, shard: Shard, now_ns: int) -> None:
        """Let go of what has outlived the retention period in one shard."""
        count = shard.expired(now_ns - self.settings.retention_ns)
        if count:
            self._commit(RecordsTrimmed(self.name, shard.shard_id, shard.horizon + count))

    def _sweep(self, now_ns: int) -> None:
        """Let go of everything that has outlived the retention period: records, and then closed shards."""
        retention_ns = self.settings.retention_ns
        gone: list[Change] = []
        for shard in self._shards.values():
            count = shard.expired(now_ns - retention_ns)
            if self._has_expired(shard, now_ns):
                gone.append(ShardExpired(self.name, shard.shard_id))
            elif count:
                gone.append(RecordsTrimmed(self.name, shard.shard_id, shard.horizon + count))
        if gone:
            self._commit(*gone)
        # What arrives from now on lives for a whole retention period.
        expiry_ns = self._next_expiry_ns(now_ns)
        horizon_ns = now_ns + retention_ns
        self._sweep_at_ns = max(
            now_ns + _SWEEP_NS, horizon_ns if expiry_ns is None else min(expiry_ns, horizon_ns)
        )

    # --- applying changes: what the changes call ---

    def _apply_settings(self, settings: StreamSettings, busy_until_ns: int) -> None:
        self.settings = settings
        self._busy_until_ns = busy_until_ns
        # What putting a record looks at.
        self._max_record_bytes = settings.max_record_bytes
        self._make_record: type[Record] = EncryptedRecord if settings.encryption_type == "KMS" else Record
        self._key_length_max = settings.limits.partition_key_length_max
        if not (settings.scale_on_demand and settings.stream_mode == ON_DEMAND):
            self._load = None
        elif self._load is None:
            self._load = LoadMeter.of(settings.limits)
        self._distributes = settings.record_distribution_strategy == AUTO
        self._puts_carefully = (
            settings.enforce_throughput
            or self._load is not None
            or self._distributes
            or self._reordered_puts > 0
        )
        self._look_again()

    def _apply_reshard(self, made: Iterable[ShardIdentity], completed_at_ns: int) -> None:
        """Add the shards that were made, and close their parents."""
        for identity in made:
            for parent_id in identity.parents:
                parent = self._shards[parent_id]
                parent.children.append(identity)
                if parent.is_open:
                    parent.close(completed_at_ns)
            allowance = Allowance.of(self.limits) if self.settings.enforce_throughput else None
            make = self.broker.new_shard
            self._shards[identity.shard_id] = (
                Shard(identity, allowance=allowance) if make is None else make(self.name, identity, allowance)
            )
            self._next_index = identity.index + 1
        self._pending = None
        self._sort_shards()
        self._look_again()

    def _sort_shards(self) -> None:
        """Have the open shards in the order of their hash keys, as putting wants them."""
        self._open_shards = sorted(
            (shard for shard in self._shards.values() if shard.is_open), key=lambda shard: shard.range_end
        )
        self._range_ends = [shard.range_end for shard in self._open_shards]

    def _look_again(self) -> None:
        """Have the next operation work out anew what comes due."""
        self._due_ns = self._sweep_at_ns = 0

    def _apply_trim(self, shard_id: str, horizon: int) -> None:
        shard = self._shards[shard_id]
        shard.trim(horizon - shard.horizon)

    def _apply_record(
        self,
        shard_id: str,
        data: bytes,
        partition_key: str,
        number: int,
        arrival_ns: int,
        encryption_type: str,
    ) -> None:
        shard = self._shards[shard_id]
        make = EncryptedRecord if encryption_type == "KMS" else Record
        size = len(data) + len(partition_key.encode())
        self._take_in(shard, make(data, partition_key, shard.identity, number, arrival_ns, shard.end + size))

    def _take_in(self, shard: Shard, record: Record) -> None:
        """Add a record to a shard, and to what was counted."""
        size = record.end - shard.end
        shard.append(record)
        if self._distributes:
            self._turn += 1
        if shard.allowance is not None:
            shard.allowance.put(size, record.arrival_ns)
        if self._load is not None:
            self._load.add(size, record.arrival_ns)

    def _warm_throughput(self, now_ns: int) -> int | None:
        """What the stream is warmed to by now, in MiB per second; None where it never was.

        While it is on its way it can take what it could before, a MiB for each shard where it had not been
        warmed.
        """
        settings = self.settings
        if settings.warm_throughput_mibps is None or now_ns >= self._busy_until_ns:
            return settings.warm_throughput_mibps
        if settings.warm_throughput_before_mibps is not None:
            return settings.warm_throughput_before_mibps
        return len(self._open_shards) * settings.limits.write_bytes_per_second // MIB

    # --- ours ---

    def _shard_of(self, hash_key: bytes) -> Shard:
        """The open shard whose range the hash key lies in."""
        return self._open_shards[bisect_left(self._range_ends, hash_key)]

    def peek(self) -> list[Record]:
        """Ours: every record that can be read, shard by shard (`record.shard_id`), without a side effect."""
        with self._lock:
            horizon_ns = self._enter() - self.settings.retention_ns
            return [
                record
                for shard in self._shards.values()
                for record in shard.live_records(shard.expired(horizon_ns))
            ]

    def __repr__(self) -> str:
        if self.broker.closed_because is not None:
            return f"<Stream {self.name!r}: its broker is closed>"
        with self._lock:
            try:
                horizon_ns = self._enter() - self.settings.retention_ns
            except ResourceNotFoundException:
                return f"<Stream {self.name!r}: deleted>"
            shards = self._shards.values()
            records = sum(shard.next_number - shard.horizon - shard.expired(horizon_ns) for shard in shards)
            opened = len(self._open_shards)
            return (
                f"<Stream {self.name!r}: {opened} shard{'s' * (opened != 1)} open, "
                f"{len(shards) - opened} closed, {records:,} record{'s' * (records != 1)}>"
            )

    def check_invariants(self) -> None:
        """Raise AssertionError where the stream contradicts itself."""
        with self._lock:
            for shard in self._shards.values():
                shard.check_invariants()
                parents = [
                    self._shards[parent] for parent in shard.identity.parents if parent in self._shards
                ]
                assert all(parent.identity.stamp < shard.identity.stamp for parent in parents)
                assert all(shard.identity in parent.children for parent in parents)
            opened = [shard for shard in self._shards.values() if shard.is_open]
            assert sorted(opened, key=lambda shard: shard.identity.starting_hash_key) == self._open_shards
            assert self._range_ends == [shard.range_end for shard in self._open_shards]
            # The open shards share out all hash keys without gap or overlap.
            next_start = 0
            for shard in self._open_shards:
                assert shard.identity.starting_hash_key == next_start <= shard.identity.ending_hash_key
                next_start = shard.identity.ending_hash_key + 1
            assert next_start == 2**128
