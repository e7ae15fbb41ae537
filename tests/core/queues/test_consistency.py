"""What takes a while at AWS takes that while here, where a broker is told so; and no time at all otherwise.

Each rule is shown one nanosecond before its time and at it.
"""

import json

import pytest

from queuestream import EVENTUAL, Broker, Consistency, VirtualClock
from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    InvalidAttributeValue,
    InvalidParameterValue,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
)

ACCOUNT = "123456789012"


@pytest.fixture(params=["alone", "heard"])
def broker(clock, request, rebuilt):
    """A broker on which everything takes as long as AWS says that it may."""
    broker = Broker(clock=clock, seed=7, consistency=EVENTUAL)
    with rebuilt(broker, heard=request.param == "heard"):
        yield broker


@pytest.fixture
def queue(broker, clock):
    queue = broker.create_queue("emails")
    clock.advance(seconds=1)
    return queue


@pytest.fixture
def fifo(broker, clock):
    queue = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    clock.advance(seconds=1)
    return queue


def bodies(messages):
    return [message.body for message in messages]


def just_before(clock, seconds):
    clock.advance(seconds=seconds, nanoseconds=-1)


def at_last(clock):
    clock.advance(nanoseconds=1)


# --- the setting ---------------------------------------------------------------------------------------


def test_nothing_takes_any_time_where_nothing_is_said(clock):
    broker = Broker(clock=clock)
    assert broker.consistency == Consistency() == (0, 0, 0, 0, 0, 0)
    queue = broker.create_queue("emails")
    queue.set_attributes(visibility_timeout=5)
    queue.send("hello")
    assert queue.attributes.visibility_timeout == 5
    assert queue.approximate_number_of_messages == 1
    queue.purge()
    assert queue.peek() == []
    queue.delete_queue()
    assert broker.list_queues() == []


def test_awss_durations_are_those_of_its_documentation():
    assert (
        Consistency(
            attributes_seconds=60,
            retention_period_seconds=900,
            purge_seconds=60,
            creation_seconds=1,
            deletion_seconds=60,
            counts_seconds=60,
        )
        == EVENTUAL
    )


@pytest.mark.parametrize(
    "consistency",
    [
        None,
        60,
        (0,) * 6,
        Consistency(purge_seconds=-1),
        Consistency(counts_seconds=float("inf")),
        Consistency(counts_seconds=float("nan")),
        Consistency("1"),
    ],
)
def test_a_consistency_is_six_durations(consistency):
    with pytest.raises(InvalidParameterValue, match="Consistency"):
        Broker(consistency=consistency)


# --- attributes ----------------------------------------------------------------------------------------


def test_a_changed_attribute_holds_after_a_minute(queue, clock):
    start_ns = clock.now_ns()
    queue.set_attributes(visibility_timeout=5)
    queue.send("hello")
    just_before(clock, 60)
    assert queue.attributes.visibility_timeout == 30
    assert queue.last_modified_ns == start_ns
    at_last(clock)
    assert queue.attributes.visibility_timeout == 5
    assert queue.last_modified_ns == start_ns
    queue.receive()
    clock.advance(seconds=5)
    assert bodies(queue.receive()) == ["hello"]


def test_a_changed_retention_period_holds_after_a_quarter_of_an_hour(queue, clock):
    queue.send("old")
    queue.set_attributes(message_retention_period=60, visibility_timeout=7)
    just_before(clock, 900)
    assert (queue.attributes.message_retention_period, queue.attributes.visibility_timeout) == (345_600, 7)
    assert len(queue.peek()) == 1
    at_last(clock)
    assert queue.attributes.message_retention_period == 60
    assert queue.peek() == []


def test_a_message_that_expires_before_a_longer_retention_period_holds_is_gone(broker, clock):
    queue = broker.create_queue("short", message_retention_period=60)
    clock.advance(seconds=1)
    queue.set_attributes(message_retention_period=3_600)
    queue.send("early")
    clock.advance(seconds=850)
    queue.send("late")
    clock.advance(seconds=100)
    assert bodies(queue.peek()) == ["late"]


