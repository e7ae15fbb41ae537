"""Files for tests that say nothing about the disk, and the brokers in them."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from queuestream.storage.opening import open_broker

MEMORY = Path("/dev/shm")


@pytest.fixture
def fast_folder(tmp_path):
    """A folder in memory where the machine has that, since a sync of a disk takes longer than most tests."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="queuestream-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def path(fast_folder):
    return fast_folder / "orders.db"


@pytest.fixture
def open_file(path, clock):
    """Opens `path`, or another one; whatever is open in the end is closed."""
    brokers = []

    def open_file(path=path, **options):
        brokers.append(open_broker(path, **{"clock": clock, "seed": 1} | options))
        return brokers[-1]

    yield open_file
    for broker in brokers:
        broker.close()
