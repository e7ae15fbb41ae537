"""Whatever a right queue or stream does, and whatever clients see of it, nothing is held against it."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_runs import right_queue, right_stream

from queuestream import Broker, VirtualClock
from queuestream.core.errors import QueuestreamError
from queuestream.lab import History, check
from queuestream.lab.recording import Recorder

CHANCES = st.randoms(use_true_random=False)
# Readers who go wherever they like read children before parents; that is their fault, not the stream's.
OF_READERS = {"child-before-parent", "out-of-order"}


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


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
@settings(max_examples=25)
@given(chance=CHANCES)
def test_a_queue_of_ours_is_right(fifo, chance):
    assert_right(calls_of_queue(chance, fifo=fifo))


@settings(max_examples=25)
@given(chance=CHANCES)
def test_a_stream_of_ours_is_right(chance):
    assert_right(calls_of_stream(chance), OF_READERS)


@pytest.mark.slow
@settings(max_examples=400)
@given(chance=CHANCES)
def test_queues_and_streams_of_ours_are_right_again_and_again(chance):
    assert_right(calls_of_queue(chance, fifo=False))
    assert_right(calls_of_queue(chance, fifo=True))
    assert_right(calls_of_stream(chance), OF_READERS)


def assert_right(history, besides=frozenset()):
    verdict = check(history, finished=False)
    wrong = {anomaly.kind for anomaly in verdict.anomalies if anomaly.violates} - besides
    assert not wrong, f"{verdict}\n{history.to_json_lines()}"


def calls_of_queue(chance, *, fifo):
    """What one thread with several hats on does to a queue of ours: anything, at any time."""
    clock = VirtualClock()
    broker, history = Broker(clock=clock, seed=1), History()
    recorder = Recorder(history, clock)
    kind = {"fifo_queue": True} if fifo else {}
    dead = broker.create_queue("dead.fifo" if fifo else "dead", **kind)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2}
    more = {"redrive_policy": policy} if chance.random() < 0.5 else {}
    jobs = broker.create_queue(
        "jobs.fifo" if fifo else "jobs",
        **kind,
        **more,
        delay_seconds=chance.choice([0, 0, 3]),
        visibility_timeout=5,
    )
    clients = [recorder.queue(jobs, actor=name) for name in ("one", "two")] + [
        recorder.queue(dead, actor="three")
    ]
    messages = []
    for number in range(chance.randint(5, 40)):
        client = chance.choice(clients)
        try:
            match chance.choice(["send", "send", "receive", "receive", "delete", "hide", "wait", "other"]):
                case "send":
                    name = f"m{number if chance.random() < 0.8 else 0}"
                    labels = {"message_group_id": "g", "message_deduplication_id": name} if fifo else {}
                    clients[0].send(name, **labels)
                case "receive":
                    attempt = {"receive_request_attempt_id": "again"} if chance.random() < 0.2 else {}
                    messages += client.receive(
                        max_number_of_messages=chance.choice([1, 3]),
                        visibility_timeout=chance.choice([None, 0, 2, 30]),
                        **attempt,
                    )
                case "delete" if messages:
                    client.delete(chance.choice(messages))
                case "hide" if messages:
                    client.change_visibility(chance.choice(messages), chance.choice([0, 1, 20]))
                case "wait":
                    clock.advance(seconds=chance.choice([0.5, 2, 5, 61, 301]))
                case "other":
                    operate(chance, recorder, clients[0], clients[2])
        except QueuestreamError:
            continue
    return history


def operate(chance, recorder, jobs, dead):
    match chance.choice(["purge", "settings", "move"]):
        case "purge":
            jobs.purge()
        case "settings":
            jobs.set_attributes(visibility_timeout=chance.choice([1, 5, 30]))
        case "move":
            dead.start_message_move_task()


def calls_of_stream(chance):
    """What one thread does to a stream of ours: readers go wherever they like, and on from there."""
    clock = VirtualClock()
    broker, history = Broker(clock=clock, seed=1), History()
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
