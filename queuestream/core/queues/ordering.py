"""Which visible message comes next: the one thing in which kinds of queues differ.

A queue asks its ordering for the next messages and tells it what became of them; when a
message becomes visible is not the ordering's business (see visibility.py).  There are
four: `StandardOrdering` here, `FairOrdering` (a standard queue whose messages name
tenants), `FifoOrdering`, and `DeliveryOrdering` (a standard queue that departs from its
order as AWS's may, where a broker asks for it).

Amazon SQS promises a standard queue best-effort ordering only.  Ours is strict by
default, and can be told in one sentence: messages come in the order in which they
became available.  A message that comes back takes its place behind those that were
waiting when its timeout passed, so a message that always fails holds nobody up.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from queuestream.core.queues.message import GONE, VISIBLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.queues.message import Message

Place = tuple[str | None, dict[str, int]]
"""What an ordering remembers of a message group: the group's id, and what there is to say of it."""


class Kept(NamedTuple):
    """The messages of a queue that somebody has kept.

    Attributes:
        messages: All of them, by number; their states are set.
        arrived: Those that are visible since they arrived or were released, in that order.
        came_due: Those that are visible since their time came, in that order.
    """

    messages: list[Message]
    arrived: list[Message]
    came_due: list[Message]


class Ordering(Protocol):
    """What a queue asks of, and tells to, the object that knows the order of its messages.

    The queue sets a message's `state` first and tells the ordering then.
    """

    kind: str
    """`standard`, `fair` or `fifo`."""

    settles_in_parts: bool
    """Whether `take` needs only as many of the messages that have come due as it hands out."""

    def add(self, message: Message) -> None:
        """A message was sent, or is told anew, that is visible."""

    def expect(self, message: Message) -> None:
        """A message was sent that is delayed, or is told anew that is hidden."""

    def show(self, message: Message, now_ns: int) -> None:
        """A hidden message's time has come: its delay has ended, or a receive came to nothing."""

    def release(self, message: Message, now_ns: int) -> None:
        """A message in flight is visible again at once: its receiver wants no more time."""

    def take(self, count: int, max_receive_count: int, now_ns: int) -> list[Message]:
        """The next messages: as many as `count` that are in flight from now on.

        Before them and between them may be such as were received `max_receive_count` times;
        these are not in flight, and the queue discards them.
        """

    def put_back(self, messages: list[Message], max_receive_count: int) -> None:
        """Undo the last `take`."""

    def discard(self, message: Message, was_in_flight: bool, now_ns: int) -> None:
        """A message is GONE: deleted, moved or expired."""

    def memory(self) -> dict[int, Place | None]:
        """What cannot be told from the messages, as far as it is new since this was last asked.

        By numbers that an ordering never uses again; None for what is to be forgotten.  Time has been caught
        up with.
        """

    def remember(self, kept: Kept, memory: Mapping[int, Place]) -> None:
        """Begin with messages that were kept, and with all that `memory` has told by then."""

    def check_invariants(self) -> None:
        """Assert what the ordering relies on."""


class StandardOrdering:
    """The order in which messages became available.

    Those that arrived stand in one deque and those that came due in another, each in its
    own order; the next message is the earlier of the two first ones.  At one instant, one
    whose time came goes before one that arrives.  A message that is gone is passed over
    when it comes to the front.
    """

    kind = "standard"
    settles_in_parts = True

    __slots__ = ("_arrived", "_came_due", "add")

    def __init__(self) -> None:
        self._arrived: deque[Message] = deque()
        self._came_due: deque[Message] = deque()
        # On the way of every message: not even a method of our own.
        self.add = self._arrived.append

    def expect(self, message: Message) -> None:
        """A message is hidden: not our business before it is shown."""

    def show(self, message: Message, now_ns: int) -> None:
        """A hidden message's time has come."""
        self._came_due.append(message)

    def release(self, message: Message, now_ns: int) -> None:
        """A message in flight is visible again at once."""
        self._arrived.append(message)

    def take(self, count: int, max_receive_count: int, now_ns: int) -> list[Message]:
        """The next messages, the earliest first."""
        taken: list[Message] = []
        arrived, came_due = self._arrived, self._came_due
        while count:
            if came_due and not (arrived and arrived[0].visible_at_ns < came_due[0].visible_at_ns):
                message = came_due.popleft()
            elif arrived:
                message = arrived.popleft()
            else:
                break
            if message.state == VISIBLE:
                taken.append(message)
                if message.receive_count < max_receive_count:
                    count -= 1
        return taken

    def put_back(self, messages: list[Message], max_receive_count: int) -> None:
        """Undo the last `take`: what it took became available before all that is left."""
        self._came_due.extendleft(reversed(messages))

    def discard(self, message: Message, was_in_flight: bool, now_ns: int) -> None:
        """A message is GONE."""
        if not was_in_flight:
            for waiting in (self._arrived, self._came_due):
                while waiting and waiting[0].state == GONE:
                    waiting.popleft()

    def memory(self) -> dict[int, Place | None]:
        """Nothing: the messages tell all."""
        return {}

    def remember(self, kept: Kept, memory: Mapping[int, Place]) -> None:
        """Begin with messages that were kept."""
        self._arrived.extend(kept.arrived)
        self._came_due.extend(kept.came_due)

    def check_invariants(self) -> None:
        """Each deque is in the order in which its messages became available."""
        for waiting in (self._arrived, self._came_due):
            instants = [message.visible_at_ns for message in waiting if message.state == VISIBLE]
            assert instants == sorted(instants)
            assert all(message.state in {VISIBLE, GONE} and message.lane is None for message in waiting)
