"""A log of calls: what was called, with what, what came back; and what should have been."""

import asyncio
import inspect
import threading
from unittest.mock import ANY

import boto3
import pytest
from aiobotocore.session import get_session

from queuestream import Broker, Queue, Stream, VirtualClock, connect, errors
from queuestream.aio import AsyncBroker, AsyncQueue
from queuestream.aws import FaultPlan, mock_aws, wire
from queuestream.aws.operations import OPERATIONS
from queuestream.core.clock import SECOND
from queuestream.lab.operation_names import GIVING, OF_BROKERS, OF_QUEUES, OF_STREAMS
from queuestream.testing import CallLog, ExpectedCall


@pytest.fixture
def calls(clock):
    with CallLog(clock) as calls:
        yield calls


@pytest.fixture
def emails(queue, calls):
    return calls.watch(queue)


def test_a_call_says_what_it_was_and_what_came_back(emails, calls, clock):
    sent = emails.send("hello", delay_seconds=5)
    call = calls.last
    assert (call.number, call.operation, call.resource) == (1, "SendMessage", "emails")
    assert call.parameters == {"message_body": "hello", "delay_seconds": 5}
    assert call.answer is sent
    assert call.error is None
    assert call.started_ns == call.ended_ns == clock.now_ns()


def test_a_refused_call_says_why(emails, calls):
    with pytest.raises(errors.ReceiptHandleIsInvalid):
        emails.delete("nothing")
    with pytest.raises(TypeError):
        emails.send("hello", dealy_seconds=5)
    refused, wrong = calls.failed
    assert type(refused.error) is errors.ReceiptHandleIsInvalid
    assert refused.answer is None
    assert wrong.parameters == {"argument 1": "hello", "dealy_seconds": 5}


def test_a_call_takes_the_time_that_it_takes(emails, calls):
    assert emails.receive(wait_time_seconds=20) == []
    assert calls.last.ended_ns - calls.last.started_ns == 20 * SECOND


def test_what_is_watched_stays_what_it_is(queue, calls):
    before = dict(vars(queue))
    assert type(calls.watch(queue)) is Queue
    assert calls.watch(queue) is queue
    queue.send("hello")
    assert len(calls) == 1

    calls.close()

    assert vars(queue).keys() == before.keys()
    queue.send("hello")
    assert len(calls) == 1


def test_with_a_broker_all_that_it_gives_is_watched(broker, calls):
    calls.watch(broker)
    broker.create_queue("emails", delay_seconds=1).send("hello")
    broker.queue("emails").receive()
    broker.list_queues()[0].purge()
    broker.create_stream("events", shard_count=2).put_record(b"one", "key")
    broker.stream("events").describe()
    with pytest.raises(errors.QueueDoesNotExist):
        broker.queue("returns")
    assert [(call.operation, call.resource) for call in calls] == [
        ("CreateQueue", "emails"),
        ("SendMessage", "emails"),
        ("GetQueueUrl", "emails"),
        ("ReceiveMessage", "emails"),
        ("ListQueues", ""),
        ("PurgeQueue", "emails"),
        ("CreateStream", "events"),
        ("PutRecord", "events"),
        ("DescribeStream", "events"),
        ("GetQueueUrl", "returns"),
    ]
    assert calls[0].parameters == {"queue_name": "emails", "delay_seconds": 1}
    assert [call.number for call in calls[1:3]] == [2, 3]


def test_what_a_call_makes_others_do_is_no_call(broker, calls, queue):
    calls.watch(broker)
    sqs = calls.watch(wire(boto3.client("sqs", region_name="us-east-1"), broker))
    calls.watch(queue).send("hello")
    sqs.receive_message(QueueUrl=queue.url)
    sqs.create_queue(QueueName="returns")
    queue.delete_queue()
    assert calls.operations == ["SendMessage", "ReceiveMessage", "CreateQueue", "DeleteQueue"]


