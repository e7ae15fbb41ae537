"""What a recorder remembers, so that a later call can be told of the same message: bounded."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """The latest of what was said of a key: at least the last `at_least` keys that were remembered.

    Two dicts take turns: when the young one is full it becomes the old one, and the old one is dropped, so
    that forgetting costs nothing.

    Args:
        at_least: How many keys are surely remembered.
    """

    __slots__ = ("_at_least", "_old", "_young")

    def __init__(self, at_least: int) -> None:
        self._at_least = at_least
        self._young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def remember(self, key: str, value: Value) -> None:
        """Have `recall(key)` give the value."""
        young = self._young
        young[key] = value
        if len(young) >= self._at_least:
            self._old = young
            self._young = {}

    def recall(self, key: str) -> Value | None:
        """What was said of the key last; None where nothing is remembered."""
        value = self._young.get(key)
        return self._old.get(key) if value is None else value

    def forget(self, key: str) -> None:
        """Nobody asks for the key any more."""
        self._young.pop(key, None)
        if self._old:
            self._old.pop(key, None)
