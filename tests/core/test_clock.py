"""The machine's time, wake-ups, and amounts of time as whole nanoseconds."""

import datetime as dt
import threading
import time

import freezegun
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core import clock as clock_module
from queuestream.core.clock import HOUR, MILLISECOND, SECOND, SystemClock, Wakeup, duration_ns

NOON = 1_760_000_000 * SECOND


@pytest.fixture
def wall(monkeypatch):
    """The machine's time, as a list of what it shows next; the last one stays."""
    shows = [NOON]
    monkeypatch.setattr(time, "time_ns", lambda: shows.pop(0) if len(shows) > 1 else shows[0])
    return shows


def read(clock, wall, *instants):
    answers = []
    for instant in instants:
        wall[:] = [instant]
        answers.append(clock.now_ns())
    return answers


# --- amounts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "unit", "nanoseconds"),
    [
        (29.999, SECOND, 29_999_000_000),
        (0.1, SECOND, 100_000_000),
        (0.3, MILLISECOND, 300_000),
        (12, HOUR, 43_200_000_000_000),
        (1 / 3, HOUR, 1_200_000_000_000),
        (-1.5, SECOND, -1_500_000_000),
        (1.4e-9, SECOND, 1),
        (1.6e-9, SECOND, 2),
        (10**15, SECOND, 10**24),
    ],
)
def test_an_amount_is_the_nearest_whole_nanosecond(amount, unit, nanoseconds):
    assert duration_ns(amount, unit) == nanoseconds


@given(st.integers(0, 10**9), st.integers(0, 999))
def test_milliseconds_written_with_a_point_are_exact(seconds, milliseconds):
    # A float of up to 2**23 seconds is nearer to what was written than half a nanosecond.
    seconds %= 2**23
    assert (
        duration_ns(float(f"{seconds}.{milliseconds:03}"), SECOND)
        == (seconds * 1000 + milliseconds) * MILLISECOND
    )


# --- wake-ups ------------------------------------------------------------------------------------------


def test_a_wakeup_that_is_set_ends_every_wait_at_once():
    wakeup = Wakeup()
    wakeup.set()
    wakeup.set()
    assert wakeup.is_set
    assert wakeup.wait()
    assert wakeup.wait()


def test_a_nudge_ends_one_wait_and_is_no_news():
    wakeup = Wakeup()
    wakeup.nudge()
    wakeup.nudge()
    assert wakeup.wait()
    assert not wakeup.is_set
    assert not wakeup.wait(0)


def test_a_wait_ends_when_its_time_is_over():
    assert not Wakeup().wait(0.000_001)


def test_a_wakeup_wakes_another_thread():
    wakeup, waits = Wakeup(), []
    waiter = threading.Thread(target=lambda: waits.append(wakeup.wait()))
    waiter.start()
    wakeup.set()
    waiter.join()
    assert waits == [True]


def test_a_wakeup_may_be_set_by_many_threads_at_once():
    for _ in range(50):
        wakeup, line = Wakeup(), threading.Barrier(4)
        setters = [threading.Thread(target=lambda w=wakeup, b=line: (b.wait(), w.set())) for _ in range(4)]
        for setter in setters:
            setter.start()
        assert wakeup.wait()
        for setter in setters:
            setter.join()
        assert wakeup.wait()


def test_two_who_set_a_wakeup_at_the_same_instant_are_one_too_many_for_its_gate_but_not_for_us():
    wakeup = Wakeup()
    wakeup.set()
    wakeup.is_set = False  # the second one looked before the first one had said so
    wakeup.set()
    assert wakeup.wait()


# --- the machine's time --------------------------------------------------------------------------------


def test_the_system_clock_tells_the_machine_s_time():
    before = time.time_ns()
    assert before <= SystemClock().now_ns() <= time.time_ns()


def test_the_system_clock_holds_when_the_machine_steps_back_and_then_goes_on_at_its_pace(wall):
    clock = SystemClock()
    assert read(
        clock,
        wall,
        NOON,
        NOON - HOUR,
        NOON - HOUR + 1 * SECOND,
        NOON - HOUR + 3 * SECOND,
        NOON - 2 * HOUR,
        NOON - 2 * HOUR + 1,
    ) == [NOON, NOON, NOON + 1 * SECOND, NOON + 3 * SECOND, NOON + 3 * SECOND, NOON + 3 * SECOND + 1]


def test_the_system_clock_holds_when_the_machine_comes_back_and_follows_it_again(wall):
    clock = SystemClock()
    assert read(clock, wall, NOON, NOON - HOUR, NOON - HOUR + SECOND) == [NOON, NOON, NOON + SECOND]
    # Back at the right time, a second behind what we say.
    assert read(clock, wall, NOON) == [NOON + SECOND]
    assert read(clock, wall, NOON + 2 * SECOND) == [NOON + 2 * SECOND]
    assert read(clock, wall, NOON + 1 * SECOND, NOON + 3 * SECOND) == [NOON + 2 * SECOND, NOON + 3 * SECOND]


