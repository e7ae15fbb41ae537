"""Whatever storage is about to write, the process is killed at that moment, or the power is cut.

A series of calls is made on a broker in a file and on one in memory.  When a certain thing is asked of
the disk, a copy is made of what a kill would leave, and of what a power cut would: of the journal any mix of
what was synced and what was stored since.  Both are opened, and equal the broker in memory, before
the call that was going on or after it.  A power cut may undo that somebody has received a message of a
standard queue, for which nobody waits; what was sent is there, and what was deleted is not.
"""

import random
import shutil

import pytest
from faulty_disk import SECTOR, FaultyDisk
from scripted import World, state

from queuestream import VirtualClock
from queuestream.storage.opening import open_broker

pytestmark = pytest.mark.usefixtures("repeatable")


class WatchedDisk(FaultyDisk):
    """A disk that calls somebody when a certain thing is asked of it, and knows what a power cut would leave.

    Args:
        at: The number of that thing.
    """

    def __init__(self, at):
        super().__init__()
        self.at = at
        self.call = None
        self.paths, self.safe = {}, {}

    def _asked(self, what):
        if len(self.asked) == self.at and self.call is not None:
            call, self.call = self.call, None
            with self.well():
                call()
        super()._asked(what)

    def open(self, path, mode=0o644):
        fd = super().open(path, mode)
        self.paths[fd] = path
        self.safe[path] = b""
        return fd

    def sync(self, fd, mapping):
        super().sync(fd, mapping)
        self.safe[self.paths[fd]] = bytes(mapping)

    def without_power(self, path, chance):
        """What a power cut would leave of a file of the journal: sectors reach the disk in any order."""
        now, share = path.read_bytes(), chance.choice([0.0, 0.1, 0.5, 0.9])
        before = self.safe.get(path, now).ljust(len(now), b"\0")
        sectors = range(0, len(now), SECTOR)
        return b"".join((now if chance.random() < share else before)[at : at + SECTOR] for at in sectors)


class CutShort:
    """A world, and what was left of it at a certain moment."""

    def __init__(self, folder, at):
        self.folder = folder
        self.disk = WatchedDisk(at)
        self.world = World(folder, self.disk)
        self.disk.call = self.take
        self.now_ns = None
        self.states = []
        for _ in self.world.run():
            if len(self.states) == 1:
                self.states.append(state(self.world.twin))

    def take(self):
        self.now_ns = self.world.clock.now_ns()
        self.states = [state(self.world.twin)]
        here = self.world.path.parent
        for how in ("killed", "cut"):
            shutil.copytree(here, self.folder / how)
        chance = random.Random(self.disk.at)
        for file in here.glob("*-changes-*"):
            (self.folder / "cut" / file.name).write_bytes(self.disk.without_power(file, chance))
        (self.folder / "cut" / f"{self.world.path.name}-shm").unlink(missing_ok=True)

    def found(self, how):
        clock = VirtualClock()
        clock.advance(nanoseconds=self.now_ns - clock.now_ns())
        with open_broker(self.folder / how / self.world.path.name, clock=clock) as broker:
            return state(broker)


def kept_for_certain(found):
    """Of a state, what a power cut must not change."""
    queues, [streams, *rest] = found
    standard = [messages for name, (messages, *_) in queues.items() if "fifo" not in name]
    standard = sorted(message.message_id for messages in standard for message in messages)
    return sorted(queues), standard, queues.get("orders.fifo"), streams, rest[1:]


def check(folder, numbers):
    for number in numbers:
        cut_short = CutShort(folder / str(number), number)
        assert cut_short.found("killed") in cut_short.states
        before_or_after = [kept_for_certain(one) for one in cut_short.states]
        assert kept_for_certain(cut_short.found("cut")) in before_or_after
        shutil.rmtree(folder / str(number))


@pytest.fixture
def count(fast_folder):
    """How many things are asked of the disk in all."""
    return len(CutShort(fast_folder / "all", -1).disk.asked)


def test_a_kill_or_a_power_cut_at_any_write_takes_nothing_that_was_answered(fast_folder, count):
    check(fast_folder, random.Random(2).sample(range(count), 6))


@pytest.mark.slow
def test_a_kill_or_a_power_cut_at_every_third_write_takes_nothing_that_was_answered(fast_folder, count):
    check(fast_folder, range(0, count, 3))
