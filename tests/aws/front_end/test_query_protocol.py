"""The query protocol of SQS: form posts, GETs on queue URLs, flattened lists and maps, answers in XML."""

import pytest
from wires import xml, xml_error

PATH = "/123456789012/emails"
OF_TWO = {
    "MessageBody": "hello",
    "MessageAttribute.1.Name": "colour",
    "MessageAttribute.1.Value.DataType": "String",
}


def attributes(queue):
    return {name: attribute.value for name, attribute in queue.receive()[0].message_attributes.items()}


# --- where it is asked ---


def test_an_answer_says_its_operation_and_the_request(wire, queue):
    answer = wire.get(PATH, Action="SendMessage", MessageBody="hello", Version="2012-11-05")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml"
    assert answer.body.startswith(
        b'<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
    )
    name, [(result, members), (metadata, [(request_id, value)])] = xml(answer)
    assert (name, result, metadata, request_id) == (
        "SendMessageResponse",
        "SendMessageResult",
        "ResponseMetadata",
        "RequestId",
    )
    assert dict(members)["MD5OfMessageBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert value == answer.headers["x-amzn-requestid"]


def test_a_queue_is_asked_at_its_url_or_by_name_of_it(wire, queue, queue_url):
    assert wire.form(PATH, Action="SendMessage", MessageBody="1").status == 200
    assert wire.form("/", Action="SendMessage", MessageBody="2", QueueUrl=queue_url).status == 200
    assert wire.ask("POST", PATH, "Action=SendMessage&MessageBody=3").status == 200
    assert [queue.receive()[0].body for _ in range(3)] == ["1", "2", "3"]


def test_a_queue_url_among_the_parameters_goes_before_that_of_the_path(wire, queue, queue_url):
    wire.get("/123456789012/another", Action="SendMessage", MessageBody="hello", QueueUrl=queue_url)
    assert queue.receive()[0].body == "hello"


def test_an_operation_that_says_nothing_has_no_result(wire, queue):
    name, parts = xml(wire.get(PATH, Action="PurgeQueue"))
    assert name == "PurgeQueueResponse"
    assert [part for part, _ in parts] == ["ResponseMetadata"]


def test_a_result_of_nothing_is_an_empty_element(wire, queue):
    assert b"<ReceiveMessageResult/>" in wire.get(PATH, Action="ReceiveMessage").body


def test_queue_urls_name_the_host_that_was_asked(wire):
    answer = wire.form(Action="CreateQueue", QueueName="orders")
    assert b"<QueueUrl>http://localhost:4566/123456789012/orders</QueueUrl>" in answer.body


# --- lists and maps ---


def test_a_map_is_numbered_names_and_values(wire, aws):
    wire.form(
        Action="CreateQueue",
        QueueName="orders",
        **{
            "Attribute.1.Name": "DelaySeconds",
            "Attribute.1.Value": "7",
            "Attribute.2.Name": "VisibilityTimeout",
            "Attribute.2.Value": "60",
            "Tag.1.Key": "team",
            "Tag.1.Value": "a&b",
        },
    )
    queue = aws.broker().queue("orders")
    assert (queue.attributes.delay_seconds, queue.attributes.visibility_timeout) == (7, 60)
    assert queue.tags == {"team": "a&b"}


def test_a_single_entry_needs_no_number(wire, queue):
    parameters = {"Attribute.Name": "VisibilityTimeout", "Attribute.Value": "35"}
    wire.get(PATH, Action="SetQueueAttributes", **parameters)
    assert queue.attributes.visibility_timeout == 35
    assert b"<Value>35</Value>" in wire.get(PATH, Action="GetQueueAttributes", AttributeName="All").body


def test_tags_may_be_called_as_the_older_botocore_calls_them(wire, queue):
    wire.get(PATH, Action="TagQueue", **{"Tags.1.Key": "team", "Tags.1.Value": "a"})
    wire.get(PATH, Action="TagQueue", **{"Tag.1.Key": "size", "Tag.1.Value": "b"})
    wire.get(PATH, Action="UntagQueue", **{"TagKey.1": "team"})
    assert queue.tags == {"size": "b"}


def test_message_attributes_are_structures_in_a_map(wire, queue):
    more = {
        "MessageAttribute.1.Value.StringValue": "red",
        "MessageAttribute.2.Name": "raw",
        "MessageAttribute.2.Value.DataType": "Binary",
        "MessageAttribute.2.Value.BinaryValue": "AP8=",
    }
    assert wire.form(PATH, Action="SendMessage", **OF_TWO, **more).status == 200
    assert attributes(queue) == {"colour": "red", "raw": b"\x00\xff"}


def test_a_batch_is_a_list_of_structures_in_the_order_of_its_numbers(wire, queue):
    entries = {
        f"SendMessageBatchRequestEntry.{number}.{name}": value
        for number in (10, 2, 1)
        for name, value in {"Id": f"id{number}", "MessageBody": f"body {number}"}.items()
    }
    answer = xml(wire.form(PATH, Action="SendMessageBatch", **entries))
    [_, [(_, results), _]] = answer
    assert [dict(entry)["Id"] for name, entry in results if name == "SendMessageBatchResultEntry"] == [
        "id1",
        "id2",
        "id10",
    ]
    assert [queue.receive()[0].body for _ in range(3)] == ["body 1", "body 2", "body 10"]


def test_what_fails_of_a_batch_is_listed_after_what_does_not(wire, queue):
    handle = "DeleteMessageBatchRequestEntry.1.ReceiptHandle"
    answer = wire.form(
        PATH, Action="DeleteMessageBatch", **{"DeleteMessageBatchRequestEntry.1.Id": "a", handle: "x"}
    )
    [_, [(_, [(name, failure)]), _]] = xml(answer)
    assert name == "BatchResultErrorEntry"
    assert dict(failure)["SenderFault"] == "true"
    assert dict(failure)["Code"] == "ReceiptHandleIsInvalid"


def test_an_empty_parameter_is_an_empty_list(wire, queue):
    refused = wire.form(PATH, Action="SendMessageBatch", SendMessageBatchRequestEntry="")
    assert xml_error(refused)["Code"] == "AWS.SimpleQueueService.EmptyBatchRequest"


def test_what_is_received_is_shown_with_all_its_attributes(wire, queue):
    wire.form(PATH, Action="SendMessage", **OF_TWO, **{"MessageAttribute.1.Value.StringValue": "red"})
    answer = wire.get(
        PATH, Action="ReceiveMessage", **{"MessageAttributeName.1": "All", "AttributeName.1": "SenderId"}
    )
    [_, [(_, [(name, members)]), _]] = xml(answer)
    assert name == "Message"
    assert ("Attribute", [("Name", "SenderId"), ("Value", "123456789012")]) in members
    assert (
        "MessageAttribute",
        [("Name", "colour"), ("Value", [("StringValue", "red"), ("DataType", "String")])],
    ) in members


@pytest.mark.parametrize("body", ["<&>\"'", '"&quot;&quot;\r', "a\r\nb\tc", "ünïcødé 😀", "  "])
def test_a_body_comes_back_as_it_was_sent(wire, queue, body):
    wire.form(PATH, Action="SendMessage", MessageBody=body)
    [_, [(_, [(_, members)]), _]] = xml(wire.get(PATH, Action="ReceiveMessage"))
    assert dict(members)["Body"] == body


# --- what is refused ---


def test_an_error_says_whose_fault_it_is(wire):
    refused = wire.get("/123456789012/nobody", Action="GetQueueAttributes")
    assert refused.status == 400
    assert xml_error(refused) == {
        "Type": "Sender",
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "Message": "The specified queue does not exist for this wsdl version.",
        "Detail": "",
    }


def test_an_action_that_nobody_knows(wire, queue):
    refused = wire.get(PATH, Action="FooBar", Version="2012-11-05")
    assert refused.status == 400
    assert xml_error(refused)["Code"] == "InvalidAction"
    assert xml_error(refused)["Message"] == "The action FooBar is not valid for this endpoint."


@pytest.mark.parametrize("action", ["CreateQueue", "ListQueues"])
def test_a_single_queue_is_not_asked_about_all(wire, queue, action):
    refused = wire.get(PATH, Action=action, QueueName="another")
    assert xml_error(refused)["Message"] == f"The action {action} is not valid for this endpoint."
    assert wire.get(PATH, Action="GetQueueUrl", QueueName="emails").status == 200


def test_no_action_at_all_is_unknown_to_the_framework(wire, queue):
    for path in ("/", PATH, "/robots.txt"):
        refused = wire.get(path)
        assert refused.status == 404
        assert refused.body == b"<UnknownOperationException/>\n"
        assert "content-type" not in refused.headers


def test_an_address_that_is_no_queues(wire):
    for path in ("/", "/emails", "/a/b/c"):
        refused = wire.get(path, Action="SendMessage", MessageBody="hello")
        assert refused.status == 404
        assert xml_error(refused)["Code"] == "InvalidAddress"
        assert (
            xml_error(refused)["Message"]
            == f"The address http://localhost:4566{path} is not valid for this endpoint."
        )


def test_a_missing_parameter(wire, queue):
    refused = wire.get(PATH, Action="SendMessage")
    assert refused.status == 400
    assert xml_error(refused)["Code"] == "MissingParameter"
    assert xml_error(refused)["Message"] == "The request must contain the parameter MessageBody."


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"DelaySeconds": "soon"}, "STRING_VALUE can not be converted to an Integer"),
        ({"DelaySeconds": "1_0"}, "STRING_VALUE can not be converted to an Integer"),
        ({"DelaySeconds.1": "5"}, "Start of structure or map found where not expected."),
        ({"MessageAttribute": "x"}, "Expected map or null"),
        ({"MessageAttribute.1": "x"}, "Expected map or null"),
        ({"MessageAttribute.1.Name": "a", "MessageAttribute.1.Value": "x"}, "Expected null"),
    ],
)
def test_a_parameter_of_another_type(wire, queue, parameters, sentence):
    refused = wire.form(PATH, Action="SendMessage", MessageBody="hello", **parameters)
    assert refused.status == 400
    assert xml_error(refused)["Code"] == "MalformedInput"
    assert xml_error(refused)["Message"] == sentence
    assert queue.counts().visible == 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"Colour": "red", "Colour.1.Shade": "dark"},
        {"MessageAttribute.1.Name.x": "a", "MessageAttribute.1.Value.DataType": "String"},
        {"MessageAttribute.1.Value.DataType": "String"},
        {"MessageAttribute.1.Name": "a"},
        {
            "MessageAttribute.x.Name": "a",
            "MessageAttribute.9999999.Name": "a",
            "MessageAttribute.-1.Name": "a",
        },
        {"MessageAttribute": ""},
        {"." * 10_000: "a", "": "b"},
    ],
)
def test_parameters_that_lead_nowhere_are_ignored(wire, queue, parameters):
    assert wire.form(PATH, Action="SendMessage", MessageBody="hello", **parameters).status == 200
    assert queue.receive()[0].message_attributes == {}


def test_where_a_name_is_a_value_and_a_path_it_is_the_path(wire, queue):
    for order in (1, -1):
        parameters = [("AttributeName", "Foo"), ("AttributeName.1", "QueueArn")][::order]
        answer = wire.get(PATH, Action="GetQueueAttributes", **dict(parameters))
        assert b"<Name>QueueArn</Name>" in answer.body


def test_an_empty_number_is_none(wire, queue):
    assert wire.form(PATH, Action="SendMessage", MessageBody="hello", DelaySeconds="").status == 200


def test_more_parameters_than_any_request_has(wire, queue):
    assert wire.ask("GET", PATH, "&".join(["a=b"] * 20_000)).status == 400


def test_what_xml_cannot_say_is_replaced_in_sentences(wire, queue):
    refused = wire.get(PATH, Action="GetQueueAttributes", **{"AttributeName.1": "\x00\x1b<"})
    assert xml_error(refused)["Code"] == "InvalidAttributeName"
