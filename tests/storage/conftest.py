"""Files for tests that say nothing about the disk, and the brokers in them."""

import pytest
from scripted import SEGMENT_BYTES

from queuestream.storage import opening, store, tidying
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


@pytest.fixture
def repeatable(monkeypatch):
    """Small files, which have to grow, and no fold or tidying but when it is asked for."""
    monkeypatch.setattr(opening, "SEGMENT_BYTES", SEGMENT_BYTES)
    monkeypatch.setattr(store, "_FOLD_SECONDS", 3_600)
    monkeypatch.setattr(store.Store, "_tidy", lambda self: False)
    small = {"_ROWS_MIN": 4, "_PAGES": 4, "_FREE_PAGES_KEPT": 2, "_FREE_SHARE_KEPT": 0.0}
    for name, value in small.items():
        monkeypatch.setattr(tidying, name, value)
