"""`wire`: one client or one session, and nothing else in the process."""

import boto3
import botocore.session
import pytest
from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.session import Session
from botocore.waiter import Waiter

from queuestream import Broker, VirtualClock
from queuestream.aws import Aws, FaultPlan, mock_aws, wire

PLACES = [
    (BaseClient, "_make_api_call"),
    (Endpoint, "_send"),
    (Endpoint, "_needs_retry"),
    (Waiter, "wait"),
    (Session, "create_client"),
]


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock())


@pytest.fixture
def client(session):
    return session.client("sqs")


def test_one_client_is_answered(client, aws):
    assert wire(client, aws) is client
    client.create_queue(QueueName="emails")
    assert list(aws.broker().queues) == ["emails"]


def test_nothing_global_is_patched(client, aws):
    before = [vars(owner)[name] for owner, name in PLACES]
    wire(client, aws).list_queues()
    assert [vars(owner)[name] for owner, name in PLACES] == before


def test_another_client_is_not_answered(client, aws, session):
    wire(client, aws)
    with pytest.raises(Exception, match="somebody wants to go out"):
        session.client("sqs", config=boto3.session.Config(retries={"total_max_attempts": 1})).list_queues()


def test_without_anything_it_is_a_world_of_its_own(client, session):
    other = wire(session.client("sqs"))
    wire(client).create_queue(QueueName="emails")
    assert "QueueUrls" not in other.list_queues()


def test_one_broker_answers_whoever_calls_and_from_wherever(session):
    broker = Broker(clock=VirtualClock(), region="ap-south-1")
    queue = broker.create_queue("emails")
    sqs = wire(
        session.client(
            "sqs", region_name="eu-west-1", aws_access_key_id="111122223333", aws_secret_access_key="x"
        ),
        broker,
    )
    queue_url = sqs.get_queue_url(QueueName="emails")["QueueUrl"]
    sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
    sqs.meta.events.register("before-send", lambda **kwargs: None)
    sqs.send_message(QueueUrl=queue_url, MessageBody="again")
    assert [message.body for message in queue.peek()] == ["hello", "again"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    assert attributes == {"QueueArn": queue.arn}


def test_a_wired_client_goes_its_own_way_inside_a_mock(client, aws):
    wire(client, aws)
    with mock_aws() as other:
        client.create_queue(QueueName="emails")
        client.meta.events.register("before-send", lambda **kwargs: None)
        client.create_queue(QueueName="orders")
        assert other.broker().queues == {}
    assert list(aws.broker().queues) == ["emails", "orders"]


def test_a_client_can_be_wired_inside_a_mock_and_stays_wired(client, aws):
    with mock_aws():
        wire(client, aws)
    client.create_queue(QueueName="emails")
    client.meta.events.register("before-send", lambda **kwargs: None)
    assert len(client.list_queues()["QueueUrls"]) == 1


def test_errors_are_botocores(client, aws):
    with pytest.raises(client.exceptions.QueueDoesNotExist):
        wire(client, aws).get_queue_url(QueueName="nobody")


def test_handlers_see_what_they_always_see(client, aws):
    seen = []
    for event in ("provide-client-params", "before-call", "before-send", "after-call"):
        client.meta.events.register(
            f"{event}.sqs", lambda event_name, **kwargs: seen.append(event_name.partition(".")[0])
        )
    wire(client, aws).list_queues()
    assert seen == ["provide-client-params", "before-call", "before-send", "after-call"]


def test_a_resource_can_be_wired(session, aws):
    sqs = wire(session.resource("sqs"), aws)
    queue = sqs.create_queue(QueueName="emails")
    queue.send_message(MessageBody="hello")
    assert queue.receive_messages()[0].body == "hello"


def test_waiters_and_retries_wait_on_the_clock(session):
    faults = FaultPlan()
    faults.throttle("ListQueues", times=2)
    aws = Aws(clock=VirtualClock(), stream_settings={"provisioning_time_seconds": 30})
    kinesis = wire(session.client("kinesis"), aws)
    kinesis.create_stream(StreamName="events", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="events")
    assert aws.clock.now.second == 30

    sqs = wire(session.client("sqs"), aws, faults=faults)
    before_ns = aws.clock.now_ns()
    assert sqs.list_queues()["ResponseMetadata"]["RetryAttempts"] == 2
    assert aws.clock.now_ns() > before_ns


@pytest.mark.parametrize("make", [boto3.Session, botocore.session.Session])
def test_the_clients_that_a_session_makes_are_answered(make, aws):
    session = wire(make(), aws)
    create = session.client if hasattr(session, "client") else session.create_client
    create("sqs").create_queue(QueueName="emails")
    create("kinesis", region_name="eu-west-1").create_stream(StreamName="events", ShardCount=1)
    assert list(aws.broker().queues) == ["emails"]
    assert list(aws.broker(region="eu-west-1").streams) == ["events"]


def test_a_sessions_clients_of_other_services_are_left_alone(aws):
    session = wire(
        boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"), aws
    )
    assert "_send" not in vars(session.client("s3")._endpoint)


@pytest.mark.parametrize("target", [None, "sqs", object()])
def test_what_cannot_be_wired(target):
    with pytest.raises(TypeError, match="takes a session"):
        wire(target)


def test_a_client_of_another_service_cannot_be_wired(session):
    with pytest.raises(TypeError, match="SQS or Kinesis"):
        wire(session.client("s3"))
