"""What `measure` finds: order and delay, of every scope and of all together, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.lab.metrics.order import Order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.lab.metrics.delays import Spread
    from queuestream.lab.metrics.numbering import ScopeKind
    from queuestream.lab.metrics.sequences import Deliveries

_SCOPES = {
    "global": "over everything",
    "resource": "within each queue or stream",
    "group": "within each message group",
    "partition_key": "within each partition key",
    "shard": "within each shard",
}
_SECOND = 1_000_000_000


@attrs.frozen(kw_only=True)
class Delay:
    """How long messages waited, and how many.

    Attributes:
        wait: From the acknowledged send to the first delivery; None where nothing was delivered.
        until_deleted: From the acknowledged send to the first delete; None where nothing was deleted.
        max_age_ns: How old the oldest message was, at most, that nobody had received; up to the
            history's end.
        max_backlog: How many messages at most were sent and not yet received; of a shard, the lag in records.
    """

    wait: Spread | None = None
    until_deleted: Spread | None = None
    max_age_ns: int = 0
    max_backlog: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "wait_ns": self.wait and self.wait.as_dict(),
            "until_deleted_ns": self.until_deleted and self.until_deleted.as_dict(),
            "max_age_ns": self.max_age_ns,
            "max_backlog": self.max_backlog,
        }


@attrs.frozen(kw_only=True)
class ScopeMeasures:
    """What one application received of one scope, or all of them of all.

    Attributes:
        sent: How many messages were sent, as far as anybody knows: acknowledged, or without an answer
            and received.
        delivered: How many of these were received.
        redelivered: How many more deliveries of these there were.
        unnumbered: How many deliveries were of messages of which the history tells no send; they are in
            no figure else.
        order: How ordered the deliveries were; None where the order of sending is not known.
        delay: How long messages waited.
    """

    sent: int
    delivered: int
    redelivered: int
    unnumbered: int
    order: Order | None
    delay: Delay

    @property
    def undelivered(self) -> int:
        """How many messages were sent and never received."""
        return self.sent - self.delivered

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sent": self.sent,
            "delivered": self.delivered,
            "undelivered": self.undelivered,
            "redelivered": self.redelivered,
            "unnumbered": self.unnumbered,
            "order": self.order and self.order.as_dict(),
            "delay": self.delay.as_dict(),
        }


@attrs.frozen(kw_only=True)
class Measures:
    """Order and delay, by scope.

    Attributes:
        scope: What the order is asked of.
        deliveries: `first` or `all`: whether repeated deliveries are among the arrivals.
        reason: Why the order is not known; None where it is.
        total: All scopes together: counts are sums, what is called max is the largest.
        by_scope: Each scope, by its name, in the order in which they were first sent to.  The name is
            made of what tells them apart: the application and the resource, where there are several, and
            the scope's own.
    """

    scope: ScopeKind
    deliveries: Deliveries
    reason: str | None = None
    total: ScopeMeasures = attrs.field(repr=False)
    by_scope: Mapping[str, ScopeMeasures] = attrs.field(repr=False)

    @property
    def reordered(self) -> int:
        """How many arrivals were reordered, in all scopes; 0 where no order is known (`reason`)."""
        return self._order.reordered

    @property
    def reordered_ratio(self) -> float:
        """Which part of the arrivals was reordered; 0 where no order is known (`reason`)."""
        return self._order.reordered_ratio or 0.0

    @property
    def max_extent(self) -> int:
        """How far behind its first overtaker an arrival came at most; 0 where none did."""
        return self._order.max_extent

    @property
    def kendall_tau(self) -> float | None:
        """Kendall's τ of the pairs within the scopes; None where there is no pair."""
        return self._order.kendall_tau

    @property
    def worst(self) -> str | None:
        """The scope of which the largest part was reordered; None where nothing was."""
        worst, most = None, (0.0, 0)
        for name, measured in self.by_scope.items():
            if measured.order is not None and measured.order.reordered:
                bad = (measured.order.reordered_ratio or 0.0, measured.order.reordered)
                if bad > most:
                    worst, most = name, bad
        return worst

    @property
    def _order(self) -> Order:
        return self.total.order or _NOTHING

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the same bytes for the same history."""
        return {
            "scope": self.scope,
            "deliveries": self.deliveries,
            "reason": self.reason,
            "scopes": len(self.by_scope),
            "worst": self.worst,
            "total": self.total.as_dict(),
            "by_scope": {name: measured.as_dict() for name, measured in self.by_scope.items()},
        }

    def rows(self) -> list[tuple[str, ...]]:
        """For a table: what it is, its value in all scopes together, and, of several, in the worst."""
        columns = [_column(self.total)]
        if len(self.by_scope) > 1 and self.worst is not None:
            columns.append(_column(self.by_scope[self.worst]))
        return [(name, *(column[name] for column in columns)) for name in columns[0]]

    def __str__(self) -> str:
        several = len(self.by_scope) > 1
        title = f"Order {_SCOPES[self.scope]}, {self.deliveries} deliveries"
        if self.reason is not None:
            title += f": {self.reason}"
        elif several:
            title += f": {len(self.by_scope):,} scopes"
        rows = self.rows()
        if several and self.worst is not None:
            rows.insert(0, ("", "all", f"worst: {self.worst}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        return "\n".join([title, *lines])


_NOTHING = Order()


def _column(measured: ScopeMeasures) -> dict[str, str]:
    order, delay = measured.order, measured.delay
    column = {
        "sent": f"{measured.sent:,}",
        "delivered": f"{measured.delivered:,}",
        "never delivered": f"{measured.undelivered:,}",
        "delivered again": f"{measured.redelivered:,}",
    }
    if order is not None:
        column |= {
            "reordered": _part(order.reordered, order.reordered_ratio),
            "by overlapping sends": f"{order.reordered_by_overlap:,}",
            "extent, mean and max": _pair(_number(order.mean_extent), f"{order.max_extent:,}"),
            "late by, mean and max": _pair(_time(order.mean_late_time_ns), _time(order.max_late_time_ns)),
            "after 3 sent later": _part(order.three_reordered, order.three_reordered_ratio),
            "in order in a row, mean": _number(order.mean_free_run),
            "displacement": f"{order.earliest:,} to {order.latest:,}",
            "kept to restore order, max": f"{order.max_occupancy:,}",
            "Kendall's τ": "-" if order.kendall_tau is None else f"{order.kendall_tau:.4f}",
            "inversions": f"{order.inversions:,}",
            "ascending runs": f"{order.runs:,}",
            "out of the longest order": f"{order.removals:,}",
        }
    waited = "-" if delay.wait is None else f"{_time(delay.wait.p50)} · {_time(delay.wait.p99)}"
    longest = None if delay.wait is None else delay.wait.longest
    return column | {
        "waited, p50 and p99": waited,
        "waited, longest": _time(longest),
        "oldest undelivered": _time(delay.max_age_ns),
        "backlog, max": f"{delay.max_backlog:,}",
    }


def _part(count: int, ratio: float | None) -> str:
    return f"{count:,}" if not count or ratio is None else f"{count:,} ({ratio:.2%})"


def _pair(mean: str, most: str) -> str:
    return "-" if mean == "-" else f"{mean} · {most}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _time(time_ns: int | None) -> str:
    return "-" if time_ns is None else f"{time_ns / _SECOND:,.3f} s"
