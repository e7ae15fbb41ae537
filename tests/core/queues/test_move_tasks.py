"""Message move tasks: dead letters go back where they came from, at a steady rate."""

import base64
import json

import pytest

from queuestream import Broker, QueueLimits
from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    InvalidParameterValue,
    OverLimit,
    ResourceNotFoundException,
    UnsupportedOperation,
)


@pytest.fixture
def dead(broker):
    return broker.create_queue("failed")


def source(broker, dead, name):
    return broker.create_queue(name, redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})


@pytest.fixture
def queue(broker, dead):
    return source(broker, dead, "emails")


def bodies(messages):
    return [message.body for message in messages]


def fail(queue, *bodies):
    """Send messages, and let all of them fail until they are in the dead-letter queue."""
    for body in bodies:
        queue.send(body, **({"message_group_id": body[0]} if queue.is_fifo else {}))
    while queue.receive(max_number_of_messages=10, visibility_timeout=1):
        pass
    queue.broker.clock.advance(seconds=1)
    while queue.receive(max_number_of_messages=10, visibility_timeout=1):
        pass


def latest(dead):
    [task] = dead.list_message_move_tasks()
    return task


def test_dead_letters_go_back_to_the_queue_that_they_failed_in(queue, dead, clock):
    fail(queue, "a", "b")
    dead.start_message_move_task()
    clock.advance(seconds=1)
    assert bodies(queue.peek()) == ["a", "b"]
    assert dead.peek() == []


def test_they_go_back_to_several_queues(broker, queue, dead, clock):
    other = source(broker, dead, "others")
    fail(queue, "a")
    fail(other, "b")
    dead.start_message_move_task()
    clock.advance(seconds=1)
    assert (bodies(queue.peek()), bodies(other.peek())) == (["a"], ["b"])


def test_they_may_go_to_one_queue_of_choice(broker, queue, dead, clock):
    elsewhere = broker.create_queue("elsewhere")
    fail(queue, "a", "b")
    dead.start_message_move_task(elsewhere.arn)
    clock.advance(seconds=1)
    assert bodies(elsewhere.peek()) == ["a", "b"]
    assert queue.peek() == []
    assert latest(dead).destination_arn == elsewhere.arn


def test_a_moved_message_is_a_new_one(queue, dead, clock):
    # Developer guide, "Learn how to configure a dead-letter queue redrive".
    fail(queue, "a")
    [letter] = dead.peek()
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=5)
    [message] = queue.receive()
    assert message.message_id != letter.message_id
    assert message.receive_count == 1
    assert message.sent_ns == clock.now_ns() - 4 * SECOND
    assert message.first_received_ns == clock.now_ns()
    assert message.dead_letter_queue_source_arn is None


def test_messages_move_at_the_rate_that_was_asked_for(queue, dead, clock):
    fail(queue, *"abcde")
    dead.start_message_move_task(max_number_of_messages_per_second=2)
    counts = []
    for _ in range(6):
        counts.append(len(queue.peek()))
        clock.advance(milliseconds=500)
    assert counts == [0, 1, 2, 3, 4, 5]


def test_each_message_moves_at_its_own_instant(queue, dead, clock):
    fail(queue, "a", "b")
    start_ns = clock.now_ns()
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    assert queue.broker.next_event_ns() == start_ns + SECOND
    clock.advance(hours=1)
    assert [message.sent_ns for message in queue.peek()] == [start_ns + SECOND, start_ns + 2 * SECOND]


