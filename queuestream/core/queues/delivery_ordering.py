"""The order of a standard queue that keeps order as AWS's do: mostly.

Three things change it, each by itself (see `delivery`).  Messages are spread over servers, and a short
poll asks some of them.  Of the messages that may be next, a later one may be taken.  And a message
that comes back takes its old place, until it was received too often.

How it works.  Each server has a line of its messages by their places; a place says when a message
became available, so it does not matter when anybody noticed.  What is next is found in the lines of the
servers that are asked, merged.  A message counts by how many later ones it was overtaken, which bounds
that number; with that of the polls, it is all that an ordering must remember.  The choices themselves
follow (`queuestream.core.chance`).

No message starves: a long poll asks all servers, and of the short polls in as many as there are servers
each one is asked by at least one.
"""

from __future__ import annotations

from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs
from sortedcontainers import SortedDict

from queuestream.core.queues.message import VISIBLE
from queuestream.core.queues.visibility import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.chance import Chance
    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.message import Message
    from queuestream.core.queues.ordering import Kept, Place

# Of messages that became available at the same instant, those whose time came come before those that
# arrived; as in StandardOrdering.
_CAME_DUE, _ARRIVED = 0, 1

# What stands for the polls in the memory; messages have numbers from 1 on.
_POLLS = 0

LinePlace = tuple[int, int, int, int]
"""When a message became available, how, which was sent last by then, and its turn if its place is new."""


@attrs.define(eq=False)
class Waiting:
    """A visible message in its line.

    Attributes:
        turn: How many messages had become available before it, or had done so before and again.
        overtaken: How many later messages were taken while it might have been.
    """

    message: Message
    host: int
    place: LinePlace
    turn: int
    overtaken: int = 0


_place_of = attrgetter("place")
_turn_of = attrgetter("turn")


