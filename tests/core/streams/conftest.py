import pytest

from queuestream.core.clock import VirtualClock
from queuestream.core.streams.stream import Stream


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def stream(clock):
    return Stream("events", shard_count=4, clock=clock, seed=1)


@pytest.fixture
def one(clock):
    """A stream of one shard."""
    return Stream("events", clock=clock, seed=1)


FIRST = "shardId-000000000000"


@pytest.fixture
def read():
    """All that a shard can give from its trim horizon on."""

    def read(stream, shard_id=FIRST):
        iterator = stream.get_shard_iterator(shard_id, "TRIM_HORIZON")
        data = []
        while iterator is not None:
            got = stream.get_records(iterator)
            data += [record.data for record in got.records]
            iterator = got.next_shard_iterator if got.records else None
        return data

    return read