def test_without_a_rate_five_hundred_messages_move_a_second(queue, dead, clock):
    fail(queue, "a")
    dead.start_message_move_task()
    clock.advance(nanoseconds=SECOND // 500 - 1)
    assert queue.peek() == []
    clock.advance(nanoseconds=1)
    assert bodies(queue.peek()) == ["a"]
    assert latest(dead).max_number_of_messages_per_second is None


def test_who_waits_gets_a_message_at_the_instant_at_which_it_moves(queue, dead, clock):
    fail(queue, "a")
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    start_ns = clock.now_ns()
    assert bodies(queue.receive(wait_time_seconds=20)) == ["a"]
    assert clock.now_ns() == start_ns + SECOND


def test_a_queue_that_is_made_meanwhile_sees_what_moves(broker, queue, dead, clock):
    fail(queue, "a", "b")
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    new = broker.create_queue("new")
    clock.advance(seconds=1)
    assert new.peek() == []
    assert bodies(queue.peek()) == ["a"]


def test_the_queues_delay_counts_for_a_moved_message_as_for_any_new_one(queue, dead, clock):
    fail(queue, "a")
    queue.set_attributes(delay_seconds=10)
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=1)
    assert queue.counts() == (0, 0, 1)
    clock.advance(seconds=10)
    assert queue.counts() == (1, 0, 0)


def test_a_task_tells_how_far_it_is(queue, dead, clock):
    fail(queue, "a", "b", "c")
    started_ms = clock.now_ns() // 1_000_000
    handle = dead.start_message_move_task(max_number_of_messages_per_second=1)
    assert json.loads(base64.b64decode(handle))["sourceArn"] == dead.arn
    clock.advance(seconds=2)
    task = latest(dead)
    assert task.task_handle == handle
    assert task.status == "RUNNING"
    assert task.source_arn == dead.arn
    assert task.destination_arn is None
    assert task.max_number_of_messages_per_second == 1
    assert (task.approximate_number_of_messages_moved, task.approximate_number_of_messages_to_move) == (2, 3)
    assert task.failure_reason is None
    assert task.started_timestamp_ms == started_ms
    clock.advance(seconds=2)
    task = latest(dead)
    assert (task.status, task.task_handle, task.approximate_number_of_messages_moved) == (
        "COMPLETED",
        None,
        3,
    )
    assert queue.broker._next_step_ns() is None


def test_a_task_leaves_messages_in_flight_alone(queue, dead, clock):
    fail(queue, "a", "b")
    dead.receive(visibility_timeout=60)
    dead.start_message_move_task()
    clock.advance(seconds=5)
    assert bodies(queue.peek()) == ["b"]
    assert latest(dead).status == "COMPLETED"
    clock.advance(seconds=60)
    assert bodies(dead.peek()) == ["a"]


def test_a_cancelled_task_moves_no_more(queue, dead, broker, clock):
    fail(queue, "a", "b", "c")
    handle = dead.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=1)
    assert broker.cancel_message_move_task(handle) == 1
    clock.advance(hours=1)
    assert bodies(queue.peek()) == ["a"]
    assert bodies(dead.peek()) == ["b", "c"]
    assert latest(dead).status == "CANCELLED"
    with pytest.raises(UnsupportedOperation, match="Only active tasks can be cancelled"):
        broker.cancel_message_move_task(handle)


def a_handle(source_arn):
    shape = {"taskId": "10f57157-fc38-4da9-a113-4de7e12d05dd", "sourceArn": source_arn}
    return base64.b64encode(json.dumps(shape).encode()).decode()


def test_an_unknown_task_cannot_be_cancelled(broker, queue):
    with pytest.raises(ResourceNotFoundException, match="Task does not exist"):
        broker.cancel_message_move_task(a_handle(queue.arn))


@pytest.mark.parametrize("arn", ["arn:aws:sqs:us-east-1:000000000000:nowhere", "", None, 5, []])
def test_a_task_of_an_unknown_queue_cannot_be_cancelled(broker, arn):
    with pytest.raises(ResourceNotFoundException, match="for the SourceArn parameter doesn't exist"):
        broker.cancel_message_move_task(a_handle(arn))


@pytest.mark.parametrize(
    "handle", ["unknown", "", "bnVsbA==", "W10=", "e30=", "[" * 4_000, None, 5, b"\xff", "é"]
)
def test_what_is_no_handle_cancels_nothing(broker, handle):
    with pytest.raises(InvalidParameterValue, match=r"^Value for parameter TaskHandle is invalid\.$"):
        broker.cancel_message_move_task(handle)


