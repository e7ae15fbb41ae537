"""Receipt handles: which receive of which message a caller holds.

A handle is the message's token, followed by its receive count at the time.  The token
is the message's number put through a keyed permutation of 128-bit integers: multiplied
by a secret odd number and shifted by another, both modulo 2^128.  So a handle says by
itself what it names, one that another queue issued or somebody made up does not decode
to a message that this queue ever had, and the queue keeps nothing for handles whose
message is gone.  It guards against mix-ups, not against an attacker.
"""

from __future__ import annotations

from queuestream.core.errors import MissingParameter, ReceiptHandleIsInvalid
from queuestream.core.queues.checks import shown

TOKEN_LENGTH = 32
FIRST_RECEIVE = "00000001"
NO_RECEIVE = "00000000"
_HANDLE_LENGTH = TOKEN_LENGTH + len(FIRST_RECEIVE)
_BITS = TOKEN_LENGTH * 4
_MASK = (1 << _BITS) - 1


class Receipts:
    """Makes and reads the receipt handles of one queue.

    Args:
        secret: 256 random bits, the queue's own.
    """

    __slots__ = ("_factor", "_shift", "secret")

    def __init__(self, secret: int) -> None:
        self.secret = secret
        self._factor = (secret >> _BITS) & _MASK | 1
        self._shift = secret & _MASK

    def token(self, number: int) -> str:
        """What the handles of a message begin with: 32 hexadecimal digits."""
        return ((number * self._factor + self._shift) & _MASK).to_bytes(16, "big").hex()

    def check(self, receipt_handle: object, last_number: int) -> int:
        """The receive that a handle is of, for a message that may be gone.

        Args:
            receipt_handle: What the caller gave.
            last_number: The highest number that the queue has given to a message.

        Raises:
            MissingParameter: It is empty.
            ReceiptHandleIsInvalid: The handle was not issued by this queue.
        """
        if receipt_handle == "" or receipt_handle is None:
            raise MissingParameter("ReceiptHandle")
        if not isinstance(receipt_handle, str) or len(receipt_handle) != _HANDLE_LENGTH:
            raise ReceiptHandleIsInvalid(shown(receipt_handle))
        try:
            token, receive_count = (
                int(receipt_handle[:TOKEN_LENGTH], 16),
                int(receipt_handle[TOKEN_LENGTH:], 16),
            )
        except ValueError:
            raise ReceiptHandleIsInvalid(shown(receipt_handle)) from None
        number = (token - self._shift) * pow(self._factor, -1, _MASK + 1) & _MASK
        if not 1 <= number <= last_number or receive_count < 1:
            raise ReceiptHandleIsInvalid(receipt_handle)
        return receive_count
