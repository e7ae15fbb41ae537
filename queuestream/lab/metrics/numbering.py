"""Which messages a history tells of, and in which order they were sent.

**Sent in which order?**  In that in which the sends were acknowledged; those acknowledged at one instant
in that in which the history tells of them.  A message whose producer never had an answer, and which was
received all the same, counts from when its send began.  A message that was sent repeatedly is one message,
and counts from the first send that was acknowledged.

Two sends of different actors that overlapped in time have no order of their own.  Nor has a send that was
repeated because the first try had no answer: it may have been done at any time since that try began, before
or after what its own actor sent meanwhile.  They are numbered like all others, and what is out of order
*only* by such pairs is counted (`Arrivals.overlaps`), so that the reader knows how much of a disorder may
be the producers'.

**Within a shard** the order is the stream's own, the sequence numbers, where every delivery has one; and
each record is itself, even if a producer put the same message twice.  Sequence numbers take the place of
the order of sending in message groups and partition keys, too, where the history tells of no sends.

A message belongs to the scope that it was sent to, wherever it was received (a dead-letter queue).
"""

from __future__ import annotations

from itertools import chain, islice
from operator import attrgetter, le, lt
from typing import TYPE_CHECKING, Literal

import attrs

from queuestream.lab.history import DELETE, GET, PUT, RECEIVE, SEND

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from queuestream.lab.history import Event, History

ScopeKind = Literal["global", "resource", "group", "partition_key", "shard"]
"""What an order is asked of: everything; a queue or stream; a message group; a partition key; a shard."""

Key = tuple[str, str]
"""A scope: the resource, and the name within it."""

NO_SENDS = "the history tells of no send, so the order of sending is not known"
_NO_SCOPE = {
    "group": "no message has a message group",
    "partition_key": "no message has a partition key",
    "shard": "no message has a shard",
}

_SENT, _RECEIVED = {SEND, PUT}, {RECEIVE, GET}
_DIGITS = 128
"""A sequence number has no more: API reference of Kinesis, PutRecord."""

_resource, _message = attrgetter("resource"), attrgetter("message")
_started, _ended = attrgetter("started_ns"), attrgetter("ended_ns")


@attrs.define(eq=False)
class Told:
    """What a history tells of sends, of deliveries and of deletes, each in the order of time.

    Attributes:
        sends: Those that were acknowledged.
        unanswered: Those that may have been done.
        received: The deliveries.
        deleted: The deletes.
    """

    sends: list[Event]
    unanswered: list[Event]
    received: list[Event]
    deleted: list[Event]

    @classmethod
    def by(cls, history: History) -> Told:
        """What this one tells."""
        sends, unanswered, received, deleted = [], [], [], []
        for event in history.events:
            operation = event.operation
            if event.message is None:
                continue
            if operation in _SENT:
                if event.outcome == "ok":
                    sends.append(event)
                elif event.outcome == "unknown":
                    unanswered.append(event)
            elif event.outcome == "ok":
                if operation in _RECEIVED:
                    received.append(event)
                elif operation == DELETE:
                    deleted.append(event)
        for events in (sends, unanswered, received, deleted):
            in_time = times_ns(events)
            if not all(map(le, in_time, islice(in_time, 1, None))):
                events.sort(key=told_ns)
        return cls(sends, unanswered, received, deleted)


@attrs.define(eq=False)
class Messages:
    """The messages that have a number, in the order of sending, and how to find them.

    Attributes:
        keys: What scope each is of; None where it is of none.
        resources: Where each was sent.
        sends: The send of each; None where the history tells of none.  One that was repeated after a try
            without an answer begins with that try, and its outcome is `unknown`: which of them was it?
        find: Of events, which message each is about; None where it is about none of these.
        overlap: Whether some of the sends overlapped in time.
    """

    keys: list[Key | None]
    resources: list[str]
    sends: list[Event | None]
    find: Callable[[Iterable[Event]], Iterable[int | None]]
    overlap: bool = False


def told_ns(event: Event) -> int:
    """When a client knew: when it had the answer, or, without one, when it began."""
    return event.started_ns if event.ended_ns is None else event.ended_ns


def times_ns(events: Iterable[Event]) -> list[int]:
    """When clients knew, of many events."""
    every = list(events)
    ended = list(map(_ended, every))
    return list(map(told_ns, every)) if None in ended else ended


