"""What the queue costs: rows Q1 to Q5, and V1 for 100,000 messages in flight.

Each row is a generator of findings over a `Bench`; the goals are the issue's.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import queuestream
from benchmarks import floors
from benchmarks.harness import Bench, Finding, Ratio, Variant, Work, bodies, time_text
from benchmarks.peers import PEERS, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from queuestream import Queue

_TEN = 10
_VISIBILITY_TIMEOUT_SECONDS = 30
_DELAY_SECONDS_MAX = 900
_FLAT = 1.5
"""What Q3 allows a large backlog to cost; "flat" means the same elsewhere."""


def cycle_in_ones(queue: Queue) -> Callable[[int], Work]:
    """Send one, receive one, delete one."""

    def prepare(count: int) -> Work:
        texts = bodies(count)

        def work() -> None:
            for body in texts:
                queue.send(body)
                [message] = queue.receive()
                queue.delete(message)

        return work

    return prepare


def _cycle_with_digest(queue: Queue) -> Callable[[int], Work]:
    """The same, and the sender looks at the digest, so that as many digests are made as on the floor."""

    def prepare(count: int) -> Work:
        texts = bodies(count)

        def work() -> None:
            for body in texts:
                _ = queue.send(body).md5_of_body
                [message] = queue.receive()
                queue.delete(message)

        return work

    return prepare


def floor_in_ones(count: int) -> Work:
    """The floor of the same."""
    texts = bodies(count)
    return lambda: floors.queue_in_ones(texts)


def q1(bench: Bench) -> Iterator[Finding]:
    """Send 1, receive 1, delete 1 on an empty standard queue."""
    what = "send 1, receive 1, delete 1"
    with_digest = f"{what}, digest read"
    cycles = bench.effort.cycles
    samples = bench.compare(
        [
            Variant("the floor", floor_in_ones, cycles),
            Variant(what, cycle_in_ones(queuestream.Queue("bench")), cycles, ours=True),
            Variant(with_digest, _cycle_with_digest(queuestream.Queue("bench")), cycles),
        ]
    )
    for name, goal in ((what, 2), (with_digest, None)):
        yield Finding(
            row="Q1",
            what=name,
            against="the floor",
            ratio=samples.ratio(name, "the floor"),
            goal=goal,
            cost=samples.cost(name),
            cost_against=samples.cost("the floor"),
        )
    if bench.effort.peers:
        for peer in PEERS:
            yield _against(bench, peer, what)


def _against(bench: Bench, peer: Peer, what: str) -> Finding:
    if not peer.installed:
        return Finding(
            row="Q1", what=what, against=f"{peer.name}: not installed", ratio=None, goal=peer.times_faster
        )
    with peer.opened(()) as cycle:

        def prepare(count: int) -> Work:
            texts = bodies(count)
            return lambda: cycle(texts)

        samples = bench.compare(
            [
                Variant("ours", cycle_in_ones(queuestream.Queue("bench")), bench.effort.cycles, ours=True),
                Variant(peer.name, prepare, peer.cycles),
            ]
        )
    return Finding(
        row="Q1",
        what=what,
        against=f"{peer.name}, times faster",
        ratio=samples.ratio(peer.name, "ours"),
        goal=peer.times_faster,
        at_least=True,
        cost=samples.cost("ours"),
        cost_against=samples.cost(peer.name),
    )


def q2(bench: Bench) -> Iterator[Finding]:
    """Send 10, receive 10, delete 10 on an empty standard queue."""
    queue = queuestream.Queue("bench")

    def batched(count: int) -> list[list[str]]:
        texts = bodies(count)
        return [texts[first : first + _TEN] for first in range(0, count, _TEN)]

    def plain(count: int) -> Work:
        batches = batched(count)

        def work() -> None:
            for batch in batches:
                queue.send_batch(batch)
                messages = queue.receive(max_number_of_messages=_TEN)
                queue.delete_batch(messages)

        return work

    def digesting(count: int) -> Work:
        batches = batched(count)

        def work() -> None:
            for batch in batches:
                for sent in queue.send_batch(batch).successful.values():
                    _ = sent.md5_of_body
                messages = queue.receive(max_number_of_messages=_TEN)
                queue.delete_batch(messages)

        return work

    def floor(count: int) -> Work:
        texts = bodies(count)
        return lambda: floors.queue_in_tens(texts)

    cycles = bench.effort.cycles
    in_tens = "the same in tens, per message"
    with_digests = f"{in_tens}, digests read"
    samples = bench.compare(
        [
            Variant("the floor", floor, cycles),
            Variant(in_tens, plain, cycles, ours=True),
            Variant(with_digests, digesting, cycles),
            Variant("Q1", cycle_in_ones(queuestream.Queue("bench")), cycles),
        ]
    )
    for what, against, goal in (
        (in_tens, "the floor", 2),
        (with_digests, "the floor", None),
        (in_tens, "Q1", None),
    ):
        yield Finding(
            row="Q2",
            what=what,
            against=against,
            ratio=samples.ratio(what, against),
            goal=goal,
            cost=samples.cost(what),
            cost_against=samples.cost(against),
        )


def q3(bench: Bench) -> Iterator[Finding]:
    """A send, and a receive + delete, at many waiting messages; the memory that a message takes."""
    many = bench.effort.backlog(1_000_000)
    few = min(1_000, many // 2)
    # A slice is short, so that it leaves the small backlog about as it is; the rounds are more instead.
    units = few // 10
    variants = []
    for count in (few, many):
        queue = _filled(queuestream.Queue("bench"), count)
        variants += [
            Variant(f"send at {count:,} waiting", _sends(queue), units, ours=count == many),
            Variant(f"receive + delete at {count:,} waiting", _receives(queue), units, ours=count == many),
        ]
    samples = bench.compare(variants, rounds=4 * bench.effort.rounds)
    for work in ("send", "receive + delete"):
        what, against = f"{work} at {many:,} waiting", f"{work} at {few:,} waiting"
        yield Finding(
            row="Q3",
            what=what,
            against=against,
            ratio=samples.ratio(what, against),
            goal=_FLAT,
            cost=samples.cost(what),
            cost_against=samples.cost(against),
        )
    del variants, queue
    yield _memory(many)
    if bench.effort.peers:
        for peer in PEERS:
            if peer.installed and peer.backlogs is not None:
                yield _growth(bench, peer, *peer.backlogs)


def _filled(queue: Queue, count: int) -> Queue:
    for body in _each_body(count):
        queue.send(body)
    return queue


def _each_body(count: int) -> Iterator[str]:
    """Bodies one at a time, so that nothing else keeps them."""
    for first in range(0, count, 1_000):
        yield from bodies(min(1_000, count - first))


def _sends(queue: Queue) -> Callable[[int], Work]:
    def prepare(count: int) -> Work:
        texts = bodies(count)

        def work() -> None:
            for body in texts:
                queue.send(body)

        return work

    return prepare


def _receives(queue: Queue) -> Callable[[int], Work]:
    def prepare(count: int) -> Work:
        def work() -> None:
            for _ in range(count):
                [message] = queue.receive()
                queue.delete(message)

        return work

    return prepare


_MEMORY = """\
import sys
from queuestream import Queue
from benchmarks.queues import _filled, resident_bytes

