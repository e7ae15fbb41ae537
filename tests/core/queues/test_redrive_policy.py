"""RedrivePolicy and RedriveAllowPolicy: AWS's forms, and AWS's sentences about wrong ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core.errors import InvalidAttributeValue, InvalidParameterValue, QueuestreamError
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits
from queuestream.core.queues.redrive_policy import RedriveAllowPolicy, RedrivePolicy

DLQ = "arn:aws:sqs:us-east-1:000000000000:failed"


def test_a_redrive_policy_names_a_queue_and_a_count():
    policy = RedrivePolicy.of({"deadLetterTargetArn": DLQ, "maxReceiveCount": 3})
    assert policy == RedrivePolicy(dead_letter_target_arn=DLQ, max_receive_count=3)
    assert RedrivePolicy.of(policy) is policy
    assert RedrivePolicy.of(policy.to_json()) == policy
    assert policy.to_json() == f'{{"deadLetterTargetArn":"{DLQ}","maxReceiveCount":3}}'


def test_the_count_may_be_text_as_in_awss_examples():
    assert RedrivePolicy.of({"deadLetterTargetArn": DLQ, "maxReceiveCount": "1000"}).max_receive_count == 1000


@pytest.mark.parametrize("count", [1, 1000])
def test_a_message_is_received_once_to_a_thousand_times(count):
    assert RedrivePolicy(dead_letter_target_arn=DLQ, max_receive_count=count).max_receive_count == count


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (1001, "1001"),
        (-1, "-1"),
        ("-1", "-1"),
        ("12345", "12345"),
        ("\N{SUPERSCRIPT TWO}", "\N{SUPERSCRIPT TWO}"),
        (True, "True"),
        (3.0, "3.0"),
        ([3], "(list)"),
    ],
)
def test_any_other_count_is_refused(count, text):
    with pytest.raises(InvalidParameterValue) as refused:
        RedrivePolicy.of({"deadLetterTargetArn": DLQ, "maxReceiveCount": count})._check(AWS_LIMITS)
    assert refused.value.message.startswith('Value {"deadLetterTargetArn":"arn:aws:sqs:')
    assert refused.value.message.endswith(
        "} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: "
        f"{text}, valid values are from 1 to 1000 both inclusive."
    )


def test_a_brokers_own_limits_count():
    policy = RedrivePolicy(dead_letter_target_arn=DLQ, max_receive_count=1_001)
    policy._check(QueueLimits(max_receive_count_max=1_001))
    with pytest.raises(InvalidParameterValue, match="from 1 to 2 both inclusive"):
        policy._check(QueueLimits(max_receive_count_max=2))
    allow = RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=(DLQ, DLQ))
    with pytest.raises(InvalidParameterValue, match="you can specify is 1"):
        allow._check(QueueLimits(source_queue_arns_max=1))


def test_a_count_of_a_thousand_digits_is_refused_too():
    with pytest.raises(InvalidParameterValue, match="an integer of"):
        RedrivePolicy(dead_letter_target_arn=DLQ, max_receive_count=10**5000)


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        ("dummy", "Invalid value for deadLetterTargetArn."),
        (5, "Invalid value for deadLetterTargetArn."),
        (
            "arn:aws:sns:us-east-1:000000000000:failed",
            "Only SQS queues are valid resources for deadLetterTargetArn.",
        ),
    ],
)
def test_the_target_is_the_arn_of_a_queue(arn, reason):
    with pytest.raises(InvalidParameterValue) as refused:
        RedrivePolicy.of({"deadLetterTargetArn": arn, "maxReceiveCount": 42})
    shown = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 42}, separators=(",", ":"))
    assert refused.value.message == f"Value {shown} for parameter RedrivePolicy is invalid. Reason: {reason}"


@pytest.mark.parametrize("policy", [{}, {"deadLetterTargetArn": DLQ}, {"maxReceiveCount": None}])
def test_the_count_is_mandatory(policy):
    with pytest.raises(InvalidParameterValue, match="mandatory attribute: maxReceiveCount"):
        RedrivePolicy.of(policy)


def test_the_target_is_mandatory():
    with pytest.raises(InvalidParameterValue) as refused:
        RedrivePolicy.of({"maxReceiveCount": 5})
    assert refused.value.message == (
        'Value {"maxReceiveCount":5} for parameter RedrivePolicy is invalid. '
        "Reason: Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
    )


def test_a_redrive_policy_holds_nothing_else():
    with pytest.raises(InvalidParameterValue, match="Only following attributes are supported"):
        RedrivePolicy.of({"deadLetterTargetArn": DLQ, "colour": "red"})


@pytest.mark.parametrize("value", ["no json", "[]", "5", 5, [], True, {1: 2}, "[" * 100_000])
def test_a_redrive_policy_is_a_json_map(value):
    with pytest.raises(InvalidAttributeValue) as refused:
        RedrivePolicy.of(value)
    assert refused.value.message == (
        "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."
    )


def test_a_redrive_allow_policy_says_who_may_name_this_queue():
    everyone = RedriveAllowPolicy()
    nobody = RedriveAllowPolicy.of({"redrivePermission": "denyAll"})
    one = RedriveAllowPolicy.of({"redrivePermission": "byQueue", "sourceQueueArns": [DLQ]})
    assert everyone.allows(DLQ)
    assert not nobody.allows(DLQ)
    assert one.allows(DLQ)
    assert not one.allows(DLQ + "2")


def test_a_redrive_allow_policy_survives_its_own_text():
    for policy in (
        RedriveAllowPolicy(redrive_permission="denyAll"),
        RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=(DLQ,)),
    ):
        assert RedriveAllowPolicy.of(policy.to_json()) == policy
        assert RedriveAllowPolicy.of(policy) is policy


def test_by_queue_names_one_to_ten_queues():
    arns = [f"{DLQ}{n}" for n in range(11)]
    assert (
        len(RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=arns[:10]).source_queue_arns)
        == 10
    )
    with pytest.raises(
        InvalidParameterValue, match="The maximum number of source queue ARNs you can specify is 10"
    ):
        RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=arns)._check(AWS_LIMITS)
    with pytest.raises(InvalidParameterValue) as refused:
        RedriveAllowPolicy.of({"redrivePermission": "byQueue"})
    assert refused.value.message == (
        'Value {"redrivePermission":"byQueue"} for parameter RedriveAllowPolicy is invalid. Reason: '
        "Amazon SQS can't create the redrive allow policy. When you specify the byQueue permission type, "
        "you must also specify one or more sourceQueueArns values."
    )


@pytest.mark.parametrize("permission", ["allowAll", "denyAll"])
def test_queues_are_named_with_by_queue_only(permission):
    with pytest.raises(InvalidParameterValue, match="you must set redrivePermission to byQueue"):
        RedriveAllowPolicy(redrive_permission=permission, source_queue_arns=(DLQ,))


@pytest.mark.parametrize(
    "value",
    [
        5,
        True,
        [],
        "no json",
        "[]",
        {},
        {"redrivePermission": "dummy"},
        {"redrivePermission": ["allowAll"]},
        {"redrivePermission": "allowAll", "dummy": "value"},
        {"redrivePermission": "byQueue", "sourceQueueArns": DLQ},
        {"redrivePermission": "byQueue", "sourceQueueArns": [{"a": 1}]},
    ],
)
def test_any_other_redrive_allow_policy_is_refused(value):
    with pytest.raises(InvalidAttributeValue, match="in an unsupported format"):
        RedriveAllowPolicy.of(value)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.integers(2**400, 2**500)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["deadLetterTargetArn", "maxReceiveCount", "redrivePermission", "sourceQueueArns", "other"]
)


@given(value=st.one_of(JSON, st.dictionaries(NAMES, JSON, max_size=3)))
def test_any_policy_is_taken_or_refused_but_nothing_else(value):
    for policy in (RedrivePolicy, RedriveAllowPolicy):
        try:
            assert policy.of(policy.of(value).to_json()) == policy.of(value)
        except QueuestreamError as refused:
            str(refused).encode()


def test_a_refused_policy_is_shown_as_it_was_given():
    text = '{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}'
    with pytest.raises(InvalidParameterValue) as refused:
        RedrivePolicy.of(text)
    assert refused.value.message == (
        f"Value {text} for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn."
    )
