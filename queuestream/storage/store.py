"""A broker kept in a file: what hears its changes, folds them into rows, tidies up and closes.

    orders.db                        the rows, in SQLite, about a second behind
    orders.db-changes-a, -b          the journal: what the rows do not have yet
    orders.db-owner                  who has it open
    orders.db-wal, -shm              SQLite's own

What a call changes is in the journal before it is applied.  One background thread *folds*
the journal into rows, a second after the first change or when a segment is half full; it
takes the broker's lock between two calls, to gather what has changed, and writes without
it.  The same thread syncs where durability is by interval, and tidies up after purges and
trims.  It brings nothing about, so no virtual clock waits for it.

A write that fails closes the broker: what nobody was told may be lost, what somebody was
told is in the files, and opening them again gives the last state that was kept.  Whoever
closes the broker, the thread does the last things: folding once more, where writing has not
failed, and letting the files go.
"""

from __future__ import annotations

import atexit
import sqlite3
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from queuestream.core import bystanders
from queuestream.core.errors import StorageFailed
from queuestream.core.queues.changes import MessagesReceived
from queuestream.storage import schema
from queuestream.storage.codec import encode
from queuestream.storage.forks import FORKED, tell_child
from queuestream.storage.journal import SEGMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from queuestream.core.broker import Broker
    from queuestream.core.changes import Change
    from queuestream.storage.commit_lock import CommitLock
    from queuestream.storage.journal import Journal
    from queuestream.storage.ownership import Ownership
    from queuestream.storage.presence import Presence
    from queuestream.storage.queue_rows import QueueRows
    from queuestream.storage.stream_rows import StreamRows
    from queuestream.storage.tidying import Tidying

Durability = Literal["commit", "interval", "none"]

_FOLD_AT_BYTES = SEGMENT_BYTES // 2
_FOLD_SECONDS = 1.0
_BEHIND_BYTES_MAX = 4 * SEGMENT_BYTES
"""Who has added to a segment that is longer than this waits for the fold to catch up."""


