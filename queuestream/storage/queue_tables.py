"""The tables of queues: what their rows say, and the SQL that writes them.

A row of a queue says how it is set; a row of a message what it is, and its *last change*: when
that made or makes it visible, and whether it hid it before.  What time alone has changed since is
not written, because it follows.  Whose turn comes next follows as well, from `turn`, which numbers
the changes, but for what the orderings of FIFO and fair queues remember of message groups.

Keys of messages, deduplication and message groups are the queue's id, shifted, and a number within
the queue: so a queue's rows lie together, and those of a deleted or purged one are a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from queuestream.core.queues.visibility import NEVER

if TYPE_CHECKING:
    from queuestream.core.queues.changes import MessageSent
    from queuestream.core.queues.ordering import Ordering

Row = Sequence[object]

NUMBER_BITS = 40
LAST_NUMBER = (1 << NUMBER_BITS) - 1

DELAYED_ANEW = -1
"""Hidden for no duration of its own: a FIFO queue's delay was changed, and its messages' with it."""

TABLES = """
create table queues (
    id integer primary key,
    name text not null unique,
    ordering text not null,
    attributes text not null,
    tags text not null,
    secret text not null,
    created_ns integer not null,
    last_modified_ns integer not null,
    purged_ns integer,
    is_usable integer not null,
    last_number integer not null,
    purged_number integer not null,
    settled_ns integer not null
);
create table messages (
    key integer primary key,
    turn integer not null,
    visible_at_ns integer not null,
    hidden_for_ns integer,
    receive_count integer not null,
    received_ns integer,
    first_received_ns integer,
    sent_ns integer not null,
    message_id text not null,
    received_before integer not null,
    dead_letter_source text,
    group_id text,
    deduplication_id text,
    trace_header text,
    attributes text,
    body text not null
);
create table message_groups (
    key integer primary key,
    group_id text,
    memory text not null
);
create table deduplication (
    key integer primary key,
    deduplication_id text not null,
    group_id text,
    message_id text not null,
    until_ns integer not null
);
create table receive_attempts (
    queue_id integer not null,
    attempt_id text not null,
    until_ns integer not null,
    messages text not null,
    primary key (queue_id, attempt_id)
) without rowid;
create table move_tasks (
    number integer primary key,
    handle text not null,
    source_arn text not null,
    destination_arn text,
    asked_rate integer,
    rate integer not null,
    started_ns integer not null,
    to_move integer not null,
    moved integer not null,
    status text not null,
    failure_reason text
);
create table deleted_queues (
    name text primary key,
    deleted_ns integer not null
) without rowid;
create table postponed_changes (
    number integer primary key,
    queue text not null,
    at_ns integer not null,
    change text not null
);
create view queue_messages as
    select
        queues.name as queue,
        messages.key & 1099511627775 as number,
        case
            when hidden_for_ns is null or visible_at_ns <= (
                select cast(value as integer) from meta where name = 'saved_ns'
            ) then 'visible'
            when receive_count then 'in flight'
            else 'delayed'
        end as state,
        strftime('%Y-%m-%dT%H:%M:%S', visible_at_ns / 1000000000, 'unixepoch')
            || printf('.%03dZ', visible_at_ns / 1000000 % 1000) as visible_at,
        strftime('%Y-%m-%dT%H:%M:%S', sent_ns / 1000000000, 'unixepoch')
            || printf('.%03dZ', sent_ns / 1000000 % 1000) as sent_at,
        receive_count + received_before as receive_count,
        message_id,
        group_id,
        messages.attributes,
        body
    from queues
    cross join messages on messages.key > (queues.id << 40 | queues.purged_number)
        and messages.key <= (queues.id << 40 | queues.last_number);
"""

DISCARD = 'insert into garbage ("of", first_key, last_key) values (?, ?, ?)'
DELETE_QUEUE = "delete from queues where id = ?"
DELETE_ATTEMPTS = "delete from receive_attempts where queue_id = ?"
PUT_QUEUE = """
insert into queues values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set
    ordering = excluded.ordering, attributes = excluded.attributes, tags = excluded.tags,
    last_modified_ns = excluded.last_modified_ns, purged_ns = excluded.purged_ns,
    is_usable = excluded.is_usable, last_number = excluded.last_number,
    purged_number = excluded.purged_number, settled_ns = excluded.settled_ns
