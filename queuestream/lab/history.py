"""What clients saw, as a flat list of events: all that a verdict about order and delivery is made of.

An event is one thing that one client did with one message: it sent it, received it, deleted it.  A
batch is as many events as it has messages.  What a client did not learn is not in there: an
event's `message` is what the *producer* calls the message, so that a producer that repeats a send
whose answer was lost is seen to have made a duplicate, although the queue knows two messages.

A history is JSON lines to the outside, an object an event, with the fields that have something to
say.  `operation` and `message` are enough for a verdict; whoever writes histories of other
systems gives what there is.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Outcome = Literal["ok", "failed", "unknown"]
"""Done; surely not done; nobody knows, because no answer came."""

SEND, RECEIVE, DELETE, CHANGE_VISIBILITY = "send", "receive", "delete", "change_visibility"
PUT, SEEK, GET, FINISH, LINEAGE = "put", "seek", "get", "finish", "lineage"
WORK = "work"
OPERATIONS = (SEND, RECEIVE, DELETE, CHANGE_VISIBILITY, PUT, SEEK, GET, FINISH, LINEAGE)
"""Of queues: a message is sent, received, deleted, hidden for longer.  Of streams: a record is put; a
reader takes up a position in a shard (`seek`), gets a record, comes to the end of a closed shard
(`finish`), learns a shard's parents (`lineage`).  Any other operation is an operator's (`purge`,
`split_shard` ...) and only told; so is `work`, that somebody worked on a message from when to when."""


@attrs.define
class Event:
    """One thing that one client did with one message.  Read it, don't change it.

    Attributes:
        operation: One of `OPERATIONS`, or an operator's.
        message: What the producer calls the message; None where there was none, as of an empty receive.
        outcome: `ok`, `failed` (surely not done) or `unknown` (no answer came).
        started_ns: When the client began, in nanoseconds of any clock; the place in the history if not given.
        ended_ns: When it had the answer; None where none came.
        actor: Which client it was.
        application: Those clients who share the work of reading; every other one reads for itself.
        resource: The queue's or stream's name.
        message_id: What the queue calls the message.
        group: The message group.
        partition_key: The partition key of a record.
        shard: The shard that a record was put in or read from.
        sequence_number: A FIFO message's or a record's, as the service gave it.  Of `seek`: where the reader
            starts, at this record or after it; `0` for the beginning, None where nobody knows (the latest).
        receipt: What this receive is called when the message is deleted.
        receive_count: How often the message was received, as the service counts.
        visible_ns: Until when the receiver may rely on having the message alone.  Of a receive without an
            answer that may have repeated another one (by its attempt id): until when that would hide what
            the other one got.
        parents: Of `lineage`: the shards that `shard` came from.
        error: Why it failed: the error's code.
        deduplication_id: Of a send to a FIFO queue: what the queue is to know a repeated message by.
    """

    operation: str
    message: str | None = None
    outcome: Outcome = "ok"
    started_ns: int = 0
    ended_ns: int | None = None
    actor: str = ""
    application: str = ""
    resource: str = ""
    message_id: str | None = None
    group: str | None = None
    partition_key: str | None = None
    shard: str | None = None
    sequence_number: str | None = None
    receipt: str | None = None
    receive_count: int | None = None
    visible_ns: int | None = None
    parents: tuple[str, ...] = ()
    error: str | None = None
    deduplication_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields that have something to say, for JSON; always in the same order."""
        told: dict[str, Any] = {"operation": self.operation}
        for name, default in _OPTIONAL:
            value = getattr(self, name)
            if value != default:
                told[name] = list(value) if name == "parents" else value
        return told

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """An event from JSON; numbers are taken for names, and fractions of nanoseconds are rounded.

        Raises:
            ValueError: There is no operation, a field that no event has, or a value that makes no sense.
        """
        if not isinstance(told.get("operation"), str):
            names = ", ".join(OPERATIONS[:3])
            raise ValueError(f"An event says which operation it is (such as {names}).")  # noqa: TRY004 - a line's
        unlike = [name for name, value in told.items() if type(value) is not _TYPES.get(name)]
        return cls(
            **(told if not unlike else {**told, **{name: _meant(name, told[name]) for name in unlike}})
        )


