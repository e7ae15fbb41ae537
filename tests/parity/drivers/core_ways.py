"""The core as a way in: as it is, rebuilt from its changes before each call, and opened again from a file."""

import os
import tempfile
from pathlib import Path

from queuestream import Broker, VirtualClock
from queuestream.core.queues.consistency import AT_ONCE
from queuestream.core.queues.limits import AWS_LIMITS
from queuestream.core.queues.pages import QueuePage
from queuestream.core.queues.queue import Queue
from queuestream.core.streams.stream import Stream
from queuestream.storage.disk import Disk
from queuestream.storage.opening import open_broker

ACCOUNT_ID = "123456789012"


class CoreWay:
    """`Broker`, as it is."""

    name = "core"

    @classmethod
    def open(cls, settings):
        return cls(settings)

    def __init__(self, settings):
        self.clock = VirtualClock()
        self._limits = settings.get("queue_limits", AWS_LIMITS)
        self._consistency = settings.get("consistency", AT_ONCE)
        self._stream_settings = settings.get("stream_settings", {})
        self.reset()

    def reset(self):
        self._broker = self._new_broker()

    def close(self):
        """There is nothing to close."""

    def _new_broker(self):
        return Broker(**self._options)

    @property
    def _options(self):
        return {
            "clock": self.clock,
            "account_id": ACCOUNT_ID,
            "queue_limits": self._limits,
            "consistency": self._consistency,
        }

    @property
    def _current(self):
        return self._broker

    def create_stream(self, name, **settings):
        return self._outside(self._current.create_stream(name, **{**self._stream_settings, **settings}))

    def __getattr__(self, name):
        return self._outside(getattr(self._current, name))

    def _outside(self, value):
        """A value as it leaves the way."""
        return value


class RebuiltWay(CoreWay):
    """The core, by a broker that is another one at each call: who uses it has names, not things."""

    def _outside(self, value):
        if isinstance(value, Queue):
            return _Handle(self, Queue, value.name, lambda broker: broker.queue(value.name))
        if isinstance(value, Stream):
            return _Handle(self, Stream, value.name, lambda broker: broker.stream(value.name))
        if isinstance(value, QueuePage):
            page = QueuePage(map(self._outside, value))
            page.next_token = value.next_token
            return page
        if isinstance(value, list):
            return [self._outside(one) for one in value]
        return value

    def __getattr__(self, name):
        return _used_late(self, Broker, name, lambda: self._current)


class ReplayedWay(RebuiltWay):
    """The core, rebuilt before each call: a twin is made from all changes that were heard so far."""

    name = "core replayed"

    def reset(self):
        self._heard = []
        super().reset()
        self._broker.listen(self._heard.extend)

    @property
    def _current(self):
        twin = self._new_broker()
        for change in self._heard:
            change.apply(twin)
        twin.listen(self._heard.extend)
        self._broker = twin
        return twin


class ReopenedWay(RebuiltWay):
    """The core in a file, opened again before each call, as it was closed or, in turn, left by a kill."""

    name = "core reopened"

    def __init__(self, settings):
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self._broker = None
        super().__init__(settings)

    def reset(self):
        self.close_broker()
        for file in Path(self._folder.name).iterdir():
            file.unlink()
        self._calls = 0
        super().reset()

    def close(self):
        self.close_broker()
        self._folder.cleanup()

    def close_broker(self):
        if self._broker is not None:
            self._broker.close()

    def _new_broker(self):
        path = Path(self._folder.name) / "parity.db"
        return open_broker(path, durability="none", disk=FleetingDisk(), **self._options)

    @property
    def _current(self):
        self._calls += 1
        if self._calls % 2:
            self._broker.close()
        else:
            leave_as_a_kill_would(self._broker)
        self._broker = self._new_broker()
        return self._broker


MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files cost nothing, if there is such a place."""


class FleetingDisk(Disk):
    """Files that nobody will need after a power cut, so that they are made quickly."""

    def preallocate(self, fd, start, end):
        os.ftruncate(fd, end)

    def sync(self, fd, mapping):
        pass

    def sync_directory(self, directory):
        pass


def leave_as_a_kill_would(broker):
    """Let go of a broker's files as they are: what was not folded is in the journal only."""
    broker.storage.interrupted(KeyboardInterrupt())
    broker.close()  # returns when the files are let go


class _Handle:
    """A queue or stream by its name: each use of it is a use of the broker that was just reopened."""

    def __init__(self, way, kind, name, find):
        self._way = way
        self._kind = kind
        self.name = name
        self._find = find

    def __getattr__(self, attribute):
        return _used_late(self._way, self._kind, attribute, lambda: self._find(self._way._current))


def _used_late(way, kind, attribute, find):
    """An attribute of what is found now; a method is one of what is found when it is called."""
    if not callable(getattr(kind, attribute, None)):
        return way._outside(getattr(find(), attribute))
    return lambda *args, **kwargs: way._outside(getattr(find(), attribute)(*args, **kwargs))
