"""The same calls through boto3, in process and over HTTP: the same answers, errors, and state behind them."""

import random
import sys
from pathlib import Path

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from queuestream import VirtualClock
from queuestream.aws import Aws, serve, wire
from queuestream.aws.server.manual_clock import ManualClock

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))
from fuzzed_requests import QUEUES, STREAMS, Requests

KEYS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "123456789012",
    "aws_secret_access_key": "secret",
}
# Its answer goes on and on; tests of its own read it on both ways.
GOES_ON = {"SubscribeToShard"}


def new_aws(clock, seed):
    aws = Aws(clock=clock, seed=seed)
    for name, attributes in QUEUES.items():
        aws.broker().create_queue(name, **attributes)
    for name in STREAMS:
        aws.broker().create_stream(name, shard_count=2)
    return aws


def in_one_place(value):
    """An answer without what differs between two endpoints: where queue URLs begin, and request ids."""
    if isinstance(value, dict):
        return {name: in_one_place(item) for name, item in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [in_one_place(item) for item in value]
    if isinstance(value, str) and value.startswith("http"):
        return value.rsplit("/", 2)[1:]
    return value


def outcome(client, operation, parameters):
    """What became of a call, so that it can be compared."""
    try:
        answer = getattr(client, xform_name(operation))(**parameters)
    except BotoCoreError as refused:  # parameters that botocore refuses, an ARN of no endpoint
        return "refused by the client", str(refused)
    except ClientError as refused:
        status = refused.response["ResponseMetadata"]["HTTPStatusCode"]
        return type(refused).__name__, status, in_one_place(refused.response)
    return "answered", answer["ResponseMetadata"]["HTTPStatusCode"], in_one_place(answer)


def left_behind(aws):
    """Everything that is in the queues and streams."""
    broker = aws.broker()
    queues = {name: (queue.attributes, queue.tags, queue.peek()) for name, queue in broker.queues.items()}
    streams = {
        name: (stream.describe_summary(), [repr(record) for record in stream.peek()])
        for name, stream in broker.streams.items()
    }
    return queues, streams


def compare(seed, calls):
    """Make the same calls both ways; how many were answered, and how many refused."""
    near, far = new_aws(VirtualClock(), seed), new_aws(ManualClock(), seed)
    chance = random.Random(seed)
    requests = Requests(chance)
    answered = refused = 0
    with serve(aws=far, port=0) as server:
        session = boto3.Session(**KEYS)
        # botocore's own retries wait on the clock in process, and for real over HTTP.
        config = Config(retries={"total_max_attempts": 1})
        ways = {
            # The same endpoint for both, since botocore looks at ARNs only where it has to find one.
            service: (
                wire(session.client(service, endpoint_url=server.endpoint_url, config=config), near),
                session.client(service, endpoint_url=server.endpoint_url, config=config),
            )
            for service in ("sqs", "kinesis")
        }
        for number in range(calls):
            service, operation, parameters = requests.call()
            if operation in GOES_ON:
                continue
            if operation == "ReceiveMessage":
                parameters["WaitTimeSeconds"] = 0  # nobody is there to move the clock
            in_process, over_http = (outcome(client, operation, parameters) for client in ways[service])
            assert in_process == over_http, f"call {number} of seed {seed}: {operation} {parameters}"
            if in_process[0] == "answered":
                answered += 1
                requests.learn(in_process[2])
            else:
                refused += 1
            if chance.random() < 0.05:
                seconds = chance.choice([1, 30, 61, 400])
                near.clock.advance(seconds=seconds)
                far.clock.advance(seconds=seconds)
        for pair in ways.values():
            for client in pair:
                client.close()
        assert left_behind(near) == left_behind(far)
    return answered, refused


def test_both_ways_answer_alike():
    answered, refused = compare("short", 200)
    assert answered > 50
    assert refused > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_both_ways_answer_alike_for_long(seed):
    answered, refused = compare(seed, 2_000)
    assert answered > 500
    assert refused > 200
