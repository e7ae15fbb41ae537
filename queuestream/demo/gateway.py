"""What the workers call to get a task done, and what sometimes fails them.

Most tasks succeed at the first attempt, some at the second or third.  A few are poisonous:
they fail whenever they are tried, until somebody fixes what is wrong with them.  Which is
which is drawn from the seed, before anything is sent; no queue knows of it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FAILS_ONCE, FAILS_TWICE, POISONOUS = 0.12, 0.08, 0.03


class Gateway:
    """One way to the passengers; each queue's workers have their own.

    Args:
        tasks: The tasks' lines, in order.
        seed: Decides which of them fail, and how often.

    Attributes:
        poisonous: The tasks that always fail until they are fixed; at least one.
    """

    def __init__(self, tasks: Iterable[int], seed: int) -> None:
        chance = random.Random(f"failures {seed}")
        lines = list(tasks)
        self._failures = {
            line: chance.choices((0, 1, 2), (1 - FAILS_ONCE - FAILS_TWICE, FAILS_ONCE, FAILS_TWICE))[0]
            for line in lines
        }
        self.poisonous = frozenset(line for line in lines if chance.random() < POISONOUS) or frozenset(
            chance.sample(lines, min(1, len(lines)))
        )
        self._broken = set(self.poisonous)
        self._failures.update(dict.fromkeys(self.poisonous, 0))  # once they are fixed, they succeed

    def accepts(self, line: int, attempt: int) -> bool:
        """Try a task for the n-th time (from 1); whether it succeeded."""
        return line not in self._broken and attempt > self._failures.get(line, 0)

    def fix(self, lines: Iterable[int]) -> None:
        """Mend what made these tasks fail."""
        self._broken.difference_update(lines)
