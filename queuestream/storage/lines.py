"""A file's rows as lines of JSON, and back: what `queuestream export` writes and `import` reads.

    {"kind": "queuestream", "format": 1, "schema_version": 1, "account_id": ..., "region": ..., ...}
    {"kind": "queue", "id": 1, "name": "orders", ...}
    {"kind": "message", "key": 1099511627777, "body": "hello", ...}
    ...
    {"kind": "end", "lines": 1234, "lost": []}

A line's kind is the table that its row is in (in the singular, where that is plain), and the other names
are the table's columns, in their order; what is NULL is left out.  Columns that have JSON are JSON here,
too.  Bytes are `{"text": "hello"}` where they are UTF-8, else `{"base64": "AAEC"}`.  The last line says
how many there are, so that half a file is not taken for a whole one, and what was lost, where the file was
damaged.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = 1
FIRST, LAST = "queuestream", "end"

NOT_EXPORTED = {"meta", "garbage"}
"""Tables whose rows say something about the file, not about the broker."""

# The columns that have JSON.
_JSON = {
    ("queues", "attributes"),
    ("queues", "tags"),
    ("messages", "attributes"),
    ("message_groups", "memory"),
    ("receive_attempts", "messages"),
    ("postponed_changes", "change"),
    ("streams", "settings"),
    ("streams", "pending_reshard"),
    ("streams", "load_seen"),
    ("shards", "used_by_puts"),
    ("consumers", "tags"),
}


class BrokenLine(ValueError):
    """A line that no export has written."""


def kind_of(table: str) -> str:
    """What a line of a table's row is called: `message`, of `messages`."""
    return table.removesuffix("s")


def written(kind: str, fields: Mapping[str, object]) -> bytes:
    """A line."""
    line = json.dumps({"kind": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
    return f"{line}\n".encode()


def line_of(table: str, columns: Sequence[str], row: Sequence[object]) -> bytes:
    """A row as a line."""
    fields = {
        column: _plain(table, column, value)
        for column, value in zip(columns, row, strict=True)
        if value is not None
    }
    return written(kind_of(table), fields)


def read(line: bytes) -> tuple[str, dict[str, Any]]:
    """A line's kind and its fields.

    Raises:
        BrokenLine: It is none.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenLine(f"it is no JSON ({error})") from None
    kind = fields.pop("kind", None) if isinstance(fields, dict) else None
    if not isinstance(kind, str):
        raise BrokenLine("it is no object that has a kind")
    return kind, fields


def row_of(table: str, columns: Sequence[str], fields: Mapping[str, Any]) -> list[object]:
    """A line's fields as a row of its table.

    Raises:
        BrokenLine: They are not the table's columns.
    """
    unknown = fields.keys() - set(columns)
    if unknown:
        raise BrokenLine(f"a {kind_of(table)} has no {min(unknown)}")
    return [_stored(table, column, fields.get(column)) for column in columns]


def _plain(table: str, column: str, value: object) -> object:
    if isinstance(value, bytes):
        try:
            return {"text": value.decode()}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if (table, column) in _JSON and isinstance(value, str):
        try:
            meant = json.loads(value)
        except ValueError:  # of a damaged file
            return value
        return meant if isinstance(meant, (dict, list)) else value
    return value


def _stored(table: str, column: str, value: Any) -> object:
    if not isinstance(value, (dict, list)):
        if isinstance(value, bool):
            raise BrokenLine(f"{column} is neither true nor false")
        return value
    if (table, column) in _JSON:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    match value:
        case {"text": str() as text}:
            return text.encode()
        case {"base64": str() as text}:
            try:
                return base64.b64decode(text, validate=True)
            except ValueError:
                raise BrokenLine(f"{column} is no base64") from None
    raise BrokenLine(f"{column} is neither a number nor text nor bytes")