_OPTIONAL = [(field.name, field.default) for field in attrs.fields(Event) if field.name != "operation"]
_DEFAULTS = {field.name: field.default for field in attrs.fields(Event)}
_OUTCOMES = ("ok", "failed", "unknown")
_TIMES = ("started_ns", "ended_ns", "visible_ns")
# What is neither looked at twice: a text, or a whole number.
_TYPES: dict[str, type] = {
    **{name: str for name in _DEFAULTS if name not in {"outcome", "parents"}},
    **dict.fromkeys((*_TIMES, "receive_count"), int),
}


def _meant(name: str, value: Any) -> Any:
    """What is meant by a field's value that is not plainly of its kind.

    Raises:
        ValueError: Nobody knows.
    """
    if name not in _DEFAULTS:
        raise ValueError(f"An event has no field {name!r}; there are {', '.join(_DEFAULTS)}.")
    if value is None:
        return _DEFAULTS[name]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    if name == "outcome":
        if value in _OUTCOMES:
            return value
        wanted = f"one of {', '.join(_OUTCOMES)}"
    elif name == "parents":
        if isinstance(value, (list, tuple)) and all(isinstance(parent, str) for parent in value):
            return tuple(value)
        wanted = "a list of shards' names"
    elif _TYPES[name] is int:
        if is_number:
            return round(value)
        wanted = "a number of nanoseconds" if name in _TIMES else "a whole number"
    elif is_number:
        return str(value)
    else:
        wanted = "a text"
    raise ValueError(f"An event's {name} is {wanted}, and not {value!r}.")


class History:
    """Events in the order in which clients had their answers.

    Args:
        events: Those to begin with.

    Attributes:
        events: All of them; whoever records appends.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events = list(events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        return f"<History: {len(self.events)} events>"

    def to_json_lines(self) -> str:
        """The history as text, a line an event; the same events give the same bytes."""
        return "".join(
            f"{json.dumps(event.as_dict(), ensure_ascii=False, separators=(',', ':'))}\n"
            for event in self.events
        )

    @classmethod
    def from_json_lines(cls, lines: Iterable[str | bytes]) -> Self:
        """A history that somebody wrote.

        Raises:
            ValueError: A line that is no event; the sentence says which and why.
        """
        return cls._from_numbered(_json_objects(lines), "Line")

    @classmethod
    def from_dicts(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """A history from dicts with the fields of `Event`; a row without a time happened at its place.

        Raises:
            ValueError: A row that is no event; the sentence says which and why.
        """
        return cls._from_numbered(enumerate(rows, 1), "Row")

    @classmethod
    def _from_numbered(cls, rows: Iterable[tuple[int, Mapping[str, Any]]], called: str) -> Self:
        history = cls()
        for place, (number, row) in enumerate(rows):
            try:
                event = Event.from_dict(row)
            except ValueError as error:
                raise ValueError(f"{called} {number} of the history: {error}") from None
            if "started_ns" not in row:
                event.started_ns = place
            if event.ended_ns is None and event.outcome != "unknown":
                event.ended_ns = event.started_ns
            history.events.append(event)
        return history


_EXAMPLE = 'each line is one event, such as {"operation": "send", "message": "order 1"}'


def _json_objects(lines: Iterable[str | bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What JSON lines say, and their numbers; empty lines are passed over.

    Raises:
        ValueError: A line that is no JSON object.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except ValueError as error:
            raise ValueError(f"Line {number} of the history is no JSON ({error}); {_EXAMPLE}.") from None
        if not isinstance(told, dict):
            raise ValueError(f"Line {number} of the history is no JSON object; {_EXAMPLE}.")  # noqa: TRY004 - a line's
        yield number, told
