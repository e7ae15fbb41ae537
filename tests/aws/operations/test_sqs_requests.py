"""SQS' operations: what becomes of a request's members, and of members that are not there."""

import pytest

from queuestream import VirtualClock
from queuestream.aws.accounts import Aws
from queuestream.aws.calls import Caller
from queuestream.aws.models import input_shape
from queuestream.aws.operations.sqs import SQS
from queuestream.core.errors import (
    BrokerClosed,
    QueueDoesNotExist,
    ServiceError,
    UnsupportedOperation,
)


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock(), seed=1)


@pytest.fixture
def caller(aws):
    return Caller(aws)


@pytest.fixture
def queue_url(caller):
    return SQS["CreateQueue"](caller, {"QueueName": "emails"})["QueueUrl"]


ENTRIES = {
    "SendMessageBatch": [{"Id": "a", "MessageBody": "hello"}],
    "DeleteMessageBatch": [{"Id": "a", "ReceiptHandle": "handle"}],
    "ChangeMessageVisibilityBatch": [{"Id": "a", "ReceiptHandle": "handle", "VisibilityTimeout": 1}],
}
VALUES = {
    "Attributes": {"VisibilityTimeout": "1"},
    "Tags": {"team": "mail"},
    "TagKeys": ["team"],
    "Actions": ["SendMessage"],
    "AWSAccountIds": ["123456789012"],
    "VisibilityTimeout": 1,
}
# What SQS has sentences of its own for.
MISSING = {
    "QueueUrl": ("QueueDoesNotExist", "The specified queue does not exist."),
    "QueueName": (
        "InvalidParameterValue",
        "Value for parameter QueueName is invalid. Reason: Must specify a queue name.",
    ),
}
REQUIRED = [(name, member) for name in SQS for member in input_shape("sqs", name).required_members]


def complete(operation, queue_url):
    """A request with all that it must have."""
    return {
        member: queue_url
        if member == "QueueUrl"
        else ENTRIES[operation]
        if member == "Entries"
        else VALUES.get(member, "some-text")
        for member in input_shape("sqs", operation).required_members
    }


@pytest.mark.parametrize(("operation", "member"), REQUIRED)
def test_a_required_member_that_is_missing_is_named(caller, queue_url, operation, member):
    request = complete(operation, queue_url)
    asks_for_it = "MissingParameter", f"The request must contain the parameter {member}."
    code, message = MISSING.get(member, asks_for_it)
    for incomplete in ({**request, member: None}, {**request}):
        if incomplete[member] is not None:
            del incomplete[member]
        with pytest.raises(ServiceError) as refused:
            SQS[operation](caller, incomplete)
        assert (refused.value.code, refused.value.message) == (code, message)


def asked_of_a_new_queue(operation, *, optional):
    """What an operation answers, with its optional members left out or given as None."""
    caller = Caller(Aws(clock=VirtualClock(), seed=1))
    queue_url = SQS["CreateQueue"](caller, {"QueueName": "emails"})["QueueUrl"]
    members = dict.fromkeys(input_shape("sqs", operation).members) if optional else {}
    try:
        return SQS[operation](caller, {**members, **complete(operation, queue_url)})
    except ServiceError as refused:
        return refused.code, refused.message


@pytest.mark.parametrize("operation", SQS)
def test_optional_members_that_are_none_are_not_there(operation):
    assert asked_of_a_new_queue(operation, optional=True) == asked_of_a_new_queue(operation, optional=False)


@pytest.mark.parametrize("operation", sorted(ENTRIES))
@pytest.mark.parametrize("member", ["Id", "MessageBody", "ReceiptHandle", "VisibilityTimeout"])
def test_an_entry_without_a_member_is_no_crash(caller, queue_url, operation, member):
    entries = [{name: value for name, value in ENTRIES[operation][0].items() if name != member}]
    try:
        answer = SQS[operation](caller, {"QueueUrl": queue_url, "Entries": entries})
    except ServiceError:
        return
    assert answer.keys() <= {"Successful", "Failed"}


# --- queue URLs ---


def test_a_queue_belongs_to_the_account_that_its_url_names(aws, queue_url):
    stranger = Caller(aws, "999999999999")
    SQS["SendMessage"](stranger, {"QueueUrl": queue_url, "MessageBody": "hello"})
    assert aws.broker().queue("emails").counts().visible == 1
    assert SQS["ListQueues"](stranger, {}) == {}


