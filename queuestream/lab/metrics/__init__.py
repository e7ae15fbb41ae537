"""How much is out of order, and how long things take: metrics of histories.

`measure` says it of a history, by scope.  What it is made of is there to be used alone, on a plain list
of integers: `reordering` (RFC 4737), `density` (RFC 5236), `disorder` (inversions, Kendall's τ, runs
...) and `delays`.  `arrivals` makes such lists from a history.

A figure is the same in every process and on every machine: integers are counted, divided and rounded,
and nothing else.
"""

from __future__ import annotations

from queuestream.lab.metrics.delays import Spread
from queuestream.lab.metrics.measures import Delay, Measures, ScopeMeasures
from queuestream.lab.metrics.measuring import measure
from queuestream.lab.metrics.numbering import ScopeKind
from queuestream.lab.metrics.order import Order, order_of
from queuestream.lab.metrics.sequences import Arrivals, Deliveries, arrivals

__all__ = [
    "Arrivals",
    "Delay",
    "Deliveries",
    "Measures",
    "Order",
    "ScopeKind",
    "ScopeMeasures",
    "Spread",
    "arrivals",
    "measure",
    "order_of",
]
