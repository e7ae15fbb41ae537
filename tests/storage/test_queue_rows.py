"""Queues as rows, one thing at a time; tests/models/test_queue_rows_model.py tries them all together.

A broker's rows are gathered into a database, and a twin is loaded from it.  Both go on beside each
other on one clock, and give the same answers.
"""

import gc
import sqlite3
import weakref

import pytest

from queuestream import Broker, VirtualClock
from queuestream.core.errors import (
    BrokerClosed,
    InvalidParameterValue,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
)
from queuestream.core.queues.consistency import AT_ONCE, EVENTUAL
from queuestream.core.queues.limits import AWS_LIMITS
from queuestream.storage import schema
from queuestream.storage.gathered import Gathered
from queuestream.storage.queue_rows import QueueRows


class Kept:
    """A broker, its rows, and twins that are loaded from them."""

    def __init__(self, consistency=AT_ONCE, limits=AWS_LIMITS):
        self.clock = VirtualClock()
        self.made_with = {"clock": self.clock, "consistency": consistency, "queue_limits": limits}
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self.connection.close)
        self.connection.executescript(schema.TABLES + QueueRows.TABLES)
        self.broker = Broker(seed=1, **self.made_with)
        self.rows = QueueRows(self.broker)
        self.statements = []
        self.broker.listen(self.hear)

    def hear(self, changes):
        for change in changes:
            self.rows.handlers[type(change)](change)

    def gather(self):
        now_ns = self.clock.now_ns()
        gathered = self.rows.gather(now_ns)
        self.statements = [(statement, list(rows)) for statement, rows in gathered.statements]
        written = Gathered(self.statements)
        schema.write(self.connection, [written], folded_epoch=0, saved_ns=now_ns)

    def twin(self, **otherwise):
        self.gather()
        broker = Broker(seed=2, **self.made_with | otherwise)
        QueueRows(broker).load(self.connection)
        broker.check_invariants()
        return broker

    def select(self, question):
        return self.connection.execute(question).fetchall()

    def written(self, table):
        """How many rows of a table the last gathering put in or changed."""
        return sum(len(rows) for statement, rows in self.statements if table in statement)


@pytest.fixture
def kept():
    return Kept()


def bodies(queue, count=10, **arguments):
    return [message.body for message in queue.receive(max_number_of_messages=count, **arguments)]


def drained(queue):
    """The bodies of all messages that can be received now, in the order in which they come."""
    return list(iter(lambda: bodies(queue, visibility_timeout=43_200), []))


def send(queue, *messages):
    """Messages to a FIFO queue, such as "a1": of group a, the first."""
    for message in messages:
        queue.send(message, message_group_id=message[0], message_deduplication_id=message)


def test_a_message_is_loaded_with_all_that_it_had(kept):
    queue = kept.broker.create_queue("mails", tags={"team": "blue"}, visibility_timeout=7)
    queue.send(
        "grüße",
        message_attributes={"n": 1, "kind": "x", "data": b"\0\xff"},
        message_system_attributes={"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"},
    )
    queue.send("later", delay_seconds=60)
    [received] = queue.receive()

    twin = kept.twin().queue("mails")
    assert twin.peek() == queue.peek()
    assert (twin.attributes, twin.tags, twin.created_ns) == (queue.attributes, queue.tags, queue.created_ns)
    kept.clock.advance(seconds=7)
    [again] = twin.receive()
    assert again == queue.receive()[0]
    assert again.receive_count == 2
    assert again.aws_trace_header == "Root=1-5759e988-bd862e3fe1be46a994272793"
    twin.delete(received.receipt_handle)
    assert [message.body for message in twin.peek()] == ["later"]


