"""Histories written by hand, an event a call; times in seconds.

    check([send("a", 1), receive("a", (2, 3), until=32), delete("a", 4)])

`at` is an instant, or a pair of when the call began and when it had its answer; None for the second of them
where no answer came.
"""

from queuestream.core.clock import SECOND
from queuestream.lab import Event


def event(operation, message, at, *, until=None, outcome=None, **fields):
    started, ended = at if isinstance(at, tuple) else (at, at)
    return Event(
        operation,
        message,
        outcome or ("unknown" if ended is None else "ok"),
        nanoseconds(started),
        nanoseconds(ended),
        visible_ns=nanoseconds(until),
        **fields,
    )


def nanoseconds(seconds):
    return None if seconds is None else round(seconds * SECOND)


def send(message, at, **fields):
    return event("send", message, at, **{"resource": "orders", **fields})


def receive(message, at, **fields):
    return event("receive", message, at, **{"resource": "orders", "actor": "one", **fields})


def delete(message, at, **fields):
    return event("delete", message, at, **{"resource": "orders", "actor": "one", **fields})


def hide(message, at, **fields):
    return event("change_visibility", message, at, **{"resource": "orders", "actor": "one", **fields})


def operate(operation, at, **fields):
    return event(operation, None, at, **{"resource": "orders", **fields})


def put(message, at, number=None, **fields):
    return event(
        "put", message, at, **{"resource": "events", "sequence_number": number and str(number), **fields}
    )


def get(message, at, number=None, **fields):
    return event(
        "get",
        message,
        at,
        **{"resource": "events", "actor": "reader", "sequence_number": number and str(number), **fields},
    )


def seek(at, number=None, **fields):
    number = None if number is None else str(number)
    return event(
        "seek", None, at, **{"resource": "events", "actor": "reader", "sequence_number": number, **fields}
    )


def finish(at, **fields):
    return event("finish", None, at, **{"resource": "events", "actor": "reader", **fields})


def lineage(shard, *parents, **fields):
    return event("lineage", None, 0, **{"resource": "events", "shard": shard, "parents": parents, **fields})


def found(verdict):
    """What was found, and how often; a kind that breaks no promise with a question mark."""
    violating = {anomaly.kind for anomaly in verdict.anomalies if anomaly.violates}
    return {kind if kind in violating else f"{kind}?": times for kind, times in verdict.found.items()}
