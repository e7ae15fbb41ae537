"""How long something takes: what the distributions draw."""

import math
import random

import pytest

from queuestream.lab.actors import Exponential, Fixed, LogNormal, Uniform, duration
from queuestream.lab.actors.durations import KINDS, exp, ln, normal


def drawn(distribution, count=3_000):
    chance = random.Random("durations")
    return sorted(distribution.draw(chance) for _ in range(count))


def test_a_fixed_duration_is_always_as_long():
    assert set(drawn(Fixed(2.5))) == {2.5}


def test_a_uniform_duration_lies_between_its_bounds():
    seconds = drawn(Uniform(2, 6))
    assert 2 <= seconds[0] < 2.01
    assert 5.99 < seconds[-1] < 6


def test_an_exponential_duration_has_its_mean_and_is_mostly_shorter():
    seconds = drawn(Exponential(mean=3))
    assert math.fsum(seconds) / len(seconds) == pytest.approx(3, rel=0.05)
    # The median of the exponential distribution is its mean times ln 2.
    assert seconds[len(seconds) // 2] == pytest.approx(3 * math.log(2), rel=0.05)


def test_a_lognormal_duration_has_its_median_and_a_long_tail():
    seconds = drawn(LogNormal(median=2, spread=0.5))
    assert seconds[len(seconds) // 2] == pytest.approx(2, rel=0.05)
    # 97.7 % of all lie below the median times e to the power of twice the spread.
    assert seconds[len(seconds) * 977 // 1000] == pytest.approx(2 * math.exp(1), rel=0.1)


def test_a_normal_variate_has_the_mean_0_and_the_deviation_1():
    chance = random.Random("normal")
    values = [normal(chance) for _ in range(3_000)]
    assert math.fsum(values) / len(values) == pytest.approx(0, abs=0.05)
    assert math.fsum(value * value for value in values) / len(values) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_distribution_by_its_name_has_the_mean_that_was_asked_for(kind):
    seconds = drawn(duration(kind, 2))
    assert math.fsum(seconds) / len(seconds) == pytest.approx(2, rel=0.05)


def test_a_distribution_that_does_not_exist_is_refused_by_naming_those_that_do():
    with pytest.raises(ValueError, match="no distribution 'normal'; there are fixed, uniform"):
        duration("normal", 1)


def test_what_is_drawn_is_known_to_the_last_bit():
    # The same on every machine and with every Python, or a seed would not name a run.
    chance = random.Random(7)
    values = [
        distribution.draw(chance).hex() for distribution in (Exponential(1), LogNormal(1), Uniform(0, 1))
    ]
    assert values == ["0x1.128b2f3a47e10p+0", "0x1.6aadd6d332a4dp-2", "0x1.738f7d1a22dd8p-4"]


@pytest.mark.parametrize("value", [0.001, 0.5, 1.0, 2.0, 17.25])
def test_logarithm_and_exponential_function_are_the_usual_ones(value):
    assert ln(value) == pytest.approx(math.log(value), rel=1e-14, abs=1e-300)
    assert exp(value) == pytest.approx(math.exp(value), rel=1e-14)
