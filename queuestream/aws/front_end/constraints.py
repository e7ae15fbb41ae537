"""What a request breaks of its shape's constraints, in AWS's one sentence for all of it.

    2 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: Member must have
    length greater than or equal to 1; Value null at 'data' failed to satisfy constraint: Member must not
    be null

The constraints (required, lengths, ranges, patterns, words) are those of AWS's own model, made into
checks once for each operation.  What is wrong with a part of a list or map of texts is said of the
whole; a structure in a list has its place in the path, `records.1.member.partitionKey`.

This is Kinesis' way.  SQS says its own sentence about each parameter, which the core does.  What is not
of the right type at all never gets here.  The quick answer for requests with nothing to complain about
is in `plainly_fine`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from queuestream.aws.front_end.plainly_fine import pattern_of, plainly_fine
from queuestream.aws.models import input_shape
from queuestream.core.errors import ValidationException
from queuestream.core.streams.checks import named

if TYPE_CHECKING:
    from botocore.model import Shape as ModelShape

    from queuestream.aws.calls import Shape

VIOLATIONS_MAX = 10
"""AWS looks no further."""

_SERVICES = ("kinesis",)

_Constraint = tuple[Callable[[Any], bool], str]
"""Whether a value keeps it, and what is said where it doesn't."""

_Check = Callable[[Any, str, list[str]], None]
"""Adds the sentences about a value that stands at a path."""

_ELEMENT = "Member must satisfy constraint"
_KEY = "Map keys must satisfy constraint"
_VALUE = "Map value must satisfy constraint"


def check(service: str, operation: str, request: Shape) -> None:
    """Let a request go on that keeps all constraints.

    Raises:
        ValidationException: With a sentence for each constraint that it breaks, the first ten.
    """
    if service not in _SERVICES or plainly_fine(service, operation)(request) is not None:
        return
    found = violations(service, operation, request)
    if found:
        errors = "error" if len(found) == 1 else "errors"
        raise ValidationException(f"{len(found)} validation {errors} detected: {'; '.join(found)}")


def violations(service: str, operation: str, request: Shape) -> list[str]:
    """A sentence for each constraint that a request breaks, in the order of the model's members.

    Args:
        service: `sqs`, of which nothing is said here, or `kinesis`.
        operation: AWS's name of it.
        request: Of the right types; a member that is None is one that isn't there.
    """
    found: list[str] = []
    if service in _SERVICES:
        _checks(service, operation)(request, "", found)
    return found[:VIOLATIONS_MAX]


@cache
def _checks(service: str, operation: str) -> _Check:
    return _check_of(input_shape(service, operation)) or _nothing


def _nothing(_value: Any, _at: str, _found: list[str]) -> None:
    """The check of what has no constraints."""


def _check_of(shape: ModelShape) -> _Check | None:
    """What is to be looked at in a value of a shape; None where there is nothing."""
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape)
    checks = [_constraints(_constraints_of(shape))]
    if kind == "list":
        checks.append(_list(shape))
    elif kind == "map":
        checks.append(_map(shape))
    some = [check for check in checks if check is not None]
    return _all(some) if some else None


def _all(checks: list[_Check]) -> _Check:
    def check_all(value: Any, at: str, found: list[str]) -> None:
        for check_one in checks:
            check_one(value, at, found)

    return checks[0] if len(checks) == 1 else check_all


def _structure(shape: Any) -> _Check | None:
    members = [
        (name, name[0].lower() + name[1:], name in shape.required_members, _check_of(member))
        for name, member in shape.members.items()
    ]
    members = [member for member in members if member[2] or member[3] is not None]

    def check_structure(value: Any, at: str, found: list[str]) -> None:
        prefix = f"{at}." if at else ""
        for name, small, required, check_member in members:
            member = value.get(name)
            if member is None:
                if required:
                    found.append(_sentence(None, prefix + small, "Member must not be null"))
            elif check_member is not None:
                check_member(member, prefix + small, found)

    return check_structure if members else None


def _list(shape: Any) -> _Check | None:
    if shape.member.type_name != "structure":
        return _each(shape.member, _ELEMENT, list)
    check_member = _structure(shape.member) or _nothing

    def check_list(value: Any, at: str, found: list[str]) -> None:
        for place, member in enumerate(value, 1):
            if len(found) >= VIOLATIONS_MAX:
                return
            check_member(member, f"{at}.{place}.member", found)

    return check_list


def _map(shape: Any) -> _Check | None:
    checks = [_each(shape.key, _KEY, list), _each(shape.value, _VALUE, lambda value: list(value.values()))]
    some = [check for check in checks if check is not None]
    return _all(some) if some else None


def _each(shape: Any, opening: str, parts_of: Callable[[Any], list[Any]]) -> _Check | None:
    """The constraints of the simple values in a list or map, of which all are named, and all are shown."""
    constraints = _constraints_of(shape)
    sentences = ", ".join(sentence for _, sentence in reversed(constraints))

    def check_each(value: Any, at: str, found: list[str]) -> None:
        parts = parts_of(value)
        if not all(keeps(part) for part in parts for keeps, _ in constraints):
            found.append(_sentence(value, at, f"{opening}: [{sentences}]"))

    return check_each if constraints else None


def _constraints(constraints: list[_Constraint]) -> _Check | None:
    def check_constraints(value: Any, at: str, found: list[str]) -> None:
        for keeps, sentence in constraints:
            if not keeps(value):
                found.append(_sentence(value, at, sentence))

    return check_constraints if constraints else None


def _constraints_of(shape: ModelShape) -> list[_Constraint]:
    """A value's own constraints, in the order in which AWS names them: its form before its size."""
    metadata = shape.metadata
    constraints: list[_Constraint] = []
    if "enum" in metadata:
        words = metadata["enum"]
        constraints.append(
            (frozenset(words).__contains__, f"Member must satisfy enum value set: [{', '.join(words)}]")
        )
    if "pattern" in metadata:
        pattern = pattern_of(shape)
        constraints.append(
            (
                lambda value: pattern.fullmatch(value) is not None,
                f"Member must satisfy regular expression pattern: {metadata['pattern']}",
            )
        )
    measured = "value" if shape.type_name in {"integer", "long"} else "length"
    measure: Callable[[Any], int] = int if measured == "value" else len
    if "min" in metadata:
        low = metadata["min"]
        constraints.append(
            (
                lambda value: measure(value) >= low,
                f"Member must have {measured} greater than or equal to {low}",
            )
        )
    if "max" in metadata:
        high = metadata["max"]
        constraints.append(
            (
                lambda value: measure(value) <= high,
                f"Member must have {measured} less than or equal to {high}",
            )
        )
    return constraints


def _sentence(value: object, at: str, constraint: str) -> str:
    return f"{named(value, at)} failed to satisfy constraint: {constraint}"


__all__ = ["VIOLATIONS_MAX", "check", "plainly_fine", "violations"]
