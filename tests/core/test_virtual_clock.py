"""Time that jumps: who moves it, when, and when it raises instead of hanging."""

import queue
import selectors
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from repetitions import AGAIN_AND_AGAIN

from queuestream.core import bystanders
from queuestream.core.clock import HOUR, SECOND, VirtualClock, Wakeup
from queuestream.core.errors import DeadlockError


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def seconds(clock):
    """How many seconds the clock has gone on since the test began."""
    started_ns = clock.now_ns()
    return lambda: (clock.now_ns() - started_ns) / SECOND


@pytest.fixture
def standing_thread():
    """Another thread that waits for a lock all through the test."""
    lock = threading.Lock()
    lock.acquire()
    thread = threading.Thread(target=lock.acquire)
    thread.start()
    yield
    lock.release()
    thread.join()


@pytest.fixture
def restless(monkeypatch):
    """Moving threads use up their patience as soon as standing ones."""
    monkeypatch.setattr(bystanders, "RESTLESS", 1)


def in_threads(*functions):
    """Run them side by side; their answers, in order."""
    answers = [None] * len(functions)

    def run(number, function):
        try:
            answers[number] = function()
        except DeadlockError as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def wait(clock, wakeup, seconds):
    """A wait like a long poll's: on and on until there is news or its time has come."""
    until_ns = clock.now_ns() + seconds * SECOND
    while not wakeup.is_set and clock.now_ns() < until_ns:
        clock.wait(wakeup, until_ns)
    return wakeup.is_set


# --- moved by hand -------------------------------------------------------------------------------------


def test_a_virtual_clock_starts_always_at_the_same_instant():
    assert VirtualClock().now_ns() == VirtualClock().now_ns() == 1_735_689_600 * SECOND


@pytest.mark.parametrize(
    ("start", "now_ns"),
    [
        (0, 0),
        (1_700_000_000, 1_700_000_000 * SECOND),
        (1_700_000_000.5, 1_700_000_000_500_000_000),
        (datetime(2030, 1, 1, tzinfo=UTC), 1_893_456_000 * SECOND),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999_999_000),
    ],
)
def test_a_virtual_clock_starts_where_it_is_told(start, now_ns):
    assert VirtualClock(start).now_ns() == now_ns


