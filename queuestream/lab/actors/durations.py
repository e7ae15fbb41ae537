"""How long something takes: distributions to draw from.

    >>> import random
    >>> round(Exponential(mean=2).draw(random.Random(7)), 6)
    2.144873

A run is to be the same on every machine and with every Python, so only what is the same everywhere is
used: `Random.random` and `getrandbits`, comparing, arithmetic, and the functions of `decimal`, which are
rounded correctly, as those of the machine's library need not be.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Protocol

import attrs
from attrs.validators import ge, gt

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_PRECISE = Context(prec=20)
_TWELVE = 12


class Duration(Protocol):
    """Anything that says how long the next one takes."""

    def draw(self, chance: random.Random) -> float:
        """The next one, in seconds."""


@attrs.frozen
class Fixed:
    """Always as long."""

    seconds: float = attrs.field(validator=ge(0))

    def draw(self, chance: random.Random) -> float:
        """The next one, in seconds."""
        return self.seconds


@attrs.frozen
class Uniform:
    """Anything between two bounds, each as likely."""

    low: float = attrs.field(validator=ge(0))
    high: float = attrs.field(validator=ge(0))

    def draw(self, chance: random.Random) -> float:
        """The next one, in seconds."""
        return self.low + (self.high - self.low) * chance.random()


@attrs.frozen
class Exponential:
    """What has no memory: mostly short, sometimes several times the mean."""

    mean: float = attrs.field(validator=ge(0))

    def draw(self, chance: random.Random) -> float:
        """The next one, in seconds."""
        return self.mean * exponential(chance.random)


@attrs.frozen
class LogNormal:
    """As most work is: around a median, with a long tail.

    Attributes:
        median: Half take longer.
        spread: The standard deviation of the logarithm; with 1, one in fifty takes eight times the median.
    """

    median: float = attrs.field(validator=ge(0))
    spread: float = attrs.field(default=0.5, validator=gt(0))

    def draw(self, chance: random.Random) -> float:
        """The next one, in seconds."""
        return self.median * exp(self.spread * normal(chance))


KINDS = ("fixed", "uniform", "exponential", "lognormal")


def duration(kind: str, mean: float) -> Duration:
    """A distribution of `KINDS` by its name, with this mean; `uniform` goes 50 % below and above it.

    Raises:
        ValueError: There is no such distribution.
    """
    match kind:
        case "fixed":
            return Fixed(mean)
        case "uniform":
            return Uniform(mean / 2, mean * 1.5)
        case "exponential":
            return Exponential(mean)
        case "lognormal":
            return LogNormal(mean * 0.8825)  # whose mean is e^(0.5**2 / 2) times the median
        case _:
            raise ValueError(f"There is no distribution {kind!r}; there are {', '.join(KINDS)}.")


def exponential(random: Callable[[], float]) -> float:
    """A standard exponential variate, made by comparing uniform ones and nothing else.

    As long as they fall, uniform variates are drawn; the first of them counts if their number is odd, and if
    it is not, another round begins one further.

    Source: J. von Neumann, Various techniques used in connection with random digits (1951).
    """
    whole = 0
    while True:
        first = last = random()
        falling = 1
        while (drawn := random()) < last:
            last = drawn
            falling += 1
        if falling % 2:
            return whole + first
        whole += 1


def ln(value: float) -> float:
    """The natural logarithm, the same on every machine."""
    return float(_PRECISE.ln(Decimal(value)))


def exp(value: float) -> float:
    """The exponential function, the same on every machine."""
    return float(_PRECISE.exp(Decimal(value)))


def normal(chance: random.Random) -> float:
    """About a standard normal variate: the sum of twelve uniform ones (Irwin and Hall), between -6 and 6."""
    total = sum(chance.getrandbits(32) for _ in range(_TWELVE))  # integers, which add up exactly
    return total / 2**32 - _TWELVE / 2
