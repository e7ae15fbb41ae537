"""RFC 4737's metrics: on its own examples, and against their definitions."""

import naive_metrics as naive
import pytest
from hypothesis import given
from naive_metrics import anything

from queuestream.lab.metrics import reordering

# RFC 4737, section 7: ten packets, sent every 20 ms, of which packet 4 arrives as the eighth; times in ms.
PACKET_4_LATE = [1, 2, 3, 5, 6, 7, 8, 4, 9, 10]
ITS_TIMES = [68, 88, 108, 148, 168, 188, 208, 210, 228, 248]
PACKETS_5_AND_6_LATE = [1, 2, 3, 4, 7, 5, 6, 8, 9, 10]
PACKETS_4_5_AND_6_LATE = [1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11]


@pytest.mark.parametrize(
    ("sequence", "late", "extents", "n_reordering"),
    [
        (PACKET_4_LATE, [7], [4], [4]),
        (PACKETS_5_AND_6_LATE, [5, 6], [1, 2], [1, 0]),
        (PACKETS_4_5_AND_6_LATE, [7, 8, 9], [4, 5, 6], [4, 0, 0]),
    ],
)
def test_the_examples_of_the_rfc(sequence, late, extents, n_reordering):
    assert reordering.reordered(sequence) == late
    assert reordering.extents(sequence) == extents
    assert [reordering.n_reordering(sequence)[position] for position in late] == n_reordering


def test_packet_4_of_the_rfc_is_62_ms_late():
    assert reordering.late_times(PACKET_4_LATE, ITS_TIMES) == [62]
    assert reordering.reordered_ratio(PACKET_4_LATE) == 0.1


def test_a_lost_message_is_nobodys_disorder():
    assert reordering.reordered([1, 2, 5, 9, 10]) == []


def test_the_late_one_is_reordered_and_not_those_that_overtook_it():
    assert reordering.reordered([2, 3, 4, 1]) == [3]
    assert reordering.n_reordering([2, 3, 4, 1]) == [0, 0, 0, 3]


def test_backwards_all_but_the_first_are_reordered_by_the_first():
    assert reordering.overtakers([4, 3, 2, 1]) == {1: 0, 2: 0, 3: 0}
    assert reordering.free_runs([4, 3, 2, 1]) == [1]


def test_a_repeated_delivery_is_reordered_if_something_later_came_between():
    assert reordering.reordered([1, 1, 2, 2]) == []
    assert reordering.reordered([1, 2, 1]) == [2]
    assert reordering.n_reordering([1, 3, 1]) == [0, 0, 1]


def test_gaps_are_between_the_places_at_which_order_was_broken():
    #           v        v     v
    sequence = [2, 1, 3, 6, 4, 8, 5, 7]
    assert reordering.gaps(sequence) == [3, 2]
    assert reordering.free_runs(sequence) == [1, 2, 1]


def test_of_nothing_there_is_no_ratio():
    assert reordering.reordered_ratio([]) is None
    assert reordering.n_reordered_ratio([], 3) is None
    assert reordering.n_reordering([]) == reordering.gaps([]) == reordering.free_runs([]) == []


def test_the_ratio_of_the_3_reordered_leaves_out_what_two_overtook():
    assert reordering.n_reordered_ratio([2, 3, 1, 5, 6, 7, 4, 8], 3) == 1 / 8
    assert reordering.n_reordered_ratio([2, 3, 1, 5, 6, 7, 4, 8], 2) == 2 / 8


@given(anything)
def test_all_of_it_is_as_defined(sequence):
    overtakers = naive.overtakers(sequence)
    assert reordering.reordered(sequence) == naive.reordered(sequence)
    assert reordering.overtakers(sequence) == overtakers
    assert reordering.extents(sequence) == [i - j for i, j in overtakers.items()]
    assert reordering.n_reordering(sequence) == naive.n_reordering(sequence)
    assert reordering.gaps(sequence) == naive.gaps(sequence)
    assert reordering.free_runs(sequence) == naive.free_runs(sequence)
