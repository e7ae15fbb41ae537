"""A queue's operations for asyncio."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from queuestream.aio.operations import glance, made_like, operation
from queuestream.core.errors import QueuestreamError
from queuestream.core.queues.message_attributes import ALL
from queuestream.core.queues.polling import LongPoll
from queuestream.core.queues.queue import Queue
from queuestream.storage.async_commit import commit_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.core.broker import Broker
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.core.queues.pages import QueuePage


class AsyncQueue:
    """A queue's operations for asyncio.

    Args:
        queue: The `Queue`, or the name and the other arguments of one to make.

    Attributes:
        core: The Queue itself.
    """

    core: Queue

    @made_like(Queue)
    def __init__(self, queue: Queue | str, **arguments: Any) -> None:
        if not isinstance(queue, Queue):
            queue = Queue(queue, **arguments)
        elif arguments:
            raise TypeError("These arguments make a queue, but there is one already.")
        self.core = queue
        self._commit = commit_of(queue.broker)

    @property
    def broker(self) -> Broker:
        """The broker that the queue belongs to."""
        return self.core.broker

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.core.name

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return self.core.arn

    @property
    def url(self) -> str:
        """The queue's URL."""
        return self.core.url

    @property
    def is_fifo(self) -> bool:
        """Whether it keeps the order of each message group."""
        return self.core.is_fifo

    @property
    def created_ns(self) -> int:
        """When it was created, in nanoseconds since the epoch."""
        return self.core.created_ns

    @property
    def last_modified_ns(self) -> int:
        """When its settings last changed, in nanoseconds since the epoch."""
        with glance(self._commit):
            return self.core.last_modified_ns

    @property
    def attributes(self) -> QueueAttributes:
        """The queue's settings."""
        with glance(self._commit):
            return self.core.attributes

    @property
    def tags(self) -> dict[str, str]:
        """The cost allocation tags."""
        with glance(self._commit):
            return self.core.tags

    @property
    def approximate_number_of_messages(self) -> int:
        """How many messages can be received now."""
        with glance(self._commit):
            return self.core.approximate_number_of_messages

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """How many messages are in flight."""
        with glance(self._commit):
            return self.core.approximate_number_of_messages_not_visible

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """How many messages wait for their delay to end."""
        with glance(self._commit):
            return self.core.approximate_number_of_messages_delayed

    async def receive(
        self,
        *,
        max_number_of_messages: int = 1,
        visibility_timeout: int | None = None,
        wait_time_seconds: int | None = None,
        message_attribute_names: Iterable[str] = ALL,
        receive_request_attempt_id: str | None = None,
    ) -> list[ReceivedMessage]:
        """Take messages to work on, as `Queue.receive` does; waits without a thread."""
        queue = self.core
        request = queue._check_receive(
            max_number_of_messages,
            visibility_timeout,
            wait_time_seconds,
            message_attribute_names,
            receive_request_attempt_id,
        )
        steps = _receive(queue, LongPoll(queue, request))
        if self._commit is None:
            return await steps
        return await self._commit.keep(steps, give_back=lambda messages: _give_back(queue, messages))

    async def list_dead_letter_source_queues(
        self, *, max_results: int | None = None, next_token: str | None = None
    ) -> AsyncQueuePage:
        """The queues whose failed messages come to this one, as `Queue.list_dead_letter_source_queues`."""
        page = await self._list_dead_letter_source_queues(max_results=max_results, next_token=next_token)
        return AsyncQueuePage.of(page)

    send = operation(Queue.send)
    send_batch = operation(Queue.send_batch)
    delete = operation(Queue.delete)
    delete_batch = operation(Queue.delete_batch)
    change_visibility = operation(Queue.change_visibility)
    change_visibility_batch = operation(Queue.change_visibility_batch)
    purge = operation(Queue.purge)
    counts = operation(Queue.counts)
    peek = operation(Queue.peek)
    delete_queue = operation(Queue.delete_queue)
    set_attributes = operation(Queue.set_attributes)
    tag = operation(Queue.tag)
    untag = operation(Queue.untag)
    add_permission = operation(Queue.add_permission)
    remove_permission = operation(Queue.remove_permission)
    _list_dead_letter_source_queues = operation(Queue.list_dead_letter_source_queues)
    start_message_move_task = operation(Queue.start_message_move_task)
    list_message_move_tasks = operation(Queue.list_message_move_tasks)

    def __repr__(self) -> str:
        with glance(self._commit):
            return f"<Async{repr(self.core)[1:]}"


class AsyncQueuePage(list[AsyncQueue]):
    """A list of queues, and where to go on.

    Attributes:
        next_token: For the next page; None at the end, and where no page size was asked for.
    """

    next_token: str | None = None

    @classmethod
    def of(cls, page: QueuePage) -> Self:
        """The same page of queues whose operations are awaited."""
        queues = cls(map(AsyncQueue, page))
        queues.next_token = page.next_token
        return queues


async def _receive(queue: Queue, poll: LongPoll) -> list[ReceivedMessage]:
    try:
        while (messages := poll.attempt()) is None:
            await queue.broker.clock.wait_async(poll.wakeup, poll.until_ns)
    finally:
        poll.close()
    return messages


def _give_back(queue: Queue, messages: list[ReceivedMessage]) -> None:
    """Let others have what was taken for somebody who has gone."""
    for message in messages:
        with suppress(QueuestreamError):  # deleted or purged meanwhile; the broker was closed
            queue.change_visibility(message, 0)
