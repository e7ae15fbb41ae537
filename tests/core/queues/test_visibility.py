"""Visibility timeouts: when a received message comes back, and how its receiver may change that."""

import pytest

from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    InvalidParameterValue,
    MessageNotInflight,
    MissingParameter,
    QueueDoesNotExist,
    ReceiptHandleIsInvalid,
)

TWELVE_HOURS = 43_200


def states(queue):
    return [message.state for message in queue.peek()]


def test_a_received_message_comes_back_when_its_visibility_timeout_passes(queue, clock):
    queue.send("hello")
    [first] = queue.receive(visibility_timeout=30)

    clock.advance(seconds=29.999)
    assert queue.receive() == []

    clock.advance(milliseconds=1)
    [again] = queue.receive()
    assert again.body == "hello"
    assert again.receive_count == 2
    assert again.receipt_handle != first.receipt_handle


def test_the_queues_timeout_counts_where_the_receive_says_none(broker, clock):
    queue = broker.create_queue("quick", visibility_timeout=2)
    queue.send("hello")
    queue.receive()
    clock.advance(seconds=2, nanoseconds=-1)
    assert queue.receive() == []
    clock.advance(nanoseconds=1)
    assert len(queue.receive()) == 1


def test_a_queue_without_a_timeout_hands_its_messages_out_again_and_again(broker):
    queue = broker.create_queue("open", visibility_timeout=0)
    queue.send("hello")
    assert [queue.receive()[0].receive_count for _ in range(3)] == [1, 2, 3]
    assert queue.counts() == (1, 0, 0)


def test_a_changed_timeout_counts_from_the_change(queue, clock):
    queue.send("hello")
    [message] = queue.receive(visibility_timeout=60)
    clock.advance(seconds=15)
    queue.change_visibility(message, 10)
    clock.advance(seconds=10, nanoseconds=-1)
    assert queue.receive() == []
    clock.advance(nanoseconds=1)
    assert len(queue.receive()) == 1


def test_a_timeout_may_be_extended_again_and_again(queue, clock):
    queue.send("hello")
    [message] = queue.receive(visibility_timeout=10)
    for _ in range(6):
        clock.advance(seconds=9)
        queue.change_visibility(message, 10)
    assert states(queue) == ["in_flight"]
    clock.advance(seconds=10)
    assert states(queue) == ["visible"]


def test_a_changed_timeout_is_not_kept_for_the_next_receive(queue, clock):
    # API reference, ChangeMessageVisibility: it "reverts to the original timeout value".
    queue.send("hello")
    [message] = queue.receive()
    queue.change_visibility(message, 600)
    clock.advance(seconds=600)
    queue.receive()
    clock.advance(seconds=30)
    assert len(queue.receive()) == 1


