"""A stream's operations over AWS, each as the steps that it takes (`calls`).

They are named, take and give what the operations of `Stream` do; the values are the core's own.  Each says
what AWS does otherwise, and no more: what an operation is for stands with the core's.

This module has what producers and readers do, and what the shards are.  The rest stands with its subjects:

    stream_asking.py            how AWS is asked about a stream; its status, its summary
    stream_administration.py    mode, retention, encryption, monitoring, tags, policy, delete
    stream_consumers.py         registered consumers and their subscriptions
    stream_account.py           the streams of an account
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.remote import stream_values as values
from queuestream.aws.remote.calls import Call, present
from queuestream.aws.remote.records import ShardIterator, taken_apart
from queuestream.aws.remote.stream_administration import Administration
from queuestream.aws.remote.stream_consumers import Consumers
from queuestream.aws.remote.stream_requests import (
    flag,
    point_in_time,
    put_records_entries,
    shard_filter_shape,
)
from queuestream.core.streams import checks
from queuestream.core.streams.listing import ListShardsResult
from queuestream.core.streams.resharding import UpdateShardCountResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.aws.remote.calls import Steps
    from queuestream.core.streams.entries import PutRecordsEntry
    from queuestream.core.streams.listing import ShardFilter, StreamDescription
    from queuestream.core.streams.record import GetRecordsResult, PutRecordsResult, Record


class StreamOperations(Administration, Consumers):
    """What there is to do with one stream."""

    # --- putting ---

    def put_record(
        self,
        data: bytes,
        partition_key: str | None = None,
        explicit_hash_key: str | None = None,
        sequence_number_for_ordering: str | None = None,
        dry_run: bool | None = None,
    ) -> Steps[Record]:
        """Put a record, as `Stream.put_record` does; of two puts in parallel AWS may take either first.

        The record that comes back has no `approximate_arrival_timestamp`, which AWS says to readers only.
        """
        data = checks.check_data(data, "data")
        answer = yield self._call(
            "PutRecord",
            Data=data,
            PartitionKey=partition_key,
            ExplicitHashKey=explicit_hash_key,
            SequenceNumberForOrdering=sequence_number_for_ordering,
            DryRun=flag(dry_run, "dryRun"),
        )
        return values.put_record(answer, data, partition_key)

    def put_records(
        self,
        records: Iterable[tuple[bytes, str] | PutRecordsEntry | Mapping[str, object]],
        dry_run: bool | None = None,
    ) -> Steps[PutRecordsResult]:
        """Put up to 500 records, as `Stream.put_records` does; look at `failed_record_count`.

        A record that AWS had no room for just then is a `RejectedRecord` of the answer, to be put again.
        """
        entries = put_records_entries(records)
        answer = yield self._call("PutRecords", Records=entries, DryRun=flag(dry_run, "dryRun"))
        return values.put_records_result(answer, entries)

    # --- reading ---

    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: str | None = None,
        timestamp: object = None,
        dry_run: bool | None = None,
    ) -> Steps[str]:
        """Where to start reading a shard, as `Stream.get_shard_iterator` says."""
        answer = yield self._call(
            "GetShardIterator",
            ShardId=shard_id,
            ShardIteratorType=shard_iterator_type,
            StartingSequenceNumber=starting_sequence_number,
            Timestamp=point_in_time(timestamp, "timestamp"),
            DryRun=flag(dry_run, "dryRun"),
        )
        return ShardIterator(answer["ShardIterator"], shard_id)

    def get_records(
        self, shard_iterator: str, limit: int | None = None, dry_run: bool | None = None
    ) -> Steps[GetRecordsResult]:
        """Read on from where an iterator stands, as `Stream.get_records` does.

        AWS may answer with no records while there are more (`millis_behind_latest` is above 0): go on with
        the next iterator.
        """
        iterator, shard_id = taken_apart(shard_iterator)
        request = present(ShardIterator=iterator, Limit=limit, DryRun=flag(dry_run, "dryRun"))
        if "StreamARN" in self._named:
            request["StreamARN"] = self.arn
        answer = yield Call("kinesis", "GetRecords", request)
        return values.get_records_result(answer, shard_id)

    # --- shards ---

    def describe(
        self, limit: int | None = None, exclusive_start_shard_id: str | None = None
    ) -> Steps[StreamDescription]:
        """The stream with a page of its shards, as `Stream.describe` has it."""
        answer = yield self._call(
            "DescribeStream", Limit=limit, ExclusiveStartShardId=exclusive_start_shard_id
        )
        return values.stream_description(answer["StreamDescription"])

    def list_shards(
        self,
        next_token: str | None = None,
        exclusive_start_shard_id: str | None = None,
        max_results: int | None = None,
        stream_creation_timestamp: object = None,
        shard_filter: ShardFilter | str | None = None,
    ) -> Steps[ListShardsResult]:
        """The shards, open and closed, as `Stream.list_shards` has them."""
        members = present(
            NextToken=next_token,
            ExclusiveStartShardId=exclusive_start_shard_id,
            MaxResults=max_results,
            StreamCreationTimestamp=point_in_time(stream_creation_timestamp, "streamCreationTimestamp"),
            ShardFilter=shard_filter_shape(shard_filter),
        )
        if next_token is None:
            members.update(self._named)
        elif "StreamARN" in self._named:
            members["StreamARN"] = self.arn  # while a token and a name do not go together
        answer = yield Call("kinesis", "ListShards", members)
        shards = [values.shard_description(shard) for shard in answer.get("Shards", ())]
        return ListShardsResult(shards, answer.get("NextToken"))

    def split_shard(self, shard_to_split: str, new_starting_hash_key: str) -> Steps[None]:
        """Split a shard in two, and wait until the children are there."""
        yield from self._change(
            self._call("SplitShard", ShardToSplit=shard_to_split, NewStartingHashKey=new_starting_hash_key)
        )

    def merge_shards(self, shard_to_merge: str, adjacent_shard_to_merge: str) -> Steps[None]:
        """Merge two neighbours into one shard, and wait until it is there."""
        yield from self._change(
            self._call(
                "MergeShards", ShardToMerge=shard_to_merge, AdjacentShardToMerge=adjacent_shard_to_merge
            )
        )

    def update_shard_count(
        self, target_shard_count: int, scaling_type: str = "UNIFORM_SCALING"
    ) -> Steps[UpdateShardCountResult]:
        """Split and merge until there are so many shards, and wait until there are."""
        answer = yield from self._change(
            self._call("UpdateShardCount", TargetShardCount=target_shard_count, ScalingType=scaling_type)
        )
        return UpdateShardCountResult(
            current_shard_count=answer["CurrentShardCount"], target_shard_count=answer["TargetShardCount"]
        )
