"""boto3 as people use it: clients, resources, sessions, paginators, waiters, errors."""

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError, WaiterError

from queuestream import QueueLimits, VirtualClock
from queuestream.aws import mock_aws
from queuestream.core.errors import DeadlockError


@pytest.fixture
def stream(aws, kinesis):
    kinesis.create_stream(StreamName="events", ShardCount=1)
    return "events"


@pytest.fixture(params=["at once", "through botocore"])
def either(request, session):
    """A client whose calls are answered at once, and one whose calls go through botocore."""
    sqs = session.client("sqs")
    if request.param == "through botocore":
        sqs.meta.events.register("before-send", lambda **kwargs: None)
    return sqs


def test_a_message_there_and_back(queue_url, either):
    sent = either.send_message(
        QueueUrl=queue_url,
        MessageBody="hello",
        MessageAttributes={"colour": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
    )
    [message] = either.receive_message(QueueUrl=queue_url, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "hello"
    assert message["MessageAttributes"]["colour"]["BinaryValue"] == b"\x00\xff"
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert "Messages" not in either.receive_message(QueueUrl=queue_url)


def test_the_metadata_of_a_response(queue_url, either):
    metadata = either.send_message(QueueUrl=queue_url, MessageBody="hello")["ResponseMetadata"]
    headers = metadata["HTTPHeaders"]
    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RetryAttempts"] == 0
    assert len(metadata["RequestId"]) == 36
    assert headers["x-amzn-requestid"] == metadata["RequestId"]
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["date"] == "Wed, 01 Jan 2025 00:00:00 GMT"


def test_an_answer_that_says_nothing_is_its_metadata(queue_url, either):
    assert list(either.purge_queue(QueueUrl=queue_url)) == ["ResponseMetadata"]


def test_an_error_is_botocores(queue_url, either):
    with pytest.raises(ClientError) as raised:
        either.get_queue_url(QueueName="nobody")
    error = raised.value
    assert type(error) is either.exceptions.QueueDoesNotExist
    assert error.operation_name == "GetQueueUrl"
    assert error.response["Error"] == {
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "Message": "The specified queue does not exist.",
        "QueryErrorCode": "QueueDoesNotExist",
        "Type": "Sender",
    }
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_parameters_are_validated_as_botocore_does(queue_url, either):
    with pytest.raises(ParamValidationError, match='Missing required parameter in input: "MessageBody"'):
        either.send_message(QueueUrl=queue_url)
    with pytest.raises(ParamValidationError, match='Unknown parameter in input: "Body"'):
        either.send_message(QueueUrl=queue_url, MessageBody="hello", Body="hello")
    with pytest.raises(ParamValidationError, match="Invalid type for parameter DelaySeconds"):
        either.send_message(QueueUrl=queue_url, MessageBody="hello", DelaySeconds="5")
    with pytest.raises(TypeError, match="only accepts keyword arguments"):
        either.send_message(queue_url)


def test_who_switches_validation_off_is_judged_by_the_service(aws, session):
    sqs = session.client("sqs", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as raised:
        sqs.send_message(MessageBody="hello")
    assert raised.type.__name__ == "QueueDoesNotExist"


def test_a_retried_error_counts_its_retries_and_takes_no_real_time(aws, kinesis, session):
    """LimitExceededException is retried by botocore for DescribeStream only; throughput is for every call."""
    with mock_aws(clock=VirtualClock(), stream_settings={"enforce_throughput": True}) as inner:
        kinesis.create_stream(StreamName="events", ShardCount=1)
        record = {"StreamName": "events", "Data": b"x" * 1_000_000, "PartitionKey": "a"}
        kinesis.put_record(**record)
        before_ns = inner.clock.now_ns()
        again = kinesis.put_record(**record)
        assert again["ResponseMetadata"]["RetryAttempts"] >= 1
        assert inner.clock.now_ns() > before_ns


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_a_throttled_fifo_queue_is_called_again_by_botocore(session, mode):
    sqs = session.client("sqs", config=Config(retries={"mode": mode, "total_max_attempts": 10}))
    limits = QueueLimits(enforce_throughput=True, fifo_calls_per_second=1)
    with mock_aws(clock=VirtualClock(), queue_limits=limits) as inner:
        url = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        sqs.receive_message(QueueUrl=url)
        before_ns = inner.clock.now_ns()
        again = sqs.receive_message(QueueUrl=url)
        assert again["ResponseMetadata"]["RetryAttempts"] >= 1
        assert inner.clock.now_ns() >= before_ns + 1_000_000_000


def test_a_throttled_call_that_botocore_does_not_repeat(session):
    sqs = session.client("sqs", config=Config(retries={"total_max_attempts": 1}))
    limits = QueueLimits(enforce_throughput=True, fifo_calls_per_second=1)
    with mock_aws(clock=VirtualClock(), queue_limits=limits):
        url = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        sqs.receive_message(QueueUrl=url)
        with pytest.raises(sqs.exceptions.RequestThrottled) as raised:
            sqs.receive_message(QueueUrl=url)
    assert raised.value.response["Error"]["Code"] == "RequestThrottled"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_resource(aws, session):
    queue = session.resource("sqs").create_queue(QueueName="emails", Attributes={"VisibilityTimeout": "60"})
    queue.send_message(MessageBody="hello")
    [message] = queue.receive_messages()
    assert message.body == "hello"
    message.change_visibility(VisibilityTimeout=0)
    [message] = queue.receive_messages(WaitTimeSeconds=1)
    message.delete()
    assert queue.attributes["VisibilityTimeout"] == "60"
    assert [queue.url for queue in session.resource("sqs").queues.all()] == [queue.url]


def test_a_paginator(aws, sqs):
    for number in range(25):
        sqs.create_queue(QueueName=f"queue-{number:02}")
    pages = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 10})
    assert [len(page["QueueUrls"]) for page in pages] == [10, 10, 5]


def test_a_waiter_waits_on_the_clock(kinesis):
    waiter = kinesis.get_waiter("stream_exists")
    with mock_aws(clock=VirtualClock(), stream_settings={"provisioning_time_seconds": 30}) as aws:
        kinesis.create_stream(StreamName="events", ShardCount=1)
        waiter.wait(StreamName="events")
        assert (
            kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]["StreamStatus"]
            == "ACTIVE"
        )
        assert aws.clock.now.second == 30


