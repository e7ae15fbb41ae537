"""Chance that needs no memory."""

from queuestream.core.chance import Chance


def test_the_same_question_has_the_same_answer_and_another_key_another_one():
    chance = Chance(b"one")
    assert chance.draw("copy", 17) == Chance(b"one").draw("copy", 17) == 0x643F0D3B349D2DF7
    others = [chance.draw("copy", 18), chance.draw("return", 17), Chance(b"two").draw("copy", 17)]
    assert chance.draw("copy", 17) not in others


def test_a_share_of_all_questions_is_struck():
    chance = Chance(b"one")
    struck = [
        sum(chance.strikes(share, "copy", number) for number in range(2_000)) for share in (0, 0.1, 0.5, 1)
    ]
    assert (struck[0], struck[3]) == (0, 2_000)
    assert 160 < struck[1] < 240
    assert 930 < struck[2] < 1_070


def test_numbers_are_shuffled_in_one_way_for_each_question():
    chance = Chance(b"one")
    orders = [chance.shuffled(10, "order", number) for number in range(50)]
    assert all(sorted(order) == [*range(10)] for order in orders)
    assert chance.shuffled(10, "order", 0) == orders[0]
    assert len({*map(tuple, orders)}) == 50
    assert {order[0] for order in orders} == {*range(10)}
