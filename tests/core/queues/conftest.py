"""A broker on a virtual clock, alone or heard: whoever heard its changes must be able to rebuild it.

Every behaviour test that uses these fixtures runs twice.  The second time a listener
keeps the changes, and when the test is over a twin is made of nothing but them: it must
hold the same, and hand out the same, as the broker that the test left behind.
"""

from contextlib import contextmanager

import pytest

from queuestream import Broker, VirtualClock


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(params=["alone", "heard"])
def broker(clock, request):
    broker = Broker(clock=clock, seed=7)
    with rebuilt_in_the_end(broker, heard=request.param == "heard"):
        yield broker


@pytest.fixture
def queue(broker):
    return broker.create_queue("emails")


@pytest.fixture
def fifo(broker):
    return broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)


@contextmanager
def rebuilt_in_the_end(broker, *, heard):
    changes = []
    if heard:
        broker.listen(changes.extend)
    yield
    broker.check_invariants()
    if heard and broker.closed_because is None:
        assert_rebuilt(broker, changes)


@pytest.fixture
def rebuilt():
    """For brokers of other kinds: `with rebuilt(broker, heard=True): ...`."""
    return rebuilt_in_the_end


def assert_rebuilt(broker, changes):
    expected = everything(broker)
    twin = Broker(clock=VirtualClock(start=0), seed=7)
    for change in changes:
        change.apply(twin)
    twin.clock.advance(nanoseconds=broker.clock.now_ns())
    twin.check_invariants()
    assert everything(twin) == expected
    for name, queue in usable(broker):
        messages = None
        while messages != []:
            messages = queue.receive(max_number_of_messages=10, visibility_timeout=600, wait_time_seconds=0)
            assert messages == twin.queues[name].receive(
                max_number_of_messages=10, visibility_timeout=600, wait_time_seconds=0
            )
    assert everything(twin) == everything(broker)
    twin.check_invariants()


def usable(broker):
    """The queues and their names, without those that were created just now where that takes a while."""
    return [(queue.name, queue) for queue in broker.list_queues() if queue._is_usable]


def everything(broker):
    """All that can be seen of a broker's queues without touching them."""
    seen = {
        name: (queue.peek(), queue.counts(), queue.attributes, queue.tags, queue.last_modified_ns)
        for name, queue in usable(broker)
    }
    tasks = {name: broker.queues[name].list_message_move_tasks(max_results=10) for name in seen}
    return seen, tasks, broker.next_event_ns()
