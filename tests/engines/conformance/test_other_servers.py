"""The conformance suite on the engine `aws`, against servers that nobody here wrote.

moto's for SQS and Kinesis; kinesis-local and kinesalite, from npm, for Kinesis.  What differs is listed with
the culprit: a difference that goes away fails here, so that the list stays true.
"""

import importlib
import re
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from differences_of_servers import KINESALITE, KINESIS_LOCAL, MOTO_KINESIS, MOTO_SQS, by_test

from queuestream import connect
from queuestream.testing.conformance import QueueConformance, StreamConformance

ROOT = Path(__file__).parents[3]

pytest.importorskip("flask", reason="pip install -e '.[server,clients]'")

pytestmark = [pytest.mark.clients, pytest.mark.slow]

QUEUES = QueueConformance.capabilities - {"peek"}
STREAMS = StreamConformance.capabilities - {"peek"}


MOTO = (5, 2, 5)
"""The version whose differences are known, or a later one, which may have fewer: that is worth knowing."""

# What kinesis-local takes half a second for, unless it is told otherwise.
TAKES_NO_TIME = (
    "REGISTER_STREAM_CONSUMER",
    "DEREGISTER_STREAM_CONSUMER",
    "START_STREAM_ENCRYPTION",
    "STOP_STREAM_ENCRYPTION",
    "SPLIT_SHARD",
    "MERGE_SHARDS",
    "UPDATE_SHARD_COUNT",
    "UPDATE_STREAM_MODE",
)


@contextmanager
def connected(name):
    """A broker over a server that runs for so long; skips where it cannot run here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        servers = importlib.import_module("benchmarks.servers")
        missing = servers.why_not(name)
        if missing is not None:
            pytest.skip(f"{name}: {missing}")
        for operation in TAKES_NO_TIME:
            patch.setenv(f"{operation}_DURATION", "0ms")
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")
        with servers.running(name) as server:
            # A server that is never done with something would be waited for: the suite waits less long.
            url = f"aws://us-east-1?endpoint_url={server.endpoint_url}&wait=false"
            with connect(url, session=session) as broker:
                yield broker
            server.process.kill()  # kinesis-local would wait for connections that nobody uses any more


@pytest.fixture(scope="module")
def moto():
    version = pytest.importorskip("moto", reason="pip install 'moto[kinesis,server,sqs]'").__version__
    if tuple(map(int, re.findall(r"\d+", version)[:3])) < MOTO:
        pytest.skip(f"moto {version} is older than the one whose differences are known")
    with connected("moto_server") as broker:
        yield broker


@pytest.fixture(scope="module")
def kinesis_local():
    with connected("kinesis-local") as broker:
        yield broker


@pytest.fixture(scope="module")
def kinesalite():
    with connected("kinesalite") as broker:
        yield broker


class TestQueuesOfMoto(QueueConformance):
    capabilities = QUEUES - {
        "attempts",
        "deletion_interval",
        "move_tasks",
        "redrive_allow_policy",
    }
    known_differences = by_test(MOTO_SQS)

    @pytest.fixture
    def broker(self, moto):
        return moto


class TestStreamsOfMoto(StreamConformance):
    capabilities = STREAMS - {
        "child_shards",
        "consumer_tags",
        "dry_run",
        "fan_out",
        "large_records",
        "tags_at_creation",
    }
    settling_seconds = 1
    known_differences = by_test(MOTO_KINESIS)

    @pytest.fixture
    def broker(self, moto):
        return moto


class TestStreamsOfKinesisLocal(StreamConformance):
    capabilities = STREAMS - {"dry_run", "fan_out"}
    settling_seconds = 3
    known_differences = by_test(KINESIS_LOCAL)

    @pytest.fixture
    def broker(self, kinesis_local):
        return kinesis_local


class TestStreamsOfKinesalite(StreamConformance):
    capabilities = STREAMS - {
        "account_limits",
        "child_shards",
        "consumers",
        "consumer_tags",
        "dry_run",
        "encryption",
        "fan_out",
        "large_records",
        "modes",
        "monitoring",
        "resource_policies",
        "shard_filters",
        "shard_pages",
        "tags_at_creation",
        "update_shard_count",
    }
    settling_seconds = 1
    known_differences = by_test(KINESALITE)

    @pytest.fixture
    def broker(self, kinesalite):
        return kinesalite
