"""Chance that needs no memory: the same question has the same answer, whoever asks it and when.

A draw is a keyed hash of what it is about: `draw("copy", 17)` of one queue is a number that looks like
any other, and is always that number.  So a choice follows from what it is about, as everything else
that can be replayed does: a broker that is rebuilt from its changes or opened from its file chooses as the
first one would have, a call that was refused has used nothing up, and no id changes because somebody
has drawn.  The key is the queue's or stream's secret, which comes from the broker's seed.
"""

from __future__ import annotations

from hashlib import blake2b

_BITS = 64


class Chance:
    """The choices of one queue or stream.

    Args:
        key: Up to 64 bytes; another key makes other choices.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def draw(self, about: str, *numbers: int) -> int:
        """A number of 64 bits for a question."""
        question = f"{about} {numbers}".encode()
        return int.from_bytes(blake2b(question, digest_size=_BITS // 8, key=self._key).digest(), "big")

    def strikes(self, share: float, about: str, *numbers: int) -> bool:
        """Whether something happens that happens to a share (0 to 1) of all that it is asked of."""
        return share > 0 and self.draw(about, *numbers) < share * (1 << _BITS)

    def shuffled(self, count: int, about: str, *numbers: int) -> list[int]:
        """The numbers below `count` in any order.

        Cost: `count` draws.
        """
        return sorted(range(count), key=lambda number: self.draw(about, *numbers, number))
