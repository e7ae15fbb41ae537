"""The conformance suite on the engine `sqlite`: as it is, and closed and opened again before each call."""

import os
from tempfile import TemporaryDirectory
from types import MappingProxyType

import pytest
from reopened import reopened

from queuestream import VirtualClock, connect
from queuestream.testing.conformance import QueueConformance, StreamConformance

pytestmark = pytest.mark.slow

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files are made quickly, if there is such a place."""


@pytest.fixture
def sqlite(tmp_path):
    with connect(f"sqlite:///{tmp_path}/conformance.db", clock=VirtualClock(), seed=7) as broker:
        yield broker


@pytest.fixture
def again_and_again():
    clock = VirtualClock()
    with TemporaryDirectory(dir=MEMORY) as folder:
        url = f"sqlite:///{folder}/conformance.db"
        broker, close = reopened(lambda: connect(url, clock=clock, durability="none"))
        yield broker
        close()


class TestQueues(QueueConformance):
    @pytest.fixture
    def broker(self, sqlite):
        return sqlite


class TestStreams(StreamConformance):
    @pytest.fixture
    def broker(self, sqlite):
        return sqlite


class TestQueuesThatAreReopened(QueueConformance):
    known_differences = MappingProxyType(
        {"test_a_long_poll_gets_what_is_sent_meanwhile": "who waits gets BrokerClosed"}
    )

    @pytest.fixture
    def broker(self, again_and_again):
        return again_and_again


class TestStreamsThatAreReopened(StreamConformance):
    known_differences = MappingProxyType(
        {"test_a_second_subscription_within_five_seconds_is_refused": "a subscription ends with its broker"}
    )

    @pytest.fixture
    def broker(self, again_and_again):
        return again_and_again