class Store:
    """What keeps one broker in one file.

    Args:
        path: The file.
        broker: The broker; nobody uses it yet.
        lock: The broker's.
        connections: To the database: the first is the thread's that folds, the other reads records.
        journal: Begun, after all that it had is in the database.
        ownership: That the file is ours.
        presence: That all the files are there.
        rows: What is not in the database yet.
        tidying: What gives space back.
        durability: When a call's changes are on disk.
        sync_seconds: How long that takes at most, by `interval`.
    """

    def __init__(
        self,
        path: Path,
        broker: Broker,
        lock: CommitLock,
        connections: tuple[sqlite3.Connection, sqlite3.Connection],
        journal: Journal,
        ownership: Ownership,
        presence: Presence,
        rows: tuple[QueueRows, StreamRows],
        tidying: Tidying,
        durability: Durability,
        sync_seconds: float,
    ) -> None:
        self._path = path
        self._broker = broker
        self._lock = lock
        self._connection, self._reading = connections
        self._journal = journal
        self._ownership = ownership
        self._presence = presence
        self._rows = rows
        self._tidying = tidying
        self._promises = durability == "commit"
        self._sync_seconds = sync_seconds
        # Found once: every call comes by here.
        self._append = journal.append
        self._handlers: dict[type[Change], Callable[[Change], None]] = {
            **rows[0].handlers,
            **rows[1].handlers,
        }
        # Why nothing can be written any more; and that closing failed, which nobody was told yet.
        self._why: str | None = None
        self._untold: StorageFailed | None = None
        # From which position of the journal on a call has more to do than to append.
        self._heeds_from = 0
        # Whether something is to be folded, and that somebody has told the thread so.
        self._is_unfolded = False
        self._news = threading.Event()
        self._folded = threading.Condition()
        self._folding = threading.Lock()
        # By `interval`: that something was appended that nobody has synced; and that nobody needs to wait.
        self._appended = threading.Event()
        self._end = threading.Event()
        self._ends = self._is_let_go = self._is_forked = False
        name = f"queuestream {path.name}"
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True)]
        if durability == "interval":
            self._threads.append(
                threading.Thread(target=self._sync_regularly, name=f"{name} syncs", daemon=True)
            )

    def start(self) -> None:
        """Keep the broker from now on."""
        self._broker.listen(self._hear)
        self._broker.storage = self
        atexit.register(self._broker.close)
        tell_child(self)
        for thread in self._threads:
            thread.start()

    # --- what a call does ---

    def _hear(self, changes: tuple[Change, ...]) -> None:
        """Put a call's changes into the journal, before they are applied.  The caller holds the lock."""
        payload = encode(changes)
        try:
            position = self._append(payload)
        except (StorageFailed, OSError) as error:
            self._broker.check_open()  # it was closed since this call began
            raise self._fail(error) from error
        handlers = self._handlers
        for change in changes:
            handlers[type(change)](change)
        if self._promises and not self._may_come_again(changes[0]):
            self._lock.promised = position
        if position >= self._heeds_from:
            self._heed(position)

    def _heed(self, position: int) -> None:
        """See to it that somebody waits, syncs or folds; most calls have nobody to tell that it is needed."""
        # Before anybody is told: who is, may set it back at once.
        self._heeds_from = position + self._bytes_of_peace(position)
        self._is_unfolded = True
        self._news.set()
        self._appended.set()

    def _bytes_of_peace(self, position: int) -> int:
        """How many bytes may be appended before there is something to tell again."""
        filled = self._journal.filled
        if filled <= _FOLD_AT_BYTES:
            return _FOLD_AT_BYTES - filled + 1
        if filled > _BEHIND_BYTES_MAX:
            self._lock.promised = position  # who appends more waits for the fold
            return 0
        return _BEHIND_BYTES_MAX - filled + 1

    def _may_come_again(self, change: Change) -> bool:
        """Whether a power cut may undo a change: a standard queue hands a message out at least once.

        A receive that is lost means that the message comes again, earlier than its visibility timeout says.
        A FIFO queue promises more (AWS: "Exactly-once processing in Amazon SQS").
        """
        return type(change) is MessagesReceived and not self._broker.queues[change.queue].is_fifo

    def reach(self, position: int) -> None:
        """Return when what was appended up to a position is kept as the durability says.

        Raises:
            StorageFailed: It cannot be kept.
        """
        self._check()
        if self._promises:
            try:
                self._journal.sync(position)
            except (StorageFailed, OSError) as error:
                raise self._fail(error) from error
        if self._journal.filled > _BEHIND_BYTES_MAX:
            with self._folded:
                self._folded.wait_for(self._may_go_on)

    def _may_go_on(self) -> bool:
        """Whether there is room for more, or will be no more."""
        return self._journal.filled <= _BEHIND_BYTES_MAX or self._broker.closed_because is not None

    def _check(self) -> None:
        if self._why is not None:
            raise StorageFailed(str(self._path), self._why)

    # --- what the thread does ---

    def _work(self) -> None:
        """Fold and tidy until the store ends; then do the last things."""
        ident = threading.get_ident()
        bystanders.uninvolved.add(ident)
        try:
            self._keep_up()
            if self._why is None:
                self.fold()
                # For those who still wait, though the rows have it all.
                self._journal.sync(self._journal.position)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody would fold any more
            self._fail(error)
        finally:
            self._let_go(remove=self._why is None)
            bystanders.uninvolved.discard(ident)

    def _keep_up(self) -> None:
        while not self._ends:
            self._news.wait()
            self._news.clear()
            while self._is_unfolded and not self._ends:
                self._wait_for_more()
                began = time.monotonic()
                if not self._ends:
                    self.fold()
                # Where one fold follows the other, removing has its turn all the same.
                until = 2 * time.monotonic() - began
                while self._tidy() and time.monotonic() < until:
                    pass
            while not self._is_unfolded and self._tidy():
                pass

    def _wait_for_more(self) -> None:
        """Let changes come together for a while: then each message is written once."""
        fold_at = time.monotonic() + _FOLD_SECONDS
        while self._journal.filled <= _FOLD_AT_BYTES and not self._ends:
            left = fold_at - time.monotonic()
            if left <= 0:
                return
            if not self._tidy():
                self._news.wait(left)
                self._news.clear()

    def _tidy(self) -> bool:
        """Give some space back: whether there may be more."""
        with self._folding:
            return not self._ends and self._tidying.step()

    def fold(self) -> None:
        """Bring everything that has changed into the rows; the cost grows with what has changed.

        Raises:
            StorageFailed: It cannot be written; the broker is closed.
            BrokerClosed: It was closed before.
        """
        with self._folding:
            if self._is_let_go or self._why is not None:
                self._broker.check_open()
            try:
                self._fold()
            except BaseException as error:
                # Whatever it is, half of a fold was done: only opening the file anew puts that right.
                failure = self._fail(error)
                if isinstance(error, Exception):
                    raise failure from error
                raise
        with self._folded:
            self._folded.notify_all()

    def _fold(self) -> None:
        with self._lock.deferred(), self._broker.lock:
            self._is_unfolded = False
            self._heeds_from = 0
            now_ns = self._broker.clock.now_ns()
            epoch = self._journal.switch()
            gathered = [rows.gather(now_ns) for rows in self._rows]
        schema.write(self._connection, gathered, folded_epoch=epoch, saved_ns=now_ns)
        # Rows in a file that nobody will find are no reason to forget what the journal has.
        self._presence.check()
        with self._lock.deferred(), self._broker.lock:
            for part in gathered:
                if part.then is not None:
                    part.then()
            self._journal.free(epoch)

    def _sync_regularly(self) -> None:
        """By `interval`: sync a while after something was appended."""
        ident = threading.get_ident()
        bystanders.uninvolved.add(ident)
        try:
            while not self._ends:
                self._appended.wait()
                self._end.wait(self._sync_seconds)
                self._appended.clear()
                self._heeds_from = 0
                if not self._ends:
                    self._journal.sync(self._journal.position)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody would sync any more
            self._fail(error)
        finally:
            bystanders.uninvolved.discard(ident)

    # --- how it ends ---

    def interrupted(self, error: BaseException) -> None:
        """A call was left in the middle: the journal may have what the broker in memory does not.

        Opening the file again has the call as a whole, or not at all.
        """
        self._fail(OSError(f"a call was interrupted by {type(error).__name__}"))

    def _fail(self, error: BaseException) -> StorageFailed:
        """A write has failed: nobody gets any further, and the thread lets the files go."""
        with self._broker.lock:
            if self._why is None:
                if isinstance(error, StorageFailed):
                    self._why = error.why
                else:
                    self._why = str(error) if isinstance(error, OSError | sqlite3.Error) else repr(error)
                if self._broker.closed_because is not None:
                    self._untold = StorageFailed(str(self._path), self._why)
                # Who was promised anything knows what.  Later calls see nothing, and wait for nothing.
                self._lock.promised = 0
                self._broker.close(f"writing to {self._path} failed: {self._why}")
        return StorageFailed(str(self._path), self._why)

    def closed(self) -> None:
        """The broker takes no more calls: bring everything into the one file, and let it go.

        Raises:
            StorageFailed: It could not be brought there; it is in the journal, for who opens the file again.
        """
        if self._is_forked:
            return
        atexit.unregister(self._broker.close)
        self._ends = True
        for event in (self._news, self._appended, self._end):
            event.set()
        with self._folded:
            self._folded.notify_all()
        # Who is in the middle of a call (a signal's handler, a failing write) has the lock, and the thread
        # needs it for the last things: it does them when it gets it.
        if self._lock._is_owned() or threading.current_thread() in self._threads:
            return
        for thread in self._threads:
            thread.join()
        untold, self._untold = self._untold, None
        if untold is not None:
            raise untold

    def _let_go(self, *, remove: bool) -> None:
        """Nothing of the files is ours any more."""
        with self._folding, ExitStack() as stack:
            self._is_let_go = True
            # One after the other, the first here last, and each whatever becomes of the others.
            stack.callback(self._ownership.release)
            stack.callback(self._journal.close, remove=remove)
            # SQLite removes what it has beside the file.
            stack.callback(self._connection.close)
            with self._lock.deferred(), self._broker.lock:
                self._reading.close()

    def _forked(self) -> None:
        """Leave everything to the process that opened it."""
        self._is_forked = True
        atexit.unregister(self._broker.close)
        self._broker.closed_because = FORKED
        for part in self._broker._parts():
            part._give_up()
