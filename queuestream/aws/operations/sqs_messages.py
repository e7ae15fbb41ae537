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
    from collections.abc import Callable, Iterable, Mapping

    from queuestream.aws.calls import Caller, Shape
    from queuestream.core.queues.batches import BatchResult
    from queuestream.core.queues.message import ReceivedMessage, SentMessage

_SYSTEM_ATTRIBUTES: dict[str, Callable[[ReceivedMessage], object]] = {
    "SenderId": lambda message: message.sender_id,
    "SentTimestamp": lambda message: message.sent_timestamp_ms,
    "ApproximateReceiveCount": lambda message: message.receive_count,
    "ApproximateFirstReceiveTimestamp": lambda message: message.first_received_timestamp_ms,
    "SequenceNumber": lambda message: message.sequence_number,
    "MessageDeduplicationId": lambda message: message.message_deduplication_id,
    "MessageGroupId": lambda message: message.message_group_id,
    "AWSTraceHeader": lambda message: message.aws_trace_header,
    "DeadLetterQueueSourceArn": lambda message: message.dead_letter_queue_source_arn,
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
    wait_time_seconds = get("WaitTimeSeconds")
    names = get("MessageAttributeNames")
    asked = get("MessageSystemAttributeNames") or ()
    if legacy := get("AttributeNames"):
        asked = (*asked, *legacy)
    system_attributes = _asked_for(asked) if asked else None
    max_number_of_messages = 1 if count is None else count
    # None at all by default, other than in the core; it is quickest where it is asked for all.
    message_attribute_names = names or ALL
    waits = wait_time_seconds
    if waits is None:
        waits = queue.attributes.receive_message_wait_time_seconds
    if waits:
        poll = LongPoll(
            queue,
            queue._check_receive(
                max_number_of_messages,
                get("VisibilityTimeout"),
                wait_time_seconds,
                message_attribute_names,
                get("ReceiveRequestAttemptId"),
            ),
        )
        return Later(poll, lambda received: _received_shape(received, system_attributes, names))
    received = queue.receive(
        max_number_of_messages=max_number_of_messages,
        visibility_timeout=get("VisibilityTimeout"),
        wait_time_seconds=wait_time_seconds,
        message_attribute_names=message_attribute_names,
        receive_request_attempt_id=get("ReceiveRequestAttemptId"),
    )
    return _received_shape(received, system_attributes, names)


def _asked_for(names: Iterable[str]) -> Mapping[str, Callable[[ReceivedMessage], object]]:
    """The system attributes of those names."""
    if "All" in names:
        return _SYSTEM_ATTRIBUTES
    for name in names:
        if name not in _SYSTEM_ATTRIBUTES:
            raise InvalidAttributeName(name)
    return {name: _SYSTEM_ATTRIBUTES[name] for name in names}


def _received_shape(
    received: list[ReceivedMessage],
    system_attributes: Mapping[str, Callable[[ReceivedMessage], object]] | None,
    names: object,
) -> Shape:
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
        if system_attributes is not None:
            attributes = {
                name: str(value)
                for name, of in system_attributes.items()
                if (value := of(message)) is not None
            }
            if attributes:
                shape["Attributes"] = attributes
        if names and message.message_attributes:
            shape["MD5OfMessageAttributes"] = message.md5_of_message_attributes
            shape["MessageAttributes"] = message_attribute_shapes(message.message_attributes)
        shapes.append(shape)
    return {"Messages": shapes}


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
