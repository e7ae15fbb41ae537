"""Every public operation of Queue and Broker against values that nobody should pass.

Whatever comes in, the answer is AWS's error or none, never another exception; and a
refused call has changed nothing.
"""

import copy
import inspect
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuestream import Broker, MessageAttribute, Queue, SendEntry, VirtualClock
from queuestream.core.errors import QueuestreamError
from queuestream.core.queues.attributes import AWS_NAMES
from queuestream.core.queues.batches import ChangeVisibilityEntry, DeleteEntry


class Unprintable:
    """An object that breaks whoever tries to show it."""

    def __repr__(self):
        raise RuntimeError("no name for this")

    __str__ = __repr__


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = [
    None,
    True,
    False,
    0,
    -1,
    1,
    10,
    2**63,
    -(2**200),
    10**5_000,
    0.5,
    math.nan,
    math.inf,
    Decimal("NaN"),
    1j,
    "",
    " ",
    "0",
    "emails",
    "orders.fifo",
    "\0",
    "\ud800",
    "\N{ARABIC-INDIC DIGIT ONE}" * 12,
    "x" * 300,
    "arn:aws:sqs:us-east-1:000000000000:emails",
    "arn:aws:sqs:us-east-1:000000000000:\ud800",
    "{}",
    "[" * 100_000,
    '{"deadLetterTargetArn": {"a": 1}, "maxReceiveCount": [1]}',
    '{"redrivePermission": "byQueue", "sourceQueueArns": [[]]}',
    b"",
    b"\xff",
    bytearray(b"abc"),
    [],
    [None],
    [[]],
    ["a", 5],
    [Unprintable()],
    nested(500),
    (),
    (1, 2),
    ("emails", 0),
    set(),
    {5},
    {},
    {"id": "a"},
    {"id": ["a"], "message_body": 5, "receipt_handle": None, "visibility_timeout": "x"},
    {None: None},
    {"a": "b"},
    {"": {}},
    {5: 6},
    {"AWSTraceHeader": 5},
    {"kind": MessageAttribute(None, None)},
    {"kind": MessageAttribute("Number", "1e999999")},
    {"kind": MessageAttribute("Binary", "text")},
    {"kind": 10**5_000},
    {"deadLetterTargetArn": None, "maxReceiveCount": 10**5_000},
    {"redrivePermission": Unprintable()},
    {"Statement": {"Action": nested(50)}},
    object(),
    Unprintable(),
    Exception("an exception"),
    int,
    len,
    SendEntry(None, None),
    SendEntry("a", Unprintable(), delay_seconds="x", message_attributes=5, message_group_id=[]),
    DeleteEntry([], {}),
    ChangeVisibilityEntry("a", Unprintable(), math.nan),
]

values = st.one_of(
    st.sampled_from(HOSTILE),
    st.integers(),
    st.text(max_size=20),
    st.lists(st.sampled_from(HOSTILE), max_size=12),
    st.dictionaries(st.text(max_size=5), st.sampled_from(HOSTILE), max_size=3),
)
entries = st.lists(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.builds(SendEntry, values, values, delay_seconds=values, message_group_id=values),
        st.builds(DeleteEntry, values, values),
        st.builds(ChangeVisibilityEntry, values, values, values),
        st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "message_body", "receipt_handle"), values)),
    ),
    max_size=12,
)

