"""A queue's operations over AWS, each as the steps that it takes (`calls`).

They are named, take and give what the operations of `Queue` do; the values are the core's own.  What an
operation is for stands with the core's; what is different over AWS stands here.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from queuestream.aws.remote import queue_values as values
from queuestream.aws.remote.broker_queue_operations import (
    list_message_move_tasks,
    queue_page,
    start_message_move_task,
)
from queuestream.aws.remote.calls import Call, present
from queuestream.aws.remote.queue_requests import (
    NO_LIMITS,
    attribute_texts,
    handle_of,
    listed,
    message_attributes,
    message_members,
)
from queuestream.core.arns import name_of_queue_url
from queuestream.core.clock import SECOND
from queuestream.core.queues.batches import (
    check_change_visibility_entries,
    check_delete_entries,
    check_send_entries,
)
from queuestream.core.queues.checks import FIFO_SUFFIX, check_tag_keys
from queuestream.core.queues.message_attributes import ALL, check_attribute_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

    from queuestream.aws.remote.broker_queue_operations import Page
    from queuestream.aws.remote.calls import Steps
    from queuestream.core.queues.attribute_types import QueueAttributesDict
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.batches import (
        BatchResult,
        ChangeVisibilityEntry,
        DeleteEntry,
        SendEntry,
    )
    from queuestream.core.queues.consistency import Counts
    from queuestream.core.queues.message import ReceivedMessage, SentMessage
    from queuestream.core.queues.message_attributes import MessageAttributes
    from queuestream.core.queues.move_tasks import MessageMoveTask

_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


class QueueOperations:
    """What there is to do with one queue.

    Args:
        url: Its URL, which is all that AWS wants to know.
        region: Where it is, for its ARN.
    """

    def __init__(self, url: str, region: str) -> None:
        self.url = url
        account_id, self.name = name_of_queue_url(url) or ("", url)
        self.is_fifo = self.name.endswith(FIFO_SUFFIX)
        partition = next((known for start, known in _PARTITIONS.items() if region.startswith(start)), "aws")
        # As AWS makes it: asking for it would cost a call for every queue that is found.
        self.arn = f"arn:{partition}:sqs:{region}:{account_id}:{self.name}"

    def _call(self, operation: str, **members: Any) -> Call:
        return Call("sqs", operation, present(QueueUrl=self.url, **members))

    # --- sending ---

    def send(
        self,
        message_body: str,
        *,
        delay_seconds: int | None = None,
        message_attributes: Mapping[str, object] | None = None,
        message_system_attributes: Mapping[str, object] | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
    ) -> Steps[SentMessage]:
        """Send a message; on a standard queue it may be there twice if an answer was lost."""
        attributes, system = _labels(message_attributes, message_system_attributes)
        members = message_members(
            message_body, attributes, system, delay_seconds, message_group_id, message_deduplication_id
        )
        answer = yield self._call("SendMessage", **members)
        return values.sent_message(answer, message_body, attributes, system)

    def send_batch(
        self, entries: Iterable[SendEntry | Mapping[str, object] | str]
    ) -> Steps[BatchResult[SentMessage]]:
        """Send up to ten; what AWS had no room for just then is among those that failed."""
        labels: dict[str, tuple[str, MessageAttributes | None, MessageAttributes | None]] = {}
        shapes = []
        for entry_id, request in check_send_entries(entries, NO_LIMITS).items():
            fields = dict(request) if isinstance(request, dict) else {"message_body": request}
            body = fields.pop("message_body")
            attributes, system = _labels(
                fields.pop("message_attributes", None), fields.pop("message_system_attributes", None)
            )
            labels[entry_id] = body, attributes, system
            shapes.append({"Id": entry_id, **message_members(body, attributes, system, **fields)})
        answer = yield self._call("SendMessageBatch", Entries=shapes)
        return values.batch_result(
            answer, labels, lambda entry_id, entry: values.sent_message(entry, *labels[entry_id])
        )

    # --- receiving ---

    def receive(
        self,
        *,
        max_number_of_messages: int = 1,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
        message_attribute_names: Iterable[str] = ALL,
        receive_request_attempt_id: str | None = None,
    ) -> Steps[list[ReceivedMessage]]:
        """Receive messages; it is AWS that waits.

        A receive from a FIFO queue has an attempt id in any case.  When its answer is lost and it is made
        again, the same messages come, instead of their groups being locked until their timeout has passed.
        """
        if self.is_fifo and receive_request_attempt_id is None:
            receive_request_attempt_id = str(uuid.uuid4())
        answer = yield self._call(
            "ReceiveMessage",
            MaxNumberOfMessages=max_number_of_messages,
            VisibilityTimeout=visibility_timeout,
            WaitTimeSeconds=wait_time_seconds,
            MessageAttributeNames=list(check_attribute_names(message_attribute_names)),
            MessageSystemAttributeNames=["All"],
            ReceiveRequestAttemptId=receive_request_attempt_id,
        )
        return [values.received_message(shape) for shape in answer.get("Messages", ())]

    def delete(self, receipt_handle: str | ReceivedMessage) -> Steps[None]:
        """Delete a message."""
        yield self._call("DeleteMessage", ReceiptHandle=handle_of(receipt_handle))

    def delete_batch(
        self, entries: Iterable[DeleteEntry | ReceivedMessage | Mapping[str, object] | str]
    ) -> Steps[BatchResult[None]]:
        """Delete up to ten messages."""
        requests = check_delete_entries(entries, NO_LIMITS)
        shapes = [
            present(Id=entry_id, ReceiptHandle=handle_of(handle)) for entry_id, handle in requests.items()
        ]
        answer = yield self._call("DeleteMessageBatch", Entries=shapes)
        return values.batch_result(answer, requests)

    def change_visibility(
        self, receipt_handle: str | ReceivedMessage, visibility_timeout: int
    ) -> Steps[None]:
        """Hide a message for another while."""
        yield self._call(
            "ChangeMessageVisibility",
            ReceiptHandle=handle_of(receipt_handle),
            VisibilityTimeout=visibility_timeout,
        )

    def change_visibility_batch(
        self,
        entries: Iterable[ChangeVisibilityEntry | Mapping[str, object] | tuple[str | ReceivedMessage, int]],
    ) -> Steps[BatchResult[None]]:
        """Hide up to ten messages for another while."""
        requests = check_change_visibility_entries(entries, NO_LIMITS)
        shapes = [
            present(Id=entry_id, ReceiptHandle=handle_of(handle), VisibilityTimeout=seconds)
            for entry_id, (handle, seconds) in requests.items()
        ]
        answer = yield self._call("ChangeMessageVisibilityBatch", Entries=shapes)
        return values.batch_result(answer, requests)

    # --- the queue as a whole ---

    def purge(self) -> Steps[None]:
        """Remove every message; it takes AWS up to a minute."""
        yield self._call("PurgeQueue")

    def delete_queue(self) -> Steps[None]:
        """Remove the queue; it takes AWS up to a minute."""
        yield self._call("DeleteQueue")

    def attributes(self) -> Steps[QueueAttributes]:
        """The settings."""
        return values.queue_attributes((yield from self._attribute_texts("All")))

    def set_attributes(self, **attributes: Unpack[QueueAttributesDict]) -> Steps[None]:
        """Change settings; it takes AWS up to a minute, and a retention period up to 15."""
        yield self._call("SetQueueAttributes", Attributes=attribute_texts(attributes))

    def counts(self) -> Steps[Counts]:
        """How many messages AWS thinks there are, at about this time."""
        return values.counts((yield from self._attribute_texts(*values.COUNTS)))

    def count(self, name: str) -> Steps[int]:
        """One of them, by AWS's name."""
        return int((yield from self._attribute_texts(name)).get(name, 0))

    def instant_ns(self, name: str) -> Steps[int]:
        """`CreatedTimestamp` or `LastModifiedTimestamp`, which AWS gives in seconds."""
        seconds = (yield from self._attribute_texts(name))[name]
        return int(float(seconds)) * SECOND  # moto says them with a fraction

    def _attribute_texts(self, *names: str) -> Steps[dict[str, str]]:
        answer = yield self._call("GetQueueAttributes", AttributeNames=list(names))
        texts: dict[str, str] = answer.get("Attributes", {})
        return texts

    def tags(self) -> Steps[dict[str, str]]:
        """The tags."""
        answer = yield self._call("ListQueueTags")
        return dict(answer.get("Tags", {}))

    def tag(self, tags: Mapping[str, str]) -> Steps[None]:
        """Add tags."""
        yield self._call("TagQueue", Tags=tags)

    def untag(self, tag_keys: Iterable[str]) -> Steps[None]:
        """Take tags away."""
        yield self._call("UntagQueue", TagKeys=sorted(check_tag_keys(tag_keys)))

    def add_permission(
        self, label: str, aws_account_ids: Iterable[str], actions: Iterable[str]
    ) -> Steps[None]:
        """Add a permission to the policy, which AWS evaluates."""
        yield self._call(
            "AddPermission", Label=label, AWSAccountIds=listed(aws_account_ids), Actions=listed(actions)
        )

    def remove_permission(self, label: str) -> Steps[None]:
        """Take a permission out of the policy."""
        yield self._call("RemovePermission", Label=label)

    # --- dead letters ---

    def list_dead_letter_source_queues(
        self, *, max_results: int | None = None, next_token: str | None = None
    ) -> Steps[Page]:
        """The URLs of the queues whose dead letters come here."""
        answer = yield self._call("ListDeadLetterSourceQueues", MaxResults=max_results, NextToken=next_token)
        return queue_page(answer, "queueUrls")

    def start_message_move_task(
        self, destination_arn: str | None = None, *, max_number_of_messages_per_second: int | None = None
    ) -> Steps[str]:
        """Begin to move the messages away."""
        return start_message_move_task(
            self.arn, destination_arn, max_number_of_messages_per_second=max_number_of_messages_per_second
        )

    def list_message_move_tasks(self, *, max_results: int = 1) -> Steps[list[MessageMoveTask]]:
        """The latest tasks."""
        return list_message_move_tasks(self.arn, max_results=max_results)


def _labels(
    attributes: object, system_attributes: object
) -> tuple[MessageAttributes | None, MessageAttributes | None]:
    """What a message carries beside its body, typed."""
    return message_attributes(attributes), message_attributes(system_attributes, "MessageSystemAttributes")
