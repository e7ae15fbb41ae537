"""What pictures are drawn from: each delivery of a history, with its places and times.

A *flow* is one way from producers to those who share the reading: a queue, or a stream together with
one application that reads it.  Its messages are numbered in the order in which they were sent, as for
the metrics: in that in which sends were acknowledged; of several sends of a message the first
acknowledged one counts, and one without an answer from its beginning.  Deliveries are numbered in the order
in which they were received.  A first delivery is *late* where a message that was sent later came before
it (RFC 4737, section 3.3: reordered); any other delivery of the same message is a *repeat*.

Verdicts and figures are the checkers' and metrics' business.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

import attrs

from queuestream.lab.actors.load import lane_of
from queuestream.lab.history import DELETE, GET, PUT, RECEIVE, SEND, WORK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.lab.history import Event, History


Kind = Literal["standard", "fifo", "stream"]
KINDS: tuple[Kind, ...] = ("standard", "fifo", "stream")

_Work = tuple[str, str, str]
"""What is done with: of a queue the receipt, of a stream the actor and the message."""


@attrs.define
class Delivery:
    """One message, received once.  Read it, don't change it.

    Attributes:
        key: Its message group or partition key; where it has neither, what its name says (`customer-1 17` is
            of `customer-1`); empty where nothing does.
        sent: Its place among the messages of the flow, from 0.
        received: How many messages of the flow had been received before it, repeats not counted.
        begun_ns: When the receiver began to work on it, where the history tells.
        done_ns: When it was done with it (deleted, or worked on); None where the history does not tell.
        is_repeat: The flow had received this message before.
        is_late: A first delivery after that of a message that was sent later.
        is_late_in_key: The same among the messages of its key.
        is_finished_late: The receiver was done with it after somebody was done with a later one of its key.
    """

    message: str
    key: str
    shard: str
    actor: str
    sent: int
    received: int
    sent_ns: int
    received_ns: int
    begun_ns: int | None
    done_ns: int | None
    is_repeat: bool
    is_late: bool
    is_late_in_key: bool
    is_finished_late: bool = False


@attrs.define(eq=False)
class Flow:
    """One way from producers to those who share the reading.

    Attributes:
        name: The queue's or stream's, with the application's where several read.
        key_noun: What its keys are: message groups, partition keys, or just keys.
        kind: What kind of queue it is, or a stream.
        sent_ns: When each message was sent, by its place.
        deliveries: In the order in which they were received.
    """

    name: str
    key_noun: str
    kind: Kind
    sent_ns: list[int]
    deliveries: list[Delivery]

    @property
    def firsts(self) -> list[Delivery]:
        """The first delivery of each message."""
        return [delivery for delivery in self.deliveries if not delivery.is_repeat]

    @property
    def keys(self) -> list[str]:
        """Each key with a delivery, in the order of their names."""
        return sorted({delivery.key for delivery in self.deliveries})

    @property
    def largest_keys(self) -> list[str]:
        """The same, those with the most deliveries first."""
        size = Counter(delivery.key for delivery in self.deliveries)
        return sorted(size, key=lambda key: (-size[key], key))

    @property
    def begin_ns(self) -> int:
        """When the first message was sent, or received."""
        return min(
            [*self.sent_ns[:1], *(delivery.received_ns for delivery in self.deliveries[:1])], default=0
        )

    @property
    def lost(self) -> list[int]:
        """The places of those messages that were never received."""
        seen = {delivery.sent for delivery in self.deliveries}
        return [place for place in range(len(self.sent_ns)) if place not in seen]


def flows_of(history: History | Iterable[Event]) -> list[Flow]:
    """The flows of a history, those of standard queues first, then FIFO queues, then streams, by their names.

    Those without a delivery are left out.
    """
    sends: dict[str, list[Event]] = {}
    reads: dict[tuple[str, str], list[Event]] = {}
    done: dict[_Work, tuple[int | None, int]] = {}
    for event in history:
        if event.message is None:
            continue
        if event.operation in {SEND, PUT}:
            if event.outcome != "failed":
                sends.setdefault(event.resource, []).append(event)
        elif event.operation == RECEIVE:
            reads.setdefault((event.resource, ""), []).append(event)
        elif event.operation == GET:
            reads.setdefault((event.resource, event.application or event.actor), []).append(event)
        elif event.operation == DELETE and event.outcome != "failed" and event.receipt is not None:
            done.setdefault((event.resource, "", event.receipt), (None, event.started_ns))
        elif event.operation == WORK and event.ended_ns is not None:
            done[event.resource, event.actor, event.message] = event.started_ns, event.ended_ns
    readers: dict[str, int] = {}
    for resource, _ in reads:
        readers[resource] = readers.get(resource, 0) + 1
    flows = [
        _flow(
            f"{resource}, read by {reader}" if readers[resource] > 1 else resource,
            sends.get(resource, []),
            received,
            done,
        )
        for (resource, reader), received in sorted(reads.items())
    ]
    return sorted((flow for flow in flows if flow.deliveries), key=lambda flow: KINDS.index(flow.kind))


def _flow(
    name: str, sends: list[Event], reads: list[Event], done: dict[_Work, tuple[int | None, int]]
) -> Flow:
    acknowledged: dict[str, Event] = {}
    for event in sends:
        known = acknowledged.get(event.message or "")
        if event.message is not None and (known is None or (known.outcome != "ok" and event.outcome == "ok")):
            acknowledged[event.message] = event
    ordered = sorted(acknowledged.items(), key=lambda named: _sent_ns(named[1]))
    first_sends = {message: (place, event) for place, (message, event) in enumerate(ordered)}
    flow = Flow(
        name=name,
        key_noun=_key_noun(sends),
        kind=_kind(reads[0]),
        sent_ns=[_sent_ns(event) for _, event in ordered],
        deliveries=[],
    )
    seen: set[str] = set()
    furthest = -1
    furthest_of_key: dict[str, int] = {}
    for event in reads:
        found = first_sends.get(event.message or "")
        if event.message is None or found is None:
            continue  # what nobody sent has no place; the verdict says so
        sent, send = found
        key = send.group or send.partition_key or event.group or event.partition_key or lane_of(event.message)
        is_repeat = event.message in seen
        received_ns = event.started_ns if event.ended_ns is None else event.ended_ns
        begun_ns, done_ns = done.get(
            (event.resource, "", event.receipt)
            if event.receipt is not None
            else (event.resource, event.actor, event.message),
            (None, None),
        )
        flow.deliveries.append(
            Delivery(
                message=event.message,
                key=key,
                shard=event.shard or "",
                actor=event.actor,
                sent=sent,
                received=len(seen),
                sent_ns=_sent_ns(send),
                received_ns=received_ns,
                begun_ns=begun_ns,
                done_ns=done_ns,
                is_repeat=is_repeat,
                is_late=not is_repeat and sent < furthest,
                is_late_in_key=not is_repeat and sent < furthest_of_key.get(key, -1),
            )
        )
        seen.add(event.message)
        furthest = max(furthest, sent)
        furthest_of_key[key] = max(furthest_of_key.get(key, -1), sent)
    _note_finished_late(flow.deliveries)
    return flow


class Work(NamedTuple):
    """From when to when a consumer worked on what it had received."""

    delivery: Delivery
    begin_ns: int
    end_ns: int


def work_of(deliveries: Iterable[Delivery]) -> list[Work]:
    """The work on each delivery of which the history tells an end, and that took time.

    Where it tells no beginning, work begins with the receive, or with the same consumer's delete before it:
    it works on one message after the other.
    """
    free_ns: dict[str, int] = {}
    work = []
    for one in deliveries:
        begin_ns = one.begun_ns or max(one.received_ns, free_ns.get(one.actor, 0))
        if one.done_ns is not None and one.done_ns > begin_ns:
            free_ns[one.actor] = one.done_ns
            work.append(Work(one, begin_ns, one.done_ns))
    return work


def keys_at_two(work: Iterable[Work]) -> set[str]:
    """The keys that two consumers worked on at the same time."""
    busy_ns: dict[str, dict[str, int]] = {}
    found = set()
    for delivery, begin_ns, end_ns in sorted(work, key=lambda one: one.begin_ns):
        until_ns = busy_ns.setdefault(delivery.key, {})
        if any(actor != delivery.actor and end > begin_ns for actor, end in until_ns.items()):
            found.add(delivery.key)
        until_ns[delivery.actor] = max(end_ns, until_ns.get(delivery.actor, 0))
    return found


def _note_finished_late(deliveries: list[Delivery]) -> None:
    """Say of each first work on a message whether it ended too late for its key."""
    finished = [(one.done_ns, one) for one in deliveries if one.done_ns is not None]
    finished.sort(key=lambda pair: pair[0])
    furthest: dict[str, int] = {}
    done: set[str] = set()
    for _, one in finished:
        if one.message not in done:
            one.is_finished_late = one.sent < furthest.get(one.key, -1)
            furthest[one.key] = max(furthest.get(one.key, -1), one.sent)
            done.add(one.message)


def _sent_ns(send: Event) -> int:
    return send.started_ns if send.outcome != "ok" or send.ended_ns is None else send.ended_ns


def _kind(read: Event) -> Kind:
    if read.operation == GET:
        return "stream"
    return "fifo" if read.resource.endswith(".fifo") else "standard"  # which is what makes one FIFO at AWS


def _key_noun(sends: list[Event]) -> str:
    if any(event.partition_key for event in sends):
        return "partition key"
    return "message group" if any(event.group for event in sends) else "key"
