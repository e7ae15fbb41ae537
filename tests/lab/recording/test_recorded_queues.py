"""What is written down of what clients do with queues, for threads and for asyncio."""

import asyncio

import pytest
from awaiting import Awaiting

from queuestream import Broker, connect
from queuestream.aio import AsyncQueue
from queuestream.aio import connect as connect_async
from queuestream.aws import Fault, FaultPlan, mock_aws
from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    BatchEntryIdsNotDistinct,
    NoAnswer,
    QueueDoesNotExist,
    ReceiptHandleIsInvalid,
)
from queuestream.core.queues.batches import ChangeVisibilityEntry, DeleteEntry, SendEntry
from queuestream.lab.recording import Recorder


@pytest.fixture(params=["threads", "asyncio"])
def recorded(request, recorder):
    """A queue, recorded."""

    def recorded(queue, actor="me", application=""):
        if request.param == "threads":
            return recorder.queue(queue, actor, application)
        return Awaiting(recorder.queue(AsyncQueue(queue), actor, application))

    return recorded


@pytest.fixture
def orders(broker, recorded):
    return recorded(broker.create_queue("orders", visibility_timeout=30), "worker-1", "shop")


@pytest.fixture
def numbered(broker, recorded):
    return recorded(broker.create_queue("numbered.fifo", fifo_queue=True))


def test_a_message_is_written_down_from_its_send_to_its_delete(orders, history, clock):
    sent = orders.send("order-1")
    clock.advance(seconds=1)
    [message] = orders.receive()
    clock.advance(seconds=1)
    orders.delete(message)

    send, receive, delete = history
    began_ns = send.started_ns
    assert [event.operation for event in history] == ["send", "receive", "delete"]
    assert [event.started_ns - began_ns for event in history] == [0, SECOND, 2 * SECOND]
    for event in history:
        assert event.ended_ns == event.started_ns
        assert (event.message, event.message_id, event.outcome) == ("order-1", sent.message_id, "ok")
        assert (event.actor, event.application, event.resource) == ("worker-1", "shop", "orders")
    assert receive.receipt == delete.receipt == message.receipt_handle
    assert receive.receive_count == 1


def test_what_comes_back_is_what_the_queue_gave(orders):
    orders.send("order-1", message_attributes={"size": "large"})
    [message] = orders.receive(max_number_of_messages=10)
    assert (message.body, message.message_attributes["size"].value) == ("order-1", "large")
    assert orders.change_visibility(message, 60) is None
    assert orders.delete(message) is None


def test_what_is_not_recorded_goes_through(orders, broker, history):
    assert orders.name == "orders"
    assert orders.broker is broker
    assert orders.counts().visible == 0
    assert "orders" in repr(getattr(orders, "thing", orders))
    assert not history


@pytest.mark.parametrize(
    ("asked", "hidden_seconds"), [({}, 30), ({"visibility_timeout": 5}, 5), ({"visibility_timeout": 0}, 0)]
)
def test_a_receiver_may_rely_on_the_timeout_from_when_it_asked(orders, clock, history, asked, hidden_seconds):
    orders.send("order-1", delay_seconds=10)
    began_ns = clock.now_ns()
    orders.receive(wait_time_seconds=20, **asked)

    receive = history.events[-1]
    assert (receive.started_ns, receive.ended_ns) == (began_ns, began_ns + 10 * SECOND)
    assert receive.visible_ns == began_ns + hidden_seconds * SECOND


def test_a_timeout_that_was_changed_holds_for_the_next_receive(orders, history):
    orders.set_attributes(visibility_timeout=7)
    orders.send("order-1")
    orders.receive()
    receive = history.events[-1]
    assert receive.visible_ns - receive.started_ns == 7 * SECOND


def test_a_message_that_is_hidden_for_longer_says_until_when(orders, history, clock):
    orders.send("order-1")
    [message] = orders.receive()
    clock.advance(seconds=10)
    orders.change_visibility(message.receipt_handle, 60)
    change = history.events[-1]
    assert (change.operation, change.message) == ("change_visibility", "order-1")
    assert change.visible_ns == clock.now_ns() + 60 * SECOND


