"""Receives that may be repeated: a FIFO queue's answer to a reply that got lost.

A receiver that names its attempt and got no answer may try again within five minutes,
and gets the same messages with the same handles, unless something was done with any of
them since: deleted, come back, received again or given another visibility timeout.

AWS: "ReceiveRequestAttemptId" of ReceiveMessage; "Using the receive request attempt ID".
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from queuestream.core.queues.receipts import TOKEN_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.queues.message import Message

Seen = tuple[str, int]
"""A message's receipt handle and its deadline, as the attempt left them."""


class Attempts:
    """The receive attempts of one FIFO queue that may still be repeated.

    Args:
        interval_ns: How long an attempt is remembered.
    """

    __slots__ = ("_expiries", "_interval_ns", "_seen")

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._seen: dict[str, tuple[int, list[Seen]]] = {}
        self._expiries: deque[tuple[int, str]] = deque()

    def remember(self, attempt_id: str, messages: list[Message], now_ns: int) -> None:
        """An attempt got these messages just now."""
        seen = [(str(message.receipt_handle), message.visible_at_ns) for message in messages]
        self.remember_seen(attempt_id, now_ns + self._interval_ns, seen)

    def remember_seen(self, attempt_id: str, until_ns: int, seen: list[Seen]) -> None:
        """An attempt got messages with these handles and deadlines, and may be repeated until an instant."""
        self._seen[attempt_id] = (until_ns, seen)
        self._expiries.append((until_ns, attempt_id))

    def seen(self, attempt_id: str) -> tuple[int, list[Seen]] | None:
        """What `remember_seen` was told of an attempt, the last time; None where it is forgotten."""
        return self._seen.get(attempt_id)

    def recall(self, attempt_id: str, received: Mapping[str, Message], now_ns: int) -> list[Message]:
        """The messages that an attempt got, if they are as it left them; none otherwise."""
        expiries = self._expiries
        while expiries and expiries[0][0] <= now_ns:
            until_ns, expired_id = expiries.popleft()
            if self._seen.get(expired_id, (None,))[0] == until_ns:
                del self._seen[expired_id]
        if attempt_id not in self._seen:
            return []
        messages = []
        for receipt_handle, visible_at_ns in self._seen[attempt_id][1]:
            message = received.get(receipt_handle[:TOKEN_LENGTH])
            if (
                message is None
                or message.lane is None
                or (message.receipt_handle, message.visible_at_ns) != (receipt_handle, visible_at_ns)
            ):
                return []
            messages.append(message)
        return messages