SLOW = {"provisioning_time_seconds": 3600}
THREE_TIMES = {"StreamName": "events", "WaiterConfig": {"Delay": 5, "MaxAttempts": 3}}


def test_a_waiter_gives_up_as_botocores_does(kinesis):
    with mock_aws(clock=VirtualClock(), stream_settings=SLOW) as aws:
        kinesis.create_stream(StreamName="events", ShardCount=1)
        with pytest.raises(WaiterError, match="Max attempts exceeded"):
            kinesis.get_waiter("stream_exists").wait(**THREE_TIMES)
        assert aws.clock.now.second == 10


def test_on_the_machines_clock_a_waiter_sleeps_as_it_always_does(kinesis, monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    with mock_aws(stream_settings=SLOW):
        kinesis.create_stream(StreamName="events", ShardCount=1)
        with pytest.raises(WaiterError, match="Max attempts exceeded"):
            kinesis.get_waiter("stream_exists").wait(**THREE_TIMES)
    assert slept == [5, 5]


def test_a_long_poll_takes_the_clocks_time(aws, either, queue_url):
    assert "Messages" not in either.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)
    assert aws.clock.now.second == 20


def test_a_wait_that_nobody_can_end_is_an_error_as_itself(either):
    with mock_aws(clock=VirtualClock(autojump=False)):
        queue_url = either.create_queue(QueueName="emails")["QueueUrl"]
        with pytest.raises(DeadlockError):
            either.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)


def test_subscribe_to_shard_gives_events(aws, kinesis, stream):
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]
    kinesis.put_record(StreamName=stream, Data=b"hello", PartitionKey="a")
    subscription = kinesis.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"],
        ShardId="shardId-000000000000",
        StartingPosition={"Type": "TRIM_HORIZON"},
    )
    events = iter(subscription["EventStream"])
    [record] = next(event["SubscribeToShardEvent"]["Records"] for event in events)
    assert record["Data"] == b"hello"
    kinesis.put_record(StreamName=stream, Data=b"again", PartitionKey="a")
    [record] = next(
        event["SubscribeToShardEvent"]["Records"]
        for event in events
        if event["SubscribeToShardEvent"]["Records"]
    )
    assert record["Data"] == b"again"
    assert list(events)[-1]  # five minutes later it has ended
    assert aws.clock.now.minute == 5


def test_a_subscription_can_be_closed(aws, kinesis, stream):
    consumer = kinesis.register_stream_consumer(
        StreamARN=aws.broker().stream(stream).arn, ConsumerName="reader"
    )
    subscription = kinesis.subscribe_to_shard(
        ConsumerARN=consumer["Consumer"]["ConsumerARN"],
        ShardId="shardId-000000000000",
        StartingPosition={"Type": "TRIM_HORIZON"},
    )
    subscription["EventStream"].close()
    assert list(subscription["EventStream"]) == []


# --- accounts, regions, endpoints -----------------------------------------------------------------------


def test_the_access_key_names_the_account_and_the_client_the_region(aws, session):
    client = session.client(
        "sqs", region_name="eu-west-1", aws_access_key_id="111122223333", aws_secret_access_key="x"
    )
    created = client.create_queue(QueueName="emails")
    assert created["QueueUrl"] == "https://sqs.eu-west-1.amazonaws.com/111122223333/emails"
    assert list(aws.broker("111122223333", "eu-west-1").queues) == ["emails"]
    assert aws.broker().queues == {}


