"""Queues over AWS's wire: a server that wants signatures, and one that nobody here wrote."""

import asyncio
import contextlib
import socket
import threading

import pytest

from queuestream import aio, connect, errors
from queuestream.aws.remote import Retries
from queuestream.aws.remote.broker import RemoteBroker


@pytest.fixture
def broker(server, credentials):
    with connect(f"aws://us-east-1?endpoint_url={server.endpoint_url}") as broker:
        yield broker


def arn_said_by_aws(queue):
    return queue.broker._run(queue._operations._attribute_texts("QueueArn"))["QueueArn"]


def test_a_queue_behind_a_server_that_wants_signatures(broker):
    queue = broker.create_queue("emails", visibility_timeout=30)
    assert queue.attributes.visibility_timeout == 30
    assert queue.arn == arn_said_by_aws(queue)
    queue.send_batch(["one", "two"])
    messages = queue.receive(max_number_of_messages=10)
    assert sorted(message.body for message in messages) == ["one", "two"]
    assert queue.delete_batch(messages).failed == {}
    with pytest.raises(errors.QueueDoesNotExist):
        broker.queue("letters")


def test_the_same_for_asyncio(server, credentials):
    async def story():
        async with aio.connect(f"aws://us-east-1?endpoint_url={server.endpoint_url}") as broker:
            queue = await broker.create_queue("emails")
            waiting = asyncio.create_task(queue.receive(wait_time_seconds=20))
            await queue.send("hello")
            [message] = await waiting
            assert message.body == "hello"
            await queue.delete(message)
            with pytest.raises(errors.ReceiptHandleIsInvalid):
                await queue.delete("no handle")

    asyncio.run(story())


def test_who_has_the_wrong_key_is_told_so(server, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAQUEUESTREAM")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not the secret")
    with RemoteBroker("us-east-1", endpoint_url=server.endpoint_url) as broker:
        with pytest.raises(errors.ServiceError) as caught:
            broker.list_queues()
        assert caught.value.code in {"SignatureDoesNotMatch", "InvalidSignatureException"}


def test_many_threads_share_a_broker(broker):
    queue = broker.create_queue("emails")
    threads = [threading.Thread(target=queue.send, args=(f"{number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queue.counts().visible == 16


def test_nobody_at_the_endpoint_is_no_answer(credentials):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    retries = Retries(chance=lambda: 0.0)
    with RemoteBroker("us-east-1", endpoint_url=f"http://127.0.0.1:{port}", retries=retries) as broker:
        with pytest.raises(errors.NoAnswer, match="ListQueues has no answer, it was not done") as caught:
            broker.list_queues()
        assert (caught.value.operation, caught.value.may_be_done) == ("ListQueues", False)


@pytest.mark.slow
def test_queues_behind_motos_server(credentials):
    pytest.importorskip("flask", reason="pip install -e '.[clients]'")
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    with RemoteBroker("eu-west-1", endpoint_url=f"http://{host}:{port}") as broker:
        dead = broker.create_queue("dead")
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3}
        queue = broker.create_queue("emails", visibility_timeout=9, redrive_policy=policy, tags={"a": "1"})
        assert queue.arn == arn_said_by_aws(queue)
        attributes = queue.attributes
        assert (attributes.visibility_timeout, attributes.redrive_policy.max_receive_count) == (9, 3)
        assert queue.tags == {"a": "1"}
        assert dead.list_dead_letter_source_queues() == [queue]

        sent = queue.send("hello", message_attributes={"n": 1, "raw": b"x"})
        result = queue.send_batch(["one", {"id": "two", "message_body": "two"}])
        assert list(result.successful) == ["0", "two"]
        messages = queue.receive(max_number_of_messages=10, wait_time_seconds=1)
        assert sorted(message.body for message in messages) == ["hello", "one", "two"]
        assert {message.receive_count for message in messages} == {1}
        [hello] = [message for message in messages if message.message_id == sent.message_id]
        assert hello.message_attributes["n"].value == "1"
        assert queue.counts().in_flight == 3
        queue.change_visibility(hello, 0)
        assert queue.delete_batch(messages).failed == {}
        assert queue.counts() == (0, 0, 0)
        with pytest.raises(errors.QueueDoesNotExist):
            broker.queue("letters")
        assert {queue.name for queue in broker.list_queues()} == {"dead", "emails"}
        broker.delete_queue("emails")
    moto.stop()
