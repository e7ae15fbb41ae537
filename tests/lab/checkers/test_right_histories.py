"""Whatever a right queue or stream does, and whatever clients see of it, nothing is held against it."""

from random import Random
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_runs import right_queue, right_stream

from queuestream import Broker, VirtualClock
from queuestream.aws import AnswerLost, FaultPlan
from queuestream.core.errors import QueuestreamError
from queuestream.core.queues.batches import SendEntry
from queuestream.lab import History, check, faulty
from queuestream.lab.recording import Recorder

CHANCES = st.randoms(use_true_random=False)
# Readers who go wherever they like read children before parents; that is their fault, not the stream's.
OF_READERS = {"child-before-parent", "out-of-order"}
DELIVERIES = ["strict", "aws_like", "adversarial"]

NAIVE = {
    "standard": lambda chance: right_queue(chance, fifo=False),
    "fifo": lambda chance: right_queue(chance, fifo=True),
    "stream": right_stream,
}


@pytest.mark.parametrize("promise", NAIVE)
def test_the_naive_are_right(promise):
    for seed in range(60):
        verdict = check(NAIVE[promise](Random(seed)))
        assert verdict.found == {}, (seed, str(verdict))


@pytest.mark.slow
@pytest.mark.parametrize("promise", NAIVE)
def test_the_naive_are_right_again_and_again(promise):
    for seed in range(60, 3_000):
        verdict = check(NAIVE[promise](Random(seed)))
        assert verdict.found == {}, (seed, str(verdict))


@settings(max_examples=15)
@given(chance=CHANCES)
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_queue_of_ours_is_right(fifo, chance):
    assert_right(calls_of_queue(chance, fifo=fifo, delivery=chance.choice(DELIVERIES)))


@settings(max_examples=15)
@given(chance=CHANCES)
def test_a_stream_of_ours_is_right(chance):
    assert_right(calls_of_stream(chance, delivery=chance.choice(DELIVERIES)), OF_READERS)


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_queue_of_ours_is_right_when_threads_call_it_at_once(fifo):
    assert_right(calls_of_threads(Random(1), fifo=fifo, calls=40))


@pytest.mark.slow
@settings(max_examples=400)
@given(chance=CHANCES, delivery=st.sampled_from(DELIVERIES))
def test_queues_and_streams_of_ours_are_right_again_and_again(chance, delivery):
    assert_right(calls_of_queue(chance, fifo=False, delivery=delivery))
    assert_right(calls_of_queue(chance, fifo=True, delivery=delivery))
    assert_right(calls_of_stream(chance, delivery=delivery), OF_READERS)


@pytest.mark.slow
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_queue_of_ours_is_right_when_threads_call_it_again_and_again(fifo):
    for seed in range(100):
        assert_right(calls_of_threads(Random(seed), fifo=fifo, calls=200))


def assert_right(history, besides=frozenset()):
    verdict = check(history, finished=False)
    wrong = {anomaly.kind for anomaly in verdict.anomalies if anomaly.violates} - besides
    assert not wrong, f"{verdict}\n{history.to_json_lines()}"


def calls_of_queue(chance, *, fifo, delivery="strict"):
    """What one thread with several hats on does to a queue of ours: anything, at any time."""
    clock = VirtualClock()
    broker, history = Broker(clock=clock, seed=1, delivery=delivery), History()
    recorder = Recorder(history, clock)
    kind = (
        {"fifo_queue": True, "deduplication_scope": chance.choice(["queue", "messageGroup"])} if fifo else {}
    )
    dead = broker.create_queue("dead.fifo" if fifo else "dead", **kind)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": chance.choice([1, 2, 3])}
    more = {"redrive_policy": policy} if chance.random() < 0.5 else {}
    jobs = broker.create_queue(
        "jobs.fifo" if fifo else "jobs",
        **kind,
        **more,
        delay_seconds=chance.choice([0, 0, 3]),
        visibility_timeout=5,
    )
    faults = FaultPlan(seed=chance.randrange(1000))
    if chance.random() < 0.5:
        faults.lose_answer("*", rate=0.1)
    jobs, dead = faulty(jobs, faults), faulty(dead, faults)
    clients = [recorder.queue(jobs, actor=name) for name in ("one", "two")] + [
        recorder.queue(dead, actor="three")
    ]
    messages = []
    for number in range(chance.randint(5, 40)):
        client = chance.choice(clients)
        try:
            match chance.choice(
                ["send", "send", "receive", "receive", "delete", "delete", "hide", "wait", "other"]
            ):
                case "send":
                    client = chance.choice(clients[:2]) if chance.random() < 0.95 else clients[2]
                    send_some(chance, client, number, fifo=fifo)
                case "receive":
                    attempt = {"receive_request_attempt_id": "again"} if chance.random() < 0.2 else {}
                    messages += client.receive(
                        max_number_of_messages=chance.choice([1, 3]),
                        visibility_timeout=chance.choice([None, 0, 2, 30]),
                        **attempt,
                    )
                case "delete" if messages:
                    some = chance.sample(messages, min(len(messages), chance.choice([1, 1, 2])))
                    if len(some) == 1:
                        client.delete(*some)
                    else:
                        client.delete_batch(some)
                case "hide" if messages:
                    client.change_visibility(chance.choice(messages), chance.choice([0, 1, 20]))
                case "wait":
                    clock.advance(seconds=chance.choice([0.5, 2, 5, 61, 200, 301]))
                case "other":
                    operate(chance, recorder, clients[0], clients[2])
        except (QueuestreamError, AnswerLost):
            continue
    return history


