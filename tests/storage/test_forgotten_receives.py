"""A power cut undoes a receive that nobody waited to have on disk: its handle says no untruth afterwards.

What the disk has after the power cut is a copy of the files from before the receive.
"""

import shutil

import pytest

from queuestream.core.errors import ReceiptHandleIsInvalid
from queuestream.storage.opening import open_broker


@pytest.fixture
def forgotten(tmp_path, clock):
    """A message that was received, and its queue after the power cut, in which it never was."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with open_broker(before / "orders.db", clock=clock) as broker:
        queue = broker.create_queue("orders")
        queue.send("two lamps")
        with broker.storage._folding:  # a copy takes a while, a power cut is an instant
            shutil.copytree(before, after)
        [message] = queue.receive()
    with open_broker(after / "orders.db", clock=clock) as broker:
        yield message, broker.queue("orders")


def test_a_message_whose_receive_was_forgotten_comes_again(forgotten):
    message, queue = forgotten
    [again] = queue.receive()
    assert (again.message_id, again.body, again.receive_count) == (message.message_id, "two lamps", 1)
    queue.delete(again)
    assert queue.peek() == []


def test_a_delete_with_a_forgotten_handle_is_refused_and_the_message_stays(forgotten):
    message, queue = forgotten
    with pytest.raises(ReceiptHandleIsInvalid):
        queue.delete(message)
    with pytest.raises(ReceiptHandleIsInvalid):
        queue.change_visibility(message, 60)
    [entry] = queue.delete_batch([message]).failed.values()
    assert entry.code == "ReceiptHandleIsInvalid"
    assert len(queue.peek()) == 1


def test_a_handle_of_a_message_that_is_gone_deletes_nothing_as_always(forgotten):
    _, queue = forgotten
    [message] = queue.receive()
    queue.delete(message)
    queue.delete(message)
