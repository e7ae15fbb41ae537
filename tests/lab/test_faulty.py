"""Fault plans for our own queues, streams and brokers: the same strikes as over the wire, and our errors."""

import boto3
import pytest
from awaiting import Awaiting
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from queuestream import Broker, VirtualClock
from queuestream.aio import AsyncBroker, AsyncQueue, AsyncStream
from queuestream.aws import FaultPlan, mock_aws
from queuestream.aws.faults import AnswerLost, InjectedError
from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    ProvisionedThroughputExceededException,
    QueueDoesNotExist,
    RequestThrottled,
    ServiceError,
)
from queuestream.core.queues.batches import SendEntry
from queuestream.lab import History
from queuestream.lab.faults import faulty
from queuestream.lab.recording import Recorder


@pytest.fixture
def plan():
    return FaultPlan(seed=7)


@pytest.fixture(params=["threads", "asyncio"])
def struck(request, plan):
    """What a plan works on."""

    def struck(thing, kind):
        return faulty(thing, plan) if request.param == "threads" else Awaiting(faulty(kind(thing), plan))

    return struck


@pytest.fixture
def orders(broker, struck):
    return struck(broker.create_queue("orders"), AsyncQueue)


@pytest.fixture
def events(broker, struck):
    return struck(broker.create_stream("events"), AsyncStream)


def bodies(broker):
    return [message.body for message in broker.queue("orders").peek()]


def test_without_rules_everything_passes(orders, plan):
    orders.send("order-1")
    [message] = orders.receive()
    orders.delete(message)
    assert (orders.name, orders.counts().in_flight) == ("orders", 0)
    assert str(plan) == "Nothing struck."


def test_a_throttled_call_raises_what_the_core_would(orders, broker, plan):
    plan.throttle("SendMessage", times=1)
    with pytest.raises(RequestThrottled) as refused:
        orders.send("order-1")
    assert isinstance(refused.value, InjectedError)
    assert (refused.value.queue, refused.value.action, refused.value.status) == ("orders", "SendMessage", 403)
    assert bodies(broker) == []


def test_a_stream_is_throttled_as_its_shards_are(events, plan):
    plan.throttle("PutRecord")
    with pytest.raises(ProvisionedThroughputExceededException, match="stream events under account 0"):
        events.put_record(b"a", "k")


def test_any_error_of_the_cores_may_be_asked_for(orders, plan):
    plan.fail("SendMessage", code="QueueDoesNotExist", message="It went away.", status=400, times=1)
    with pytest.raises(QueueDoesNotExist, match=r"It went away\."):
        orders.send("order-1")
    plan.fail("SendMessage", code="KmsThrottled", times=1)
    with pytest.raises(ServiceError) as refused:
        orders.send("order-1")
    assert refused.value.code == "KmsThrottled"


@pytest.mark.parametrize(
    ("effect", "seconds", "closed", "kept"),
    [
        ("lose_answer", 0, True, ["order-1"]),
        ("lose_answer", 9, False, ["order-1"]),
        ("time_out", 9, False, ["order-1"]),
        ("lose_request", 0, True, []),
        ("lose_request", 9, False, []),
    ],
)
def test_an_answer_that_does_not_come(orders, broker, clock, plan, effect, seconds, closed, kept):
    getattr(plan, effect)("SendMessage", seconds=seconds)
    began_ns = clock.now_ns()
    with pytest.raises(AnswerLost) as lost:
        orders.send("order-1")
    assert (lost.value.closed, lost.value.was_done) == (closed, bool(kept))
    assert bodies(broker) == kept
    assert clock.now_ns() - began_ns == seconds * SECOND


def test_what_is_refused_by_the_queue_itself_has_no_answer_to_lose(orders, plan):
    plan.lose_answer("SendMessage")
    with pytest.raises(ServiceError, match="MessageBody"):
        orders.send("")


def test_a_slow_call_does_its_work_later_on_the_clock(orders, broker, clock, plan):
    plan.slow_down("SendMessage", seconds=2)
    began_ns = clock.now_ns()
    orders.send("order-1")
    [message] = broker.queue("orders").peek()
    assert message.sent_ns - began_ns == 2 * SECOND