def test_tasks_are_logged_as_threads_are(calls, clock):
    async def story():
        emails = calls.watch(AsyncQueue("emails", clock=clock))
        waiting = asyncio.create_task(emails.receive(wait_time_seconds=20))
        await asyncio.sleep(0)
        assert calls.last.ended_ns is None
        await emails.send("hello")
        with pytest.raises(errors.ReceiptHandleIsInvalid):
            await emails.delete("nothing")
        await waiting

        broker = calls.watch(AsyncBroker(clock=clock))
        await (await broker.create_queue("returns")).send("lamp")

    asyncio.run(story())
    assert calls.operations == [
        "ReceiveMessage",
        "SendMessage",
        "DeleteMessage",
        "CreateQueue",
        "SendMessage",
    ]
    assert calls[0].answer[0].body == "hello"
    assert [call.operation for call in calls.failed] == ["DeleteMessage"]


@pytest.mark.slow
def test_every_engine_is_watched(calls, tmp_path):
    with connect(f"sqlite:///{tmp_path / 'orders.db'}", durability="none") as broker:
        calls.watch(broker).create_queue("emails").send("hello")
    with mock_aws(), connect("aws://eu-west-1") as broker:
        calls.watch(broker).create_queue("emails").send("hello")
    assert calls.operations == ["CreateQueue", "SendMessage"] * 2


# --- boto3 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("watched_first", [True, False])
def test_a_client_inside_of_a_mock_is_watched_and_let_go(calls, watched_first):
    sqs = boto3.client("sqs", region_name="us-east-1")
    kind = type(sqs)
    if watched_first:
        calls.watch(sqs)
    with mock_aws():
        calls.watch(sqs)
        queue_url = sqs.create_queue(QueueName="emails")["QueueUrl"]
        sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_url(QueueName="returns")
        assert [(call.operation, call.resource) for call in calls] == [
            ("CreateQueue", "emails"),
            ("SendMessage", "emails"),
            ("GetQueueUrl", "returns"),
        ]
        assert calls[1].parameters == {"QueueUrl": queue_url, "MessageBody": "hello"}
        assert calls[1].answer["MessageId"]
        assert type(calls[2].error) is sqs.exceptions.QueueDoesNotExist

        calls.close()
        sqs.list_queues()
    assert len(calls) == 3
    assert type(sqs) is kind


def test_retries_are_within_a_call(calls, clock):
    faults = FaultPlan(seed=7)
    faults.throttle("ListQueues", times=2)
    with mock_aws(clock=clock, faults=faults):
        calls.watch(boto3.client("sqs", region_name="us-east-1")).list_queues()
    [call] = calls
    assert call.answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert call.ended_ns > call.started_ns


def test_resources_and_aiobotocores_clients_are_watched(calls):
    async def from_asyncio():
        async with get_session().create_client("sqs", region_name="us-east-1") as client:
            calls.watch(client)
            await client.list_queues()
            await client.send_message(QueueUrl="emails", MessageBody="hello")

    with mock_aws():
        resource = calls.watch(boto3.resource("sqs", region_name="us-east-1"))
        resource.create_queue(QueueName="emails").send_message(MessageBody="hello")
        asyncio.run(from_asyncio())
    assert calls.operations == ["CreateQueue", "SendMessage", "ListQueues", "SendMessage"]


def test_whoever_makes_a_client_inside_of_the_fixtures_mock_is_logged(
    queuestream_mock_aws, queuestream_calls, queuestream_queue, queuestream_sqs
):
    emails = queuestream_queue("emails")
    mine = queuestream_calls.watch(boto3.client("sqs", region_name="us-east-1"))
    mine.send_message(QueueUrl=emails.url, MessageBody="one")
    boto3.client("sqs", region_name="us-east-1").send_message(QueueUrl=emails.url, MessageBody="two")
    queuestream_sqs.send_message(QueueUrl=emails.url, MessageBody="three")
    emails.send("four")
    assert queuestream_calls.operations == ["CreateQueue", *["SendMessage"] * 4]


def test_nobody_knows_how_to_watch_a_number(calls):
    with pytest.raises(TypeError, match="watches clients, queues, streams and brokers, not 7"):
        calls.watch(7)


# --- asking and expecting ---------------------------------------------------------------------------------


@pytest.fixture
def three_sends(calls, broker):
    emails, orders = (calls.watch(broker.create_queue(name)) for name in ("emails", "orders"))
    emails.send("hello")
    orders.send("2 lamps", delay_seconds=5)
    orders.send("1 chair")


