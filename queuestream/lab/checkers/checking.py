"""`check`: one queue or stream of a history after the other, each held against its promise.

What a resource promises is seen from its name and its events, unless somebody says it: a name that ends in
`.fifo` is a FIFO queue's, who is put to and read from is a stream, and everything else is a standard queue.
The other queues of a history are no strangers: a dead letter is received from a queue that nobody sent it
to, and a message that was moved has not been lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.lab.checkers.deduplication import check_deduplication
from queuestream.lab.checkers.findings import Findings, Teller
from queuestream.lab.checkers.groups import GroupChecker
from queuestream.lab.checkers.lives import Lives
from queuestream.lab.checkers.queues import RETENTION_SECONDS as QUEUE_RETENTION_SECONDS
from queuestream.lab.checkers.queues import Neighbours, QueueChecker
from queuestream.lab.checkers.streams import RETENTION_SECONDS as STREAM_RETENTION_SECONDS
from queuestream.lab.checkers.streams import StreamChecker
from queuestream.lab.checkers.verdicts import PROMISES, Promise, Tally, Verdict
from queuestream.lab.history import FINISH, GET, LINEAGE, PUT, SEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from queuestream.lab.history import Event

_OF_STREAMS = {PUT, SEEK, GET, FINISH, LINEAGE}
_MOVING = {"start_message_move_task"}
_EXAMPLES = 100


def check(
    history: Iterable[Event],
    *,
    promise: Promise | None = None,
    finished: bool = True,
    retention_seconds: float | None = None,
    examples: int = _EXAMPLES,
) -> Verdict:
    """Hold a history against what was promised.

    It never accuses a run that was right, provided that the history has everything that clients did with
    the queues and streams in it, and that `failed` means surely not done.

    Args:
        history: What clients saw.
        promise: `standard`, `fifo` or `stream`, for everything in the history; seen from each queue's
            or stream's name and events where None.
        finished: Whether the clients went on until nothing was left, in dead-letter queues neither.  Only
            then can a message be lost that nobody received.
        retention_seconds: How long messages and records are kept; AWS's four days and 24 hours where
            None.  What is older may be gone.
        examples: How many anomalies of each kind are told for each queue and stream; all are counted.

    Raises:
        ValueError: There is no such promise.

    Cost: that of sorting the events; a million take some seconds.
    """
    if promise is not None and promise not in PROMISES:
        raise ValueError(f"There is no promise {promise!r}; there are {', '.join(PROMISES)}.")
    events = list(history)
    places: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        try:
            places[event.resource].append(place)
        except KeyError:
            places[event.resource] = [place]
    promises = {
        name: promise or _promise_of(name, [events[place].operation for place in own])
        for name, own in places.items()
        if any(_concerns_messages(events[place]) for place in own)
    }
    queues = {name: Lives(events, places[name]) for name in promises if promises[name] != "stream"}
    last_ns = max((event.ended_ns or event.started_ns for event in events), default=0)
    are_moved = any(event.operation in _MOVING and event.outcome != "failed" for event in events)
    teller = Teller(events)
    tally, tallies, anomalies = Tally(), {}, []
    for name, promised in promises.items():
        findings = Findings(name, promised, teller, examples)
        if promised == "stream":
            seconds = STREAM_RETENTION_SECONDS if retention_seconds is None else retention_seconds
            StreamChecker(
                events, places[name], findings, finished=finished, retention_ns=round(seconds * SECOND)
            ).check()
        else:
            seconds = QUEUE_RETENTION_SECONDS if retention_seconds is None else retention_seconds
            retention_ns = round(seconds * SECOND)
            lives = queues[name]
            neighbours = Neighbours([other for other in queues.values() if other is not lives])
            QueueChecker(
                lives,
                neighbours,
                findings,
                finished=finished,
                are_moved=are_moved,
                retention_ns=retention_ns,
                last_ns=last_ns,
            ).check()
            if promised == "fifo":
                GroupChecker(
                    lives, neighbours, findings, are_moved=are_moved, retention_ns=retention_ns
                ).check()
                check_deduplication(lives, findings, are_moved=are_moved)
        tallies[name] = findings.tally
        tally.add(findings.tally)
        anomalies += sorted(
            findings.anomalies, key=lambda anomaly: (not anomaly.violates, anomaly.events[-1:])
        )
    return Verdict(len(events), tally, promises, tallies, tuple(anomalies))


def _promise_of(name: str, operations: Sequence[str]) -> Promise:
    if not _OF_STREAMS.isdisjoint(operations):
        return "stream"
    return "fifo" if name.endswith(".fifo") else "standard"


def _concerns_messages(event: Event) -> bool:
    return event.message is not None or event.operation in _OF_STREAMS or event.operation == "receive"
