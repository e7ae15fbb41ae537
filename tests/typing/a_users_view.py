"""What a typed program sees of queuestream: never run, only read by a type checker (see test_typing.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_type

from queuestream import (
    BatchFailure,
    BatchResult,
    Broker,
    ChangeVisibilityEntry,
    Clock,
    DeleteEntry,
    MessageAttribute,
    MessageMoveTask,
    PeekedMessage,
    Queue,
    QueueAttributes,
    QueueLimits,
    QueuePage,
    ReceivedMessage,
    RedriveAllowPolicy,
    RedrivePolicy,
    SendEntry,
    SentMessage,
    SystemClock,
    VirtualClock,
    errors,
)
from queuestream.aws import Aws, mock_aws, wire


def clocks() -> Iterator[Clock]:
    yield SystemClock()
    yield VirtualClock(start=0.0)


def queues(broker: Broker) -> None:
    assert_type(broker.create_queue("emails", visibility_timeout=30, tags={"team": "mail"}), Queue)
    assert_type(Queue("emails", clock=VirtualClock(), seed=7, delay_seconds=5), Queue)
    assert_type(broker.queue("emails"), Queue)
    assert_type(broker.list_queues(max_results=10), QueuePage)
    assert_type(broker.list_queues().next_token, str | None)
    for queue in broker.list_queues():
        assert_type(queue, Queue)
    Broker(queue_limits=QueueLimits(in_flight_max=10), account_id="000000000000")


def sending(queue: Queue) -> None:
    sent = queue.send("hello", delay_seconds=5, message_attributes={"n": 3, "blob": b"", "kind": "welcome"})
    assert_type(sent, SentMessage)
    assert_type(sent.message_id, str)
    assert_type(sent.sequence_number, str | None)
    queue.send("hello", message_attributes={"x": MessageAttribute("Number.float", "1.5")})
    result = queue.send_batch(
        [SendEntry("a", "body", delay_seconds=5), {"id": "b", "message_body": "c"}, "plain"]
    )
    assert_type(result, BatchResult[SentMessage])
    assert_type(result.successful["a"], SentMessage)
    assert_type(result.failed["b"], BatchFailure)


def receiving(queue: Queue) -> None:
    messages = queue.receive(
        max_number_of_messages=10, wait_time_seconds=20, message_attribute_names=["kind"]
    )
    assert_type(messages, list[ReceivedMessage])
    for message in messages:
        assert_type(message.body, str)
        assert_type(message.receive_count, int)
        assert_type(message.message_attributes, dict[str, MessageAttribute])
        assert_type(message.message_group_id, str | None)
        queue.delete(message)
        queue.delete(message.receipt_handle)
        queue.change_visibility(message, 60)
    assert_type(queue.delete_batch(messages), BatchResult[None])
    queue.delete_batch([DeleteEntry("a", messages[0]), messages[1].receipt_handle])
    queue.change_visibility_batch([(message, 5) for message in messages])
    queue.change_visibility_batch([ChangeVisibilityEntry("a", "handle", 5)])


def administration(queue: Queue, dead: Queue) -> None:
    assert_type(queue.attributes, QueueAttributes)
    assert_type(queue.attributes.visibility_timeout, int)
    queue.set_attributes(
        redrive_policy=RedrivePolicy(dead_letter_target_arn=dead.arn, max_receive_count=3),
        redrive_allow_policy=RedriveAllowPolicy(redrive_permission="denyAll"),
    )
    queue.set_attributes(redrive_policy=None, policy={"Statement": []})
    assert_type(queue.peek(), list[PeekedMessage])
    assert_type(queue.counts().in_flight, int)
    assert_type(queue.approximate_number_of_messages, int)
    assert_type(queue.tags, dict[str, str])
    assert_type(dead.start_message_move_task(), str)
    assert_type(dead.list_message_move_tasks(max_results=10), list[MessageMoveTask])
    assert_type(queue.broker.next_event_ns(), int | None)


def refusals(queue: Queue) -> None:
    try:
        queue.purge()
    except errors.PurgeQueueInProgress as error:
        assert_type(error.queue, str)
        assert_type(error.code, str)
    except errors.QueuestreamError:
        raise


@mock_aws
def decorated(number: int) -> str:
    return str(number)


@mock_aws(clock=VirtualClock(), seed=7)
async def decorated_with_arguments(number: int) -> str:
    return str(number)


async def a_mock_and_a_wired_client(client: Iterator[int], broker: Broker) -> None:
    with mock_aws(account_id="111122223333", other_services="refuse") as aws:
        assert_type(aws, Aws)
        assert_type(aws.broker(region="eu-west-1"), Broker)
    with mock_aws(clock=VirtualClock()) as aws:
        aws.clock.advance(hours=12)
    async with mock_aws() as aws:
        assert_type(aws, Aws)
    assert_type(decorated(5), str)
    assert_type(await decorated_with_arguments(5), str)
    assert_type(wire(client, broker), Iterator[int])
    assert_type(wire(client, aws), Iterator[int])


def what_a_type_checker_refuses(queue: Queue, broker: Broker) -> None:
    """Each line is an error, and `warn_unused_ignores` says so if it is none."""
    queue.send(b"bytes")  # type: ignore[arg-type]
    queue.send("hello", 5)  # type: ignore[call-arg]
    queue.send("hello", delay="5")  # type: ignore[call-arg]
    queue.receive(10)  # type: ignore[call-arg]
    queue.change_visibility("handle", "5")  # type: ignore[arg-type]
    queue.set_attributes(visibility_timout=5)  # type: ignore[call-arg]
    queue.set_attributes(visibility_timeout="5")  # type: ignore[arg-type]
    broker.create_queue("emails", deduplication_scope="all")  # type: ignore[arg-type]
    queue.attributes.visibility_timeout = 5  # type: ignore[misc]
    queue.arn = "another"  # type: ignore[misc]
    decorated("5")  # type: ignore[arg-type]
    mock_aws(other_services="maybe")  # type: ignore[call-overload]
