"""SubscribeToShard: an answer that goes on, in frames that botocore reads."""

import json

import cbor2
import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from wires import boto3_client

from queuestream.aws.front_end.protocols.event_stream import frame

SHARD = "shardId-000000000000"


@pytest.fixture
def consumer(stream, clock):
    consumer = stream.register_stream_consumer("reader")
    clock.advance(seconds=60)
    return consumer


@pytest.fixture
def asked(consumer):
    return {
        "ConsumerARN": consumer.consumer_arn,
        "ShardId": SHARD,
        "StartingPosition": {"Type": "TRIM_HORIZON"},
    }


def messages_of(*pieces):
    buffer = EventStreamBuffer()
    for piece in pieces:
        buffer.add_data(piece)
    return [message.to_response_dict() for message in buffer]


def headers_of(message):
    return {name: value for name, value in message["headers"].items() if name != ":content-type"}


def test_a_frame_is_read_by_botocore_checksums_and_all():
    [message] = messages_of(frame({":event-type": "x", "é": "ü" * 300}, b"payload"))
    assert message["headers"] == {":event-type": "x", "é": "ü" * 300}
    assert message["body"] == b"payload"


def test_boto3_reads_records_as_they_come(front_end, stream, asked, clock):
    kinesis = boto3_client(front_end, "kinesis")
    stream.put_record(b"first", "k")
    answer = kinesis.subscribe_to_shard(**asked)
    events = iter(answer["EventStream"])

    first = next(events)["SubscribeToShardEvent"]
    assert [record["Data"] for record in first["Records"]] == [b"first"]
    assert first["Records"][0]["ApproximateArrivalTimestamp"].timestamp() * 1e9 == clock.now_ns()
    assert first["MillisBehindLatest"] == 0

    stream.put_record(b"second", "k")
    second = next(events)["SubscribeToShardEvent"]
    assert [record["Data"] for record in second["Records"]] == [b"second"]
    assert second["ContinuationSequenceNumber"] == second["Records"][0]["SequenceNumber"]


def test_the_stream_ends_after_five_minutes(front_end, asked, clock):
    began_ns = clock.now_ns()
    events = list(boto3_client(front_end, "kinesis").subscribe_to_shard(**asked)["EventStream"])
    assert [event["SubscribeToShardEvent"]["Records"] for event in events] == [[]] * 60
    assert clock.now_ns() - began_ns == 300 * 10**9


def test_the_end_of_a_closed_shard_names_its_children(front_end, stream, asked):
    stream.update_shard_count(2)
    [last] = boto3_client(front_end, "kinesis").subscribe_to_shard(**asked)["EventStream"]
    assert len(last["SubscribeToShardEvent"]["ChildShards"]) == 2
    assert "ContinuationSequenceNumber" not in last["SubscribeToShardEvent"]


def test_an_error_on_the_way_is_the_last_frame(front_end, stream, asked, clock):
    events = iter(boto3_client(front_end, "kinesis").subscribe_to_shard(**asked)["EventStream"])
    stream.put_record(b"first", "k")
    next(events)
    clock.advance(seconds=6)
    stream.subscribe_to_shard(asked["ConsumerARN"], SHARD, "LATEST")

    with pytest.raises(EventStreamError, match="took over") as ended:
        next(events)
    assert ended.value.response["Error"]["Code"] == "ResourceInUseException"


def test_an_error_from_the_start_is_no_stream(wire, asked):
    refused = wire.kinesis("SubscribeToShard", {**asked, "ShardId": "shardId-000000000009"})
    assert refused.status == 400
    assert json.loads(refused.body)["__type"] == "ResourceNotFoundException"


def test_the_first_frame_is_the_answer_and_comes_at_once(wire, asked):
    answer = wire.kinesis("SubscribeToShard", asked)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    [first] = messages_of(answer.body.attempt())
    assert headers_of(first) == {":message-type": "event", ":event-type": "initial-response"}
    assert first["body"] == b"{}"
    assert answer.body.attempt() is None
    assert not answer.body.ended


def test_a_request_in_cbor_has_its_events_in_cbor(wire, stream, asked):
    stream.put_record(b"\x00\xff", "k")
    body = wire.cbor("SubscribeToShard", asked).body
    first, event = messages_of(body.attempt(), body.attempt())
    assert cbor2.loads(first["body"]) == {}
    assert event["headers"][":content-type"] == "application/x-amz-cbor-1.1"
    said = cbor2.loads(event["body"], semantic_decoders={1: lambda value, _: value})
    assert said["Records"][0]["Data"] == b"\x00\xff"


def test_whoever_leaves_is_told_no_more(wire, stream, asked):
    body = wire.kinesis("SubscribeToShard", asked).body
    body.attempt()
    body.close()
    stream.put_record(b"first", "k")
    assert body.ended
    assert body.attempt() is None


def test_a_closed_broker_ends_the_stream(wire, aws, asked):
    body = wire.kinesis("SubscribeToShard", asked).body
    body.attempt()
    aws.reset()
    [last] = messages_of(body.attempt())
    assert headers_of(last) == {
        ":message-type": "exception",
        ":exception-type": "InternalFailureException",
    }
    assert body.ended
