"""Measures of disorder: on sequences counted by hand, and against their definitions."""

import random

import naive_metrics as naive
import pytest
from hypothesis import given, settings
from naive_metrics import anything, permutations

from queuestream.lab.metrics import disorder, reordering


@pytest.mark.parametrize(
    ("sequence", "inversions", "tau", "footrule", "furthest", "runs", "removals"),
    [
        ([1, 2, 3, 4], 0, 1.0, 0, 0, 1, 0),
        ([4, 3, 2, 1], 6, -1.0, 8, 3, 4, 3),
        ([1, 4, 2, 5, 3], 3, 0.4, 6, 2, 3, 2),
        # Two halves that have changed places: half of all pairs, yet two runs.
        ([4, 5, 6, 1, 2, 3], 9, -0.2, 18, 3, 2, 3),
        # One message that comes last: n - 1 inversions, and one message.
        ([2, 3, 4, 5, 1], 4, 0.2, 8, 4, 2, 1),
        # Numbers that are missing change nothing.
        ([10, 40, 20, 50, 30], 3, 0.4, 6, 2, 3, 2),
        ([7], 0, None, 0, 0, 1, 0),
        ([], 0, None, 0, 0, 0, 0),
    ],
)
def test_measures_counted_by_hand(sequence, inversions, tau, footrule, furthest, runs, removals):
    assert disorder.inversions(sequence) == inversions
    assert disorder.kendall_tau(sequence) == tau
    assert disorder.footrule(sequence) == footrule
    assert disorder.max_displacement(sequence) == furthest
    assert disorder.runs(sequence) == runs
    assert disorder.removals(sequence) == removals


def test_two_deliveries_of_one_message_are_never_in_the_wrong_order():
    assert disorder.inversions([1, 2, 2, 1]) == 2
    assert disorder.pairs([1, 2, 2, 1]) == 4
    assert disorder.kendall_tau([1, 2, 2, 1]) == 0
    assert disorder.kendall_tau([1, 1]) is None
    assert disorder.removals([1, 1, 2, 2]) == 0


@given(anything)
def test_all_of_it_is_as_defined(sequence):
    distances = naive.distances(sequence)
    assert disorder.inversions(sequence) == naive.inversions(sequence)
    assert disorder.pairs(sequence) == naive.pairs(sequence)
    assert disorder.distances(sequence) == distances
    assert disorder.max_displacement(sequence) == max(distances, default=0)
    assert disorder.longest_increasing(sequence) == naive.longest_increasing(sequence)
    assert disorder.runs(sequence) == naive.runs(sequence)
    assert disorder.is_sorted(sequence) is (sequence == sorted(sequence))


@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("ways", [2, 3])
def test_inversions_are_counted_across_parts_of_parts(monkeypatch, block, ways):
    monkeypatch.setattr(disorder, "_BLOCK", block)
    monkeypatch.setattr(disorder, "_WAYS", ways)

    @settings(max_examples=30)
    @given(anything)
    def counts(sequence):
        assert disorder.inversions(sequence) == naive.inversions(sequence)

    counts()


def test_inversions_of_a_long_sequence_are_those_of_another_way_of_counting():
    numbers = random.Random("inversions").sample(range(5_000), 5_000)
    # The number of larger ones before each is what bubbles past it.
    seen, expected = 0, 0
    for number in numbers:
        expected += (seen >> number).bit_count()
        seen |= 1 << number
    assert disorder.inversions(numbers) == expected


@given(permutations)
def test_the_footrule_lies_between_the_inversions_and_twice_as_many(sequence):
    inversions, footrule = disorder.inversions(sequence), disorder.footrule(sequence)
    assert inversions <= footrule <= 2 * inversions
    assert footrule <= len(sequence) ** 2 // 2


@given(anything)
def test_the_largest_extent_is_the_largest_distance_of_two_in_the_wrong_order(sequence):
    apart = [i - j for i in range(len(sequence)) for j in range(i) if sequence[j] > sequence[i]]
    assert max(reordering.extents(sequence), default=0) == max(apart, default=0)
