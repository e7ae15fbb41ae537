"""A file is opened with any delivery, whatever the last one was."""

from contextlib import ExitStack

import pytest
from stores import left_by_a_kill

from queuestream import ADVERSARIAL, STRICT, Delivery, VirtualClock
from queuestream.storage.exporting import export
from queuestream.storage.importing import Importing
from queuestream.storage.inspecting import inspect
from queuestream.storage.opening import open_broker

SOME = Delivery(hosts=3, reordering=0.5, duplicates=0.5, back_after_receives=2)


def work(queue, clock):
    """Some of everything that a delivery has a part in."""
    for number in range(12):
        queue.send(str(number))
    for _ in range(20):
        messages = queue.receive(max_number_of_messages=2, visibility_timeout=3)
        for message in messages[:1]:
            queue.delete(message)
        clock.advance(seconds=1)


@pytest.mark.parametrize(
    ("before", "then"),
    [(STRICT, SOME), (SOME, ADVERSARIAL), (ADVERSARIAL, STRICT)],
    ids=["from strict", "", "to strict"],
)
def test_what_a_kill_left_was_handed_out_by_the_delivery_of_its_time(fast_folder, before, then):
    clock = VirtualClock()
    path = fast_folder / "mails.db"
    with open_broker(path, clock=clock, seed=1, delivery=before, durability="none") as broker:
        queue = broker.create_queue("mails")
        work(queue, clock)
        expected = queue.peek()
        killed = left_by_a_kill(broker, fast_folder / "killed")

    assert inspect(killed, clock.now_ns()).problems == []
    with open_broker(killed, clock=clock, delivery=then, durability="none") as again:
        queue = again.queue("mails")
        queue.check_invariants()
        assert queue.peek() == expected
        work(queue, clock)
        queue.check_invariants()
        remaining = len(queue.peek())
    with open_broker(killed, clock=clock, delivery=before, durability="none") as again:
        assert len(again.queue("mails").peek()) == remaining
        again.check_invariants()


def test_what_a_kill_left_is_exported_as_the_delivery_of_its_time_handed_it_out(fast_folder):
    clock = VirtualClock()
    path = fast_folder / "mails.db"
    with open_broker(path, clock=clock, seed=1, delivery="adversarial", durability="none") as broker:
        work(broker.create_queue("mails"), clock)
        expected = broker.queue("mails").peek()
        killed = left_by_a_kill(broker, fast_folder / "killed")
    with ExitStack() as stack, Importing(fast_folder / "again.db") as importing:
        for line in export(killed, stack):
            importing.add(line)
        importing.finish()
    with open_broker(fast_folder / "again.db", clock=clock, durability="none") as again:
        assert again.queue("mails").peek() == expected


def test_a_poll_that_found_nothing_is_remembered(fast_folder):
    """It is the only thing that has changed, and the next poll asks another server."""
    clock = VirtualClock()
    path = fast_folder / "mails.db"
    with open_broker(path, clock=clock, seed=1, delivery="adversarial", durability="none") as broker:
        broker.create_queue("mails").send("hello")
        queue = broker.queue("mails")
        broker.storage.fold()
        while queue.receive(visibility_timeout=0):
            broker.storage.fold()
        polls = queue._ordering.polls
    with open_broker(path, clock=clock, delivery="adversarial", durability="none") as again:
        assert again.queue("mails")._ordering.polls == polls
