"""The stories, played on a few records, and judged; and whether a judgement notices what is wrong."""

import itertools

import pytest

from queuestream.core.queues.queue import Queue
from queuestream.core.streams.record import GetRecordsResult
from queuestream.core.streams.stream import Stream
from queuestream.demo import fifo_story, queue_story
from queuestream.demo.fifo_story import group_of
from queuestream.demo.gateway import Gateway
from queuestream.demo.judgement import Judgement, Words
from queuestream.demo.play import Play
from queuestream.demo.records import Record

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
JULY_2025 = 1_751_328_000 * SECOND


def records(count=200, keys=5, *, every=3, apart=SECOND):
    """So many records, the keys in turns, and every so-manieth a task."""
    return [
        Record(line, f"key {line % keys}", "{}", JULY_2025 + line * apart, line % every == 0)
        for line in range(count)
    ]


def judged(played, seed=1):
    play = Play(played, seed)
    play.run()
    return Judgement(play, Words())


def failing(judgement):
    return {verdict.name for verdict in judgement.verdicts if not verdict.holds}


@pytest.mark.parametrize("seed", range(5))
def test_every_verdict_holds(seed):
    judgement = judged(records(), seed)

    assert failing(judgement) == set()
    assert judgement.holds


@pytest.mark.parametrize(
    "played",
    [
        records(1),
        records(2, keys=1),
        records(100, keys=1, every=1),
        records(100, keys=100, every=1),
        records(30, apart=0),
        records(40, apart=30 * HOUR, every=10),
        records(100, apart=HOUR // 7, every=1),
    ],
    ids=["one record", "two", "one key", "all keys different", "all at once", "days apart", "minutes apart"],
)
def test_every_verdict_holds_for_odd_data_too(played):
    assert failing(judged(played)) == set()


def test_what_does_not_fit_into_one_answer_is_read_all_the_same():
    blob = f'{{"blob": "{"x" * 4_000_000}"}}'
    played = [Record(line, "key", blob, JULY_2025, line == 1) for line in (1, 2, 3, 4)]

    assert failing(judged(played)) == set()


def test_the_same_seed_plays_the_same():
    def seen(seed):
        play = Play(records(), seed)
        play.run()
        return play.stream.reader.seen, play.queue.deliveries, play.fifo.deliveries, play.now_ns

    assert seen(1) == seen(1) != seen(2)


def test_the_play_is_over_when_all_is_done_and_the_clock_has_gone_through_it():
    play = Play(records(), 1)
    told = []
    play.run(told.append)

    assert told == sorted(told)
    assert told[-1] == 200
    assert play.started_ns == JULY_2025
    assert 24 * HOUR < play.now_ns - play.started_ns < 72 * HOUR
    play.broker.check_invariants()


def test_the_shards_are_split_and_merged_while_records_come():
    play = Play(records(), 1)
    play.run()
    # The closed ones have outlived the retention period by now.
    shards = play.stream.stream.list_shards().shards

    assert (play.stream.splits, play.stream.merges) == (2, 1)
    assert len(shards) == 4 + 2 - 1
    assert shards[-1].shard_id == "shardId-000000000008"
    assert shards[-1].adjacent_parent_shard_id is not None


def test_a_key_that_is_no_message_group_id_gets_one():
    assert group_of("N14228") == "N14228"
    assert group_of("x" * 128) == "x" * 128
    for key in ("x" * 129, "two words", "Zürich", "\x00"):
        assert group_of(key).startswith("sha256-")
        assert group_of(key) != group_of(key + "!")


def test_a_gateway_has_at_least_one_poisonous_task_which_fails_until_it_is_fixed():
    gateway = Gateway([7], seed=1)

    assert gateway.poisonous == {7}
    assert not gateway.accepts(7, attempt=100)
    gateway.fix([7])
    assert gateway.accepts(7, attempt=1)


def test_all_other_tasks_succeed_at_the_third_attempt_at_the_latest():
    gateway = Gateway(range(1_000), seed=1)
    others = set(range(1_000)) - gateway.poisonous
    by_attempt = [sum(gateway.accepts(line, attempt) for line in others) for attempt in (1, 2, 3)]

    assert 0 < len(gateway.poisonous) < 100
    assert by_attempt[0] < by_attempt[1] < by_attempt[2] == len(others)


# --- faults: every verdict must notice the one that it is there for ---


def reverse_what_is_read(monkeypatch):
    get_records = Stream.get_records

    def reversed_(stream, *arguments):
        answer = get_records(stream, *arguments)
        return GetRecordsResult(
            answer.records[::-1], answer.next_shard_iterator, answer.millis_behind_latest, answer.child_shards
        )

    monkeypatch.setattr(Stream, "get_records", reversed_)


def lose_a_record(monkeypatch):
    put_record = Stream.put_record

    def lossy(stream, data, key):
        return None if data.startswith(b'{"line": 13,') else put_record(stream, data, key)

    monkeypatch.setattr(Stream, "put_record", lossy)


def put_a_record_twice(monkeypatch):
    put_record = Stream.put_record
    monkeypatch.setattr(
        Stream, "put_record", lambda stream, *arguments: [put_record(stream, *arguments) for _ in "12"]
    )


def lose_a_task(queue_name):
    def lose(monkeypatch):
        send = Queue.send

        def lossy(queue, body, **settings):
            lost = queue.name == queue_name and body.startswith('{"line": 30,')
            return None if lost else send(queue, body, **settings)

        monkeypatch.setattr(Queue, "send", lossy)

    return lose


def forget_deduplication(monkeypatch):
    send = Queue.send
    numbers = map(str, itertools.count())

    def forgetful(queue, body, message_deduplication_id=None, **settings):
        if message_deduplication_id is not None:
            settings["message_deduplication_id"] = next(numbers)
        return send(queue, body, **settings)

    monkeypatch.setattr(Queue, "send", forgetful)


def delay_some_tasks(monkeypatch):
    send = Queue.send

    def slow(queue, body, **settings):
        if queue.name == "notify" and body.startswith('{"line": 1'):
            settings["delay_seconds"] = 60
        return send(queue, body, **settings)

    monkeypatch.setattr(Queue, "send", slow)


def shorten_the_twelve_hours(monkeypatch):
    monkeypatch.setattr(queue_story, "TWELVE_HOURS", 43_199)


def lengthen_the_twelve_hours_for_ever(monkeypatch):
    receive = Queue.receive

    def taking(queue, **settings):
        messages = receive(queue, **settings)
        if settings.get("visibility_timeout") == 43_200:
            for message in messages:
                queue.delete(message)
        return messages

    monkeypatch.setattr(Queue, "receive", taking)


def give_up_too_early(monkeypatch):
    monkeypatch.setattr(queue_story, "MAX_RECEIVE_COUNT", 2)


def give_up_too_late(monkeypatch):
    monkeypatch.setattr(queue_story, "MAX_RECEIVE_COUNT", 4)


def never_give_up(monkeypatch):
    monkeypatch.setattr(queue_story, "MAX_RECEIVE_COUNT", 1_000)


def never_redrive(monkeypatch):
    monkeypatch.setattr(Queue, "start_message_move_task", lambda _: "")


def mix_the_groups(monkeypatch):
    groups = map(str, itertools.count())
    monkeypatch.setattr(fifo_story, "group_of", lambda _: next(groups))


def one_group_for_all(monkeypatch):
    monkeypatch.setattr(fifo_story, "group_of", lambda _: "all")


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (reverse_what_is_read, "stream_in_order"),
        (lose_a_record, "stream_complete"),
        (put_a_record_twice, "stream_complete"),
        (lose_a_task("notify"), "standard_complete"),
        (delay_some_tasks, "standard_order"),
        (shorten_the_twelve_hours, "twelve_hours"),
        (lengthen_the_twelve_hours_for_ever, "twelve_hours"),
        (give_up_too_early, "dead_letters"),
        (give_up_too_late, "dead_letters"),
        (never_give_up, "dead_letters"),
        (never_give_up, "redriven"),
        (never_redrive, "redriven"),
        (mix_the_groups, "fifo_in_order"),
        (one_group_for_all, "fifo_holds_up"),
        (lose_a_task("notify.fifo"), "fifo_complete"),
        (forget_deduplication, "fifo_complete"),
    ],
)
def test_a_verdict_notices_its_fault(monkeypatch, fault, name):
    fault(monkeypatch)
    judgement = judged(records(100, keys=40, every=1))

    assert name in failing(judgement)
    assert not judgement.holds
