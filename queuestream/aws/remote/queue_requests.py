"""What callers give to a queue's operations, as AWS takes it.

Only forms change here: an attribute's value becomes AWS's text, a plain value a typed one, a received
message its handle.  Whether AWS likes what it gets, AWS says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from queuestream.aws.operations.sqs_attributes import attribute_text
from queuestream.aws.operations.sqs_requests import message_attribute_shapes
from queuestream.aws.remote.calls import present
from queuestream.core.errors import InvalidAttributeValue, InvalidParameterValue
from queuestream.core.queues.attributes import AWS_NAMES
from queuestream.core.queues.checks import shown
from queuestream.core.queues.limits import QueueLimits
from queuestream.core.queues.message import ReceivedMessage
from queuestream.core.queues.message_attributes import MessageAttribute, typed

if TYPE_CHECKING:
    from queuestream.core.queues.message_attributes import MessageAttributes

_ANY = 2**31

NO_LIMITS = QueueLimits(
    message_size_max=_ANY,
    delay_seconds_max=_ANY,
    visibility_timeout_max=_ANY,
    message_retention_period_min=0,
    message_retention_period_max=_ANY,
    batch_entries_max=_ANY,
    wait_time_seconds_max=_ANY,
    maximum_message_size_min=0,
    kms_data_key_reuse_period_min=0,
    kms_data_key_reuse_period_max=_ANY,
    max_receive_count_max=_ANY,
    source_queue_arns_max=_ANY,
    policy_actions_max=_ANY,
    policy_principals_max=_ANY,
    policy_statements_max=_ANY,
    policy_size_max=_ANY,
)
"""What AWS allows is AWS's to say; this is for what the core reads with limits."""


def attribute_texts(values: Mapping[str, Any], *, is_new: bool = False) -> dict[str, str]:
    """The attributes of a queue under AWS's names; None takes one away, and a new queue has none to take."""
    if is_new:
        values = {
            name: value
            for name, value in values.items()
            # AWS knows no attribute FifoQueue that is false.
            if value is not None and not (name == "fifo_queue" and value is False)
        }
    return {AWS_NAMES.get(name, name): _text(name, value) for name, value in values.items()}


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int) or hasattr(value, "to_json"):
        return attribute_text(value)
    try:
        return json.dumps(dict(value) if isinstance(value, Mapping) else value)
    except (TypeError, ValueError, RecursionError):
        raise InvalidAttributeValue(AWS_NAMES.get(name, name)) from None


def message_attributes(given: object, parameter: str = "MessageAttributes") -> MessageAttributes | None:
    """The attributes of a message with AWS's types; None where there are none.

    Raises:
        InvalidParameterValue: Not by name, or a value of a type that AWS has not.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidParameterValue.of(parameter, shown(given), "Must map names to values.")
    return {
        name: value if isinstance(value, MessageAttribute) else MessageAttribute(*typed(name, value))
        for name, value in given.items()
    } or None


def message_members(
    message_body: object,
    attributes: MessageAttributes | None,
    system_attributes: MessageAttributes | None,
    delay_seconds: object = None,
    message_group_id: object = None,
    message_deduplication_id: object = None,
) -> dict[str, Any]:
    """What a message to be sent is, in a request or in an entry of a batch."""
    return present(
        MessageBody=message_body,
        DelaySeconds=delay_seconds,
        MessageAttributes=attributes and message_attribute_shapes(attributes),
        MessageSystemAttributes=system_attributes and message_attribute_shapes(system_attributes),
        MessageGroupId=message_group_id,
        MessageDeduplicationId=message_deduplication_id,
    )


def handle_of(receipt_handle: object) -> object:
    """The handle of a received message, or as it was given."""
    return receipt_handle.receipt_handle if isinstance(receipt_handle, ReceivedMessage) else receipt_handle


def listed(values: object) -> object:
    """Several values as a list, whatever held them; what holds none is AWS's to refuse."""
    return list(values) if isinstance(values, Iterable) and not isinstance(values, str | Mapping) else values
