"""Which shard a partition key belongs to: MD5 as a 128-bit number, over ranges with inclusive ends.

A hash key is a number from 0 to 2**128 - 1, which AWS writes in decimal digits.  Here it is
mostly its 16 bytes, most significant first: they sort as the numbers do, and MD5 gives them
away, so that looking up a shard is one `bisect` over the ends of the ranges.
"""

from __future__ import annotations

from queuestream.core.errors import InvalidArgumentException
from queuestream.core.streams import checks

try:
    # A partition key is short, and for short texts OpenSSL's MD5 costs twice what Python's own does.
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:  # pragma: no cover - a Python that was built without it
    from hashlib import md5

__all__ = ["HASH_KEY_MAX", "even_ranges", "explicit_hash", "hash_bytes", "md5"]

HASH_KEY_MAX = 2**128 - 1


def hash_bytes(hash_key: int) -> bytes:
    """A hash key in the form that sorts and compares as MD5's digests do."""
    return hash_key.to_bytes(16, "big")


def explicit_hash(explicit_hash_key: object, at: str = "explicitHashKey") -> bytes:
    """The hash key that a producer chose itself, given in decimal digits.

    Raises:
        ValidationException: It isn't a number in digits.
        InvalidArgumentException: It is more than 2**128 - 1.
    """
    number = int(checks.check_text(explicit_hash_key, at, 1, None, checks.HASH_KEY))
    if number > HASH_KEY_MAX:
        raise InvalidArgumentException(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {explicit_hash_key}"
        )
    return hash_bytes(number)


def even_ranges(count: int) -> list[tuple[int, int]]:
    """All hash keys in `count` equal ranges, both ends included; the last one takes what is left over."""
    width = (HASH_KEY_MAX + 1) // count
    starts = [width * position for position in range(count)]
    return list(zip(starts, [*(start - 1 for start in starts[1:]), HASH_KEY_MAX], strict=True))
