"""What AWS answers about queues, as the core's values.

AWS says when in milliseconds, and of a queue in seconds; the core's values have nanoseconds, which end in
zeros here.  Digests are compared: a message that was damaged on its way is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.aws.operations.sqs_attributes import attribute_values
from queuestream.aws.remote.failures import service_error
from queuestream.aws.remote.queue_requests import NO_LIMITS
from queuestream.core.clock import MILLISECOND
from queuestream.core.errors import DigestMismatch
from queuestream.core.queues.attributes import PYTHON_NAMES, QueueAttributes
from queuestream.core.queues.batches import BatchFailure, BatchResult
from queuestream.core.queues.consistency import Counts
from queuestream.core.queues.message import ReceivedMessage, SentMessage
from queuestream.core.queues.message_attributes import TRACE_HEADER, MessageAttribute
from queuestream.core.queues.move_tasks import MessageMoveTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from queuestream.core.queues.message_attributes import MessageAttributes

Answer = dict[str, Any]

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def sent_message(
    answer: Answer, body: str, attributes: MessageAttributes | None, system: MessageAttributes | None
) -> SentMessage:
    """What `send` gives.

    Raises:
        DigestMismatch: AWS has taken in something else.
    """
    header = str(system[TRACE_HEADER].value) if system and TRACE_HEADER in system else None
    sent = SentMessage(answer["MessageId"], answer.get("SequenceNumber"), body, attributes, header)
    _compare(sent.message_id, "body", answer.get("MD5OfMessageBody"), sent.md5_of_body)
    if attributes:
        _compare(
            sent.message_id,
            "message attributes",
            answer.get("MD5OfMessageAttributes"),
            sent.md5_of_message_attributes,
        )
    if header is not None:
        _compare(
            sent.message_id,
            "message system attributes",
            answer.get("MD5OfMessageSystemAttributes"),
            sent.md5_of_message_system_attributes,
        )
    return sent


def received_message(shape: Answer) -> ReceivedMessage:
    """A message that `receive` gives.

    Raises:
        DigestMismatch: AWS has sent something else.
    """
    system = shape.get("Attributes", {})
    message = ReceivedMessage(
        message_id=shape["MessageId"],
        receipt_handle=shape["ReceiptHandle"],
        body=shape["Body"],
        receive_count=int(system["ApproximateReceiveCount"]),
        sent_ns=int(system["SentTimestamp"]) * MILLISECOND,
        first_received_ns=int(system["ApproximateFirstReceiveTimestamp"]) * MILLISECOND,
        message_attributes=_message_attributes(shape.get("MessageAttributes", {})),
        message_group_id=system.get("MessageGroupId"),
        message_deduplication_id=system.get("MessageDeduplicationId"),
        sequence_number=system.get("SequenceNumber"),
        dead_letter_queue_source_arn=system.get("DeadLetterQueueSourceArn"),
        aws_trace_header=system.get(TRACE_HEADER),
        sender_id=system.get("SenderId", ""),
    )
    _compare(message.message_id, "body", shape.get("MD5OfBody"), message.md5_of_body)
    if message.message_attributes:
        _compare(
            message.message_id,
            "message attributes",
            shape.get("MD5OfMessageAttributes"),
            message.md5_of_message_attributes,
        )
    return message


def _message_attributes(shapes: Mapping[str, Answer]) -> MessageAttributes:
    return {
        name: MessageAttribute(
            shape["DataType"], shape["BinaryValue"] if "BinaryValue" in shape else shape["StringValue"]
        )
        for name, shape in shapes.items()
    }


def _compare(message_id: str, part: str, theirs: str | None, ours: str | None) -> None:
    """Hold two digests against each other; what speaks as AWS does has not always one."""
    if theirs is not None and theirs != ours:
        raise DigestMismatch(message_id, part)


def batch_result(
    answer: Answer, ids: Iterable[str], value: Callable[[str, Answer], Any] = lambda _id, _entry: None
) -> BatchResult[Any]:
    """What became of a batch, in the order of the request."""
    done = {entry["Id"]: entry for entry in answer.get("Successful", ())}
    not_done = {entry["Id"]: entry for entry in answer.get("Failed", ())}
    result: BatchResult[Any] = BatchResult({}, {})
    for entry_id in ids:
        if entry_id in done:
            try:
                result.successful[entry_id] = value(entry_id, done[entry_id])
            except DigestMismatch as mismatch:
                failure = BatchFailure("DigestMismatch", str(mismatch), sender_fault=False)
                result.failed[entry_id] = failure
        elif entry_id in not_done:
            result.failed[entry_id] = _failure(not_done[entry_id])
    return result


def _failure(entry: Answer) -> BatchFailure:
    error = service_error(entry.get("Code", ""), entry.get("Message", ""))
    return BatchFailure(error.code, error.message, entry.get("SenderFault", True))


def queue_attributes(texts: Mapping[str, str]) -> QueueAttributes:
    """A queue's settings."""
    settings = {name: text for name, text in texts.items() if name in PYTHON_NAMES}
    return QueueAttributes(**attribute_values(settings), limits=NO_LIMITS)


def counts(texts: Mapping[str, str]) -> Counts:
    """How many messages AWS thinks there are."""
    return Counts(*(int(texts.get(name, 0)) for name in COUNTS))


def move_task(shape: Answer) -> MessageMoveTask:
    """What `list_message_move_tasks` says of a task."""
    return MessageMoveTask(
        task_handle=shape.get("TaskHandle"),
        status=shape["Status"],
        source_arn=shape["SourceArn"],
        destination_arn=shape.get("DestinationArn"),
        max_number_of_messages_per_second=shape.get("MaxNumberOfMessagesPerSecond"),
        approximate_number_of_messages_moved=shape.get("ApproximateNumberOfMessagesMoved", 0),
        approximate_number_of_messages_to_move=shape.get("ApproximateNumberOfMessagesToMove", 0),
        failure_reason=shape.get("FailureReason"),
        started_timestamp_ms=shape["StartedTimestamp"],
    )