queue = _filled(Queue("bench"), 100)
before = resident_bytes()
_filled(queue, int(sys.argv[1]))
print(resident_bytes() - before)
"""


def resident_bytes() -> int:
    """The memory of this process, as the system counts it; its peak where only that is known."""
    import resource

    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _memory(count: int) -> Finding:
    """Fill a queue in a process of its own, where no memory lies free that others have used."""
    finished = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(count)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    per_message = int(finished.stdout) / count
    kibibytes = per_message / 1024
    return Finding(
        row="Q3",
        what=f"memory of a message, {count:,} waiting",
        against="1 KiB, its body",
        ratio=Ratio(kibibytes, kibibytes, kibibytes),
        goal=1.6,
        cost=f"{per_message:,.0f} B",
        cost_against="1,024 B",
    )


def _growth(bench: Bench, peer: Peer, few: int, many: int) -> Finding:
    """How a peer's cycle grows with its backlog."""
    # One queue at a time: kombu's memory is one for the whole process.
    with peer.opened(bodies(few)) as cycle:
        cheap = [_cycle_ns(bench, cycle, peer.cycles_at_a_backlog) for _ in range(3)]
    with peer.opened(bodies(many)) as cycle:
        dear = [_cycle_ns(bench, cycle, peer.cycles_at_a_backlog) for _ in range(3)]
    return Finding(
        row="Q3",
        what=f"{peer.name}: a cycle at {many:,} waiting",
        against=f"at {few:,}",
        ratio=Ratio.of(one / other for one, other in zip(dear, cheap, strict=True)),
        cost=time_text(statistics.median(dear)),
        cost_against=time_text(statistics.median(cheap)),
    )


def _cycle_ns(bench: Bench, cycle: Callable[[list[str]], None], count: int) -> float:
    texts = bodies(count)
    return bench.cpu_ns(lambda: cycle(texts)) / count


