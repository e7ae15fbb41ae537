"""SQS: messages that come later, and messages that go."""

import pytest
from drivers.refusals import refused

DELAY_QUEUES = "SQS developer guide: Amazon SQS delay queues"
TIMERS = "SQS developer guide: Amazon SQS message timers"
CREATE = "SQS API reference: CreateQueue"
SET = "SQS API reference: SetQueueAttributes"
DELETE = "SQS API reference: DeleteMessage"
PURGE = "SQS API reference: PurgeQueue"
DAYS = 86_400


def bodies(queue):
    return [message.body for message in queue.receive(max_number_of_messages=10, visibility_timeout=0)]


# --- delays ---


@pytest.mark.aws("A message timer hides a new message for DelaySeconds.", page=TIMERS)
def test_a_delayed_message_is_visible_from_its_time_on(queue, clock):
    queue.send("hello", delay_seconds=900)
    clock.advance(seconds=899.999)
    assert bodies(queue) == []
    clock.advance(milliseconds=1)
    assert bodies(queue) == ["hello"]


@pytest.mark.aws("A delay queue hides every new message for its DelaySeconds.", page=DELAY_QUEUES)
def test_a_delay_queue_hides_new_messages(broker, clock):
    queue = broker.create_queue("later", delay_seconds=10)
    queue.send("hello")
    clock.advance(seconds=9.999)
    assert bodies(queue) == []
    clock.advance(milliseconds=1)
    assert bodies(queue) == ["hello"]


@pytest.mark.aws("A message timer comes before the delay of the queue.", page=TIMERS)
def test_a_message_timer_comes_before_the_queues_delay(broker):
    queue = broker.create_queue("later", delay_seconds=10)
    queue.send("now", delay_seconds=0)
    assert bodies(queue) == ["now"]


@pytest.mark.parametrize("seconds", [-1, 901])
@pytest.mark.aws("DelaySeconds is 0 to 900.", page="SQS API reference: SendMessage")
def test_a_delay_out_of_range_is_refused(queue, seconds):
    with refused(
        "InvalidParameterValue",
        f"Value {seconds} for parameter DelaySeconds is invalid. "
        "Reason: DelaySeconds must be >= 0 and <= 900.",
    ):
        queue.send("hello", delay_seconds=seconds)


@pytest.mark.aws(
    "A new delay of a standard queue does not touch the messages that are in it already.", page=DELAY_QUEUES
)
def test_a_standard_queues_new_delay_is_not_retroactive(queue):
    queue.send("before")
    queue.set_attributes(delay_seconds=10)
    queue.send("after")
    assert bodies(queue) == ["before"]


@pytest.mark.aws(
    "A new delay of a FIFO queue applies to the messages that are in it already.", page=DELAY_QUEUES
)
def test_a_fifo_queues_new_delay_is_retroactive(fifo_queue, clock):
    fifo_queue.send("before", message_group_id="a", message_deduplication_id="1")
    fifo_queue.set_attributes(delay_seconds=10)
    assert bodies(fifo_queue) == []
    clock.advance(seconds=10)
    assert bodies(fifo_queue) == ["before"]


@pytest.mark.aws("A FIFO queue takes no delay of a single message.", page=TIMERS)
def test_a_fifo_queue_refuses_message_timers(fifo_queue):
    with refused(
        "InvalidParameterValue",
        "Value 2 for parameter DelaySeconds is invalid. "
        "Reason: The request include parameter that is not valid for this queue type.",
    ):
        fifo_queue.send("hello", message_group_id="a", message_deduplication_id="1", delay_seconds=2)


@pytest.mark.aws(
    "Delayed, visible and in-flight messages are counted apart.", page="SQS API reference: GetQueueAttributes"
)
def test_messages_are_counted_by_their_state(queue):
    queue.send_batch(["one", "two", "three"])
    queue.send("later", delay_seconds=10)
    queue.receive()
    assert queue.counts() == (2, 1, 1)


# --- retention ---


@pytest.mark.aws("A message is deleted when it has been kept for MessageRetentionPeriod.", page=CREATE)
def test_a_message_is_gone_after_the_retention_period(broker, clock):
    queue = broker.create_queue("short", message_retention_period=60)
    queue.send("hello")
    clock.advance(seconds=59.999)
    assert bodies(queue) == ["hello"]
    clock.advance(milliseconds=1)
    assert bodies(queue) == []
    assert queue.counts() == (0, 0, 0)


