"""aiobotocore: the same as for boto3, without a thread."""

import asyncio
import subprocess
import sys
import threading

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.endpoint import AioEndpoint
from aiobotocore.session import AioSession, get_session
from aiobotocore.waiter import AIOWaiter
from botocore.exceptions import ClientError, ParamValidationError

from queuestream import VirtualClock
from queuestream.aws import Aws, FaultPlan, mock_aws, wire
from queuestream.aws.in_process.carrier import Carrier
from queuestream.aws.in_process.patches import ServiceRefused

KEYS = {"aws_access_key_id": "someone", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


@pytest.fixture
def sent(monkeypatch):
    """What has gone through aiobotocore, down to the request."""
    requests = []
    send = Carrier.send_async

    def remember(carrier, request):
        requests.append(request.headers["X-Amz-Target"].decode().partition(".")[2])
        return send(carrier, request)

    monkeypatch.setattr(Carrier, "send_async", remember)
    return requests


def run(story, **options):
    """A story with a client of SQS and one of Kinesis, inside."""

    async def main():
        async with mock_aws(clock=VirtualClock(), **options) as aws:
            session = get_session()
            async with (
                session.create_client("sqs", **KEYS) as sqs,
                session.create_client("kinesis", **KEYS) as kinesis,
            ):
                return await story(aws, sqs, kinesis)

    return asyncio.run(main())


def test_a_message_there_and_back(sent):
    async def story(aws, sqs, kinesis):
        queue_url = (await sqs.create_queue(QueueName="emails"))["QueueUrl"]
        await sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
        [message] = (await sqs.receive_message(QueueUrl=queue_url))["Messages"]
        await sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return message["Body"]

    assert run(story) == "hello"
    assert sent == []


def test_through_aiobotocore_it_is_the_same(sent):
    async def story(aws, sqs, kinesis):
        seen = []

        async def handler(request, **kwargs):
            seen.append(request.url)

        sqs.meta.events.register("before-send.sqs", handler)
        queue_url = (await sqs.create_queue(QueueName="emails"))["QueueUrl"]
        sent_message = await sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
        assert sent_message["ResponseMetadata"]["HTTPHeaders"]["date"] == "Wed, 01 Jan 2025 00:00:00 GMT"
        assert len(seen) == 2
        return (await sqs.receive_message(QueueUrl=queue_url))["Messages"][0]["Body"]

    assert run(story) == "hello"
    assert sent == ["CreateQueue", "SendMessage", "ReceiveMessage"]


def test_errors_and_validation_are_botocores():
    async def story(aws, sqs, kinesis):
        with pytest.raises(sqs.exceptions.QueueDoesNotExist) as raised:
            await sqs.get_queue_url(QueueName="nobody")
        assert raised.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
        with pytest.raises(ParamValidationError):
            await sqs.get_queue_url()

    run(story)


def test_handlers_see_the_parameters_once_whether_they_are_coroutines_or_not():
    async def story(aws, sqs, kinesis):
        seen = []

        async def handler(params, **kwargs):
            seen.append(dict(params))

        sqs.meta.events.register("provide-client-params.sqs", handler)
        sqs.meta.events.register(
            "before-parameter-build.sqs", lambda params, **kwargs: seen.append(dict(params))
        )
        with pytest.raises(ClientError):
            await sqs.get_queue_url(QueueName="nobody")
        await sqs.list_queues()
        assert seen == [{"QueueName": "nobody"}] * 2 + [{}] * 2

    run(story)


def test_a_long_poll_lets_other_tasks_run_and_starts_no_thread():
    async def story(aws, sqs, kinesis):
        queue_url = (await sqs.create_queue(QueueName="emails"))["QueueUrl"]
        polling = asyncio.ensure_future(sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20))
        await asyncio.sleep(0)
        await sqs.send_message(QueueUrl=queue_url, MessageBody="hello", DelaySeconds=3)
        [message] = (await polling)["Messages"]
        assert threading.active_count() == before
        return message["Body"], aws.clock.now.second

    before = threading.active_count()
    assert run(story) == ("hello", 3)


def test_a_long_poll_can_be_cancelled():
    async def story(aws, sqs, kinesis):
        queue_url = (await sqs.create_queue(QueueName="emails"))["QueueUrl"]
        polling = asyncio.ensure_future(sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20))
        await asyncio.sleep(0)
        polling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polling
        await sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
        return (await sqs.receive_message(QueueUrl=queue_url))["Messages"][0]["Body"]

    assert run(story) == "hello"


def test_paginators():
    async def story(aws, sqs, kinesis):
        for number in range(15):
            await sqs.create_queue(QueueName=f"queue-{number}")
        pages = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 10})
        return [len(page["QueueUrls"]) async for page in pages]

    assert run(story) == [10, 5]


