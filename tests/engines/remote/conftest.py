"""A broker over AWS whose AWS is in this process, and a server over HTTP that wants signatures."""

import pytest
from remote_brokers import remote_broker

from queuestream import VirtualClock
from queuestream.aws import Aws, FaultPlan, serve

ACCESS_KEYS = {"AKIAQUEUESTREAM": "a secret"}


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock(), seed=1)


@pytest.fixture(scope="session")
def _one_remote():
    """Making clients takes longer than most tests, so they share one broker, and another AWS behind it."""
    aws = Aws(clock=VirtualClock(), seed=1)
    faults = FaultPlan(seed=1)
    with remote_broker(aws, faults=faults) as broker:
        yield aws, broker, faults


@pytest.fixture
def remote(_one_remote):
    aws, broker, faults = _one_remote
    aws.reset()
    yield broker
    faults.clear()


@pytest.fixture
def faults(_one_remote):
    """What goes wrong on the way to `remote` and back."""
    return _one_remote[2]


@pytest.fixture
def its_clock(_one_remote):
    return _one_remote[0].clock


@pytest.fixture(scope="module")
def signed_server():
    with serve(port=0, access_keys=ACCESS_KEYS) as server:
        yield server


@pytest.fixture
def server(signed_server):
    signed_server.reset()
    return signed_server


@pytest.fixture
def credentials(monkeypatch):
    """The environment's, as boto3 finds them."""
    [(key, secret)] = ACCESS_KEYS.items()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
