"""The SQS operations on messages: send, receive, delete, change the visibility, and their batches.

They are what a program does a million times, so they do little: what the core gives is shown under AWS's
names, with the digests that AWS adds.  A receive that waits is a `Later`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.aws.calls import Later
from queuestream.aws.operations.sqs_requests import message_attribute_shapes, message_attributes, required
from queuestream.core.errors import InvalidAttributeName
from queuestream.core.queues.message import md5_of
from queuestream.core.queues.message_attributes import ALL
from queuestream.core.queues.polling import LongPoll

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.calls import Caller, Shape
    from queuestream.core.queues.batches import BatchResult
    from queuestream.core.queues.message import ReceivedMessage, SentMessage

_SYSTEM_ATTRIBUTES = {
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    # The API reference names it among these; it is an attribute of queues, and no message has it.
    "SqsManagedSseEnabled",
}


# --- sending ---


def send_message(caller: Caller, request: Shape) -> Shape:
    """SQS SendMessage."""
    get = request.get
    queue = caller.queue(get("QueueUrl"))
    if len(request) == 2 and (body := get("MessageBody")) is not None:
        return _sent_shape(queue.send(body))
    return _sent_shape(queue.send(**_parameters(request)))


def _parameters(request: Shape) -> dict[str, Any]:
    """The parameters of a message, of a request or an entry of a batch, under the core's names."""
    get = request.get
    return {
        "message_body": get("MessageBody"),
        "delay_seconds": get("DelaySeconds"),
        "message_attributes": message_attributes(get("MessageAttributes")),
        "message_system_attributes": message_attributes(get("MessageSystemAttributes")),
        "message_group_id": get("MessageGroupId"),
        "message_deduplication_id": get("MessageDeduplicationId"),
    }


def _sent_shape(sent: SentMessage) -> Shape:
    shape = {"MD5OfMessageBody": sent.md5_of_body, "MessageId": sent.message_id}
    if (digest := sent.md5_of_message_attributes) is not None:
        shape["MD5OfMessageAttributes"] = digest
    if (digest := sent.md5_of_message_system_attributes) is not None:
        shape["MD5OfMessageSystemAttributes"] = digest
    if sent.sequence_number is not None:
        shape["SequenceNumber"] = sent.sequence_number
    return shape


def send_message_batch(caller: Caller, request: Shape) -> Shape:
    """SQS SendMessageBatch."""
    queue = caller.queue(request.get("QueueUrl"))
    entries = [{"id": entry.get("Id"), **_parameters(entry)} for entry in required(request, "Entries")]
    return _batch_shape(queue.send_batch(entries), _sent_shape)


def _batch_shape(result: BatchResult[Any], shape: Callable[[Any], Shape] | None = None) -> Shape:
    """What became of a batch."""
    answer: Shape = {}
    if result.successful:
        answer["Successful"] = [
            {"Id": entry_id} if shape is None else {"Id": entry_id, **shape(done)}
            for entry_id, done in result.successful.items()
        ]
    if result.failed:
        answer["Failed"] = [
            {
                "Id": entry_id,
                "SenderFault": failure.sender_fault,
                "Code": failure.code,
                "Message": failure.message,
            }
            for entry_id, failure in result.failed.items()
        ]
    return answer


# --- receiving ---


