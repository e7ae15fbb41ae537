"""The tables of streams: what their rows say, made of the core's objects and read back.

What is settled when a stream or shard is made stands in columns of its own, and what may change
about it, its *state*, in those behind; so that an object whose state is what its row says needs
no writing.  Values without a table of their own (settings, tags, what is counted) are JSON.

A record's key is its shard's own number in the database, shifted, and its number in the shard.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.streams.changes import ReshardScheduled, StreamCreated
from queuestream.core.streams.settings import StreamSettings
from queuestream.core.streams.shard import ShardIdentity, index_of
from queuestream.core.streams.throughput import Allowance
from queuestream.storage.gathered import Gathered
from queuestream.storage.reading import value_from_json
from queuestream.storage.records import NUMBER_BITS, StoredRecords, StoredShard, Tail, rows_of
from queuestream.storage.values import value_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from queuestream.core.broker import Broker
    from queuestream.core.streams.account import BillingCommitment
    from queuestream.core.streams.record import Record
    from queuestream.core.streams.shard import Shard
    from queuestream.core.streams.stream import Stream

TABLES = """
create table streams (
    id integer primary key,
    name text not null unique,
    secret blob not null,
    created_at_ns integer not null,
    settings text not null,
    busy_until_ns integer not null,
    gone_from_ns integer,
    pending_reshard text,
    records_distributed integer not null,
    load_seen text
);
create table shards (
    id integer primary key,
    stream_id integer not null references streams (id),
    shard_id text not null,
    starting_hash_key text not null,
    ending_hash_key text not null,
    created_at_ns integer not null,
    stamp integer not null,
    parent_shard_id text,
    adjacent_parent_shard_id text,
    closed_at_ns integer,
    horizon integer not null,
    next_number integer not null,
    end_bytes integer not null,
    used_by_puts text
);
create table records (
    key integer primary key,
    arrival_ns integer not null,
    end_bytes integer not null,
    encrypted integer not null,
    partition_key text not null,
    data blob not null
);
create table consumers (
    stream_id integer not null references streams (id),
    name text not null,
    created_at_ns integer not null,
    active_from_ns integer not null,
    tags text not null,
    resource_policy text,
    unique (stream_id, name)
);
create table billing_commitment (
    started_ns integer not null,
    ends_ns integer
);
create view stream_shards as
    select
        streams.name as stream,
        shards.shard_id,
        case when shards.closed_at_ns is null then 'open' else 'closed' end as state,
        shards.next_number - shards.horizon as records,
        strftime('%Y-%m-%dT%H:%M:%S', records.arrival_ns / 1000000000, 'unixepoch')
            || printf('.%03dZ', records.arrival_ns / 1000000 % 1000) as oldest_arrived,
        shards.parent_shard_id,
        shards.adjacent_parent_shard_id,
        shards.starting_hash_key,
        shards.ending_hash_key
    from streams
    join shards on shards.stream_id = streams.id
    left join records on records.key = (shards.id << 40 | shards.horizon)
        and shards.horizon < shards.next_number;
create view stream_records as
    select
        streams.name as stream,
        shards.shard_id,
        records.key & 1099511627775 as number,
        strftime('%Y-%m-%dT%H:%M:%S', records.arrival_ns / 1000000000, 'unixepoch')
            || printf('.%03dZ', records.arrival_ns / 1000000 % 1000) as arrived,
        records.partition_key,
        case records.encrypted when 1 then 'KMS' else 'NONE' end as encryption_type,
        records.data
    from streams
    join shards on shards.stream_id = streams.id
    cross join records on records.key >= (shards.id << 40 | shards.horizon)
        and records.key < (shards.id << 40 | shards.next_number);
