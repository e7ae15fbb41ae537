"""The attributes of a queue as typed keywords: `**attributes: Unpack[QueueAttributesDict]`.

For type checkers and their users only; at run time nothing here is needed, and nothing
imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy


class QueueAttributesDict(TypedDict, total=False):
    """What `create_queue`, `Queue` and `set_attributes` take as keywords; see QueueAttributes."""

    visibility_timeout: int
    delay_seconds: int
    message_retention_period: int
    maximum_message_size: int
    receive_message_wait_time_seconds: int
    policy: Mapping[str, object] | str | None
    redrive_policy: RedrivePolicy | Mapping[str, object] | str | None
    redrive_allow_policy: RedriveAllowPolicy | Mapping[str, object] | str | None
    fifo_queue: bool
    content_based_deduplication: bool
    deduplication_scope: Literal["queue", "messageGroup"]
    fifo_throughput_limit: Literal["perQueue", "perMessageGroupId"]
    kms_master_key_id: str | None
    kms_data_key_reuse_period_seconds: int
    sqs_managed_sse_enabled: bool
