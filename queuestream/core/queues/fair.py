"""The order of a fair queue: a tenant that takes more than its share waits for the others.

A standard queue whose messages name tenants (by their message group id) is fair.  Its
messages come in the order in which they became available, as on any standard queue,
except that those of noisy tenants come only when no quiet tenant's message is there.
Nothing is dropped or held back: a consumer that asks gets what there is.

What AWS says ("How Amazon SQS fair queues work"):

- A tenant becomes noisy when it has more than 10 % of the messages in flight and at least
  30 of its own, or when it has used more than 10 % of the recent processing time of all
  consumers.
- Of several noisy tenants, the one with the fewest messages in flight comes first.
- A noisy tenant is quiet again when its backlog is gone, or when it has sent nothing for
  five minutes.
- A message without a group is a tenant by itself.

What AWS leaves open, and what we made of it:

- A tenant is judged when its next message would be handed out, and at no other time.
- Processing time is the time in flight; "recent" are the current period of 150 seconds of
  the clock and the one before it.
- A share of time alone would make every tenant of a small or young queue noisy.  So a
  tenant must also have used half a minute, and more than twice what the other tenants
  that the queue knows have used on average.  (A tenant is known while it has messages
  waiting or in flight, has used time recently, or has sent something in five minutes.)
- A tenant that has sent nothing for five minutes is not noisy, whatever its share.
- Messages without a group are never noisy: a single message has no share to speak of.

All of it follows from the calls and their instants, not from when anybody looked.  Each
operation costs the logarithm of the number of tenants and of one tenant's messages.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from sortedcontainers import SortedList

from queuestream.core.clock import SECOND
from queuestream.core.queues.message import GONE, IN_FLIGHT, VISIBLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.queues.limits import QueueLimits
    from queuestream.core.queues.message import Message
    from queuestream.core.queues.ordering import Kept, Place

PERIOD_NS = 150 * SECOND
_NOISY_TIME_MIN_NS = 30 * SECOND
_NOISY_TIMES_OTHERS = 2

# Of messages that became available at the same instant, those whose time came come before
# those that arrived; as in StandardOrdering.
_CAME_DUE, _ARRIVED = 0, 1

# What stands for all tenants together in the memory; they themselves have numbers from 1 on.
_ALL = 0


class ProcessingTime:
    """The time that messages of one tenant, or of all, have recently been in flight, summed over messages.

    Attributes:
        in_flight: How many are now.
    """

    __slots__ = ("_current_ns", "_previous_ns", "_until_ns", "in_flight")

    def __init__(self) -> None:
        self.in_flight = 0
        # Counted up to `_until_ns`: in the period of that instant, and in the one before.
        self._until_ns = 0
        self._current_ns = 0
        self._previous_ns = 0

    def start(self, at_ns: int) -> None:
        """One message more is in flight, since an instant that may have passed."""
        self._count_until(at_ns)
        self._correct(at_ns, 1)
        self.in_flight += 1

    def stop(self, at_ns: int) -> None:
        """One message fewer is in flight, since an instant that may have passed unnoticed."""
        self._count_until(at_ns)
        self._correct(at_ns, -1)
        self.in_flight -= 1

    def recent_ns(self, now_ns: int) -> int:
        """How much it was in the current period and the one before it."""
        self._count_until(now_ns)
        return self._previous_ns + self._current_ns

    def lapses_ns(self) -> int:
        """When nothing of it is recent any more, if nothing is in flight from now on."""
        start_ns = self._until_ns - self._until_ns % PERIOD_NS
        if self._current_ns:
            return start_ns + 2 * PERIOD_NS
        return start_ns + PERIOD_NS if self._previous_ns else 0

    def memory(self) -> dict[str, int]:
        """What cannot be told from how many are in flight now."""
        return {
            "counted_until_ns": self._until_ns,
            "current_period_ns": self._current_ns,
            "previous_period_ns": self._previous_ns,
        }

    def remember(self, memory: Mapping[str, int]) -> None:
        """Go on from what `memory` told; as many are in flight as were then, and are to be counted again."""
        self._until_ns = memory["counted_until_ns"]
        self._current_ns = memory["current_period_ns"]
        self._previous_ns = memory["previous_period_ns"]

    def _correct(self, at_ns: int, messages: int) -> None:
        """Count so many messages more for the time from an instant to the one that was counted up to."""
        if at_ns < self._until_ns:
            start_ns = self._until_ns - self._until_ns % PERIOD_NS
            self._current_ns += messages * (self._until_ns - max(at_ns, start_ns))
            self._previous_ns += messages * max(0, start_ns - max(at_ns, start_ns - PERIOD_NS))

    def _count_until(self, now_ns: int) -> None:
        until_ns = self._until_ns
        if now_ns <= until_ns:
            return
        start_ns = now_ns - now_ns % PERIOD_NS
        if until_ns < start_ns:
            if until_ns >= start_ns - PERIOD_NS:
                self._previous_ns = self._current_ns + self.in_flight * (start_ns - until_ns)
            else:
                self._previous_ns = self.in_flight * PERIOD_NS
            self._current_ns = 0
            until_ns = start_ns
        self._current_ns += self.in_flight * (now_ns - until_ns)
        self._until_ns = now_ns


class Tenant:
    """The messages of one message group that are visible, and how much of the consumers it uses."""

    __slots__ = (
        "id",
        "is_listed",
        "is_noisy",
        "is_told",
        "last_sent_ns",
        "number",
        "place",
        "time",
        "waiting",
    )

    def __init__(self, tenant_id: str | None, number: int) -> None:
        self.id = tenant_id
        self.number = number
        # A heap of (became available at, how, in which order, message); its first one is never GONE.
        self.waiting: list[tuple[int, int, int, Message]] = []
        self.time = ProcessingTime()
        self.last_sent_ns = 0
        self.is_noisy = False
        # What stands for it in the index of noisy or of quiet tenants.
        self.place: tuple[int, ...] | None = None
        self.is_listed = False
        # Whether whoever keeps the memory knows it as it is.
        self.is_told = False

    def __repr__(self) -> str:
        kind = "noisy" if self.is_noisy else "quiet"
        return f"<Tenant {self.id!r}: {kind}, {len(self.waiting)} waiting, {self.time.in_flight} in flight>"

    @property
    def is_unused(self) -> bool:
        """Whether it has nothing waiting and nothing in flight."""
        return not self.waiting and not self.time.in_flight


class FairOrdering:
    """The order in which messages became available, quiet tenants first.

    Args:
        limits: When a tenant counts as noisy, and when no longer.
    """

    kind = "fair"
    settles_in_parts = False

    __slots__ = (
        "_forgotten",
        "_limits",
        "_noisy",
        "_quiet",
        "_sequence",
        "_silence_ns",
        "_silent",
        "_taken",
        "_taken_ns",
        "_tenant_number",
        "_tenants",
        "_time",
        "_turned",
        "_untold",
        "_unused",
    )

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self._silence_ns = limits.fair_calm_seconds * SECOND
        self._tenants: dict[str | None, Tenant] = {}
        self._tenant_number = 0
        self._time = ProcessingTime()
        # The tenants with messages waiting: (*first message, tenant), where an entry that is no
        # longer the tenant's place is passed over; and (in flight, *first message, tenant).
        self._quiet: list[tuple[int, int, int, Tenant]] = []
        self._noisy: SortedList[tuple[int, int, int, int, Tenant]] = SortedList()
        # When to look at noisy tenants again, and at unused ones.
        self._silent: list[tuple[int, int, Tenant]] = []
        self._unused: list[tuple[int, int, Tenant]] = []
        self._sequence = 0
        # What the last `take` did: when, what it took from `waiting`, and whom it found noisy or quiet.
        self._taken_ns = 0
        self._taken: list[tuple[int, int, int, Message]] = []
        self._turned: list[tuple[Tenant, bool]] = []
        # What the next `memory` tells; None before somebody has asked for the first one.
        self._untold: list[Tenant] | None = None
        self._forgotten: list[int] = []

    # --- what the queue tells ---

    def add(self, message: Message) -> None:
        """A message was sent, or is told anew, that is visible."""
        self._hear_from(message)
        self._wait(message, _ARRIVED)

    def expect(self, message: Message) -> None:
        """A message was sent that is delayed, or is told anew that is hidden."""
        self._hear_from(message)
        tenant = self._tenant_of(message)
        if message.state == IN_FLIGHT:
            self._start(tenant, message, message.received_ns)
        self._find_place(tenant)

    def show(self, message: Message, now_ns: int) -> None:
        """A hidden message's time has come: its delay has ended, or a receive came to nothing."""
        self._stop(message, message.visible_at_ns)
        self._wait(message, _CAME_DUE)

    def release(self, message: Message, now_ns: int) -> None:
        """A message in flight is visible again at once."""
        self._stop(message, now_ns)
        self._wait(message, _ARRIVED)

    def discard(self, message: Message, was_in_flight: bool, now_ns: int) -> None:
        """A message is GONE."""
        self._stop(message, min(now_ns, message.visible_at_ns) if was_in_flight else now_ns)
        tenant = self._tenants.get(message.group_id)
        if tenant is not None:
            self._pass_over_gone(tenant)

    # --- what the queue asks ---

    def take(self, count: int, max_receive_count: int, now_ns: int) -> list[Message]:
        """The next messages, each of the tenant whose turn it is."""
        self._taken_ns = now_ns
        self._taken = []
        self._turned = []
        while count and (tenant := self._next_tenant(now_ns)) is not None:
            first = heappop(tenant.waiting)
            self._taken.append(first)
            message = first[3]
            if message.receive_count < max_receive_count:
                self._start(tenant, message, now_ns)
                count -= 1
            self._pass_over_gone(tenant)
        return [first[3] for first in self._taken]

    def put_back(self, messages: list[Message], max_receive_count: int) -> None:
        """Undo the last `take`."""
        for first in self._taken:
            message = first[3]
            self._stop(message, self._taken_ns)
            tenant = self._tenant_of(message)
            heappush(tenant.waiting, first)
            self._find_place(tenant)
        for tenant, was_noisy in reversed(self._turned.copy()):
            # One that this `take` has forgotten was due to be forgotten, whatever it was before.
            if self._tenants.get(tenant.id) is tenant:
                self._turn(tenant, is_noisy=was_noisy)

    def _next_tenant(self, now_ns: int) -> Tenant | None:
        """The tenant whose turn it is, which has a message; None where no message waits."""
        self._look_again(now_ns)
        while self._quiet:
            *place, tenant = heappop(self._quiet)
            if tenant.is_noisy or tenant.place != tuple(place):
                continue
            tenant.place = None
            if not self._takes_too_much(tenant, now_ns):
                return tenant
            self._turn(tenant, is_noisy=True)
        return self._noisy[0][4] if self._noisy else None

    def _takes_too_much(self, tenant: Tenant, now_ns: int) -> bool:
        """Whether a tenant is noisy by its share of the consumers."""
        limits = self._limits
        if tenant.id is None or now_ns >= tenant.last_sent_ns + self._silence_ns:
            return False
        if (
            tenant.time.in_flight >= limits.fair_noisy_in_flight_min
            and tenant.time.in_flight > limits.fair_noisy_share * self._time.in_flight
        ):
            return True
        time_ns = tenant.time.recent_ns(now_ns)
        if time_ns < _NOISY_TIME_MIN_NS:
            return False
        all_ns = self._time.recent_ns(now_ns)
        others = len(self._tenants) - 1
        return time_ns > limits.fair_noisy_share * all_ns and time_ns * others > _NOISY_TIMES_OTHERS * (
            all_ns - time_ns
        )

    # --- tenants ---

    def _tenant_of(self, message: Message) -> Tenant:
        tenant = self._tenants.get(message.group_id)
        if tenant is None:
            self._tenant_number += 1
            tenant = self._tenants[message.group_id] = Tenant(message.group_id, self._tenant_number)
            tenant.is_told = self._untold is not None
            self._has_changed(tenant)
        if message.sent_ns > tenant.last_sent_ns:
            tenant.last_sent_ns = message.sent_ns
            self._has_changed(tenant)
        return tenant

    def _has_changed(self, tenant: Tenant) -> None:
        """The memory of a tenant is not what was told of it."""
        if tenant.is_told and self._untold is not None:
            tenant.is_told = False
            self._untold.append(tenant)

    def _hear_from(self, message: Message) -> None:
        """A tenant that sends something after five minutes of silence has been quiet in between."""
        tenant = self._tenants.get(message.group_id)
        if tenant is not None and message.sent_ns >= tenant.last_sent_ns + self._silence_ns:
            self._turn(tenant, is_noisy=False)

    def _wait(self, message: Message, how: int) -> None:
        """A message is visible."""
        tenant = self._tenant_of(message)
        self._sequence += 1
        heappush(tenant.waiting, (message.visible_at_ns, how, self._sequence, message))
        self._find_place(tenant)

    def _start(self, tenant: Tenant, message: Message, at_ns: int) -> None:
        """A message is in flight."""
        message.group = tenant
        tenant.time.start(at_ns)
        self._time.start(at_ns)
        self._has_changed(tenant)

    def _stop(self, message: Message, at_ns: int) -> None:
        """A message is not in flight any more, if it was."""
        tenant = message.group
        if isinstance(tenant, Tenant):
            message.group = None
            tenant.time.stop(at_ns)
            self._time.stop(at_ns)
            self._has_changed(tenant)
            self._find_place(tenant)

    def _pass_over_gone(self, tenant: Tenant) -> None:
        """Keep a message at the front that is not GONE; without any, the tenant is quiet."""
        while tenant.waiting and tenant.waiting[0][3].state == GONE:
            heappop(tenant.waiting)
        if not tenant.waiting:
            self._turn(tenant, is_noisy=False)
        self._find_place(tenant)

    def _turn(self, tenant: Tenant, *, is_noisy: bool) -> None:
        """A tenant becomes noisy or quiet, if it is not yet."""
        if tenant.is_noisy == is_noisy:
            return
        self._turned.append((tenant, tenant.is_noisy))
        self._leave_place(tenant)
        tenant.is_noisy = is_noisy
        self._has_changed(tenant)
        self._find_place(tenant)
        if is_noisy:
            heappush(self._silent, (tenant.last_sent_ns + self._silence_ns, tenant.number, tenant))

    def _find_place(self, tenant: Tenant) -> None:
        """Bring the indexes up to date with a tenant's first message and its messages in flight."""
        if tenant.waiting:
            first = tenant.waiting[0][:3]
            place = (tenant.time.in_flight, *first) if tenant.is_noisy else first
            if place != tenant.place:
                self._leave_place(tenant)
                tenant.place = place
                if tenant.is_noisy:
                    self._noisy.add((tenant.time.in_flight, *first, tenant))
                else:
                    heappush(self._quiet, (*first, tenant))
        else:
            self._leave_place(tenant)
            if not tenant.is_listed and tenant.is_unused:
                tenant.is_listed = True
                heappush(self._unused, (self._forget_ns(tenant), tenant.number, tenant))

    def _forget_ns(self, tenant: Tenant) -> int:
        """From when on an unused tenant might as well not have been there."""
        return max(tenant.time.lapses_ns(), tenant.last_sent_ns + self._silence_ns)

    def _leave_place(self, tenant: Tenant) -> None:
        if tenant.is_noisy and tenant.place is not None:
            self._noisy.remove((*tenant.place, tenant))
        tenant.place = None

    def _look_again(self, now_ns: int) -> None:
        """See to the noisy tenants that have fallen silent, and forget those of which nothing is left."""
        while self._silent and self._silent[0][0] <= now_ns:
            _, number, tenant = heappop(self._silent)
            if tenant.is_noisy:
                silent_ns = tenant.last_sent_ns + self._silence_ns
                if silent_ns <= now_ns:
                    self._turn(tenant, is_noisy=False)
                else:
                    heappush(self._silent, (silent_ns, number, tenant))
        while self._unused and self._unused[0][0] <= now_ns:
            _, number, tenant = heappop(self._unused)
            tenant.is_listed = False
            if tenant.is_unused:
                forget_ns = self._forget_ns(tenant)
                if forget_ns <= now_ns:
                    del self._tenants[tenant.id]
                    if self._untold is not None:
                        self._forgotten.append(number)
                else:
                    tenant.is_listed = True
                    heappush(self._unused, (forget_ns, number, tenant))

    # --- what somebody else remembers ---

    def memory(self) -> dict[int, Place | None]:
        """The tenants that are new, changed or forgotten since this was last asked for."""
        places: dict[int, Place | None] = {_ALL: (None, self._time.memory())}
        for tenant in self._tenants.values() if self._untold is None else self._untold:
            if self._tenants.get(tenant.id) is tenant:
                about = {"is_noisy": int(tenant.is_noisy), "last_sent_ns": tenant.last_sent_ns}
                places[tenant.number] = tenant.id, about | tenant.time.memory()
            tenant.is_told = True
        places.update(dict.fromkeys(self._forgotten))
        self._untold = []
        self._forgotten = []
        return places

    def remember(self, kept: Kept, memory: Mapping[int, Place]) -> None:
        """Begin with the tenants that are remembered, and their messages."""
        for number, (tenant_id, about) in memory.items():
            if number == _ALL:
                self._time.remember(about)
                continue
            tenant = self._tenants[tenant_id] = Tenant(tenant_id, number)
            tenant.time.remember(about)
            tenant.last_sent_ns = about["last_sent_ns"]
            tenant.is_noisy = bool(about["is_noisy"])
        self._tenant_number = max(memory, default=0)
        for message in kept.messages:
            if message.state == IN_FLIGHT:
                tenant = self._tenant_of(message)
                message.group = tenant
                tenant.time.in_flight += 1
                self._time.in_flight += 1
        for messages, how in ((kept.came_due, _CAME_DUE), (kept.arrived, _ARRIVED)):
            for message in messages:
                self._sequence += 1
                waiting = self._tenant_of(message).waiting
                heappush(waiting, (message.visible_at_ns, how, self._sequence, message))
        for tenant in self._tenants.values():
            self._find_place(tenant)
            tenant.is_told = True
            if tenant.is_noisy:
                heappush(self._silent, (tenant.last_sent_ns + self._silence_ns, tenant.number, tenant))
        self._untold = []

    def check_invariants(self) -> None:
        """Assert what the ordering relies on; cost grows with the queue."""
        in_flight = 0
        noisy = []
        offered = {(entry[:3], entry[3]) for entry in self._quiet}
        for tenant_id, tenant in self._tenants.items():
            assert tenant.id == tenant_id
            assert tenant.is_listed or not tenant.is_unused
            in_flight += tenant.time.in_flight
            if not tenant.waiting:
                assert not tenant.is_noisy
                assert tenant.place is None
                continue
            first = min(tenant.waiting)
            assert tenant.waiting[0] is first
            assert first[3].state == VISIBLE
            assert all(
                entry[3].state in {VISIBLE, GONE} and entry[3].group is None for entry in tenant.waiting
            )
            if tenant.is_noisy:
                noisy.append((tenant.time.in_flight, *first[:3], tenant))
            else:
                assert tenant.place == first[:3]
                assert (first[:3], tenant) in offered
        assert self._time.in_flight == in_flight
        assert list(self._noisy) == sorted(noisy)
