"""What a message carries: its body and its attributes, as SQS checks, measures and digests them.

Attributes are given as plain Python values (`str` becomes String, `int`, `float` and
`Decimal` become Number, `bytes` becomes Binary), or as `MessageAttribute` where the type
has a label of its own ("Number.float").  From `check_message_attributes` on they are
`MessageAttribute`s by name, valid and never changed.

Where AWS says it: developer guide, "Amazon SQS message metadata"; API reference,
SendMessage (the character set) and ReceiveMessage (the selection).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from queuestream.core.errors import InvalidMessageContents, InvalidParameterValue, MissingParameter
from queuestream.core.queues.checks import NAME_CHARACTERS, shown
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

TRACE_HEADER = "AWSTraceHeader"

ALL = ("All",)
"""Asks a receive for every message attribute."""

# The bytes of text in UTF-8, less the control characters that XML does not allow.
_VALID_BYTES = bytes(byte for byte in range(256) if byte >= 0x20 or byte in b"\t\n\r")
_VALID_CHARACTERS = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"

_ATTRIBUTE_NAME_CHARACTERS = NAME_CHARACTERS | {"."}
_EVERY_ONE = frozenset({"All", "*", ".*"})

# Compiled when the first number or trace header is sent, not when this module is imported.
_NUMBER = r"[+-]?(?=\.?[0-9])([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]{1,4}))?"
_NUMBER_DIGITS_MAX = 38
_NUMBER_EXPONENT_MIN = -128
_NUMBER_EXPONENT_MAX = 126
# AWS X-Ray developer guide, "Tracing header"; fields of other names may hold what they like.
_TRACE_FIELDS = {"Root": "1-[0-9a-fA-F]+-[0-9a-fA-F]{24}", "Parent": "[0-9a-fA-F]{16}", "Sampled": "[01?]"}
_TRACE_FIELD = "[!-~]+"


@attrs.frozen
class MessageAttribute:
    """A typed value that travels beside a message's body.

    Attributes:
        data_type: String, Number or Binary; a label may follow: "Number.float".
        value: Text for String and Number, bytes for Binary.
    """

    data_type: str
    value: str | bytes


MessageAttributes = dict[str, MessageAttribute]
"""A message's attributes, by name."""


def check_body(body: object) -> bytes:
    """The body of a message in UTF-8, which is what its size and its digest are taken from.

    Raises:
        MissingParameter: No body, or an empty one.
        InvalidParameterValue: No text.
        InvalidMessageContents: A character that SQS does not take.
    """
    if not isinstance(body, str):
        if body is None:
            raise MissingParameter("MessageBody")
        raise InvalidParameterValue.of("MessageBody", shown(body), "The message body must be a string.")
    if not body:
        raise MissingParameter("MessageBody")
    return _encoded(body, "message body")


def check_message_attributes(given: object, limits: QueueLimits = AWS_LIMITS) -> MessageAttributes | None:
    """A message's attributes from what the sender gave: a mapping from names to values.

    Returns:
        The attributes; None where there are none.

    Raises:
        InvalidParameterValue: Too many, or a name, type or value that SQS does not take.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidParameterValue.of("MessageAttributes", shown(given), "Must map names to values.")
    maximum = limits.message_attributes_max
    if len(given) > maximum:
        raise InvalidParameterValue(
            f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{maximum}]."
        )
    attributes = {}
    for name, value in given.items():
        _check_name(name, limits)
        attributes[name] = _attribute(name, value, limits)
    return attributes or None


def check_system_attributes(given: object) -> str | None:
    """The trace header that the sender gave, which is the only system attribute that can be sent.

    Returns:
        The header; None where there is none.

    Raises:
        InvalidParameterValue: Another name, another type, or no X-Ray trace header.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidParameterValue.of("MessageSystemAttributes", shown(given), "Must map names to values.")
    for name in given:
        if name != TRACE_HEADER:
            raise InvalidParameterValue(f"Message system attribute name '{shown(name)}' is invalid.")
    if not given:
        return None
    header = given[TRACE_HEADER]
    if isinstance(header, MessageAttribute) and header.data_type == "String":
        header = header.value
    if not isinstance(header, str):
        raise InvalidParameterValue(
            f"The type of message system attribute '{TRACE_HEADER}' is invalid. "
            "You must use only the following supported type: String."
        )
    if not _is_trace_header(header):
        raise InvalidParameterValue.of(
            TRACE_HEADER, shown(header), "Must be a correctly formatted AWS X-Ray trace header string."
        )
    return header


