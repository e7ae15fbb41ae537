"""The same queues and streams over AWS itself, or any endpoint that speaks as it does.

    RemoteBroker, AsyncRemoteBroker     what `connect("aws://...")` gives, for threads and for asyncio
    Retries                             how often and how late a call that failed is made again

How it works.  An operation is written once, without I/O: a generator that yields the calls it wants made
(`calls`) and is sent AWS's answers; `queue_operations` and `stream_operations` have one for each operation
of the core's.  `retrying` stands between: it makes a call again that was throttled or lost, and turns what
botocore raises into the core's errors (`failures`).  A transport makes the calls, by boto3 in a thread or
by aiobotocore in a task (`transports`).

What the core decides, AWS decides here: no rule of SQS or Kinesis is in this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuestream.aws.remote.broker import AsyncRemoteBroker as AsyncRemoteBroker
    from queuestream.aws.remote.broker import RemoteBroker as RemoteBroker
    from queuestream.aws.remote.retrying import Retries as Retries

_HOMES = {"AsyncRemoteBroker": "broker", "RemoteBroker": "broker", "Retries": "retrying"}

__all__ = [*_HOMES]  # noqa: PLE0604 - names, all of them


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - only where a name is asked for

    if name not in _HOMES:
        raise AttributeError(f"module 'queuestream.aws.remote' has no attribute {name!r}")
    value = getattr(import_module(f"queuestream.aws.remote.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
