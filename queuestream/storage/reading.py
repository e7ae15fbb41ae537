"""The core's values from JSON, as `values` writes it.

Reading goes by what is expected: the type hints of the core's classes say what each field is,
and anything else is refused.  So a file can make nothing but these values, whoever wrote it, and
no code of a stranger's ever runs.

Names that an object has too many are passed over, and for those that it lacks the class has its
own defaults: a version that adds a field gives it one.
"""

from __future__ import annotations

import base64
import functools
import json
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import attrs

from queuestream.core.changes import Change
from queuestream.core.errors import QueuestreamError
from queuestream.core.queues import changes as queue_changes
from queuestream.core.queues.attributes import QueueAttributes
from queuestream.core.queues.limits import QueueLimits
from queuestream.core.queues.message_attributes import MessageAttributes
from queuestream.core.queues.move_tasks import Status
from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy
from queuestream.core.streams import changes as stream_changes
from queuestream.core.streams.account import BillingCommitment
from queuestream.core.streams.settings import StreamSettings
from queuestream.core.streams.shard import ShardIdentity

CHANGES: dict[str, Any] = {
    name: kind
    for module in (queue_changes, stream_changes)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Change) and attrs.has(kind)
}
"""Every change that there is, by the name that it is written under."""

# What the core's modules import for type checkers only, and their hints name.
_HINTED = {
    kind.__name__: kind
    for kind in (
        BillingCommitment,
        Mapping,
        QueueAttributes,
        RedriveAllowPolicy,
        RedrivePolicy,
        ShardIdentity,
        StreamSettings,
    )
} | {"Literal": typing.Literal, "MessageAttributes": MessageAttributes, "Status": Status}

FAULTS = (TypeError, ValueError, RecursionError, QueuestreamError)
"""What comes of reading something that was not written."""

Read = Callable[[Any, bytes], Any]
"""Makes a value of what JSON says, and of the tail."""


class Form(NamedTuple):
    """How values of one type are read.

    Attributes:
        kind: What JSON says of this class is the value itself; None where nothing is.
        read: What makes a value of anything else, or refuses it.
    """

    kind: type | None
    read: Read


class Unreadable(Exception):
    """Something that no version of queuestream has written, or only a newer one."""


def value_from_json(kind: Any, text: str) -> Any:
    """The value that `values.value_to_json` was given.

    Args:
        kind: What it is: a class of the core's values, `LateChange`, or a type such as `dict[str, str]`,
            `tuple[LateChange, ...]` or `MessageAttributes`.
        text: The JSON.

    Raises:
        Unreadable: It is something else.
    """
    form = form_of(kind)
    try:
        return _read(form, json.loads(text), b"")
    except FAULTS as error:
        raise Unreadable(f"{_shown(text)} makes no sense ({error})") from error


def read_change(name: str, fields: object, tail: bytes) -> Any:
    """A change of its name and its fields.

    Raises:
        Unreadable: There is no such change in this version of queuestream, or these are not its fields.
    """
    kind = CHANGES.get(name)
    if kind is None:
        raise Unreadable(
            f"there is a change called {_shown(name)}, which this version of queuestream does not know; "
            "a newer one may"
        )
    return _reader_of_fields(kind)(fields, tail)


