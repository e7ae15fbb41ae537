"""Event streams: the answer of SubscribeToShard, in frames (`application/vnd.amazon.eventstream`).

A frame has a prelude (its length, the length of its headers, a checksum of the two), headers, a payload and a
checksum of everything.  The first frame is the answer proper, without the events; each event is a frame
with the payload that it would be in the request's own protocol, and an error ends the stream as a frame, too.

Source: the page "Event stream encoding" of the Smithy documentation.
"""

from __future__ import annotations

from binascii import crc32
from typing import TYPE_CHECKING

from queuestream.aws.front_end.errors import wire_error
from queuestream.core.errors import BrokerClosed, ServiceError, StorageFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.calls import Events
    from queuestream.core.clock import Wakeup

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_STRING = 7  # a header's type
_PRELUDE_BYTES = 12
_CHECKSUM_BYTES = 4


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message of an event stream."""
    named = b"".join([_header(name.encode(), value.encode()) for name, value in headers.items()])
    length = _PRELUDE_BYTES + len(named) + len(payload) + _CHECKSUM_BYTES
    lengths = length.to_bytes(4, "big") + len(named).to_bytes(4, "big")
    message = lengths + crc32(lengths).to_bytes(4, "big") + named + payload
    return message + crc32(message).to_bytes(4, "big")


def _header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + bytes([_STRING]) + len(value).to_bytes(2, "big") + value


class Frames:
    """The events of a subscription as a body that goes on.

    Args:
        events: What the operation answered.
        write: From a value to a payload, in the protocol of the request.
        content_type: The payload's.

    Attributes:
        ended: Whether no more frames come.
    """

    def __init__(self, events: Events, write: Callable[[object], bytes], content_type: str) -> None:
        self._events = events
        self._write = write
        self._content_type = content_type
        self._has_begun = False
        self.ended = False

    @property
    def wakeup(self) -> Wakeup:
        """Set when there may be a frame."""
        return self._events.subscription.wakeup

    @property
    def until_ns(self) -> int:
        """When to try again if nobody sets it."""
        return self._events.subscription.until_ns

    def attempt(self) -> bytes | None:
        """The next frame; None while there is none."""
        if self.ended:
            return None
        if not self._has_begun:
            self._has_begun = True
            return self._event("initial-response", {})
        subscription = self._events.subscription
        try:
            event = subscription.attempt()
        except ServiceError as error:
            self.ended = True
            return self._exception(wire_error("kinesis", error).shape, error.message)
        except (BrokerClosed, StorageFailed) as closed:
            self.ended = True
            return self._exception("InternalFailureException", f"The stream was closed: {closed}")
        self.ended = subscription.ended
        if event is None:
            return None
        [(name, shape)] = self._events.shape(event).items()
        return self._event(name, shape)

    def close(self) -> None:
        """End the subscription, as when the client has gone."""
        self.ended = True
        self._events.subscription.close()

    def _event(self, name: str, shape: object) -> bytes:
        headers = {":message-type": "event", ":event-type": name, ":content-type": self._content_type}
        return frame(headers, self._write(shape))

    def _exception(self, name: str, message: str) -> bytes:
        headers = {":message-type": "exception", ":exception-type": name, ":content-type": self._content_type}
        return frame(headers, self._write({"message": message}))
