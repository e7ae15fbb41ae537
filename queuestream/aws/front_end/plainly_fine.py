"""Whether a request is plainly fine: a quick yes, and where it isn't yes, somebody else says why.

For each operation a function is written from its input shape, as Python source, and compiled when it
is first needed.  It looks at every member once, without a call for each, and gives back the request, or
None where anything at all is not as it should be: a wrong type, a member that AWS doesn't know, a
constraint broken, a value that is None.  What it takes is what a caller of boto3 would mean by it: a
blob may also be a `bytearray` or a text, a time may lack its zone; those are replaced in a copy.

Almost every request is fine, so that this is what checking one costs: about a microsecond.

For SQS only types, required and unknown members count: everything else it says in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from queuestream.aws.models import input_shape

if TYPE_CHECKING:
    from botocore.model import Shape as ModelShape

    from queuestream.aws.calls import Shape

PlainlyFine = Callable[["Shape"], "Shape | None"]
"""From a caller's parameters to the request that they make, or to None."""

_CONSTRAINED = ("kinesis",)

# Optional in the model, and in nearly every request: asked for first, so that little is left to ask for.
_USUAL = ("PartitionKey", "StreamName")

_SIMPLE = {"string": "str", "integer": "int", "long": "int", "boolean": "bool"}


@cache
def plainly_fine(service: str, operation: str) -> PlainlyFine:
    """The quick check of one operation, made when it is first asked for (a millisecond)."""
    source = _Source(constrained=service in _CONSTRAINED)
    name = source.function_for(input_shape(service, operation))
    check: PlainlyFine = source.compiled(f"<plainly fine: {service} {operation}>")[name]
    return check


def pattern_of(shape: ModelShape) -> re.Pattern[str]:
    """A shape's pattern, in which letters and digits are Java's: those of ASCII."""
    return re.compile(shape.metadata["pattern"], re.ASCII)


def _blob(value: object) -> bytes | None:
    """A blob that isn't `bytes` yet, as botocore would send it; None where that is not for here."""
    if type(value) is bytearray:
        return bytes(value)
    if type(value) is str:
        try:
            return value.encode()
        except UnicodeEncodeError:
            return None
    return None


def _timestamp(value: object) -> datetime | None:
    """A time, which is one of UTC where it says nothing else, as botocore has it; None where it is none."""
    if type(value) is not datetime:
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


