"""FIFO queues: order within a message group, and its lock.

Whoever receives a message has no earlier one of its group left that is still there: each is gone, or came
in the same call.  So one question is asked of every delivery: is there a message, sent before, that did
not come in this call and was there for certain afterwards?  It was, if somebody surely had it then (the
group was locked), or if it was delivered again later, and nobody had tried to delete it (out of order).

Which of two messages was sent before is known by their sequence numbers; in a group where one has none,
by the times of their sends: one was acknowledged before the other began.  A message that was moved away
and back again has a new number, and counts as another message.

The messages of a group are put in a row by what is known of their order, each with the last instant at
which it was there for certain.  The question is then one for the largest number of a prefix, and costs
logarithmic time.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import attrs

from queuestream.lab.checkers.holds import Holds
from queuestream.lab.checkers.lives import ended_ns
from queuestream.lab.checkers.precedence import NEVER, backwards, ordinal
from queuestream.lab.checkers.queries import Largest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queuestream.lab.checkers.findings import Findings, Teller
    from queuestream.lab.checkers.lives import Life, Lives
    from queuestream.lab.checkers.queues import Neighbours

Call = tuple[str, int, int | None]
"""What is the same for all messages of one receive: the actor, its beginning and its end."""


@attrs.define(eq=False)
class Member:
    """One message of a group, as the queue knows it.

    Attributes:
        life: What clients did with it.
        number: Its sequence number.
        sent_from_ns: From when on it may have been in the queue.
        sent_ns: From when on it surely was.
        deliveries: Its receives.
        group: Its message group.
        there_until_ns: The last instant at which it was surely there; -1 where there is none.
    """

    life: Life
    number: int | None
    sent_from_ns: int
    sent_ns: int
    deliveries: list[int]
    group: str | None
    there_until_ns: int = -1


class GroupChecker:
    """Judges the order of one FIFO queue's message groups.

    Args:
        lives: The messages.
        neighbours: The history's other queues.
        findings: Where to what is found.
        are_moved: Whether operators moved messages from queue to queue: one that comes back has a new place.
        retention_ns: How long the queue keeps a message.
    """

    def __init__(
        self, lives: Lives, neighbours: Neighbours, findings: Findings, *, are_moved: bool, retention_ns: int
    ) -> None:
        self._lives = lives
        self._events = lives.events
        self._neighbours = neighbours
        self._findings = findings
        self._are_moved = are_moved
        self._is_plain = lives.is_plain
        self._retention_ns = retention_ns
        self._holds: tuple[Life, Holds] | None = None

    def check(self) -> None:
        """Judge all groups."""
        if self._lives.was_deleted:
            return  # one that is created anew counts anew, and nobody knows which had a message
        groups: dict[str | None, list[Member]] = {}
        for life in self._lives.by_name.values():
            for member in self._members(life):
                groups.setdefault(member.group, []).append(member)
        for group, members in groups.items():
            scope = self._scope(group)
            self._check_sends(members, scope)
            if len(members) > 1:
                self._check_group(members, scope)

    def _scope(self, group: str | None) -> str:
        name = self._findings.resource or "the queue"
        return name if group is None else f"message group {group} of {name}"

    # --- who is in a group ---

    def _members(self, life: Life) -> list[Member]:
        """The messages that the queue knew by one name."""
        events = self._events
        sends, deliveries = life.sends, life.deliveries
        if len(sends) == 1 == len(deliveries):
            send, receive = events[sends[0]], events[deliveries[0]]
            number = receive.sequence_number
            if send.outcome == "ok" and (
                number == send.sequence_number or (number is None and not self._are_moved)
            ):
                member = Member(
                    life,
                    ordinal(send.sequence_number),
                    send.started_ns,
                    ended_ns(send),
                    deliveries,
                    send.group,
                )
                member.there_until_ns = self._there_until(member, self._deleted_ns(life))
                return [member]
        return self._separate(life)

    def _separate(self, life: Life) -> list[Member]:
        """One member for each message that the queue knew by the name, by id and sequence number."""
        events = self._events
        sends = [place for place in life.sends if events[place].outcome != "failed"]
        sent_from_ns = min((events[place].started_ns for place in sends), default=0)
        members: dict[tuple[str | None, int | None], Member] = {}
        numbers: dict[str | None, int | None] = {}
        for place in sends:
            send = events[place]
            if send.outcome == "ok":
                number = ordinal(send.sequence_number)
                numbers.setdefault(send.message_id, number)
                taken = members.setdefault(
                    (send.message_id, number), Member(life, number, sent_from_ns, NEVER, [], send.group)
                )
                taken.sent_ns = min(taken.sent_ns, ended_ns(send))
        only = next(iter(members.values())) if len(sends) == 1 == len(members) else None
        moved = self._are_moved or self._neighbours.received(life.name)
        for place in life.deliveries:
            receive = events[place]
            number = ordinal(receive.sequence_number)
            if number is None:
                if moved or (receive.message_id is None and only is None and len(sends) > 1):
                    return []  # nobody can tell which of them came
                number = numbers.get(receive.message_id)
            member: Member | None = members.get((receive.message_id, number))
            if member is None and only is not None and receive.message_id is None and only.number == number:
                member = only
            if member is None:
                member = members[receive.message_id, number] = Member(
                    life, number, sent_from_ns, NEVER, [], None
                )
            if receive.group is not None:
                member.group = receive.group  # of a send that was taken for a repetition it may be another
            member.deliveries.append(place)
        groups = {
            event.group for place in (*sends, *life.deliveries) if (event := events[place]).group is not None
        }
        if len(groups) > 1 and any(each.group is None for each in members.values()):
            return []  # nobody can tell in which group it is
        deleted_ns = self._deleted_ns(life)
        for each in members.values():
            if each.group is None and groups:
                [each.group] = groups
            if each.deliveries:
                each.there_until_ns = self._there_until(each, deleted_ns)
        return list(members.values())

    def _deleted_ns(self, life: Life) -> int:
        """When somebody first began to delete one of that name."""
        return min((self._events[place].started_ns for place in life.deletes), default=NEVER)

    def _holds_of(self, life: Life) -> Holds:
        """The holds of one message after the other; of one they are made once."""
        if self._holds is None or self._holds[0] is not life:
            self._holds = life, Holds(self._lives, life)
        return self._holds[1]

    def _there_until(self, member: Member, deleted_ns: int) -> int:
        """The last instant at which a message that was received was surely in the queue."""
        events, life, lives = self._events, member.life, self._lives
        deliveries = member.deliveries
        expires_ns = member.sent_from_ns + self._retention_ns if life.sends else NEVER
        if len(deliveries) == 1 and not life.changes and self._is_plain:
            receive = events[deliveries[0]]
            there = receive.visible_ns
            if there is None:
                return receive.started_ns
            return max(receive.started_ns, min(there, deleted_ns, expires_ns))
        holds = self._holds_of(life)
        gone_ns = min(deleted_ns, lives.blurred_ns)
        latest = -1
        for place in deliveries:
            started_ns = events[place].started_ns
            if started_ns <= gone_ns:
                held_until = min(holds.held_until(place), gone_ns, expires_ns)
                latest = max(latest, started_ns, held_until)
        return latest

    # --- the order in which they were sent ---

    def _check_sends(self, members: Sequence[Member], scope: str) -> None:
        """Sequence numbers grow."""
        sent = [member for member in members if member.number is not None and member.sent_ns != NEVER]
        calls = [(member.sent_from_ns, member.sent_ns, member.number or 0) for member in sent]
        for earlier, later in backwards(calls):
            # What was taken for a repetition has the number of what was sent first, by whatever name.
            if self._lives.first_sent_ns(sent[later].life.sends) > sent[earlier].sent_ns:
                self._find_backwards(sent[earlier], sent[later], scope)

    def _find_backwards(self, earlier: Member, later: Member, scope: str) -> None:
        tell = self._findings.teller
        first, second = earlier.life.sends[0], later.life.sends[0]
        self._findings.find(
            "nonmonotonic-send",
            (*earlier.life.sends, *later.life.sends),
            lambda: (
                f"{tell.began(second, f'sent {tell.message(later.life.name)}')}, after "
                f"{tell.message(earlier.life.name)} was acknowledged ({tell.did(first, 'sent it')}), and it "
                f"got the lower sequence number ({later.number}, the other {earlier.number})."
            ),
            scope,
        )

    # --- the order in which they came ---

    def _check_group(self, members: list[Member], scope: str) -> None:
        if all(member.number is not None for member in members):
            members.sort(key=lambda member: (member.number or 0, member.sent_from_ns))
            row = [member.number or 0 for member in members]
            before = [bisect_left(row, number) for number in row]
        else:
            members = [member for member in members if member.life.sends]
            members.sort(key=lambda member: (member.sent_ns, member.sent_from_ns))
            row = [member.sent_ns for member in members]
            before = [bisect_left(row, member.sent_from_ns) for member in members]
        if not members:
            return
        largest = Largest([member.there_until_ns for member in members])
        calls: dict[Call, dict[int, int]] = {}
        for place_in_row, member in enumerate(members):
            for place in member.deliveries:
                event = self._events[place]
                call = event.actor, event.started_ns, event.ended_ns
                calls.setdefault(call, {}).setdefault(place_in_row, place)
        for call, came in calls.items():
            if call[2] is not None:
                left = self._left_behind(members, before, largest, sorted(came), call[2])
                if left is not None:
                    overtaker = next(place for place in sorted(came) if before[place] > left)
                    self._find_overtaken(members[left], members[overtaker], came[overtaker], scope)

    @staticmethod
    def _left_behind(
        members: Sequence[Member], before: Sequence[int], largest: Largest, came: Sequence[int], at_ns: int
    ) -> int | None:
        """The place of an earlier message that was there when these came, and did not come with them."""
        end = max(before[place] for place in came)
        if not end or members[largest.before(end)].there_until_ns <= at_ns:
            return None
        start = 0
        for stop in (*came, end):
            place = largest.between(start, min(stop, end))
            if place is not None and members[place].there_until_ns > at_ns:
                return place
            start = stop + 1
        return None

    def _find_overtaken(self, earlier: Member, later: Member, place: int, scope: str) -> None:
        """A message came although an earlier one was there."""
        events, tell = self._events, self._findings.teller
        came = events[place]
        holds = self._holds_of(earlier.life)
        name, other = tell.message(later.life.name), tell.message(earlier.life.name)
        sends = (*earlier.life.sends[:1], *later.life.sends[:1])
        for receive in earlier.deliveries:
            until = holds.held_until(receive)
            if events[receive].started_ns <= came.started_ns and until > ended_ns(came):
                self._findings.find(
                    "group-lock",
                    (*sends, receive, place),
                    _telling_locked(tell, place, name, receive, other, until),
                    scope,
                )
                return
        receive = next(
            (place for place in earlier.deliveries if events[place].started_ns > ended_ns(came)),
            earlier.deliveries[-1],
        )
        self._findings.find(
            "out-of-order",
            (*sends, place, receive),
            lambda: (
                f"{tell.did(place, f'received {name}')} before {other}, which comes before it and which "
                f"{tell.did(receive, 'received')}."
            ),
            scope,
        )


def _telling_locked(
    tell: Teller, place: int, name: str, receive: int, other: str, until: int
) -> Callable[[], str]:
    return lambda: (
        f"{tell.did(place, f'received {name}')}, while {other}, which comes before it, locked the group: "
        f"{tell.did(receive, 'had received it')} and had it until {tell.at(until)[3:]}."
    )