def test_a_receive_of_nothing_is_an_event(orders, history):
    orders.receive()
    [event] = history
    assert (event.operation, event.message, event.outcome) == ("receive", None, "ok")
    assert event.ended_ns is not None


def test_a_receive_of_several_is_an_event_for_each(orders, told):
    orders.send_batch(["a", "b", "c"])
    orders.receive(max_number_of_messages=10)
    assert told("message", operation="receive") == [("a",), ("b",), ("c",)]


def test_a_fifo_queue_says_group_number_and_what_it_knows_a_message_by(numbered, history):
    numbered.send("hello", message_group_id="g", message_deduplication_id="once")
    numbered.send("hello", message_group_id="g", message_deduplication_id="once")
    [message] = numbered.receive()
    numbered.delete(message.receipt_handle)

    first, again, receive, delete = history
    assert (first.group, first.deduplication_id) == ("g", "once")
    assert first.message_id == again.message_id
    assert first.sequence_number == again.sequence_number == receive.sequence_number
    assert receive.group == delete.group == "g"


def test_a_message_is_called_as_its_producer_calls_it(broker, history, clock):
    recorder = Recorder(history, clock, identify=lambda body: body.partition(":")[0])
    queue = recorder.queue(broker.create_queue("orders"))
    queue.send("order-1:one lamp")
    [message] = queue.receive()
    queue.delete(message)
    assert [event.message for event in history] == ["order-1"] * 3


# --- what fails ---


def test_a_refused_call_is_written_down_as_not_done(orders, history):
    with pytest.raises(ReceiptHandleIsInvalid):
        orders.delete("no such handle")
    [event] = history
    assert (event.operation, event.outcome, event.error) == ("delete", "failed", "ReceiptHandleIsInvalid")
    assert event.ended_ns is not None


def test_a_call_of_a_queue_that_is_gone_failed(orders, broker, history):
    broker.delete_queue("orders")
    for call in (lambda: orders.send("hello"), orders.receive):
        with pytest.raises(QueueDoesNotExist):
            call()
    assert [(event.operation, event.outcome) for event in history] == [
        ("send", "failed"),
        ("receive", "failed"),
    ]


def test_a_message_that_somebody_else_received_is_known_by_itself(orders, broker, history):
    broker.queue("orders").send("order-1")
    [message] = broker.queue("orders").receive()
    orders.delete(message)
    [event] = history
    assert (event.message, event.message_id) == ("order-1", message.message_id)


def test_one_client_may_delete_what_another_received(broker, recorder, told):
    queue = broker.create_queue("orders")
    queue.send("order-1")
    [message] = recorder.queue(queue, "receiver").receive()
    recorder.queue(queue, "deleter").delete(message.receipt_handle)
    assert told("actor", "message") == [("receiver", "order-1"), ("deleter", "order-1")]


class Silent:
    """A queue over AWS that does not answer."""

    name = "orders"

    def __init__(self, *, may_be_done):
        self.error = NoAnswer("SendMessage", "the line is dead", may_be_done=may_be_done)

    def send(self, message_body):
        raise self.error

    receive = delete = None


@pytest.mark.parametrize(("may_be_done", "outcome"), [(True, "unknown"), (False, "failed")])
def test_nobody_knows_of_a_call_without_an_answer_that_went_out(recorder, history, may_be_done, outcome):
    queue = recorder.queue(Silent(may_be_done=may_be_done))
    with pytest.raises(NoAnswer):
        queue.send("order-1")
    [event] = history
    assert (event.message, event.outcome, event.error) == ("order-1", outcome, "NoAnswer")
    assert (event.ended_ns is None) == (outcome == "unknown")


def test_nobody_knows_what_became_of_a_call_that_was_cancelled(broker, recorder, history):
    queue = recorder.queue(AsyncQueue(broker.create_queue("orders")))

    async def cancelled():
        waiting = asyncio.create_task(queue.receive(wait_time_seconds=20))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancelled())
    [event] = history
    assert (event.operation, event.outcome, event.ended_ns) == ("receive", "unknown", None)


