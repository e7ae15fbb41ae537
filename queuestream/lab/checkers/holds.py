"""How long a receiver surely had a message to itself.

A receive promises it until `visible_ns`, which recorders count from when the call began, so the queue's
own count ends no sooner.  A change of visibility promises more or less.  What may have shortened the time
counts, whoever did it and whether or not an answer came: on a standard queue an old receipt changes the
visibility of a message that somebody else has by now.  What lengthens it counts where it surely did: it was
the holder's own, it was acknowledged before the time was up, and no other change was under way.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from queuestream.lab.checkers.lives import ended_ns
from queuestream.lab.checkers.precedence import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from queuestream.lab.checkers.lives import Life, Lives
    from queuestream.lab.history import Event

NOT_HELD = -1


class _Calls:
    """Calls in the order in which they began."""

    __slots__ = ("_calls", "_ended_ns")

    def __init__(self, events: Sequence[Event], places: Sequence[int]) -> None:
        self._calls = sorted((events[place] for place in places), key=_started_ns)
        # From when on all up to here had surely happened.
        self._ended_ns = list(accumulate(map(ended_ns, self._calls), max))

    def since(self, time_ns: int) -> Iterator[Event]:
        """Those that may have happened at an instant or later."""
        for place in range(bisect_left(self._ended_ns, time_ns), len(self._calls)):
            call = self._calls[place]
            if ended_ns(call) >= time_ns:
                yield call


class Holds:
    """How long those who received a message surely had it.

    Args:
        lives: The queue's messages.
        life: The message.
    """

    __slots__ = ("_changes", "_deletes", "_events", "_lives")

    def __init__(self, lives: Lives, life: Life) -> None:
        self._lives = lives
        self._events = lives.events
        # A receive that is repeated, with the same receipt, hides the message anew.
        changes = [*life.changes, *repetitions(lives.events, life.deliveries)]
        self._changes = _Calls(lives.events, changes) if changes else None
        self._deletes = _Calls(lives.events, life.deletes) if life.deletes else None

    def held_until(self, place: int) -> int:
        """Until when the receiver surely had it, and neither deleted it nor gave it back.

        `NOT_HELD` where the history doesn't say.
        """
        until = self.hidden_until(place)
        if until != NOT_HELD and self._deletes is not None:
            for delete in self._deletes.since(self._events[place].started_ns):
                if delete.started_ns < until:
                    return delete.started_ns
                break
        return until

    def hidden_until(self, place: int) -> int:
        """Until when the queue surely hid what was received here, unless somebody deleted it."""
        receive, lives = self._events[place], self._lives
        until = receive.visible_ns
        if until is None or (lives.settings_changed and not lives.knows_timeout(receive)):
            return NOT_HELD
        started_ns = receive.started_ns
        if self._changes is not None:
            until = self._changed(receive, until)
        if lives.open_repetitions:
            until = lives.repeated_until(started_ns, until)
        until = min(until, lives.blurred_ns)
        if lives.emptied:
            until = min(until, lives.emptied_after(started_ns))
        return until

    def _changed(self, receive: Event, until: int) -> int:
        """Until when a receiver surely has a message after all changes of its visibility."""
        assert self._changes is not None
        # Until when another change may have happened; of two at one instant nobody knows which was first.
        busy_ns = receive.started_ns - 1
        for change in self._changes.since(receive.started_ns):
            if change.started_ns >= until:
                break
            changed_ns = ended_ns(change)
            promised = change.started_ns if change.visible_ns is None else change.visible_ns
            # What lengthens the time counts where it surely did; what shortens it counts in any case.
            if promised <= until or (
                change.started_ns > busy_ns
                and changed_ns < until
                and (change.receipt is None or receive.receipt is None or change.receipt == receive.receipt)
            ):
                until = promised
            busy_ns = max(busy_ns, changed_ns)
        return until


def repetitions(events: Sequence[Event], deliveries: Sequence[int]) -> list[int]:
    """Of the deliveries those that have the receipt of an earlier one: the same answer, given again."""
    if len(deliveries) < 2:
        return []
    seen: dict[tuple[str | None, str], int] = {}
    return [
        place
        for place in deliveries
        if (receipt := events[place].receipt) is not None
        and seen.setdefault((events[place].message_id, receipt), place) != place
    ]


def may_be_held_until(lives: Lives, life: Life) -> int:
    """Until when somebody may have had the message at most; `NEVER` where the history doesn't say."""
    latest = NOT_HELD
    for place in (*life.deliveries, *life.changes):
        event = lives.events[place]
        if event.visible_ns is None or event.ended_ns is None:
            return NEVER
        # The queue may have counted from any time until the answer.
        latest = max(latest, event.visible_ns + event.ended_ns - event.started_ns)
    return latest


def _started_ns(event: Event) -> int:
    return event.started_ns