def numbered(told: Told, scope: ScopeKind) -> Messages:
    """The messages in the order that counts in this kind of scope."""
    wanted = scope == "shard" or (scope in _NO_SCOPE and not told.sends and not told.unanswered)
    if wanted and all(
        event.sequence_number is not None and event.sequence_number.isdecimal()
        for event in chain(told.sends, told.received)
        if key_of(event, scope) is not None
    ):
        return _by_sequence_number(told, scope)
    return _by_sending(told, scope)


def key_of(event: Event, scope: ScopeKind) -> Key | None:
    """The scope that an event names; None where it names none."""
    if scope == "global":
        return _EVERYTHING
    if scope == "resource":
        return (event.resource, "")
    name: str | None = getattr(event, scope)
    return None if name is None else (event.resource, name)


def why_none(told: Told, scope: ScopeKind) -> str:
    """Why no message has a number."""
    return _NO_SCOPE[scope] if told.sends and scope in _NO_SCOPE else NO_SENDS


_EVERYTHING = ("", "")


def _by_sending(told: Told, scope: ScopeKind) -> Messages:
    """Messages in the order in which their sends were acknowledged."""
    several = len(set(map(_resource, chain(told.sends, told.unanswered)))) > 1
    identity: Callable[[Event], Hashable] = attrgetter("resource", "message") if several else _message
    sends = told.sends
    places = dict(zip(map(identity, sends), range(len(sends)), strict=True))
    if told.unanswered or len(places) < len(sends):
        first: dict[Hashable, Event] = {}
        for event in sends:
            first.setdefault(identity(event), event)
        unanswered = _with_tries_without_an_answer(first, told, identity)
        sends = sorted([*first.values(), *unanswered], key=told_ns)
        places = dict(zip(map(identity, sends), range(len(sends)), strict=True))
    anywhere: dict[str | None, int] = {}
    if several:
        for place, event in enumerate(sends):
            anywhere.setdefault(event.message, place)

    def find(events: Iterable[Event]) -> Iterable[int | None]:
        if not several:
            return map(places.get, map(_message, events))
        # A message that is received where it was not sent has been moved there.
        return (places.get((event.resource, event.message), anywhere.get(event.message)) for event in events)

    keys: list[Key | None] = [key_of(event, scope) for event in sends]
    if None in keys:
        # The producer's side does not say (a put without an answer has no shard); the receiver's may.
        for received, event in zip(find(told.received), told.received, strict=True):
            if received is not None and keys[received] is None and (key := key_of(event, scope)) is not None:
                keys[received] = (sends[received].resource, key[1])
    overlap = bool(told.unanswered) or any(map(lt, map(_started, islice(sends, 1, None)), times_ns(sends)))
    return Messages(keys, list(map(_resource, sends)), [*sends], find, overlap)


def _with_tries_without_an_answer(
    first: dict[Hashable, Event], told: Told, identity: Callable[[Event], Hashable]
) -> Iterable[Event]:
    """Let sends begin with the tries before them; give those that no answer told of, and that came anyway."""
    received = set(map(identity, told.received)) if told.unanswered else set()
    found: dict[Hashable, Event] = {}
    for event in told.unanswered:
        name = identity(event)
        send = first.get(name)
        if send is None:
            if name in received:
                found.setdefault(name, event)
        elif event.started_ns < send.started_ns:
            first[name] = attrs.evolve(send, started_ns=event.started_ns, outcome="unknown")
    return found.values()


def _by_sequence_number(told: Told, scope: ScopeKind) -> Messages:
    """What the service has numbered, in its order within each scope; each number is a message of its own."""

    def identity(event: Event) -> tuple[str, str, str] | None:
        key, number = key_of(event, scope), event.sequence_number
        # Numbers of equal length are sorted as text like as numbers.
        return None if key is None or number is None else (number.zfill(_DIGITS), *key)

    sends: dict[tuple[str, str, str], Event | None] = {}
    for event in told.sends:
        if (name := identity(event)) is not None:
            sends.setdefault(name, event)
    for event in told.received:
        if (name := identity(event)) is not None:
            sends.setdefault(name, None)
    order = sorted(sends)
    places: dict[tuple[str, str, str] | None, int] = {name: place for place, name in enumerate(order)}
    return Messages(
        keys=[name[1:] for name in order],
        resources=[name[1] for name in order],
        sends=[sends[name] for name in order],
        find=lambda events: map(places.get, map(identity, events)),
    )