@given(st.lists(st.integers(0, 10**18), min_size=1))
def test_the_system_clock_never_runs_backwards_nor_ahead_of_the_latest_that_the_machine_ever_showed(shown):
    clock, said = SystemClock(), []
    with pytest.MonkeyPatch.context() as patch:
        for instant in shown:
            patch.setattr(time, "time_ns", lambda instant=instant: instant)
            said.append(clock.now_ns())
    forward = sum(max(0, later - earlier) for earlier, later in zip([0, *shown], shown, strict=False))
    assert said == sorted(said)
    assert said[-1] <= forward


def test_the_system_clock_follows_freezegun():
    clock = SystemClock()
    with freezegun.freeze_time("2031-02-03 04:05:06.000007") as frozen:
        instant = dt.datetime(2031, 2, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
        assert clock.now_ns() == int(instant.timestamp()) * SECOND + 7_000
        frozen.tick(dt.timedelta(hours=12))
        assert clock.now_ns() == (int(instant.timestamp()) + 43_200) * SECOND + 7_000


def test_the_system_clock_follows_freezegun_in_the_past_by_its_ticks():
    clock = SystemClock()
    before = clock.now_ns()
    with freezegun.freeze_time("2001-01-01", tz_offset=-5) as frozen:
        held = clock.now_ns()
        assert held >= before
        frozen.tick(30)
        assert clock.now_ns() == held + 30 * SECOND


def test_the_system_clock_follows_time_machine():
    clock = SystemClock()
    with time_machine.travel(2_000_000_000, tick=False) as traveller:
        assert clock.now_ns() == 2_000_000_000 * SECOND
        traveller.shift(30)
        assert clock.now_ns() == 2_000_000_030 * SECOND


def test_a_wait_that_ran_to_its_end_has_reached_its_time_also_under_a_frozen_clock(wall, monkeypatch):
    monkeypatch.setattr(Wakeup, "wait", lambda self, timeout_seconds=-1: False)
    clock = SystemClock()
    clock.wait(Wakeup(), NOON + 20 * SECOND)
    assert clock.now_ns() == NOON + 20 * SECOND
    assert read(clock, wall, NOON + SECOND, NOON + 30 * SECOND) == [NOON + 21 * SECOND, NOON + 30 * SECOND]


def test_a_wait_that_ran_to_its_end_does_not_hold_back_a_machine_that_is_ahead(wall, monkeypatch):
    clock = SystemClock()
    monkeypatch.setattr(Wakeup, "wait", lambda self, timeout_seconds=-1: wall.__setitem__(0, NOON + HOUR))
    clock.wait(Wakeup(), NOON + 20 * SECOND)
    assert clock.now_ns() == NOON + HOUR


def test_a_wait_whose_time_others_have_seen_pass_already_changes_nothing(wall, monkeypatch):
    clock = SystemClock()

    def wait(self, timeout_seconds=-1):
        assert read(clock, wall, NOON + HOUR) == [NOON + HOUR]
        return False

    monkeypatch.setattr(Wakeup, "wait", wait)
    clock.wait(Wakeup(), NOON + 20 * SECOND)
    assert clock.now_ns() == NOON + HOUR


def test_the_system_clock_waits_as_long_as_it_takes_at_most_an_hour_at_a_time(wall, monkeypatch):
    waits = []
    monkeypatch.setattr(
        Wakeup, "wait", lambda self, timeout_seconds=-1: waits.append(timeout_seconds) or True
    )
    clock = SystemClock()
    for until_ns in (NOON + 1500 * MILLISECOND, NOON + 10 * HOUR, NOON, NOON - HOUR, None):
        clock.wait(Wakeup(), until_ns)
    assert waits == [1.5, 3600, -1]
    assert clock.now_ns() == NOON


def test_the_system_clock_sleeps_until_its_time(wall, monkeypatch):
    # Woken early twice, for no reason.
    woken = iter([True, True, False])
    monkeypatch.setattr(Wakeup, "wait", lambda self, timeout_seconds=-1: next(woken))
    clock = SystemClock()
    clock.sleep(7.5)
    assert clock.now_ns() == NOON + 7500 * MILLISECOND


def test_the_system_clock_really_waits():
    clock = SystemClock()
    before = time.perf_counter_ns()
    clock.sleep(0.002)
    assert time.perf_counter_ns() - before >= 2 * MILLISECOND


def test_another_function_in_the_place_of_time_ns_is_followed(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 42)
    assert SystemClock().now_ns() == 42


def test_the_clocks_say_what_they_are():
    assert repr(SystemClock()) == "<SystemClock>"


def test_the_clock_module_offers_both_clocks_and_nothing_else_by_surprise():
    assert clock_module.VirtualClock.__name__ == "VirtualClock"
    with pytest.raises(AttributeError, match="no attribute 'SundialClock'"):
        clock_module.SundialClock  # noqa: B018
