"""Helping the tests of others: what holds an engine, or a program, to what SQS and Kinesis do.

    pytest_plugin   fixtures `queuestream_*`, a marker and options; pytest finds it by itself
    CallLog         which operations a program called, with what, and what came back
    conformance     one suite of tests, for any engine that says it is a broker; needs pytest

What is not used is not loaded: every name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuestream.testing.call_log import Call as Call
    from queuestream.testing.call_log import CallLog as CallLog
    from queuestream.testing.expecting import ExpectedCall as ExpectedCall

# Each name, and the module of this package that has it.
_HOMES = {
    "Call": "call_log",
    "CallLog": "call_log",
    "ExpectedCall": "expecting",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - names, all of them


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - only where a name is asked for

    if name not in _HOMES:
        raise AttributeError(f"module 'queuestream.testing' has no attribute {name!r}")
    value = getattr(import_module(f"queuestream.testing.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
