"""What it costs to measure a history: row L2.

A history of 1,000,000 messages, each sent and received, in 1,000 message groups, of which every figure is
asked for (`measure`), over everything and group by group.  Two loads: deliveries that are up to some
twenty places out of order, as a busy queue's are, and in no order at all, the worst there is.  The goal is
the issue's, 10 s; that the cost grows linearithmically is shown by the same at a hundredth of the
messages: the logarithms' ratio is 1.5, and memory that no cache holds is slower.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.harness import Bench, Finding, Ratio, time_text
from queuestream.lab import Event, History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from queuestream.lab.metrics import ScopeKind

_MESSAGES = 1_000_000
_GROUPS = 1_000
_GOAL_NS = 10_000_000_000
_WINDOW = 20
_LOADS: dict[str, Callable[[random.Random, int], list[int]]] = {
    "nearly in order": lambda chance, count: sorted(
        range(count), key=[number + chance.random() * _WINDOW for number in range(count)].__getitem__
    ),
    "in no order": lambda chance, count: chance.sample(range(count), count),
}


def _history(load: str, count: int) -> History:
    """So many messages sent one after the other, and received after the last."""
    chance = random.Random(f"{load} {count}")
    names = [f"message-{number}" for number in range(count)]
    groups = [f"group-{chance.randrange(_GROUPS)}" for _ in range(count)]
    # A millisecond each, in nanoseconds.
    sends = [
        Event("send", name, "ok", time, time + 500_000, "producer", group=group)
        for name, group, time in zip(names, groups, range(0, count * 1_000_000, 1_000_000), strict=True)
    ]
    begin = count * 1_000_000
    receives = [
        Event(
            "receive",
            names[number],
            "ok",
            begin + place * 1_000_000,
            begin + place * 1_000_000 + 500_000,
            "consumer",
        )
        for place, number in enumerate(_LOADS[load](chance, count))
    ]
    return History([*sends, *receives])


def l2(bench: Bench) -> Iterator[Finding]:
    """All figures of order and delay of 1,000,000 messages, sent and received."""
    count = bench.effort.backlog(_MESSAGES)
    few = max(count // 100, 10)
    rounds = min(bench.effort.rounds, 3)
    for load in _LOADS:
        small, large = _history(load, few), _history(load, count)
        costs = [_cost_ns(bench, large, "global") for _ in range(rounds)]
        yield _finding(f"measure {count:,} messages, {load}", costs, _GOAL_NS * count / _MESSAGES)
        per_message = [_cost_ns(bench, small, "global") / few for _ in range(max(rounds, 5))]
        yield Finding(
            row="L2",
            what="the same, per message",
            against=f"of {few:,} messages",
            ratio=Ratio.of(cost / count / sorted(per_message)[len(per_message) // 2] for cost in costs),
            goal=2.5,
            cost=time_text(min(costs) / count),
            cost_against=time_text(min(per_message)),
        )
        costs = [_cost_ns(bench, large, "group") for _ in range(rounds)]
        yield _finding(f"measure {_GROUPS:,} groups of them", costs, _GOAL_NS * count / _MESSAGES)
        del small, large


def _cost_ns(bench: Bench, history: History, scope: ScopeKind) -> int:
    from queuestream.lab import measure

    return bench.cpu_ns(lambda: measure(history, scope), ours=True)


def _finding(what: str, costs: list[int], allowed_ns: float) -> Finding:
    return Finding(
        row="L2",
        what=what,
        against=time_text(allowed_ns),
        ratio=Ratio.of(cost / allowed_ns for cost in costs),
        goal=1,
        cost=time_text(min(costs)),
        cost_against=time_text(allowed_ns),
    )


ROWS = {"L2": l2}
