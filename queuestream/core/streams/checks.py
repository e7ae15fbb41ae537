"""A parameter's form: its type, length, range or pattern, and AWS's sentence where it is wrong.

Each function returns the value in the form that the core works with, or raises
`ValidationException`.  `at` is AWS's name of the parameter with its first letter small, as in
AWS's own sentence:

    1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must
    have value greater than or equal to 1
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, islice

from queuestream.core.clock import MILLISECOND
from queuestream.core.errors import InvalidArgumentException, ValidationException

NAME = re.compile(r"[a-zA-Z0-9_.-]+")
# As AWS's model spells them, because its sentences quote them.
HASH_KEY = re.compile(r"^(0|([1-9]\d{0,38}))$", re.ASCII)
SEQUENCE_NUMBER = re.compile(r"^(0|([1-9]\d{0,128}))$", re.ASCII)

INTEGER_MAX = 2**31 - 1
"""The largest integer of AWS's models, where they name no other."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_800  # the years 1 to 9999
_SHOWN_MAX = 300
_IN_TAGS = " _.:/=+-%@"
_FIRST_WIDE_SPACE = "\xa0"  # what Python calls space below it, tabs and newlines, Java calls control


def violation(value: object, at: str, constraint: str) -> ValidationException:
    """AWS's sentence about a parameter that breaks a constraint."""
    return ValidationException(
        f"1 validation error detected: {named(value, at)} failed to satisfy constraint: {constraint}"
    )


def named(value: object, at: str) -> str:
    """A value and its place as AWS's sentences name them; the bytes of records are not repeated."""
    return f"Value at '{at}'" if _holds_bytes(value, 3) else f"Value {shown(value)} at '{at}'"


def _holds_bytes(value: object, depth: int) -> bool:
    if depth and isinstance(value, Mapping):
        value = tuple(islice(value.values(), _SHOWN_MAX))
    if depth and isinstance(value, (list, tuple)):
        return any(_holds_bytes(item, depth - 1) for item in value[:_SHOWN_MAX])
    return isinstance(value, bytes)


def shown(value: object) -> str:
    """A value as AWS puts it into a sentence; of a strange object no more than its type."""
    if value is None:
        return "null"
    text = _text(value, 3)
    return f"'{text}'" if len(text) <= _SHOWN_MAX else f"'{text[:_SHOWN_MAX]}...'"


def _text(value: object, depth: int) -> str:
    """A value as Java writes it, with no more of a list or map than can be shown."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 256:
        return "an integer of more than 256 bits"
    if isinstance(value, (str, int, float)):
        return str(value)
    if depth and isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(item, depth - 1) for item in value[:_SHOWN_MAX])}]"
    if depth and isinstance(value, Mapping):
        items = islice(value.items(), _SHOWN_MAX)
        return f"{{{', '.join(f'{_text(key, 0)}={_text(item, depth - 1)}' for key, item in items)}}}"
    return type(value).__name__


def check_integer(value: object, at: str, low: int, high: int = INTEGER_MAX) -> int:
    """An integer from `low` to `high`, both included."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise violation(
            value, at, "Member must not be null" if value is None else "Member must be an integer"
        )
    if value < low:
        raise violation(value, at, f"Member must have value greater than or equal to {low}")
    if value > high:
        raise violation(value, at, f"Member must have value less than or equal to {high}")
    return int(value)


