"""Shard iterators and paging tokens: opaque texts that carry their own meaning.

No table of issued iterators exists.  An iterator says in itself when it was made, for which
shard, and at which record it stands, sealed under a secret that the stream got when it was
made.  The seal shows whether it was made by this stream (a foreign or forged one fails), and
makes the text opaque.  As it is made from the broker's seeded ids it is there to catch
mistakes, not attackers.
"""

from __future__ import annotations

import binascii
from hashlib import blake2b, shake_256
from typing import TYPE_CHECKING, NamedTuple

from queuestream.core.clock import MILLISECOND, SECOND
from queuestream.core.errors import (
    ExpiredIteratorException,
    ExpiredNextTokenException,
    InvalidArgumentException,
)
from queuestream.core.streams import checks, sequence_numbers
from queuestream.core.streams.shard import shard_id_of

if TYPE_CHECKING:
    from queuestream.core.streams.shard import Shard

ITERATOR_TYPES = ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")

_BY_SEQUENCE_NUMBER = ITERATOR_TYPES[:2]

_VERSION = (1).to_bytes(8, "big")
_TAG_BYTES = 16
_TIME_BITS = 96
_NUMBER_BITS = 64
_INDEX_BITS = 32
_POSITION_BYTES = (_TIME_BITS + _INDEX_BITS + _NUMBER_BITS) // 8


class Start(NamedTuple):
    """Where to start reading, checked for its form: a type, and what the type needs."""

    type: str
    sequence_number: str | None
    timestamp_ns: int | None


def check_start(
    shard_iterator_type: object,
    starting_sequence_number: object,
    timestamp: object,
    at: str = "shardIteratorType",
) -> Start:
    """Check that a type of iterator has what it needs, and nothing else.

    Raises:
        ValidationException: A parameter has the wrong form.
        InvalidArgumentException: Something is missing, or too much.
    """
    kind = checks.check_choice(shard_iterator_type, at, ITERATOR_TYPES)
    number = None
    if starting_sequence_number is not None:
        number = checks.check_text(
            starting_sequence_number, "startingSequenceNumber", 1, None, checks.SEQUENCE_NUMBER
        )
    timestamp_ns = None if timestamp is None else checks.check_timestamp(timestamp, "timestamp")
    if kind == "AT_TIMESTAMP":
        if timestamp_ns is None:
            raise InvalidArgumentException(
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. "
                "Current request has no timestamp parameter."
            )
    elif timestamp_ns is not None:
        raise InvalidArgumentException(f"Timestamp can't be used with an iterator of type {kind}.")
    if (kind in _BY_SEQUENCE_NUMBER) is not (number is not None):
        raise InvalidArgumentException(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
            "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request "
            f"specified {kind} and {'no' if number is None else 'also a'} StartingSequenceNumber."
        )
    return Start(kind, number, timestamp_ns)


