"""A history on a virtual clock, and who writes it."""

import pytest

from queuestream.lab import History
from queuestream.lab.recording import Recorder


@pytest.fixture
def history():
    return History()


@pytest.fixture
def recorder(history, clock):
    return Recorder(history, clock)


@pytest.fixture
def told(history):
    """What the history says, with these fields of each event."""

    def told(*fields, operation=None):
        return [
            tuple(getattr(event, field) for field in fields)
            for event in history
            if operation is None or event.operation == operation
        ]

    return told
