"""The floor: the least that a queue or a stream in pure Python can do.

These are loops over local variables, without a check, a lock or a method, so no library
can reach them; how far above them ours is, is what the benchmarks ask.

A floor still does its job.  The queue gives each message an id in the form of a version 4
UUID and the MD5 digest of its body, hands out a new receipt handle with each receive,
would bring back what is not deleted within 30 seconds, and leaves nothing behind after a
delete.  The stream picks the shard that the MD5 of the key falls into and keeps the record
with its number and time of arrival.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections import deque
from hashlib import md5
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VISIBILITY_TIMEOUT_NS = 30_000_000_000
_TEN = 10
# The bits that say "version 4" and "variant 1" in a UUID, and all the others.
_FIXED = 0x4000 << 64 | 0x8000 << 48
_NOT_FIXED = ~(0xF000 << 64 | 0xC000 << 48)


class Message:
    """What the least queue keeps of a message."""

    __slots__ = ("body", "deleted", "md5_of_body", "message_id", "receive_count", "sent_ns")

    def __init__(self, message_id: str, body: str, md5_of_body: str, sent_ns: int) -> None:
        self.message_id = message_id
        self.body = body
        self.md5_of_body = md5_of_body
        self.sent_ns = sent_ns
        self.receive_count = 0
        self.deleted = False


class Record:
    """What the least stream keeps of a record."""

    __slots__ = ("arrived_ns", "data", "partition_key", "sequence_number")

    def __init__(self, data: bytes, partition_key: str, sequence_number: int, arrived_ns: int) -> None:
        self.data = data
        self.partition_key = partition_key
        self.sequence_number = sequence_number
        self.arrived_ns = arrived_ns


def queue_in_ones(bodies: Iterable[str]) -> None:
    """Send one, receive one, delete one, for each body, on an empty queue."""
    bits = random.Random(7).getrandbits
    now = time.time_ns
    waiting: deque[Message] = deque()
    in_flight: dict[str, Message] = {}
    deadlines: list[tuple[int, int, Message]] = []

    for number, body in enumerate(bodies):
        # Send.
        text = (bits(128) & _NOT_FIXED | _FIXED).to_bytes(16, "big").hex()
        message_id = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        waiting.append(Message(message_id, body, md5(body.encode()).hexdigest(), now()))

        # Receive.
        now_ns = now()
        while deadlines and deadlines[0][0] <= now_ns:
            waiting.append(heappop(deadlines)[2])
        message = waiting.popleft()
        message.receive_count += 1
        receipt_handle = bits(128).to_bytes(16, "big").hex()
        in_flight[receipt_handle] = message
        heappush(deadlines, (now_ns + _VISIBILITY_TIMEOUT_NS, number, message))

        # Delete.
        in_flight.pop(receipt_handle).deleted = True
        while deadlines and deadlines[0][2].deleted:
            heappop(deadlines)


def queue_in_tens(bodies: Sequence[str]) -> None:
    """Send ten, receive ten, delete ten, until all bodies were used, on an empty queue."""
    bits = random.Random(7).getrandbits
    now = time.time_ns
    waiting: deque[Message] = deque()
    in_flight: dict[str, Message] = {}
    deadlines: list[tuple[int, int, Message]] = []
    number = 0

    for first in range(0, len(bodies), _TEN):
        # Send.
        now_ns = now()
        for body in bodies[first : first + _TEN]:
            text = (bits(128) & _NOT_FIXED | _FIXED).to_bytes(16, "big").hex()
            message_id = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
            waiting.append(Message(message_id, body, md5(body.encode()).hexdigest(), now_ns))

        # Receive.
        now_ns = now()
        while deadlines and deadlines[0][0] <= now_ns:
            waiting.append(heappop(deadlines)[2])
        until_ns = now_ns + _VISIBILITY_TIMEOUT_NS
        receipt_handles = []
        for _ in range(_TEN):
            if not waiting:
                break
            message = waiting.popleft()
            message.receive_count += 1
            receipt_handle = bits(128).to_bytes(16, "big").hex()
            in_flight[receipt_handle] = message
            number += 1
            heappush(deadlines, (until_ns, number, message))
            receipt_handles.append(receipt_handle)

        # Delete.
        for receipt_handle in receipt_handles:
            in_flight.pop(receipt_handle).deleted = True
        while deadlines and deadlines[0][2].deleted:
            heappop(deadlines)


def stream(payloads: Iterable[bytes], partition_keys: Iterable[str], shard_count: int) -> list[list[Record]]:
    """Put each payload under its key into one of so many shards of equal width."""
    width = 2**128 // shard_count
    starts = [shard * width for shard in range(shard_count)]
    shards: list[list[Record]] = [[] for _ in starts]
    now = time.time_ns
    integer = int.from_bytes

    for number, (data, partition_key) in enumerate(zip(payloads, partition_keys, strict=True)):
        hash_key = integer(md5(partition_key.encode()).digest(), "big")
        shard = bisect_right(starts, hash_key) - 1
        shards[shard].append(Record(data, partition_key, number, now()))
    return shards


def slices(records: Sequence[object], size: int) -> None:
    """Read a list from its front to its end, so many at a time."""
    for first in range(0, len(records), size):
        records[first : first + size]
