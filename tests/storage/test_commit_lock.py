"""The broker's lock: taken and let go as any, and at the end a wait for what was promised."""

import os
import threading

import pytest

from queuestream.core.errors import StorageFailed
from queuestream.storage.commit_lock import CommitLock


class Waits:
    """What the lock waits for: it notes the positions, and that the lock is free meanwhile."""

    def __init__(self):
        self.synced = 0
        self.positions = []
        self.lock = CommitLock(self.wait, lambda: self.synced)

    def wait(self, position):
        assert is_free(self.lock)
        self.positions.append(position)
        self.synced = position


def in_another_thread(call):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    thread.join(10)
    [answer] = answers
    return answer


def is_free(lock):
    def take():
        taken = lock.acquire(blocking=False)
        if taken:
            lock._release()
        return taken

    return in_another_thread(take)


@pytest.fixture
def waits():
    return Waits()


@pytest.fixture
def lock(waits):
    return waits.lock


# --- a lock as any --------------------------------------------------------------------------------------


def test_a_thread_that_has_the_lock_may_take_it_again(lock):
    assert lock.acquire()
    with lock:
        assert lock.acquire(timeout=1)
        assert not is_free(lock)
        lock.release()
    assert not is_free(lock)

    lock.release()
    assert is_free(lock)


def test_who_does_not_have_the_lock_cannot_let_it_go(lock):
    with pytest.raises(RuntimeError):
        lock.release()
    with lock:
        with pytest.raises(RuntimeError):
            in_another_thread_raising(lock.release)
        assert not is_free(lock)


def in_another_thread_raising(call):
    def caught():
        try:
            call()
        except RuntimeError as error:
            return error

    error = in_another_thread(caught)
    if error is not None:
        raise error


# --- what was promised ----------------------------------------------------------------------------------


def test_letting_go_waits_for_what_was_promised(lock, waits):
    with lock:
        lock.promised = 10
        assert waits.positions == []
    assert waits.positions == [10]

    lock.acquire()
    lock.promised = 20
    lock.release()
    assert waits.positions == [10, 20]


def test_only_the_last_release_waits(lock, waits):
    lock.acquire()
    with lock:
        lock.promised = 10
    lock.acquire()
    lock.release()
    assert waits.positions == []

    lock.release()
    assert waits.positions == [10]


def test_a_call_that_only_looks_waits_for_what_it_may_have_seen(lock, waits):
    with lock.deferred(), lock:
        lock.promised = 10
    assert waits.positions == []

    with lock:
        pass
    assert waits.positions == [10]


def test_what_is_safe_already_is_not_waited_for(lock, waits):
    with lock:
        lock.promised = 10
        waits.synced = 10
    with lock:
        pass
    assert waits.positions == []


def test_a_promise_that_was_kept_is_not_waited_for_again(lock, waits):
    """Whoever waits may know more than the disk: that the database has it all."""
    lock._wait = waits.positions.append
    for _ in range(2):
        with lock:
            lock.promised = 10
    assert waits.positions == [10]
    assert waits.synced == 0


def test_what_the_wait_raises_is_the_calls_answer(lock, waits):
    def fail(position):
        raise StorageFailed("orders.db", "No space left on device")

    lock._wait = fail

    def call():
        lock.acquire()
        try:
            lock.promised = 10
            return "sent"
        finally:
            lock.release()

    with pytest.raises(StorageFailed):
        call()
    # Neither does anybody else get an answer.
    with pytest.raises(StorageFailed), lock:
        pass
    assert is_free(lock)


def test_a_call_that_is_refused_waits_too(lock, waits):
    def call():
        with lock:
            lock.promised = 10
            raise KeyError

    with pytest.raises(KeyError):
        call()
    assert waits.positions == [10]


# --- put off --------------------------------------------------------------------------------------------


def test_what_is_deferred_is_reached_later(lock, waits):
    with lock.deferred() as deferred:
        with lock:
            lock.promised = 10
        with lock:
            lock.promised = 20
    assert deferred.position == 20
    assert waits.positions == []

    lock.reach(deferred.position)
    assert waits.positions == [20]


def test_nothing_is_deferred_where_everything_is_safe(lock, waits):
    with lock:
        lock.promised = 10
    with lock.deferred() as deferred, lock:
        pass
    assert deferred.position == 0


def test_only_the_thread_that_defers_does_not_wait(lock, waits):
    def call():
        with lock:
            lock.promised = 10

    with lock.deferred() as deferred:
        in_another_thread(call)
        assert waits.positions == [10]
    assert deferred.position == 0


def test_what_is_deferred_within_a_deferral_belongs_to_both(lock, waits):
    with lock.deferred() as outer:
        with lock.deferred() as inner, lock:
            lock.promised = 10
        assert (inner.position, outer.position) == (10, 10)
        with lock:
            lock.promised = 20
    assert (inner.position, outer.position) == (10, 20)
    assert waits.positions == []

    with lock:
        lock.promised = 30
    assert waits.positions == [30]


def test_a_deferral_ends_with_what_is_raised_in_it(lock, waits):
    with pytest.raises(KeyError), lock.deferred():
        raise KeyError
    with lock:
        lock.promised = 10
    assert waits.positions == [10]


def test_a_lock_that_is_held_around_a_deferral_waits_at_its_own_end(lock, waits):
    with lock:
        with lock.deferred() as deferred, lock:
            lock.promised = 10
        assert deferred.position == 0
    assert waits.positions == [10]


# --- forks ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_can_take_the_lock_that_a_thread_of_its_parent_had(lock):
    taken, over = threading.Event(), threading.Event()

    def hold():
        with lock:
            taken.set()
            over.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(10)
    child = os.fork()
    if child == 0:
        os._exit(lock.acquire(blocking=False))
    _, status = os.waitpid(child, 0)
    over.set()
    thread.join()

    assert os.waitstatus_to_exitcode(status) == 1
    assert is_free(lock)
