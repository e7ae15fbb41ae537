"""boto3 and aiobotocore as ways in, answered in this process and over HTTP.

A client checks parameters by itself, before anybody is asked.  What it refuses so is asked once more by a
client that does not check, because it is the service's refusal that is compared here.

Nobody waits for real.  In this process a wait lets the virtual clock jump.  A server's clock is moved by
hand: a request that may wait is sent from another thread, while this one moves the clock to what is next.
"""

import asyncio
import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from unittest import mock

import aiobotocore.session
import boto3
from botocore import xform_name
from botocore.client import Config
from botocore.exceptions import ClientError, ParamValidationError

from drivers.aws_ways import AwsWay, refusal_of
from queuestream.aws import Aws, wire
from queuestream.aws.models import SERVICES
from queuestream.aws.server import Server, Settings
from queuestream.aws.server.manual_clock import ManualClock
from queuestream.core.streams.fan_out import Subscription

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
CHECKED = Config(retries={"total_max_attempts": 1})
UNCHECKED = CHECKED.merge(Config(parameter_validation=False))

# Whatever a session has read of AWS's models it keeps for the next client.
BOTO3 = boto3.Session(**KEYS)
AIOBOTOCORE = aiobotocore.session.get_session()


class Asked:
    """How many events each subscription has given a server that asks, and which have no more just now."""

    def __init__(self):
        self.given = Counter()
        self.idle = set()

    @contextlib.contextmanager
    def listening(self):
        attempt = Subscription.attempt

        def heard(subscription):
            self.idle.discard(subscription)
            event = attempt(subscription)
            if event is None:
                self.idle.add(subscription)
            else:
                self.given[subscription] += 1
            return event

        with mock.patch.object(Subscription, "attempt", heard):
            yield self


def answer_of(parsed):
    """The answer without what a client adds to it."""
    return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}


class Boto3InProcess(AwsWay):
    """A boto3 client, answered in this process."""

    name = "boto3 in process"

    def __init__(self, aws):
        super().__init__(aws)
        self._checked = {service: self._client(service, CHECKED) for service in SERVICES}
        self._unchecked = {service: self._client(service, UNCHECKED) for service in SERVICES}

    def _client(self, service, config):
        return wire(BOTO3.client(service, config=config), self.aws)

    def call(self, service, operation, request):
        try:
            try:
                parsed = getattr(self._checked[service], xform_name(operation))(**request)
            except ParamValidationError:
                parsed = getattr(self._unchecked[service], xform_name(operation))(**request)
        except ClientError as error:
            raise refusal_of(error) from None
        return answer_of(parsed)


class Boto3OverHttp(Boto3InProcess):
    """A boto3 client and a server."""

    name = "boto3 over HTTP"

    @classmethod
    def open(cls, settings):
        return cls(Aws(clock=ManualClock(), **settings))

    def __init__(self, aws):
        self._exit = contextlib.ExitStack()
        self._server = self._exit.enter_context(Server(aws, Settings(port=0)))
        self._callers = self._exit.enter_context(ThreadPoolExecutor(1))
        self._streams = []
        self._asked = self._exit.enter_context(Asked().listening())
        super().__init__(aws)

    def _client(self, service, config):
        return BOTO3.client(service, config=config, endpoint_url=self._server.endpoint_url)

    def reset(self):
        # Each event stream has a connection of its own.
        while self._streams:
            self._streams.pop().close()
        super().reset()

    def close(self):
        self.reset()
        self._exit.close()

    def call(self, service, operation, request):
        if operation != "ReceiveMessage":
            return super().call(service, operation, request)
        return self._waited_for(super().call, service, operation, request)

    def subscribe(self, request):
        stream = super().subscribe(request)
        self._streams.append(stream)
        subscription = self._newest_subscription(request["ConsumerARN"], request["ShardId"])
        taken = 0

        def is_on_its_way():
            is_idle = subscription in self._asked.idle and not subscription.wakeup.is_set
            is_due = subscription.until_ns <= self.clock.now_ns()
            return not is_idle or is_due or self._asked.given[subscription] > taken

        def following(events):
            nonlocal taken
            # An event may be on its way for a while, during which time must not pass.
            while (event := self._waited_for(next, events, None, not_while=is_on_its_way)) is not None:
                taken += 1
                yield event

        return following(iter(stream))

    def _newest_subscription(self, consumer_arn, shard_id):
        [consumer] = [
            consumer
            for broker in self.aws.brokers()
            for stream in broker.streams.values()
            for consumer in stream._consumers.values()
            if consumer.arn == consumer_arn
        ]
        return consumer.subscriptions[shard_id]

    def _waited_for(self, function, *arguments, not_while=lambda: False):
        """What a function returns, which waits for the server; whenever it does, time passes."""
        call = self._callers.submit(function, *arguments)
        while not wait([call], timeout=0.001).done:
            if not not_while():
                self._let_time_pass()
        return call.result()

    def _let_time_pass(self):
        """Move the clock to what somebody waits for."""
        now_ns = self.clock.now_ns()
        waiting = [
            poll
            for broker in self.aws.brokers()
            for queue in broker.queues.values()
            for poll in list(queue._waiting)
        ] + [
            subscription
            for broker in self.aws.brokers()
            for stream in broker.streams.values()
            for consumer in stream._consumers.values()
            for subscription in list(consumer.subscriptions.values())
            if not subscription.ended
        ]
        next_ns = [one.until_ns for one in waiting if one.until_ns > now_ns]
        if next_ns:
            self.clock.advance(nanoseconds=min(next_ns) - now_ns)


class AiobotocoreInProcess(AwsWay):
    """An aiobotocore client, answered in this process."""

    name = "aiobotocore in process"

    def __init__(self, aws):
        super().__init__(aws)
        self._runner = asyncio.Runner()
        self._exit = contextlib.AsyncExitStack()
        self._checked = {service: self._client(service, CHECKED) for service in SERVICES}
        self._unchecked = {service: self._client(service, UNCHECKED) for service in SERVICES}

    def _client(self, service, config):
        opening = AIOBOTOCORE.create_client(service, config=config, **KEYS)
        return wire(self._runner.run(self._exit.enter_async_context(opening)), self.aws)

    def close(self):
        self._runner.run(self._exit.aclose())
        self._runner.close()

    def call(self, service, operation, request):
        return self._runner.run(self._call(service, operation, request))

    def subscribe(self, request):
        events = aiter(super().subscribe(request))
        return iter(lambda: self._runner.run(self._next(events)), None)

    async def _next(self, events):
        return await anext(events, None)

    async def _call(self, service, operation, request):
        try:
            try:
                parsed = await getattr(self._checked[service], xform_name(operation))(**request)
            except ParamValidationError:
                parsed = await getattr(self._unchecked[service], xform_name(operation))(**request)
        except ClientError as error:
            raise refusal_of(error) from None
        return answer_of(parsed)
