"""Streams as a whole: their names, descriptions and lists, what is set about them, and their end."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from queuestream.core.errors import (
    DryRunOperationException,
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.refusals import refused
from queuestream.testing.conformance.streams.fixtures import (
    HASH_KEYS,
    MIDDLE,
    StreamSuite,
    data,
    first_shard,
    open_ranges,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.broker import Broker
    from queuestream.core.streams.stream import Stream
    from queuestream.testing.conformance.streams.fixtures import NewStream

    PassTime = Callable[[float], None]

KEY = "alias/aws/kinesis"


class StreamsAsAWhole(StreamSuite):
    """Streams as a whole."""

    # --- making and finding ---

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_a_new_stream_shares_out_all_hash_keys(self, new_stream: NewStream, count: int) -> None:
        ranges = open_ranges(new_stream(shard_count=count))
        assert (ranges[0][0], ranges[-1][1]) == (0, HASH_KEYS - 1)
        assert all(left[1] + 1 == right[0] for left, right in pairwise(ranges))
        sizes = [end - start for start, end in ranges]
        assert (len(sizes), max(sizes) - min(sizes) <= 2) == (count, True)

    def test_a_stream_is_found_by_its_name_and_its_arn(self, broker: Broker, stream: Stream) -> None:
        assert stream.arn.endswith(f":stream/{stream.name}")
        for found in (broker.stream(stream.name), broker.stream_by_arn(stream.arn)):
            assert (found.name, found.arn, found.status) == (stream.name, stream.arn, "ACTIVE")

    def test_a_stream_that_does_not_exist_is_not_found(
        self, broker: Broker, unique: Callable[[str], str]
    ) -> None:
        with refused(ResourceNotFoundException):
            broker.stream(unique("nothing"))

    def test_two_streams_cannot_have_one_name(self, broker: Broker, stream: Stream) -> None:
        with refused(ResourceInUseException):
            broker.create_stream(stream.name, shard_count=1)

    @pytest.mark.parametrize(
        "name", ["n" * 129, "no/slash", "no space", ""], ids=["long", "slash", "space", "empty"]
    )
    def test_a_name_of_another_form_is_refused(self, broker: Broker, name: str) -> None:
        with refused(ValidationException):
            broker.create_stream(name, shard_count=1)

    def test_a_stream_has_a_shard_at_least(self, broker: Broker, unique: Callable[[str], str]) -> None:
        with refused(ValidationException):
            broker.create_stream(unique("events"), shard_count=0)

    # --- describing and listing ---

    def test_a_stream_is_described(self, two: Stream) -> None:
        description = two.describe()
        assert (description.stream_name, description.stream_arn) == (two.name, two.arn)
        assert (description.stream_status, description.stream_mode) == ("ACTIVE", "PROVISIONED")
        assert description.retention_period_hours == 24
        assert (description.encryption_type, description.key_id) == ("NONE", None)
        assert description.enhanced_monitoring == ()
        assert [shard.ending_sequence_number for shard in description.shards] == [None, None]
        assert not description.has_more_shards

    def test_a_stream_is_described_page_by_page(self, two: Stream) -> None:
        first = two.describe(limit=1)
        assert (len(first.shards), first.has_more_shards) == (1, True)
        rest = two.describe(limit=1, exclusive_start_shard_id=first.shards[0].shard_id)
        assert (len(rest.shards), rest.has_more_shards) == (1, False)
        assert rest.shards[0].shard_id > first.shards[0].shard_id

    def test_a_stream_is_summarized(self, two: Stream) -> None:
        summary = two.describe_summary()
        assert (summary.stream_name, summary.stream_arn) == (two.name, two.arn)
        assert (summary.stream_status, summary.stream_mode) == ("ACTIVE", "PROVISIONED")
        assert (summary.open_shard_count, summary.consumer_count) == (2, 0)
        assert summary.retention_period_hours == 24
        assert summary.stream_creation_timestamp.tzinfo is not None

    def test_streams_are_listed_by_name_and_page_by_page(self, broker: Broker, new_stream: NewStream) -> None:
        before, *names = sorted(new_stream(stem).name for stem in ("list-c", "list-a", "list-b"))
        self.becomes(lambda: broker.list_streams(2, before).stream_names, names)
        page = broker.list_streams(limit=1, exclusive_start_stream_name=before)
        assert (page.stream_names, page.has_more_streams) == (names[:1], True)
        rest = broker.list_streams(limit=1, exclusive_start_stream_name=names[0])
        assert rest.stream_names == names[1:]

    def test_a_list_of_streams_goes_on_by_its_token(self, broker: Broker, new_stream: NewStream) -> None:
        before, *names = sorted(new_stream(stem).name for stem in ("list-c", "list-a", "list-b"))
        page = broker.list_streams(limit=1, exclusive_start_stream_name=before)
        assert page.next_token is not None
        rest = broker.list_streams(limit=1, next_token=page.next_token)
        assert [*page.stream_names, *rest.stream_names] == names

    def test_a_list_of_streams_says_what_they_are(self, broker: Broker, new_stream: NewStream) -> None:
        before, name = sorted(new_stream(stem).name for stem in ("list-b", "list-a"))
        [summary] = broker.list_streams(limit=1, exclusive_start_stream_name=before).stream_summaries
        assert (summary.stream_name, summary.stream_arn) == (name, broker.stream(name).arn)
        assert (summary.stream_status, summary.stream_mode) == ("ACTIVE", "PROVISIONED")

    @needs("account_limits")
    def test_an_accounts_limits_are_described(self, broker: Broker, two: Stream) -> None:
        limits = broker.describe_stream_limits()
        assert limits.open_shard_count >= len(open_ranges(two))
        assert limits.shard_limit >= limits.open_shard_count

    # --- retention ---

    def test_the_retention_period_is_made_longer_and_shorter(self, stream: Stream) -> None:
        for change, hours in (
            (stream.increase_stream_retention_period, 8_760),
            (stream.decrease_stream_retention_period, 48),
        ):
            change(hours)
            self.active(stream)
            self.becomes(lambda: stream.describe_summary().retention_period_hours, hours)

    def test_the_retention_period_has_a_range(self, stream: Stream) -> None:
        with refused(InvalidArgumentException):
            stream.increase_stream_retention_period(8_761)
        with refused(InvalidArgumentException):
            stream.decrease_stream_retention_period(23)

    def test_the_retention_period_goes_the_way_that_it_is_asked_to(self, stream: Stream) -> None:
        stream.increase_stream_retention_period(48)
        self.active(stream)
        with refused(InvalidArgumentException):
            stream.increase_stream_retention_period(36)
        with refused(InvalidArgumentException):
            stream.decrease_stream_retention_period(72)

    def test_a_record_can_be_read_for_the_retention_period(self, stream: Stream, pass_time: PassTime) -> None:
        stream.put_record(b"old", "k")
        pass_time(86_400 - 60)
        stream.put_record(b"new", "k")
        assert self.read(stream, count=2) == [b"old", b"new"]
        pass_time(60)
        assert self.read(stream) == [b"new"]

    def test_records_can_be_kept_for_longer(self, stream: Stream, pass_time: PassTime) -> None:
        stream.increase_stream_retention_period(48)
        stream.put_record(b"old", "k")
        pass_time(86_400)
        assert self.read(stream) == [b"old"]
        stream.decrease_stream_retention_period(24)
        assert self.read(stream) == []

    # --- capacity modes ---

    @needs("modes")
    def test_an_on_demand_stream_starts_with_four_shards(self, new_stream: NewStream) -> None:
        summary = new_stream(stream_mode="ON_DEMAND").describe_summary()
        assert (summary.stream_mode, summary.open_shard_count) == ("ON_DEMAND", 4)

    @needs("modes")
    def test_a_streams_mode_is_changed(self, two: Stream) -> None:
        two.update_stream_mode("ON_DEMAND")
        self.active(two)
        summary = two.describe_summary()
        assert (summary.stream_mode, summary.open_shard_count) == ("ON_DEMAND", 2)

    @needs("modes")
    def test_an_on_demand_stream_is_not_resharded_by_hand(self, new_stream: NewStream) -> None:
        stream = new_stream(stream_mode="ON_DEMAND")
        with refused(ValidationException):
            stream.split_shard(first_shard(stream), "1000")

    # --- tags ---

    @needs("tags_at_creation")
    def test_a_stream_is_made_with_tags(self, new_stream: NewStream) -> None:
        assert new_stream(tags={"team": "a"}).tags == {"team": "a"}

    @needs("tags")
    def test_tags_are_added_replaced_and_taken_away(self, stream: Stream) -> None:
        assert stream.tags == {}
        stream.add_tags({"team": "a", "stage": "test", "empty": ""})
        stream.add_tags({"team": "b"})
        self.becomes(lambda: stream.tags, {"team": "b", "stage": "test", "empty": ""})
        stream.remove_tags(["team", "absent"])
        self.becomes(lambda: stream.tags, {"stage": "test", "empty": ""})

    @needs("tags")
    def test_tags_are_listed_page_by_page(self, stream: Stream) -> None:
        stream.add_tags({"a": "1", "b": "2", "c": ""})
        page = stream.list_tags(limit=2)
        assert (page.tags, page.has_more_tags) == ({"a": "1", "b": "2"}, True)
        page = stream.list_tags(exclusive_start_tag_key="b")
        assert (page.tags, page.has_more_tags) == ({"c": ""}, False)

    @needs("tags")
    def test_tags_have_characters_of_some_kinds_only(self, stream: Stream) -> None:
        with refused(InvalidArgumentException):
            stream.add_tags({"a": ";"})
        with refused(InvalidArgumentException):
            stream.add_tags({"aws:team": "a"})
        assert stream.tags == {}

    @needs("tags")
    def test_a_stream_has_fifty_tags_at_most(self, stream: Stream) -> None:
        for first in range(0, 50, 10):
            stream.add_tags({str(number): "" for number in range(first, first + 10)})
        with refused(InvalidArgumentException):
            stream.add_tags({"fifty-first": ""})

    # --- encryption, monitoring, policies, sizes ---

    @needs("encryption")
    def test_records_say_whether_they_are_encrypted(self, stream: Stream) -> None:
        assert stream.put_record(b"1", "key").encryption_type == "NONE"
        stream.start_stream_encryption("KMS", KEY)
        self.active(stream)
        summary = stream.describe_summary()
        assert (summary.encryption_type, summary.key_id) == ("KMS", KEY)
        assert stream.put_record(b"2", "key").encryption_type == "KMS"
        assert stream.put_records([(b"3", "key")]).encryption_type == "KMS"
        stream.stop_stream_encryption("KMS", KEY)
        self.active(stream)
        assert stream.describe_summary().encryption_type == "NONE"
        iterator = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        records = self.records_from(stream, iterator, 3)
        assert [record.encryption_type for record in records] == ["NONE", "KMS", "KMS"]

    @needs("monitoring")
    def test_metrics_are_switched_on_and_off(self, stream: Stream) -> None:
        enabled = stream.enable_enhanced_monitoring(["IncomingBytes", "OutgoingBytes"])
        assert set(enabled.desired_shard_level_metrics) == {"IncomingBytes", "OutgoingBytes"}
        self.active(stream)
        disabled = stream.disable_enhanced_monitoring(["IncomingBytes"])
        assert disabled.desired_shard_level_metrics == ("OutgoingBytes",)
        self.active(stream)
        assert stream.describe().enhanced_monitoring == ("OutgoingBytes",)

    @needs("monitoring")
    def test_all_is_every_metric(self, stream: Stream) -> None:
        assert len(stream.enable_enhanced_monitoring(["ALL"]).desired_shard_level_metrics) == 7

    @needs("resource_policies")
    def test_a_resource_policy_is_kept_and_taken_away(self, stream: Stream) -> None:
        statement = {
            "Sid": "all",
            "Effect": "Allow",
            "Principal": {"AWS": "123456789012"},
            "Action": ["kinesis:DescribeStreamSummary"],
            "Resource": stream.arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        stream.put_resource_policy(policy)
        assert json.loads(stream.get_resource_policy()) == json.loads(policy)
        stream.delete_resource_policy()
        with refused(ResourceNotFoundException):
            stream.delete_resource_policy()

    @needs("large_records")
    def test_the_largest_record_can_be_made_larger(self, stream: Stream) -> None:
        stream.update_max_record_size(10_240)
        self.active(stream)
        assert stream.describe_summary().max_record_size_in_kib == 10_240
        stream.put_record(bytes(2_097_152), "key")
        [record] = self.read(stream)
        assert len(record) == 2_097_152

    # --- deleting ---

    def test_a_deleted_stream_does_not_exist(self, broker: Broker, stream: Stream) -> None:
        iterator = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        stream.delete()
        self.becomes(lambda: stream.name in broker.list_streams().stream_names, expected=False)
        for use in (
            stream.describe,
            lambda: stream.put_record(b"x", "k"),
            lambda: stream.get_records(iterator),
            stream.delete,
        ):
            with refused(ResourceNotFoundException):
                use()

    def test_a_deleted_stream_is_gone_with_its_records(self, broker: Broker, stream: Stream) -> None:
        stream.put_record(b"x", "k")
        stream.delete()
        self.becomes(lambda: stream.name in broker.list_streams().stream_names, expected=False)
        again = broker.create_stream(stream.name, shard_count=1)
        self.active(again)
        iterator = again.get_shard_iterator(first_shard(again), "TRIM_HORIZON")
        records = self.records_from(again, iterator)
        self.delete(again)
        assert data(records) == []

    @needs("modes")
    def test_a_streams_mode_is_changed_twice_a_day(self, stream: Stream) -> None:
        for mode in ("ON_DEMAND", "PROVISIONED"):
            stream.update_stream_mode(mode)
            self.active(stream)
        with refused(LimitExceededException):
            stream.update_stream_mode("ON_DEMAND")

    # --- dry runs ---

    @needs("dry_run")
    def test_a_dry_run_does_nothing(self, stream: Stream) -> None:
        with refused(DryRunOperationException):
            stream.put_record(b"x", "k", MIDDLE, dry_run=True)
        assert self.read(stream) == []
