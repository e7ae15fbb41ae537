"""Receipt handles: which receive of which message a caller holds.

A handle is the message's number and its receive count, put through a keyed
permutation of 128-bit integers: multiplied by a secret odd number and shifted by
another, both modulo 2^128.  So a handle says by itself what it names, another queue's
or an invented one does not decode to a message that this queue ever had, and the queue
keeps nothing for handles whose message is gone.  It guards against mix-ups, not
against an attacker with many handles in hand.
"""

from __future__ import annotations

from queuestream.core.errors import MissingParameter, ReceiptHandleIsInvalid

_BITS = 128
_MASK = (1 << _BITS) - 1
_COUNT_BITS = 32
_COUNT_MASK = (1 << _COUNT_BITS) - 1


class Receipts:
    """Makes and reads the receipt handles of one queue.

    Args:
        secret: 256 random bits, the queue's own.
    """

    __slots__ = ("_factor", "_inverse", "_shift", "secret")

    def __init__(self, secret: int) -> None:
        self.secret = secret
        self._factor = (secret >> _BITS) & _MASK | 1
        self._shift = secret & _MASK
        self._inverse = pow(self._factor, -1, _MASK + 1)

    def handle(self, number: int, receive_count: int) -> str:
        """The handle of a message's n-th receive: 32 hexadecimal digits."""
        return f"{((number << _COUNT_BITS | receive_count) * self._factor + self._shift) & _MASK:032x}"

    def read(self, receipt_handle: object, last_number: int) -> tuple[int, int]:
        """The message's number and the receive that a handle names.

        Args:
            receipt_handle: What the caller gave.
            last_number: The highest number that the queue has given to a message.

        Raises:
            MissingParameter: It is empty.
            ReceiptHandleIsInvalid: The handle was not issued by this queue.
        """
        if not isinstance(receipt_handle, str):
            raise ReceiptHandleIsInvalid(str(receipt_handle))
        if not receipt_handle:
            raise MissingParameter("ReceiptHandle")
        try:
            value = int(receipt_handle, 16)
        except ValueError:
            raise ReceiptHandleIsInvalid(receipt_handle) from None
        value = (value - self._shift) * self._inverse & _MASK
        number = value >> _COUNT_BITS
        if number > last_number or len(receipt_handle) != _BITS // 4:
            raise ReceiptHandleIsInvalid(receipt_handle)
        return number, value & _COUNT_MASK
