"""SQS: what takes a while at AWS, where a broker is asked to take that while."""

import pytest
from drivers.refusals import refused

from queuestream.core.queues.consistency import EVENTUAL

eventual = pytest.mark.settings(consistency=EVENTUAL)


@pytest.fixture
def queue(broker, clock):
    """A queue that can be used."""
    queue = broker.create_queue("emails")
    clock.advance(seconds=1)
    return queue


@eventual
@pytest.mark.aws("A new queue can be used after a second.", page="SQS API reference: CreateQueue")
def test_a_new_queue_takes_a_second(broker, clock):
    queue = broker.create_queue("emails")
    clock.advance(seconds=0.999)
    with refused("QueueDoesNotExist"):
        queue.send("too early")
    clock.advance(milliseconds=1)
    queue.send("in time")


@eventual
@pytest.mark.aws("A changed attribute can take 60 seconds.", page="SQS API reference: SetQueueAttributes")
def test_a_changed_attribute_takes_a_minute(queue, clock):
    queue.set_attributes(visibility_timeout=1)
    clock.advance(seconds=59.999)
    assert queue.attributes.visibility_timeout == 30
    clock.advance(milliseconds=1)
    assert queue.attributes.visibility_timeout == 1


@eventual
@pytest.mark.aws(
    "A changed retention period can take 15 minutes.", page="SQS API reference: SetQueueAttributes"
)
def test_a_changed_retention_period_takes_a_quarter_of_an_hour(queue, clock):
    queue.set_attributes(message_retention_period=60)
    clock.advance(seconds=899.999)
    assert queue.attributes.message_retention_period == 345_600
    clock.advance(milliseconds=1)
    assert queue.attributes.message_retention_period == 60


@eventual
@pytest.mark.aws(
    "A purge can take 60 seconds, and messages are received meanwhile.", page="SQS API reference: PurgeQueue"
)
def test_a_purge_takes_a_minute(queue, clock):
    queue.send("hello")
    queue.purge()
    clock.advance(seconds=59.999)
    assert len(queue.receive(visibility_timeout=0)) == 1
    clock.advance(milliseconds=1)
    assert queue.receive() == []


@eventual
@pytest.mark.aws("A deleted queue can go on working for 60 seconds.", page="SQS API reference: DeleteQueue")
def test_a_deleted_queue_goes_on_for_a_minute(queue, clock):
    queue.delete_queue()
    clock.advance(seconds=59.999)
    queue.send("still there")
    clock.advance(milliseconds=1)
    with refused("QueueDoesNotExist"):
        queue.send("gone")
