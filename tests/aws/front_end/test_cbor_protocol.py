"""Kinesis' CBOR protocol, as the Java SDK speaks it."""

import json

import cbor2
import pytest
from wires import CBOR


def answer_of(response):
    """What a CBOR answer says, times as numbers."""
    return cbor2.loads(response.body, semantic_decoders={1: lambda value, _: value})


def test_blobs_are_bytes_and_timestamps_milliseconds(wire, stream, clock):
    put = wire.cbor("PutRecord", {"StreamName": "events", "PartitionKey": "k", "Data": b"\x00\xff"})
    assert put.status == 200
    assert put.headers["content-type"] == CBOR
    assert answer_of(put)["ShardId"] == "shardId-000000000000"

    at = {"StreamName": "events", "ShardId": "shardId-000000000000", "ShardIteratorType": "AT_TIMESTAMP"}
    now_ms = clock.now_ns() // 1_000_000
    iterator = answer_of(wire.cbor("GetShardIterator", {**at, "Timestamp": cbor2.CBORTag(1, now_ms)}))
    [record] = answer_of(wire.cbor("GetRecords", {"ShardIterator": iterator["ShardIterator"]}))["Records"]
    assert record["Data"] == b"\x00\xff"
    assert record["ApproximateArrivalTimestamp"] == now_ms
    assert isinstance(record["ApproximateArrivalTimestamp"], int)


def test_an_answer_says_the_same_as_in_json(wire, stream):
    in_cbor = answer_of(wire.cbor("DescribeStream", {"StreamName": "events"}))
    in_json = json.loads(wire.kinesis("DescribeStream", {"StreamName": "events"}).body)
    created = in_json["StreamDescription"].pop("StreamCreationTimestamp")
    assert in_cbor["StreamDescription"].pop("StreamCreationTimestamp") == round(created * 1_000)
    assert in_cbor == in_json


def test_an_operation_that_says_nothing_is_answered_with_an_empty_body(wire):
    assert wire.cbor("CreateStream", {"StreamName": "clicks"}).body == b""


def test_errors_are_in_cbor_too(wire):
    refused = wire.cbor("DescribeStream", {"StreamName": "nobody"})
    assert refused.status == 400
    assert refused.headers["content-type"] == CBOR
    assert answer_of(refused)["__type"] == "ResourceNotFoundException"


def test_an_unknown_operation_is_refused_without_a_word(wire):
    for target in ("Kinesis_20131202.NoSuch", "AmazonSQS.ListQueues", ""):
        refused = wire.ask(body=b"\xa0", x_amz_target=target, content_type=CBOR)
        assert refused.status == 400
        assert answer_of(refused) == {"__type": "UnknownOperationException"}
    assert answer_of(wire.ask(body=b"\xa0", content_type=CBOR)) == {"__type": "UnknownOperationException"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xbf",  # a map without an end
        b"\xff",  # an end without a beginning
        b"\xa1\x61\xff\x01",  # a key that isn't UTF-8
        b"\xa1\x01\x02",  # a key that isn't a text
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",  # a list longer than memory
        b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",  # a text longer than memory
        b"\x81" * 100_000,
        b"\xc1" * 100_000 + b"\x00",
        b"\xf6",
        b"\xf7",
        b"\x18",
    ],
)
def test_what_is_no_cbor_of_a_request_is_refused(wire, body):
    refused = wire.cbor("ListStreams", body)
    assert refused.status == 400
    assert answer_of(refused)["__type"] == "SerializationException"


def test_no_tag_means_anything_but_the_timestamps(wire):
    """Some tags would have cbor2 build expressions, fractions or cycles of what a client sends."""
    for tag in [*range(300), 1004, 43_000, 55_799, 2**63]:
        value = {"StreamName": "events", "ExclusiveStartStreamName": cbor2.CBORTag(tag, "x")}
        refused = wire.cbor("ListStreams", value)
        if tag != 1:
            assert refused.status == 400, tag
            assert answer_of(refused) == {"__type": "SerializationException"}, tag


@pytest.mark.parametrize("value", [1.5, True, [], {}, b"x", cbor2.undefined, cbor2.CBORSimpleValue(9)])
def test_a_text_is_a_text(wire, value):
    refused = wire.cbor("DescribeStream", {"StreamName": value})
    assert answer_of(refused)["__type"] == "SerializationException"
