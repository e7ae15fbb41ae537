"""Where every id and every choice of a broker comes from: one seeded source.

The same seed and the same calls give the same bytes, on every platform and Python.
Without a seed the source starts from the operating system's entropy.  These ids are
hard to guess by accident, not by intent: they are names, not secrets.
"""

from __future__ import annotations

import random

# The bits that make a UUID one of version 4 and variant 1, and all the others.
_VERSION_AND_VARIANT = 0x4000 << 64 | 0x8000 << 48
_RANDOM = ~(0xF000 << 64 | 0xC000 << 48)


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
        text = (self.bits(128) & _RANDOM | _VERSION_AND_VARIANT).to_bytes(16, "big").hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def choice_source(self) -> random.Random:
        """A source of its own for one part, so that its choices do not disturb the ids of others."""
        return random.Random(self.bits(64))