ATTRIBUTES = [*AWS_NAMES, "unknown"]
QUEUE_OPERATIONS = {
    "send": [
        "message_body",
        "delay_seconds",
        "message_attributes",
        "message_system_attributes",
        "message_group_id",
        "message_deduplication_id",
    ],
    "receive": [
        "max_number_of_messages",
        "visibility_timeout",
        "wait_time_seconds",
        "message_attribute_names",
        "receive_request_attempt_id",
    ],
    "send_batch": ["entries"],
    "delete": ["receipt_handle"],
    "delete_batch": ["entries"],
    "change_visibility": ["receipt_handle", "visibility_timeout"],
    "change_visibility_batch": ["entries"],
    "set_attributes": ATTRIBUTES,
    "tag": ["tags"],
    "untag": ["tag_keys"],
    "add_permission": ["label", "aws_account_ids", "actions"],
    "remove_permission": ["label"],
    "start_message_move_task": ["destination_arn", "max_number_of_messages_per_second"],
    "list_message_move_tasks": ["max_results"],
    "list_dead_letter_source_queues": ["max_results", "next_token"],
}
BROKER_OPERATIONS = {
    "create_queue": ["queue_name", "tags", *ATTRIBUTES],
    "queue": ["queue_name"],
    "queue_by_arn": ["queue_arn"],
    "queue_by_url": ["queue_url"],
    "find_queue": ["queue_arn"],
    "list_queues": ["queue_name_prefix", "max_results", "next_token"],
    "delete_queue": ["queue_name"],
    "start_message_move_task": ["source_arn", "destination_arn", "max_number_of_messages_per_second"],
    "cancel_message_move_task": ["task_handle"],
    "list_message_move_tasks": ["source_arn", "max_results"],
}
# Each operation has its turn, so that a few cases each are many.
A_FEW = settings(max_examples=settings.default.max_examples // 2)
# What a call needs to come as far as the hostile value, where the value does not stand there itself.
GOOD = {
    "message_body": "hello",
    "label": "label",
    "aws_account_ids": ["123456789012"],
    "actions": ["SendMessage"],
    "queue_name": "another",
    "source_arn": "arn:aws:sqs:us-east-1:000000000000:failed",
    "visibility_timeout": 5,
}
WITHOUT_PARAMETERS = {
    "purge",
    "peek",
    "counts",
    "delete_queue",
    "next_event_ns",
    "check_invariants",
}
OURS = {"check_open", "close", "delivery", "listen", "publish", "lock"}


def busy_broker():
    """A broker whose queues hold something in each state."""
    broker = Broker(clock=VirtualClock(), seed=7)
    dead = broker.create_queue("failed")
    dead_fifo = broker.create_queue("failed.fifo", fifo_queue=True)
    for name, target, group in (("emails", dead, {}), ("orders.fifo", dead_fifo, {"message_group_id": "g"})):
        settings = {"fifo_queue": True, "content_based_deduplication": True} if group else {}
        policy = {"deadLetterTargetArn": target.arn, "maxReceiveCount": 5}
        queue = broker.create_queue(name, tags={"team": "mail"}, redrive_policy=policy, **settings)
        for number in range(3):
            queue.send(f"{number}", message_attributes={"n": number}, **group)
        queue.receive()
    broker.queue("emails").send("later", delay_seconds=60)
    return broker


def everything(broker):
    """What can be seen of a broker, to be compared before and after."""
    return [
        (queue.name, queue.peek(), queue.counts(), queue.attributes, queue.tags, queue.last_modified_ns)
        for queue in broker.list_queues()
    ], broker.next_event_ns()


def refusal(operation, arguments):
    """What an operation says to these arguments: our error, or None where it takes them."""
    try:
        operation(**arguments)
    except QueuestreamError as error:
        return str(error)
    return None


def attempt(broker, operation, arguments):
    """Call an operation: it may succeed, but if it is refused, it says why and has changed nothing."""
    before = everything(broker)
    refused_because = refusal(operation, arguments)
    if refused_because is not None:
        assert refused_because.encode()
        assert everything(broker) == before
    broker.check_invariants()
    everything(broker)


@pytest.mark.parametrize("name", QUEUE_OPERATIONS)
@pytest.mark.parametrize("kind", [pytest.param("emails", marks=pytest.mark.slow), "orders.fifo"])
def test_each_hostile_value_in_each_parameter_of_a_queues_operation(name, kind):
    broker = busy_broker()
    for parameter in QUEUE_OPERATIONS[name]:
        for value in HOSTILE:
            if kind not in broker.queues or name in {"send", "send_batch", "receive"}:
                broker = busy_broker()
            queue = broker.queue(kind)
            good = {
                other: GOOD[other]
                for other in QUEUE_OPERATIONS[name]
                if other in GOOD and name != "set_attributes"
            }
            if name == "change_visibility" and parameter != "receipt_handle":
                good["receipt_handle"] = "no handle"
            attempt(broker, getattr(queue, name), {**good, parameter: value})


@pytest.mark.parametrize("name", BROKER_OPERATIONS)
def test_each_hostile_value_in_each_parameter_of_a_brokers_operation(name):
    for parameter in BROKER_OPERATIONS[name]:
        broker = busy_broker()
        for value in HOSTILE:
            good = {
                other: GOOD[other]
                for other in BROKER_OPERATIONS[name]
                if other in GOOD and other != "visibility_timeout"
            }
            if len(broker.queues) != 4:
                broker = busy_broker()
            attempt(broker, getattr(broker, name), {**good, parameter: value})


@pytest.mark.parametrize("name", QUEUE_OPERATIONS)
@A_FEW
@given(st.data())
def test_any_arguments_of_a_queues_operation_are_taken_or_refused(name, data):
    broker = busy_broker()
    queue = broker.queue(data.draw(st.sampled_from(["emails", "orders.fifo"])))
    parameters = QUEUE_OPERATIONS[name]
    arguments = data.draw(
        st.fixed_dictionaries({}, optional={p: entries if p == "entries" else values for p in parameters})
    )
    required = {
        parameter.name
        for parameter in inspect.signature(getattr(queue, name)).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    for missing in required - arguments.keys():
        arguments[missing] = GOOD.get(missing, "")
    attempt(broker, getattr(queue, name), arguments)


@pytest.mark.parametrize("name", BROKER_OPERATIONS)
@A_FEW
@given(st.data())
def test_any_arguments_of_a_brokers_operation_are_taken_or_refused(name, data):
    broker = busy_broker()
    arguments = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(BROKER_OPERATIONS[name], values)))
    for parameter in inspect.signature(getattr(broker, name)).parameters.values():
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD:
            arguments.setdefault(parameter.name, GOOD.get(parameter.name, ""))
    attempt(broker, getattr(broker, name), arguments)


