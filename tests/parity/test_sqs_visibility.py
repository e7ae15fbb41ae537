"""Visibility timeouts."""

import pytest


@pytest.mark.aws(
    "A received message stays in the queue, hidden from others for the visibility timeout.",
    page="SQS developer guide: Amazon SQS visibility timeout",
)
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
