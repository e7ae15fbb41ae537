"""What a call is compared with, and how it is told which calls came near.

An expectation names an operation, perhaps a resource, some parameters, and a condition.  Parameters that it
does not name are anything; values are compared by `==`, so that `unittest.mock.ANY` and its like serve.
`MessageBody` and `message_body` are one name.
"""

from __future__ import annotations

import difflib
import reprlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from queuestream.lab.operation_names import OF_BROKERS, OF_QUEUES, OF_STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from queuestream.core.queues.message import ReceivedMessage, SentMessage
    from queuestream.testing.call_log import Call, CallLog

_NEAR_MAX = 5
_MISSPELT = 0.92
"""How like an operation's name a word is that is taken for it; names of other services are less so."""


class _Short(reprlib.Repr):
    """Values for people, not too long; `repr_X` says how an X is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = 70
        self.maxother = 100

    def repr_SentMessage(self, sent: SentMessage, level: int) -> str:  # noqa: N802 - the name of the class
        return f"<SentMessage {sent.message_id}>"

    def repr_ReceivedMessage(self, received: ReceivedMessage, level: int) -> str:  # noqa: N802 - as above
        return f"<{self.repr1(received.body, level - 1)}, receive {received.receive_count}>"


_SHORT = _Short()


class ExpectedCall:
    """A call that should have been made.

    Args:
        operation: AWS's name, or a pattern: `Send*`.
        resource: The name of the queue or stream, or a pattern.
        where: What else must be true of the call.
        **parameters: What it must have been called with; more is fine.

    Raises:
        ValueError: The operation is one of AWS's, misspelt: that it was not called would mean nothing.
    """

    def __init__(
        self,
        operation: str,
        *,
        resource: str = "*",
        where: Callable[[Call], bool] | None = None,
        **parameters: Any,
    ) -> None:
        meant = _meant_by(operation)
        if meant != operation:
            raise ValueError(f"There is no operation {operation!r}; did you mean {meant!r}?")
        self.operation = operation
        self.resource = resource
        self.where = where
        self.parameters = parameters

    def __repr__(self) -> str:
        on = "" if self.resource == "*" else f" {self.resource}"
        condition = f" where {getattr(self.where, '__name__', self.where)}" if self.where is not None else ""
        return f"{self.operation}{on}({shown_pairs(self.parameters)}){condition}"

    def differences(self, call: Call) -> list[str]:
        """What of a call is not as expected; empty where it is the one."""
        found = []
        if not fnmatchcase(call.operation, self.operation):
            found.append(f"the operation was {call.operation}")
        if not fnmatchcase(call.resource, self.resource):
            found.append(f"the resource was {call.resource!r}, not {self.resource!r}")
        called_with = {_plain(name): value for name, value in call.parameters.items()}
        for name, value in self.parameters.items():
            if _plain(name) not in called_with:
                found.append(f"it was called without {name}")
            elif not called_with[_plain(name)] == value:  # noqa: SIM201 - a matcher of somebody's has __eq__ only
                found.append(f"{name} was {shown_value(called_with[_plain(name)])}, not {shown_value(value)}")
        if not found and self.where is not None and not self.where(call):
            found.append("the condition was false")
        return found

    def missed(self, log: CallLog, found: list[Call], but: str = "") -> str:
        """What there is to say where the calls were not as expected.

        Args:
            log: All calls.
            found: Those that are as expected.
            but: What is wrong with these.
        """
        was_called = {0: "was not called", 1: "was called once"}.get(
            len(found), f"was called {len(found)} times"
        )
        lines = [f"{self!r} {was_called}{but}."]
        lines += [f"  {call.number}. {call}" for call in found[:_NEAR_MAX]]
        near = [] if found else [call for call in log if fnmatchcase(call.operation, self.operation)]
        near.sort(key=lambda call: len(self.differences(call)))
        for call in near[:_NEAR_MAX]:
            lines += [f"  {call.number}. {call}", f"       {'; '.join(self.differences(call))}"]
        if not (found or near):
            lines += log.lines()
        return "\n".join(lines)


def matched(expected: ExpectedCall, calls: Iterable[Call]) -> list[Call]:
    """The calls that are as expected."""
    return [call for call in calls if not expected.differences(call)]


def assigned(expected: Sequence[ExpectedCall], calls: Sequence[Call]) -> list[Call | None]:
    """A call of its own for each expectation, for as many as there can be; None for the others."""
    fitting = [matched(expectation, calls) for expectation in expected]
    owners: dict[int, int] = {}

    def assign(place: int, tried: set[int]) -> bool:
        """Find a call for an expectation; who has it already may have to find another one."""
        for call in fitting[place]:
            if call.number not in tried:
                tried.add(call.number)
                if call.number not in owners or assign(owners[call.number], tried):
                    owners[call.number] = place
                    return True
        return False

    for place in range(len(expected)):
        assign(place, set())
    numbers = {place: number for number, place in owners.items()}
    by_number = {call.number: call for call in calls}
    return [by_number[numbers[place]] if place in numbers else None for place in range(len(expected))]


def times_in_words(times: int | None) -> str:
    """How often it should have been, for a sentence that says how often it was."""
    if times is None:
        return ""
    return {0: ", and should not have been", 1: ", not once"}.get(times, f", not {times} times")


def assert_nothing_else(calls: Sequence[Call], expected: Sequence[Call | None]) -> None:
    """Assert that every call is an expected one."""
    __tracebackhide__ = True
    others = [call for call in calls if call not in expected]
    if others:
        lines = [
            f"{len(others)} calls were not expected:" if len(others) > 1 else "One call was not expected:"
        ]
        raise AssertionError("\n".join([*lines, *(f"  {call.number}. {call}" for call in others)]))


def shown_value(value: object) -> str:
    """A value for people, not too long."""
    return _SHORT.repr(value)


def shown_pairs(values: Mapping[str, object]) -> str:
    """Parameters for people."""
    return ", ".join(f"{name}={shown_value(value)}" for name, value in values.items())


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _meant_by(operation: str) -> str:
    """AWS's name of an operation, where a word is one misspelt or in Python's spelling; else the word."""
    ours = {**OF_BROKERS, **OF_STREAMS, **OF_QUEUES}
    if operation in ours.values() or not operation.replace("_", "").isalpha():
        return operation
    from queuestream.aws.operations import OPERATIONS  # noqa: PLC0415 - it takes longer than most assertions

    names = {name for operations in OPERATIONS.values() for name in operations}
    if operation in names:
        return operation
    in_python = {_plain(name): name for name in sorted(names)}
    near = difflib.get_close_matches(_plain(operation), in_python, 1, _MISSPELT)
    return ours.get(operation) or (in_python[near[0]] if near else operation)
