"""The query protocol's answers in JSON: every member of the older model, null where there is nothing."""

import json
from urllib.parse import urlencode

import pytest
from wires import FORM

PATH = "/123456789012/emails"


@pytest.fixture
def ask(wire):
    """Ask for JSON; what is said, and what it is said in."""

    def ask(path=PATH, accept="application/json", **parameters):
        return wire.ask("GET", path, urlencode(parameters), accept=accept)

    return ask


def result(response, operation):
    [(name, said)] = json.loads(response.body).items()
    assert name == f"{operation}Response"
    assert said["ResponseMetadata"] == {"RequestId": response.headers["x-amzn-requestid"]}
    return said[f"{operation}Result"]


def test_an_answer_says_all_that_the_operation_may_say(ask, queue):
    answer = ask(Action="SendMessage", MessageBody="hello")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    said = result(answer, "SendMessage")
    assert list(said.items()) == [
        ("MD5OfMessageAttributes", None),
        ("MD5OfMessageBody", "5d41402abc4b2a76b9719d911017c592"),
        ("MD5OfMessageSystemAttributes", None),
        ("MessageId", queue.receive()[0].message_id),
        ("SequenceNumber", None),
    ]


def test_messages_and_their_attributes_are_lists(ask, queue):
    more = {
        "MessageAttribute.1.Name": "raw",
        "MessageAttribute.1.Value.DataType": "Binary",
        "MessageAttribute.1.Value.BinaryValue": "AP8=",
    }
    ask(Action="SendMessage", MessageBody='a\r"b"', **more)
    names = {"AttributeName.1": "ApproximateReceiveCount", "MessageAttributeName.1": "All"}
    [message] = result(ask(Action="ReceiveMessage", **names), "ReceiveMessage")["messages"]
    assert message["Body"] == 'a\r"b"'
    assert message["Attributes"] == [{"Name": "ApproximateReceiveCount", "Value": "1"}]
    [attribute] = message["MessageAttributes"]
    assert attribute["Name"] == "raw"
    assert {name: value for name, value in attribute["Value"].items() if value is not None} == {
        "BinaryValue": "AP8=",
        "DataType": "Binary",
    }


def test_where_no_message_is_there_the_messages_are_null(ask, queue):
    assert result(ask(Action="ReceiveMessage"), "ReceiveMessage") == {"messages": None}


def test_queues_are_listed_under_the_name_of_the_older_model(ask, queue, queue_url):
    assert result(ask("/", Action="ListQueues"), "ListQueues") == {
        "NextToken": None,
        "queueUrls": [queue_url],
    }


def test_the_attributes_of_a_queue_are_names_and_values(ask, queue):
    parameters = {"AttributeName.1": "VisibilityTimeout", "AttributeName.2": "DelaySeconds"}
    said = result(ask(Action="GetQueueAttributes", **parameters), "GetQueueAttributes")
    assert sorted(said["Attributes"], key=lambda attribute: attribute["Name"]) == [
        {"Name": "DelaySeconds", "Value": "0"},
        {"Name": "VisibilityTimeout", "Value": "30"},
    ]


def test_an_operation_that_says_nothing_has_no_result(ask, queue):
    answer = ask(Action="PurgeQueue")
    metadata = {"RequestId": answer.headers["x-amzn-requestid"]}
    assert json.loads(answer.body) == {"PurgeQueueResponse": {"ResponseMetadata": metadata}}


def test_an_error_says_its_code_message_and_whose_fault_it_was(ask, queue):
    refused = ask(Action="ListQueues")
    assert (refused.status, refused.headers["content-type"]) == (400, "application/json")
    assert json.loads(refused.body) == {
        "Error": {
            "Code": "InvalidAction",
            "Message": "The action ListQueues is not valid for this endpoint.",
            "Type": "Sender",
        },
        "RequestId": refused.headers["x-amzn-requestid"],
    }


def test_a_queue_that_is_not_there_is_missed_in_the_words_of_the_query_protocol(ask):
    error = json.loads(ask(Action="PurgeQueue").body)["Error"]
    assert error["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert error["Message"] == "The specified queue does not exist for this wsdl version."


def test_a_form_is_answered_in_json_too(wire, queue):
    body = urlencode({"Action": "SendMessage", "MessageBody": "hello"}).encode()
    answer = wire.ask("POST", PATH, body=body, content_type=FORM, accept="application/json")
    assert result(answer, "SendMessage")["MessageId"] == queue.receive()[0].message_id


@pytest.mark.parametrize("accept", ["Application/JSON; charset=utf-8", "application/json, text/plain, */*"])
def test_json_is_said_to_who_would_rather_have_it(ask, queue, accept):
    assert ask(accept=accept, Action="PurgeQueue").headers["content-type"] == "application/json"


@pytest.mark.parametrize("accept", ["*/*", "", "text/xml", "text/html, application/json;q=0.9"])
def test_everybody_else_is_answered_in_xml(ask, queue, accept):
    assert ask(accept=accept, Action="PurgeQueue").headers["content-type"] == "text/xml"


def test_a_request_for_nothing_is_answered_in_xml_all_the_same(ask, queue):
    refused = ask()
    assert (refused.status, refused.body) == (404, b"<UnknownOperationException/>\n")
