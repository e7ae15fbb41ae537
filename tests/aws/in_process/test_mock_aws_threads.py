"""Threads and tasks: which `mock_aws` each of them sees."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from queuestream import VirtualClock
from queuestream.aws import mock_aws
from queuestream.core.errors import BrokerClosed


def names_of_queues(sqs):
    return [url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])]


def in_a_thread(function, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def test_a_thread_that_is_started_inside_sees_it(sqs):
    with mock_aws():
        sqs.create_queue(QueueName="emails")
        assert in_a_thread(names_of_queues, sqs) == ["emails"]


def test_two_threads_that_each_enter_their_own_do_not_see_each_others(sqs):
    both_inside, both_done = threading.Barrier(2), threading.Barrier(2)

    def run(name):
        with mock_aws():
            both_inside.wait()
            sqs.create_queue(QueueName=name)
            both_done.wait()
            return names_of_queues(sqs)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, ["emails", "orders"])) == [["emails"], ["orders"]]


def test_many_threads_come_and_go(sqs):
    def run(number):
        for _ in range(20):
            with mock_aws():
                sqs.create_queue(QueueName=f"queue-{number}")
                assert names_of_queues(sqs) == [f"queue-{number}"]
        return number

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(8))) == list(range(8))
    with mock_aws():
        assert names_of_queues(sqs) == []


def test_one_object_can_be_entered_by_several_threads(sqs):
    mock = mock_aws(seed=7)
    first_is_in, second_is_in, first_is_out = threading.Event(), threading.Event(), threading.Event()

    def first():
        with mock:
            first_is_in.set()
            assert second_is_in.wait(10)
            sqs.create_queue(QueueName="emails")
        first_is_out.set()

    def second():
        assert first_is_in.wait(10)
        with mock:
            second_is_in.set()
            assert first_is_out.wait(10)
            sqs.create_queue(QueueName="orders")
            return names_of_queues(sqs)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(first)
        assert pool.submit(second).result(10) == ["orders"]


def test_tasks_that_each_enter_their_own_do_not_see_each_others(sqs):
    async def run(name):
        with mock_aws(seed=7):
            sqs.create_queue(QueueName=name)
            await asyncio.sleep(0)
            return names_of_queues(sqs)

    async def main():
        return await asyncio.gather(run("emails"), run("orders"))

    assert asyncio.run(main()) == [["emails"], ["orders"]]


def test_one_object_can_be_entered_by_several_tasks(sqs):
    mock = mock_aws(seed=7)

    async def run(name):
        async with mock:
            sqs.create_queue(QueueName=name)
            await asyncio.sleep(0)
            return names_of_queues(sqs)

    async def main():
        return await asyncio.gather(run("emails"), run("orders"))

    assert asyncio.run(main()) == [["emails"], ["orders"]]


def test_a_task_sees_what_its_maker_sees(sqs):
    async def main():
        with mock_aws(seed=7):
            sqs.create_queue(QueueName="emails")

            async def look():
                with mock_aws():
                    return names_of_queues(sqs)

            return await asyncio.gather(look(), asyncio.to_thread(names_of_queues, sqs))

    assert asyncio.run(main()) == [["emails"], ["emails"]]


def test_it_can_be_entered_in_one_context_and_left_in_another(sqs):
    """As an async fixture may be."""
    mock = mock_aws(seed=7)
    one, other = contextvars.copy_context(), contextvars.copy_context()
    one.run(mock.start)
    sqs.create_queue(QueueName="emails")
    with mock_aws():
        assert names_of_queues(sqs) == ["emails"]
    other.run(mock.stop)
    with mock_aws():
        assert names_of_queues(sqs) == []


def test_what_a_thread_has_entered_comes_before_what_others_have(sqs):
    """Also where the thread has done so in another context."""
    mock = mock_aws(seed=7)
    contextvars.copy_context().run(mock.start)
    sqs.create_queue(QueueName="emails")
    inside, done = threading.Event(), threading.Event()

    def run():
        with mock_aws(seed=7):
            inside.set()
            assert done.wait(10)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run)
        assert inside.wait(10)
        assert names_of_queues(sqs) == ["emails"]
        done.set()
    mock.stop()


def test_a_long_poll_is_woken_by_another_thread(aws, sqs, queue_url):
    def send():
        aws.clock.sleep(3)
        sqs.send_message(QueueUrl=queue_url, MessageBody="hello")

    thread = threading.Thread(target=send)
    thread.start()
    [message] = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"]
    thread.join()
    assert message["Body"] == "hello"
    assert aws.clock.now.second == 3


@pytest.mark.parametrize("hooked", [False, True], ids=["at once", "through botocore"])
def test_who_still_waits_when_it_is_left_is_told(session, hooked):
    sqs = session.client("sqs")
    if hooked:
        sqs.meta.events.register("before-call.sqs", lambda **kwargs: None)
    waits = threading.Event()

    def poll(queue_url):
        waits.set()
        while True:
            sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)

    with ThreadPoolExecutor(1) as pool:
        with mock_aws(clock=VirtualClock(autojump=False)) as aws:
            queue_url = sqs.create_queue(QueueName="emails")["QueueUrl"]
            polling = pool.submit(poll, queue_url)
            assert waits.wait(10)
            while "1 waiting" not in repr(aws.clock):
                pass
        with pytest.raises(BrokerClosed, match="left"):
            polling.result(10)
