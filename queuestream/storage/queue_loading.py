"""Rows as queues: what `queue_rows` has written becomes a broker's queues again.

A row says a message's last change.  Those that it made visible stand in the order of these changes;
those that it hid stand in their lanes, in the same order, and what has come due since comes due
again.  All of that is the core's business, and so is what an ordering remembers; here are the rows.
"""

from __future__ import annotations

import contextlib
import gc
import json
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from queuestream.core.queues.attributes import QueueAttributes
from queuestream.core.queues.changes import LateChange
from queuestream.core.queues.message import LabelledMessage, Message
from queuestream.core.queues.message_attributes import MessageAttributes
from queuestream.core.queues.move_tasks import MoveTask
from queuestream.core.queues.queue import Queue
from queuestream.core.queues.visibility import NEVER
from queuestream.storage.queue_tables import DELAYED_ANEW, LAST_NUMBER, NUMBER_BITS, KeptQueue
from queuestream.storage.reading import value_from_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from queuestream.core.broker import Broker
    from queuestream.core.queues.ordering import Place

_SAME_ATTRIBUTES_MAX = 1_000

# An id is not used again while there may be rows of the queue that had it.
_LAST_ID = """
select max(id) from (
    select id from queues union all select last_key >> ? from garbage where "of" = 'messages'
)
"""


def load(connection: sqlite3.Connection, broker: Broker) -> tuple[dict[str, KeptQueue], int]:
    """Make a broker's queues.

    Args:
        connection: To the database.
        broker: One without queues.

    Returns:
        What the database has of each queue, by name, and the last id that was given to one.

    Raises:
        sqlite3.Error: The rows cannot be read.
        Unreadable: A row makes no sense.
    """
    kept = {}
    with _no_collection():
        for row in connection.execute("select * from queues order by id").fetchall():
            queue, one = _load_queue(connection, broker, row)
            kept[queue.name] = one
    _load_broker(connection, broker)
    [last_id] = connection.execute(_LAST_ID, (NUMBER_BITS,)).fetchone()
    return kept, last_id or 0


def kind_of(queue: Queue) -> str:
    """What a queue's row says of its ordering: `standard`, `fair` or `fifo`."""
    return queue._ordering.kind


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Nothing that is loaded is garbage, and looking for it again and again costs as much as loading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _load_queue(
    connection: sqlite3.Connection, broker: Broker, row: tuple[Any, ...]
) -> tuple[Queue, KeptQueue]:
    row_id, name, ordering, attributes, tags, secret, created_ns, last_modified_ns, purged_ns, *rest = row
    is_usable, last_number, purged_number, settled_ns = rest
    queue = Queue.__new__(Queue)
    queue._begin(
        broker,
        name,
        value_from_json(QueueAttributes, attributes),
        value_from_json(dict[str, str], tags),
        int(secret, 16),
        created_ns,
    )
    queue.last_modified_ns = last_modified_ns
    queue._last_number = last_number
    if purged_ns is not None:
        queue._purged_ns = purged_ns
    if not is_usable:
        queue._is_usable = False
    broker._apply_queue_created(queue)
    kept = KeptQueue(row_id)
    kept.is_written = True
    kept.last_number = last_number
    kept.purged_number = purged_number
    kept.settled_ns = settled_ns
    _load_messages(connection, queue, kept, is_fair=ordering == "fair")
    if queue.is_fifo:
        _load_deduplication(connection, queue, kept)
        _load_attempts(connection, queue, kept)
    kept.ordering = queue._ordering
    return queue, kept


