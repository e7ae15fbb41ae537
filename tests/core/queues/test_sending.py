"""Sending: what a message is given on its way in, what its sender is told, and when it may be seen."""

import hashlib
import re
from decimal import Decimal

import pytest

from queuestream import MessageAttribute, Queue, QueueLimits, SentMessage, VirtualClock
from queuestream.core.broker import Broker
from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidMessageContents, InvalidParameterValue, MissingParameter

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def test_a_message_gets_an_id_and_the_digest_of_its_body(queue):
    sent = queue.send("hello")
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", sent.message_id
    )
    assert sent.md5_of_body == "5d41402abc4b2a76b9719d911017c592"
    assert sent.md5_of_message_attributes is None
    assert sent.md5_of_message_system_attributes is None
    assert sent.sequence_number is None


def test_the_digest_is_of_the_bodys_utf8_bytes(queue):
    body = "Grüße, 世界 \N{OWL}"
    assert queue.send(body).md5_of_body == hashlib.md5(body.encode()).hexdigest()


def test_no_two_messages_share_an_id(queue):
    assert len({queue.send("the same").message_id for _ in range(100)}) == 100


def test_the_same_seed_and_the_same_calls_give_the_same_answers():
    first, second = (Queue("emails", clock=VirtualClock(), seed="a seed") for _ in range(2))
    assert first.send("hello") == second.send("hello")
    assert first.receive() == second.receive()
    other = Queue("emails", clock=VirtualClock(), seed="another")
    other.send("hello")
    assert other.receive() != second.receive()


def test_what_was_sent_is_received_unchanged(queue, clock):
    body = "\t<xml>\r\n\u20ac\U0001f600\ue000\ufffd</xml>"
    sent = queue.send(
        body,
        message_attributes={
            "kind": "welcome",
            "n": 3,
            "blob": b"\0\xff",
            "ratio": MessageAttribute("Number.f", "1.50"),
        },
        message_system_attributes={"AWSTraceHeader": TRACE},
        message_group_id="tenant-1",
    )
    [message] = queue.receive()
    assert message.message_id == sent.message_id
    assert message.body == body
    assert message.md5_of_body == sent.md5_of_body
    assert message.md5_of_message_attributes == sent.md5_of_message_attributes
    assert message.message_attributes == {
        "kind": MessageAttribute("String", "welcome"),
        "n": MessageAttribute("Number", "3"),
        "blob": MessageAttribute("Binary", b"\0\xff"),
        "ratio": MessageAttribute("Number.f", "1.50"),
    }
    assert message.aws_trace_header == TRACE
    assert message.message_group_id == "tenant-1"
    assert message.sender_id == "000000000000"
    assert message.sent_ns == clock.now_ns()
    assert message.sent_timestamp_ms == clock.now_ns() // 1_000_000


def test_what_the_caller_does_with_his_dict_afterwards_changes_nothing(queue):
    attributes = {"kind": "welcome"}
    queue.send("hello", message_attributes=attributes)
    attributes["kind"] = "goodbye"
    [message] = queue.receive()
    assert message.message_attributes == {"kind": MessageAttribute("String", "welcome")}
    message.message_attributes.clear()
    assert queue.peek()[0].message_attributes == {"kind": MessageAttribute("String", "welcome")}


def test_numbers_may_be_python_numbers(queue):
    queue.send("hello", message_attributes={"i": 7, "f": 1.5, "d": Decimal("1E+3")})
    [message] = queue.receive()
    assert {name: attribute.value for name, attribute in message.message_attributes.items()} == {
        "i": "7",
        "f": "1.5",
        "d": "1E+3",
    }


@pytest.mark.parametrize("body", ["\0", "\x0b", "a\x1f", "\ufffe", "\uffff", "\ud800", "half \udfff"])
def test_a_character_outside_awss_set_is_refused(queue, body):
    with pytest.raises(InvalidMessageContents):
        queue.send(body)
    assert queue.peek() == []


def test_a_message_needs_a_body(queue):
    with pytest.raises(MissingParameter, match="MessageBody"):
        queue.send("")


