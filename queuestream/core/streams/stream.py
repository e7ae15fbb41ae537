"""A stream: records in shards, kept for a while, read by everybody from wherever they like.

    >>> from queuestream import Stream
    >>> stream = Stream("events", shard_count=4)
    >>> put = stream.put_record(b"departed", "LX-320")
    >>> iterator = stream.get_shard_iterator(put.shard_id, "TRIM_HORIZON")
    >>> [record.data for record in stream.get_records(iterator).records]
    [b'departed']

This module has what producers and consumers do all day: putting and reading records.  The rest
of a stream's operations stand with their subjects:

    listing.py          list_shards, describe, describe_summary
    resharding.py       split_shard, merge_shards, update_shard_count
    retention.py        increase_ and decrease_stream_retention_period
    capacity_mode.py    update_stream_mode, update_stream_warm_throughput, how records are distributed
    consumers.py        register_stream_consumer and what follows from it
    fan_out.py          subscribe_to_shard
    administration.py   tags, encryption, monitoring, policies, the largest record, delete

What a stream is at a time, and how an operation goes about changing it, is in state.py.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from queuestream.core.broker import Broker
from queuestream.core.clock import MILLISECOND
from queuestream.core.errors import (
    BrokerClosed,
    DryRunOperationException,
    InvalidArgumentException,
    ProvisionedThroughputExceededException,
)
from queuestream.core.streams import account, checks, iterators
from queuestream.core.streams.administration import Administration
from queuestream.core.streams.careful_puts import CarefulPuts
from queuestream.core.streams.changes import StreamCreated
from queuestream.core.streams.entries import PutRecordsEntry, prepare, prepare_batch, refusal
from queuestream.core.streams.fan_out import FanOut
from queuestream.core.streams.hash_keys import even_ranges, md5
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.listing import Listing
from queuestream.core.streams.record import GetRecordsResult, PutRecordsResult, Record, RejectedRecord
from queuestream.core.streams.resharding import first_shards
from queuestream.core.streams.retention import Retention
from queuestream.core.streams.settings import ON_DEMAND, PROVISIONED, check_settings
from queuestream.core.streams.shard import shard_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.core.clock import Clock
    from queuestream.core.delivery import Delivery

_DEFAULT_LIMITS = StreamLimits()


class Stream(Listing, Retention, CarefulPuts, FanOut, Administration):
    """A Kinesis data stream.

    Args:
        name: 1 to 128 letters, digits, dots, hyphens and underscores.
        shard_count: Shards to start with; 1 where nothing is said, 4 in on-demand mode.
        stream_mode: `PROVISIONED` or `ON_DEMAND`.
        retention_period_hours: How long a record can be read: 24 to 8,760.
        max_record_size_in_kib: The largest record: 1,024 to 10,240.
        tags: Up to 50 keys with their values.
        warm_throughput_mibps: What an on-demand stream is to be ready for, in MiB per second, where the
            account has a minimum throughput billing commitment.
        record_distribution_strategy: `USER_PARTITION_KEY` where nothing is said, or `AUTO`: an on-demand
            stream that distributes its records evenly, whatever their keys.
        enforce_throughput: Ours: refuse what goes beyond a shard's allowance, as AWS does.
        scale_on_demand: Ours: add shards to an on-demand stream as its load grows, as AWS does.
        provisioning_time_seconds: Ours: how long the stream stays CREATING, UPDATING and DELETING.
        limits: The quotas; AWS's where nothing is said.
        clock: The time; the machine's where nothing is said.
        seed: Makes every id repeatable.
        delivery: How records are stored, as for `Broker`: of a delivery, `reordered_puts` is about streams.
        broker: For `Broker.create_stream`: the broker that the stream belongs to, instead of one of its own.

    Raises:
        ValidationException: A parameter has the wrong form or is out of its range.
        InvalidArgumentException: Parameters that don't go together.
        ResourceInUseException: The broker has a stream of that name.
        LimitExceededException: A quota of the account is used up.
        TypeError: A broker, and a clock, seed or delivery beside it.
    """

    def __init__(
        self,
        name: str,
        *,
        shard_count: int | None = None,
        stream_mode: str = PROVISIONED,
        retention_period_hours: int = 24,
        max_record_size_in_kib: int = 1024,
        tags: Mapping[str, str] | None = None,
        warm_throughput_mibps: int | None = None,
        record_distribution_strategy: str | None = None,
        enforce_throughput: bool = False,
        scale_on_demand: bool = False,
        provisioning_time_seconds: float = 0,
        limits: StreamLimits = _DEFAULT_LIMITS,
        clock: Clock | None = None,
        seed: int | str | None = None,
        delivery: Delivery | str = "strict",
        broker: Broker | None = None,
    ) -> None:
        name = checks.check_text(name, "streamName", 1, 128, checks.NAME)
        settings = check_settings(
            stream_mode=stream_mode,
            retention_period_hours=retention_period_hours,
            max_record_size_in_kib=max_record_size_in_kib,
            tags=tags,
            warm_throughput_mibps=warm_throughput_mibps,
            record_distribution_strategy=record_distribution_strategy,
            enforce_throughput=enforce_throughput,
            scale_on_demand=scale_on_demand,
            provisioning_time_seconds=provisioning_time_seconds,
            limits=limits,
        )
        if shard_count is None:
            shards = limits.on_demand_shards if stream_mode == ON_DEMAND else 1
        elif stream_mode == ON_DEMAND:
            raise InvalidArgumentException("ShardCount can't be used with a stream in ON_DEMAND mode.")
        else:
            shards = checks.check_integer(shard_count, "shardCount", 1)
        if broker is None:
            broker = Broker(clock=clock, seed=seed, delivery=delivery)
        elif clock is not None or seed is not None or delivery != "strict":
            raise TypeError("clock, seed and delivery make a broker, but there is one already.")
        with broker.lock:
            broker.check_open()
            now_ns = broker.clock.now_ns()
            account.check_new_stream(broker, name, stream_mode, shards, limits, now_ns)
            if warm_throughput_mibps is not None:
                account.check_commitment(broker, now_ns)
            secret = broker.ids.bits(256).to_bytes(32, "big")
            created = StreamCreated(name, settings, secret, now_ns, first_shards(even_ranges(shards), now_ns))
            if broker.listeners:
                broker.publish((created,))
            self._begin(broker, created)
            broker.streams[name] = self

    # --- putting ---

    def put_record(
        self,
        data: bytes,
        partition_key: str | None = None,
        explicit_hash_key: str | None = None,
        sequence_number_for_ordering: str | None = None,
        dry_run: bool | None = None,
    ) -> Record:
        """Put a record into the shard that its partition key belongs to.

        Args:
            data: Up to `max_record_size_in_kib`, the partition key's UTF-8 bytes included.
            partition_key: 1 to 256 characters; not needed where the stream distributes its records itself.
            explicit_hash_key: A number up to 2**128 - 1 in digits, instead of the key's MD5.
            sequence_number_for_ordering: The sequence number of the record before, as AWS wants it.  Here, as
                one thread's puts are always in order, it is only checked.
            dry_run: Whether to check everything and put nothing.

        Returns:
            The record as it was stored: `shard_id`, `sequence_number`, `encryption_type` and the rest.

        Raises:
            ValidationException: A parameter has the wrong form.
            InvalidArgumentException: The record is too large, or the hash key or sequence number makes no
                sense.
            ProvisionedThroughputExceededException: The shard's allowance is used up (with
                `enforce_throughput`).
            DryRunOperationException: It was a dry run, and would have succeeded.
        """
        if dry_run is not None:
            checks.check_boolean(dry_run, "dryRun")
        if type(data) is not bytes or type(partition_key) is not str or explicit_hash_key is not None:
            data, partition_key, hash_key, size = prepare(
                data,
                partition_key,
                explicit_hash_key,
                self.limits,
                self._max_record_bytes,
                needs_key=not self._distributes,
            )
        else:
            # The same again without detours, because this is what a stream is asked most often.
            try:
                key_bytes = partition_key.encode()
            except UnicodeEncodeError:
                key_bytes = b""
            size = len(data) + len(key_bytes)
            if not key_bytes or len(partition_key) > self._key_length_max or size > self._max_record_bytes:
                raise refusal(data, partition_key, self.limits, self._max_record_bytes)
            hash_key = md5(key_bytes).digest()
        if sequence_number_for_ordering is not None:
            checks.check_text(
                sequence_number_for_ordering, "sequenceNumberForOrdering", 1, None, checks.SEQUENCE_NUMBER
            )
        broker = self.broker
        with self._lock:
            if broker.closed_because is not None:
                raise BrokerClosed(broker.closed_because)
            now_ns = self._now_ns()
            if now_ns >= self._due_ns:
                self._catch_up(now_ns)
            if now_ns < self._active_from_ns:
                raise self._not_found()
            if sequence_number_for_ordering is not None:
                self._check_ordering(sequence_number_for_ordering, now_ns)
            if dry_run:
                raise DryRunOperationException
            if self._puts_carefully or broker.listeners:
                [stored] = self._put_carefully([(data, partition_key, hash_key, size)], now_ns)
                if isinstance(stored, RejectedRecord):
                    raise ProvisionedThroughputExceededException(stored.error_message)
                return stored
            shard = self._open_shards[bisect_left(self._range_ends, hash_key)]
            records = shard.records
            end = shard.end + size
            record = self._make_record(
                data, partition_key, shard.identity, shard.base_number + len(records), now_ns, end
            )
            shard.end = end
            records.append(record)
            if shard.waiters:
                shard.wake()
            return record

    def put_records(
        self,
        records: Iterable[tuple[bytes, str] | PutRecordsEntry | Mapping[str, object]],
        dry_run: bool | None = None,
    ) -> PutRecordsResult:
        """Put up to 500 records of 10 MiB together; each goes to its own shard, and may fail by itself.

        Args:
            records: (data, partition key), `PutRecordsEntry`, or a dict of its fields.
            dry_run: Whether to check everything and put nothing.

        Raises:
            ValidationException: A record, or the list of them, has the wrong form; none was put.
            InvalidArgumentException: A record, or all together, are too large; none was put.
            DryRunOperationException: It was a dry run, and would have succeeded.
        """
        if dry_run is not None:
            checks.check_boolean(dry_run, "dryRun")
        prepared = prepare_batch(
            records, self.limits, self._max_record_bytes, needs_key=not self._distributes
        )
        with self._lock:
            now_ns = self._enter()
            self._require_usable(now_ns)
            if dry_run:
                raise DryRunOperationException
            if self._puts_carefully or self.broker.listeners:
                answers = self._put_carefully(prepared, now_ns)
                failed = sum(isinstance(answer, RejectedRecord) for answer in answers)
                return PutRecordsResult(failed, answers, self.settings.encryption_type)
            make_record, open_shards, range_ends = self._make_record, self._open_shards, self._range_ends
            put: list[Record | RejectedRecord] = []
            add = put.append
            for data, partition_key, hash_key, size in prepared:
                shard = open_shards[bisect_left(range_ends, hash_key)]
                stored = shard.records
                end = shard.end = shard.end + size
                record = make_record(
                    data, partition_key, shard.identity, shard.base_number + len(stored), now_ns, end
                )
                stored.append(record)
                add(record)
            for shard in open_shards:
                if shard.waiters:
                    shard.wake()
            return PutRecordsResult(0, put, self.settings.encryption_type)

    # --- reading ---

    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: str | None = None,
        timestamp: object = None,
        dry_run: bool | None = None,
    ) -> str:
        """Where to start reading a shard; good for five minutes.

        Args:
            shard_id: The shard.
            shard_iterator_type: `TRIM_HORIZON` (the oldest record), `LATEST` (what comes from now on),
                `AT_TIMESTAMP`, `AT_SEQUENCE_NUMBER` or `AFTER_SEQUENCE_NUMBER`.
            starting_sequence_number: For the last two.
            timestamp: For `AT_TIMESTAMP`: a `datetime` (UTC where it says nothing else), or seconds since the
                epoch.
            dry_run: Whether to check everything and give no iterator.

        Raises:
            ResourceNotFoundException: There is no such shard (any more).
            InvalidArgumentException: The parameters don't go together, or the sequence number isn't of this
                shard.
            DryRunOperationException: It was a dry run, and would have succeeded.

        Cost: constant, at a time logarithmic in the shard's records.
        """
        shard_id = checks.check_text(shard_id, "shardId", 1, 128, checks.NAME)
        if dry_run is not None:
            checks.check_boolean(dry_run, "dryRun")
        start = iterators.check_start(shard_iterator_type, starting_sequence_number, timestamp)
        with self._lock:
            now_ns = self._enter()
            self._require_usable(now_ns)
            shard = self._shard(shard_id, now_ns)
            number = iterators.starting_number(
                shard, start, f"GetShardIterator on {self._where(shard)}", now_ns
            )
            if dry_run:
                raise DryRunOperationException
            return iterators.iterator_text(self._secret, now_ns, shard.identity.index, number)

    def get_records(
        self, shard_iterator: str, limit: int | None = None, dry_run: bool | None = None
    ) -> GetRecordsResult:
        """Read on from where an iterator stands.

        Args:
            shard_iterator: From `get_shard_iterator`, or from the last answer.
            limit: 1 to 10,000 records, which is also the default; never more than 10 MiB.
            dry_run: Whether to check everything and read nothing.

        Raises:
            InvalidArgumentException: The iterator isn't one of this stream's.
            ExpiredIteratorException: It was made five minutes ago.
            ResourceNotFoundException: The shard has outlived the retention period.
            ProvisionedThroughputExceededException: The shard's allowance is used up (with
                `enforce_throughput`).
            DryRunOperationException: It was a dry run, and would have succeeded.
        """
        if dry_run is not None:
            checks.check_boolean(dry_run, "dryRun")
        limits = self.limits
        iterator = checks.check_text(shard_iterator, "shardIterator", 1, 512)
        count = limits.get_records_max
        if limit is not None:
            count = checks.check_integer(limit, "limit", 1, count)
        position = iterators.position_of(self._secret, iterator)
        with self._lock:
            now_ns = self._enter()
            self._require_usable(now_ns)
            iterators.check_age(position.created_ns, now_ns, limits.shard_iterator_seconds)
            shard = self._shard(shard_id_of(position.shard_index), now_ns)
            if dry_run:
                raise DryRunOperationException
            if shard.allowance is not None and not shard.allowance.answers(now_ns):
                raise ProvisionedThroughputExceededException(self._rate_exceeded(shard))
            self._trim(shard, now_ns)
            records = shard.read(position.number, count, limits.get_records_bytes_max)
            number = records[-1].number + 1 if records else max(position.number, shard.horizon)
            behind = number < shard.next_number
            if shard.allowance is not None and records:
                shard.allowance.gave(records, now_ns, pause=behind and len(records) < count)
            if number == shard.next_number and not shard.is_open:
                return GetRecordsResult(records, None, 0, [child.as_child() for child in shard.children])
            # Zero says that nothing is left to read, so what is left is at least a millisecond behind.
            millis = max(1, (now_ns - records[-1].arrival_ns) // MILLISECOND) if behind else 0
            onward = iterators.iterator_text(self._secret, now_ns, position.shard_index, number)
            return GetRecordsResult(records, onward, millis, [])