def test_a_virtual_clock_tells_people_the_time_too():
    clock = VirtualClock(datetime(2030, 1, 1, tzinfo=UTC))
    clock.advance(nanoseconds=1_999)
    assert clock.now == datetime(2030, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert repr(clock) == "<VirtualClock 2030-01-01 00:00:00.000001+00:00>"


def test_a_virtual_clock_stands_until_it_is_moved(clock, seconds):
    assert seconds() == 0
    clock.advance(hours=12)
    clock.advance(minutes=1, seconds=29.999, milliseconds=1)
    clock.advance(timedelta(hours=1), seconds=1)
    clock.advance()
    assert seconds() == 13 * 3600 + 91


def test_many_small_steps_do_not_drift(clock, seconds):
    for _ in range(1000):
        clock.advance(seconds=0.1)
    assert seconds() == 100


def test_a_virtual_clock_goes_to_an_instant(clock):
    clock.advance_to(datetime(2030, 1, 1, tzinfo=UTC))
    clock.advance_to(clock.now)
    clock.advance_to(1_893_456_001)
    assert clock.now == datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_a_virtual_clock_never_runs_backwards(clock, seconds):
    with pytest.raises(ValueError, match=r"never runs backwards: it cannot advance by -0\.5 s"):
        clock.advance(seconds=1, milliseconds=-1500)
    with pytest.raises(ValueError, match=r"it is 2025-01-01 00:00:00.* already and cannot go to 2024-12-31"):
        clock.advance_to(datetime(2024, 12, 31, tzinfo=UTC))
    assert seconds() == 0


def test_what_is_no_number_is_no_time():
    with pytest.raises(TypeError, match="A time or a duration is a number, not 'noon'"):
        VirtualClock("noon")


def test_an_instant_without_a_time_zone_is_no_instant(clock):
    with pytest.raises(ValueError, match="says no time zone"):
        VirtualClock(datetime(2030, 1, 1))
    with pytest.raises(ValueError, match="says no time zone"):
        clock.advance_to(datetime(2030, 1, 1))


# --- one thread ----------------------------------------------------------------------------------------


def test_one_thread_that_waits_gets_its_deadline_at_once(clock, seconds):
    assert not wait(clock, Wakeup(), 20)
    assert seconds() == 20


def test_a_wait_for_what_has_happened_takes_no_time(clock, seconds):
    wakeup = Wakeup()
    wakeup.set()
    clock.wait(wakeup, clock.now_ns() + SECOND)
    clock.wait(Wakeup(), clock.now_ns())
    clock.wait(Wakeup(), clock.now_ns() - HOUR)
    assert seconds() == 0


def test_sleeping_for_twelve_hours_takes_no_time(clock, seconds):
    before = time.perf_counter()
    clock.sleep(43_200)
    assert time.perf_counter() - before < 1
    assert seconds() == 43_200


def test_a_single_thread_that_nobody_can_ever_wake_raises(clock):
    with pytest.raises(DeadlockError) as caught:
        clock.wait(Wakeup(), None)
    assert "MainThread in test_a_single_thread" in str(caught.value)
    assert "(test_virtual_clock.py:" in str(caught.value)
    assert "waits without a deadline on <VirtualClock 2025-01-01 00:00:00+00:00, 1 waiting>" in str(
        caught.value
    )
    assert "from another thread, or give it a deadline" in str(caught.value)
    assert repr(clock) == "<VirtualClock 2025-01-01 00:00:00+00:00>"


def test_a_clock_that_only_the_test_moves_raises_where_the_test_itself_waits(seconds):
    clock = VirtualClock(autojump=False)
    with pytest.raises(DeadlockError, match=r"Call clock\.advance\(\.\.\.\) from another thread, or let"):
        clock.sleep(1)


def test_an_exception_in_a_wait_leaves_nobody_in_the_waiting_room(clock, standing_thread, monkeypatch):
    def interrupted(self, timeout_seconds=-1):
        assert repr(clock).endswith("1 waiting>")
        raise KeyboardInterrupt

    monkeypatch.setattr(Wakeup, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        clock.wait(Wakeup(), clock.now_ns() + SECOND)
    assert "waiting" not in repr(clock)


# --- several threads -----------------------------------------------------------------------------------


@AGAIN_AND_AGAIN
def test_nobody_jumps_past_a_thread_that_is_about_to_bring_news(clock, seconds, round_number):
    wakeup = Wakeup()

    def work_and_send():
        sum(number * number for number in range(1000 * (round_number % 10)))
        wakeup.set()

    sender = threading.Thread(target=work_and_send)
    sender.start()
    assert wait(clock, wakeup, 20)
    assert seconds() == 0
    sender.join()


def test_nobody_jumps_past_a_thread_that_computes_for_longer_than_the_patience():
    clock, wakeup = VirtualClock(patience_seconds=0.02), Wakeup()

    def compute_and_send():
        ends = time.perf_counter() + 0.2
        while time.perf_counter() < ends:
            pass
        wakeup.set()

    sender = threading.Thread(target=compute_and_send)
    sender.start()
    assert wait(clock, wakeup, 20)
    sender.join()


def test_a_thread_that_really_sleeps_is_waited_for_within_the_patience(clock, seconds):
    wakeup = Wakeup()

    def sleep_and_send():
        time.sleep(0.03)
        wakeup.set()

    sender = threading.Thread(target=sleep_and_send)
    sender.start()
    assert wait(clock, wakeup, 20)
    assert seconds() == 0
    sender.join()


def test_a_timer_of_the_standard_library_is_waited_for_within_the_patience(clock, seconds):
    wakeup = Wakeup()
    timer = threading.Timer(0.03, wakeup.set)
    timer.start()
    assert wait(clock, wakeup, 20)
    assert seconds() == 0
    timer.join()


@AGAIN_AND_AGAIN
def test_a_worker_waits_while_the_main_thread_joins_it(clock, seconds, round_number):
    assert in_threads(lambda: clock.sleep(20)) == [None]
    assert seconds() == 20


@AGAIN_AND_AGAIN
def test_waiters_with_different_deadlines_are_woken_in_the_order_of_their_deadlines(
    clock, seconds, round_number
):
    woken = []

    def sleeper(delay):
        clock.sleep(delay)
        woken.append((delay, seconds()))

    line = threading.Barrier(5)
    in_threads(*(lambda delay=delay: (line.wait(), sleeper(delay)) for delay in (5, 1, 4, 2, 3)))
    assert woken == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]


@AGAIN_AND_AGAIN
def test_threads_that_take_turns_see_the_time_that_each_of_them_takes(clock, seconds, round_number):
    tasks, results = queue.Queue(), queue.Queue()

    def worker():
        while (task := tasks.get()) is not None:
            clock.sleep(task)
            results.put((task, seconds()))

    def boss():
        answers = []
        for task in (3, 1, 2):
            tasks.put(task)
            answers.append(results.get())
            clock.sleep(10)
        tasks.put(None)
        return answers

    _, answers = in_threads(worker, boss)
    assert answers == [(3, 3), (1, 14), (2, 26)]


@AGAIN_AND_AGAIN
def test_a_worker_that_wakes_another_is_not_jumped_past(clock, seconds, round_number):
    wakeups = [Wakeup() for _ in range(5)]

    def passes_on(number):
        assert wait(clock, wakeups[number], 20)
        clock.sleep(1)
        wakeups[number + 1].set()

    def starts():
        clock.sleep(1)
        wakeups[0].set()

    answers = in_threads(
        *(lambda n=n: passes_on(n) for n in range(4)), starts, lambda: wait(clock, wakeups[4], 20)
    )
    assert answers == [None] * 5 + [True]
    assert seconds() == 5


def test_a_pool_s_idle_workers_hold_nobody_up(clock, seconds):
    with ThreadPoolExecutor(4) as pool:
        line = threading.Barrier(4)
        list(pool.map(lambda _: line.wait(), range(4)))
        before = time.perf_counter()
        for _ in range(20):
            clock.sleep(1)
        assert time.perf_counter() - before < 0.5
        assert list(pool.map(clock.sleep, (3, 1, 2))) == [None] * 3
    assert seconds() == 23


def test_a_pool_s_worker_that_was_given_something_to_do_is_waited_for(clock, seconds):
    for _ in range(50):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int).result()
            wakeup = Wakeup()
            pool.submit(wakeup.set)
            assert wait(clock, wakeup, 20)
    assert seconds() == 0


