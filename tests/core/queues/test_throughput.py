"""How many calls a FIFO queue answers in a second: nobody counts, unless a broker is asked to."""

import asyncio

import pytest

from queuestream import Broker, QueueLimits
from queuestream.aio import AsyncQueue
from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidParameterValue, ReceiptHandleIsInvalid, RequestThrottled

HIGH = {"deduplication_scope": "messageGroup", "fifo_throughput_limit": "perMessageGroupId"}


@pytest.fixture
def limits():
    return QueueLimits(enforce_throughput=True, fifo_calls_per_second=3)


@pytest.fixture
def broker(clock, limits):
    return Broker(clock=clock, seed=7, queue_limits=limits)


@pytest.fixture
def high(broker):
    """A FIFO queue in high throughput mode."""
    return broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True, **HIGH)


def send(queue, body, group="g"):
    return queue.send(body, message_group_id=group)


def batch(*groups):
    return [
        {"id": str(number), "message_body": str(number), "message_group_id": group}
        for number, group in enumerate(groups)
    ]


def used_up(call, times=3):
    """Call so often as the quota allows, and be refused once more."""
    for _ in range(times):
        call()
    with pytest.raises(RequestThrottled):
        call()


# --- the quota, with AWS's number and one of ours -------------------------------------------------------


