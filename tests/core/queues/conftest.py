"""A broker on a virtual clock, alone or heard: whoever heard its changes must be able to rebuild it.

Every behaviour test that uses these fixtures runs twice.  The second time a listener
keeps the changes, and when the test is over a twin is made of nothing but them: it must
hold the same, and hand out the same, as the broker that the test left behind.
"""

import pytest

from queuestream import Broker, VirtualClock


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(params=["alone", "heard"])
def broker(clock, request):
    broker = Broker(clock=clock, seed=7)
    changes = []
    if request.param == "heard":
        broker.listen(changes.extend)
    yield broker
    broker.check_invariants()
    if request.param == "heard" and broker.closed_because is None:
        assert_rebuilt(broker, changes)


@pytest.fixture
def queue(broker):
    return broker.create_queue("emails")


@pytest.fixture
def fifo(broker):
    return broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)


def assert_rebuilt(broker, changes):
    expected = everything(broker)
    twin = Broker(clock=VirtualClock(start=0), seed=7)
    for change in changes:
        change.apply(twin)
    twin.clock.advance(nanoseconds=broker.clock.now_ns())
    twin.check_invariants()
    assert everything(twin) == expected
    for name, queue in broker.queues.items():
        messages = None
        while messages != []:
            messages = queue.receive(max_number_of_messages=10, visibility_timeout=600, wait_time_seconds=0)
            assert messages == twin.queues[name].receive(
                max_number_of_messages=10, visibility_timeout=600, wait_time_seconds=0
            )
    assert everything(twin) == everything(broker)
    twin.check_invariants()


def everything(broker):
    """All that can be seen of a broker's queues without touching them."""
    seen = {
        name: (queue.peek(), queue.counts(), queue.attributes, queue.tags, queue.last_modified_ns)
        for name, queue in sorted(broker.queues.items())
    }
    tasks = {name: broker.queues[name].list_message_move_tasks(max_results=10) for name in seen}
    return seen, tasks, broker.next_event_ns()
