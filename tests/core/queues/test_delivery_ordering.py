"""What the ordering of a departing queue remembers, and that a refused take leaves no trace."""

from queuestream import Delivery, Queue
from queuestream.core.chance import Chance
from queuestream.core.queues.delivery_ordering import DeliveryOrdering
from queuestream.core.queues.ordering import Kept
from queuestream.core.queues.visibility import NEVER


def queue_of(clock, count, **knobs):
    queue = Queue("emails", clock=clock, seed=7, delivery=Delivery(**knobs))
    for number in range(1, count + 1):
        queue.send(str(number))
    return queue


def overtaken(ordering):
    return {number: waiting.overtaken for number, waiting in ordering._behind.items()}


def kept_again(queue, delivery, memory, arrived=None):
    """An ordering that is told what the queue's has kept; the messages are visible, and nobody else's."""
    ordering = DeliveryOrdering(delivery, Chance(b"another"))
    messages = list(queue._ages)
    ordering.remember(Kept(messages, messages if arrived is None else arrived, []), memory)
    ordering.check_invariants()
    return ordering


def test_only_what_is_new_is_told_and_what_is_over_is_to_be_forgotten(clock):
    queue = queue_of(clock, 5, reordering=1, overtaken_max=2)
    ordering = queue._ordering
    assert ordering.memory() == {0: (None, {"polls": 0})}

    queue.receive()
    first = overtaken(ordering)
    assert first == {1: 1} | dict.fromkeys(first, 1)
    assert ordering.memory() == {0: (None, {"polls": 0})} | {
        number: (None, {"overtaken": 1}) for number in first
    }
    assert ordering.memory() == {0: (None, {"polls": 0})}

    queue.receive()
    assert overtaken(ordering)[1] == 2
    assert ordering.memory()[1] == (None, {"overtaken": 2})

    [message] = queue.receive()
    assert message.body == "1"
    assert ordering.memory()[1] is None
    assert 1 not in ordering.memory()


def test_polls_and_overtaken_messages_are_remembered(clock):
    queue = queue_of(clock, 4, hosts=3, reordering=1, overtaken_max=5)
    for _ in range(2):
        queue.receive(visibility_timeout=0)
    queue._ordering.take(1, NEVER, clock.now_ns())
    queue._ordering.put_back([], NEVER)
    memory = {0: (None, {"polls": 2}), 2: (None, {"overtaken": 4}), 9: (None, {"overtaken": 1})}
    ordering = kept_again(queue, Delivery(hosts=3, reordering=1, overtaken_max=5), memory)
    assert ordering.polls == 2
    assert overtaken(ordering) == {2: 4}
    # Number 9 is not there any more.
    assert ordering.memory() == {0: (None, {"polls": 2}), 9: None}


def test_what_was_remembered_by_another_delivery_is_bounded_by_this_one(clock):
    queue = queue_of(clock, 3)
    memory = {2: (None, {"overtaken": 40})}
    assert overtaken(kept_again(queue, Delivery(reordering=1, overtaken_max=5), memory)) == {2: 5}
    assert overtaken(kept_again(queue, Delivery(hosts=2), memory)) == {}


def test_messages_that_were_given_back_at_one_instant_are_kept_in_their_order(clock):
    queue = queue_of(clock, 3, hosts=1, duplicates=0.001)
    messages = queue.receive(max_number_of_messages=3)
    for message in reversed(messages):
        queue.change_visibility(message, 0)
    queue.send("4")
    by_number = {message.number: message for message in queue._ages}
    arrived = [by_number[number] for number in (3, 2, 1, 4)]
    ordering = kept_again(queue, Delivery(), {}, arrived)
    for one in (queue._ordering, ordering):
        assert [message.number for message in one.take(9, NEVER, clock.now_ns())] == [3, 2, 1, 4]


def test_a_take_that_is_put_back_has_not_been(clock):
    queue = queue_of(clock, 8, hosts=3, reordering=1, overtaken_max=3)
    ordering = queue._ordering

    def state():
        return ordering.polls, overtaken(ordering), sorted(ordering._waiting)

    queue.receive(max_number_of_messages=2, wait_time_seconds=1)
    for is_short_poll in (True, False):
        before = state()
        if is_short_poll:
            assert ordering.sample()
        taken = ordering.take(2, NEVER, clock.now_ns())
        assert taken
        assert state() != before
        ordering.put_back(taken, NEVER)
        ordering.check_invariants()
        assert state() == before
        if is_short_poll:
            assert ordering.sample()
        assert ordering.take(2, NEVER, clock.now_ns()) == taken
        ordering.put_back(taken, NEVER)
        ordering.check_invariants()