@given(st.fixed_dictionaries({"name": values}, optional=dict.fromkeys(["tags", *ATTRIBUTES], values)))
def test_any_arguments_of_a_queue_alone_are_taken_or_refused(arguments):
    assert refusal(Queue, arguments) != ""


@given(values, values)
def test_any_account_and_region_are_taken_or_refused(account_id, region):
    assert refusal(Broker, {"account_id": account_id, "region": region}) != ""


def test_no_public_operation_is_forgotten():
    public = {name for name in dir(Queue) if not name.startswith("_") and callable(getattr(Queue, name))}
    assert public == {*QUEUE_OPERATIONS, *WITHOUT_PARAMETERS} | (public & OURS)
    streams = {name for name in dir(Broker) if "stream" in name or "account_settings" in name}
    public = {name for name in dir(Broker) if not name.startswith("_")} - streams
    assert public == {*BROKER_OPERATIONS} | (public & (OURS | WITHOUT_PARAMETERS))


def test_what_was_given_is_not_changed():
    broker = busy_broker()
    queue = broker.queue("emails")
    given_values = {
        "message_attributes": {"kind": "welcome"},
        "entries": [{"id": "a", "message_body": "b", "message_attributes": {"c": "d"}}],
        "tags": {"a": "b"},
        "policy": {"deadLetterTargetArn": broker.queue("failed").arn, "maxReceiveCount": "3"},
    }
    before = copy.deepcopy(given_values)
    queue.send("hello", message_attributes=given_values["message_attributes"])
    queue.send_batch(given_values["entries"])
    queue.tag(given_values["tags"])
    queue.set_attributes(redrive_policy=given_values["policy"])
    assert given_values == before
