"""moto in the same test, for S3 and DynamoDB: whichever is inside, each answers its own services."""

import boto3
import moto
import pytest

from queuestream.aws import mock_aws

REGION = "us-east-1"


def use_the_others():
    """One thing in S3, one in DynamoDB."""
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"hello")
    table = boto3.resource("dynamodb", region_name=REGION).create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(Item={"id": "1"})
    return s3.get_object(Bucket="bucket", Key="key")["Body"].read(), table.scan()["Items"]


def use_ours(sqs):
    queue_url = sqs.create_queue(QueueName="emails")["QueueUrl"]
    sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
    return sqs.receive_message(QueueUrl=queue_url)["Messages"][0]["Body"]


@pytest.fixture(params=["at once", pytest.param("through botocore", marks=pytest.mark.slow)])
def client(request, session):
    """Made after moto was imported, so that moto has a handler in it."""
    client = session.client("sqs")
    if request.param == "through botocore":
        client.meta.events.register("before-send.sqs", lambda **kwargs: None)
    return client


def test_moto_inside(client):
    with mock_aws() as aws, moto.mock_aws():
        assert use_the_others() == (b"hello", [{"id": "1"}])
        assert use_ours(client) == "hello"
        assert list(aws.broker().queues) == ["emails"]


def test_moto_outside(client):
    with moto.mock_aws(), mock_aws() as aws:
        assert use_the_others() == (b"hello", [{"id": "1"}])
        assert use_ours(client) == "hello"
        assert list(aws.broker().queues) == ["emails"]


def test_both_as_decorators(client):
    @mock_aws
    @moto.mock_aws
    def one():
        return use_the_others(), use_ours(client)

    @moto.mock_aws
    @mock_aws
    def other():
        return use_the_others(), use_ours(client)

    assert one() == other() == ((b"hello", [{"id": "1"}]), "hello")


def test_clients_that_are_made_inside_of_both():
    with moto.mock_aws(), mock_aws() as aws:
        assert use_ours(boto3.client("sqs")) == "hello"
        kinesis = boto3.client("kinesis")
        kinesis.create_stream(StreamName="events", ShardCount=1)
        assert list(aws.broker().streams) == ["events"]


def test_a_handler_of_motos_is_not_a_users(client, monkeypatch, request):
    """Its client is answered at once all the same."""
    from queuestream.aws.in_process.carrier import Carrier

    sent = []
    send = Carrier.send
    monkeypatch.setattr(
        Carrier, "send", lambda carrier, request: sent.append(request) or send(carrier, request)
    )
    with mock_aws(), moto.mock_aws():
        client.list_queues()
    assert len(sent) == ("through" in request.node.name)


def test_moto_answers_again_after_leaving(client):
    with moto.mock_aws():
        client.create_queue(QueueName="motos")
        with mock_aws():
            assert "QueueUrls" not in client.list_queues()
        assert len(client.list_queues()["QueueUrls"]) == 1


def test_moto_sees_nothing_of_our_requests(client):
    with moto.mock_aws():
        with mock_aws():
            client.create_queue(QueueName="emails")
        assert "QueueUrls" not in client.list_queues()
