"""A queue's settings: AWS's queue attributes, under their Python names.

`QueueAttributes` is a value, complete and valid from the moment it is made.  `create`
makes one from what a caller named, `evolve` a changed one; both know which names a queue
of its kind takes, which a value alone cannot know.  Numbers are Python integers and
flags are bools here; AWS's texts ("30", "true") are the wire's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.errors import InvalidAttributeName, InvalidAttributeValue
from queuestream.core.queues.checks import is_integer
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy

AWS_NAMES = {
    name: name.title().replace("_", "")
    for name in (
        "visibility_timeout",
        "delay_seconds",
        "message_retention_period",
        "maximum_message_size",
        "receive_message_wait_time_seconds",
        "policy",
        "redrive_policy",
        "redrive_allow_policy",
        "fifo_queue",
        "content_based_deduplication",
        "deduplication_scope",
        "fifo_throughput_limit",
        "kms_master_key_id",
        "kms_data_key_reuse_period_seconds",
        "sqs_managed_sse_enabled",
    )
}
"""The attributes that can be set, with AWS's names for them: `visibility_timeout` is VisibilityTimeout."""

PYTHON_NAMES = {aws_name: name for name, aws_name in AWS_NAMES.items()}
"""The same table read the other way."""

_FIFO_ONLY = {
    "content_based_deduplication": False,
    "deduplication_scope": "queue",
    "fifo_throughput_limit": "perQueue",
}


