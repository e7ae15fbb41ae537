"""Files for tests that say nothing about the disk, and the brokers in them."""

import pytest

from queuestream.storage import opening
from queuestream.storage.opening import open_broker


@pytest.fixture
def path(fast_folder):
    return fast_folder / "orders.db"


@pytest.fixture
def open_file(path, clock, monkeypatch):
    """Opens `path`, or another one; whatever is open in the end is closed."""
    monkeypatch.setattr(opening, "SEGMENT_BYTES", 1 << 20)  # which are made in no time
    brokers = []

    def open_file(path=path, **options):
        brokers.append(open_broker(path, **{"clock": clock, "seed": 1} | options))
        return brokers[-1]

    yield open_file
    for broker in brokers:
        broker.close()
