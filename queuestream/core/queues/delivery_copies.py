"""Copies of messages that somebody has received or deleted already.

Amazon SQS keeps copies of each message on several servers.  One that cannot be reached while the message is
received or deleted still has it afterwards ("At-least-once delivery").  A copy has the message's id and
count, and whatever is done with the message is done with all of its copies that can be reached: deleting
it with any handle deletes it, and the visibility timeout is that of the last receive.

So a copy is no second message, but another time that the first one can be received: once while its first
receive lasts, and up to twice after it was deleted.  Which messages have a copy follows from their
numbers and counts (`queuestream.core.chance`), so nobody has to remember it.  A message that would go to the
dead-letter queue when it is received has none: nobody can have received it.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from queuestream.core.queues.message import IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.core.chance import Chance
    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.message import Message

_RETURNS_MAX = 2


class Copies:
    """The copies of one queue's messages.

    Args:
        delivery: How many there are.
        chance: The queue's.
    """

    __slots__ = ("_chance", "_duplicates", "_returns", "_waiting")

    def __init__(self, delivery: Delivery, chance: Chance) -> None:
        self._chance = chance
        self._duplicates = delivery.duplicates
        self._returns = delivery.returns
        # A heap by number; one whose first receive is over is passed over.
        self._waiting: list[tuple[int, Message]] = []

    def add(self, messages: Iterable[Message]) -> int:
        """Messages were received: of how many a copy can be received, too."""
        copied = [(message.number, message) for message in messages if self._is_copied(message)]
        for one in copied:
            heappush(self._waiting, one)
        return len(copied)

    def remember(self, messages: Iterable[Message]) -> None:
        """Begin with messages that were kept."""
        self._waiting = [(message.number, message) for message in messages if self._is_copied(message)]
        heapify(self._waiting)

    def next(self, count: int, max_receive_count: int) -> list[Message]:
        """Messages in flight of which a copy is received now, `count` at most, those sent first first."""
        found: list[tuple[int, Message]] = []
        wanted = count if max_receive_count > 1 else 0
        while self._waiting:
            if not _is_first_receive(self._waiting[0][1]):
                heappop(self._waiting)
            elif len(found) < wanted:
                found.append(heappop(self._waiting))
            else:
                break
        # They are passed over as soon as they are received, which somebody may still prevent.
        for one in found:
            heappush(self._waiting, one)
        return [message for _, message in found]

    def survives(self, message: Message, max_receive_count: int) -> bool:
        """Whether a copy is still there after a message was deleted."""
        return (
            message.state == IN_FLIGHT
            and message.receive_count < max_receive_count
            and message.receive_count <= _RETURNS_MAX
            and self._chance.strikes(self._returns, "return", message.number, message.receive_count)
        )

    def check_invariants(self, messages: Iterable[Message]) -> None:
        """Assert that every copy that there is can be received; cost grows with the queue."""
        waiting = {number for number, message in self._waiting if _is_first_receive(message)}
        assert waiting == {message.number for message in messages if self._is_copied(message)}

    def _is_copied(self, message: Message) -> bool:
        return _is_first_receive(message) and self._chance.strikes(self._duplicates, "copy", message.number)


def _is_first_receive(message: Message) -> bool:
    """Whether a message is in flight for the first time."""
    return message.state == IN_FLIGHT and message.receive_count == 1