def size_of(attributes: MessageAttributes) -> int:
    """How many bytes the attributes add to their message: names, types and values."""
    return sum(
        len(name.encode()) + len(attribute.data_type.encode()) + len(_bytes_of(attribute.value))
        for name, attribute in attributes.items()
    )


def md5_of_attributes(attributes: MessageAttributes) -> str:
    """AWS's hexadecimal MD5 digest of some attributes.

    Developer guide, "Calculating the MD5 message digest for message attributes".
    """
    parts: list[bytes] = []
    for name in sorted(attributes):
        attribute = attributes[name]
        for text in (name.encode(), attribute.data_type.encode()):
            parts += (len(text).to_bytes(4), text)
        value = _bytes_of(attribute.value)
        parts += (b"\2" if isinstance(attribute.value, bytes) else b"\1", len(value).to_bytes(4), value)
    return hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()


def md5_of_trace_header(trace_header: str) -> str:
    """AWS's hexadecimal MD5 digest of the system attributes, of which there is one."""
    return md5_of_attributes({TRACE_HEADER: MessageAttribute("String", trace_header)})


def check_attribute_names(names: object) -> tuple[str, ...]:
    """The names that a receive asks for; one that no attribute can have is no error.

    Raises:
        InvalidParameterValue: Not several texts.
    """
    if isinstance(names, Iterable) and not isinstance(names, str | Mapping):
        listed = tuple(names)
        if all(isinstance(name, str) for name in listed):
            return listed
    raise InvalidParameterValue.of("MessageAttributeNames", shown(names), "Must be a list of names.")


def select(attributes: MessageAttributes, names: Sequence[str]) -> MessageAttributes:
    """Those of the attributes that were asked for, in a new dict.

    `All`, `*` and `.*` ask for every one, `sales.*` for each whose name begins with `sales`.
    """
    if not _EVERY_ONE.isdisjoint(names):
        return dict(attributes)
    prefixes = tuple(name.removesuffix(".*") for name in names if name.endswith(".*"))
    return {
        name: attribute
        for name, attribute in attributes.items()
        if name in names or name.startswith(prefixes)
    }


