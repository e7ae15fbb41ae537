"""From a history to sequences: what arrived, in order of arrival, by its number in the order of sending.

A scope is what an order is asked of: everything (`global`), a queue or stream (`resource`), a message
group, a partition key, a shard.  Within it messages are numbered from 1 in the order in which they were
sent (`queuestream.lab.metrics.numbering` says what that is), and the sequence of arrivals is made of these
numbers.  Applications that each read everything have a sequence each.

What is received and was not sent, as far as the history tells, has no number: it is counted, and in no
sequence.
"""

from __future__ import annotations

from math import inf
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, get_args

import attrs

from queuestream.lab.metrics import delays
from queuestream.lab.metrics.numbering import ScopeKind, Told, key_of, numbered, times_ns, why_none

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.lab.history import Event, History
    from queuestream.lab.metrics.numbering import Key, Messages

Deliveries = Literal["first", "all"]
"""Whether a sequence has the first delivery of each message, or all of them."""


@attrs.define(eq=False)
class Arrivals:
    """What one application received of one scope.  Read it, don't change it.

    Attributes:
        application: Whose deliveries these are.
        resource: The queue or stream; empty for the global scope.
        name: Of the scope within it: the message group's, the partition key's, the shard's.
        sequence: The numbers of the messages that arrived, in order of arrival; the first that was sent
            has 1.
        received_ns: When each of them arrived.
        sent_ns: When each message's send was acknowledged, in the order of the numbers; None where it
            was not.
        first_ns: When each message was first received; None for never.
        deleted_ns: When each message was first deleted; None for never.
        redelivered: How many deliveries were not a message's first.
        unnumbered: How many deliveries were of messages of which the history tells no send.
        sends: The send of each message, in the order of the numbers, where some of them overlapped in time.
    """

    application: str
    resource: str
    name: str
    sequence: list[int] = attrs.field(factory=list, repr=False)
    received_ns: list[int] = attrs.field(factory=list, repr=False)
    sent_ns: list[int | None] = attrs.field(factory=list, repr=False)
    first_ns: list[int | None] = attrs.field(factory=list, repr=False)
    deleted_ns: list[int | None] = attrs.field(factory=list, repr=False)
    redelivered: int = 0
    unnumbered: int = 0
    sends: list[Event] = attrs.field(factory=list, repr=False)

    def pairs(self) -> list[tuple[int, int]]:
        """For a plot: (send index, receive index) of each arrival, both from 1."""
        return list(zip(self.sequence, range(1, len(self.sequence) + 1), strict=True))

    def age_of_oldest(self, until_ns: int) -> list[tuple[int, int]]:
        """For a plot: how old the oldest message was that was not received (`delays.age_of_oldest`)."""
        known = sorted(
            (
                (sent, first)
                for sent, first in zip(self.sent_ns, self.first_ns, strict=True)
                if sent is not None
            ),
            key=itemgetter(0),
        )
        return delays.age_of_oldest([sent for sent, _ in known], [first for _, first in known], until_ns)

    def backlog(self) -> list[tuple[int, int]]:
        """For a plot: how many messages were sent and not yet received (`delays.backlog`)."""
        known = [
            (sent if first is None else min(sent, first), first)
            for sent, first in zip(self.sent_ns, self.first_ns, strict=True)
            if sent is not None
        ]
        return delays.backlog(
            sorted(sent for sent, _ in known), sorted(first for _, first in known if first is not None)
        )

    def overlaps(self) -> int:
        """How many reordered arrivals were overtaken only by messages whose send overlapped theirs in time.

        Of these nobody can say whether they were sent before those that came before them.  All the other
        reordered ones are out of order however the producers are looked at.

        Cost: linear.
        """
        if not self.sends:
            return 0
        count = 0
        largest = 0
        # When the last send began of those that arrived; its number decides between two at one instant.
        latest = (-inf, 0)
        largest_of: dict[str, int] = {}
        for number in self.sequence:
            send = self.sends[number - 1]
            own = largest_of.get(send.actor, 0)
            if number >= largest:
                largest = number
            elif number >= own and (send.ended_ns is None or latest < (send.ended_ns, number)):
                count += 1
            if number > own:
                largest_of[send.actor] = number
            if send.started_ns >= latest[0]:
                latest = max(latest, (send.started_ns, number))
        return count


