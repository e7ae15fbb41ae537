"""Accounts and regions: brokers on one clock, each with a lock of its own, that do not know each other."""

import threading

import pytest

from queuestream import Broker, VirtualClock
from queuestream.core.errors import InvalidArgumentException, InvalidParameterValue, ResourceNotFoundException

OTHERS = [
    {"account_id": "111111111111", "region": "us-east-1"},
    {"account_id": "000000000000", "region": "eu-west-1"},
]


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def ours(clock):
    return Broker(clock=clock, seed=1)


@pytest.fixture(params=OTHERS, ids=["another account", "another region"])
def theirs(clock, request):
    return Broker(clock=clock, seed=2, **request.param)


def test_a_dead_letter_queue_is_in_the_same_account_and_region(ours, theirs):
    # Developer guide, "Using dead-letter queues in Amazon SQS".
    dead = theirs.create_queue("dead")
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    ours.create_queue("dead")  # which has the name, and another ARN
    with pytest.raises(InvalidParameterValue, match="Dead letter target does not exist"):
        ours.create_queue("emails", redrive_policy=policy)
    queue = ours.create_queue("emails")
    with pytest.raises(InvalidParameterValue, match="Dead letter target does not exist"):
        queue.set_attributes(redrive_policy=policy)
    assert dead.list_dead_letter_source_queues() == []


def test_messages_move_within_an_account_and_region(ours, theirs):
    dead = ours.create_queue("dead")
    ours.create_queue("emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    elsewhere = theirs.create_queue("emails")
    with pytest.raises(ResourceNotFoundException, match="DestinationArn"):
        dead.start_message_move_task(elsewhere.arn)
    with pytest.raises(ResourceNotFoundException, match="SourceArn"):
        theirs.start_message_move_task(dead.arn)
    with pytest.raises(ResourceNotFoundException, match="SourceArn"):
        theirs.list_message_move_tasks(dead.arn)


def test_a_stream_is_found_in_its_own_account_and_region(ours, theirs):
    stream = theirs.create_stream("events")
    ours.create_stream("events")
    with pytest.raises((ResourceNotFoundException, InvalidArgumentException)):
        ours.stream_by_arn(stream.arn)
    assert theirs.stream_by_arn(stream.arn) is stream


def test_threads_that_carry_messages_both_ways_between_accounts_do_not_lock_each_other_out(ours, theirs):
    queues = [broker.create_queue("emails") for broker in (ours, theirs)]
    for queue in queues:
        queue.send("0")

    def carry(source, destination):
        for _ in range(200):
            [message] = source.receive(wait_time_seconds=20)
            destination.send(str(int(message.body) + 1))
            source.delete(message)

    there, back = (
        threading.Thread(target=carry, args=way, daemon=True) for way in (queues, reversed(queues))
    )
    for thread in (there, back):
        thread.start()
    for thread in (there, back):
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert sum(int(message.body) for queue in queues for message in queue.peek()) == 400
