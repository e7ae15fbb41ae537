import pytest

from queuestream.core.broker import Broker
from queuestream.core.errors import (
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.streams.administration import METRICS
from queuestream.core.streams.capacity_mode import WarmThroughput
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.stream import Stream

# --- tags ---


def test_tags_are_added_replaced_listed_and_removed(one):
    one.add_tags({"team": "a", "stage": "test"})
    one.add_tags({"team": "b"})
    assert one.tags == {"team": "b", "stage": "test"}
    assert one.list_tags().tags == {"stage": "test", "team": "b"}
    one.remove_tags(["team", "absent"])
    assert one.tags == {"stage": "test"}


def test_tags_come_in_pages_in_the_order_of_their_keys(clock):
    stream = Stream("s", tags={"c": "3", "a": "1", "b": ""}, clock=clock)
    page = stream.list_tags(limit=2)
    assert (list(page.tags), page.has_more_tags) == (["a", "b"], True)
    page = stream.list_tags(exclusive_start_tag_key="b")
    assert (list(page.tags), page.has_more_tags) == (["c"], False)


def test_a_stream_has_fifty_tags_at_the_most(one):
    one.add_tags({str(number): "" for number in range(50)})
    one.add_tags({"0": "replaced"})
    with pytest.raises(InvalidArgumentException, match="more than 50 tags"):
        one.add_tags({"one more": ""})
    assert len(one.tags) == 50


@pytest.mark.parametrize(
    "tags",
    [
        None,
        {},
        [],
        "a",
        {"": "x"},
        {"k" * 129: ""},
        {"k": "v" * 257},
        {"k": 5},
        {5: "v"},
        {"k": None},
        {"k": "\ud800"},
    ],
)
def test_tags_of_the_wrong_form_are_refused(one, tags):
    with pytest.raises(ValidationException):
        one.add_tags(tags)
    assert one.tags == {}


@pytest.mark.parametrize("keys", [None, [], "key", [5], [""], ["k"] * 51, 5])
def test_tag_keys_of_the_wrong_form_are_refused(one, keys):
    with pytest.raises(ValidationException):
        one.remove_tags(keys)


def test_more_than_200_tags_are_no_tag_map(one):
    with pytest.raises(ValidationException):
        one.add_tags({str(number): "" for number in range(201)})


# --- encryption ---


def test_encryption_is_shown_on_what_is_put_from_then_on(one):
    plain = one.put_record(b"", "k")
    one.start_stream_encryption("KMS", "alias/aws/kinesis")
    assert one.put_record(b"", "k").encryption_type == "KMS"
    assert one.put_records([(b"", "k")]).encryption_type == "KMS"
    assert plain.encryption_type == "NONE"
    assert (one.describe().encryption_type, one.describe().key_id) == ("KMS", "alias/aws/kinesis")
    one.stop_stream_encryption("KMS", "alias/aws/kinesis")
    assert one.put_record(b"", "k").encryption_type == "NONE"
    assert (one.describe_summary().encryption_type, one.describe_summary().key_id) == ("NONE", None)


def test_encryption_may_change_25_times_in_a_rolling_day(one, clock):
    for _ in range(25):
        one.start_stream_encryption("KMS", "key")
    with pytest.raises(LimitExceededException):
        one.start_stream_encryption("KMS", "key")
    one.stop_stream_encryption("KMS", "key")
    clock.advance(hours=24, nanoseconds=-1)
    with pytest.raises(LimitExceededException):
        one.start_stream_encryption("KMS", "key")
    clock.advance(nanoseconds=1)
    one.start_stream_encryption("KMS", "key")


@pytest.mark.parametrize(
    "arguments", [("NONE", "key"), ("KMS", ""), ("KMS", None), (None, "key"), ("KMS", "k" * 2049)]
)
def test_encryption_of_the_wrong_form_is_refused(one, arguments):
    with pytest.raises(ValidationException):
        one.start_stream_encryption(*arguments)


# --- monitoring ---


def test_metrics_are_switched_on_and_off(one):
    change = one.enable_enhanced_monitoring(["OutgoingBytes", "IncomingBytes"])
    assert change.current_shard_level_metrics == ()
    assert change.desired_shard_level_metrics == ("IncomingBytes", "OutgoingBytes")
    one.enable_enhanced_monitoring(["ALL"])
    assert one.describe().enhanced_monitoring == METRICS
    change = one.disable_enhanced_monitoring(["IncomingBytes"])
    assert change.desired_shard_level_metrics == METRICS[1:]
    assert one.disable_enhanced_monitoring(["ALL"]).desired_shard_level_metrics == ()


@pytest.mark.parametrize("metrics", [[], ["Nothing"], None, "ALL", [None], ["ALL"] * 8])
def test_metrics_of_the_wrong_form_are_refused(one, metrics):
    with pytest.raises(ValidationException):
        one.enable_enhanced_monitoring(metrics)


# --- policies ---


def test_a_resource_policy_is_kept(one):
    assert one.get_resource_policy() == "{}"
    one.put_resource_policy('{"Version": "2012-10-17", "Statement": []}')
    assert one.get_resource_policy() == '{"Version": "2012-10-17", "Statement": []}'
    one.delete_resource_policy()
    with pytest.raises(ResourceNotFoundException):
        one.delete_resource_policy()
    with pytest.raises(ValidationException):
        one.put_resource_policy({})


# --- record size, mode, warm throughput ---


@pytest.mark.parametrize(
    ("size", "taken"), [(1023, False), (1024, True), (10_240, True), (10_241, False), ("1024", False)]
)
def test_the_largest_record_is_between_1_and_10_mib(one, size, taken):
    if taken:
        one.update_max_record_size(size)
        assert one.describe_summary().max_record_size_in_kib == size
    else:
        with pytest.raises(ValidationException):
            one.update_max_record_size(size)


def test_the_mode_may_change_twice_in_a_rolling_day(one, clock):
    one.update_stream_mode("ON_DEMAND")
    one.update_stream_mode("ON_DEMAND")
    assert one.describe().stream_mode == "ON_DEMAND"
    one.update_stream_mode("PROVISIONED")
    with pytest.raises(LimitExceededException, match="2 times in the last 24 hours"):
        one.update_stream_mode("ON_DEMAND")
    clock.advance(hours=24, nanoseconds=-1)
    with pytest.raises(LimitExceededException):
        one.update_stream_mode("ON_DEMAND")
    clock.advance(nanoseconds=1)
    one.update_stream_mode("ON_DEMAND")


def test_warm_throughput_is_for_on_demand_streams(clock, one):
    one.broker.update_account_settings("ENABLED")
    with pytest.raises(ValidationException, match="is not in On-Demand mode"):
        one.update_stream_warm_throughput(5)
    with pytest.raises(InvalidArgumentException):
        one.update_stream_mode("PROVISIONED", warm_throughput_mibps=5)
    with pytest.raises(InvalidArgumentException):
        one.broker.create_stream("another", warm_throughput_mibps=5)
    stream = one.broker.create_stream("s", stream_mode="ON_DEMAND", warm_throughput_mibps=0)
    assert stream.update_stream_warm_throughput(10_240) == WarmThroughput(10_240, 10_240)
    for wrong in (-1, 10_241, None):
        with pytest.raises(ValidationException):
            stream.update_stream_warm_throughput(wrong)
    with pytest.raises(ValidationException):
        stream.update_stream_mode("SOMETIMES")


def test_warm_throughput_is_for_accounts_with_a_commitment(one):
    # API reference, "UpdateStreamWarmThroughput".
    one.update_stream_mode("ON_DEMAND")
    for ask in (
        lambda: one.update_stream_warm_throughput(5),
        lambda: one.update_stream_mode("ON_DEMAND", warm_throughput_mibps=5),
        lambda: one.broker.create_stream("another", stream_mode="ON_DEMAND", warm_throughput_mibps=5),
    ):
        with pytest.raises(ValidationException, match="MinimumThroughputBillingCommitment"):
            ask()
    assert [*one.broker.streams] == ["events"]
    one.broker.update_account_settings("ENABLED")
    one.update_stream_warm_throughput(5)
    assert one.describe_summary().warm_throughput_mibps == 5
    one.broker.update_account_settings("DISABLED")
    assert one.describe_summary().warm_throughput_mibps == 5
    one.broker.clock.advance(hours=24)
    assert one.describe_summary().warm_throughput_mibps is None


def test_a_stream_is_warm_when_it_is_active_again(clock):
    stream = Stream("events", stream_mode="ON_DEMAND", clock=clock, provisioning_time_seconds=30)
    stream.broker.update_account_settings("ENABLED")
    clock.advance(seconds=30)
    assert warm(stream) == (None, None)
    assert stream.update_stream_warm_throughput(100) == WarmThroughput(100, 4)
    assert warm(stream) == (100, 4)  # four shards, a MiB each
    clock.advance(seconds=30)
    assert warm(stream) == (100, 100)
    stream.update_stream_warm_throughput(50)
    assert warm(stream) == (50, 100)
    clock.advance(seconds=30)
    assert warm(stream) == (50, 50)


def test_a_stream_is_warm_from_the_start_or_from_its_change_to_on_demand_mode(one):
    one.broker.update_account_settings("ENABLED")
    one.update_stream_mode("ON_DEMAND", warm_throughput_mibps=100)
    another = one.broker.create_stream("another", stream_mode="ON_DEMAND", warm_throughput_mibps=7)
    assert (warm(one), warm(another)) == ((100, 100), (7, 7))
    one.update_stream_mode("PROVISIONED")
    assert warm(one) == (None, None)


def warm(stream):
    summary = stream.describe_summary()
    return summary.warm_throughput_mibps, summary.current_warm_throughput_mibps


# --- making, finding, deleting ---


@pytest.fixture
def broker(clock):
    return Broker(clock=clock, seed=1)


def test_a_broker_makes_and_finds_streams(broker):
    stream = broker.create_stream("events", shard_count=3, tags={"a": "b"})
    assert broker.stream("events") is stream
    assert broker.stream_by_arn("arn:aws:kinesis:us-east-1:000000000000:stream/events") is stream
    assert broker.stream_by_arn(stream.register_stream_consumer("reader").consumer_arn) is stream
    with pytest.raises(ResourceInUseException) as caught:
        broker.create_stream("events")
    assert caught.value.message == "Stream events under account 000000000000 already exists."
    with pytest.raises(ResourceNotFoundException) as caught:
        broker.stream("other")
    assert caught.value.message == "Stream other under account 000000000000 not found."


@pytest.mark.parametrize(
    ("arn", "error"),
    [
        ("arn:aws:kinesis:us-east-1:000000000000:stream/other", ResourceNotFoundException),
        ("arn:aws:kinesis:eu-west-1:000000000000:stream/events", InvalidArgumentException),
        ("arn:aws:kinesis:us-east-1:111111111111:stream/events", ResourceNotFoundException),
        ("arn:aws:sqs:us-east-1:000000000000:stream/events", ValidationException),
        ("arn:aws:kinesis:us-east-1:000000000000:events", ValidationException),
        ("arn:aws:kinesis:us-east-1:000000000000:stream/", ValidationException),
        ("events", ValidationException),
        (None, ValidationException),
    ],
)
def test_arns_of_other_things_find_nothing(broker, arn, error):
    broker.create_stream("events")
    with pytest.raises(error):
        broker.stream_by_arn(arn)


def test_streams_are_listed_by_name_in_pages(broker, clock):
    for name in ("c", "a", "b"):
        broker.create_stream(name)
    everything = broker.list_streams()
    assert (everything.stream_names, everything.has_more_streams, everything.next_token) == (
        ["a", "b", "c"],
        False,
        None,
    )
    assert everything.stream_summaries[0].stream_status == "ACTIVE"
    page = broker.list_streams(limit=2)
    assert (page.stream_names, page.has_more_streams) == (["a", "b"], True)
    assert broker.list_streams(next_token=page.next_token).stream_names == ["c"]
    assert broker.list_streams(exclusive_start_stream_name="a").stream_names == ["b", "c"]
    with pytest.raises(InvalidArgumentException):
        broker.list_streams(next_token="x")
    with pytest.raises(ValidationException):
        broker.list_streams(limit=0)
    broker.close()
    with pytest.raises(Exception, match="takes no more calls"):
        broker.list_streams()


def test_a_deleted_stream_is_gone_and_its_name_is_free(broker):
    old = broker.create_stream("events")
    iterator = old.get_shard_iterator("shardId-000000000000", "LATEST")
    broker.delete_stream("events")
    for call in (lambda: old.put_record(b"", "k"), lambda: broker.stream("events"), old.delete):
        with pytest.raises(
            ResourceNotFoundException, match=r"Stream events under account 000000000000 not found\."
        ):
            call()
    new = broker.create_stream("events")
    with pytest.raises(InvalidArgumentException, match="Invalid ShardIterator"):
        new.get_records(iterator)


def test_a_stream_with_consumers_is_deleted_only_with_them(broker):
    stream = broker.create_stream("events")
    stream.register_stream_consumer("reader")
    for enforce in (None, False):
        with pytest.raises(ResourceInUseException, match="EnforceConsumerDeletion"):
            broker.delete_stream("events", enforce)
    with pytest.raises(ValidationException):
        broker.delete_stream("events", "yes")
    broker.delete_stream("events", enforce_consumer_deletion=True)
    assert broker.list_streams().stream_names == []


def test_limits_describe_an_account(broker):
    broker.create_stream("a", shard_count=3)
    broker.create_stream("b", stream_mode="ON_DEMAND")
    limits = broker.describe_stream_limits()
    assert (limits.shard_limit, limits.open_shard_count) == (20_000, 7)
    assert (limits.on_demand_stream_count, limits.on_demand_stream_count_limit) == (1, 50)


def test_an_account_has_limits(broker):
    limits = StreamLimits(shards_per_account=4, on_demand_streams_per_account=1, on_demand_shards=2)
    broker.create_stream("a", shard_count=2, limits=limits)
    with pytest.raises(LimitExceededException, match=r"Current shard count for the account: 2\. Limit: 4\."):
        broker.create_stream("b", shard_count=3, limits=limits)
    broker.create_stream("c", stream_mode="ON_DEMAND", limits=limits)
    broker.stream("a").merge_shards("shardId-000000000000", "shardId-000000000001")
    with pytest.raises(LimitExceededException):
        broker.create_stream("d", stream_mode="ON_DEMAND", limits=limits)
    with pytest.raises(LimitExceededException, match="limit of 1 streams in ON_DEMAND mode"):
        broker.stream("a").update_stream_mode("ON_DEMAND")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": ""}, ValidationException),
        ({"name": "a b"}, ValidationException),
        ({"name": "x" * 129}, ValidationException),
        ({"name": None}, ValidationException),
        ({"shard_count": 0}, ValidationException),
        ({"shard_count": "2"}, ValidationException),
        ({"shard_count": 20_001}, LimitExceededException),
        ({"shard_count": 2**31}, ValidationException),
        ({"shard_count": 2, "stream_mode": "ON_DEMAND"}, InvalidArgumentException),
        ({"stream_mode": "SOMETIMES"}, ValidationException),
        ({"retention_period_hours": 23}, ValidationException),
        ({"retention_period_hours": 8761}, ValidationException),
        ({"max_record_size_in_kib": 1}, ValidationException),
        ({"tags": {"k": 5}}, ValidationException),
        ({"tags": {str(number): "" for number in range(51)}}, ValidationException),
        ({"enforce_throughput": 1}, ValidationException),
        ({"scale_on_demand": None}, ValidationException),
        ({"provisioning_time_seconds": -1}, ValidationException),
        ({"provisioning_time_seconds": True}, ValidationException),
        ({"provisioning_time_seconds": float("nan")}, ValidationException),
        ({"limits": None}, ValidationException),
    ],
)
def test_a_stream_of_the_wrong_form_is_not_made(broker, arguments, error):
    with pytest.raises(error):
        broker.create_stream(**{"name": "s", **arguments})
    assert broker.streams == {}


