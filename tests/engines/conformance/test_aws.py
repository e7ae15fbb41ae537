"""The conformance suite on the engine `aws`, over boto3, against a server of ours that checks signatures.

Once the server's time is the machine's, and what would have to wait for long is skipped; once it stands
still until it is moved, and what needs it to go on by itself is.
"""

import boto3
import pytest

from queuestream import connect
from queuestream.testing.conformance import QueueConformance, StreamConformance

serve = pytest.importorskip("queuestream.aws").serve
pytest.importorskip("uvicorn", reason="pip install -e '.[server]'")

pytestmark = pytest.mark.slow

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "AKIDQUEUESTREAMTESTS", "a secret that the server shares"

# Only a broker in this process lets anybody peek.
QUEUES = QueueConformance.capabilities - {"peek"}
STREAMS = StreamConformance.capabilities - {"peek"}


@pytest.fixture(scope="module")
def server():
    with serve(port=0, access_keys={ACCESS_KEY_ID: SECRET_ACCESS_KEY}) as server:
        yield server


@pytest.fixture(scope="module")
def still():
    with serve(port=0, access_keys={ACCESS_KEY_ID: SECRET_ACCESS_KEY}, virtual_clock=True) as server:
        yield server


def connected(server):
    session = boto3.Session(aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY)
    return connect(f"aws://us-east-1?endpoint_url={server.endpoint_url}", session=session)


@pytest.fixture(scope="module")
def going(server):
    with connected(server) as broker:
        yield broker


@pytest.fixture(scope="module")
def standing(still):
    with connected(still) as broker:
        yield broker


@pytest.fixture
def moved(still):
    return lambda seconds: still.aws.clock.advance(seconds=seconds)


class TestQueues(QueueConformance):
    capabilities = QUEUES

    @pytest.fixture
    def broker(self, going):
        return going


class TestStreams(StreamConformance):
    capabilities = STREAMS

    @pytest.fixture
    def broker(self, going):
        return going


class TestQueuesWhileTimeStandsStill(QueueConformance):
    capabilities = QUEUES - {"long_polls_end"}

    @pytest.fixture
    def broker(self, standing):
        return standing

    @pytest.fixture
    def advance(self, moved):
        return moved


class TestStreamsWhileTimeStandsStill(StreamConformance):
    capabilities = STREAMS

    @pytest.fixture
    def broker(self, standing):
        return standing

    @pytest.fixture
    def advance(self, moved):
        return moved
