"""What is known about a queue besides its messages: settings, tags, permissions, counts, what it shows."""

import json

import pytest

from queuestream import Queue, RedriveAllowPolicy, VirtualClock
from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    BrokerClosed,
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
    OverLimit,
)


def bodies(messages):
    return [message.body for message in messages]


def test_a_queue_alone_has_a_broker_of_its_own():
    clock = VirtualClock()
    queue = Queue("emails", visibility_timeout=5, clock=clock, seed=7, tags={"team": "mail"})
    assert queue.broker.queues == {"emails": queue}
    assert queue.broker.clock is clock
    assert queue.broker.ids.seed == 7
    assert queue.attributes.visibility_timeout == 5
    assert queue.tags == {"team": "mail"}


def test_a_queue_has_awss_names(queue, fifo):
    assert queue.name == "emails"
    assert queue.arn == "arn:aws:sqs:us-east-1:000000000000:emails"
    assert queue.url == "https://sqs.us-east-1.amazonaws.com/000000000000/emails"
    assert (queue.is_fifo, fifo.is_fifo) == (False, True)


def test_a_queue_knows_when_it_was_made_and_changed(queue, clock):
    start_ns = clock.now_ns()
    clock.advance(seconds=5)
    queue.send("hello")
    queue.tag({"a": "b"})
    assert (queue.created_ns, queue.last_modified_ns) == (start_ns, start_ns)
    queue.set_attributes(delay_seconds=1)
    assert (queue.created_ns, queue.last_modified_ns) == (start_ns, start_ns + 5 * SECOND)


# --- settings ------------------------------------------------------------------------------------------


def test_settings_are_changed_one_by_one(queue):
    queue.set_attributes(visibility_timeout=60, delay_seconds=1)
    queue.set_attributes(maximum_message_size=2_048)
    attributes = queue.attributes
    assert (attributes.visibility_timeout, attributes.delay_seconds) == (60, 1)
    assert attributes.maximum_message_size == 2_048
    assert attributes.message_retention_period == 345_600


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"visibility_timeout": 43_201}, InvalidAttributeValue),
        ({"delay_seconds": "5"}, InvalidAttributeValue),
        ({"visibility_timeout": 5, "unknown": 1}, InvalidAttributeName),
        ({"content_based_deduplication": True}, InvalidAttributeName),
        ({"fifo_queue": True}, InvalidAttributeName),
        ({"redrive_policy": "{}"}, InvalidParameterValue),
        ({"delay_seconds": 5, "policy": "no json"}, InvalidAttributeValue),
    ],
)
def test_a_refused_change_changes_nothing(queue, clock, changes, error):
    before = queue.attributes
    clock.advance(seconds=1)
    with pytest.raises(error):
        queue.set_attributes(**changes)
    assert queue.attributes == before
    assert queue.last_modified_ns == clock.now_ns() - SECOND


def test_a_queue_stays_of_its_kind(fifo):
    with pytest.raises(InvalidAttributeValue, match="Modifying queue type is not supported"):
        fifo.set_attributes(fifo_queue=False)
    fifo.set_attributes(fifo_queue=True)


def test_a_new_visibility_timeout_counts_from_the_next_receive_on(queue, clock):
    queue.send_batch(["a", "b"])
    queue.receive()
    queue.set_attributes(visibility_timeout=5)
    queue.receive()
    clock.advance(seconds=5)
    assert bodies(queue.receive(visibility_timeout=0)) == ["b"]
    clock.advance(seconds=25)
    assert queue.counts() == (2, 0, 0)


def test_a_new_delay_of_a_standard_queue_counts_for_new_messages_only(queue, clock):
    # Developer guide, "Amazon SQS delay queues": not retroactive for standard queues.
    queue.send("before")
    queue.set_attributes(delay_seconds=10)
    queue.send("after")
    assert bodies(queue.receive(max_number_of_messages=10)) == ["before"]
    queue.set_attributes(delay_seconds=0)
    assert queue.receive() == []
    clock.advance(seconds=10)
    assert bodies(queue.receive()) == ["after"]


def test_a_new_maximum_size_counts_for_new_messages_only(queue):
    queue.send("x" * 2_000)
    queue.set_attributes(maximum_message_size=1_024)
    with pytest.raises(InvalidParameterValue, match="shorter than 1024"):
        queue.send("x" * 1_025)
    assert bodies(queue.receive()) == ["x" * 2_000]


