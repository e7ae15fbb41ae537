"""Kinesis' operations: how a request names a stream, and what the answers look like, under AWS's names."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.validate import ParamValidator
from dateutil.tz import tzlocal

from queuestream import VirtualClock
from queuestream.aws.accounts import Aws
from queuestream.aws.calls import Caller, Events
from queuestream.aws.front_end.constraints import violations
from queuestream.aws.models import output_shape
from queuestream.aws.operations.kinesis import KINESIS
from queuestream.core.errors import (
    BrokerClosed,
    DryRunOperationException,
    InvalidArgumentException,
    ResourceNotFoundException,
)
from queuestream.core.streams.limits import StreamLimits

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/events"
FIRST = "shardId-000000000000"
TOO_STRICT = ("invalid length", "invalid range")


class Kinesis:
    """Calls operations, and looks whether requests and answers are what AWS's models say."""

    def __init__(self, aws, **caller):
        self._caller = Caller(aws, **caller)
        self.called = set()

    def __call__(self, operation, /, **request):
        assert violations("kinesis", operation, request) == []
        answer = KINESIS[operation](self._caller, request)
        self.called.add(operation)
        shape = output_shape("kinesis", operation)
        if shape is None:
            assert answer is None
        elif operation != "SubscribeToShard":
            report = ParamValidator().validate(answer, shape)
            # AWS's model says of lists and counts that they are never empty, and AWS's answers are.
            assert [error for error in report._errors if error[0] not in TOO_STRICT] == []
        return answer


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock())


@pytest.fixture
def kinesis(aws):
    called = Kinesis(aws)
    called("CreateStream", StreamName="events", ShardCount=1)
    return called


def read_all(kinesis, **stream):
    iterator = kinesis(
        "GetShardIterator",
        **(stream or {"StreamName": "events"}),
        ShardId=FIRST,
        ShardIteratorType="TRIM_HORIZON",
    )
    return kinesis("GetRecords", **iterator)


# --- which stream is meant ---


def test_a_stream_is_named_by_name_by_arn_or_by_both(kinesis):
    for named in ({"StreamName": "events"}, {"StreamARN": ARN}, {"StreamName": "events", "StreamARN": ARN}):
        description = kinesis("DescribeStreamSummary", **named)["StreamDescriptionSummary"]
        assert description["StreamARN"] == ARN


def test_a_stream_has_to_be_named(kinesis):
    with pytest.raises(InvalidArgumentException, match="Either StreamARN or StreamName must be provided"):
        kinesis("PutRecord", Data=b"", PartitionKey="k")


def test_name_and_arn_must_mean_the_same(kinesis):
    kinesis("CreateStream", StreamName="other", ShardCount=1)
    with pytest.raises(InvalidArgumentException, match=f"StreamName other is not that of StreamARN {ARN}"):
        kinesis("DescribeStream", StreamName="other", StreamARN=ARN)


def test_a_stream_that_is_missing_is_not_found(kinesis):
    sentence = r"^Stream absent under account 123456789012 not found\.$"
    for named in ({"StreamName": "absent"}, {"StreamARN": ARN.replace("events", "absent")}):
        with pytest.raises(ResourceNotFoundException, match=sentence):
            kinesis("PutRecord", Data=b"", PartitionKey="k", **named)


def test_a_name_that_is_no_shards_is_refused_before_the_stream_is_looked_for(kinesis):
    nowhere = "in stream absent under account 123456789012"
    for named in ({"StreamName": "absent"}, {"StreamARN": ARN.replace("events", "absent")}):
        for shard_id, sentence in (
            ("shardId-7", "Stream absent under account 123456789012 not found."),
            ("seven", f"Could not find shard seven {nowhere}."),
        ):
            with pytest.raises(ResourceNotFoundException, match=f"^{re.escape(sentence)}$"):
                kinesis("SplitShard", ShardToSplit=shard_id, NewStartingHashKey="5", **named)
            with pytest.raises(ResourceNotFoundException, match=f"^{re.escape(sentence)}$"):
                kinesis("MergeShards", ShardToMerge=FIRST, AdjacentShardToMerge=shard_id, **named)


def test_an_iterator_for_a_stream_that_is_missing_says_so_of_the_shard(kinesis):
    for named in ({"StreamName": "absent"}, {"StreamARN": ARN.replace("events", "absent")}):
        for shard_id, sentence in (
            (
                "shardId-7",
                "Shard shardId-000000000007 in stream absent under account 123456789012 does not exist",
            ),
            ("seven", "Could not find shard seven in stream absent under account 123456789012."),
        ):
            with pytest.raises(ResourceNotFoundException, match=f"^{re.escape(sentence)}$"):
                kinesis("GetShardIterator", ShardId=shard_id, ShardIteratorType="LATEST", **named)


