"""Everything that a file keeps, as lines of JSON; see `lines` for what they are.

A file that is closed cleanly has all of it in its rows.  Of one that is not, or that somebody has open, a
copy is made, and opened as any file is: what the journal has beyond the rows becomes rows there.
Nothing happens to the file itself.

Of a damaged file, what can be read is saved: the rows table by table, around the pages that cannot be read.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.errors import StorageError
from queuestream.storage import lines
from queuestream.storage.disk import Disk
from queuestream.storage.importing import Importing
from queuestream.storage.journal import files_of as journal_files
from queuestream.storage.looking import FilesTime, at_one_instant, holder, meta_of, open_to_look
from queuestream.storage.opening import open_broker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queuestream.storage.looking import Meta

_LAST_ROW = 2**63 - 1


@attrs.define(eq=False)
class Export:
    """What is being exported.

    Attributes:
        path: The file.
        total: About how many lines there will be.
        lost: What could not be read, in sentences; complete when all lines were read.
    """

    path: Path
    total: int
    lost: list[str]
    _connection: sqlite3.Connection

    def __iter__(self) -> Iterator[bytes]:
        """The lines."""
        meta = meta_of(self.path, self._connection)
        yield lines.written(
            lines.FIRST,
            {
                "format": lines.FORMAT,
                "schema_version": meta.schema_version,
                "account_id": meta.account_id,
                "region": meta.region,
                "saved_ns": meta.saved_ns,
            },
        )
        count = 2
        for table, columns in tables_of(self._connection).items():
            if table in lines.NOT_EXPORTED:
                continue
            for row in _Rows(self._connection, table, self.lost).without_garbage():
                count += 1
                yield lines.line_of(table, columns, row)
        yield lines.written(lines.LAST, {"lines": count, "lost": self.lost})


def export(path: Path, stack: ExitStack, disk: Disk | None = None) -> Export:
    """Begin to export a file.

    Args:
        path: The file.
        stack: What is open and what was copied until the end.
        disk: What files are asked of.

    Raises:
        StorageError: It is none of ours, or nothing at all can be read.
    """
    disk = disk or Disk()
    path = path.absolute()
    in_use = holder(path, disk) is not None
    try:
        source = stack.enter_context(closing(open_to_look(path, in_use=in_use)))
        meta_of(path, source)
        lost: list[str] = []
        if any(file.exists() for file in journal_files(path)):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="queuestream-")))
            copied = _with_its_journal(path, source, folder, lost)
            if copied is not None:
                source = stack.enter_context(closing(open_to_look(copied, in_use=False)))
        if not source.in_transaction:
            source.execute("begin")  # all that is read is of one instant
        return Export(path, _about_how_many(source), lost, source)
    except sqlite3.Error as error:
        raise StorageError(str(path), f"Nothing in {path} can be read: {error}.") from error


def tables_of(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table, in the order in which the tables were made."""
    names = connection.execute(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by rowid"
    ).fetchall()
    return {name: [row[1] for row in connection.execute(f'pragma table_info("{name}")')] for (name,) in names}


def _about_how_many(connection: sqlite3.Connection) -> int:
    """Lines, for a progress bar: what the largest keys say costs less than counting, but says less."""
    total = 2
    for table in tables_of(connection):
        try:
            total += connection.execute(f'select count(*) from "{table}"').fetchone()[0]  # noqa: S608
        except sqlite3.Error:
            continue
    return total


# --- what the journal has beyond the rows -----------------------------------------------------------------


def _with_its_journal(path: Path, source: sqlite3.Connection, folder: Path, lost: list[str]) -> Path | None:
    """A copy whose rows have what the journal had; None where there can be none."""
    meta = at_one_instant(path, source, lambda _: _copy_journal(path, folder / "journal"))
    failure: Exception | None = None
    for number, copy in enumerate((_copied, _saved)):
        copied = folder / f"{number}.db"
        try:
            copy(path, source, meta, copied)
            _copy_journal(folder / "journal", copied)
            open_broker(
                copied,
                clock=FilesTime(meta.saved_ns),
                queue_limits=meta.queue_limits,
                delivery=meta.delivery,
            ).close()
        except Exception as error:  # noqa: BLE001 - a damaged file may make anything of itself
            failure = error
        else:
            return copied
    lost.append(f"what changed last, because the journal does not fit the rows that can be read: {failure}")
    return None


