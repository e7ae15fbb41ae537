"""A bounded queue at full speed for a long time: does anything grow?

    python tests/storage/soak.py --messages 5000000

Threads send, receive and delete messages of a kibibyte in a queue in a file, each of them one after the
other, so that there is always the same number in the queue.  For every so many messages there is a line:
how long the calls took, how large the files are, how much memory the process has.  In the end the last
quarter is compared with the one after the first, when everything has found its size.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import threading
import time
from array import array
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from queuestream.storage.opening import open_broker

BODY = "x" * 1_024
CALLS = ("send", "receive", "delete")
MIB = 1 << 20
say = partial(print, flush=True)
# What may differ, by so large a factor and so many MiB or microseconds: the machine does other things, too.
_SIZES = (("file", 1.1, 4), ("wal", 1.1, 8), ("journal", 1, 32), ("memory", 1.05, 4))
_TIMES = (("p50", 1.5, 10), ("p99", 2, 500))
HEADER = (
    "   messages   a second      send p50   p99   receive p50   p99   delete p50   p99 (µs)"
    "    file    wal  journal  memory (MiB)"
)


class Window(NamedTuple):
    """What was measured over so many messages; times in microseconds, sizes in MiB."""

    messages: int
    per_second: float
    p50: tuple[float, float, float]
    p99: tuple[float, float, float]
    file: float
    wal: float
    journal: float
    memory: float

    def line(self):
        times = "".join(f"{p50:14.1f}{p99:6.0f}" for p50, p99 in zip(self.p50, self.p99, strict=True))
        sizes = f"{self.file:16.1f}{self.wal:7.1f}{self.journal:9.1f}{self.memory:8.1f}"
        return f"{self.messages:11,}{self.per_second:11,.0f}{times}{sizes}"


class Soak:
    """A queue that is worked on, window after window.

    Args:
        folder: Where its file is to be.
        durability: As `connect` takes it.
        threads: How many work.
        waiting: How many messages there are in the queue, always.
    """

    def __init__(self, folder, *, durability="interval", threads=4, waiting=1_000):
        self.path = Path(folder) / "soak.db"
        self.threads = threads
        self.done = 0
        self.broker = open_broker(self.path, durability=durability)
        self.queue = self.broker.create_queue("soak", visibility_timeout=3_600)
        for _ in range(waiting // 10):
            self.queue.send_batch([BODY] * 10)
        self.windows = []

    def window(self, messages):
        """Send, receive and delete so many, and measure."""
        each = messages // self.threads
        times = [[array("d") for _ in CALLS] for _ in range(self.threads)]
        threads = [threading.Thread(target=self._work, args=(each, own)) for own in times]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        self.done += each * self.threads
        by_call = [_percentiles(of_threads) for of_threads in zip(*times, strict=True)]
        p50, p99 = zip(*by_call, strict=True)
        window = Window(
            self.done,
            each * self.threads / seconds,
            p50,
            p99,
            self._size(""),
            self._size("-wal"),
            self._size("-changes-a") + self._size("-changes-b"),
            memory(),
        )
        self.windows.append(window)
        return window

    def _work(self, count, times):
        send, receive, delete = self.queue.send, self.queue.receive, self.queue.delete
        sends, receives, deletes = times
        now = time.perf_counter
        for _ in range(count):
            began = now()
            send(BODY)
            sent = now()
            [message] = receive()
            received = now()
            delete(message)
            deleted = now()
            sends.append(sent - began)
            receives.append(received - sent)
            deletes.append(deleted - received)

    def _size(self, ending):
        return self.path.with_name(self.path.name + ending).stat().st_size / MIB

    def close(self):
        self.broker.close()


def _percentiles(times):
    """The 50th and the 99th, in microseconds, of what several threads have measured in seconds."""
    ordered = sorted(chain.from_iterable(times))
    return 1e6 * ordered[len(ordered) // 2], 1e6 * ordered[len(ordered) * 99 // 100]


def grown(windows):
    """What is larger in the last quarter of the windows than in the one after the first, with both sizes."""
    quarter = len(windows) // 4
    early, late = windows[quarter : 2 * quarter], windows[-quarter:]
    sizes = {}
    for name, factor, allowance in _SIZES:
        before, after = (max(getattr(window, name) for window in some) for some in (early, late))
        if after > before * factor + allowance:
            sizes[name] = before, after
    for name, factor, allowance in _TIMES:
        for place, call in enumerate(CALLS):
            before, after = (
                statistics.median(getattr(window, name)[place] for window in some) for some in (early, late)
            )
            if after > before * factor + allowance:
                sizes[f"{call} {name}"] = before, after
    return sizes


def memory():
    """What the process has in memory now, in MiB; where nobody says so, the most that it ever had."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MIB if sys.platform == "darwin" else 1_024)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--window", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--waiting", type=int, default=1_000)
    parser.add_argument("--durability", default="interval")
    parser.add_argument(
        "--folder", help="where there is room for 100 MB; a temporary one where nothing is said"
    )
    options = parser.parse_args()
    gc.freeze()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        soak = Soak(folder, durability=options.durability, threads=options.threads, waiting=options.waiting)
        say(HEADER)
        while soak.done < options.messages:
            say(soak.window(options.window).line())
        soak.close()
        say(f"closed: {soak.path.stat().st_size / MIB:.1f} MiB in one file")
        found = grown(soak.windows)
        for name, (before, after) in found.items():
            say(f"{name} has grown from {before:.1f} to {after:.1f}")
        if not found:
            say("nothing has grown")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