def test_one_task_at_a_time_runs_for_a_source(queue, dead, clock):
    fail(queue, "a")
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    with pytest.raises(InvalidParameterValue, match="already a task running"):
        dead.start_message_move_task()
    clock.advance(seconds=2)
    dead.start_message_move_task()


def test_so_many_tasks_are_active_at_most(clock):
    broker = Broker(clock=clock, queue_limits=QueueLimits(active_move_tasks_max=1))
    dead = [broker.create_queue(name) for name in ("failed-1", "failed-2")]
    for number, queue in enumerate(dead):
        source(broker, queue, f"source-{number}")
    dead[0].start_message_move_task()
    with pytest.raises(OverLimit, match="At most 1"):
        dead[1].start_message_move_task()


def test_the_latest_tasks_are_listed_the_latest_first(queue, dead, clock):
    for rate in range(1, 13):
        dead.start_message_move_task(max_number_of_messages_per_second=rate)
        clock.advance(seconds=1)
    assert [
        task.max_number_of_messages_per_second for task in dead.list_message_move_tasks(max_results=10)
    ] == [*range(12, 2, -1)]
    assert [
        task.max_number_of_messages_per_second for task in dead.list_message_move_tasks(max_results=2)
    ] == [12, 11]
    assert len(dead.list_message_move_tasks()) == 1
    assert queue.list_message_move_tasks() == []


@pytest.mark.parametrize("count", [0, 11, None, "1", True, 1.0])
def test_one_to_ten_tasks_are_listed(dead, count):
    with pytest.raises(InvalidParameterValue, match="MaxResults"):
        dead.list_message_move_tasks(max_results=count)


@pytest.mark.parametrize("rate", [0, 501, -1, "5", 1.0, True])
def test_one_to_five_hundred_messages_move_a_second(queue, dead, rate):
    with pytest.raises(InvalidParameterValue, match="MaxNumberOfMessagesPerSecond"):
        dead.start_message_move_task(max_number_of_messages_per_second=rate)
    dead.start_message_move_task(max_number_of_messages_per_second=500)


def test_only_a_dead_letter_queue_can_be_a_source(broker, queue):
    with pytest.raises(InvalidParameterValue, match="must be configured as a Dead Letter Queue"):
        queue.start_message_move_task()
    for arn in ("arn:aws:sqs:us-east-1:000000000000:unknown", "no arn", None, 5):
        with pytest.raises(ResourceNotFoundException, match="SourceArn"):
            broker.start_message_move_task(arn)
        with pytest.raises(ResourceNotFoundException, match="SourceArn"):
            broker.list_message_move_tasks(arn)


def test_the_destination_must_make_sense(broker, queue, dead):
    other = broker.create_queue("other.fifo", fifo_queue=True)
    with pytest.raises(ResourceNotFoundException, match="DestinationArn"):
        dead.start_message_move_task("arn:aws:sqs:us-east-1:000000000000:unknown")
    with pytest.raises(InvalidParameterValue, match="cannot be the same"):
        dead.start_message_move_task(dead.arn)
    with pytest.raises(InvalidParameterValue, match="same type"):
        dead.start_message_move_task(other.arn)
    assert dead.list_message_move_tasks() == []


def test_a_message_that_never_failed_cannot_go_back(queue, dead, clock):
    dead.send("sent here")
    dead.start_message_move_task()
    clock.advance(seconds=1)
    task = latest(dead)
    assert (task.status, task.failure_reason) == ("FAILED", "CouldNotDetermineMessageSource")
    assert bodies(dead.receive()) == ["sent here"]


def test_a_task_fails_when_the_destination_is_deleted(broker, queue, dead, clock):
    fail(queue, "a", "b")
    elsewhere = broker.create_queue("elsewhere")
    dead.start_message_move_task(elsewhere.arn, max_number_of_messages_per_second=1)
    clock.advance(seconds=1)
    elsewhere.delete_queue()
    clock.advance(seconds=1)
    task = latest(dead)
    assert (task.status, task.failure_reason) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert bodies(dead.receive()) == ["b"]


