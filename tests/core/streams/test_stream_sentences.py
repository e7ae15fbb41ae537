"""What Kinesis says about a parameter whose form is wrong: values as Java writes them, lists as wholes."""

from __future__ import annotations

import pytest

from queuestream.core.errors import ValidationException
from queuestream.core.streams import checks


def lengths(low, high):
    return (
        f"[Member must have length less than or equal to {high}, "
        f"Member must have length greater than or equal to {low}]"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        ("a", "'a'"),
        (0, "'0'"),
        (True, "'true'"),
        (False, "'false'"),
        (2**300, "'an integer of more than 256 bits'"),
        ([], "'[]'"),
        (["a", "b"], "'[a, b]'"),
        ({}, "'{}'"),
        ({"team": "a", "stage": ""}, "'{team=a, stage=}'"),
        ([[[["too deep"]]]], "'[[[list]]]'"),
        (object(), "'object'"),
        ("x" * 301, f"'{'x' * 300}...'"),
        (["y"] * 100_000, f"'[{'y, ' * 99}y,...'"),
    ],
)
def test_a_value_is_shown_as_java_writes_it(value, shown):
    assert checks.shown(value) == shown
    assert checks.named(value, "limit") == f"Value {shown} at 'limit'"


@pytest.mark.parametrize("value", [b"four", [{"Data": b"x"}], [b"x"] * 501, {"a": [b""]}])
def test_the_bytes_of_records_are_not_shown(value):
    assert checks.named(value, "records") == "Value at 'records'"


@pytest.mark.parametrize(
    ("refused", "shown", "constraint"),
    [
        (
            {"a": "b", "k" * 129: ""},
            f"{{a=b, {'k' * 129}=}}",
            f"Map keys must satisfy constraint: {lengths(1, 128)}",
        ),
        (
            {"a": "v" * 257},
            f"{{a={'v' * 257}}}",
            f"Map value must satisfy constraint: {lengths(0, 256)}",
        ),
    ],
)
def test_what_is_wrong_with_a_tag_is_said_of_all_of_them(one, refused, shown, constraint):
    with pytest.raises(ValidationException) as error:
        one.add_tags(refused)
    assert error.value.message == (
        f"1 validation error detected: Value '{shown}' at 'tags' failed to satisfy constraint: {constraint}"
    )


def test_what_is_wrong_with_the_key_of_a_tag_is_said_of_all_of_them(one):
    with pytest.raises(ValidationException) as error:
        one.remove_tags(["a", ""])
    assert error.value.message == (
        "1 validation error detected: Value '[a, ]' at 'tagKeys' failed to satisfy constraint: "
        f"Member must satisfy constraint: {lengths(1, 128)}"
    )


def test_a_metric_that_does_not_exist_is_told_from_those_that_do(one):
    with pytest.raises(ValidationException) as error:
        one.enable_enhanced_monitoring(["IncomingBytes", "Incoming"])
    assert error.value.message.startswith(
        "1 validation error detected: Value '[IncomingBytes, Incoming]' at 'shardLevelMetrics' failed to "
        "satisfy constraint: Member must satisfy constraint: "
        "[Member must satisfy enum value set: [IncomingBytes, IncomingRecords, "
    )
