"""A broker: the named queues and streams of one account in one region.

It owns what they share: one lock, one clock, one source of ids, the limits, and the
listeners that hear every change.  Nothing runs in the background; what time changes is
seen by the next call, and `next_event_ns` says when to look again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from queuestream.core.clock import Clock, SystemClock
from queuestream.core.errors import BrokerClosed
from queuestream.core.ids import Ids

if TYPE_CHECKING:
    from queuestream.core.changes import Change, Listener
    from queuestream.core.queues.queue import Queue
    from queuestream.core.streams.stream import Stream


class Broker:
    """The named queues and streams of one account in one region.

    Args:
        clock: The time; the machine's where none is given.
        seed: Makes every id and every choice repeatable; the operating system's entropy where none is given.
        account_id: Twelve digits, part of every ARN and queue URL.
        region: Part of every ARN and queue URL.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | str | None = None,
        account_id: str = "000000000000",
        region: str = "us-east-1",
    ) -> None:
        self.clock: Clock = SystemClock() if clock is None else clock
        self.ids = Ids(seed)
        self.account_id = account_id
        self.region = region
        self.lock = threading.RLock()
        self.closed_because: str | None = None
        self.listeners: tuple[Listener, ...] = ()
        self.queues: dict[str, Queue] = {}
        self.streams: dict[str, Stream] = {}
