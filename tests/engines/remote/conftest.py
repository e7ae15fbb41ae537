"""A broker over AWS whose AWS is in this process, and a server over HTTP that wants signatures."""

import pytest
from remote_brokers import remote_broker

from queuestream import VirtualClock
from queuestream.aws import Aws, serve

ACCESS_KEYS = {"AKIAQUEUESTREAM": "a secret"}


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock(), seed=1)


@pytest.fixture(scope="session")
def _one_remote():
    """Making clients takes longer than most tests, so they share one broker, and another AWS behind it."""
    aws = Aws(clock=VirtualClock(), seed=1)
    with remote_broker(aws) as broker:
        yield aws, broker


@pytest.fixture
def remote(_one_remote):
    aws, broker = _one_remote
    aws.reset()
    return broker


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