@pytest.mark.parametrize(
    "entries",
    [
        lambda bodies: bodies,
        iter,
        lambda bodies: [SendEntry(str(place), body) for place, body in enumerate(bodies)],
        lambda bodies: [{"id": str(place), "message_body": body} for place, body in enumerate(bodies)],
    ],
    ids=["bodies", "iterator", "entries", "dicts"],
)
def test_single_entries_of_a_batch_fail_under_their_ids(orders, broker, plan, entries):
    plan.reject_entries("SendMessageBatch", after=1, times=1)
    result = orders.send_batch(entries(["a", "b", "c"]))
    assert list(result.successful) == ["0", "2"]
    assert [(name, failure.code) for name, failure in result.failed.items()] == [("1", "InternalError")]
    assert bodies(broker) == ["a", "c"]


def test_a_batch_may_fail_in_part_for_two_reasons(orders, plan):
    plan.reject_entries("SendMessageBatch", after=2, times=1)
    result = orders.send_batch(["a", "\x00", "c"])
    assert {name: failure.code for name, failure in result.failed.items()} == {
        "1": "InvalidMessageContents",
        "2": "InternalError",
    }
    assert list(result.successful) == ["0"]


def test_deletes_and_changes_of_a_batch_fail_in_part(orders, plan):
    orders.send_batch(["a", "b"])
    messages = orders.receive(max_number_of_messages=10)
    plan.reject_entries("*", times=1)
    assert list(orders.change_visibility_batch([(message, 60) for message in messages]).failed) == ["0"]
    plan.reject_entries("*", times=1, after=1)
    assert list(orders.delete_batch(messages).successful) == ["0"]
    assert orders.counts().in_flight == 1


def test_a_batch_all_of_whose_entries_fail_does_no_work(orders, events, broker, plan):
    plan.reject_entries()
    assert not orders.send_batch(["a"]).successful
    assert events.put_records([(b"a", "k")]).failed_record_count == 1
    assert bodies(broker) == []
    assert broker.stream("events").peek() == []


def test_records_are_rejected_in_their_places(events, broker, plan):
    plan.reject_entries("PutRecords", after=1, times=1)
    result = events.put_records([(b"a", "k"), (b"b", "k"), (b"c", "k")])
    assert [record.error_code for record in result.records] == [
        None,
        "ProvisionedThroughputExceededException",
        None,
    ]
    assert result.failed_record_count == 1
    assert [record.data for record in broker.stream("events").peek()] == [b"a", b"c"]


def test_what_is_no_batch_is_told_so_by_the_queue(orders, plan):
    plan.reject_entries()
    with pytest.raises(ValueError, match="list of entries"):
        orders.send_batch("not a list")


def test_a_broker_gives_what_the_plan_works_on(broker, plan, struck):
    faulty_broker = struck(broker, AsyncBroker)
    plan.throttle("CreateQueue", resource="orders", times=1)
    with pytest.raises(RequestThrottled):
        faulty_broker.create_queue("orders")
    faulty_broker.create_queue("orders")
    faulty_broker.create_stream("events")
    plan.fail("DeleteQueue", resource="orders")
    with pytest.raises(InjectedError):
        faulty_broker.delete_queue(queue_name="orders")
    plan.throttle("ReceiveMessage")
    [listed] = faulty_broker.list_queues()
    with pytest.raises(RequestThrottled):
        Awaiting(listed).receive()
    plan.throttle("ListShards", resource="events")
    with pytest.raises(ServiceError):
        Awaiting(faulty_broker.stream("events")).list_shards()


def test_a_move_task_is_struck_under_its_sources_name(broker, plan):
    arn = broker.create_queue("dead").arn
    plan.fail("*MessageMoveTask*", resource="dead")
    for call in (faulty(broker, plan).start_message_move_task, faulty(broker, plan).list_message_move_tasks):
        with pytest.raises(InjectedError):
            call(arn)


def test_only_what_has_calls_can_be_struck(plan):
    with pytest.raises(TypeError, match="queues, streams, brokers"):
        faulty("orders", plan)


# --- with a recorder ---


