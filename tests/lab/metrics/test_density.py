"""RFC 5236's densities: on its own examples, and against its procedures."""

import naive_metrics as naive
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_metrics import anything

from queuestream.lab.metrics import density

# RFC 5236's examples: no loss; packet 2 lost and packet 3 repeated.
WHOLE = [1, 4, 2, 5, 3, 6, 7, 8]
WITH_LOSS_AND_REPETITION = [1, 4, 3, 5, 3, 8, 7, 6]


def test_the_reorder_densities_of_the_rfcs_examples():
    assert density.reorder_density(WHOLE) == {-2: 1 / 8, -1: 1 / 8, 0: 4 / 8, 1: 1 / 8, 2: 1 / 8}
    for threshold in (2, None):
        assert density.displacements(WITH_LOSS_AND_REPETITION, threshold) == [0, -1, 1, 0, -2, 0, 2]
        found = density.reorder_density(WITH_LOSS_AND_REPETITION, threshold)
        assert found == {-2: 1 / 7, -1: 1 / 7, 0: 3 / 7, 1: 1 / 7, 2: 1 / 7}


def test_the_buffer_density_of_the_rfcs_example():
    assert density.occupancies(WHOLE) == [0, 1, 1, 2, 0, 0, 0, 0]
    assert density.buffer_density(WHOLE) == {0: 5 / 8, 1: 2 / 8, 2: 1 / 8}


def test_a_loss_displaces_nobody():
    assert density.displacements([1, 2, 5, 6, 9]) == [0, 0, 0, 0, 0]
    assert density.occupancies([1, 2, 5, 6, 9]) == [0, 0, 0, 0, 0]


def test_what_comes_later_than_the_threshold_is_lost():
    # 1 is three places late: with a threshold of 2 nobody waits for it.
    assert density.displacements([2, 3, 4, 1, 5], 3) == [-1, -1, -1, 3, 0]
    assert density.displacements([2, 3, 4, 1, 5], 2) == [0, 0, 0, 0]
    assert density.occupancies([2, 3, 4, 1, 5], 3) == [1, 2, 3, 0, 0]
    assert density.occupancies([2, 3, 4, 1, 5], 2) == [0, 0, 0, 0]


def test_without_patience_everything_is_in_order_or_lost():
    assert density.displacements([3, 1, 2, 4], 0) == [0, 0]
    assert density.occupancies([3, 1, 2, 4], 0) == [0, 0]


@given(anything, st.one_of(st.none(), st.integers(0, 12)))
def test_all_of_it_is_as_the_rfcs_procedures(sequence, threshold):
    assert density.displacements(sequence, threshold) == naive.displacements(sequence, threshold)
    assert density.occupancies(sequence, threshold) == naive.occupancies(sequence, threshold)


@given(anything)
def test_displacements_cancel_out(sequence):
    assert sum(density.displacements(sequence)) == 0


@pytest.mark.parametrize(
    ("number", "low", "high"),
    [
        *[(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 4), (4, 3, 4), (5, 5, 8), (8, 5, 8), (9, 9, 16)],
        *[(-1, -1, -1), (-2, -2, -2), (-3, -4, -3), (-8, -8, -5), (-9, -16, -9)],
    ],
)
def test_bins_double(number, low, high):
    assert density.in_bins([number]) == {(low, high): 1}


@given(st.lists(st.integers(-40, 40)))
def test_bins_are_ascending_and_have_everything(numbers):
    bins = density.in_bins(numbers)
    assert list(bins) == sorted(bins)
    assert {(low, high): sum(low <= number <= high for number in numbers) for low, high in bins} == bins
    assert sum(bins.values()) == len(numbers)
