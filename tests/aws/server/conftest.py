"""A running server."""

import pytest

from queuestream.aws.server import serve


@pytest.fixture(scope="module")
def shared_server():
    """One for all tests of a module, which leave nothing behind that disturbs the others."""
    with serve(port=0) as server:
        yield server


@pytest.fixture
def server():
    with serve(port=0) as server:
        yield server
