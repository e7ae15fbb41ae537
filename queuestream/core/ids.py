"""Where every id and every choice of a broker comes from: one seeded source.

The same seed and the same calls give the same bytes, on every platform and Python.
Without a seed the source starts from the operating system's entropy.  These ids are
hard to guess by accident, not by intent: they are names, not secrets.
"""

from __future__ import annotations

import os
import random

# A UUID's version and variant, in as many UUIDs as are made at a time, and all other bits.
_AT_A_TIME = 32
_FIXED = sum((0x4000 << 64 | 0x8000 << 48) << 128 * n for n in range(_AT_A_TIME))
_RANDOM = ~sum((0xF000 << 64 | 0xC000 << 48) << 128 * n for n in range(_AT_A_TIME))

# Seeding takes longer than a queue's first message, so those without a seed share one source.
_unseeded = random.Random()
_unseeded_uuids: list[str] = []


def _begin_anew() -> None:
    _unseeded.seed()
    _unseeded_uuids.clear()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    # A forked process must not go on with the ids of the other one.
    os.register_at_fork(after_in_child=_begin_anew)


class Ids:
    """A broker's source of chance.

    Args:
        seed: Any integer or text; None takes one from the operating system.
    """

    def __init__(self, seed: int | str | None = None) -> None:
        self.seed = seed
        self.bits = (_unseeded if seed is None else random.Random(seed)).getrandbits
        self._uuids = _unseeded_uuids if seed is None else []
        self._at_a_time = 1

    def uuid(self) -> str:
        """A random id in the form of a version 4 UUID, such as SQS gives to messages.

        They are made by hand, several at a time, more with each time: `uuid.uuid4` costs six times as much.
        """
        while True:
            try:
                return self._uuids.pop()
            except IndexError:
                self._make_uuids()

    def _make_uuids(self) -> None:
        count = self._at_a_time
        self._at_a_time = min(2 * count, _AT_A_TIME)
        fixed = _FIXED >> 128 * (_AT_A_TIME - count)
        pairs = (self.bits(128 * count) & _RANDOM | fixed).to_bytes(16 * count, "big").hex("-", 2)
        self._uuids += [
            f"{pairs[i : i + 4]}{pairs[i + 5 : i + 29]}{pairs[i + 30 : i + 34]}{pairs[i + 35 : i + 39]}"
            for i in range(0, 40 * count, 40)
        ]
