"""Kinesis: making, describing, listing and deleting streams, and what is set about them."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from drivers.refusals import refused

from queuestream.core.streams.limits import StreamLimits

CREATE = "Kinesis API reference: CreateStream"
DESCRIBE = "Kinesis API reference: DescribeStream"
SUMMARY = "Kinesis API reference: DescribeStreamSummary"
DELETE = "Kinesis API reference: DeleteStream"
LIST = "Kinesis API reference: ListStreams"
MODE = "Kinesis API reference: UpdateStreamMode"
TAGS = "Kinesis API reference: AddTagsToStream"
POLICY = "Kinesis API reference: PutResourcePolicy"
MONITORING = "Kinesis API reference: EnableEnhancedMonitoring"
DISTRIBUTION = "Kinesis API reference: UpdateStreamRecordDistributionStrategy"
HASHES = 2**128
FIRST = "shardId-000000000000"


@pytest.fixture
def stream(broker):
    return broker.create_stream("events", shard_count=2)


# --- a stream's life ---


@pytest.mark.aws("A stream has as many shards as it was asked for, of equal ranges.", page=CREATE)
def test_a_new_stream_shares_out_all_hash_keys(broker):
    stream = broker.create_stream("events", shard_count=3)
    ranges = [tuple(map(int, shard.hash_key_range)) for shard in stream.list_shards().shards]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == HASHES - 1
    assert all(left[1] + 1 == right[0] for left, right in pairwise(ranges))
    assert len({(end - start) >> 2 for start, end in ranges}) == 1


@pytest.mark.aws(
    "A stream in on-demand mode starts with four shards.", page="Kinesis developer guide: Quotas and limits"
)
def test_an_on_demand_stream_starts_with_four_shards(broker):
    stream = broker.create_stream("events", stream_mode="ON_DEMAND")
    summary = stream.describe_summary()
    assert (summary.stream_mode, summary.open_shard_count) == ("ON_DEMAND", 4)


@pytest.mark.aws("A name can be used once in an account and region.", page=CREATE)
def test_two_streams_cannot_have_one_name(broker, stream):
    with refused("ResourceInUseException", "Stream events under account 123456789012 already exists."):
        broker.create_stream("events", shard_count=2)


@pytest.mark.parametrize("name", ["n" * 129, "no/slash", "no space"])
@pytest.mark.aws("A name has 1 to 128 letters, digits, underscores, dots and hyphens.", page=CREATE)
def test_a_name_has_a_form(broker, name):
    with refused("ValidationException"):
        broker.create_stream(name, shard_count=1)


@pytest.mark.aws("A new stream is CREATING until it is ACTIVE; only then can it be used.", page=CREATE)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_a_stream_is_creating_for_a_while(stream, clock):
    assert stream.describe_summary().stream_status == "CREATING"
    assert stream.describe().shards == []
    with refused("ResourceNotFoundException"):
        stream.put_record(b"x", "k")
    clock.advance(seconds=10)
    assert stream.describe_summary().stream_status == "ACTIVE"
    stream.put_record(b"x", "k")


@pytest.mark.aws("No more than five streams can be CREATING at a time.", page=CREATE)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_five_streams_are_created_at_a_time(broker, clock):
    for number in range(5):
        broker.create_stream(f"s{number}", shard_count=1)
    with refused("LimitExceededException"):
        broker.create_stream("one-more", shard_count=1)
    clock.advance(seconds=10)
    broker.create_stream("one-more", shard_count=1)


@pytest.mark.aws("A deleted stream is gone with its records.", page=DELETE)
def test_a_deleted_stream_is_gone(broker, stream):
    stream.put_record(b"x", "k")
    stream.delete()
    with refused("ResourceNotFoundException", "Stream events under account 123456789012 not found."):
        stream.describe()
    again = broker.create_stream("events", shard_count=1)
    iterator = again.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")
    assert again.get_records(iterator).records == []


@pytest.mark.aws("A stream is DELETING until it is gone.", page=DELETE)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_a_stream_is_deleting_for_a_while(stream, clock):
    clock.advance(seconds=10)
    stream.delete()
    assert stream.describe_summary().stream_status == "DELETING"
    clock.advance(seconds=10)
    with refused("ResourceNotFoundException"):
        stream.describe_summary()


@pytest.mark.aws("A stream can be deleted while it is CREATING.", page=DELETE)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_a_stream_is_deleted_before_it_is_made(stream, clock):
    stream.delete()
    assert stream.describe_summary().stream_status == "DELETING"
    assert stream.describe().shards == []
    clock.advance(seconds=10)
    with refused("ResourceNotFoundException"):
        stream.describe_summary()


@pytest.mark.aws(
    "An iterator of a stream that was deleted leads nowhere.", page="Kinesis API reference: GetRecords"
)
def test_an_iterator_does_not_outlive_its_stream(broker, stream):
    iterator = stream.get_shard_iterator("shardId-000000000000", "TRIM_HORIZON")
    stream.delete()
    with refused("ResourceNotFoundException"):
        stream.get_records(iterator)


# --- describing and listing ---


@pytest.mark.aws("A stream is described with its shards.", page=DESCRIBE)
def test_a_stream_is_described(stream):
    description = stream.describe()
    assert description.stream_name == "events"
    assert description.stream_arn == "arn:aws:kinesis:us-east-1:123456789012:stream/events"
    assert (description.stream_status, description.stream_mode) == ("ACTIVE", "PROVISIONED")
    assert description.retention_period_hours == 24
    assert description.enhanced_monitoring == ()
    assert [shard.shard_id[-1] for shard in description.shards] == ["0", "1"]
    assert not description.has_more_shards


@pytest.mark.aws("Shards can be described page by page.", page=DESCRIBE)
def test_a_stream_is_described_page_by_page(stream):
    first = stream.describe(limit=1)
    assert (len(first.shards), first.has_more_shards) == (1, True)
    second = stream.describe(limit=1, exclusive_start_shard_id=first.shards[-1].shard_id)
    assert (second.shards[0].shard_id[-1], second.has_more_shards) == ("1", False)


@pytest.mark.aws("A stream is summarized without its shards, with how many are open.", page=SUMMARY)
def test_a_stream_is_summarized(stream, clock):
    stream.split_shard("shardId-000000000000", "1000")
    stream.register_stream_consumer("reader")
    summary = stream.describe_summary()
    assert (summary.open_shard_count, summary.consumer_count) == (3, 1)
    assert summary.max_record_size_in_kib == 1_024


@pytest.mark.aws("A stream says when it was created.", page=SUMMARY)
def test_a_stream_says_when_it_was_created(broker, stream, clock):
    clock.advance(seconds=90)
    later = broker.create_stream("later", shard_count=1)
    first, second = (one.describe_summary().stream_creation_timestamp for one in (stream, later))
    assert second - first == timedelta(seconds=90)
    assert first.tzinfo is not None


@pytest.mark.aws("Streams are listed in the order of their names, page by page.", page=LIST)
def test_streams_are_listed_page_by_page(broker):
    for name in ("c", "a", "b"):
        broker.create_stream(name, shard_count=1)
    page = broker.list_streams(limit=2)
    assert (page.stream_names, page.has_more_streams) == (["a", "b"], True)
    assert [summary.stream_status for summary in page.stream_summaries] == ["ACTIVE", "ACTIVE"]
    by_name = broker.list_streams(exclusive_start_stream_name="b")
    by_token = broker.list_streams(next_token=page.next_token)
    assert by_name.stream_names == by_token.stream_names == ["c"]
    assert not by_token.has_more_streams


@pytest.mark.aws(
    "An account's shards and streams are counted against its limits.",
    page="Kinesis API reference: DescribeLimits",
)
def test_an_accounts_limits_are_described(broker, stream):
    broker.create_stream("other", stream_mode="ON_DEMAND")
    limits = broker.describe_stream_limits()
    assert (limits.open_shard_count, limits.on_demand_stream_count) == (6, 1)
    assert (limits.shard_limit, limits.on_demand_stream_count_limit) == (20_000, 50)


# --- the capacity mode ---


@pytest.mark.aws("A stream's mode can be changed; its shards stay as they are.", page=MODE)
def test_a_streams_mode_is_changed(stream):
    stream.update_stream_mode("ON_DEMAND")
    summary = stream.describe_summary()
    assert (summary.stream_mode, summary.open_shard_count) == ("ON_DEMAND", 2)


@pytest.mark.aws("A stream's mode can be changed twice in 24 hours.", page=MODE)
def test_a_streams_mode_is_changed_twice_a_day(stream, clock):
    stream.update_stream_mode("ON_DEMAND")
    clock.advance(hours=1)
    stream.update_stream_mode("PROVISIONED")
    with refused("LimitExceededException"):
        stream.update_stream_mode("ON_DEMAND")
    clock.advance(hours=23)
    stream.update_stream_mode("ON_DEMAND")


@pytest.mark.aws(
    "The shards of an on-demand stream are AWS's own affair.",
    page="Kinesis developer guide: Choose the right mode to stream in",
)
def test_an_on_demand_stream_is_not_resharded_by_hand(broker):
    stream = broker.create_stream("events", stream_mode="ON_DEMAND")
    with refused("ValidationException"):
        stream.update_shard_count(8)
    with refused("ValidationException"):
        stream.split_shard("shardId-000000000000", "1000")


@pytest.mark.aws("An account has 50 on-demand streams.", page="Kinesis developer guide: Quotas and limits")
@pytest.mark.settings(stream_settings={"limits": StreamLimits(on_demand_streams_per_account=1)})
def test_an_account_has_a_limit_of_on_demand_streams(broker, stream):
    broker.create_stream("first", stream_mode="ON_DEMAND")
    with refused("LimitExceededException"):
        broker.create_stream("second", stream_mode="ON_DEMAND")
    with refused("LimitExceededException"):
        stream.update_stream_mode("ON_DEMAND")


@pytest.mark.aws(
    "An on-demand stream can be warmed, by an account with a minimum throughput commitment.",
    page="Kinesis API reference: UpdateStreamWarmThroughput",
)
def test_an_on_demand_stream_can_be_warmed(broker):
    stream = broker.create_stream("other", stream_mode="ON_DEMAND")
    with refused("ValidationException"):
        stream.update_stream_warm_throughput(100)
    broker.update_account_settings("ENABLED")
    assert stream.update_stream_warm_throughput(100).target_mibps == 100
    assert stream.describe_summary().warm_throughput_mibps == 100


@pytest.mark.aws(
    "A provisioned stream cannot be warmed.", page="Kinesis API reference: UpdateStreamWarmThroughput"
)
def test_a_provisioned_stream_cannot_be_warmed(broker, stream):
    broker.update_account_settings("ENABLED")
    with refused("ValidationException"):
        stream.update_stream_warm_throughput(100)


@pytest.mark.aws(
    "A minimum throughput billing commitment lasts for 24 hours at least.",
    page="Kinesis API reference: UpdateAccountSettings",
)
def test_a_commitment_lasts_for_a_day(broker, clock):
    def status():
        return broker.describe_account_settings().minimum_throughput_billing_commitment.status

    assert status() == "DISABLED"
    broker.update_account_settings("ENABLED")
    assert status() == "ENABLED"
    broker.update_account_settings("DISABLED")
    assert status() == "ENABLED_UNTIL_EARLIEST_ALLOWED_END"
    clock.advance(hours=24)
    assert status() == "DISABLED"


@pytest.mark.aws(
    "With the strategy AUTO, records are spread evenly, whatever their partition keys.", page=DISTRIBUTION
)
def test_an_on_demand_stream_can_distribute_its_records_itself(broker):
    stream = broker.create_stream("even", stream_mode="ON_DEMAND", record_distribution_strategy="AUTO")
    assert stream.describe_summary().record_distribution_strategy == "AUTO"
    shards = [stream.put_record(b"x", "key").shard_id for _ in range(8)]
    assert {shards.count(shard) for shard in shards} == {2}


@pytest.mark.aws(
    "The default is USER_PARTITION_KEY; the strategy can be changed at any time.", page=DISTRIBUTION
)
def test_the_distribution_of_records_can_be_changed(broker):
    stream = broker.create_stream("even", stream_mode="ON_DEMAND")
    assert stream.describe_summary().record_distribution_strategy == "USER_PARTITION_KEY"
    assert len({stream.put_record(b"x", "key").shard_id for _ in range(4)}) == 1
    stream.update_stream_record_distribution_strategy("AUTO")
    assert len({stream.put_record(b"x", "key").shard_id for _ in range(4)}) == 4


@pytest.mark.aws("With the strategy AUTO, a record needs no partition key.", page=DISTRIBUTION)
def test_a_record_without_a_key_comes_back_without_one(broker):
    stream = broker.create_stream("even", stream_mode="ON_DEMAND", record_distribution_strategy="AUTO")
    put = stream.put_record(b"x")
    [record] = stream.get_records(stream.get_shard_iterator(put.shard_id, "TRIM_HORIZON")).records
    assert (record.data, record.partition_key) == (b"x", "")


@pytest.mark.aws("AUTO is for streams in on-demand mode only.", page=DISTRIBUTION)
def test_a_provisioned_stream_goes_by_partition_keys(stream):
    with refused("InvalidArgumentException"):
        stream.update_stream_record_distribution_strategy("AUTO")


# --- dry runs ---


@pytest.mark.aws(
    "With DryRun nothing is written or read; DryRunOperationException says that it would have succeeded.",
    page="Kinesis developer guide: Test your permissions and request inputs with dry run",
)
def test_a_dry_run_does_nothing(stream):
    arn = stream.register_stream_consumer("reader").consumer_arn
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    for run in (
        lambda: stream.put_record(b"x", "k", "0", dry_run=True),
        lambda: stream.put_records([(b"x", "k", "0")], dry_run=True),
        lambda: stream.get_shard_iterator(FIRST, "LATEST", dry_run=True),
        lambda: stream.get_records(iterator, dry_run=True),
        lambda: stream.subscribe_to_shard(arn, FIRST, "LATEST", dry_run=True),
    ):
        with refused("DryRunOperationException"):
            run()
    assert stream.get_records(iterator).records == []


@pytest.mark.aws(
    "Where a check fails, a dry run gives the error that the operation would give.",
    page="Kinesis developer guide: Test your permissions and request inputs with dry run",
)
def test_a_dry_run_fails_as_the_operation_would(stream):
    with refused("ResourceNotFoundException"):
        stream.get_shard_iterator("shardId-000000000009", "LATEST", dry_run=True)
    with refused("InvalidArgumentException"):
        stream.put_record(b"x", "k", str(HASHES), dry_run=True)


# --- tags ---


@pytest.mark.aws("Tags are added, and overwritten where the key is there already.", page=TAGS)
def test_tags_are_added_and_replaced(broker):
    stream = broker.create_stream("events", shard_count=1, tags={"team": "a"})
    stream.add_tags({"team": "b", "stage": "test"})
    assert stream.tags == {"team": "b", "stage": "test"}


@pytest.mark.aws(
    "Tags are removed; those that are not there are ignored.",
    page="Kinesis API reference: RemoveTagsFromStream",
)
def test_tags_are_removed(stream):
    stream.add_tags({"team": "a", "stage": "test"})
    stream.remove_tags(["team", "absent"])
    assert stream.tags == {"stage": "test"}


@pytest.mark.aws("Tags are listed page by page.", page="Kinesis API reference: ListTagsForStream")
def test_tags_are_listed_page_by_page(stream):
    stream.add_tags({"a": "1", "b": "2", "c": ""})
    page = stream.list_tags(limit=2)
    assert (page.tags, page.has_more_tags) == ({"a": "1", "b": "2"}, True)
    page = stream.list_tags(exclusive_start_tag_key="b")
    assert (page.tags, page.has_more_tags) == ({"c": ""}, False)


@pytest.mark.aws(
    "Tags have Unicode letters, digits, white space and _ . : / = + - @ in them.",
    page="Kinesis API reference: TagResource",
)
def test_tags_have_some_characters(stream):
    tags = {"Größe 5 _.:/=+-@": "été 7 _.:/=+-@", "空": ""}
    stream.add_tags(tags)
    invalid = (
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, "
        "_ . / = + - % @."
    )
    for text in (";", "a\tb", "a\nb", "a,b", "#"):
        with refused("InvalidArgumentException", invalid):
            stream.add_tags({text: "a"})
        with refused("InvalidArgumentException", invalid):
            stream.add_tags({"a": text})
        with refused("InvalidArgumentException", invalid):
            stream.remove_tags([text])
    for verb, change in (
        ("add tags to", lambda: stream.add_tags({"a": "5%"})),
        ("remove tags from", lambda: stream.remove_tags(["5%"])),
    ):
        with refused(
            "InvalidArgumentException",
            f"Failed to {verb} stream events under account 123456789012 because some tags contained illegal "
            "characters. The allowed characters are Unicode letters, white-spaces, "
            "'_',',','/','=','+','-','@'.",
        ):
            change()
    assert stream.tags == tags


@pytest.mark.aws(
    "Tags that begin with aws: are AWS's own.", page="Kinesis developer guide: Tag your resources"
)
def test_tags_of_awss_own_are_not_added(broker, stream):
    sentence = "aws: prefixed tag key names are not allowed for external use."
    with refused("InvalidArgumentException", sentence):
        stream.add_tags({"aws:team": "a"})
    with refused("InvalidArgumentException", sentence):
        broker.create_stream("other", shard_count=1, tags={"aws:team": "a"})
    assert stream.tags == {}
    stream.add_tags({"team": "aws:a"})


@pytest.mark.aws("A new stream's tags are not changed until it is ACTIVE.", page=CREATE)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_tags_of_a_stream_that_is_being_made_stay(stream, clock):
    with refused(
        "ResourceInUseException",
        "Stream events under account 123456789012 not ACTIVE, instead in state CREATING",
    ):
        stream.add_tags({"a": "b"})
    clock.advance(seconds=10)
    stream.add_tags({"a": "b"})
    assert stream.tags == {"a": "b"}


@pytest.mark.aws("A stream has 50 tags at the most.", page=TAGS)
def test_a_stream_has_fifty_tags(stream):
    stream.add_tags({str(number): "" for number in range(50)})
    stream.add_tags({"0": "again"})
    with refused("InvalidArgumentException"):
        stream.add_tags({"fifty-first": ""})
    assert len(stream.tags) == 50


# --- monitoring, policies ---


@pytest.mark.aws("Enhanced monitoring is switched on and off by metric.", page=MONITORING)
def test_metrics_are_switched_on_and_off(stream):
    enabled = stream.enable_enhanced_monitoring(["IncomingBytes", "OutgoingBytes"])
    assert enabled.current_shard_level_metrics == ()
    assert set(enabled.desired_shard_level_metrics) == {"IncomingBytes", "OutgoingBytes"}
    disabled = stream.disable_enhanced_monitoring(["IncomingBytes"])
    assert disabled.desired_shard_level_metrics == ("OutgoingBytes",)
    assert stream.describe().enhanced_monitoring == ("OutgoingBytes",)


@pytest.mark.aws("ALL is every metric.", page=MONITORING)
def test_all_is_every_metric(stream):
    assert len(stream.enable_enhanced_monitoring(["ALL"]).desired_shard_level_metrics) == 7
    assert stream.disable_enhanced_monitoring(["ALL"]).desired_shard_level_metrics == ()


@pytest.mark.aws("A resource policy is a JSON object with a version and statements.", page=POLICY)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "This policy contains invalid Json") for text in ("{", "[]", "not json", "[" * 20_000)),
        ("{}", "Missing required field Version"),
        ('{"Version": "2012-10-17"}', "Missing required field Statement"),
    ],
)
def test_a_policy_has_a_form(stream, text, reason):
    with refused("InvalidArgumentException", f"Policy validation error: {reason}"):
        stream.put_resource_policy(text)
    assert stream.get_resource_policy() == "{}"


@pytest.mark.aws("A resource policy is attached, read and detached.", page=POLICY)
def test_a_policy_is_attached_and_detached(stream):
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    stream.put_resource_policy(policy)
    assert stream.get_resource_policy() == policy
    stream.delete_resource_policy()
    assert stream.get_resource_policy() == "{}"
    with refused("ResourceNotFoundException"):
        stream.delete_resource_policy()
