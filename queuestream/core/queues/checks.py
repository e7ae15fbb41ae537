"""What SQS says about a parameter that it refuses, and when.

One function per parameter, named after it: it returns nothing where the value is one
that SQS takes, and raises AWS's sentence otherwise.  A value of a wrong Python type is
as invalid as one out of range; a bool is no integer here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from queuestream.core.errors import InvalidParameterValue, MissingParameter
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits

FIFO_SUFFIX = ".fifo"

_SHOWN_LENGTH_MAX = 200
_SHOWN_BITS_MAX = 256

ARE_INVALID = "parameters are invalid."
"""How SQS speaks of a message that is too large."""

HANDLE_HAS_EXPIRED = "The receipt handle has expired."
"""How a FIFO queue speaks of a handle that another receive, or the time, has put out of use."""

NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def is_integer(value: object, low: int, high: int) -> bool:
    """Whether a value is an integer from `low` to `high`, and not a truth value."""
    return isinstance(value, int) and low <= value <= high and not isinstance(value, bool)


def shown(value: object) -> str:
    """A value as an error message shows it: short, printable, whatever it is.

    The value may be anything at all: text with surrogates, an integer of more digits
    than Python prints, an object with a broken `repr`.
    """
    if isinstance(value, str):
        text = value if len(value) <= _SHOWN_LENGTH_MAX else f"{value[:_SHOWN_LENGTH_MAX]}..."
        return text.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int) and value.bit_length() > _SHOWN_BITS_MAX:
        return f"(an integer of {value.bit_length()} bits)"
    if value is None or isinstance(value, int | float):
        return str(value)
    return f"({type(value).__name__})"


def check_delay_seconds(value: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """DelaySeconds of SendMessage: 0 to 15 minutes."""
    if not is_integer(value, 0, limits.delay_seconds_max):
        raise InvalidParameterValue.of(
            "DelaySeconds", shown(value), f"DelaySeconds must be >= 0 and <= {limits.delay_seconds_max}."
        )


def check_max_number_of_messages(value: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """MaxNumberOfMessages of ReceiveMessage: 1 to 10."""
    if not is_integer(value, 1, limits.messages_per_receive_max):
        raise InvalidParameterValue.of(
            "MaxNumberOfMessages",
            shown(value),
            f"Must be between 1 and {limits.messages_per_receive_max}, if provided.",
        )


def check_wait_time_seconds(value: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """WaitTimeSeconds of ReceiveMessage: 0 to 20 seconds."""
    if not is_integer(value, 0, limits.wait_time_seconds_max):
        raise InvalidParameterValue.of(
            "WaitTimeSeconds",
            shown(value),
            f"Must be >= 0 and <= {limits.wait_time_seconds_max}, if provided.",
        )


def check_visibility_timeout(value: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """VisibilityTimeout of ReceiveMessage and ChangeMessageVisibility: 0 to 12 hours."""
    if not is_integer(value, 0, limits.visibility_timeout_max):
        raise InvalidParameterValue.of(
            "VisibilityTimeout",
            shown(value),
            f"Must be >= 0 and <= {limits.visibility_timeout_max}, if provided.",
        )


def check_queue_name(name: object, *, fifo_queue: bool, limits: QueueLimits = AWS_LIMITS) -> None:
    """QueueName of CreateQueue; that of a FIFO queue ends in `.fifo`, which no other name can hold."""
    maximum = limits.queue_name_length_max
    if isinstance(name, str) and 1 <= len(name) <= maximum:
        stem = name.removesuffix(FIFO_SUFFIX) if fifo_queue else name
        if stem and NAME_CHARACTERS.issuperset(stem) and (stem != name) == fifo_queue:
            return
    if fifo_queue:
        raise InvalidParameterValue(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            f"must end with .fifo suffix and be 1 to {maximum} in length."
        )
    raise InvalidParameterValue(
        f"Can only include alphanumeric characters, hyphens, or underscores. 1 to {maximum} in length"
    )


def check_message_group_id(value: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """MessageGroupId of SendMessage: printable ASCII without spaces."""
    _check_printable("MessageGroupId", value, limits.message_group_id_length_max)


def check_message_deduplication_id(value: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """MessageDeduplicationId of SendMessage: printable ASCII without spaces."""
    _check_printable("MessageDeduplicationId", value, limits.message_deduplication_id_length_max)


def check_receive_request_attempt_id(value: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """ReceiveRequestAttemptId of ReceiveMessage: printable ASCII without spaces."""
    _check_printable("ReceiveRequestAttemptId", value, limits.receive_request_attempt_id_length_max)


def check_tags(tags: object, limits: QueueLimits = AWS_LIMITS) -> None:
    """Tags of TagQueue and CreateQueue: 1 to 50 texts by key, whose keys are not AWS's own.

    Developer guide, "Amazon SQS standard queue quotas".
    """
    if not isinstance(tags, Mapping):
        raise InvalidParameterValue.of("Tags", shown(tags), "Must map keys to values.")
    if not tags:
        raise MissingParameter("Tags")
    if len(tags) > limits.tags_max:
        raise InvalidParameterValue(f"Too many tags added for queue. The maximum is {limits.tags_max}.")
    for key, value in tags.items():
        if not (isinstance(key, str) and 1 <= len(key) <= limits.tag_key_length_max):
            raise InvalidParameterValue(
                f"Tag keys must be between 1 and {limits.tag_key_length_max} characters in length."
            )
        if not (isinstance(value, str) and len(value) <= limits.tag_value_length_max):
            raise InvalidParameterValue(
                f"Tag values must be between 0 and {limits.tag_value_length_max} characters in length."
            )
        if key.lower().startswith("aws:"):
            raise InvalidParameterValue("Tag keys that begin with 'aws:' are reserved for internal use.")


def check_queue_tags(tags: object, limits: QueueLimits = AWS_LIMITS) -> dict[str, str]:
    """Tags of CreateQueue: none at all, or such as TagQueue takes."""
    if tags is None or (isinstance(tags, Mapping) and not tags):
        return {}
    check_tags(tags, limits)
    return dict(tags)  # type: ignore[call-overload, no-any-return]  # checked


def check_tag_keys(tag_keys: object) -> set[str]:
    """TagKeys of UntagQueue: one text, or several."""
    if isinstance(tag_keys, str):
        return {tag_keys}
    keys = list(tag_keys) if isinstance(tag_keys, Iterable) else None
    if keys is None or not all(isinstance(key, str) for key in keys):
        raise InvalidParameterValue.of("TagKeys", shown(tag_keys), "Must be a list of keys.")
    if not keys:
        raise InvalidParameterValue("Tag keys must be between 1 and 128 characters in length.")
    return set(keys)


def _check_printable(parameter: str, value: object, maximum: int) -> None:
    if not (
        isinstance(value, str)
        and 1 <= len(value) <= maximum
        and value.isascii()
        and value.isprintable()
        and " " not in value
    ):
        raise InvalidParameterValue.of(
            parameter,
            shown(value),
            f"{parameter} can only include alphanumeric and punctuation characters. "
            f"1 to {maximum} in length.",
        )
