"""`measure`: from a history to figures."""

from __future__ import annotations

from bisect import bisect_right
from itertools import count, repeat
from operator import sub
from typing import TYPE_CHECKING

import attrs

from queuestream.lab.metrics.delays import Spread, waits
from queuestream.lab.metrics.measures import Delay, Measures, ScopeMeasures
from queuestream.lab.metrics.numbering import times_ns
from queuestream.lab.metrics.order import order_of, together
from queuestream.lab.metrics.sequences import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queuestream.lab.history import History
    from queuestream.lab.metrics.numbering import ScopeKind
    from queuestream.lab.metrics.sequences import Arrivals, Deliveries


def measure(history: History, scope: ScopeKind = "global", *, deliveries: Deliveries = "first") -> Measures:
    """How much was out of order, and how long messages waited.

    Args:
        history: What clients saw.
        scope: What the order is asked of: `global` (everything), `resource` (each queue or stream), `group`,
            `partition_key`, `shard`.  Scopes are measured each for itself, and put together.
        deliveries: `first`: each message once, when it first came.  `all`: repeated deliveries are
            arrivals, too.

    Returns:
        The figures of each scope and of all.  What "sent in order" means is told in
        `queuestream.lab.metrics.numbering`.

    Raises:
        ValueError: There is no such scope, or kind of deliveries.

    Cost: n log n in the number of events; a million messages, sent and received, take some seconds.

    >>> from queuestream.lab import History
    >>> sent = [{"operation": "send", "message": message} for message in "abcde"]
    >>> received = [{"operation": "receive", "message": message} for message in "acbde"]
    >>> found = measure(History.from_dicts(sent + received))
    >>> found.reordered, found.max_extent, found.kendall_tau
    (1, 1, 0.8)
    """
    found = read(history, scope, deliveries)
    end_ns = max(times_ns(history.events), default=0)
    known, exact = found.reason is None, deliveries == "first"
    by_scope = {
        name: _measured(whole, end_ns, known=known, exact=exact)
        for name, whole in zip(_names(found.scopes), found.scopes, strict=True)
    }
    every = list(by_scope.values())
    total = every[0] if len(every) == 1 else _total(every, _delay(found.together, end_ns, exact=exact))
    return Measures(scope=scope, deliveries=deliveries, reason=found.reason, total=total, by_scope=by_scope)


def _measured(whole: Arrivals, end_ns: int, *, known: bool, exact: bool) -> ScopeMeasures:
    order = order_of(whole.sequence, whole.received_ns) if known else None
    if order is not None and order.reordered:
        order = attrs.evolve(order, reordered_by_overlap=whole.overlaps())
    return ScopeMeasures(
        sent=len(whole.sent_ns),
        delivered=len(whole.first_ns) - whole.first_ns.count(None),
        redelivered=whole.redelivered,
        unnumbered=whole.unnumbered,
        order=order,
        delay=_delay(whole, end_ns, exact=exact),
    )


def _total(every: Sequence[ScopeMeasures], delay: Delay) -> ScopeMeasures:
    orders = [one.order for one in every if one.order is not None]
    return ScopeMeasures(
        sent=sum(one.sent for one in every),
        delivered=sum(one.delivered for one in every),
        redelivered=sum(one.redelivered for one in every),
        unnumbered=sum(one.unnumbered for one in every),
        order=together(orders) if orders else None,
        delay=delay,
    )


def _delay(whole: Arrivals, end_ns: int, *, exact: bool) -> Delay:
    """The delays; `exact` where nothing but first deliveries is among the arrivals."""
    wait = Spread.of(waits(whole.sent_ns, whole.first_ns))
    oldest = 0 if wait is None else wait.longest
    if None in whole.first_ns:
        waiting = [
            sent
            for sent, first in zip(whole.sent_ns, whole.first_ns, strict=True)
            if first is None and sent is not None
        ]
        oldest = max(oldest, end_ns - min(waiting, default=end_ns))
    received = whole.received_ns
    if not exact:
        received = sorted([first for first in whole.first_ns if first is not None])
    # Only a send can make the backlog larger.
    sent = whole.known_ns()
    deleted = whole.deleted_ns
    return Delay(
        wait=wait,
        until_deleted=Spread.of(waits(whole.sent_ns, deleted))
        if deleted.count(None) < len(deleted)
        else None,
        max_age_ns=oldest,
        max_backlog=max(map(sub, count(1), map(bisect_right, repeat(received), sent)), default=0),
    )


def _names(scopes: Sequence[Arrivals]) -> list[str]:
    """What tells the scopes apart, as text."""
    applications = len({whole.application for whole in scopes}) > 1
    resources = len({whole.resource for whole in scopes}) > 1
    names = []
    for whole in scopes:
        resource = whole.resource if resources or not whole.name else ""
        parts = [whole.application if applications else "", resource, whole.name]
        names.append(" / ".join(filter(None, parts)) or "all")
    if len(set(names)) < len(names):
        # Somebody has names that look as if they were put together.
        return [repr((whole.application, whole.resource, whole.name)) for whole in scopes]
    return names
