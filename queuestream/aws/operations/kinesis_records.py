"""Kinesis' operations that producers and readers call all day: putting records and getting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.aws.operations.kinesis_names import (
    shards_stream_of,
    stream_of,
    with_name,
    without_name,
)
from queuestream.aws.operations.kinesis_shapes import child_shard_shapes, record_shapes
from queuestream.core.streams.entries import PutRecordsEntry
from queuestream.core.streams.record import Record
from queuestream.core.streams.sequence_numbers import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queuestream.aws.calls import Caller, Shape
    from queuestream.core.streams.record import PutRecordsResult


def put_record(caller: Caller, request: Shape) -> Shape:
    """Kinesis PutRecord."""
    get = request.get
    record = stream_of(caller, request).put_record(
        request["Data"],
        get("PartitionKey"),
        get("ExplicitHashKey"),
        get("SequenceNumberForOrdering"),
        get("DryRun"),
    )
    shape: Shape = {"ShardId": record.shard.shard_id, "SequenceNumber": record.sequence_number}
    if type(record) is not Record:
        shape["EncryptionType"] = record.encryption_type
    return shape


def put_records(caller: Caller, request: Shape) -> Shape:
    """Kinesis PutRecords."""
    entries = _entries(request["Records"])
    result = stream_of(caller, request).put_records(entries, request.get("DryRun"))
    shape: Shape = {"FailedRecordCount": result.failed_record_count, "Records": _put_shapes(result)}
    if result.encryption_type != "NONE":
        shape["EncryptionType"] = result.encryption_type
    return shape


def _entries(records: list[Shape]) -> Sequence[tuple[bytes, str] | PutRecordsEntry]:
    """Records as the core takes them: pairs, which cost it least, unless one of them says more or less."""
    try:
        pairs = [(record["Data"], record["PartitionKey"]) for record in records if len(record) == 2]
    except KeyError:
        pairs = []
    if len(pairs) == len(records):
        return pairs
    return [
        PutRecordsEntry(record["Data"], record.get("PartitionKey"), record.get("ExplicitHashKey"))
        for record in records
    ]


def _put_shapes(result: PutRecordsResult) -> list[Shape]:
    """What became of each record, in the order of the request."""
    records: list[Any] = result.records
    if result.failed_record_count:
        return [
            {"SequenceNumber": record.sequence_number, "ShardId": record.shard_id}
            if record.error_code is None
            else {"ErrorCode": record.error_code, "ErrorMessage": record.error_message}
            for record in records
        ]
    return [
        {"SequenceNumber": sequence_number, "ShardId": record.shard.shard_id}
        for record, sequence_number in zip(records, texts_of(records), strict=True)
    ]


def get_shard_iterator(caller: Caller, request: Shape) -> Shape:
    """Kinesis GetShardIterator."""
    stream = shards_stream_of(caller, request)
    iterator = stream.get_shard_iterator(
        request["ShardId"],
        request["ShardIteratorType"],
        request.get("StartingSequenceNumber"),
        request.get("Timestamp"),
        request.get("DryRun"),
    )
    return {"ShardIterator": with_name(iterator, stream.name)}


def get_records(caller: Caller, request: Shape) -> Shape:
    """Kinesis GetRecords."""
    if request["ShardIterator"].startswith('"'):  # as some clients have it out of JSON; AWS reads it, too
        request = {**request, "ShardIterator": request["ShardIterator"].strip('"')}
    stream, iterator = without_name(caller, request, "ShardIterator", "Invalid ShardIterator.")
    result = stream.get_records(iterator, request.get("Limit"), request.get("DryRun"))
    shape: Shape = {
        "Records": record_shapes(result.records),
        "MillisBehindLatest": result.millis_behind_latest,
    }
    if result.next_shard_iterator is not None:
        shape["NextShardIterator"] = with_name(result.next_shard_iterator, stream.name)
    if result.child_shards:
        shape["ChildShards"] = child_shard_shapes(result.child_shards)
    return shape
