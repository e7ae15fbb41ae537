"""What SQS calls RedrivePolicy and RedriveAllowPolicy: where failed messages go, and who may send them.

Both are given as AWS gives them (JSON text, or a dict with AWS's names) or as the
objects of this module, and are these objects from then on; `_check` holds them against
the limits of a queue.  What they mean (whether the
dead-letter queue exists, is of the same kind and allows it) is the queue's business.

Imported only when a queue has such a policy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

import attrs

from queuestream.core.arns import parse_arn
from queuestream.core.errors import InvalidAttributeValue, InvalidParameterValue
from queuestream.core.queues.checks import is_integer, shown
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits

_DIGITS_MAX = 9
_ANY_COUNT = 10**_DIGITS_MAX - 1


@attrs.frozen(kw_only=True)
class RedrivePolicy:
    """Messages received more than `max_receive_count` times go to another queue.

    Args:
        dead_letter_target_arn: The ARN of that queue.
        max_receive_count: How often a message is handed out at most, 1 to 1,000.

    Raises:
        InvalidParameterValue: No ARN of a queue, or a count out of range.
    """

    dead_letter_target_arn: str
    max_receive_count: int = 10  # API reference, CreateQueue

    def __attrs_post_init__(self) -> None:
        reason = _refusal(self.dead_letter_target_arn, self.max_receive_count)
        if reason is not None:
            raise InvalidParameterValue.of("RedrivePolicy", self.to_json(), reason)

    def _check(self, limits: QueueLimits) -> None:
        """Whether a queue with these limits may have it.

        Raises:
            InvalidParameterValue: The count is out of range.
        """
        if self.max_receive_count > limits.max_receive_count_max:
            reason = _count_refusal(self.max_receive_count, limits)
            raise InvalidParameterValue.of("RedrivePolicy", self.to_json(), reason)

    @classmethod
    def of(cls, value: RedrivePolicy | Mapping[str, object] | str) -> RedrivePolicy:
        """The policy that any of its forms means."""
        if isinstance(value, RedrivePolicy):
            return value
        shape = _shape(value)
        if shape is None:
            raise InvalidAttributeValue("RedrivePolicy", "Redrive policy is not a valid JSON map.")
        known = dict(shape)
        arn = known.pop("deadLetterTargetArn", None)
        count = known.pop("maxReceiveCount", None)
        # AWS's own examples write the count as text.
        if isinstance(count, str) and count.isascii() and count.isdigit() and len(count) <= _DIGITS_MAX:
            count = int(count)
        reason: str | None
        if known:
            reason = "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."
        elif count is None or arn is None:
            # The API reference has 10 for a count that is not given; SQS does not.
            missing = "maxReceiveCount" if count is None else "deadLetterTargetArn"
            reason = f"Redrive policy does not contain mandatory attribute: {missing}."
        else:
            reason = _refusal(arn, count)
        if reason is not None:
            # SQS repeats a policy as it was given.
            given = shown(value) if isinstance(value, str) else _text(shape)
            raise InvalidParameterValue.of("RedrivePolicy", given, reason)
        return cls(dead_letter_target_arn=arn, max_receive_count=count)

    def to_json(self) -> str:
        """The policy as AWS writes it."""
        shape = {
            "deadLetterTargetArn": self.dead_letter_target_arn,
            "maxReceiveCount": self.max_receive_count,
        }
        return _text(shape)


def _refusal(arn: object, count: object) -> str | None:
    """Why SQS takes no redrive policy of this target and count; None where it does."""
    if not is_integer(count, 1, _ANY_COUNT):
        return _count_refusal(count, AWS_LIMITS)
    target = parse_arn(arn)
    if target is None:
        return "Invalid value for deadLetterTargetArn."
    if target.service != "sqs":
        return "Only SQS queues are valid resources for deadLetterTargetArn."
    return None


def _count_refusal(count: object, limits: QueueLimits) -> str:
    return (
        f"Invalid value for maxReceiveCount: {shown(count)}, "
        f"valid values are from 1 to {limits.max_receive_count_max} both inclusive."
    )


def _source_queue_arns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(arn, str) for arn in value):
        raise _unsupported()
    return tuple(value)


@attrs.frozen(kw_only=True)
class RedriveAllowPolicy:
    """Which queues may name this one as their dead-letter queue.

    Args:
        redrive_permission: `allowAll`, `denyAll`, or `byQueue` for those that are listed.
        source_queue_arns: The queues that may, with `byQueue` only; 1 to 10 ARNs.

    Raises:
        InvalidAttributeValue: A policy of another form.
        InvalidParameterValue: ARNs without `byQueue`, `byQueue` without ARNs, or too many of them.
    """

    redrive_permission: Literal["allowAll", "denyAll", "byQueue"] = "allowAll"
    source_queue_arns: tuple[str, ...] = attrs.field(default=(), converter=_source_queue_arns)

    def __attrs_post_init__(self) -> None:
        if self.redrive_permission not in ("allowAll", "denyAll", "byQueue"):
            raise _unsupported()
        arns = self.source_queue_arns
        if self.redrive_permission != "byQueue":
            if arns:
                self._refuse(
                    "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
                )
        elif not arns:
            self._refuse(
                "When you specify the byQueue permission type, "
                "you must also specify one or more sourceQueueArns values."
            )

    def _check(self, limits: QueueLimits) -> None:
        """Whether a queue with these limits may have it.

        Raises:
            InvalidParameterValue: Too many ARNs.
        """
        maximum = limits.source_queue_arns_max
        if len(self.source_queue_arns) > maximum:
            self._refuse(f"The maximum number of source queue ARNs you can specify is {maximum}.")

    @classmethod
    def of(cls, value: RedriveAllowPolicy | Mapping[str, object] | str) -> RedriveAllowPolicy:
        """The policy that any of its forms means."""
        if isinstance(value, RedriveAllowPolicy):
            return value
        shape = _shape(value)
        if shape is None or not {"redrivePermission"} <= shape.keys() <= {
            "redrivePermission",
            "sourceQueueArns",
        }:
            raise _unsupported()
        return cls(
            redrive_permission=shape["redrivePermission"], source_queue_arns=shape.get("sourceQueueArns", ())
        )

    def allows(self, source_queue_arn: str) -> bool:
        """Whether that queue may send its failed messages here."""
        return self.redrive_permission == "allowAll" or source_queue_arn in self.source_queue_arns

    def to_json(self) -> str:
        """The policy as AWS writes it."""
        shape: dict[str, object] = {"redrivePermission": self.redrive_permission}
        if self.source_queue_arns:
            shape["sourceQueueArns"] = self.source_queue_arns
        return _text(shape)

    def _refuse(self, reason: str) -> NoReturn:
        reason = f"Amazon SQS can't create the redrive allow policy. {reason}"
        raise InvalidParameterValue.of("RedriveAllowPolicy", self.to_json(), reason)


def _unsupported() -> InvalidAttributeValue:
    return InvalidAttributeValue(
        "RedriveAllowPolicy",
        # The apostrophe in "it's" is AWS's own.
        "Amazon SQS can't create the redrive allow policy, as it\N{RIGHT SINGLE QUOTATION MARK}s "
        "in an unsupported format.",
    )


def _shape(value: object) -> dict[str, Any] | None:
    """A JSON object given as text or as a dict; None for everything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        return None
    return dict(value)


def _text(shape: Mapping[str, object]) -> str:
    """JSON without spaces, for any values at all."""
    shown_shape = {
        name: value
        if isinstance(value, str | list | tuple) or is_integer(value, 1, _ANY_COUNT)
        else shown(value)
        for name, value in shape.items()
    }
    return json.dumps(shown_shape, separators=(",", ":"), default=shown)
