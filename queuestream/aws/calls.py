"""One call of one operation: who calls, what comes back, and how to wait for an answer that isn't there yet.

An operation is a function of a `Caller` and a request, a dict with AWS's names whose blobs
are `bytes` and whose timestamps are `datetime`s.  It returns an answer of the same kind, what boto3
calls the parsed response (without ResponseMetadata); or a `Later`, which each carrier waits
for in its own way, a thread (`now`) or a task (`now_async`); or raises one of the core's errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from queuestream.core.arns import name_of_queue_url, parse_arn
from queuestream.core.errors import QueueDoesNotExist
from queuestream.core.queues.checks import shown

if TYPE_CHECKING:
    from queuestream.aws.accounts import Aws
    from queuestream.core.broker import Broker
    from queuestream.core.clock import Clock, Wakeup
    from queuestream.core.queues.queue import Queue
    from queuestream.core.streams.fan_out import SubscribeToShardEvent, Subscription

_QUEUES_REMEMBERED_MAX = 1_000

Shape = dict[str, Any]
"""A request or an answer under AWS's names."""


class Caller:
    """Who calls: an account in a region, by way of an endpoint.

    One serves all calls of a client.

    Args:
        aws: The accounts and regions behind the endpoint.
        account_id: The caller's account; the default one where None.
        region: The region it talks to; the default one where None.
        base_url: What queue URLs begin with (`http://localhost:4566`); where None they look as at AWS.
    """

    __slots__ = ("_queues", "account_id", "aws", "base_url", "region")

    def __init__(
        self,
        aws: Aws,
        account_id: str | None = None,
        region: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self.aws = aws
        self.account_id = account_id or aws.account_id
        self.region = region or aws.region
        self.base_url = base_url
        # Those that were found by URL, which every operation on messages begins with.
        self._queues: dict[str | None, Queue] = {}

    @property
    def broker(self) -> Broker:
        """The caller's own broker."""
        return self.aws.broker(self.account_id, self.region)

    def queue(self, queue_url: str | None) -> Queue:
        """The queue that a URL names: by the account and the name that it ends in, in the caller's region.

        Its name alone will do for a queue of the caller's own, as at AWS.

        Raises:
            QueueDoesNotExist: There is none; SQS says the same where there is no URL.
        """
        queue = self._queues.get(queue_url)
        # A queue that was deleted, or whose broker was closed, is behind its time for good.
        if queue is None or queue._due_ns < 0:
            queue = self._find_queue(queue_url)
            if len(self._queues) >= _QUEUES_REMEMBERED_MAX:
                self._queues.clear()
            self._queues[queue_url] = queue
        return queue

    def _find_queue(self, queue_url: str | None) -> Queue:
        if queue_url is None:
            raise QueueDoesNotExist("")
        if "/" not in queue_url:
            return self.broker.queue(queue_url)
        parts = name_of_queue_url(queue_url)
        broker = None if parts is None else self.broker_of(parts[0])
        if parts is None or broker is None:
            raise QueueDoesNotExist(shown(queue_url))
        return broker.queue(parts[1])

    def queue_url(self, queue: Queue) -> str:
        """The URL by which this caller names a queue."""
        if self.base_url is None:
            return queue.url
        return f"{self.base_url}/{queue.broker.account_id}/{queue.name}"

    def broker_of_arn(self, text: str) -> Broker:
        """The broker of the account that an ARN names, in the caller's region, which no ARN leads out of."""
        arn = parse_arn(text)
        if arn is None:
            return self.broker
        # A broker that nobody has used has nothing to be found; the caller's own says so.
        return self.broker_of(arn.account_id) or self.broker

    def broker_of(self, account_id: str, region: str | None = None) -> Broker | None:
        """An account's broker in a region, the caller's where None; None where nobody has used it yet."""
        if account_id == self.account_id and region in {None, self.region}:
            return self.broker
        return self.aws.known_broker(account_id, region or self.region)


class Waits(Protocol):
    """Something that can be tried again: a long poll, a pause.

    Attributes:
        wakeup: Set when trying again may help.
        until_ns: When to try again if nobody sets it.
        deadline_ns: When it gives an answer at the latest; None before the first attempt.
    """

    wakeup: Wakeup
    until_ns: int
    deadline_ns: int | None

    def attempt(self) -> Any:
        """What was waited for; None while it is worth waiting on."""

    def expire(self) -> None:
        """Its time is up: the next attempt gives an answer, if only an empty one."""

    def close(self) -> None:
        """Stop waiting; safe to call at any time."""


class Later:
    """An answer that has to be waited for.

    Args:
        poll: What is tried until there is something.
        then: Makes the answer of what was found; or another `Later`, where there is more to wait for.

    Attributes:
        poll: As given, for a carrier that waits in a way of its own, and asks for the `answer` then.
    """

    __slots__ = ("_then", "poll")

    def __init__(self, poll: Waits, then: Callable[[Any], Any]) -> None:
        self.poll = poll
        self._then = then

    def then(self, further: Callable[[Any], Any]) -> Later:
        """The same wait for something that is made of its answer."""

        def both(found: Any) -> Any:
            answer = first(found)
            return answer.then(further) if isinstance(answer, Later) else further(answer)

        first = self._then
        return Later(self.poll, both)

    def answer(self, found: Any) -> Any:
        """The answer that is made of what the poll found; or another `Later`."""
        return self._then(found)

    def now(self, clock: Clock) -> Any:
        """The answer, after blocking this thread until it is there."""
        poll = self.poll
        try:
            while (found := poll.attempt()) is None:
                clock.wait(poll.wakeup, poll.until_ns)
        finally:
            poll.close()
        answer = self._then(found)
        return answer.now(clock) if isinstance(answer, Later) else answer

    async def now_async(self, clock: Clock) -> Any:
        """The answer, after letting other tasks run until it is there; safe to cancel."""
        poll = self.poll
        try:
            while (found := poll.attempt()) is None:
                await clock.wait_async(poll.wakeup, poll.until_ns)
        finally:
            poll.close()
        answer = self._then(found)
        return await answer.now_async(clock) if isinstance(answer, Later) else answer


class Events:
    """An answer that goes on: what a subscription says, event by event.

    Args:
        subscription: Gives events by `attempt()`, as a `Subscription` of the core does.
        shape: From an event to AWS's shape of it, under its member name in the event stream:
            `{"SubscribeToShardEvent": {...}}`.
    """

    __slots__ = ("shape", "subscription")

    def __init__(self, subscription: Subscription, shape: Callable[[SubscribeToShardEvent], Shape]) -> None:
        self.subscription = subscription
        self.shape = shape


Operation = Callable[[Caller, Shape], Any]
"""From a request to an answer: a `Shape`, None where there is nothing to say, or a `Later`."""
