"""Kinesis' operations about registered consumers, and about resources that may be consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.calls import Events
from queuestream.aws.operations.kinesis_names import consumers_stream_of, resource_of, stream_of
from queuestream.aws.operations.kinesis_shapes import (
    consumer_shape,
    event_shape,
    tag_shapes,
    without_none,
)
from queuestream.core.errors import ResourceNotFoundException
from queuestream.core.streams.fan_out import StartingPosition

if TYPE_CHECKING:
    from queuestream.aws.calls import Caller, Shape


def register_stream_consumer(caller: Caller, request: Shape) -> Shape:
    """Kinesis RegisterStreamConsumer."""
    consumer = stream_of(caller, request).register_stream_consumer(
        request["ConsumerName"], request.get("Tags")
    )
    return {"Consumer": consumer_shape(consumer)}


def deregister_stream_consumer(caller: Caller, request: Shape) -> None:
    """Kinesis DeregisterStreamConsumer."""
    stream = consumers_stream_of(caller, request)
    stream.deregister_stream_consumer(request.get("ConsumerName"), request.get("ConsumerARN"))


def describe_stream_consumer(caller: Caller, request: Shape) -> Shape:
    """Kinesis DescribeStreamConsumer."""
    stream = consumers_stream_of(caller, request)
    consumer = stream.describe_stream_consumer(request.get("ConsumerName"), request.get("ConsumerARN"))
    return {"ConsumerDescription": {**consumer_shape(consumer), "StreamARN": consumer.stream_arn}}


def list_stream_consumers(caller: Caller, request: Shape) -> Shape:
    """Kinesis ListStreamConsumers."""
    page = stream_of(caller, request).list_stream_consumers(
        next_token=request.get("NextToken"),
        max_results=request.get("MaxResults"),
        stream_creation_timestamp=request.get("StreamCreationTimestamp"),
    )
    return without_none(
        {"Consumers": [consumer_shape(consumer) for consumer in page.consumers], "NextToken": page.next_token}
    )


def subscribe_to_shard(caller: Caller, request: Shape) -> Shape:
    """Kinesis SubscribeToShard."""
    position = request["StartingPosition"]
    subscription = consumers_stream_of(caller, request).subscribe_to_shard(
        request["ConsumerARN"],
        request["ShardId"],
        StartingPosition(position["Type"], position.get("SequenceNumber"), position.get("Timestamp")),
        request.get("DryRun"),
    )
    return {"EventStream": Events(subscription, event_shape)}


# --- streams and consumers alike, by ResourceARN ---


def tag_resource(caller: Caller, request: Shape) -> None:
    """Kinesis TagResource."""
    stream, consumer_arn = resource_of(caller, request["ResourceARN"])
    if consumer_arn is None:
        stream.add_tags(request["Tags"])
    else:
        stream.tag_consumer(consumer_arn, request["Tags"])


def untag_resource(caller: Caller, request: Shape) -> None:
    """Kinesis UntagResource."""
    stream, consumer_arn = resource_of(caller, request["ResourceARN"])
    if consumer_arn is None:
        stream.remove_tags(request["TagKeys"])
    else:
        stream.untag_consumer(consumer_arn, request["TagKeys"])


def list_tags_for_resource(caller: Caller, request: Shape) -> Shape:
    """Kinesis ListTagsForResource."""
    stream, consumer_arn = resource_of(caller, request["ResourceARN"])
    return {"Tags": tag_shapes(stream.tags if consumer_arn is None else stream.consumer_tags(consumer_arn))}


def put_resource_policy(caller: Caller, request: Shape) -> None:
    """Kinesis PutResourcePolicy."""
    stream, consumer_arn = resource_of(caller, request["ResourceARN"])
    if consumer_arn is None:
        stream.put_resource_policy(request["Policy"])
    else:
        stream.set_consumer_policy(consumer_arn, request["Policy"])


def get_resource_policy(caller: Caller, request: Shape) -> Shape:
    """Kinesis GetResourcePolicy."""
    stream, consumer_arn = resource_of(caller, request["ResourceARN"])
    if consumer_arn is None:
        return {"Policy": stream.get_resource_policy()}
    return {"Policy": stream.consumer_policy(consumer_arn) or "{}"}


def delete_resource_policy(caller: Caller, request: Shape) -> None:
    """Kinesis DeleteResourcePolicy."""
    stream, consumer_arn = resource_of(caller, request["ResourceARN"])
    if consumer_arn is None:
        stream.delete_resource_policy()
    else:
        if stream.consumer_policy(consumer_arn) is None:
            raise ResourceNotFoundException(f"No resource policy found for resource ARN {consumer_arn}.")
        stream.set_consumer_policy(consumer_arn, None)
