"""Messages: what is sent, what is received, and what becomes of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from queuestream.core.errors import (
    InvalidMessageContents,
    InvalidParameterValue,
    MissingParameter,
    ReceiptHandleIsInvalid,
)
from queuestream.core.queues.message_attributes import MessageAttribute
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.queues.fixtures import QueueSuite, bodies
from queuestream.testing.conformance.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.queues.queue import Queue
    from queuestream.testing.conformance.queues.fixtures import NewQueue

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def md5(data: bytes) -> str:
    """A digest as SQS shows it."""
    return hashlib.md5(data).hexdigest()


class Messages(QueueSuite):
    """What a message is."""

    # --- sending and receiving ---

    def test_what_is_sent_is_received(self, queue: Queue) -> None:
        sent = queue.send("Grüße \N{PARTY POPPER}")
        message = self.take_one(queue)
        assert message.body == "Grüße \N{PARTY POPPER}"
        assert message.message_id == sent.message_id
        assert message.md5_of_body == sent.md5_of_body == md5("Grüße \N{PARTY POPPER}".encode())

    def test_a_short_poll_of_an_empty_queue_gives_nothing(self, queue: Queue) -> None:
        assert queue.receive() == []

    def test_a_receive_gives_one_message_where_nothing_is_said(self, queue: Queue) -> None:
        queue.send_batch(["one", "two"])
        assert len(queue.receive(wait_time_seconds=self.receive_wait_seconds)) == 1

    def test_a_receive_gives_ten_messages_at_most(self, queue: Queue) -> None:
        sent = [str(number) for number in range(12)]
        queue.send_batch(sent[:6])
        queue.send_batch(sent[6:])
        wait_time_seconds = self.receive_wait_seconds
        first = queue.receive(max_number_of_messages=10, wait_time_seconds=wait_time_seconds)
        assert 1 <= len(first) <= 10
        rest = self.take(queue, 12 - len(first))
        assert sorted(bodies([*first, *rest])) == sorted(sent)

    @pytest.mark.parametrize("count", [0, 11])
    def test_a_number_of_messages_out_of_range_is_refused(self, queue: Queue, count: int) -> None:
        with refused(InvalidParameterValue):
            queue.receive(max_number_of_messages=count)

    def test_ids_and_handles_are_distinct(self, queue: Queue) -> None:
        result = queue.send_batch([str(number) for number in range(10)])
        sent = {answer.message_id for answer in result.successful.values()}
        received = self.take(queue, 10)
        assert {message.message_id for message in received} == sent
        assert len(sent) == len({message.receipt_handle for message in received}) == 10

    def test_a_message_counts_its_receives(self, queue: Queue) -> None:
        queue.send("hello")
        seen = [self.take_one(queue, visibility_timeout=0) for _ in range(3)]
        assert [message.receive_count for message in seen] == [1, 2, 3]
        assert len({message.receipt_handle for message in seen}) == 3
        assert len({message.first_received_timestamp_ms for message in seen}) == 1

    def test_a_message_knows_when_it_was_sent_and_received(self, queue: Queue) -> None:
        queue.send("hello")
        message = self.take_one(queue)
        assert message.sent_timestamp_ms > 10**12
        assert message.first_received_timestamp_ms >= message.sent_timestamp_ms

    def test_a_message_that_is_received_later_says_so(
        self, queue: Queue, pass_time: Callable[[float], None]
    ) -> None:
        queue.send("hello")
        pass_time(5)
        message = self.take_one(queue)
        assert 5_000 <= message.first_received_timestamp_ms - message.sent_timestamp_ms < 6_000

    def test_a_message_knows_who_sent_it(self, queue: Queue) -> None:
        queue.send("hello")
        assert self.take_one(queue).sender_id

    # --- the body ---

    def test_an_empty_body_is_refused(self, queue: Queue) -> None:
        with refused(MissingParameter):
            queue.send("")

    @pytest.mark.parametrize("character", ["\0", "\x0b", "\x1f", "\uffff"], ids=["0", "b", "1f", "ffff"])
    def test_characters_that_a_body_cannot_have_are_refused(self, queue: Queue, character: str) -> None:
        with refused(InvalidMessageContents):
            queue.send(f"before {character} after")

    def test_characters_that_a_body_can_have_come_back(self, queue: Queue) -> None:
        body = "\t\n\r <&>\"' \x7f \ud7ff \ue000 \ufffd \U0010ffff"
        queue.send(body)
        assert self.take_one(queue).body == body

    def test_a_body_of_one_mebibyte_is_taken(self, queue: Queue) -> None:
        queue.send("x" * 1_048_576)
        assert len(self.take_one(queue).body) == 1_048_576

    def test_a_body_of_one_byte_more_is_refused(self, queue: Queue) -> None:
        with refused(InvalidParameterValue):
            queue.send("x" * 1_048_577)

    def test_a_queue_can_take_smaller_messages_only(self, new_queue: NewQueue) -> None:
        queue = new_queue(maximum_message_size=1_024)
        queue.send("ü" * 512)
        with refused(InvalidParameterValue):
            queue.send("ü" * 513)
        with refused(InvalidParameterValue):
            queue.send("x" * 1_005, message_attributes={"name": "v" * 10})

    # --- attributes ---

    def test_attributes_arrive_with_their_types(self, queue: Queue) -> None:
        attributes = {
            "name": MessageAttribute("String", "Jürgen"),
            "age": MessageAttribute("Number", "42"),
            "photo": MessageAttribute("Binary", b"\x89PNG\0\xff"),
            "price": MessageAttribute("Number.euro", "1.50"),
        }
        queue.send("hello", message_attributes=attributes)
        assert self.take_one(queue).message_attributes == attributes

    def test_plain_values_are_attributes_too(self, queue: Queue) -> None:
        queue.send("hello", message_attributes={"name": "Jane", "age": 42, "key": b"\0"})
        assert self.take_one(queue).message_attributes == {
            "name": MessageAttribute("String", "Jane"),
            "age": MessageAttribute("Number", "42"),
            "key": MessageAttribute("Binary", b"\0"),
        }

    def test_the_digest_of_attributes_is_the_documented_one(self, queue: Queue) -> None:
        attributes = {"b": MessageAttribute("Binary", b"\x01\x02"), "a": MessageAttribute("String", "x")}
        sent = queue.send("hello", message_attributes=attributes)
        # Each part behind its length in four bytes; a value behind one more byte, 1 for text and 2 for bytes.
        encoded = (
            b"\0\0\0\x01a" + b"\0\0\0\x06String" + b"\x01" + b"\0\0\0\x01x"
            b"\0\0\0\x01b" + b"\0\0\0\x06Binary" + b"\x02" + b"\0\0\0\x02\x01\x02"
        )
        assert sent.md5_of_message_attributes == md5(encoded)
        assert self.take_one(queue).md5_of_message_attributes == md5(encoded)

    def test_a_message_without_attributes_has_no_digest_of_them(self, queue: Queue) -> None:
        assert queue.send("hello").md5_of_message_attributes is None
        message = self.take_one(queue)
        assert (message.message_attributes, message.md5_of_message_attributes) == ({}, None)

    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            ([], set()),
            (["city"], {"city"}),
            (["city.*"], {"city", "city.zip"}),
            (["citizen", "city.zip", "nothing"], {"citizen", "city.zip"}),
            (["All"], {"citizen", "city", "city.zip"}),
            ([".*"], {"citizen", "city", "city.zip"}),
        ],
        ids=["none", "name", "prefix", "names", "all", "every-prefix"],
    )
    def test_attributes_are_asked_for_by_name_and_by_prefix(
        self, queue: Queue, asked: list[str], given: set[str]
    ) -> None:
        queue.send("hello", message_attributes={"city": "a", "city.zip": "b", "citizen": "c"})
        assert set(self.take_one(queue, message_attribute_names=asked).message_attributes) == given

    def test_a_message_has_ten_attributes_at_most(self, queue: Queue) -> None:
        queue.send("hello", message_attributes={f"n{number}": number for number in range(10)})
        with refused(InvalidParameterValue):
            queue.send("hello", message_attributes={f"n{number}": number for number in range(11)})

    @pytest.mark.parametrize(
        "name",
        ["a b", "n" * 257, ".a", "a.", "a..b", "AWS.a", "Amazon.c"],
        ids=["space", "long", "first-dot", "last-dot", "two-dots", "aws", "amazon"],
    )
    def test_an_attributes_name_of_another_form_is_refused(self, queue: Queue, name: str) -> None:
        with refused(InvalidParameterValue):
            queue.send("hello", message_attributes={name: "value"})

    @pytest.mark.parametrize(
        ("data_type", "value"),
        [("Text", "a"), ("Number", "one"), ("String", ""), ("Number", "9" * 39)],
        ids=["type", "word", "empty", "long"],
    )
    def test_an_attributes_value_of_another_form_is_refused(
        self, queue: Queue, data_type: str, value: str
    ) -> None:
        with refused(InvalidParameterValue):
            queue.send("hello", message_attributes={"a": MessageAttribute(data_type, value)})

    def test_a_trace_header_travels_with_the_message(self, queue: Queue) -> None:
        sent = queue.send("hello", message_system_attributes={"AWSTraceHeader": TRACE})
        assert sent.md5_of_message_system_attributes is not None
        assert self.take_one(queue).aws_trace_header == TRACE

    def test_other_system_attributes_are_refused(self, queue: Queue) -> None:
        with refused(InvalidParameterValue):
            queue.send("hello", message_system_attributes={"SenderId": "me"})

    # --- deleting ---

    def test_a_deleted_message_does_not_come_back(
        self, new_queue: NewQueue, soon: Callable[[Queue, int], list[object]]
    ) -> None:
        queue = new_queue(visibility_timeout=1)
        queue.send_batch(["deleted", "kept"])
        for message in self.take(queue, 2):
            if message.body == "deleted":
                queue.delete(message)
        assert [getattr(message, "body", None) for message in soon(queue, 1)] == ["kept"]

    def test_a_message_can_be_deleted_twice(self, queue: Queue) -> None:
        queue.send("hello")
        message = self.take_one(queue)
        queue.delete(message)
        queue.delete(message.receipt_handle)

    def test_a_message_can_be_deleted_after_it_came_back(self, queue: Queue) -> None:
        queue.send("hello")
        queue.delete(self.take_one(queue, visibility_timeout=0))
        assert self.take(queue) == []

    def test_a_made_up_handle_deletes_nothing(self, queue: Queue) -> None:
        queue.send("hello")
        with refused(ReceiptHandleIsInvalid):
            queue.delete("made up")
        assert bodies(self.take(queue)) == ["hello"]

    # --- looking ---

    @needs("exact_counts")
    def test_messages_are_counted_by_their_state(self, queue: Queue) -> None:
        queue.send_batch(["one", "two", "three"])
        queue.send("later", delay_seconds=900)
        message = self.take_one(queue)
        assert queue.counts() == (2, 1, 1)
        assert queue.approximate_number_of_messages == 2
        assert queue.approximate_number_of_messages_not_visible == 1
        assert queue.approximate_number_of_messages_delayed == 1
        queue.delete(message)
        assert queue.counts() == (2, 0, 1)

    @needs("peek")
    def test_messages_can_be_seen_without_being_received(self, queue: Queue) -> None:
        queue.send("hello")
        self.take_one(queue)
        queue.send("later", delay_seconds=900)
        seen = [(message.body, message.state, message.receive_count) for message in queue.peek()]
        assert seen == [("hello", "in_flight", 1), ("later", "delayed", 0)]
