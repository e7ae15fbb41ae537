"""The order of a FIFO queue: strict within a message group, groups in turns.

A message in flight locks all that come after it in its group.  One that comes back takes
its old place in its group, and can be received again unless an earlier one is still in
flight, as SQS has been seen to do it.  Groups that have something to give stand in line
in the order in which they became ready, so a receive costs the same however many
groups there are, and no group starves another.  A receive takes as many messages of
one group as it can before it goes to the next.

AWS: "FIFO queue delivery logic"; "Avoid having a large backlog with the same message
group ID" (a FIFO queue looks at its first 120,000 messages only, to find groups).
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from operator import attrgetter
from typing import TYPE_CHECKING

from queuestream.core.queues.message import DELAYED, GONE, IN_FLIGHT, VISIBLE, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.queues.ordering import Kept, Place

_number = attrgetter("number")
_NOTHING_ELSE: dict[str, int] = {}


class Group:
    """The messages of one message group that are not delayed."""

    __slots__ = ("id", "in_flight", "place", "returned", "waiting")

    def __init__(self, group_id: str | None) -> None:
        self.id = group_id
        self.place = 0  # in the line, where it last stood there
        self.waiting: deque[Message] = deque()  # visible, in order; locked while any is in flight
        self.returned: list[Message] = []  # visible again, in order, while others are still in flight
        self.in_flight: list[Message] = []  # in order; few, as they lock the rest

    def is_open(self) -> bool:
        """Whether it has a message to give."""
        if self.in_flight:
            return bool(self.returned) and self.returned[0].number < self.in_flight[0].number
        return bool(self.waiting)


class FifoOrdering:
    """Strict order within a group.

    Args:
        look_ahead: How many of the first messages are looked at to find groups.
    """

    kind = "fifo"
    settles_in_parts = False

    __slots__ = (
        "_beyond",
        "_groups",
        "_horizon",
        "_last_place",
        "_left",
        "_line",
        "_look_ahead",
        "_told_place",
        "_within",
    )

    def __init__(self, look_ahead: int) -> None:
        self._look_ahead = look_ahead
        self._groups: dict[str | None, Group] = {}
        # Not a deque: a group whose messages expire unread leaves the line from the middle.
        self._line: OrderedDict[Group, None] = OrderedDict()
        # Places grow along the line.  Those up to `_told_place` were told to whoever keeps them, who is to
        # hear which of them were left.
        self._last_place = 0
        self._told_place = 0
        self._left: dict[int, None] = {}
        # The messages up to the number `_horizon` are looked at, and there are `_within` of them left.
        self._horizon = 0
        self._within = 0
        self._beyond: deque[Message] = deque()

    def add(self, message: Message) -> None:
        """A message was sent, or is told anew; it is visible, delayed or in flight."""
        self._beyond.append(message)
        if self._within < self._look_ahead:
            self._look_further()

    expect = add

    def show(self, message: Message, now_ns: int) -> None:
        """A hidden message's time has come: its delay has ended, or a receive came to nothing."""
        group = message.group
        if isinstance(group, Group):
            insort(group.returned, message, key=_number)
            self._came_back(group, message)
        elif message.number <= self._horizon:
            self._stand_in_line(message)

    release = show

    def take(self, count: int, max_receive_count: int, now_ns: int) -> list[Message]:
        """The next messages, as many as possible of one group after the other."""
        taken: list[Message] = []
        line = self._line
        while line and count:
            group = line.popitem(last=False)[0]
            if group.place <= self._told_place:
                self._left[group.place] = None
            in_flight = group.in_flight
            if in_flight:
                count -= self._take_returned(group, count, max_receive_count, taken)
                continue
            waiting = group.waiting
            while waiting and count:
                message = waiting.popleft()
                taken.append(message)
                if message.receive_count < max_receive_count:
                    in_flight.append(message)
                    count -= 1
        return taken

    @staticmethod
    def _take_returned(group: Group, count: int, max_receive_count: int, taken: list[Message]) -> int:
        """Take what came back before the first message in flight: how many are in flight from now on."""
        first_number = group.in_flight[0].number
        returned = group.returned
        again: list[Message] = []
        while returned and returned[0].number < first_number and len(again) < count:
            message = returned.pop(0)
            taken.append(message)
            if message.receive_count < max_receive_count:
                again.append(message)
        group.in_flight[:0] = again
        return len(again)

    def put_back(self, messages: list[Message], max_receive_count: int) -> None:
        """Undo the last `take`."""
        for message in messages:
            if message.receive_count < max_receive_count:
                assert isinstance(message.group, Group)
                message.group.in_flight.remove(message)
        for message in reversed(messages):
            group = message.group
            assert isinstance(group, Group)
            if group.in_flight:
                group.returned.insert(0, message)
            else:
                group.waiting.appendleft(message)
            self._line[group] = None
            self._line.move_to_end(group, last=False)
            self._left.pop(group.place, None)

    def discard(self, message: Message, was_in_flight: bool, now_ns: int) -> None:
        """A message is GONE; the group it was in flight for may be open again."""
        group = message.group
        if isinstance(group, Group):
            if was_in_flight:
                self._came_back(group, message)
            else:
                self._pass_over_gone(group)
        # What goes was looked at: messages expire in their order.
        self._within -= 1
        self._look_further()

    def _look_further(self) -> None:
        while self._beyond and self._within < self._look_ahead:
            message = self._beyond.popleft()
            self._horizon = message.number
            self._within += 1
            if message.state == VISIBLE:
                self._stand_in_line(message)
            elif message.state == IN_FLIGHT:
                group = self._group_of(message)
                # Those that came before it have come back already.
                group.returned.extend(group.waiting)
                group.waiting.clear()
                group.in_flight.append(message)

    def _group_of(self, message: Message) -> Group:
        group = self._groups.get(message.group_id)
        if group is None:
            group = self._groups[message.group_id] = Group(message.group_id)
        message.group = group
        return group

    def _stand_in_line(self, message: Message) -> None:
        group = self._group_of(message)
        group.waiting.append(message)
        if not group.in_flight:
            self._enter(group)

    def _enter(self, group: Group) -> None:
        """A group stands in the line, at its end where it does not yet."""
        if group not in self._line:
            self._last_place = group.place = self._last_place + 1
            self._line[group] = None

    def _came_back(self, group: Group, message: Message) -> None:
        """A message of the group is in flight no more."""
        group.in_flight.remove(message)
        if group.in_flight:
            if group.is_open():
                self._enter(group)
            return
        group.waiting.extendleft(reversed(group.returned))
        group.returned = []
        self._pass_over_gone(group)
        if group.waiting:
            self._enter(group)

    def _pass_over_gone(self, group: Group) -> None:
        waiting, returned = group.waiting, group.returned
        while waiting and waiting[0].state == GONE:
            waiting.popleft()
        while returned and returned[0].state == GONE:
            returned.pop(0)
        if not group.is_open():
            if group in self._line:
                del self._line[group]
                if group.place <= self._told_place:
                    self._left[group.place] = None
            if not waiting and not group.in_flight and self._groups.get(group.id) is group:
                del self._groups[group.id]

    def memory(self) -> dict[int, Place | None]:
        """The line: the places that were taken and left since it was last asked for."""
        places: dict[int, Place | None] = dict.fromkeys(self._left)
        for group in reversed(self._line):
            if group.place <= self._told_place:
                break
            places[group.place] = group.id, _NOTHING_ELSE
        self._told_place = self._last_place
        self._left = {}
        return places

    def remember(self, kept: Kept, memory: Mapping[int, Place]) -> None:
        """Begin with messages that were kept; they tell themselves which groups have something to give."""
        for message in kept.messages:
            self.add(message)
        strangers, self._line = self._line, OrderedDict()
        for place, (group_id, _) in sorted(memory.items()):
            group = self._groups.get(group_id)
            if group is not None and group in strangers:
                del strangers[group]
                group.place = place
                self._line[group] = None
        self._told_place = self._last_place = max(memory, default=0)
        # Whom nobody has seen in line, because less was looked at then, comes after those.
        for group in strangers:
            self._enter(group)

    def check_invariants(self) -> None:
        """Assert what the ordering relies on; cost grows with the queue."""
        assert all(message.state != GONE for message in self._beyond)
        for group in self._groups.values():
            assert all(message.state == VISIBLE for message in group.waiting)
            for messages in (list(group.waiting), group.returned):
                assert messages == sorted(messages, key=_number)
                assert all(
                    message.state in {VISIBLE, GONE} and message.group is group for message in messages
                )
            assert not group.returned or group.in_flight
            assert (group in self._line) == group.is_open()
            assert group.waiting or group.in_flight
            assert group.in_flight == sorted(group.in_flight, key=_number)
            assert all(message.state == IN_FLIGHT for message in group.in_flight)
        assert all(self._groups.get(group.id) is group for group in self._line)
        places = [group.place for group in self._line]
        assert places == sorted(places)
        assert not self._line or places[-1] <= self._last_place
        assert not self._beyond or self._within == self._look_ahead
        assert all(message.number > self._horizon for message in self._beyond)
        assert all(message.state != DELAYED or message.group is None for message in self._beyond)
