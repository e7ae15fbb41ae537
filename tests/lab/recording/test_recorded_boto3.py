"""What is written down of what clients of boto3 and aiobotocore do, which cannot tell what answers them."""

import asyncio

import boto3
import pytest
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ParamValidationError, ReadTimeoutError

from queuestream.aws import FaultPlan, mock_aws, serve, wire
from queuestream.core.clock import SECOND
from queuestream.lab import check

FIRST, CHILDREN = "shardId-000000000000", ["shardId-000000000001", "shardId-000000000002"]
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def faults():
    return FaultPlan(seed=7)


@pytest.fixture(scope="module")
def plain():
    """Clients that are made once, since making one takes botocore 20 ms."""
    keys = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "s"}
    session = boto3.Session(**keys)
    return {service: session.client(service, config=ONCE) for service in ("sqs", "kinesis")}


@pytest.fixture
def recorded(plain, recorder, clock, faults):
    """Both clients, recorded, each for as long as a test."""
    with mock_aws(clock=clock, faults=faults, seed=7):
        ends = [recorder.boto3(client, "me", "shop") for client in plain.values()]
        yield plain
        for end in ends:
            end()


@pytest.fixture
def sqs(recorded):
    return recorded["sqs"]


@pytest.fixture
def kinesis(recorded):
    recorded["kinesis"].create_stream(StreamName="events", ShardCount=1)
    return recorded["kinesis"]


@pytest.fixture
def url(sqs):
    return sqs.create_queue(QueueName="orders")["QueueUrl"]


