"""Batches: up to ten requests in one, each of which succeeds or fails by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from queuestream.core.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    TooManyEntriesInBatchRequest,
)
from queuestream.core.queues.batches import ChangeVisibilityEntry, DeleteEntry, SendEntry
from queuestream.testing.conformance.queues.fixtures import QueueSuite, bodies
from queuestream.testing.conformance.refusals import refused

if TYPE_CHECKING:
    from queuestream.core.queues.queue import Queue
    from queuestream.testing.conformance.queues.fixtures import Soon


def entry(entry_id: str, body: str = "hello", **parameters: Any) -> SendEntry:
    """One message of a batch."""
    return SendEntry(entry_id, body, **parameters)


class Batches(QueueSuite):
    """Ten requests in one."""

    # --- sending ---

    def test_ten_messages_are_sent_at_once(self, queue: Queue) -> None:
        result = queue.send_batch([entry(f"id-{number}", f"body {number}") for number in range(10)])
        assert (list(result.successful), result.failed) == ([f"id-{number}" for number in range(10)], {})
        by_id = {message.message_id: message.body for message in self.take(queue, 10)}
        assert [by_id[sent.message_id] for sent in result.successful.values()] == [
            f"body {number}" for number in range(10)
        ]

    def test_plain_bodies_are_numbered(self, queue: Queue) -> None:
        assert list(queue.send_batch(["one", "two"]).successful) == ["0", "1"]
        assert sorted(bodies(self.take(queue, 2))) == ["one", "two"]

    def test_messages_of_a_batch_have_parameters_of_their_own(self, queue: Queue, soon: Soon) -> None:
        queue.send_batch(
            [entry("a", "now", message_attributes={"kind": "quick"}), entry("b", "later", delay_seconds=1)]
        )
        [now] = self.take(queue, 2)
        assert (now.body, now.message_attributes["kind"].value) == ("now", "quick")
        assert bodies(soon(queue, 1)) == ["later"]

    def test_a_message_can_fail_while_others_are_sent(self, queue: Queue) -> None:
        result = queue.send_batch([entry("good"), entry("bad", "\0"), entry("late", delay_seconds=901)])
        assert list(result.successful) == ["good"]
        assert {entry_id: failure.code for entry_id, failure in result.failed.items()} == {
            "bad": "InvalidMessageContents",
            "late": "InvalidParameterValue",
        }
        assert all(failure.sender_fault and failure.message for failure in result.failed.values())
        assert bodies(self.take(queue, 3)) == ["hello"]

    def test_a_fifo_batch_keeps_its_order(self, fifo_queue: Queue) -> None:
        result = fifo_queue.send_batch(
            [
                entry(str(number), str(number), message_group_id="a", message_deduplication_id=str(number))
                for number in range(10)
            ]
        )
        assert bodies(self.take(fifo_queue, 10)) == [str(number) for number in range(10)]
        numbers = [sent.sequence_number or "" for sent in result.successful.values()]
        assert numbers == sorted(set(numbers))

    # --- what is refused as a whole ---

    def test_an_empty_batch_is_refused(self, queue: Queue) -> None:
        for send in (queue.send_batch, queue.delete_batch, queue.change_visibility_batch):
            with refused(EmptyBatchRequest):
                send([])

    def test_eleven_entries_are_refused(self, queue: Queue) -> None:
        with refused(TooManyEntriesInBatchRequest):
            queue.send_batch([entry(str(number)) for number in range(11)])
        with refused(TooManyEntriesInBatchRequest):
            queue.delete_batch([DeleteEntry(str(number), "any") for number in range(11)])
        assert self.take(queue) == []

    def test_an_id_that_is_repeated_is_refused(self, queue: Queue) -> None:
        with refused(BatchEntryIdsNotDistinct):
            queue.send_batch([entry("twice"), entry("twice")])
        assert self.take(queue) == []

    @pytest.mark.parametrize("entry_id", ["a b", "a.b", "x" * 81, ""], ids=["space", "dot", "long", "empty"])
    def test_an_id_of_another_form_is_refused(self, queue: Queue, entry_id: str) -> None:
        with refused(InvalidBatchEntryId):
            queue.send_batch([entry(entry_id)])

    def test_more_than_one_mebibyte_is_refused(self, queue: Queue) -> None:
        half = "x" * 524_288
        with refused(BatchRequestTooLong):
            queue.send_batch([entry("a", half), entry("b", half + "x")])
        assert self.take(queue) == []
        assert queue.send_batch([entry("a", half), entry("b", half)]).failed == {}

    # --- deleting and hiding ---

    def test_messages_are_deleted_together(self, queue: Queue, soon: Soon) -> None:
        queue.send_batch(["one", "two", "three"])
        messages = self.take(queue, 3, visibility_timeout=1)
        kept = messages.pop()
        assert list(queue.delete_batch(messages).successful) == ["0", "1"]
        assert bodies(soon(queue, 1)) == [kept.body]

    def test_deletes_succeed_and_fail_by_themselves(self, queue: Queue) -> None:
        queue.send("hello")
        message = self.take_one(queue, visibility_timeout=0)
        result = queue.delete_batch(
            [DeleteEntry("good", message.receipt_handle), DeleteEntry("forged", "made up")]
        )
        assert (list(result.successful), list(result.failed)) == (["good"], ["forged"])
        assert result.failed["forged"].code == "ReceiptHandleIsInvalid"
        assert result.failed["forged"].sender_fault
        assert self.take(queue) == []

    def test_changes_of_visibility_succeed_and_fail_by_themselves(self, queue: Queue) -> None:
        queue.send("hello")
        message = self.take_one(queue)
        result = queue.change_visibility_batch(
            [
                ChangeVisibilityEntry("good", message.receipt_handle, 0),
                ChangeVisibilityEntry("forged", "made up", 0),
            ]
        )
        assert (list(result.successful), list(result.failed)) == (["good"], ["forged"])
        assert result.failed["forged"].code == "ReceiptHandleIsInvalid"
        assert bodies(self.take(queue)) == ["hello"]
