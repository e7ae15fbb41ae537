"""The fixtures of the plugin, used as a test of anybody's uses them."""

import asyncio
import datetime as dt
import random
import threading
import unittest

import boto3
import pytest
import time_machine
from aiobotocore.session import get_session
from freezegun import freeze_time

from queuestream import Broker, Queue, SystemClock, VirtualClock, errors
from queuestream.core.queues.consistency import EVENTUAL


def test_a_message_comes_back_twelve_hours_later(queuestream_queue, queuestream_clock):
    emails = queuestream_queue("emails", visibility_timeout=12 * 3600)
    emails.send("welcome")
    emails.receive()

    queuestream_clock.advance(hours=12)

    [again] = emails.receive()
    assert again.receive_count == 2


def test_factories_give_what_is_there_already(queuestream_queue, queuestream_stream, queuestream_broker):
    emails = queuestream_queue("emails", delay_seconds=5)
    assert queuestream_queue("emails") is emails is queuestream_broker.queue("emails")

    events = queuestream_stream("events", shard_count=2)
    assert queuestream_stream("events") is events is queuestream_broker.stream("events")
    with pytest.raises(errors.ResourceInUseException):
        queuestream_stream("events", shard_count=3)


def test_clients_of_boto3_and_our_own_see_the_same_queues(
    queuestream_sqs, queuestream_kinesis, queuestream_queue, queuestream_stream, queuestream_clock
):
    emails = queuestream_queue("emails")
    queue_url = queuestream_sqs.get_queue_url(QueueName="emails")["QueueUrl"]
    assert queue_url == "https://sqs.us-east-1.amazonaws.com/123456789012/emails" == emails.url
    queuestream_sqs.send_message(QueueUrl=queue_url, MessageBody="welcome", DelaySeconds=900)
    queuestream_clock.advance(minutes=15)
    assert [message.body for message in emails.receive()] == ["welcome"]

    events = queuestream_stream("events")
    queuestream_kinesis.put_record(StreamName="events", Data=b"departure", PartitionKey="N14228")
    assert [record.data for record in events.peek()] == [b"departure"]


def test_a_client_takes_nothing_from_the_machine(monkeypatch, request):
    monkeypatch.setenv("AWS_PROFILE", "nobody's")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    sqs = request.getfixturevalue("queuestream_sqs")
    request.getfixturevalue("queuestream_faults").throttle("CreateQueue", times=1)

    answer = sqs.create_queue(QueueName="emails")
    assert answer["QueueUrl"].startswith("https://sqs.us-east-1.amazonaws.com/")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_the_mock_answers_every_client_in_the_process(queuestream_mock_aws, queuestream_queue):
    emails = queuestream_queue("emails")
    sqs = boto3.client("sqs", region_name="us-east-1")
    sqs.send_message(QueueUrl=emails.url, MessageBody="welcome")
    assert [message.body for message in emails.peek()] == ["welcome"]

    boto3.client("sqs", region_name="eu-west-1").create_queue(QueueName="returns")
    assert list(queuestream_mock_aws.broker(region="eu-west-1").queues) == ["returns"]

    async def from_asyncio():
        async with get_session().create_client("sqs", region_name="us-east-1") as client:
            return await client.receive_message(QueueUrl=emails.url)

    assert asyncio.run(from_asyncio())["Messages"][0]["Body"] == "welcome"


def test_faults_strike_the_clients_and_pauses_before_retries_are_on_the_clock(
    queuestream_sqs, queuestream_faults, queuestream_clock
):
    queuestream_faults.throttle("CreateQueue", times=2)
    started = queuestream_clock.now
    answer = queuestream_sqs.create_queue(QueueName="emails")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert queuestream_clock.now > started
    assert [injected.operation for injected in queuestream_faults.injected] == ["CreateQueue"] * 2


@pytest.fixture
def others_random():
    """Somebody else's chance, which has to go on after the test as if nothing had been."""
    random.seed(1)
    before = random.getstate()
    yield
    assert random.getstate() == before


@pytest.mark.queuestream(seed=7)
def test_pauses_before_retries_come_from_the_seed(others_random, queuestream_aws):
    assert random.random() == random.Random(7).random()


def test_asyncio_has_the_same_broker(queuestream_async_broker, queuestream_queue, queuestream_clock):
    emails = queuestream_queue("emails")

    async def story():
        queue = await queuestream_async_broker.queue("emails")
        waiting = asyncio.create_task(queue.receive(wait_time_seconds=20))
        await queue.send("hello", delay_seconds=7)
        return await waiting

    started = queuestream_clock.now
    assert [message.body for message in asyncio.run(story())] == ["hello"]
    assert (queuestream_clock.now - started).total_seconds() == 7
    assert emails.approximate_number_of_messages_not_visible == 1


def test_a_recorder_writes_a_history_on_the_tests_clock(
    queuestream_recorder, queuestream_queue, queuestream_clock
):
    emails = queuestream_recorder.queue(queuestream_queue("emails"), actor="shop")
    emails.send("welcome")
    [event] = queuestream_recorder.history
    assert (event.operation, event.message, event.actor) == ("send", "welcome", "shop")
    assert event.started_ns == queuestream_clock.now_ns()


# --- worlds -----------------------------------------------------------------------------------------------


async def test_an_async_test_with_a_world_runs_in_its_time(
    queuestream_world, queuestream_clock, queuestream_broker
):
    started = queuestream_clock.now
    assert queuestream_world.broker is queuestream_broker
    emails = await queuestream_world.aio.create_queue("emails")
    waiting = asyncio.create_task(emails.receive(wait_time_seconds=20))

    await asyncio.sleep(5)
    await emails.send("hello")

    assert [message.body for message in await waiting] == ["hello"]
    assert (queuestream_clock.now - started).total_seconds() == 5


