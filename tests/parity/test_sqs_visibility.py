"""SQS: how long a received message is hidden, and what its receiver can do about it."""

import pytest
from drivers.refusals import refused

VISIBILITY = "SQS developer guide: Amazon SQS visibility timeout"
RECEIVE = "SQS API reference: ReceiveMessage"
CHANGE = "SQS API reference: ChangeMessageVisibility"
HOURS = 3_600


@pytest.mark.aws(
    "A received message is hidden from others for the visibility timeout, and comes back when it has passed.",
    page=VISIBILITY,
)
def test_a_received_message_comes_back_when_its_visibility_timeout_passes(queue, clock):
    queue.send("hello")
    [first] = queue.receive(visibility_timeout=30)

    clock.advance(seconds=29.999)
    assert queue.receive() == []

    clock.advance(milliseconds=1)
    [again] = queue.receive()
    assert again.body == "hello"
    assert again.message_id == first.message_id
    assert again.receive_count == 2


@pytest.mark.aws("The default visibility timeout of a queue is 30 seconds.", page=VISIBILITY)
def test_the_visibility_timeout_is_30_seconds_where_nothing_is_said(queue, clock):
    queue.send("hello")
    queue.receive()
    clock.advance(seconds=29.999)
    assert queue.receive() == []
    clock.advance(milliseconds=1)
    assert len(queue.receive()) == 1


@pytest.mark.aws("A receive without VisibilityTimeout uses the queue's.", page=RECEIVE)
def test_a_receive_hides_for_as_long_as_the_queue_says(broker, clock):
    queue = broker.create_queue("slow", visibility_timeout=100)
    queue.send("hello")
    queue.receive()
    clock.advance(seconds=99)
    assert queue.receive() == []
    clock.advance(seconds=1)
    assert len(queue.receive()) == 1


@pytest.mark.aws("A VisibilityTimeout of 0 leaves the message visible.", page=VISIBILITY)
def test_a_timeout_of_nothing_leaves_a_message_visible(queue):
    queue.send("hello")
    assert [message.receive_count for message in queue.receive(visibility_timeout=0)] == [1]
    assert [message.receive_count for message in queue.receive(visibility_timeout=0)] == [2]


@pytest.mark.parametrize("seconds", [-1, 43_201])
@pytest.mark.aws("A visibility timeout is 0 to 43,200 seconds (12 hours).", page=RECEIVE)
def test_a_receive_refuses_a_timeout_out_of_range(queue, seconds):
    with refused(
        "InvalidParameterValue",
        f"Value {seconds} for parameter VisibilityTimeout is invalid. "
        "Reason: Must be >= 0 and <= 43200, if provided.",
    ):
        queue.receive(visibility_timeout=seconds)


@pytest.mark.aws("A new visibility timeout is counted from the call that sets it.", page=CHANGE)
def test_a_changed_timeout_counts_from_the_change(queue, clock):
    queue.send("hello")
    [message] = queue.receive(visibility_timeout=30)
    clock.advance(seconds=20)
    queue.change_visibility(message, 60)

    clock.advance(seconds=59.999)
    assert queue.receive() == []
    clock.advance(milliseconds=1)
    assert len(queue.receive()) == 1


@pytest.mark.aws("A timeout can be shortened: to 0, and the message is visible at once.", page=VISIBILITY)
def test_a_timeout_can_be_ended_at_once(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.change_visibility(message, 0)
    assert len(queue.receive()) == 1


@pytest.mark.aws(
    "A change holds for this receive only; the next one begins with the queue's timeout again.", page=CHANGE
)
def test_a_changed_timeout_is_forgotten_when_the_message_comes_back(queue, clock):
    queue.send("hello")
    [message] = queue.receive()
    queue.change_visibility(message, 100)
    clock.advance(seconds=100)
    assert len(queue.receive()) == 1
    clock.advance(seconds=30)
    assert len(queue.receive()) == 1


@pytest.mark.aws("All timeouts of one receive may be 12 hours together, and no longer.", page=CHANGE)
def test_a_message_is_hidden_for_twelve_hours_at_most(queue, clock):
    queue.send("hello")
    [message] = queue.receive(visibility_timeout=12 * HOURS)
    clock.advance(hours=2)
    queue.change_visibility(message, 10 * HOURS)
    with refused(
        "InvalidParameterValue",
        f"Value {10 * HOURS + 1} for parameter VisibilityTimeout is invalid. Reason: "
        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].",
    ):
        queue.change_visibility(message, 10 * HOURS + 1)


@pytest.mark.parametrize("seconds", [-1, 43_201])
@pytest.mark.aws("The values of VisibilityTimeout are 0 to 43,200 seconds.", page=CHANGE)
def test_a_change_refuses_a_timeout_out_of_range(queue, seconds):
    queue.send("hello")
    [message] = queue.receive()
    with refused("InvalidParameterValue"):
        queue.change_visibility(message, seconds)


@pytest.mark.aws("The visibility of a message can be changed only while it is in flight.", page=CHANGE)
def test_a_message_of_a_fifo_queue_that_has_come_back_is_not_in_flight(fifo_queue):
    fifo_queue.send("hello", message_group_id="a", message_deduplication_id="1")
    [message] = fifo_queue.receive(visibility_timeout=0)
    with refused("MessageNotInflight"):
        fifo_queue.change_visibility(message, 30)


@pytest.mark.aws(
    "A message that has come back to a standard queue stays visible, whatever its old handle asks for.",
    page=CHANGE,
)
def test_an_old_handle_hides_nothing_of_a_standard_queue(queue):
    queue.send("hello")
    [message] = queue.receive(visibility_timeout=0)
    queue.change_visibility(message, 30)
    assert len(queue.receive()) == 1


@pytest.mark.aws("A receipt handle that SQS did not give is invalid.", page=CHANGE)
def test_a_made_up_handle_changes_nothing(queue):
    with refused(
        "ReceiptHandleIsInvalid", 'The input receipt handle "made up" is not a valid receipt handle.'
    ):
        queue.change_visibility("made up", 30)


@pytest.mark.aws(
    "A new visibility timeout of the queue applies to messages that are received later.", page=CHANGE
)
def test_a_queues_new_timeout_does_not_touch_what_is_in_flight(queue, clock):
    queue.send("hello")
    queue.receive()
    queue.set_attributes(visibility_timeout=100)
    clock.advance(seconds=30)
    assert len(queue.receive()) == 1
    clock.advance(seconds=99)
    assert queue.receive() == []


@pytest.mark.aws(
    "In a batch, each change succeeds or fails by itself.",
    page="SQS API reference: ChangeMessageVisibilityBatch",
)
def test_changes_in_a_batch_succeed_and_fail_by_themselves(queue):
    queue.send("hello")
    [message] = queue.receive()
    result = queue.change_visibility_batch(
        [
            {"id": "good", "receipt_handle": message.receipt_handle, "visibility_timeout": 0},
            {"id": "bad", "receipt_handle": "made up", "visibility_timeout": 0},
        ]
    )
    assert list(result.successful) == ["good"]
    assert result.failed["bad"].code == "ReceiptHandleIsInvalid"
    assert result.failed["bad"].sender_fault
    assert len(queue.receive()) == 1
