"""X-Ray's header: whose trace a message is sent with."""

import json

import pytest

TRACE = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
OTHER = "Root=1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture
def queue(aws):
    return aws.broker().create_queue("emails")


def traces(queue):
    return [message.aws_trace_header for message in queue.receive(max_number_of_messages=10)]


def test_a_message_is_sent_with_the_trace_of_its_request(wire, queue):
    wire.sqs("SendMessage", {"QueueUrl": "emails", "MessageBody": "a"}, x_amzn_trace_id=TRACE)
    entries = [{"Id": "b", "MessageBody": "b"}, {"Id": "c", "MessageBody": "c"}]
    wire.sqs("SendMessageBatch", {"QueueUrl": "emails", "Entries": entries}, x_amzn_trace_id=TRACE)
    assert traces(queue) == [TRACE] * 3


def test_so_it_is_in_the_query_protocol(wire, queue):
    body = b"Action=SendMessage&QueueUrl=emails&MessageBody=a"
    wire.ask(body=body, content_type="application/x-www-form-urlencoded", x_amzn_trace_id=TRACE)
    assert traces(queue) == [TRACE]


def test_a_trace_of_its_own_wins(wire, queue):
    own = {"AWSTraceHeader": {"DataType": "String", "StringValue": OTHER}}
    request = {"QueueUrl": "emails", "MessageBody": "a", "MessageSystemAttributes": own}
    wire.sqs("SendMessage", request, x_amzn_trace_id=TRACE)
    assert traces(queue) == [OTHER]


def test_what_is_no_trace_is_passed_over(wire, queue):
    sent = wire.sqs("SendMessage", {"QueueUrl": "emails", "MessageBody": "a"}, x_amzn_trace_id="hop=7")
    assert json.loads(sent.body)["MessageId"]
    assert traces(queue) == [None]
