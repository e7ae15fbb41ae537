"""What was sent in the last five minutes: a FIFO queue's memory against duplicates.

It remembers what a send answered, not the message, so it holds after the message was
received and deleted, and a duplicate send gets the original's ids.  An entry has
expired *from* its end on.

AWS: "Exactly-once processing in Amazon SQS"; "Using the message deduplication ID".
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = str | tuple[str | None, str]
"""A deduplication id; with its message group's id where that is the scope."""


class Deduplication:
    """The deduplication ids of one FIFO queue that are still remembered."""

    __slots__ = ("_expiries", "_originals")

    def __init__(self) -> None:
        self._originals: dict[Key, tuple[str, int, int]] = {}
        self._expiries: deque[tuple[int, Key]] = deque()

    def original(self, key: Key, now_ns: int) -> tuple[str, int] | None:
        """The message id and the number that the key was first sent with; None where it is not remembered."""
        self._forget(now_ns)
        original = self._originals.get(key)
        return None if original is None else original[:2]

    def remember(self, key: Key, message_id: str, number: int, until_ns: int) -> None:
        """Take what comes with the same key for a duplicate until the given instant."""
        self._originals[key] = (message_id, number, until_ns)
        self._expiries.append((until_ns, key))

    def newer_than(self, number: int) -> Iterator[tuple[Key, str, int, int]]:
        """What was remembered of messages after a number, the latest first, as `remember` was told it."""
        for until_ns, key in reversed(self._expiries):
            message_id, original_number, original_until_ns = self._originals[key]
            if original_number <= number:
                return
            if original_until_ns == until_ns:
                yield key, message_id, original_number, until_ns

    def oldest(self, now_ns: int) -> int | None:
        """The first number that is remembered; None where there is none."""
        self._forget(now_ns)
        for until_ns, key in self._expiries:
            _, number, original_until_ns = self._originals[key]
            if original_until_ns == until_ns:
                return number
        return None

    def forget_all(self) -> None:
        """Take nothing for a duplicate of what was sent so far, as SQS does from a purge on."""
        self._originals.clear()
        self._expiries.clear()

    def _forget(self, now_ns: int) -> None:
        expiries = self._expiries
        while expiries and expiries[0][0] <= now_ns:
            until_ns, key = expiries.popleft()
            # A move task may have brought another message with the same key since.
            if key in self._originals and self._originals[key][2] == until_ns:
                del self._originals[key]

    def check_invariants(self) -> None:
        """Assert what the memory relies on."""
        instants = [until_ns for until_ns, _ in self._expiries]
        assert instants == sorted(instants)
        assert {(until_ns, key) for key, (_, _, until_ns) in self._originals.items()} <= set(self._expiries)