def test_a_message_is_written_down_from_its_send_to_its_delete(sqs, url, history):
    sent = sqs.send_message(QueueUrl=url, MessageBody="order-1")
    asked = {"MessageSystemAttributeNames": ["All"], "VisibilityTimeout": 5}
    [message] = sqs.receive_message(QueueUrl=url, **asked)["Messages"]
    handle = message["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=9)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)

    _, receive, change, delete = history
    assert [event.operation for event in history] == ["send", "receive", "change_visibility", "delete"]
    for event in history:
        assert (event.message, event.message_id, event.outcome) == ("order-1", sent["MessageId"], "ok")
        assert (event.actor, event.application, event.resource) == ("me", "shop", "orders")
    assert receive.receipt == delete.receipt == handle
    assert receive.receive_count == 1
    assert [event.visible_ns - event.started_ns for event in (receive, change)] == [5 * SECOND, 9 * SECOND]


@pytest.mark.parametrize(
    ("learns", "seconds"),
    [
        (lambda sqs, url: None, 30),
        (lambda sqs, url: sqs.create_queue(QueueName="orders"), 30),
        (lambda sqs, url: sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"}), 7),
    ],
)
def test_a_queues_own_timeout_is_known_to_who_was_told(sqs, url, history, learns, seconds):
    learns(sqs, url)
    sqs.send_message(QueueUrl=url, MessageBody="order-1")
    sqs.receive_message(QueueUrl=url)
    receive = history.events[-1]
    assert receive.visible_ns - receive.started_ns == seconds * SECOND


def test_who_finds_a_queue_learns_its_timeout_when_he_asks(plain, recorder, clock, history):
    sqs = plain["sqs"]
    with mock_aws(clock=clock):
        made = {"VisibilityTimeout": "50"}
        url = sqs.create_queue(QueueName="orders", Attributes=made)["QueueUrl"]
        end = recorder.boto3(sqs)
        for _ in range(2):
            sqs.send_message(QueueUrl=url, MessageBody="order-1")
            sqs.receive_message(QueueUrl=url)
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        end()
    first, second = (event for event in history if event.operation == "receive")
    assert first.visible_ns is None
    assert second.visible_ns - second.started_ns == 50 * SECOND


def test_a_batch_is_an_event_for_each_entry(sqs, url, told):
    entries = [{"Id": "x", "MessageBody": "a"}, {"Id": "y", "MessageBody": "\x00"}]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    handles = [message["ReceiptHandle"], "no such handle"]
    deletes = [{"Id": str(place), "ReceiptHandle": handle} for place, handle in enumerate(handles)]
    sqs.delete_message_batch(QueueUrl=url, Entries=deletes)
    assert told("operation", "message", "outcome", "error") == [
        ("send", "a", "ok", None),
        ("send", "\x00", "failed", "InvalidMessageContents"),
        ("receive", "a", "ok", None),
        ("delete", "a", "ok", None),
        ("delete", None, "failed", "ReceiptHandleIsInvalid"),
    ]


def test_a_stream_is_written_down_with_the_shards_of_its_iterators(kinesis, told):
    kinesis.put_record(StreamName="events", Data=b"a", PartitionKey="k")
    kinesis.put_records(StreamName="events", Records=[{"Data": b"b", "PartitionKey": "k"}])
    where = {"StreamName": "events", "ShardId": FIRST, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**where)["ShardIterator"]
    kinesis.split_shard(StreamName="events", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    kinesis.get_records(ShardIterator=iterator)
    kinesis.list_shards(StreamName="events")
    assert told("operation", "resource", "message", "shard") == [
        ("put", "events", "a", FIRST),
        ("put", "events", "b", FIRST),
        ("seek", "events", None, FIRST),
        ("split_shard", "events", None, FIRST),
        ("get", "events", "a", FIRST),
        ("get", "events", "b", FIRST),
        ("finish", "events", None, FIRST),
        ("lineage", "events", None, CHILDREN[0]),
        ("lineage", "events", None, CHILDREN[1]),
    ]


def test_a_subscription_is_written_down_as_it_tells(kinesis, told):
    put = kinesis.put_record(StreamName="events", Data=b"a", PartitionKey="k")
    arn = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="fan-out")["Consumer"]
    subscribed = kinesis.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"], ShardId=FIRST, StartingPosition={"Type": "TRIM_HORIZON"}
    )
    kinesis.split_shard(StreamName="events", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    assert list(subscribed["EventStream"])
    assert told("operation", "shard", "sequence_number")[1:] == [
        ("seek", FIRST, "0"),
        ("split_shard", FIRST, None),
        ("get", FIRST, put["SequenceNumber"]),
        ("finish", FIRST, None),
        *[("lineage", child, None) for child in CHILDREN],
    ]


# --- outcomes ---


@pytest.mark.parametrize(
    ("strike", "raised", "outcome", "error"),
    [
        (lambda faults: faults.throttle("SendMessage"), ClientError, "failed", "RequestThrottled"),
        (lambda faults: faults.fail("SendMessage"), ClientError, "unknown", "InternalFailure"),
        (lambda faults: faults.lose_answer(), ConnectionClosedError, "unknown", "ConnectionClosedError"),
        (lambda faults: faults.lose_request(), ConnectionClosedError, "unknown", "ConnectionClosedError"),
        (lambda faults: faults.time_out(seconds=60), ReadTimeoutError, "unknown", "ReadTimeoutError"),
    ],
)
def test_what_became_of_a_call_is_what_its_client_can_know(
    sqs, url, faults, history, strike, raised, outcome, error
):
    strike(faults)
    with pytest.raises(raised):
        sqs.send_message(QueueUrl=url, MessageBody="order-1")
    [event] = history
    assert (event.message, event.outcome) == ("order-1", outcome)
    assert event.error.endswith(error)
    assert (event.ended_ns is None) == (outcome == "unknown")


def test_what_botocore_refuses_was_not_done(sqs, url, told):
    with pytest.raises(ParamValidationError):
        sqs.send_message(QueueUrl=url, MessageBody=17)
    assert told("message", "outcome", "error") == [(None, "failed", "ParamValidationError")]


def test_a_refusal_after_botocores_own_retries_says_nothing_of_the_first_attempt(recorder, clock, history):
    faults = FaultPlan()
    faults.lose_answer("SendMessage", times=1)
    faults.fail("SendMessage", code="InvalidMessageContents", status=400)
    with mock_aws(clock=clock, faults=faults) as aws:
        aws.broker().create_queue("orders")
        sqs = boto3.client("sqs", region_name="us-east-1")
        recorder.boto3(sqs)
        url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
        with pytest.raises(ClientError):
            sqs.send_message(QueueUrl=url, MessageBody="order-1")
        assert [message.body for message in aws.broker().queue("orders").peek()] == ["order-1"]
    assert [event.outcome for event in history] == ["unknown"]


# --- the client ---


def test_what_is_over_is_not_written_down(plain, recorder, clock, history):
    sqs = plain["sqs"]
    kind = type(sqs)
    with mock_aws(clock=clock):
        end = recorder.boto3(sqs)
        assert type(sqs) is not kind
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        end()
        sqs.send_message(QueueUrl=url, MessageBody="order-1")
    assert type(sqs) is kind
    assert not history


def test_two_recorders_of_a_client_end_in_any_order(plain, recorder, clock, told):
    sqs = plain["sqs"]
    kind = type(sqs)
    with mock_aws(clock=clock):
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        end_inner, end_outer = recorder.boto3(sqs, "inner"), recorder.boto3(sqs, "outer")
        sqs.send_message(QueueUrl=url, MessageBody="a")
        end_inner()
        sqs.send_message(QueueUrl=url, MessageBody="b")
        end_outer()
        sqs.send_message(QueueUrl=url, MessageBody="c")
    sqs.__class__ = kind
    assert told("actor", "message") == [("inner", "a"), ("outer", "a"), ("outer", "b")]


def test_a_wired_client_and_a_resource_are_recorded(broker, recorder, told):
    resource = boto3.resource("sqs", region_name="us-east-1")
    wire(resource, broker)
    end = recorder.boto3(resource, "wired")
    resource.create_queue(QueueName="orders").send_message(MessageBody="order-1")
    end()
    resource.Queue(broker.queue("orders").url).send_message(MessageBody="order-2")
    assert told("actor", "message") == [("wired", "order-1")]


def test_only_clients_of_sqs_and_kinesis_are_recorded(recorder):
    with pytest.raises(TypeError, match="SQS or Kinesis"):
        recorder.boto3(object())


def test_aiobotocore_is_recorded_too_and_a_cancelled_call_is_unknown(recorder, clock, told):
    async def talk():
        async with get_session().create_client("sqs", region_name="us-east-1") as sqs:
            recorder.boto3(sqs, "task")
            url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
            waiting = asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await sqs.send_message(QueueUrl=url, MessageBody="order-1")

    with mock_aws(clock=clock):
        asyncio.run(talk())
    assert told("operation", "message", "outcome") == [
        ("receive", None, "unknown"),
        ("send", "order-1", "ok"),
    ]


@pytest.mark.slow
def test_a_client_over_http_is_recorded_with_what_its_connection_did(recorder, history, told):
    faults = FaultPlan()
    with serve(port=0, faults=faults) as server:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "s", "config": ONCE}
        sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=server.endpoint_url, **keys)
        recorder.boto3(sqs)
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="a")
        faults.lose_answer("SendMessage", times=1)
        faults.lose_request("SendMessage", times=1)
        for body in "bc":
            with pytest.raises(ConnectionClosedError):
                sqs.send_message(QueueUrl=url, MessageBody=body)
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert told("message", "outcome", operation="send") == [("a", "ok"), ("b", "unknown"), ("c", "unknown")]
    verdict = check(history)
    assert (verdict.valid, verdict.received, verdict.recovered) == (True, 2, 1)