"""

_DELETE_CONSUMERS = "delete from consumers where stream_id = ?"
_DELETE_SHARD = "delete from shards where id = ?"
_DELETE_STREAM = "delete from streams where id = ?"
_DELETE_COMMITMENT = "delete from billing_commitment"
_DISCARD_RECORDS = "insert into garbage (\"of\", first_key, last_key) values ('records', ?, ?)"
_INSERT_STREAM = "insert into streams values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE_STREAM = (
    "update streams set settings = ?, busy_until_ns = ?, gone_from_ns = ?, pending_reshard = ?, "
    "records_distributed = ?, load_seen = ? where id = ?"
)
_INSERT_CONSUMER = "insert into consumers values (?, ?, ?, ?, ?, ?)"
_INSERT_SHARD = "insert into shards values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE_SHARD = (
    "update shards set closed_at_ns = ?, horizon = ?, next_number = ?, end_bytes = ?, used_by_puts = ? "
    "where id = ?"
)
_INSERT_COMMITMENT = "insert into billing_commitment values (?, ?)"
_INSERT_RECORD = "insert into records values (?, ?, ?, ?, ?, ?)"

_ORDER = (
    _DELETE_CONSUMERS,
    _DELETE_SHARD,
    _DELETE_STREAM,
    _DELETE_COMMITMENT,
    _DISCARD_RECORDS,
    _INSERT_STREAM,
    _UPDATE_STREAM,
    _INSERT_CONSUMER,
    _INSERT_SHARD,
    _UPDATE_SHARD,
    _INSERT_COMMITMENT,
)
"""The order in which they are carried out: a stream may go and another of its name come."""


@attrs.define(eq=False)
class KeptStream:
    """A stream that has rows.

    Attributes:
        settings_json: How its row has the settings.
        shards: Those that have rows, by their names.
    """

    row_id: int
    stream: Stream
    settings: StreamSettings
    settings_json: str
    shards: dict[str, StoredShard] = attrs.Factory(dict)

    def state(self) -> tuple[object, ...]:
        """What its row is to say of what may change."""
        stream = self.stream
        if self.settings is not stream.settings:
            self.settings, self.settings_json = stream.settings, value_to_json(stream.settings)
        return (
            self.settings_json,
            stream._busy_until_ns,
            stream._gone_from_ns,
            None if stream._pending is None else value_to_json(stream._pending),
            stream._turn,
            None if stream._load is None else value_to_json(stream._load.seen),
        )


def shard_state(shard: Shard) -> tuple[object, ...]:
    """What a shard's row is to say of what may change."""
    return (
        shard.closed_at_ns,
        shard.horizon,
        shard.next_number,
        shard.end,
        None if shard.allowance is None else value_to_json(shard.allowance.used_by_puts),
    )


class Changes:
    """The rows that one gathering writes, and the records that may leave memory when they are written.

    Args:
        tail: What stays in memory all the same.
    """

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._rows: dict[str, list[tuple[object, ...]]] = {statement: [] for statement in _ORDER}
        self._records: list[tuple[int, list[Record]]] = []
        self._put: list[tuple[Stream, StoredShard, int]] = []

    def gathered(self) -> Gathered:
        """All of it; the rows of records are made while they are written, without the lock."""
        statements: list[tuple[str, Iterable[Sequence[object]]]] = [
            (statement, rows) for statement, rows in self._rows.items() if rows
        ]
        if self._records:
            records = chain.from_iterable(rows_of(row_id, records) for row_id, records in self._records)
            statements.append((_INSERT_RECORD, records))
        return Gathered(statements, self._evict if self._put else None)

    def _evict(self) -> None:
        tail = self._tail
        for stream, shard, upto in self._put:
            if shard.is_open:
                shard.evict(upto, tail.records_max, tail.bytes_of_each(len(stream._open_shards)))
            else:
                shard.evict(upto, 0, 0)

    def insert_stream(self, kept: KeptStream) -> None:
        """A stream that has no row yet."""
        stream = kept.stream
        settled = kept.row_id, stream.name, stream._secret, stream.created_at_ns
        self._rows[_INSERT_STREAM].append((*settled, *kept.state()))

    def update_stream(self, kept: KeptStream) -> None:
        """A stream that has one."""
        self._rows[_UPDATE_STREAM].append((*kept.state(), kept.row_id))

    def delete_stream(self, kept: KeptStream) -> None:
        """A stream that is gone, with all that it had."""
        self._rows[_DELETE_CONSUMERS].append((kept.row_id,))
        self._rows[_DELETE_STREAM].append((kept.row_id,))
        for shard in kept.shards.values():
            self.delete_shard(shard)

    def put_consumers(self, kept: KeptStream) -> None:
        """A stream's consumers, which are few, all anew."""
        self._rows[_DELETE_CONSUMERS].append((kept.row_id,))
        self._rows[_INSERT_CONSUMER] += [
            (
                kept.row_id,
                consumer.name,
                consumer.created_at_ns,
                consumer.active_from_ns,
                value_to_json(consumer.tags),
                consumer.resource_policy,
            )
            for consumer in kept.stream._consumers.values()
        ]

    def put_shard(self, kept: KeptStream, shard: StoredShard) -> None:
        """A shard, if its row does not say what it is, and its records that are no rows yet."""
        state = shard_state(shard)
        if state == shard.row:
            return
        self._put.append((kept.stream, shard, shard.next_number))
        records = shard.unwritten()
        if records:
            self._records.append((shard.row_id, records))
        self._discard(shard, shard.horizon)
        if shard.row is None:
            identity = shard.identity
            settled = (
                shard.row_id,
                kept.row_id,
                identity.shard_id,
                *identity.hash_key_range,
                identity.created_at_ns,
                identity.stamp,
                identity.parent_shard_id,
                identity.adjacent_parent_shard_id,
            )
            self._rows[_INSERT_SHARD].append((*settled, *state))
        else:
            self._rows[_UPDATE_SHARD].append((*state, shard.row_id))
        shard.row, shard.written = state, shard.next_number

    def delete_shard(self, shard: StoredShard) -> None:
        """A shard that has a row, and is gone with all its records."""
        self._rows[_DELETE_SHARD].append((shard.row_id,))
        self._discard(shard, shard.written)

    def put_commitment(self, commitment: BillingCommitment | None) -> None:
        """The account's billing commitment."""
        self._rows[_DELETE_COMMITMENT].append(())
        if commitment is not None:
            self._rows[_INSERT_COMMITMENT].append((commitment.started_ns, commitment.ends_ns))

    def _discard(self, shard: StoredShard, horizon: int) -> None:
        """Have the rows of records below a number deleted some time."""
        first, end = shard.trimmed, min(horizon, shard.written)
        if first < end:
            key = shard.row_id << NUMBER_BITS
            self._rows[_DISCARD_RECORDS].append((key | first, key | end - 1))
        shard.trimmed = horizon


