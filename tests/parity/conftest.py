"""The fixtures of parity tests: `broker`, `queue`, `fifo_queue` and `clock`, once for every way in."""

import pytest
from drivers import SLOW, WAYS


def pytest_configure(config):
    config.addinivalue_line("markers", "settings(**settings): the settings of `Aws` that a parity test needs")
    config.addinivalue_line(
        "markers", "not_through(*names, why): the ways in that a parity test leaves out, and why"
    )


# Of the session, so that pytest runs way by way: each is open for as long as its tests last, and no server's
# thread stands beside the others, where a virtual clock would have to wonder what it waits for.
@pytest.fixture(
    scope="session",
    params=[pytest.param(way, id=way.name, marks=[pytest.mark.slow] * (way in SLOW)) for way in WAYS],
)
def way(request):
    """A way in, which opens once for each set of settings."""
    opened = {}

    def open_way(settings):
        key = repr(settings)
        if key not in opened:
            opened[key] = request.param.open(settings)
        return opened[key]

    yield request.param, open_way
    for one in opened.values():
        one.close()


@pytest.fixture
def broker(request, way):
    way_class, open_way = way
    left_out = request.node.get_closest_marker("not_through")
    if left_out is not None and way_class.name in left_out.args:
        pytest.skip(left_out.kwargs["why"])
    marker = request.node.get_closest_marker("settings")
    opened = open_way({} if marker is None else marker.kwargs)
    opened.reset()
    return opened


@pytest.fixture
def clock(broker):
    return broker.clock


@pytest.fixture
def queue(broker):
    return broker.create_queue("emails")


@pytest.fixture
def fifo_queue(broker):
    return broker.create_queue("orders.fifo", fifo_queue=True)
