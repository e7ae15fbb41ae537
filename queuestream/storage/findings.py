"""What is in a broker, counted: what `queuestream inspect` shows of each queue and stream.

Nothing expires by looking: messages and records whose retention period has passed are still in the file,
and are counted as such, until somebody opens it and uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queuestream.core.broker import Broker
    from queuestream.core.queues.queue import Queue
    from queuestream.core.streams.shard import Shard
    from queuestream.core.streams.stream import Stream


@attrs.frozen(kw_only=True)
class QueueFindings:
    """A queue at an instant.

    Attributes:
        visible: Messages that can be received, the expired ones among them.
        in_flight: Messages that somebody has received and not deleted.
        delayed: Messages whose delay has not ended.
        expired: Messages of all these that have outlived the retention period.
        oldest_sent_ns: When the oldest message was sent; None where there is none.
        dead_letters: Messages that failed in another queue.
        dead_letter_queue: The ARN of the queue that takes this one's; None where none does.
        move_tasks: How many tasks are moving messages out of it.
    """

    name: str
    is_fifo: bool
    visible: int
    in_flight: int
    delayed: int
    expired: int
    oldest_sent_ns: int | None
    dead_letters: int
    dead_letter_queue: str | None
    move_tasks: int


@attrs.frozen(kw_only=True)
class ShardFindings:
    """A shard at an instant.

    Attributes:
        records: Records that were not trimmed, the expired ones among them.
        bytes: What they weigh, data and partition keys.
        expired: Records of these that have outlived the retention period.
        oldest_arrival_ns: When the oldest of them arrived; None where there is none.
    """

    shard_id: str
    is_open: bool
    records: int
    bytes: int
    expired: int
    oldest_arrival_ns: int | None


@attrs.frozen(kw_only=True)
class StreamFindings:
    """A stream at an instant.

    Attributes:
        mode: `PROVISIONED` or `ON_DEMAND`.
        consumers: The names of the registered ones.
    """

    name: str
    status: str
    mode: str
    retention_period_hours: int
    consumers: Sequence[str]
    shards: Sequence[ShardFindings]

    @property
    def records(self) -> int:
        """Records in all shards."""
        return sum(shard.records for shard in self.shards)

    @property
    def bytes(self) -> int:
        """What they weigh."""
        return sum(shard.bytes for shard in self.shards)

    @property
    def oldest_arrival_ns(self) -> int | None:
        """When the oldest of them arrived; None where there is none."""
        arrivals = [shard.oldest_arrival_ns for shard in self.shards]
        return min((at_ns for at_ns in arrivals if at_ns is not None), default=None)


def queues_in(broker: Broker, now_ns: int) -> list[QueueFindings]:
    """What is in each queue, by name.  Cost: linear in the messages."""
    with broker.lock:
        return [_queue(queue, now_ns) for _, queue in sorted(broker.queues.items())]


def streams_in(broker: Broker, now_ns: int) -> list[StreamFindings]:
    """What is in each stream, by name.  Cost: linear in the shards."""
    with broker.lock:
        return [_stream(stream, now_ns) for _, stream in sorted(broker.streams.items())]


def _queue(queue: Queue, now_ns: int) -> QueueFindings:
    counts = queue._counts_at(now_ns)
    oldest = queue._ages.oldest()
    policy = queue._attributes.redrive_policy
    tasks = () if queue.broker._move_tasks is None else queue.broker._move_tasks.tasks
    return QueueFindings(
        name=queue.name,
        is_fifo=queue.is_fifo,
        visible=counts.visible,
        in_flight=counts.in_flight,
        delayed=counts.delayed,
        expired=len(queue._ages.up_to(now_ns - queue._retention_ns)),
        oldest_sent_ns=None if oldest is None else oldest.sent_ns,
        dead_letters=sum(message.dead_letter_source is not None for message in queue._ages),
        dead_letter_queue=None if policy is None else policy.dead_letter_target_arn,
        move_tasks=sum(task.status == "RUNNING" and task.source_arn == queue.arn for task in tasks),
    )


def _stream(stream: Stream, now_ns: int) -> StreamFindings:
    settings = stream.settings
    return StreamFindings(
        name=stream.name,
        status=stream._status(now_ns),
        mode=settings.stream_mode,
        retention_period_hours=settings.retention_period_hours,
        consumers=tuple(stream._consumers),
        shards=tuple(_shard(shard, now_ns - settings.retention_ns) for shard in stream._shards.values()),
    )


def _shard(shard: Shard, horizon_ns: int) -> ShardFindings:
    records = shard.next_number - shard.horizon
    return ShardFindings(
        shard_id=shard.shard_id,
        is_open=shard.is_open,
        records=records,
        bytes=shard.bytes_from(shard.horizon),
        expired=shard.expired(horizon_ns),
        oldest_arrival_ns=shard.arrival_ns(shard.horizon) if records else None,
    )
