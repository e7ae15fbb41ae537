"""Dramatiq on dramatiq-sqs: the `dramatiq` command works through what its actors are sent."""

import json

import pytest

HOW = "pip install -e '.[server,clients]'"
dramatiq = pytest.importorskip("dramatiq", reason=HOW)
dramatiq_sqs = pytest.importorskip("dramatiq_sqs", reason=HOW)
boto3 = pytest.importorskip("boto3", reason=HOW)

pytestmark = [pytest.mark.clients, pytest.mark.slow]

ACTORS = """\
import boto3
import dramatiq
from dramatiq.middleware import CurrentMessage
from dramatiq_sqs import SQSBroker

broker = SQSBroker(namespace="kitchen", dead_letter=True, tags={"team": "kitchen"})
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)


def serve(dish):
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="served")["QueueUrl"], MessageBody=dish)


@dramatiq.actor(queue_name="orders", max_retries=0)
def cook(dish):
    if dish == "cold soup":
        raise ValueError(dish)
    serve(dish)


@dramatiq.actor(queue_name="orders", max_retries=3, min_backoff=1, max_backoff=1)
def flame(dish):
    if CurrentMessage.get_current_message().options.get("retries", 0) < 1:
        raise ValueError(dish)
    serve(dish)
"""


@pytest.fixture
def broker(here):
    broker = dramatiq_sqs.SQSBroker(namespace="kitchen", dead_letter=True, tags={"team": "kitchen"})
    broker.declare_queue("orders")
    yield broker
    broker.close()


def order(broker, actor, dish, delay=None):
    message = dramatiq.Message(queue_name="orders", actor_name=actor, args=(dish,), kwargs={}, options={})
    broker.enqueue(message, delay=delay)


def test_the_command_works_through_what_its_actors_are_sent(broker, worker, tmp_path):
    (tmp_path / "kitchen.py").write_text(ACTORS, encoding="utf-8")
    sqs = boto3.client("sqs")
    served = sqs.create_queue(QueueName="served")["QueueUrl"]
    dishes = [f"dish {number} 🍲" for number in range(25)]
    for dish in dishes:
        order(broker, "cook", dish)
    order(broker, "flame", "crêpes")
    order(broker, "cook", "cold soup")
    order(broker, "cook", "dessert", delay=1_000)

    worker("dramatiq", "kitchen", "--processes", "1", "--threads", "4", cwd=tmp_path)
    eaten = []
    while len(eaten) < 27:
        answer = sqs.receive_message(QueueUrl=served, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        assert "Messages" in answer, eaten
        for message in answer["Messages"]:
            eaten.append(message["Body"])
            sqs.delete_message(QueueUrl=served, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(eaten) == sorted([*dishes, "crêpes", "dessert"])
    broker.join("orders", timeout=20_000)

    dead = sqs.get_queue_url(QueueName="kitchen_orders_dlq")["QueueUrl"]
    [letter] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=20)["Messages"]
    assert json.loads(dramatiq_sqs.broker.b64decode(letter["Body"]))["args"] == ["cold soup"]
    assert sqs.list_queue_tags(QueueUrl=dead)["Tags"] == {"team": "kitchen"}
