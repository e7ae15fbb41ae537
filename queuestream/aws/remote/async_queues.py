"""A queue over AWS, for asyncio: `RemoteQueue`'s operations, to be awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from queuestream.aws.remote.engine import Asked, async_operation
from queuestream.aws.remote.queue_operations import QueueOperations
from queuestream.aws.remote.queues import CREATED, DELAYED, IN_FLIGHT, MODIFIED, VISIBLE, NamedQueue
from queuestream.core.queues.queue import Queue

if TYPE_CHECKING:
    from queuestream.aws.remote.broker import AsyncRemoteBroker
    from queuestream.aws.remote.broker_queue_operations import Page
    from queuestream.core.queues.attributes import QueueAttributes


class AsyncRemoteQueue(NamedQueue):
    """An SQS queue of AWS's for asyncio, as `AsyncQueue` is one of this process.

    What a property has to ask AWS for is to be awaited: `await queue.attributes`.

    Args:
        broker: Whose it is.
        url: Its queue URL.

    Attributes:
        broker: As given.
    """

    broker: AsyncRemoteBroker

    def __init__(self, broker: AsyncRemoteBroker, url: str) -> None:
        self.broker = broker
        super().__init__(url, broker.region)

    # --- messages ---

    send = async_operation(Queue.send, QueueOperations.send)
    send_batch = async_operation(Queue.send_batch, QueueOperations.send_batch)
    receive = async_operation(Queue.receive, QueueOperations.receive)
    delete = async_operation(Queue.delete, QueueOperations.delete)
    delete_batch = async_operation(Queue.delete_batch, QueueOperations.delete_batch)
    change_visibility = async_operation(Queue.change_visibility, QueueOperations.change_visibility)
    change_visibility_batch = async_operation(
        Queue.change_visibility_batch, QueueOperations.change_visibility_batch
    )
    purge = async_operation(Queue.purge, QueueOperations.purge)
    counts = async_operation(Queue.counts, QueueOperations.counts)

    # --- the queue as a whole ---

    delete_queue = async_operation(Queue.delete_queue, QueueOperations.delete_queue)
    set_attributes = async_operation(Queue.set_attributes, QueueOperations.set_attributes)
    tag = async_operation(Queue.tag, QueueOperations.tag)
    untag = async_operation(Queue.untag, QueueOperations.untag)
    add_permission = async_operation(Queue.add_permission, QueueOperations.add_permission)
    remove_permission = async_operation(Queue.remove_permission, QueueOperations.remove_permission)
    start_message_move_task = async_operation(
        Queue.start_message_move_task, QueueOperations.start_message_move_task
    )
    list_message_move_tasks = async_operation(
        Queue.list_message_move_tasks, QueueOperations.list_message_move_tasks
    )

    async def list_dead_letter_source_queues(
        self, *, max_results: int | None = None, next_token: str | None = None
    ) -> AsyncRemoteQueuePage:
        """The queues whose failed messages come to this one, as `Queue.list_dead_letter_source_queues`."""
        steps = self._operations.list_dead_letter_source_queues(
            max_results=max_results, next_token=next_token
        )
        return AsyncRemoteQueuePage.of(self.broker, await self.broker._run(steps))

    @property
    def attributes(self) -> Asked[QueueAttributes]:
        """Its settings, under AWS's names; to be awaited."""
        return Asked(lambda: self.broker._run(self._operations.attributes()), "attributes")

    @property
    def tags(self) -> Asked[dict[str, str]]:
        """Its cost allocation tags; to be awaited."""
        return Asked(lambda: self.broker._run(self._operations.tags()), "tags")

    @property
    def approximate_number_of_messages(self) -> Asked[int]:
        """How many messages are visible; to be awaited."""
        return Asked(
            lambda: self.broker._run(self._operations.count(VISIBLE)), "approximate_number_of_messages"
        )

    @property
    def approximate_number_of_messages_not_visible(self) -> Asked[int]:
        """How many messages are in flight; to be awaited."""
        return Asked(
            lambda: self.broker._run(self._operations.count(IN_FLIGHT)),
            "approximate_number_of_messages_not_visible",
        )

    @property
    def approximate_number_of_messages_delayed(self) -> Asked[int]:
        """How many messages are delayed; to be awaited."""
        return Asked(
            lambda: self.broker._run(self._operations.count(DELAYED)),
            "approximate_number_of_messages_delayed",
        )

    @property
    def created_ns(self) -> Asked[int]:
        """When it was created, to the second; to be awaited."""
        return Asked(lambda: self.broker._run(self._operations.instant_ns(CREATED)), "created_ns")

    @property
    def last_modified_ns(self) -> Asked[int]:
        """When its settings last changed, to the second; to be awaited."""
        return Asked(lambda: self.broker._run(self._operations.instant_ns(MODIFIED)), "last_modified_ns")


class AsyncRemoteQueuePage(list[AsyncRemoteQueue]):
    """A list of queues in AWS's order, and where to go on.

    Attributes:
        next_token: For the next page; None at the end, and where no page size was asked for.
    """

    next_token: str | None = None

    @classmethod
    def of(cls, broker: AsyncRemoteBroker, page: Page) -> Self:
        """The queues of some URLs."""
        queues = cls(AsyncRemoteQueue(broker, url) for url in page.urls)
        queues.next_token = page.next_token
        return queues
