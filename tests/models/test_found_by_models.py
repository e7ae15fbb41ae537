"""What reading for, and searching with, the naive models has found: each as a short story."""

import pytest

from queuestream import Broker
from queuestream.core.clock import SECOND
from queuestream.core.queues.limits import QueueLimits


def bodies(messages):
    return [message.body for message in messages]


def policy(target, max_receive_count=1):
    return {"deadLetterTargetArn": target.arn, "maxReceiveCount": max_receive_count}


@pytest.fixture
def dead(broker):
    return broker.create_queue("dead")


@pytest.fixture
def send(fifo_queue):
    def send(body, group, **arguments):
        return fifo_queue.send(body, message_group_id=group, message_deduplication_id=body, **arguments)

    return send


def twin_of(broker, heard):
    twin = Broker(clock=broker.clock, seed=7)
    for change in heard:
        change.apply(twin)
    return twin


def test_a_failed_message_that_comes_due_first_does_not_hide_the_one_that_comes_due_next(clock, queue, dead):
    queue.set_attributes(redrive_policy=policy(dead))
    queue.send("fails")
    queue.receive(visibility_timeout=5)
    queue.send("delayed", delay_seconds=6)
    clock.advance(seconds=10)
    queue.send("arrives later")
    assert bodies(queue.receive(max_number_of_messages=2)) == ["delayed", "arrives later"]
    assert bodies(dead.peek()) == ["fails"]


def test_a_receive_that_its_listener_refused_leaves_the_order_of_what_came_due_together(broker, clock, queue):
    queue.send_batch(["one", "two"])
    queue.receive(max_number_of_messages=2, visibility_timeout=5)
    clock.advance(seconds=5)
    refuses = [True]

    def listener(changes):
        if refuses:
            raise OSError

    broker.listen(listener)
    with pytest.raises(OSError):
        queue.receive()
    refuses.clear()
    assert bodies(queue.receive(max_number_of_messages=2)) == ["one", "two"]


@pytest.mark.parametrize("somebody_looks", [True, False])
def test_groups_take_turns_by_when_they_became_ready_whether_or_not_somebody_looked(
    clock, fifo_queue, send, somebody_looks
):
    send("first", "came-due")
    fifo_queue.receive(visibility_timeout=5)
    clock.advance(seconds=7)
    if somebody_looks:
        fifo_queue.peek()
    send("second", "arrived-later")
    assert bodies(fifo_queue.receive()) == ["first"]


def test_a_group_stays_locked_when_the_queues_delay_changes(fifo_queue, send):
    send("one", "group")
    send("two", "group")
    _one, two = fifo_queue.receive(max_number_of_messages=2)
    fifo_queue.change_visibility(two, 0)
    fifo_queue.set_attributes(delay_seconds=5)
    assert fifo_queue.receive() == []
    fifo_queue.check_invariants()


def test_a_twin_remembers_a_deduplication_id_that_was_used_twice(broker, clock):
    heard = []
    broker.listen(heard.extend)
    queue = broker.create_queue("orders.fifo", fifo_queue=True)
    arguments = {"message_group_id": "group", "message_deduplication_id": "same"}
    queue.send("first", **arguments)
    clock.advance(seconds=301)
    second = queue.send("second", **arguments)
    twin = twin_of(broker, heard)
    assert twin.queue("orders.fifo").send("third", **arguments).message_id == second.message_id
    twin.check_invariants()


def test_a_moved_message_may_share_a_deduplication_id_with_one_that_was_sent(broker, clock, fifo_queue):
    dead = broker.create_queue("dead.fifo", fifo_queue=True)
    fifo_queue.set_attributes(redrive_policy=policy(dead))
    arguments = {"message_group_id": "group", "message_deduplication_id": "same"}
    fifo_queue.send("sent", **arguments)
    dead.send("moved", **arguments)
    dead.start_message_move_task(fifo_queue.arn)
    clock.advance(seconds=1)
    assert bodies(fifo_queue.peek()) == ["sent", "moved"]
    clock.advance(seconds=600)
    fifo_queue.send("sent again", **arguments)
    assert bodies(fifo_queue.peek()) == ["sent", "moved", "sent again"]


