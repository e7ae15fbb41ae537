"""Registered consumers, and the shards that are pushed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.errors import (
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from queuestream.core.streams.fan_out import StartingPosition
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.refusals import refused
from queuestream.testing.conformance.streams.fixtures import (
    MIDDLE,
    NO_SHARD,
    StreamSuite,
    data,
    first_shard,
    shard_ids,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.streams.fan_out import SubscribeToShardEvent
    from queuestream.core.streams.stream import Stream

    PassTime = Callable[[float], None]

_EVENTS_MAX = 10


class Consumers(StreamSuite):
    """Registered consumers."""

    def consumer(self, stream: Stream, name: str = "reader") -> str:
        """Register one; its ARN."""
        arn = stream.register_stream_consumer(name).consumer_arn
        self.becomes(lambda: stream.describe_stream_consumer(consumer_arn=arn).consumer_status, "ACTIVE")
        return arn

    def events(
        self, stream: Stream, arn: str, position: StartingPosition | str, count: int = 1
    ) -> list[SubscribeToShardEvent]:
        """What is pushed of the first shard, until it is so many records or the shard ends."""
        subscription = stream.subscribe_to_shard(arn, first_shard(stream), position)
        seen: list[SubscribeToShardEvent] = []
        try:
            for event in subscription:
                seen.append(event)
                enough = sum(len(event.records) for event in seen) >= count and not event.child_shards
                if enough or len(seen) == _EVENTS_MAX:
                    break
        finally:
            subscription.close()
        return seen

    def pushed(
        self, stream: Stream, arn: str, position: StartingPosition | str, count: int = 1
    ) -> list[bytes]:
        """The data of the records that are pushed."""
        events = self.events(stream, arn, position, count)
        return [record.data for event in events for record in event.records]

    # --- registering ---

    @needs("consumers")
    def test_a_consumer_is_registered(self, stream: Stream) -> None:
        consumer = stream.register_stream_consumer("reader")
        assert consumer.consumer_name == "reader"
        assert consumer.consumer_arn.startswith(f"{stream.arn}/consumer/reader:")
        assert consumer.consumer_status in {"CREATING", "ACTIVE"}
        assert consumer.consumer_creation_timestamp.tzinfo is not None
        self.becomes(lambda: stream.describe_summary().consumer_count, 1)

    @needs("consumers")
    def test_a_consumer_is_described_by_its_name_or_its_arn(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        by_arn = stream.describe_stream_consumer(consumer_arn=arn)
        assert by_arn == stream.describe_stream_consumer("reader")
        assert (by_arn.consumer_name, by_arn.consumer_status, by_arn.stream_arn) == (
            "reader",
            "ACTIVE",
            stream.arn,
        )

    @needs("consumers")
    def test_a_consumers_name_is_used_once(self, stream: Stream) -> None:
        self.consumer(stream)
        with refused(ResourceInUseException):
            stream.register_stream_consumer("reader")

    @needs("consumers")
    def test_a_stream_has_twenty_consumers_at_most(self, stream: Stream) -> None:
        for number in range(20):
            self.consumer(stream, f"reader-{number}")
        with refused(LimitExceededException):
            stream.register_stream_consumer("one-more")

    @needs("consumers")
    def test_consumers_are_listed_page_by_page(self, stream: Stream) -> None:
        for name in ("c", "a", "b"):
            self.consumer(stream, name)
        page = stream.list_stream_consumers(max_results=2)
        assert len(page.consumers) == 2
        rest = stream.list_stream_consumers(max_results=2, next_token=page.next_token)
        names = {consumer.consumer_name for consumer in [*page.consumers, *rest.consumers]}
        assert (names, rest.next_token) == ({"a", "b", "c"}, None)

    @needs("consumers")
    def test_a_consumer_is_deregistered_by_its_name_or_its_arn(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        self.consumer(stream, "other")
        stream.deregister_stream_consumer(consumer_arn=arn)
        self.becomes(
            lambda: [consumer.consumer_name for consumer in stream.list_stream_consumers().consumers],
            ["other"],
        )
        stream.deregister_stream_consumer("other")
        self.becomes(lambda: stream.list_stream_consumers().consumers, [])

    @needs("consumers")
    def test_a_consumer_that_does_not_exist_is_not_found(self, stream: Stream) -> None:
        with refused(ResourceNotFoundException):
            stream.describe_stream_consumer("nobody")
        with refused(ResourceNotFoundException):
            stream.deregister_stream_consumer("nobody")

    @needs("consumers")
    def test_a_stream_with_consumers_is_not_deleted_by_accident(self, stream: Stream) -> None:
        self.consumer(stream)
        with refused(ResourceInUseException):
            stream.delete()
        stream.delete(enforce_consumer_deletion=True)

    @needs("consumer_tags")
    def test_consumers_have_tags_of_their_own(self, stream: Stream) -> None:
        arn = stream.register_stream_consumer("reader", {"team": "a"}).consumer_arn
        stream.tag_consumer(arn, {"stage": "test"})
        self.becomes(lambda: stream.consumer_tags(arn), {"team": "a", "stage": "test"})
        stream.untag_consumer(arn, ["team"])
        self.becomes(lambda: stream.consumer_tags(arn), {"stage": "test"})
        assert stream.tags == {}

    # --- subscribing ---

    @needs("consumers", "fan_out")
    def test_a_subscription_pushes_what_is_there(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        puts = [stream.put_record(b"%d" % number, "k") for number in range(3)]
        events = self.events(stream, arn, "TRIM_HORIZON", 3)
        records = [record for event in events for record in event.records]
        assert data(records) == [b"0", b"1", b"2"]
        assert [record.sequence_number for record in records] == [put.sequence_number for put in puts]
        assert {record.partition_key for record in records} == {"k"}
        assert events[-1].continuation_sequence_number == puts[-1].sequence_number

    @needs("consumers", "fan_out")
    def test_a_subscription_starts_after_a_sequence_number(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        puts = [stream.put_record(b"%d" % number, "k") for number in range(3)]
        position = StartingPosition("AFTER_SEQUENCE_NUMBER", puts[0].sequence_number)
        assert self.pushed(stream, arn, position, 2) == [b"1", b"2"]

    @needs("consumers", "fan_out")
    def test_a_subscription_starts_at_a_time(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        stream.put_record(b"1", "k")
        then = stream.describe_summary().stream_creation_timestamp
        assert self.pushed(stream, arn, StartingPosition("AT_TIMESTAMP", timestamp=then)) == [b"1"]

    @needs("consumers", "fan_out")
    def test_consumers_subscribe_by_themselves(self, stream: Stream) -> None:
        stream.put_record(b"1", "k")
        readers = [self.consumer(stream, name) for name in ("one", "other")]
        assert [self.pushed(stream, arn, "TRIM_HORIZON") for arn in readers] == [[b"1"], [b"1"]]

    @needs("consumers", "fan_out")
    def test_a_subscription_ends_with_its_shard(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        stream.put_record(b"1", "k")
        stream.split_shard(first_shard(stream), MIDDLE)
        self.active(stream)
        events = self.events(stream, arn, "TRIM_HORIZON", 2)
        assert [record.data for event in events for record in event.records] == [b"1"]
        children = [child.shard_id for child in events[-1].child_shards]
        assert children == shard_ids(stream)[1:]

    @needs("consumers", "fan_out")
    def test_a_second_subscription_within_five_seconds_is_refused(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        stream.put_record(b"1", "k")
        subscription = stream.subscribe_to_shard(arn, first_shard(stream), "TRIM_HORIZON")
        try:
            assert next(iter(subscription)) is not None
            with refused(ResourceInUseException):
                stream.subscribe_to_shard(arn, first_shard(stream), "TRIM_HORIZON")
        finally:
            subscription.close()

    @needs("consumers", "fan_out")
    def test_a_second_subscription_takes_over_after_five_seconds(
        self, stream: Stream, pass_time: PassTime
    ) -> None:
        arn = self.consumer(stream)
        stream.put_record(b"1", "k")
        assert self.pushed(stream, arn, "TRIM_HORIZON") == [b"1"]
        pass_time(5)
        assert self.pushed(stream, arn, "TRIM_HORIZON") == [b"1"]

    @needs("consumers", "fan_out")
    def test_only_a_consumer_and_a_shard_that_exist_can_be_subscribed(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        with refused(ResourceNotFoundException):
            stream.subscribe_to_shard(arn, NO_SHARD, "LATEST")
        stream.deregister_stream_consumer(consumer_arn=arn)
        self.becomes(lambda: stream.list_stream_consumers().consumers, [])
        with refused(ResourceNotFoundException):
            stream.subscribe_to_shard(arn, first_shard(stream), "LATEST")

    @needs("consumers", "fan_out")
    def test_what_a_starting_position_needs_must_be_given(self, stream: Stream) -> None:
        arn = self.consumer(stream)
        with refused(InvalidArgumentException):
            stream.subscribe_to_shard(arn, first_shard(stream), StartingPosition("AT_SEQUENCE_NUMBER"))
