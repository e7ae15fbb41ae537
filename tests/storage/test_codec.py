"""Changes and values are read as they were written: every class, every field, any text.

What is tried follows from the classes themselves, so that a new change, or a field of a type
that nobody thought of, is tried or fails.
"""

import enum
import json
import types
import typing
from collections.abc import Mapping

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuestream import Broker
from queuestream.core.changes import Change
from queuestream.core.queues import attributes, message_attributes, move_tasks, redrive_policy
from queuestream.core.queues.attributes import QueueAttributes
from queuestream.core.queues.changes import (
    AttributesTookEffect,
    LateChange,
    MessageSent,
    MessagesRemoved,
    QueueDeleted,
    QueueTagged,
    StoredMessage,
)
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits
from queuestream.core.queues.message_attributes import MessageAttribute, MessageAttributes
from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy
from queuestream.core.streams import account, shard
from queuestream.core.streams import settings as stream_settings
from queuestream.core.streams.account import BillingCommitment
from queuestream.core.streams.changes import RecordPut
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.settings import StreamSettings
from queuestream.storage.codec import Unreadable, decode, encode, value_from_json, value_to_json

ARN = "arn:aws:sqs:us-east-1:000000000000:dead"

# Every name that a hint of the core's classes may use.
NAMES = {
    name: value
    for module in (
        typing,
        attributes,
        message_attributes,
        move_tasks,
        redrive_policy,
        account,
        stream_settings,
        shard,
    )
    for name, value in vars(module).items()
} | {"Mapping": Mapping, "RedrivePolicy": RedrivePolicy, "RedriveAllowPolicy": RedriveAllowPolicy}

# Surrogates too: a text that nobody checks may have one.
TEXT = st.text(st.characters(), max_size=30) | st.text(
    'aü\n\0"\\\ud800\N{SPEEDBOAT}', min_size=201, max_size=300
)
SOME_LIMITS = st.sampled_from([AWS_LIMITS, QueueLimits(in_flight_max=3, fair_noisy_share=0.5)])
REDRIVE = st.builds(
    RedrivePolicy, dead_letter_target_arn=st.just(ARN), max_receive_count=st.integers(1, 1_000)
)
ALLOW = st.sampled_from(
    [
        RedriveAllowPolicy(),
        RedriveAllowPolicy(redrive_permission="denyAll"),
        RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=(ARN, f"{ARN}2")),
    ]
)
# What goes together in a queue; any of it is what a later change may say.
ATTRIBUTES = {
    "visibility_timeout": st.integers(0, 43_200),
    "delay_seconds": st.integers(0, 900),
    "message_retention_period": st.integers(60, 1_209_600),
    "maximum_message_size": st.integers(1_024, 1_048_576),
    "receive_message_wait_time_seconds": st.integers(0, 20),
    "policy": st.none() | st.just('{"Version": "2012-10-17", "Statement": []}'),
    "redrive_policy": st.none() | REDRIVE,
    "redrive_allow_policy": st.none() | ALLOW,
    "kms_data_key_reuse_period_seconds": st.integers(60, 86_400),
}
KINDS = {
    int: st.integers() | st.integers(2**127, 2**129),
    bool: st.booleans(),
    float: st.floats(0, 86_400) | st.integers(0, 86_400),
    str: TEXT,
    bytes: st.binary(max_size=300),
    types.NoneType: st.none(),
    QueueAttributes: st.builds(QueueAttributes, limits=SOME_LIMITS, **ATTRIBUTES)
    | st.builds(
        QueueAttributes,
        fifo_queue=st.just(True),
        content_based_deduplication=st.booleans(),
        deduplication_scope=st.just("messageGroup"),
        fifo_throughput_limit=st.sampled_from(["perQueue", "perMessageGroupId"]),
        kms_master_key_id=st.just("key"),
        sqs_managed_sse_enabled=st.just(False),
    ),
    RedrivePolicy: REDRIVE,
    RedriveAllowPolicy: ALLOW,
    StreamLimits: st.sampled_from([StreamLimits(), StreamLimits(put_records_max=3)]),
}