@pytest.mark.aws("Messages are kept for four days by default.", page=CREATE)
def test_messages_are_kept_for_four_days(queue, clock):
    queue.send("hello")
    clock.advance(seconds=4 * DAYS - 1)
    assert bodies(queue) == ["hello"]
    clock.advance(seconds=1)
    assert bodies(queue) == []


@pytest.mark.aws("The retention period goes on while a message is in flight.", page=CREATE)
def test_a_message_in_flight_is_gone_after_the_retention_period(broker, clock):
    queue = broker.create_queue("short", message_retention_period=60)
    queue.send("hello")
    queue.receive(visibility_timeout=100)
    clock.advance(seconds=60)
    assert queue.counts() == (0, 0, 0)


@pytest.mark.aws(
    "A shorter retention period applies to the messages that are in the queue already.", page=SET
)
def test_a_shorter_retention_period_is_retroactive(queue, clock):
    queue.send("hello")
    clock.advance(seconds=100)
    queue.set_attributes(message_retention_period=100)
    assert bodies(queue) == []


@pytest.mark.aws("A long poll does not see a message that expires while it is delayed.", page=CREATE)
def test_a_delayed_message_can_expire_before_it_is_visible(broker, clock):
    queue = broker.create_queue("short", message_retention_period=60)
    queue.send("hello", delay_seconds=100)
    clock.advance(seconds=100)
    assert bodies(queue) == []


# --- deleting ---


@pytest.mark.aws("A deleted message is not received again.", page=DELETE)
def test_a_deleted_message_does_not_come_back(queue, clock):
    queue.send("hello")
    queue.delete(queue.receive()[0])
    clock.advance(seconds=30)
    assert bodies(queue) == []


@pytest.mark.aws(
    "A message is deleted by a receipt handle even after its visibility timeout has passed.", page=DELETE
)
def test_a_message_is_deleted_after_its_visibility_timeout(queue, clock):
    queue.send("hello")
    [message] = queue.receive()
    clock.advance(seconds=30)
    queue.delete(message)
    assert bodies(queue) == []


@pytest.mark.aws("Deleting a message that is gone succeeds.", page=DELETE)
def test_a_message_can_be_deleted_twice(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.delete(message)
    queue.delete(message)


@pytest.mark.aws("A receipt handle that SQS did not give is invalid.", page=DELETE)
def test_a_made_up_handle_deletes_nothing(queue):
    queue.send("hello")
    with refused(
        "ReceiptHandleIsInvalid", 'The input receipt handle "made up" is not a valid receipt handle.'
    ):
        queue.delete("made up")
    assert bodies(queue) == ["hello"]


@pytest.mark.aws("A receipt handle belongs to the queue that gave it.", page=DELETE)
def test_another_queues_handle_deletes_nothing(broker, queue):
    queue.send("hello")
    [message] = queue.receive()
    with refused("ReceiptHandleIsInvalid"):
        broker.create_queue("other").delete(message)


@pytest.mark.aws("On a FIFO queue a handle deletes only while its visibility timeout lasts.", page=DELETE)
def test_an_expired_handle_deletes_nothing_of_a_fifo_queue(fifo_queue, clock):
    fifo_queue.send("hello", message_group_id="a", message_deduplication_id="1")
    [message] = fifo_queue.receive()
    clock.advance(seconds=30)
    with refused(
        "InvalidParameterValue",
        f"Value {message.receipt_handle} for parameter ReceiptHandle is invalid. "
        "Reason: The receipt handle has expired.",
    ):
        fifo_queue.delete(message)
    assert bodies(fifo_queue) == ["hello"]


# --- purging ---


@pytest.mark.aws("A purge deletes all messages, in flight and delayed ones too.", page=PURGE)
def test_a_purged_queue_is_empty(queue):
    queue.send_batch(["one", "two"])
    queue.send("later", delay_seconds=10)
    queue.receive()
    queue.purge()
    assert queue.counts() == (0, 0, 0)


@pytest.mark.aws("A queue can be purged once in 60 seconds.", page=PURGE)
def test_a_second_purge_has_to_wait(queue, clock):
    queue.purge()
    clock.advance(seconds=59.999)
    with refused(
        "PurgeQueueInProgress", "Only one PurgeQueue operation on emails is allowed every 60 seconds."
    ):
        queue.purge()
    clock.advance(milliseconds=1)
    queue.purge()


@pytest.mark.aws("Messages that are sent after a purge are not purged.", page=PURGE)
def test_a_purge_spares_what_is_sent_later(queue):
    queue.send("before")
    queue.purge()
    queue.send("after")
    assert bodies(queue) == ["after"]
