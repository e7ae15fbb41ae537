"""A queue's settings: AWS's defaults, ranges and rules about what goes together."""

import json
import typing

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValue,
    QueuestreamError,
)
from queuestream.core.queues import attribute_types
from queuestream.core.queues.attributes import (
    AWS_NAMES,
    PYTHON_NAMES,
    QueueAttributes,
    create,
    evolve,
    first_difference,
)
from queuestream.core.queues.limits import QueueLimits
from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy

DLQ = "arn:aws:sqs:us-east-1:000000000000:failed"
POLICY = {"deadLetterTargetArn": DLQ, "maxReceiveCount": 3}


def test_a_queue_has_awss_defaults():
    attributes = QueueAttributes()
    assert attributes.visibility_timeout == 30
    assert attributes.delay_seconds == 0
    assert attributes.message_retention_period == 4 * 86_400
    assert attributes.maximum_message_size == 1024 * 1024
    assert attributes.receive_message_wait_time_seconds == 0
    assert attributes.policy is None
    assert attributes.redrive_policy is None
    assert attributes.redrive_allow_policy is None
    assert attributes.fifo_queue is False
    assert attributes.sqs_managed_sse_enabled is True
    assert attributes.kms_master_key_id is None
    assert attributes.kms_data_key_reuse_period_seconds == 300


def test_attributes_are_values():
    assert QueueAttributes(delay_seconds=5) == create({"delay_seconds": 5})
    assert hash(QueueAttributes(redrive_policy=POLICY)) == hash(
        QueueAttributes(redrive_policy=json.dumps(POLICY))
    )
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        QueueAttributes().delay_seconds = 5


def test_every_attribute_has_awss_name():
    assert AWS_NAMES["visibility_timeout"] == "VisibilityTimeout"
    assert AWS_NAMES["kms_data_key_reuse_period_seconds"] == "KmsDataKeyReusePeriodSeconds"
    assert PYTHON_NAMES["SqsManagedSseEnabled"] == "sqs_managed_sse_enabled"
    fields = [field.name for field in attrs.fields(QueueAttributes) if field.name != "limits"]
    assert list(AWS_NAMES) == fields


def test_the_typed_keywords_are_the_attributes():
    assert set(attribute_types.QueueAttributesDict.__annotations__) == set(AWS_NAMES)
    assert typing.is_typeddict(attribute_types.QueueAttributesDict)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("visibility_timeout", 0, 43_200),
        ("delay_seconds", 0, 900),
        ("message_retention_period", 60, 1_209_600),
        ("maximum_message_size", 1_024, 1_048_576),
        ("receive_message_wait_time_seconds", 0, 20),
        ("kms_data_key_reuse_period_seconds", 60, 86_400),
    ],
)
def test_a_number_is_taken_within_its_range_and_refused_outside(name, low, high):
    for inside in (low, high):
        assert getattr(create({name: inside}), name) == inside
        assert getattr(evolve(QueueAttributes(), {name: inside}), name) == inside
    for outside in (low - 1, high + 1, str(low), float(high), True, None, [low]):
        with pytest.raises(InvalidAttributeValue) as refused:
            create({name: outside})
        assert refused.value.message == f"Invalid value for the parameter {AWS_NAMES[name]}."


def test_a_brokers_own_limits_are_the_ones_that_count_and_are_kept():
    limits = QueueLimits(message_retention_period_min=1)
    attributes = create({"message_retention_period": 1}, limits)
    assert evolve(attributes, {"delay_seconds": 1}).limits is limits
    with pytest.raises(InvalidAttributeValue):
        create({"message_retention_period": 0}, limits)


# --- names ------------------------------------------------------------------------------------------


def test_an_unknown_name_is_refused():
    for refuse in (
        lambda: create({"colour": "red"}),
        lambda: evolve(QueueAttributes(), {"limits": QueueLimits()}),
    ):
        with pytest.raises(InvalidAttributeName, match="Unknown Attribute"):
            refuse()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("content_based_deduplication", True, "Unknown Attribute ContentBasedDeduplication."),
        (
            "deduplication_scope",
            "messageGroup",
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
        (
            "fifo_throughput_limit",
            "perMessageGroupId",
            "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        ),
    ],
)
def test_a_standard_queue_has_nothing_that_only_fifo_queues_have(name, value, sentence):
    for refuse in (
        lambda: QueueAttributes(**{name: value}),
        lambda: create({name: value}),
        lambda: evolve(QueueAttributes(), {name: value}),
    ):
        with pytest.raises(InvalidAttributeName) as refused:
            refuse()
        assert refused.value.message == sentence


def test_naming_a_fifo_attribute_is_refused_even_with_its_default():
    with pytest.raises(InvalidAttributeName):
        create({"content_based_deduplication": False})
    create({"fifo_queue": False})


# --- FIFO queues ------------------------------------------------------------------------------------


def test_a_fifo_queue_has_attributes_of_its_own():
    attributes = create({"fifo_queue": True})
    assert attributes.content_based_deduplication is False
    assert attributes.deduplication_scope == "queue"
    assert attributes.fifo_throughput_limit == "perQueue"
    fast = evolve(
        attributes, {"deduplication_scope": "messageGroup", "fifo_throughput_limit": "perMessageGroupId"}
    )
    assert fast.deduplication_scope == "messageGroup"


def test_throughput_per_group_needs_deduplication_per_group():
    with pytest.raises(InvalidAttributeValue, match="allowed only when the value for DeduplicationScope"):
        create({"fifo_queue": True, "fifo_throughput_limit": "perMessageGroupId"})


