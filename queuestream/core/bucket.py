"""So much per second: an allowance that fills up as time passes.

An allowance for one second may be used at any moment of it.  It is kept as one integer, the
time at which it would be full again (the generic cell rate algorithm), so nothing has to tick.
To keep it exact the time is counted in `1 / rate` of a nanosecond.
"""

from __future__ import annotations

import attrs

from queuestream.core.clock import SECOND


@attrs.define(eq=False)
class Bucket:
    """So much per second, all of it at once at the most.

    Attributes:
        rate: How much it fills each second, and how much it holds.
    """

    rate: int
    _full_at: int = 0

    def has(self, amount: int, now_ns: int) -> bool:
        """Whether the amount is there; of more than it holds, whether it is full."""
        wanted = min(amount, self.rate) * SECOND
        return max(self._full_at, now_ns * self.rate) + wanted <= (now_ns + SECOND) * self.rate

    def has_from_ns(self, amount: int) -> int:
        """From when on it has the amount, if nobody takes anything."""
        return -(-(self._full_at + min(amount, self.rate) * SECOND) // self.rate) - SECOND

    def is_full(self, now_ns: int) -> bool:
        """Whether it is as if nobody had ever taken anything."""
        return self._full_at <= now_ns * self.rate

    def take(self, amount: int, now_ns: int) -> None:
        """Use the amount up; more than there is leaves a debt."""
        self._full_at = max(self._full_at, now_ns * self.rate) + amount * SECOND
