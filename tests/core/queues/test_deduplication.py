"""Deduplication: what a FIFO queue takes for a duplicate, and for how long."""

import hashlib

import pytest

from queuestream.core.errors import InvalidParameterValue
from queuestream.core.queues.deduplication import Deduplication


@pytest.fixture
def explicit(broker):
    return broker.create_queue("explicit.fifo", fifo_queue=True)


def bodies(messages):
    return [message.body for message in messages]


def test_a_duplicate_is_answered_with_the_originals_ids_and_not_delivered(explicit):
    first = explicit.send("hello", message_group_id="g", message_deduplication_id="once")
    again = explicit.send("hello", message_group_id="g", message_deduplication_id="once")
    assert again == first
    assert bodies(explicit.peek()) == ["hello"]


def test_a_duplicate_with_another_body_gets_the_digest_of_what_it_sent(explicit):
    first = explicit.send("hello", message_group_id="g", message_deduplication_id="once")
    again = explicit.send("other", message_group_id="g", message_deduplication_id="once")
    assert (again.message_id, again.sequence_number) == (first.message_id, first.sequence_number)
    assert again.md5_of_body == hashlib.md5(b"other").hexdigest()
    assert bodies(explicit.peek()) == ["hello"]


def test_content_is_compared_where_the_queue_says_so(fifo):
    first = fifo.send("hello", message_group_id="g")
    assert (
        fifo.send("hello", message_group_id="g", message_attributes={"a": "b"}).message_id == first.message_id
    )
    assert fifo.send("hello!", message_group_id="g").message_id != first.message_id
    [message, _] = fifo.receive(max_number_of_messages=10)
    assert message.message_deduplication_id == hashlib.sha256(b"hello").hexdigest()


def test_an_explicit_id_wins_over_the_content(fifo):
    fifo.send("hello", message_group_id="g", message_deduplication_id="1")
    fifo.send("hello", message_group_id="g", message_deduplication_id="2")
    fifo.send("hello", message_group_id="g")
    assert [m.message_deduplication_id for m in fifo.peek()][:2] == ["1", "2"]
    assert len(fifo.peek()) == 3


def test_an_explicit_id_that_equals_the_contents_digest_makes_a_duplicate(fifo):
    first = fifo.send("hello", message_group_id="g")
    digest = hashlib.sha256(b"hello").hexdigest()
    again = fifo.send("something else", message_group_id="g", message_deduplication_id=digest)
    assert again.message_id == first.message_id


def test_a_queue_without_content_based_deduplication_needs_an_id(explicit):
    with pytest.raises(InvalidParameterValue, match="ContentBasedDeduplication enabled or"):
        explicit.send("hello", message_group_id="g")
    explicit.set_attributes(content_based_deduplication=True)
    explicit.send("hello", message_group_id="g")
    assert bodies(explicit.peek()) == ["hello"]


def test_it_is_forgotten_after_five_minutes(fifo, clock):
    first = fifo.send("hello", message_group_id="g")
    clock.advance(minutes=5, nanoseconds=-1)
    assert fifo.send("hello", message_group_id="g") == first
    clock.advance(nanoseconds=1)
    assert fifo.send("hello", message_group_id="g").message_id != first.message_id
    assert bodies(fifo.peek()) == ["hello", "hello"]


def test_a_duplicate_does_not_prolong_the_five_minutes(fifo, clock):
    first = fifo.send("hello", message_group_id="g")
    clock.advance(minutes=4)
    fifo.send("hello", message_group_id="g")
    clock.advance(minutes=1)
    assert fifo.send("hello", message_group_id="g") != first


def test_it_is_remembered_after_the_message_was_received_and_deleted(fifo):
    first = fifo.send("hello", message_group_id="g")
    fifo.delete(fifo.receive()[0])
    assert fifo.send("hello", message_group_id="g") == first
    assert fifo.peek() == []


def test_the_scope_is_the_queue_or_the_message_group(broker, fifo):
    first = fifo.send("hello", message_group_id="g")
    assert fifo.send("hello", message_group_id="h").message_id == first.message_id
    groups = broker.create_queue(
        "groups.fifo", fifo_queue=True, content_based_deduplication=True, deduplication_scope="messageGroup"
    )
    first = groups.send("hello", message_group_id="g")
    assert groups.send("hello", message_group_id="h").message_id != first.message_id
    assert groups.send("hello", message_group_id="g").message_id == first.message_id


def test_a_batch_finds_duplicates_within_itself_and_before(fifo):
    before = fifo.send("before", message_group_id="g")

    def entry(entry_id, body):
        return {"id": entry_id, "message_body": body, "message_group_id": "g"}

    sent = fifo.send_batch([entry("a", "new"), entry("b", "before"), entry("c", "new")]).successful
    assert sent["b"] == before
    assert sent["c"] == sent["a"]
    assert bodies(fifo.peek()) == ["before", "new"]


def test_a_name_that_comes_again_after_five_minutes_counts_from_then(fifo, clock):
    fifo.send("hello", message_group_id="g")
    clock.advance(minutes=6)
    second = fifo.send("hello", message_group_id="g")
    clock.advance(minutes=4)
    assert fifo.send("hello", message_group_id="g") == second
    clock.advance(minutes=1)
    assert fifo.send("hello", message_group_id="g") != second


def test_what_is_forgotten_takes_no_memory(fifo, clock):
    for number in range(100):
        fifo.send(str(number), message_group_id="g")
    clock.advance(minutes=5)
    fifo.send("one more", message_group_id="g")
    assert len(fifo._deduplication._originals) == len(fifo._deduplication._expiries) == 1


def test_a_name_that_a_move_task_brings_again_is_remembered_from_then_on():
    memory = Deduplication()
    memory.remember("x", "first", 1, until_ns=300)
    memory.remember("x", "moved", 2, until_ns=599)
    memory.check_invariants()
    assert memory.original("x", 300) == ("moved", 2)
    assert memory.original("x", 598) == ("moved", 2)
    assert memory.original("x", 599) is None
    memory.remember("x", "third", 3, until_ns=900)
    assert memory.original("x", 899) == ("third", 3)
    assert memory.original("x", 900) is None
    memory.check_invariants()


def test_whoever_keeps_the_memory_is_told_what_is_new_and_where_it_begins():
    memory = Deduplication()
    assert memory.oldest(0) is None
    memory.remember("x", "first", 1, until_ns=300)
    memory.remember("y", "second", 2, until_ns=400)
    memory.remember("x", "moved", 3, until_ns=500)
    assert list(memory.newer_than(1)) == [("x", "moved", 3, 500), ("y", "second", 2, 400)]
    assert list(memory.newer_than(0)) == [("x", "moved", 3, 500), ("y", "second", 2, 400)]
    assert memory.oldest(0) == 2, "of what was remembered first, nothing is left"
    assert memory.oldest(400) == 3


def test_a_purged_queue_remembers_no_duplicates(fifo):
    fifo.send("hello", message_group_id="g")
    fifo.purge()
    fifo.send("hello", message_group_id="g")
    assert bodies(fifo.peek()) == ["hello"]
