"""SQS' operations: what an answer holds, member by member."""

import asyncio
import hashlib
import threading

import pytest

from queuestream import VirtualClock
from queuestream.aws.accounts import Aws
from queuestream.aws.calls import Caller, Later
from queuestream.aws.operations.sqs import SQS
from queuestream.core.errors import InvalidAttributeName, InvalidAttributeValue

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock(start=1_000_000_000.5), seed=1)


@pytest.fixture
def call(aws):
    caller = Caller(aws)
    return lambda operation, **request: SQS[operation](caller, request)


@pytest.fixture
def url(call):
    return call("CreateQueue", QueueName="emails")["QueueUrl"]


@pytest.fixture
def fifo_url(call):
    return call("CreateQueue", QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


# --- sending ---


def test_a_sent_message_has_an_id_and_a_digest_and_nothing_else(call, url):
    answer = call("SendMessage", QueueUrl=url, MessageBody="hello")
    assert answer == {"MessageId": answer["MessageId"], "MD5OfMessageBody": md5("hello")}


def test_a_sent_message_with_everything_has_every_digest_and_a_number(call, fifo_url):
    answer = call(
        "SendMessage",
        QueueUrl=fifo_url,
        MessageBody="hello",
        MessageGroupId="a",
        MessageDeduplicationId="1",
        MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}},
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
    )
    assert answer.keys() == {
        "MessageId",
        "MD5OfMessageBody",
        "MD5OfMessageAttributes",
        "MD5OfMessageSystemAttributes",
        "SequenceNumber",
    }


def test_a_batch_without_failures_has_no_member_for_them(call, url):
    answer = call("SendMessageBatch", QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}])
    [sent] = answer["Successful"]
    assert answer.keys() == {"Successful"}
    assert sent == {"Id": "a", "MessageId": sent["MessageId"], "MD5OfMessageBody": md5("x")}


def test_a_batch_without_successes_has_no_member_for_them(call, url):
    entries = [{"Id": "a", "ReceiptHandle": "made up"}]
    assert call("DeleteMessageBatch", QueueUrl=url, Entries=entries) == {
        "Failed": [
            {
                "Id": "a",
                "SenderFault": True,
                "Code": "ReceiptHandleIsInvalid",
                "Message": 'The input receipt handle "made up" is not a valid receipt handle.',
            }
        ]
    }


# --- receiving ---


def test_a_receive_of_nothing_is_an_empty_answer(call, url):
    assert call("ReceiveMessage", QueueUrl=url) == {}