def test_calls_are_found_by_operation_resource_parameters_and_condition(calls, three_sends):
    assert len(calls.of("SendMessage")) == 3
    assert len(calls.of("Send*", resource="ord*")) == 2
    assert calls.of("SendMessage", delay_seconds=5) == calls.of("SendMessage", DelaySeconds=5) == [calls[1]]
    assert calls.of("SendMessage", message_body=ANY, delay_seconds=ANY) == [calls[1]]
    assert calls.of(where=lambda call: "chair" in call.parameters["message_body"]) == [calls[2]]
    assert calls.of("ReceiveMessage") == []
    assert repr(calls) == "<CallLog: 3 SendMessage>"


def test_a_call_that_was_made_is_given(calls, three_sends):
    [call] = calls.assert_called("SendMessage", resource="orders", MessageBody="2 lamps")
    assert call is calls[1]
    assert calls.assert_called("SendMessage", times=3) == list(calls)
    calls.assert_not_called("DeleteMessage")
    calls.clear()
    calls.assert_not_called()
    with pytest.raises(LookupError, match="Nothing was called yet"):
        calls.last  # noqa: B018 - the question is the test


def explained(assertion, *args, **kwargs):
    """What an assertion that fails says, without the answers of calls, whose ids are long."""
    with pytest.raises(AssertionError) as caught:
        assertion(*args, **kwargs)
    return [line.partition(" -> ")[0] for line in str(caught.value).splitlines()]


def test_a_call_that_was_not_made_is_explained_by_those_that_came_near(calls, three_sends):
    assert explained(calls.assert_called, "SendMessage", resource="orders", MessageBody="3 lamps") == [
        "SendMessage orders(MessageBody='3 lamps') was not called.",
        "  2. SendMessage orders(message_body='2 lamps', delay_seconds=5)",
        "       MessageBody was '2 lamps', not '3 lamps'",
        "  3. SendMessage orders(message_body='1 chair')",
        "       MessageBody was '1 chair', not '3 lamps'",
        "  1. SendMessage emails(message_body='hello')",
        "       the resource was 'emails', not 'orders'; MessageBody was 'hello', not '3 lamps'",
    ]
    assert (
        explained(calls.assert_called, "SendMessage", group="a")[2].strip() == "it was called without group"
    )


def test_an_operation_that_was_not_called_is_explained_by_what_was(calls, three_sends):
    assert explained(calls.assert_called, "DeleteMessage") == [
        "DeleteMessage() was not called.",
        "3 calls:",
        "  1. SendMessage emails(message_body='hello')",
        "  2. SendMessage orders(message_body='2 lamps', delay_seconds=5)",
        "  3. SendMessage orders(message_body='1 chair')",
    ]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("SendMesage", "SendMessage"),
        ("RecieveMessage", "ReceiveMessage"),
        ("send_message", "SendMessage"),
        ("send", "SendMessage"),
        ("get_queue_attributes", "GetQueueAttributes"),
        ("putrecord", "PutRecord"),
    ],
)
def test_an_operation_that_is_misspelt_was_not_just_not_called(calls, word, meant):
    with pytest.raises(ValueError, match=f"no operation '{word}'; did you mean '{meant}'"):
        calls.assert_not_called(word)


def test_every_operation_may_be_expected_and_those_of_other_services_too(calls):
    of_others = {"PutRecordBatch", "UpdateStream", "GetObject", "SendEmail", "my own"}
    for name in {name for names in OPERATIONS.values() for name in names} | of_others | {"Send*", "*Batch"}:
        calls.assert_not_called(name)


def test_calls_that_are_too_many_are_shown(calls, three_sends):
    assert explained(calls.assert_called, "SendMessage", resource="orders", times=1) == [
        "SendMessage orders() was called 2 times, not once.",
        "  2. SendMessage orders(message_body='2 lamps', delay_seconds=5)",
        "  3. SendMessage orders(message_body='1 chair')",
    ]
    assert explained(calls.assert_not_called, "*", resource="emails")[0] == (
        "* emails() was called once, and should not have been."
    )
    is_long = lambda call: len(call.parameters["message_body"]) > 10
    assert (
        explained(calls.assert_called, "SendMessage", where=is_long)[2].strip() == "the condition was false"
    )


