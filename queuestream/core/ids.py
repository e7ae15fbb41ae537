"""Where every id and every choice of a broker comes from: one seeded source.

The same seed and the same calls give the same bytes, on every platform and Python.
Without a seed the source starts from the operating system's entropy.  These ids are
hard to guess by accident, not by intent: they are names, not secrets.
"""

from __future__ import annotations

import random

# For so many UUIDs at a time: the bits that make them of version 4 and variant 1, and all the others.
_DOZEN = 24
_VERSION_AND_VARIANT = sum((0x4000 << 64 | 0x8000 << 48) << 128 * n for n in range(_DOZEN))
_RANDOM = ~sum((0xF000 << 64 | 0xC000 << 48) << 128 * n for n in range(_DOZEN))


class Ids:
    """A broker's source of chance.

    Args:
        seed: Any integer or text; None takes one from the operating system.
    """

    def __init__(self, seed: int | str | None = None) -> None:
        self.seed = seed
        self._random = random.Random(seed)
        self.bits = self._random.getrandbits
        self._uuids: list[str] = []

    def uuid(self) -> str:
        """A random id in the form of a version 4 UUID, such as SQS gives to messages.

        They are made by the dozen, and by hand: `uuid.uuid4` costs six times as much.
        """
        uuids = self._uuids
        if not uuids:
            digits = (self.bits(128 * _DOZEN) & _RANDOM | _VERSION_AND_VARIANT).to_bytes(16 * _DOZEN, "big").hex()
            uuids += [
                f"{digits[i : i + 8]}-{digits[i + 8 : i + 12]}-{digits[i + 12 : i + 16]}-"
                f"{digits[i + 16 : i + 20]}-{digits[i + 20 : i + 32]}"
                for i in range(0, 32 * _DOZEN, 32)
            ]
        return uuids.pop()

    def choice_source(self) -> random.Random:
        """A source of its own for one part, so that its choices do not disturb the ids of others."""
        return random.Random(self.bits(64))
