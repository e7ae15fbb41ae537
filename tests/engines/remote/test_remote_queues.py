"""A queue over AWS does what the core's does: the same parameters, the same values, the same errors."""

import inspect

import pytest

from queuestream import (
    Broker,
    ChangeVisibilityEntry,
    DeleteEntry,
    MessageAttribute,
    Queue,
    RedriveAllowPolicy,
    RedrivePolicy,
    SendEntry,
    errors,
)
from queuestream.aws.remote.broker import AsyncRemoteBroker, RemoteBroker
from queuestream.aws.remote.queues import RemoteQueue
from queuestream.core.errors import NotSupportedByEngine

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture
def queue(remote):
    return remote.create_queue("emails")


@pytest.fixture
def fifo_queue(remote):
    return remote.create_queue("orders.fifo", fifo_queue=True)


# --- the same shape ---


def public_names(owner):
    return {name for name in dir(owner) if not name.startswith("_")}


def parameters_of(method):
    return [
        (parameter.name, parameter.kind, parameter.default)
        for parameter in inspect.signature(method).parameters.values()
        if parameter.name != "self"
    ]


def test_a_queue_over_aws_has_every_name_that_a_queue_has(queue):
    core = Queue("emails")
    assert public_names(core) | vars(core).keys() & {"name", "broker", "created_ns"} <= public_names(queue)


@pytest.mark.parametrize("name", sorted(public_names(Queue)))
def test_an_operation_over_aws_takes_what_the_core_takes(name):
    core, remote = getattr(Queue, name), getattr(RemoteQueue, name)
    assert isinstance(remote, property) == isinstance(core, property)
    if inspect.isfunction(core):
        assert parameters_of(remote) == parameters_of(core)
        assert remote.__doc__


IN_THIS_PROCESS_ONLY = {"lock", "listeners", "publish", "storage", "new_shard"}


def test_a_broker_over_aws_has_every_name_that_a_broker_has(remote):
    broker = Broker()
    names = public_names(Broker) | {name for name in vars(broker) if not name.startswith("_")}
    assert names - public_names(type(remote)) == IN_THIS_PROCESS_ONLY


@pytest.mark.parametrize("kind", [RemoteBroker, AsyncRemoteBroker])
def test_a_brokers_operation_over_aws_takes_what_the_core_takes(kind):
    for name, core in inspect.getmembers(Broker, inspect.isfunction):
        if not name.startswith("_") and name not in IN_THIS_PROCESS_ONLY:
            assert parameters_of(getattr(kind, name)) == parameters_of(core), name


@pytest.mark.parametrize("name", ["peek", "next_event_ns", "check_invariants"])
def test_what_aws_cannot_do_with_a_queue_says_so_and_what_to_do_instead(queue, name):
    with pytest.raises(NotSupportedByEngine, match=f"The engine 'aws' has no {name}. .+"):
        getattr(queue, name)()


@pytest.mark.parametrize(
    "ask",
    [
        lambda broker: broker.clock,
        lambda broker: broker.ids,
        lambda broker: broker.account_id,
        lambda broker: broker.queue_limits,
        lambda broker: broker.consistency,
        lambda broker: broker.queues,
        lambda broker: broker.streams,
        lambda broker: broker.listen(print),
        lambda broker: broker.next_event_ns(),
        lambda broker: broker.check_invariants(),
    ],
)
def test_what_a_broker_over_aws_cannot_have_says_so(remote, ask):
    with pytest.raises(NotSupportedByEngine, match="The engine 'aws' has no"):
        ask(remote)


# --- sending and receiving ---


def test_a_message_comes_back_with_everything_that_it_was_sent_with(queue, its_clock):
    attributes = {
        "count": 3,
        "price": 1.5,
        "note": "a text",
        "raw": b"\x00",
        "own": MessageAttribute("Number.x", "1"),
    }
    now_ms = its_clock.now_ns() // 1_000_000

    sent = queue.send(
        "hello", message_attributes=attributes, message_system_attributes={"AWSTraceHeader": TRACE}
    )
    its_clock.advance(seconds=2)
    [message] = queue.receive()

    assert message.message_id == sent.message_id
    assert message.body == "hello"
    assert message.message_attributes == {
        "count": MessageAttribute("Number", "3"),
        "price": MessageAttribute("Number", "1.5"),
        "note": MessageAttribute("String", "a text"),
        "raw": MessageAttribute("Binary", b"\x00"),
        "own": MessageAttribute("Number.x", "1"),
    }
    assert message.aws_trace_header == TRACE
    assert (message.receive_count, message.sender_id) == (1, "123456789012")
    assert (message.sent_timestamp_ms, message.first_received_timestamp_ms) == (now_ms, now_ms + 2_000)
    assert (sent.md5_of_body, sent.md5_of_message_attributes) == (
        message.md5_of_body,
        message.md5_of_message_attributes,
    )
    assert sent.md5_of_message_system_attributes is not None
    assert message.message_group_id is message.sequence_number is message.dead_letter_queue_source_arn is None