def test_waiters_wait_on_the_clock():
    async def story(aws, sqs, kinesis):
        await kinesis.create_stream(StreamName="events", ShardCount=1)
        await kinesis.get_waiter("stream_exists").wait(StreamName="events")
        return aws.clock.now.second

    assert run(story, stream_settings={"provisioning_time_seconds": 30}) == 30


def test_retries_wait_on_the_clock():
    async def story(aws, sqs, kinesis):
        answer = await sqs.list_queues()
        assert answer["ResponseMetadata"]["RetryAttempts"] == 2
        assert aws.clock.now_ns() > VirtualClock().now_ns()

    faults = FaultPlan()
    faults.throttle("ListQueues", times=2)
    run(story, faults=faults)


def test_subscribe_to_shard_gives_events():
    async def story(aws, sqs, kinesis):
        await kinesis.create_stream(StreamName="events", ShardCount=1)
        summary = await kinesis.describe_stream_summary(StreamName="events")
        arn = summary["StreamDescriptionSummary"]["StreamARN"]
        consumer = await kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")
        await kinesis.put_record(StreamName="events", Data=b"hello", PartitionKey="a")
        subscription = await kinesis.subscribe_to_shard(
            ConsumerARN=consumer["Consumer"]["ConsumerARN"],
            ShardId="shardId-000000000000",
            StartingPosition={"Type": "TRIM_HORIZON"},
        )
        records = []
        async for event in subscription["EventStream"]:
            records += event["SubscribeToShardEvent"]["Records"]
        return [record["Data"] for record in records], aws.clock.now.minute

    assert run(story) == ([b"hello"], 5)


def test_neither_credentials_nor_a_region_are_needed():
    async def main():
        with mock_aws():
            async with AioSession().create_client("sqs") as sqs:
                first = await sqs.create_queue(QueueName="emails")
                sqs.meta.events.register("before-send.sqs", lambda **kwargs: None)
                assert (await sqs.get_queue_url(QueueName="emails"))["QueueUrl"] == first["QueueUrl"]

    asyncio.run(main())


def test_a_client_that_was_made_before_and_is_as_before_afterwards():
    async def main():
        async with get_session().create_client("sqs", **KEYS) as sqs:
            attributes, endpoint = dict(vars(sqs)), dict(vars(sqs._endpoint))
            with mock_aws() as aws:
                await sqs.create_queue(QueueName="emails")
                assert list(aws.broker().queues) == ["emails"]
            assert dict(vars(sqs)) == attributes
            assert dict(vars(sqs._endpoint)) == endpoint

    asyncio.run(main())


@pytest.mark.parametrize("effect", ["lose_answer", "time_out"])
def test_an_answer_that_is_lost_is_asked_for_again(effect):
    async def story(aws, sqs, kinesis):
        queue_url = (await sqs.create_queue(QueueName="emails"))["QueueUrl"]
        sent = await sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
        return sent["ResponseMetadata"]["RetryAttempts"], len(aws.broker().queue("emails").peek())

    faults = FaultPlan()
    getattr(faults, effect)("SendMessage", times=1)
    assert run(story, faults=faults) == (1, 2)


def test_other_services_can_be_refused():
    async def main():
        with mock_aws(other_services="refuse"):
            async with get_session().create_client("s3", region_name="us-east-1") as s3:
                with pytest.raises(ServiceRefused):
                    await s3.list_buckets()

    asyncio.run(main())


def test_outside_it_goes_out():
    async def main():
        async with get_session().create_client("sqs", **KEYS) as sqs:
            with mock_aws():
                found = AioBaseClient._make_api_call
            sqs._endpoint.http_session.send = lambda request: 1 / 0
            with pytest.raises(ZeroDivisionError):
                await found(sqs, "ListQueues", {})

    asyncio.run(main())


def test_who_has_put_something_in_aiobotocores_place_is_called(monkeypatch, sent):
    seen = []
    original = AioBaseClient._make_api_call

    async def trace(self, operation_name, api_params):
        seen.append(operation_name)
        return await original(self, operation_name, api_params)

    async def story(aws, sqs, kinesis):
        await sqs.list_queues()

    monkeypatch.setattr(AioBaseClient, "_make_api_call", trace)
    run(story)
    assert seen == sent == ["ListQueues"]


def test_a_subscription_can_be_closed():
    async def story(aws, sqs, kinesis):
        await kinesis.create_stream(StreamName="events", ShardCount=1)
        arn = aws.broker().stream("events").arn
        consumer = await kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")
        subscription = await kinesis.subscribe_to_shard(
            ConsumerARN=consumer["Consumer"]["ConsumerARN"],
            ShardId="shardId-000000000000",
            StartingPosition={"Type": "TRIM_HORIZON"},
        )
        subscription["EventStream"].close()
        return [event async for event in subscription["EventStream"]]

    assert run(story) == []