@pytest.mark.parametrize(
    "name", ["content_based_deduplication", "deduplication_scope", "fifo_throughput_limit"]
)
@pytest.mark.parametrize("value", ["yes", "", None, 1, [], {}])
def test_a_fifo_attribute_takes_nothing_else(name, value):
    with pytest.raises(InvalidAttributeValue, match=AWS_NAMES[name]):
        create({"fifo_queue": True, name: value})


@pytest.mark.parametrize("value", ["true", 1, 0, None, []])
def test_the_flags_are_truth_values(value):
    for name in ("fifo_queue", "sqs_managed_sse_enabled"):
        with pytest.raises(InvalidAttributeValue, match=AWS_NAMES[name]):
            create({name: value})


def test_a_queue_stays_of_its_kind():
    fifo = create({"fifo_queue": True})
    assert evolve(fifo, {"fifo_queue": True}) == fifo
    with pytest.raises(InvalidAttributeValue) as refused:
        evolve(fifo, {"fifo_queue": False})
    assert refused.value.message == (
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    )
    for value in (True, False):
        with pytest.raises(InvalidAttributeName, match="Unknown Attribute FifoQueue"):
            evolve(QueueAttributes(), {"fifo_queue": value})


# --- encryption -------------------------------------------------------------------------------------


def test_a_key_takes_the_place_of_sqss_own_encryption():
    attributes = create({"kms_master_key_id": "alias/mine"})
    assert attributes.sqs_managed_sse_enabled is False
    changed = evolve(QueueAttributes(), {"kms_master_key_id": "alias/mine"})
    assert changed == attributes
    without = evolve(changed, {"kms_master_key_id": ""})
    assert without.kms_master_key_id is None


def test_two_encryptions_at_once_are_refused():
    with pytest.raises(InvalidAttributeName, match="one type of server-side encryption"):
        create({"kms_master_key_id": "alias/mine", "sqs_managed_sse_enabled": True})
    with pytest.raises(InvalidAttributeName, match="one type of server-side encryption"):
        evolve(create({"kms_master_key_id": "alias/mine"}), {"sqs_managed_sse_enabled": True})


@pytest.mark.parametrize("value", [5, True, b"key", ["key"]])
def test_a_key_is_named_by_text(value):
    with pytest.raises(InvalidAttributeValue, match="KmsMasterKeyId"):
        create({"kms_master_key_id": value})


# --- policies ---------------------------------------------------------------------------------------


def test_a_policy_is_kept_as_it_was_given():
    text = '{ "Version": "2012-10-17" }'
    assert create({"policy": text}).policy == text
    assert create({"policy": {"Version": "2012-10-17"}}).policy == '{"Version": "2012-10-17"}'


@pytest.mark.parametrize("value", ["no json", "[]", "5", 5, [], {1: {2}}, "[" * 100_000, {"a": object()}])
def test_a_policy_is_a_json_object(value):
    with pytest.raises(InvalidAttributeValue) as refused:
        create({"policy": value})
    assert refused.value.message == "Invalid value for the parameter Policy."


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_takes_a_policy_away(nothing):
    attributes = create(
        {"policy": "{}", "redrive_policy": POLICY, "redrive_allow_policy": RedriveAllowPolicy()}
    )
    cleared = evolve(
        attributes, {"policy": nothing, "redrive_policy": nothing, "redrive_allow_policy": nothing}
    )
    assert cleared == QueueAttributes()


@pytest.mark.parametrize(
    "given", [POLICY, json.dumps(POLICY), RedrivePolicy(dead_letter_target_arn=DLQ, max_receive_count=3)]
)
def test_a_redrive_policy_is_given_in_any_of_its_forms(given):
    policy = create({"redrive_policy": given}).redrive_policy
    assert policy == RedrivePolicy(dead_letter_target_arn=DLQ, max_receive_count=3)
    assert evolve(QueueAttributes(), {"redrive_policy": given}).redrive_policy == policy


def test_a_redrive_allow_policy_is_given_in_any_of_its_forms():
    expected = RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=[DLQ])
    shape = {"redrivePermission": "byQueue", "sourceQueueArns": [DLQ]}
    for given_policy in (expected, shape, json.dumps(shape)):
        assert create({"redrive_allow_policy": given_policy}).redrive_allow_policy == expected


def test_a_wrong_policy_leaves_nothing_changed():
    attributes = create({"redrive_policy": POLICY})
    with pytest.raises(InvalidParameterValue):
        evolve(attributes, {"redrive_policy": {"deadLetterTargetArn": "here"}, "delay_seconds": 5})
    assert attributes == create({"redrive_policy": POLICY})


# --- the existing queue ------------------------------------------------------------------------------


def test_a_queue_that_exists_is_compared_in_what_was_given():
    existing = create({"delay_seconds": 5, "visibility_timeout": 60})

    def compared(given):
        return first_difference(existing, create(given), given)

    assert compared({}) is None
    assert compared({"delay_seconds": 5}) is None
    assert compared({"visibility_timeout": 30, "delay_seconds": 5}) == "VisibilityTimeout"
    assert compared({"delay_seconds": 0, "visibility_timeout": 30}) == "VisibilityTimeout"


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.binary(),
        st.integers(2**400, 2**500),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5,
)


@given(
    attributes=st.dictionaries(st.sampled_from([*AWS_NAMES, "colour", "limits"]), ANYTHING, max_size=3),
    fifo_queue=st.booleans(),
)
def test_any_attributes_are_taken_or_refused_but_nothing_else(attributes, fifo_queue):
    for make in (create, lambda changes: evolve(QueueAttributes(fifo_queue=fifo_queue), changes)):
        try:
            made = make(attributes)
        except QueuestreamError as refused:
            str(refused).encode()
        else:
            assert evolve(made, {}) == made
