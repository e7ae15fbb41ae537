"""Long polls and subscriptions through real queues and streams, on both clocks, among threads."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import freezegun
import pytest
import time_machine
from repetitions import AGAIN_AND_AGAIN

from queuestream.core.clock import SECOND, SystemClock, VirtualClock, Wakeup
from queuestream.core.errors import DeadlockError
from queuestream.core.queues.polling import LongPoll
from queuestream.core.queues.queue import Queue
from queuestream.core.streams.stream import Stream


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def seconds(clock):
    """How many seconds the clock has gone on since the test began."""
    started_ns = clock.now_ns()
    return lambda: (clock.now_ns() - started_ns) / SECOND


@pytest.fixture
def queue(clock):
    return Queue("emails", clock=clock, seed=7)


def bodies(messages):
    return [message.body for message in messages]


# --- one thread ----------------------------------------------------------------------------------------


def test_a_long_poll_of_an_empty_queue_returns_at_once_and_takes_its_whole_time(queue, seconds):
    assert queue.receive(wait_time_seconds=20) == []
    assert seconds() == 20


def test_a_long_poll_of_a_queue_with_messages_takes_no_time(queue, seconds):
    queue.send("hello")
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    assert seconds() == 0


def test_a_long_poll_gets_a_delayed_message_at_the_instant_its_delay_ends(queue, seconds):
    queue.send("hello", delay_seconds=5)
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    assert seconds() == 5


def test_a_long_poll_gets_a_message_at_the_instant_its_visibility_timeout_ends(queue, seconds):
    queue.send("hello")
    queue.receive(visibility_timeout=5)
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    assert seconds() == 5


def test_a_long_poll_that_ends_at_the_instant_a_message_comes_gets_it(queue, seconds):
    queue.send("hello", delay_seconds=20)
    queue.send("too late", delay_seconds=21)
    assert bodies(queue.receive(wait_time_seconds=20, max_number_of_messages=10)) == ["hello"]
    assert seconds() == 20


def test_the_queue_s_own_waiting_time_is_waited_for(clock, seconds):
    queue = Queue("emails", receive_message_wait_time_seconds=7, clock=clock)
    assert queue.receive() == []
    assert seconds() == 7


# --- several threads -----------------------------------------------------------------------------------


@AGAIN_AND_AGAIN
def test_nobody_jumps_past_a_thread_that_is_about_to_send(queue, seconds, round_number):
    def work_and_send():
        sum(number * number for number in range(2000 * (round_number % 5)))
        queue.send("hello")

    sender = threading.Thread(target=work_and_send)
    sender.start()
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    assert seconds() == 0
    sender.join()


@AGAIN_AND_AGAIN
def test_a_message_sent_later_by_another_thread_arrives_when_it_is_sent(queue, clock, seconds, round_number):
    def send_later():
        clock.sleep(5)
        queue.send("hello")

    sender = threading.Thread(target=send_later)
    sender.start()
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    assert seconds() == 5
    sender.join()


@AGAIN_AND_AGAIN
def test_a_pool_of_workers_handles_every_message_once_and_ends(clock, seconds, round_number):
    queue = Queue("tasks", clock=clock)
    handled = []

    def worker():
        while messages := queue.receive(wait_time_seconds=20):
            for message in messages:
                clock.sleep(1)
                handled.append(message.body)
                queue.delete(message)

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(worker) for _ in range(3)]
        for number in range(12):
            queue.send(str(number))
            clock.sleep(0.5)
        for ended in workers:
            ended.result()
    assert sorted(handled, key=int) == [str(number) for number in range(12)]
    # The last message is sent after 5.5 s and takes a second; then everybody polls for 20 s in vain.
    assert seconds() <= 28


@AGAIN_AND_AGAIN
def test_three_threads_that_poll_get_one_message_each_when_three_come_due_at_once(
    queue, seconds, round_number
):
    for number in range(3):
        queue.send(str(number), delay_seconds=5)
    with ThreadPoolExecutor(3) as pool:
        received = list(pool.map(lambda _: bodies(queue.receive(wait_time_seconds=20)), range(3)))
    assert sorted(received) == [["0"], ["1"], ["2"]]
    assert seconds() == 5


@AGAIN_AND_AGAIN
def test_a_worker_polls_while_the_test_moves_the_clock(round_number):
    clock = VirtualClock(autojump=False)
    queue = Queue("emails", clock=clock)
    queue.send("hello", delay_seconds=10)
    received = []
    worker = threading.Thread(target=lambda: received.extend(queue.receive(wait_time_seconds=20)))
    worker.start()
    clock.advance(seconds=10)
    worker.join()
    assert bodies(received) == ["hello"]


def test_a_poll_on_a_clock_that_nobody_moves_raises_and_leaves_the_queue_as_it_was():
    clock = VirtualClock(autojump=False)
    queue = Queue("emails", clock=clock)
    with pytest.raises(DeadlockError, match="let the clock jump"):
        queue.receive(wait_time_seconds=20)
    queue.check_invariants()
    queue.send("hello")
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]


def test_an_interrupted_poll_takes_nothing_with_it(queue, monkeypatch):
    def interrupted(self, wakeup, until_ns):
        queue.send("hello")
        assert wakeup.is_set
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(VirtualClock, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            queue.receive(wait_time_seconds=20)
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]


# --- a subscription ------------------------------------------------------------------------------------


def test_a_subscription_waits_for_what_another_thread_puts(clock, seconds):
    stream = Stream("events", clock=clock)
    consumer = stream.register_stream_consumer("reader")
    [shard] = stream.list_shards().shards
    subscription = stream.subscribe_to_shard(consumer.consumer_arn, shard.shard_id, "LATEST")

    def put_later():
        clock.sleep(3)
        stream.put_record(b"hello", "key")

    putter = threading.Thread(target=put_later)
    putter.start()
    assert [record.data for record in next(subscription).records] == [b"hello"]
    assert seconds() == 3
    putter.join()


# --- the machine's time --------------------------------------------------------------------------------


def test_a_visibility_timeout_passes_under_freezegun():
    queue = Queue("emails", clock=SystemClock())
    with freezegun.freeze_time("2031-02-03") as frozen:
        queue.send("hello")
        assert bodies(queue.receive(visibility_timeout=30)) == ["hello"]
        frozen.tick(dt.timedelta(seconds=29.999))
        assert queue.receive() == []
        frozen.tick(dt.timedelta(milliseconds=1))
        assert bodies(queue.receive()) == ["hello"]


def test_a_visibility_timeout_passes_under_time_machine():
    queue = Queue("emails")
    with time_machine.travel(dt.datetime(2031, 2, 3, tzinfo=dt.UTC), tick=False) as traveller:
        queue.send("hello")
        assert bodies(queue.receive(visibility_timeout=30)) == ["hello"]
        traveller.shift(29.999)
        assert queue.receive() == []
        traveller.shift(0.001)
        assert bodies(queue.receive()) == ["hello"]


def test_a_long_poll_ends_in_a_frozen_world_too(monkeypatch):
    waits = []
    monkeypatch.setattr(Wakeup, "wait", lambda self, timeout_seconds=-1: waits.append(timeout_seconds))
    with freezegun.freeze_time("2031-02-03"):
        assert Queue("emails").receive(wait_time_seconds=20) == []
    assert waits == [20]


@pytest.mark.slow
def test_a_long_poll_really_ends_in_a_really_frozen_world():
    with freezegun.freeze_time("2031-02-03"):
        assert Queue("emails").receive(wait_time_seconds=1) == []


def test_a_long_poll_on_the_machine_s_time_is_woken_by_a_send():
    queue = Queue("emails")
    with ThreadPoolExecutor(1) as pool:
        received = pool.submit(queue.receive, wait_time_seconds=20)
        queue.send("hello")
        assert bodies(received.result()) == ["hello"]


def test_a_long_poll_that_is_told_to_end_answers_with_what_is_there(queue):
    empty, lucky = (LongPoll(queue, queue._check_receive(1, None, 20, (), None)) for _ in range(2))
    assert empty.attempt() is None
    empty.expire()
    assert empty.attempt() == []

    lucky.expire()
    queue.send("hello")
    assert [message.body for message in lucky.attempt()] == ["hello"]
