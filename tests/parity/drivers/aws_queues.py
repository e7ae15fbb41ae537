"""Queues through AWS's operations: the core's names in, AWS's requests out, and the core's values back."""

import json
from typing import NamedTuple

import attrs

from queuestream.core.clock import SECOND
from queuestream.core.queues.attributes import AWS_NAMES, PYTHON_NAMES, QueueAttributes
from queuestream.core.queues.batches import BatchFailure, BatchResult
from queuestream.core.queues.message_attributes import MessageAttribute
from queuestream.core.queues.move_tasks import MessageMoveTask
from queuestream.core.queues.pages import QueuePage
from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy


def present(**members):
    """A request without the members that were not given."""
    return {name: value for name, value in members.items() if value is not None}


@attrs.frozen
class Sent:
    """What `send` gives back."""

    message_id: str
    sequence_number: str | None
    md5_of_body: str
    md5_of_message_attributes: str | None
    md5_of_message_system_attributes: str | None

    @classmethod
    def of(cls, shape):
        return cls(
            shape["MessageId"],
            shape.get("SequenceNumber"),
            shape["MD5OfMessageBody"],
            shape.get("MD5OfMessageAttributes"),
            shape.get("MD5OfMessageSystemAttributes"),
        )


@attrs.frozen
class Received:
    """What `receive` gives back, for each message."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    sent_timestamp_ms: int
    first_received_timestamp_ms: int
    message_attributes: dict
    message_group_id: str | None
    message_deduplication_id: str | None
    sequence_number: str | None
    dead_letter_queue_source_arn: str | None
    aws_trace_header: str | None
    sender_id: str
    md5_of_body: str
    md5_of_message_attributes: str | None

    @classmethod
    def of(cls, shape):
        system = shape["Attributes"]
        return cls(
            shape["MessageId"],
            shape["ReceiptHandle"],
            shape["Body"],
            int(system["ApproximateReceiveCount"]),
            int(system["SentTimestamp"]),
            int(system["ApproximateFirstReceiveTimestamp"]),
            {name: _attribute(value) for name, value in shape.get("MessageAttributes", {}).items()},
            system.get("MessageGroupId"),
            system.get("MessageDeduplicationId"),
            system.get("SequenceNumber"),
            system.get("DeadLetterQueueSourceArn"),
            system.get("AWSTraceHeader"),
            system["SenderId"],
            shape["MD5OfBody"],
            shape.get("MD5OfMessageAttributes"),
        )


class Counts(NamedTuple):
    """What `counts` gives back."""

    visible: int
    in_flight: int
    delayed: int


class AwsQueues:
    """What a broker can do with queues, as a mix-in of an `AwsWay`."""

    def create_queue(self, queue_name, *, tags=None, **attributes):
        request = present(QueueName=queue_name, Attributes=_texts(attributes) or None, tags=tags)
        return AwsQueue(self, self.call("sqs", "CreateQueue", request)["QueueUrl"])

    def queue(self, queue_name):
        return AwsQueue(self, self.call("sqs", "GetQueueUrl", {"QueueName": queue_name})["QueueUrl"])

    def list_queues(self, *, queue_name_prefix=None, max_results=None, next_token=None):
        request = present(QueueNamePrefix=queue_name_prefix, MaxResults=max_results, NextToken=next_token)
        return self._page(self.call("sqs", "ListQueues", request), "QueueUrls")

    def start_message_move_task(
        self, source_arn, destination_arn=None, *, max_number_of_messages_per_second=None
    ):
        request = present(
            SourceArn=source_arn,
            DestinationArn=destination_arn,
            MaxNumberOfMessagesPerSecond=max_number_of_messages_per_second,
        )
        return self.call("sqs", "StartMessageMoveTask", request)["TaskHandle"]

    def list_message_move_tasks(self, source_arn, *, max_results=None):
        request = present(SourceArn=source_arn, MaxResults=max_results)
        results = self.call("sqs", "ListMessageMoveTasks", request).get("Results", [])
        return [
            MessageMoveTask(
                task_handle=task.get("TaskHandle"),
                status=task["Status"],
                source_arn=task["SourceArn"],
                destination_arn=task.get("DestinationArn"),
                max_number_of_messages_per_second=task.get("MaxNumberOfMessagesPerSecond"),
                approximate_number_of_messages_moved=task["ApproximateNumberOfMessagesMoved"],
                approximate_number_of_messages_to_move=task["ApproximateNumberOfMessagesToMove"],
                failure_reason=task.get("FailureReason"),
                started_timestamp_ms=task["StartedTimestamp"],
            )
            for task in results
        ]

    def cancel_message_move_task(self, task_handle):
        answer = self.call("sqs", "CancelMessageMoveTask", {"TaskHandle": task_handle})
        return answer["ApproximateNumberOfMessagesMoved"]

    def _page(self, answer, member):
        page = QueuePage(AwsQueue(self, url) for url in answer.get(member, []))
        page.next_token = answer.get("NextToken")
        return page


class AwsQueue:
    """A queue by its URL."""

    def __init__(self, way, url):
        self._way = way
        self.url = url
        self.name = url.rsplit("/", 1)[1]

    def _call(self, operation, **members):
        return self._way.call("sqs", operation, {"QueueUrl": self.url, **present(**members)})

    # --- messages ---

    def send(self, message_body, **parameters):
        return Sent.of(self._call("SendMessage", **_message(message_body, **parameters)))

    def send_batch(self, entries):
        shapes = [
            {"Id": entry_id, **present(**_message(**request))}
            for entry_id, request in _entries(entries, "message_body")
        ]
        return _batch_result(self._call("SendMessageBatch", Entries=shapes), Sent.of)

    def receive(
        self,
        *,
        max_number_of_messages=None,
        visibility_timeout=None,
        wait_time_seconds=None,
        message_attribute_names=("All",),
        receive_request_attempt_id=None,
    ):
        answer = self._call(
            "ReceiveMessage",
            MaxNumberOfMessages=max_number_of_messages,
            VisibilityTimeout=visibility_timeout,
            WaitTimeSeconds=wait_time_seconds,
            MessageAttributeNames=list(message_attribute_names),
            MessageSystemAttributeNames=["All"],
            ReceiveRequestAttemptId=receive_request_attempt_id,
        )
        return [Received.of(shape) for shape in answer.get("Messages", [])]

    def delete(self, receipt_handle):
        self._call("DeleteMessage", ReceiptHandle=_handle(receipt_handle))

    def delete_batch(self, entries):
        shapes = [
            {"Id": entry_id, "ReceiptHandle": _handle(request["receipt_handle"])}
            for entry_id, request in _entries(entries, "receipt_handle")
        ]
        return _batch_result(self._call("DeleteMessageBatch", Entries=shapes))

    def change_visibility(self, receipt_handle, visibility_timeout):
        self._call(
            "ChangeMessageVisibility",
            ReceiptHandle=_handle(receipt_handle),
            VisibilityTimeout=visibility_timeout,
        )

    def change_visibility_batch(self, entries):
        shapes = [
            {
                "Id": entry_id,
                "ReceiptHandle": _handle(request["receipt_handle"]),
                "VisibilityTimeout": request["visibility_timeout"],
            }
            for entry_id, request in _entries(entries, "receipt_handle", "visibility_timeout")
        ]
        return _batch_result(self._call("ChangeMessageVisibilityBatch", Entries=shapes))

    def purge(self):
        self._call("PurgeQueue")

    # --- the queue as a whole ---

    def delete_queue(self):
        self._call("DeleteQueue")

    def _attribute_texts(self, *names):
        return self._call("GetQueueAttributes", AttributeNames=list(names or ["All"])).get("Attributes", {})

    @property
    def arn(self):
        return self._attribute_texts("QueueArn")["QueueArn"]

    @property
    def is_fifo(self):
        return self.attributes.fifo_queue

    @property
    def created_ns(self):
        return int(self._attribute_texts("CreatedTimestamp")["CreatedTimestamp"]) * SECOND

    @property
    def last_modified_ns(self):
        return int(self._attribute_texts("LastModifiedTimestamp")["LastModifiedTimestamp"]) * SECOND

    @property
    def attributes(self):
        texts = self._attribute_texts()
        return QueueAttributes(
            **{PYTHON_NAMES[name]: _value(text) for name, text in texts.items() if name in PYTHON_NAMES},
            limits=self._way.queue_limits,
        )

    def set_attributes(self, **attributes):
        self._call("SetQueueAttributes", Attributes=_texts(attributes))

    def counts(self):
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        texts = self._attribute_texts(*names)
        return Counts(*(int(texts[name]) for name in names))

    @property
    def tags(self):
        return self._call("ListQueueTags").get("Tags", {})

    def tag(self, tags):
        self._call("TagQueue", Tags=tags)

    def untag(self, tag_keys):
        self._call("UntagQueue", TagKeys=list(tag_keys))

    def add_permission(self, label, aws_account_ids, actions):
        self._call("AddPermission", Label=label, AWSAccountIds=list(aws_account_ids), Actions=list(actions))

    def remove_permission(self, label):
        self._call("RemovePermission", Label=label)

    def list_dead_letter_source_queues(self, *, max_results=None, next_token=None):
        answer = self._call("ListDeadLetterSourceQueues", MaxResults=max_results, NextToken=next_token)
        return self._way._page(answer, "queueUrls")

    def start_message_move_task(self, destination_arn=None, *, max_number_of_messages_per_second=None):
        return self._way.start_message_move_task(
            self.arn, destination_arn, max_number_of_messages_per_second=max_number_of_messages_per_second
        )

    def list_message_move_tasks(self, *, max_results=None):
        return self._way.list_message_move_tasks(self.arn, max_results=max_results)


# --- from the core's values to AWS's, and back ---


def _message(
    message_body,
    delay_seconds=None,
    message_attributes=None,
    message_system_attributes=None,
    message_group_id=None,
    message_deduplication_id=None,
):
    return {
        "MessageBody": message_body,
        "DelaySeconds": delay_seconds,
        "MessageAttributes": _attribute_shapes(message_attributes),
        "MessageSystemAttributes": _attribute_shapes(message_system_attributes),
        "MessageGroupId": message_group_id,
        "MessageDeduplicationId": message_deduplication_id,
    }


def _attribute_shapes(attributes):
    if attributes is None:
        return None
    return {name: _attribute_shape(value) for name, value in attributes.items()}


def _attribute_shape(value):
    if not isinstance(value, MessageAttribute):
        kinds = {str: "String", bytes: "Binary"}
        kind = kinds.get(type(value), "Number")
        value = MessageAttribute(kind, value if kind in kinds.values() else str(value))
    member = "BinaryValue" if isinstance(value.value, bytes) else "StringValue"
    return {"DataType": value.data_type, member: value.value}


def _attribute(shape):
    value = shape["BinaryValue"] if "BinaryValue" in shape else shape["StringValue"]
    return MessageAttribute(shape["DataType"], value)


def _handle(handle):
    return handle.receipt_handle if hasattr(handle, "receipt_handle") else handle


def _entries(entries, *plain):
    """A batch's entries by id: dicts, or plain values in the order of the fields that are named."""
    for position, entry in enumerate(entries):
        if isinstance(entry, dict):
            yield entry["id"], {name: value for name, value in entry.items() if name != "id"}
        else:
            values = entry if len(plain) > 1 else (entry,)
            yield str(position), dict(zip(plain, values, strict=True))


def _batch_result(answer, of=lambda shape: None):
    return BatchResult(
        {shape["Id"]: of(shape) for shape in answer.get("Successful", [])},
        {
            shape["Id"]: BatchFailure(shape["Code"], shape["Message"], shape["SenderFault"])
            for shape in answer.get("Failed", [])
        },
    )


def _texts(attributes):
    return {AWS_NAMES.get(name, name): _text(value) for name, value in attributes.items()}


def _text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, RedrivePolicy | RedriveAllowPolicy):
        return value.to_json()
    return str(value)


def _value(text):
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if text.isdecimal() else text