def check_boolean(value: object, at: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise violation(value, at, "Member must be a boolean")
    return value


def check_text(
    value: object, at: str, low: int = 1, high: int | None = None, pattern: re.Pattern[str] | None = None
) -> str:
    """A text of `low` to `high` characters that UTF-8 can carry, and that matches `pattern` as a whole."""
    if not isinstance(value, str):
        raise violation(value, at, "Member must not be null" if value is None else "Member must be a string")
    if len(value) < low:
        raise violation(value, at, f"Member must have length greater than or equal to {low}")
    if high is not None and len(value) > high:
        raise violation(value, at, f"Member must have length less than or equal to {high}")
    if pattern is not None and not pattern.fullmatch(value):
        raise violation(value, at, f"Member must satisfy regular expression pattern: {pattern.pattern}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            reason = "Member must be text that UTF-8 can carry"
            raise violation(ascii(value), at, reason) from None
    return value


def check_choice(value: object, at: str, choices: Collection[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise violation(value, at, f"Member must satisfy enum value set: [{', '.join(choices)}]")
    return value


def check_data(value: object, at: str) -> bytes:
    """A record's data: bytes, or something that holds bytes, which is copied."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise violation(value, at, "Member must not be null" if value is None else "Member must be a blob")


def check_timestamp(value: object, at: str) -> int:
    """A point in time, in nanoseconds since the epoch, cut to the milliseconds that Kinesis knows.

    Args:
        value: A `datetime` (in UTC where it says nothing else), or seconds since the epoch.
        at: AWS's name of the parameter.
    """
    if isinstance(value, datetime):
        aware = value if value.utcoffset() is not None else value.replace(tzinfo=UTC)
        microseconds = (aware - _EPOCH) // _MICROSECOND
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise violation(value, at, "Member must be a timestamp")
    elif _FIRST_SECOND <= value < _LAST_SECOND:
        microseconds = round(value * 1_000_000)
    else:
        raise violation(value, at, "Member must lie between the years 1 and 9999")
    return microseconds // 1_000 * MILLISECOND


def timestamp(time_ns: int) -> datetime:
    """A time as AWS hands it out: with milliseconds, in UTC."""
    return _EPOCH + timedelta(milliseconds=time_ns // MILLISECOND)


def utc_sentence(time_ns: int) -> str:
    """A time as AWS writes it into its error messages: `Tue Mar 15 22:29:37 UTC 2016`."""
    return f"{timestamp(time_ns):%a %b %d %H:%M:%S UTC %Y}"


def check_tags(value: object, at: str = "tags", *, low: int = 1, high: int = 200) -> dict[str, str]:
    """Tags: keys of 1 to 128 characters, values of up to 256 (the page "TagResource")."""
    if not isinstance(value, Mapping):
        raise violation(value, at, "Member must not be null" if value is None else "Member must be a map")
    if len(value) < low:
        raise violation(value, at, f"Member must have length greater than or equal to {low}")
    if len(value) > high:
        raise violation(value, at, f"Member must have length less than or equal to {high}")
    tags = {
        check_text(key, f"{at}.key", 0): check_text(text, f"{at}.value", 0) for key, text in value.items()
    }
    # What is wrong with a part of a map, AWS says of the whole.
    if not all(1 <= len(key) <= 128 for key in tags):
        raise violation(tags, at, f"Map keys must satisfy constraint: {_lengths(1, 128)}")
    if not all(len(text) <= 256 for text in tags.values()):
        raise violation(tags, at, f"Map value must satisfy constraint: {_lengths(0, 256)}")
    _check_characters(chain(tags, tags.values()))
    if any(key.startswith("aws:") for key in tags):
        raise InvalidArgumentException("aws: prefixed tag key names are not allowed for external use.")
    return tags


def check_policy(value: object) -> str:
    """A resource policy: a JSON object with a version and statements, in the sentences recorded of AWS."""
    text = check_text(value, "policy", 1, 20_480)
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        policy = None
    reason = "This policy contains invalid Json"
    if isinstance(policy, dict):
        missing = [field for field in ("Version", "Statement") if field not in policy]
        if not missing:
            return text
        reason = f"Missing required field {missing[0]}"
    raise InvalidArgumentException(f"Policy validation error: {reason}")


def check_tag_keys(value: object, at: str = "tagKeys") -> list[str]:
    """The keys of tags (the page "UntagResource")."""
    keys = check_texts(value, at, 1, 50)
    if not all(1 <= len(key) <= 128 for key in keys):
        raise violation(keys, at, f"Member must satisfy constraint: {_lengths(1, 128)}")
    _check_characters(keys)
    return keys


def _check_characters(tags: Iterable[str]) -> None:
    """The page "TagResource"; the sentence, which knows of no colon, is what AWS was recorded to say."""
    if not all(
        char.isalnum() or char in _IN_TAGS or (char.isspace() and char >= _FIRST_WIDE_SPACE)
        for text in tags
        for char in text
    ):
        raise InvalidArgumentException(
            "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, "
            "_ . / = + - % @."
        )


def check_choices(value: object, at: str, low: int, high: int, choices: Collection[str]) -> list[str]:
    """A list of `low` to `high` of a few words."""
    words = check_texts(value, at, low, high)
    if not all(word in choices for word in words):
        enum = f"[Member must satisfy enum value set: [{', '.join(choices)}]]"
        raise violation(words, at, f"Member must satisfy constraint: {enum}")
    return words


def _lengths(low: int, high: int) -> str:
    return (
        f"[Member must have length less than or equal to {high}, "
        f"Member must have length greater than or equal to {low}]"
    )


def check_texts(value: object, at: str, low: int, high: int) -> list[str]:
    """A list of `low` to `high` texts."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        raise violation(value, at, "Member must not be null" if value is None else "Member must be a list")
    if len(value) < low:
        raise violation(value, at, f"Member must have length greater than or equal to {low}")
    if len(value) > high:
        raise violation(value, at, f"Member must have length less than or equal to {high}")
    return [check_text(item, f"{at}.member", 0) for item in value]