def test_a_thread_at_a_selector_holds_nobody_up(clock, seconds):
    ours, theirs = socket.socketpair()

    def listen():
        with selectors.DefaultSelector() as selector:
            selector.register(theirs, selectors.EVENT_READ)
            selector.select()

    listener = threading.Thread(target=listen)
    listener.start()
    before = time.perf_counter()
    clock.sleep(20)
    assert time.perf_counter() - before < 0.4
    assert seconds() == 20
    ours.send(b"!")
    listener.join()
    ours.close()
    theirs.close()


def test_a_thread_that_stands_still_costs_its_patience_once_and_not_again(standing_thread):
    clock = VirtualClock(patience_seconds=0.1)
    clock.sleep(1)
    before = time.perf_counter()
    clock.sleep(1)
    assert time.perf_counter() - before < 0.09


def test_a_thread_that_polls_for_ever_holds_nobody_up_for_ever(restless):
    clock, over = VirtualClock(patience_seconds=0.05), threading.Event()

    def poll():
        while not over.is_set():
            sum(range(100))

    poller = threading.Thread(target=poll)
    poller.start()
    clock.sleep(20)
    over.set()
    poller.join()


def test_threads_that_wait_for_each_other_without_a_deadline_all_raise(clock):
    line = threading.Barrier(3)
    errors = in_threads(*(lambda: (line.wait(), clock.wait(Wakeup(), None)) for _ in range(3)))
    assert [type(error) for error in errors] == [DeadlockError] * 3
    assert any("does not move" in str(error) for error in errors)
    assert "MainThread in in_threads" in str(errors[0])


def test_a_thread_without_a_deadline_is_left_alone_while_others_have_one(clock, seconds):
    wakeup = Wakeup()

    def sends_in_a_while():
        clock.sleep(30)
        wakeup.set()

    assert in_threads(lambda: clock.wait(wakeup, None), sends_in_a_while) == [None, None]
    assert seconds() == 30


@AGAIN_AND_AGAIN
def test_a_clock_that_the_test_alone_moves_wakes_those_whose_time_has_come(round_number):
    clock = VirtualClock(autojump=False)
    woken, ready = [], threading.Semaphore(0)

    def sleeper(delay):
        ready.release()
        clock.sleep(delay)
        woken.append(delay)

    threads = [threading.Thread(target=sleeper, args=(delay,)) for delay in (1, 2)]
    for thread in threads:
        thread.start()
        ready.acquire()
    clock.advance(seconds=1)
    threads[0].join()
    assert woken == [1]
    clock.advance_to(clock.now + timedelta(seconds=1))
    threads[1].join()
    assert woken == [1, 2]


def test_a_clock_that_the_test_alone_moves_raises_when_the_test_waits_too():
    clock = VirtualClock(autojump=False)
    [error] = in_threads(lambda: clock.sleep(1))
    assert "waits for a later time on <VirtualClock" in str(error)


# --- two clocks ----------------------------------------------------------------------------------------


@AGAIN_AND_AGAIN
def test_two_clocks_jump_independently_in_the_order_of_what_is_left(round_number):
    one, other = VirtualClock(), VirtualClock(0)
    woken, line = [], threading.Barrier(3)

    def sleeper(clock, delay):
        line.wait()
        clock.sleep(delay)
        woken.append(delay)

    in_threads(lambda: sleeper(one, 4), lambda: sleeper(other, 2), lambda: sleeper(one, 1))
    assert woken == [1, 2, 4]
    assert other.now_ns() == 2 * SECOND


def test_a_thread_that_waits_on_one_clock_may_be_woken_by_one_that_waits_on_another():
    one, other, wakeup = VirtualClock(), VirtualClock(), Wakeup()

    def sends_in_a_while():
        other.sleep(5)
        wakeup.set()

    assert in_threads(lambda: one.wait(wakeup, None), sends_in_a_while) == [None, None]
    assert one.now_ns() == VirtualClock().now_ns()