def test_a_receive_asks_for_the_attributes_that_are_named(queue):
    queue.send("hello", message_attributes={"order.id": 1, "order.kind": "b", "other": 2})
    [message] = queue.receive(visibility_timeout=0, message_attribute_names=["order.*"])
    assert message.message_attributes.keys() == {"order.id", "order.kind"}
    [message] = queue.receive(message_attribute_names=())
    assert message.message_attributes == {}


def test_delay_timeout_and_count_reach_aws(queue, its_clock):
    queue.send("later", delay_seconds=5)
    assert queue.receive() == []
    its_clock.advance(seconds=5)
    [message] = queue.receive(visibility_timeout=10, max_number_of_messages=3)

    queue.change_visibility(message, 1)
    its_clock.advance(seconds=1)
    [again] = queue.receive()
    assert again.receive_count == 2
    queue.delete(again.receipt_handle)
    assert queue.counts() == (0, 0, 0)


def test_a_receive_waits_at_aws(queue, its_clock):
    before = its_clock.now_ns()
    assert queue.receive(wait_time_seconds=20) == []
    assert its_clock.now_ns() - before == 20_000_000_000


def test_a_fifo_queue_gives_group_number_and_deduplication_id(fifo_queue):
    sent = fifo_queue.send("hello", message_group_id="g", message_deduplication_id="d")
    again = fifo_queue.send("again", message_group_id="g", message_deduplication_id="d")
    assert (again.message_id, again.sequence_number) == (sent.message_id, sent.sequence_number)
    [message] = fifo_queue.receive()
    assert (message.message_group_id, message.message_deduplication_id) == ("g", "d")
    assert message.sequence_number == sent.sequence_number is not None
    assert fifo_queue.is_fifo


# --- batches ---


def test_a_batch_may_succeed_in_part_and_answers_in_the_order_of_the_request(queue):
    result = queue.send_batch(
        [
            SendEntry("a", "one", message_attributes={"n": 1}),
            {"id": "b", "message_body": ""},
            {"id": "c", "message_body": "three", "delay_seconds": 7},
        ]
    )
    assert list(result.successful) == ["a", "c"]
    assert result.successful["a"].md5_of_message_attributes is not None
    assert (result.failed["b"].code, result.failed["b"].sender_fault) == ("EmptyValue", True)
    assert queue.counts() == (1, 0, 1)


def test_plain_entries_have_their_position_for_an_id(queue):
    assert list(queue.send_batch(["one", "two"]).successful) == ["0", "1"]
    one, two = queue.receive(max_number_of_messages=10)
    assert queue.change_visibility_batch([(one, 5), (two.receipt_handle, 99_999)]).successful == {"0": None}
    result = queue.delete_batch([one, "no handle"])
    assert result.successful == {"0": None}
    assert result.failed["1"].code == "ReceiptHandleIsInvalid"


def test_entries_of_every_form_will_do(queue):
    queue.send_batch(["one", "two"])
    one, two = queue.receive(max_number_of_messages=10)
    changes = [
        ChangeVisibilityEntry("x", one, 5),
        {"id": "y", "receipt_handle": two, "visibility_timeout": 6},
    ]
    assert queue.change_visibility_batch(changes).successful == {"x": None, "y": None}
    deletions = [DeleteEntry("x", one), {"id": "y", "receipt_handle": two.receipt_handle}]
    assert queue.delete_batch(deletions).successful == {"x": None, "y": None}


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([], errors.EmptyBatchRequest),
        (["x"] * 11, errors.TooManyEntriesInBatchRequest),
        ([SendEntry("a", "x"), SendEntry("a", "y")], errors.BatchEntryIdsNotDistinct),
        ([SendEntry("!", "x")], errors.InvalidBatchEntryId),
        (["x" * 600_000, "y" * 600_000], errors.BatchRequestTooLong),
        ("one", errors.InvalidParameterValue),
        ([{"id": "a"}], errors.MissingParameter),
    ],
)
def test_a_batch_is_refused_as_the_core_refuses_it(queue, entries, error):
    with pytest.raises(error) as over_aws:
        queue.send_batch(entries)
    with pytest.raises(error) as in_core:
        Queue("emails").send_batch(entries)
    assert str(over_aws.value) == str(in_core.value)
    assert vars(over_aws.value) == vars(in_core.value)


# --- the queue as a whole ---


