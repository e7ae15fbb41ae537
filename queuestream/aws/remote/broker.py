"""A broker over AWS: the queues and streams of one account in one region, for threads and for asyncio.

What `connect("aws://eu-west-1")` gives.  It has what the core's `Broker` has; streams are in
`broker_streams`.  What only a broker in this process can have (a clock, ids from a seed, listeners) is there,
too, and says that AWS has it not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.remote import broker_queue_operations as operations
from queuestream.aws.remote.async_queues import AsyncRemoteQueue, AsyncRemoteQueuePage
from queuestream.aws.remote.broker_streams import AsyncRemoteBrokerStreams, RemoteBrokerStreams
from queuestream.aws.remote.engine import not_supported
from queuestream.aws.remote.queues import RemoteQueue, RemoteQueuePage
from queuestream.core.errors import QueueDoesNotExist

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn, Unpack

    from queuestream.core.queues.attribute_types import QueueAttributesDict
    from queuestream.core.queues.move_tasks import MessageMoveTask


class _NotHere:
    """What only a broker in this process has.

    Every one of them raises NotSupportedByEngine.
    """

    @property
    def clock(self) -> NoReturn:
        """AWS's time is its own."""
        raise not_supported("clock of its own", "Time passes as it does; a test takes memory://.")

    @property
    def ids(self) -> NoReturn:
        """AWS makes its ids."""
        raise not_supported("ids from a seed", "A test that needs them takes memory://.")

    @property
    def account_id(self) -> NoReturn:
        """AWS finds the account by the credentials."""
        raise not_supported("account_id", "The ARN of a queue or stream says it.")

    @property
    def queue_limits(self) -> NoReturn:
        """AWS's quotas are those of the account."""
        raise not_supported("queue_limits", "AWS's own hold, which AWS's Service Quotas shows.")

    @property
    def consistency(self) -> NoReturn:
        """AWS takes as long as it takes."""
        raise not_supported("consistency to choose", "AWS takes up to a minute until a change holds.")

    @property
    def delivery(self) -> NoReturn:
        """AWS delivers as it does."""
        raise not_supported("delivery to choose", "AWS departs from once and in order when it happens to.")

    @property
    def queues(self) -> NoReturn:
        """AWS's queues are listed."""
        raise not_supported("mapping of queues", "Ask list_queues().")

    @property
    def streams(self) -> NoReturn:
        """AWS's streams are listed."""
        raise not_supported("mapping of streams", "Ask list_streams().")

    def listen(self, listener: object) -> NoReturn:
        """AWS tells nobody what changes."""
        raise not_supported("listeners", "memory:// and sqlite:// tell what every call changes.")

    def next_event_ns(self) -> NoReturn:
        """AWS does not say when it will do what."""
        raise not_supported("next_event_ns", "Receive with wait_time_seconds to wait for messages.")

    def check_invariants(self) -> NoReturn:
        """AWS's queues and streams have no indexes to be doubted from here."""
        raise not_supported("check_invariants", "It is for tests of brokers in this process.")


