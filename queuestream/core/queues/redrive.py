"""Dead letters: where messages go that were received too often, and who may send them there.

A message that was received `max_receive_count` times and is about to be handed out once
more goes to the dead-letter queue instead.  There it is the same message: its id, body,
attributes and count go with it, and on a standard queue the time at which it was first
sent, which is what the retention period counts from.  On a FIFO queue that time and the
deduplication id are new.

AWS: "Using dead-letter queues in Amazon SQS"; "Setting up dead-letter queue retention";
"Learn how to configure a dead-letter queue redrive".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.errors import InvalidParameterValue
from queuestream.core.queues.message import LabelledMessage, Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.core.queues.administration import QueueAdministration
    from queuestream.core.queues.attributes import QueueAttributes
    from queuestream.core.queues.queue import Queue


def check_target(queue: QueueAdministration, attributes: QueueAttributes) -> None:
    """Whether a queue with these attributes may have the redrive policy that they name.

    Raises:
        InvalidParameterValue: Its target does not exist, is of the other kind or does not allow it.
    """
    policy = attributes.redrive_policy
    assert policy is not None
    target = queue.broker._queue_of(policy.dead_letter_target_arn)
    reason = None
    if target is None:
        reason = "Dead letter target does not exist."
    elif target.is_fifo != attributes.fifo_queue:
        reason = "Dead-letter queue must be same type of queue as the source."
    elif not _allows(target, queue.arn):
        reason = "The dead-letter queue's redrive allow policy does not permit this source queue."
    if reason is not None:
        raise InvalidParameterValue.of("RedrivePolicy", policy.to_json(), reason)


def dead_letter_queue_of(queue: QueueAdministration) -> Queue | None:
    """Where a queue's failed messages go now; None where no queue is there to take them."""
    target = _target_of(queue)
    return target if target is not None and _allows(target, queue.arn) else None


def source_queues_of(target: QueueAdministration) -> list[Queue]:
    """The queues whose redrive policy names this one, by name."""
    return [queue for _, queue in sorted(target.broker.queues.items()) if _target_of(queue) is target]


def dead_letters(
    messages: Iterable[Message], source: QueueAdministration, target: Queue, now_ns: int
) -> list[Message]:
    """Messages as they will be in the dead-letter queue."""
    letters: list[Message] = []
    for number, message in enumerate(messages, target._last_number + 1):
        # On a FIFO queue by its id, so that two messages which share a deduplication id both arrive.
        letter = LabelledMessage.like(message, message.message_id if target.is_fifo else None)
        letter.message_id = message.message_id
        letter.number = number
        letter.sent_ns = now_ns if target.is_fifo else message.sent_ns
        letter.received_before = message.receive_count + message.received_before
        letter.first_received_ns = message.first_received_ns
        letter.dead_letter_source = source.arn
        letters.append(letter)
    return letters


def _allows(target: QueueAdministration, source_arn: str) -> bool:
    policy = target._attributes.redrive_allow_policy
    return policy is None or policy.allows(source_arn)


def _target_of(queue: QueueAdministration) -> Queue | None:
    """The queue that the redrive policy names; None where there is no policy, or no such queue."""
    policy = queue._attributes.redrive_policy
    return None if policy is None else queue.broker._queue_of(policy.dead_letter_target_arn)