def test_adaptive_retries():
    async def main():
        with mock_aws(clock=VirtualClock()):
            config = AioConfig(retries={"mode": "adaptive"})
            async with get_session().create_client("sqs", config=config, **KEYS) as sqs:
                assert "QueueUrls" not in await sqs.list_queues()

    asyncio.run(main())


def test_one_client_can_be_wired():
    async def main():
        async with get_session().create_client("kinesis", **KEYS) as kinesis:
            from queuestream import Broker

            broker = Broker(clock=VirtualClock())
            assert wire(kinesis, broker) is kinesis
            await kinesis.create_stream(StreamName="events", ShardCount=1)
            await kinesis.get_waiter("stream_exists").wait(StreamName="events")
            kinesis.meta.events.register("before-send", lambda **kwargs: None)
            await kinesis.put_record(StreamName="events", Data=b"hello", PartitionKey="a")
            with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
                await kinesis.put_record(StreamName="nobody", Data=b"hello", PartitionKey="a")
            return list(broker.streams)

    assert asyncio.run(main()) == ["events"]


def test_a_session_can_be_wired():
    async def main():
        from queuestream.aws import Aws

        aws = Aws(region="eu-west-1")
        session = wire(AioSession(), aws)
        async with session.create_client("sqs") as sqs:
            await sqs.create_queue(QueueName="emails")
        return list(aws.broker().queues)

    assert asyncio.run(main()) == ["emails"]


LOADED_INSIDE = """
import asyncio
from queuestream.aws import mock_aws

async def main():
    with mock_aws() as aws:
        from aiobotocore.session import get_session
        async with get_session().create_client("sqs") as sqs:
            await sqs.create_queue(QueueName="emails")
        print(*aws.broker().queues)

asyncio.run(main())
"""


@pytest.mark.slow
def test_it_may_be_loaded_inside():
    command = [sys.executable, "-W", "error", "-c", LOADED_INSIDE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("emails\n", "")


@pytest.fixture
def older_aiobotocore(monkeypatch):
    """aiobotocore before version 3, aioboto3's: `asyncio.sleep` stands in what retries, and in what waits."""

    async def needs_retry(
        self, attempts, operation_model, request_dict, response=None, caught_exception=None
    ):
        answers = await self._event_emitter.emit(
            f"needs-retry.sqs.{operation_model.name}",
            response=response,
            endpoint=self,
            operation=operation_model,
            attempts=attempts,
            caught_exception=caught_exception,
            request_dict=request_dict,
        )
        pauses = [answer for _, answer in answers if answer is not None]
        for pause in pauses[:1]:
            await asyncio.sleep(pause)
        return bool(pauses)

    async def wait(self, **parameters):
        for _ in range(self.config.max_attempts):
            answer = await self._operation_method(**parameters)
            if answer["StreamDescription"]["StreamStatus"] == "ACTIVE":
                return
            await asyncio.sleep(600)

    for kind in (AioEndpoint, AIOWaiter):
        for owner in kind.__mro__:
            if "_sleep" in vars(owner):
                monkeypatch.delattr(owner, "_sleep")
    monkeypatch.setattr(AioEndpoint, "_needs_retry", needs_retry)
    monkeypatch.setattr(AIOWaiter, "wait", wait)


@pytest.mark.usefixtures("older_aiobotocore")
def test_waits_of_an_older_aiobotocore_are_on_the_clock_too():
    async def story(aws, sqs, kinesis):
        await sqs.list_queues()
        assert aws.clock.now_ns() > VirtualClock().now_ns()
        began_at = aws.clock.now
        await kinesis.create_stream(StreamName="events", ShardCount=1)
        await kinesis.get_waiter("stream_exists").wait(StreamName="events")
        return (aws.clock.now - began_at).total_seconds()

    faults = FaultPlan()
    faults.throttle("ListQueues", times=2)
    assert run(story, faults=faults, stream_settings={"provisioning_time_seconds": 3000}) == 3000


@pytest.mark.usefixtures("older_aiobotocore")
def test_a_wired_client_of_an_older_aiobotocore_waits_on_the_clock_too():
    async def story():
        clock = VirtualClock()
        aws = Aws(clock=clock, stream_settings={"provisioning_time_seconds": 3000})
        async with wire(get_session(), aws).create_client("kinesis", **KEYS) as kinesis:
            await kinesis.create_stream(StreamName="events", ShardCount=1)
            await kinesis.get_waiter("stream_exists").wait(StreamName="events")
        return (clock.now_ns() - VirtualClock().now_ns()) / 1_000_000_000

    assert asyncio.run(story()) == 3000
