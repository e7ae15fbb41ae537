"""A queue over AWS, for threads; that for asyncio is in `async_queues`.

It has what the core's `Queue` has, under the same names, with the same parameters, results and errors.
What AWS cannot do (`peek`, `next_event_ns`, `check_invariants`) is there, too, and says so.

A queue here is a URL and a broker: making one asks AWS nothing, and what it says of itself beyond its
names (settings, tags, counts) is asked for each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self

from queuestream.aws.remote.engine import not_supported, operation
from queuestream.aws.remote.queue_operations import QueueOperations
from queuestream.core.queues.queue import Queue

if TYPE_CHECKING:
    from queuestream.aws.remote.broker import AsyncRemoteBroker, RemoteBroker
    from queuestream.aws.remote.broker_queue_operations import Page
    from queuestream.core.queues.attributes import QueueAttributes

VISIBLE = "ApproximateNumberOfMessages"
IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
DELAYED = "ApproximateNumberOfMessagesDelayed"
CREATED = "CreatedTimestamp"
MODIFIED = "LastModifiedTimestamp"


class NamedQueue:
    """What a queue over AWS knows without asking."""

    broker: RemoteBroker | AsyncRemoteBroker

    def __init__(self, url: str, region: str) -> None:
        self._operations = QueueOperations(url, region)

    @property
    def name(self) -> str:
        """Its name."""
        return self._operations.name

    @property
    def url(self) -> str:
        """Its queue URL."""
        return self._operations.url

    @property
    def arn(self) -> str:
        """Its Amazon Resource Name."""
        return self._operations.arn

    @property
    def is_fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self._operations.is_fifo

    def __eq__(self, other: object) -> bool:
        """Two of a broker are the same queue if they have the same URL."""
        if not isinstance(other, NamedQueue):
            return NotImplemented
        return self.broker is other.broker and self.url == other.url

    def __hash__(self) -> int:
        return hash((id(self.broker), self.url))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} in {self.broker.region}>"

    def peek(self) -> NoReturn:
        """Nobody can look into a queue of AWS's.

        Raises:
            NotSupportedByEngine: Always.
        """
        raise not_supported(
            "peek", "Receive with visibility_timeout=0 to see some messages, or ask counts()."
        )

    def next_event_ns(self) -> NoReturn:
        """AWS's time is not told.

        Raises:
            NotSupportedByEngine: Always.
        """
        raise not_supported("next_event_ns", "Receive with wait_time_seconds to wait for messages.")

    def check_invariants(self) -> NoReturn:
        """AWS's queues have no indexes to be doubted from here.

        Raises:
            NotSupportedByEngine: Always.
        """
        raise not_supported("check_invariants", "It is for tests of queues in this process.")


class RemoteQueue(NamedQueue):
    """An SQS queue of AWS's, or of what speaks as AWS does; safe to share between threads.

    Args:
        broker: Whose it is.
        url: Its queue URL.

    Attributes:
        broker: As given.
    """

    broker: RemoteBroker

    def __init__(self, broker: RemoteBroker, url: str) -> None:
        self.broker = broker
        super().__init__(url, broker.region)

    # --- messages ---

    send = operation(Queue.send, QueueOperations.send)
    send_batch = operation(Queue.send_batch, QueueOperations.send_batch)
    receive = operation(Queue.receive, QueueOperations.receive)
    delete = operation(Queue.delete, QueueOperations.delete)
    delete_batch = operation(Queue.delete_batch, QueueOperations.delete_batch)
    change_visibility = operation(Queue.change_visibility, QueueOperations.change_visibility)
    change_visibility_batch = operation(
        Queue.change_visibility_batch, QueueOperations.change_visibility_batch
    )
    purge = operation(Queue.purge, QueueOperations.purge)
    counts = operation(Queue.counts, QueueOperations.counts)

    # --- the queue as a whole ---

    delete_queue = operation(Queue.delete_queue, QueueOperations.delete_queue)
    set_attributes = operation(Queue.set_attributes, QueueOperations.set_attributes)
    tag = operation(Queue.tag, QueueOperations.tag)
    untag = operation(Queue.untag, QueueOperations.untag)
    add_permission = operation(Queue.add_permission, QueueOperations.add_permission)
    remove_permission = operation(Queue.remove_permission, QueueOperations.remove_permission)
    start_message_move_task = operation(
        Queue.start_message_move_task, QueueOperations.start_message_move_task
    )
    list_message_move_tasks = operation(
        Queue.list_message_move_tasks, QueueOperations.list_message_move_tasks
    )

    def list_dead_letter_source_queues(
        self, *, max_results: int | None = None, next_token: str | None = None
    ) -> RemoteQueuePage:
        """The queues whose failed messages come to this one, as `Queue.list_dead_letter_source_queues`."""
        steps = self._operations.list_dead_letter_source_queues(
            max_results=max_results, next_token=next_token
        )
        return RemoteQueuePage.of(self.broker, self.broker._run(steps))

    @property
    def attributes(self) -> QueueAttributes:
        """Its settings, under AWS's names."""
        return self.broker._run(self._operations.attributes())

    @property
    def tags(self) -> dict[str, str]:
        """Its cost allocation tags."""
        return self.broker._run(self._operations.tags())

    @property
    def approximate_number_of_messages(self) -> int:
        """How many messages are visible."""
        return self.broker._run(self._operations.count(VISIBLE))

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """How many messages are in flight."""
        return self.broker._run(self._operations.count(IN_FLIGHT))

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """How many messages are delayed."""
        return self.broker._run(self._operations.count(DELAYED))

    @property
    def created_ns(self) -> int:
        """When it was created, to the second."""
        return self.broker._run(self._operations.instant_ns(CREATED))

    @property
    def last_modified_ns(self) -> int:
        """When its settings last changed, to the second."""
        return self.broker._run(self._operations.instant_ns(MODIFIED))


class RemoteQueuePage(list[RemoteQueue]):
    """A list of queues in AWS's order, and where to go on.

    Attributes:
        next_token: For the next page; None at the end, and where no page size was asked for.
    """

    next_token: str | None = None

    @classmethod
    def of(cls, broker: RemoteBroker, page: Page) -> Self:
        """The queues of some URLs."""
        queues = cls(RemoteQueue(broker, url) for url in page.urls)
        queues.next_token = page.next_token
        return queues