@functools.cache
def form_of(kind: Any) -> Form:
    """How values of a type are read.

    Raises:
        TypeError: They are not stored.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in {int, bool, types.NoneType}:
        return Form(kind, _refuse)
    if kind is float:
        return Form(float, _read_number)
    if kind is str:
        return Form(str, _read_text)
    if kind is bytes:
        return Form(None, _read_bytes)
    if kind == str | bytes:
        return Form(str, _read_text_or_bytes)
    if origin in {typing.Union, types.UnionType} and types.NoneType in arguments:
        return _optional(form_of(functools.reduce(operator.or_, set(arguments) - {types.NoneType})))
    if origin is typing.Literal:
        return Form(None, _reader_of_choices(arguments))
    if origin in {tuple, list}:
        return Form(None, _reader_of_items(origin, form_of(arguments[0])))
    if origin in {dict, Mapping}:
        return Form(None, _reader_of_mappings(form_of(arguments[1])))
    if isinstance(kind, type) and issubclass(kind, Change):
        return Form(None, _reader_of_changes(kind))
    if kind is QueueLimits or attrs.has(kind):
        return Form(None, _reader_of_fields(kind))
    raise TypeError(f"Values of the type {kind} are not stored.")


def _read(form: Form, plain: Any, tail: bytes) -> Any:
    return plain if type(plain) is form.kind else form.read(plain, tail)


def _refuse(plain: object, _tail: bytes) -> NoReturn:
    raise Unreadable(f"{_shown(plain)} stands where something else belongs")


def _read_number(plain: Any, tail: bytes) -> Any:
    return plain if type(plain) is int else _refuse(plain, tail)


def _read_text(plain: Any, tail: bytes) -> str:
    return _piece(plain, "text", tail).decode("utf-8", "surrogatepass")


def _read_bytes(plain: Any, tail: bytes) -> bytes:
    if type(plain) is dict and "base64" in plain:
        return base64.b64decode(plain["base64"], validate=True)
    return _piece(plain, "bytes", tail)


def _read_text_or_bytes(plain: Any, tail: bytes) -> str | bytes:
    if type(plain) is dict and "text" in plain:
        return _read_text(plain, tail)
    return _read_bytes(plain, tail)


def _piece(plain: Any, name: str, tail: bytes) -> bytes:
    """What an object such as {"bytes": [0, 1024]} means of a tail."""
    if type(plain) is dict and name in plain:
        start, end = plain[name]
        if 0 <= start <= end <= len(tail):
            return tail[start:end]
    return _refuse(plain, tail)


def _optional(form: Form) -> Form:
    read = form.read
    return Form(form.kind, lambda plain, tail: None if plain is None else read(plain, tail))


def _reader_of_choices(choices: tuple[object, ...]) -> Read:
    return lambda plain, tail: plain if plain in choices else _refuse(plain, tail)


def _reader_of_items(make: Callable[[list[Any]], Any], form: Form) -> Read:
    def read_items(plain: Any, tail: bytes) -> Any:
        if type(plain) is not list:
            _refuse(plain, tail)
        return make([_read(form, item, tail) for item in plain])

    return read_items


def _reader_of_mappings(form: Form) -> Read:
    def read_mapping(plain: Any, tail: bytes) -> Any:
        if type(plain) is not dict:
            _refuse(plain, tail)
        return {key: _read(form, item, tail) for key, item in plain.items()}

    return read_mapping


def _reader_of_changes(expected: type[Change]) -> Read:
    def read_expected(plain: Any, tail: bytes) -> Any:
        name, fields = plain
        change = read_change(name, fields, tail)
        return change if isinstance(change, expected) else _refuse(plain, tail)

    return read_expected


@functools.cache
def _reader_of_fields(kind: Any) -> Read:
    read_named = _reader_of_named(_forms_of_fields(kind))
    return lambda plain, tail: kind(**read_named(plain, tail))


def _reader_of_named(forms: Mapping[str, Form]) -> Read:
    """What reads a mapping in which each name has its own type; unknown ones are passed over."""

    def read_named(plain: Any, tail: bytes) -> dict[str, Any]:
        if type(plain) is not dict:
            _refuse(plain, tail)
        values = {}
        # On the way of every change that is read: `_read`, without the call.
        for name, value in plain.items():
            if name in forms:
                kind, read = forms[name]
                values[name] = value if type(value) is kind else read(value, tail)
        return values

    return read_named


def _forms_of_fields(kind: Any) -> dict[str, Form]:
    hints = typing.get_type_hints(kind, localns=_HINTED)
    if kind is QueueLimits:
        return {name: form_of(hint) for name, hint in hints.items()}
    # Some of a queue's attributes, by their names: a hint has no way to say so.
    known = {}
    if kind is queue_changes.AttributesTookEffect:
        known["values"] = Form(None, _reader_of_named(_forms_of_fields(QueueAttributes)))
    return {
        field.name: known.get(field.name) or form_of(hints[field.name])
        for field in attrs.fields(kind)
        if field.init
    }


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
