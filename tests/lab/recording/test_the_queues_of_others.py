"""The same verdicts of queues that nobody here made: moto's, and Python's own between threads."""

import queue
import random
import threading

import boto3
import moto
import pytest
from freezegun import freeze_time

from queuestream import SystemClock
from queuestream.lab import History, Recorder, check

KEYS = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "s"}


def shop_and_workers(chance, history, *, fifo):
    """A shop and two workers, of whom each deletes some of what it gets, in time or too late."""
    with freeze_time("2026-01-01") as frozen, moto.mock_aws():
        recorder = Recorder(history, SystemClock())
        shop, *workers = (boto3.client("sqs", **KEYS) for _ in range(3))
        for client, actor in zip((shop, *workers), ("shop", "worker-1", "worker-2"), strict=True):
            recorder.boto3(client, actor=actor)
        name, attributes = ("q.fifo", {"FifoQueue": "true"}) if fifo else ("q", {})
        url = shop.create_queue(QueueName=name, Attributes={**attributes, "VisibilityTimeout": "10"})[
            "QueueUrl"
        ]

        for number in range(20):
            group = {"MessageGroupId": chance.choice("abc"), "MessageDeduplicationId": str(number)}
            shop.send_message(QueueUrl=url, MessageBody=f"order-{number}", **(group if fifo else {}))
            worker = chance.choice(workers)
            answer = worker.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])
            for message in answer.get("Messages", []):
                frozen.tick(chance.choice([1, 1, 1, 11]))
                worker.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        frozen.tick(11)
        while messages := workers[0].receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                workers[0].delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))])
def test_motos_standard_queue_is_right(seed):
    history = History()
    shop_and_workers(random.Random(seed), history, fifo=False)
    verdict = check(history)
    assert verdict.found == {}
    assert verdict.acknowledged == 20


def test_motos_fifo_queue_draws_its_sequence_numbers_by_lot():
    history = History()
    shop_and_workers(random.Random(7), history, fifo=True)
    verdict = check(history)
    # What is out of order is so by those numbers.
    assert "nonmonotonic-send" in verdict.found
    assert verdict.found.keys() <= {"nonmonotonic-send", "out-of-order"}
    assert (verdict.lost, verdict.unexpected, verdict.duplicated) == (0, 0, 0)


def test_pythons_own_queue_is_right_between_threads():
    history = History()
    recorder = Recorder(history)
    pile = queue.Queue()

    def produce(actor):
        for number in range(20):
            name = f"{actor}-{number}"
            with recorder.operation("send", name, actor=actor, resource="pile"):
                pile.put(name)

    def consume(actor):
        while (name := pile.get()) is not None:
            recorder.event("receive", name, actor=actor, resource="pile")

    consumers = [threading.Thread(target=consume, args=[f"consumer-{number}"]) for number in (1, 2)]
    producers = [threading.Thread(target=produce, args=[f"producer-{number}"]) for number in (1, 2)]
    for thread in (*consumers, *producers):
        thread.start()
    for thread in producers:
        thread.join()
    for _ in consumers:
        pile.put(None)
    for thread in consumers:
        thread.join()

    verdict = check(history)
    assert verdict.found == {}
    assert (verdict.acknowledged, verdict.received) == (40, 40)