# --- batches ---


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
def test_each_message_of_a_batch_is_an_event_that_is_done_or_not(orders, told, entries):
    result = orders.send_batch(entries(["a", "\x00", "c"]))
    assert list(result.successful) == ["0", "2"]
    assert told("operation", "message", "outcome", "error", "message_id") == [
        ("send", "a", "ok", None, result.successful["0"].message_id),
        ("send", "\x00", "failed", "InvalidMessageContents", None),
        ("send", "c", "ok", None, result.successful["2"].message_id),
    ]


def test_a_batch_that_is_refused_as_a_whole_failed_for_each(orders, told):
    with pytest.raises(BatchEntryIdsNotDistinct):
        orders.send_batch([{"id": "a", "message_body": "1"}, {"id": "a", "message_body": "2"}])
    assert [outcome for (outcome,) in told("outcome")] == ["failed", "failed"]


def test_what_is_no_list_of_entries_has_no_events(orders, history):
    for batch in (orders.send_batch, orders.delete_batch, orders.change_visibility_batch):
        with pytest.raises(ValueError, match="list of entries"):
            batch(17)
    assert not history


def test_deletes_and_changes_of_a_batch_know_their_messages(orders, told):
    orders.send_batch(["a", "b"])
    one, two = orders.receive(max_number_of_messages=10)
    orders.change_visibility_batch([(one, 60), ChangeVisibilityEntry("x", two.receipt_handle, 70)])
    orders.delete_batch([DeleteEntry("x", one), {"id": "y", "receipt_handle": "no handle"}])
    assert told("message", "outcome", operation="change_visibility") == [("a", "ok"), ("b", "ok")]
    assert told("message", "outcome", operation="delete") == [("a", "ok"), (None, "failed")]


# --- operators, and memory ---


def test_what_an_operator_does_is_told(orders, broker, told):
    orders.purge()
    orders.set_attributes(visibility_timeout=1)
    with pytest.raises(ValueError, match="DelaySeconds"):
        orders.set_attributes(delay_seconds=-1)
    assert told("operation", "resource", "outcome") == [
        ("purge", "orders", "ok"),
        ("set_attributes", "orders", "ok"),
        ("set_attributes", "orders", "failed"),
    ]


def test_a_receipt_is_forgotten_with_its_message(orders, recorder):
    orders.send_batch(["a", "b"])
    one, two = orders.receive(max_number_of_messages=2)
    orders.delete(one)
    assert list(recorder.receipts) == [two.receipt_handle]


def test_a_broker_gives_recorded_queues_and_streams(recorder, told):
    broker = recorder.broker(Broker(seed=7), "operator")
    broker.create_queue("orders")
    broker.queue("orders").send("order-1")
    [listed] = broker.list_queues()
    listed.send("order-2")
    broker.create_stream("events").put_record(b"departed", "LX-320")
    broker.delete_queue("orders")
    assert told("actor", "operation", "resource", "message") == [
        ("operator", "send", "orders", "order-1"),
        ("operator", "send", "orders", "order-2"),
        ("operator", "put", "events", "departed"),
        ("operator", "delete_queue", "orders", None),
    ]


# --- over AWS ---


def test_a_queue_over_aws_is_asked_for_its_timeout_once(recorder, clock, history):
    calls = FaultPlan(Fault(effect="slow_down"))
    with mock_aws(clock=clock, faults=calls), connect("aws://us-east-1") as broker:
        queue = recorder.queue(broker.create_queue("orders", visibility_timeout=40))
        for body in ("order-1", "order-2"):
            queue.send(body)
            queue.receive()
    assert [event.visible_ns - event.started_ns for event in history.events[1::2]] == [40 * SECOND] * 2
    assert [struck.operation for struck in calls.injected].count("GetQueueAttributes") == 1


def test_a_queue_over_aws_is_recorded_for_asyncio(recorder, clock, told):
    async def talk():
        async with connect_async("aws://us-east-1") as broker:
            queue = recorder.queue(await broker.create_queue("orders"))
            await queue.send("order-1")
            [message] = await queue.receive()
            await queue.delete(message)

    with mock_aws(clock=clock):
        asyncio.run(talk())
    assert told("operation", "message", "outcome") == [
        ("send", "order-1", "ok"),
        ("receive", "order-1", "ok"),
        ("delete", "order-1", "ok"),
    ]
