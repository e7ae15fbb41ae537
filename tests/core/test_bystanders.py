"""Who could still act: what is known of a thread, and what is guessed."""

import sys
import threading
import types

import pytest

from queuestream.core import bystanders
from queuestream.core.bystanders import Watch, describe


@pytest.fixture
def computing(monkeypatch):
    """The processor time that others use, as a list with one number."""
    used = [0.0]
    monkeypatch.setattr(bystanders, "others_cpu_seconds", lambda: used[0])
    return used


def frame_of(function, module, **names):
    return types.SimpleNamespace(
        f_code=types.SimpleNamespace(co_name=function),
        f_globals={"__name__": module},
        f_locals=names,
        f_lasti=0,
        f_back=None,
    )


def looks(frame, *rests, patience_seconds=0.5):
    """What a watch says of one thread, look by look, with so many seconds in between."""
    watch = Watch(patience_seconds)
    return [watch.nobody_can_act({1: frame}, seconds) for seconds in (0, *rests)]


def test_a_thread_that_was_not_notified_waits_and_one_that_was_is_on_its_way():
    condition, waiter = threading.Condition(), threading.Lock()
    frame = frame_of("wait", "threading", self=condition, waiter=waiter, timeout=None)
    condition._waiters.append(waiter)
    assert looks(frame) == [True]
    condition._waiters.remove(waiter)
    assert looks(frame, 0.3, 0.3) == [False] * 3


def test_a_thread_on_its_way_into_a_wait_could_still_be_stopped():
    assert (
        looks(frame_of("wait", "threading", self=threading.Condition(), timeout=None), 0.3, 0.3)
        == [False] * 3
    )


def test_who_joins_a_thread_waits_while_the_thread_runs():
    over = threading.Thread(target=int)
    over.start()
    over.join()
    assert looks(frame_of("join", "threading", self=threading.current_thread(), timeout=None)) == [True]
    assert looks(frame_of("join", "threading", self=over, timeout=None)) == [False]


def test_a_pool_s_worker_waits_when_it_has_nothing_in_hand_and_nothing_in_its_queue(monkeypatch):
    monkeypatch.setattr(bystanders, "_HANDED_OVER", False)
    empty, full = (types.SimpleNamespace(empty=lambda answer=answer: answer) for answer in (True, False))
    assert looks(frame_of("_worker", "concurrent.futures.thread", work_queue=empty)) == [True]
    assert looks(frame_of("_worker", "concurrent.futures.thread", work_queue=full)) == [False]
    assert looks(frame_of("_worker", "concurrent.futures.thread", work_queue=empty, work_item=1)) == [False]


def test_where_queues_hand_over_to_who_waits_a_pool_s_worker_has_to_settle(monkeypatch):
    monkeypatch.setattr(bystanders, "_HANDED_OVER", True)
    empty = types.SimpleNamespace(empty=lambda: True)
    worker = frame_of("_worker", "concurrent.futures.thread", work_queue=empty)
    assert looks(worker, 0.005, 0.005) == [False, False, True]


def test_a_thread_at_a_selector_waits_when_it_has_settled():
    assert looks(frame_of("select", "selectors", timeout=-1), 0.005, 0.005) == [False, False, True]


@pytest.mark.parametrize(
    "frame",
    [
        frame_of("sleeps", "users.own"),
        frame_of("select", "selectors", timeout=0.5),
        frame_of("wait", "threading", timeout=0),
    ],
)
def test_a_thread_of_which_nothing_is_known_gets_the_patience(frame, computing):
    assert looks(frame, 0.02, 0.47, 0.02) == [False, False, False, True]
    # Once is enough at one place, while the thread lives; this one never did.
    assert looks(frame, 0.005, 0.005) == [False, False, True]
    assert looks(frame_of("other", "users.own"), 0.02) == [False, False]


@pytest.fixture(autouse=True)
def nobody_is_remembered(monkeypatch):
    monkeypatch.setattr(bystanders, "_known_to_stand", {})


def test_what_is_remembered_of_a_thread_goes_with_it(computing):
    bystanders._known_to_stand[2] = ()
    assert looks(frame_of("sleeps", "users.own"), 0.6) == [False, True]
    assert bystanders._known_to_stand.keys() == {1}


def test_a_thread_that_computes_gets_more_than_the_patience(computing):
    frame = frame_of("computes", "users.own")
    watch = Watch(0.5)
    assert not watch.nobody_can_act({1: frame}, 0)
    computing[0] = 0.1
    assert not watch.nobody_can_act({1: frame}, 1)
    # A tenth of a second of two is what a progress bar may take.
    assert watch.nobody_can_act({1: frame}, 1.1)


def test_nobody_is_held_up_for_good_by_a_thread_that_never_stands():
    watch = Watch(0.5)
    for position in range(50):
        assert not watch.nobody_can_act({1: frame_of(f"place {position}", "users.own")}, 0.99)
    assert watch.nobody_can_act({1: frame_of("another place", "users.own")}, 0.5)


def test_naps_grow_from_one_to_twenty_milliseconds():
    watch, naps = Watch(0.5), []
    for _ in range(25):
        watch.nobody_can_act({}, 0)
        naps.append(round(watch.nap_seconds * 1000))
    assert naps == [*range(1, 21), 20, 20, 20, 20, 20]


def test_a_thread_is_described_by_its_name_and_where_its_own_code_stands():
    described = describe(threading.get_ident(), sys._getframe())
    assert described.startswith("MainThread in test_a_thread_is_described_by_its_name")
    assert "(test_bystanders.py:" in described
    assert describe(-1, None) == "thread -1"
