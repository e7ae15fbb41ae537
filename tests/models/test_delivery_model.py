"""What a standard queue promises, it keeps under every delivery.

A series of calls is made on a queue with a dead-letter queue.  Of each message is known who has received
it, until when, and whether it was deleted; whatever the queue does must be within what AWS documents.
"""

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuestream import ADVERSARIAL, AWS_LIKE, Broker, Delivery, VirtualClock

SECOND = 1_000_000_000
SHARE = st.sampled_from([0, 0.3, 1])
DELIVERY = st.one_of(
    st.sampled_from([AWS_LIKE, ADVERSARIAL]),
    st.builds(
        Delivery,
        hosts=st.integers(1, 6),
        sampled_hosts=st.integers(1, 3),
        reordering=SHARE,
        overtaken_max=st.integers(1, 5),
        duplicates=SHARE,
        returns=SHARE,
        back_after_receives=st.integers(1, 4),
    ),
)
PICK = st.integers(0, 9)
SENDS = st.tuples(st.just("send"), st.integers(1, 5), st.sampled_from([0, 0, 2]))
RECEIVES = st.tuples(
    st.just("receive"), st.sampled_from([1, 2, 10]), st.sampled_from([1, 3, 3, 0]), st.booleans()
)
STEP = st.one_of(
    SENDS,
    RECEIVES,
    RECEIVES,
    st.tuples(st.just("delete"), PICK),
    st.tuples(st.just("change_visibility"), PICK, st.sampled_from([0, 1, 5])),
    st.tuples(st.just("let_time_pass"), st.sampled_from([1, 2, 5])),
)
STEPS = st.lists(STEP, min_size=10, max_size=40)


@attrs.define
class Known:
    """What a message's users know of it."""

    receive_count: int = 0
    hidden_until_ns: int = 0
    deletes: int = 0
    is_gone: bool = False


class Promises:
    """A queue, and what it has promised so far."""

    def __init__(self, delivery, max_receive_count):
        self.delivery = delivery
        self.max_receive_count = max_receive_count or 1_000
        self.clock = VirtualClock()
        broker = Broker(clock=self.clock, seed=1, delivery=delivery)
        self.dead = broker.create_queue("dead")
        policy = {"deadLetterTargetArn": self.dead.arn, "maxReceiveCount": max_receive_count}
        self.queue = broker.create_queue("mails", redrive_policy=policy if max_receive_count else None)
        self.known = {}
        self.handles = []
        self.missed = 0
        # A poll that finds nothing may have sent a message to the dead letters instead.
        self.dead_count = 0

    def send(self, count, delay_seconds):
        for _ in range(count):
            sent = self.queue.send("hello", delay_seconds=delay_seconds)
            self.known[sent.message_id] = Known()

    def receive(self, count, timeout, is_long_poll):
        visible = self.queue.counts().visible
        wait = 1 if is_long_poll and visible else 0
        received = self.queue.receive(
            max_number_of_messages=count, visibility_timeout=timeout, wait_time_seconds=wait
        )
        now_ns = self.clock.now_ns()  # a long poll may have waited
        failed = len(self.dead.peek()) - self.dead_count
        self.dead_count += failed
        self.check_that_it_finds(len(received) + failed, min(count, visible), wait)
        for message in received:
            known = self.known[message.message_id]
            assert not known.is_gone
            known.receive_count += 1
            assert message.receive_count == known.receive_count <= self.max_receive_count
            if now_ns < known.hidden_until_ns:
                # A second copy, while the first receive lasts.
                assert self.delivery.duplicates
                assert known.receive_count == 2
            known.hidden_until_ns = now_ns + timeout * SECOND
            self.handles.append(message)
        assert len({message.message_id for message in received}) == len(received) <= count

    def check_that_it_finds(self, found, there, wait):
        if wait or self.delivery.sampled_hosts >= self.delivery.hosts:
            assert found >= there
        self.missed = 0 if found or not there or wait else self.missed + 1
        assert self.missed <= 2 * self.delivery.hosts - 2

    def delete(self, pick):
        if not self.handles:
            return
        message = self.handles[-1 - pick % len(self.handles)]
        known = self.known[message.message_id]
        was_there = self.lies(message.message_id)
        self.queue.delete(message)
        known.deletes += was_there
        if self.lies(message.message_id):
            assert self.delivery.returns
            assert known.deletes <= 2
            known.hidden_until_ns = 0
        else:
            known.is_gone = True

    def lies(self, message_id):
        return any(message.message_id == message_id for message in self.queue.peek())

    def change_visibility(self, pick, seconds):
        if not self.handles:
            return
        message = self.handles[-1 - pick % len(self.handles)]
        known = self.known[message.message_id]
        if not known.is_gone and self.lies(message.message_id):
            self.queue.change_visibility(message, seconds)
            if known.hidden_until_ns > self.clock.now_ns():
                known.hidden_until_ns = self.clock.now_ns() + seconds * SECOND

    def let_time_pass(self, seconds):
        self.clock.advance(seconds=seconds)

    def check(self):
        """No message is lost or invented, and the counts are those of what is there."""
        self.queue.check_invariants()
        lying = [message.message_id for message in self.queue.peek()]
        failed = self.dead.peek()
        assert all(message.receive_count >= self.max_receive_count for message in failed)
        for message in failed:
            self.known[message.message_id].is_gone = True
        there = {message_id for message_id, known in self.known.items() if not known.is_gone}
        assert sorted(lying) == sorted(there)
        in_flight = [
            message_id for message_id in there if self.known[message_id].hidden_until_ns > self.clock.now_ns()
        ]
        assert self.queue.counts().in_flight == len(in_flight)

    def drain(self):
        """Whoever keeps receiving and deleting has received everything that has not failed."""
        for _ in range(4 * len(self.known) + 20):
            self.receive(10, 3, is_long_poll=True)
            for pick in range(min(10, len(self.handles))):
                self.delete(pick)
            self.check()
            self.let_time_pass(1)
        assert self.queue.peek() == []
        assert all(known.receive_count for known in self.known.values())


def check_promises(steps, delivery, max_receive_count):
    promises = Promises(delivery, max_receive_count)
    for name, *arguments in steps:
        getattr(promises, name)(*arguments)
        promises.check()
    promises.drain()


@settings(max_examples=15)
@given(STEPS, DELIVERY, st.sampled_from([None, 1, 2, 3]))
def test_a_queue_keeps_its_promises_under_every_delivery(steps, delivery, max_receive_count):
    check_promises(steps, delivery, max_receive_count)


@pytest.mark.slow
@settings(max_examples=300)
@given(STEPS, DELIVERY, st.sampled_from([None, 1, 2, 3]))
def test_a_queue_keeps_its_promises_under_every_delivery_for_long(steps, delivery, max_receive_count):
    check_promises(steps, delivery, max_receive_count)
