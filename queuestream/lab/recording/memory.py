"""What a recorder remembers, so that a later call can be told of the same message: bounded."""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

Value = TypeVar("Value")


class Memory(dict[str, Value]):
    """A dict that forgets: of more than `most` keys the older half.

    It looks at its size where it is told to, so that a key costs what it costs in a dict: whoever sets
    items in a hurry does it the plain way, and calls `forget_oldest` when there are too many.

    Args:
        most: How many keys are remembered at most; half as many are surely.
    """

    __slots__ = ("most",)

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def remember(self, key: str, value: Value) -> None:
        """Set an item; the oldest ones go where there are too many."""
        self[key] = value
        if len(self) > self.most:
            self.forget_oldest()

    def forget_oldest(self) -> None:
        """Forget the older half."""
        for key in list(islice(self, len(self) // 2)):
            self.pop(key, None)  # another thread may have been quicker