def send_some(chance, client, number, *, fifo):
    """A message or two: new ones, or one that was sent before, or another under its deduplication id."""
    name = f"m{number if chance.random() < 0.8 else 0}"
    labels = {}
    if fifo:
        same = f"m{chance.randint(0, number)}" if chance.random() < 0.2 else name
        labels = {"message_group_id": chance.choice("gggh"), "message_deduplication_id": same}
    if chance.random() < 0.8:
        client.send(name, **labels)
        return
    entries = []
    for place in range(2):
        more = dict(labels, message_deduplication_id=f"{name}-{place}") if fifo else {}
        entries.append(SendEntry(str(place), f"{name}-{place}", **more))
    client.send_batch(entries)


def operate(chance, recorder, jobs, dead):
    match chance.choice(["purge", "settings", "move"]):
        case "purge":
            jobs.purge()
        case "settings":
            jobs.set_attributes(visibility_timeout=chance.choice([1, 5, 30]))
        case "move":
            dead.start_message_move_task()


def calls_of_threads(chance, *, fifo, calls):
    """What three threads do to a queue of ours, while a fourth one moves the clock."""
    clock = VirtualClock()
    broker, history = Broker(clock=clock, seed=1), History()
    recorder = Recorder(history, clock)
    kind = {"fifo_queue": True} if fifo else {}
    jobs = broker.create_queue("jobs.fifo" if fifo else "jobs", **kind, visibility_timeout=2)
    seeds = [chance.random() for _ in range(3)]
    threads = [
        Thread(target=work, args=(Random(seed), recorder.queue(jobs, actor=f"{number}"), calls, fifo))
        for number, seed in enumerate(seeds)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        clock.advance(milliseconds=chance.choice([1, 10, 500]))
    for thread in threads:
        thread.join()
    return history


def work(chance, queue, calls, fifo):
    """What one thread does."""
    messages = []
    for number in range(calls):
        try:
            match chance.choice(["send", "receive", "receive", "delete", "hide"]):
                case "send":
                    send_some(chance, queue, number, fifo=fifo)
                case "receive":
                    messages += queue.receive(max_number_of_messages=chance.choice([1, 3]))
                case "delete" if messages:
                    queue.delete(messages.pop())
                case "hide" if messages:
                    queue.change_visibility(chance.choice(messages), chance.choice([0, 1, 3]))
        except QueuestreamError:
            continue


def calls_of_stream(chance, *, delivery="strict"):
    """What one thread does to a stream of ours: readers go wherever they like, and on from there."""
    clock = VirtualClock()
    broker, history = Broker(clock=clock, seed=1, delivery=delivery), History()
    recorder = Recorder(history, clock)
    log = broker.create_stream("log", shard_count=2)
    producer = recorder.stream(log, actor="producer")
    readers = [recorder.stream(log, actor=name, application=name) for name in ("one", "two")]
    iterators = {}
    for number in range(chance.randint(5, 40)):
        reader = chance.choice(readers)
        shard = chance.choice(log.list_shards().shards)
        match chance.choice(["put", "put", "seek", "get", "get", "split", "wait"]):
            case "put":
                producer.put_records(
                    [(f"r{number} {place}".encode(), chance.choice("ab")) for place in range(2)]
                )
            case "seek":
                start = [chance.choice(["TRIM_HORIZON", "LATEST"])]
                records = [record for record in log.peek() if record.shard_id == shard.shard_id]
                if records and chance.random() < 0.5:
                    kind = chance.choice(["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"])
                    start = [kind, chance.choice(records).sequence_number]
                iterators[reader, shard.shard_id] = reader.get_shard_iterator(shard.shard_id, *start)
            case "get" if iterator := iterators.get((reader, shard.shard_id)):
                result = reader.get_records(iterator, limit=chance.choice([1, 2, 100]))
                iterators[reader, shard.shard_id] = result.next_shard_iterator
            case "split" if shard.ending_sequence_number is None:
                first, last = map(int, shard.hash_key_range)
                log.split_shard(shard.shard_id, str((first + last) // 2))
            case "wait":
                clock.advance(seconds=chance.choice([0.1, 1, 5]))
    return history
