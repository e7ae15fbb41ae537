"""Queues are in their rows: wherever they are gathered and loaded, they go on as if nothing had been.

A series of calls is made on a broker, and on another that is thrown away again and again.  The rows
hear the changes of that one, are gathered into a database now and then, and its successor is made of
the database and of the changes that were heard since, as the store does it.
"""

import sqlite3
import weakref

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
    pause,
    seen,
)

from queuestream import Broker, VirtualClock
from queuestream.storage import schema
from queuestream.storage.queue_rows import QueueRows

# With the second ones a tenant is soon noisy.
ANY_LIMITS = st.sampled_from(
    [LIMITS, LIMITS._replace(in_flight_max=10, fair_noisy_in_flight_min=2, fair_noisy_share=0.4)]
)
NOTHING, GATHERED, RELOADED, GATHERED_AND_RELOADED = range(4)
BETWEEN = st.lists(
    st.sampled_from([NOTHING, NOTHING, NOTHING, GATHERED, RELOADED, GATHERED_AND_RELOADED]), max_size=70
)


def empty_database():
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(schema.TABLES + QueueRows.TABLES)
    return connection


def places_of(ordering):
    """The numbers of what an ordering remembers."""
    if hasattr(ordering, "_line"):
        return [group.place for group in ordering._line]
    if hasattr(ordering, "_tenants"):
        return [0, *sorted(tenant.number for tenant in ordering._tenants.values())]
    if hasattr(ordering, "_behind"):
        return [0, *sorted(ordering._behind)]
    return []


class Kept:
    """A broker that is in a database, and the changes since."""

    def __init__(self, new_broker):
        self.new_broker = new_broker
        self.connection = empty_database()
        weakref.finalize(self, self.connection.close)
        self.heard = []
        self.load()

    def load(self):
        self.broker = self.new_broker()
        self.rows = QueueRows(self.broker)
        self.rows.load(self.connection)
        for changes in self.heard:
            for change in changes:
                self.rows.handlers[type(change)](change)
            for change in changes:
                change.apply(self.broker)
        self.broker.listen(self.hear)

    def hear(self, changes):
        self.heard.append(changes)
        for change in changes:
            self.rows.handlers[type(change)](change)

    def gather(self):
        now_ns = self.broker.clock.now_ns()
        schema.write(self.connection, [self.rows.gather(now_ns)], folded_epoch=0, saved_ns=now_ns)
        self.heard.clear()

    def check_rows(self):
        """There are rows of what is there, and of nothing else."""
        for kept in self.rows._kept.values():
            kept.is_changed = True  # time may have changed what an ordering remembers
        self.gather()
        rows = self.connection.execute(
            "select name, id << 40, purged_number, last_number from queues"
        ).fetchall()
        assert {name for name, *_ in rows} == self.broker.queues.keys()
        for name, base, purged_number, last_number in rows:
            queue = self.broker.queues[name]
            numbers = self.numbers("messages", base | purged_number + 1, base | last_number)
            assert numbers == [message.number for message in queue._ages]
            assert self.numbers("message_groups", base, base | (1 << 40) - 1) == places_of(queue._ordering)

    def numbers(self, table, first_key, last_key):
        keys = self.connection.execute(
            f"select key & 1099511627775 from {table} where key between ? and ? order by key",
            (first_key, last_key),
        )
        return [number for (number,) in keys]

    def go_on(self, how):
        if how in {GATHERED, GATHERED_AND_RELOADED}:
            self.gather()
        if how in {RELOADED, GATHERED_AND_RELOADED}:
            self.load()


def order_of(queue):
    """Which messages would be handed out now, in which order."""
    taken = queue._ordering.take(1_000, 1 << 63, queue.broker.clock.now_ns())
    return [message.number for message in taken]


def same(steps, between, consistency, delivery, limits):
    clock = VirtualClock()

    def new_broker():
        return Broker(clock=clock, seed=1, queue_limits=limits, consistency=consistency, delivery=delivery)

    broker = new_broker()
    kept = Kept(new_broker)
    create_queues(clock, broker, kept.broker)
    handles = []
    ways = iter(between)
    for number, step in enumerate(steps):
        kept.go_on(next(ways, NOTHING))
        if not isinstance(step, tuple):
            pause(clock, broker, step)
            continue
        for one in (broker, kept.broker):
            begin_ids_anew(one, number)
        answer = ask(broker, handles, step)
        assert ask(kept.broker, handles, step) == answer
        keep_handles(handles, step, answer)
    for how in (RELOADED, GATHERED, RELOADED):
        kept.go_on(how)
        for one in (broker, kept.broker):
            begin_ids_anew(one, how)
        assert seen(kept.broker) == seen(broker)
    kept.check_rows()
    for name, queue in broker.queues.items():
        assert order_of(kept.broker.queues[name]) == order_of(queue)


@given(STEPS, BETWEEN, CONSISTENCY, DELIVERY, ANY_LIMITS)
def test_queues_that_are_loaded_from_their_rows_go_on_as_they_were(
    steps, between, consistency, delivery, limits
):
    same(steps, between, consistency, delivery, limits)


@pytest.mark.slow
@settings(max_examples=400)
@given(STEPS, BETWEEN, CONSISTENCY, DELIVERY, ANY_LIMITS)
def test_queues_that_are_loaded_from_their_rows_go_on_as_they_were_for_long(
    steps, between, consistency, delivery, limits
):
    same(steps, between, consistency, delivery, limits)
