"""The JSON protocols: where an operation's name is, what comes back, what is said about what is no JSON."""

import json

import pytest


def test_an_answer_is_json_in_the_version_of_its_service(wire, queue_url, stream):
    sent = wire.sqs("SendMessage", {"QueueUrl": queue_url, "MessageBody": "hello"})
    assert sent.status == 200
    assert sent.headers["content-type"] == "application/x-amz-json-1.0"
    assert json.loads(sent.body)["MD5OfMessageBody"] == "5d41402abc4b2a76b9719d911017c592"

    limits = wire.kinesis("DescribeLimits", {})
    assert limits.headers["content-type"] == "application/x-amz-json-1.1"
    assert json.loads(limits.body)["OpenShardCount"] == 1


def test_every_answer_has_an_id_of_its_own(wire):
    answers = [wire.sqs("ListQueues", {}), wire.sqs("ListQueues", b"{"), wire.get("/")]
    assert len({answer.headers["x-amzn-requestid"] for answer in answers}) == 3


def test_kinesis_has_a_second_id_of_72_bytes(wire):
    assert len(wire.kinesis("DescribeLimits", {}).headers["x-amz-id-2"]) == 96
    assert "x-amz-id-2" not in wire.sqs("ListQueues", {}).headers


def test_an_operation_that_says_nothing_is_answered_with_an_empty_body(wire, queue_url):
    assert wire.sqs("PurgeQueue", {"QueueUrl": queue_url}).body == b""
    assert wire.kinesis("CreateStream", {"StreamName": "clicks"}).body == b""


def test_an_operation_that_finds_nothing_is_answered_with_an_empty_object(wire, queue_url):
    assert wire.sqs("ReceiveMessage", {"QueueUrl": queue_url}).body == b"{}"


def test_an_error_of_sqs_says_the_older_name_of_itself_in_a_header(wire):
    refused = wire.sqs("GetQueueUrl", {"QueueName": "nobody"})
    assert refused.status == 400
    assert refused.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert json.loads(refused.body) == {
        "__type": "com.amazonaws.sqs#QueueDoesNotExist",
        "message": "The specified queue does not exist.",
    }


def test_an_error_of_kinesis_has_one_name(wire):
    refused = wire.kinesis("DescribeStream", {"StreamName": "nobody"})
    assert refused.status == 400
    assert "x-amzn-query-error" not in refused.headers
    assert json.loads(refused.body) == {
        "__type": "ResourceNotFoundException",
        "message": "Stream nobody under account 123456789012 not found.",
    }


def test_what_a_request_breaks_of_kinesis_constraints_is_said_in_one_sentence(wire):
    refused = json.loads(wire.kinesis("PutRecord", {"StreamName": "events", "PartitionKey": ""}).body)
    assert refused["__type"] == "ValidationException"
    assert refused["message"].startswith("2 validation errors detected: ")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"hello", b'"text"', b"null", b"\xff{}", b'{"a":NaN}', b"[" * 200_000]
)
def test_what_is_no_json_object_is_refused_without_a_word(wire, body):
    refused = wire.kinesis("ListStreams", body)
    assert refused.status == 400
    assert json.loads(refused.body) == {"__type": "SerializationException"}

    refused = wire.sqs("ListQueues", body)
    assert refused.status == 400
    assert refused.headers["x-amzn-query-error"] == "MalformedInput;Sender"
    assert json.loads(refused.body) == {"__type": "com.amazon.coral.service#SerializationException"}


def test_a_list_is_no_request(wire):
    assert json.loads(wire.kinesis("ListStreams", b"[]").body) == {
        "__type": "SerializationException",
        "Message": "Start of list found where not expected",
    }


@pytest.mark.parametrize(
    "target", ["Kinesis_20131202.NoSuch", "Kinesis_20131202.", "Kinesis_20131202", "", "É.é"]
)
def test_an_unknown_operation_of_kinesis_is_refused_without_a_word(wire, target):
    refused = wire.ask(body=b"{}", x_amz_target=target, content_type="application/x-amz-json-1.1")
    assert refused.status == 400
    assert json.loads(refused.body) == {"__type": "UnknownOperationException"}


def test_an_unknown_operation_of_sqs_is_called_an_invalid_action_in_the_header(wire):
    refused = wire.sqs("NoSuch", {})
    assert refused.status == 400
    assert refused.headers["x-amzn-query-error"] == "InvalidAction;Sender"
    assert json.loads(refused.body) == {"__type": "com.amazon.coral.service#UnknownOperationException"}


def test_no_target_at_all_is_an_unknown_operation(wire):
    for kind, service in (
        ("application/x-amz-json-1.0", "com.amazon.coral.service#"),
        ("application/x-amz-json-1.1", ""),
    ):
        refused = wire.ask(body=b"{}", content_type=kind)
        assert json.loads(refused.body) == {"__type": f"{service}UnknownOperationException"}


def test_an_operation_of_another_service_is_unknown(wire):
    refused = wire.ask(
        body=b"{}", x_amz_target="DynamoDB_20120810.ListTables", content_type="application/x-amz-json-1.0"
    )
    assert json.loads(refused.body) == {"__type": "com.amazon.coral.service#UnknownOperationException"}


def test_any_content_type_will_do_where_there_is_a_target(wire, queue_url):
    sent = wire.sqs(
        "SendMessage", {"QueueUrl": queue_url, "MessageBody": "x"}, content_type="application/json"
    )
    assert sent.status == 200


def test_half_a_surrogate_pair_in_a_sentence_becomes_a_question_mark(wire):
    refused = wire.kinesis("PutRecord", b'{"StreamName":"events","PartitionKey":"k","Data":"\\ud800aaa"}')
    assert json.loads(refused.body)["Message"].endswith("Invalid Base64 character: '?'")
