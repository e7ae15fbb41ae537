"""What most tests start from, and how long the searching ones search.

Hypothesis has two profiles.  `quick`, the default, tries the same few hundred cases each
time, so that a failure means the change in hand.  `thorough` tries many more, and other
ones each time; the environment variable HYPOTHESIS_PROFILE asks for it.  Tests marked
`slow` run in that profile, and where they are asked for (`-m slow`).
"""

import os

import pytest
from hypothesis import settings

from queuestream import Broker, VirtualClock

settings.register_profile("quick", derandomize=True, max_examples=50, deadline=None, print_blob=True)
settings.register_profile("thorough", max_examples=1_000, deadline=None, print_blob=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(config, items):
    """Leave slow tests out, unless somebody asks for them."""
    if PROFILE == "thorough" or config.option.markexpr or any("::" in argument for argument in config.args):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


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
