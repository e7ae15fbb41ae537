"""FIFO queues: strict order within a message group, groups beside each other."""

import pytest

from queuestream import Broker, QueueLimits
from queuestream.core.errors import InvalidParameterValue, MissingParameter


def bodies(messages):
    return [message.body for message in messages]


def send(queue, *bodies):
    """Send messages whose group is the first letter of their body."""
    for body in bodies:
        queue.send(body, message_group_id=body[0])


def receive(queue, count=10, **arguments):
    return queue.receive(max_number_of_messages=count, **arguments)


def test_a_group_comes_in_the_order_in_which_it_was_sent(fifo):
    send(fifo, "a1", "a2", "a3")
    for body in ("a1", "a2", "a3"):
        [message] = receive(fifo, 1)
        assert message.body == body
        fifo.delete(message)


def test_a_group_is_locked_while_any_of_its_messages_is_in_flight(fifo, clock):
    send(fifo, "a1", "a2", "a3", "b1")
    first, second = receive(fifo, 2)
    assert bodies([first, second]) == ["a1", "a2"]
    assert bodies(receive(fifo)) == ["b1"]
    fifo.delete(first)
    assert receive(fifo) == []
    fifo.delete(second)
    assert bodies(receive(fifo)) == ["a3"]


def test_a_receive_takes_as_many_of_one_group_as_it_can(fifo):
    send(fifo, "a1", "b1", "a2", "b2", "c1")
    assert bodies(receive(fifo, 3)) == ["a1", "a2", "b1"]
    assert bodies(receive(fifo, 3)) == ["c1"]


def test_messages_of_a_group_that_come_back_come_in_their_old_order(fifo, clock):
    send(fifo, "a1", "a2", "a3")
    receive(fifo, 2, visibility_timeout=5)
    clock.advance(seconds=5)
    assert bodies(receive(fifo)) == ["a1", "a2", "a3"]


def test_a_message_that_comes_back_early_waits_for_the_others_of_its_group(fifo, clock):
    send(fifo, "a1", "a2", "a3")
    first, second = receive(fifo, 2)
    fifo.change_visibility(second, 0)
    assert receive(fifo) == []
    fifo.change_visibility(first, 0)
    assert bodies(receive(fifo)) == ["a1", "a2", "a3"]


def test_the_first_of_a_group_may_be_done_while_the_second_comes_back(fifo, clock):
    send(fifo, "a1", "a2", "a3")
    first, second = receive(fifo, 2)
    fifo.change_visibility(second, 0)
    fifo.delete(first)
    [again, third] = receive(fifo)
    assert bodies([again, third]) == ["a2", "a3"]
    assert again.receive_count == 2


def test_what_comes_back_before_a_message_in_flight_can_be_received_again(fifo):
    send(fifo, "a1", "a2", "a3", "b1")
    first, second, third = receive(fifo, 3)
    fifo.change_visibility(third, 0)
    assert bodies(receive(fifo)) == ["b1"]
    fifo.change_visibility(first, 0)
    [again] = receive(fifo)
    assert again.body == "a1"
    fifo.change_visibility(second, 0)
    assert receive(fifo) == []
    fifo.delete(again)
    assert bodies(receive(fifo)) == ["a2", "a3"]


def test_a_receive_without_a_timeout_leaves_the_group_open(fifo):
    send(fifo, "a1", "a2")
    assert bodies(receive(fifo, 1, visibility_timeout=0)) == ["a1"]
    assert bodies(receive(fifo, visibility_timeout=0)) == ["a1", "a2"]
    assert fifo.counts() == (2, 0, 0)


def test_groups_take_turns_in_the_order_in_which_they_became_ready(fifo, clock):
    send(fifo, "a1", "a2", "b1", "c1")
    [a1] = receive(fifo, 1)
    fifo.delete(a1)  # and so the group a stands behind the others again
    assert [bodies(receive(fifo, 1)) for _ in range(4)] == [["b1"], ["c1"], ["a2"], []]


def test_a_busy_group_holds_nobody_up(fifo):
    send(fifo, *(f"a{number}" for number in range(50)), "b1")
    receive(fifo, 1)
    assert bodies(receive(fifo)) == ["b1"]


def test_sequence_numbers_have_twenty_digits_and_grow(fifo):
    sent = [fifo.send(str(number), message_group_id="g").sequence_number for number in range(20)]
    assert all(len(number) == 20 and number.isdigit() for number in sent)
    assert sent == sorted(set(sent))
    assert [message.sequence_number for message in receive(fifo)] == sent[:10]
    assert [message.sequence_number for message in fifo.peek()] == sent


def test_a_message_needs_a_group(fifo):
    with pytest.raises(MissingParameter, match="MessageGroupId"):
        fifo.send("hello")
    assert fifo.peek() == []


