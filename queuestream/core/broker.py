"""A broker: the named queues and streams of one account in one region.

It owns what they share: one lock, one clock, one source of ids, the limits, and the
listeners that hear every change.  Nothing runs in the background; what time changes is
seen by the next call, and `next_event_ns` says when to look again.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from queuestream.core.arns import name_of_queue_url, parse_arn
from queuestream.core.clock import SECOND, Clock, SystemClock
from queuestream.core.errors import (
    BrokerClosed,
    InvalidParameterValue,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
)
from queuestream.core.ids import Ids
from queuestream.core.queues import attributes as queue_attributes
from queuestream.core.queues import consistency as late
from queuestream.core.queues.checks import (
    NAME_CHARACTERS,
    check_queue_name,
    check_queue_tags,
    shown,
)
from queuestream.core.queues.consistency import AT_ONCE, Consistency
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits
from queuestream.core.queues.pages import QueuePage, page_of
from queuestream.core.queues.queue import Queue
from queuestream.core.queues.state import queue_changes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from queuestream.core.changes import Change, Listener
    from queuestream.core.delivery import Delivery
    from queuestream.core.keeping import Lock, Storage
    from queuestream.core.queues.attribute_types import QueueAttributesDict
    from queuestream.core.queues.move_tasks import MessageMoveTask, MoveTasks
    from queuestream.core.streams.account import (
        AccountLimits,
        AccountSettings,
        BillingCommitment,
        ListStreamsResult,
    )
    from queuestream.core.streams.settings import StreamArguments
    from queuestream.core.streams.shard import NewShard
    from queuestream.core.streams.stream import Stream

_ACCOUNT_ID_LENGTH = 12


class Broker:
    """The named queues and streams of one account in one region.

    Safe to share between threads.

    Args:
        clock: The time; the machine's where none is given.
        seed: Makes every id and every choice repeatable; the operating system's entropy where none is given.
        account_id: Twelve digits, part of every ARN and queue URL.
        region: Part of every ARN and queue URL.
        queue_limits: SQS's quotas; AWS's values where none are given.
        consistency: How long it takes until a change to a queue holds; no time where nothing is said,
            `EVENTUAL` for as long as AWS says that it may.
        delivery: How far the delivery of messages and records departs from once and in order, as AWS says
            that it may: a `Delivery`, or `strict` (not at all), `aws_like` or `adversarial`.

    Raises:
        InvalidParameterValue: An account id that isn't one, an empty region, or a delivery that is none.
        TypeError: The clock is none.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | str | None = None,
        account_id: str = "000000000000",
        region: str = "us-east-1",
        queue_limits: QueueLimits = AWS_LIMITS,
        consistency: Consistency = AT_ONCE,
        delivery: Delivery | str = "strict",
    ) -> None:
        if not (
            isinstance(account_id, str)
            and account_id.isascii()
            and account_id.isdigit()
            and len(account_id) == _ACCOUNT_ID_LENGTH
        ):
            raise InvalidParameterValue.of("AccountId", shown(account_id), "An account id is twelve digits.")
        if not (isinstance(region, str) and region and NAME_CHARACTERS.issuperset(region)):
            raise InvalidParameterValue.of("Region", shown(region), "A region is a name, such as us-east-1.")
        if isinstance(clock, type) or not (clock is None or hasattr(clock, "now_ns")):
            raise TypeError(f"A clock is made first, as in clock=VirtualClock(); this is {clock!r}.")
        self.clock: Clock = SystemClock() if clock is None else clock
        self.ids = Ids(seed)
        self.account_id = account_id
        self.region = region
        self.queue_limits = queue_limits
        self.consistency = late.check(consistency)
        # None where nothing departs from anything, which costs nothing to find out.
        self._delivery = None if delivery == "strict" else self._departure(delivery)
        # Who keeps the broker puts a lock of its own here, before there is any queue or stream.
        self.lock: Lock = threading.RLock()
        self.storage: Storage | None = None
        self.closed_because: str | None = None
        self.listeners: tuple[Listener, ...] = ()
        # What makes the shards of streams, where they are not to be in memory as a whole.
        self.new_shard: NewShard | None = None
        self.queues: dict[str, Queue] = {}
        self.streams: dict[str, Stream] = {}
        self._deleted_queues: dict[str, int] = {}
        self._move_tasks: MoveTasks | None = None
        self._late: late.LateChanges | None = None
        self._billing_commitment: BillingCommitment | None = None

    def __repr__(self) -> str:
        if self.closed_because is not None:
            return f"<Broker of {self.account_id} in {self.region}: closed>"
        return (
            f"<Broker of {self.account_id} in {self.region}: "
            f"{len(self.queues)} queues, {len(self.streams)} streams>"
        )

    @staticmethod
    def _departure(delivery: object) -> Delivery | None:
        """What a delivery is, if it is not the strict one."""
        from queuestream.core.delivery import STRICT, delivery_of  # noqa: PLC0415 - few brokers have one

        known = delivery_of(delivery)
        return None if known == STRICT else known

    @property
    def delivery(self) -> Delivery:
        """How messages and records are delivered."""
        from queuestream.core.delivery import STRICT  # noqa: PLC0415 - as above

        return self._delivery or STRICT

    # --- open and closed, heard and unheard ---

    def check_open(self) -> None:
        """Let a call go on.

        Raises:
            BrokerClosed: The broker takes no more calls.
        """
        if self.closed_because is not None:
            raise BrokerClosed(self.closed_because)

    def close(self, reason: str = "it was closed") -> None:
        """Take no more calls; those who wait get `BrokerClosed`.  Closing again changes nothing.

        Raises:
            StorageFailed: What was called last, or the file as a whole, could not be written.
        """
        try:
            with self.lock:
                if self.closed_because is None:
                    self.closed_because = reason
                    for part in self._parts():
                        part._give_up()
        finally:
            if self.storage is not None:
                self.storage.closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def listen(self, listener: Listener) -> None:
        """Hear the changes of every later call, before they are applied; see `queuestream.core.changes`.

        Args:
            listener: Called with one call's changes, a tuple, under the broker's lock.  What it
                raises, the call raises, and nothing has changed.  Several are called in the order in which
                they came; one that may refuse a change should be the first, since those before it have heard.
                Who keeps the broker is always the last: what it has written has happened.
        """
        with self.lock:
            place = len(self.listeners) - (self.storage is not None)
            self.listeners = (*self.listeners[:place], listener, *self.listeners[place:])

    def _interrupted(self, error: BaseException) -> None:
        """A call is left in the middle by an error; Ctrl-C may come after it was told and before it was done.

        The caller holds the lock.  A lock of storage's own asks the same where it is a `with` that is left.
        """
        if self.storage is not None and not isinstance(error, Exception):
            self.storage.interrupted(error)

    def publish(self, changes: tuple[Change, ...]) -> None:
        """Tell the listeners what is about to change.  The caller holds the lock."""
        for listener in self.listeners:
            listener(changes)

    def next_event_ns(self) -> int | None:
        """When time next changes something about a queue or stream; None where only calls will."""
        with self.lock:
            instants = [part.next_event_ns() for part in self._parts()]
            return min((at_ns for at_ns in instants if at_ns is not None), default=None)

    def check_invariants(self) -> None:
        """Assert what every queue and stream relies on; cost grows with all that they hold."""
        with self.lock:
            for part in self._parts():
                part.check_invariants()

    def _parts(self) -> list[Queue | Stream]:
        return [*self.queues.values(), *self.streams.values()]

    # --- queues ---

    def create_queue(
        self,
        queue_name: str,
        *,
        tags: Mapping[str, str] | None = None,
        **attributes: Unpack[QueueAttributesDict],
    ) -> Queue:
        """A new queue, or the existing one of that name if it has the attributes that are named.

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
        with self.lock:
            self._let_time_pass()
            existing = self.queues.get(queue_name) if isinstance(queue_name, str) else None
            if existing is None or self._is_being_deleted(queue_name):
                return Queue(queue_name, broker=self, tags=tags, **attributes)
            self.check_open()
            asked = queue_attributes.create(attributes, self.queue_limits)
            check_queue_name(queue_name, fifo_queue=asked.fifo_queue, limits=self.queue_limits)
            check_queue_tags(tags, self.queue_limits)
            known = late.asked_attributes(existing)
            difference = queue_attributes.first_difference(known, asked, attributes)
            if difference is not None:
                raise QueueNameExists(queue_name, difference)
            return existing

    def queue(self, queue_name: str) -> Queue:
        """The queue of that name.

        Raises:
            QueueDoesNotExist: There is none.

        AWS: GetQueueUrl.
        """
        self._let_time_pass()
        queue = self.queues.get(queue_name) if isinstance(queue_name, str) else None
        return self._existing(queue_name, queue)

    def queue_by_arn(self, queue_arn: str) -> Queue:
        """The queue of that ARN.

        Raises:
            QueueDoesNotExist: There is none.
        """
        return self._existing(queue_arn, self.find_queue(queue_arn))

    def queue_by_url(self, queue_url: str) -> Queue:
        """The queue of that URL, whose host does not matter.

        Raises:
            QueueDoesNotExist: There is none.
        """
        self._let_time_pass()
        parts = name_of_queue_url(queue_url) if isinstance(queue_url, str) else None
        known = parts is not None and parts[0] == self.account_id
        return self._existing(queue_url, self.queues.get(parts[1]) if parts is not None and known else None)

    def find_queue(self, queue_arn: object) -> Queue | None:
        """The queue of that ARN, None where there is none in this account and region."""
        self._let_time_pass()
        return self._queue_of(queue_arn)

    def _queue_of(self, queue_arn: object) -> Queue | None:
        """The queue of that ARN as time was last seen; for those who have looked at the clock already."""
        arn = parse_arn(queue_arn)
        if arn is None or arn[:3] != ("sqs", self.region, self.account_id):
            return None
        queue = self.queues.get(arn.resource)
        return queue if queue is not None and queue._is_usable else None

    def _existing(self, named: object, queue: Queue | None) -> Queue:
        self.check_open()
        if queue is None or not queue._is_usable:
            raise QueueDoesNotExist(shown(named))
        return queue

    def list_queues(
        self, *, queue_name_prefix: str = "", max_results: int | None = None, next_token: str | None = None
    ) -> QueuePage:
        """The queues by name, a page of them where `max_results` is given.

        Args:
            queue_name_prefix: What their names begin with.
            max_results: 1 to 1,000.
            next_token: Where to go on: the token of the page before.

        Raises:
            InvalidParameterValue: Out of range, or a token that isn't one.

        AWS: ListQueues.
        """
        with self.lock:
            self.check_open()
            self._let_time_pass()
            if not isinstance(queue_name_prefix, str):
                raise InvalidParameterValue.of(
                    "QueueNamePrefix", shown(queue_name_prefix), "It is not the beginning of a name."
                )
            queues = [
                queue for name, queue in sorted(self.queues.items()) if name.startswith(queue_name_prefix)
            ]
            return page_of(queues, max_results, next_token, self.queue_limits)

    def delete_queue(self, queue_name: str) -> None:
        """Remove a queue with all its messages; its name is free again after 60 seconds.

        Raises:
            QueueDoesNotExist: There is none.

        AWS: DeleteQueue.
        """
        with self.lock:
            queue = self.queue(queue_name)
            now_ns = queue._look_at_the_time()
            if late.delete(queue, now_ns):
                return
            if self.listeners:
                self.publish((queue_changes().QueueDeleted(queue_name, now_ns),))
            self._apply_queue_deleted(queue, now_ns)

    def _check_new_queue(self, queue_name: str) -> int:
        """What time it is, if a queue of that name may be created now.  The caller holds the lock."""
        self.check_open()
        now_ns = self.clock.now_ns()
        self._catch_up(now_ns)
        interval_seconds = self.queue_limits.delete_interval_seconds
        deleted_ns = self._deleted_queues.get(queue_name)
        if deleted_ns is not None and now_ns < deleted_ns + interval_seconds * SECOND:
            raise QueueDeletedRecently(queue_name, interval_seconds)
        if self._is_being_deleted(queue_name):
            raise QueueDeletedRecently(queue_name, interval_seconds)
        if queue_name in self.queues:
            raise QueueNameExists(queue_name)
        return now_ns

    def _is_being_deleted(self, queue_name: str) -> bool:
        """Whether a queue that is there was deleted, and goes on for a while."""
        return queue_name in self._deleted_queues and queue_name in self.queues

    def _apply_queue_created(self, queue: Queue) -> None:
        """A queue exists from now on."""
        self.queues[queue.name] = queue
        self._deleted_queues.pop(queue.name, None)

    def _apply_queue_deleted(self, queue: Queue, now_ns: int) -> None:
        """A queue is gone."""
        del self.queues[queue.name]
        if self._late is not None:
            self._late.forget(queue.name)
        # Where it took a while, the name's time has begun already.
        self._deleted_queues.setdefault(queue.name, now_ns)
        # Names whose time is over are forgotten when the next one comes.
        horizon_ns = now_ns - self.queue_limits.delete_interval_seconds * SECOND
        self._deleted_queues = {
            name: deleted_ns
            for name, deleted_ns in self._deleted_queues.items()
            if deleted_ns > horizon_ns or name in self.queues
        }
        queue._is_deleted = True
        queue._give_up()

    # --- streams ---

    def create_stream(self, name: str, **settings: Unpack[StreamArguments]) -> Stream:
        """Make a stream; the settings are those of `Stream`, without `clock` and `seed`.

        Raises:
            ResourceInUseException: There is one of that name.
            LimitExceededException: A quota of the account is used up.
        """
        from queuestream.core.streams.stream import Stream  # noqa: PLC0415 - many programs have none

        return Stream(name, **settings, broker=self)

    def stream(self, name: str) -> Stream:
        """The stream of that name.

        Raises:
            ResourceNotFoundException: There is none.
        """
        from queuestream.core.streams import account  # noqa: PLC0415 - many programs have none

        return account.find(self, name)

    def stream_by_arn(self, stream_arn: str) -> Stream:
        """The stream of that ARN; a registered consumer's ARN names its stream.

        Raises:
            ResourceNotFoundException: There is none.
        """
        from queuestream.core.streams import account  # noqa: PLC0415 - many programs have none

        return account.find_by_arn(self, stream_arn)

    def list_streams(
        self,
        limit: int | None = None,
        exclusive_start_stream_name: str | None = None,
        next_token: str | None = None,
    ) -> ListStreamsResult:
        """The streams in the order of their names, up to 100 at a time."""
        from queuestream.core.streams import account  # noqa: PLC0415 - many programs have none

        return account.list_streams(self, limit, exclusive_start_stream_name, next_token)

    def delete_stream(self, name: str, enforce_consumer_deletion: bool | None = None) -> None:
        """Delete a stream with all its records.

        Raises:
            ResourceNotFoundException: There is none of that name.
            ResourceInUseException: It has registered consumers.
        """
        self.stream(name).delete(enforce_consumer_deletion)

    def describe_stream_limits(self) -> AccountLimits:
        """The account's quotas of shards and on-demand streams, and what is used of them.

        AWS: Kinesis' DescribeLimits.
        """
        from queuestream.core.streams import account  # noqa: PLC0415 - many programs have none

        with self.lock:
            self.check_open()
            return account.describe_limits(self)

    def describe_account_settings(self) -> AccountSettings:
        """The account's settings for streams: whether it has committed itself to a minimum throughput.

        AWS: Kinesis' DescribeAccountSettings.
        """
        from queuestream.core.streams import account  # noqa: PLC0415 - many programs have none

        with self.lock:
            self.check_open()
            return account.describe_settings(self, self.clock.now_ns())

    def update_account_settings(self, minimum_throughput_billing_commitment: str) -> AccountSettings:
        """Commit the account to a minimum throughput, or end that.

        A commitment lasts 24 hours at least: ended earlier, it goes on until then, and may be taken up again.

        Args:
            minimum_throughput_billing_commitment: `ENABLED` or `DISABLED`.

        Returns:
            The settings from now on.

        Raises:
            ValidationException: Something else.

        AWS: Kinesis' UpdateAccountSettings.
        """
        from queuestream.core.streams import account  # noqa: PLC0415 - many programs have none

        with self.lock:
            self.check_open()
            now_ns = self.clock.now_ns()
            account.update_settings(self, minimum_throughput_billing_commitment, now_ns)
            return account.describe_settings(self, now_ns)

    # --- message move tasks ---

    def start_message_move_task(
        self,
        source_arn: str,
        destination_arn: str | None = None,
        *,
        max_number_of_messages_per_second: int | None = None,
    ) -> str:
        """Move a dead-letter queue's messages away; see `Queue.start_message_move_task`."""
        with self.lock:
            now_ns = self._look_at_the_time()
            tasks = self._message_move_tasks()
            return tasks.start(source_arn, destination_arn, max_number_of_messages_per_second, now_ns).handle

    def cancel_message_move_task(self, task_handle: str) -> int:
        """Stop a task.

        Returns:
            How many messages it has moved.

        Raises:
            ResourceNotFoundException: There is no such task.
            UnsupportedOperation: It is over already.

        AWS: CancelMessageMoveTask.
        """
        with self.lock:
            self._look_at_the_time()
            return self._message_move_tasks().cancel(task_handle)

    def list_message_move_tasks(self, source_arn: str, *, max_results: int = 1) -> list[MessageMoveTask]:
        """The latest tasks of a source, the latest first; see `Queue.list_message_move_tasks`."""
        with self.lock:
            self._look_at_the_time()
            return self._message_move_tasks().latest(source_arn, max_results)

    def _look_at_the_time(self) -> int:
        """What time it is, after catching up with it.  The caller holds the lock."""
        self.check_open()
        now_ns = self.clock.now_ns()
        self._catch_up(now_ns)
        return now_ns

    def _catch_up(self, now_ns: int) -> None:
        """Do what the queues of a broker have to do together by now.  The caller holds the lock."""
        if self._late is not None:
            self._late.catch_up(now_ns)
        self._move_messages(now_ns)

    def _let_time_pass(self) -> None:
        """Make the late changes whose time has come, for those who only look."""
        if self._late is not None and self.closed_because is None:
            with self.lock:
                self._catch_up(self.clock.now_ns())

    def _late_changes(self) -> late.LateChanges:
        """The changes that were asked for and are still to come."""
        if self._late is None:
            self._late = late.LateChanges(self)
        return self._late

    def _message_move_tasks(self) -> MoveTasks:
        """The message move tasks of all queues."""
        if self._move_tasks is None:
            from queuestream.core.queues.move_tasks import MoveTasks  # noqa: PLC0415 - few programs have any

            self._move_tasks = MoveTasks(self)
        return self._move_tasks

    def _move_messages(self, now_ns: int) -> None:
        """Let the move tasks catch up with the time.  The caller holds the lock."""
        if self._move_tasks is not None:
            self._move_tasks.catch_up(now_ns)

    def _next_step_ns(self) -> int | None:
        """When a task moves its next message or a late change comes; None where neither will."""
        move_ns = None if self._move_tasks is None else self._move_tasks.next_ns()
        late_ns = None if self._late is None else self._late.next_ns()
        if move_ns is None or late_ns is None:
            return late_ns if move_ns is None else move_ns
        return min(move_ns, late_ns)