def arrivals(
    history: History, scope: ScopeKind = "global", *, deliveries: Deliveries = "first"
) -> tuple[list[Arrivals], str | None]:
    """The sequence of arrivals of each scope.

    Args:
        history: What clients saw.
        scope: What the order is asked of.
        deliveries: `first`: each message once, when it first came.  `all`: as often as it came.

    Returns:
        The scopes, by application, in the order in which they were first sent to; and None, or why the
        order is not known: then the scopes have counts and no numbers.

    Raises:
        ValueError: There is no such scope, or kind of deliveries.

    Cost: that of sorting the history by time, and linear where it is sorted already.
    """
    for value, kinds in ((scope, ScopeKind), (deliveries, Deliveries)):
        if value not in get_args(kinds):
            raise ValueError(f"{value!r} is none of {', '.join(get_args(kinds))}.")
    told = Told.by(history)
    messages = numbered(told, scope)
    found: list[Arrivals] = []
    for application, resources in _applications(told, messages):
        if resources is None:
            received, deleted = told.received, told.deleted
        else:
            received = [event for event in told.received if event.application == application]
            deleted = [event for event in told.deleted if event.application == application]
        reader = _Reader(application, messages, scope, resources)
        reader.receive(received, repeatedly=deliveries == "all")
        reader.delete(deleted)
        found += reader.arrivals()
    if any(whole.sent_ns for whole in found):
        return found, None
    return found, why_none(told, scope)


def _applications(told: Told, messages: Messages) -> list[tuple[str, set[str] | None]]:
    """Who reads for himself, and what: all (None), or some resources where there are several applications."""
    names = list(dict.fromkeys(event.application for event in told.received))
    if len(names) <= 1:
        return [(names[0] if names else "", None)]
    read: dict[str, set[str]] = {name: set() for name in names}
    for event, place in zip(told.received, messages.find(told.received), strict=True):
        read[event.application].add(event.resource if place is None else messages.resources[place])
    if unread := set(messages.resources).difference(*read.values()):
        read.setdefault("", set()).update(unread)
    return list(read.items())


class _Reader:
    """What one application received, of some resources or (None) of all."""

    def __init__(
        self, application: str, messages: Messages, scope: ScopeKind, resources: set[str] | None
    ) -> None:
        self._application = application
        self._messages = messages
        self._scope = scope
        self._resources = resources
        self._unnumbered: dict[Key, int] = {}
        # By place in the order of sending:
        self._first: list[int | None] = [None] * len(messages.keys)
        self._deleted: list[int | None] = [None] * len(messages.keys)
        # In order of arrival:
        self._places: list[int] = []
        self._times: list[int] = []
        self._repeats: list[int] = []

    def receive(self, events: list[Event], *, repeatedly: bool) -> None:
        """Take deliveries down, the repeated ones among the arrivals only if so told."""
        first = self._first
        for place, time, event in zip(self._messages.find(events), times_ns(events), events, strict=True):
            if place is None:
                if (key := key_of(event, self._scope)) is not None:
                    self._unnumbered[key] = self._unnumbered.get(key, 0) + 1
                continue
            if first[place] is None:
                first[place] = time
            else:
                self._repeats.append(place)
                if not repeatedly:
                    continue
            self._places.append(place)
            self._times.append(time)

    def delete(self, events: list[Event]) -> None:
        """Take deletes down; the first of each message counts."""
        for place, time in zip(self._messages.find(events), times_ns(events), strict=True):
            if place is not None and self._deleted[place] is None:
                self._deleted[place] = time

    def arrivals(self) -> Iterable[Arrivals]:
        """Scope by scope."""
        messages, scopes = self._messages, _Scopes(self._application)
        # Of each message, its scope and its number within it.
        whose: list[Arrivals | None] = [None] * len(messages.keys)
        numbers = [0] * len(messages.keys)
        for place, (key, send, first, deleted) in enumerate(
            zip(messages.keys, messages.sends, self._first, self._deleted, strict=True)
        ):
            if key is None or (
                self._resources is not None and messages.resources[place] not in self._resources
            ):
                continue
            whole = whose[place] = scopes[key]
            whole.sent_ns.append(None if send is None else send.ended_ns)
            whole.first_ns.append(first)
            whole.deleted_ns.append(deleted)
            if messages.overlap and send is not None:
                whole.sends.append(send)
            numbers[place] = len(whole.sent_ns)
        for place, time in zip(self._places, self._times, strict=True):
            if (arrived := whose[place]) is not None:
                arrived.sequence.append(numbers[place])
                arrived.received_ns.append(time)
        for place in self._repeats:
            if (repeated := whose[place]) is not None:
                repeated.redelivered += 1
        for key, count in self._unnumbered.items():
            scopes[key].unnumbered = count
        return scopes.values()


class _Scopes(dict["Key", Arrivals]):
    """The arrivals by scope, made where they are missing."""

    def __init__(self, application: str) -> None:
        super().__init__()
        self._application = application

    def __missing__(self, key: Key) -> Arrivals:
        found = self[key] = Arrivals(self._application, *key)
        return found
