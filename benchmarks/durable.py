"""What it costs to keep a broker in a file: rows D1 to D5, beside what others keep on the same disk.

Time is what the caller waits, not CPU time: waiting for a disk is most of it.  What is compared
takes turns, as everywhere here.  All files are in one folder, which TMPDIR chooses: a file system
in memory syncs nothing, and the figures would say nothing.

Each row is a generator of findings over a `Bench`; the goals are the issue's.
"""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import queuestream
from benchmarks.durable_peers import (
    DISKCACHE,
    HUEY,
    HUEY_FSYNC,
    LITEQUEUE,
    PERSIST_QUEUE,
    REDIS,
    DurablePeer,
)
from benchmarks.harness import Bench, Elsewhere, Finding, Ratio, Samples, bodies, time_text
from queuestream.core.broker import Broker

_TEN = 10
_THREADS = 16
_ROUNDS_MAX = 11

Cycle = Callable[[Sequence[str]], None]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own, removed in the end."""
    path = Path(tempfile.mkdtemp(prefix="queuestream-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def d1(bench: Bench) -> Iterator[Finding]:
    """commit: send 1, receive 1, delete 1 by one thread, against the two syncs that it needs."""
    what = "commit: send 1, receive 1, delete 1"
    in_memory = "the cycle in memory, with two bare syncs"
    alone = "two bare syncs alone"
    count = max(bench.effort.cycles // 10, 1)
    with folder() as path, _kept(path, "commit") as broker, ExitStack() as stack:
        sync = stack.enter_context(_bare_sync(path))
        peers = _opened_peers(bench, path, [HUEY_FSYNC], stack)
        samples = _compare(
            bench,
            [
                _timed(what, _in_ones(broker), count),
                _timed(in_memory, _in_ones_synced(sync), count),
                _timed(alone, _syncs(sync), count),
                *(_timed(name, _ones(cycle), count) for name, cycle in peers.items()),
            ],
        )
    for against, goal in ((in_memory, 1.3), (alone, None)):
        yield Finding(
            row="D1",
            what=what,
            against=against,
            ratio=samples.ratio(what, against),
            goal=goal,
            cost=samples.cost(what),
            cost_against=samples.cost(against),
        )
    yield from _times_faster(bench, samples, "D1", what, {HUEY_FSYNC: None})


def d2(bench: Bench) -> Iterator[Finding]:
    """commit: batches of 10 by 16 threads at once, per message."""
    what = "commit: batches of 10 by 16 threads"
    peers: dict[DurablePeer, float | None] = {HUEY_FSYNC: 6, REDIS: 1.5}
    count = _THREADS * _TEN * max(bench.effort.cycles // 400, 1)
    with folder() as path, _kept(path, "commit") as broker, ExitStack() as stack:
        cycles = {what: _in_tens(broker), **_opened_peers(bench, path, peers, stack)}
        samples = _compare(bench, [_timed(name, _by_threads(cycle), count) for name, cycle in cycles.items()])
    yield from _times_faster(bench, samples, "D2", what, peers)


def d3(bench: Bench) -> Iterator[Finding]:
    """interval: send 1, receive 1, delete 1 by one thread."""
    what = "interval: send 1, receive 1, delete 1"
    memory = "the same in memory"
    peers: dict[DurablePeer, float | None] = {HUEY: 3, LITEQUEUE: 5, PERSIST_QUEUE: None, DISKCACHE: None}
    count = bench.effort.cycles
    with folder() as path, _kept(path, "interval") as broker, ExitStack() as stack:
        opened = _opened_peers(bench, path, peers, stack)
        samples = _compare(
            bench,
            [
                _timed(what, _in_ones(broker), count),
                _timed(memory, _in_ones(Broker()), count),
                *(_timed(name, _ones(cycle), max(count // 10, 1)) for name, cycle in opened.items()),
            ],
        )
    yield Finding(
        row="D3",
        what=what,
        against=memory,
        ratio=samples.ratio(what, memory),
        goal=4,
        cost=samples.cost(what),
        cost_against=samples.cost(memory),
    )
    yield from _times_faster(bench, samples, "D3", what, peers)


def d4(bench: Bench) -> Iterator[Finding]:
    """interval: a receive, a delete and a send with 1,000,000 messages waiting."""
    few, many = 1_000, bench.effort.backlog(1_000_000)
    what = f"interval: receive, delete and send at {many:,} waiting"
    against = f"at {few:,}"
    count = min(bench.effort.cycles, few // 2)
    with (
        folder() as path,
        _kept(path / "few", "interval") as few_kept,
        _kept(path / "many", "interval") as many_kept,
    ):
        queues = {what: _filled(many_kept, many), against: _filled(few_kept, few)}
        samples = _compare(bench, [_timed(name, _take(queue), count) for name, queue in queues.items()])
    yield Finding(
        row="D4",
        what=what,
        against=against,
        ratio=samples.ratio(what, against),
        goal=1.5,
        cost=samples.cost(what),
        cost_against=samples.cost(against),
    )


def d5(bench: Bench) -> Iterator[Finding]:
    """Opening a file: of 1,000,000 messages, and of a stream with 10,000,000 records."""
    messages = bench.effort.backlog(1_000_000)
    rounds = min(bench.effort.rounds, 5)
    with folder() as path:
        _fill_a_file(path, messages)
        ratios, opened, read = [], [], []
        for _ in range(rounds):
            read.append(_seconds(lambda: _read_rows(path / "bench.db")))
            opened.append(_seconds_to_open(path))
            ratios.append(opened[-1] / read[-1])
    yield Finding(
        row="D5",
        what=f"opening {messages:,} messages",
        against="reading their rows with bare sqlite3",
        ratio=Ratio.of(ratios),
        goal=3,
        cost=time_text(min(opened) * 1e9),
        cost_against=time_text(min(read) * 1e9),
    )
    records = bench.effort.backlog(10_000_000)
    with folder() as path:
        with _kept(path, "none") as broker:
            stream = broker.create_stream("bench", shard_count=4)
            for first in range(0, records, 500):
                stream.put_records([(b"%d" % number, str(number)) for number in range(first, first + 500)])
        seconds = [_seconds_to_open(path) for _ in range(rounds)]
    yield Finding(
        row="D5",
        what=f"opening a stream of {records:,} records",
        against="2 s",
        ratio=Ratio.of(second / 2 for second in seconds),
        goal=1,
        cost=time_text(min(seconds) * 1e9),
        cost_against="2 s",
    )


# --- the work ---


@contextmanager
def _kept(path: Path, durability: str) -> Iterator[Broker]:
    broker = queuestream.connect(f"sqlite:///{_made(path) / 'bench.db'}?durability={durability}")
    assert isinstance(broker, Broker)
    with broker:
        yield broker


def _made(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


@contextmanager
def _bare_sync(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Writes something into a file that has its space already, and syncs it."""
    fd = os.open(path / "bare", os.O_RDWR | os.O_CREAT)
    size = 16 << 20
    os.posix_fallocate(fd, 0, size)
    os.fsync(fd)
    place = 0

    def sync(written: bytes) -> None:
        nonlocal place
        place = (place + len(written)) % (size - 2_048)
        os.pwrite(fd, written, place)
        os.fdatasync(fd)

    yield sync
    os.close(fd)


