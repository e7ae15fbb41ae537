"""The policy of a queue: statements that come and go by their labels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core.errors import (
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
    OverLimit,
    QueuestreamError,
)
from queuestream.core.queues.attributes import QueueAttributes
from queuestream.core.queues.permissions import add_permission, check_policy, remove_permission

ARN = "arn:aws:sqs:us-east-1:000000000000:emails"
ONE, TWO = "111111111111", "222222222222"


def add(policy=None, label="alice", accounts=(ONE,), actions=("SendMessage",)):
    return add_permission(policy, ARN, label, accounts, actions)


def test_the_first_permission_makes_a_policy_in_awss_shape():
    assert json.loads(add()) == {
        "Version": "2008-10-17",
        "Id": f"{ARN}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "alice",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ONE}:root"},
                "Action": "SQS:SendMessage",
                "Resource": ARN,
            }
        ],
    }


def test_several_accounts_and_actions_are_lists():
    [statement] = json.loads(add(accounts=[ONE, TWO], actions=["ReceiveMessage", "*"]))["Statement"]
    assert statement["Principal"] == {"AWS": [f"arn:aws:iam::{ONE}:root", f"arn:aws:iam::{TWO}:root"]}
    assert statement["Action"] == ["SQS:ReceiveMessage", "SQS:*"]


def test_permissions_add_up_and_go_one_by_one():
    policy = add(add(), label="bob")
    assert [statement["Sid"] for statement in json.loads(policy)["Statement"]] == ["alice", "bob"]
    assert remove_permission(policy, "bob") == add()
    assert remove_permission(add(), "alice") is None


def test_a_policy_of_ones_own_is_kept_beside_them():
    own = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "SQS:*"}}
    )
    both = json.loads(add(own))
    assert both["Version"] == "2012-10-17"
    assert [statement["Effect"] for statement in both["Statement"]] == ["Deny", "Allow"]
    assert json.loads(add("{}"))["Statement"][0]["Sid"] == "alice"


def test_a_label_names_one_permission():
    with pytest.raises(InvalidParameterValue) as refused:
        add(add())
    assert refused.value.message == "Value alice for parameter Label is invalid. Reason: Already exists."


@pytest.mark.parametrize(
    ("policy", "reason"), [(None, "can't find label."), (add(), "can't find label on existing policy.")]
)
def test_a_label_that_is_not_there_cannot_be_removed(policy, reason):
    with pytest.raises(InvalidParameterValue) as refused:
        remove_permission(policy, "bob")
    assert refused.value.message == f"Value bob for parameter Label is invalid. Reason: {reason}"


@pytest.mark.parametrize("label", ["", "x" * 81, "a b", "é", None, 5])
def test_a_label_is_letters_digits_hyphens_and_underscores(label):
    add(label="x" * 80)
    with pytest.raises(InvalidParameterValue, match="for parameter Label is invalid"):
        add(label=label)


@pytest.mark.parametrize(
    ("accounts", "listed"),
    [
        ([], "[]"),
        (["1"], "[1]"),
        (["11111111111a"], "[11111111111a]"),
        ([ONE, "\N{SUPERSCRIPT TWO}" * 12], f"[{ONE}, {'²' * 12}]"),
        (ONE, "[]"),
        (None, "[]"),
        ([111111111111], "[]"),
    ],
)
def test_an_account_has_twelve_digits(accounts, listed):
    with pytest.raises(InvalidParameterValue) as refused:
        add(accounts=accounts)
    assert refused.value.message == (
        f"Value {listed} for parameter PrincipalId is invalid. Reason: Unable to verify."
    )


@pytest.mark.parametrize("actions", [[], None, 5, "SendMessage", [5]])
def test_a_permission_allows_something(actions):
    with pytest.raises(MissingParameter, match="Actions"):
        add(actions=actions)


def test_some_actions_are_the_owners_and_others_do_not_exist():
    with pytest.raises(InvalidParameterValue) as refused:
        add(actions=["SendMessage", "RemovePermission"])
    assert refused.value.message == (
        "Value SQS:RemovePermission for parameter ActionName is invalid. "
        "Reason: Only the queue owner is allowed to invoke this action."
    )
    with pytest.raises(InvalidParameterValue, match="Please refer to the appropriate WSDL"):
        add(actions=["SendMail"])


def test_a_permission_has_seven_actions_at_most():
    add(actions=["SendMessage"] * 7)
    with pytest.raises(OverLimit) as refused:
        add(actions=["SendMessage"] * 8)
    assert refused.value.message == "8 Actions were found, maximum allowed is 7."


def statements(count, **fields):
    return json.dumps({"Statement": [fields] * count})


def test_a_policy_has_twenty_statements_at_most():
    check_policy(statements(20))
    with pytest.raises(OverLimit) as refused:
        check_policy(statements(21))
    assert refused.value.message == "21 statements were found in the submitted policy, max allowed is 20"


def test_a_policy_has_fifty_principals_at_most():
    check_policy(statements(10, Principal={"AWS": [ONE] * 5}))
    check_policy(statements(20, Principal="*"))
    with pytest.raises(OverLimit, match="51 principals were found"):
        check_policy(statements(1, Principal={"AWS": [ONE] * 51}))


def test_a_statement_has_seven_actions_at_most():
    check_policy(statements(1, Action=["SQS:SendMessage"] * 7))
    with pytest.raises(OverLimit, match="8 Actions were found, maximum allowed is 7"):
        check_policy(statements(1, Action=["SQS:SendMessage"] * 8))


def test_a_policy_has_a_size():
    check_policy(json.dumps({"Id": "x" * (8_192 - len('{"Id": ""}'))}))
    with pytest.raises(OverLimit, match="8193 bytes, max allowed is 8192"):
        check_policy(json.dumps({"Id": "x" * (8_193 - len('{"Id": ""}'))}))


def test_a_queue_refuses_a_policy_beyond_its_limits():
    with pytest.raises(OverLimit):
        QueueAttributes(policy=statements(21))


@pytest.mark.parametrize(
    "policy",
    ["", "no json", "[]", "5", '{"Statement": 5}', '{"Statement": [5]}', '{"Statement": null}', "[" * 99_999],
)
def test_a_policy_is_an_object_with_statements(policy):
    with pytest.raises(InvalidAttributeValue, match="Invalid value for the parameter Policy"):
        check_policy(policy)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=4,
)
STATEMENT = st.dictionaries(st.sampled_from(["Sid", "Principal", "Action"]), ANYTHING)


@given(
    policy=st.dictionaries(
        st.sampled_from(["Statement", "Id"]), st.one_of(ANYTHING, STATEMENT, st.lists(STATEMENT))
    ),
    label=ANYTHING,
    accounts=ANYTHING,
    actions=ANYTHING,
)
def test_any_policy_and_permission_is_taken_or_refused_but_nothing_else(policy, label, accounts, actions):
    text = json.dumps(policy)
    for step in (
        lambda: check_policy(text),
        lambda: add_permission(text, ARN, "alice", [ONE], ["*"]),
        lambda: add_permission(None, ARN, label, [ONE], ["*"]),
        lambda: add_permission(None, ARN, "alice", accounts, ["*"]),
        lambda: add_permission(None, ARN, "alice", [ONE], actions),
        lambda: remove_permission(text, label),
    ):
        try:
            step()
        except QueuestreamError as refused:
            str(refused).encode()
