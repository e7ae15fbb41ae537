"""When a message may be seen: delays and visibility timers, in one index.

A message is visible *from* its deadline on.  SQS counts delays and timeouts in whole
seconds, so few different ones are in use at a time, and of those that last equally
long the one started first ends first.  The hidden messages therefore stand in lanes, a
lane for each duration, each in the order of its deadlines by itself; a small heap knows
the first deadline of every lane.  Starting and cancelling a timer cost the same however
many run, and so does looking at what has come due.

Messages come due in the order of their deadlines; of those with the same deadline, the
one that was hidden first comes first (which is the one that was hidden for longer).

Time comes in as an argument; nothing here holds a clock.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heappop, heappush, heapreplace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from queuestream.core.queues.message import Message

NEVER = 1 << 63
"""Later than every deadline."""


class Lane(OrderedDict["Message", None]):
    """The messages that are hidden for the same duration, the first to come due first."""

    # A plain dict would do but for its first key: finding it costs as much as was deleted before it.
    __slots__ = ()


class Timers:
    """The hidden messages of one queue.

    Attributes:
        bound_ns: No message comes due before this instant; it may be earlier than the first deadline.
        popped_ns: Up to this instant, all that came due was taken out.
    """

    __slots__ = ("_heads", "_lanes", "bound_ns", "popped_ns")

    def __init__(self) -> None:
        self._lanes: dict[int, Lane] = {}
        self._heads: list[tuple[int, int]] = []  # (a bound of the lane's first deadline, -key)
        self.bound_ns = NEVER
        self.popped_ns = 0

    def __iter__(self) -> Iterator[Message]:
        for lane in self._lanes.values():
            yield from lane

    def lanes(self) -> Iterable[tuple[int, Lane]]:
        """The lanes by their keys."""
        return self._lanes.items()

    def start(self, messages: Iterable[Message], until_ns: int, key: int) -> None:
        """Hide messages until the same instant.

        Args:
            messages: Messages that are not hidden.
            until_ns: From when on they are visible.
            key: The lane: the nanoseconds from now to the deadline, or an `unused_key`.
        """
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
            heappush(self._heads, (until_ns, -key))
        for message in messages:
            message.visible_at_ns = until_ns
            lane[message] = None
            message.lane = lane
        self.bound_ns = min(self.bound_ns, until_ns)

    def remember(self, messages: list[Message], key: int) -> None:
        """Hide messages again, each until its own deadline: a whole lane, in its order."""
        lane = self._lanes[key] = Lane()
        for message in messages:
            lane[message] = None
            message.lane = lane
        heappush(self._heads, (messages[0].visible_at_ns, -key))
        self.bound_ns = min(self.bound_ns, messages[0].visible_at_ns)

    def cancel(self, message: Message) -> None:
        """Take a message out, whether or not it has come due."""
        assert message.lane is not None
        del message.lane[message]
        message.lane = None

    def pop_due(self, now_ns: int, count: int | None = None) -> list[Message]:
        """Take out the first messages that have come due (`count` at most), in the order described above."""
        due: list[Message] = []
        if count is None and now_ns > self.popped_ns:
            self.popped_ns = now_ns
        while (
            len(due) != count
            and (lane := self._first_lane()) is not None
            and (deadline_ns := self._heads[0][0]) <= now_ns
        ):
            # All of this lane with this deadline come before any other lane's.
            while lane and len(due) != count and (first := next(iter(lane))).visible_at_ns == deadline_ns:
                del lane[first]
                first.lane = None
                due.append(first)
        self._first_lane()
        return due

    def next_deadline_ns(self) -> int | None:
        """The first deadline of all; None where no message is hidden."""
        self._first_lane()
        return None if self.bound_ns == NEVER else self.bound_ns

    def unused_key(self) -> int:
        """A key for a lane of its own: for messages whose deadlines are set anew, in their order.

        At the same deadline they come before all others: what is sent later must not overtake them.
        """
        key = NEVER
        while key in self._lanes:
            key += 1
        return key

    def _first_lane(self) -> Lane | None:
        """The lane whose first message is the first of all to come due; makes `bound_ns` exact."""
        heads = self._heads
        while heads:
            bound_ns, negative_key = heads[0]
            lane = self._lanes[-negative_key]
            if not lane:
                heappop(heads)
                del self._lanes[-negative_key]
            elif (deadline_ns := next(iter(lane)).visible_at_ns) != bound_ns:
                heapreplace(heads, (deadline_ns, negative_key))
            else:
                self.bound_ns = bound_ns
                return lane
        self.bound_ns = NEVER
        return None

    def check_invariants(self) -> None:
        """Assert what the index relies on; cost grows with its size."""
        bounds = {-negative_key: bound_ns for bound_ns, negative_key in self._heads}
        assert bounds.keys() == self._lanes.keys()
        for key, lane in self._lanes.items():
            deadlines = [message.visible_at_ns for message in lane]
            assert deadlines == sorted(deadlines)
            assert all(message.lane is lane for message in lane)
            if deadlines:
                assert self.bound_ns <= bounds[key] <= deadlines[0]
