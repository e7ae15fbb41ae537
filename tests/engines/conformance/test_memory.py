"""The conformance suite on the engine `memory`: `Broker` itself."""

import pytest

from queuestream import Broker, VirtualClock
from queuestream.testing.conformance import QueueConformance, StreamConformance


@pytest.fixture
def memory():
    return Broker(clock=VirtualClock(), seed=7)


class TestQueues(QueueConformance):
    @pytest.fixture
    def broker(self, memory):
        return memory


class TestStreams(StreamConformance):
    @pytest.fixture
    def broker(self, memory):
        return memory