def test_dead_letters_keep_their_age(kept):
    broker = kept.broker
    dead = broker.create_queue("dead", message_retention_period=100)
    queue = broker.create_queue(
        "mails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send("old")
    kept.clock.advance(seconds=50)
    dead.send("young")
    for _ in range(2):
        queue.receive(visibility_timeout=0)
    twin = kept.twin().queue("dead")
    assert twin.peek() == dead.peek()
    kept.clock.advance(seconds=50)
    assert [message.body for message in twin.peek()] == ["young"]


def test_a_standard_queue_goes_on_in_its_order(kept):
    queue = kept.broker.create_queue("mails")
    for number in range(6):
        queue.send(f"sent {number}", delay_seconds=3 if number == 4 else 0)
    kept.gather()
    held = queue.receive(max_number_of_messages=3, visibility_timeout=3)
    queue.change_visibility(held[2], 0)
    queue.change_visibility(held[0], 3)
    queue.send("sent last")
    twin = kept.twin().queue("mails")
    kept.clock.advance(seconds=3)
    assert drained(twin) == drained(queue)
    assert queue.counts().in_flight == 7


def test_the_garbage_collector_is_left_as_it_was(kept):
    kept.broker.create_queue("mails")
    kept.twin()
    assert gc.isenabled()
    gc.disable()
    try:
        kept.twin()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_came_and_went_never_becomes_a_row(kept):
    queue = kept.broker.create_queue("mails")
    queue.send("hello")
    queue.delete(queue.receive()[0])
    kept.gather()
    assert kept.select("select count(*) from messages") == [(0,)]
    twin = kept.twin().queue("mails")
    assert twin._last_number == 1, "its number is not given again"


def test_what_is_there_already_is_not_written_again(kept):
    queue = kept.broker.create_queue("mails")
    queue.send_batch(["one", "two", "three"])
    kept.gather()
    assert kept.written("insert into messages") == 3
    first, second = queue.receive(max_number_of_messages=2)
    queue.delete(first)
    kept.gather()
    assert kept.written("insert into messages") == 0
    assert kept.written("update messages") == 1
    assert kept.written("delete from messages") == 1
    kept.gather()
    assert kept.statements == []
    assert [message.body for message in kept.twin().queue("mails").peek()] == ["two", "three"]
    assert second.body == "two"


def test_a_purge_leaves_its_rows_to_be_removed_later(kept):
    queue = kept.broker.create_queue("mails")
    queue.send_batch(["one", "two"])
    kept.gather()
    queue.send("three")
    queue.purge()
    queue.send("four")
    kept.gather()
    assert kept.written("from messages") == 0
    [(table, first_key, last_key)] = kept.select("select * from garbage")
    assert table == "messages"
    keys = [key for (key,) in kept.select("select key from messages order by key")]
    assert [first_key <= key <= last_key for key in keys] == [True, True, False]
    assert kept.select("select body from queue_messages") == [("four",)]
    twin = kept.twin().queue("mails")
    assert [message.body for message in twin.peek()] == ["four"]
    with pytest.raises(PurgeQueueInProgress):
        twin.purge()


def test_a_purge_that_takes_a_while_spares_what_is_sent_meanwhile():
    kept = Kept(EVENTUAL)
    queue = kept.broker.create_queue("mails")
    kept.clock.advance(seconds=1)
    queue.send("before")
    queue.purge()
    queue.send("after")
    assert kept.twin().queue("mails").peek() == queue.peek()
    kept.clock.advance(seconds=60)
    assert [message.body for message in queue.peek()] == ["after"]
    assert kept.twin().queue("mails").peek() == queue.peek()


def test_a_deleted_queue_leaves_its_rows_to_be_removed_later_and_its_keys_unused(kept):
    kept.broker.create_queue("mails").send("hello")
    kept.gather()
    kept.broker.delete_queue("mails")
    twin = kept.twin()
    assert twin.list_queues() == []
    assert {table for table, _, _ in kept.select("select * from garbage")} == {
        "messages",
        "message_groups",
        "deduplication",
    }
    kept.clock.advance(seconds=60)
    kept.broker.create_queue("mails")
    rows = QueueRows(twin)
    rows.load(kept.connection)
    twin.listen(lambda changes: [rows.handlers[type(change)](change) for change in changes])
    twin.create_queue("mails")
    [(row_id,)] = kept.select("select last_key >> 40 from garbage limit 1")
    schema.write(kept.connection, [rows.gather(kept.clock.now_ns())], folded_epoch=0, saved_ns=0)
    assert kept.select("select id > ? from queues".replace("?", str(row_id))) == [(1,)]


def test_a_name_that_is_not_free_yet_stays_so(kept):
    kept.broker.create_queue("mails")
    kept.broker.delete_queue("mails")
    twin = kept.twin()
    for broker in (kept.broker, twin):
        with pytest.raises(QueueDeletedRecently):
            broker.create_queue("mails")


# --- FIFO queues ---


def test_the_groups_of_a_fifo_queue_stand_in_the_same_line(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "a1", "b1", "c1", "a2", "b2", "c2")
    first, second = queue.receive(), queue.receive()
    kept.gather()
    queue.delete(second[0])
    queue.change_visibility(first[0], 0)
    twin = kept.twin().queue("orders.fifo")
    order = ["c1", "b2", "a1"]
    for one in (queue, twin):
        assert [body for _ in order for body in bodies(one, 1)] == order


@pytest.mark.parametrize("delay_seconds", [0, 1])
def test_what_came_back_between_two_that_are_in_flight_can_be_received_again(kept, delay_seconds):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "a1", "a2", "a3", "a4")
    first, second, _ = queue.receive(max_number_of_messages=3)
    queue.change_visibility(second, 0)
    queue.set_attributes(delay_seconds=delay_seconds)
    twin = kept.twin().queue("orders.fifo")
    for one in (queue, twin):
        assert bodies(one) == []
        one.delete(first.receipt_handle)
        assert bodies(one) == ["a2"]


