"""What a file keeps, and whether it is whole, without owning it and without changing it.

The rows are loaded and what the journal has beyond them is done, into a broker in memory that nobody else
sees; a stream's records stay on disk.  Then everything is doubted: SQLite's own pages and indexes, what the
rows say of each other, the indexes of each queue.  What goes wrong on the way is a problem to be told, and
the rest is shown as far as it goes.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import attrs

from queuestream.core.broker import Broker
from queuestream.core.errors import StorageError
from queuestream.storage import codec
from queuestream.storage.disk import Disk
from queuestream.storage.findings import queues_in, streams_in
from queuestream.storage.journal import Journal
from queuestream.storage.looking import FilesTime, at_one_instant, files_beside, holder, open_to_look
from queuestream.storage.opening import instant_of
from queuestream.storage.queue_rows import QueueRows
from queuestream.storage.records import NUMBER_BITS, StoredShard
from queuestream.storage.stream_rows import StreamRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from queuestream.storage.findings import QueueFindings, StreamFindings
    from queuestream.storage.looking import Meta

_PROBLEMS_MAX = 20


@attrs.frozen(kw_only=True)
class Inspection:
    """What was found.

    Attributes:
        files: The bytes of each file that there is, the database first.
        owner: Who has it open, as a person would say it; None where nobody has.
        meta: What the file says of itself; None where it cannot be read.
        latest_ns: The latest instant that it has seen; 0 where that is not known.
        journal_calls: How many calls the journal has beyond the rows.
        journal_bytes: How many bytes these are.
        queues: By name; what could be read.
        streams: By name; what could be read.
        problems: What is damaged, in sentences.
    """

    path: Path
    files: Mapping[str, int]
    owner: str | None
    meta: Meta | None
    latest_ns: int
    journal_calls: int
    journal_bytes: int
    queues: Sequence[QueueFindings]
    streams: Sequence[StreamFindings]
    problems: Sequence[str]


def inspect(path: Path, now_ns: int, *, thoroughly: bool = True, disk: Disk | None = None) -> Inspection:
    """Look at a file.

    Args:
        path: The file, which is there.
        now_ns: What time it is: what is visible, and what is in flight.
        thoroughly: Whether to have SQLite read all of it, indexes too; else only what is loaded.
        disk: What files are asked of.

    Cost: linear in the messages, which come into memory, and thoroughly in the size of the file.
    """
    looking = _Looking(path.absolute(), disk or Disk())
    with ExitStack() as stack:
        looking.look(stack)
        return looking.inspection(now_ns, thoroughly=thoroughly)


class _Looking:
    """One look at a file, as far as it goes."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self.problems: list[str] = []
        self._connection: sqlite3.Connection | None = None
        self._meta: Meta | None = None
        self._broker: Broker | None = None
        self._owner: str | None = None
        self._journal: list[bytes] = []
        self._journal_problem: StorageError | None = None
        self._latest_ns = self._calls = self._bytes = 0

    def look(self, stack: ExitStack) -> None:
        """Read the rows and the journal."""
        try:
            self._owner = holder(self._path, self._disk)
            connection = open_to_look(self._path, in_use=self._owner is not None)
            self._connection = stack.enter_context(closing(connection))
            self._meta = meta = at_one_instant(self._path, connection, self._read_journal)
        except (sqlite3.Error, StorageError, OSError, ValueError) as error:
            self.problems.append(_said(error))
            return
        self._latest_ns = meta.saved_ns
        self._broker = broker = Broker(
            clock=FilesTime(meta.saved_ns),
            account_id=meta.account_id,
            region=meta.region,
            queue_limits=meta.queue_limits,
            delivery=meta.delivery,
        )
        try:
            QueueRows(broker).load(connection)
            StreamRows(broker, connection).load(connection)
        except Exception as error:  # noqa: BLE001 - damaged rows may say anything
            self.problems.append(f"The rows cannot be read: {_said(error)}")
            return
        self._do_journal(broker)

    def _read_journal(self, meta: Meta) -> None:
        """Have the journal in memory, before its owner writes over it."""
        self._journal, self._journal_problem = [], None
        try:
            for payload in Journal(self._path, self._disk, owner=meta.number).entries(meta.folded_epoch):
                self._journal.append(payload)
        except StorageError as error:
            self._journal_problem = error

    def _do_journal(self, broker: Broker) -> None:
        if self._journal_problem is not None:
            self.problems.append(f"The journal cannot be read to its end: {_said(self._journal_problem)}")
        try:
            for payload in self._journal:
                for change in codec.decode(payload):
                    self._latest_ns = max(self._latest_ns, instant_of(change))
                    change.apply(broker)
                self._calls += 1
                self._bytes += len(payload)
        except Exception as error:  # noqa: BLE001 - what does not fit may go wrong anywhere
            self.problems.append(
                f"The journal does not fit the rows, after {self._calls} of its calls: {_said(error)}"
            )

    def inspection(self, now_ns: int, *, thoroughly: bool) -> Inspection:
        """All that was found."""
        now_ns = max(now_ns, self._latest_ns)
        queues: Sequence[QueueFindings] = ()
        streams: Sequence[StreamFindings] = ()
        if self._connection is not None and self._meta is not None:
            self._check_database(self._connection, thoroughly=thoroughly)
        if self._broker is not None:
            try:
                self._check_broker(self._broker)
                queues, streams = queues_in(self._broker, now_ns), streams_in(self._broker, now_ns)
            except Exception as error:  # noqa: BLE001 - as above
                self.problems.append(f"The queues and streams cannot be counted: {_said(error)}")
        return Inspection(
            path=self._path,
            files={file.name: file.stat().st_size for file in files_beside(self._path)},
            owner=self._owner,
            meta=self._meta,
            latest_ns=self._latest_ns,
            journal_calls=self._calls,
            journal_bytes=self._bytes,
            queues=queues,
            streams=streams,
            problems=self.problems,
        )

    def _check_database(self, connection: sqlite3.Connection, *, thoroughly: bool) -> None:
        """Have SQLite look at its pages and indexes, and at who refers to whom."""
        check = "integrity_check" if thoroughly else "quick_check"
        try:
            found = connection.execute(f"pragma {check}({_PROBLEMS_MAX})").fetchall()
            strangers = connection.execute("pragma foreign_key_check").fetchmany(_PROBLEMS_MAX)
        except sqlite3.Error as error:
            self.problems.append(_said(error))
            return
        self.problems += [f"SQLite says: {sentence}" for (sentence,) in found if sentence != "ok"]
        self.problems += [
            f"Row {row_id} of {table} belongs to a row of {parent} that is not there."
            for table, row_id, parent, _ in strangers
        ]

    def _check_broker(self, broker: Broker) -> None:
        """Doubt the indexes of queues, and that shards have the rows that they should have."""
        for queue in broker.queues.values():
            try:
                queue.check_invariants()
            except AssertionError as error:
                self.problems.append(f"The queue {queue.name} contradicts itself. {error}".rstrip())
        for stream in broker.streams.values():
            for shard in stream._shards.values():
                if isinstance(shard, StoredShard):
                    self._check_records(stream.name, shard)

    def _check_records(self, stream_name: str, shard: StoredShard) -> None:
        assert self._connection is not None
        key = shard.row_id << NUMBER_BITS
        first, end = shard.horizon, max(shard.written, shard.horizon)
        [found] = self._connection.execute(
            "select count(*) from records where key >= ? and key < ?", (key | first, key | end)
        ).fetchone()
        if found != end - first:
            self.problems.append(
                f"Shard {shard.shard_id} of stream {stream_name} should have {end - first} records on disk, "
                f"and has {found}."
            )


def _said(error: BaseException) -> str:
    sentence = str(error) or type(error).__name__
    return sentence if sentence.endswith(".") else f"{sentence}."
