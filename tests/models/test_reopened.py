"""A broker in a file is the broker in memory, wherever it is closed, killed or folded and opened again.

A series of calls is made on both.  Between the calls the one in a file is closed and opened, or
opened from a copy of its files as a kill at that instant would have left them, or folded, or none
of it.  All answers and all that can be seen are equal, always.
"""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_calls import (
    CONSISTENCY,
    DELIVERY,
    LIMITS,
    STEPS,
    ask,
    begin_ids_anew,
    create_queues,
    keep_handles,
    new_broker,
    pause,
    seen,
)

from queuestream import VirtualClock
from queuestream.storage.opening import open_broker

CLOSED, KILLED, FOLDED, NOTHING = "closed", "killed", "folded", "nothing"
BETWEEN = st.lists(st.sampled_from([NOTHING, NOTHING, NOTHING, CLOSED, KILLED, KILLED, FOLDED]), max_size=60)


class Kept:
    """A broker in a file, which is opened again and again."""

    def __init__(self, folder, clock, consistency, delivery):
        self.folder = Path(folder)
        self.clock = clock
        self.consistency = consistency
        self.delivery = delivery
        self.number = 0
        self.broker = self.open()

    def open(self):
        folder = self.folder / str(self.number)
        folder.mkdir(exist_ok=True)
        return open_broker(
            folder / "kept.db",
            clock=self.clock,
            seed=1,
            queue_limits=LIMITS,
            consistency=self.consistency,
            delivery=self.delivery,
            durability="none",
        )

    def end(self, how):
        if how == FOLDED:
            self.broker.storage.fold()
        elif how == CLOSED:
            self.broker.close()
            assert [path.name for path in (self.folder / str(self.number)).iterdir()] == ["kept.db"]
            self.broker = self.open()
        elif how == KILLED:
            here, self.number = self.folder / str(self.number), self.number + 1
            with self.broker.storage._folding:  # a copy takes a while, a kill is an instant
                shutil.copytree(here, self.folder / str(self.number))
            self.broker.close()
            shutil.rmtree(here)
            self.broker = self.open()


def same(steps, between, consistency, delivery, folder):
    clock = VirtualClock()
    broker = new_broker(clock, consistency, delivery)
    kept = Kept(folder, clock, consistency, delivery)
    create_queues(clock, broker, kept.broker)
    handles = []
    ends = iter(between)
    for number, step in enumerate(steps):
        kept.end(next(ends, NOTHING))
        if not isinstance(step, tuple):
            pause(clock, broker, step)
            continue
        for one in (broker, kept.broker):
            begin_ids_anew(one, number)
        answer = ask(broker, handles, step)
        assert ask(kept.broker, handles, step) == answer
        keep_handles(handles, step, answer)
    kept.end(next(ends, CLOSED))
    # What is due, but was touched by nobody yet, as a move task's message, happens at the first look.
    for one in (broker, kept.broker):
        begin_ids_anew(one, "the end")
    assert seen(kept.broker) == seen(broker)
    kept.broker.close()


@settings(max_examples=8)
@given(STEPS, BETWEEN, CONSISTENCY, DELIVERY)
def test_a_broker_reopened_at_any_point_is_the_one_in_memory(
    tmp_path_factory, steps, between, consistency, delivery
):
    same(steps, between, consistency, delivery, tmp_path_factory.mktemp("kept"))


@pytest.mark.slow
@settings(max_examples=300)
@given(STEPS, BETWEEN, CONSISTENCY, DELIVERY)
def test_a_broker_reopened_at_any_point_is_the_one_in_memory_for_long(
    tmp_path_factory, steps, between, consistency, delivery
):
    same(steps, between, consistency, delivery, tmp_path_factory.mktemp("kept"))
