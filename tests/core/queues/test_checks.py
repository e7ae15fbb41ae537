"""What SQS says about a parameter that it refuses, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core.errors import InvalidParameterValue, MissingParameter
from queuestream.core.queues import checks
from queuestream.core.queues.limits import QueueLimits


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no name for this")


NO_INTEGERS = [None, True, "5", 5.0, b"5", [5], {}, Unprintable(), float("nan")]


@pytest.mark.parametrize(
    ("check", "parameter", "low", "high", "reason"),
    [
        (checks.check_delay_seconds, "DelaySeconds", 0, 900, "DelaySeconds must be >= 0 and <= 900."),
        (
            checks.check_max_number_of_messages,
            "MaxNumberOfMessages",
            1,
            10,
            "Must be between 1 and 10, if provided.",
        ),
        (checks.check_wait_time_seconds, "WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided."),
        (
            checks.check_visibility_timeout,
            "VisibilityTimeout",
            0,
            43_200,
            "Must be >= 0 and <= 43200, if provided.",
        ),
    ],
)
def test_an_integer_is_taken_within_its_range_and_refused_in_awss_words_outside(
    check, parameter, low, high, reason
):
    check(low)
    check(high)
    for outside in (low - 1, high + 1):
        with pytest.raises(InvalidParameterValue) as refused:
            check(outside)
        assert (
            refused.value.message == f"Value {outside} for parameter {parameter} is invalid. Reason: {reason}"
        )
    for value in NO_INTEGERS:
        with pytest.raises(InvalidParameterValue):
            check(value)


def test_a_brokers_own_limits_are_the_ones_that_count():
    limits = QueueLimits(delay_seconds_max=1000, messages_per_receive_max=2, message_group_id_length_max=3)
    checks.check_delay_seconds(1000, limits)
    with pytest.raises(InvalidParameterValue, match="between 1 and 2"):
        checks.check_max_number_of_messages(3, limits)
    with pytest.raises(InvalidParameterValue, match="1 to 3 in length"):
        checks.check_message_group_id("abcd", limits)


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 80])
def test_a_queue_name_is_letters_digits_hyphens_and_underscores(name):
    checks.check_queue_name(name, fifo_queue=False)


@pytest.mark.parametrize("name", ["", "x" * 81, "a.b", "orders.fifo", "a b", "ä", "a\n", None, 5, b"a", True])
def test_any_other_queue_name_is_refused(name):
    with pytest.raises(InvalidParameterValue) as refused:
        checks.check_queue_name(name, fifo_queue=False)
    assert refused.value.message == (
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    )


@pytest.mark.parametrize("name", ["a.fifo", "A-b_9.fifo", "x" * 75 + ".fifo"])
def test_the_name_of_a_fifo_queue_ends_in_its_suffix(name):
    checks.check_queue_name(name, fifo_queue=True)


@pytest.mark.parametrize(
    "name", ["", "orders", ".fifo", "a.fifo.fifo", "a.FIFO", "x" * 76 + ".fifo", None, 5]
)
def test_any_other_name_of_a_fifo_queue_is_refused(name):
    with pytest.raises(InvalidParameterValue) as refused:
        checks.check_queue_name(name, fifo_queue=True)
    assert refused.value.message == (
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
        "must end with .fifo suffix and be 1 to 80 in length."
    )


IDS = [
    (checks.check_message_group_id, "MessageGroupId"),
    (checks.check_message_deduplication_id, "MessageDeduplicationId"),
    (checks.check_receive_request_attempt_id, "ReceiveRequestAttemptId"),
]


@pytest.mark.parametrize(("check", "parameter"), IDS)
def test_ids_are_letters_digits_and_punctuation(check, parameter):
    check("a")
    check("x" * 128)
    check("".join(map(chr, range(0x21, 0x7F))))
    for value in ("", "x" * 129, "a b", "é", "a\n", None, 5, b"a"):
        with pytest.raises(InvalidParameterValue):
            check(value)
    with pytest.raises(InvalidParameterValue) as refused:
        check("a b")
    assert refused.value.message == (
        f"Value a b for parameter {parameter} is invalid. Reason: {parameter} can only include "
        "alphanumeric and punctuation characters. 1 to 128 in length."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("x" * 300, "x" * 200 + "..."),
        ("\ud800", "\\ud800"),
        (17, "17"),
        pytest.param(10**5000, "(an integer of 16610 bits)", id="huge"),
        (1.5, "1.5"),
        (True, "True"),
        (None, "None"),
        (b"raw", "(bytes)"),
        (Unprintable(), "(Unprintable)"),
    ],
)
def test_any_value_at_all_can_be_shown(value, text):
    assert checks.shown(value) == text


@given(
    value=st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.none())
    ),
    check=st.sampled_from(
        [
            checks.check_delay_seconds,
            checks.check_max_number_of_messages,
            checks.check_wait_time_seconds,
            checks.check_visibility_timeout,
            checks.check_message_group_id,
            checks.check_message_deduplication_id,
            checks.check_receive_request_attempt_id,
        ]
    ),
)
def test_a_value_is_taken_or_refused_but_never_breaks_the_check(value, check):
    try:
        check(value)
    except InvalidParameterValue as refused:
        str(refused).encode()


@pytest.mark.parametrize(
    "tags", [{"a": ""}, {"k" * 128: "v" * 256}, {f"k{i}": "v" for i in range(50)}, {"aws": "x"}]
)
def test_tags_are_up_to_fifty_texts(tags):
    checks.check_tags(tags)


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({}, "must contain the parameter Tags"),
        ([("a", "b")], "Must map keys to values"),
        (None, "Must map keys to values"),
        ({f"k{i}": "v" for i in range(51)}, "Too many tags added for queue. The maximum is 50"),
        ({"": "v"}, "Tag keys must be between 1 and 128"),
        ({"k" * 129: "v"}, "Tag keys must be between 1 and 128"),
        ({5: "v"}, "Tag keys must be between 1 and 128"),
        ({"k": "v" * 257}, "Tag values must be between 0 and 256"),
        ({"k": None}, "Tag values must be between 0 and 256"),
        ({"AWS:k": "v"}, "reserved for internal use"),
    ],
)
def test_any_other_tags_are_refused(tags, sentence):
    with pytest.raises((InvalidParameterValue, MissingParameter), match=sentence):
        checks.check_tags(tags)