def test_aws_sentence_about_a_shard_count(broker):
    with pytest.raises(ValidationException) as caught:
        broker.create_stream("s", shard_count=0)
    assert caught.value.message == (
        "1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )


# --- states ---


def test_a_stream_is_creating_until_its_provisioning_time_is_over(broker, clock):
    stream = broker.create_stream("s", provisioning_time_seconds=2.5)
    assert stream.status == "CREATING"
    assert stream.describe().shards == []
    assert stream.next_event_ns() == clock.now_ns() + 2_500_000_000
    for call in (
        lambda: stream.put_record(b"", "k"),
        lambda: stream.put_records([(b"", "k")]),
        lambda: stream.get_shard_iterator("shardId-000000000000", "LATEST"),
        lambda: stream.register_stream_consumer("reader"),
    ):
        with pytest.raises(
            ResourceNotFoundException, match=r"Stream s under account 000000000000 not found\."
        ):
            call()
    with pytest.raises(ResourceInUseException, match="instead in state CREATING"):
        stream.add_tags({"a": "b"})
    clock.advance(seconds=2.5, nanoseconds=-1)
    assert stream.status == "CREATING"
    clock.advance(nanoseconds=1)
    assert stream.status == "ACTIVE"
    stream.put_record(b"", "k")
    assert len(stream.describe().shards) == 1


def test_five_streams_may_be_creating_at_a_time(broker, clock):
    for number in range(5):
        broker.create_stream(str(number), provisioning_time_seconds=1)
    with pytest.raises(LimitExceededException, match="5 streams in the state CREATING"):
        broker.create_stream("x")
    clock.advance(seconds=1)
    broker.create_stream("x")


def test_a_stream_is_deleting_until_its_provisioning_time_is_over(broker, clock):
    stream = broker.create_stream("s", provisioning_time_seconds=2)
    clock.advance(seconds=2)
    stream.delete()
    stream.delete()
    assert stream.status == "DELETING"
    assert stream.next_event_ns() == clock.now_ns() + 2_000_000_000
    stream.put_record(b"", "k")  # "might continue to accept data" (the page "DeleteStream")
    with pytest.raises(ResourceInUseException, match="instead in state DELETING"):
        stream.increase_stream_retention_period(48)
    with pytest.raises(ResourceInUseException):
        broker.create_stream("s")
    clock.advance(seconds=2, nanoseconds=-1)
    assert broker.stream("s").status == "DELETING"
    clock.advance(nanoseconds=1)
    with pytest.raises(ResourceNotFoundException):
        _ = stream.status
    with pytest.raises(ResourceNotFoundException):
        broker.stream("s")
    broker.create_stream("s")


def test_settings_keep_a_slow_stream_updating(broker, clock):
    stream = broker.create_stream("s", provisioning_time_seconds=1)
    clock.advance(seconds=1)
    stream.update_max_record_size(2048)
    assert stream.status == "UPDATING"
    with pytest.raises(ResourceInUseException):
        stream.start_stream_encryption("KMS", "key")
    stream.add_tags({"a": "b"})
    assert stream.status == "UPDATING"
    clock.advance(seconds=1)
    stream.start_stream_encryption("KMS", "key")


def test_a_closed_broker_takes_no_more_calls(one):
    one.broker.close()
    for call in (
        lambda: one.put_record(b"", "k"),
        one.list_shards,
        lambda: one.add_tags({"a": "b"}),
        lambda: one.broker.create_stream("other"),
    ):
        with pytest.raises(Exception, match="takes no more calls"):
            call()


def test_a_stream_that_is_gone_says_so(one):
    broker = one.broker
    other = broker.create_stream("other")
    other.delete()
    assert repr(other) == "<Stream 'other': deleted>"
    with pytest.raises(ResourceNotFoundException):
        other.peek()
    broker.close()
    assert repr(one) == "<Stream 'events': its broker is closed>"