def _load_messages(connection: sqlite3.Connection, queue: Queue, kept: KeptQueue, *, is_fair: bool) -> None:
    base = kept.base
    messages: list[Message] = []
    # By lane, None being that of no lane at all: the messages, and when they changed.
    places: dict[int | None, tuple[list[Message], list[int]]] = {None: ([], [])}
    arrived, arrived_turns = places[None]
    # Many messages have the same attributes, which nobody changes.
    attributes_of = lru_cache(_SAME_ATTRIBUTES_MAX)(partial(value_from_json, MessageAttributes))
    for (
        key,
        turn,
        visible_at_ns,
        hidden_for_ns,
        receive_count,
        received_ns,
        first_received_ns,
        sent_ns,
        message_id,
        received_before,
        dead_letter_source,
        group_id,
        deduplication_id,
        trace_header,
        attributes,
        body,
    ) in connection.execute(
        "select * from messages where key > ? and key <= ? order by key",
        (base | kept.purged_number, base | kept.last_number),
    ):
        if (
            group_id is None
            and attributes is None
            and trace_header is None
            and dead_letter_source is None
            and not received_before
            and deduplication_id is None
        ):
            message = Message(body)
        else:
            message = LabelledMessage(
                body,
                None if attributes is None else attributes_of(attributes),
                trace_header,
                group_id,
                deduplication_id,
            )
            message.received_before = received_before
            message.dead_letter_source = dead_letter_source
        message.number = key - base
        message.message_id = message_id
        message.sent_ns = sent_ns
        message.visible_at_ns = visible_at_ns
        message.first_received_ns = first_received_ns
        if receive_count:
            message.receive_count = receive_count
            message.received_ns = received_ns
        messages.append(message)
        if hidden_for_ns is None:
            arrived.append(message)
            arrived_turns.append(turn)
        else:
            lane, turns = places.setdefault(hidden_for_ns, ([], []))
            lane.append(message)
            turns.append(turn)
    in_turn = {key: _in_turn(lane, turns) for key, (lane, turns) in places.items()}
    kept.turn = max((max(turns) for _, turns in places.values() if turns), default=0)
    queue._remember(
        messages,
        in_turn.pop(None),
        {NEVER if key == DELAYED_ANEW else key: lane for key, lane in in_turn.items() if key is not None},
        _memory(connection, kept),
        kept.settled_ns,
        is_fair=is_fair,
    )


def _in_turn(messages: list[Message], turns: list[int]) -> list[Message]:
    """Messages by their turns; most are in this order already."""
    if turns == sorted(turns):
        return messages
    return [messages[place] for place in sorted(range(len(turns)), key=turns.__getitem__)]


def _memory(connection: sqlite3.Connection, kept: KeptQueue) -> dict[int, Place]:
    rows = connection.execute(
        "select key, group_id, memory from message_groups where key between ? and ?",
        (kept.base, kept.base | LAST_NUMBER),
    )
    details_of = lru_cache(1)(partial(value_from_json, dict[str, int]))  # a FIFO queue's groups have none
    return {key - kept.base: (group_id, details_of(memory)) for key, group_id, memory in rows}


def _load_deduplication(connection: sqlite3.Connection, queue: Queue, kept: KeptQueue) -> None:
    assert queue._deduplication is not None
    rows = connection.execute(
        "select * from deduplication where key between ? and ? order by key",
        (kept.base, kept.base | kept.last_number),
    )
    for key, deduplication_id, group_id, message_id, until_ns in rows:
        known_as = deduplication_id if group_id is None else (group_id, deduplication_id)
        queue._deduplication.remember(known_as, message_id, key - kept.base, until_ns)
        kept.forgotten_ns = until_ns


def _load_attempts(connection: sqlite3.Connection, queue: Queue, kept: KeptQueue) -> None:
    rows = connection.execute(
        "select attempt_id, until_ns, messages from receive_attempts where queue_id = ? order by until_ns",
        (kept.id,),
    )
    for attempt_id, until_ns, seen in rows:
        kept.has_attempts = True
        pairs = [(handle, visible_at_ns) for handle, visible_at_ns in json.loads(seen)]
        queue._receive_attempts().remember_seen(attempt_id, until_ns, pairs)


def _load_broker(connection: sqlite3.Connection, broker: Broker) -> None:
    """What queues have together: names that are not free yet, move tasks, changes that are still to come."""
    broker._deleted_queues.update(connection.execute("select name, deleted_ns from deleted_queues"))
    tasks = [
        MoveTask(**dict(zip(_TASK, row, strict=True)))
        for row in connection.execute(f"select {', '.join(_TASK)} from move_tasks order by number")  # noqa: S608
    ]
    if tasks:
        broker._message_move_tasks().tasks = tasks
    late = connection.execute("select change from postponed_changes order by number").fetchall()
    for [change] in late:
        broker._late_changes().apply_postponed(value_from_json(LateChange, change))
    for queue in broker.queues.values():
        queue._know_what_to_check()
        queue._watch_the_time()


_TASK = (
    "handle",
    "source_arn",
    "destination_arn",
    "asked_rate",
    "rate",
    "started_ns",
    "to_move",
    "moved",
    "status",
    "failure_reason",
)