def test_a_task_fails_when_its_source_is_deleted(broker, queue, dead, clock):
    fail(queue, "a")
    handle = dead.start_message_move_task(max_number_of_messages_per_second=1)
    dead.delete_queue()
    clock.advance(seconds=1)
    assert queue.peek() == []
    with pytest.raises(UnsupportedOperation):
        broker.cancel_message_move_task(handle)


def test_what_expired_before_its_turn_does_not_move(broker, clock):
    dead = broker.create_queue("brief", message_retention_period=60)
    queue = source(broker, dead, "emails")
    fail(queue, "a", "b")
    clock.advance(seconds=57)
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(hours=1)
    assert bodies(queue.peek()) == ["a"]
    assert latest(dead).status == "COMPLETED"


def test_fifo_messages_move_group_by_group_in_turns_each_in_its_order(broker, clock):
    dead = broker.create_queue("failed.fifo", fifo_queue=True)
    queue = broker.create_queue(
        "orders.fifo",
        fifo_queue=True,
        content_based_deduplication=True,
        redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1},
    )
    fail(queue, "a1", "a2", "b1")
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=3)
    assert bodies(queue.peek()) == ["a1", "b1", "a2"]
    assert bodies(queue.receive(max_number_of_messages=2)) == ["a1", "a2"]


def test_a_fifo_task_that_fails_puts_its_message_back_where_it_was(broker, clock):
    dead = broker.create_queue("failed.fifo", fifo_queue=True, content_based_deduplication=True)
    broker.create_queue(
        "orders.fifo", fifo_queue=True, redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    dead.send("a1", message_group_id="a")
    dead.send("a2", message_group_id="a")
    dead.start_message_move_task()
    clock.advance(seconds=1)
    assert latest(dead).status == "FAILED"
    assert bodies(dead.receive(max_number_of_messages=10)) == ["a1", "a2"]


def test_a_moved_message_whose_deduplication_id_is_remembered_still_arrives(broker, clock):
    dead = broker.create_queue("failed.fifo", fifo_queue=True)
    queue = broker.create_queue(
        "orders.fifo", fifo_queue=True, redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send("first", message_group_id="g", message_deduplication_id="once")
    dead.send("second", message_group_id="g", message_deduplication_id="once")
    dead.start_message_move_task(queue.arn)
    clock.advance(seconds=1)
    assert bodies(queue.peek()) == ["first", "second"]
    clock.advance(minutes=5)
    queue.send("third", message_group_id="g", message_deduplication_id="once")
    assert bodies(queue.peek()) == ["first", "second", "third"]


def test_a_move_that_cannot_be_recorded_did_not_happen(broker, queue, dead, clock):
    fail(queue, "a", "b")
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=1)

    def refuse(changes):
        raise OSError("disk full")

    heard = broker.listeners
    broker.listeners = (refuse,)
    with pytest.raises(OSError, match="disk full"):
        queue.peek()
    broker.listeners = heard
    assert bodies(queue.peek()) == ["a"]
    assert bodies(dead.peek()) == ["b"]


def test_a_move_whose_destination_cannot_record_an_expiry_did_not_happen(broker, queue, dead, clock):
    queue.send("too old")
    retention_seconds = queue.attributes.message_retention_period
    dead.set_attributes(message_retention_period=retention_seconds * 2)
    clock.advance(seconds=retention_seconds - 2)
    elsewhere = source(broker, dead, "elsewhere")
    fail(elsewhere, "a", "b")
    dead.start_message_move_task(queue.arn, max_number_of_messages_per_second=1)
    clock.advance(seconds=1)

    def refuse(changes):
        raise OSError("disk full")

    heard = broker.listeners
    broker.listeners = (refuse,)
    with pytest.raises(OSError, match="disk full"):
        dead.peek()
    broker.listeners = heard
    broker.check_invariants()
    assert bodies(queue.peek()) == ["a"]
    assert bodies(dead.peek()) == ["b"]
