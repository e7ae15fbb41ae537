"""What is asked and told about a queue as a whole: settings, tags, permissions, counts, dead letters.

The base of `Queue`, which adds the operations on messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.arns import Arn, queue_url
from queuestream.core.queues import attributes as queue_attributes
from queuestream.core.queues import consistency, redrive
from queuestream.core.queues.checks import check_tag_keys, check_tags
from queuestream.core.queues.message import STATES, PeekedMessage, sequence_number_of
from queuestream.core.queues.pages import QueuePage, page_of
from queuestream.core.queues.state import QueueState, queue_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Unpack

    from queuestream.core.queues.attribute_types import QueueAttributesDict
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.consistency import Counts
    from queuestream.core.queues.move_tasks import MessageMoveTask


class QueueAdministration(QueueState):
    """A queue's settings, tags, permissions, counts and dead letters."""

    # --- names ---

    @property
    def arn(self) -> str:
        """Its Amazon Resource Name."""
        return str(Arn("sqs", self.broker.region, self.broker.account_id, self.name))

    @property
    def url(self) -> str:
        """Its queue URL, in the form of AWS' own."""
        return queue_url(self.broker.region, self.broker.account_id, self.name)

    @property
    def is_fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self._attributes.fifo_queue

    # --- settings ---

    @property
    def attributes(self) -> QueueAttributes:
        """Its settings, under AWS's names."""
        self.broker._let_time_pass()
        return self._attributes

    def set_attributes(self, **attributes: Unpack[QueueAttributesDict]) -> None:
        """Change some settings.

        A new retention period applies to the messages that wait already; so does a new
        delay on a FIFO queue, but not on a standard queue.  A new visibility timeout applies
        from the next receive on.

        Args:
            **attributes: As for `create_queue`; None takes a policy away.

        Raises:
            InvalidAttributeName: A name that is no attribute, or none of this kind of queue.
            InvalidAttributeValue: A value out of range or of the wrong form.
            InvalidParameterValue: A redrive policy that makes no sense, or that its target does not allow.

        AWS: SetQueueAttributes.
        """
        with self._lock:
            self.broker._let_time_pass()
            changed = queue_attributes.evolve(consistency.asked_attributes(self), attributes)
            now_ns = self._look_at_the_time()
            if attributes.get("redrive_policy"):
                redrive.check_target(self, changed)
            self._change_attributes(changed, now_ns)

    def _change_attributes(self, changed: QueueAttributes, now_ns: int) -> None:
        attributes, postponed = consistency.attributes_by_time(self, changed, now_ns)
        if self.broker.listeners:
            change = queue_changes().QueueAttributesSet(self.name, attributes, now_ns)
            self.broker.publish((change, *postponed))
        self._settle_in_order(now_ns)
        self.last_modified_ns = now_ns
        self._apply_attributes(attributes, now_ns)
        for later in postponed:
            later.apply(self.broker)
        self._wake(len(self._waiting))

    @property
    def tags(self) -> dict[str, str]:
        """Its cost allocation tags."""
        with self._lock:
            return dict(self._tags)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Add tags, or change those of the same key.

        Raises:
            InvalidParameterValue: No tag, a key or value that is too long, or more than 50 in all.

        AWS: TagQueue.
        """
        with self._lock:
            self._look_at_the_time()
            check_tags(tags, self.broker.queue_limits)
            merged = {**self._tags, **tags}
            check_tags(merged, self.broker.queue_limits)
            self._set_tags(merged)

    def untag(self, tag_keys: Iterable[str]) -> None:
        """Take tags away; keys that it does not have are passed over.

        Raises:
            InvalidParameterValue: No key, or one that is no text.

        AWS: UntagQueue.
        """
        keys = check_tag_keys(tag_keys)
        with self._lock:
            self._look_at_the_time()
            self._set_tags({key: value for key, value in self._tags.items() if key not in keys})

    def _set_tags(self, tags: dict[str, str]) -> None:
        if self.broker.listeners:
            self.broker.publish((queue_changes().QueueTagged(self.name, tags),))
        self._tags = tags

    def add_permission(self, label: str, aws_account_ids: Iterable[str], actions: Iterable[str]) -> None:
        """Write into the queue's policy that other accounts may use it; kept, never evaluated.

        Args:
            label: Names the permission, to remove it by.
            aws_account_ids: Accounts of twelve digits.
            actions: Such as "SendMessage", or "*".

        AWS: AddPermission.
        """
        from queuestream.core.queues import permissions  # noqa: PLC0415 - few queues have any

        self._change_policy(
            lambda policy: permissions.add_permission(
                policy, self.arn, label, aws_account_ids, actions, self.broker.queue_limits
            )
        )

    def remove_permission(self, label: str) -> None:
        """Take a permission out of the queue's policy.

        AWS: RemovePermission.
        """
        from queuestream.core.queues import permissions  # noqa: PLC0415 - few queues have any

        self._change_policy(lambda policy: permissions.remove_permission(policy, label))

    def _change_policy(self, change: Callable[[str | None], str | None]) -> None:
        with self._lock:
            now_ns = self._look_at_the_time()
            asked = consistency.asked_attributes(self)
            changed = queue_attributes.evolve(asked, {"policy": change(asked.policy)})
            self._change_attributes(changed, now_ns)

    # --- counts ---

    def counts(self) -> Counts:
        """How many messages are visible, in flight and delayed, at one instant; exact, unlike AWS's.

        Costs in proportion to what has come due since the last operation.
        """
        with self._lock:
            return self._counts_at(self._look_at_the_time())

    def _approximate_counts(self) -> Counts:
        """The counts as AWS tells them: with `Consistency.counts_seconds`, as old as those."""
        if self._minute is None:
            return self.counts()
        with self._lock:
            self._look_at_the_time()
            return self._minute.counts

    @property
    def approximate_number_of_messages(self) -> int:
        """How many messages are visible."""
        return self._approximate_counts().visible

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """How many messages are in flight."""
        return self._approximate_counts().in_flight

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """How many messages are delayed."""
        return self._approximate_counts().delayed

    def peek(self) -> list[PeekedMessage]:
        """Every message with its state, in the order of sending; nothing changes by looking.

        AWS has nothing like it.  Costs in proportion to the number of messages.
        """
        with self._lock:
            self._settle(self._look_at_the_time())
            return [
                PeekedMessage(
                    message_id=message.message_id,
                    body=message.body,
                    state=STATES[message.state],
                    visible_at_ns=message.visible_at_ns,
                    sent_ns=message.sent_ns,
                    receive_count=message.receive_count + message.received_before,
                    first_received_ns=message.first_received_ns,
                    message_attributes=dict(message.message_attributes or {}),
                    message_group_id=message.group_id,
                    message_deduplication_id=message.deduplication_id,
                    sequence_number=None
                    if self._deduplication is None
                    else sequence_number_of(message.number),
                    dead_letter_queue_source_arn=message.dead_letter_source,
                )
                for message in self._ages
            ]

    # --- dead letters ---

    def list_dead_letter_source_queues(
        self, *, max_results: int | None = None, next_token: str | None = None
    ) -> QueuePage:
        """The queues whose failed messages come to this one by name, a page where `max_results` is given.

        Args:
            max_results: 1 to 1,000.
            next_token: Where to go on: the token of the page before.

        Raises:
            InvalidParameterValue: Out of range, or a token that isn't one.

        AWS: ListDeadLetterSourceQueues.
        """
        with self._lock:
            self._look_at_the_time()
            sources = redrive.source_queues_of(self)
            return page_of(sources, max_results, next_token, self.broker.queue_limits)

    def start_message_move_task(
        self, destination_arn: str | None = None, *, max_number_of_messages_per_second: int | None = None
    ) -> str:
        """Move this dead-letter queue's messages away, as new messages, while time passes.

        Args:
            destination_arn: Where to; each message goes back to the queue that it failed in where None.
            max_number_of_messages_per_second: 1 to 500; 500 where None.

        Returns:
            The task's handle, to cancel it by.

        Raises:
            ResourceNotFoundException: The destination does not exist.
            InvalidParameterValue: This is nobody's dead-letter queue, the rate is out of range, or a task
                is running already.

        AWS: StartMessageMoveTask.
        """
        with self._lock:
            self._look_at_the_time()
            return self.broker.start_message_move_task(
                self.arn, destination_arn, max_number_of_messages_per_second=max_number_of_messages_per_second
            )

    def list_message_move_tasks(self, *, max_results: int = 1) -> list[MessageMoveTask]:
        """The latest tasks that moved messages from this queue, the latest first.

        Args:
            max_results: 1 to 10.

        AWS: ListMessageMoveTasks.
        """
        with self._lock:
            self._look_at_the_time()
            return self.broker.list_message_move_tasks(self.arn, max_results=max_results)

    def __repr__(self) -> str:
        if self.broker.closed_because is not None and not self._is_deleted:
            return f"<Queue {self.name!r}: its broker is closed>"
        self.broker._let_time_pass()
        if self._is_deleted:
            return f"<Queue {self.name!r}: deleted>"
        if not self._is_usable:
            return f"<Queue {self.name!r}: not there yet>"
        visible, in_flight, delayed = self.counts()
        return f"<Queue {self.name!r}: {visible} visible, {in_flight} in flight, {delayed} delayed>"