def _policy_text(value: Mapping[str, object] | str | None) -> str | None:
    """A policy as JSON text, which is kept as it was given; None and "" mean none."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    import json  # noqa: PLC0415 - few queues have a policy

    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        raise InvalidAttributeValue("Policy") from None


def _redrive_policy(value: RedrivePolicy | Mapping[str, object] | str | None) -> RedrivePolicy | None:
    if value is None or value == "":
        return None
    from queuestream.core.queues.redrive_policy import RedrivePolicy  # noqa: PLC0415 - few queues have one

    return RedrivePolicy.of(value)


def _redrive_allow_policy(
    value: RedriveAllowPolicy | Mapping[str, object] | str | None,
) -> RedriveAllowPolicy | None:
    if value is None or value == "":
        return None
    from queuestream.core.queues.redrive_policy import RedriveAllowPolicy  # noqa: PLC0415 - few queues have one

    return RedriveAllowPolicy.of(value)


def _key_id(value: str | None) -> str | None:
    return None if value == "" else value


@attrs.frozen(kw_only=True)
class QueueAttributes:
    """The settings of a queue; AWS's defaults, and AWS's rules about what goes together.

    Durations are in seconds, sizes in bytes.  API reference: CreateQueue, SetQueueAttributes.

    Raises:
        InvalidAttributeName: An attribute of FIFO queues, for a standard queue; two kinds of encryption.
        InvalidAttributeValue: A value out of range or of the wrong form.
        InvalidParameterValue: A redrive policy that makes no sense.
        OverLimit: A policy with more in it than AWS allows.
    """

    visibility_timeout: int = 30
    delay_seconds: int = 0
    message_retention_period: int = 345_600
    maximum_message_size: int = 1_048_576
    receive_message_wait_time_seconds: int = 0
    policy: str | None = attrs.field(default=None, converter=_policy_text)
    redrive_policy: RedrivePolicy | None = attrs.field(default=None, converter=_redrive_policy)
    redrive_allow_policy: RedriveAllowPolicy | None = attrs.field(
        default=None, converter=_redrive_allow_policy
    )
    fifo_queue: bool = False
    content_based_deduplication: bool = False
    deduplication_scope: Literal["queue", "messageGroup"] = "queue"
    fifo_throughput_limit: Literal["perQueue", "perMessageGroupId"] = "perQueue"
    kms_master_key_id: str | None = attrs.field(default=None, converter=_key_id)
    kms_data_key_reuse_period_seconds: int = 300
    sqs_managed_sse_enabled: bool = attrs.field()
    limits: QueueLimits = attrs.field(default=AWS_LIMITS, eq=False, repr=False)

    @sqs_managed_sse_enabled.default
    def _encrypted_unless_by_a_key(self) -> bool:
        return self.kms_master_key_id is None

    def __attrs_post_init__(self) -> None:
        limits = self.limits
        _check_integer("VisibilityTimeout", self.visibility_timeout, 0, limits.visibility_timeout_max)
        _check_integer("DelaySeconds", self.delay_seconds, 0, limits.delay_seconds_max)
        _check_integer(
            "MessageRetentionPeriod",
            self.message_retention_period,
            limits.message_retention_period_min,
            limits.message_retention_period_max,
        )
        _check_integer(
            "MaximumMessageSize",
            self.maximum_message_size,
            limits.maximum_message_size_min,
            limits.message_size_max,
        )
        _check_integer(
            "ReceiveMessageWaitTimeSeconds",
            self.receive_message_wait_time_seconds,
            0,
            limits.wait_time_seconds_max,
        )
        _check_integer(
            "KmsDataKeyReusePeriodSeconds",
            self.kms_data_key_reuse_period_seconds,
            limits.kms_data_key_reuse_period_min,
            limits.kms_data_key_reuse_period_max,
        )
        _check_choice("FifoQueue", self.fifo_queue, (True, False))
        _check_choice("SqsManagedSseEnabled", self.sqs_managed_sse_enabled, (True, False))
        if self.fifo_queue:
            self._check_fifo()
        else:
            for name, default in _FIFO_ONLY.items():
                if getattr(self, name) != default:
                    raise _only_fifo(name)
        if self.policy is not None:
            from queuestream.core.queues.permissions import check_policy  # noqa: PLC0415 - few queues have one

            check_policy(self.policy, limits)
        for policy in (self.redrive_policy, self.redrive_allow_policy):
            if policy is not None:
                policy._check(limits)
        if self.kms_master_key_id is not None:
            self._check_encryption(self.kms_master_key_id)

    def _check_fifo(self) -> None:
        _check_choice("ContentBasedDeduplication", self.content_based_deduplication, (True, False))
        _check_choice("DeduplicationScope", self.deduplication_scope, ("queue", "messageGroup"))
        _check_choice("FifoThroughputLimit", self.fifo_throughput_limit, ("perQueue", "perMessageGroupId"))
        if self.fifo_throughput_limit == "perMessageGroupId" and self.deduplication_scope != "messageGroup":
            raise InvalidAttributeValue(
                "FifoThroughputLimit",
                "The perMessageGroupId value is allowed only when the value for DeduplicationScope "
                "is messageGroup.",
            )

    def _check_encryption(self, key_id: object) -> None:
        if not isinstance(key_id, str):
            raise InvalidAttributeValue("KmsMasterKeyId")
        if self.sqs_managed_sse_enabled:
            raise InvalidAttributeName(
                "SqsManagedSseEnabled",
                "You can use one type of server-side encryption (SSE) at one time. "
                "You can either enable KMS SSE or SQS SSE.",
            )


def create(given: Mapping[str, Any], limits: QueueLimits = AWS_LIMITS) -> QueueAttributes:
    """The attributes of a new queue, of which the caller named some.

    Raises:
        InvalidAttributeName: A name that is no attribute, or none of this kind of queue.
        InvalidAttributeValue: A value out of range or of the wrong form.
        InvalidParameterValue: A redrive policy that makes no sense.
    """
    if not given and limits is AWS_LIMITS:
        return _DEFAULTS
    _check_names(given, fifo_queue=given.get("fifo_queue") is True)
    return QueueAttributes(**given, limits=limits)


def evolve(attributes: QueueAttributes, changes: Mapping[str, Any]) -> QueueAttributes:
    """The attributes with some of them changed.

    None and "" take a policy, or the key of encryption, away.  A queue that gets a key
    stops using SQS's own encryption.

    Raises:
        InvalidAttributeName: A name that is no attribute, or none of this kind of queue.
        InvalidAttributeValue: A value out of range or of the wrong form, or another kind of queue.
        InvalidParameterValue: A redrive policy that makes no sense.
    """
    _check_names(changes, fifo_queue=attributes.fifo_queue)
    if "fifo_queue" in changes:
        if not attributes.fifo_queue:
            raise InvalidAttributeName("FifoQueue")
        if changes["fifo_queue"] is not True:
            raise InvalidAttributeValue("FifoQueue", "Modifying queue type is not supported.")
    if changes.get("kms_master_key_id"):
        changes = {"sqs_managed_sse_enabled": False, **changes}
    return attrs.evolve(attributes, **changes)


def first_difference(
    existing: QueueAttributes, asked: QueueAttributes, given: Mapping[str, object]
) -> str | None:
    """AWS's name of the first attribute that was given and differs from the existing queue's.

    A request for a queue that exists is compared in what it says, not in what it leaves
    out (API reference, CreateQueue, QueueNameExists).
    """
    for name, aws_name in AWS_NAMES.items():
        if name in given and getattr(existing, name) != getattr(asked, name):
            return aws_name
    return None


def _check_names(given: Mapping[str, object], *, fifo_queue: bool) -> None:
    for name in given:
        if name not in AWS_NAMES:
            raise InvalidAttributeName(name)
        if name in _FIFO_ONLY and not fifo_queue:
            raise _only_fifo(name)


def _only_fifo(name: str) -> InvalidAttributeName:
    """What SQS says of an attribute of FIFO queues on a standard queue; of the oldest, in other words."""
    attribute = AWS_NAMES[name]
    if name == "content_based_deduplication":
        return InvalidAttributeName(attribute)
    return InvalidAttributeName(
        attribute, f"You can specify the {attribute} only when FifoQueue is set to true."
    )


def _check_integer(attribute: str, value: object, low: int, high: int) -> None:
    if not is_integer(value, low, high):
        raise InvalidAttributeValue(attribute)


def _check_choice(attribute: str, value: object, choices: tuple[object, ...]) -> None:
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        raise InvalidAttributeValue(attribute)


# What AWS gives to a queue of which nothing was said; a value, so one serves all.
_DEFAULTS = QueueAttributes()
