"""The conformance suite on the engine `memory`: `Broker` itself."""

import pytest

from queuestream import Broker, VirtualClock
from queuestream.testing.conformance import QueueConformance, StreamConformance


@pytest.fixture
def memory():
    broker = Broker(clock=VirtualClock(), seed=7)
    yield broker
    assert (broker.queues, broker.streams) == ({}, {}), "a test has left something behind"


class TestQueues(QueueConformance):
    @pytest.fixture
    def broker(self, memory):
        return memory


class TestStreams(StreamConformance):
    @pytest.fixture
    def broker(self, memory):
        return memory