def test_a_new_waiting_time_counts_from_the_next_receive_on(queue, clock):
    queue.set_attributes(receive_message_wait_time_seconds=7)
    start_ns = clock.now_ns()
    assert queue.receive() == []
    assert clock.now_ns() == start_ns + 7 * SECOND


def test_a_changed_scope_of_deduplication_counts_from_the_next_send_on(fifo):
    fifo.send("hello", message_group_id="g")
    fifo.set_attributes(deduplication_scope="messageGroup", fifo_throughput_limit="perMessageGroupId")
    fifo.send("hello", message_group_id="h")
    assert len(fifo.peek()) == 2


def test_encryption_settings_are_kept(queue):
    queue.set_attributes(kms_master_key_id="alias/aws/sqs", kms_data_key_reuse_period_seconds=60)
    assert queue.attributes.kms_master_key_id == "alias/aws/sqs"
    assert queue.attributes.sqs_managed_sse_enabled is False
    queue.set_attributes(kms_master_key_id="", sqs_managed_sse_enabled=True)
    assert queue.attributes.kms_master_key_id is None


def test_policies_are_kept_and_taken_away(queue):
    policy = {"Version": "2012-10-17", "Statement": []}
    queue.set_attributes(policy=policy, redrive_allow_policy={"redrivePermission": "denyAll"})
    assert json.loads(queue.attributes.policy) == policy
    assert queue.attributes.redrive_allow_policy == RedriveAllowPolicy(redrive_permission="denyAll")
    queue.set_attributes(policy="", redrive_allow_policy=None)
    assert queue.attributes.policy is queue.attributes.redrive_allow_policy is None


# --- tags ----------------------------------------------------------------------------------------------


def test_tags_are_added_changed_and_taken_away(broker):
    given = {"team": "mail", "stage": "test"}
    queue = broker.create_queue("emails", tags=given)
    given["team"] = "other"
    assert queue.tags == {"team": "mail", "stage": "test"}
    queue.tag({"stage": "live", "Stage": "case counts"})
    assert queue.tags == {"team": "mail", "stage": "live", "Stage": "case counts"}
    queue.untag(["team", "unknown"])
    queue.untag("Stage")
    assert queue.tags == {"stage": "live"}
    queue.tags.clear()
    assert queue.tags == {"stage": "live"}


def test_a_queue_has_fifty_tags_at_most(queue):
    queue.tag({f"key{number}": "" for number in range(49)})
    queue.tag({"key0": "x", "last": "x"})
    with pytest.raises(InvalidParameterValue, match="maximum is 50"):
        queue.tag({"one": "too many"})
    assert len(queue.tags) == 50


@pytest.mark.parametrize(
    "tags", [5, "text", [("a", "b")], {"a": 1}, {1: "a"}, {"": "a"}, {"aws:a": "b"}, 0, ""]
)
def test_tags_are_texts_by_key(broker, queue, tags):
    with pytest.raises((InvalidParameterValue, MissingParameter)):
        queue.tag(tags)
    with pytest.raises(InvalidParameterValue):
        broker.create_queue("new", tags=tags)
    with pytest.raises(InvalidParameterValue):
        broker.create_queue("emails", tags=tags)
    assert queue.tags == {}


def test_a_request_to_tag_names_tags(queue):
    for tags in ({}, None):
        with pytest.raises((MissingParameter, InvalidParameterValue), match="Tags"):
            queue.tag(tags)
    with pytest.raises(InvalidParameterValue, match="Tag keys must be between 1 and 128 characters"):
        queue.untag([])
    for keys in (None, 5, [5], [["a"]]):
        with pytest.raises(InvalidParameterValue, match="TagKeys"):
            queue.untag(keys)


# --- permissions ---------------------------------------------------------------------------------------


def test_permissions_are_written_into_the_policy(queue):
    queue.add_permission("friends", ["123456789012"], ["SendMessage", "ReceiveMessage"])
    queue.add_permission("all", ["123456789012", "210987654321"], ["*"])
    friends, everything = json.loads(queue.attributes.policy)["Statement"]
    assert friends == {
        "Sid": "friends",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"],
        "Resource": queue.arn,
    }
    assert everything["Action"] == "SQS:*"
    queue.remove_permission("friends")
    assert [statement["Sid"] for statement in json.loads(queue.attributes.policy)["Statement"]] == ["all"]
    queue.remove_permission("all")
    assert queue.attributes.policy is None


