"""Amazon SQS and Amazon Kinesis Data Streams inside your process, on a clock that you own.

    Queue, Stream       the two things; each works alone
    Broker              several of them under one clock, one seed, one account
    connect             a broker by its URL: in memory, in a SQLite file, or on AWS
    VirtualClock        time that passes when told to, or when everyone waits
    SystemClock         the machine's time
    errors              one class per AWS error code
    aio                 the same operations for asyncio
    Delivery            how messages and records are delivered: strictly, as at AWS, or worse
    QueueLimits, StreamLimits, MessageAttribute, SendEntry ...
                        what goes in and comes out

What is not used is not loaded: every name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from queuestream.core import errors as errors
    from queuestream.core.broker import Broker as Broker
    from queuestream.core.clock import Clock as Clock
    from queuestream.core.clock import SystemClock as SystemClock
    from queuestream.core.clock import VirtualClock as VirtualClock
    from queuestream.core.delivery import ADVERSARIAL as ADVERSARIAL
    from queuestream.core.delivery import AWS_LIKE as AWS_LIKE
    from queuestream.core.delivery import STRICT as STRICT
    from queuestream.core.delivery import Delivery as Delivery
    from queuestream.core.queues.attributes import QueueAttributes as QueueAttributes
    from queuestream.core.queues.batches import BatchFailure as BatchFailure
    from queuestream.core.queues.batches import BatchResult as BatchResult
    from queuestream.core.queues.batches import ChangeVisibilityEntry as ChangeVisibilityEntry
    from queuestream.core.queues.batches import DeleteEntry as DeleteEntry
    from queuestream.core.queues.batches import SendEntry as SendEntry
    from queuestream.core.queues.consistency import EVENTUAL as EVENTUAL
    from queuestream.core.queues.consistency import Consistency as Consistency
    from queuestream.core.queues.limits import QueueLimits as QueueLimits
    from queuestream.core.queues.message import PeekedMessage as PeekedMessage
    from queuestream.core.queues.message import ReceivedMessage as ReceivedMessage
    from queuestream.core.queues.message import SentMessage as SentMessage
    from queuestream.core.queues.message_attributes import MessageAttribute as MessageAttribute
    from queuestream.core.queues.move_tasks import MessageMoveTask as MessageMoveTask
    from queuestream.core.queues.pages import QueuePage as QueuePage
    from queuestream.core.queues.queue import Queue as Queue
    from queuestream.core.queues.redrive_policy import RedriveAllowPolicy as RedriveAllowPolicy
    from queuestream.core.queues.redrive_policy import RedrivePolicy as RedrivePolicy
    from queuestream.core.streams.entries import PutRecordsEntry as PutRecordsEntry
    from queuestream.core.streams.fan_out import StartingPosition as StartingPosition
    from queuestream.core.streams.limits import StreamLimits as StreamLimits
    from queuestream.core.streams.listing import ShardFilter as ShardFilter
    from queuestream.core.streams.stream import Stream as Stream
    from queuestream.engines import connect as connect

_HOMES = {
    "ADVERSARIAL": "core.delivery",
    "AWS_LIKE": "core.delivery",
    "BatchFailure": "core.queues.batches",
    "BatchResult": "core.queues.batches",
    "Broker": "core.broker",
    "ChangeVisibilityEntry": "core.queues.batches",
    "Clock": "core.clock",
    "Consistency": "core.queues.consistency",
    "DeleteEntry": "core.queues.batches",
    "Delivery": "core.delivery",
    "EVENTUAL": "core.queues.consistency",
    "MessageAttribute": "core.queues.message_attributes",
    "MessageMoveTask": "core.queues.move_tasks",
    "PeekedMessage": "core.queues.message",
    "PutRecordsEntry": "core.streams.entries",
    "Queue": "core.queues.queue",
    "QueueAttributes": "core.queues.attributes",
    "QueueLimits": "core.queues.limits",
    "QueuePage": "core.queues.pages",
    "ReceivedMessage": "core.queues.message",
    "RedriveAllowPolicy": "core.queues.redrive_policy",
    "RedrivePolicy": "core.queues.redrive_policy",
    "SendEntry": "core.queues.batches",
    "SentMessage": "core.queues.message",
    "ShardFilter": "core.streams.listing",
    "StartingPosition": "core.streams.fan_out",
    "STRICT": "core.delivery",
    "Stream": "core.streams.stream",
    "StreamLimits": "core.streams.limits",
    "SystemClock": "core.clock",
    "VirtualClock": "core.clock",
    "connect": "engines",
}

__all__ = ["__version__", "aio", "errors", *_HOMES]  # noqa: PLE0604 - names, all of them


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - only where a name is asked for

    if name in _HOMES:
        value = getattr(import_module(f"queuestream.{_HOMES[name]}"), name)
    elif name == "errors":
        value = import_module("queuestream.core.errors")
    elif name == "aio":
        value = import_module("queuestream.aio")
    else:
        raise AttributeError(f"module 'queuestream' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
