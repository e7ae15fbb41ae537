"""Receipt handles: new with each receive, good for their own queue only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream import Broker, Queue
from queuestream.core.errors import MissingParameter, ReceiptHandleIsInvalid


def receive(queue, body="hello"):
    queue.send(body)
    [message] = queue.receive()
    return message


def test_each_receive_of_a_message_has_a_handle_of_its_own(queue):
    queue.send("hello")
    assert len({queue.receive(visibility_timeout=0)[0].receipt_handle for _ in range(20)}) == 20


def test_a_message_may_stand_for_its_handle(queue):
    queue.delete(receive(queue))
    queue.delete(receive(queue).receipt_handle)
    assert queue.peek() == []


def test_another_queues_handle_is_refused(broker, queue):
    other = broker.create_queue("other")
    message = receive(other)
    receive(queue)
    for operation in (queue.delete, lambda handle: queue.change_visibility(handle, 0)):
        with pytest.raises(ReceiptHandleIsInvalid) as refused:
            operation(message)
        assert refused.value.receipt_handle == message.receipt_handle
        assert refused.value.message == (
            f'The input receipt handle "{message.receipt_handle}" is not a valid receipt handle.'
        )
    assert queue.counts() == (0, 1, 0)


def test_a_queue_that_was_made_anew_does_not_know_the_old_ones_handles(broker, clock, queue):
    message = receive(queue)
    broker.delete_queue("emails")
    clock.advance(seconds=60)
    again = broker.create_queue("emails")
    receive(again)
    with pytest.raises(ReceiptHandleIsInvalid):
        again.delete(message)


def test_a_handle_that_was_never_issued_is_refused(queue):
    handle = receive(queue).receipt_handle
    for position in range(len(handle)):
        forged = handle[:position] + ("0" if handle[position] != "0" else "1") + handle[position + 1 :]
        with pytest.raises(ReceiptHandleIsInvalid):
            queue.delete(forged)
    for forged in (
        handle[:-1],
        handle + "0",
        handle + " ",
        f"0x{handle[2:]}",
        "-" + handle[1:],
        handle * 2,
        "g" * 40,
        handle[:-1] + "z",
    ):
        with pytest.raises(ReceiptHandleIsInvalid):
            queue.delete(forged)
    assert queue.counts() == (0, 1, 0)


@pytest.mark.parametrize("handle", [5, b"bytes", ["list"], object(), 1.5, True])
def test_a_handle_is_text(queue, handle):
    with pytest.raises(ReceiptHandleIsInvalid):
        queue.delete(handle)


def test_a_number_too_long_to_print_is_no_handle_either(queue):
    with pytest.raises(ReceiptHandleIsInvalid):
        queue.delete(10**5000)


@pytest.mark.parametrize("handle", ["", None])
def test_a_handle_is_required(queue, handle):
    with pytest.raises(MissingParameter, match="ReceiptHandle"):
        queue.delete(handle)


def test_a_handle_outlives_its_message(queue):
    message = receive(queue)
    queue.purge()
    queue.delete(message)
    receive(queue)
    queue.delete(message)
    assert queue.counts() == (0, 1, 0)


QUEUE = Queue("emails", seed=7)
QUEUE.send("hello")
QUEUE.receive()


@given(st.text() | st.text("0123456789abcdef", min_size=40, max_size=40))
def test_no_made_up_handle_is_taken(handle):
    with pytest.raises((ReceiptHandleIsInvalid, MissingParameter)):
        QUEUE.delete(handle)


def test_handles_look_unlike_each_other():
    queue = Broker(seed=7).create_queue("emails")
    queue.send_batch(["a", "b"])
    first, second = (message.receipt_handle for message in queue.receive(max_number_of_messages=2))
    assert sum(one == other for one, other in zip(first[:32], second[:32], strict=True)) < 16
