"""Batches: entries that succeed or fail one by one, and what is wrong with a batch as a whole."""

import pytest

from queuestream import ChangeVisibilityEntry, DeleteEntry, QueueLimits, SendEntry
from queuestream.core.broker import Broker
from queuestream.core.errors import (
    BatchEntryIdsNotDistinct,
    BatchError,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    TooManyEntriesInBatchRequest,
)

KIB = 1_024


def bodies(messages):
    return [message.body for message in messages]


def test_plain_bodies_are_numbered(queue):
    result = queue.send_batch(["a", "b", "c"])
    assert list(result.successful) == ["0", "1", "2"]
    assert result.failed == {}
    assert [sent.message_id for sent in result.successful.values()] == [m.message_id for m in queue.peek()]
    assert bodies(queue.peek()) == ["a", "b", "c"]


def test_entries_and_dicts_say_everything_that_a_send_says(broker, queue):
    result = queue.send_batch(
        [
            SendEntry("first", "a", delay_seconds=5, message_attributes={"kind": "welcome"}),
            {"id": "second", "message_body": "b", "message_group_id": "tenant"},
        ]
    )
    assert list(result.successful) == ["first", "second"]
    assert result.successful["first"].md5_of_message_attributes is not None
    delayed, visible = queue.peek()
    assert (delayed.state, set(delayed.message_attributes)) == ("delayed", {"kind"})
    assert (visible.state, visible.message_group_id) == ("visible", "tenant")


def test_each_entry_succeeds_or_fails_by_itself(queue):
    result = queue.send_batch(
        [
            SendEntry("good", "a"),
            SendEntry("empty", ""),
            SendEntry("late", "b", delay_seconds=901),
            SendEntry("odd", "\0"),
            SendEntry("also-good", "c"),
            SendEntry("typed", 5),
            SendEntry("attributes", "d", message_attributes={"": "x"}),
        ]
    )
    assert list(result.successful) == ["good", "also-good"]
    assert {entry_id: failure.code for entry_id, failure in result.failed.items()} == {
        # A single send says MissingParameter.
        "empty": "EmptyValue",
        "late": "InvalidParameterValue",
        "odd": "InvalidMessageContents",
        "typed": "InvalidParameterValue",
        "attributes": "InvalidParameterValue",
    }
    assert "DelaySeconds must be >= 0 and <= 900" in result.failed["late"].message
    assert bodies(queue.peek()) == ["a", "c"]


def test_a_batch_may_fail_altogether_entry_by_entry(queue):
    result = queue.send_batch([SendEntry("a", ""), SendEntry("b", "")])
    assert result.successful == {}
    assert list(result.failed) == ["a", "b"]
    assert queue.peek() == []


def test_all_messages_of_a_batch_are_sent_at_one_instant(queue, clock):
    queue.send_batch(["a", "b"])
    assert {message.sent_ns for message in queue.peek()} == {clock.now_ns()}


OPERATIONS = pytest.mark.parametrize(
    ("operation", "entry"),
    [
        ("send_batch", "SendMessage"),
        ("delete_batch", "DeleteMessage"),
        ("change_visibility_batch", "ChangeMessageVisibility"),
    ],
)


@OPERATIONS
def test_a_batch_has_entries(queue, operation, entry):
    with pytest.raises(EmptyBatchRequest, match=f"at least one {entry}BatchRequestEntry in the request"):
        getattr(queue, operation)([])


@OPERATIONS
def test_a_batch_has_ten_entries_at_most(queue, operation, entry):
    entries = {
        "send_batch": lambda n: SendEntry(f"e{n}", "body"),
        "delete_batch": lambda n: DeleteEntry(f"e{n}", "handle"),
        "change_visibility_batch": lambda n: ChangeVisibilityEntry(f"e{n}", "handle", 0),
    }[operation]
    result = getattr(queue, operation)([entries(n) for n in range(10)])
    assert len(result.successful) + len(result.failed) == 10
    queue.purge()
    with pytest.raises(
        TooManyEntriesInBatchRequest, match=r"entries per request are 10\. You have sent 11\."
    ) as refused:
        getattr(queue, operation)([entries(n) for n in range(11)])
    assert (refused.value.maximum, refused.value.sent) == (10, 11)
    assert queue.peek() == []