def test_a_world_has_the_tests_seed(queuestream_world, queuestream_seed, queuestream_recorder):
    assert queuestream_world.seed == queuestream_seed
    assert queuestream_world.recorder is queuestream_recorder


async def test_calls_are_logged_in_a_world(queuestream_calls, queuestream_world):
    emails = await queuestream_world.aio.create_queue("emails")
    await emails.send("hello")
    assert queuestream_calls.operations == ["CreateQueue", "SendMessage"]


# --- marks ------------------------------------------------------------------------------------------------


@pytest.mark.queuestream(seed=7, start=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), account_id="111122223333")
class TestOfAClassWithAMark:
    @pytest.mark.queuestream(seed=8, consistency=EVENTUAL)
    def test_what_stands_at_the_test_is_added_and_wins(
        self, queuestream_seed, queuestream_clock, queuestream_broker
    ):
        assert queuestream_seed == 8
        assert queuestream_clock.now.year == 2026
        assert queuestream_broker.account_id == "111122223333"
        assert queuestream_broker.consistency == EVENTUAL

    def test_without_a_word_the_class_counts(self, queuestream_broker, queuestream_queue):
        assert queuestream_broker.consistency != EVENTUAL
        mine = queuestream_queue("emails").send("hello").message_id
        as_elsewhere = Broker(clock=VirtualClock(), seed=7).create_queue("emails").send("hello").message_id
        assert mine == as_elsewhere


@pytest.mark.queuestream(autojump=False)
def test_the_clock_is_made_as_the_mark_says(queuestream_queue):
    with pytest.raises(errors.DeadlockError):
        queuestream_queue("emails").receive(wait_time_seconds=20)


class TestOfUnittest(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _give(self, queuestream_queue, queuestream_seed):
        self.emails = queuestream_queue("emails")
        self.seed = queuestream_seed

    @pytest.mark.queuestream(seed="a text")
    def test_fixtures_and_marks_serve_a_test_case(self):
        self.emails.send("hello")
        assert len(self.emails.receive()) == 1
        assert self.seed == "a text"


# --- replacing, ending, freezing --------------------------------------------------------------------------


class TestWithAClockOfItsOwn:
    @pytest.fixture
    def queuestream_clock(self):
        return SystemClock()

    def test_it_is_everybodys(self, queuestream_broker, queuestream_aws, queuestream_clock):
        assert queuestream_broker.clock is queuestream_aws.clock is queuestream_clock

    def test_freezegun_moves_it(self, queuestream_clock, request):
        with freeze_time("2030-01-01") as frozen:
            emails = request.getfixturevalue("queuestream_queue")("emails", visibility_timeout=30)
            emails.send("welcome")
            emails.receive()
            frozen.tick(dt.timedelta(seconds=29))
            assert emails.receive() == []
            frozen.tick(dt.timedelta(seconds=1))
            assert len(emails.receive()) == 1

    def test_time_machine_moves_it(self, queuestream_clock, request):
        with time_machine.travel(dt.datetime(2030, 1, 1, tzinfo=dt.UTC), tick=False) as traveller:
            emails = request.getfixturevalue("queuestream_queue")("emails", visibility_timeout=30)
            emails.send("welcome")
            emails.receive()
            traveller.shift(29)
            assert emails.receive() == []
            traveller.shift(1)
            assert len(emails.receive()) == 1


@freeze_time("2020-02-29")
def test_in_a_frozen_test_the_virtual_clock_goes_its_own_way(
    queuestream_sqs, queuestream_queue, queuestream_clock
):
    emails = queuestream_queue("emails", visibility_timeout=30)
    queuestream_sqs.send_message(QueueUrl=emails.url, MessageBody="welcome")
    assert len(queuestream_sqs.receive_message(QueueUrl=emails.url)["Messages"]) == 1
    queuestream_clock.advance(seconds=30)
    assert len(queuestream_sqs.receive_message(QueueUrl=emails.url, WaitTimeSeconds=20)["Messages"]) == 1
    assert dt.datetime.now(dt.UTC).year == 2020
    assert queuestream_clock.now.year == 2025


@time_machine.travel(dt.datetime(2020, 2, 29, tzinfo=dt.UTC), tick=False)
def test_so_it_does_for_time_machine(queuestream_kinesis, queuestream_stream, queuestream_clock):
    queuestream_stream("events", retention_period_hours=24)
    put = queuestream_kinesis.put_record(StreamName="events", Data=b"one", PartitionKey="k")
    queuestream_clock.advance(hours=24)
    iterator = queuestream_kinesis.get_shard_iterator(
        StreamName="events", ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert queuestream_kinesis.get_records(ShardIterator=iterator)["Records"] == []
    assert dt.datetime.now(dt.UTC).year == 2020


@pytest.fixture
def forgotten():
    """What a thread that a test forgot ends with; asked after the test's broker was closed."""
    ended = []
    threads = []
    yield ended, threads
    for thread in threads:
        thread.join(10)
    assert ended == [errors.BrokerClosed]


@pytest.mark.queuestream(autojump=False)
def test_a_thread_that_the_test_forgot_is_told_to_end(forgotten, queuestream_queue):
    ended, threads = forgotten
    emails = queuestream_queue("emails")
    started = threading.Event()

    def wait():
        started.set()
        try:
            emails.receive(wait_time_seconds=20)
        except errors.QueuestreamError as error:
            ended.append(type(error))

    threads.append(threading.Thread(target=wait))
    threads[0].start()
    started.wait()


def test_they_make_ordinary_things(queuestream_queue, queuestream_calls):
    assert type(queuestream_queue("emails")) is Queue
