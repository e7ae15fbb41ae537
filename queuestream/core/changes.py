"""What a call changed, as values: the one thing that storage and observers hear.

A listener hears each call's changes as one tuple, *before* they are applied: a
listener that raises (a disk is full) means that nothing happened, and the call raises
what the listener raised.  A change knows how to apply itself to a broker, so a
listener that kept every change can rebuild the broker from nothing but them:

    >>> from queuestream import Broker
    >>> heard = []
    >>> broker = Broker(seed=1)
    >>> broker.listen(heard.extend)
    >>> sent = broker.create_queue("emails").send("hello")
    >>> twin = Broker(seed=1)
    >>> for change in heard:
    ...     change.apply(twin)
    >>> [message.body for message in twin.queue("emails").peek()]
    ['hello']

The changes themselves stand beside what they change: `queues/changes.py` and
`streams/changes.py`, which are imported only when somebody listens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuestream.core.broker import Broker


class Change:
    """One thing that a call changed; subclasses are attrs classes, and read-only.

    Those that are made for every message or record are `define`d, not frozen, because speed decided:
    with somebody listening, making frozen ones cost as much as the call itself.
    """

    __slots__ = ()

    def apply(self, broker: Broker) -> None:
        """Make the same change to another broker, which has heard all earlier ones."""
        raise NotImplementedError


Listener = Callable[[tuple[Change, ...]], object]
