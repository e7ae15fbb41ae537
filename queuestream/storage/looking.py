"""Looking at a file without owning it, and without changing it: it may be in use, or damaged.

SQLite reads a database that somebody writes to as it was when the reading began.  One that nobody has open
and that has no write-ahead log is read as a file like any other, so that nothing appears beside it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from queuestream.core.clock import SystemClock
from queuestream.core.delivery import STRICT, Delivery
from queuestream.core.errors import StorageDamaged, StorageError, StorageTooNew
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits
from queuestream.storage import ownership, schema
from queuestream.storage.disk import Disk
from queuestream.storage.journal import files_of as journal_files
from queuestream.storage.reading import value_from_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PATIENCE_SECONDS = 10
_TRIES = 10


class FilesTime(SystemClock):
    """What time it is in a file: the latest that it has seen, and no later."""

    __slots__ = ()

    def __init__(self, saved_ns: int) -> None:
        super().__init__()
        self._last_ns = saved_ns

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._last_ns


class Meta(NamedTuple):
    """What a file says of itself.

    Attributes:
        schema_version: The version of its tables.
        number: What tells the database from others.
        folded_epoch: Up to which epoch of the journal the rows have everything.
        saved_ns: As of which instant.
        queue_limits: What its journal was written by.
        delivery: The same.
    """

    schema_version: int
    account_id: str
    region: str
    number: int
    folded_epoch: int
    saved_ns: int
    queue_limits: QueueLimits
    delivery: Delivery


def files_beside(path: Path) -> list[Path]:
    """The files that a broker may be kept in, those that are there: the database first."""
    names = (path.name, f"{path.name}-wal", f"{path.name}-shm")
    files = [path.with_name(name) for name in names]
    return [file for file in (*files, *journal_files(path), ownership.owner_file(path)) if file.exists()]


def holder(path: Path, disk: Disk) -> str | None:
    """Who owns a file, as a person would say it; None where nobody does."""
    file = ownership.owner_file(path.absolute())
    if disk.identity(file) is None:
        return None
    if disk.identity(file) in ownership._ours:
        return "another broker of this process"
    fd = disk.open(file)
    try:
        disk.lock(fd)
    except BlockingIOError:
        return ownership._holder(disk, file)
    finally:
        disk.close(fd)
    return None


def open_to_look(path: Path, *, in_use: bool) -> sqlite3.Connection:
    """A connection that changes nothing, to a file that somebody has open or nobody.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    log = path.with_name(f"{path.name}-wal")
    is_whole = not in_use and not (log.exists() and log.stat().st_size)
    options = "mode=ro&immutable=1" if is_whole else "mode=ro"
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{options}",
        uri=True,
        timeout=_PATIENCE_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def at_one_instant(
    path: Path, connection: sqlite3.Connection, read_journal: Callable[[Meta], object]
) -> Meta:
    """Let a connection see the database as it is now, and have the journal read that goes with it.

    Whoever has the file open may bring the journal into the rows in between, and write over it.  Then it is
    tried again; in the end what is seen is a little older than the journal, and nothing worse.

    Raises:
        StorageDamaged: It is no file of ours.
        sqlite3.Error: It cannot be read.
    """
    for _ in range(_TRIES):
        connection.execute("begin")
        meta = meta_of(path, connection)
        read_journal(meta)
        with closing(open_to_look(path, in_use=holder(path, Disk()) is not None)) as now:
            if meta_of(path, now).folded_epoch == meta.folded_epoch:
                break
        connection.execute("rollback")
    else:
        connection.execute("begin")
        meta = meta_of(path, connection)
        read_journal(meta)
    return meta


def meta_of(path: Path, connection: sqlite3.Connection) -> Meta:
    """What a file says of itself.

    Raises:
        StorageDamaged: It is none of ours.
        StorageTooNew: A newer version has written it.
        StorageError: An older version has written it, and no newer one has opened it since.
        sqlite3.Error: It cannot be read.
    """
    [application_id], [found] = (
        connection.execute(f"pragma {name}").fetchone() for name in ("application_id", "user_version")
    )
    if application_id != schema.APPLICATION_ID:
        raise StorageDamaged(str(path), "it is no database that queuestream has made")
    if found > schema.VERSION:
        raise StorageTooNew(str(path), found, schema.VERSION)
    if found < schema.VERSION:
        raise StorageError(
            str(path),
            f"{path} has schema version {found}; open it once with this version of queuestream, which makes "
            f"version {schema.VERSION} of it.",
        )
    known = dict(connection.execute("select name, value from meta"))
    return Meta(
        schema_version=found,
        account_id=known.get("account_id", "000000000000"),
        region=known.get("region", "us-east-1"),
        number=int(known.get("number", 0)),
        folded_epoch=int(known.get("folded_epoch", 0)),
        saved_ns=int(known.get("saved_ns", 0)),
        queue_limits=limits_of(connection),
        delivery=delivery_of(connection),
    )


def limits_of(connection: sqlite3.Connection) -> QueueLimits:
    """The limits that the file was last opened with: what its journal has was done by them."""
    known = schema.meta(connection, "queue_limits")
    limits: QueueLimits = AWS_LIMITS if known is None else value_from_json(QueueLimits, known)
    return limits


def delivery_of(connection: sqlite3.Connection) -> Delivery:
    """The delivery that the file was last opened with: what its journal has was handed out by it."""
    known = schema.meta(connection, "delivery")
    delivery: Delivery = STRICT if known is None else value_from_json(Delivery, known)
    return delivery