def test_of_a_line_only_what_is_new_is_written(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "a1", "b1", "c1")
    kept.gather()
    assert kept.written("into message_groups") == 3
    send(queue, "d1", "a2")
    queue.receive()
    kept.gather()
    assert kept.written("into message_groups") == 1
    assert kept.written("from message_groups where key = ?") == 1
    assert kept.select("select group_id from message_groups order by key") == [("b",), ("c",), ("d",)]


def test_a_line_is_kept_where_the_queue_looks_at_more_or_fewer_messages():
    kept = Kept(limits=AWS_LIMITS._replace(fifo_look_ahead_max=3))
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "a1", "b1", "c1", "d1", "e1")
    assert bodies(queue, 1, visibility_timeout=0) == ["a1"]
    for look_ahead, order in (
        (3, ["b1", "c1", "a1"]),
        (5, ["b1", "c1", "a1", "d1", "e1"]),
        (2, ["b1", "a1"]),
    ):
        limits = AWS_LIMITS._replace(fifo_look_ahead_max=look_ahead)
        assert bodies(kept.twin(queue_limits=limits).queue("orders.fifo")) == order


def test_a_group_whose_messages_expire_leaves_the_line(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True, message_retention_period=60)
    send(queue, "a1")
    kept.gather()
    kept.clock.advance(seconds=60)
    assert queue.peek() == []
    kept.gather()
    assert kept.select("select * from message_groups") == []


def test_a_receive_that_a_listener_refused_has_left_the_line_as_it_was(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "a1", "b1")
    assert bodies(queue, 1, visibility_timeout=0) == ["a1"]
    kept.gather()

    def refuse(changes):
        raise OSError

    listeners, kept.broker.listeners = kept.broker.listeners, (refuse,)
    with pytest.raises(OSError):
        queue.receive(max_number_of_messages=2)
    kept.broker.listeners = listeners
    send(queue, "c1")
    assert bodies(kept.twin().queue("orders.fifo"), 3) == ["b1", "a1", "c1"]


def test_what_expires_first_is_not_overtaken_by_what_comes_due_later(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True, message_retention_period=60)
    send(queue, "a1")
    queue.receive(visibility_timeout=300)
    kept.clock.advance(seconds=20)
    send(queue, "a2", "b1")
    queue.receive(visibility_timeout=45)
    kept.clock.advance(seconds=50)
    # By now a1 has expired and then b1 has come back, but nobody has looked.
    twin = kept.twin().queue("orders.fifo")
    assert [bodies(queue, 1), bodies(queue, 1)] == [["a2"], ["b1"]]
    assert [bodies(twin, 1), bodies(twin, 1)] == [["a2"], ["b1"]]


def test_a_shorter_retention_period_does_not_undo_what_came_due(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "old")
    kept.clock.advance(seconds=100)
    send(queue, "a1", "b1")
    queue.receive(max_number_of_messages=2, visibility_timeout=300)
    queue.receive(visibility_timeout=5)
    kept.clock.advance(seconds=5)
    queue.peek()
    send(queue, "c1")
    queue.set_attributes(message_retention_period=90)
    twin = kept.twin().queue("orders.fifo")
    assert [bodies(queue, 1), bodies(queue, 1)] == [["b1"], ["c1"]]
    assert [bodies(twin, 1), bodies(twin, 1)] == [["b1"], ["c1"]]


def test_a_delay_that_was_changed_is_kept_with_the_order_that_it_gives(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True, delay_seconds=0)
    send(queue, "a1")
    queue.receive(visibility_timeout=30)
    kept.clock.advance(seconds=20)
    send(queue, "b1")
    kept.gather()
    queue.set_attributes(delay_seconds=60)
    queue.set_attributes(delay_seconds=10)
    twin = kept.twin().queue("orders.fifo")
    assert twin.peek() == queue.peek()
    kept.clock.advance(seconds=10)
    # Both come due now: whose delay was changed comes first, however long the other was hidden.
    assert [bodies(queue, 1), bodies(queue, 1)] == [["b1"], ["a1"]]
    assert [bodies(twin, 1), bodies(twin, 1)] == [["b1"], ["a1"]]


