"""What servers cost that answer boto3 over HTTP: rows H1 to H3, beside moto_server and two from npm.

One boto3, with the same settings for each server, sends each its requests in turn.  It costs more than
any server but moto's, and the same for all; so what is compared is the CPU time of the server's
process, which the system counts.  How long the client waited is said, too, without a goal.

Each row is a generator of findings over a `Bench`; the goals are the issue's.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.harness import Bench, Finding, Samples
from benchmarks.servers import COUNTS_CPU, MOTO_SERVER, QUEUESTREAM, Server, running, why_not
from benchmarks.through_boto3 import (
    BATCH,
    client,
    get_records,
    put_record,
    put_records,
    queue_cycle,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.harness import Work

    Prepare = Callable[[int], Work]

_OURS = QUEUESTREAM
_KINESIS_PEERS = {MOTO_SERVER: 5.0, "kinesalite": 2.0, "kinesis-local": 2.0}
_SMALL_REQUEST_NS = 200_000
_ROUNDS_MAX = 15


@attrs.frozen
class _Costs:
    """What a unit cost each server, and how long its client waited, round by round."""

    cpu: Samples
    waited: Samples


def h1(bench: Bench) -> Iterator[Finding]:
    """HTTP: send 1, receive 1, delete 1; CPU of the server."""
    what = "send 1, receive 1, delete 1"
    if not COUNTS_CPU:
        yield _not_here("H1", what)
        return
    with ExitStack() as stack:
        servers = _started(bench, stack, {MOTO_SERVER: 5.0})
        prepared = {server: queue_cycle(_client(server, "sqs")) for server in servers}
        costs = _compare(bench, prepared, 30)
    yield from _findings(bench, "H1", what, costs, {MOTO_SERVER: 5.0})


def h2(bench: Bench) -> Iterator[Finding]:
    """HTTP: put_record; put_records and get_records of 500, per record; CPU of the server."""
    if not COUNTS_CPU:
        yield _not_here("H2", "put_record, put_records, get_records")
        return
    with ExitStack() as stack:
        servers = _started(bench, stack, _KINESIS_PEERS)
        clients = {server: _client(server, "kinesis") for server in servers}
        for what, work, units in (
            ("put_record", put_record, 30),
            (f"put_records of {BATCH}, per record", put_records, BATCH),
            (f"get_records of {BATCH}, per record", get_records, BATCH),
        ):
            prepared = {server: work(kinesis) for server, kinesis in clients.items()}
            costs = _compare(bench, prepared, units)
            yield from _findings(bench, "H2", what, costs, _KINESIS_PEERS)


def h3(bench: Bench) -> Iterator[Finding]:
    """HTTP: CPU of the server for a small request."""
    if not COUNTS_CPU:
        yield _not_here("H3", "a small request")
        return
    with ExitStack() as stack:
        server = stack.enter_context(running(_OURS))
        for what, prepare in _small_requests(server).items():
            costs = _compare(bench, {server: prepare}, max(bench.effort.cycles // 10, 1))
            yield Finding(
                row="H3",
                what=f"{what}: CPU of the server",
                against="200 µs",
                ratio=costs.cpu.part(_OURS, _SMALL_REQUEST_NS),
                goal=1,
                cost=costs.cpu.cost(_OURS),
                cost_against="200 µs",
            )


def _small_requests(server: Server) -> dict[str, Prepare]:
    sqs, kinesis = _client(server, "sqs"), _client(server, "kinesis")
    url = sqs.create_queue(QueueName="small")["QueueUrl"]
    empty = sqs.create_queue(QueueName="empty")["QueueUrl"]

    def repeated(call: Callable[[], object]) -> Prepare:
        def prepare(count: int) -> Work:
            def work() -> None:
                for _ in range(count):
                    call()

            return work

        return prepare

    return {
        "SendMessage of 1 KiB": repeated(lambda: sqs.send_message(QueueUrl=url, MessageBody="x" * 1024)),
        "ReceiveMessage, nothing there": repeated(lambda: sqs.receive_message(QueueUrl=empty)),
        "GetQueueUrl": repeated(lambda: sqs.get_queue_url(QueueName="small")),
        "PutRecord of 1 KiB": put_record(kinesis),
    }


def _not_here(row: str, what: str) -> Finding:
    return Finding(row=row, what=f"{what}: CPU", against="only Linux lets it be counted", ratio=None)


def _started(bench: Bench, stack: ExitStack, peers: dict[str, float]) -> list[Server]:
    names = [_OURS]
    if bench.effort.peers:
        names += [name for name in peers if why_not(name) is None]
    return [stack.enter_context(running(name)) for name in names]


def _client(server: Server, service: str) -> Any:
    return client(service, endpoint_url=server.endpoint_url)


def _compare(bench: Bench, prepared: dict[Server, Prepare], units: int) -> _Costs:
    """Give each server its turn, round after round, after one round that only warms up."""
    cpu: dict[str, list[float]] = {server.name: [] for server in prepared}
    waited: dict[str, list[float]] = {server.name: [] for server in prepared}
    in_order = list(prepared.items())
    for number in range(-1, min(bench.effort.rounds, _ROUNDS_MAX)):
        for server, prepare in in_order if number % 2 == 0 else reversed(in_order):
            work = prepare(units)
            cpu_before, before = server.cpu_ns(), time.perf_counter_ns()
            work()
            cpu_after, after = server.cpu_ns(), time.perf_counter_ns()
            if number >= 0:
                cpu[server.name].append((cpu_after - cpu_before) / units)
                waited[server.name].append((after - before) / units)
    return _Costs(Samples(cpu), Samples(waited))


def _findings(bench: Bench, row: str, what: str, costs: _Costs, peers: dict[str, float]) -> Iterator[Finding]:
    for name, times in peers.items():
        missing = "not measured here" if not bench.effort.peers else why_not(name)
        if missing is not None:
            yield Finding(
                row=row,
                what=f"{what}: CPU",
                against=f"{name}: {missing}",
                ratio=None,
                goal=times,
                at_least=True,
                cost=costs.cpu.cost(_OURS),
            )
            continue
        for kind, samples, goal in (("CPU", costs.cpu, times), ("waited", costs.waited, None)):
            yield Finding(
                row=row,
                what=f"{what}: {kind}",
                against=f"{name}, times faster",
                ratio=samples.ratio(name, _OURS),
                goal=goal,
                at_least=True,
                cost=samples.cost(_OURS),
                cost_against=samples.cost(name),
            )


ROWS = {"H1": h1, "H2": h2, "H3": h3}
