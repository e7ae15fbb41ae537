"""What most tests start from, and how long the searching ones search.

Hypothesis has two profiles.  `quick`, the default, tries the same cases each time, so that a
failure means the change in hand: few of them, and hundreds in tests marked `slow`.  `thorough`
tries other ones each time, and many more; the environment variable HYPOTHESIS_PROFILE asks for
it.  `pytest -m "not slow"` is the inner loop.
"""

import contextlib
import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from queuestream import Broker, VirtualClock

settings.register_profile("quick", derandomize=True, max_examples=25, deadline=None, print_blob=True)
settings.register_profile("thorough", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_finish():
    """Spare the garbage collector what stays until the end anyway, and many looks at the little rest."""
    gc.freeze()
    gc.set_threshold(20_000)


MEMORY = Path("/dev/shm")


@contextlib.contextmanager
def folder_in_memory(otherwise):
    """A folder in memory where the machine has that, since a sync of a disk takes longer than most tests."""
    if not os.access(MEMORY, os.W_OK):
        yield otherwise
        return
    folder = Path(tempfile.mkdtemp(prefix="queuestream-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def fast_folder(tmp_path):
    """For files of tests that say nothing about the disk."""
    with folder_in_memory(tmp_path) as folder:
        yield folder


@pytest.fixture(scope="module")
def lasting_folder(tmp_path_factory):
    """The same for all tests of a module."""
    with folder_in_memory(tmp_path_factory.mktemp("lasting")) as folder:
        yield folder


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def broker(clock):
    return Broker(clock=clock, seed=7)


@pytest.fixture
def queue(broker):
    return broker.create_queue("emails")


@pytest.fixture
def fifo_queue(broker):
    return broker.create_queue("orders.fifo", fifo_queue=True)
