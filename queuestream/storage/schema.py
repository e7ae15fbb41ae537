"""The database: its tables and their version, how an older file becomes a newer one, and writing to it.

The file says what it is in SQLite's own places: `PRAGMA application_id` that it is ours, `PRAGMA
user_version` which version of the tables it has.  A file of an older version becomes one of this
version when it is opened, step by step in one transaction; a newer one is refused, and so is
anything else.

The tables of queues and of streams stand with the code that fills them.  Here are the two that
belong to the file as a whole:

    meta        what is to be known of the file: whose it is, and up to where it is written
    garbage     ranges of keys whose rows are gone, and are deleted a few at a time

SQLite's settings were measured with messages of a kilobyte: pages of 8 KiB are written faster than
those of 4 KiB (seven messages fit into one, not three) and changed faster than those of 16 KiB;
mapping the file into memory made reading no faster.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from queuestream.core.errors import StorageDamaged, StorageError, StorageTooNew
from queuestream.storage import queue_tables, stream_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from queuestream.storage.gathered import Gathered

APPLICATION_ID = int.from_bytes(b"qstr", "big")
"""What SQLite's own `file` signature of a database says of ours."""

TABLES = """
create table meta (
    name text primary key,
    value text not null
) without rowid;
create table garbage (
    "of" text not null,
    first_key integer not null,
    last_key integer not null
);
"""

Migration = str | Callable[[sqlite3.Connection], None]
"""SQL, or a function that carries it out."""

MIGRATIONS: tuple[Migration, ...] = ()
"""The first makes version 2 of version 1, the next version 3 of version 2, and so on."""

VERSION = len(MIGRATIONS) + 1
"""What the tables in this version of queuestream are."""

_PAGE_BYTES = 8_192
_CACHE_KIBIBYTES = 16_384
_WAL_BYTES_KEPT = 32 * 1024 * 1024
# How long somebody who looks at the file with a tool of his own may keep us from writing.
_PATIENCE_SECONDS = 60

_ADVICE = {
    sqlite3.SQLITE_BUSY: "Somebody else writes to it: let them end that first.",
    sqlite3.SQLITE_LOCKED: "Somebody else writes to it: let them end that first.",
    sqlite3.SQLITE_CANTOPEN: "It has to be a file, and its directory writable too.",
    sqlite3.SQLITE_FULL: "Make some space on that disk, and open it again.",
    sqlite3.SQLITE_PERM: "The file and its directory have to be writable.",
    sqlite3.SQLITE_READONLY: "The file and its directory have to be writable.",
}


def open_database(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """A database to be written, made or brought to this version where that is needed.

    Args:
        path: The file.
        migrations: What makes newer versions of older ones.

    Raises:
        StorageDamaged: It is none of ours, or cannot be read.
        StorageTooNew: A newer version of queuestream has written it.
        StorageError: It cannot be opened.
    """
    with translated(path):
        connection = sqlite3.connect(
            path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
    try:
        with translated(path):
            version = len(migrations) + 1
            found = _version_of(path, connection, version)
            if not found:
                _create(connection, version)
            elif found < version:
                _migrate(connection, migrations[found - 1 :], version)
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute(f"pragma cache_size = -{_CACHE_KIBIBYTES}")
            connection.execute(f"pragma journal_size_limit = {_WAL_BYTES_KEPT}")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A database as it is, which this connection cannot change.

    Raises:
        StorageDamaged: It is none of ours, or cannot be read.
        StorageTooNew: A newer version of queuestream has written it.
        StorageError: It cannot be opened, or only by what makes a newer version of it.
    """
    with translated(path):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=_PATIENCE_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
    try:
        with translated(path):
            _check_readable(path, _version_of(path, connection, VERSION))
            connection.execute(f"pragma cache_size = -{_CACHE_KIBIBYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as ours, while a file is opened and read.

    Raises:
        StorageDamaged: What is in the file cannot be read.
        StorageError: It cannot be opened.
    """
    try:
        yield
    except UnicodeDecodeError as error:  # in what it says of an error, perhaps
        raise StorageDamaged(str(path), "it has a text that is none") from error
    except sqlite3.Error as error:
        # The lower byte says what kind of error it is (SQLite: "Result and Error Codes").
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if kind == sqlite3.SQLITE_NOTADB:
            raise StorageDamaged(str(path), "it is not an SQLite database") from error
        if kind in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}:
            raise StorageDamaged(str(path), f"SQLite says: {error}") from error
        advice = _ADVICE.get(kind, "See to the disk, and open it again: nothing was changed.")
        raise StorageError(str(path), f"{path} cannot be opened: SQLite says: {error}. {advice}") from error


def meta(connection: sqlite3.Connection, name: str) -> str | None:
    """What is known of the file under a name; None where nothing is."""
    row = connection.execute("select value from meta where name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(connection: sqlite3.Connection, name: str, value: object) -> None:
    """Let something be known of the file."""
    connection.execute(_SET_META, (name, str(value)))


def write(
    connection: sqlite3.Connection, gathered: Iterable[Gathered], *, folded_epoch: int, saved_ns: int
) -> None:
    """Write what was gathered, all of it or nothing.

    Args:
        connection: Of `open_database`.
        gathered: Of queues and of streams.
        folded_epoch: Up to which epoch of the journal the rows have everything.
        saved_ns: As of which instant.

    Raises:
        sqlite3.Error: It could not be written.
    """
    with transaction(connection):
        for part in gathered:
            for statement, parameters in part.statements:
                connection.executemany(statement, parameters)
        set_meta(connection, "folded_epoch", folded_epoch)
        set_meta(connection, "saved_ns", saved_ns)


_SET_META = "insert into meta values (?, ?) on conflict (name) do update set value = excluded.value"


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all that is written in here, or nothing where anything is raised."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # Where the file is gone, this fails as well; nothing of the transaction is in it.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def _version_of(path: Path, connection: sqlite3.Connection, known: int) -> int:
    """Which version of our tables a database has; 0 where it is empty."""
    [application_id], [found], [tables] = (
        connection.execute(question).fetchone()
        for question in ("pragma application_id", "pragma user_version", "select count(*) from sqlite_schema")
    )
    if not application_id and not found and not tables:
        return 0
    if application_id != APPLICATION_ID:
        raise StorageDamaged(str(path), "it is an SQLite database, but none that queuestream has made")
    if found > known:
        raise StorageTooNew(str(path), found, known)
    return int(found)


def _check_readable(path: Path, found: int) -> None:
    if not found:
        raise StorageDamaged(str(path), "there is nothing in it")
    if found < VERSION:
        raise StorageError(
            str(path),
            f"{path} has schema version {found}. It becomes version {VERSION} when it is opened to be used.",
        )


def _create(connection: sqlite3.Connection, version: int) -> None:
    # Before anything else is in the file, or never.
    connection.execute(f"pragma page_size = {_PAGE_BYTES}")
    connection.execute("pragma auto_vacuum = incremental")
    with transaction(connection):
        for script in (TABLES, queue_tables.TABLES, stream_tables.TABLES):
            _carry_out(connection, script)
        connection.execute(f"pragma application_id = {APPLICATION_ID}")
        connection.execute(f"pragma user_version = {version}")


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], version: int) -> None:
    with transaction(connection):
        for migration in migrations:
            if isinstance(migration, str):
                _carry_out(connection, migration)
            else:
                migration(connection)
        connection.execute(f"pragma user_version = {version}")


def _carry_out(connection: sqlite3.Connection, script: str) -> None:
    """Carry out several statements; unlike `executescript`, within the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    assert not statement.strip(), f"A statement has no end: {statement}"
