"""What is sent and when: keys by their weights, and paces."""

import random
from collections import Counter
from itertools import accumulate, islice

import pytest

from queuestream.lab.actors import AtTimes, Bursts, Keys, Message, Poisson, Steady, lane_of, numbered
from queuestream.lab.actors.load import in_chunks


def shares(keys, count=4_000):
    chance = random.Random("keys")
    drawn = Counter(keys.draw(chance) for _ in range(count))
    return {name: drawn[name] / count for name in keys.names}


def instants(pace, count):
    return list(accumulate(islice(pace.pauses(random.Random("pace")), count)))


def test_even_keys_are_as_frequent():
    assert shares(Keys.even(4)) == pytest.approx(
        dict.fromkeys(["key-1", "key-2", "key-3", "key-4"], 1 / 4), abs=0.03
    )


def test_by_zipfs_law_the_third_key_is_a_third_as_frequent_as_the_first():
    found = shares(Keys.zipf(3, skew=1))
    assert found == pytest.approx({"key-1": 6 / 11, "key-2": 3 / 11, "key-3": 2 / 11}, abs=0.03)


def test_a_hot_key_has_its_share_and_the_others_the_rest():
    assert shares(Keys.hot(3, share=0.8)) == pytest.approx({"hot": 0.8, "key-1": 0.1, "key-2": 0.1}, abs=0.03)


def test_messages_are_numbered_within_their_key_and_say_which_it_is():
    messages = list(numbered(50, Keys.even(3, "customer"), random.Random(1)))
    for key in ("customer-1", "customer-2", "customer-3"):
        mine = [message for message in messages if message.key == key]
        assert mine == [Message(f"{key} {number}", key) for number in range(1, len(mine) + 1)]
    assert [lane_of(message.body) for message in messages] == [message.key for message in messages]


def test_a_text_that_names_no_key_belongs_to_no_lane():
    assert lane_of("hello") == ""


def test_a_steady_pace_is_even():
    assert instants(Steady(per_second=4), 4) == [0.25, 0.5, 0.75, 1.0]


def test_a_poisson_pace_is_uneven_and_keeps_its_rate():
    at = instants(Poisson(per_second=10), 4_000)
    assert at[-1] == pytest.approx(400, rel=0.05)
    within_a_second = Counter(int(instant) for instant in at)
    assert min(within_a_second.values()) < 5
    assert max(within_a_second.values()) > 15


def test_bursts_come_all_at_once_and_then_nothing_does():
    assert instants(Bursts(3, every_seconds=10, first_seconds=5), 7) == [5, 5, 5, 15, 15, 15, 25]


def test_what_was_recorded_comes_when_it_did():
    assert instants(AtTimes([1, 1, 3.5, 10]), 4) == [1, 1, 3.5, 10]


def test_the_last_chunk_has_what_is_left():
    messages = [Message(str(number)) for number in range(5)]
    assert [len(chunk) for chunk in in_chunks(messages, 2)] == [2, 2, 1]