def test_a_twin_opens_groups_in_the_order_in_which_a_batch_deleted_their_messages(broker):
    heard = []
    broker.listen(heard.extend)
    queue = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    for body in ("a1", "b1"):
        queue.send(body, message_group_id=body[0])
    a1, b1 = queue.receive(max_number_of_messages=2)
    for body in ("a2", "b2"):
        queue.send(body, message_group_id=body[0])
    queue.delete_batch([b1, a1])
    twin = twin_of(broker, heard).queue("orders.fifo")
    assert bodies(queue.receive()) == bodies(twin.receive()) == ["b2"]


def test_a_queue_whose_dead_letter_queue_is_gone_is_rebuilt_too(broker, queue, dead):
    heard = []
    broker.listen(heard.extend)
    source = broker.create_queue("source")
    target = broker.create_queue("target")
    source.set_attributes(redrive_policy=policy(target))
    source.send_batch(["one", "two"])
    source.receive(visibility_timeout=0)
    target.delete_queue()
    source.receive(max_number_of_messages=2, visibility_timeout=0)
    source.receive(visibility_timeout=0)
    twin = Broker(clock=broker.clock, seed=7)
    for change in heard:
        change.apply(twin)
    assert bodies(twin.queue("source").receive(max_number_of_messages=2)) == bodies(
        source.receive(max_number_of_messages=2)
    )


def test_a_shorter_retention_period_is_one_change_though_messages_expire_by_it(broker, clock, queue):
    queue.send("old")
    clock.advance(seconds=100)
    heard = []

    def full_after_one(changes):
        if heard:
            raise OSError
        heard.append(changes)

    broker.listen(full_after_one)
    queue.set_attributes(message_retention_period=60)
    assert queue.attributes.message_retention_period == 60
    with pytest.raises(OSError):
        queue.peek()
    heard.clear()
    assert queue.peek() == []


def test_a_move_task_moves_no_message_that_had_expired_by_then(broker, clock, queue, dead):
    queue.set_attributes(redrive_policy=policy(dead))
    dead.set_attributes(message_retention_period=60)
    dead.send("expires")
    clock.advance(seconds=59)
    dead.send("is moved")
    dead.start_message_move_task(queue.arn, max_number_of_messages_per_second=1)
    clock.advance(seconds=60)
    assert bodies(queue.peek()) == ["is moved"]


def test_a_long_poll_is_woken_when_the_message_that_locks_a_group_expires(clock, fifo_queue, send):
    fifo_queue.set_attributes(message_retention_period=60)
    send("locks", "group")
    clock.advance(seconds=1)
    send("waits", "group")
    fifo_queue.receive(visibility_timeout=600)
    clock.advance(seconds=54)
    started_ns = clock.now_ns()
    assert bodies(fifo_queue.receive(wait_time_seconds=20)) == ["waits"]
    assert clock.now_ns() - started_ns == 5 * SECOND


def test_a_refused_receive_that_forgets_a_noisy_tenant_does_not_forget_it_twice(clock):
    limits = QueueLimits(fair_noisy_in_flight_min=1, fair_noisy_share=0.0)
    broker = Broker(clock=clock, seed=7, queue_limits=limits)
    dead = broker.create_queue("dead")
    queue = broker.create_queue("tasks", redrive_policy=policy(dead))
    for body in ("works", "fails", "fails too"):
        queue.send(body, message_group_id="tenant")
    [works] = queue.receive(visibility_timeout=600)
    queue.receive(visibility_timeout=0)
    queue.receive(visibility_timeout=0)
    queue.delete(works)
    clock.advance(hours=1)
    refuses = [True]

    def listener(changes):
        if refuses:
            raise OSError

    broker.listen(listener)
    with pytest.raises(OSError):
        queue.receive()
    refuses.clear()
    for _ in range(3):
        assert queue.receive() == []
        broker.check_invariants()
    assert bodies(dead.peek()) == ["fails", "fails too"]


def test_a_message_whose_delay_was_set_anew_is_not_overtaken_by_one_that_comes_due_with_it(
    clock, fifo_queue, send
):
    send("one", "group")
    fifo_queue.set_attributes(delay_seconds=1)
    send("two", "group")
    clock.advance(seconds=1)
    assert bodies(fifo_queue.receive(max_number_of_messages=2)) == ["one", "two"]
