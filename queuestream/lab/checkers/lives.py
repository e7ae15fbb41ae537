"""A queue's events, message by message: what is left of a history before anything is judged.

A message is what its producer calls by one name.  It may have been sent more than once, so the queue may
know several by that name, each under an id of its own.  Events are kept as their places in the history.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.lab.checkers.precedence import NEVER
from queuestream.lab.history import CHANGE_VISIBILITY, DELETE, GET, PUT, RECEIVE, SEND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from queuestream.lab.history import Event

SENDS, RECEIVES = frozenset({SEND, PUT}), frozenset({RECEIVE, GET})
"""Who takes a stream for a queue or a queue for a stream gets a verdict, too."""

_SETTING = ("set_attributes", "set_queue_attributes")

DELETING = ("delete_queue", "delete_stream")
EMPTYING = ("purge", "purge_queue", *DELETING)
"""What an operator does after which messages may be gone."""

# AWS: "SetQueueAttributes": changes can take up to 60 seconds to propagate.
_SETTLING_NS = 60 * SECOND

# AWS: "PurgeQueue": it takes up to a minute, and takes along what was sent meanwhile.
_PURGE_NS = 60 * SECOND


class Life:
    """What clients did with one message of one queue: places in the history, in its order.

    Attributes:
        name: What the producer calls it.
        sends: Every attempt to send it.
        deliveries: Every receive that succeeded.
        deletes: Deletes that succeeded or may have.
        changes: Changes of visibility that succeeded or may have.
    """

    __slots__ = ("changes", "deletes", "deliveries", "name", "sends")

    def __init__(self, name: str) -> None:
        self.name = name
        self.sends: list[int] = []
        self.deliveries: list[int] = []
        self.deletes: list[int] = []
        self.changes: list[int] = []


class Same:
    """Sends that may have sent one message, whatever their producers call it.

    Attributes:
        from_ns: When the first of them began.
        names: What they call it.
        is_elsewhere: Whether it was received from another queue; None where nobody has looked.
    """

    __slots__ = ("from_ns", "is_elsewhere", "names")

    def __init__(self) -> None:
        self.from_ns = NEVER
        self.names: set[str] = set()
        self.is_elsewhere: bool | None = None


class Lives:
    """All messages of one queue.

    Args:
        events: The whole history.
        places: The places of the queue's events.

    Attributes:
        events: As given.
        by_name: The messages, in the order in which they were first met.
        has_sends: Whether somebody's sends were recorded.
        has_deletes: Whether somebody deletes.
        emptied: When operators began to empty the queue, in order.
        emptied_until_ns: Until when messages may have gone with that; -1 where nobody did.
        was_deleted: Whether an operator may have deleted it; the next of its name counts anew.
        empty_receives: When receives began that got nothing.
        open_receives: Receives of whose messages nobody heard.
        open_repetitions: Those of them that may have repeated another: from when on, and for how long.
        settings_changed: When operators changed the queue's settings: from when on, until when.
        blurred_ns: When the first delete or change of visibility began of which nobody knows the message.
    """

    def __init__(self, events: Sequence[Event], places: Iterable[int]) -> None:
        self.events = events
        self.by_name: dict[str, Life] = {}
        self.has_sends = False
        self.has_deletes = False
        self.emptied: list[int] = []
        self.emptied_until_ns = -1
        self.was_deleted = False
        self.empty_receives: list[int] = []
        self.open_receives: list[int] = []
        self.open_repetitions: list[tuple[int, int]] = []
        self.settings_changed: list[tuple[int, int]] = []
        self.blurred_ns = NEVER
        self._same: dict[str, Same] | None = None
        unnamed: list[int] = []
        by_name = self.by_name
        for place in places:
            event = events[place]
            name = event.message
            if name is None:
                unnamed.append(place)
                continue
            life = by_name.get(name)
            if life is None:
                life = by_name[name] = Life(name)
            operation = event.operation
            if operation in SENDS:
                life.sends.append(place)
            elif event.outcome == "failed":
                continue
            elif operation in RECEIVES:
                if event.outcome == "ok":
                    life.deliveries.append(place)
            elif operation == DELETE:
                life.deletes.append(place)
            elif operation == CHANGE_VISIBILITY:
                life.changes.append(place)
        self._read_unnamed(unnamed)
        self.has_sends = any(life.sends for life in by_name.values())
        self.has_deletes = any(life.deletes for life in by_name.values())

    def _read_unnamed(self, places: Iterable[int]) -> None:
        """Events that name no message: empty receives, what operators do, and deletes by receipt alone."""
        by_receipt: dict[str, Life] = {}
        for place in places:
            event = self.events[place]
            if event.outcome == "failed":
                continue
            if event.operation in RECEIVES:
                if event.outcome == "unknown":
                    self.open_receives.append(place)
                    if event.visible_ns is not None:
                        self.open_repetitions.append((event.started_ns, event.visible_ns - event.started_ns))
                elif event.message_id is None and event.receipt is None:
                    self.empty_receives.append(event.started_ns)
            elif event.operation in {DELETE, CHANGE_VISIBILITY}:
                by_receipt = by_receipt or self._by_receipt()
                life = by_receipt.get(event.receipt or "")
                if life is None:
                    self.blurred_ns = min(self.blurred_ns, event.started_ns)
                else:
                    (life.deletes if event.operation == DELETE else life.changes).append(place)
            elif event.operation in EMPTYING:
                self.emptied.append(event.started_ns)
                self.was_deleted |= event.operation in DELETING
                ended_ns = NEVER if event.ended_ns is None else event.ended_ns + _PURGE_NS
                self.emptied_until_ns = max(self.emptied_until_ns, ended_ns)
            elif event.operation in _SETTING:
                ended_ns = NEVER if event.ended_ns is None else event.ended_ns + _SETTLING_NS
                self.settings_changed.append((event.started_ns, ended_ns))
        self.emptied.sort()

    def _by_receipt(self) -> dict[str, Life]:
        return {
            receipt: life
            for life in self.by_name.values()
            for place in life.deliveries
            if (receipt := self.events[place].receipt) is not None
        }

    @property
    def is_plain(self) -> bool:
        """Whether nothing that nobody knows the message of may have ended somebody's hold of one."""
        return self.blurred_ns == NEVER and not (
            self.emptied or self.settings_changed or self.open_repetitions
        )

    def emptied_after(self, time_ns: int) -> int:
        """When operators first began to empty the queue, from an instant on."""
        place = bisect_left(self.emptied, time_ns)
        return self.emptied[place] if place < len(self.emptied) else NEVER

    def same_as(self, send: int) -> list[Same]:
        """The sends that may have sent the same message: of its id, and under its deduplication id.

        What is sent again may be called something else: the queue looks at the deduplication id alone.
        """
        if self._same is None:
            self._same = {}
            for life in self.by_name.values():
                for place in life.sends:
                    event = self.events[place]
                    if event.outcome != "failed":
                        for key in _names_of(event):
                            same = self._same.get(key)
                            if same is None:
                                same = self._same[key] = Same()
                            same.from_ns = min(same.from_ns, event.started_ns)
                            same.names.add(life.name)
        return [same for key in _names_of(self.events[send]) if (same := self._same.get(key)) is not None]

    def first_sent_ns(self, sends: Iterable[int]) -> int:
        """From when on what these have sent may have been in the queue, if they repeated others."""
        return min(
            from_ns
            for send in sends
            for from_ns in (self.events[send].started_ns, *(same.from_ns for same in self.same_as(send)))
        )

    def repeated_until(self, received_ns: int, until_ns: int) -> int:
        """Until when a message is hidden that was received then, if an unheard repetition hid it anew."""
        for started_ns, length_ns in self.open_repetitions:
            if started_ns < until_ns:
                until_ns = min(until_ns, max(started_ns, received_ns) + length_ns)
        return until_ns

    def knows_timeout(self, receive: Event) -> bool:
        """Whether the queue's settings were surely those that the receiver knew."""
        return not any(
            from_ns <= ended_ns(receive) and receive.started_ns <= until_ns
            for from_ns, until_ns in self.settings_changed
        )


def _names_of(send: Event) -> list[str]:
    names = []
    if send.deduplication_id is not None:
        names.append(f"sent under {send.deduplication_id}")
    if (name := send.message_id or send.sequence_number) is not None:
        names.append(f"known as {name}")
    return names


def ended_ns(event: Event) -> int:
    """From when on a call surely had happened; `NEVER` where nobody heard of it."""
    return NEVER if event.ended_ns is None or event.outcome != "ok" else event.ended_ns