_DELETED = b"deleted" * 20
"""About as long as what the journal says of a delete."""


def _syncs(sync: Callable[[bytes], None]) -> Cycle:
    def cycle(texts: Sequence[str]) -> None:
        for text in texts:
            sync(text.encode())
            sync(_DELETED)

    return cycle


def _in_ones_synced(sync: Callable[[bytes], None]) -> Cycle:
    """What a program would do at the least: the work in memory, and a sync where one is needed."""
    queue = Broker().create_queue("ones")

    def cycle(texts: Sequence[str]) -> None:
        for text in texts:
            queue.send(text)
            sync(text.encode())
            [message] = queue.receive()
            queue.delete(message)
            sync(_DELETED)

    return cycle


def _in_ones(broker: Broker) -> Cycle:
    queue = broker.create_queue("ones")

    def cycle(texts: Sequence[str]) -> None:
        for text in texts:
            queue.send(text)
            [message] = queue.receive()
            queue.delete(message)

    return cycle


def _in_tens(broker: Broker) -> Cycle:
    queue = broker.create_queue("tens")

    def cycle(texts: Sequence[str]) -> None:
        queue.send_batch(texts)
        messages = queue.receive(max_number_of_messages=_TEN)
        if messages:
            queue.delete_batch(messages)

    return cycle


