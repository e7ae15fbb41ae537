"""A running server."""

import pytest
from server_clients import until

from queuestream.aws.server import serve


@pytest.fixture(scope="module")
def shared_server():
    """One for all tests of a module, which leave nothing behind that disturbs the others."""
    with serve(port=0) as server:
        yield server


@pytest.fixture(scope="module")
def lasting_server():
    with serve(port=0) as server:
        yield server


@pytest.fixture
def server(lasting_server):
    """A server as if just started: nobody is connected, and there is nothing in it. A test may stop it."""
    yield lasting_server
    lasting_server.reset()
    if lasting_server._thread is None:
        lasting_server.start()
        return
    part_with_everybody(lasting_server._uvicorn)


def part_with_everybody(uvicorn):
    """Close what connections a test has left open, as clients do that keep theirs for the next request."""
    opened = uvicorn.server_state.connections

    def part():
        for connection in list(opened):
            connection.transport.abort()

    uvicorn._loop.call_soon_threadsafe(part)
    until(lambda: not opened and not uvicorn.server_state.tasks)
