"""From a history to sequences: what arrived, in order of arrival, by its number in the order of sending.

A scope is what an order is asked of: everything (`global`), a queue or stream (`resource`), a message
group, a partition key, a shard.  Within it messages are numbered from 1 in the order in which they were
sent (`queuestream.lab.metrics.numbering` says what that is), and the sequence of arrivals is made of these
numbers.  Applications that each read everything have a sequence each.

What is received and was not sent, as far as the history tells, has no number: it is counted, and in no
sequence.
"""

from __future__ import annotations

from itertools import compress
from math import inf
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, cast, get_args

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
        return delays.backlog(
            self.known_ns(), sorted([first for first in self.first_ns if first is not None])
        )

    def known_ns(self) -> list[int]:
        """When each message was known to be sent, in the order of time: by its answer, or by its delivery."""
        known = [
            first if sent is None or (first is not None and first < sent) else sent
            for sent, first in zip(self.sent_ns, self.first_ns, strict=True)
        ]
        return sorted([time for time in known if time is not None])

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
            # Of what an actor sent in between, nobody knows whether it was before a repeated send.
            if number > own and send.outcome == "ok":
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
    found = read(history, scope, deliveries)
    return found.scopes, found.reason


@attrs.define(eq=False)
class Found:
    """What a history has of a kind of scope.

    Attributes:
        scopes: The arrivals in each.
        together: The times of all of them, without a sequence.
        reason: Why the order is not known; None where it is.
    """

    scopes: list[Arrivals]
    together: Arrivals
    reason: str | None


def read(history: History, scope: ScopeKind, deliveries: Deliveries) -> Found:
    """What there is of these scopes (`arrivals`)."""
    for value, kinds in ((scope, ScopeKind), (deliveries, Deliveries)):
        if value not in get_args(kinds):
            raise ValueError(f"{value!r} is none of {', '.join(get_args(kinds))}.")
    told = Told.by(history)
    messages = numbered(told, scope)
    scopes: list[Arrivals] = []
    together: list[Arrivals] = []
    for application, resources in _applications(told, messages):
        if resources is None:
            received, deleted = told.received, told.deleted
        else:
            received = [event for event in told.received if event.application == application]
            deleted = [event for event in told.deleted if event.application == application]
        reader = _Reader(application, messages, scope, resources)
        reader.receive(received, repeatedly=deliveries == "all")
        reader.delete(deleted)
        scopes += reader.arrivals()
        together.append(reader.together())
    reason = None if any(whole.sent_ns for whole in scopes) else why_none(told, scope)
    return Found(scopes, _joined(together), reason)


def _joined(parts: list[Arrivals]) -> Arrivals:
    if len(parts) == 1:
        return parts[0]
    whole = Arrivals("", "", "")
    for part in parts:
        whole.sent_ns += part.sent_ns
        whole.first_ns += part.first_ns
        whole.deleted_ns += part.deleted_ns
        whole.received_ns += part.received_ns
    whole.received_ns.sort()
    return whole


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
        self._keys = messages.keys
        if resources is not None:
            self._keys = [
                key if resource in resources else None
                for key, resource in zip(messages.keys, messages.resources, strict=True)
            ]
        self._unnumbered: dict[Key, int] = {}
        # By place in the order of sending:
        self._sent = [None if send is None else send.ended_ns for send in messages.sends]
        self._first: list[int | None] = [None] * len(messages.keys)
        self._deleted: list[int | None] = [None] * len(messages.keys)
        # In order of arrival:
        self._places: list[int] = []
        self._times: list[int] = []
        self._repeats: list[int] = []

    def receive(self, events: list[Event], *, repeatedly: bool) -> None:
        """Take deliveries down, the repeated ones among the arrivals only if so told."""
        places, times, first = list(self._messages.find(events)), times_ns(events), self._first
        if None not in places and len(set(places)) == len(places):
            # Each message once, as it should be.
            self._places, self._times = cast("list[int]", places), times
            for at, time in zip(self._places, times, strict=True):
                first[at] = time
            return
        for place, time, event in zip(places, times, events, strict=True):
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
        if len(keys := {*self._keys, *self._unnumbered}) == 1 and (key := keys.pop()) is not None:
            return [self._alone(key)]
        # Of each message, its scope and its number within it.
        whose: list[Arrivals | None] = [None] * len(messages.keys)
        numbers = [0] * len(messages.keys)
        rows = zip(self._keys, self._sent, self._first, self._deleted, strict=True)
        for place, (key, sent, first, deleted) in enumerate(rows):
            if key is not None:
                whole = whose[place] = scopes[key]
                whole.sent_ns.append(sent)
                whole.first_ns.append(first)
                whole.deleted_ns.append(deleted)
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
        if messages.overlap:
            for send, sent_to in zip(messages.sends, whose, strict=True):
                if send is not None and sent_to is not None:
                    sent_to.sends.append(send)
        return scopes.values()

    def _alone(self, key: Key) -> Arrivals:
        """The only scope there is."""
        whole = self.together()
        whole.resource, whole.name = key
        whole.sequence = [place + 1 for place in self._places]
        whole.redelivered = len(self._repeats)
        whole.unnumbered = self._unnumbered.get(key, 0)
        if self._messages.overlap:
            whole.sends = [send for send in self._messages.sends if send is not None]
        return whole

    def together(self) -> Arrivals:
        """The times of all scopes together."""
        inside = [key is not None for key in self._keys]
        whole = Arrivals(self._application, "", "")
        whole.sent_ns = list(compress(self._sent, inside))
        whole.first_ns = list(compress(self._first, inside))
        whole.deleted_ns = list(compress(self._deleted, inside))
        whole.received_ns = list(compress(self._times, map(inside.__getitem__, self._places)))
        return whole


class _Scopes(dict["Key", Arrivals]):
    """The arrivals by scope, made where they are missing."""

    def __init__(self, application: str) -> None:
        super().__init__()
        self._application = application

    def __missing__(self, key: Key) -> Arrivals:
        found = self[key] = Arrivals(self._application, *key)
        return found
