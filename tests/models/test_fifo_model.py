"""A FIFO queue against lists that are scanned from the front."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from naive_queue import NaiveFifoQueue
from queue_machine import COUNTS, TIMEOUTS, WHICH, QueueMachine

QUICK = settings(stateful_step_count=40)
THOROUGH = settings(max_examples=300, stateful_step_count=60)
GROUPS = st.sampled_from(["a", "a", "b", "c"])
DEDUPLICATION_IDS = st.sampled_from([None, None, None, "once", "twice"])


class FifoQueueMachine(QueueMachine):
    suffix = ".fifo"

    def naive(self, arn):
        return NaiveFifoQueue(
            arn,
            in_flight_max=self.limits["fifo_in_flight_max"],
            look_ahead_max=self.limits["fifo_look_ahead_max"],
            scope=self.settings["deduplication_scope"],
        )

    @initialize(
        looks_often=st.booleans(),
        max_receive_count=st.sampled_from([None, 1, 2]),
        in_flight_max=st.sampled_from([4, 120_000]),
        look_ahead_max=st.sampled_from([5, 120_000]),
        scope=st.sampled_from(["queue", "messageGroup"]),
    )
    def create_queues(self, scope, in_flight_max, look_ahead_max, **how):
        self.settings = {"fifo_queue": True, "deduplication_scope": scope}
        self.begin(fifo_in_flight_max=in_flight_max, fifo_look_ahead_max=look_ahead_max, **how)

    @rule(which=WHICH, group=GROUPS, deduplication_id=DEDUPLICATION_IDS)
    def send(self, which, group, deduplication_id):
        body = self.new_body()
        deduplication_id = deduplication_id or body.replace(" ", "-")
        sent, message = self.both(
            lambda: self.real[which].send(
                body, message_group_id=group, message_deduplication_id=deduplication_id
            ),
            lambda: self.model[which].send(body, group, deduplication_id, self.now_ns),
        )
        self.check_sent(sent, message)

    @rule(entries=st.lists(st.tuples(GROUPS, DEDUPLICATION_IDS), min_size=1, max_size=6))
    def send_batch(self, entries):
        self.let_models_follow()
        batch = []
        for number, (group, deduplication_id) in enumerate(entries):
            body = self.new_body()
            batch.append(
                {
                    "id": f"entry-{number}",
                    "message_body": body,
                    "message_group_id": group,
                    "message_deduplication_id": deduplication_id or body.replace(" ", "-"),
                }
            )
        result = self.real["main"].send_batch(batch)
        assert not result.failed
        for entry in batch:
            message = self.model["main"].send(
                entry["message_body"],
                entry["message_group_id"],
                entry["message_deduplication_id"],
                self.now_ns,
            )
            self.check_sent(result.successful[entry["id"]], message)

    @staticmethod
    def check_sent(sent, message):
        """A new message is told its id; a duplicate gets the original's, whatever became of it."""
        if message.message_id is None:
            message.message_id, message.sequence_number = sent.message_id, sent.sequence_number
            assert len(sent.sequence_number) == 20
        assert (sent.message_id, sent.sequence_number) == (message.message_id, message.sequence_number)

    @rule(
        which=WHICH,
        wanted=COUNTS,
        visibility_timeout=TIMEOUTS,
        attempt_id=st.sampled_from(["first", "second"]),
    )
    def receive_as_an_attempt(self, which, wanted, visibility_timeout, attempt_id):
        answers = self.both(
            lambda: self.real[which].receive(
                max_number_of_messages=wanted,
                visibility_timeout=visibility_timeout,
                receive_request_attempt_id=attempt_id,
            ),
            lambda: self.model[which].receive(wanted, visibility_timeout, self.now_ns, attempt_id=attempt_id),
        )
        self.check_received(which, answers)


def test_a_fifo_queue_answers_as_a_naive_one_does():
    run_state_machine_as_test(FifoQueueMachine, settings=QUICK)


@pytest.mark.slow
def test_a_fifo_queue_answers_as_a_naive_one_does_for_long():
    run_state_machine_as_test(FifoQueueMachine, settings=THOROUGH)
