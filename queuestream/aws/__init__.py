"""Speaking AWS: the same queues and streams, for programs written against SQS and Kinesis.

    mock_aws            boto3 and aiobotocore answered in this process: a context manager and a decorator
    wire                one client, or one session, answered in this process; nothing else is touched
    serve               the same over HTTP, for every SDK: a context manager; `queuestream serve` in a shell
    Aws                 the accounts and regions behind all of these: brokers on one clock, with one seed
    FaultPlan, Fault    what goes wrong, when: throttling, errors, lost answers (AnswerLost)
    ManualClock         the virtual clock of a server, which moves only when told to

How a request goes.  A carrier (`in_process`, `server`) takes it from a client; the `front_end` knows
the wire (protocols, signatures, AWS's words for what is malformed); `operations` has one short function
for each operation of AWS's, from AWS's names to the core's and back; the core decides.

What is not used is not loaded: this package is imported only by who asks for it, and needs the
extra `aws` (botocore), the server the extra `server`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuestream.aws.accounts import Aws as Aws
    from queuestream.aws.fault_plans import FaultPlan as FaultPlan
    from queuestream.aws.faults import AnswerLost as AnswerLost
    from queuestream.aws.faults import Fault as Fault
    from queuestream.aws.in_process.mock import mock_aws as mock_aws
    from queuestream.aws.in_process.wiring import wire as wire
    from queuestream.aws.server import serve as serve
    from queuestream.aws.server.manual_clock import ManualClock as ManualClock

_HOMES = {
    "AnswerLost": "faults",
    "Aws": "accounts",
    "Fault": "faults",
    "FaultPlan": "fault_plans",
    "ManualClock": "server.manual_clock",
    "mock_aws": "in_process.mock",
    "serve": "server",
    "wire": "in_process.wiring",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - names, all of them


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - only where a name is asked for

    if name not in _HOMES:
        raise AttributeError(f"module 'queuestream.aws' has no attribute {name!r}")
    try:
        module = import_module(f"queuestream.aws.{_HOMES[name]}")
    except ModuleNotFoundError as missing:
        extra = "server" if _HOMES[name].startswith("server") else "aws"
        message = f"{missing}; pip install 'queuestream[{extra}]' has what queuestream.aws.{name} needs"
        raise ModuleNotFoundError(message, name=missing.name) from missing
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