def _bytes_of(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _encoded_part(text: str, place: str) -> bytes:
    """As `_encoded`, for a part of an attribute, of which SQS speaks as of a parameter's value."""
    try:
        return _encoded(text, place)
    except InvalidMessageContents as refused:
        raise InvalidParameterValue(refused.message) from None


def _encoded(text: str, place: str) -> bytes:
    """Text in UTF-8, every character of which SQS takes; on the way of every message, so a single pass."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError as surrogate:
        raise _invalid_character(text[surrogate.start], place) from None
    if refused := encoded.translate(None, _VALID_BYTES):
        raise _invalid_character(chr(refused[0]), place)
    if not text.isascii():
        for character in ("\ufffe", "\uffff"):
            if character in text:
                raise _invalid_character(character, place)
    return encoded


def _invalid_character(character: str, place: str) -> InvalidMessageContents:
    return InvalidMessageContents(
        f"Invalid binary character '#x{ord(character):X}' was found in the {place}, "
        f"the set of allowed characters is {_VALID_CHARACTERS}"
    )


def _check_name(name: object, limits: QueueLimits) -> None:
    if not isinstance(name, str) or not name:
        raise InvalidParameterValue("The request must contain non-empty message (user) attribute names.")
    maximum = limits.message_attribute_name_length_max
    if len(name) > maximum:
        raise InvalidParameterValue(f"Message (user) attribute name must be shorter than {maximum} bytes.")
    # Letters of other alphabets are taken too, whatever the sentence says.
    if not all(character.isalnum() for character in set(name) - _ATTRIBUTE_NAME_CHARACTERS):
        raise InvalidParameterValue(
            f"The message attribute name '{shown(name)}' is invalid. "
            "Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters."
        )
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise InvalidParameterValue(
            f"The message attribute name '{name}' is invalid. Attribute name must not start or end with a "
            "period (.), and must not have periods in succession (..)."
        )
    if name.lower().startswith(("aws.", "amazon.")):
        raise InvalidParameterValue(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
            "These strings are reserved for internal use."
        )


def _attribute(name: str, given: object, limits: QueueLimits) -> MessageAttribute:
    if isinstance(given, MessageAttribute):
        data_type, value = given.data_type, given.value
    else:
        data_type, value = typed(name, given)
    kind = _check_data_type(name, data_type, limits)
    if isinstance(value, bytearray):
        value = bytes(value)
    if not value or not isinstance(value, bytes if kind == "Binary" else str):
        raise InvalidParameterValue(
            f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
        )
    if isinstance(value, str):
        _encoded_part(value, f"message attribute '{name}'")
        if kind == "Number" and not _is_number(value):
            raise InvalidParameterValue(
                f"Can't cast the value of message (user) attribute '{name}' to a number."
            )
    return MessageAttribute(data_type, value)


def typed(name: str, value: object) -> tuple[str, str | bytes]:
    """AWS's type and form of a plain value; a bool is none of AWS's types."""
    if isinstance(value, str):
        return "String", value
    if isinstance(value, bytes | bytearray):
        return "Binary", bytes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return "Number", shown(value)
    from decimal import Decimal  # noqa: PLC0415 - the last guess, which few values come to

    if isinstance(value, float | Decimal):
        return "Number", str(value)
    raise InvalidParameterValue(
        f"The message (user) attribute '{name}' must contain a non-empty message attribute value. "
        f"Give text, a number or bytes, not {shown(value)}."
    )


def _check_data_type(name: str, data_type: object, limits: QueueLimits) -> str:
    """The kind that a data type begins with: String, Number or Binary."""
    if not isinstance(data_type, str) or not data_type:
        raise InvalidParameterValue(
            f"The message (user) attribute '{name}' must contain a non-empty message attribute type."
        )
    maximum = limits.message_attribute_data_type_length_max
    if len(_encoded_part(data_type, f"type of message attribute '{name}'")) > maximum:
        raise InvalidParameterValue(f"Message (user) attribute type must be shorter than {maximum} bytes.")
    kind = data_type.partition(".")[0]
    if kind not in {"String", "Number", "Binary"}:
        raise InvalidParameterValue(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the following "
            "supported type prefixes: Binary, Number, String."
        )
    return kind


def _is_number(text: str) -> bool:
    """Whether text is a number of 38 digits at most, from 10^-128 to 10^126, or zero."""
    match = re.fullmatch(_NUMBER, text)
    if match is None:
        return False
    whole, fraction, exponent = match.groups()
    digits = whole + fraction
    significant = digits.strip("0")
    if not significant:
        return True
    leading_zeros = len(digits) - len(digits.lstrip("0"))
    magnitude = len(whole) - 1 - leading_zeros + int(exponent or 0)
    return len(significant) <= _NUMBER_DIGITS_MAX and (
        _NUMBER_EXPONENT_MIN <= magnitude < _NUMBER_EXPONENT_MAX
        or (magnitude == _NUMBER_EXPONENT_MAX and significant == "1")
    )


def _is_trace_header(text: str) -> bool:
    names = set()
    for field in text.split(";"):
        name, equals, value = field.strip().partition("=")
        if not (name and equals and re.fullmatch(_TRACE_FIELDS.get(name, _TRACE_FIELD), value)):
            return False
        names.add(name)
    return "Root" in names
