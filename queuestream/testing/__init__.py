"""Helping the tests of others: what holds an engine, or a program, to what SQS and Kinesis do.

    pytest_plugin   fixtures `queuestream_*`, a marker and options; pytest finds it by itself
    CallLog         which operations a program called, with what, and what came back
    assert_...      what clients saw of order and delivery; a handler that gets its messages twice
    conformance     one suite of tests, for any engine that says it is a broker; needs pytest

What is not used is not loaded: every name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuestream.testing.assertions import assert_delivered_exactly_once as assert_delivered_exactly_once
    from queuestream.testing.assertions import assert_drained as assert_drained
    from queuestream.testing.assertions import assert_in_order as assert_in_order
    from queuestream.testing.assertions import assert_in_order_per_group as assert_in_order_per_group
    from queuestream.testing.assertions import assert_in_order_per_shard as assert_in_order_per_shard
    from queuestream.testing.assertions import assert_keeps_its_promise as assert_keeps_its_promise
    from queuestream.testing.assertions import assert_nothing_lost as assert_nothing_lost
    from queuestream.testing.call_log import Call as Call
    from queuestream.testing.call_log import CallLog as CallLog
    from queuestream.testing.expecting import ExpectedCall as ExpectedCall
    from queuestream.testing.rehearsals import assert_idempotent as assert_idempotent
    from queuestream.testing.rehearsals import assert_order_does_not_matter as assert_order_does_not_matter

# Each name, and the module of this package that has it.
_HOMES = {
    "Call": "call_log",
    "CallLog": "call_log",
    "ExpectedCall": "expecting",
    "assert_delivered_exactly_once": "assertions",
    "assert_drained": "assertions",
    "assert_idempotent": "rehearsals",
    "assert_in_order": "assertions",
    "assert_in_order_per_group": "assertions",
    "assert_in_order_per_shard": "assertions",
    "assert_keeps_its_promise": "assertions",
    "assert_nothing_lost": "assertions",
    "assert_order_does_not_matter": "rehearsals",
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
