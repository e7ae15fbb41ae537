"""The fixtures of parity tests: `broker`, `queue`, `fifo_queue` and `clock`, once for every way in."""

import pytest
from drivers import WAYS


def pytest_configure(config):
    config.addinivalue_line("markers", "settings(**settings): the settings of `Aws` that a parity test needs")
    config.addinivalue_line(
        "markers", "not_through(*names, why): the ways in that a parity test leaves out, and why"
    )


@pytest.fixture(scope="session")
def open_ways():
    """The ways that were opened, by their class and settings."""
    ways = {}
    yield ways
    for way in ways.values():
        way.close()


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def broker(request, open_ways):
    way_class = request.param
    left_out = request.node.get_closest_marker("not_through")
    if left_out is not None and way_class.name in left_out.args:
        pytest.skip(left_out.kwargs["why"])
    marker = request.node.get_closest_marker("settings")
    settings = {} if marker is None else marker.kwargs
    key = way_class, repr(settings)
    if key not in open_ways:
        open_ways[key] = way_class.open(settings)
    way = open_ways[key]
    way.reset()
    return way


@pytest.fixture
def clock(broker):
    return broker.clock


@pytest.fixture
def queue(broker):
    return broker.create_queue("emails")


@pytest.fixture
def fifo_queue(broker):
    return broker.create_queue("orders.fifo", fifo_queue=True)
