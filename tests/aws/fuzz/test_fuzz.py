"""Whatever a client sends: no 5xx, no traceback, no hang, and what is refused changes nothing."""

import json
import random
import time
from collections import Counter
from xml.etree import ElementTree as ET

import cbor2
import pytest
from fuzzed_requests import QUEUES, STREAMS, Requests

from queuestream import QueueLimits, VirtualClock
from queuestream.aws.accounts import Aws
from queuestream.aws.calls import Later
from queuestream.aws.front_end.front_end import FrontEnd
from queuestream.aws.operations import OPERATIONS

CASES_PER_WORLD = 1_000
SECONDS_PER_CASE = 5


class World:
    """One front end, and whether anything behind it changed."""

    def __init__(self, seed):
        limits = QueueLimits(delete_interval_seconds=0, purge_interval_seconds=0)
        self.aws = Aws(clock=VirtualClock(), seed=seed, queue_limits=limits)
        self.front_end = FrontEnd(self.aws)
        self.changes = []
        self.aws.broker().listen(self.changes.extend)

    def settle(self):
        """Bring back what was deleted, and let what time changes happen now; no request is to blame."""
        broker = self.aws.broker()
        for name, attributes in QUEUES.items():
            if name not in broker.queues:
                broker.create_queue(name, **attributes)
        for name in STREAMS:
            if name not in broker.streams:
                broker.create_stream(name, shard_count=2)
        for queue in broker.queues.values():
            queue.counts()
        for stream in broker.streams.values():
            stream.peek()
        self.changes.clear()

    def ask(self, request):
        """The response, and what it changed."""
        self.settle()
        response = self.front_end.respond(request)
        if isinstance(response, Later):
            response = response.now(self.aws.clock)
        return response, list(self.changes)


def parsed(response):
    """The body in the form that the response says; of an event stream, its first frames."""
    kind = response.headers.get("content-type", "")
    body = response.body
    if not isinstance(body, bytes):
        assert "eventstream" in kind
        assert body.attempt()
        body.close()
        return {}
    if not body:
        return {}
    if "cbor" in kind:
        return cbor2.loads(body, semantic_decoders={1: lambda value, _: value})  # milliseconds, at AWS
    if "json" in kind:
        return json.loads(body)
    if "xml" in kind:
        ET.fromstring(body)
    return {}


def fuzz(seed, cases):
    """Ask so many requests; how often each operation was answered, and refused."""
    chance = random.Random(seed)
    answered, refused = Counter(), Counter()
    for number in range(cases):
        if number % CASES_PER_WORLD == 0:
            world = World(f"{seed} {number}")
            requests = Requests(chance)
        service, operation, request = requests.next()
        began = time.monotonic()
        response, changes = world.ask(request)
        told = f"case {number} of seed {seed}: {request!r} was answered {response!r}"
        assert time.monotonic() - began < SECONDS_PER_CASE, told
        assert 200 <= response.status < 500, told
        content = parsed(response)
        if response.status < 300:
            answered[service, operation] += 1
            requests.learn(content)
        else:
            refused[service, operation] += 1
            assert not changes, told
        if chance.random() < 0.02:
            world.aws.clock.advance(seconds=chance.choice([1, 30, 61, 400]))
        if number % CASES_PER_WORLD == CASES_PER_WORLD - 1:
            world.aws.broker().check_invariants()
    return answered, refused


@pytest.mark.parametrize("seed", range(4))
def test_no_request_breaks_the_front_end(seed):
    answered, refused = fuzz(seed, 500)
    assert sum(answered.values()) > 100
    assert sum(refused.values()) > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", [f"long {number}" for number in range(10)])
def test_no_request_of_two_hundred_thousand_breaks_the_front_end(seed):
    answered, refused = fuzz(seed, 20_000)
    everything = {(service, name) for service, table in OPERATIONS.items() for name in table}
    assert set(refused) == everything
    # Some operations want so much that chance seldom gets it right.
    assert len(answered) > 0.95 * len(everything), sorted(everything - set(answered))
