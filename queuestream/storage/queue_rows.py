"""Queues as rows: what changed since the last time, marked and gathered.

The handlers are on the way of every call, and only mark: a message by its number, in the order in
which messages last changed places, with the change by which it came until it is received.  So a
message that came and went between two gatherings is never seen, one that changed often is written
once, and what stands in the core already is not copied.

What is gathered of each queue that was marked is in `queue_gathering`, and how rows become queues
again in `queue_loading`.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.queues.changes import (
    AttributesTookEffect,
    ChangePostponed,
    DeadLetterArrived,
    MessageMoved,
    MessageSent,
    MessagesPurged,
    MessagesReceived,
    MessagesRemoved,
    MoveTaskEnded,
    MoveTaskStarted,
    QueueAttributesSet,
    QueueBecameUsable,
    QueueCreated,
    QueueDeleted,
    QueuePurged,
    QueueTagged,
    ReceiveRepeated,
    VisibilityChanged,
)
from queuestream.storage import queue_loading
from queuestream.storage import queue_tables as sql
from queuestream.storage.gathered import Gathered
from queuestream.storage.queue_gathering import add, gather_queue, postponed
from queuestream.storage.queue_tables import TABLES, KeptQueue

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from queuestream.core.broker import Broker
    from queuestream.core.changes import Change
    from queuestream.storage.queue_gathering import Rows

__all__ = ["TABLES", "QueueRows"]


class QueueRows:
    """What the database has of a broker's queues, and what it does not have yet.

    Args:
        broker: One without queues.

    Attributes:
        handlers: What marks a change, by its class; each is called before the change is applied.
    """

    TABLES = TABLES

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._kept: dict[str, KeptQueue] = {}
        self._last_id = 0
        self._deleted_ids: list[int] = []
        # Ranges of keys of messages that were purged.
        self._purged: list[tuple[str, int, int]] = []
        self._tasks_changed = False
        self._deleted_changed = False
        self._late_changed = False
        self.handlers: dict[type[Change], Callable[[Any], None]] = {
            MessageSent: self._mark_sent,
            MessagesReceived: self._mark_received,
            MessagesRemoved: self._mark_removed,
            VisibilityChanged: self._mark_visibility,
            ReceiveRepeated: self._mark_received,
            DeadLetterArrived: self._mark_arrived,
            MessageMoved: self._mark_moved,
            QueueCreated: self._mark_created,
            QueueDeleted: self._mark_deleted,
            QueueAttributesSet: self._mark_queue,
            QueueTagged: self._mark_queue,
            QueuePurged: self._mark_purged,
            MessagesPurged: self._mark_late_purge,
            QueueBecameUsable: self._mark_late,
            AttributesTookEffect: self._mark_late,
            ChangePostponed: self._mark_postponed,
            MoveTaskStarted: self._mark_task,
            MoveTaskEnded: self._mark_task,
        }

    def load(self, connection: sqlite3.Connection) -> None:
        """Make the queues that the rows tell of.

        Raises:
            sqlite3.Error: The rows cannot be read.
            Unreadable: A row makes no sense.

        Cost: linear in the messages.
        """
        self._kept, self._last_id = queue_loading.load(connection, self._broker)

    # --- marking ---

    def _mark_sent(self, change: MessageSent) -> None:
        self._kept[change.queue].marked[change.message.number] = change

    def _mark_received(self, change: MessagesReceived | ReceiveRepeated) -> None:
        kept = self._kept[change.queue]
        marked, timeout_ns = kept.marked, change.timeout_ns
        for number in change.numbers:
            marked.pop(number, None)  # it goes to the end
            marked[number] = timeout_ns
        if not change.numbers:
            kept.is_changed = True  # what the ordering remembers
        if change.attempt_id is not None:
            kept.attempts[change.attempt_id] = None

    def _mark_removed(self, change: MessagesRemoved) -> None:
        kept = self._kept[change.queue]
        marked, last_number = kept.marked, kept.last_number
        for number in change.numbers:
            marked.pop(number, None)
            if number <= last_number:
                kept.removed.append(number)

    def _mark_visibility(self, change: VisibilityChanged) -> None:
        marked = self._kept[change.queue].marked
        # One that the same batch has made visible stays so.
        if marked.get(change.number) != 0:
            marked.pop(change.number, None)
            marked[change.number] = change.timeout_ns

    def _mark_arrived(self, change: DeadLetterArrived) -> None:
        queue = self._broker.queues[change.queue]
        self._mark_sent(MessageSent(change.queue, change.message, queue._arrival_delay_ns(), change.at_ns))

    def _mark_moved(self, change: MessageMoved) -> None:
        delay_ns = self._broker.queues[change.destination]._delay_ns
        self._mark_removed(MessagesRemoved(change.queue, (change.number,), "deleted", change.at_ns))
        self._mark_sent(MessageSent(change.destination, change.message, delay_ns, change.at_ns))
        self._tasks_changed = True

    def _mark_created(self, change: QueueCreated) -> None:
        self._last_id += 1
        self._kept[change.queue] = kept = KeptQueue(self._last_id)
        kept.is_changed = self._deleted_changed = True

    def _mark_deleted(self, change: QueueDeleted) -> None:
        kept = self._kept.pop(change.queue)
        if kept.is_written:
            self._deleted_ids.append(kept.id)
        self._deleted_changed = self._late_changed = True

    def _mark_queue(self, change: Any) -> None:
        self._kept[change.queue].is_changed = True

    def _mark_purged(self, change: QueuePurged) -> None:
        self._purge(change.queue, self._broker.queues[change.queue]._last_number)

    def _mark_late_purge(self, change: MessagesPurged) -> None:
        self._purge(change.queue, change.last_number)
        self._late_changed = True

    def _purge(self, queue_name: str, last_number: int) -> None:
        kept = self._kept[queue_name]
        kept.is_changed = True
        kept.marked = {number: how for number, how in kept.marked.items() if number > last_number}
        if kept.last_number > kept.purged_number:
            self._purged.append(("messages", kept.base, kept.base | min(kept.last_number, last_number)))
        kept.purged_number = last_number

    def _mark_late(self, change: QueueBecameUsable | AttributesTookEffect) -> None:
        self._mark_queue(change)
        self._late_changed = True

    def _mark_postponed(self, change: ChangePostponed) -> None:
        self._mark_queue(change.change)
        self._late_changed = self._deleted_changed = True

    def _mark_task(self, change: object) -> None:
        self._tasks_changed = True

    # --- gathering ---

    def gather(self, now_ns: int) -> Gathered:
        """What the database does not have yet.  The caller holds the lock, and no call is going on.

        Cost: constant for each queue that there is and each message that was marked; linear in the messages
        of a FIFO queue whose delay was changed.
        """
        rows: Rows = {}
        self._gather_deleted(rows)
        for name, kept in self._kept.items():
            queue = self._broker.queues[name]
            if (
                kept.marked
                or kept.is_changed
                or kept.removed
                or kept.attempts
                or kept.last_number != queue._last_number
                or kept.forgotten_ns <= now_ns
            ):
                gather_queue(queue, kept, now_ns, rows)
        self._gather_broker(rows)
        return Gathered(
            [(statement, chain(*rows[statement])) for statement in sql.IN_ORDER if statement in rows]
        )

    def _gather_deleted(self, rows: Rows) -> None:
        discarded = self._purged
        for row_id in self._deleted_ids:
            first_key, last_key = row_id << sql.NUMBER_BITS, row_id << sql.NUMBER_BITS | sql.LAST_NUMBER
            discarded += [
                (table, first_key, last_key) for table in ("messages", "message_groups", "deduplication")
            ]
        if discarded:
            add(rows, sql.DISCARD, discarded)
        if self._deleted_ids:
            ids = [(row_id,) for row_id in self._deleted_ids]
            add(rows, sql.DELETE_QUEUE, ids)
            add(rows, sql.DELETE_ATTEMPTS, ids)
        self._purged, self._deleted_ids = [], []

    def _gather_broker(self, rows: Rows) -> None:
        """What queues have together; there is little of it, so all of it is written anew."""
        broker = self._broker
        if self._tasks_changed:
            tasks = broker._message_move_tasks().tasks
            add(rows, sql.DELETE_TASKS, [()])
            add(rows, sql.INSERT_TASK, [(n, *attrs.astuple(task)) for n, task in enumerate(tasks, 1)])
        if self._deleted_changed:
            add(rows, sql.DELETE_DELETED, [()])
            add(rows, sql.INSERT_DELETED, list(broker._deleted_queues.items()))
        if self._late_changed:
            add(rows, sql.DELETE_POSTPONED, [()])
            add(rows, sql.INSERT_POSTPONED, postponed([*broker._late_changes()]))
        self._tasks_changed = self._deleted_changed = self._late_changed = False
