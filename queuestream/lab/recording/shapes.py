"""AWS's shapes, under the names that the core has for their members, as far as a recorder looks at them."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

Shape = dict[str, Any]


def sent(shape: Shape) -> Any:
    """What became of a message that was sent."""
    return SimpleNamespace(message_id=shape.get("MessageId"), sequence_number=shape.get("SequenceNumber"))


def received(shape: Shape) -> Any:
    """A message; what the receive did not ask for is not known."""
    said = shape.get("Attributes") or {}
    count = said.get("ApproximateReceiveCount")
    return SimpleNamespace(
        body=shape.get("Body"),
        message_id=shape.get("MessageId"),
        message_group_id=said.get("MessageGroupId"),
        sequence_number=said.get("SequenceNumber"),
        receipt_handle=shape.get("ReceiptHandle"),
        receive_count=None if count is None else int(count),
    )


def stored(shape: Shape) -> Any:
    """What became of a record that was put."""
    return SimpleNamespace(
        shard_id=shape.get("ShardId"),
        sequence_number=shape.get("SequenceNumber"),
        error_code=shape.get("ErrorCode"),
    )


def read(shape: Shape) -> Any:
    """A record that was got; the shard is the iterator's."""
    return SimpleNamespace(
        data=shape.get("Data"),
        partition_key=shape.get("PartitionKey"),
        sequence_number=shape.get("SequenceNumber"),
        shard_id=None,
    )


def child(shape: Shape) -> Any:
    """A shard that another one was split or merged into."""
    return SimpleNamespace(shard_id=shape.get("ShardId"), parent_shards=shape.get("ParentShards") or ())


def described(shape: Shape) -> Any:
    """A shard, as it is listed."""
    return SimpleNamespace(
        shard_id=shape.get("ShardId"),
        parent_shard_id=shape.get("ParentShardId"),
        adjacent_parent_shard_id=shape.get("AdjacentParentShardId"),
    )


def listed(value: object) -> list[Shape]:
    """A list of structures; none where the client will say that it is no such thing."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, Iterable) else []
