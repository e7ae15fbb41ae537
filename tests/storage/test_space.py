"""Space: given back when what took it is gone, and never taken without end."""

import threading

import pytest
from stores import PATIENCE, Call, bodies, left_by_a_kill, until

from queuestream import VirtualClock
from queuestream.core.streams.limits import MIB
from queuestream.storage import store, tidying
from queuestream.storage.opening import open_broker

BODY = "x" * 2_000


@pytest.fixture
def no_folds(monkeypatch):
    monkeypatch.setattr(store, "_FOLD_SECONDS", 3_600)


@pytest.fixture
def small_steps(monkeypatch):
    """A file that gives space back from the first pages on, few at a time."""
    for name, value in {
        "_ROWS_MAX": 16,
        "_PAGES": 20,
        "_FREE_PAGES_KEPT": 10,
        "_FREE_SHARE_KEPT": 0.0,
    }.items():
        monkeypatch.setattr(tidying, name, value)


def pages(broker):
    """How many pages the file has, and how many of them nothing uses."""
    connection = broker.storage._connection
    with broker.storage._folding:
        return tuple(
            connection.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )


def garbage(broker):
    with broker.storage._folding:
        return broker.storage._connection.execute("select count(*) from garbage").fetchone()[0]


def purge(broker):
    broker.queue("emails").purge()


def delete(broker):
    broker.delete_queue("emails")


def receive_all(broker):
    queue = broker.queue("emails")
    while messages := queue.receive(max_number_of_messages=10):
        queue.delete_batch(messages)


def expire(broker):
    broker.clock.advance(hours=24 * 14)
    assert broker.queue("emails").peek() == []


def trim(broker):
    broker.clock.advance(hours=25)
    assert broker.stream("events").peek() == []
    broker.stream("events").put_record(b"new", "key")


@pytest.mark.parametrize("end", [purge, delete, receive_all, expire, trim])
def test_what_is_gone_gives_its_space_back_in_small_steps_while_calls_go_on(
    open_file, path, monkeypatch, small_steps, end
):
    monkeypatch.setattr(store, "_FOLD_SECONDS", 0)
    broker = open_file(clock=VirtualClock(), durability="none")
    emails, events = broker.create_queue("emails"), broker.create_stream("events")
    for _ in range(40):
        emails.send_batch([BODY] * 10)
    events.put_records([(BODY.encode(), "key")] * 400)
    other = broker.create_queue("other")
    broker.storage.fold()
    full, free = pages(broker)
    assert full > 200
    assert free < 20

    steps, sent = [], []
    step = broker.storage._tidying.step
    monkeypatch.setattr(broker.storage._tidying, "step", lambda: steps.append(step()) or steps[-1])
    end(broker)

    def is_given_back():
        sent.append(other.send("meanwhile"))  # which is folded, again and again
        return garbage(broker) == 0 and pages(broker)[0] < full - 60

    until(is_given_back)
    assert sum(steps) > 3
    broker.close()
    assert path.stat().st_size < 8_192 * (full - 60)
    again = open_file(clock=broker.clock)
    assert len(again.queue("other").peek()) == len(sent)
    assert ("emails" in [queue.name for queue in again.list_queues()]) == (end is not delete)


def test_space_is_given_back_while_changes_come_together_for_the_next_fold(open_file, no_folds):
    broker = open_file()
    queue = broker.create_queue("emails")
    until(lambda: not broker.storage._news.is_set())  # the thread has heard of it, and waits for more
    queue.send_batch([BODY] * 10)
    broker.storage.fold()
    queue.purge()
    broker.storage.fold()

    queue.send("one of many that will be folded together")
    until(lambda: garbage(broker) == 0)
    assert broker.storage._is_unfolded


def test_a_queue_that_was_deleted_and_made_again_has_nothing_of_the_first(
    open_file, path, monkeypatch, no_folds
):
    clock = VirtualClock()
    broker = open_file(clock=clock)
    monkeypatch.setattr(broker.storage._tidying, "step", lambda: False)
    broker.create_queue("emails", visibility_timeout=5).send_batch(["old"] * 10)
    broker.storage.fold()
    broker.delete_queue("emails")
    clock.advance(seconds=60)
    queue = broker.create_queue("emails")
    queue.send("new")
    broker.storage.fold()
    assert garbage(broker) > 0

    killed = open_broker(left_by_a_kill(broker, path.parent / "copy"), clock=clock)
    assert bodies(killed.queue("emails")) == ["new"]
    assert killed.queue("emails").attributes.visibility_timeout == 30
    killed.close()


def test_who_adds_faster_than_rows_are_written_waits(open_file, monkeypatch, no_folds):
    monkeypatch.setattr(store, "_FOLD_AT_BYTES", 10_000)
    monkeypatch.setattr(store, "_BEHIND_BYTES_MAX", 20_000)
    broker = open_file(durability="none")
    queue = broker.create_queue("emails")
    sent = []
    is_enough = threading.Event()

    def send():
        while not is_enough.is_set():
            queue.send(BODY)
            sent.append(broker.storage._journal.filled)

    with broker.storage._folding:
        sending = Call(send)
        until(lambda: broker.storage._folded._waiters)
        before = len(sent)
        assert 8 <= before < 20
        assert not sending.outcome
    until(lambda: len(sent) > 10 * before)
    is_enough.set()
    assert sending.end() is None
    assert max(sent) < 20_000 + 2 * len(BODY)


@pytest.mark.parametrize("durability", ["commit", "interval", "none"])
def test_who_waits_for_rows_to_be_written_is_let_go_when_the_broker_closes(
    open_file, monkeypatch, no_folds, durability
):
    broker = open_file(durability=durability)
    queue = broker.create_queue("emails")
    broker.storage.fold()
    monkeypatch.setattr(store, "_FOLD_AT_BYTES", 500)
    monkeypatch.setattr(store, "_BEHIND_BYTES_MAX", 1_000)
    fold, may_fold = broker.storage._fold, threading.Event()
    monkeypatch.setattr(broker.storage, "_fold", lambda: may_fold.wait(PATIENCE) and fold())
    sending = [Call(queue.send, BODY) for _ in range(3)]
    until(lambda: len(broker.storage._folded._waiters) == 3)
    closing = Call(broker.close)

    assert [type(call.end()).__name__ for call in sending] == ["SentMessage"] * 3
    may_fold.set()
    assert closing.end() is None
    assert bodies(open_file().queue("emails")) == [BODY] * 3


def test_large_messages_and_records_are_kept(open_file, path, no_folds):
    broker = open_file(durability="none")
    queue, events = broker.create_queue("emails"), broker.create_stream("events", shard_count=16)
    large = "ä" * (MIB // 2)
    for _ in range(3):
        queue.send(large)
    queue.send_batch(["y" * (MIB // 10)] * 10)
    # Two of these are more than a file of the journal has room for.
    records = [(bytes([number]) * (MIB - 100), f"key {number}") for number in range(10)]
    for _ in range(2):
        assert not events.put_records(records).failed_record_count
    assert broker.storage._journal.filled > store.SEGMENT_BYTES

    copy = left_by_a_kill(broker, path.parent / "copy")
    broker.close()
    for file in (copy, path):
        again = open_file(file)
        assert [len(body) for body in bodies(again.queue("emails"))] == [MIB // 10] * 10 + [MIB // 2] * 3
        found = [(record.data, record.partition_key) for record in again.stream("events").peek()]
        assert sorted(found) == sorted(records * 2)
        again.close()