def q4(bench: Bench) -> Iterator[Finding]:
    """Send 1, receive 1, delete 1 on a FIFO queue in which every group has a message waiting."""
    cycles = bench.effort.cycles
    most = bench.effort.backlog(100_000)
    sizes = (10, min(1_000, most - 1), most)
    few, middle, many = (f"FIFO, {count:,} groups" for count in sizes)
    variants = {"Q1": Variant("Q1", cycle_in_ones(queuestream.Queue("bench")), cycles)}
    for name, count in zip((few, middle, many), sizes, strict=True):
        variants[name] = Variant(name, _fifo_cycle(count), cycles, ours=name == middle)
    by_content = "FIFO, deduplicated by content"
    variants[by_content] = Variant(by_content, _fifo_cycle(sizes[1], by_content=True), cycles)
    samples = bench.compare(variants.values())
    for what, against, goal in (
        (middle, "Q1", 2),
        (by_content, "Q1", None),
        (many, few, _FLAT),
        (many, middle, _FLAT),
    ):
        yield Finding(
            row="Q4",
            what=what,
            against=against,
            ratio=samples.ratio(what, against),
            goal=goal,
            cost=samples.cost(what),
            cost_against=samples.cost(against),
        )


def _fifo_cycle(groups: int, *, by_content: bool = False) -> Callable[[int], Work]:
    queue = queuestream.Queue("bench.fifo", fifo_queue=True, content_based_deduplication=by_content)
    names = [f"aircraft-{number}" for number in range(groups)]
    sent = 0

    def next_sends(count: int) -> list[tuple[str, str, str | None]]:
        nonlocal sent
        numbers = range(sent, sent + count)
        sent += count
        return [
            (f"{number:016d}{body}", names[number % groups], None if by_content else f"departure-{number}")
            for number, body in zip(numbers, bodies(count), strict=True)
        ]

    for body, group, deduplication in next_sends(groups):
        queue.send(body, message_group_id=group, message_deduplication_id=deduplication)

    def prepare(count: int) -> Work:
        sends = next_sends(count)

        def work() -> None:
            for body, group, deduplication in sends:
                queue.send(body, message_group_id=group, message_deduplication_id=deduplication)
                [message] = queue.receive()
                queue.delete(message)

        return work

    return prepare


def q5(bench: Bench) -> Iterator[Finding]:
    """Messages with random delays."""
    count = bench.effort.backlog(100_000)
    chance = random.Random(7)
    delays = [chance.randint(1, _DELAY_SECONDS_MAX) for _ in range(count)]

    def plain(count: int) -> Work:
        return _sends(queuestream.Queue("bench", clock=queuestream.VirtualClock()))(count)

    def delayed(count: int) -> Work:
        queue = queuestream.Queue("bench", clock=queuestream.VirtualClock())
        texts = bodies(count)

        def work() -> None:
            for body, delay_seconds in zip(texts, delays, strict=False):
                queue.send(body, delay_seconds=delay_seconds)

        return work

    samples = bench.compare(
        [Variant("a plain send", plain, count), Variant("a delayed send", delayed, count, ours=True)],
        rounds=min(bench.effort.rounds, 7),
    )
    yield Finding(
        row="Q5",
        what=f"a delayed send, {count:,} of them",
        against="a plain send",
        ratio=samples.ratio("a delayed send", "a plain send"),
        goal=1.5,
        cost=samples.cost("a delayed send"),
        cost_against=samples.cost("a plain send"),
    )


def v1(bench: Bench) -> Iterator[Finding]:
    """Many messages in flight whose visibility timeouts end at the same instant."""
    count = bench.effort.backlog(100_000)
    ordinary: list[float] = []
    following: list[float] = []
    first_delivery: list[float] = []
    redelivery: list[float] = []
    for _ in range(min(bench.effort.rounds, 5)):
        clock = queuestream.VirtualClock()
        queue = queuestream.Queue("bench", clock=clock, visibility_timeout=_VISIBILITY_TIMEOUT_SECONDS)
        _filled(queue, count)
        alone = min(10, count // 10)
        nothing = statistics.median(bench.cpu_ns(_nothing) for _ in range(alone))
        ordinary.append(statistics.median(bench.cpu_ns(queue.receive) - nothing for _ in range(alone)))
        first_delivery.append(bench.cpu_ns(lambda: _receive_all(queue)) / (count - alone))  # noqa: B023
        clock.advance(seconds=_VISIBILITY_TIMEOUT_SECONDS)
        following.append(bench.cpu_ns(queue.receive) - nothing)
        redelivery.append(bench.cpu_ns(lambda: _receive_all(queue), ours=True) / (count - 1))  # noqa: B023
    for what, against, costs, others, goal in (
        ("the next receive", "an ordinary receive", following, ordinary, 25),
        ("redelivery, per message", "first delivery", redelivery, first_delivery, 1.5),
    ):
        yield Finding(
            row="V1",
            what=f"{count:,} in flight come back: {what}",
            against=against,
            ratio=Ratio.of(cost / other for cost, other in zip(costs, others, strict=True)),
            goal=goal,
            cost=time_text(statistics.median(costs)),
            cost_against=time_text(statistics.median(others)),
        )


def _nothing() -> None:
    pass


def _receive_all(queue: Queue) -> None:
    while queue.receive(max_number_of_messages=_TEN):
        pass


ROWS = {"Q1": q1, "Q2": q2, "Q3": q3, "V1": v1, "Q4": q4, "Q5": q5}
