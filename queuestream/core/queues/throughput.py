"""How many calls a FIFO queue answers in a second, where `QueueLimits.enforce_throughput` asks for it.

The page "Amazon SQS message quotas": 300 calls per second of each action, a batch being one call of
its action.  In high throughput mode (`fifo_throughput_limit="perMessageGroupId"`) this quota "applies
per message group" (SetQueueAttributes), and the queue has one of 70,000 in the largest regions.

What AWS does not say, and what is made of it:

- SQS keeps a queue in partitions, by message group, and makes more of them as the load grows.  Here
  they have grown as far as they can: each group has one to itself.
- A batch is one call of each group that it names.  A receive names none, as does the handle of a message
  that is gone: it is a call of the queue alone.
- ChangeMessageVisibility is an action as the three that the quotas name ("Troubleshoot FIFO throttling
  issues" has its batch among those that help).
- A call counts once its parameters are in order, whatever comes of it; but not one that is throttled.
  A long poll counts when it begins.  What the queue does by itself is no call.
- That page says ThrottlingException.  It is RequestThrottled here, as the API reference has it for each
  action, as SQS was seen to answer, and as botocore retries it.

The calls of the last second are not part of a queue's state: one that is rebuilt has its full quota.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.bucket import Bucket
from queuestream.core.clock import SECOND
from queuestream.core.errors import RequestThrottled
from queuestream.core.queues.message import ReceivedMessage
from queuestream.core.queues.receipts import TOKEN_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.core.queues.state import QueueState

# The action, the message group (None for the whole queue), and its calls per second.
Quota = tuple[str, str | None, int]


class Throughput:
    """The quota of one FIFO queue, and what is left of it.

    Args:
        queue: Whose calls are counted.
    """

    __slots__ = ("_buckets", "_queue", "_tidied_ns")

    def __init__(self, queue: QueueState) -> None:
        self._queue = queue
        self._buckets: dict[Quota, Bucket] = {}
        self._tidied_ns = 0

    def take(self, action: str, group_ids: Iterable[str | None], now_ns: int) -> None:
        """Count a call, at O(1) for each group.  The caller holds the queue's lock.

        Args:
            action: The action, a batch's too.
            group_ids: The message groups that it names.
            now_ns: When it came.

        Raises:
            RequestThrottled: There is nothing left of a quota; nothing was counted.
        """
        limits = self._queue.broker.queue_limits
        quotas: set[Quota] = {(action, None, limits.fifo_calls_per_second)}
        if self._queue._attributes.fifo_throughput_limit == "perMessageGroupId":
            quotas = {(action, group_id, limits.fifo_calls_per_second) for group_id in group_ids}
            quotas.add((action, None, limits.fifo_high_throughput_calls_per_second))
        buckets = {quota: self._buckets.get(quota) or Bucket(quota[-1]) for quota in quotas}
        if not all(bucket.has(1, now_ns) for bucket in buckets.values()):
            raise RequestThrottled(self._queue.name, action)
        if now_ns >= self._tidied_ns + SECOND:
            self._tidy(now_ns)
        for bucket in buckets.values():
            bucket.take(1, now_ns)
        self._buckets.update(buckets)

    def take_of(self, action: str, receipt_handles: Iterable[object], now_ns: int) -> None:
        """Count a call that names messages by their handles, or by what was received.

        Raises:
            RequestThrottled: There is nothing left of a quota; nothing was counted.
        """
        group_ids = set()
        for named in receipt_handles:
            handle = named.receipt_handle if isinstance(named, ReceivedMessage) else named
            message = self._queue._received.get(handle[:TOKEN_LENGTH]) if isinstance(handle, str) else None
            if message is not None:
                group_ids.add(message.group_id)
        self.take(action, group_ids, now_ns)

    def _tidy(self, now_ns: int) -> None:
        """Forget what is full: groups come and go, and all that nobody calls fill up within a second."""
        self._tidied_ns = now_ns
        self._buckets = {
            quota: bucket for quota, bucket in self._buckets.items() if not bucket.is_full(now_ns)
        }