def _copy_journal(path: Path, copied: Path) -> None:
    for file, copy in zip(journal_files(path), journal_files(copied), strict=True):
        if file.exists():
            shutil.copyfile(file, copy)


def _copied(_path: Path, source: sqlite3.Connection, _meta: Meta, copied: Path) -> None:
    """All of a database, as the connection sees it."""
    with closing(sqlite3.connect(copied)) as target:
        source.backup(target)


def _saved(path: Path, source: sqlite3.Connection, meta: Meta, saved: Path) -> None:
    """A new database of the rows that can be read."""
    rows = Export(path, 0, [], source)
    with Importing(saved) as importing:
        for line in rows:
            importing.add(line)
        importing.finish_for(meta)


# --- rows, around what cannot be read -----------------------------------------------------------------------


class _Rows:
    """The rows of one table, in the order of their keys.

    Args:
        connection: To the database.
        table: The table.
        lost: Takes a sentence for each part that cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection, table: str, lost: list[str]) -> None:
        self._connection = connection
        self._table = table
        self._lost = lost

    def without_garbage(self) -> Iterator[tuple[Any, ...]]:
        """Those that are not on their way out."""
        try:
            ranges = self._connection.execute(
                'select first_key, last_key from garbage where "of" = ? order by first_key', (self._table,)
            ).fetchall()
        except sqlite3.Error:
            ranges = []
        if not ranges:
            return self._readable()
        return self._outside(ranges)

    def _outside(self, ranges: list[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
        """The rows whose keys are in no range; the ranges are in order, and a key is the first column."""
        place = 0
        for row in self._readable():
            while place < len(ranges) and ranges[place][1] < row[0]:
                place += 1
            if place == len(ranges) or row[0] < ranges[place][0]:
                yield row

    def _readable(self) -> Iterator[tuple[Any, ...]]:
        try:
            self._connection.execute(f'select rowid from "{self._table}" limit 1').fetchone()  # noqa: S608
        except sqlite3.OperationalError:  # a table without, whose key is text
            yield from self._keyed_by_text()
            return
        except sqlite3.Error:
            pass
        after, is_first = -_LAST_ROW, True
        while True:
            try:
                for row_id, *row in self._connection.execute(
                    f'select rowid, * from "{self._table}" where rowid > ? order by rowid',  # noqa: S608
                    (after,),
                ):
                    after, is_first = row_id, False
                    yield tuple(row)
            except sqlite3.DatabaseError as error:
                beyond = self._beyond(after)
                where = "from the first on" if is_first else f"after the one with key {after}"
                until = "to the last" if beyond is None else f"to {beyond}"
                self._lost.append(f"{self._table} {where} {until}: {error}")
                if beyond is None:
                    return
                after = beyond
            else:
                return

    def _keyed_by_text(self) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection.execute(f'select * from "{self._table}"')  # noqa: S608
        except sqlite3.DatabaseError as error:
            self._lost.append(f"the rest of {self._table}: {error}")

    def _beyond(self, after: int) -> int | None:
        """A key such that the next row after it can be read, not much larger than is needed."""
        step = 1
        while after + step < _LAST_ROW and not self._reads_after(after + step):
            step *= 2
        if after + step >= _LAST_ROW:
            return None
        low, high = step // 2, step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._reads_after(after + middle) else (middle, high)
        return after + high

    def _reads_after(self, key: int) -> bool:
        try:
            return (
                self._connection.execute(
                    f'select * from "{self._table}" where rowid > ? order by rowid limit 1',  # noqa: S608
                    (key,),
                ).fetchone()
                is not None
            )
        except sqlite3.DatabaseError:
            return False