"""
UPDATE_QUEUE = (
    "update queues set ordering = ?, last_number = ?, purged_number = ?, settled_ns = ? where id = ?"
)
DELETE_MESSAGE = "delete from messages where key = ?"
INSERT_MESSAGE = "insert into messages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
DELAY_MESSAGE_ANEW = "update messages set visible_at_ns = ?, hidden_for_ns = ? where key = ?"
UPDATE_MESSAGE = (
    "update messages set turn = ?, visible_at_ns = ?, hidden_for_ns = ?, receive_count = ?, received_ns = ?, "
    "first_received_ns = ? where key = ?"
)
FORGET_GROUPS = "delete from message_groups where key between ? and ?"
FORGET_GROUP = "delete from message_groups where key = ?"
PUT_GROUP = "insert or replace into message_groups values (?, ?, ?)"
FORGET_DUPLICATES = "delete from deduplication where key between ? and ?"
PUT_DEDUPLICATION = "insert or replace into deduplication values (?, ?, ?, ?, ?)"
FORGET_ATTEMPTS = "delete from receive_attempts where queue_id = ? and until_ns <= ?"
PUT_ATTEMPT = "insert or replace into receive_attempts values (?, ?, ?, ?)"
DELETE_TASKS = "delete from move_tasks"
INSERT_TASK = "insert into move_tasks values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
DELETE_DELETED = "delete from deleted_queues"
INSERT_DELETED = "insert into deleted_queues values (?, ?)"
DELETE_POSTPONED = "delete from postponed_changes"
INSERT_POSTPONED = "insert into postponed_changes values (?, ?, ?, ?)"

IN_ORDER = (
    DISCARD,
    DELETE_QUEUE,
    DELETE_ATTEMPTS,
    PUT_QUEUE,
    UPDATE_QUEUE,
    DELETE_MESSAGE,
    DELAY_MESSAGE_ANEW,
    INSERT_MESSAGE,
    UPDATE_MESSAGE,
    FORGET_GROUPS,
    FORGET_GROUP,
    PUT_GROUP,
    FORGET_DUPLICATES,
    PUT_DEDUPLICATION,
    FORGET_ATTEMPTS,
    PUT_ATTEMPT,
    DELETE_TASKS,
    INSERT_TASK,
    DELETE_DELETED,
    INSERT_DELETED,
    DELETE_POSTPONED,
    INSERT_POSTPONED,
)
"""The order in which they are carried out: what goes first makes room for what comes."""


class KeptQueue:
    """What the database has of one queue, and what was marked since.

    Attributes:
        id: The queue's row, and the upper part of its keys.
        is_written: Whether there is a row.
        is_changed: Whether its settings are others than the row says.
        marked: The messages that came or changed, by number, in the order of their last changes: the change
            by which one came, or for how long it was hidden after a receive; 0 where it is visible.
        removed: Messages that have rows and are gone, by number.
        attempts: Receives that may be repeated.
        last_number: Messages up to this number have a row, or are gone.
        purged_number: Messages up to this number are gone, whatever the rows say.
        turn: How many changes of messages were numbered.
        ordering: Whose memory the rows have.
        settled_ns: As of which instant.
        remembered_number: Nothing before this number is remembered against duplicates.
        forgotten_ns: When nothing is remembered any more.
        has_attempts: Whether there may be rows of receive attempts.
    """

    __slots__ = (
        "attempts",
        "base",
        "forgotten_ns",
        "has_attempts",
        "id",
        "is_changed",
        "is_written",
        "last_number",
        "marked",
        "ordering",
        "purged_number",
        "remembered_number",
        "removed",
        "settled_ns",
        "turn",
    )

    def __init__(self, row_id: int) -> None:
        self.id = row_id
        self.base = row_id << NUMBER_BITS
        self.is_written = False
        self.is_changed = False
        self.marked: dict[int, MessageSent | int] = {}
        self.removed: list[int] = []
        self.attempts: dict[str, None] = {}
        self.last_number = 0
        self.purged_number = 0
        self.turn = 0
        self.ordering: Ordering | None = None
        self.settled_ns = 0
        self.remembered_number = 0
        self.forgotten_ns = NEVER
        self.has_attempts = False
