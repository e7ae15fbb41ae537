"""How long, how old, how many: by hand, and against their definitions."""

import naive_metrics as naive
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.lab.metrics import delays
from queuestream.lab.metrics.delays import Spread

times = st.integers(0, 30)
messages = st.lists(st.tuples(times, st.one_of(st.none(), times)), max_size=20)


@pytest.mark.parametrize(
    ("count", "p50", "p90", "p99"),
    [(1, 1, 1, 1), (2, 1, 2, 2), (10, 5, 9, 10), (11, 6, 10, 11), (200, 100, 180, 198)],
)
def test_a_percentile_is_the_nearest_rank(count, p50, p90, p99):
    assert Spread.of(range(count, 0, -1)) == Spread(count, p50, p90, p99, count)


def test_there_is_no_spread_of_nothing():
    assert Spread.of([]) is None


def test_who_was_received_before_the_producer_had_its_answer_did_not_wait():
    assert delays.waits([10, 10], [9, 10]) == [0, 0]


def test_the_oldest_falls_back_when_it_is_received():
    # The second is received first, so the first stays the oldest until 30.
    assert delays.age_of_oldest([0, 10, 20], [30, 15, 50], 60) == [
        *[(0, 0), (30, 30)],
        *[(30, 10), (50, 30)],
    ]


def test_the_oldest_that_is_never_received_grows_old_until_the_end():
    assert delays.age_of_oldest([0, 10], [None, 15], 60) == [(0, 0), (60, 60)]


@given(messages, times)
def test_the_age_of_the_oldest_is_as_defined(both, time):
    until = 60
    both = sorted(both, key=lambda one: one[0])
    sent_ns = [sent for sent, _ in both]
    received_ns = [None if wait is None else sent + wait for sent, wait in both]
    points = delays.age_of_oldest(sent_ns, received_ns, until)
    assert [point[0] for point in points] == sorted(point[0] for point in points)
    assert at(points, time) == naive.oldest_age(sent_ns, received_ns, time)


def at(points, time):
    """The height at a time of points joined by lines; from the right, where it falls."""
    before = [point for point in points if point[0] <= time]
    after = [point for point in points if point[0] > time]
    if not before or not after:
        return 0
    rises = after[0][1] > before[-1][1]
    return before[-1][1] + (time - before[-1][0] if rises else 0)


def test_a_backlog_is_what_was_sent_and_not_yet_received():
    assert delays.backlog([0, 0, 10], [10, 30]) == [(0, 2), (10, 2), (30, 1)]


@given(st.lists(st.tuples(times, times), max_size=20), times)
def test_what_is_in_flight_is_as_defined(both, time):
    intervals = [(begin, begin + length) for begin, length in both]
    steps = [(0, 0), *delays.in_flight(intervals)]
    assert [count for when, count in steps if when <= time][-1] == naive.held_at(intervals, time)


def test_a_thinned_curve_keeps_its_ends_and_its_peaks():
    points = [(time, 1000 if time == 4_321 else time % 7) for time in range(10_000)]
    few = delays.thinned(points, 100)
    assert len(few) <= 102
    assert (few[0], few[-1]) == (points[0], points[-1])
    assert (4_321, 1000) in few
    assert delays.thinned(few, 1_000) == few
