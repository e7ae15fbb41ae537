"""Opening a file: whose it is, what is in it, and what its journal has beyond that."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from urllib.parse import quote

from queuestream.core.broker import Broker
from queuestream.core.errors import InvalidParameterValue, StorageDamaged, StorageError
from queuestream.core.queues.consistency import AT_ONCE, Consistency
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits
from queuestream.storage import codec, schema
from queuestream.storage.commit_lock import CommitLock
from queuestream.storage.disk import Disk, cannot_open
from queuestream.storage.journal import SEGMENT_BYTES, Journal
from queuestream.storage.looking import delivery_of, files_beside, limits_of
from queuestream.storage.ownership import Ownership
from queuestream.storage.presence import Presence
from queuestream.storage.queue_rows import QueueRows
from queuestream.storage.store import Durability, Store
from queuestream.storage.stream_rows import StreamRows
from queuestream.storage.tidying import Tidying
from queuestream.storage.values import value_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queuestream.core.changes import Change
    from queuestream.core.clock import Clock
    from queuestream.core.delivery import Delivery

_SYNC_INTERVAL_MS_MAX = 60_000

Rows = tuple[QueueRows, StreamRows]


def open_broker(
    path: str | Path,
    *,
    clock: Clock | None = None,
    seed: int | str | None = None,
    account_id: str | None = None,
    region: str | None = None,
    queue_limits: QueueLimits = AWS_LIMITS,
    consistency: Consistency = AT_ONCE,
    delivery: Delivery | str = "strict",
    durability: Durability = "commit",
    sync_interval_ms: float = 50,
    disk: Disk | None = None,
) -> Broker:
    """The broker that a file keeps; a new one where there is no file.

    Close it in the end, or use it as a context manager: then everything is in the one file.  What was not
    closed is in the file and its journal, and is put together when it is opened again.

    Args:
        path: The file; its folder must exist.
        clock: As for `Broker`; it must not read less than what the file has seen.
        seed: As for `Broker`; from now on.
        account_id: As for `Broker`, where the file is new; a file keeps its own.
        region: As for `Broker`, where the file is new; a file keeps its own.
        queue_limits: As for `Broker`; not kept in the file.
        consistency: As for `Broker`; not kept in the file.
        delivery: As for `Broker`; not kept in the file.
        durability: `commit`: on disk when the call returns.  `interval`: at most `sync_interval_ms` are lost
            by a power cut, nothing by the end of the process.  `none`: a power cut may lose what the
            operating system has not written, the end of the process nothing.
        sync_interval_ms: For `interval`: milliseconds, from 1 to 60,000.
        disk: What files are asked of; for tests.

    Raises:
        StorageInUse: Somebody has it open.
        StorageDamaged: It is no file of ours, or cannot be read.
        StorageTooNew: A newer version has written it.
        StorageError: It cannot be opened, or not with this clock, account or region.
        InvalidParameterValue: An option that makes no sense.

    Cost: linear in the messages, which are all in memory; a stream's records stay on disk.
    """
    if durability not in get_args(Durability):
        raise InvalidParameterValue(
            f"Durability {durability!r} is none of {', '.join(get_args(Durability))}."
        )
    if not isinstance(sync_interval_ms, int | float) or not 1 <= sync_interval_ms <= _SYNC_INTERVAL_MS_MAX:
        raise InvalidParameterValue(f"A sync interval is 1 to {_SYNC_INTERVAL_MS_MAX} milliseconds.")
    path = Path(path).absolute()
    if not path.parent.is_dir():
        raise StorageError(
            str(path), f"There is no folder {path.parent} to keep {path.name} in: make it first."
        )
    disk = disk or Disk()
    with ExitStack() as undo, schema.translated(path):
        ownership = Ownership.take(path, disk)
        undo.callback(ownership.release)
        if not disk.exists(path):
            undo.callback(_remove, path, disk)
        elif not disk.is_writable(path):
            # SQLite would find out when it has made its files beside it, and leave them there.
            raise cannot_open(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        _check_log(path, disk)
        connection = schema.open_database(path)
        undo.callback(connection.close)
        reading = schema.open_for_reading(path)
        undo.callback(reading.close)
        account_id, region = _identity(path, connection, account_id, region)
        broker = Broker(
            clock=clock,
            seed=seed,
            account_id=account_id,
            region=region,
            queue_limits=queue_limits,
            consistency=consistency,
            delivery=delivery,
        )
        schema.set_meta(connection, "account_id", account_id)
        schema.set_meta(connection, "region", region)
        with _making_sense(path):
            number = _number_of(connection)
        journal = Journal(path, disk, SEGMENT_BYTES, number)
        undo.callback(journal.close, remove=False)
        # The store comes later.  But for `commit`, only who is too far ahead of the rows has to wait at all.
        lock = CommitLock(
            lambda position: store.reach(position),  # noqa: PLW0108
            (lambda: journal.synced) if durability == "commit" else (lambda: 0),
            lambda error: store.interrupted(error),  # noqa: PLW0108
        )
        broker.lock = lock
        rows = QueueRows(broker), StreamRows(broker, reading)
        with _making_sense(path):
            was_left = _replay_as_it_was(path, broker, connection, reading, journal)
            for part in rows:
                part.load(connection)
            _catch_up(path, broker, connection, journal, rows, was_left=was_left)
        schema.set_meta(connection, "queue_limits", value_to_json(queue_limits))
        schema.set_meta(connection, "delivery", value_to_json(broker.delivery))
        journal.begin(journal.last_epoch + 1)
        if durability == "none":
            # A fold is not synced then, only what SQLite copies back into the file: a power cut leaves an
            # older state, and the journal, whose epochs do not follow it, counts no more.  From here on:
            # what was read before may have been promised to somebody.
            connection.execute("pragma synchronous = normal")
        store = Store(
            path,
            broker,
            lock,
            (connection, reading),
            journal,
            ownership,
            Presence(disk, files_beside(path)),
            rows,
            Tidying(connection),
            durability,
            sync_interval_ms / 1_000,
        )
        store.start()
        undo.pop_all()
        return broker


def _check_log(path: Path, disk: Disk) -> None:
    """See to it that SQLite does not take another database's write-ahead log for this one's.

    A log says nothing of whose it is, but the journal beside it does.

    Raises:
        StorageDamaged: What is beside the database was left by another one.
    """
    if not (disk.exists(path) and disk.exists(path.with_name(f"{path.name}-wal"))):
        return
    without_log = f"file:{quote(str(path))}?mode=ro&immutable=1"
    # Where it is not whole without the log, the log was being written back into it.
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(without_log, uri=True)) as connection:
        number = schema.meta(connection, "number")
        if number is not None and number.isdecimal():
            Journal(path, disk, owner=int(number)).entries(0)


def _identity(
    path: Path, connection: sqlite3.Connection, account_id: str | None, region: str | None
) -> tuple[str, str]:
    """The account and region of a file, which are those that it was made with."""
    identity = []
    for name, asked, usual in (
        ("account_id", account_id, "000000000000"),
        ("region", region, "us-east-1"),
    ):
        known = schema.meta(connection, name)
        if known is not None and asked not in {None, known}:
            raise StorageError(
                str(path),
                f"{path} belongs to the {name} {known}, not to {asked}. Leave it away, or open another file.",
            )
        given = usual if asked is None else asked
        identity.append(given if known is None else known)
    return identity[0], identity[1]


def _number_of(connection: sqlite3.Connection) -> int:
    """What tells this database from others."""
    number = schema.meta(connection, "number")
    if number is None:
        number = str(secrets.randbits(63))
        schema.set_meta(connection, "number", number)
    return int(number)


@contextlib.contextmanager
def _making_sense(path: Path) -> Iterator[None]:
    """What is in the file becomes a broker in here.

    Raises:
        StorageDamaged: What it says contradicts itself, in whatever way we stumble over that.
    """
    try:
        yield
    except (StorageError, sqlite3.Error):
        raise
    except Exception as error:
        raise StorageDamaged(str(path), f"it has a row that makes no sense ({error!r})") from error


def _remove(path: Path, disk: Disk) -> None:
    """Leave no file where there was none."""
    with contextlib.suppress(OSError):
        disk.unlink(path)


def _replay_as_it_was(
    path: Path,
    broker: Broker,
    connection: sqlite3.Connection,
    reading: sqlite3.Connection,
    journal: Journal,
) -> bool:
    """Bring what the journal has into the rows, if it was written by other limits or another delivery.

    Which messages a receive has taken follows from these, too.

    Returns:
        Whether there was anything.
    """
    limits, delivery = limits_of(connection), delivery_of(connection)
    if limits == broker.queue_limits and delivery == broker.delivery:
        return False
    was = Broker(
        clock=broker.clock,
        account_id=broker.account_id,
        region=broker.region,
        queue_limits=limits,
        consistency=broker.consistency,
        delivery=delivery,
    )
    rows = QueueRows(was), StreamRows(was, reading)
    for part in rows:
        part.load(connection)
    return _catch_up(path, was, connection, journal, rows)


def _catch_up(
    path: Path,
    broker: Broker,
    connection: sqlite3.Connection,
    journal: Journal,
    rows: Rows,
    *,
    was_left: bool = False,
) -> bool:
    """Do what the journal has beyond the rows, and bring it into them.

    Returns:
        Whether there was anything: who had the file did not close it.
    """
    folded_epoch = int(schema.meta(connection, "folded_epoch") or 0)
    latest_ns = int(schema.meta(connection, "saved_ns") or 0)
    handlers = {**rows[0].handlers, **rows[1].handlers}
    for changes in recovered(path, journal, folded_epoch):
        latest_ns = max(latest_ns, *map(instant_of, changes))
        for change in changes:
            handlers[type(change)](change)
        for change in changes:
            change.apply(broker)
    _begin_at(path, broker.clock, latest_ns)
    was_left = was_left or journal.last_epoch > folded_epoch
    if was_left:
        for queue in broker.queues.values():
            queue._expect_forgotten_receives()
    now_ns = broker.clock.now_ns()
    gathered = [part.gather(now_ns) for part in rows]
    schema.write(connection, gathered, folded_epoch=journal.last_epoch, saved_ns=now_ns)
    for part in gathered:
        if part.then is not None:
            part.then()
    return was_left


def instant_of(change: Change) -> int:
    """When a change was made, in nanoseconds since the epoch; 0 where it does not say."""
    return max(getattr(change, name, 0) for name in ("asked_ns", "at_ns", "arrival_ns", "created_at_ns"))


def recovered(path: Path, journal: Journal, folded_epoch: int) -> Iterator[tuple[Change, ...]]:
    """What the journal has beyond the rows, call by call.

    Raises:
        StorageDamaged: An entry that was written whole makes no sense.
    """
    for payload in journal.entries(folded_epoch):
        try:
            yield codec.decode(payload)
        except codec.Unreadable as error:
            raise StorageDamaged(
                str(path), f"its journal has an entry that makes no sense ({error})"
            ) from error


def _begin_at(path: Path, clock: Clock, latest_ns: int) -> None:
    """See to it that time does not run backwards from one opening to the next."""
    reach = getattr(clock, "reach", None)
    if reach is not None:  # the machine's time, a server's
        reach(latest_ns)
    elif clock.now_ns() < latest_ns:
        # Rounded up, so that it will do.
        latest = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=-(-latest_ns // 1_000))
        raise StorageError(
            str(path),
            f"{path} has seen {latest}, and {clock!r} reads less. Time cannot run backwards: "
            "start the clock then, or later.",
        )
