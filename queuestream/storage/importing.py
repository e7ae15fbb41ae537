"""A new file of the lines that an export wrote; see `lines` for what they are.

Lines become rows as they are, in one transaction, of a file that has another name until it is whole.  At the
end it is opened as any file is, so that what makes no sense is found now and by whom it concerns.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any, Self

from queuestream.core.errors import StorageError
from queuestream.storage import lines, schema
from queuestream.storage.disk import Disk
from queuestream.storage.looking import FilesTime, files_beside
from queuestream.storage.opening import open_broker
from queuestream.storage.values import value_to_json

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from queuestream.storage.looking import Meta

_ROWS_AT_ONCE = 1_000


class CannotImport(StorageError):
    """The lines make no file, or there is one already."""


class Importing:
    """A file that is being made; a context manager, which takes back what was not finished.

    Args:
        path: The file, which is not there yet or empty.

    Raises:
        CannotImport: It is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        if any(file.stat().st_size for file in files_beside(self._path)):
            raise CannotImport(
                str(path),
                f"{path} is there already, and is not written over. Give another name, or remove it.",
            )
        self._partial = self._path.with_name(f"{self._path.name}-import")
        self._line = 0
        self._connection: sqlite3.Connection | None = None
        self._columns: dict[str, tuple[str, list[str]]] = {}
        self._table = ""
        self._rows: list[list[object]] = []
        self._is_whole = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        for file in files_beside(self._partial):
            file.unlink()

    def add(self, line: bytes) -> None:
        """One more line.

        Raises:
            CannotImport: It makes no sense here.
        """
        self._line += 1
        try:
            kind, fields = lines.read(line)
            if self._connection is None:
                self._begin(kind, fields)
            elif kind == lines.LAST:
                self._check_last(fields)
            else:
                self._add_row(kind, fields)
        except (lines.BrokenLine, sqlite3.Error, OverflowError) as error:
            raise CannotImport(str(self._path), f"Line {self._line} cannot be imported: {error}.") from error

    def finish(self) -> None:
        """That was the last one: see whether it all makes sense, and let the file have its name.

        Raises:
            CannotImport: There are lines missing, or they do not fit together.
        """
        saved_ns = int(schema.meta(self._whole(), "saved_ns") or 0)
        self._write_out()
        try:
            with open_broker(self._partial, clock=FilesTime(saved_ns)) as broker:
                broker.check_invariants()
        except Exception as error:  # the lines may make anything of a broker
            raise CannotImport(
                str(self._path), f"The lines do not fit together, so nothing was imported: {error}"
            ) from error
        self._give_name()

    def finish_for(self, meta: Meta) -> None:
        """That was the last one; what else belongs to it is in a journal.

        Args:
            meta: Of the file that the journal belongs to.
        """
        connection = self._whole()
        schema.set_meta(connection, "number", meta.number)
        schema.set_meta(connection, "folded_epoch", meta.folded_epoch)
        schema.set_meta(connection, "queue_limits", value_to_json(meta.queue_limits))
        schema.set_meta(connection, "delivery", value_to_json(meta.delivery))
        self._write_out()
        self._give_name()

    def _whole(self) -> sqlite3.Connection:
        if self._connection is None or not self._is_whole:
            raise CannotImport(
                str(self._path),
                f"There should be more after line {self._line}: the last line of an export says how many "
                "there are.",
            )
        return self._connection

    def _write_out(self) -> None:
        assert self._connection is not None
        self._connection.execute("commit")
        self._close()

    def _give_name(self) -> None:
        self._partial.replace(self._path)
        Disk().sync_directory(self._path.parent)

    def _begin(self, kind: str, fields: dict[str, Any]) -> None:
        if kind != lines.FIRST:
            raise lines.BrokenLine("this is not the beginning of an export")
        if fields.get("format") != lines.FORMAT:
            raise lines.BrokenLine(f"it has the format {fields.get('format')}, and this is {lines.FORMAT}")
        version = fields.get("schema_version")
        if not isinstance(version, int) or not 1 <= version <= schema.VERSION:
            raise lines.BrokenLine(
                f"it has the schema version {version}, and this version of queuestream knows up to "
                f"{schema.VERSION}"
            )
        for file in files_beside(self._partial):  # somebody's who did not come to the end
            file.unlink()
        # As the older version made it, so that its rows are carried over as those of an older file.
        self._connection = connection = schema.open_database(self._partial, schema.MIGRATIONS[: version - 1])
        connection.execute("pragma journal_mode = off")
        connection.execute("begin")
        for name in ("account_id", "region", "saved_ns"):
            if name in fields:
                schema.set_meta(connection, name, fields[name])
        tables = connection.execute(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'"
        ).fetchall()
        for (table,) in tables:
            columns = [row[1] for row in connection.execute(f'pragma table_info("{table}")')]
            if table not in lines.NOT_EXPORTED:
                self._columns[lines.kind_of(table)] = table, columns

    def _add_row(self, kind: str, fields: dict[str, Any]) -> None:
        known = self._columns.get(kind)
        if self._is_whole:
            raise lines.BrokenLine("there is something after the last line")
        if known is None:
            raise lines.BrokenLine(f"there is no {kind!r}")
        table, columns = known
        row = lines.row_of(table, columns, fields)
        if table != self._table or len(self._rows) == _ROWS_AT_ONCE:
            self._write()
            self._table = table
        self._rows.append(row)

    def _check_last(self, fields: dict[str, Any]) -> None:
        if fields.get("lines") != self._line:
            raise lines.BrokenLine(f"it says that there are {fields.get('lines')} lines")
        self._write()
        self._is_whole = True

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            assert self._connection is not None
            places = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f'insert into "{self._table}" values ({places})', rows)  # noqa: S608

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            self._connection.close()
            self._connection = None