# --- from rows ---


def loaded_stream(broker: Broker, row: tuple[Any, ...]) -> KeptStream:
    """A row's stream, in the broker, without its shards."""
    row_id, name, secret, created_at_ns, settings_json, *state = row
    busy_until_ns, gone_from_ns, pending_reshard, records_distributed, load_seen = state
    settings = value_from_json(StreamSettings, settings_json)
    StreamCreated(name, settings, secret, created_at_ns, ()).apply(broker)
    stream = broker.streams[name]
    stream._busy_until_ns = busy_until_ns
    stream._gone_from_ns = gone_from_ns
    if pending_reshard is not None:
        stream._pending = value_from_json(ReshardScheduled, pending_reshard)
    stream._turn = records_distributed
    if stream._load is not None and load_seen is not None:
        stream._load.resume(value_from_json(tuple[int, ...], load_seen))
    return KeptStream(row_id, stream, settings, settings_json)


def load_shard(kept: KeptStream, row: tuple[Any, ...], stored: StoredRecords) -> None:
    """Add a row's shard to its stream; its parents are there, where they still are."""
    row_id, _, shard_id, first_hash, last_hash, created_at_ns, stamp, parent, adjacent, *state = row
    closed_at_ns, horizon, next_number, end_bytes, used_by_puts = state
    stream = kept.stream
    index = index_of(shard_id)
    assert index is not None
    identity = ShardIdentity(
        shard_id=shard_id,
        index=index,
        starting_hash_key=int(first_hash),
        ending_hash_key=int(last_hash),
        created_at_ns=created_at_ns,
        stamp=stamp,
        parent_shard_id=parent,
        adjacent_parent_shard_id=adjacent,
    )
    allowance = None
    if used_by_puts is not None:
        allowance = Allowance.of(stream.limits)
        allowance.resume(value_from_json(tuple[int, ...], used_by_puts))
    shard = StoredShard(
        identity,
        base_number=next_number,
        end=end_bytes,
        closed_at_ns=closed_at_ns,
        allowance=allowance,
        stored=stored,
        row_id=row_id,
        written=next_number,
        trimmed=horizon,
        horizon=horizon,
    )
    shard.row = tuple(state)
    stream._shards[shard_id] = kept.shards[shard_id] = shard
    stream._next_index = index + 1
    for parent_id in identity.parents:
        if parent_id in stream._shards:
            stream._shards[parent_id].children.append(identity)