def test_an_arn_reaches_into_another_account(aws, kinesis):
    kinesis("PutRecord", StreamName="events", Data=b"1", PartitionKey="k")
    stranger = Kinesis(aws, account_id="210987654321")
    with pytest.raises(ResourceNotFoundException):
        stranger("DescribeStream", StreamName="events")
    iterator = stranger("GetShardIterator", StreamARN=ARN, ShardId=FIRST, ShardIteratorType="TRIM_HORIZON")
    assert [record["Data"] for record in stranger("GetRecords", StreamARN=ARN, **iterator)["Records"]] == [
        b"1"
    ]
    with pytest.raises(ResourceNotFoundException):
        stranger("GetRecords", **iterator)


def test_an_arn_does_not_lead_into_another_region(aws, kinesis):
    kinesis("PutRecord", StreamARN=ARN, Data=b"1", PartitionKey="k")
    elsewhere = Kinesis(aws, region="eu-west-1")
    sentence = f"^The region specified in the ARN '{ARN}' does not match the endpoint region$"
    with pytest.raises(InvalidArgumentException, match=sentence):
        elsewhere("DescribeStream", StreamARN=ARN)
    with pytest.raises(InvalidArgumentException, match=sentence):
        elsewhere("GetResourcePolicy", ResourceARN=ARN)


def test_an_arn_of_an_account_that_nobody_uses_names_nothing(kinesis):
    arn = ARN.replace("123456789012", "111111111111")
    with pytest.raises(ResourceNotFoundException, match="under account 111111111111 not found"):
        kinesis("DescribeStream", StreamARN=arn)


def test_an_iterator_says_which_stream_it_belongs_to(kinesis):
    kinesis("CreateStream", StreamName="other", ShardCount=1)
    for name in ("events", "other"):
        kinesis("PutRecord", StreamName=name, Data=name.encode(), PartitionKey="k")
    for name in ("events", "other"):
        assert [record["Data"] for record in read_all(kinesis, StreamName=name)["Records"]] == [name.encode()]


@pytest.mark.parametrize(
    "iterator", ["x", "====", "AAAA", "é", "c3RyZWFtBg==", "AAECAwQFBgcICQoLDA0ODwNhYmM="]
)
def test_an_iterator_that_is_made_up_is_refused(kinesis, iterator):
    with pytest.raises(InvalidArgumentException, match=r"^Invalid ShardIterator\.$"):
        kinesis("GetRecords", ShardIterator=iterator)


def test_an_iterator_is_not_one_of_another_stream(kinesis):
    kinesis("CreateStream", StreamName="other", ShardCount=1)
    iterator = kinesis("GetShardIterator", StreamName="other", ShardId=FIRST, ShardIteratorType="LATEST")
    with pytest.raises(InvalidArgumentException, match=r"^Invalid ShardIterator\.$"):
        kinesis("GetRecords", StreamARN=ARN, **iterator)


def test_an_iterator_is_an_opaque_text_that_begins_as_aws_s(kinesis):
    for name in ("n", "n" * 128):
        kinesis("CreateStream", StreamName=name, ShardCount=1)
        iterator = kinesis("GetShardIterator", StreamName=name, ShardId=FIRST, ShardIteratorType="LATEST")
        assert iterator["ShardIterator"].startswith("AAAAAAAAAA")
        assert len(iterator["ShardIterator"]) <= 512