class _Source:
    """The source of the functions that check one operation's request: one for each structure, list and map.

    Args:
        constrained: Whether the model's constraints count, or only its types.
    """

    def __init__(self, *, constrained: bool) -> None:
        self._constrained = constrained
        self._lines: list[str] = []
        self._functions: dict[str, str] = {}
        self._names: dict[str, Any] = {"blob": _blob, "timestamp": _timestamp}

    def compiled(self, filename: str) -> dict[str, Any]:
        """The functions, by their names."""
        exec(compile("\n".join(self._lines), filename, "exec"), self._names)  # noqa: S102 - of our own making
        return self._names

    def function_for(self, shape: Any) -> str:
        """The name of the function that checks a value of a structure, list or map."""
        if shape.name not in self._functions:
            name = f"check_{len(self._functions)}"
            self._functions[shape.name] = name
            body = {"structure": self._structure, "list": self._list, "map": self._map}
            # A required member that is missing is a KeyError, which costs nothing where it doesn't come.
            lines = ["try:", *_indented(body[shape.type_name](shape)), "except KeyError: return None"]
            self._lines += [f"def {name}(given):", *_indented(lines)]
        return self._functions[shape.name]

    def _structure(self, shape: Any) -> list[str]:
        return [*self._members(shape, "given", "result"), "return result"]

    def _members(self, shape: Any, given: str, result: str) -> list[str]:
        """Lines that check the structure in one variable and leave it, or a copy, in another."""
        lines = [
            f"if type({given}) is not dict: return None",
            f"{result}, get, left = {given}, {given}.get, len({given})",
        ]
        required = [name for name in shape.members if name in shape.required_members]
        for name in required:
            lines += self._member(shape, name, f"{given}[{name!r}]", given, result)
        optional = sorted(set(shape.members) - set(required), key=lambda name: (name not in _USUAL, name))
        for depth, name in enumerate(optional):
            # Once all that are there have been seen, nobody need be asked for the others.
            check, *rest = self._member(shape, name, f"get({name!r})", given, result)
            lines += _indented(["if left:"], depth)
            lines += _indented([check, "if value is not None:", *_indented(rest)], depth + 1)
        return [*lines, "if left: return None"]

    def _member(self, shape: Any, name: str, value: str, given: str, result: str) -> list[str]:
        replace = [f"if {result} is {given}: {result} = dict({given})", f"{result}[{name!r}] = new"]
        return [f"value = {value}", *self._value(shape.members[name], replace), "left -= 1"]

    def _list(self, shape: Any) -> list[str]:
        member = shape.member
        copied = "if result is given: result = list(given)"
        variable, check = "value", self._value(member, [copied, "result[place] = new"])
        if member.type_name == "structure":  # a record of a batch: here, without a call for each
            check = ["if copy is not item:", *_indented([copied, "result[place] = copy"])]
            variable, check = "item", [*self._members(member, "item", "copy"), *check]
        return [
            "if type(given) is not list: return None",
            *self._size(shape, "len(given)"),
            "result = given",
            f"for place, {variable} in enumerate(given):",
            *_indented(check),
            "return result",
        ]

    def _map(self, shape: Any) -> list[str]:
        return [
            "if type(given) is not dict: return None",
            *self._size(shape, "len(given)"),
            "result = given",
            "for key, value in given.items():",
            *_indented(self._value(shape.key, [], "key")),
            *_indented(
                self._value(shape.value, ["if result is given: result = dict(given)", "result[key] = new"])
            ),
            "return result",
        ]

    def _value(self, shape: Any, replace: list[str], variable: str = "value") -> list[str]:
        """Lines that return None where a value isn't fine, and that replace it where it has to be another."""
        kind = shape.type_name
        if kind in _SIMPLE:
            measured = variable if kind in {"integer", "long"} else f"len({variable})"
            return [
                f"if type({variable}) is not {_SIMPLE[kind]}: return None",
                *self._size(shape, measured),
                *self._form(shape, variable),
            ]
        if kind == "blob":
            return [
                "if type(value) is not bytes:",
                *_indented(["new = blob(value)", "if new is None: return None", *replace, "value = new"]),
                *self._size(shape, "len(value)"),
            ]
        function = "timestamp" if kind == "timestamp" else self.function_for(shape)
        return [
            f"new = {function}(value)",
            "if new is not value or value is None:",
            *_indented(["if new is None: return None", *replace]),
        ]

    def _size(self, shape: Any, measured: str) -> list[str]:
        """How large a number is, or how long anything else."""
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if measured.startswith("len") and low == 0:
            low = None
        if not self._constrained or low is high is None:
            return []
        bounds = f"{'' if low is None else f'{low} <= '}{measured}{'' if high is None else f' <= {high}'}"
        return [f"if not {bounds}: return None"]

    def _form(self, shape: Any, variable: str) -> list[str]:
        """What a text has to look like."""
        if not self._constrained:
            return []
        lines: list[str] = []
        if "enum" in shape.metadata:
            words = self._named("words", frozenset(shape.metadata["enum"]))
            lines.append(f"if {variable} not in {words}: return None")
        if "pattern" in shape.metadata:
            matches = self._named("matches", pattern_of(shape).fullmatch)
            lines.append(f"if {matches}({variable}) is None: return None")
        return lines

    def _named(self, kind: str, value: Any) -> str:
        name = f"{kind}_{len(self._names)}"
        self._names[name] = value
        return name


def _indented(lines: list[str], depth: int = 1) -> list[str]:
    return [f"{'    ' * depth}{line}" for line in lines]
