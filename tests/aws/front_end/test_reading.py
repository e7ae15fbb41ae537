"""From wire values to requests: types, what is left out, and AWS's sentences about what has another type.

The sentences were seen at AWS's services that share this framework; those about base64 are older.
"""

from datetime import UTC, datetime

import pytest

from queuestream.aws.front_end.errors import SerializationException
from queuestream.aws.front_end.reading import request_reader
from queuestream.aws.operations import OPERATIONS

LIST = "Start of list found where not expected"
MAP = "Start of structure or map found where not expected."


def refusal_of(service, operation, value, **kwargs):
    with pytest.raises(SerializationException) as refused:
        request_reader(service, operation, **kwargs)(value)
    return refused.value.message


def test_every_operation_can_be_read():
    for service, operations in OPERATIONS.items():
        for operation in operations:
            for cbor in (False, True):
                assert request_reader(service, operation, cbor=cbor)({}) == {}


def test_blobs_are_decoded_and_timestamps_are_times():
    assert request_reader("kinesis", "PutRecord")({"Data": "aGk=", "PartitionKey": "k"}) == {
        "Data": b"hi",
        "PartitionKey": "k",
    }
    read = request_reader("kinesis", "GetShardIterator")({"Timestamp": 1459799926.25})
    assert read == {"Timestamp": datetime(2016, 4, 4, 19, 58, 46, 250_000, UTC)}


def test_in_cbor_blobs_are_bytes_and_timestamps_milliseconds():
    assert request_reader("kinesis", "PutRecord", cbor=True)({"Data": b"hi"}) == {"Data": b"hi"}
    read = request_reader("kinesis", "GetShardIterator", cbor=True)({"Timestamp": 1459799926250})
    assert read == {"Timestamp": datetime(2016, 4, 4, 19, 58, 46, 250_000, UTC)}


def test_unknown_members_and_nulls_are_left_out_everywhere():
    entries = [{"Id": "1", "MessageBody": "x", "DelaySeconds": None, "Colour": "red"}]
    given = {"QueueUrl": "q", "Entries": entries, "Unknown": 1, "__type": "x"}
    assert request_reader("sqs", "SendMessageBatch")(given) == {
        "QueueUrl": "q",
        "Entries": [{"Id": "1", "MessageBody": "x"}],
    }
    assert request_reader("sqs", "TagQueue")({"Tags": {"a": "b", "c": None}}) == {"Tags": {"a": "b"}}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (5, "NUMBER_VALUE can not be converted to a String"),
        (5.5, "NUMBER_VALUE can not be converted to a String"),
        (True, "TRUE_VALUE can not be converted to a String"),
        (False, "FALSE_VALUE can not be converted to a String"),
        ([], LIST),
        ({}, MAP),
    ],
)
def test_a_string_is_a_string(value, sentence):
    assert refusal_of("sqs", "SendMessage", {"MessageBody": value}) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("5", "STRING_VALUE can not be converted to an Integer"),
        (True, "TRUE_VALUE can not be converted to an Integer"),
        ([1], LIST),
        ({"a": 1}, MAP),
        (float("inf"), "NUMBER_VALUE can not be converted to an Integer"),
    ],
)
def test_an_integer_is_a_number(value, sentence):
    assert refusal_of("sqs", "SendMessage", {"DelaySeconds": value}) == sentence


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (5.9, 5),
        (-0.5, 0),
        (2**31 - 1, 2**31 - 1),
        (2**31, 2**31 - 1),
        (-(2**40), -(2**31)),
        (1e300, 2**31 - 1),
    ],
)
def test_an_integer_is_cut_off_to_what_java_can_hold(value, read):
    assert request_reader("sqs", "SendMessage")({"DelaySeconds": value}) == {"DelaySeconds": read}


@pytest.mark.parametrize(("value", "read"), [(True, True), ("true", True), ("No", False), ("0", False)])
def test_a_boolean_may_be_a_word(value, read):
    given = {"EnforceConsumerDeletion": value}
    assert request_reader("kinesis", "DeleteStream")(given) == {"EnforceConsumerDeletion": read}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("perhaps", "STRING_VALUE can not be converted to an Boolean"),
        (1, "NUMBER_VALUE can not be converted to an Boolean"),
        ([], LIST),
        ({}, MAP),
    ],
)
def test_a_boolean_is_no_number(value, sentence):
    assert refusal_of("kinesis", "DeleteStream", {"EnforceConsumerDeletion": value}) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (True, "TRUE_VALUE can not be converted to a Blob"),
        (5, "NUMBER_VALUE can not be converted to a Blob"),
        ([], LIST),
        ({}, MAP),
        (
            "23456",
            (
                "'23456' can not be converted to a Blob: "
                "Base64 encoded length is expected a multiple of 4 bytes but found: 5"
            ),
        ),
        ("=+/=", "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='"),
        ("aaé=", "'aaé=' can not be converted to a Blob: Invalid Base64 character: 'é'"),
        ("+/+=", "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected"),
        ("a+==", "'a+==' can not be converted to a Blob: Invalid last non-pad Base64 character dectected"),
    ],
)
def test_a_blob_is_base64_to_the_last_bit(value, sentence):
    assert refusal_of("kinesis", "PutRecord", {"Data": value}) == sentence


@pytest.mark.parametrize(("value", "read"), [("", b""), ("YQ==", b"a"), ("YWI=", b"ab"), ("YWJj", b"abc")])
def test_base64_of_every_length(value, read):
    assert request_reader("kinesis", "PutRecord")({"Data": value}) == {"Data": read}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("x", "STRING_VALUE can not be converted to milliseconds since epoch"),
        (True, "TRUE_VALUE can not be converted to milliseconds since epoch"),
        ([], LIST),
        (1e300, ""),
        (10**30, ""),
    ],
)
def test_a_timestamp_is_a_number_of_this_age(value, sentence):
    assert refusal_of("kinesis", "GetShardIterator", {"Timestamp": value}) == sentence


@pytest.mark.parametrize(
    ("operation", "value", "sentence"),
    [
        ("ReceiveMessage", {"AttributeNames": "All"}, "Expected list or null"),
        ("ReceiveMessage", {"AttributeNames": 5}, "Expected list or null"),
        ("ReceiveMessage", {"AttributeNames": {}}, MAP),
        ("ReceiveMessage", {"AttributeNames": [None]}, ""),
        ("ReceiveMessage", {"AttributeNames": [["All"]]}, LIST),
        ("TagQueue", {"Tags": "a"}, "Expected map or null"),
        ("TagQueue", {"Tags": []}, LIST),
        ("TagQueue", {"Tags": {"a": 5}}, "NUMBER_VALUE can not be converted to a String"),
        ("SendMessageBatch", {"Entries": ["a"]}, "Expected null"),
        ("SendMessageBatch", {"Entries": [[]]}, LIST),
        ("SendMessage", [], LIST),
        ("SendMessage", "x", ""),
        ("SendMessage", None, ""),
    ],
)
def test_lists_maps_and_structures_are_not_mistaken_for_each_other(operation, value, sentence):
    assert refusal_of("sqs", operation, value) == sentence
