"""The checkers, on sequences small enough to see what is wrong with them."""

from hypothesis import given
from hypothesis import strategies as st

from queuestream.demo.verdicts import exchange, keys_out_of_order, order, reordered

KEYS = {1: "a", 2: "b", 3: "a", 4: "b"}


def test_what_is_seen_once_each_is_exact():
    assert exchange([1, 2, 3], [3, 1, 2]).is_exact


def test_lost_unexpected_and_duplicated_are_told_apart():
    found = exchange([1, 2, 3, 4], [2, 2, 9, 4, 9])

    assert found.lost == [1, 3]
    assert found.unexpected == [9]
    assert found.duplicated == [2, 9]
    assert not found.is_exact


def test_each_key_has_an_order_of_its_own():
    assert keys_out_of_order([2, 4, 1, 3], KEYS) == []
    assert keys_out_of_order([1, 2, 4, 3], KEYS) == []
    assert keys_out_of_order([3, 2, 1, 4], KEYS) == ["a"]
    assert keys_out_of_order([4, 3, 2, 1], KEYS) == ["b", "a"]


def test_the_same_again_is_in_order_until_a_later_one_was_seen():
    assert keys_out_of_order([1, 1, 3], KEYS) == []
    assert keys_out_of_order([1, 3, 1], KEYS) == ["a"]


def test_what_was_never_sent_has_no_key_to_be_out_of_order_in():
    assert keys_out_of_order([99, 1, 98, 3], KEYS) == []


def test_the_example_of_rfc_4737_counts_the_late_ones():
    # RFC 4737, 4.1.1: packets 4, 5 and 6 are early or 7 and 8 late; only the late ones are reordered.
    assert reordered([1, 2, 3, 7, 8, 4, 5, 6, 9]) == [4, 5, 6]


def test_the_same_again_is_not_late():
    assert reordered([1, 2, 2, 3]) == []


def test_the_order_of_sending_is_perfect():
    perfect = order([1, 2, 3, 5, 8])

    assert (perfect.reordered, perfect.extent, perfect.kendall_tau, perfect.reordered_ratio) == (
        0,
        0,
        1.0,
        0.0,
    )


def test_the_reverse_is_as_far_off_as_can_be():
    reverse = order([5, 4, 3, 2, 1])

    assert (reverse.reordered, reverse.extent, reverse.kendall_tau) == (4, 4, -1.0)


def test_one_that_comes_late_is_measured_from_the_first_that_overtook_it():
    # 2 was overtaken by 3, 4 and 5: three places late; three of ten pairs are the wrong way round.
    late = order([1, 3, 4, 5, 2])

    assert (late.reordered, late.extent) == (1, 3)
    assert late.kendall_tau == 1 - 2 * 3 / 10


def test_nothing_and_one_thing_are_in_order():
    assert order([]).kendall_tau == order([7]).kendall_tau == 1.0
    assert order([]).reordered_ratio == 0.0


@given(st.permutations(range(12)))
def test_the_measures_are_what_their_definitions_say(seen):
    measured = order(seen)

    overtaken = [
        [earlier for earlier in range(place) if seen[earlier] > seen[place]] for place in range(len(seen))
    ]
    pairs = len(seen) * (len(seen) - 1) / 2
    assert measured.reordered == sum(map(bool, overtaken)) == len(reordered(seen))
    assert measured.extent == max((place - by[0] for place, by in enumerate(overtaken) if by), default=0)
    assert measured.kendall_tau == 1 - 2 * sum(map(len, overtaken)) / pairs
