"""Queues as rows: what changed since the last time, marked and gathered.

The handlers are on the way of every call, and only mark: a message by its number, in the order in
which messages last changed places, with the change by which it came until it is received.  So a
message that came and went between two gatherings is never seen, one that changed often is written
once, and what stands in the core already is not copied.

Gathering runs under the broker's lock, and takes from the core only what may change when the lock
is let go: how often a message was received, what an ordering remembers.  The rows are made of it
while they are written.  How they become queues again is in `queue_loading`.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.queues.changes import (
    AttributesTookEffect,
    ChangePostponed,
    DeadLetterArrived,
    LateChange,
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
from queuestream.core.queues.visibility import NEVER
from queuestream.storage import queue_loading
from queuestream.storage import queue_tables as sql
from queuestream.storage.gathered import Gathered
from queuestream.storage.queue_tables import TABLES, KeptQueue
from queuestream.storage.values import value_to_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator

    from queuestream.core.broker import Broker
    from queuestream.core.changes import Change
    from queuestream.core.queues.message import Message
    from queuestream.core.queues.message_attributes import MessageAttributes
    from queuestream.core.queues.queue import Queue
    from queuestream.storage.queue_tables import Row

    Delays = dict[int, tuple[int, int | None]]

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
                _gather_queue(queue, kept, now_ns, rows)
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
            _add(rows, sql.DISCARD, discarded)
        if self._deleted_ids:
            ids = [(row_id,) for row_id in self._deleted_ids]
            _add(rows, sql.DELETE_QUEUE, ids)
            _add(rows, sql.DELETE_ATTEMPTS, ids)
        self._purged, self._deleted_ids = [], []

    def _gather_broker(self, rows: Rows) -> None:
        """What queues have together; there is little of it, so all of it is written anew."""
        broker = self._broker
        if self._tasks_changed:
            tasks = broker._message_move_tasks().tasks
            _add(rows, sql.DELETE_TASKS, [()])
            _add(rows, sql.INSERT_TASK, [(n, *attrs.astuple(task)) for n, task in enumerate(tasks, 1)])
        if self._deleted_changed:
            _add(rows, sql.DELETE_DELETED, [()])
            _add(rows, sql.INSERT_DELETED, list(broker._deleted_queues.items()))
        if self._late_changed:
            _add(rows, sql.DELETE_POSTPONED, [()])
            _add(rows, sql.INSERT_POSTPONED, _postponed([*broker._late_changes()]))
        self._tasks_changed = self._deleted_changed = self._late_changed = False


def _gather_queue(queue: Queue, kept: KeptQueue, now_ns: int, rows: Rows) -> None:
    """Everything of one queue, as of an instant at which nothing is left to be shown."""
    if not queue._ordering.settles_in_parts:
        kept.settled_ns = queue._settle_in_peace(now_ns)
    _gather_messages(queue, kept, rows)
    _gather_groups(queue, kept, rows)
    if queue._deduplication is not None:
        _gather_deduplication(queue, kept, rows)
    if kept.attempts or kept.has_attempts:
        _gather_attempts(queue, kept, rows)
    kept.last_number = queue._last_number
    ordering = queue_loading.kind_of(queue)
    if kept.is_changed:
        instants = queue.created_ns, queue.last_modified_ns, queue._purged_ns
        numbers = queue._is_usable, kept.last_number, kept.purged_number, kept.settled_ns
        secret = f"{queue._receipts.secret:064x}"
        _add(
            rows,
            sql.PUT_QUEUE,
            _with_json(
                (kept.id, queue.name, ordering),
                (queue._attributes, queue._tags),
                (secret, *instants, *numbers),
            ),
        )
    else:
        _add(
            rows,
            sql.UPDATE_QUEUE,
            [(ordering, kept.last_number, kept.purged_number, kept.settled_ns, kept.id)],
        )
    kept.is_written, kept.is_changed = True, False


def _gather_messages(queue: Queue, kept: KeptQueue, rows: Rows) -> None:
    marked, removed, first_turn = kept.marked, kept.removed, kept.turn + 1
    kept.marked, kept.removed = {}, []
    kept.turn += len(marked)
    base, last_number = kept.base, kept.last_number
    if removed:
        _add(rows, sql.DELETE_MESSAGE, ((base | number,) for number in removed))
    delays: Delays = {}
    if kept.ordering is not queue._ordering and queue.is_fifo:
        delays = _delays_of(queue)
        _add(
            rows,
            sql.DELAY_MESSAGE_ANEW,
            ((*delay, base | number) for number, delay in delays.items() if number <= last_number),
        )
    # What may change when the lock is let go; the rest is made into rows when they are written.
    received: list[Received] = []
    for turn, (number, how) in enumerate(marked.items(), first_turn):
        if type(how) is int:
            message = queue._numbered(number)
            received.append(
                (
                    turn,
                    message.visible_at_ns,
                    how or None,
                    message.receive_count,
                    message.received_ns,
                    message,
                )
            )
    if received:
        _add(rows, sql.UPDATE_MESSAGE, _updated(base, last_number, received))
        _add(rows, sql.INSERT_MESSAGE, _inserted(base, last_number, received))
    if len(received) < len(marked):
        _add(rows, sql.INSERT_MESSAGE, _sent(base, first_turn, marked, delays))


def _delays_of(queue: Queue) -> Delays:
    """Until when the messages that were never received are hidden, and in which lane."""
    delays: Delays = {
        message.number: (message.visible_at_ns, None) for message in queue._ages if not message.receive_count
    }
    for key, lane in queue._hidden.lanes():
        hidden_for_ns = key if key < NEVER else sql.DELAYED_ANEW
        for message in lane:
            if not message.receive_count:
                delays[message.number] = message.visible_at_ns, hidden_for_ns
    return delays


def _gather_groups(queue: Queue, kept: KeptQueue, rows: Rows) -> None:
    base = kept.base
    if kept.ordering is not queue._ordering:
        if kept.is_written:
            _add(rows, sql.FORGET_GROUPS, [(base, base | sql.LAST_NUMBER)])
        kept.ordering = queue._ordering
    memory = queue._ordering.memory()
    if memory:
        _add(rows, sql.FORGET_GROUP, ((base | place,) for place, what in memory.items() if what is None))
        _add(
            rows,
            sql.PUT_GROUP,
            (
                (base | place, what[0], value_to_json(what[1]))
                for place, what in memory.items()
                if what is not None
            ),
        )


def _gather_deduplication(queue: Queue, kept: KeptQueue, rows: Rows) -> None:
    deduplication, base = queue._deduplication, kept.base
    assert deduplication is not None
    oldest = deduplication.oldest(kept.settled_ns)
    if oldest is None:
        oldest, kept.forgotten_ns = queue._last_number + 1, NEVER
    if oldest > kept.remembered_number:
        _add(rows, sql.FORGET_DUPLICATES, [(base | kept.remembered_number, base | oldest - 1)])
        kept.remembered_number = oldest
    remembered = list(deduplication.newer_than(kept.last_number))
    if remembered:
        kept.forgotten_ns = remembered[0][-1]
        _add(
            rows,
            sql.PUT_DEDUPLICATION,
            (
                (base | number, key, None, message_id, until_ns)
                if isinstance(key, str)
                else (base | number, key[1], key[0], message_id, until_ns)
                for key, message_id, number, until_ns in reversed(remembered)
            ),
        )


def _gather_attempts(queue: Queue, kept: KeptQueue, rows: Rows) -> None:
    attempts, kept.attempts = kept.attempts, {}
    _add(rows, sql.FORGET_ATTEMPTS, [(kept.id, kept.settled_ns)])
    kept.has_attempts = True
    remembered = [(attempt_id, queue._receive_attempts().seen(attempt_id)) for attempt_id in attempts]
    _add(
        rows,
        sql.PUT_ATTEMPT,
        (
            (kept.id, attempt_id, seen[0], value_to_json(seen[1]))
            for attempt_id, seen in remembered
            if seen is not None
        ),
    )


# --- rows, made while they are written ---

Rows = dict[str, list["Iterable[Row]"]]
"""For each statement what it is carried out with."""

Received = tuple[int, int, int | None, int, int, "Message"]


def _add(rows: Rows, statement: str, more: Iterable[Row]) -> None:
    rows.setdefault(statement, []).append(more)


def _with_json(before: Row, values: Iterable[object], behind: Row) -> Iterator[Row]:
    yield (*before, *map(value_to_json, values), *behind)


def _postponed(changes: list[LateChange]) -> Iterator[Row]:
    for number, change in enumerate(changes, 1):
        yield number, change.queue, change.at_ns, value_to_json(change)


def _updated(base: int, last_number: int, received: list[Received]) -> Iterator[Row]:
    for *state, message in received:
        if message.number <= last_number:
            yield (*state, message.first_received_ns, base | message.number)


def _inserted(base: int, last_number: int, received: list[Received]) -> Iterator[Row]:
    for *state, message in received:
        if message.number > last_number:
            yield (
                base | message.number,
                *state,
                message.first_received_ns,
                message.sent_ns,
                message.message_id,
                message.received_before,
                message.dead_letter_source,
                message.group_id,
                message.deduplication_id,
                message.trace_header,
                _attributes(message.message_attributes),
                message.body,
            )


def _sent(base: int, first_turn: int, marked: dict[int, MessageSent | int], delays: Delays) -> Iterator[Row]:
    for turn, (number, how) in enumerate(marked.items(), first_turn):
        if isinstance(how, int):
            continue
        visible_at_ns, hidden_for_ns = how.at_ns + how.delay_ns, how.delay_ns or None
        if delays:
            visible_at_ns, hidden_for_ns = delays[number]
        message = how.message
        yield (
            base | number,
            turn,
            visible_at_ns,
            hidden_for_ns,
            0,
            None,
            message.first_received_ns,
            message.sent_ns,
            message.message_id,
            message.received_before,
            message.dead_letter_source,
            message.group_id,
            message.deduplication_id,
            message.trace_header,
            _attributes(message.message_attributes),
            message.body,
        )


def _attributes(attributes: MessageAttributes | None) -> str | None:
    return None if attributes is None else value_to_json(attributes)