def receive_message(caller: Caller, request: Shape) -> Shape | Later:
    """SQS ReceiveMessage."""
    get = request.get
    queue = caller.queue(get("QueueUrl"))
    count = get("MaxNumberOfMessages")
    if count is None:
        count = 1
    wait_time_seconds = get("WaitTimeSeconds")
    names = get("MessageAttributeNames")
    asked = get("MessageSystemAttributeNames")
    if legacy := get("AttributeNames"):
        asked = [*(asked or ()), *legacy]
    if asked:
        _check_system_attributes(asked)
    # The queue's own waiting time is None where it is about to change, and has to be looked at closely.
    if (queue._wait_time_seconds if wait_time_seconds is None else wait_time_seconds) != 0:
        checked = queue._check_receive(
            count, get("VisibilityTimeout"), wait_time_seconds, names or ALL, get("ReceiveRequestAttemptId")
        )
        return Later(LongPoll(queue, checked), lambda received: _received_shape(received, asked, names))
    received = queue.receive(
        max_number_of_messages=count,
        visibility_timeout=get("VisibilityTimeout"),
        wait_time_seconds=wait_time_seconds,
        # None of them by default, other than in the core, where asking for all is the quickest.
        message_attribute_names=names or ALL,
        receive_request_attempt_id=get("ReceiveRequestAttemptId"),
    )
    return _received_shape(received, asked, names)


def _check_system_attributes(names: list[str]) -> None:
    for name in names:
        if name != "All" and name not in _SYSTEM_ATTRIBUTES:
            raise InvalidAttributeName(name)


def _received_shape(
    received: list[ReceivedMessage], asked: list[str] | None, names: list[str] | None
) -> Shape:
    """Messages with the system attributes and the message attributes that were asked for."""
    if not received:
        return {}
    shapes = []
    for message in received:
        body = message.body
        shape: Shape = {
            "MessageId": message.message_id,
            "ReceiptHandle": message.receipt_handle,
            "MD5OfBody": md5_of(body),
            "Body": body,
        }
        if asked and (attributes := _system_attributes(message, asked)):
            shape["Attributes"] = attributes
        if names and message.message_attributes:
            shape["MD5OfMessageAttributes"] = message.md5_of_message_attributes
            shape["MessageAttributes"] = message_attribute_shapes(message.message_attributes)
        shapes.append(shape)
    return {"Messages": shapes}


def _system_attributes(message: ReceivedMessage, asked: list[str]) -> dict[str, str]:
    known = (
        ("SenderId", message.sender_id),
        ("SentTimestamp", message.sent_timestamp_ms),
        ("ApproximateReceiveCount", message.receive_count),
        ("ApproximateFirstReceiveTimestamp", message.first_received_timestamp_ms),
        ("SequenceNumber", message.sequence_number),
        ("MessageDeduplicationId", message.message_deduplication_id),
        ("MessageGroupId", message.message_group_id),
        ("AWSTraceHeader", message.aws_trace_header),
        ("DeadLetterQueueSourceArn", message.dead_letter_queue_source_arn),
    )
    return {
        name: str(value) for name, value in known if value is not None and (name in asked or "All" in asked)
    }


# --- what a receiver does with a message ---


def delete_message(caller: Caller, request: Shape) -> None:
    """SQS DeleteMessage."""
    get = request.get
    caller.queue(get("QueueUrl")).delete(get("ReceiptHandle"))  # type: ignore[arg-type]  # the core says so


def delete_message_batch(caller: Caller, request: Shape) -> Shape:
    """SQS DeleteMessageBatch."""
    queue = caller.queue(request.get("QueueUrl"))
    entries = [
        {"id": entry.get("Id"), "receipt_handle": entry.get("ReceiptHandle")}
        for entry in required(request, "Entries")
    ]
    return _batch_shape(queue.delete_batch(entries))


def change_message_visibility(caller: Caller, request: Shape) -> None:
    """SQS ChangeMessageVisibility."""
    caller.queue(request.get("QueueUrl")).change_visibility(
        required(request, "ReceiptHandle"), required(request, "VisibilityTimeout")
    )


def change_message_visibility_batch(caller: Caller, request: Shape) -> Shape:
    """SQS ChangeMessageVisibilityBatch."""
    queue = caller.queue(request.get("QueueUrl"))
    entries = [
        {
            "id": entry.get("Id"),
            "receipt_handle": entry.get("ReceiptHandle"),
            "visibility_timeout": entry.get("VisibilityTimeout"),
        }
        for entry in required(request, "Entries")
    ]
    return _batch_shape(queue.change_visibility_batch(entries))
