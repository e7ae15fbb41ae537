"""Where every id and every choice of a broker comes from: one seeded source.

The same seed and the same calls give the same bytes, on every platform and Python.
Without a seed the source starts from the operating system's entropy.  These ids are
hard to guess by accident, not by intent: they are names, not secrets.
"""

from __future__ import annotations

import random

_VERSION_4 = 0x4000
_VARIANT = 0x8000


class Ids:
    """A broker's source of chance.

    Args:
        seed: Any integer or text; None takes one from the operating system.
    """

    def __init__(self, seed: int | str | None = None) -> None:
        self.seed = seed
        self._random = random.Random(seed)
        self.bits = self._random.getrandbits

    def uuid(self) -> str:
        """A random id in the form of a version 4 UUID, such as SQS gives to messages.

        Written out by hand, because `uuid.uuid4` costs three times as much.
        """
        text = f"{self.bits(128):032x}"
        # The version is the 13th digit; the variant puts two set bits into the 17th.
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"

    def choice_source(self) -> random.Random:
        """A source of its own for one part, so that its choices do not disturb the ids of others."""
        return random.Random(self.bits(64))
