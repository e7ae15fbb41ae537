"""A stream's operations as steps: what AWS is asked, and what is made of its answers."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from scripted_transport import Scripted

from queuestream import PutRecordsEntry, ShardFilter, StartingPosition, StreamLimits, errors
from queuestream.aws.remote import stream_account
from queuestream.aws.remote.calls import Pause, run
from queuestream.aws.remote.records import RemoteRecord, ShardIterator
from queuestream.aws.remote.stream_operations import StreamOperations
from queuestream.core.streams.record import Record, RejectedRecord

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/events"
CONSUMER = f"{ARN}/consumer/reader:1700000000"
ARRIVED = datetime(2024, 3, 1, 13, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=1)))


def drive(steps, *answers):
    """What was done to get through the steps with these answers, all of them, and what they give."""
    transport = Scripted(*answers)
    result = run(steps, transport)
    assert transport.script == []
    return transport, result


def summary(status="ACTIVE", **more):
    """An answer to DescribeStreamSummary."""
    members = {
        "StreamName": "events",
        "StreamARN": ARN,
        "StreamStatus": status,
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": ARRIVED,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
        "OpenShardCount": 1,
        "ConsumerCount": 0,
    }
    return {"StreamDescriptionSummary": {**members, **more}}


@pytest.fixture
def events():
    return StreamOperations("events", ARN, {"StreamName": "events"}, wait=True)


@pytest.fixture
def hasty():
    return StreamOperations("events", ARN, {"StreamName": "events"}, wait=False)


def test_a_new_stream_is_what_the_cores_is_where_nothing_is_said():
    asked, _ = drive(stream_account.create_stream("events", wait=True), None, summary(), summary())
    assert asked.done[0].request == {"StreamName": "events", "ShardCount": 1}


def test_a_new_stream_is_waited_for_with_pauses_that_grow():
    answers = [summary("CREATING")] * 9 + [summary("ACTIVE")]
    asked, made = drive(stream_account.create_stream("events", wait=True), None, *answers)
    assert asked.pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert (made.name, made.arn) == ("events", ARN)


def test_a_new_stream_is_not_waited_for_where_nobody_wants_to_wait():
    asked, _ = drive(stream_account.create_stream("events", wait=False), None, summary("CREATING"))
    assert asked.calls == ["CreateStream", "DescribeStreamSummary"]


def test_a_longer_retention_is_set_as_soon_as_there_is_a_stream():
    steps = stream_account.create_stream("events", wait=True, retention_period_hours=48)
    asked, _ = drive(steps, None, summary("CREATING"), summary(), None, summary("UPDATING"), summary())
    look = "DescribeStreamSummary"
    assert asked.calls == ["CreateStream", look, look, "IncreaseStreamRetentionPeriod", look, look]
    assert asked.done[3].request == {"StreamName": "events", "RetentionPeriodHours": 48}


@pytest.mark.parametrize(
    ("settings", "request_"),
    [
        ({"shard_count": 4}, {"ShardCount": 4}),
        ({"stream_mode": "ON_DEMAND"}, {"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
        (
            {"stream_mode": "ON_DEMAND", "warm_throughput_mibps": 9, "record_distribution_strategy": "AUTO"},
            {
                "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
                "WarmThroughputMiBps": 9,
                "RecordDistributionStrategy": "AUTO",
            },
        ),
        ({"max_record_size_in_kib": 2048}, {"ShardCount": 1, "MaxRecordSizeInKiB": 2048}),
        ({"tags": {"team": "blue"}}, {"ShardCount": 1, "Tags": {"team": "blue"}}),
        ({"enforce_throughput": True, "scale_on_demand": True}, {"ShardCount": 1}),
        ({"provisioning_time_seconds": 0, "limits": StreamLimits()}, {"ShardCount": 1}),
    ],
)
def test_settings_of_a_new_stream_are_asked_for_under_awss_names(settings, request_):
    steps = stream_account.create_stream("events", wait=False, **settings)
    asked, _ = drive(steps, None, summary())
    assert asked.done[0].request == {"StreamName": "events", **request_}


@pytest.mark.parametrize(
    "setting",
    [
        {"limits": StreamLimits(put_records_max=5)},
        {"provisioning_time_seconds": 3},
        {"enforce_throughput": False},
        {"scale_on_demand": False},
    ],
)
def test_a_setting_that_aws_has_not_is_refused_before_anything_is_asked(setting):
    with pytest.raises(errors.NotSupportedByEngine, match="'aws'"):
        next(stream_account.create_stream("events", wait=True, **setting))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "no spaces"}, errors.ValidationException),
        ({"name": "events", "retention_period_hours": 23}, errors.ValidationException),
        ({"name": "events", "tags": ["team"]}, errors.ValidationException),
        ({"name": "events", "color": "blue"}, TypeError),
    ],
)
def test_a_new_stream_that_could_only_be_made_by_half_is_refused_before(arguments, error):
    with pytest.raises(error):
        next(stream_account.create_stream(**arguments, wait=True))


def test_who_asks_too_often_whether_a_stream_is_active_asks_again_later(events):
    too_often = errors.LimitExceededException("Rate exceeded for stream events under account 123456789012.")
    asked, _ = drive(events.split_shard("shardId-0", "7"), None, too_often, summary("UPDATING"), summary())
    assert asked.calls == ["SplitShard", *["DescribeStreamSummary"] * 3]


class NeverDone(Scripted):
    """A stream that stays UPDATING."""

    def do(self, step):
        self.done.append(step)
        return None if isinstance(step, Pause) else summary("UPDATING")


def test_a_stream_that_is_never_done_is_given_up_after_an_hour(events):
    asked = NeverDone()
    with pytest.raises(errors.ResourceInUseException, match="not ACTIVE, instead in state UPDATING"):
        run(events.split_shard("shardId-000000000000", "7"), asked)
    assert 3_600 <= sum(asked.pauses) < 3_603


def test_a_deleted_stream_is_waited_for_until_it_is_gone(events):
    gone = errors.ResourceNotFoundException("Stream events under account 123456789012 not found.")
    asked, _ = drive(events.delete(), None, summary(), summary("DELETING"), gone)
    assert asked.calls == ["DeleteStream", *["DescribeStreamSummary"] * 3]


def test_a_deleted_stream_is_gone_where_there_is_another_of_its_name(events):
    asked, _ = drive(events.delete(), None, summary("DELETING"), summary("CREATING"))
    assert len(asked.calls) == 3


def test_a_stream_that_goes_away_is_not_waited_for(events):
    gone = errors.ResourceNotFoundException("Stream events under account 123456789012 not found.")
    with pytest.raises(errors.ResourceNotFoundException):
        drive(events.update_stream_mode("ON_DEMAND"), None, gone)


CHANGES = [
    lambda stream: stream.split_shard("shardId-000000000000", "7"),
    lambda stream: stream.merge_shards("shardId-000000000000", "shardId-000000000001"),
    lambda stream: stream.update_stream_mode("ON_DEMAND"),
    lambda stream: stream.update_stream_record_distribution_strategy("AUTO"),
    lambda stream: stream.update_max_record_size(2048),
    lambda stream: stream.increase_stream_retention_period(48),
    lambda stream: stream.decrease_stream_retention_period(24),
    lambda stream: stream.start_stream_encryption("KMS", "alias/aws/kinesis"),
    lambda stream: stream.stop_stream_encryption("KMS", "alias/aws/kinesis"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_returns_when_the_stream_is_active_again(events, hasty, change):
    waited, _ = drive(change(events), {}, summary("UPDATING"), summary("ACTIVE"))
    assert waited.calls[1:] == ["DescribeStreamSummary"] * 2
    at_once, _ = drive(change(hasty), {})
    assert at_once.done == waited.done[:1]


def test_a_consumer_is_waited_for_from_creating_to_active_and_until_it_is_gone(events):
    def consumer(status):
        return {
            "ConsumerName": "reader",
            "ConsumerARN": CONSUMER,
            "ConsumerStatus": status,
            "ConsumerCreationTimestamp": ARRIVED,
        }

    creating, active = consumer("CREATING"), {"ConsumerDescription": consumer("ACTIVE")}
    steps = events.register_stream_consumer("reader")
    asked, registered = drive(
        steps, {"Consumer": creating}, {"ConsumerDescription": creating}, active, active
    )
    assert registered.consumer_status == "ACTIVE"
    assert registered.stream_arn == ARN
    assert asked.calls == ["RegisterStreamConsumer", *["DescribeStreamConsumer"] * 3]

    gone = errors.ResourceNotFoundException("Consumer reader, account 123456789012 not found.")
    asked, _ = drive(events.deregister_stream_consumer("reader"), None, active, gone)
    assert asked.calls == ["DeregisterStreamConsumer", *["DescribeStreamConsumer"] * 2]


@pytest.mark.parametrize(
    "ask",
    [
        lambda stream, arn: stream.describe_stream_consumer(consumer_arn=arn),
        lambda stream, arn: stream.deregister_stream_consumer(consumer_arn=arn),
        lambda stream, arn: stream.subscribe(arn, "shardId-000000000000", "LATEST"),
        lambda stream, arn: stream.tag_consumer(arn, {"a": "b"}),
        lambda stream, arn: stream.consumer_tags(arn),
        lambda stream, arn: stream.set_consumer_policy(arn, None),
    ],
)
@pytest.mark.parametrize("arn", [CONSUMER.replace("stream/events", "stream/others"), ARN, "reader"])
def test_a_stream_does_not_find_what_is_no_consumer_of_its_own(events, ask, arn):
    with pytest.raises(errors.ResourceNotFoundException):
        next(ask(events, arn))


def test_a_policy_that_is_not_there_is_detached_and_a_consumer_that_is_not_there_is_not(events):
    no_policy = errors.ResourceNotFoundException("No resource policy found for resource ARN.")
    drive(events.set_consumer_policy(CONSUMER, None), no_policy, {"Policy": "{}"})
    no_consumer = errors.ResourceNotFoundException("Consumer reader not found.")
    with pytest.raises(errors.ResourceNotFoundException):
        drive(events.set_consumer_policy(CONSUMER, None), no_policy, no_consumer)


# --- records ---


def test_records_that_failed_by_themselves_come_back_as_rejected_in_their_places(events):
    answer = {
        "FailedRecordCount": 1,
        "EncryptionType": "KMS",
        "Records": [
            {"ShardId": "shardId-000000000001", "SequenceNumber": "495"},
            {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"},
        ],
    }
    asked, put = drive(events.put_records([(b"one", "k"), (b"two", "k")]), answer)
    assert len(asked.done) == 1
    assert (put.failed_record_count, put.encryption_type) == (1, "KMS")
    stored, rejected = put.records
    assert isinstance(stored, Record)
    assert (stored.data, stored.partition_key, stored.shard_id) == (b"one", "k", "shardId-000000000001")
    assert (stored.sequence_number, stored.encryption_type, stored.error_code) == ("495", "KMS", None)
    assert rejected == RejectedRecord(
        error_code="ProvisionedThroughputExceededException", error_message="Rate exceeded"
    )


def test_records_are_handed_in_in_every_form_that_the_core_takes(events):
    records = (
        record
        for record in [
            (b"a", "k"),
            (bytearray(b"b"), "k", "7"),
            PutRecordsEntry(b"c", "k", "8"),
            PutRecordsEntry(memoryview(b"d")),
            {"data": b"e", "partition_key": "k"},
        ]
    )
    asked, _ = drive(events.put_records(records), {"Records": [{"ErrorCode": "InternalFailure"}] * 5})
    assert asked.done[0].request["Records"] == [
        {"Data": b"a", "PartitionKey": "k"},
        {"Data": b"b", "PartitionKey": "k", "ExplicitHashKey": "7"},
        {"Data": b"c", "PartitionKey": "k", "ExplicitHashKey": "8"},
        {"Data": b"d"},
        {"Data": b"e", "PartitionKey": "k"},
    ]


def test_records_without_an_end_are_cut_off_where_aws_refuses_them(events):
    endless = ((b"x", "k") for _ in iter(int, 1))
    assert len(next(events.put_records(endless)).request["Records"]) == 501


REFUSED_BEFORE = [
    lambda stream: stream.put_record("text", "k"),
    lambda stream: stream.put_record(b"x", "k", dry_run="no"),
    lambda stream: stream.put_records("text"),
    lambda stream: stream.put_records(None),
    lambda stream: stream.put_records([{"Data": b"x"}]),
    lambda stream: stream.put_records([("text", "k")]),
    lambda stream: stream.get_shard_iterator("shardId-0", "AT_TIMESTAMP", timestamp="yesterday"),
    lambda stream: stream.list_shards(shard_filter=7),
    lambda stream: stream.list_shards(shard_filter=ShardFilter("AT_TIMESTAMP", timestamp="yesterday")),
    lambda stream: stream.subscribe(CONSUMER, "shardId-0", 7),
    lambda stream: stream.add_tags(["team"]),
    lambda stream: stream.remove_tags("team"),
    lambda stream: stream.enable_enhanced_monitoring("ALL"),
    lambda stream: stream.delete(enforce_consumer_deletion="no"),
]


@pytest.mark.parametrize("ask", REFUSED_BEFORE)
def test_what_botocore_would_take_and_the_core_does_not_is_refused_before_anything_is_asked(events, ask):
    with pytest.raises(errors.ValidationException):
        next(ask(events))


def test_a_time_that_says_no_zone_is_in_utc_as_it_is_for_the_core(events):
    naive, aware = (
        datetime(2024, 3, 1, 12, 0, 0, 250_999),
        datetime(2024, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC),
    )
    steps = events.get_shard_iterator("shardId-0", "AT_TIMESTAMP", timestamp=naive)
    assert next(steps).request["Timestamp"] == aware
    steps = events.list_shards(shard_filter=ShardFilter("AT_TIMESTAMP", timestamp=aware.timestamp()))
    assert next(steps).request["ShardFilter"] == {"Type": "AT_TIMESTAMP", "Timestamp": aware}
    steps = events.subscribe(CONSUMER, "shardId-0", StartingPosition("AT_TIMESTAMP", timestamp=naive))
    assert next(steps).request["StartingPosition"] == {"Type": "AT_TIMESTAMP", "Timestamp": aware}


@pytest.fixture
def read():
    """A record that was read."""
    return RemoteRecord(b"departed", "LX-320", "495", "shardId-000000000000", "NONE", ARRIVED)


def test_a_record_that_was_read_says_in_utc_when_it_arrived(read):
    assert read.approximate_arrival_timestamp == ARRIVED
    assert read.approximate_arrival_timestamp.tzinfo is UTC
    assert read.arrival_ns == round(ARRIVED.timestamp() * 1_000) * 1_000_000
    assert read.size == 14


@pytest.mark.parametrize("name", ["number", "end", "shard"])
def test_what_a_record_of_awss_has_not_says_so(read, name):
    with pytest.raises(errors.NotSupportedByEngine, match=f"'aws' has no {name} of a record"):
        getattr(read, name)
    assert not hasattr(read, name)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))]
)
def test_a_record_can_be_copied(read, copied):
    other = copied(read)
    assert (
        repr(other)
        == repr(read)
        == ("<RemoteRecord 495 of shardId-000000000000: b'departed' under 'LX-320'>")
    )
    assert other.arrival_ns == read.arrival_ns


def test_a_record_that_was_put_does_not_know_when_it_arrived(events):
    answer = {"ShardId": "shardId-000000000000", "SequenceNumber": "495"}
    _, put = drive(events.put_record(b"departed", "LX-320"), answer)
    assert (put.data, put.partition_key, put.sequence_number) == (b"departed", "LX-320", "495")
    for name in ("approximate_arrival_timestamp", "arrival_ns"):
        with pytest.raises(errors.NotSupportedByEngine, match="just put"):
            getattr(put, name)


READ = {
    "Records": [
        {
            "Data": b"departed",
            "PartitionKey": "LX-320",
            "SequenceNumber": "495",
            "ApproximateArrivalTimestamp": ARRIVED,
        }
    ],
    "NextShardIterator": "AAA2",
    "MillisBehindLatest": 0,
}


def test_iterators_remember_the_shard_that_aws_does_not_name(events):
    _, iterator = drive(
        events.get_shard_iterator("shardId-000000000003", "LATEST"), {"ShardIterator": "AAA1"}
    )
    assert iterator == "AAA1"
    asked, result = drive(events.get_records(iterator), READ)
    assert type(asked.done[0].request["ShardIterator"]) is str  # what botocore is given is what it expects
    assert result.records[0].shard_id == "shardId-000000000003"
    _, result = drive(events.get_records(result.next_shard_iterator), READ)
    assert result.records[0].shard_id == "shardId-000000000003"
    assert pickle.loads(pickle.dumps(iterator)).shard_id == "shardId-000000000003"


def test_records_of_an_iterator_that_does_not_remember_have_no_shard(events):
    _, result = drive(events.get_records("AAA1"), READ)
    [record] = result.records
    with pytest.raises(errors.NotSupportedByEngine, match="somebody else's iterator"):
        record.shard_id  # noqa: B018 - the question is the test
    assert repr(record) == "<RemoteRecord 495: b'departed' under 'LX-320'>"


# --- what those leave out who only speak like AWS ---


def test_what_an_answer_leaves_out_is_what_aws_means_by_it(events):
    bare = summary()["StreamDescriptionSummary"]
    for name in ("StreamModeDetails", "ConsumerCount", "EncryptionType", "EnhancedMonitoring"):
        del bare[name]
    _, described = drive(events.describe_summary(), {"StreamDescriptionSummary": bare})
    assert described.stream_mode == "PROVISIONED"
    assert (described.consumer_count, described.encryption_type) == (0, "NONE")
    assert described.max_record_size_in_kib == 1024
    _, page = drive(stream_account.list_streams(), {"StreamNames": ["events"], "HasMoreStreams": False})
    assert (page.stream_names, page.stream_summaries) == (["events"], [])


def test_all_tags_are_asked_for_page_by_page(events):
    first = {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}], "HasMoreTags": True}
    last = {"Tags": [{"Key": "c", "Value": "3"}], "HasMoreTags": False}
    asked, tags = drive(events.tags(), first, last)
    assert tags == {"a": "1", "b": "", "c": "3"}
    assert asked.done[1].request["ExclusiveStartTagKey"] == "b"


def test_a_stream_that_was_found_by_arn_is_asked_about_by_arn():
    _, found = drive(stream_account.find_stream_by_arn(CONSUMER, wait=True), summary())
    assert next(found.put_record(b"x", "k")).request["StreamARN"] == ARN
    assert next(found.get_records(ShardIterator("AAA1"))).request["StreamARN"] == ARN
    assert next(found.list_shards()).request == {"StreamARN": ARN}
    assert next(found.list_shards(next_token="BBB")).request == {"StreamARN": ARN, "NextToken": "BBB"}


def test_the_next_page_of_shards_is_asked_for_without_the_name(events):
    assert next(events.list_shards(next_token="BBB")).request == {"NextToken": "BBB"}
