"""A queue over AWS for asyncio: the same operations, to be awaited."""

import asyncio
import inspect

import pytest
from remote_brokers import async_remote_broker

from queuestream import Queue, VirtualClock, errors
from queuestream.aio import AsyncBroker, AsyncQueue
from queuestream.aws import Aws
from queuestream.aws.remote.async_queues import AsyncRemoteQueue


@pytest.fixture(scope="module")
def _one_remote():
    """Making clients takes longer than most tests, so they share a loop and a broker."""
    aws = Aws(clock=VirtualClock(), seed=1)
    with asyncio.Runner() as runner:
        broker = runner.run(opened(aws))
        yield aws, runner, broker
        runner.run(broker.close())


async def opened(aws):
    return async_remote_broker(aws)


@pytest.fixture
def tell(_one_remote):
    """Runs a story with a broker."""
    aws, runner, broker = _one_remote
    aws.reset()
    return lambda story: runner.run(story(broker))


def public_names(owner):
    return {name for name in dir(owner) if not name.startswith("_")}


def test_a_queue_over_aws_has_every_name_that_one_for_asyncio_has():
    assert public_names(AsyncQueue) | {"broker"} <= public_names(AsyncRemoteQueue) | {"broker"}


@pytest.mark.parametrize("name", sorted(public_names(AsyncQueue) & public_names(Queue)))
def test_an_operation_over_aws_takes_what_the_core_takes(name):
    core, remote = getattr(Queue, name), getattr(AsyncRemoteQueue, name)
    if inspect.isfunction(core):
        assert inspect.signature(remote).parameters.keys() == inspect.signature(core).parameters.keys()
        assert inspect.iscoroutinefunction(remote) or name == "peek"


def test_a_broker_over_aws_has_every_name_that_one_for_asyncio_has(tell):
    async def story(broker):
        assert public_names(AsyncBroker) - public_names(type(broker)) == set()

    tell(story)


def test_messages_go_and_come(tell):
    async def story(broker):
        queue = await broker.create_queue("emails", visibility_timeout=7, tags={"a": "1"})
        sent = await queue.send("hello", message_attributes={"n": 1})
        [message] = await queue.receive(wait_time_seconds=20)
        assert (message.message_id, message.body) == (sent.message_id, "hello")
        await queue.delete(message)
        result = await queue.send_batch(["one", {"id": "bad", "message_body": ""}])
        assert (list(result.successful), list(result.failed)) == (["0"], ["bad"])
        assert await queue.counts() == (1, 0, 0)
        assert await broker.queue("emails") == queue

    tell(story)


def test_what_aws_is_asked_for_is_awaited(tell):
    async def story(broker):
        queue = await broker.create_queue("emails", visibility_timeout=7, tags={"a": "1"})
        await queue.send("hello")
        assert (await queue.attributes).visibility_timeout == 7
        assert await queue.tags == {"a": "1"}
        assert await queue.approximate_number_of_messages == 1
        assert await queue.approximate_number_of_messages_not_visible == 0
        assert await queue.approximate_number_of_messages_delayed == 0
        assert await queue.created_ns == await queue.last_modified_ns
        with pytest.raises(AttributeError, match="AWS is asked for attributes: it has to be awaited"):
            queue.attributes.visibility_timeout  # noqa: B018 - the question is the test
        assert repr(queue.tags) == "<tags, to be awaited>"

    tell(story)


def test_names_are_known_without_asking(tell):
    async def story(broker):
        queue = await broker.create_queue("orders.fifo", fifo_queue=True)
        assert (queue.name, queue.is_fifo) == ("orders.fifo", True)
        assert queue.arn == "arn:aws:sqs:us-east-1:123456789012:orders.fifo"
        assert repr(queue) == "<AsyncRemoteQueue 'orders.fifo' in us-east-1>"
        assert repr(broker) == "<AsyncRemoteBroker in us-east-1>"

    tell(story)


def test_a_broker_finds_lists_and_deletes(tell):
    async def story(broker):
        dead = await broker.create_queue("dead")
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
        queue = await broker.create_queue("emails", redrive_policy=policy)
        assert await dead.list_dead_letter_source_queues() == [queue]
        assert await broker.queue_by_arn(queue.arn) == queue
        assert await broker.queue_by_url(queue.url) == queue
        assert await broker.find_queue(queue.arn) == queue
        assert await broker.find_queue(queue.arn + "s") is None
        page = await broker.list_queues(max_results=1)
        assert len(page) == 1
        assert page.next_token is not None
        handle = await broker.start_message_move_task(dead.arn)
        [task] = await broker.list_message_move_tasks(dead.arn)
        assert task.task_handle == handle
        assert await broker.cancel_message_move_task(handle) == 0
        await broker.delete_queue("emails")
        with pytest.raises(errors.QueueDoesNotExist):
            await broker.queue("emails")

    tell(story)


def test_a_broker_that_is_closed_takes_no_more_calls(aws):
    async def story():
        broker = async_remote_broker(aws)
        async with broker:
            queue = await broker.create_queue("emails")
            await broker.close("we are done")
        with pytest.raises(errors.BrokerClosed, match="we are done"):
            await queue.send("hello")
        with pytest.raises(errors.BrokerClosed):
            broker.check_open()
        assert repr(broker) == "<AsyncRemoteBroker in us-east-1: closed>"

    asyncio.run(story())


def test_a_receive_that_is_cancelled_has_taken_nothing(tell):
    async def story(broker):
        queue = await broker.create_queue("emails")
        receive = asyncio.create_task(queue.receive(wait_time_seconds=20))
        await asyncio.sleep(0)
        receive.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receive
        await queue.send("hello")
        assert [message.body for message in await queue.receive()] == ["hello"]

    tell(story)
