"""Lines of JSON into the records that the demo plays.

A line that cannot be played (no JSON, no object, no key, a key or a size that Kinesis would
refuse) is named by its number, with the reason, and left out.  Blank lines don't count.
"""

from __future__ import annotations

import gzip
import json
import math
import operator
import random
import re
import zlib
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from queuestream.core.clock import SECOND
from queuestream.core.streams.limits import StreamLimits

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable, Iterator

    Fields = dict[str, Any]

MIB = 1_048_576
NEW_YEAR_2025_NS = 1_735_689_600 * SECOND
RECORD_BYTES_MAX = 10 * MIB
PARTITION_KEY_LENGTH_MAX = StreamLimits().partition_key_length_max

_GZIP_MAGIC = b"\x1f\x8b"
_ENVELOPE_BYTES_MAX = 64
_BYTE_ORDER_MARK = "\ufeff"


@attrs.frozen
class Record:
    """One line of the input.

    Attributes:
        line: Its number, counted from 1; what it is known by everywhere.
        key: The text of its key field.
        text: The line as it stood.
        at_ns: When it happens, in nanoseconds since the epoch.
        is_task: Whether it becomes a task on the queues, too.
    """

    line: int
    key: str
    text: str
    at_ns: int
    is_task: bool

    def to_bytes(self) -> bytes:
        """What goes into the stream: the line in an envelope that says its number."""
        return f'{{"line": {self.line}, "record": {self.text}}}'.encode()


@attrs.frozen
class BrokenLine:
    """A line that was left out, and why."""

    line: int
    reason: str


class UnreadableInput(Exception):
    """The input as a whole cannot be played; the sentence says why."""


class Unplayable(Exception):
    """This line cannot be played; the sentence says why."""


@attrs.frozen
class TaskRule:
    """Which records become tasks: those whose field compares so with the value."""

    text: str
    field: str
    comparison: str
    value: float | str

    _COMPARISONS: ClassVar = {
        ">=": operator.ge,
        "<=": operator.le,
        ">": operator.gt,
        "<": operator.lt,
        "=": operator.eq,
    }

    @classmethod
    def parse(cls, text: str) -> TaskRule:
        """A rule as it is written on the command line: `delay>=60`, `status=late`.

        Raises:
            ValueError: It isn't one.
        """
        parts = re.fullmatch(r"\s*([^<>=]+?)\s*(>=|<=|=|>|<)\s*(.+?)\s*", text, re.DOTALL)
        if parts is None:
            raise ValueError(f"{text!r} is not of the form FIELD>=NUMBER (or <=, >, <, =).")
        field, comparison, value = parts.groups()
        number = _number(value)
        if number is None and comparison != "=":
            raise ValueError(f"{value!r} is not a number, and {comparison} compares numbers.")
        return cls(text.strip(), field, comparison, value if number is None else number)

    def __call__(self, fields: Fields) -> bool:
        """Whether these fields make a task."""
        value = fields.get(self.field)
        if isinstance(self.value, str):
            return value == self.value
        number = _number(value)
        return number is not None and bool(self._COMPARISONS[self.comparison](number, self.value))

    def __str__(self) -> str:
        return self.text


def seeded_tenth(seed: int) -> Callable[[Fields], bool]:
    """Chooses a tenth of the records, the same ones for the same seed; the first is always among them."""
    chance = random.Random(f"tasks {seed}")
    chosen = iter([True])
    return lambda _: next(chosen, False) or chance.random() < 0.1


def second_by_second(count: int, _: Fields) -> int:
    """Records that don't say when they happened: one second after the other, in the year 2025."""
    return NEW_YEAR_2025_NS + count * SECOND


def read_records(
    lines: Iterable[bytes],
    key_field: str,
    *,
    is_task: Callable[[Fields], bool],
    at_ns: Callable[[int, Fields], int],
) -> tuple[list[Record], list[BrokenLine]]:
    """The records of the lines, and the lines that are none.

    Args:
        lines: JSON objects in UTF-8, one each.
        key_field: The field whose text is the record's key.
        is_task: Asked for each record, in order.
        at_ns: When a record happens, from how many came before it and its fields.
    """
    records: list[Record] = []
    broken: list[BrokenLine] = []
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode().strip(" \t\r\n" if number > 1 else " \t\r\n" + _BYTE_ORDER_MARK)
            if not text:
                continue
            fields = _fields_of(text)
            key = _key_of(fields, key_field)
            _check_size(len(line) + len(key.encode()))
            records.append(Record(number, key, text, at_ns(len(records), fields), is_task(fields)))
        except UnicodeDecodeError:
            broken.append(BrokenLine(number, "not UTF-8"))
        except Unplayable as why:
            broken.append(BrokenLine(number, str(why)))
    return records, broken


def _refuse_constant(name: str) -> None:
    raise Unplayable(f"not JSON: {name} is no number")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


def _fields_of(text: str) -> Fields:
    try:
        fields = _JSON.decode(text)
    except json.JSONDecodeError as error:
        raise Unplayable(f"not JSON: {error.msg} at column {error.colno}") from None
    except ValueError:  # an integer of thousands of digits
        raise Unplayable("not JSON that can be read: a number is too long") from None
    except RecursionError:
        raise Unplayable("not JSON that can be read: nested too deeply") from None
    if not isinstance(fields, dict):
        raise Unplayable("not a JSON object")
    return fields


def _key_of(fields: Fields, key_field: str) -> str:
    """The text of the key field, if it can be a partition key (Kinesis: 1 to 256 characters)."""
    value = fields.get(key_field)
    if value is None:
        raise Unplayable(f"no key: {key_field!r} is missing or null")
    if isinstance(value, dict | list):
        raise Unplayable(f"no key: {key_field!r} is neither text nor a number")
    key = value if isinstance(value, str) else json.dumps(value)
    if not 1 <= len(key) <= PARTITION_KEY_LENGTH_MAX:
        raise Unplayable(
            f"its key has {len(key):,} characters; a partition key has 1 to {PARTITION_KEY_LENGTH_MAX}"
        )
    try:
        key.encode()
    except UnicodeEncodeError:
        raise Unplayable("its key is not valid Unicode") from None
    return key


def _check_size(size: int) -> None:
    if size + _ENVELOPE_BYTES_MAX > RECORD_BYTES_MAX:
        raise Unplayable(f"too long: a stream takes records of up to {RECORD_BYTES_MAX // MIB} MiB")


def _number(value: object) -> float | None:
    """A number, or a text that is one; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        number = float(value) if isinstance(value, float | str) else math.nan
    except ValueError:
        return None
    return None if math.isnan(number) else number


def lines_of(raw: io.BufferedReader) -> Iterator[bytes]:
    """The lines of a binary file, which may be compressed by gzip, whatever its name is.

    Raises:
        UnreadableInput: It breaks off, or is damaged.
    """
    try:
        if raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
            with gzip.open(raw) as unpacked:
                yield from unpacked
        else:
            yield from raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableInput(f"its gzip data are damaged ({error})") from None
    except OSError as error:
        raise UnreadableInput(error.strerror or str(error)) from None
