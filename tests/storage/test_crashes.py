"""`kill -9` at any instant: what was acknowledged is there, what was deleted stays away, order holds.

A child process works with nine threads on one file and tells what it does; it is killed, and the file is
opened here and checked against what it told.  Then the next child goes on with the same file.
"""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crashes.checker import Seen
from crashes.workload import ROUND_SECONDS

from queuestream import VirtualClock, connect

WORKLOAD = Path(__file__).parent / "crashes" / "workload.py"


class Crashing:
    """A file that children work on, one after the other, until each is killed."""

    def __init__(self, path, durability, seed):
        self.path = path
        self.durability = durability
        self.chance = random.Random(seed)
        self.seen = Seen()
        self.round = 0
        self.killed_at_work = 0
        self.launcher = subprocess.Popen(
            [sys.executable, str(WORKLOAD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with self.open() as broker:
            dead = broker.create_queue("dead")
            broker.create_queue(
                "tasks", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3}
            )
            broker.create_queue("orders.fifo", fifo_queue=True)
            broker.create_stream("events", shard_count=2, retention_period_hours=8760)

    def open(self):
        clock = VirtualClock()
        clock.advance(seconds=self.round * ROUND_SECONDS)
        return connect(f"sqlite:///{self.path}", clock=clock, durability="none")

    def close(self):
        self.launcher.stdin.close()
        self.launcher.wait(10)
        self.launcher.stdout.close()

    def crash(self):
        """Let a child work for a while, kill it, and look."""
        self.round += 1
        request = {"path": str(self.path), "round": self.round, "durability": self.durability}
        self.launcher.stdin.write(json.dumps(request) + "\n")
        self.launcher.stdin.flush()
        pid = None
        lines = self.chance.choice([0, 1, 5, 20, 50, 100, 200, 400])
        while True:
            words = json.loads(self.launcher.stdout.readline())
            if words[0] == "ended":
                break
            if words[0] == "pid":
                pid = words[1]
            else:
                self.seen.hear(words)
            lines -= 1
            if lines <= 0 and pid is not None:
                os.kill(pid, signal.SIGKILL)
                self.killed_at_work += lines == 0
                pid = None
        broker = self.open()
        try:
            assert self.seen.check(broker) == []
        finally:
            broker.close()


def crash(folder, durability, seed, times):
    """Kill one child after the other; what the clients have seen."""
    crashing = Crashing(folder / f"{seed}.db", durability, seed)
    try:
        for _ in range(times):
            crashing.crash()
    finally:
        crashing.close()
    return crashing.seen


forked = pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forked")


@forked
def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path):
    seen = crash(tmp_path, "none", seed=1, times=25)
    assert all(seen.done[what] for what in ("send", "order", "delete", "put", "split"))


@pytest.mark.slow
@forked
@pytest.mark.parametrize("durability", ["commit", "interval", "none"])
def test_a_killed_process_loses_nothing_that_it_acknowledged_for_long(tmp_path, durability):
    for seed in range(7):
        crash(tmp_path, durability, seed, times=25)