def test_a_received_message_has_no_attributes_that_were_not_asked_for(call, url):
    attributes = {"n": {"DataType": "Number", "StringValue": "1"}}
    call("SendMessage", QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    [message] = call("ReceiveMessage", QueueUrl=url)["Messages"]
    assert message.keys() == {"MessageId", "ReceiptHandle", "Body", "MD5OfBody"}


def test_message_attributes_are_shown_as_they_were_sent(call, url):
    attributes = {
        "n": {"DataType": "Number.int", "StringValue": "1"},
        "b": {"DataType": "Binary", "BinaryValue": b"\0"},
    }
    sent = call("SendMessage", QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    [message] = call("ReceiveMessage", QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]


def test_names_that_no_attribute_has_give_no_member(call, url):
    attributes = {"n": {"DataType": "Number", "StringValue": "1"}}
    call("SendMessage", QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    [message] = call("ReceiveMessage", QueueUrl=url, MessageAttributeNames=["other"])["Messages"]
    assert message.keys() == {"MessageId", "ReceiptHandle", "Body", "MD5OfBody"}


@pytest.mark.parametrize("member", ["AttributeNames", "MessageSystemAttributeNames"])
def test_all_system_attributes_are_those_that_there_are(call, url, member):
    call("SendMessage", QueueUrl=url, MessageBody="hello")
    [message] = call("ReceiveMessage", QueueUrl=url, **{member: ["All"]})["Messages"]
    assert message["Attributes"] == {
        "SenderId": "123456789012",
        "SentTimestamp": "1000000000500",
        "ApproximateReceiveCount": "1",
        "ApproximateFirstReceiveTimestamp": "1000000000500",
    }


def test_a_fifo_queues_messages_have_more_of_them(call, fifo_url):
    call(
        "SendMessage",
        QueueUrl=fifo_url,
        MessageBody="hello",
        MessageGroupId="a",
        MessageDeduplicationId="1",
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
    )
    names = ["MessageGroupId", "MessageDeduplicationId", "AWSTraceHeader"]
    [message] = call("ReceiveMessage", QueueUrl=fifo_url, MessageSystemAttributeNames=names)["Messages"]
    assert message["Attributes"] == {
        "MessageGroupId": "a",
        "MessageDeduplicationId": "1",
        "AWSTraceHeader": TRACE,
    }


def test_both_lists_of_names_count_together(call, url):
    call("SendMessage", QueueUrl=url, MessageBody="hello")
    [message] = call(
        "ReceiveMessage",
        QueueUrl=url,
        AttributeNames=["SenderId"],
        MessageSystemAttributeNames=["ApproximateReceiveCount"],
    )["Messages"]
    assert message["Attributes"].keys() == {"SenderId", "ApproximateReceiveCount"}


def test_system_attributes_that_a_message_lacks_give_no_member(call, url):
    call("SendMessage", QueueUrl=url, MessageBody="hello")
    [message] = call("ReceiveMessage", QueueUrl=url, AttributeNames=["SequenceNumber"])["Messages"]
    assert "Attributes" not in message


def test_a_system_attribute_that_does_not_exist_is_refused(call, url):
    call("SendMessage", QueueUrl=url, MessageBody="hello")
    with pytest.raises(InvalidAttributeName, match=r"Unknown Attribute Colour\."):
        call("ReceiveMessage", QueueUrl=url, AttributeNames=["SenderId", "Colour"])
    assert call("GetQueueAttributes", QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]) == {
        "Attributes": {"ApproximateNumberOfMessages": "1"}
    }


# --- waiting ---


def test_a_receive_that_waits_is_an_answer_to_wait_for(aws, call, url):
    call("SendMessage", QueueUrl=url, MessageBody="hello", DelaySeconds=5)
    later = call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
    assert isinstance(later, Later)
    began_ns = aws.clock.now_ns()
    [message] = later.now(aws.clock)["Messages"]
    assert message["Body"] == "hello"
    assert aws.clock.now_ns() == began_ns + 5 * 10**9


def test_a_task_can_wait_for_it(aws, call, url):
    call("SendMessage", QueueUrl=url, MessageBody="hello", DelaySeconds=5)

    async def receive():
        return await call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20).now_async(aws.clock)

    assert asyncio.run(receive())["Messages"][0]["Body"] == "hello"


def test_a_wait_that_ends_with_nothing_is_an_empty_answer(aws, call, url):
    assert call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20).now(aws.clock) == {}


def test_a_queue_that_makes_every_receive_wait_answers_later(aws, call):
    url = call("CreateQueue", QueueName="patient", Attributes={"ReceiveMessageWaitTimeSeconds": "3"})[
        "QueueUrl"
    ]
    assert call("ReceiveMessage", QueueUrl=url).now(aws.clock) == {}
    assert call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=0) == {}


def test_who_sends_wakes_who_waits(aws, call, url):
    found = []
    later = call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["SenderId"])
    thread = threading.Thread(target=lambda: found.append(later.now(aws.clock)))
    thread.start()
    call("SendMessage", QueueUrl=url, MessageBody="hello")
    thread.join()
    [message] = found[0]["Messages"]
    assert (message["Body"], message["Attributes"]) == ("hello", {"SenderId": "123456789012"})


# --- attributes of queues ---


def test_all_attributes_of_a_standard_queue(call, url):
    assert call("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"] == {
        "QueueArn": "arn:aws:sqs:us-east-1:123456789012:emails",
        "CreatedTimestamp": "1000000000",
        "LastModifiedTimestamp": "1000000000",
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "VisibilityTimeout": "30",
        "DelaySeconds": "0",
        "MessageRetentionPeriod": "345600",
        "MaximumMessageSize": "1048576",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }


def test_a_fifo_queue_has_four_more(call, url, fifo_url):
    standard = call("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    fifo = call("GetQueueAttributes", QueueUrl=fifo_url, AttributeNames=["All"])["Attributes"]
    assert {name: fifo[name] for name in fifo.keys() - standard.keys()} == {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
    }


def test_policies_are_shown_as_json(call, url):
    dead = call("CreateQueue", QueueName="dead")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:dead"
    redrive = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}'
    allow = '{"redrivePermission":"denyAll"}'
    call("SetQueueAttributes", QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    call("SetQueueAttributes", QueueUrl=dead, Attributes={"RedriveAllowPolicy": allow})
    assert call("GetQueueAttributes", QueueUrl=url, AttributeNames=["RedrivePolicy"]) == {
        "Attributes": {"RedrivePolicy": redrive}
    }
    assert call("GetQueueAttributes", QueueUrl=dead, AttributeNames=["RedriveAllowPolicy"]) == {
        "Attributes": {"RedriveAllowPolicy": allow}
    }


def test_attributes_that_are_not_set_are_left_out(call, url):
    names = ["Policy", "RedrivePolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "FifoQueue"]
    assert call("GetQueueAttributes", QueueUrl=url, AttributeNames=names) == {}
    assert call("GetQueueAttributes", QueueUrl=url) == {}


def test_the_period_of_a_key_is_shown_where_there_is_a_key(call, url):
    call("SetQueueAttributes", QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
    assert call("GetQueueAttributes", QueueUrl=url, AttributeNames=names)["Attributes"] == {
        "KmsMasterKeyId": "alias/aws/sqs",
        "KmsDataKeyReusePeriodSeconds": "300",
        "SqsManagedSseEnabled": "false",
    }


def test_an_attribute_that_does_not_exist_is_refused(call, url):
    with pytest.raises(InvalidAttributeName, match=r"Unknown Attribute Colour\."):
        call("GetQueueAttributes", QueueUrl=url, AttributeNames=["All", "Colour"])


@pytest.mark.parametrize("name", ["QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages", "All", ""])
def test_an_attribute_that_can_only_be_read_is_not_set(call, url, name):
    with pytest.raises(InvalidAttributeName):
        call("SetQueueAttributes", QueueUrl=url, Attributes={name: "1"})


@pytest.mark.parametrize(
    "text", ["", "thirty", "30.0", "3_0", " 30", "0x1e", "\u0663\u0660", "9" * 5_000, "true"]
)
def test_a_text_that_is_no_number_is_refused(call, url, text):
    with pytest.raises(InvalidAttributeValue, match=r"Invalid value for the parameter VisibilityTimeout\."):
        call("SetQueueAttributes", QueueUrl=url, Attributes={"VisibilityTimeout": text})


@pytest.mark.parametrize("text", ["", "yes", "1"])
def test_a_text_that_is_no_truth_value_is_refused(call, url, text):
    with pytest.raises(InvalidAttributeValue, match="SqsManagedSseEnabled"):
        call("SetQueueAttributes", QueueUrl=url, Attributes={"SqsManagedSseEnabled": text})


@pytest.mark.parametrize("text", ["false", "False"])
def test_truth_values_are_taken_in_any_case(call, url, text):
    call("SetQueueAttributes", QueueUrl=url, Attributes={"SqsManagedSseEnabled": text})
    names = ["SqsManagedSseEnabled"]
    assert call("GetQueueAttributes", QueueUrl=url, AttributeNames=names)["Attributes"] == {
        "SqsManagedSseEnabled": "false"
    }


def test_a_standard_queue_is_not_asked_for_by_saying_that_it_is_no_fifo_queue(call):
    with pytest.raises(InvalidAttributeName, match=r"Unknown Attribute FifoQueue\."):
        call("CreateQueue", QueueName="emails", Attributes={"FifoQueue": "false"})


# --- lists, tags and tasks ---


def test_lists_of_nothing(call, url):
    assert call("ListQueues", QueueNamePrefix="other") == {}
    assert call("ListQueueTags", QueueUrl=url) == {}
    assert call("ListDeadLetterSourceQueues", QueueUrl=url) == {"queueUrls": []}
    arn = "arn:aws:sqs:us-east-1:123456789012:emails"
    assert call("ListMessageMoveTasks", SourceArn=arn) == {}


def test_a_page_of_queues_has_a_token_for_the_next(call, url, fifo_url):
    page = call("ListQueues", MaxResults=1)
    assert page["QueueUrls"] == [url]
    assert call("ListQueues", MaxResults=1, NextToken=page["NextToken"]) == {"QueueUrls": [fifo_url]}


def test_a_move_task_shows_what_there_is_to_say(aws, call, url):
    arn = "arn:aws:sqs:us-east-1:123456789012:emails"
    policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":1}}'
    call("CreateQueue", QueueName="source", Attributes={"RedrivePolicy": policy})
    handle = call("StartMessageMoveTask", SourceArn=arn)["TaskHandle"]
    task = {
        "Status": "RUNNING",
        "SourceArn": arn,
        "ApproximateNumberOfMessagesMoved": 0,
        "ApproximateNumberOfMessagesToMove": 0,
        "StartedTimestamp": 1_000_000_000_500,
    }
    assert call("ListMessageMoveTasks", SourceArn=arn) == {"Results": [{"TaskHandle": handle, **task}]}
    assert call("CancelMessageMoveTask", TaskHandle=handle) == {"ApproximateNumberOfMessagesMoved": 0}
    assert call("ListMessageMoveTasks", SourceArn=arn) == {"Results": [{**task, "Status": "CANCELLED"}]}
