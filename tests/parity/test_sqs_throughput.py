"""SQS: how many calls a FIFO queue answers in a second."""

import pytest
from drivers import REBUILT
from drivers.refusals import refused

from queuestream.core.queues.limits import QueueLimits

QUOTAS = "SQS developer guide: Amazon SQS message quotas"
THROTTLING = "SQS developer guide: Troubleshoot FIFO throttling issues in Amazon SQS"
ATTRIBUTES = "SQS API reference: SetQueueAttributes"
PER_SECOND = 300

pytestmark = pytest.mark.settings(queue_limits=QueueLimits(enforce_throughput=True))
NOT_REBUILT = pytest.mark.not_through(
    *REBUILT, why="the calls of the last second are not part of a queue's state"
)
# Where AWS's numbers of calls would take long.
FEW_CALLS = pytest.mark.settings(
    queue_limits=QueueLimits(
        enforce_throughput=True, fifo_calls_per_second=2, fifo_high_throughput_calls_per_second=5
    )
)


def send(queue, body, group="a"):
    return queue.send(body, message_group_id=group, message_deduplication_id=f"{body}-{group}")


def batch(*groups):
    return [
        {
            "id": str(number),
            "message_body": str(number),
            "message_group_id": group,
            "message_deduplication_id": str(number),
        }
        for number, group in enumerate(groups)
    ]


def throttled():
    return refused("RequestThrottled", "Request is throttled.")


@pytest.fixture
def high(broker):
    """A queue in high throughput mode."""
    return broker.create_queue(
        "high.fifo",
        fifo_queue=True,
        deduplication_scope="messageGroup",
        fifo_throughput_limit="perMessageGroupId",
    )


@pytest.mark.aws("A FIFO queue answers 300 SendMessage calls a second.", page=QUOTAS)
@NOT_REBUILT
def test_a_fifo_queue_takes_300_sends_a_second(fifo_queue, clock):
    for number in range(PER_SECOND):
        send(fifo_queue, str(number))
    with throttled():
        send(fifo_queue, "more")
    assert fifo_queue.counts().visible == PER_SECOND
    clock.advance(seconds=1)
    send(fifo_queue, "more")


@pytest.mark.aws(
    "A FIFO queue answers 300 ReceiveMessage calls a second, even if there are messages.", page=THROTTLING
)
@NOT_REBUILT
def test_a_fifo_queue_takes_300_receives_a_second(fifo_queue, clock):
    send(fifo_queue, "hello")
    for _ in range(PER_SECOND):
        fifo_queue.receive(visibility_timeout=0)
    with throttled():
        fifo_queue.receive()
    clock.advance(seconds=1)
    assert len(fifo_queue.receive()) == 1


@FEW_CALLS
@pytest.mark.aws("Each action has its own quota: of sends, receives and deletes.", page=QUOTAS)
@NOT_REBUILT
def test_actions_have_their_quotas_by_themselves(fifo_queue):
    send(fifo_queue, "1", "a")
    send(fifo_queue, "2", "b")
    for _ in range(2):
        [message] = fifo_queue.receive()
        fifo_queue.delete(message)
    with throttled():
        fifo_queue.delete(message)


@FEW_CALLS
@pytest.mark.aws("A batch of ten messages is one call.", page=QUOTAS)
@NOT_REBUILT
def test_a_batch_is_one_call(fifo_queue):
    for _ in range(2):
        assert not fifo_queue.send_batch(batch(*"aaaaaaaaaa")).failed
    with throttled():
        fifo_queue.send_batch(batch("a"))


@FEW_CALLS
@pytest.mark.aws("Changes of the visibility timeout are limited, too; batches of them help.", page=THROTTLING)
@NOT_REBUILT
def test_visibility_changes_are_throttled(fifo_queue):
    send(fifo_queue, "hello")
    [message] = fifo_queue.receive()
    for _ in range(2):
        fifo_queue.change_visibility_batch([(message, 60)])
    with throttled():
        fifo_queue.change_visibility(message, 60)


@FEW_CALLS
@pytest.mark.aws("With perMessageGroupId the quota applies to each message group.", page=ATTRIBUTES)
@NOT_REBUILT
def test_with_high_throughput_each_group_has_the_quota(high):
    for group in "ab":
        send(high, "1", group)
        send(high, "2", group)
        with throttled():
            send(high, "3", group)


@FEW_CALLS
@pytest.mark.aws("With high throughput, too, a queue has a quota: 70,000 calls a second.", page=QUOTAS)
@NOT_REBUILT
def test_with_high_throughput_the_queue_has_a_quota(high, clock):
    for group in "abcde":
        send(high, "hello", group)
    with throttled():
        send(high, "hello", "f")
    clock.advance(seconds=1)
    send(high, "hello", "f")


@FEW_CALLS
@pytest.mark.aws("A standard queue answers any number of calls.", page=QUOTAS)
def test_a_standard_queue_is_not_throttled(queue):
    for _ in range(10):
        queue.send("hello")
        [message] = queue.receive()
        queue.delete(message)


@FEW_CALLS
@NOT_REBUILT
def test_a_long_poll_is_throttled(fifo_queue, clock):
    for _ in range(2):
        fifo_queue.receive(wait_time_seconds=0)
    with throttled():
        fifo_queue.receive(wait_time_seconds=20)
    clock.advance(seconds=1)
    assert fifo_queue.receive(wait_time_seconds=0) == []