def test_settings_are_the_same_value_as_in_the_core(remote):
    dead = remote.create_queue("dead", redrive_allow_policy=RedriveAllowPolicy(redrive_permission="allowAll"))
    settings = {
        "visibility_timeout": 7,
        "message_retention_period": 60,
        "redrive_policy": RedrivePolicy(dead_letter_target_arn=dead.arn, max_receive_count=3),
        "policy": {"Version": "2012-10-17", "Statement": []},
        "sqs_managed_sse_enabled": False,
    }
    queue = remote.create_queue("emails", **settings, tags={"team": "a"})

    core = Broker(account_id="123456789012")
    core.create_queue("dead")
    twin = core.create_queue("emails", **settings)
    assert queue.attributes == twin.attributes
    assert dead.attributes.redrive_allow_policy == RedriveAllowPolicy(redrive_permission="allowAll")
    assert queue.tags == {"team": "a"}
    assert (queue.name, queue.arn, queue.url, queue.is_fifo) == (twin.name, twin.arn, twin.url, False)


def test_settings_are_changed_and_taken_away(remote):
    remote.create_queue("dead")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 3}
    queue = remote.create_queue("emails", fifo_queue=False, kms_master_key_id=None, redrive_policy=policy)
    queue.set_attributes(redrive_policy=None, delay_seconds=3, kms_master_key_id="alias/mine")
    attributes = queue.attributes
    assert (attributes.redrive_policy, attributes.delay_seconds) == (None, 3)
    assert (attributes.kms_master_key_id, attributes.sqs_managed_sse_enabled) == ("alias/mine", False)


def test_a_fifo_queue_has_its_settings(fifo_queue):
    fifo_queue.set_attributes(content_based_deduplication=True, deduplication_scope="messageGroup")
    attributes = fifo_queue.attributes
    assert (attributes.fifo_queue, attributes.content_based_deduplication) == (True, True)
    assert attributes.deduplication_scope == "messageGroup"


def test_counts_and_instants_are_asked_for(queue, its_clock):
    created_ns = its_clock.now_ns() // 10**9 * 10**9
    queue.send("one")
    queue.send("two", delay_seconds=9)
    queue.send("three")
    queue.receive()
    assert queue.counts() == (1, 1, 1)
    assert queue.approximate_number_of_messages == 1
    assert queue.approximate_number_of_messages_not_visible == 1
    assert queue.approximate_number_of_messages_delayed == 1
    assert queue.created_ns == queue.last_modified_ns == created_ns
    queue.purge()
    assert queue.counts() == (0, 0, 0)
    with pytest.raises(errors.PurgeQueueInProgress):
        queue.purge()


def test_tags_are_added_and_taken_away(queue):
    queue.tag({"a": "1", "b": "2", "c": "3"})
    queue.untag("a")
    queue.untag(key for key in ("b",))
    assert queue.tags == {"c": "3"}


def test_permissions_are_written_into_the_policy(queue):
    queue.add_permission("ours", {"111122223333"}, ("SendMessage",))
    assert '"ours"' in queue.attributes.policy
    queue.remove_permission("ours")
    assert '"ours"' not in (queue.attributes.policy or "")


def test_dead_letters_are_moved_back(remote, its_clock):
    dead = remote.create_queue("dead")
    source = remote.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    assert dead.list_dead_letter_source_queues() == [source]
    source.send("bad")
    source.receive(visibility_timeout=0)
    source.receive()
    [letter] = dead.receive(visibility_timeout=0)
    assert letter.dead_letter_queue_source_arn == source.arn

    handle = dead.start_message_move_task(max_number_of_messages_per_second=1)
    [task] = dead.list_message_move_tasks()
    assert (task.task_handle, task.status, task.source_arn) == (handle, "RUNNING", dead.arn)
    assert (task.destination_arn, task.max_number_of_messages_per_second) == (None, 1)
    assert (task.approximate_number_of_messages_moved, task.approximate_number_of_messages_to_move) == (0, 1)
    assert task.started_timestamp_ms == its_clock.now_ns() // 1_000_000

    its_clock.advance(seconds=2)
    [task] = remote.list_message_move_tasks(dead.arn, max_results=1)
    assert (task.status, task.approximate_number_of_messages_moved) == ("COMPLETED", 1)
    assert source.counts().visible == 1

    dead.send("another")
    handle = remote.start_message_move_task(dead.arn, source.arn, max_number_of_messages_per_second=1)
    assert remote.cancel_message_move_task(handle) == 0
    with pytest.raises(errors.UnsupportedOperation):
        remote.cancel_message_move_task(handle)


# --- a broker's queues ---


def test_a_queue_is_found_by_name_arn_and_url(remote, queue):
    elsewhere = "http://localhost:9999/123456789012/emails"
    found = [
        remote.queue("emails"),
        remote.queue_by_arn(queue.arn),
        remote.queue_by_url(elsewhere),
        remote.find_queue(queue.arn),
    ]
    assert found == [queue] * 4
    assert {hash(one) for one in found} == {hash(queue)}
    assert queue != "emails"
    assert repr(queue) == "<RemoteQueue 'emails' in us-east-1>"