@pytest.mark.parametrize("limits", [QueueLimits(enforce_throughput=True)])
def test_a_fifo_queue_answers_300_calls_of_an_action_in_a_second(fifo, clock):
    used_up(fifo.receive, times=300)
    clock.advance(nanoseconds=SECOND // 300)
    with pytest.raises(RequestThrottled):
        fifo.receive()
    clock.advance(nanoseconds=1)  # a three-hundredth of a second, as far as nanoseconds can say
    used_up(fifo.receive, times=1)


def test_the_quota_is_whole_again_after_a_second(fifo, clock):
    used_up(fifo.receive)
    clock.advance(seconds=1, nanoseconds=-1)
    used_up(fifo.receive, times=2)
    clock.advance(seconds=1)
    used_up(fifo.receive)


def test_each_action_has_a_quota_of_its_own(fifo):
    used_up(lambda: send(fifo, "hello"))
    [message] = fifo.receive()
    used_up(lambda: fifo.change_visibility(message, 60))
    fifo.delete(message)
    used_up(fifo.receive, times=2)


def test_each_queue_has_a_quota_of_its_own(broker, fifo):
    used_up(fifo.receive)
    used_up(broker.create_queue("others.fifo", fifo_queue=True).receive)


def test_a_standard_queue_has_none(broker):
    queue = broker.create_queue("emails")
    for _ in range(10):
        queue.send("hello", message_group_id="tenant")
        [message] = queue.receive()
        queue.change_visibility(message, 60)
        queue.delete(message)


def test_there_is_none_unless_it_is_asked_for(clock):
    broker = Broker(clock=clock, queue_limits=QueueLimits(fifo_calls_per_second=1))
    queue = broker.create_queue("orders.fifo", fifo_queue=True)
    for _ in range(10):
        assert queue.receive() == []


# --- what is a call -------------------------------------------------------------------------------------


def test_a_batch_is_one_call_of_its_action(fifo):
    used_up(lambda: fifo.send_batch(batch(*"gggggggggg")))
    messages = fifo.receive(max_number_of_messages=10)
    assert len(messages) == 10
    used_up(lambda: fifo.change_visibility_batch([(message, 60) for message in messages]))
    used_up(lambda: fifo.delete_batch(messages))


def test_a_batch_and_a_single_call_share_the_quota(fifo):
    fifo.send_batch(batch("g"))
    used_up(lambda: send(fifo, "hello"), times=2)
    messages = fifo.receive()
    fifo.change_visibility_batch([(messages[0], 60)])
    used_up(lambda: fifo.change_visibility(messages[0], 60), times=2)
    fifo.delete_batch(messages)
    assert fifo.delete_batch(messages).failed == {}
    fifo.delete_batch(["no handle"])
    with pytest.raises(RequestThrottled):
        fifo.delete("no handle")


def test_a_duplicate_is_a_call(fifo):
    used_up(lambda: send(fifo, "the same"))
    assert fifo.counts().visible == 1


def test_a_call_that_fails_counts(fifo):
    for _ in range(3):
        with pytest.raises(ReceiptHandleIsInvalid):
            fifo.delete("no handle")
    with pytest.raises(RequestThrottled):
        fifo.delete("no handle")


def test_a_call_with_wrong_parameters_does_not_count(fifo):
    for _ in range(10):
        with pytest.raises(InvalidParameterValue):
            fifo.receive(max_number_of_messages=11)
        with pytest.raises(InvalidParameterValue):
            send(fifo, "hello", group="")
    used_up(fifo.receive)
    used_up(lambda: send(fifo, "hello"))


def test_a_call_that_is_throttled_does_not_count(fifo, clock):
    used_up(fifo.receive)
    for _ in range(10):
        used_up(fifo.receive, times=0)
    clock.advance(seconds=1)
    used_up(fifo.receive)


def test_a_long_poll_is_one_call_however_often_it_looks(fifo, clock):
    """It looks again when the message that it waits for comes back, and when its time is over."""
    send(fifo, "hello")
    fifo.receive(visibility_timeout=5)
    [message] = fifo.receive(wait_time_seconds=20, visibility_timeout=5)
    assert (clock.now_ns() % SECOND, message.receive_count) == (0, 2)
    used_up(lambda: fifo.receive(wait_time_seconds=0))


def test_a_long_poll_that_is_throttled_does_not_wait(fifo, clock):
    used_up(fifo.receive)
    before_ns = clock.now_ns()
    with pytest.raises(RequestThrottled):
        fifo.receive(wait_time_seconds=20)
    assert clock.now_ns() == before_ns


def test_a_receive_of_asyncio_is_a_call(fifo):
    async def receive_four_times():
        queue = AsyncQueue(fifo)
        for _ in range(3):
            assert await queue.receive() == []
        with pytest.raises(RequestThrottled):
            await queue.receive()

    asyncio.run(receive_four_times())


def test_dead_letters_and_moves_are_no_calls(broker, clock):
    dead = broker.create_queue("dead.fifo", fifo_queue=True)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    queue = broker.create_queue(
        "orders.fifo", fifo_queue=True, content_based_deduplication=True, redrive_policy=policy
    )
    for second in range(5):
        send(queue, str(second), group=str(second))
        clock.advance(seconds=1)
    queue.receive(max_number_of_messages=10, visibility_timeout=0)
    assert queue.receive(max_number_of_messages=10) == []
    assert dead.counts().visible == 5
    dead.start_message_move_task()
    clock.advance(milliseconds=100)
    assert queue.counts().visible == 5


# --- a refused call changes nothing ----------------------------------------------------------------------


def test_what_is_throttled_changes_nothing_and_nobody_hears_of_it(fifo):
    send(fifo, "hello")
    [message] = fifo.receive()
    used_up(lambda: send(fifo, "hello"), times=2)
    used_up(fifo.receive, times=2)
    used_up(lambda: fifo.change_visibility(message, 60))
    heard = []
    fifo.broker.listen(heard.extend)
    counts = fifo.counts()
    with pytest.raises(RequestThrottled) as caught:
        send(fifo, "another")
    assert (caught.value.queue, caught.value.action) == ("orders.fifo", "SendMessage")
    for call in (fifo.receive, lambda: fifo.change_visibility(message, 0)):
        with pytest.raises(RequestThrottled):
            call()
    assert (fifo.counts(), heard) == (counts, [])


def test_a_queue_that_is_rebuilt_from_its_changes_has_its_whole_quota(fifo, broker, limits, clock):
    changes = []
    broker.listen(changes.extend)
    queue = broker.create_queue("others.fifo", fifo_queue=True, content_based_deduplication=True)
    used_up(lambda: send(queue, "hello"))
    twin = Broker(clock=clock, seed=7, queue_limits=limits)
    for change in changes:
        change.apply(twin)
    used_up(lambda: send(twin.queue("others.fifo"), "hello"))


# --- high throughput -------------------------------------------------------------------------------------


def test_with_high_throughput_each_message_group_has_the_quota(high, clock):
    for group in "abc":
        used_up(lambda group=group: send(high, "hello", group))
    clock.advance(nanoseconds=SECOND // 3)
    with pytest.raises(RequestThrottled):
        send(high, "hello", "a")
    clock.advance(nanoseconds=1)
    used_up(lambda: send(high, "hello", "a"), times=1)


def test_with_high_throughput_handles_name_their_message_groups(high):
    high.send_batch(batch("a", "a", "a", "a", "b", "b"))
    *first, second, third = high.receive(max_number_of_messages=10)
    used_up(lambda: high.change_visibility(first[0], 60))
    used_up(lambda: high.change_visibility_batch([(second.receipt_handle, 60)]))
    for message in first[:3]:
        high.delete(message)
    with pytest.raises(RequestThrottled):
        high.delete_batch([first[3], second])
    assert high.counts().in_flight == 3
    high.delete_batch([second, third])
    used_up(lambda: high.delete(first[3]), times=0)


def test_with_high_throughput_the_handle_of_a_message_that_is_gone_counts_for_the_queue_alone(high):
    send(high, "hello")
    [message] = high.receive()
    for _ in range(10):
        high.delete(message)


def test_with_high_throughput_a_batch_is_a_call_of_each_group_that_it_names(high):
    used_up(lambda: high.send_batch(batch("a", "a", "b")))
    with pytest.raises(RequestThrottled):
        high.send_batch(batch("b", "c"))
    used_up(lambda: high.send_batch(batch("c")))  # the one that was refused took nothing


def test_with_high_throughput_a_receive_counts_for_the_queue_alone(high):
    for _ in range(10):
        high.receive()


@pytest.mark.parametrize(
    "limits",
    [QueueLimits(enforce_throughput=True, fifo_calls_per_second=3, fifo_high_throughput_calls_per_second=5)],
)
def test_with_high_throughput_the_queue_has_a_quota_too(high, clock):
    for group in range(5):
        send(high, "hello", str(group))
    with pytest.raises(RequestThrottled):
        send(high, "hello", "another")
    clock.advance(nanoseconds=SECOND // 5 - 1)
    with pytest.raises(RequestThrottled):
        send(high, "hello", "another")
    clock.advance(nanoseconds=1)
    send(high, "hello", "another")
    used_up(high.receive, times=5)


def test_high_throughput_that_is_switched_on_holds_from_then_on(fifo):
    used_up(lambda: send(fifo, "hello", "a"))
    fifo.set_attributes(**HIGH)
    used_up(lambda: send(fifo, "hello", "a"))
    used_up(lambda: send(fifo, "hello", "b"))
    fifo.set_attributes(fifo_throughput_limit="perQueue")
    used_up(lambda: send(fifo, "hello", "b"), times=0)


def test_groups_that_nobody_calls_are_forgotten(high, clock):
    for group in range(1_000):
        send(high, "hello", str(group))
        clock.advance(milliseconds=10)
    assert len(high._throughput._buckets) <= 300
