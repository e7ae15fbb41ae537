"""A broker forked in the middle of a test: two brokers, equal in all that they hold, that go on apart.

    broker = Broker(clock=VirtualClock(), seed=7)
    ...
    other = fork_broker(broker)
    broker.queue("orders").purge()          # other.queue("orders") still has its messages

The same calls have the same answers on both, down to every id, since the source of chance is forked, too.
All that a broker holds is copied by pickling it in memory; what cannot be shared is replaced: the
lock, the clock, and whoever listens or waits.
"""

from __future__ import annotations

import copyreg
import inspect
import io
import pickle
import threading
from typing import TYPE_CHECKING, Any, cast

from queuestream.core.clock import Wakeup
from queuestream.core.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from queuestream.core.broker import Broker
    from queuestream.core.clock import Clock


def fork_broker(broker: Broker) -> Broker:
    """Another broker with the same queues, streams, messages, records, receipts and ids to come.

    Its clock is a `VirtualClock` of its own, at the same instant.  Nobody listens to it, and nobody waits.

    Args:
        broker: A broker in memory; it goes on as if nothing had been.

    Raises:
        ValueError: The broker is kept in a file.

    Cost: grows with all that the broker holds, a few microseconds for a message.
    """
    with broker.lock:
        if broker.storage is not None:
            raise ValueError("A broker that is kept in a file cannot be forked: fork one in memory.")
        clock = _clock_at(broker.clock)
        written = io.BytesIO()
        _Writer(written, broker).dump(broker)
    written.seek(0)
    return cast("Broker", _Reader(written, clock).load())


def _clock_at(clock: Clock) -> VirtualClock:
    other = VirtualClock()
    other._now_ns = clock.now_ns()
    if isinstance(clock, VirtualClock):
        other.autojump, other.patience_seconds = clock.autojump, clock.patience_seconds
    return other


class _Writer(pickle.Pickler):
    """Writes a broker, and names what is to be replaced."""

    def __init__(self, file: io.BytesIO, broker: Broker) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        things = [broker, *broker.queues.values(), *broker.streams.values()]
        self.dispatch_table = {**copyreg.dispatch_table, **dict.fromkeys(map(type, things), _unwatched)}
        self._names = {id(broker.lock): "lock", id(broker.clock): "clock"}
        if broker.listeners:
            self._names[id(broker.listeners)] = "listeners"
        for queue in broker.queues.values():
            self._names[id(queue._waiting)] = "those who wait"

    def persistent_id(self, thing: Any) -> str | None:
        if type(thing) is Wakeup:
            return "wakeup"
        return self._names.get(id(thing))


def _unwatched(thing: Any) -> Any:
    """What makes a broker, a queue or a stream again, without the methods by which a call log watches it."""
    make, arguments, state, *others = thing.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    attributes = {name: value for name, value in attributes.items() if not inspect.isfunction(value)}
    return make, arguments, attributes if slots is None else (attributes, slots), *others


class _Reader(pickle.Unpickler):
    """Reads it again, with new things in the place of those."""

    def __init__(self, file: io.BytesIO, clock: VirtualClock) -> None:
        super().__init__(file)
        self._lock, self._clock = threading.RLock(), clock

    def persistent_load(self, name: str) -> Any:
        match name:
            case "lock":
                return self._lock
            case "clock":
                return self._clock
            case "listeners":
                return ()
            case "those who wait":
                return {}
        return Wakeup()
