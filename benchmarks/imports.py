"""What it costs to begin: row T1, as a process of its own and inside a running one."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import queuestream
from benchmarks.harness import Bench, Finding, Ratio, Variant, Work, bodies, time_text
from benchmarks.queues import floor_in_ones

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = """\
from queuestream import Queue
queue = Queue("emails")
queue.send("hello")
[message] = queue.receive()
queue.delete(message)
"""
_DEPENDENCIES = "import attrs, sortedcontainers"
_INTERPRETER = "pass"
_FLOOR_CYCLES = 60 / 8
"""The goal is 60 µs where a cycle of the floor takes 8 µs."""


def t1(bench: Bench) -> Iterator[Finding]:
    """Import, one queue, one message, exit; and one test's set-up and work in a running process."""
    yield from _whole_process(bench)
    yield _one_test(bench)


def _whole_process(bench: Bench) -> Iterator[Finding]:
    costs: dict[str, list[float]] = {_OURS: [], _DEPENDENCIES: [], _INTERPRETER: []}
    for program in costs:
        _process_ns(program)  # Leaves the compiled modules behind for the runs that count.
    for number in range(bench.effort.processes):
        for program in costs if number % 2 == 0 else reversed(costs):
            costs[program].append(_process_ns(program))
    for against, name, goal in (
        (_DEPENDENCIES, "import attrs, sortedcontainers", 1.3),
        (_INTERPRETER, "the interpreter alone", None),
    ):
        yield Finding(
            row="T1",
            what="import, one queue, one message, exit",
            against=name,
            ratio=Ratio.of(one / other for one, other in zip(costs[_OURS], costs[against], strict=True)),
            goal=goal,
            cost=time_text(statistics.median(costs[_OURS])),
            cost_against=time_text(statistics.median(costs[against])),
        )


def _process_ns(program: str) -> float:
    """The CPU time, the system's part included, of an interpreter that runs so much and exits."""
    # As Python is by default: what was compiled once is found compiled the next time.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=Path(queuestream.__file__).parents[1],
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e9 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def _one_test(bench: Bench) -> Finding:
    def prepare(count: int) -> Work:
        texts = bodies(count)

        def work() -> None:
            for body in texts:
                queue = queuestream.Queue("emails", clock=queuestream.VirtualClock(), seed=7)
                queue.send(body)
                [message] = queue.receive()
                queue.delete(message)

        return work

    cycles = bench.effort.cycles
    samples = bench.compare(
        [
            Variant("a cycle of the floor", floor_in_ones, cycles),
            Variant("one test", prepare, max(cycles // 10, 1), ours=True),
        ]
    )
    return Finding(
        row="T1",
        what="one test: clock, queue, send, receive, delete",
        against="a cycle of the floor",
        ratio=samples.ratio("one test", "a cycle of the floor"),
        goal=_FLOOR_CYCLES,
        cost=samples.cost("one test"),
        cost_against=samples.cost("a cycle of the floor"),
    )


ROWS = {"T1": t1}
