"""The policy of a queue: who else may use it, as JSON that is kept and never evaluated.

There is one account here, and nobody to keep out.  So these are functions from a policy
to a policy, in AWS's shape and with AWS's refusals; the queue keeps what they return
among its attributes.

Where AWS says it: API reference, AddPermission and RemovePermission; developer guide,
"Amazon SQS policy quotas".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from queuestream.core.errors import InvalidAttributeValue, InvalidParameterValue, MissingParameter, OverLimit
from queuestream.core.queues.checks import NAME_CHARACTERS, shown
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits

_ACTIONS = frozenset(
    {
        "*",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
    }
)
_OWNERS_ACTIONS = frozenset(
    {
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "ListQueueTags",
        "ListQueues",
        "RemovePermission",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    }
)

_ACCOUNT_ID_LENGTH = 12


def add_permission(
    policy: str | None,
    queue_arn: str,
    label: object,
    aws_account_ids: object,
    actions: object,
    limits: QueueLimits = AWS_LIMITS,
) -> str:
    """The policy with one more statement.

    Args:
        policy: The queue's policy as JSON text; None where it has none.
        queue_arn: The queue that the statement is about.
        label: Names the statement: 1 to 80 letters, digits, hyphens and underscores.
        aws_account_ids: Accounts of twelve digits, one at least.
        actions: Names of operations, such as "SendMessage", or "*"; 1 to 7.
        limits: The broker's quotas.

    Raises:
        InvalidParameterValue: A label that is taken or malformed; no account, or none of AWS's form; an
            operation that does not exist, or that only the owner may call.
        MissingParameter: No action.
        OverLimit: Too many actions.
    """
    maximum = limits.permission_label_length_max
    if not (isinstance(label, str) and 1 <= len(label) <= maximum and NAME_CHARACTERS.issuperset(label)):
        reason = (
            f"Can only include alphanumeric characters, hyphens, or underscores. 1 to {maximum} in length"
        )
        raise InvalidParameterValue.of("Label", shown(label), reason)
    principals = [f"arn:aws:iam::{account_id}:root" for account_id in _account_ids(aws_account_ids)]
    allowed = [f"SQS:{action}" for action in _actions(actions, limits)]
    shape: dict[str, Any] = (
        {"Version": "2008-10-17", "Id": f"{queue_arn}/SQSDefaultPolicy", "Statement": []}
        if policy is None
        else json.loads(policy)
    )
    statements = _statements(shape)
    if any(statement.get("Sid") == label for statement in statements):
        raise InvalidParameterValue.of("Label", label, "Already exists.")
    statement = {
        "Sid": label,
        "Effect": "Allow",
        # AWS writes one of a kind without a list around it.
        "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
        "Action": allowed[0] if len(allowed) == 1 else allowed,
        "Resource": queue_arn,
    }
    return json.dumps({**shape, "Statement": [*statements, statement]}, separators=(",", ":"))


def remove_permission(policy: str | None, label: object) -> str | None:
    """The policy without the statements of one label; None where nothing is left of it.

    Raises:
        InvalidParameterValue: No statement has that label.
    """
    if policy is None:
        raise InvalidParameterValue.of("Label", shown(label), "can't find label.")
    shape = json.loads(policy)
    statements = _statements(shape)
    left = [statement for statement in statements if statement.get("Sid") != label]
    if len(left) == len(statements):
        raise InvalidParameterValue.of("Label", shown(label), "can't find label on existing policy.")
    return json.dumps({**shape, "Statement": left}, separators=(",", ":")) if left else None


def check_policy(policy: str, limits: QueueLimits = AWS_LIMITS) -> None:
    """A policy as a whole, wherever it comes from.

    Raises:
        InvalidAttributeValue: No JSON object, or statements of another form.
        OverLimit: More statements, principals, actions or bytes than a policy may have.
    """
    try:
        shape = json.loads(policy)
    except (ValueError, RecursionError):
        raise InvalidAttributeValue("Policy") from None
    statements = _statements(shape)
    maximum = limits.policy_statements_max
    if len(statements) > maximum:
        raise OverLimit(
            f"{len(statements)} statements were found in the submitted policy, max allowed is {maximum}"
        )
    principals = sum(_count(_accounts(statement.get("Principal"))) for statement in statements)
    if principals > limits.policy_principals_max:
        raise OverLimit(
            f"{principals} principals were found in the submitted policy, "
            f"max allowed is {limits.policy_principals_max}"
        )
    for statement in statements:
        _check_action_count(_count(statement.get("Action")), limits)
    size = len(policy.encode("utf-8", "surrogatepass"))
    if size > limits.policy_size_max:
        raise OverLimit(f"The submitted policy has {size} bytes, max allowed is {limits.policy_size_max}")


def _account_ids(given: object) -> list[str]:
    account_ids = _texts(given)
    if not account_ids or not all(
        len(account_id) == _ACCOUNT_ID_LENGTH and account_id.isascii() and account_id.isdigit()
        for account_id in account_ids
    ):
        listed = ", ".join(shown(account_id) for account_id in account_ids or ())
        raise InvalidParameterValue.of("PrincipalId", f"[{listed}]", "Unable to verify.")
    return account_ids


def _actions(given: object, limits: QueueLimits) -> list[str]:
    actions = _texts(given)
    if not actions:
        raise MissingParameter("Actions")
    _check_action_count(len(actions), limits)
    for action in actions:
        if action not in _ACTIONS:
            reason = (
                "Only the queue owner is allowed to invoke this action."
                if action in _OWNERS_ACTIONS
                else "Please refer to the appropriate WSDL for a list of valid actions."
            )
            raise InvalidParameterValue.of("ActionName", f"SQS:{shown(action)}", reason)
    return actions


def _check_action_count(count: int, limits: QueueLimits) -> None:
    if count > limits.policy_actions_max:
        raise OverLimit(f"{count} Actions were found, maximum allowed is {limits.policy_actions_max}.")


def _texts(given: object) -> list[str] | None:
    """Several texts as a list; None where it is not that."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        return None
    texts = list(given)
    return texts if all(isinstance(text, str) for text in texts) else None


def _statements(shape: object) -> list[dict[str, Any]]:
    """A policy's statements; a single one may stand there without a list around it."""
    if not isinstance(shape, dict):
        raise InvalidAttributeValue("Policy")
    statements = shape.get("Statement", [])
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        raise InvalidAttributeValue("Policy")
    return statements


def _accounts(principal: object) -> object:
    return principal.get("AWS") if isinstance(principal, dict) else principal


def _count(value: object) -> int:
    """How many there are of what a policy may give as one or as a list."""
    if value is None:
        return 0
    return len(value) if isinstance(value, list) else 1