def test_what_is_set_next_builds_upon_what_was_set_last(queue, clock):
    queue.set_attributes(delay_seconds=1)
    clock.advance(seconds=30)
    queue.set_attributes(visibility_timeout=5)
    queue.set_attributes(delay_seconds=2)
    clock.advance(seconds=30)
    assert (queue.attributes.delay_seconds, queue.attributes.visibility_timeout) == (1, 30)
    clock.advance(seconds=30)
    assert (queue.attributes.delay_seconds, queue.attributes.visibility_timeout) == (2, 5)


def test_what_is_set_back_in_time_was_different_for_a_while(queue, clock):
    queue.set_attributes(delay_seconds=5)
    clock.advance(seconds=10)
    queue.set_attributes(delay_seconds=0)
    clock.advance(seconds=50)
    assert queue.attributes.delay_seconds == 5
    clock.advance(seconds=10)
    assert queue.attributes.delay_seconds == 0


def test_two_attributes_that_need_each_other_may_be_set_one_after_the_other(fifo, clock):
    fifo.set_attributes(deduplication_scope="messageGroup")
    fifo.set_attributes(fifo_throughput_limit="perMessageGroupId")
    clock.advance(seconds=60)
    assert fifo.attributes.fifo_throughput_limit == "perMessageGroupId"


def test_a_refused_attribute_is_refused_at_once(queue):
    with pytest.raises(InvalidAttributeValue):
        queue.set_attributes(delay_seconds=901)


def test_permissions_are_an_attribute_and_take_a_minute(queue, clock):
    queue.add_permission("one", [ACCOUNT], ["SendMessage"])
    queue.add_permission("two", [ACCOUNT], ["SendMessage"])
    with pytest.raises(InvalidParameterValue, match="Already exists"):
        queue.add_permission("one", [ACCOUNT], ["SendMessage"])
    assert queue.attributes.policy is None
    clock.advance(seconds=60)
    assert [statement["Sid"] for statement in json.loads(queue.attributes.policy)["Statement"]] == [
        "one",
        "two",
    ]
    queue.remove_permission("one")
    queue.remove_permission("two")
    assert queue.attributes.policy is not None
    clock.advance(seconds=60)
    assert queue.attributes.policy is None


def test_a_larger_or_smaller_maximum_size_holds_for_the_first_who_sends_after_it(queue, clock):
    queue.set_attributes(maximum_message_size=1_024)
    just_before(clock, 60)
    queue.send("x" * 1_025)
    at_last(clock)
    with pytest.raises(InvalidParameterValue, match="shorter than 1024"):
        queue.send("x" * 1_025)
    queue.set_attributes(maximum_message_size=2_048)
    with pytest.raises(InvalidParameterValue, match="shorter than 1024"):
        queue.send("x" * 1_025)
    clock.advance(seconds=60)
    queue.send("x" * 2_048)


def test_content_based_deduplication_holds_for_the_first_who_sends_after_it(broker, clock):
    queue = broker.create_queue("bills.fifo", fifo_queue=True)
    clock.advance(seconds=1)
    queue.set_attributes(content_based_deduplication=True)
    with pytest.raises(InvalidParameterValue, match="ContentBasedDeduplication"):
        queue.send("hello", message_group_id="g")
    clock.advance(seconds=60)
    queue.send("hello", message_group_id="g")


def test_a_waiting_time_holds_for_the_first_who_receives_after_it(queue, clock):
    queue.set_attributes(receive_message_wait_time_seconds=7)
    start_ns = clock.now_ns()
    queue.receive()
    assert clock.now_ns() == start_ns
    clock.advance(seconds=60)
    queue.receive()
    assert clock.now_ns() == start_ns + 67 * SECOND