def test_a_refused_permission_changes_nothing(queue):
    queue.add_permission("label", ["123456789012"], ["SendMessage"])
    before = queue.attributes
    for label, accounts, actions, error in (
        ("label", ["123456789012"], ["SendMessage"], InvalidParameterValue),
        ("b c", ["123456789012"], ["SendMessage"], InvalidParameterValue),
        ("other", ["12345"], ["SendMessage"], InvalidParameterValue),
        ("other", ["123456789012"], ["DeleteQueue"], InvalidParameterValue),
        ("other", ["123456789012"], [], MissingParameter),
        ("other", ["123456789012"], ["SendMessage"] * 8, OverLimit),
    ):
        with pytest.raises(error):
            queue.add_permission(label, accounts, actions)
    with pytest.raises(InvalidParameterValue, match="can't find label"):
        queue.remove_permission("unknown")
    assert queue.attributes == before


def test_a_changed_policy_is_a_changed_setting(queue, clock):
    clock.advance(seconds=1)
    queue.add_permission("label", ["123456789012"], ["SendMessage"])
    assert queue.last_modified_ns == clock.now_ns()


# --- what it shows -------------------------------------------------------------------------------------


def test_counts_say_how_many_are_in_which_state(queue, clock):
    queue.send_batch(["a", "b", "c"])
    queue.send("d", delay_seconds=5)
    queue.receive()
    assert queue.counts() == (2, 1, 1)
    assert (queue.counts().visible, queue.counts().in_flight, queue.counts().delayed) == (2, 1, 1)
    assert queue.approximate_number_of_messages == 2
    assert queue.approximate_number_of_messages_not_visible == 1
    assert queue.approximate_number_of_messages_delayed == 1
    clock.advance(seconds=5)
    assert queue.counts() == (3, 1, 0)
    clock.advance(seconds=25)
    assert queue.counts() == (4, 0, 0)


def test_a_queues_repr_tells_what_is_in_it(queue):
    queue.send_batch(["a", "b", "c", "d"])
    queue.send("e", delay_seconds=5)
    queue.receive()
    assert repr(queue) == "<Queue 'emails': 3 visible, 1 in flight, 1 delayed>"
    queue.broker.close()
    assert repr(queue) == "<Queue 'emails': its broker is closed>"


def test_a_messages_repr_tells_which_it_is(queue):
    queue.send("a body that is longer than it needs to be")
    assert [repr(message) for message in queue._ages] == ["<Message 1: 'a body that is longe'>"]


def test_peek_shows_every_message_and_touches_none(queue, clock):
    start_ns = clock.now_ns()
    queue.send("first", message_attributes={"a": "b"}, message_group_id="tenant")
    queue.send("later", delay_seconds=5)
    [received] = queue.receive(visibility_timeout=10)
    clock.advance(seconds=1)
    queue.send("third")
    for _ in range(3):
        first, later, third = queue.peek()
    assert (first.message_id, first.body, first.state) == (received.message_id, "first", "in_flight")
    assert first.visible_at_ns == start_ns + 10 * SECOND
    assert (first.receive_count, first.sent_ns, first.first_received_ns) == (1, start_ns, start_ns)
    assert first.message_attributes == received.message_attributes
    assert (first.message_group_id, first.message_deduplication_id, first.sequence_number) == (
        "tenant",
        None,
        None,
    )
    assert first.dead_letter_queue_source_arn is None
    assert (later.state, later.visible_at_ns, later.receive_count) == ("delayed", start_ns + 5 * SECOND, 0)
    assert (later.first_received_ns, later.message_attributes) == (None, {})
    assert (third.state, third.visible_at_ns) == ("visible", start_ns + SECOND)
    clock.advance(seconds=10)
    assert [message.state for message in queue.peek()] == ["visible", "visible", "visible"]


def test_nothing_is_told_of_a_closed_brokers_queue(queue):
    queue.send("hello")
    queue.broker.close("the disk is full")
    for operation in (
        queue.peek,
        queue.counts,
        queue.receive,
        queue.purge,
        queue.delete_queue,
        lambda: queue.send("hello"),
        lambda: queue.send_batch(["hello"]),
        lambda: queue.set_attributes(delay_seconds=1),
        lambda: queue.tag({"a": "b"}),
        queue.start_message_move_task,
        queue.list_message_move_tasks,
    ):
        with pytest.raises(BrokerClosed, match="the disk is full"):
            operation()
