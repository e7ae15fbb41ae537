"""What boto3 costs that is answered in this process: rows B1 to B6, beside moto.

Each row is a generator of findings over a `Bench`; the goals are the issue's.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.harness import Bench, Finding, Samples
from benchmarks.through_boto3 import BATCH, variant

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS, _MOTO = "queuestream", "moto"
_FLAT = 1.5
"""What a backlog may cost: what rows Q3 and Q4 call flat."""


def b1(bench: Bench) -> Iterator[Finding]:
    """boto3 in process: send 1, receive 1, delete 1."""
    units = bench.effort.cycles // 5
    yield from _against_moto(bench, "B1", "send 1, receive 1, delete 1", "queue cycle", units, 10, 60)


def b2(bench: Bench) -> Iterator[Finding]:
    """boto3 in process: put_record."""
    yield from _against_moto(bench, "B2", "put_record", "put_record", bench.effort.cycles // 2, 40, 40)


def b3(bench: Bench) -> Iterator[Finding]:
    """boto3 in process: put_records of 500, per record."""
    what = f"put_records of {BATCH}, per record"
    yield from _against_moto(bench, "B3", what, "put_records", 5 * BATCH, 5 * BATCH, 40)


def b4(bench: Bench) -> Iterator[Finding]:
    """boto3 in process: get_records of 500, per record."""
    what = f"get_records of {BATCH}, per record"
    yield from _against_moto(bench, "B4", what, "get_records", 20 * BATCH, 2 * BATCH, 60)


def b5(bench: Bench) -> Iterator[Finding]:
    """boto3 in process: send 1, receive 1, delete 1 at 10,000 waiting messages."""
    what, against = "a cycle at 10,000 waiting", "at 10 waiting"
    units = max(bench.effort.cycles // 10, 2)
    with ExitStack() as stack:
        few = variant(bench, stack, against, _OURS, "queue cycle at 10", units)
        many = variant(bench, stack, what, _OURS, "queue cycle at 10000", units)
        samples = bench.compare([few, many])
    yield Finding(
        row="B5",
        what=what,
        against=against,
        ratio=samples.ratio(what, against),
        goal=_FLAT,
        cost=samples.cost(what),
        cost_against=samples.cost(against),
    )


def b6(bench: Bench) -> Iterator[Finding]:
    """Entering and leaving mock_aws; a whole test with a client of its own."""
    what, limit = "entering and leaving mock_aws", "1 ms"
    units = max(bench.effort.cycles // 10, 1)
    with ExitStack() as stack:
        samples = bench.compare([variant(bench, stack, what, "nothing", f"enter {_OURS}", units)])
    yield Finding(
        row="B6",
        what=what,
        against=limit,
        ratio=samples.part(what, 1e6),
        goal=1,
        cost=samples.cost(what),
        cost_against=limit,
    )
    if _has_moto(bench):
        for what, work in (
            ("entering and leaving mock_aws", "enter"),
            ("mock_aws, a client, a queue, a message", "test"),
        ):
            with ExitStack() as stack:
                ours = variant(bench, stack, what, "nothing", f"{work} {_OURS}", 20)
                moto = variant(bench, stack, _MOTO, "nothing", f"{work} {_MOTO}", 20)
                samples = bench.compare([ours, moto])
            yield _times_faster("B6", what, samples, None)


def _against_moto(
    bench: Bench, row: str, what: str, work: str, units: int, units_of_moto: int, times: float
) -> Iterator[Finding]:
    with ExitStack() as stack:
        variants = [variant(bench, stack, what, _OURS, work, max(units, 1))]
        if _has_moto(bench):
            variants.append(variant(bench, stack, _MOTO, _MOTO, work, units_of_moto))
        samples = bench.compare(variants)
    if len(variants) == 2:
        yield _times_faster(row, what, samples, times)
    else:
        missing = "not measured here" if bench.here else "not installed"
        yield Finding(
            row=row,
            what=what,
            against=f"{_MOTO}: {missing}",
            ratio=None,
            goal=times,
            at_least=True,
            cost=samples.cost(what),
        )


def _has_moto(bench: Bench) -> bool:
    return not bench.here and find_spec("moto") is not None


def _times_faster(row: str, what: str, samples: Samples, times: float | None) -> Finding:
    return Finding(
        row=row,
        what=what,
        against=f"{_MOTO}, times faster",
        ratio=samples.ratio(_MOTO, what),
        goal=times,
        at_least=True,
        cost=samples.cost(what),
        cost_against=samples.cost(_MOTO),
    )


ROWS = {"B1": b1, "B2": b2, "B3": b3, "B4": b4, "B5": b5, "B6": b6}