def test_a_timeout_of_nothing_makes_the_message_visible_at_once(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.change_visibility(message.receipt_handle, 0)
    assert states(queue) == ["visible"]
    [again] = queue.receive()
    assert again.receive_count == 2


def test_the_end_may_be_twelve_hours_after_the_receive_and_not_later(queue, clock):
    queue.send("hello")
    [message] = queue.receive()
    queue.change_visibility(message, TWELVE_HOURS)
    clock.advance(hours=1)
    with pytest.raises(InvalidParameterValue, match=r"beyond the limit \[43200 seconds\]"):
        queue.change_visibility(message, TWELVE_HOURS - 3_599)
    queue.change_visibility(message, TWELVE_HOURS - 3_600)
    clock.advance(hours=11, nanoseconds=-1)
    with pytest.raises(InvalidParameterValue, match="beyond the limit"):
        queue.change_visibility(message, 1)
    assert states(queue) == ["in_flight"]
    clock.advance(nanoseconds=1)
    assert states(queue) == ["visible"]


def test_the_twelve_hours_begin_anew_with_each_receive(queue, clock):
    queue.send("hello")
    queue.receive(visibility_timeout=TWELVE_HOURS)
    clock.advance(hours=12)
    [message] = queue.receive()
    queue.change_visibility(message, TWELVE_HOURS)
    clock.advance(hours=12, nanoseconds=-1)
    assert states(queue) == ["in_flight"]


def test_a_refused_change_changes_nothing(queue, clock):
    queue.send("hello")
    [message] = queue.receive(visibility_timeout=10)
    clock.advance(seconds=5)
    with pytest.raises(InvalidParameterValue):
        queue.change_visibility(message, TWELVE_HOURS)
    assert queue.peek()[0].visible_at_ns == clock.now_ns() + 5 * SECOND


def test_a_standard_queues_message_that_is_visible_again_stays_so(queue, clock):
    queue.send("hello")
    [message] = queue.receive()
    clock.advance(seconds=30)
    queue.change_visibility(message, 10)
    assert states(queue) == ["visible"]
    [again] = queue.receive(visibility_timeout=0)
    result = queue.change_visibility_batch([(again, 10)])
    assert list(result.successful) == ["0"]
    assert states(queue) == ["visible"]


def test_only_a_message_in_flight_can_be_changed_on_a_fifo_queue(fifo, clock):
    fifo.send("hello", message_group_id="g")
    [message] = fifo.receive()
    clock.advance(seconds=30)
    with pytest.raises(MessageNotInflight):
        fifo.change_visibility(message, 10)
    [again] = fifo.receive(visibility_timeout=0)
    with pytest.raises(MessageNotInflight):
        fifo.change_visibility(again, 10)


def test_the_last_instant_in_flight_is_the_one_before_the_deadline(queue, clock):
    queue.send("hello")
    [message] = queue.receive()
    clock.advance(seconds=30, nanoseconds=-1)
    queue.change_visibility(message, 1)
    assert states(queue) == ["in_flight"]
    clock.advance(seconds=1)
    queue.change_visibility(message, 1)
    assert states(queue) == ["visible"]


def test_an_older_handle_changes_a_standard_queues_message_too(queue, clock):
    queue.send("hello")
    [first] = queue.receive()
    clock.advance(seconds=30)
    queue.receive()
    queue.change_visibility(first, 0)
    assert states(queue) == ["visible"]


def test_a_fifo_queue_wants_the_latest_handle(fifo, clock):
    fifo.send("hello", message_group_id="g")
    [first] = fifo.receive()
    clock.advance(seconds=30)
    [second] = fifo.receive()
    with pytest.raises(InvalidParameterValue, match="receipt handle has expired"):
        fifo.change_visibility(first, 0)
    fifo.change_visibility(second, 0)
    assert states(fifo) == ["visible"]


def test_a_message_that_is_gone_cannot_be_changed(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.delete(message)
    with pytest.raises(
        InvalidParameterValue, match="does not exist or is not available for visibility timeout"
    ):
        queue.change_visibility(message, 10)


def test_a_handle_is_needed(queue, broker):
    for handle in ("", None):
        with pytest.raises(MissingParameter, match="ReceiptHandle"):
            queue.change_visibility(handle, 10)
    with pytest.raises(ReceiptHandleIsInvalid):
        queue.change_visibility("no handle", 10)


@pytest.mark.parametrize("seconds", [-1, TWELVE_HOURS + 1, 1.5, "10", None, True])
def test_a_timeout_is_a_whole_number_of_seconds_up_to_twelve_hours(queue, seconds):
    queue.send("hello")
    [message] = queue.receive()
    with pytest.raises(InvalidParameterValue, match="VisibilityTimeout"):
        queue.change_visibility(message, seconds)
    assert states(queue) == ["in_flight"]


def test_the_next_event_is_the_first_deadline(queue, clock):
    assert queue.next_event_ns() is None
    queue.send("hello")
    sent_ns = clock.now_ns()
    assert queue.next_event_ns() == sent_ns + 345_600 * SECOND
    [message] = queue.receive(visibility_timeout=60)
    queue.send("later", delay_seconds=50)
    assert queue.next_event_ns() == sent_ns + 50 * SECOND
    queue.change_visibility(message, 40)
    assert queue.next_event_ns() == sent_ns + 40 * SECOND
    assert queue.broker.next_event_ns() == sent_ns + 40 * SECOND
    queue.delete(message)
    assert queue.next_event_ns() == sent_ns + 50 * SECOND


def test_a_deleted_queue_changes_nothing_any_more(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.delete_queue()
    with pytest.raises(QueueDoesNotExist):
        queue.change_visibility(message, 0)


# --- batches ----------------------------------------------------------------------------------------------


def test_each_entry_of_a_batch_succeeds_or_fails_by_itself(queue):
    queue.send_batch(["a", "b", "c"])
    a, b, c = queue.receive(max_number_of_messages=3)
    queue.delete(c)
    result = queue.change_visibility_batch([(a, 0), (b.receipt_handle, 43_201), (c, 1), ("no handle", 1)])
    assert list(result.successful) == ["0"]
    assert {entry_id: failure.code for entry_id, failure in result.failed.items()} == {
        "1": "InvalidParameterValue",
        "2": "InvalidParameterValue",
        "3": "ReceiptHandleIsInvalid",
    }
    assert all(failure.sender_fault for failure in result.failed.values())
    assert states(queue) == ["visible", "in_flight"]


def test_a_message_that_is_named_twice_in_a_batch_gets_the_last_timeout(queue, clock):
    queue.send("hello")
    [message] = queue.receive()
    result = queue.change_visibility_batch([(message, 5), (message, 7)])
    assert list(result.successful) == ["0", "1"]
    clock.advance(seconds=5)
    assert states(queue) == ["in_flight"]
    clock.advance(seconds=2)
    assert states(queue) == ["visible"]


def test_a_message_that_a_batch_released_stays_visible(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.change_visibility_batch([(message, 0), (message, 60)])
    assert states(queue) == ["visible"]