def test_a_recorder_sees_what_a_client_can_know(broker, clock, plan):
    history = History()
    queue = Recorder(history, clock).queue(faulty(broker.create_queue("orders"), plan), "shop")
    plan.lose_answer("SendMessage", times=1)
    plan.lose_request("SendMessage", times=1)
    plan.throttle("SendMessage", times=1)
    plan.reject_entries("SendMessageBatch", times=1)
    for body in ("done", "not done", "refused"):
        with pytest.raises((AnswerLost, RequestThrottled)):
            queue.send(body)
    queue.send_batch(["rejected", "sent"])
    assert [(event.message, event.outcome) for event in history] == [
        ("done", "unknown"),
        ("not done", "unknown"),
        ("refused", "failed"),
        ("rejected", "failed"),
        ("sent", "ok"),
    ]


# --- the same as over the wire ---


def rules(plan):
    """A bit of everything."""
    plan.slow_down("*", seconds=1, rate=0.1)
    plan.throttle("SendMessage", rate=0.2)
    plan.lose_answer("Send*", rate=0.1)
    plan.lose_request("*Message", rate=0.1)
    plan.fail("PutRecord*", resource="events", rate=0.2, code="ResourceInUseException", status=400)
    plan.reject_entries("*Batch", rate=0.3)
    plan.reject_entries("PutRecords", rate=0.3)
    plan.time_out("Receive*", seconds=3, rate=0.2)


def native(clock, plan):
    broker = Broker(clock=clock, seed=7)
    orders = faulty(broker.create_queue("orders"), plan)
    events = faulty(broker.create_stream("events"), plan)
    return {
        "send": lambda: orders.send("a"),
        "send_batch": lambda: list(orders.send_batch(["a", "b", "c"]).failed),
        "receive": lambda: len(orders.receive(max_number_of_messages=10, visibility_timeout=0)),
        "put": lambda: events.put_record(b"a", "k"),
        "put_records": lambda: [
            record.error_code for record in events.put_records([(b"a", "k"), (b"b", "k")]).records
        ],
    }


def over_the_wire(clock, plan, sqs, kinesis):
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    kinesis.create_stream(StreamName="events", ShardCount=1)
    rules(plan)
    batch = [{"Id": str(place), "MessageBody": body} for place, body in enumerate("abc")]
    records = [{"Data": data, "PartitionKey": "k"} for data in (b"a", b"b")]
    asked = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 0}
    return {
        "send": lambda: sqs.send_message(QueueUrl=url, MessageBody="a"),
        "send_batch": lambda: sorted(
            failure["Id"] for failure in sqs.send_message_batch(QueueUrl=url, Entries=batch).get("Failed", ())
        ),
        "receive": lambda: len(sqs.receive_message(QueueUrl=url, **asked).get("Messages", ())),
        "put": lambda: kinesis.put_record(StreamName="events", Data=b"a", PartitionKey="k"),
        "put_records": lambda: [
            record.get("ErrorCode")
            for record in kinesis.put_records(StreamName="events", Records=records)["Records"]
        ],
    }


def story(calls, plan, clock):
    """What became of the same calls in the same order, and what struck."""
    began_ns = clock.now_ns()
    outcomes = []
    for call in ("send", "send_batch", "receive", "put", "put_records") * 12:
        try:
            outcome = calls[call]()
        except ServiceError as error:
            outcome = error.code
        except ClientError as error:
            outcome = error.response["Error"]["Code"]
        except AnswerLost as lost:
            outcome = "closed" if lost.closed else "silence"
        except HTTPClientError as error:
            outcome = "closed" if type(error).__name__ == "ConnectionClosedError" else "silence"
        outcomes.append((call, outcome if isinstance(outcome, str | int | list) else "done"))
    struck = [
        (struck.at_ns - began_ns, struck.operation, struck.resource, struck.fault, struck.entry)
        for struck in plan.injected
    ]
    return outcomes, struck


def test_a_plan_strikes_the_same_calls_in_the_same_way_with_and_without_a_wire():
    clock, plan = VirtualClock(), FaultPlan(seed=7)
    rules(plan)
    without = story(native(clock, plan), plan, clock)

    clock, plan = VirtualClock(), FaultPlan(seed=7)
    once = {"region_name": "us-east-1", "config": Config(retries={"total_max_attempts": 1})}
    with mock_aws(clock=clock, faults=plan, seed=7):
        sqs, kinesis = boto3.client("sqs", **once), boto3.client("kinesis", **once)
        over = story(over_the_wire(clock, plan, sqs, kinesis), plan, clock)

    assert without == over
    effects = {fault.effect for *_, fault, _ in over[1]}
    assert len(effects) == 7, "each effect struck at least once"
