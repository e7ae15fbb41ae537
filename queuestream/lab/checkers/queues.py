"""What every queue is asked, standard or FIFO: did each message come, and to one receiver at a time?

Most messages are sent, received and deleted once, and are judged in a glance; the others one by one.
Where the queue's ids are known, each message that the queue knows by one name is judged by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.lab.checkers.holds import NOT_HELD, Holds, may_be_held_until, repetitions
from queuestream.lab.checkers.lives import ended_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from queuestream.lab.checkers.findings import Findings
    from queuestream.lab.checkers.lives import Life, Lives

# AWS: "Amazon SQS message quotas": a queue keeps messages for four days unless it is told otherwise.
RETENTION_SECONDS = 4 * 24 * 3600


class Neighbours:
    """What the other queues of a history know of a message: dead letters change queues.

    Args:
        lives: The other queues'.
    """

    def __init__(self, lives: Sequence[Lives]) -> None:
        self._lives = lives

    def sends(self, name: str) -> int:
        """How often somebody tried to send it to another queue."""
        return sum(len(life.sends) for lives in self._lives if (life := lives.by_name.get(name)) is not None)

    def received(self, name: str) -> bool:
        """Whether somebody received it from another queue."""
        return any((life := lives.by_name.get(name)) is not None and life.deliveries for lives in self._lives)

    def have_sends(self) -> bool:
        """Whether the sends to any of them were recorded."""
        return any(lives.has_sends for lives in self._lives)


class QueueChecker:
    """Judges one queue's messages, each by itself.

    Args:
        lives: The messages.
        neighbours: The history's other queues.
        findings: Where to what is found.
        finished: Whether the clients went on until nothing was left.
        are_moved: Whether operators moved messages from queue to queue, where they have ids of their own.
        retention_ns: How long the queue keeps a message.
        last_ns: When the history ends.
    """

    def __init__(
        self,
        lives: Lives,
        neighbours: Neighbours,
        findings: Findings,
        *,
        finished: bool,
        are_moved: bool,
        retention_ns: int,
        last_ns: int,
    ) -> None:
        self.lives = lives
        self._events = lives.events
        self._neighbours = neighbours
        self._findings = findings
        self._teller = findings.teller
        self._finished = finished
        self._are_moved = are_moved
        self._expired_ns = last_ns - retention_ns
        self._knows_sends = lives.has_sends or neighbours.have_sends()
        # Of a receive without an answer somebody may have a message without knowing.
        self._judges_vanished = (
            finished and lives.has_deletes and bool(lives.empty_receives) and not lives.open_receives
        )
        self._last_look_ns = max(lives.empty_receives, default=-1)
        # Which message each id was received as.
        self._received_as: dict[str, int] = {}
        self._busy: set[str | None] | None = None

    def check(self) -> None:
        """Judge all messages."""
        events, tally = self._events, self._findings.tally
        received_as = self._received_as
        careful: list[Life] = []
        for life in self.lives.by_name.values():
            sends, deliveries = life.sends, life.deliveries
            for place in deliveries:
                message_id = events[place].message_id
                if message_id is not None and received_as.setdefault(message_id, place) != place:
                    self._check_same(message_id, place)
            if (
                len(sends) == 1 == len(deliveries)
                and (send := events[sends[0]]).outcome == "ok"
                and (send.message_id == events[deliveries[0]].message_id or self._are_moved)
                and (life.deletes or not self._judges_vanished)
            ):
                tally.attempted += 1
                tally.acknowledged += 1
                tally.received += 1
            else:
                careful.append(life)
        for life in careful:
            self._check(life)

    def _check_same(self, message_id: str, place: int) -> None:
        first = self._received_as[message_id]
        one, other = self._events[first].message, self._events[place].message
        if one != other:
            tell = self._teller
            self._findings.find(
                "inconsistent",
                (first, place),
                lambda: (
                    f"The message with the id {message_id} was {tell.message(one)} when "
                    f"{tell.did(first, 'received it')}, and {tell.message(other)} when "
                    f"{tell.did(place, 'received it')}."
                ),
            )

    def _check(self, life: Life) -> None:
        events, tally = self._events, self._findings.tally
        outcomes = [events[place].outcome for place in life.sends]
        acknowledged = [place for place in life.sends if events[place].outcome == "ok"]
        tally.attempted += bool(outcomes)
        tally.acknowledged += bool(acknowledged)
        tally.received += bool(life.deliveries)
        tally.recovered += not acknowledged and "unknown" in outcomes and bool(life.deliveries)
        if life.deliveries:
            self._check_origin(life, outcomes)
        self._check_lost(life, acknowledged)
        if len(life.deliveries) > 1:
            self._check_repeated(life)
        if self._judges_vanished and life.deliveries and not life.deletes:
            self._check_vanished(life)

    # --- where it came from ---

    def _check_origin(self, life: Life, outcomes: Sequence[str]) -> None:
        name, place, tell = life.name, life.deliveries[0], self._teller
        if not outcomes:
            if self._knows_sends and not self._neighbours.sends(name):
                self._findings.tally.unexpected += 1
                self._findings.find(
                    "unexpected",
                    life.deliveries[:1],
                    lambda: f"{tell.did(place, f'received {tell.message(name)}')}, which nobody had sent.",
                )
        elif all(outcome == "failed" for outcome in outcomes):
            send = life.sends[0]
            self._findings.find(
                "aborted-read",
                (*life.sends, place),
                lambda: (
                    f"{tell.did(place, f'received {tell.message(name)}')}, although the send had failed "
                    f"when {tell.did(send, 'tried')}."
                ),
            )

    # --- what became of it ---

    def _check_lost(self, life: Life, acknowledged: Sequence[int]) -> None:
        if not self._finished or not acknowledged:
            return
        events = self._events
        got = {events[place].message_id for place in life.deliveries}
        unnamed = None in got or any(events[place].message_id is None for place in acknowledged)
        if got and (unnamed or self._are_moved):
            return  # one of them came, and nobody knows which
        # Of a FIFO queue's send that was taken for a repetition, the other message comes.
        missing = [
            place
            for place in acknowledged
            if events[place].message_id not in self._received_as and not self._may_be_gone(place)
        ]
        if not missing or self._neighbours.received(life.name) or self._is_elsewhere(missing):
            return
        self._findings.tally.lost += 1
        tell = self._teller
        several = f" (sent {len(acknowledged)} times)" if len(acknowledged) > 1 else ""
        self._findings.find(
            "lost",
            missing,
            lambda: (
                f"{tell.message(life.name)}{several} was acknowledged when "
                f"{tell.did(missing[0], 'sent it')}, and nobody ever received it."
            ),
        )

    def _is_elsewhere(self, sends: Iterable[int]) -> bool:
        """Whether one of these was received from another queue, under the name of another send of it."""
        for same in (same for send in sends for same in self.lives.same_as(send)):
            if same.is_elsewhere is None:
                same.is_elsewhere = any(map(self._neighbours.received, same.names))
            if same.is_elsewhere:
                return True
        return False

    def _may_be_gone(self, send: int) -> bool:
        """Whether a message may be gone for a good reason: a purge, or its age."""
        gone_until_ns = max(self.lives.emptied_until_ns, self._expired_ns)
        if self._events[send].started_ns <= gone_until_ns:
            return True
        return gone_until_ns >= 0 and self.lives.first_sent_ns((send,)) <= gone_until_ns

    def _check_vanished(self, life: Life) -> None:
        lives = self.lives
        free_ns = max(may_be_held_until(lives, life), 0)
        if free_ns > self._last_look_ns or lives.blurred_ns < self._last_look_ns:
            return
        first = (life.sends or life.deliveries)[0]
        if self._may_be_gone(first) or self._neighbours.received(life.name):
            return
        if self._findings.promise == "fifo" and self._group_of(life) in self._busy_groups():
            return
        last, tell = life.deliveries[-1], self._teller
        self._findings.find(
            "vanished",
            (*life.sends, *life.deliveries),
            lambda: (
                f"{tell.did(last, f'received {tell.message(life.name)}')}, had it until "
                f"{tell.at(free_ns)[3:]} and did not delete it; it did not come again, and "
                f"{tell.at(self._last_look_ns)} nothing was left."
            ),
        )

    def _group_of(self, life: Life) -> str | None:
        return next((group for place in life.deliveries if (group := self._events[place].group)), None)

    def _busy_groups(self) -> set[str | None]:
        """The message groups of which somebody may have had a message when somebody last looked."""
        if self._busy is None:
            events = self._events
            self._busy = {
                self._group_of(life)
                for life in self.lives.by_name.values()
                if life.deliveries
                and not any(events[place].outcome == "ok" for place in life.deletes)
                and may_be_held_until(self.lives, life) > self._last_look_ns
            }
        return self._busy

    # --- when it came again ---

    def _check_repeated(self, life: Life) -> None:
        """Was every further delivery a redelivery: after the time of the one who had it, before a delete?"""
        events = self._events
        by_id: dict[str | None, list[int]] = {}
        repeated = set(repetitions(events, life.deliveries))
        for place in life.deliveries:
            by_id.setdefault(events[place].message_id, []).append(place)
        # Without ids, several messages of one name cannot be told apart.
        alone = self._sends(life) <= 1
        holds = Holds(self.lives, life)
        deletes = self._deletes_by_id(life)
        again = duplicated = False
        for message_id, received in by_id.items():
            resurrected: set[int] = set()
            if message_id in deletes and (alone or message_id is not None):
                resurrected = self._check_resurrected(life, holds, received, deletes[message_id])
            deliveries = [place for place in received if place not in repeated]
            if len(deliveries) > 1:
                again = True
                if alone or message_id is not None:
                    duplicated |= self._check_holders(life, holds, deliveries, resurrected)
        tally = self._findings.tally
        tally.duplicated += duplicated
        tally.redelivered += again and not duplicated

    def _sends(self, life: Life) -> int:
        """How often it was sent; a dead letter was sent to another queue."""
        return len(life.sends) or self._neighbours.sends(life.name)

    def _check_holders(
        self, life: Life, holds: Holds, deliveries: Sequence[int], resurrected: set[int]
    ) -> bool:
        """Whether a message was delivered while somebody surely had it.

        Or while it was deleted already, where the delete is not sure; the one is as wrong as the other.
        """
        events = self._events
        holder, until = -1, NOT_HELD
        found = False
        for place in sorted(deliveries, key=lambda place: ended_ns(events[place])):
            event = events[place]
            own_until = holds.hidden_until(place)
            if until > ended_ns(event) and place not in resurrected:
                had = events[holder]
                # Had the second delivery come first, it would have been held when the other came.
                if ended_ns(had) < event.started_ns or own_until > ended_ns(had):
                    self._find_duplicated(life, holder, until, place)
                    found = True
            if own_until > until:
                holder, until = place, own_until
        if (
            not self.lives.has_deletes
            and len(deliveries) > max(1, self._sends(life))
            and all(events[place].visible_ns is None for place in deliveries)
        ):
            self._find_unexplained(life, deliveries)
            found = True
        return found

    def _find_duplicated(self, life: Life, holder: int, until: int, place: int) -> None:
        tell = self._teller
        self._findings.find(
            "duplicated",
            (holder, place),
            lambda: (
                f"{tell.did(place, f'received {tell.message(life.name)}')}, while "
                f"{tell.did(holder, 'had received it')} and had it until {tell.at(until)[3:]}."
            ),
        )

    def _find_unexplained(self, life: Life, deliveries: Sequence[int]) -> None:
        """More deliveries than sends, in a history that knows of no visibility timeouts."""
        tell = self._teller
        self._findings.find(
            "duplicated",
            deliveries,
            lambda: (
                f"{tell.message(life.name)} was sent {_times(len(life.sends))} and received "
                f"{_times(len(deliveries))}; the history does not say whether a visibility timeout was the "
                "reason."
            ),
            violates=False,
        )

    def _deletes_by_id(self, life: Life) -> dict[str | None, list[int]]:
        """The deletes of each message that the queue knew by the name, in the order of their answers."""
        events = self._events
        by_receipt = {events[place].receipt: events[place].message_id for place in life.deliveries}
        # A delete that says neither is that of the only message there is.
        ids = {events[place].message_id for place in life.deliveries}
        only = next(iter(ids)) if len(ids) == 1 else None
        by_id: dict[str | None, list[int]] = {}
        for place in sorted(life.deletes, key=lambda place: ended_ns(events[place])):
            event = events[place]
            message_id = by_receipt.get(event.receipt) if event.receipt is not None else None
            if ids != {None}:
                message_id = message_id or event.message_id or only
            by_id.setdefault(message_id, []).append(place)
        return by_id

    def _check_resurrected(
        self, life: Life, holds: Holds, deliveries: Sequence[int], deletes: Sequence[int]
    ) -> set[int]:
        """The deliveries of a message after it surely had been deleted."""
        events = self._events
        by_receipt = {events[place].receipt: place for place in deliveries}
        for deleted in deletes:
            if self._surely_deleted(life, holds, deliveries, by_receipt, deleted):
                break
        else:
            return set()
        deleted_ns = ended_ns(events[deleted])
        resurrected = {place for place in deliveries if events[place].started_ns > deleted_ns}
        for place in sorted(resurrected):
            self._find_resurrected(life, deleted, place)
        return resurrected

    def _surely_deleted(
        self,
        life: Life,
        holds: Holds,
        deliveries: Sequence[int],
        by_receipt: Mapping[str | None, int],
        delete: int,
    ) -> bool:
        """Whether a delete removed this message: the one who had it said so while it was hidden for him."""
        events = self._events
        event = events[delete]
        deleted_ns = ended_ns(event)
        if event.outcome != "ok":
            return False
        if event.receipt is not None and None not in by_receipt:
            received = by_receipt.get(event.receipt)
        elif event.message_id is None and self._sends(life) > 1:
            return False
        else:
            before = [place for place in deliveries if events[place].started_ns <= deleted_ns]
            mine = [place for place in before if events[place].actor == event.actor]
            received = mine[-1] if mine else None
        if received is None:
            return False
        until = holds.hidden_until(received)
        if until == NOT_HELD:
            # Nothing is known of timeouts; a message that came once so far was its receiver's.
            earlier = sum(events[place].started_ns <= deleted_ns for place in deliveries)
            return earlier == 1 and not self._neighbours.received(life.name)
        return deleted_ns < until

    def _find_resurrected(self, life: Life, deleted: int, place: int) -> None:
        tell = self._teller
        self._findings.find(
            "resurrected",
            (deleted, place),
            lambda: (
                f"{tell.did(place, f'received {tell.message(life.name)}')}, which "
                f"{tell.did(deleted, 'had deleted')}."
            ),
        )


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count) or f"{count} times"
