"""Streams as rows: what changed since the last time, gathered; and a broker's streams, loaded.

The handlers only mark what a change touches.  Gathering compares what was marked with what has
rows, object by object: a stream that isn't there any more, or isn't the same one, goes with its
shards, consumers and records; what is new is inserted, what is different updated.  So it doesn't
matter how often something changed in between, and what came and went is never seen.

The rows of records that are gone are not deleted here: their keys are written into the table
`garbage`, and a few of them are deleted at a time.  Shards have numbers of their own in the
database, never used again while rows of theirs are left, so that a new stream of an old name
shares nothing with it.

Loading makes the streams and shards, and no record: see records.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.core.streams.account import BillingCommitment
from queuestream.core.streams.changes import (
    BillingCommitmentChanged,
    ConsumerChanged,
    ConsumerDeregistered,
    ConsumerRegistered,
    RecordPut,
    RecordsTrimmed,
    Resharded,
    ReshardScheduled,
    ShardExpired,
    StreamChanged,
    StreamCreated,
    StreamDeleted,
)
from queuestream.storage.reading import value_from_json
from queuestream.storage.records import NUMBER_BITS, StoredRecords, StoredShard, Tail
from queuestream.storage.stream_tables import TABLES, Changes, KeptStream, load_shard, loaded_stream
from queuestream.storage.values import value_to_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from queuestream.core.broker import Broker
    from queuestream.core.changes import Change
    from queuestream.core.streams.shard import ShardIdentity
    from queuestream.core.streams.throughput import Allowance
    from queuestream.storage.gathered import Gathered

_TAIL = Tail()

_LAST_SHARD = (
    "select max(id) from (select id from shards union all "  # noqa: S608 - a number
    f"select last_key >> {NUMBER_BITS} from garbage where \"of\" = 'records')"
)


class StreamRows:
    """What the database has of a broker's streams, and what it does not have yet.

    Args:
        broker: One without streams; its shards are made here from now on.
        reading: To the database, for shards to read from under the broker's lock.
        tail: How much of what is on disk stays in memory, too.
    """

    TABLES = TABLES

    def __init__(self, broker: Broker, reading: sqlite3.Connection, tail: Tail = _TAIL) -> None:
        self._broker = broker
        self._stored = StoredRecords(reading)
        self._tail = tail
        self._kept: dict[str, KeptStream] = {}
        # The numbers in the database of the latest stream and shard.
        self._last_stream = self._last_shard = 0
        # What was marked: dicts, because they keep the order in which it was.
        self._streams: dict[str, None] = {}
        self._shards: dict[tuple[str, str], None] = {}
        self._commitment_changed = False
        broker.new_shard = self._new_shard
        self.handlers: dict[type[Change], Callable[[Any], None]] = {
            StreamCreated: self._mark_stream,
            StreamChanged: self._mark_stream,
            StreamDeleted: self._mark_stream,
            RecordPut: self._mark_shard,
            RecordsTrimmed: self._mark_shard,
            ShardExpired: self._mark_stream,
            ReshardScheduled: self._mark_stream,
            Resharded: self._mark_stream,
            ConsumerRegistered: self._mark_stream,
            ConsumerChanged: self._mark_stream,
            ConsumerDeregistered: self._mark_stream,
            BillingCommitmentChanged: self._mark_commitment,
        }

    def _new_shard(self, _name: str, identity: ShardIdentity, allowance: Allowance | None) -> StoredShard:
        """A shard that has no row yet."""
        self._last_shard += 1
        return StoredShard(identity, allowance=allowance, stored=self._stored, row_id=self._last_shard)

    # --- marking ---

    def _mark_stream(self, change: Any) -> None:
        self._streams[change.stream_name] = None

    def _mark_shard(self, change: Any) -> None:
        self._shards[change.stream_name, change.shard_id] = None

    def _mark_commitment(self, _change: Any) -> None:
        self._commitment_changed = True

    # --- gathering ---

    def gather(self, now_ns: int) -> Gathered:
        """What the database does not have yet.  The caller holds the lock, and no call is going on.

        Cost: constant for each shard that was put to and each stream that there is; of a stream that was
        changed otherwise, linear in its shards.
        """
        changes = Changes(self._tail)
        streams = dict(self._streams)
        # Time alone makes a stream go, and the broker lets go of it when somebody asks.
        streams.update((name, None) for name, kept in self._kept.items() if kept.stream._is_gone(now_ns))
        for name in streams:
            self._gather_stream(name, now_ns, changes)
        updated = set(streams)
        for name, shard_id in self._shards:
            kept = self._kept.get(name)
            if kept is None or name in streams:
                continue
            if name not in updated:
                updated.add(name)
                changes.update_stream(kept)
            changes.put_shard(kept, kept.shards[shard_id])
        if self._commitment_changed:
            changes.put_commitment(self._broker._billing_commitment)
        self._streams, self._shards, self._commitment_changed = {}, {}, False
        return changes.gathered()

    def _gather_stream(self, name: str, now_ns: int, changes: Changes) -> None:
        """What is different about a stream as a whole."""
        stream = self._broker.streams.get(name)
        if stream is not None and stream._is_gone(now_ns):
            stream = None
        kept = self._kept.get(name)
        if kept is not None and kept.stream is not stream:
            changes.delete_stream(kept)
            del self._kept[name]
            kept = None
        if stream is None:
            return
        if kept is None:
            self._last_stream += 1
            settings = stream.settings
            kept = self._kept[name] = KeptStream(self._last_stream, stream, settings, value_to_json(settings))
            changes.insert_stream(kept)
        else:
            changes.update_stream(kept)
        changes.put_consumers(kept)
        shards = stream._shards
        for shard in kept.shards.values():
            if shard.shard_id not in shards:
                changes.delete_shard(shard)
        kept.shards = {name: shard for name, shard in shards.items() if isinstance(shard, StoredShard)}
        for shard in kept.shards.values():
            changes.put_shard(kept, shard)

    # --- loading ---

    def load(self, connection: sqlite3.Connection) -> None:
        """Make the streams that the database has.  Cost: linear in the streams and shards, not in records."""
        by_row = {}
        for row in connection.execute("select * from streams order by id"):
            kept = loaded_stream(self._broker, row)
            by_row[kept.row_id] = self._kept[kept.stream.name] = kept
            self._last_stream = kept.row_id
        for row in connection.execute("select * from shards order by id"):
            load_shard(by_row[row[1]], row, self._stored)
        for row in connection.execute("select * from consumers order by rowid"):
            stream_id, name, created_at_ns, active_from_ns, tags, resource_policy = row
            stream = by_row[stream_id].stream
            tags = value_from_json(dict[str, str], tags)
            ConsumerRegistered(stream.name, name, created_at_ns, active_from_ns, tags).apply(self._broker)
            stream._consumers[name].resource_policy = resource_policy
        for kept in by_row.values():
            kept.stream._sort_shards()
        self._last_shard = connection.execute(_LAST_SHARD).fetchone()[0] or 0
        for started_ns, ends_ns in connection.execute("select * from billing_commitment"):
            self._broker._billing_commitment = BillingCommitment(started_ns, ends_ns)
