"""SQS as it was modelled while SDKs spoke the query protocol with it, as far as the tests speak it.

Written down from the API Reference, since botocore's present model describes JSON only.
"""

from botocore.model import ServiceModel


def _list(member, name):
    return {"type": "list", "member": {"shape": member, "locationName": name}, "flattened": True}


def _map(value, key_name="Name", value_name="Value"):
    return {
        "type": "map",
        "key": {"shape": "String", "locationName": key_name},
        "value": {"shape": value, "locationName": value_name},
        "flattened": True,
    }


def _structure(**members):
    shapes = {name: of if isinstance(of, dict) else {"shape": of} for name, of in members.items()}
    return {"type": "structure", "members": shapes}


def _named(shape, name):
    return {"shape": shape, "locationName": name}


_SENT = {
    "MessageId": "String",
    "MD5OfMessageBody": "String",
    "MD5OfMessageAttributes": "String",
    "MD5OfMessageSystemAttributes": "String",
    "SequenceNumber": "String",
}
_MESSAGE = {
    "MessageBody": "String",
    "DelaySeconds": "Integer",
    "MessageAttributes": _named("MessageAttributes", "MessageAttribute"),
    "MessageSystemAttributes": _named("MessageAttributes", "MessageSystemAttribute"),
    "MessageDeduplicationId": "String",
    "MessageGroupId": "String",
}
_SHAPES = {
    "String": {"type": "string"},
    "Integer": {"type": "integer"},
    "Long": {"type": "long"},
    "Boolean": {"type": "boolean"},
    "Binary": {"type": "blob"},
    "Attributes": _map("String"),
    "TagMap": _map("String", "Key", "Value"),
    "MessageAttributes": _map("MessageAttributeValue"),
    "MessageAttributeValue": _structure(StringValue="String", BinaryValue="Binary", DataType="String"),
    "AttributeNames": _list("String", "AttributeName"),
    "MessageAttributeNames": _list("String", "MessageAttributeName"),
    "TagKeys": _list("String", "TagKey"),
    "QueueUrls": _list("String", "QueueUrl"),
    "CreateQueueRequest": _structure(
        QueueName="String", Attributes=_named("Attributes", "Attribute"), tags=_named("TagMap", "Tag")
    ),
    "CreateQueueResult": _structure(QueueUrl="String"),
    "SendMessageRequest": _structure(QueueUrl="String", **_MESSAGE),
    "SendMessageResult": _structure(**_SENT),
    "SendMessageBatchRequest": _structure(QueueUrl="String", Entries="SendEntries"),
    "SendEntries": _list("SendEntry", "SendMessageBatchRequestEntry"),
    "SendEntry": _structure(Id="String", **_MESSAGE),
    "SendMessageBatchResult": _structure(Successful="SentEntries", Failed="FailedEntries"),
    "SentEntries": _list("SentEntry", "SendMessageBatchResultEntry"),
    "SentEntry": _structure(Id="String", **_SENT),
    "FailedEntries": _list("FailedEntry", "BatchResultErrorEntry"),
    "FailedEntry": _structure(Id="String", SenderFault="Boolean", Code="String", Message="String"),
    "ReceiveMessageRequest": _structure(
        QueueUrl="String",
        AttributeNames="AttributeNames",
        MessageAttributeNames="MessageAttributeNames",
        MaxNumberOfMessages="Integer",
        VisibilityTimeout="Integer",
    ),
    "ReceiveMessageResult": _structure(Messages="Messages"),
    "Messages": _list("Message", "Message"),
    "Message": _structure(
        MessageId="String",
        ReceiptHandle="String",
        MD5OfBody="String",
        Body="String",
        Attributes=_named("Attributes", "Attribute"),
        MD5OfMessageAttributes="String",
        MessageAttributes=_named("MessageAttributes", "MessageAttribute"),
    ),
    "GetQueueAttributesRequest": _structure(QueueUrl="String", AttributeNames="AttributeNames"),
    "GetQueueAttributesResult": _structure(Attributes=_named("Attributes", "Attribute")),
    "ListQueuesRequest": _structure(QueueNamePrefix="String", MaxResults="Integer"),
    "ListQueuesResult": _structure(QueueUrls="QueueUrls", NextToken="String"),
    "UntagQueueRequest": _structure(QueueUrl="String", TagKeys="TagKeys"),
    "ListQueueTagsRequest": _structure(QueueUrl="String"),
    "ListQueueTagsResult": _structure(Tags=_named("TagMap", "Tag")),
    "ListMessageMoveTasksRequest": _structure(SourceArn="String"),
    "ListMessageMoveTasksResult": _structure(Results="MoveTasks"),
    "MoveTasks": _list("MoveTask", "ListMessageMoveTasksResultEntry"),
    "MoveTask": _structure(
        TaskHandle="String",
        Status="String",
        SourceArn="String",
        DestinationArn="String",
        MaxNumberOfMessagesPerSecond="Integer",
        ApproximateNumberOfMessagesMoved="Long",
        ApproximateNumberOfMessagesToMove="Long",
        FailureReason="String",
        StartedTimestamp="Long",
    ),
}
_OPERATIONS = [name.removesuffix("Request") for name in _SHAPES if name.endswith("Request")]


def query_model():
    """AWS's service model as a client of the query protocol had it."""
    operations = {}
    for name in _OPERATIONS:
        operations[name] = {
            "name": name,
            "http": {"method": "POST", "requestUri": "/"},
            "input": {"shape": f"{name}Request"},
        }
        if f"{name}Result" in _SHAPES:
            operations[name]["output"] = {"shape": f"{name}Result", "resultWrapper": f"{name}Result"}
    metadata = {
        "apiVersion": "2012-11-05",
        "endpointPrefix": "sqs",
        "protocol": "query",
        "protocols": ["query"],
        "serviceId": "SQS",
        "signatureVersion": "v4",
    }
    return ServiceModel({"metadata": metadata, "operations": operations, "shapes": _SHAPES}, "sqs")