def test_the_size_counts_utf8_bytes_and_attributes_but_not_the_trace_header(broker):
    queue = broker.create_queue("small", maximum_message_size=1_024)
    queue.send("é" * 512)
    queue.send("x" * 1_024, message_system_attributes={"AWSTraceHeader": TRACE})
    with pytest.raises(InvalidParameterValue, match=r"Message must be shorter than 1024 bytes\."):
        queue.send("é" * 512 + "x")
    size = len("name") + len("String") + len("value")
    queue.send("x" * (1_024 - size), message_attributes={"name": "value"})
    with pytest.raises(InvalidParameterValue, match="shorter than 1024"):
        queue.send("x" * (1_025 - size), message_attributes={"name": "value"})
    assert len(queue.peek()) == 3


def test_messages_are_delayed_by_the_queues_setting(broker, clock):
    queue = broker.create_queue("delayed", delay_seconds=10)
    queue.send("later")
    assert [message.state for message in queue.peek()] == ["delayed"]
    clock.advance(seconds=10, nanoseconds=-1)
    assert queue.receive() == []
    clock.advance(nanoseconds=1)
    assert [message.body for message in queue.receive()] == ["later"]


def test_a_messages_own_delay_wins_over_the_queues(broker, clock):
    queue = broker.create_queue("delayed", delay_seconds=10)
    queue.send("now", delay_seconds=0)
    queue.send("much later", delay_seconds=900)
    [now] = queue.receive()
    assert now.body == "now"
    queue.delete(now)
    clock.advance(seconds=899)
    assert queue.receive() == []
    clock.advance(seconds=1)
    assert [message.body for message in queue.receive()] == ["much later"]


def test_a_delayed_message_takes_its_turn_when_its_delay_has_ended(queue, clock):
    queue.send("first, in two seconds", delay_seconds=2)
    queue.send("second, in one second", delay_seconds=1)
    clock.advance(seconds=1, nanoseconds=500)
    queue.send("third, now")
    clock.advance(seconds=1)
    queue.send("fourth, now")
    messages = queue.receive(max_number_of_messages=10)
    assert [message.body.partition(",")[0] for message in messages] == ["second", "third", "first", "fourth"]


def test_among_messages_that_become_available_at_one_instant_those_that_waited_come_first(queue, clock):
    queue.send("delayed", delay_seconds=5)
    clock.advance(seconds=5)
    queue.send("sent at that instant")
    assert [m.body for m in queue.receive(max_number_of_messages=2)] == ["delayed", "sent at that instant"]


def test_a_delayed_message_that_was_sent_says_when_it_was_sent(queue, clock):
    sent_ns = clock.now_ns()
    queue.send("later", delay_seconds=60)
    clock.advance(seconds=60)
    [message] = queue.receive()
    assert message.sent_ns == sent_ns
    assert message.first_received_ns == sent_ns + 60 * SECOND


def test_a_standard_queue_takes_no_deduplication_id(queue):
    with pytest.raises(
        InvalidParameterValue, match=r"MessageDeduplicationId is invalid.*not valid for this queue type"
    ):
        queue.send("hello", message_deduplication_id="once")


def test_a_brokers_own_quota_is_the_one_that_counts():
    queue = Broker(queue_limits=QueueLimits(message_attributes_max=1, delay_seconds_max=2)).create_queue(
        "emails"
    )
    queue.send("hello", message_attributes={"a": "1"}, delay_seconds=2)
    with pytest.raises(InvalidParameterValue, match=r"\[2\] exceeds the allowed maximum \[1\]"):
        queue.send("hello", message_attributes={"a": "1", "b": "2"})
    with pytest.raises(InvalidParameterValue, match="<= 2"):
        queue.send("hello", delay_seconds=3)


def test_an_answer_is_a_value(queue):
    sent = queue.send("hello")
    assert isinstance(sent, SentMessage)
    assert sent == sent  # noqa: PLR0124 - says: compares by what it holds
    assert sent != queue.send("hello")
    assert sent.message_id in repr(sent)
