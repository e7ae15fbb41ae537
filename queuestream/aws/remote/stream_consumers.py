"""Registered consumers of a stream, over AWS, and their subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.remote import stream_values as values
from queuestream.aws.remote.calls import Call, NextEvent, present
from queuestream.aws.remote.stream_asking import Asking, of_resource
from queuestream.aws.remote.stream_requests import (
    flag,
    mapping,
    point_in_time,
    starting_position_shape,
    texts,
)
from queuestream.aws.remote.stream_waiting import GONE, wait_for
from queuestream.core.errors import ResourceNotFoundException
from queuestream.core.streams import consumers as core

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.aws.remote.calls import Steps
    from queuestream.core.streams.consumers import ConsumerDescription
    from queuestream.core.streams.fan_out import StartingPosition, SubscribeToShardEvent

_NO_POLICY = "{}"


class Consumers(Asking):
    """The operations of registered consumers."""

    def register_stream_consumer(
        self, consumer_name: str, tags: Mapping[str, str] | None = None
    ) -> Steps[ConsumerDescription]:
        """Register a consumer, and wait until it may subscribe."""
        answer = yield self._call_by_arn(
            "RegisterStreamConsumer",
            ConsumerName=consumer_name,
            Tags=None if tags is None else mapping(tags, "tags"),
        )
        consumer = values.consumer_description(answer["Consumer"], self.arn)
        if not self._wait or consumer.consumer_status == "ACTIVE":
            return consumer
        yield from self._until_consumer("ACTIVE", consumer.consumer_name, consumer.consumer_arn)
        return (yield from self.describe_stream_consumer(consumer_arn=consumer.consumer_arn))

    def deregister_stream_consumer(
        self, consumer_name: str | None = None, consumer_arn: str | None = None
    ) -> Steps[None]:
        """Deregister a consumer, named by its name, its ARN or both, and wait until it is gone."""
        yield self._of_consumer("DeregisterStreamConsumer", consumer_name, consumer_arn)
        if self._wait:
            yield from self._until_consumer(GONE, consumer_name, consumer_arn)

    def _until_consumer(self, wanted: str, name: str | None, arn: str | None) -> Steps[None]:
        def status() -> Steps[str]:
            consumer = yield from self.describe_stream_consumer(name, arn)
            return consumer.consumer_status

        yield from wait_for(wanted, status, f"Consumer {name or arn}")

    def describe_stream_consumer(
        self, consumer_name: str | None = None, consumer_arn: str | None = None
    ) -> Steps[ConsumerDescription]:
        """What AWS says about a consumer, named by its name, its ARN or both."""
        answer = yield self._of_consumer("DescribeStreamConsumer", consumer_name, consumer_arn)
        return values.consumer_description(answer["ConsumerDescription"], self.arn)

    def _of_consumer(self, operation: str, name: str | None, arn: str | None) -> Call:
        """A request about a consumer."""
        name, arn = self._check(name, arn)
        by_arn_only = arn is not None and name is None
        members = present(StreamARN=None if by_arn_only else self.arn, ConsumerName=name, ConsumerARN=arn)
        return Call("kinesis", operation, members)

    def list_stream_consumers(
        self,
        next_token: str | None = None,
        max_results: int | None = None,
        stream_creation_timestamp: object = None,
    ) -> Steps[core.ListStreamConsumersResult]:
        """A page of the registered consumers."""
        answer = yield self._call_by_arn(
            "ListStreamConsumers",
            NextToken=next_token,
            MaxResults=max_results,
            StreamCreationTimestamp=point_in_time(stream_creation_timestamp, "streamCreationTimestamp"),
        )
        consumers = [values.consumer_description(consumer, self.arn) for consumer in answer["Consumers"]]
        return core.ListStreamConsumersResult(consumers, answer.get("NextToken"))

    def tag_consumer(self, consumer_arn: str, tags: Mapping[str, str]) -> Steps[None]:
        """Add tags to a consumer, or replace those that have the same keys."""
        yield of_resource("TagResource", self._checked(consumer_arn), Tags=mapping(tags, "tags"))

    def untag_consumer(self, consumer_arn: str, tag_keys: Iterable[str]) -> Steps[None]:
        """Remove tags from a consumer; a key that isn't there is ignored."""
        yield of_resource("UntagResource", self._checked(consumer_arn), TagKeys=texts(tag_keys, "tagKeys"))

    def consumer_tags(self, consumer_arn: str) -> Steps[dict[str, str]]:
        """A consumer's tags, by their keys."""
        answer = yield of_resource("ListTagsForResource", self._checked(consumer_arn))
        return values.tags(answer)

    def set_consumer_policy(self, consumer_arn: str, policy: str | None) -> Steps[None]:
        """Attach a resource policy to a consumer, or detach it with None."""
        if policy is not None:
            yield of_resource("PutResourcePolicy", self._checked(consumer_arn), Policy=policy)
            return
        try:
            yield of_resource("DeleteResourcePolicy", self._checked(consumer_arn))
        except ResourceNotFoundException:
            # There is no policy, which is what was wanted; or no consumer, which this asks.
            yield of_resource("GetResourcePolicy", self._checked(consumer_arn))

    def consumer_policy(self, consumer_arn: str) -> Steps[str | None]:
        """A consumer's resource policy, None where it has none."""
        answer = yield of_resource("GetResourcePolicy", self._checked(consumer_arn))
        policy: str = answer["Policy"]
        return None if policy == _NO_POLICY else policy

    def _checked(self, consumer_arn: str) -> str:
        """The ARN of one of the stream's consumers.

        Raises:
            InvalidArgumentException: There is none.
            ResourceNotFoundException: It is something else's, which AWS would find, and the core does not.
        """
        return self._check(None, consumer_arn)[1] or ""

    def _check(self, name: str | None, arn: str | None) -> tuple[str | None, str | None]:
        name, arn = core.Consumers._check_consumer(name, arn)
        if arn is not None and not arn.startswith(f"{self.arn}/consumer/"):
            raise core.consumer_not_found(arn, self._account_id)
        return name, arn

    # --- subscriptions ---

    def subscribe(
        self,
        consumer_arn: str,
        shard_id: str,
        starting_position: StartingPosition | str,
        dry_run: bool | None = None,
    ) -> Steps[NextEvent]:
        """Subscribe to a shard; gives the step to the next of its events (`next_event`)."""
        request = present(
            ConsumerARN=self._checked(consumer_arn),
            ShardId=shard_id,
            StartingPosition=starting_position_shape(starting_position),
            DryRun=flag(dry_run, "dryRun"),
        )
        call = Call("kinesis", "SubscribeToShard", request)
        answer = yield call
        return NextEvent(call, answer["EventStream"])


def next_event(step: NextEvent, shard_id: str) -> Steps[SubscribeToShardEvent | None]:
    """The next event of a subscription; None at its end."""
    while (event := (yield step)) is not None:
        said = event.get("SubscribeToShardEvent")
        if said is not None:
            return values.subscription_event(said, shard_id)
    return None