def test_who_waits_is_woken_when_a_fifo_queues_delay_ends_early(broker, clock):
    queue = broker.create_queue("slow.fifo", fifo_queue=True, delay_seconds=900)
    clock.advance(seconds=1)
    queue.send("hello", message_group_id="g", message_deduplication_id="1")
    queue.set_attributes(delay_seconds=0)
    clock.advance(seconds=50)
    start_ns = clock.now_ns()
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    assert clock.now_ns() == start_ns + 10 * SECOND


def test_a_redrive_policy_moves_messages_after_a_minute(broker, queue, clock):
    dead = broker.create_queue("dead")
    clock.advance(seconds=1)
    queue.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    queue.send("poison")
    queue.receive(visibility_timeout=0)
    assert bodies(queue.receive(visibility_timeout=0)) == ["poison"]
    assert dead.list_dead_letter_source_queues() == []
    clock.advance(seconds=60)
    assert queue.receive() == []
    assert bodies(dead.receive()) == ["poison"]
    assert dead.list_dead_letter_source_queues() == [queue]


def test_a_queue_that_exists_has_the_attributes_that_were_asked_for_last(broker, queue, clock):
    queue.set_attributes(visibility_timeout=5)
    assert broker.create_queue("emails", visibility_timeout=5) is queue
    with pytest.raises(QueueNameExists):
        broker.create_queue("emails", visibility_timeout=30)


def test_some_changes_may_be_late_and_others_not(clock):
    broker = Broker(clock=clock, consistency=Consistency(retention_period_seconds=2.5))
    queue = broker.create_queue("emails")
    queue.set_attributes(message_retention_period=60, delay_seconds=3)
    assert (queue.attributes.message_retention_period, queue.attributes.delay_seconds) == (345_600, 3)
    clock.advance(seconds=2.5)
    assert (queue.attributes.message_retention_period, queue.attributes.delay_seconds) == (60, 3)


# --- purging -------------------------------------------------------------------------------------------


def test_what_is_purged_may_be_received_for_a_minute_and_what_comes_later_stays(queue, clock):
    queue.send("before")
    queue.send("hidden", delay_seconds=900)
    queue.purge()
    queue.send("after")
    just_before(clock, 60)
    assert bodies(queue.peek()) == ["before", "hidden", "after"]
    assert bodies(queue.receive(visibility_timeout=0)) == ["before"]
    at_last(clock)
    assert bodies(queue.peek()) == ["after"]
    assert bodies(queue.receive()) == ["after"]


def test_what_was_received_before_the_purge_ended_can_be_deleted_after_it(queue, clock):
    queue.send("before")
    [message] = queue.receive()
    queue.purge()
    clock.advance(seconds=60)
    queue.delete(message)
    assert queue.counts() == (0, 0, 0)


def test_a_message_group_is_free_again_when_its_purged_messages_are_gone(fifo, clock):
    fifo.send("before", message_group_id="g")
    fifo.receive(visibility_timeout=600)
    fifo.purge()
    fifo.send("after", message_group_id="g")
    start_ns = clock.now_ns()
    clock.advance(seconds=45)
    assert bodies(fifo.receive(wait_time_seconds=20)) == ["after"]
    assert clock.now_ns() == start_ns + 60 * SECOND


def test_a_purge_in_progress_is_not_begun_again(queue, clock):
    queue.purge()
    just_before(clock, 60)
    with pytest.raises(PurgeQueueInProgress):
        queue.purge()
    at_last(clock)
    queue.purge()


# --- creating ------------------------------------------------------------------------------------------