class DeliveryOrdering:
    """Lines of messages on several servers.

    Args:
        delivery: What changes the order, and how often.
        chance: The queue's.
    """

    kind = "standard"
    settles_in_parts = False

    __slots__ = (
        "_all_hosts",
        "_asked",
        "_back_after",
        "_behind",
        "_chance",
        "_last_number",
        "_lines",
        "_overtaken_max",
        "_passed",
        "_reordering",
        "_sampled",
        "_taken",
        "_told",
        "_turns",
        "_waiting",
        "_was_sampled",
        "polls",
    )

    def __init__(self, delivery: Delivery, chance: Chance) -> None:
        self._chance = chance
        self._all_hosts = list(range(delivery.hosts))
        self._sampled = min(delivery.sampled_hosts, delivery.hosts)
        self._reordering = delivery.reordering
        self._overtaken_max = delivery.overtaken_max if delivery.reordering else 0
        self._back_after = delivery.back_after_receives
        self._lines: list[SortedDict[LinePlace, Waiting]] = [SortedDict() for _ in self._all_hosts]
        self._waiting: dict[int, Waiting] = {}
        # Those that were overtaken.
        self._behind: dict[int, Waiting] = {}
        self._last_number = 0
        self._turns = 0
        # How many short polls have asked some of the servers only.
        self.polls = 0
        # Which servers the next `take` asks.
        self._asked = self._all_hosts
        # What the last `take` did: what it took, what it overtook, and whether it was a short poll's.
        self._taken: list[Waiting] = []
        self._passed: list[Waiting] = []
        self._was_sampled = False
        # What the last `memory` told.
        self._told: dict[int, int] = {}

    # --- what the queue tells ---

    def add(self, message: Message) -> None:
        """A message was sent, or is told anew, that is visible."""
        self._last_number = max(self._last_number, message.number)
        self._wait(message, _ARRIVED)

    def expect(self, message: Message) -> None:
        """A message is hidden: not our business before it is shown."""
        self._last_number = max(self._last_number, message.number)

    def show(self, message: Message, now_ns: int) -> None:
        """A hidden message's time has come."""
        self._wait(message, _CAME_DUE)

    def release(self, message: Message, now_ns: int) -> None:
        """A message in flight is visible again at once."""
        self._wait(message, _ARRIVED)

    def discard(self, message: Message, was_in_flight: bool, now_ns: int) -> None:
        """A message is GONE."""
        waiting = self._waiting.get(message.number)
        if waiting is not None:
            self._leave(waiting)

    def _wait(self, message: Message, how: int) -> None:
        self._turns += 1
        self._enter(Waiting(message, self._host_of(message), self._place_of(message, how), self._turns))

    def _enter(self, waiting: Waiting) -> None:
        self._lines[waiting.host][waiting.place] = self._waiting[waiting.message.number] = waiting
        self._count(waiting)

    def _leave(self, waiting: Waiting) -> None:
        del self._lines[waiting.host][waiting.place]
        del self._waiting[waiting.message.number]
        self._behind.pop(waiting.message.number, None)

    def _count(self, waiting: Waiting) -> None:
        """By how many messages it was overtaken has changed."""
        if waiting.overtaken:
            self._behind[waiting.message.number] = waiting
        else:
            self._behind.pop(waiting.message.number, None)

    def _host_of(self, message: Message) -> int:
        """The server that has the message, for as long as it is in the queue."""
        count = len(self._all_hosts)
        return 0 if count == 1 else self._chance.draw("host", message.number) % count

    def _place_of(self, message: Message, how: int) -> LinePlace:
        if message.receive_count < self._back_after:
            if message.receive_count:
                # Its old place, which is that of its age; behind nobody who was sent later.
                return message.sent_ns, _ARRIVED, message.number, 0
            if how == _ARRIVED:
                return message.visible_at_ns, _ARRIVED, message.number, 0
        if how == _CAME_DUE:
            return message.visible_at_ns, _CAME_DUE, 0, self._turns
        # Behind all that have arrived by now; where places are kept, behind all that arrive at this instant,
        # so that it doesn't matter which of those are in flight.
        after = self._last_number if self._back_after == 1 else NEVER
        return message.visible_at_ns, _ARRIVED, after, self._turns

    # --- what the queue asks ---

    def sample(self) -> bool:
        """Let the next `take` be that of a short poll; whether it asks some of the servers only.

        It asks all of them where nothing is there to be missed.
        """
        if self._sampled == len(self._all_hosts) or not self._waiting:
            return False
        self._asked = self._hosts_of_poll(self.polls)
        self.polls += 1
        return True

    def _hosts_of_poll(self, poll: int) -> list[int]:
        """The servers that a short poll asks.

        In every round of as many polls as there are servers, each server is the first one of a poll.  The
        others are drawn by weights: AWS does not say which; ours fall from server to server.
        """
        chance, count = self._chance, len(self._all_hosts)
        round_number, turn = divmod(poll, count)
        hosts = [chance.shuffled(count, "round", round_number)[turn]]
        others = [host for host in self._all_hosts if host != hosts[0]]
        while len(hosts) < self._sampled:
            drawn = chance.draw("sample", poll, len(hosts)) % sum(count - host for host in others)
            for host in others:
                drawn -= count - host
                if drawn < 0:
                    break
            others.remove(host)
            hosts.append(host)
        return hosts

    def take(self, count: int, max_receive_count: int, now_ns: int) -> list[Message]:
        """The next messages of the servers that are asked: all servers, but for a short poll.

        Cost: that of `overtaken_max` messages, and the logarithm of all for each that is taken.
        """
        ahead = merge(*[self._lines[host].values() for host in self._asked], key=_place_of)
        self._was_sampled, self._asked = self._asked is not self._all_hosts, self._all_hosts
        self._taken, self._passed = taken, passed = [], []
        window: list[Waiting] = []
        while count:
            while len(window) <= self._overtaken_max and (waiting := next(ahead, None)) is not None:
                if waiting.message.receive_count < max_receive_count:
                    window.append(waiting)
                else:
                    taken.append(waiting)
            if not window:
                break
            chosen = self._chosen(window)
            for waiting in window[:chosen]:
                waiting.overtaken += 1
                self._count(waiting)
                passed.append(waiting)
            taken.append(window.pop(chosen))
            count -= 1
        for waiting in taken:
            self._leave(waiting)
        return [waiting.message for waiting in taken]

    def _chosen(self, window: list[Waiting]) -> int:
        """Which of the first messages is taken."""
        first, last = window[0], len(window) - 1
        # Whoever was overtaken often enough is overtaken by nobody; on several servers it may be any of them.
        for place, waiting in enumerate(window):
            if waiting.overtaken >= self._overtaken_max:
                last = place
                break
        about = first.message.number, first.message.receive_count, first.overtaken
        if last == 0 or not self._chance.strikes(self._reordering, "reorder", *about):
            return 0
        return 1 + self._chance.draw("later", *about) % last

    def as_available(self) -> list[Message]:
        """All messages, in the order in which they became available, whatever may be made of it."""
        return [waiting.message for waiting in sorted(self._waiting.values(), key=_turn_of)]

    def put_back(self, messages: list[Message], max_receive_count: int) -> None:
        """Undo the last `take`."""
        for waiting in self._taken:
            self._enter(waiting)
        for waiting in self._passed:
            waiting.overtaken -= 1
            self._count(waiting)
        self.polls -= self._was_sampled

    # --- what somebody else remembers ---

    def memory(self) -> dict[int, Place | None]:
        """How many polls there were, and how often each message was overtaken, as far as that is new.

        Cost: linear in the messages that were overtaken.
        """
        overtaken = {number: waiting.overtaken for number, waiting in self._behind.items()}
        places: dict[int, Place | None] = {_POLLS: (None, {"polls": self.polls})}
        for number, count in overtaken.items():
            if self._told.get(number) != count:
                places[number] = None, {"overtaken": count}
        places.update(dict.fromkeys(number for number in self._told if number not in overtaken))
        self._told = overtaken
        return places

    def remember(self, kept: Kept, memory: Mapping[int, Place]) -> None:
        """Begin with messages that were kept; their broker may have had another delivery."""
        for message in kept.came_due:
            self._wait(message, _CAME_DUE)
        for message in kept.arrived:
            if not message.receive_count:
                self._last_number = max(self._last_number, message.number)
            self._wait(message, _ARRIVED)
        self._last_number = max((message.number for message in kept.messages), default=0)
        for number, (_, about) in memory.items():
            if number == _POLLS:
                self.polls = about.get("polls", 0)
                continue
            self._told[number] = about.get("overtaken", 0)
            waiting = self._waiting.get(number)
            if waiting is not None:
                waiting.overtaken = min(self._told[number], self._overtaken_max)
                self._count(waiting)

    def check_invariants(self) -> None:
        """Assert what the ordering relies on; cost grows with the queue."""
        in_lines = [waiting for line in self._lines for waiting in line.values()]
        assert {waiting.message.number: waiting for waiting in in_lines} == self._waiting
        assert len(in_lines) == len(self._waiting)
        for host, line in enumerate(self._lines):
            for place, waiting in line.items():
                message = waiting.message
                assert (host, place) == (waiting.host, waiting.place)
                assert host == self._host_of(message)
                assert message.state == VISIBLE
                assert message.lane is None
                assert 0 <= waiting.overtaken <= self._overtaken_max
        behind = {waiting.message.number: waiting for waiting in in_lines if waiting.overtaken}
        assert behind == self._behind
        assert self._asked is self._all_hosts
