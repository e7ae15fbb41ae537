"""What a broker does with queues over AWS, each as the steps that it takes (`calls`).

A queue is what it is to AWS here: a URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from queuestream.aws.remote import queue_values as values
from queuestream.aws.remote.calls import Call, present
from queuestream.aws.remote.queue_requests import attribute_texts
from queuestream.core.arns import name_of_queue_url, parse_arn
from queuestream.core.errors import QueueDoesNotExist
from queuestream.core.queues.checks import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from queuestream.aws.remote.calls import Steps
    from queuestream.core.queues.move_tasks import MessageMoveTask


class Page(NamedTuple):
    """The URLs of some queues, and where to go on."""

    urls: list[str]
    next_token: str | None


def queue_page(answer: Mapping[str, Any], member: str) -> Page:
    """A page of queues, in AWS's own order."""
    return Page(list(answer.get(member, ())), answer.get("NextToken"))


def create_queue(
    queue_name: str, tags: Mapping[str, str] | None, attributes: Mapping[str, Any]
) -> Steps[str]:
    """The URL of a new queue, or of one that is there."""
    request = present(
        QueueName=queue_name,
        Attributes=attribute_texts(attributes, is_new=True) or None,
        tags=tags or None,
    )
    url: str = (yield Call("sqs", "CreateQueue", request))["QueueUrl"]
    return url


def find_queue(queue_name: str, account_id: str | None = None) -> Steps[str]:
    """The URL of the queue of that name, another account's where one is given."""
    request = present(QueueName=queue_name, QueueOwnerAWSAccountId=account_id)
    url: str = (yield Call("sqs", "GetQueueUrl", request))["QueueUrl"]
    return url


def find_queue_by_arn(queue_arn: str, region: str) -> Steps[str]:
    """The URL of the queue of that ARN; a broker sees one region."""
    arn = parse_arn(queue_arn)
    if arn is None or arn[:2] != ("sqs", region):
        raise QueueDoesNotExist(shown(queue_arn))
    return (yield from find_queue(arn.resource, arn.account_id))


def find_queue_by_url(queue_url: str) -> Steps[str]:
    """The URL of a queue as AWS writes it, found by the account and the name that another URL ends in."""
    parts = name_of_queue_url(queue_url) if isinstance(queue_url, str) else None
    if parts is None:
        raise QueueDoesNotExist(shown(queue_url))
    return (yield from find_queue(parts[1], parts[0]))


def list_queues(queue_name_prefix: str, max_results: int | None, next_token: str | None) -> Steps[Page]:
    """The URLs of the queues, a page of them where `max_results` is given, else 1,000 at most."""
    request = present(QueueNamePrefix=queue_name_prefix or None, MaxResults=max_results, NextToken=next_token)
    return queue_page((yield Call("sqs", "ListQueues", request)), "QueueUrls")


def delete_queue(queue_name: str) -> Steps[None]:
    """Remove the queue of that name."""
    url = yield from find_queue(queue_name)
    yield Call("sqs", "DeleteQueue", {"QueueUrl": url})


def start_message_move_task(
    source_arn: str,
    destination_arn: str | None = None,
    *,
    max_number_of_messages_per_second: int | None = None,
) -> Steps[str]:
    """Begin to move a dead-letter queue's messages away."""
    request = present(
        SourceArn=source_arn,
        DestinationArn=destination_arn,
        MaxNumberOfMessagesPerSecond=max_number_of_messages_per_second,
    )
    handle: str = (yield Call("sqs", "StartMessageMoveTask", request))["TaskHandle"]
    return handle


def cancel_message_move_task(task_handle: str) -> Steps[int]:
    """Stop a task."""
    answer = yield Call("sqs", "CancelMessageMoveTask", present(TaskHandle=task_handle))
    return int(answer.get("ApproximateNumberOfMessagesMoved", 0))


def list_message_move_tasks(source_arn: str, *, max_results: int = 1) -> Steps[list[MessageMoveTask]]:
    """The latest tasks of a source."""
    request = present(SourceArn=source_arn, MaxResults=max_results)
    answer = yield Call("sqs", "ListMessageMoveTasks", request)
    return [values.move_task(shape) for shape in answer.get("Results", ())]