def _ones(cycle: Cycle) -> Cycle:
    def in_ones(texts: Sequence[str]) -> None:
        for text in texts:
            cycle([text])

    return in_ones


def _by_threads(cycle: Cycle) -> Cycle:
    """The same by many threads at once, ten bodies at a time."""

    def by_threads(texts: Sequence[str]) -> None:
        def work(mine: Sequence[str]) -> None:
            for first in range(0, len(mine), _TEN):
                cycle(mine[first : first + _TEN])

        share = len(texts) // _THREADS
        threads = [
            threading.Thread(target=work, args=(texts[number * share : (number + 1) * share],))
            for number in range(_THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return by_threads


def _filled(broker: Broker, count: int) -> queuestream.Queue:
    queue = broker.create_queue("backlog")
    for first in range(0, count, _TEN):
        queue.send_batch(bodies(_TEN) if first + _TEN <= count else bodies(count - first))
    return queue


def _take(queue: queuestream.Queue) -> Cycle:
    """Receive and delete, and send another one, so that the backlog stays what it is."""

    def cycle(texts: Sequence[str]) -> None:
        for text in texts:
            [message] = queue.receive()
            queue.delete(message)
            queue.send(text)

    return cycle


def _read_rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return sum(1 for _ in connection.execute("select * from messages"))
    finally:
        connection.close()


def _fill_a_file(path: Path, count: int) -> None:
    """In a function, so that nothing of it stays in memory beside what is opened."""
    with _kept(path, "none") as broker:
        _filled(broker, count)


def _seconds_to_open(path: Path) -> float:
    gc.collect()
    began = time.perf_counter()
    broker = queuestream.connect(f"sqlite:///{path / 'bench.db'}")
    seconds = time.perf_counter() - began
    broker.close()
    return seconds


# --- measuring ---


def _compare(bench: Bench, variants: Sequence[Elsewhere]) -> Samples:
    return bench.compare(variants, min(bench.effort.rounds, _ROUNDS_MAX))


def _opened_peers(
    bench: Bench, path: Path, peers: Iterable[DurablePeer], stack: ExitStack
) -> dict[str, Cycle]:
    """The cycles of those that are measured here, by their names."""
    return {
        peer.name: stack.enter_context(peer.opened(_made(path / peer.name)))
        for peer in peers
        if _why_not(bench, peer) is None
    }


def _why_not(bench: Bench, peer: DurablePeer) -> str | None:
    return peer.why_not() if bench.effort.peers else "left out"


def _times_faster(
    bench: Bench, samples: Samples, row: str, what: str, peers: Mapping[DurablePeer, float | None]
) -> Iterator[Finding]:
    for peer, goal in peers.items():
        reason = _why_not(bench, peer)
        if reason is not None:
            yield Finding(row=row, what=what, against=f"{peer.name}: {reason}", ratio=None, goal=goal)
            continue
        yield Finding(
            row=row,
            what=what,
            against=f"{peer.name}, times faster",
            ratio=samples.ratio(peer.name, what),
            goal=goal,
            at_least=True,
            cost=samples.cost(what),
            cost_against=samples.cost(peer.name),
        )


def _timed(name: str, cycle: Cycle, count: int) -> Elsewhere:
    """Measured by the clock on the wall, since most of it is waiting."""

    def measured(units: int) -> float:
        texts = bodies(units)
        return _seconds(lambda: cycle(texts)) * 1e9

    return Elsewhere(name, measured, count)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


ROWS = {"D1": d1, "D2": d2, "D3": d3, "D4": d4, "D5": d5}