def test_a_new_queue_can_be_used_after_a_second(broker, clock):
    queue = broker.create_queue("emails")
    just_before(clock, 1)
    for use in (
        lambda: queue.send("hello"),
        queue.receive,
        queue.counts,
        queue.purge,
        queue.delete_queue,
        lambda: queue.set_attributes(delay_seconds=1),
        lambda: broker.queue("emails"),
        lambda: broker.queue_by_url(queue.url),
        lambda: broker.delete_queue("emails"),
    ):
        with pytest.raises(QueueDoesNotExist):
            use()
    assert broker.find_queue(queue.arn) is None
    assert repr(queue) == "<Queue 'emails': not there yet>"
    assert broker.create_queue("emails") is queue
    at_last(clock)
    queue.send("hello")
    assert broker.queue("emails") is queue
    assert repr(queue) == "<Queue 'emails': 1 visible, 0 in flight, 0 delayed>"


def test_a_dead_letter_queue_has_to_be_there_first(broker, clock):
    dead = broker.create_queue("dead")
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        broker.create_queue("emails", redrive_policy=policy)
    clock.advance(seconds=1)
    broker.create_queue("emails", redrive_policy=policy)


# --- deleting ------------------------------------------------------------------------------------------


def test_a_deleted_queue_works_for_another_minute(broker, queue, clock):
    queue.delete_queue()
    queue.delete_queue()
    just_before(clock, 60)
    queue.send("hello")
    assert bodies(queue.receive()) == ["hello"]
    assert broker.queue("emails") is queue
    assert broker.list_queues() == [queue]
    at_last(clock)
    with pytest.raises(QueueDoesNotExist):
        queue.send("hello")
    with pytest.raises(QueueDoesNotExist):
        broker.queue("emails")
    assert broker.list_queues() == []
    assert repr(queue) == "<Queue 'emails': deleted>"


def test_a_deleted_queues_name_is_free_a_minute_after_it_was_asked_for(broker, queue, clock):
    queue.delete_queue()
    just_before(clock, 60)
    with pytest.raises(QueueDeletedRecently):
        broker.create_queue("emails")
    at_last(clock)
    assert broker.create_queue("emails") is not queue


def test_a_name_is_taken_for_as_long_as_its_queue_goes_on(clock):
    broker = Broker(clock=clock, consistency=Consistency(deletion_seconds=300))
    for name in ("emails", "orders"):
        broker.create_queue(name)
    broker.delete_queue("emails")
    clock.advance(seconds=100)
    broker.delete_queue("orders")
    with pytest.raises(QueueDeletedRecently):
        broker.create_queue("emails")
    clock.advance(seconds=200)
    broker.create_queue("emails")


def test_who_waits_at_a_queue_that_goes_is_told(queue, clock):
    queue.delete_queue()
    clock.advance(seconds=50)
    start_ns = clock.now_ns()
    with pytest.raises(QueueDoesNotExist):
        queue.receive(wait_time_seconds=20)
    assert clock.now_ns() == start_ns + 10 * SECOND


def test_what_was_still_to_come_goes_with_the_queue(broker, queue, clock):
    queue.delete_queue()
    queue.set_attributes(message_retention_period=60, delay_seconds=1)
    queue.purge()
    clock.advance(seconds=60)
    assert broker.list_queues() == []
    assert broker.next_event_ns() is None
    clock.advance(seconds=1_000)
    broker.create_queue("emails")


def test_a_dead_letter_queue_that_goes_takes_no_more_messages(broker, queue, clock):
    dead = broker.create_queue("dead")
    clock.advance(seconds=1)
    queue.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    clock.advance(seconds=60)
    queue.send("poison")
    queue.receive(visibility_timeout=0)
    dead.delete_queue()
    clock.advance(seconds=60)
    assert bodies(queue.receive()) == ["poison"]


def test_a_move_task_ends_at_the_instant_at_which_its_queue_goes(broker, queue, clock):
    dead = broker.create_queue("dead")
    clock.advance(seconds=1)
    queue.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    clock.advance(seconds=60)
    for number in range(100):
        queue.send(str(number))
    for _ in range(20):
        queue.receive(max_number_of_messages=10, visibility_timeout=0)
    assert len(dead.peek()) == 100
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    dead.delete_queue()
    clock.advance(seconds=1_000)
    assert len(queue.peek()) == 60