def test_the_same_account_and_region_on_both_paths(aws, either, session):
    client = session.client(
        "sqs", region_name="eu-west-1", aws_access_key_id="111122223333", aws_secret_access_key="x"
    )
    queue_url = client.create_queue(QueueName="emails")["QueueUrl"]
    client.meta.events.register("before-send", lambda **kwargs: None)
    assert client.get_queue_url(QueueName="emails")["QueueUrl"] == queue_url
    with pytest.raises(either.exceptions.QueueDoesNotExist):
        either.get_queue_url(QueueName="emails")


def test_queue_urls_carry_an_endpoint_of_ones_own(aws, session, sqs):
    client = session.client("sqs", endpoint_url="http://localhost:4566")
    created = client.create_queue(QueueName="emails")
    assert created["QueueUrl"] == "http://localhost:4566/123456789012/emails"
    client.meta.events.register("before-send", lambda **kwargs: None)
    assert client.get_queue_url(QueueName="emails")["QueueUrl"] == created["QueueUrl"]
    sqs.send_message(QueueUrl=created["QueueUrl"], MessageBody="whoever asks")


@pytest.mark.parametrize(
    "options",
    [
        {"config": Config(signature_version=UNSIGNED)},
        {"config": Config(retries={"mode": "standard"})},
        {"config": Config(retries={"mode": "adaptive"})},
        {"use_ssl": False},
        {"region_name": "us-gov-west-1"},
        {"region_name": "cn-north-1"},
        {"region_name": "us-east-1", "config": Config(use_fips_endpoint=True)},
        {"config": Config(use_dualstack_endpoint=True)},
    ],
    ids=str,
)
def test_every_kind_of_client_is_answered(aws, session, options):
    sqs = session.client("sqs", **options)
    queue_url = sqs.create_queue(QueueName="emails")["QueueUrl"]
    sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
    sqs.meta.events.register("before-send", lambda **kwargs: None)
    [message] = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="emails")["QueueUrl"])["Messages"]
    assert message["Body"] == "hello"


# --- without credentials --------------------------------------------------------------------------------


def make_boto3_client():
    return boto3.client("sqs")


def make_session():
    return boto3.Session().client("sqs", region_name="us-east-1")


def make_resource():
    return boto3.resource("sqs").meta.client


def make_botocore_client():
    return botocore.session.Session().create_client("sqs", "us-east-1")


@pytest.mark.parametrize("make", [make_boto3_client, make_session, make_resource, make_botocore_client])
@pytest.mark.parametrize("hooked", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_neither_credentials_nor_a_region_are_needed(aws, make, hooked):
    sqs = make()
    if hooked:
        sqs.meta.events.register("before-send", lambda **kwargs: None)
    assert sqs.create_queue(QueueName="emails")["QueueUrl"].startswith("https://sqs.us-east-1.")


def test_the_region_of_the_mock_is_that_of_clients_that_name_none():
    with mock_aws(region="eu-west-1"):
        assert boto3.client("sqs").meta.region_name == "eu-west-1"
        assert boto3.client("sqs", region_name="us-east-2").meta.region_name == "us-east-2"
        assert boto3.client("sqs", config=Config(region_name="us-east-2")).meta.region_name == "us-east-2"


def test_real_credentials_are_used_where_there_are_some(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    boto3.client("sqs").create_queue(QueueName="emails")
    assert list(aws.broker("111122223333", "eu-west-1").queues) == ["emails"]


def test_a_session_is_not_left_with_credentials_that_are_none(aws):
    session = boto3.Session()
    session.client("sqs").list_queues()
    assert session._session._credentials is None


def test_credentials_that_would_be_fetched_are_not(aws, tmp_path, monkeypatch):
    """A profile that assumes a role asks STS when the first request is signed."""
    config = tmp_path / "config"
    config.write_text(
        "[profile role]\nrole_arn=arn:aws:iam::123456789012:role/r\nsource_profile=user\nregion=us-east-1\n"
        "[profile user]\naws_access_key_id=x\naws_secret_access_key=x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    sqs = boto3.Session(profile_name="role").client("sqs")
    sqs.meta.events.register("before-send", lambda **kwargs: None)
    assert "QueueUrls" not in sqs.list_queues()


def test_a_client_that_was_made_without_credentials_signs_inside(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    sqs = boto3.client("sqs", region_name="us-east-1")
    sqs.meta.events.register("before-send", lambda **kwargs: None)
    with mock_aws():
        assert "QueueUrls" not in sqs.list_queues()
    assert sqs._request_signer._credentials is None
