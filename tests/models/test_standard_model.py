"""A standard queue against a list that is scanned from the front."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from naive_queue import NaiveQueue
from queue_machine import DELAYS, QueueMachine

QUICK = settings(stateful_step_count=40)
THOROUGH = settings(max_examples=350, stateful_step_count=60)


class StandardQueueMachine(QueueMachine):
    def naive(self, arn):
        return NaiveQueue(arn, in_flight_max=self.limits["in_flight_max"])

    @initialize(
        looks_often=st.booleans(),
        max_receive_count=st.sampled_from([None, 1, 2]),
        in_flight_max=st.sampled_from([4, 120_000]),
    )
    def create_queues(self, **how):
        self.begin(**how)

    @rule(delay_seconds=DELAYS)
    def send(self, delay_seconds):
        body = self.new_body()
        sent, message = self.both(
            lambda: self.real["main"].send(body, delay_seconds=delay_seconds),
            lambda: self.model["main"].send(body, delay_seconds, self.now_ns),
        )
        message.message_id = sent.message_id
        assert sent.sequence_number is None

    @rule(delays=st.lists(st.one_of(DELAYS, st.just(901)), min_size=1, max_size=5))
    def send_batch(self, delays):
        self.let_models_follow()
        entries = [
            {"id": f"entry-{number}", "message_body": self.new_body(), "delay_seconds": delay}
            for number, delay in enumerate(delays)
        ]
        result = self.real["main"].send_batch(entries)
        assert list(result.failed) == [entry["id"] for entry in entries if entry["delay_seconds"] == 901]
        for entry in entries:
            if entry["id"] in result.successful:
                message = self.model["main"].send(entry["message_body"], entry["delay_seconds"], self.now_ns)
                message.message_id = result.successful[entry["id"]].message_id


def test_a_standard_queue_answers_as_a_naive_one_does():
    run_state_machine_as_test(StandardQueueMachine, settings=QUICK)


@pytest.mark.slow
def test_a_standard_queue_answers_as_a_naive_one_does_for_long():
    run_state_machine_as_test(StandardQueueMachine, settings=THOROUGH)