def test_a_message_cannot_have_a_delay_of_its_own(broker, fifo):
    with pytest.raises(
        InvalidParameterValue,
        match=r"Value 5 for parameter DelaySeconds is invalid\. .* not valid for this queue type",
    ):
        fifo.send("hello", message_group_id="g", delay_seconds=5)
    # As Amazon SQS: no delay is none of its own, and leaves the queue's as it is.
    delayed = broker.create_queue(
        "delayed.fifo", fifo_queue=True, delay_seconds=3, content_based_deduplication=True
    )
    delayed.send("hello", message_group_id="g", delay_seconds=0)
    assert delayed.counts() == (0, 0, 1)


def test_a_batch_keeps_its_order(fifo):
    fifo.send_batch([{"id": f"id{n}", "message_body": str(n), "message_group_id": "g"} for n in range(10)])
    assert bodies(receive(fifo)) == [str(number) for number in range(10)]


# --- delays -------------------------------------------------------------------------------------------------


@pytest.fixture
def delayed(broker):
    return broker.create_queue("d.fifo", fifo_queue=True, content_based_deduplication=True, delay_seconds=10)


def test_a_queues_delay_delays_its_messages(delayed, clock):
    send(delayed, "a1")
    clock.advance(seconds=10, nanoseconds=-1)
    assert receive(delayed) == []
    clock.advance(nanoseconds=1)
    assert bodies(receive(delayed)) == ["a1"]


def test_a_shorter_delay_shows_messages_that_wait_already(delayed, clock):
    # Developer guide, "Amazon SQS delay queues": retroactive for FIFO queues.
    send(delayed, "a1")
    clock.advance(seconds=4)
    send(delayed, "a2", "b1")
    delayed.set_attributes(delay_seconds=4)
    assert bodies(receive(delayed)) == ["a1"]
    clock.advance(seconds=4)
    assert bodies(receive(delayed)) == ["b1"]


def test_a_longer_delay_hides_messages_that_nobody_has_received(delayed, clock):
    send(delayed, "a1", "a2", "b1", "c1")
    clock.advance(seconds=10)
    [a1] = receive(delayed, 1, visibility_timeout=60)
    [b1] = receive(delayed, 1, visibility_timeout=0)
    assert bodies([a1, b1]) == ["a1", "b1"]
    delayed.set_attributes(delay_seconds=25)
    assert delayed.counts() == (1, 1, 2)
    assert bodies(receive(delayed)) == ["b1"]
    delayed.delete(a1)
    clock.advance(seconds=15)
    assert bodies(receive(delayed)) == ["a2", "c1"]


def test_no_delay_shows_everything(delayed, clock):
    send(delayed, "a1", "b1", "a2")
    delayed.set_attributes(delay_seconds=0)
    assert bodies(receive(delayed)) == ["a1", "a2", "b1"]
    assert delayed.next_event_ns() is not None


def test_a_message_that_was_out_when_the_delay_changed_takes_its_old_place(fifo):
    send(fifo, "a1", "a2", "a3")
    first, second, third = receive(fifo)
    fifo.change_visibility(first, 0)
    fifo.set_attributes(delay_seconds=5)
    fifo.check_invariants()
    assert bodies(receive(fifo, visibility_timeout=0)) == ["a1"]
    fifo.delete(third)
    fifo.change_visibility(second, 0)
    assert bodies(receive(fifo)) == ["a1", "a2"]


def test_a_dead_letter_does_not_overtake_what_was_sent_to_its_group_before(broker, clock):
    dead = broker.create_queue("d.fifo", fifo_queue=True, content_based_deduplication=True, delay_seconds=10)
    queue = broker.create_queue(
        "orders.fifo",
        fifo_queue=True,
        content_based_deduplication=True,
        redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1},
    )
    send(queue, "a-letter")
    receive(queue, visibility_timeout=0)
    clock.advance(seconds=3)
    send(dead, "a1")
    clock.advance(seconds=3)
    assert receive(queue) == []
    assert dead.counts() == (0, 0, 2)
    assert bodies(receive(dead, wait_time_seconds=20, visibility_timeout=0)) == ["a1"]
    clock.advance(seconds=3)
    assert bodies(receive(dead)) == ["a1", "a-letter"]


def test_a_delayed_message_may_expire(broker, clock):
    queue = broker.create_queue(
        "d.fifo",
        fifo_queue=True,
        content_based_deduplication=True,
        delay_seconds=900,
        message_retention_period=60,
    )
    send(queue, "a1")
    clock.advance(seconds=60)
    assert queue.peek() == []
    send(queue, "a2")
    queue.set_attributes(delay_seconds=0)
    assert bodies(receive(queue)) == ["a2"]


