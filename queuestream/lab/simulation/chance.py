"""Chance: as many independent streams as there are names, all of one seed.

What one stream gives does not depend on how often another one was asked, so that a change in one
actor leaves the luck of all others as it was.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def seeded_random(seed: float | str) -> Iterator[None]:
    """Let Python's own `random` begin with a seed, and go on afterwards as if nothing had been."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


class Chance:
    """The streams of one seed.

    Args:
        seed: Any integer or text.

    Attributes:
        seed: Of what is drawn from now on.
    """

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """The stream of that name; always the same object."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = random.Random(f"{self.seed} {name}")
        return stream

    def begin_anew(self, seed: int | str) -> None:
        """From now on every stream, also one that is in use, is the one of another seed."""
        self.seed = seed
        for name, stream in self._streams.items():
            stream.seed(f"{seed} {name}")
