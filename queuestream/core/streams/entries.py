"""What a producer hands in, checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import attrs

from queuestream.core.errors import InvalidArgumentException, StreamError
from queuestream.core.streams import checks
from queuestream.core.streams.hash_keys import explicit_hash, md5
from queuestream.core.streams.limits import MIB, StreamLimits


@attrs.frozen
class PutRecordsEntry:
    """One record for `put_records`; a plain (data, partition key) does as well.

    Attributes:
        partition_key: None on a stream that distributes its records itself.
    """

    data: bytes
    partition_key: str | None = None
    explicit_hash_key: str | None = None


Prepared = tuple[bytes, str, bytes, int]
"""A checked record: its data, partition key, hash key, and size in bytes."""

_FIELDS = {"data", "partition_key", "explicit_hash_key"}


def prepare(
    data: object,
    partition_key: object,
    explicit_hash_key: object,
    limits: StreamLimits,
    max_record_bytes: int,
    at: str = "",
    *,
    needs_key: bool = True,
) -> Prepared:
    """Check one record.

    Args:
        data: What is to be bytes, or something that holds bytes.
        partition_key: What is to be a text.
        explicit_hash_key: What is to be a number in digits, or None.
        limits: The stream's quotas.
        max_record_bytes: How large it may be, its key included.
        at: Where it stands in the request, as AWS's sentences name it: `records.3.member.`.
        needs_key: Whether it must have a partition key; a record without one has "".

    Raises:
        ValidationException: A part of it has the wrong form, or it is too large.
        InvalidArgumentException: Its hash key is too large.
    """
    data = checks.check_data(data, f"{at}data")
    key = ""
    if needs_key or partition_key is not None:
        key = checks.check_text(partition_key, f"{at}partitionKey", 1, limits.partition_key_length_max)
    key_bytes = key.encode()
    size = len(data) + len(key_bytes)
    if size > max_record_bytes:
        # The key counts, and is not spoken of.
        raise checks.violation(
            data, f"{at}data", f"Member must have length less than or equal to {max_record_bytes}"
        )
    if explicit_hash_key is None:
        return data, key, md5(key_bytes).digest(), size
    return data, key, explicit_hash(explicit_hash_key, f"{at}explicitHashKey"), size


def refusal(
    data: bytes, partition_key: str, limits: StreamLimits, max_record_bytes: int, at: str = ""
) -> StreamError:
    """What is wrong with a record that a quick look has found something wrong with."""
    try:
        prepare(data, partition_key, None, limits, max_record_bytes, at)
    except StreamError as error:
        return error
    raise AssertionError("the quick look and the thorough one must agree")


def prepare_batch(
    records: object, limits: StreamLimits, max_record_bytes: int, *, needs_key: bool = True
) -> list[Prepared]:
    """Check the records of one `put_records`, one by one and together.

    Raises:
        ValidationException: They are too few or too many, or one of them has the wrong form or is too large.
        InvalidArgumentException: All together are too large.
    """
    if isinstance(records, (str, bytes, Mapping)) or not isinstance(records, Iterable):
        raise checks.violation(
            records, "records", "Member must not be null" if records is None else "Member must be a list"
        )
    # One more than there may be is enough to see that there are too many, also of what never ends.
    entries = records
    if not isinstance(entries, (list, tuple)):
        entries = list(islice(entries, limits.put_records_max + 1))
    if not entries:
        raise checks.violation(entries, "records", "Member must have length greater than or equal to 1")
    if len(entries) > limits.put_records_max:
        raise checks.violation(
            entries, "records", f"Member must have length less than or equal to {limits.put_records_max}"
        )
    key_length_max = limits.partition_key_length_max
    prepared: list[Prepared] = []
    add = prepared.append
    total = 0
    for entry in entries:
        if type(entry) is tuple and len(entry) == 2:
            # The same as `prepare`, without detours: this decides what a record of a batch costs.
            data, key = entry
            if type(data) is bytes and type(key) is str:
                try:
                    key_bytes = key.encode()
                except UnicodeEncodeError:
                    raise refusal(data, key, limits, max_record_bytes, _place(prepared)) from None
                # A key has at most as many characters as bytes; those of more bytes are counted below.
                length = len(key_bytes)
                size = len(data) + length
                if 0 < length <= key_length_max and size <= max_record_bytes:
                    total += size
                    add((data, key, md5(key_bytes).digest(), size))
                    continue
        at = _place(prepared)
        one = prepare(*fields_of(entry, at), limits, max_record_bytes, at, needs_key=needs_key)
        total += one[3]
        add(one)
    if total > limits.put_records_bytes_max:
        raise InvalidArgumentException(f"Records size exceeds {limits.put_records_bytes_max // MIB} MB limit")
    return prepared


def _place(before: list[Prepared]) -> str:
    return f"records.{len(before) + 1}.member."


def fields_of(entry: object, at: str) -> tuple[object, object, object]:
    """The data, partition key and explicit hash key of an entry, in whichever form it comes.

    Args:
        entry: What is to be a `PutRecordsEntry`, a tuple of its fields or a dict of them.
        at: Where it stands in the request, as AWS's sentences name it: `records.3.member.`.

    Raises:
        ValidationException: It is none of these.
    """
    if isinstance(entry, PutRecordsEntry):
        return entry.data, entry.partition_key, entry.explicit_hash_key
    if isinstance(entry, Mapping):
        if not entry.keys() <= _FIELDS:
            raise checks.violation(
                entry, at.rstrip("."), f"Member must have no other keys than {sorted(_FIELDS)}"
            )
        return entry.get("data"), entry.get("partition_key"), entry.get("explicit_hash_key")
    if isinstance(entry, tuple) and 2 <= len(entry) <= 3:
        return entry[0], entry[1], entry[2] if len(entry) == 3 else None
    raise checks.violation(entry, at.rstrip("."), "Member must be a structure")
