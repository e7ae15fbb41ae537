"""What the database does not have yet of one queue: the part of `queue_rows` that is done queue by queue.

It runs under the broker's lock, and takes from the core only what may change when the lock is let
go: how often a message was received, what an ordering remembers.  The rows are made of it while they
are written, one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.queues.visibility import NEVER
from queuestream.storage import queue_loading
from queuestream.storage import queue_tables as sql
from queuestream.storage.values import value_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from queuestream.core.queues.changes import LateChange
    from queuestream.core.queues.message import Message
    from queuestream.core.queues.message_attributes import MessageAttributes
    from queuestream.core.queues.queue import Queue
    from queuestream.storage.queue_tables import KeptQueue, Row

    Delays = dict[int, tuple[int, int | None]]

Rows = dict[str, list["Iterable[Row]"]]
"""For each statement what it is carried out with."""


def add(rows: Rows, statement: str, more: Iterable[Row]) -> None:
    """Let a statement be carried out with these, too."""
    rows.setdefault(statement, []).append(more)


def gather_queue(queue: Queue, kept: KeptQueue, now_ns: int, rows: Rows) -> None:
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
        add(
            rows,
            sql.PUT_QUEUE,
            _with_json(
                (kept.id, queue.name, ordering),
                (queue._attributes, queue._tags),
                (secret, *instants, *numbers),
            ),
        )
    else:
        add(
            rows,
            sql.UPDATE_QUEUE,
            [(ordering, kept.last_number, kept.purged_number, kept.settled_ns, kept.id)],
        )
    kept.is_written, kept.is_changed = True, False


def _gather_messages(queue: Queue, kept: KeptQueue, rows: Rows) -> None:
    base, last_number, removed = kept.base, kept.last_number, kept.removed
    delays: Delays = {}
    if kept.ordering is not queue._ordering and queue.is_fifo:
        delays = _delays_of(queue)
        add(
            rows,
            sql.DELAY_MESSAGE_ANEW,
            ((*delay, base | number) for number, delay in delays.items() if number <= last_number),
        )
    if removed:
        add(rows, sql.DELETE_MESSAGE, ((base | number,) for number in removed))
    if kept.marked:
        marked = _Marked(queue, kept, delays)
        add(rows, sql.UPDATE_MESSAGE, marked.updated())
        add(rows, sql.INSERT_MESSAGE, marked.inserted())
        add(rows, sql.INSERT_MESSAGE, marked.sent())
    kept.turn += len(kept.marked)
    kept.marked, kept.removed = {}, []


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


class _Marked:
    """The marked messages of one queue as they are now, and the rows that are made of them later."""

    def __init__(self, queue: Queue, kept: KeptQueue, delays: Delays) -> None:
        self._base = kept.base
        self._last_number = kept.last_number
        self._first_turn = kept.turn + 1
        self._marked = kept.marked
        self._delays = delays
        numbered = queue._numbered
        # In columns, because as many tuples would have the garbage collector look at everything there is.
        self._received = [numbered(number) for number, how in self._marked.items() if type(how) is int]
        self._visible_at_ns = [message.visible_at_ns for message in self._received]
        self._receive_counts = [message.receive_count for message in self._received]
        self._received_ns = [message.received_ns for message in self._received]

    def _states(self) -> Iterator[tuple[Message, Row]]:
        """The messages that were received, with what was taken of them."""
        turns = (
            (turn, how)
            for turn, how in enumerate(self._marked.values(), self._first_turn)
            if type(how) is int
        )
        columns = self._visible_at_ns, self._receive_counts, self._received_ns
        for message, (turn, timeout_ns), visible_at_ns, receive_count, received_ns in zip(
            self._received, turns, *columns, strict=True
        ):
            yield message, (turn, visible_at_ns, timeout_ns or None, receive_count, received_ns)

    def updated(self) -> Iterator[Row]:
        """Those that were received, and have a row already."""
        for message, state in self._states():
            if message.number <= self._last_number:
                yield (*state, message.first_received_ns, self._base | message.number)

    def inserted(self) -> Iterator[Row]:
        """Those that were received, and have no row yet."""
        for message, state in self._states():
            if message.number > self._last_number:
                yield (
                    self._base | message.number,
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

    def sent(self) -> Iterator[Row]:
        """Those that were not received yet: what the change says by which they came, but for a new delay."""
        delays = self._delays
        for turn, (number, how) in enumerate(self._marked.items(), self._first_turn):
            if isinstance(how, int):
                continue
            visible_at_ns, hidden_for_ns = how.at_ns + how.delay_ns, how.delay_ns or None
            if delays:
                visible_at_ns, hidden_for_ns = delays[number]
            message = how.message
            yield (
                self._base | number,
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


def _gather_groups(queue: Queue, kept: KeptQueue, rows: Rows) -> None:
    base = kept.base
    if kept.ordering is not queue._ordering:
        if kept.is_written:
            add(rows, sql.FORGET_GROUPS, [(base, base | sql.LAST_NUMBER)])
        kept.ordering = queue._ordering
    memory = queue._ordering.memory()
    if memory:
        add(rows, sql.FORGET_GROUP, ((base | place,) for place, what in memory.items() if what is None))
        add(
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
        add(rows, sql.FORGET_DUPLICATES, [(base | kept.remembered_number, base | oldest - 1)])
        kept.remembered_number = oldest
    remembered = list(deduplication.newer_than(kept.last_number))
    if remembered:
        kept.forgotten_ns = remembered[0][-1]
        add(
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
    add(rows, sql.FORGET_ATTEMPTS, [(kept.id, kept.settled_ns)])
    kept.has_attempts = True
    remembered = [(attempt_id, queue._receive_attempts().seen(attempt_id)) for attempt_id in attempts]
    add(
        rows,
        sql.PUT_ATTEMPT,
        (
            (kept.id, attempt_id, seen[0], value_to_json(seen[1]))
            for attempt_id, seen in remembered
            if seen is not None
        ),
    )


def postponed(changes: list[LateChange]) -> Iterator[Row]:
    """Rows of changes that are still to come."""
    for number, change in enumerate(changes, 1):
        yield number, change.queue, change.at_ns, value_to_json(change)


def _with_json(before: Row, values: Iterable[object], behind: Row) -> Iterator[Row]:
    yield (*before, *map(value_to_json, values), *behind)
