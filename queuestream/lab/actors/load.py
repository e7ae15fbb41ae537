"""What producers send, and when: messages with keys, and the paces at which they come.

A message is called `<key> <number>`, its number being its place among the messages of its key,
so a person who reads a history sees at once what belongs together and what is late.

    >>> import random
    >>> [message.body for message in numbered(5, Keys.even(2, "customer"), random.Random(1))]
    ['customer-2 1', 'customer-2 2', 'customer-1 1', 'customer-1 2', 'customer-2 3']
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Protocol

import attrs
from attrs.validators import gt

from queuestream.lab.actors.durations import Exponential, exp, ln

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Sequence

_PARTS = 2**32


@attrs.frozen
class Message:
    """One thing to be sent.

    Attributes:
        body: What it says, and what it is called in a history.
        key: What order is wanted by: a message group or a partition key.
    """

    body: str
    key: str | None = None


def lane_of(body: str) -> str:
    """The key that a message's name begins with: `customer-1` of `customer-1 17`, none of any other text."""
    return body.rpartition(" ")[0]


class Keys:
    """Names that are drawn by their weights.

    Args:
        names: The keys.
        weights: How often each comes, in any unit.
    """

    def __init__(self, names: Sequence[str], weights: Sequence[float]) -> None:
        self.names = tuple(names)
        # Shares as integers, which add up exactly, whatever the weights were.
        heaviest = max(weights)
        self._up_to = list(accumulate(round(weight / heaviest * _PARTS) for weight in weights))

    @classmethod
    def even(cls, count: int, prefix: str = "key") -> Keys:
        """So many keys, `key-1` to `key-<count>`, each as likely."""
        return cls.zipf(count, 0, prefix)

    @classmethod
    def zipf(cls, count: int, skew: float, prefix: str = "key") -> Keys:
        """Keys of which the n-th is as frequent as 1 / n ** skew says (Zipf's law with 1, even with 0)."""
        weights = [exp(-skew * ln(place)) for place in range(1, count + 1)]
        return cls([f"{prefix}-{place}" for place in range(1, count + 1)], weights)

    @classmethod
    def hot(cls, count: int, share: float, prefix: str = "key", hot: str = "hot") -> Keys:
        """One key that has this share of all, and `count - 1` others that share the rest evenly."""
        others = [f"{prefix}-{place}" for place in range(1, count)]
        return cls([hot, *others], [share, *repeat((1 - share) / max(1, len(others)), len(others))])

    def draw(self, chance: random.Random) -> str:
        """The next one."""
        return self.names[bisect_right(self._up_to, chance.getrandbits(48) * self._up_to[-1] >> 48)]


def numbered(count: int, keys: Keys, chance: random.Random) -> Iterator[Message]:
    """So many messages with keys as they are drawn, each key's numbered from 1."""
    last: dict[str, int] = {}
    for _ in range(count):
        key = keys.draw(chance)
        number = last[key] = last.get(key, 0) + 1
        yield Message(f"{key} {number}", key)


# --- paces ----------------------------------------------------------------------------------------------


class Pace(Protocol):
    """Anything that says how long to wait before each message."""

    def pauses(self, chance: random.Random) -> Iterator[float]:
        """Seconds before the first message, the second, and so on, for as many as one likes."""


@attrs.frozen
class Steady:
    """So many a second, at even distances."""

    per_second: float = attrs.field(validator=gt(0))

    def pauses(self, chance: random.Random) -> Iterator[float]:
        """Seconds before the first message, the second, and so on."""
        return repeat(1 / self.per_second)


@attrs.frozen
class Poisson:
    """So many a second on average, each whenever it likes, as customers come."""

    per_second: float = attrs.field(validator=gt(0))

    def pauses(self, chance: random.Random) -> Iterator[float]:
        """Seconds before the first message, the second, and so on."""
        between = Exponential(1 / self.per_second)
        while True:
            yield between.draw(chance)


@attrs.frozen
class Bursts:
    """So many at once, then nothing for a while.

    Attributes:
        size: How many come together.
        every_seconds: From one burst to the next.
        first_seconds: When the first one comes.
    """

    size: int = attrs.field(validator=gt(0))
    every_seconds: float = attrs.field(validator=gt(0))
    first_seconds: float = 0

    def pauses(self, chance: random.Random) -> Iterator[float]:
        """Seconds before the first message, the second, and so on."""
        pause = self.first_seconds
        while True:
            yield pause
            yield from repeat(0.0, self.size - 1)
            pause = self.every_seconds


@attrs.frozen
class AtTimes:
    """At these instants, in seconds from the beginning; as something was recorded."""

    seconds: Sequence[float]

    def pauses(self, chance: random.Random) -> Iterator[float]:
        """Seconds before the first message, the second, and so on."""
        so_far = 0.0
        for at in self.seconds:
            yield max(0.0, at - so_far)
            so_far = at


def in_chunks(messages: Iterable[Message], size: int) -> Iterator[list[Message]]:
    """The messages in lists of so many; the last may have fewer."""
    chunk: list[Message] = []
    for message in messages:
        chunk.append(message)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
