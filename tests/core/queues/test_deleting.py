"""Deleting and purging: what is gone is gone, and what a stale handle may still do."""

import pytest

from queuestream.core.errors import InvalidParameterValue, PurgeQueueInProgress, QueueDoesNotExist


def bodies(messages):
    return [message.body for message in messages]


def test_a_deleted_message_does_not_come_back(queue, clock):
    queue.send("hello")
    queue.delete(queue.receive()[0])
    clock.advance(hours=1)
    assert queue.receive() == []
    assert queue.peek() == []


def test_deleting_again_succeeds(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.delete(message)
    queue.delete(message)


def test_a_message_can_be_deleted_while_it_is_hidden_with_somebody_else(queue, clock):
    # API reference, DeleteMessage: "even if a visibility timeout setting causes the message to be locked".
    queue.send("hello")
    [first] = queue.receive()
    clock.advance(seconds=30)
    queue.receive()
    queue.delete(first)
    assert queue.peek() == []


@pytest.mark.parametrize("looked", [False, True])
def test_a_standard_queue_deletes_after_the_timeout_has_passed(queue, clock, looked):
    queue.send_batch(["hello", "other"])
    [message] = queue.receive()
    clock.advance(seconds=30)
    if looked:
        queue.counts()
    queue.delete(message)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["other"]


def test_a_message_in_the_middle_of_those_that_wait_can_be_deleted(queue, clock):
    queue.send_batch(["a", "b", "c"])
    _, middle, _ = queue.receive(max_number_of_messages=3, visibility_timeout=0)
    queue.delete(middle)
    assert queue.counts() == (2, 0, 0)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["a", "c"]


def test_a_message_in_the_middle_of_those_that_came_back_can_be_deleted(queue, clock):
    queue.send_batch(["a", "b", "c"])
    first, middle, _ = queue.receive(max_number_of_messages=3)
    clock.advance(seconds=30)
    queue.counts()
    queue.delete(middle)
    queue.delete(first)
    queue.delete(middle)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["c"]


# --- FIFO -------------------------------------------------------------------------------------------------


def test_a_fifo_queue_deletes_while_the_timeout_lasts(fifo, clock):
    fifo.send("hello", message_group_id="g")
    [message] = fifo.receive()
    clock.advance(seconds=30, nanoseconds=-1)
    fifo.delete(message)
    assert fifo.peek() == []
    fifo.delete(message)


@pytest.mark.parametrize("looked", [False, True])
def test_a_fifo_queue_refuses_a_handle_whose_timeout_has_passed(fifo, clock, looked):
    fifo.send("hello", message_group_id="g")
    [message] = fifo.receive()
    clock.advance(seconds=30)
    if looked:
        fifo.counts()
    with pytest.raises(InvalidParameterValue, match=r"The receipt handle has expired\."):
        fifo.delete(message)
    assert fifo.counts() == (1, 0, 0)


def test_a_fifo_queue_refuses_an_older_handle(fifo, clock):
    fifo.send("hello", message_group_id="g")
    [first] = fifo.receive()
    clock.advance(seconds=30)
    [second] = fifo.receive()
    with pytest.raises(InvalidParameterValue, match="expired"):
        fifo.delete(first)
    fifo.delete(second)
    assert fifo.peek() == []


# --- batches ----------------------------------------------------------------------------------------------


def test_a_batch_deletes_what_it_can(queue, fifo, clock):
    queue.send_batch(["a", "b", "c"])
    a, b, _ = queue.receive(max_number_of_messages=3)
    result = queue.delete_batch(
        [
            a,
            "no handle",
            {"id": "b", "receipt_handle": b.receipt_handle},
            {"id": "again", "receipt_handle": b},
        ]
    )
    assert list(result.successful) == ["0", "b", "again"]
    assert {entry_id: failure.code for entry_id, failure in result.failed.items()} == {
        "1": "ReceiptHandleIsInvalid"
    }
    assert bodies(queue.peek()) == ["c"]
    assert list(queue.delete_batch([a]).successful) == ["0"]
    assert queue.delete_batch(["no handle"]).successful == {}


def test_a_batch_on_a_fifo_queue_fails_for_expired_handles(fifo, clock):
    fifo.send("old", message_group_id="g")
    fifo.send("new", message_group_id="h")
    [old] = fifo.receive(visibility_timeout=5)
    [new] = fifo.receive()
    clock.advance(seconds=5)
    result = fifo.delete_batch([old, new])
    assert list(result.successful) == ["1"]
    assert result.failed["0"].code == "ReceiptHandleIsInvalid"
    assert "expired" in result.failed["0"].message


# --- purging ----------------------------------------------------------------------------------------------


def test_a_purge_removes_every_message_hidden_ones_included(queue, clock):
    queue.send("in flight")
    queue.receive()
    queue.send("waiting")
    queue.send("delayed", delay_seconds=5)
    queue.purge()
    assert queue.counts() == (0, 0, 0)
    clock.advance(hours=1)
    assert queue.receive() == []
    queue.send("after")
    assert bodies(queue.receive()) == ["after"]


def test_a_purge_opens_a_fifo_queues_groups_and_forgets_what_was_sent(fifo):
    first = fifo.send("hello", message_group_id="g")
    fifo.receive()
    fifo.purge()
    assert fifo.send("hello", message_group_id="g") != first
    assert bodies(fifo.receive()) == ["hello"]


def test_a_queue_is_purged_once_in_sixty_seconds(queue, clock):
    queue.purge()
    clock.advance(seconds=60, nanoseconds=-1)
    queue.send("still there")
    with pytest.raises(
        PurgeQueueInProgress, match="Only one PurgeQueue operation on emails is allowed every 60 seconds"
    ):
        queue.purge()
    assert bodies(queue.peek()) == ["still there"]
    clock.advance(nanoseconds=1)
    queue.purge()
    assert queue.peek() == []


def test_a_handle_from_before_the_purge_deletes_nothing(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.purge()
    queue.send("hello")
    queue.receive()
    queue.delete(message)
    assert queue.counts() == (0, 1, 0)


def test_nothing_can_be_done_with_a_deleted_queue(queue):
    queue.send("hello")
    [message] = queue.receive()
    queue.delete_queue()
    for operation in (
        lambda: queue.send("hello"),
        lambda: queue.send_batch(["hello"]),
        queue.receive,
        lambda: queue.receive(wait_time_seconds=20),
        lambda: queue.delete(message),
        lambda: queue.delete_batch([message]),
        lambda: queue.change_visibility(message, 0),
        lambda: queue.change_visibility_batch([(message, 0)]),
        queue.purge,
        queue.peek,
        queue.counts,
        queue.delete_queue,
        queue.list_dead_letter_source_queues,
        lambda: queue.set_attributes(delay_seconds=1),
        lambda: queue.tag({"a": "b"}),
        lambda: queue.untag(["a"]),
        lambda: queue.add_permission("label", ["000000000000"], ["*"]),
        lambda: queue.remove_permission("label"),
    ):
        with pytest.raises(QueueDoesNotExist):
            operation()
    assert repr(queue) == "<Queue 'emails': deleted>"