@pytest.mark.parametrize(
    "find",
    [
        lambda broker: broker.queue("letters"),
        lambda broker: broker.queue_by_arn("arn:aws:sqs:us-east-1:123456789012:letters"),
        lambda broker: broker.queue_by_arn("arn:aws:sqs:eu-west-1:123456789012:emails"),
        lambda broker: broker.queue_by_arn("arn:aws:kinesis:us-east-1:123456789012:stream/emails"),
        lambda broker: broker.queue_by_arn("emails"),
        lambda broker: broker.queue_by_url("https://sqs.us-east-1.amazonaws.com/123456789012/letters"),
        lambda broker: broker.queue_by_url("emails"),
        lambda broker: broker.queue_by_url(None),
        lambda broker: broker.delete_queue("letters"),
    ],
)
def test_a_queue_that_does_not_exist_is_not_found(remote, queue, find):
    with pytest.raises(errors.QueueDoesNotExist):
        find(remote)
    assert remote.find_queue("arn:aws:sqs:us-east-1:123456789012:letters") is None


def test_queues_are_listed_page_by_page(remote):
    for name in ("a-1", "a-2", "a-3", "b-1"):
        remote.create_queue(name)
    assert len(remote.list_queues()) == 4
    first = remote.list_queues(queue_name_prefix="a-", max_results=2)
    rest = remote.list_queues(queue_name_prefix="a-", max_results=2, next_token=first.next_token)
    assert sorted(queue.name for queue in [*first, *rest]) == ["a-1", "a-2", "a-3"]
    assert rest.next_token is None


def test_a_queue_is_deleted(remote, queue):
    queue.delete_queue()
    with pytest.raises(errors.QueueDoesNotExist) as caught:
        queue.send("hello")
    assert caught.value.queue == "emails"
    remote.create_queue("letters")
    remote.delete_queue("letters")
    with pytest.raises(errors.QueueDeletedRecently):
        remote.create_queue("letters")


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("eu-west-1", "arn:aws:sqs:eu-west-1:1:emails"),
        ("cn-north-1", "arn:aws-cn:sqs:cn-north-1:1:emails"),
        ("us-gov-west-1", "arn:aws-us-gov:sqs:us-gov-west-1:1:emails"),
    ],
)
def test_an_arn_is_made_as_aws_makes_it(region, arn):
    class Somewhere:
        pass

    Somewhere.region = region
    assert RemoteQueue(Somewhere, "https://sqs.example/1/emails").arn == arn
    assert RemoteQueue(Somewhere, "emails").name == "emails"


# --- refusals ---


@pytest.mark.parametrize(
    "call",
    [
        lambda queue: queue.send(""),
        lambda queue: queue.send("\x00"),
        lambda queue: queue.send("x", delay_seconds=901),
        lambda queue: queue.send("x", message_attributes={"a": MessageAttribute("Colour", "red")}),
        lambda queue: queue.send("x", message_attributes={"a": True}),
        lambda queue: queue.send("x", message_attributes="a"),
        lambda queue: queue.send("x", message_system_attributes={"Other": "y"}),
        lambda queue: queue.receive(max_number_of_messages=11),
        lambda queue: queue.receive(message_attribute_names="All"),
        lambda queue: queue.delete("no handle"),
        lambda queue: queue.change_visibility("no handle", 43_201),
        lambda queue: queue.set_attributes(colour="red"),
        lambda queue: queue.set_attributes(delay_seconds=-1),
        lambda queue: queue.set_attributes(fifo_queue=True),
        lambda queue: queue.set_attributes(policy={"Version": object()}),
        lambda queue: queue.tag({}),
        lambda queue: queue.tag({"aws:x": "1"}),
        lambda queue: queue.untag([]),
        lambda queue: queue.add_permission("ours", "111122223333", ["SendMessage"]),
        lambda queue: queue.remove_permission("nobody's"),
        lambda queue: queue.start_message_move_task(),
        lambda queue: queue.list_message_move_tasks(max_results=11),
        lambda queue: queue.list_dead_letter_source_queues(max_results=0),
    ],
)
def test_a_refusal_is_of_the_class_that_the_core_raises(queue, call):
    with pytest.raises(errors.ServiceError) as in_core:
        call(Queue("emails"))
    with pytest.raises(type(in_core.value)) as over_aws:
        call(queue)
    assert type(over_aws.value) is type(in_core.value)


def test_a_queue_that_exists_otherwise_is_named_with_the_difference(remote, queue):
    assert remote.create_queue("emails") == queue
    with pytest.raises(errors.QueueNameExists) as caught:
        remote.create_queue("emails", delay_seconds=5)
    assert (caught.value.queue, caught.value.attribute) == ("emails", "DelaySeconds")