# --- what expires -------------------------------------------------------------------------------------------


@pytest.fixture
def brief(broker):
    return broker.create_queue(
        "b.fifo", fifo_queue=True, content_based_deduplication=True, message_retention_period=60
    )


def test_a_group_whose_message_in_flight_expires_is_open_again(brief, clock):
    send(brief, "a1")
    receive(brief, visibility_timeout=600)
    clock.advance(seconds=10)
    send(brief, "a2")
    clock.advance(seconds=50, nanoseconds=-1)
    assert receive(brief) == []
    clock.advance(nanoseconds=1)
    assert bodies(receive(brief)) == ["a2"]


def test_who_waits_for_a_group_gets_it_when_its_message_in_flight_expires(brief, clock):
    send(brief, "a1")
    receive(brief, visibility_timeout=600)
    clock.advance(seconds=50)
    send(brief, "a2")
    start_ns = clock.now_ns()
    assert bodies(receive(brief, wait_time_seconds=20)) == ["a2"]
    assert clock.now_ns() == start_ns + 10_000_000_000


def test_groups_that_expire_unread_leave_nothing_behind(brief, clock):
    for number in range(10):
        brief.send(str(number), message_group_id=f"group-{number}")
    clock.advance(seconds=60)
    assert brief.peek() == []
    brief.send("live", message_group_id="live")
    assert len(brief._ordering._groups) == 1
    assert len(brief._ordering._line) == 1


def test_a_message_that_expires_in_the_middle_of_a_group_is_passed_over(brief, clock):
    send(brief, "a1")
    clock.advance(seconds=30)
    send(brief, "a2")
    clock.advance(seconds=30)
    assert bodies(receive(brief)) == ["a2"]


def test_a_message_that_came_back_and_expires_before_one_in_flight_is_passed_over(brief, clock):
    send(brief, "a1")
    clock.advance(seconds=30)
    send(brief, "a2")
    a1, a2 = receive(brief, visibility_timeout=600)
    brief.change_visibility(a1, 0)
    clock.advance(seconds=30)
    assert brief.counts() == (0, 1, 0)
    assert receive(brief) == []
    brief.check_invariants()
    brief.change_visibility(a2, 0)
    assert bodies(receive(brief)) == ["a2"]


def test_a_message_that_came_back_too_often_goes_to_the_dead_letters_while_a_later_one_is_in_flight(
    broker, fifo
):
    dead = broker.create_queue("dead.fifo", fifo_queue=True)
    fifo.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    send(fifo, "a1", "a2", "a3")
    a1, _ = receive(fifo, 2)
    fifo.change_visibility(a1, 0)
    assert receive(fifo) == [], "a3 waits for a2"
    assert [message.body for message in dead.peek()] == ["a1"]
    fifo.check_invariants()


# --- the look-ahead -----------------------------------------------------------------------------------------


@pytest.fixture
def short_sighted(clock):
    """A queue that looks at its first three messages only."""
    broker = Broker(clock=clock, seed=7, queue_limits=QueueLimits(fifo_look_ahead_max=3))
    return broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)


def test_a_large_backlog_of_one_group_hides_the_groups_behind_it(short_sighted):
    send(short_sighted, "a1", "a2", "a3", "b1")
    [a1] = receive(short_sighted, 1)
    assert receive(short_sighted) == []
    short_sighted.delete(a1)
    short_sighted.check_invariants()
    [a2, a3, b1] = receive(short_sighted)
    assert bodies([a2, a3, b1]) == ["a2", "a3", "b1"]


def test_delayed_messages_count_among_those_that_are_looked_at(clock):
    broker = Broker(clock=clock, seed=7, queue_limits=QueueLimits(fifo_look_ahead_max=2))
    queue = broker.create_queue(
        "d.fifo",
        fifo_queue=True,
        content_based_deduplication=True,
        delay_seconds=5,
        message_retention_period=60,
    )
    send(queue, "a1", "b1", "c1")
    clock.advance(seconds=5)
    queue.check_invariants()
    assert bodies(receive(queue)) == ["a1", "b1"]
    clock.advance(seconds=55)
    queue.check_invariants()
    assert queue.peek() == []


def test_what_expires_beyond_the_look_ahead_is_never_looked_at(clock):
    broker = Broker(clock=clock, seed=7, queue_limits=QueueLimits(fifo_look_ahead_max=1))
    queue = broker.create_queue(
        "d.fifo", fifo_queue=True, content_based_deduplication=True, message_retention_period=60
    )
    send(queue, "a1", "b1", "c1")
    clock.advance(seconds=30)
    send(queue, "d1")
    clock.advance(seconds=30)
    queue.check_invariants()
    assert bodies(receive(queue)) == ["d1"]
