"""The same seed and the same calls give the same bytes, in this process and in any other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from queuestream import Broker, VirtualClock

SHOW = "import test_determinism; print(test_determinism.story(7))"


def story(seed):
    """Everything that a broker answered to a series of calls, as text."""
    clock = VirtualClock()
    broker = Broker(clock=clock, seed=seed)
    answers = []
    failed = broker.create_queue("failed", tags={"team": "mail", "cost": "low"})
    policy = {"deadLetterTargetArn": failed.arn, "maxReceiveCount": 1}
    queue = broker.create_queue("emails", visibility_timeout=5, redrive_policy=policy)
    queue.add_permission("others", ["123456789012", "210987654321"], ["SendMessage", "ReceiveMessage"])
    fifo = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    for number in range(25):
        attributes = {"number": number, "kind": "welcome", "blob": b"\0"}
        answers += [
            queue.send(f"message {number}", delay_seconds=number % 3, message_attributes=attributes),
            queue.send(f"of a tenant {number}", message_group_id=f"tenant {number % 4}".replace(" ", "-")),
            fifo.send(f"order {number % 20}", message_group_id=f"customer-{number % 5}"),
        ]
    for _ in range(6):
        emails, orders = queue.receive(max_number_of_messages=10), fifo.receive(max_number_of_messages=4)
        answers += [emails, orders]
        answers += [queue.delete(message) for message in emails[:3]]
        answers += [fifo.change_visibility(message, 0) for message in orders[::2]]
        clock.advance(seconds=4)
    answers.append(failed.start_message_move_task(max_number_of_messages_per_second=2))
    clock.advance(seconds=3)
    answers += [failed.list_message_move_tasks(), *(one.attributes for one in broker.list_queues())]
    answers += [one.peek() for one in broker.list_queues()]
    return "\n".join(map(repr, answers))


def test_the_same_seed_and_the_same_calls_give_the_same_bytes():
    assert story(7) == story(7)


def test_another_seed_gives_other_ids():
    assert story(7) != story(8)


def test_without_a_seed_every_broker_gives_other_ids():
    assert story(None) != story(None)


@pytest.mark.parametrize(
    "hash_seed", ["0", *(pytest.param(one, marks=pytest.mark.slow) for one in ("1", "4294967295"))]
)
def test_another_process_with_other_hashes_gives_the_same_bytes(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parent)}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout == story(7) + "\n"