def test_in_any_order_each_has_a_call_of_its_own(calls, three_sends):
    any_send = ExpectedCall("SendMessage")
    lamps = ExpectedCall("SendMessage", message_body="2 lamps")
    orders = ExpectedCall("SendMessage", resource="orders")
    found = calls.assert_called_in_any_order(any_send, orders, lamps, only=True)
    assert [call.number for call in found] == [1, 3, 2]
    assert explained(calls.assert_called_in_any_order, lamps, lamps)[0] == (
        "SendMessage(message_body='2 lamps') was called once, and is expected once more."
    )
    assert explained(calls.assert_called_in_any_order, lamps, orders, only=True) == [
        "One call was not expected:",
        "  1. SendMessage emails(message_body='hello')",
    ]


def test_in_order_others_may_come_between(calls, three_sends):
    hello = ExpectedCall("SendMessage", message_body="hello")
    chair = ExpectedCall("SendMessage", message_body="1 chair")
    assert [call.number for call in calls.assert_called_in_order(hello, chair)] == [1, 3]
    assert explained(calls.assert_called_in_order, chair, hello)[0] == (
        "SendMessage(message_body='hello') was called once, but not after call 3, SendMessage."
    )


def test_the_log_reads_as_a_table_and_shortens_what_is_long(calls, emails):
    emails.send("x" * 1_000)
    [message] = emails.receive()
    for _ in range(25):
        emails.delete(message)
    first, *lines = str(calls).splitlines()
    assert first == "27 calls, the last 20:"
    assert len(lines) == 20
    assert lines[0].startswith("  8. DeleteMessage emails(receipt_handle=<'xxx")
    assert lines[0].endswith("xxx', receive 1>) -> None")
    assert max(map(len, lines)) <= 150


# --- waiting ----------------------------------------------------------------------------------------------


def test_a_call_of_another_thread_is_waited_for_without_real_time(calls, emails, clock):
    def work():
        [message] = emails.receive(wait_time_seconds=20)
        clock.sleep(3600)
        emails.delete(message)

    started_ns = clock.now_ns()
    worker = threading.Thread(target=work)
    worker.start()
    emails.send("hello", delay_seconds=10)
    call = calls.wait_for("DeleteMessage", resource="emails", timeout_seconds=4000)
    worker.join()
    assert call.ended_ns - started_ns == 3610 * SECOND


def test_a_call_that_was_made_is_not_waited_for(calls, three_sends, clock):
    before_ns = clock.now_ns()
    assert calls.wait_for("SendMessage", times=2).number == 2
    assert clock.now_ns() == before_ns


def test_a_call_that_does_not_come_in_time_is_explained(calls, emails, clock):
    before_ns = clock.now_ns()
    emails.send("hello")
    assert explained(calls.wait_for, "SendMessage", times=2, timeout_seconds=90) == [
        "Within 90 seconds: SendMessage() was called once, not 2 times.",
        "  1. SendMessage emails(message_body='hello')",
    ]
    assert clock.now_ns() - before_ns == 90 * SECOND


def test_a_task_waits_for_a_call_of_another(calls):
    clock = VirtualClock()
    calls = CallLog(clock)
    emails = calls.watch(AsyncQueue("emails", broker=Broker(clock=clock)))

    async def story():
        waiting = asyncio.create_task(calls.wait_for_async("ReceiveMessage", times=2))
        await emails.receive(wait_time_seconds=20)
        assert not waiting.done()
        await emails.receive(wait_time_seconds=5)
        return await waiting

    assert asyncio.run(story()).number == 2


# --- names ------------------------------------------------------------------------------------------------

NO_OPERATIONS = {
    Queue: {"check_invariants", "counts", "next_event_ns", "peek"},
    Stream: {"check_invariants", "next_event_ns", "peek"},
    Broker: {"check_invariants", "check_open", "close", "listen", "next_event_ns", "publish"},
}


@pytest.mark.parametrize(("kind", "names"), [(Queue, OF_QUEUES), (Stream, OF_STREAMS), (Broker, OF_BROKERS)])
def test_every_operation_has_awss_name(kind, names):
    methods = {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}
    giving = set(GIVING) if kind is Broker else set()
    assert methods - giving - NO_OPERATIONS[kind] == names.keys() - giving
    assert {*names.values()} <= {*OPERATIONS["sqs"], *OPERATIONS["kinesis"]}