@OPERATIONS
@pytest.mark.parametrize("entries", [None, 5, "abc", b"abc", {"id": "a"}, object()])
def test_a_batch_is_a_list_of_entries(queue, operation, entry, entries):
    with pytest.raises(InvalidParameterValue, match="Entries"):
        getattr(queue, operation)(entries)


def test_the_ids_of_a_batch_differ(queue):
    with pytest.raises(BatchEntryIdsNotDistinct, match=r"Id same repeated\."):
        queue.send_batch([SendEntry("same", "a"), SendEntry("other", "b"), SendEntry("same", "c")])
    with pytest.raises(BatchEntryIdsNotDistinct, match=r"Id 1 repeated\."):
        queue.send_batch([SendEntry("1", "a"), "b"])
    assert queue.peek() == []


@pytest.mark.parametrize(
    "entry_id", ["", "a" * 81, "a b", "a.b", "é", "a\n", None, 5, "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_an_id_is_up_to_eighty_letters_digits_hyphens_and_underscores(queue, entry_id):
    with pytest.raises(InvalidBatchEntryId, match="It can be at most 80 letters long"):
        queue.send_batch([SendEntry(entry_id, "body")])
    assert queue.peek() == []


def test_an_id_of_eighty_characters_is_taken(queue):
    entry_id = "aZ0-_" * 16
    assert list(queue.send_batch([SendEntry(entry_id, "body")]).successful) == [entry_id]


def test_the_messages_of_a_batch_are_no_larger_together_than_one_may_be(queue):
    half = "é" * (256 * KIB)
    attributes = {"name": "value"}
    rest = half[: -(len("name") + len("String") + len("value") + 1) // 2]
    queue.send_batch([half, half])
    queue.purge()
    with pytest.raises(
        BatchRequestTooLong, match=r"longer than 1048576 bytes\. You have sent 1048577 bytes"
    ) as refused:
        queue.send_batch([half, half, "x"])
    assert (refused.value.maximum, refused.value.sent) == (KIB * KIB, KIB * KIB + 1)
    with pytest.raises(BatchRequestTooLong):
        queue.send_batch([half, SendEntry("a", half, message_attributes=attributes)])
    queue.send_batch([half, SendEntry("a", rest, message_attributes=attributes)])
    assert len(queue.peek()) == 2
    for entry in (half + half + "x", SendEntry("a", half + half + "x")):
        with pytest.raises(BatchRequestTooLong):
            queue.send_batch([entry])


def test_a_batch_larger_than_the_queues_own_maximum_fails_entry_by_entry(broker):
    queue = broker.create_queue("small", maximum_message_size=KIB)
    result = queue.send_batch(["x" * KIB, "x" * (KIB + 1)])
    assert (list(result.successful), list(result.failed)) == (["0"], ["1"])


def test_a_brokers_own_quotas_count_in_batches():
    limits = QueueLimits(message_attributes_max=20, message_size_max=2 * KIB, batch_entries_max=2)
    queue = Broker(queue_limits=limits).create_queue("emails", maximum_message_size=2 * KIB)
    attributes = {f"name{n}": "x" * 90 for n in range(11)}
    with pytest.raises(BatchRequestTooLong):
        queue.send_batch([SendEntry("a", "x" * KIB, message_attributes=attributes), "b"])
    assert list(queue.send_batch([SendEntry("a", "x", message_attributes=attributes)]).successful) == ["a"]
    with pytest.raises(TooManyEntriesInBatchRequest):
        queue.send_batch(["a", "b", "c"])


def test_a_dict_has_the_fields_of_an_entry(queue):
    with pytest.raises(InvalidParameterValue, match=r"body.*A SendEntry has no such field"):
        queue.send_batch([{"id": "a", "message_body": "b", "body": "c"}])
    with pytest.raises(MissingParameter, match="MessageBody"):
        queue.send_batch([{"id": "a"}])
    with pytest.raises(MissingParameter, match="Id"):
        queue.send_batch([{"message_body": "a"}])
    with pytest.raises(MissingParameter, match="ReceiptHandle"):
        queue.delete_batch([{"id": "a"}])
    with pytest.raises(MissingParameter, match="VisibilityTimeout"):
        queue.change_visibility_batch([{"id": "a", "receipt_handle": "b"}])
    with pytest.raises(InvalidParameterValue, match="no such field"):
        queue.delete_batch([{5: "a"}])


@pytest.mark.parametrize("entry", ["handle", ("handle",), ("handle", 1, 2), ["handle", 1], None, 5])
def test_a_change_of_visibility_needs_a_handle_and_seconds(queue, entry):
    with pytest.raises(InvalidParameterValue, match="pairs of a receipt handle and a visibility timeout"):
        queue.change_visibility_batch([entry])


def test_handles_and_messages_of_a_batch_may_be_given_in_any_form(queue):
    queue.send_batch([str(number) for number in range(6)])
    a, b, c, d, e, f = queue.receive(max_number_of_messages=6)
    result = queue.change_visibility_batch(
        [
            (a, 0),
            (b.receipt_handle, 0),
            ChangeVisibilityEntry("c", c, 0),
            {"id": "d", "receipt_handle": d.receipt_handle, "visibility_timeout": 0},
        ]
    )
    assert list(result.successful) == ["0", "1", "c", "d"]
    assert queue.counts() == (4, 2, 0)
    result = queue.delete_batch([e, f.receipt_handle, DeleteEntry("c", c), {"id": "d", "receipt_handle": d}])
    assert list(result.successful) == ["0", "1", "c", "d"]
    assert bodies(queue.peek()) == ["0", "1"]


def test_a_batch_may_be_any_iterable(queue):
    assert len(queue.send_batch(body for body in "abc").successful) == 3
    assert len(queue.send_batch({"x": 1}.keys()).successful) == 1


def test_an_error_of_a_whole_batch_is_a_batch_error():
    for error in (EmptyBatchRequest, TooManyEntriesInBatchRequest, BatchRequestTooLong, InvalidBatchEntryId):
        assert issubclass(error, BatchError)
    assert issubclass(BatchEntryIdsNotDistinct, BatchError)


def test_a_fifo_batch_is_refused_for_one_entry_without_a_group(fifo):
    with pytest.raises(InvalidParameterValue) as refused:
        fifo.send_batch([SendEntry("a", "1", message_group_id="g"), SendEntry("b", "2")])
    assert refused.value.message == "The request must contain the parameter MessageGroupId."
    with pytest.raises(InvalidParameterValue):
        fifo.send_batch(["a plain body"])
    assert fifo.peek() == []


def test_a_fifo_batch_is_refused_for_one_entry_without_a_deduplication_id(fifo):
    fifo.set_attributes(content_based_deduplication=False)
    labelled = SendEntry("a", "1", message_group_id="g", message_deduplication_id="d")
    with pytest.raises(InvalidParameterValue, match="MessageDeduplicationId provided explicitly"):
        fifo.send_batch([labelled, SendEntry("b", "2", message_group_id="g")])
    assert fifo.peek() == []
    assert fifo.send_batch([labelled]).successful["a"].sequence_number is not None


def test_a_batch_says_in_its_own_words_that_a_message_is_too_large(queue):
    queue.set_attributes(maximum_message_size=1024)
    result = queue.send_batch(["a" * 1024, "a" * 1025])
    assert list(result.successful) == ["0"]
    assert result.failed["1"].message == (
        "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    )


def test_a_batch_says_in_its_own_words_that_a_handle_has_expired(fifo, clock):
    fifo.send("hello", message_group_id="g")
    [message] = fifo.receive()
    clock.advance(seconds=30)
    failure = fifo.delete_batch([message]).failed["0"]
    assert (failure.code, failure.message) == ("ReceiptHandleIsInvalid", "The receipt handle has expired")
