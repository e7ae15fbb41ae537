"""The conformance suite on the engines for asyncio, whose operations are waited for in an event loop."""

import pytest

from queuestream import VirtualClock, aio
from queuestream.testing.conformance import QueueConformance, StreamConformance, blocking

aiobotocore = pytest.importorskip("aiobotocore.session")

pytestmark = pytest.mark.slow


ACCESS_KEY_ID, SECRET_ACCESS_KEY = "AKIDQUEUESTREAMTESTS", "a secret that the server shares"


@pytest.fixture
def memory():
    with blocking(aio.connect("memory://", clock=VirtualClock(), seed=7)) as broker:
        yield broker


@pytest.fixture
def sqlite(tmp_path):
    url = f"sqlite:///{tmp_path}/conformance.db"
    with blocking(aio.connect(url, clock=VirtualClock(), seed=7)) as broker:
        yield broker


@pytest.fixture(scope="module")
def aws():
    serve = pytest.importorskip("queuestream.aws").serve
    pytest.importorskip("uvicorn", reason="pip install -e '.[server]'")
    session = aiobotocore.AioSession()
    session.set_credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    with serve(port=0, access_keys={ACCESS_KEY_ID: SECRET_ACCESS_KEY}) as server:
        url = f"aws://us-east-1?endpoint_url={server.endpoint_url}"
        with blocking(aio.connect(url, session=session)) as broker:
            yield broker


class TestQueuesInMemory(QueueConformance):
    @pytest.fixture
    def broker(self, memory):
        return memory


class TestStreamsInMemory(StreamConformance):
    @pytest.fixture
    def broker(self, memory):
        return memory


class TestQueuesInAFile(QueueConformance):
    @pytest.fixture
    def broker(self, sqlite):
        return sqlite


class TestStreamsInAFile(StreamConformance):
    @pytest.fixture
    def broker(self, sqlite):
        return sqlite


class TestQueuesOverAws(QueueConformance):
    capabilities = QueueConformance.capabilities - {"peek"}

    @pytest.fixture
    def broker(self, aws):
        return aws


class TestStreamsOverAws(StreamConformance):
    capabilities = StreamConformance.capabilities - {"peek"}

    @pytest.fixture
    def broker(self, aws):
        return aws
