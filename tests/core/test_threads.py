"""Many threads on one queue, on the machine's own time: real waits, real wakeups.

No test sleeps.  Each ends when its work is done, and fails where that takes far too long.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from queuestream import Broker, SystemClock
from queuestream.core.clock import SECOND
from queuestream.core.errors import BrokerClosed, QueueDoesNotExist

FAR_TOO_LONG = 20  # seconds
SENDERS = RECEIVERS = 4


@pytest.fixture
def broker():
    with Broker(clock=SystemClock()) as broker:
        yield broker


@pytest.fixture
def threads():
    with ThreadPoolExecutor(SENDERS + RECEIVERS) as pool:
        yield pool


class Work:
    """What all receivers together have seen, and who holds what at the moment."""

    def __init__(self, expected):
        self.lock = threading.Lock()
        self.held = set()
        self.expected = expected
        self.done = []
        self.is_done = threading.Event()

    def begin(self, keys):
        with self.lock:
            assert not self.held & keys, "in two hands at once"
            self.held |= keys

    def end(self, keys, bodies):
        with self.lock:
            self.held -= keys
            self.done += bodies
            if len(self.done) >= self.expected:
                self.is_done.set()


def send_all(queue, bodies, **arguments):
    for body in bodies[::2]:
        queue.send(body, **arguments)
    rest = [
        {"id": str(number), "message_body": body, **arguments} for number, body in enumerate(bodies[1::2])
    ]
    for start in range(0, len(rest), 10):
        assert not queue.send_batch(rest[start : start + 10]).failed


def receive_all(queue, work, keys_of):
    """Receive, hold and delete until the queue is gone."""
    try:
        while messages := queue.receive(max_number_of_messages=7, wait_time_seconds=FAR_TOO_LONG):
            keys = {keys_of(message) for message in messages}
            work.begin(keys)
            bodies = [message.body for message in messages]
            # Let go first: from the delete on, the next one may have the group.
            work.end(keys, bodies)
            queue.delete_batch(messages)
    except QueueDoesNotExist:
        return
    raise AssertionError("It waited for nothing.")


def play(broker, threads, queue, work, senders, keys_of):
    receivers = [threads.submit(receive_all, queue, work, keys_of) for _ in range(RECEIVERS)]
    for sender in [threads.submit(send) for send in senders]:
        sender.result(timeout=FAR_TOO_LONG)
    assert work.is_done.wait(timeout=FAR_TOO_LONG), "lost messages"
    broker.check_invariants()
    queue.delete_queue()
    for receiver in receivers:
        receiver.result(timeout=FAR_TOO_LONG)
    assert not queue._waiting


def test_nothing_is_lost_and_nothing_is_handed_out_twice_within_its_timeout(broker, threads):
    queue = broker.create_queue("tasks", visibility_timeout=600)
    bodies = [[f"{sender}-{number}" for number in range(1_000)] for sender in range(SENDERS)]
    work = Work(expected=1_000 * SENDERS)
    senders = [lambda mine=mine: send_all(queue, mine) for mine in bodies]

    play(broker, threads, queue, work, senders, keys_of=lambda message: message.message_id)

    assert Counter(work.done) == Counter(body for mine in bodies for body in mine)


def test_a_message_group_is_never_in_two_hands_and_its_order_is_kept(broker, threads):
    queue = broker.create_queue(
        "orders.fifo", fifo_queue=True, content_based_deduplication=True, visibility_timeout=600
    )
    bodies = [[f"{sender}-{number:03}" for number in range(500)] for sender in range(SENDERS)]
    work = Work(expected=500 * SENDERS)

    def send(mine):
        for body in mine:
            queue.send(body, message_group_id=body[0])

    senders = [lambda mine=mine: send(mine) for mine in bodies]
    play(broker, threads, queue, work, senders, keys_of=lambda message: message.message_group_id)

    for sender, mine in enumerate(bodies):
        assert [body for body in work.done if body[0] == str(sender)] == mine


def test_each_of_many_waiting_receivers_is_woken_by_one_of_as_many_messages(broker, threads):
    queue = broker.create_queue("tasks", visibility_timeout=600)
    all_wait = threading.Barrier(RECEIVERS + 1)

    def receive_one():
        all_wait.wait()
        return queue.receive(wait_time_seconds=FAR_TOO_LONG)

    receivers = [threads.submit(receive_one) for _ in range(RECEIVERS)]
    all_wait.wait()
    queue.send_batch([str(number) for number in range(RECEIVERS)])
    received = [
        message.body for receiver in receivers for message in receiver.result(timeout=FAR_TOO_LONG / 2)
    ]
    assert sorted(received) == [str(number) for number in range(RECEIVERS)]


@pytest.mark.slow
def test_a_waiting_receiver_gets_a_message_when_its_visibility_timeout_passes(broker):
    queue = broker.create_queue("tasks")
    queue.send("again")
    queue.receive(visibility_timeout=1)
    started_ns = broker.clock.now_ns()
    [message] = queue.receive(wait_time_seconds=FAR_TOO_LONG)
    assert message.receive_count == 2
    assert 0 < broker.clock.now_ns() - started_ns < 3 * SECOND


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda queue: queue.delete_queue(), QueueDoesNotExist),
        (lambda queue: queue.broker.close(), BrokerClosed),
    ],
    ids=["the queue is deleted", "the broker is closed"],
)
def test_waiting_receivers_are_told_when(broker, threads, end, error):
    queue = broker.create_queue("tasks")
    all_wait = threading.Barrier(RECEIVERS + 1)

    def receive_one():
        all_wait.wait()
        queue.receive(wait_time_seconds=FAR_TOO_LONG)

    receivers = [threads.submit(receive_one) for _ in range(RECEIVERS)]
    all_wait.wait()
    end(queue)
    for receiver in receivers:
        with pytest.raises(error):
            receiver.result(timeout=FAR_TOO_LONG / 2)


def test_many_threads_may_create_and_ask_at_once_and_all_get_the_same_queue(broker, threads):
    all_ready = threading.Barrier(RECEIVERS)

    def create():
        all_ready.wait()
        return broker.create_queue("tasks")

    queues = [
        future.result(timeout=FAR_TOO_LONG) for future in [threads.submit(create) for _ in range(RECEIVERS)]
    ]
    assert len(set(map(id, queues))) == 1