def test_another_accounts_queue_is_found_by_its_owner(aws, queue_url):
    stranger = Caller(aws, "999999999999")
    request = {"QueueName": "emails", "QueueOwnerAWSAccountId": "123456789012"}
    assert SQS["GetQueueUrl"](stranger, request) == {"QueueUrl": queue_url}
    with pytest.raises(QueueDoesNotExist):
        SQS["GetQueueUrl"](stranger, {"QueueName": "emails"})


def test_an_account_that_nobody_has_used_has_no_queues(caller, queue_url):
    with pytest.raises(QueueDoesNotExist):
        SQS["GetQueueUrl"](caller, {"QueueName": "emails", "QueueOwnerAWSAccountId": "999999999999"})
    with pytest.raises(QueueDoesNotExist):
        SQS["PurgeQueue"](caller, {"QueueUrl": queue_url.replace("123456789012", "999999999999")})


@pytest.mark.parametrize("url", ["", "/emails", "https://sqs.us-east-1.amazonaws.com/123456789012/"])
def test_what_is_no_queue_url_names_no_queue(caller, queue_url, url):
    with pytest.raises(QueueDoesNotExist):
        SQS["ReceiveMessage"](caller, {"QueueUrl": url})


def test_regions_are_apart(aws, queue_url):
    with pytest.raises(QueueDoesNotExist):
        SQS["PurgeQueue"](Caller(aws, region="eu-west-1"), {"QueueUrl": queue_url})


def test_urls_begin_with_the_callers_endpoint(aws):
    caller = Caller(aws, base_url="http://localhost:4566")
    answer = SQS["CreateQueue"](caller, {"QueueName": "emails"})
    assert answer == {"QueueUrl": "http://localhost:4566/123456789012/emails"}
    SQS["SendMessage"](caller, {**answer, "MessageBody": "hello"})


def test_a_deleted_queue_that_was_made_again_is_the_new_one(aws, caller, queue_url):
    SQS["SendMessage"](caller, {"QueueUrl": queue_url, "MessageBody": "old"})
    SQS["DeleteQueue"](caller, {"QueueUrl": queue_url})
    with pytest.raises(QueueDoesNotExist):
        SQS["SendMessage"](caller, {"QueueUrl": queue_url, "MessageBody": "lost"})
    aws.clock.advance(seconds=60)
    SQS["CreateQueue"](caller, {"QueueName": "emails"})
    assert SQS["ReceiveMessage"](caller, {"QueueUrl": queue_url}) == {}


def test_after_a_reset_a_url_names_nothing(aws, caller, queue_url):
    SQS["SendMessage"](caller, {"QueueUrl": queue_url, "MessageBody": "old"})
    aws.reset()
    with pytest.raises(QueueDoesNotExist):
        SQS["SendMessage"](caller, {"QueueUrl": queue_url, "MessageBody": "lost"})


def test_a_closed_broker_takes_no_calls(aws, caller, queue_url):
    SQS["SendMessage"](caller, {"QueueUrl": queue_url, "MessageBody": "hello"})
    aws.broker().close("it was closed")
    with pytest.raises(BrokerClosed):
        SQS["SendMessage"](caller, {"QueueUrl": queue_url, "MessageBody": "hello"})


def test_a_caller_forgets_queues_when_there_are_too_many(caller):
    for number in range(1_001):
        url = SQS["CreateQueue"](caller, {"QueueName": f"q-{number}"})["QueueUrl"]
        SQS["SendMessage"](caller, {"QueueUrl": url, "MessageBody": "hello"})
    assert len(caller._queues) == 1


# --- message attributes ---


def test_lists_of_values_are_reserved_for_future_use(caller, queue_url):
    attributes = {"a": {"DataType": "String", "StringListValues": ["x"]}}
    with pytest.raises(UnsupportedOperation):
        SQS["SendMessage"](
            caller, {"QueueUrl": queue_url, "MessageBody": "x", "MessageAttributes": attributes}
        )


def test_empty_lists_of_values_are_passed_over(caller, queue_url):
    attributes = {
        "a": {"DataType": "String", "StringValue": "x", "StringListValues": [], "BinaryListValues": []}
    }
    SQS["SendMessage"](caller, {"QueueUrl": queue_url, "MessageBody": "x", "MessageAttributes": attributes})


@pytest.mark.parametrize(
    "shape", [{}, {"DataType": "String"}, {"DataType": "Binary", "StringValue": "x"}, {"StringValue": "x"}]
)
def test_an_attribute_that_lacks_something_is_refused(caller, queue_url, shape):
    with pytest.raises(ServiceError) as refused:
        SQS["SendMessage"](
            caller, {"QueueUrl": queue_url, "MessageBody": "x", "MessageAttributes": {"a": shape}}
        )
    assert refused.value.code == "InvalidParameterValue"
