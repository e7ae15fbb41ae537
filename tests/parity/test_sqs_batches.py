"""SQS: batches of up to ten requests."""

import pytest
from drivers.refusals import refused

SEND_BATCH = "SQS API reference: SendMessageBatch"
DELETE_BATCH = "SQS API reference: DeleteMessageBatch"
CHANGE_BATCH = "SQS API reference: ChangeMessageVisibilityBatch"
BATCHES = "SQS developer guide: Amazon SQS batch actions"


def entry(entry_id, body="hello", **parameters):
    return {"id": entry_id, "message_body": body, **parameters}


@pytest.mark.aws("Up to ten messages are sent in one batch, and each has its own answer.", page=SEND_BATCH)
def test_ten_messages_are_sent_at_once(queue):
    result = queue.send_batch([entry(f"id-{number}", f"body {number}") for number in range(10)])
    assert list(result.successful) == [f"id-{number}" for number in range(10)]
    assert result.failed == {}
    received = queue.receive(max_number_of_messages=10)
    assert [message.message_id for message in received] == [
        sent.message_id for sent in result.successful.values()
    ]


@pytest.mark.aws("Messages of a batch have parameters of their own.", page=SEND_BATCH)
def test_messages_of_a_batch_have_their_own_parameters(queue, clock):
    queue.send_batch(
        [
            entry("a", "now", message_attributes={"kind": "quick"}),
            entry("b", "later", delay_seconds=5),
        ]
    )
    [now] = queue.receive(max_number_of_messages=10)
    assert (now.body, now.message_attributes["kind"].value) == ("now", "quick")
    clock.advance(seconds=5)
    assert [message.body for message in queue.receive()] == ["later"]


@pytest.mark.aws("Each message of a batch succeeds or fails by itself.", page=SEND_BATCH)
def test_one_message_can_fail_while_the_others_are_sent(queue):
    result = queue.send_batch([entry("good"), entry("bad", "\0"), entry("late", delay_seconds=901)])
    assert list(result.successful) == ["good"]
    assert {entry_id: failure.code for entry_id, failure in result.failed.items()} == {
        "bad": "InvalidMessageContents",
        "late": "InvalidParameterValue",
    }
    assert all(failure.sender_fault for failure in result.failed.values())
    assert [message.body for message in queue.receive(max_number_of_messages=10)] == ["hello"]


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        ({"message_deduplication_id": "2"}, "The request must contain the parameter MessageGroupId."),
        (
            {"message_group_id": "a"},
            (
                "The queue should either have ContentBasedDeduplication enabled or "
                "MessageDeduplicationId provided explicitly"
            ),
        ),
    ],
)
@pytest.mark.aws(
    "A message without what a FIFO queue asks of each makes the batch fail as a whole.", page=SEND_BATCH
)
def test_a_message_without_group_or_id_fails_the_batch(fifo_queue, lacking, sentence):
    complete = {"message_group_id": "a", "message_deduplication_id": "1"}
    with refused("InvalidParameterValue", sentence):
        fifo_queue.send_batch([entry("good", **complete), entry("bad", **lacking)])
    assert fifo_queue.counts().visible == 0


@pytest.mark.aws("A batch must have an entry.", page=SEND_BATCH)
def test_an_empty_batch_is_refused(queue):
    with refused(
        "EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."
    ):
        queue.send_batch([])


@pytest.mark.aws("An empty batch of deletes is refused.", page=DELETE_BATCH)
def test_an_empty_batch_of_deletes_is_refused(queue):
    with refused(
        "EmptyBatchRequest", "There should be at least one DeleteMessageBatchRequestEntry in the request."
    ):
        queue.delete_batch([])


@pytest.mark.aws("An empty batch of changes is refused.", page=CHANGE_BATCH)
def test_an_empty_batch_of_changes_is_refused(queue):
    with refused("EmptyBatchRequest"):
        queue.change_visibility_batch([])


@pytest.mark.aws("A batch has ten entries at most.", page=SEND_BATCH)
def test_eleven_entries_are_refused(queue):
    with refused(
        "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 11."
    ):
        queue.send_batch([entry(str(number)) for number in range(11)])
    assert queue.counts().visible == 0


@pytest.mark.aws("A batch of deletes has ten entries at most.", page=DELETE_BATCH)
def test_eleven_deletes_are_refused(queue):
    with refused("TooManyEntriesInBatchRequest"):
        queue.delete_batch([{"id": str(number), "receipt_handle": "any"} for number in range(11)])


@pytest.mark.aws("The ids of a batch's entries are distinct.", page=SEND_BATCH)
def test_an_id_that_is_repeated_is_refused(queue):
    with refused("BatchEntryIdsNotDistinct", "Id twice repeated."):
        queue.send_batch([entry("twice"), entry("twice")])
    assert queue.counts().visible == 0


@pytest.mark.parametrize("entry_id", ["", "a b", "a.b", "x" * 81])
@pytest.mark.aws("An id has letters, digits, hyphens and underscores, 80 at most.", page=SEND_BATCH)
def test_an_id_of_another_form_is_refused(queue, entry_id):
    with refused(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
        "It can be at most 80 letters long.",
    ):
        queue.send_batch([entry(entry_id)])


@pytest.mark.aws("All messages of a batch together are 1 MiB at most.", page=SEND_BATCH)
def test_a_batch_of_more_than_one_mebibyte_is_refused(queue):
    half = "x" * 524_288
    with refused(
        "BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
    ):
        queue.send_batch([entry("a", half), entry("b", half + "x")])
    queue.send_batch([entry("a", half), entry("b", half)])
    assert queue.counts().visible == 2


@pytest.mark.aws(
    "Up to ten messages are deleted in one batch; each succeeds or fails by itself.", page=DELETE_BATCH
)
def test_deletes_succeed_and_fail_by_themselves(queue, clock):
    queue.send_batch(["one", "two"])
    one, two = queue.receive(max_number_of_messages=2)
    result = queue.delete_batch(
        [
            {"id": "one", "receipt_handle": one.receipt_handle},
            {"id": "forged", "receipt_handle": "made up"},
        ]
    )
    assert list(result.successful) == ["one"]
    assert result.failed["forged"].code == "ReceiptHandleIsInvalid"
    clock.advance(seconds=30)
    assert [message.message_id for message in queue.receive(max_number_of_messages=10)] == [two.message_id]


@pytest.mark.aws("Messages of a FIFO batch keep the order of the batch.", page=BATCHES)
def test_a_fifo_batch_keeps_its_order(fifo_queue):
    fifo_queue.send_batch(
        [
            entry(str(number), str(number), message_group_id="a", message_deduplication_id=str(number))
            for number in range(10)
        ]
    )
    received = fifo_queue.receive(max_number_of_messages=10)
    assert [message.body for message in received] == [str(number) for number in range(10)]