class RemoteBroker(RemoteBrokerStreams, _NotHere):
    """The queues and streams of one account in one region of AWS; safe to share between threads.

    Args:
        region: Such as eu-west-1; the one that boto3 finds where None.
        endpoint_url: Another endpoint than AWS's own: `queuestream serve`, or what speaks as AWS does.
        profile: A profile of AWS's configuration files.
        wait: Whether calls that change a stream's shape return when it is ACTIVE again.
        session: The `boto3.Session` to make clients with; made here where None.
        config: A botocore `Config` to begin with.
        seed: Makes the pauses between attempts repeatable.
        retries: How calls are made again; as `Retries` says where None.

    Attributes:
        wait: As given.
    """

    def create_queue(
        self,
        queue_name: str,
        *,
        tags: Mapping[str, str] | None = None,
        **attributes: Unpack[QueueAttributesDict],
    ) -> RemoteQueue:
        """A new queue, or the existing one of that name; AWS wants a second until it can be used.

        Args:
            queue_name: 1 to 80 letters, digits, hyphens and underscores; `.fifo` at the end for a FIFO queue.
            tags: Cost allocation tags.
            **attributes: As for `Queue`.

        Raises:
            QueueNameExists: It exists, with other attributes.
            QueueDeletedRecently: A queue of that name was deleted less than 60 seconds ago.
            InvalidParameterValue: A name that SQS doesn't take.
            InvalidAttributeName: A name that is no attribute, or none of this kind of queue.
            InvalidAttributeValue: A value out of range or of the wrong form.

        AWS: CreateQueue.
        """
        return RemoteQueue(self, self._run(operations.create_queue(queue_name, tags, attributes)))

    def queue(self, queue_name: str) -> RemoteQueue:
        """The queue of that name.

        Raises:
            QueueDoesNotExist: There is none.

        AWS: GetQueueUrl.
        """
        return RemoteQueue(self, self._run(operations.find_queue(queue_name)))

    def queue_by_arn(self, queue_arn: str) -> RemoteQueue:
        """The queue of that ARN, another account's, too, if its policy lets us.

        Raises:
            QueueDoesNotExist: There is none in this region.
        """
        return RemoteQueue(self, self._run(operations.find_queue_by_arn(queue_arn, self.region)))

    def queue_by_url(self, queue_url: str) -> RemoteQueue:
        """The queue of that URL, whose host does not matter.

        Raises:
            QueueDoesNotExist: There is none.
        """
        return RemoteQueue(self, self._run(operations.find_queue_by_url(queue_url)))

    def find_queue(self, queue_arn: str) -> RemoteQueue | None:
        """The queue of that ARN, None where there is none in this region."""
        try:
            return self.queue_by_arn(queue_arn)
        except QueueDoesNotExist:
            return None

    def list_queues(
        self,
        *,
        queue_name_prefix: str = "",
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> RemoteQueuePage:
        """The queues, a page of them where `max_results` is given, else 1,000 at most.

        Args:
            queue_name_prefix: What their names begin with.
            max_results: 1 to 1,000.
            next_token: Where to go on: the token of the page before.

        Raises:
            InvalidParameterValue: Out of range, or a token that isn't one.

        AWS: ListQueues.
        """
        return RemoteQueuePage.of(
            self, self._run(operations.list_queues(queue_name_prefix, max_results, next_token))
        )

    def delete_queue(self, queue_name: str) -> None:
        """Remove a queue with all its messages; its name is free again after 60 seconds.

        Raises:
            QueueDoesNotExist: There is none.

        AWS: DeleteQueue.
        """
        self._run(operations.delete_queue(queue_name))

    # --- message move tasks ---

    def start_message_move_task(
        self,
        source_arn: str,
        destination_arn: str | None = None,
        *,
        max_number_of_messages_per_second: int | None = None,
    ) -> str:
        """Move a dead-letter queue's messages away; see `Queue.start_message_move_task`."""
        return self._run(
            operations.start_message_move_task(
                source_arn,
                destination_arn,
                max_number_of_messages_per_second=max_number_of_messages_per_second,
            )
        )

    def cancel_message_move_task(self, task_handle: str) -> int:
        """Stop a task.

        Returns:
            How many messages it has moved.

        Raises:
            ResourceNotFoundException: There is no such task.
            UnsupportedOperation: It is over already.

        AWS: CancelMessageMoveTask.
        """
        return self._run(operations.cancel_message_move_task(task_handle))

    def list_message_move_tasks(self, source_arn: str, *, max_results: int = 1) -> list[MessageMoveTask]:
        """The latest tasks of a source, the latest first; see `Queue.list_message_move_tasks`."""
        return self._run(operations.list_message_move_tasks(source_arn, max_results=max_results))


class AsyncRemoteBroker(AsyncRemoteBrokerStreams, _NotHere):
    """The queues and streams of one account in one region of AWS, for the tasks of one event loop.

    Every operation is that of `RemoteBroker`, to be awaited; close it in the end, or use `async with`.

    Args:
        region: Such as eu-west-1; the one that boto3 finds where None.
        endpoint_url: Another endpoint than AWS's own: `queuestream serve`, or what speaks as AWS does.
        profile: A profile of AWS's configuration files.
        wait: Whether calls that change a stream's shape return when it is ACTIVE again.
        session: The session of aiobotocore's to make clients with; made here where None.
        config: A botocore `Config` to begin with.
        seed: Makes the pauses between attempts repeatable.
        retries: How calls are made again; as `Retries` says where None.

    Attributes:
        wait: As given.
    """

    async def create_queue(
        self,
        queue_name: str,
        *,
        tags: Mapping[str, str] | None = None,
        **attributes: Unpack[QueueAttributesDict],
    ) -> AsyncRemoteQueue:
        """A new queue, or the existing one of that name."""
        return AsyncRemoteQueue(self, await self._run(operations.create_queue(queue_name, tags, attributes)))

    async def queue(self, queue_name: str) -> AsyncRemoteQueue:
        """The queue of that name."""
        return AsyncRemoteQueue(self, await self._run(operations.find_queue(queue_name)))

    async def queue_by_arn(self, queue_arn: str) -> AsyncRemoteQueue:
        """The queue of that ARN."""
        steps = operations.find_queue_by_arn(queue_arn, self.region)
        return AsyncRemoteQueue(self, await self._run(steps))

    async def queue_by_url(self, queue_url: str) -> AsyncRemoteQueue:
        """The queue of that URL, whose host does not matter."""
        return AsyncRemoteQueue(self, await self._run(operations.find_queue_by_url(queue_url)))

    async def find_queue(self, queue_arn: str) -> AsyncRemoteQueue | None:
        """The queue of that ARN, None where there is none in this region."""
        try:
            return await self.queue_by_arn(queue_arn)
        except QueueDoesNotExist:
            return None

    async def list_queues(
        self,
        *,
        queue_name_prefix: str = "",
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> AsyncRemoteQueuePage:
        """The queues, a page of them where `max_results` is given, else 1,000 at most."""
        steps = operations.list_queues(queue_name_prefix, max_results, next_token)
        return AsyncRemoteQueuePage.of(self, await self._run(steps))

    async def delete_queue(self, queue_name: str) -> None:
        """Remove a queue with all its messages; its name is free again after 60 seconds."""
        await self._run(operations.delete_queue(queue_name))

    # --- message move tasks ---

    async def start_message_move_task(
        self,
        source_arn: str,
        destination_arn: str | None = None,
        *,
        max_number_of_messages_per_second: int | None = None,
    ) -> str:
        """Move a dead-letter queue's messages away; see `Queue.start_message_move_task`."""
        return await self._run(
            operations.start_message_move_task(
                source_arn,
                destination_arn,
                max_number_of_messages_per_second=max_number_of_messages_per_second,
            )
        )

    async def cancel_message_move_task(self, task_handle: str) -> int:
        """Stop a task; says how many messages it has moved."""
        return await self._run(operations.cancel_message_move_task(task_handle))

    async def list_message_move_tasks(
        self, source_arn: str, *, max_results: int = 1
    ) -> list[MessageMoveTask]:
        """The latest tasks of a source, the latest first; see `Queue.list_message_move_tasks`."""
        return await self._run(operations.list_message_move_tasks(source_arn, max_results=max_results))