def starting_number(shard: Shard, start: Start, used_in: str, now_ns: int) -> int:
    """The number of the record that a reader starts at.

    Args:
        shard: The shard that is read.
        start: Where.
        used_in: The operation, the shard and the stream, for AWS's sentence.
        now_ns: What time it is.

    Raises:
        InvalidArgumentException: The sequence number isn't one of the shard's, or the time has not come yet.
    """
    if start.type == "TRIM_HORIZON":
        return shard.horizon
    if start.type == "LATEST":
        return shard.next_number
    if start.timestamp_ns is not None:
        if start.timestamp_ns > now_ns:
            raise InvalidArgumentException(
                "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                f"timestampInMillis: {start.timestamp_ns // MILLISECOND}, "
                f"currentTimestampInMillis: {now_ns // MILLISECOND}"
            )
        return shard.number_at_time(start.timestamp_ns)
    text = start.sequence_number or ""
    sequence = sequence_numbers.parse(text)
    sentence = f"StartingSequenceNumber {text} used in {used_in} is invalid"
    if sequence is None:
        raise InvalidArgumentException(f"{sentence}.")
    if sequence.shard_index != shard.identity.index:
        raise InvalidArgumentException(
            f"Invalid StartingSequenceNumber. It encodes {shard_id_of(sequence.shard_index)}, "
            f"while it was used in a call to a shard with {shard.shard_id}"
        )
    if sequence.stamp != shard.identity.stamp:
        raise InvalidArgumentException(f"{sentence} because it did not come from this stream.")
    if sequence.number == sequence_numbers.LAST_NUMBER and not shard.is_open:
        return shard.next_number
    if sequence.number >= shard.next_number:
        raise InvalidArgumentException(f"{sentence} because no record has it.")
    return max(1, sequence.number) if start.type == "AT_SEQUENCE_NUMBER" else sequence.number + 1


def seal(secret: bytes, kind: bytes, payload: bytes) -> str:
    """An opaque text that only the same secret and kind can open.

    Args:
        secret: 16 to 64 bytes.
        kind: What the text is for, up to 16 bytes.
        payload: What it carries.
    """
    tag = blake2b(payload, key=secret, person=kind, digest_size=_TAG_BYTES).digest()
    text = binascii.b2a_base64(_VERSION + tag + _mask(secret, kind, tag, payload), newline=False)
    return text.decode("ascii")


def unseal(secret: bytes, kind: bytes, text: str) -> bytes | None:
    """What was sealed; None where the text was not made with this secret and kind."""
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # also what a text that is not ASCII raises
        return None
    tag = raw[len(_VERSION) : len(_VERSION) + _TAG_BYTES]
    masked = raw[len(_VERSION) + _TAG_BYTES :]
    if not masked:
        return None
    payload = _mask(secret, kind, tag, masked)
    # Sealing again compares the tag, and refuses other spellings of the same base64.
    return payload if seal(secret, kind, payload) == text else None


def _mask(secret: bytes, kind: bytes, tag: bytes, payload: bytes) -> bytes:
    key = shake_256(secret + kind + tag).digest(len(payload))
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")


class Position(NamedTuple):
    """Where an iterator stands.

    Attributes:
        created_ns: When it was made.
        shard_index: The index of the shard.
        number: The number of the record that is read next.
    """

    created_ns: int
    shard_index: int
    number: int


def iterator_text(secret: bytes, created_ns: int, index: int, number: int) -> str:
    """The iterator that stands at a record."""
    position = (created_ns << _INDEX_BITS | index) << _NUMBER_BITS | number
    return seal(secret, b"shard iterator", position.to_bytes(_POSITION_BYTES, "big"))


def position_of(secret: bytes, iterator: str) -> Position:
    """Where an iterator of this stream stands.

    Raises:
        InvalidArgumentException: It was not made by this stream.
    """
    payload = unseal(secret, b"shard iterator", iterator)
    if payload is None:
        raise InvalidArgumentException("Invalid ShardIterator.")
    position = int.from_bytes(payload, "big")
    return Position(
        position >> _INDEX_BITS + _NUMBER_BITS,
        position >> _NUMBER_BITS & 2**_INDEX_BITS - 1,
        position & 2**_NUMBER_BITS - 1,
    )


def check_age(created_ns: int, now_ns: int, lifetime_seconds: int) -> None:
    """Refuse an iterator from its end on (the page "GetShardIterator": five minutes after it was made).

    Raises:
        ExpiredIteratorException: It is too old.
    """
    if now_ns >= created_ns + lifetime_seconds * SECOND:
        raise ExpiredIteratorException(
            f"Iterator expired. The iterator was created at time {checks.utc_sentence(created_ns)} while "
            f"right now it is {checks.utc_sentence(now_ns)} which is further in the future than the "
            f"tolerated delay of {lifetime_seconds * 1000} milliseconds."
        )


def token_text(secret: bytes, kind: bytes, created_ns: int, payload: bytes) -> str:
    """A paging token."""
    return seal(secret, kind, created_ns.to_bytes(_TIME_BITS // 8, "big") + payload)


def token_payload(secret: bytes, kind: bytes, token: str, now_ns: int, lifetime_seconds: int) -> bytes:
    """What a paging token carries.

    Raises:
        InvalidArgumentException: It was not made here.
        ExpiredNextTokenException: It is too old.
    """
    payload = unseal(secret, kind, token)
    if payload is None:
        raise InvalidArgumentException("NextToken is invalid.")
    created_ns = int.from_bytes(payload[: _TIME_BITS // 8], "big")
    if now_ns >= created_ns + lifetime_seconds * SECOND:
        raise ExpiredNextTokenException(
            f"NextToken expired. It was created at time {checks.utc_sentence(created_ns)} while right now "
            f"it is {checks.utc_sentence(now_ns)}, which is more than {lifetime_seconds} seconds later."
        )
    return payload[_TIME_BITS // 8 :]
