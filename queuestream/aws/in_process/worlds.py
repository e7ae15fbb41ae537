"""The worlds that `mock_aws` opens, and which of them answers here and now.

One's own is the last that was entered in this context: a thread has one, and so has each asyncio task, which
begins with a copy of its maker's.  Who has none is answered by the last that this thread has entered and not
left, else by the last that anybody has.  So a thread that a test starts sees what the test sees, and two
threads that each enter their own do not see each other's.
"""

from __future__ import annotations

import threading
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from queuestream.aws.in_process.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.in_process.adjustments import Adjustments
    from queuestream.aws.in_process.carrier import Carrier

_own: ContextVar[World | None] = ContextVar("queuestream_own_world", default=None)
_open: list[World] = []
_lock = threading.Lock()


class World:
    """What is seen inside one `mock_aws`.

    Args:
        carrier: What answers.
        refuses_others: Whether requests to other services are refused.

    Attributes:
        connections: The clients that have called, by their identity.
        holders: How many `mock_aws` are inside; it is open while there are any.
    """

    def __init__(self, carrier: Carrier, *, refuses_others: bool = False) -> None:
        self.carrier = carrier
        self.refuses_others = refuses_others
        self.connections: dict[int, Connection] = {}
        self.holders = 0
        self.thread = threading.get_ident()
        self.outer: World | None = None
        self._references: dict[int, weakref.ref[Any]] = {}

    def connect(
        self, client: Any, adjustments: Adjustments, through_botocore: Callable[..., Any], *, may_answer: bool
    ) -> Connection:
        """The connection of a client that calls for the first time."""
        key = id(client)
        connection = Connection(client, self.carrier, adjustments, through_botocore, may_answer=may_answer)
        # A client that nobody uses any more is forgotten, before another one can have its identity.
        self._references[key] = weakref.ref(client, lambda _: self._forget(key))
        self.connections[key] = connection
        return connection

    def _forget(self, key: int) -> None:
        self.connections.pop(key, None)
        self._references.pop(key, None)

    def enter(self) -> None:
        """Be seen from here on."""
        with _lock:
            self.holders += 1
            if self.holders == 1:
                _open.append(self)
        own = _own.get()
        if own is not self:
            self.outer = own
            _own.set(self)

    def leave(self) -> bool:
        """Be seen no more, unless somebody else is still inside.

        Returns:
            Whether that was the last one.
        """
        with _lock:
            self.holders -= 1
            if self.holders:
                return False
            _open.remove(self)
        _own.set(_still_open(_own.get()))
        return True


def current() -> World | None:
    """The world that answers here and now; None where there is none."""
    if not _open:
        return None
    own = _own.get()
    if own is not None and own.holders:
        return own
    return mine() or _latest()


def mine() -> World | None:
    """The world that this context or this thread has entered and not left; None where there is none."""
    own = _still_open(_own.get())
    if own is not None:
        return own
    thread = threading.get_ident()
    with _lock:
        return next((world for world in reversed(_open) if world.thread == thread), None)


def _latest() -> World | None:
    with _lock:
        return _open[-1] if _open else None


def _still_open(world: World | None) -> World | None:
    while world is not None and not world.holders:
        world = world.outer
    return world


def innermost(entered: list[World]) -> World:
    """Of the worlds that were entered, which to leave: one's own, else this thread's last, else the last."""
    own = _own.get()
    thread = threading.get_ident()
    return max(enumerate(entered), key=lambda pair: (pair[1] is own, pair[1].thread == thread, pair[0]))[1]
