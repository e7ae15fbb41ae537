import pytest
from wires import HOST, Wire

from queuestream.aws.accounts import Aws
from queuestream.aws.front_end.front_end import FrontEnd


@pytest.fixture
def aws(clock):
    return Aws(clock=clock, seed=7)


@pytest.fixture
def front_end(aws):
    return FrontEnd(aws)


@pytest.fixture
def wire(front_end):
    return Wire(front_end)


@pytest.fixture
def queue(aws):
    return aws.broker().create_queue("emails")


@pytest.fixture
def queue_url(queue):
    return f"http://{HOST}/123456789012/emails"


@pytest.fixture
def stream(aws):
    return aws.broker().create_stream("events", shard_count=1)