def values_of(kind):
    """Any value of a type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in KINDS:
        return KINDS[kind]
    if origin in {typing.Union, types.UnionType}:
        return st.one_of(*map(values_of, arguments))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin in {dict, Mapping}:
        return st.dictionaries(*map(values_of, arguments), max_size=3)
    if kind is LateChange:
        return st.one_of(*(values_of(late) for late in concrete(LateChange)))
    if kind is StoredMessage:
        # Most messages are no more than a body, which has a way of its own.
        return st.builds(kind, st.integers(), TEXT, TEXT, st.integers()) | values_with_fields(kind)
    return values_with_fields(kind)


def values_with_fields(kind):
    hints = typing.get_type_hints(kind, localns=NAMES)
    fields = {field.name: field for field in attrs.fields(kind) if field.init}
    strategies = {
        name: values_of(hints[name]) for name in fields if (kind, name) != (AttributesTookEffect, "values")
    }
    if kind is AttributesTookEffect:
        strategies["values"] = st.fixed_dictionaries({}, optional=ATTRIBUTES)
    return st.builds(kind, **strategies)


def concrete(kind):
    """The classes of a kind that can be made."""
    found = [one for below in kind.__subclasses__() for one in concrete(below)]
    return [kind, *found] if attrs.has(kind) and kind.__module__.startswith("queuestream.") else found


# What one call may change.
CALLS = st.lists(st.one_of(*map(values_of, concrete(Change))), max_size=5).map(tuple)


def same(written, read):
    """Equal, and of the same types: 1 is not True, and a list is no tuple."""
    assert read == written
    assert repr(read) == repr(written)


@pytest.mark.parametrize("kind", concrete(Change), ids=lambda kind: kind.__name__)
@given(st.data())
@settings(max_examples=3)
def test_every_change_is_read_as_it_was_written(kind, data):
    changes = tuple(data.draw(st.lists(values_of(kind), min_size=1, max_size=3)))
    same(changes, decode(encode(changes)))


@given(CALLS)
def test_changes_of_all_kinds_stand_in_one_entry(changes):
    same(changes, decode(encode(changes)))


@pytest.mark.slow
@given(CALLS)
@settings(max_examples=1_000)
def test_changes_of_all_kinds_stand_in_one_entry_for_long(changes):
    same(changes, decode(encode(changes)))


@pytest.mark.parametrize(
    "kind",
    [
        QueueAttributes,
        StreamSettings,
        StreamLimits,
        MessageAttributes,
        dict[str, str],
        LateChange,
        tuple[LateChange, ...],
        BillingCommitment | None,
        RedrivePolicy,
        StoredMessage,
        bytes,
    ],
    ids=str,
)
@given(st.data())
@settings(max_examples=3)
def test_a_value_of_a_row_is_read_as_it_was_written(kind, data):
    value = data.draw(values_of(kind))
    text = value_to_json(value)
    text.encode()  # SQLite's texts are UTF-8
    same(value, value_from_json(kind, text))


# --- what it looks like ---


def test_an_entry_is_a_line_of_json_and_the_body_behind_it():
    message = StoredMessage(7, "an-id", "Grüße", 1_000)
    head, tail = encode((MessageSent("orders", message, 0, 1_000),)).split(b"\n", 1)
    assert json.loads(head) == [
        [
            "MessageSent",
            {
                "queue": "orders",
                "message": {"number": 7, "message_id": "an-id", "body": {"text": [0, 7]}, "sent_ns": 1_000},
                "delay_ns": 0,
                "at_ns": 1_000,
            },
        ]
    ]
    assert tail.decode() == "Grüße"


def test_bytes_stand_behind_the_line_as_they_are():
    puts = tuple(RecordPut("events", "shard", n, bytes([n]) * 3, "key", 1, "NONE") for n in range(1, 3))
    assert encode(puts).endswith(b"]\n\1\1\1\2\2\2")


def test_a_value_of_a_row_can_be_read_by_a_person():
    assert value_to_json({"Straße": "größer", "n": "1"}) == '{"Straße":"größer","n":"1"}'
    assert value_to_json({"logo": MessageAttribute("Binary", b"\0")}) == (
        '{"logo":{"data_type":"Binary","value":{"base64":"AA=="}}}'
    )


def test_limits_are_written_as_what_differs_from_awss():
    assert json.loads(value_to_json(StreamSettings()))["limits"] == {}
    limits = StreamLimits(put_records_max=3)
    assert json.loads(value_to_json(StreamSettings(limits=limits)))["limits"] == {"put_records_max": 3}


def test_a_large_record_costs_its_own_bytes_and_little_more():
    data = bytes(10 * 1024 * 1024)
    put = RecordPut("events", "shardId-000000000000", 1, data, "key", 1, "NONE")
    entry = encode((put,))
    assert len(entry) < len(data) + 300
    assert decode(entry) == (put,)


def test_a_text_of_a_callers_own_class_is_read_as_text():
    class Key(enum.StrEnum):
        TEAM = "team"

    [read] = decode(encode((QueueTagged("orders", {Key.TEAM: Key.TEAM}),)))
    assert read.tags == {"team": "team"}
    assert type(read.tags["team"]) is str


# --- other versions, and strangers ---


def written(*heads, tail=b""):
    return json.dumps(heads).encode() + b"\n" + tail


def test_a_field_that_a_newer_version_added_is_passed_over():
    entry = written(["QueueDeleted", {"queue": "q", "at_ns": 5, "by": {"text": [0, 3]}}], tail=b"you")
    assert decode(entry) == (QueueDeleted("q", 5),)
    assert value_from_json(BillingCommitment, '{"started_ns":1,"because":["of","you"]}') == BillingCommitment(
        1
    )


def test_a_field_that_an_older_version_did_not_have_takes_its_default():
    fields = {"number": 1, "message_id": "id", "body": "hello", "sent_ns": 5}
    [change] = decode(written(["MessageSent", {"queue": "q", "message": fields, "delay_ns": 0, "at_ns": 5}]))
    assert change.message == StoredMessage(1, "id", "hello", 5, received_before=0, group_id=None)
    assert value_from_json(QueueAttributes, "{}") == QueueAttributes()


def test_a_change_of_a_newer_version_is_named():
    with pytest.raises(Unreadable, match="'QueueMerged', which this version of queuestream does not know"):
        decode(written(["QueueMerged", {"queue": "q"}]))


SENT = {"number": 1, "message_id": "id", "body": "hello", "sent_ns": 5}


@pytest.mark.parametrize(
    "head",
    [
        ["QueueDeleted", {"queue": "q"}],
        ["QueueDeleted", {"queue": 5, "at_ns": 5}],
        ["QueueDeleted", {"queue": None, "at_ns": 5}],
        ["QueueDeleted", {"queue": "q", "at_ns": "5"}],
        ["QueueDeleted", {"queue": "q", "at_ns": True}],
        ["QueueDeleted", {"queue": "q", "at_ns": 5.0}],
        ["QueueDeleted", ["q", 5]],
        ["QueueDeleted"],
        [["QueueDeleted"], {}],
        "QueueDeleted",
        {},
        None,
        ["ChangePostponed", {"change": ["MessagesReceived", {}], "asked_ns": 5}],
        ["ChangePostponed", {"change": ["QueueTagged", {"queue": "q", "tags": {}}], "asked_ns": 5}],
        ["MessagesRemoved", {"queue": "q", "numbers": 1, "because": "deleted", "at_ns": 5}],
        ["MessagesRemoved", {"queue": "q", "numbers": [[]], "because": "deleted", "at_ns": 5}],
        ["MessagesRemoved", {"queue": "q", "numbers": [1], "because": "of you", "at_ns": 5}],
        ["QueueTagged", {"queue": "q", "tags": {"a": 1}}],
        ["QueueTagged", {"queue": "q", "tags": [["a", "b"]]}],
        ["QueueAttributesSet", {"queue": "q", "attributes": {"delay_seconds": -1}, "at_ns": 5}],
        *(
            ["MessageSent", {"queue": "q", "message": {**SENT, "body": body}, "delay_ns": 0, "at_ns": 5}]
            for body in (
                5,
                {},
                {"bytes": [0, 5]},
                {"text": [0, 6]},
                {"text": [-1, 5]},
                {"text": [4, 3]},
                {"text": [0]},
                {"text": [0.0, 5.0]},
                {"text": "05"},
                {"text": None},
            )
        ),
    ],
    ids=str,
)
def test_what_nobody_has_written_is_refused(head):
    with pytest.raises(Unreadable):
        decode(written(head, tail=b"hello"))


@pytest.mark.parametrize("entry", [b"", b"\n", b"hello", b"{}x\n", b"5\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_entry_at_all_is_refused(entry):
    with pytest.raises(Unreadable):
        decode(entry)


@pytest.mark.parametrize("text", ["", "{", "5", '"x"', '{"base64":5}', '{"base64":"A"}', '{"bytes":[0,1]}'])
def test_what_is_no_value_is_refused(text):
    with pytest.raises(Unreadable):
        value_from_json(bytes, text)


@given(st.binary(max_size=60), st.integers(0, 2**32))
def test_a_damaged_entry_is_refused_or_is_other_changes(damage, place):
    entry = encode(
        (MessageSent("q", StoredMessage(1, "id", "hello", 5), 0, 5), MessagesRemoved("q", (1,), "deleted", 5))
    )
    place %= len(entry)
    try:
        changes = decode(entry[:place] + damage + entry[place + len(damage) :])
    except Unreadable:
        return
    assert all(isinstance(change, Change) for change in changes)


def test_what_is_none_of_the_cores_values_is_not_written():
    with pytest.raises(TypeError, match="A set is not among what is stored"):
        value_to_json({"a": {1, 2}})
    with pytest.raises(TypeError, match="are not stored"):
        value_from_json(set, "[]")


def test_what_every_message_goes_through_is_packed():
    heard = []
    broker = Broker(seed=1)
    queue = broker.create_queue("orders")
    broker.listen(heard.append)
    queue.send("hello")
    [message] = queue.receive()
    queue.delete(message)

    entries = [encode(changes) for changes in heard]
    assert [entry[:1] for entry in entries] == [b"S", b"R", b"D"]
    assert [decode(entry) for entry in entries] == heard
    for entry in entries:
        for end in range(1, len(entry) - len("hello")):
            with pytest.raises(Unreadable):
                decode(entry[:end])
