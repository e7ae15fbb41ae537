"""The attributes of a queue: AWS's texts ("30", "true", JSON) to the core's values, and back.

Which attributes there are, and which values they take, the core knows.  A text that stands for no value
of an attribute's kind is as invalid as a value out of range.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidAttributeName, InvalidAttributeValue
from queuestream.core.queues.attributes import AWS_NAMES, PYTHON_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from queuestream.core.queues.queue import Queue

_INTEGERS = {
    "visibility_timeout",
    "delay_seconds",
    "message_retention_period",
    "maximum_message_size",
    "receive_message_wait_time_seconds",
    "kms_data_key_reuse_period_seconds",
}
_FLAGS = {"fifo_queue", "content_based_deduplication", "sqs_managed_sse_enabled"}
_TRUTHS = {"true": True, "false": False}

# More digits than any attribute's value has.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)

_FIFO_ONLY = {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

# What can be asked and not be set.
_READ_ONLY: dict[str, Callable[[Queue], object]] = {
    "QueueArn": lambda queue: queue.arn,
    "CreatedTimestamp": lambda queue: queue.created_ns // SECOND,
    "LastModifiedTimestamp": lambda queue: queue.last_modified_ns // SECOND,
    "ApproximateNumberOfMessages": lambda queue: queue.approximate_number_of_messages,
    "ApproximateNumberOfMessagesNotVisible": lambda queue: queue.approximate_number_of_messages_not_visible,
    "ApproximateNumberOfMessagesDelayed": lambda queue: queue.approximate_number_of_messages_delayed,
}


def attribute_values(texts: Mapping[str, str] | None) -> dict[str, Any]:
    """The core's values, under the core's names, of the attributes that a request sets.

    Raises:
        InvalidAttributeName: A name that is no attribute, or one that can't be set.
        InvalidAttributeValue: A text that stands for no value of the attribute's kind.
    """
    values = {}
    for aws_name, text in (texts or {}).items():
        name = PYTHON_NAMES.get(aws_name)
        if name is None:
            raise InvalidAttributeName(aws_name)
        values[name] = _value(name, text)
    return values


def _value(name: str, text: object) -> object:
    if isinstance(text, str):
        if name in _INTEGERS:
            if _INTEGER.fullmatch(text):
                return int(text)
        elif name in _FLAGS:
            if text.lower() in _TRUTHS:
                return _TRUTHS[text.lower()]
        else:
            return text
    raise InvalidAttributeValue(AWS_NAMES[name])


def attribute_texts(queue: Queue, asked: Iterable[str] | None) -> dict[str, str]:
    """The attributes of a queue that were asked for, as AWS shows them; one that is not set is left out.

    Raises:
        InvalidAttributeName: A name that is no attribute.
    """
    names = list(asked or ())
    for name in names:
        if name != "All" and name not in _READ_ONLY and name not in PYTHON_NAMES:
            raise InvalidAttributeName(name)
    if "All" in names:
        names = [*_READ_ONLY, *PYTHON_NAMES]
    texts = {}
    for name in names:
        value = _shown(queue, name)
        if value is not None:
            texts[name] = value
    return texts


def _shown(queue: Queue, name: str) -> str | None:
    if name in _READ_ONLY:
        return str(_READ_ONLY[name](queue))
    attributes = queue.attributes
    if name in _FIFO_ONLY and not attributes.fifo_queue:
        return None
    if name == "KmsDataKeyReusePeriodSeconds" and attributes.kms_master_key_id is None:
        return None
    value = getattr(attributes, PYTHON_NAMES[name])
    return None if value is None else attribute_text(value)


def attribute_text(value: Any) -> str:
    """One attribute's value as AWS writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    return str(value.to_json())
