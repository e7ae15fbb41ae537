"""The operations of Amazon SQS in one table: those on queues are here, on messages in `sqs_messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.operations.sqs_attributes import attribute_texts, attribute_values
from queuestream.aws.operations.sqs_messages import (
    change_message_visibility,
    change_message_visibility_batch,
    delete_message,
    delete_message_batch,
    receive_message,
    send_message,
    send_message_batch,
)
from queuestream.aws.operations.sqs_requests import queue_name, required
from queuestream.core.errors import InvalidAttributeName, QueueDoesNotExist

if TYPE_CHECKING:
    from queuestream.aws.calls import Caller, Operation, Shape
    from queuestream.core.queues.pages import QueuePage


# --- queues ---


def create_queue(caller: Caller, request: Shape) -> Shape:
    """SQS CreateQueue."""
    name = queue_name(request)
    attributes = attribute_values(request.get("Attributes"))
    if attributes.get("fifo_queue") is False:
        # To the core that is a standard queue; AWS documents "false", and knows no such attribute then.
        raise InvalidAttributeName("FifoQueue")
    queue = caller.broker.create_queue(name, tags=request.get("tags"), **attributes)
    return {"QueueUrl": caller.queue_url(queue)}


def delete_queue(caller: Caller, request: Shape) -> None:
    """SQS DeleteQueue."""
    caller.queue(request.get("QueueUrl")).delete_queue()


def purge_queue(caller: Caller, request: Shape) -> None:
    """SQS PurgeQueue."""
    caller.queue(request.get("QueueUrl")).purge()


def get_queue_url(caller: Caller, request: Shape) -> Shape:
    """SQS GetQueueUrl."""
    name = queue_name(request)
    owner = request.get("QueueOwnerAWSAccountId")
    broker = caller.broker if owner is None else caller.broker_of(owner)
    if broker is None:
        raise QueueDoesNotExist(name)
    return {"QueueUrl": caller.queue_url(broker.queue(name))}


def list_queues(caller: Caller, request: Shape) -> Shape:
    """SQS ListQueues."""
    page = caller.broker.list_queues(
        queue_name_prefix=request.get("QueueNamePrefix") or "",
        max_results=request.get("MaxResults"),
        next_token=request.get("NextToken"),
    )
    return _page_shape(caller, page, "QueueUrls") if page else {}


def list_dead_letter_source_queues(caller: Caller, request: Shape) -> Shape:
    """SQS ListDeadLetterSourceQueues."""
    page = caller.queue(request.get("QueueUrl")).list_dead_letter_source_queues(
        max_results=request.get("MaxResults"), next_token=request.get("NextToken")
    )
    return _page_shape(caller, page, "queueUrls")


def _page_shape(caller: Caller, page: QueuePage, member: str) -> Shape:
    shape: Shape = {member: [caller.queue_url(queue) for queue in page]}
    if page.next_token is not None:
        shape["NextToken"] = page.next_token
    return shape


# --- settings, tags, permissions ---


def get_queue_attributes(caller: Caller, request: Shape) -> Shape:
    """SQS GetQueueAttributes."""
    texts = attribute_texts(caller.queue(request.get("QueueUrl")), request.get("AttributeNames"))
    return {"Attributes": texts} if texts else {}


def set_queue_attributes(caller: Caller, request: Shape) -> None:
    """SQS SetQueueAttributes."""
    queue = caller.queue(request.get("QueueUrl"))
    queue.set_attributes(**attribute_values(required(request, "Attributes")))


def list_queue_tags(caller: Caller, request: Shape) -> Shape:
    """SQS ListQueueTags."""
    tags = caller.queue(request.get("QueueUrl")).tags
    return {"Tags": tags} if tags else {}


def tag_queue(caller: Caller, request: Shape) -> None:
    """SQS TagQueue."""
    caller.queue(request.get("QueueUrl")).tag(required(request, "Tags"))


def untag_queue(caller: Caller, request: Shape) -> None:
    """SQS UntagQueue."""
    caller.queue(request.get("QueueUrl")).untag(required(request, "TagKeys"))


def add_permission(caller: Caller, request: Shape) -> None:
    """SQS AddPermission."""
    caller.queue(request.get("QueueUrl")).add_permission(
        required(request, "Label"), required(request, "AWSAccountIds"), required(request, "Actions")
    )


def remove_permission(caller: Caller, request: Shape) -> None:
    """SQS RemovePermission."""
    caller.queue(request.get("QueueUrl")).remove_permission(required(request, "Label"))


# --- message move tasks ---


def start_message_move_task(caller: Caller, request: Shape) -> Shape:
    """SQS StartMessageMoveTask."""
    handle = caller.broker.start_message_move_task(
        required(request, "SourceArn"),
        request.get("DestinationArn"),
        max_number_of_messages_per_second=request.get("MaxNumberOfMessagesPerSecond"),
    )
    return {"TaskHandle": handle}


def cancel_message_move_task(caller: Caller, request: Shape) -> Shape:
    """SQS CancelMessageMoveTask."""
    moved = caller.broker.cancel_message_move_task(required(request, "TaskHandle"))
    return {"ApproximateNumberOfMessagesMoved": moved}


def list_message_move_tasks(caller: Caller, request: Shape) -> Shape:
    """SQS ListMessageMoveTasks."""
    max_results = request.get("MaxResults")
    tasks = caller.broker.list_message_move_tasks(
        required(request, "SourceArn"), max_results=1 if max_results is None else max_results
    )
    results = [
        {
            "TaskHandle": task.task_handle,
            "Status": task.status,
            "SourceArn": task.source_arn,
            "DestinationArn": task.destination_arn,
            "MaxNumberOfMessagesPerSecond": task.max_number_of_messages_per_second,
            "ApproximateNumberOfMessagesMoved": task.approximate_number_of_messages_moved,
            "ApproximateNumberOfMessagesToMove": task.approximate_number_of_messages_to_move,
            "FailureReason": task.failure_reason,
            "StartedTimestamp": task.started_timestamp_ms,
        }
        for task in tasks
    ]
    shapes = [{name: value for name, value in result.items() if value is not None} for result in results]
    return {"Results": shapes} if shapes else {}


SQS: dict[str, Operation] = {
    "AddPermission": add_permission,
    "CancelMessageMoveTask": cancel_message_move_task,
    "ChangeMessageVisibility": change_message_visibility,
    "ChangeMessageVisibilityBatch": change_message_visibility_batch,
    "CreateQueue": create_queue,
    "DeleteMessage": delete_message,
    "DeleteMessageBatch": delete_message_batch,
    "DeleteQueue": delete_queue,
    "GetQueueAttributes": get_queue_attributes,
    "GetQueueUrl": get_queue_url,
    "ListDeadLetterSourceQueues": list_dead_letter_source_queues,
    "ListMessageMoveTasks": list_message_move_tasks,
    "ListQueueTags": list_queue_tags,
    "ListQueues": list_queues,
    "PurgeQueue": purge_queue,
    "ReceiveMessage": receive_message,
    "RemovePermission": remove_permission,
    "SendMessage": send_message,
    "SendMessageBatch": send_message_batch,
    "SetQueueAttributes": set_queue_attributes,
    "StartMessageMoveTask": start_message_move_task,
    "TagQueue": tag_queue,
    "UntagQueue": untag_queue,
}
"""By AWS's name."""
