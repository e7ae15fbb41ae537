"""What a refusal looks like through every way in: AWS's code and AWS's sentence."""

import contextlib

import pytest

from queuestream.core.errors import ServiceError


class Refused(Exception):
    """A refusal that came back through a client."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@contextlib.contextmanager
def refused(code, message=None):
    """Expect a refusal of that code, and with that very sentence where one is given."""
    with pytest.raises((ServiceError, Refused)) as caught:
        yield caught
    assert caught.value.code == code
    if message is not None:
        assert caught.value.message == message
