"""The machines for users' own code: a right worker passes, a wrong one is found."""

from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from queuestream.testing.machines import QueueMachine, StreamMachine

RIGHT = settings(max_examples=15, stateful_step_count=25, derandomize=True, deadline=None)
# Without shrinking, which is Hypothesis' own and takes seconds.
WRONG = settings(RIGHT, max_examples=100, phases=[Phase.generate], print_blob=False)


class Payments(QueueMachine):
    """Pays once for each message id."""

    bodies = st.sampled_from(["ada", "bob"])

    def prepare(self):
        self.balances, self.paid = {}, set()

    def handle(self, message):
        if message.message_id not in self.paid:
            self.paid.add(message.message_id)
            self.balances[message.body] = self.balances.get(message.body, 0) + 10

    def check(self):
        assert len(self.paid) <= len(self.sent)

    def check_at_the_end(self):
        for name in ("ada", "bob"):
            assert self.balances.get(name, 0) == 10 * list(self.sent.values()).count(name)


class ForgetfulPayments(Payments):
    """Pays for every delivery."""

    def handle(self, message):
        self.balances[message.body] = self.balances.get(message.body, 0) + 10


class FifoPayments(Payments):
    attributes: ClassVar = {"fifo_queue": True}


class InOrder(QueueMachine):
    """Relies on the order of each message group."""

    bodies = st.just("x")
    groups = st.sampled_from(["a", "b"])
    attributes: ClassVar = {"fifo_queue": True}

    def prepare(self):
        self.last = {}

    def handle(self, message):
        number = list(self.sent).index(message.message_id)
        if message.message_id not in self.handled:  # what comes again was there before
            assert number >= self.last.get(message.message_group_id, 0), "an earlier one comes later"
            self.last[message.message_group_id] = number


class InOrderOnAStandardQueue(InOrder):
    attributes: ClassVar = {}


class Poisoned(QueueMachine):
    """Cannot handle some messages, which go to a dead-letter queue after three tries."""

    bodies = st.sampled_from(["good", "poison"])
    has_a_dead_letter_queue = True

    def prepare(self):
        if self.has_a_dead_letter_queue:
            dead = self.broker.create_queue("dead")
            policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3}
            self.queue.set_attributes(redrive_policy=policy)

    def handle(self, message):
        return message.body != "poison"


class PoisonedWithoutADeadLetterQueue(Poisoned):
    has_a_dead_letter_queue = False


class Totals(StreamMachine):
    """Adds up by key, knowing how far it has come."""

    data = st.sampled_from([b"1", b"2"])
    partition_keys = st.sampled_from(["a", "b", "c"])

    def prepare(self):
        self.totals, self.seen = {}, {}

    def handle(self, record):
        number = int(record.sequence_number)
        if number > self.seen.get(record.partition_key, 0):
            self.seen[record.partition_key] = number
            self.totals[record.partition_key] = self.totals.get(record.partition_key, 0) + int(record.data)


class TotalsThatCountRepeats(Totals):
    def handle(self, record):
        self.totals[record.partition_key] = self.totals.get(record.partition_key, 0) + 1

    def check_at_the_end(self):
        assert sum(self.totals.values()) == sum(len(set(one)) for one in self.handled.values())


@pytest.mark.parametrize("machine", [Payments, FifoPayments, InOrder, Poisoned, Totals])
def test_what_is_right_passes(machine):
    run_state_machine_as_test(machine, settings=RIGHT)


@pytest.mark.parametrize(
    "machine",
    [ForgetfulPayments, InOrderOnAStandardQueue, PoisonedWithoutADeadLetterQueue, TotalsThatCountRepeats],
)
def test_what_relies_on_more_than_is_promised_is_found(machine, capsys):
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=WRONG)


def test_a_machine_without_a_handler_says_what_to_write():
    with pytest.raises(NotImplementedError, match="QueueMachine says in `handle` what its worker does"):
        QueueMachine().handle(None)
    with pytest.raises(NotImplementedError, match="StreamMachine says in `handle` what its reader does"):
        StreamMachine().handle(None)


@pytest.mark.parametrize("machine", [QueueMachine, StreamMachine])
def test_a_handler_that_would_have_to_be_awaited_is_refused(machine):
    async def handle(self, message):
        raise AssertionError

    with pytest.raises(TypeError, match=r"Mine\.handle is called, not awaited"):
        type("Mine", (machine,), {"handle": handle})