# --- counts --------------------------------------------------------------------------------------------


def test_the_counts_of_a_standard_queue_are_those_of_its_last_full_minute(queue, clock):
    queue.send("one")
    queue.send("two", delay_seconds=10)
    queue.receive()
    assert numbers(queue) == (0, 0, 0)
    assert queue.counts() == (0, 1, 1)
    just_before(clock, 59)
    assert numbers(queue) == (0, 0, 0)
    at_last(clock)
    assert numbers(queue) == (2, 0, 0)
    queue.send("three")
    clock.advance(seconds=59)
    assert numbers(queue) == (2, 0, 0)
    clock.advance(seconds=1)
    assert numbers(queue) == (3, 0, 0)


def test_what_is_counted_is_what_was_there_when_the_minute_ended(queue, clock):
    queue.send("delayed", delay_seconds=900)
    clock.advance(seconds=70)
    queue.send("after the minute")
    assert numbers(queue) == (0, 0, 1)


def test_what_has_expired_when_a_minute_ends_is_not_counted(broker, clock):
    queue = broker.create_queue("short", message_retention_period=60)
    clock.advance(seconds=30)
    queue.send("gone at 90 seconds")
    clock.advance(seconds=85)
    assert numbers(queue) == (1, 0, 0)
    assert queue.counts() == (0, 0, 0)
    clock.advance(seconds=5)
    assert numbers(queue) == (0, 0, 0)


def test_the_counts_of_a_fifo_queue_are_exact(fifo):
    fifo.send("hello", message_group_id="g")
    assert numbers(fifo) == (1, 0, 0)


def numbers(queue):
    return (
        queue.approximate_number_of_messages,
        queue.approximate_number_of_messages_not_visible,
        queue.approximate_number_of_messages_delayed,
    )


# --- who hears of it -----------------------------------------------------------------------------------


def test_a_late_change_is_told_when_it_is_asked_for_and_when_it_comes():
    clock = VirtualClock()
    broker = Broker(clock=clock, consistency=Consistency(purge_seconds=60))
    queue = broker.create_queue("emails")
    heard = []
    broker.listen(heard.extend)
    queue.purge()
    clock.advance(seconds=60)
    queue.counts()
    assert [type(change).__name__ for change in heard] == ["ChangePostponed", "MessagesPurged"]
    assert heard[0].change == heard[1]


def test_a_late_change_that_cannot_be_written_comes_with_the_next_call():
    clock = VirtualClock()
    broker = Broker(clock=clock, consistency=Consistency(attributes_seconds=60))
    queue = broker.create_queue("emails")
    queue.set_attributes(delay_seconds=5)
    clock.advance(seconds=60)

    def full(changes):
        raise OSError("the disk is full")

    broker.listen(full)
    with pytest.raises(OSError, match="the disk is full"):
        queue.counts()
    broker.listeners = ()
    assert queue.attributes.delay_seconds == 5
    assert broker.next_event_ns() is None


def test_a_closed_broker_makes_no_late_changes(broker, queue, clock):
    queue.set_attributes(delay_seconds=5)
    broker.close()
    clock.advance(seconds=60)
    assert queue.attributes.delay_seconds == 0
    assert repr(queue) == "<Queue 'emails': its broker is closed>"


def test_the_next_event_is_the_next_late_change(broker, queue, clock):
    start_ns = clock.now_ns()
    queue.set_attributes(delay_seconds=5, message_retention_period=60)
    assert broker.next_event_ns() == queue.next_event_ns() == start_ns + 60 * SECOND
    clock.advance(seconds=60)
    queue.counts()
    assert broker.next_event_ns() == queue.next_event_ns() == start_ns + 900 * SECOND
