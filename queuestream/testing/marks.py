"""What a test says of itself, `@pytest.mark.queuestream(...)`, and the seed that it gets.

Marks add up: what stands at a test wins over what stands at its class, and that over its module's.

A test's seed is, in this order: what its mark says; what `--queuestream-seed` says; a number that is made
of the test's name.  So a test that says nothing is the same each time and everywhere, in a worker of
xdist's, too, and two tests, or two parameters of one, are two chances.  `seeds=20` runs a test twenty times.

The fixtures are in `pytest_plugin.py`.  Nothing here needs pytest.
"""

from __future__ import annotations

import difflib
import random
import re
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

RANDOM = "random"
"""What `--queuestream-seed` takes beside a number."""

_SEEDING = ("seed", "seeds")
OF_THE_CLOCK = ("start", "autojump", "patience_seconds")
OF_THE_BROKER = ("delivery", "consistency", "queue_limits", "account_id", "region")
OF_THE_WORLD = ("trace",)
KNOWN = (*_SEEDING, *OF_THE_BROKER, *OF_THE_CLOCK, *OF_THE_WORLD)
"""The arguments of the mark."""

_SEEDS_MADE_MAX = 1_000_000


class MarkMistake(ValueError):
    """A mark says something that no mark can say."""


class Seed(NamedTuple):
    """A seed, and where it is from.

    Attributes:
        value: What chance is made of.
        source: Where it is from, in words.
        must_be_said: Whether a command that repeats the test has to say it.
    """

    value: int | str
    source: str
    must_be_said: bool


def arguments_of(marks: Iterable[pytest.Mark]) -> dict[str, Any]:
    """What the marks of a test say together.

    Args:
        marks: The nearest one first.

    Raises:
        MarkMistake: One says what no mark can say.
    """
    said: dict[str, Any] = {}
    for mark in marks:
        _check(mark)
        seed_is_said = any(name in said for name in _SEEDING)
        for name, value in mark.kwargs.items():
            if name not in said and not (seed_is_said and name in _SEEDING):
                said[name] = value
    return said


def _check(mark: pytest.Mark) -> None:
    if mark.args:
        shown = ", ".join(map(repr, mark.args))
        raise MarkMistake(f"@pytest.mark.queuestream takes arguments by name, as in seed=7, and not {shown}.")
    for name in mark.kwargs:
        if name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(KNOWN)}."
            raise MarkMistake(f"@pytest.mark.queuestream has no argument {name!r}; {hint}")
    if all(name in mark.kwargs for name in _SEEDING):
        raise MarkMistake("@pytest.mark.queuestream takes seed, which is one, or seeds, how many; not both.")
    seed, seeds = mark.kwargs.get("seed", 0), mark.kwargs.get("seeds", 1)
    if not isinstance(seed, int | str):
        raise MarkMistake(f"@pytest.mark.queuestream: a seed is a whole number or a text, not {seed!r}.")
    if not (isinstance(seeds, int) and seeds >= 1):
        raise MarkMistake(f"@pytest.mark.queuestream: seeds is how many there are, not {seeds!r}.")


def seed_of(said: dict[str, Any], option: str | None, test: str) -> Seed:
    """The seed of a test that runs once.

    Args:
        said: What its marks say.
        option: What `--queuestream-seed` says; None where it says nothing.
        test: The test's name, the same wherever it runs.
    """
    if "seed" in said:
        return Seed(said["seed"], "said by the test's mark", must_be_said=False)
    if option == RANDOM:
        return Seed(_random_seed(), "drawn at random", must_be_said=True)
    if option is not None:
        return Seed(int(option), "said by --queuestream-seed", must_be_said=True)
    return Seed(zlib.crc32(test.encode()) % _SEEDS_MADE_MAX, "made of the test's name", must_be_said=True)


def seeds_of(count: int, option: str | None) -> dict[str, Seed]:
    """The seeds of a test that is to run with several, each under the name that pytest shows.

    The names are the same in every process, as xdist wants it.

    Args:
        count: How many, where the option does not say which one.
        option: What `--queuestream-seed` says; None where it says nothing.
    """
    if option == RANDOM:
        draws = (Seed(_random_seed(), "drawn at random", must_be_said=True) for _ in range(count))
        return {f"random-{number}": seed for number, seed in enumerate(draws, 1)}
    if option is not None:
        return {name_of(int(option)): seed_of({}, option, "")}
    return {
        name_of(number): Seed(number, "one of the test's own", must_be_said=False) for number in range(count)
    }


def as_one_of_several(test: str, seed: Seed) -> str:
    """The name of a test that drew one of several seeds, where that seed is said."""
    return re.sub(r"\brandom-\d+\b", name_of(seed.value), test)


def name_of(seed: int | str) -> str:
    """How one of several seeds is shown in a test's name."""
    return f"seed={seed}"


def _random_seed() -> int:
    return random.SystemRandom().randrange(_SEEDS_MADE_MAX)
