"""Assertions about what clients saw, which say what went wrong, with whom and when.

    emails = recorder.queue(emails, actor="worker")     # of the lab, or the fixture queuestream_recorder
    ...
    assert_delivered_exactly_once(recorder)
    assert_in_order_per_group(recorder)

Each takes a `History`, or whatever has one (a `Recorder`, a `World`, a `Run` of the lab).  What order and
delivery mean is the lab's to say (`queuestream.lab.check`); these ask it one question each, and may ask more
than the service promises: that a standard queue delivers once is no promise, and yet what a test may want to
see of its own seed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from queuestream.lab.checkers.checking import check
from queuestream.lab.history import GET, PUT, RECEIVE, SEND, Event, History

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queuestream.aio import AsyncBroker, AsyncQueue
    from queuestream.core.broker import Broker
    from queuestream.core.queues.queue import Queue
    from queuestream.lab.checkers.verdicts import Anomaly, Kind, Promise

_SHOWN = 5


class HasHistory(Protocol):
    """A recorder, a world, a run: what has a history."""

    history: History


def assert_keeps_its_promise(
    seen: History | HasHistory, *, promise: Promise | None = None, finished: bool = True
) -> None:
    """Everything was as AWS promises it of this kind of queue or stream.

    Args:
        seen: What clients saw.
        promise: `standard`, `fifo` or `stream`; seen from the names and events where None.
        finished: Whether the clients went on until nothing was left.

    Raises:
        AssertionError: It was not; the verdict is the message.
    """
    __tracebackhide__ = True
    verdict = check(_history(seen), promise=promise, finished=finished)
    if not verdict.valid:
        raise AssertionError(str(verdict))


def assert_nothing_lost(seen: History | HasHistory, *, resource: str | None = None) -> None:
    """Every message whose send succeeded was received, and every record was read.

    Args:
        seen: What clients saw, until nothing was left.
        resource: The queue or stream; all of them where None.

    Raises:
        AssertionError: Some were not.
    """
    __tracebackhide__ = True
    _assert_none(
        "Messages were lost",
        _found(_events(seen, resource), ("lost", "vanished", "lost-write"), finished=True),
    )


def assert_delivered_exactly_once(seen: History | HasHistory, *, resource: str | None = None) -> None:
    """Every message whose send succeeded was received once: by every application, where several read.

    A dead letter is received from another queue than it was sent to, and counts there: name the `resource`.

    Args:
        seen: What clients saw, until nothing was left.
        resource: The queue or stream; all of them where None.

    Raises:
        AssertionError: One was received never, or more than once, or was never sent.
    """
    __tracebackhide__ = True
    events = _events(seen, resource)
    sent: dict[tuple[str, str], int] = {}
    maybe_sent: set[tuple[str, str]] = set()
    received: dict[str, Counter[tuple[str, str]]] = {}
    for event in events:
        if event.message is None:
            continue
        message = event.resource, event.message
        if event.operation in {SEND, PUT}:
            maybe_sent.add(message)
            if event.outcome == "ok":
                sent[message] = sent.get(message, 0) + 1
        elif event.operation in {RECEIVE, GET} and event.outcome == "ok":
            received.setdefault(event.application, Counter())[message] += 1
    sentences = [
        f"{_named(message)} was received {_times(times)}{f' by {application}' if application else ''}."
        for application, counts in (received or {"": Counter()}).items()
        for message, times in {**dict.fromkeys(sent, 0), **counts}.items()
        if times != 1
    ]
    sentences += [
        f"{_named(message)} was received, and nobody had sent it."
        for counts in received.values()
        for message in counts
        if message not in maybe_sent
    ]
    _assert_none("Not every message was delivered exactly once", sentences)


def assert_in_order_per_group(seen: History | HasHistory, *, resource: str | None = None) -> None:
    """Each message group's messages were first received in the order in which they were sent.

    Holds a standard queue to it as well.  Two sends of which nobody can say which was first are in any order.

    Args:
        seen: What clients saw.
        resource: The queue; all of them where None.

    Raises:
        AssertionError: One was received before an earlier one of its group.
    """
    __tracebackhide__ = True
    events = [event for event in _events(seen, resource) if event.operation not in {PUT, GET}]
    _assert_none(
        "Message groups were not received in order", _found(events, ("out-of-order",), promise="fifo")
    )


def assert_in_order(seen: History | HasHistory, *, resource: str | None = None) -> None:
    """All messages of a queue were first received in the order in which they were sent.

    Args:
        seen: What clients saw.
        resource: The queue; each by itself where None.

    Raises:
        AssertionError: One was received before an earlier one.
    """
    __tracebackhide__ = True
    events = [
        attrs.evolve(event, group="all")
        for event in _events(seen, resource)
        if event.operation not in {PUT, GET}
    ]
    _assert_none("Messages were not received in order", _found(events, ("out-of-order",), promise="fifo"))


def assert_in_order_per_shard(seen: History | HasHistory, *, resource: str | None = None) -> None:
    """Every reader got each shard's records in their order, parents before children, none left out.

    Args:
        seen: What clients saw.
        resource: The stream; all of them where None.

    Raises:
        AssertionError: A record was out of order or left out.
    """
    __tracebackhide__ = True
    kinds: tuple[Kind, ...] = ("out-of-order", "poll-skip", "nonmonotonic-poll", "child-before-parent")
    _assert_none("Records were not read in order", _found(_events(seen, resource), kinds, promise="stream"))


def assert_drained(*queues: Queue | Broker | AsyncQueue | AsyncBroker) -> None:
    """Nothing waits, is in flight or is delayed in these queues, or in any queue of a broker.

    Raises:
        AssertionError: Something is there; the message says what.
        TypeError: No queue is named, or something that is none.
    """
    __tracebackhide__ = True
    if not queues:
        raise TypeError("assert_drained() takes queues or brokers, and there is none.")
    sentences = []
    for given in queues:
        named: Any = getattr(given, "core", given)  # of asyncio's
        if not (hasattr(named, "queues") or hasattr(named, "peek")):
            raise TypeError(f"assert_drained() takes queues or brokers, each by itself, not {named!r}.")
        for queue in getattr(named, "queues", {"": named}).values():
            messages = queue.peek()
            sentences += [f"{queue!r}"] if messages else []
            sentences += [
                f"  {message.body!r} is {message.state.replace('_', ' ')}, and was received "
                f"{_times(message.receive_count)}"
                for message in messages[:_SHOWN]
            ]
            if len(messages) > _SHOWN:
                sentences.append(f"  … and {len(messages) - _SHOWN:,} more")
    if sentences:
        raise AssertionError("\n".join(["Messages are left:", *sentences]))


# --- what they have in common ---


def _history(seen: History | HasHistory) -> History:
    """What clients saw.

    Raises:
        ValueError: Nothing, so that whatever is said of it would be true.
    """
    history = seen if isinstance(seen, History) else seen.history
    if not len(history):
        raise ValueError(
            "The history is empty: nobody has used what a recorder gives. Let the program have "
            'recorder.queue(emails, actor="worker"), or the like, in the place of the queue or client.'
        )
    return history


def _events(seen: History | HasHistory, resource: str | None) -> list[Event]:
    """The events of one queue or stream, or of all.

    Raises:
        ValueError: There is no such one in the history.
    """
    history = _history(seen)
    if resource is None:
        return list(history)
    events = [event for event in history if event.resource == resource]
    if not events:
        there = sorted({event.resource for event in history})
        raise ValueError(
            f"The history has no event of {resource!r}; there is {', '.join(there) or 'nothing'}."
        )
    return events


def _found(
    events: Iterable[Event],
    kinds: tuple[Kind, ...],
    *,
    promise: Promise | None = None,
    finished: bool = False,
) -> list[Anomaly]:
    """The anomalies of some kinds."""
    verdict = check(events, promise=promise, finished=finished)
    return [anomaly for anomaly in verdict.anomalies if anomaly.kind in kinds]


def _assert_none(claim: str, found: list[Anomaly] | list[str]) -> None:
    __tracebackhide__ = True
    if found:
        lines = [f"{claim}: {len(found):,} time{'' if len(found) == 1 else 's'}."]
        lines += [f"  {one}" for one in found[:_SHOWN]]
        if len(found) > _SHOWN:
            lines.append(f"  … and {len(found) - _SHOWN:,} more")
        raise AssertionError("\n".join(lines))


def _named(message: tuple[str, str]) -> str:
    resource, name = message
    return f"{name!r}{f' of {resource}' if resource else ''}"


def _times(times: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")