def test_duplicates_are_known_for_as_long_as_before_and_then_their_rows_go(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    original = queue.send("hello", message_group_id="a", message_deduplication_id="once")
    queue.set_attributes(deduplication_scope="messageGroup")
    queue.delete(queue.receive()[0])
    kept.gather()
    kept.clock.advance(seconds=100)
    other = queue.send("hello", message_group_id="a", message_deduplication_id="once")
    assert other.message_id != original.message_id
    twin = kept.twin().queue("orders.fifo")
    again = twin.send("hello", message_group_id="a", message_deduplication_id="once")
    assert again.message_id == other.message_id
    assert kept.select("select group_id, deduplication_id from deduplication order by key") == [
        (None, "once"),
        ("a", "once"),
    ]
    kept.clock.advance(seconds=200)
    queue.send("more", message_group_id="a", message_deduplication_id="another")
    kept.gather()
    assert kept.select("select count(*) from deduplication") == [(2,)]
    kept.clock.advance(seconds=300)
    kept.gather()
    assert kept.select("select count(*) from deduplication") == [(0,)]


def test_a_receive_can_be_repeated(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "a1", "b1")
    received = queue.receive(receive_request_attempt_id="try")
    twin = kept.twin().queue("orders.fifo")
    assert twin.receive(receive_request_attempt_id="try") == received
    kept.clock.advance(seconds=300)
    send(queue, "c1")
    kept.gather()
    assert kept.select("select * from receive_attempts") == []


# --- fair queues ---


def test_a_tenant_that_is_noisy_stays_so_until_it_is_silent():
    kept = Kept(limits=AWS_LIMITS._replace(fair_noisy_in_flight_min=2))
    queue = kept.broker.create_queue("tasks")
    for number in range(8):
        queue.send(f"loud {number}", message_group_id="loud")
    queue.receive(max_number_of_messages=3, visibility_timeout=43_200)
    queue.send("quiet", message_group_id="quiet")
    assert bodies(queue, 1, visibility_timeout=43_200) == ["quiet"]
    [loud] = queue.receive(visibility_timeout=43_200)
    queue.send("quiet again", message_group_id="quiet")
    twin = kept.twin().queue("tasks")
    assert repr(twin._ordering._tenants) == repr(queue._ordering._tenants)
    assert twin._ordering._tenants["loud"].is_noisy
    assert twin._ordering._tenants["loud"].last_sent_ns == queue._ordering._tenants["loud"].last_sent_ns
    kept.clock.advance(seconds=300)
    for one in (queue, twin):
        assert bodies(one, 1) == [f"loud {int(loud.body[-1]) + 1}"], "it is not noisy any more"


def test_a_tenant_that_is_forgotten_has_no_row(kept):
    queue = kept.broker.create_queue("tasks")
    queue.send("one", message_group_id="a")
    queue.send("two", message_group_id="b")
    kept.gather()
    assert kept.select("select group_id from message_groups order by key") == [(None,), ("a",), ("b",)]
    queue.delete(queue.receive()[0])
    kept.gather()
    assert kept.written("into message_groups") == 2, "of the one tenant, and of all together"
    kept.clock.advance(seconds=600)
    queue.send("three", message_group_id="b")
    queue.receive()
    kept.gather()
    assert kept.select("select group_id from message_groups order by key") == [(None,), ("b",)]
    kept.clock.advance(seconds=30)
    queue.delete_batch(queue.receive(max_number_of_messages=10))
    kept.clock.advance(seconds=600)
    assert queue.receive() == [], "and by now b has been forgotten, too"
    queue.send("four", message_group_id="c")
    kept.gather()
    assert kept.select("select group_id from message_groups order by key") == [(None,), ("c",)]


def test_a_queue_that_becomes_fair_keeps_its_order(kept):
    queue = kept.broker.create_queue("tasks")
    queue.send("first", delay_seconds=1)
    queue.send("second")
    kept.clock.advance(seconds=1)
    queue.send("third")
    kept.gather()
    queue.send("fourth", message_group_id="a")
    twin = kept.twin().queue("tasks")
    assert kept.select("select ordering from queues") == [("fair",)]
    assert drained(twin) == drained(queue)


# --- what queues have together ---


def test_a_move_task_goes_on_where_it_was(kept):
    broker = kept.broker
    dead = broker.create_queue("dead")
    queue = broker.create_queue(
        "mails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send_batch(["one", "two", "three"])
    for _ in range(2):
        queue.receive(max_number_of_messages=10, visibility_timeout=0)
    handle = dead.start_message_move_task(max_number_of_messages_per_second=1)
    kept.gather()
    kept.clock.advance(seconds=1)
    assert dead.counts().visible == 2
    twin = kept.twin()
    assert twin.list_message_move_tasks(dead.arn) == broker.list_message_move_tasks(dead.arn)
    kept.clock.advance(seconds=1)
    for one in (broker, twin):
        assert one.queue("dead").counts().visible == 1
        assert one.cancel_message_move_task(handle) == 2
    assert kept.twin().list_message_move_tasks(dead.arn)[0].status == "CANCELLED"


def test_dead_letters_and_moved_ones_wait_out_a_fifo_queues_delay(kept):
    broker = kept.broker
    dead = broker.create_queue("dead.fifo", fifo_queue=True, delay_seconds=5)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    queue = broker.create_queue("mails.fifo", fifo_queue=True, redrive_policy=policy)
    send(queue, "a1", "b1")
    kept.gather()
    for _ in range(2):
        queue.receive(max_number_of_messages=10, visibility_timeout=0)
    twin = kept.twin()
    assert twin.queue("dead.fifo").peek() == dead.peek()
    assert dead.counts().delayed == 2
    queue.set_attributes(delay_seconds=7)
    kept.gather()
    kept.clock.advance(seconds=5)
    dead.start_message_move_task()
    kept.clock.advance(seconds=1)
    assert queue.counts().delayed == 2
    assert kept.twin().queue("mails.fifo").peek() == queue.peek()


def test_what_is_to_change_later_changes_then():
    kept = Kept(EVENTUAL)
    queue = kept.broker.create_queue("mails")
    assert kept.twin().queues["mails"]._is_usable is False
    kept.clock.advance(seconds=1)
    queue.set_attributes(visibility_timeout=5, message_retention_period=60)
    kept.broker.delete_queue("mails")
    twin = kept.twin()
    assert [*twin._late] == [*kept.broker._late]
    kept.clock.advance(seconds=59)
    assert twin.queue("mails").attributes.visibility_timeout == 30
    kept.clock.advance(seconds=1)
    with pytest.raises(QueueDoesNotExist):
        twin.queue("mails")


def test_what_is_checked_before_the_time_is_looked_at_is_what_holds_by_then():
    kept = Kept(EVENTUAL)
    kept.broker.create_queue("mails")
    kept.clock.advance(seconds=1)
    kept.broker.queue("mails").set_attributes(maximum_message_size=1_024)
    twin = kept.twin().queue("mails")
    twin.send("x" * 2_000)
    kept.clock.advance(seconds=60)
    with pytest.raises(InvalidParameterValue, match="shorter than 1024"):
        twin.send("x" * 2_000)


@pytest.mark.parametrize("again", [0, 1])
def test_a_message_that_a_batch_names_twice_keeps_what_the_first_did(kept, again):
    queue = kept.broker.create_queue("mails")
    queue.send_batch(["one", "two"])
    one, two = queue.receive(max_number_of_messages=2)
    queue.change_visibility_batch([(two, 0), (one, 0), ((one, two)[again], 30)])
    twin = kept.twin().queue("mails")
    assert twin.peek() == queue.peek()
    assert drained(twin) == drained(queue) == [["two", "one"]]


def test_a_queue_of_a_closed_broker_can_still_be_gathered(kept):
    queue = kept.broker.create_queue("orders.fifo", fifo_queue=True)
    send(queue, "a1")
    kept.broker.close()
    kept.gather()
    with pytest.raises(BrokerClosed):
        queue.peek()
    assert kept.select("select body from queue_messages") == [("a1",)]


# --- for people ---


def test_a_person_reads_states_and_times(kept):
    queue = kept.broker.create_queue("mails")
    queue.send("seen")
    queue.send("later", delay_seconds=900)
    queue.send("waits")
    queue.receive(visibility_timeout=60)
    kept.gather()
    assert kept.select("select queue, number, state, visible_at, body from queue_messages") == [
        ("mails", 1, "in flight", "2025-01-01T00:01:00.000Z", "seen"),
        ("mails", 2, "delayed", "2025-01-01T00:15:00.000Z", "later"),
        ("mails", 3, "visible", "2025-01-01T00:00:00.000Z", "waits"),
    ]