def test_a_token_of_list_shards_says_which_stream_it_goes_on_with(kinesis):
    kinesis("UpdateShardCount", StreamName="events", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    page = kinesis("ListShards", StreamName="events", MaxResults=2)
    [rest] = kinesis("ListShards", NextToken=page["NextToken"])["Shards"]
    assert rest["ShardId"] == "shardId-000000000002"
    with pytest.raises(
        InvalidArgumentException, match="NextToken and StreamName cannot be provided together"
    ):
        kinesis("ListShards", StreamName="events", NextToken=page["NextToken"])


def test_a_closed_broker_says_so(aws, kinesis):
    aws.broker().close()
    for operation, request in [
        ("PutRecord", {"StreamName": "events", "Data": b"", "PartitionKey": "k"}),
        ("DescribeLimits", {}),
        ("ListStreams", {}),
    ]:
        with pytest.raises(BrokerClosed):
            kinesis(operation, **request)


# --- what answers look like ---


def test_encryption_is_named_only_where_there_is_some(kinesis):
    put = {"StreamName": "events", "Data": b"", "PartitionKey": "k"}
    puts = {"StreamName": "events", "Records": [{"Data": b"", "PartitionKey": "k"}]}
    assert "EncryptionType" not in kinesis("PutRecord", **put)
    assert "EncryptionType" not in kinesis("PutRecords", **puts)
    kinesis("StartStreamEncryption", StreamName="events", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    assert kinesis("PutRecord", **put)["EncryptionType"] == "KMS"
    assert kinesis("PutRecords", **puts)["EncryptionType"] == "KMS"
    kinds = [record.get("EncryptionType") for record in read_all(kinesis)["Records"]]
    assert kinds == [None, None, "KMS", "KMS"]


def test_times_are_those_of_botocores_parser(aws, kinesis):
    aws.clock.advance(milliseconds=1_234)
    kinesis("PutRecord", StreamName="events", Data=b"", PartitionKey="k")
    created = kinesis("DescribeStream", StreamName="events")["StreamDescription"]["StreamCreationTimestamp"]
    [record] = read_all(kinesis)["Records"]
    arrived = record["ApproximateArrivalTimestamp"]
    assert created.tzinfo == arrived.tzinfo == tzlocal()
    assert arrived - created == timedelta(milliseconds=1_234)
    assert round(arrived.timestamp() * 1_000) == aws.clock.now_ns() // 1_000_000


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "Asia/Kathmandu", "America/St_Johns"])
def test_times_are_right_in_every_zone_and_on_the_days_when_clocks_are_set(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for month, day in ((3, 30), (10, 26), (11, 2)):
            clock = VirtualClock(datetime(2025, month, day, tzinfo=UTC))
            kinesis = Kinesis(Aws(clock=clock))
            kinesis("CreateStream", StreamName="events", ShardCount=1)
            expected = []
            for _ in range(64):
                clock.advance(minutes=7, milliseconds=501)
                kinesis("PutRecord", StreamName="events", Data=b"", PartitionKey="k")
                expected.append(datetime.fromtimestamp(clock.now_ns() // 10**6 / 1_000, tzlocal()))
            arrived = [record["ApproximateArrivalTimestamp"] for record in read_all(kinesis)["Records"]]
            assert [(at.isoformat(), at.fold) for at in arrived] == [
                (at.isoformat(), at.fold) for at in expected
            ]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_records_that_fail_say_why_and_nothing_else():
    aws = Aws(clock=VirtualClock(), stream_settings={"enforce_throughput": True})
    kinesis = Kinesis(aws)
    kinesis("CreateStream", StreamName="events", ShardCount=1)
    entries = [{"Data": bytes(600_000), "PartitionKey": "k"}] * 2
    answer = kinesis("PutRecords", StreamName="events", Records=entries)
    assert answer["FailedRecordCount"] == 1
    assert [sorted(record) for record in answer["Records"]] == [
        ["SequenceNumber", "ShardId"],
        ["ErrorCode", "ErrorMessage"],
    ]


def test_an_entry_may_have_its_own_hash_key(kinesis):
    kinesis("UpdateShardCount", StreamName="events", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    entries = [{"Data": b"", "PartitionKey": "k", "ExplicitHashKey": key} for key in ("0", str(2**127))]
    answer = kinesis("PutRecords", StreamName="events", Records=entries)
    assert [record["ShardId"][-1] for record in answer["Records"]] == ["1", "2"]


def test_a_record_without_a_key_has_none(kinesis):
    kinesis(
        "CreateStream",
        StreamName="even",
        StreamModeDetails={"StreamMode": "ON_DEMAND"},
        RecordDistributionStrategy="AUTO",
    )
    puts = [kinesis("PutRecord", StreamName="even", Data=b"1") for _ in range(2)]
    answer = kinesis(
        "PutRecords", StreamName="even", Records=[{"Data": b"2"}, {"Data": b"3", "PartitionKey": "k"}]
    )
    places = [put["ShardId"] for put in [*puts, *answer["Records"]]]
    assert len(set(places)) == 4
    found = [
        record
        for shard_id in places
        for record in kinesis(
            "GetRecords",
            **kinesis(
                "GetShardIterator", StreamName="even", ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            ),
        )["Records"]
    ]
    assert [record.get("PartitionKey") for record in found] == [None, None, None, "k"]


def test_a_dry_run_does_nothing_and_says_that_it_would_succeed(kinesis):
    consumer = kinesis("RegisterStreamConsumer", StreamARN=ARN, ConsumerName="reader")["Consumer"]
    iterator = {"ShardId": FIRST, "ShardIteratorType": "TRIM_HORIZON"}
    for operation, request in [
        ("PutRecord", {"StreamName": "events", "Data": b"", "PartitionKey": "k"}),
        ("PutRecords", {"StreamName": "events", "Records": [{"Data": b"", "PartitionKey": "k"}]}),
        ("GetShardIterator", {"StreamName": "events", **iterator}),
        ("GetRecords", kinesis("GetShardIterator", StreamName="events", **iterator)),
        (
            "SubscribeToShard",
            {
                "ConsumerARN": consumer["ConsumerARN"],
                "ShardId": FIRST,
                "StartingPosition": {"Type": "LATEST"},
            },
        ),
    ]:
        with pytest.raises(DryRunOperationException):
            kinesis(operation, **request, DryRun=True)
    assert read_all(kinesis)["Records"] == []


def test_limits_are_those_that_streams_are_made_with():
    aws = Aws(stream_settings={"limits": StreamLimits(shards_per_account=7)})
    assert Kinesis(aws)("DescribeLimits")["ShardLimit"] == 7


# --- resources ---


def test_a_resource_is_a_stream_or_a_consumer(kinesis):
    arn = kinesis("RegisterStreamConsumer", StreamARN=ARN, ConsumerName="reader")["Consumer"]["ConsumerARN"]
    for resource in (ARN, arn):
        kinesis("TagResource", ResourceARN=resource, Tags={"b": resource, "a": ""})
        kinesis("UntagResource", ResourceARN=resource, TagKeys=["a"])
        kinesis(
            "PutResourcePolicy", ResourceARN=resource, Policy='{"Version": "2012-10-17", "Statement": []}'
        )
    for resource in (ARN, arn):
        tags = kinesis("ListTagsForResource", ResourceARN=resource)["Tags"]
        assert tags == [{"Key": "b", "Value": resource}]
        assert (
            kinesis("GetResourcePolicy", ResourceARN=resource)["Policy"]
            == '{"Version": "2012-10-17", "Statement": []}'
        )
        kinesis("DeleteResourcePolicy", ResourceARN=resource)
        assert kinesis("GetResourcePolicy", ResourceARN=resource)["Policy"] == "{}"
        with pytest.raises(ResourceNotFoundException, match=f"No resource policy found .* {resource}"):
            kinesis("DeleteResourcePolicy", ResourceARN=resource)


def test_a_channel_is_no_resource_of_ours(kinesis):
    with pytest.raises(ResourceNotFoundException):
        kinesis("ListTagsForResource", ResourceARN="arn:aws:kinesis:us-east-1:123456789012:channel/c")


# --- consumers ---


def test_a_consumer_is_named_by_arn_or_by_stream_and_name(kinesis):
    arn = kinesis("RegisterStreamConsumer", StreamARN=ARN, ConsumerName="reader")["Consumer"]["ConsumerARN"]
    by_arn = kinesis("DescribeStreamConsumer", ConsumerARN=arn)
    assert by_arn == kinesis("DescribeStreamConsumer", StreamARN=ARN, ConsumerName="reader")
    assert by_arn["ConsumerDescription"]["StreamARN"] == ARN
    for named in ({}, {"ConsumerName": "reader"}, {"StreamARN": ARN}):
        with pytest.raises(InvalidArgumentException, match="ConsumerName and StreamARN"):
            kinesis("DescribeStreamConsumer", **named)


def test_a_subscription_is_a_stream_of_events(kinesis):
    arn = kinesis("RegisterStreamConsumer", StreamARN=ARN, ConsumerName="reader")["Consumer"]["ConsumerARN"]
    kinesis("PutRecord", StreamName="events", Data=b"1", PartitionKey="k")
    kinesis("SplitShard", StreamName="events", ShardToSplit=FIRST, NewStartingHashKey="1000")
    answer = kinesis(
        "SubscribeToShard", ConsumerARN=arn, ShardId=FIRST, StartingPosition={"Type": "TRIM_HORIZON"}
    )
    events = answer["EventStream"]
    assert isinstance(events, Events)
    [event] = [events.shape(event) for event in events.subscription]
    said = event["SubscribeToShardEvent"]
    assert [record["Data"] for record in said["Records"]] == [b"1"]
    assert [child["ShardId"][-1] for child in said["ChildShards"]] == ["1", "2"]


# --- all of them ---


def test_every_operation_answers_in_aws_s_shape(kinesis):
    stream, by_arn = {"StreamName": "events"}, {"StreamARN": ARN}
    tags = {"team": "a"}
    kinesis("PutRecord", **stream, Data=b"1", PartitionKey="k")
    kinesis("PutRecords", **stream, Records=[{"Data": b"2", "PartitionKey": "k"}])
    assert len(read_all(kinesis)["Records"]) == 2
    kinesis("AddTagsToStream", **stream, Tags=tags)
    kinesis("ListTagsForStream", **stream)
    kinesis("RemoveTagsFromStream", **stream, TagKeys=["team"])
    consumer = kinesis("RegisterStreamConsumer", **by_arn, ConsumerName="reader", Tags=tags)["Consumer"]
    arn = consumer["ConsumerARN"]
    kinesis("ListStreamConsumers", **by_arn)
    kinesis("DescribeStreamConsumer", ConsumerARN=arn)
    kinesis("TagResource", ResourceARN=arn, Tags=tags)
    kinesis("ListTagsForResource", ResourceARN=arn)
    kinesis("UntagResource", ResourceARN=arn, TagKeys=["team"])
    kinesis("PutResourcePolicy", ResourceARN=ARN, Policy='{"Version": "2012-10-17", "Statement": []}')
    kinesis("GetResourcePolicy", ResourceARN=ARN)
    kinesis("DeleteResourcePolicy", ResourceARN=ARN)
    kinesis("SubscribeToShard", ConsumerARN=arn, ShardId=FIRST, StartingPosition={"Type": "LATEST"})
    kinesis("DeregisterStreamConsumer", ConsumerARN=arn)
    kinesis("SplitShard", **stream, ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    children = [f"shardId-{number:012}" for number in (1, 2)]
    kinesis("MergeShards", **stream, ShardToMerge=children[0], AdjacentShardToMerge=children[1])
    assert read_all(kinesis)["ChildShards"]
    kinesis("UpdateShardCount", **stream, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    kinesis("ListShards", **stream, ShardFilter={"Type": "AT_LATEST"})
    kinesis("IncreaseStreamRetentionPeriod", **stream, RetentionPeriodHours=48)
    kinesis("DecreaseStreamRetentionPeriod", **stream, RetentionPeriodHours=24)
    kinesis("StartStreamEncryption", **stream, EncryptionType="KMS", KeyId="key")
    kinesis("DescribeStream", **stream)
    kinesis("StopStreamEncryption", **stream, EncryptionType="KMS", KeyId="key")
    kinesis("EnableEnhancedMonitoring", **stream, ShardLevelMetrics=["ALL"])
    kinesis("DisableEnhancedMonitoring", **stream, ShardLevelMetrics=["IncomingBytes"])
    kinesis("UpdateMaxRecordSize", **by_arn, MaxRecordSizeInKiB=2_048)
    kinesis("UpdateStreamMode", **by_arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis("UpdateStreamRecordDistributionStrategy", **by_arn, RecordDistributionStrategy="AUTO")
    kinesis("DescribeAccountSettings")
    kinesis("UpdateAccountSettings", MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    kinesis("UpdateStreamWarmThroughput", **stream, WarmThroughputMiBps=10)
    summary = kinesis("DescribeStreamSummary", **stream)["StreamDescriptionSummary"]
    assert summary["WarmThroughput"] == {"TargetMiBps": 10, "CurrentMiBps": 10}
    assert summary["RecordDistributionStrategy"] == "AUTO"
    kinesis(
        "CreateStream",
        StreamName="another",
        StreamModeDetails={"StreamMode": "ON_DEMAND"},
        Tags=tags,
        MaxRecordSizeInKiB=2_048,
        WarmThroughputMiBps=5,
    )
    page = kinesis("ListStreams", Limit=1)
    kinesis("ListStreams", NextToken=page["NextToken"])
    kinesis("DescribeLimits")
    kinesis("DeleteStream", **stream, EnforceConsumerDeletion=True)
    assert kinesis.called == set(KINESIS)


def test_a_stream_of_which_nothing_is_said_is_on_demand(kinesis):
    kinesis("CreateStream", StreamName="plain")
    description = kinesis("DescribeStream", StreamName="plain")["StreamDescription"]
    assert description["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert len(description["Shards"]) == 4


def test_an_iterator_may_stand_in_quotation_marks(kinesis):
    kinesis("PutRecord", StreamName="events", Data=b"hello", PartitionKey="k")
    iterator = kinesis(
        "GetShardIterator", StreamName="events", ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    [record] = kinesis("GetRecords", ShardIterator=f'"{iterator}"')["Records"]
    assert record["Data"] == b"hello"
