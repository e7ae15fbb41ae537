"""Queues that write down what is done with them.

Each has the methods of the queue that it wraps, with their parameters, results and errors.  What
concerns messages is recorded, an event a message, also those of a batch; what an operator does is told;
everything else goes through.  The classes for threads and for asyncio differ in `await`; what an event
says is in `_Queue`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from queuestream.core.broker import Broker
from queuestream.core.clock import SECOND
from queuestream.core.errors import QueuestreamError
from queuestream.core.queues.message import ReceivedMessage
from queuestream.lab.history import Event
from queuestream.lab.recording.wrapping import Recording

if TYPE_CHECKING:
    from queuestream.core.queues.batches import BatchResult
    from queuestream.core.queues.message import SentMessage
    from queuestream.lab.recording.recorder import Recorder

Fields = Callable[[Any], tuple[Any, ...]]
Operation = Callable[..., Any]


class _Queue(Recording):
    """What is written down of one client's doings with one queue."""

    operators: Mapping[str, str | None] = dict.fromkeys(
        ("purge", "delete_queue", "set_attributes", "start_message_move_task")
    )

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        super().__init__(recorder, wrapped, actor, application)
        self._send, self._receive, self._delete = wrapped.send, wrapped.receive, wrapped.delete
        self._is_ours = isinstance(getattr(wrapped, "broker", None), Broker)
        self._timeout_seconds: int | None = None
        self._asked = False

    def _knows_timeout(self) -> bool:
        """Whether the queue's own visibility timeout is known.

        A queue of this process is asked each time, which costs nothing; one over AWS once.
        """
        if self._asked:
            return True
        self._asked = not self._is_ours
        return False

    # --- before a call ---

    def _sending(self, body: object, group: str | None) -> Event:
        event = self._begun("send", self.recorder.name_of(body))
        event.group = group
        return event

    def _using(self, operation: str, receipt: str | ReceivedMessage) -> Event:
        """An event about the message that a receipt handle, or the message itself, names."""
        event = self._begun(operation)
        handle: str | None = getattr(receipt, "receipt_handle", None)
        if isinstance(receipt, str):
            handle = receipt
        event.receipt = handle
        received = None if handle is None else self.recorder.receipts.recall(handle)
        if received is not None:
            event.message, event.message_id = received.message, received.message_id
            event.group, event.sequence_number = received.group, received.sequence_number
        elif isinstance(receipt, ReceivedMessage):  # somebody has received it who is not recorded
            event.message, event.message_id = self.recorder.name_of(receipt.body), receipt.message_id
            event.group, event.sequence_number = receipt.message_group_id, receipt.sequence_number
        return event

    def _hiding(self, receipt: str | ReceivedMessage, seconds: object) -> Event:
        event = self._using("change_visibility", receipt)
        if isinstance(seconds, int):
            event.visible_ns = event.started_ns + seconds * SECOND
        return event

    # --- with the answer ---

    def _sent(self, event: Event, sent: SentMessage) -> None:
        event.ended_ns = self._now_ns()
        event.message_id = sent.message_id
        event.sequence_number = sent.sequence_number
        self._append(event)

    def _received(self, event: Event, seconds: int | None, messages: list[ReceivedMessage]) -> None:
        """What was received; the first message has the event of the call."""
        if not messages:
            self._done(event)
            return
        started_ns, ended_ns = event.started_ns, self._now_ns()
        # The queue counts from some time between the two: so much is sure.
        visible_ns = None if seconds is None else started_ns + seconds * SECOND
        remember, identify = self.recorder.receipts.remember, self.recorder.name_of
        actor, application, resource = self._actor, self._application, self._resource
        for message in messages:
            receipt = message.receipt_handle
            received = Event(
                "receive",
                identify(message.body),
                "ok",
                started_ns,
                ended_ns,
                actor,
                application,
                resource,
                message.message_id,
                message.message_group_id,
                None,
                None,
                message.sequence_number,
                receipt,
                message.receive_count,
                visible_ns,
            )
            remember(receipt, received)
            self._append(received)

    def _deleted(self, event: Event) -> None:
        self._done(event)
        if event.receipt is not None:
            self.recorder.receipts.forget(event.receipt)

    def _batched(
        self, events: dict[str, Event], result: BatchResult[Any], done: Callable[[Event, Any], None]
    ) -> None:
        """What became of each entry of a batch."""
        for entry_id, event in events.items():
            failure = result.failed.get(entry_id)
            if failure is not None:
                self._refused(event, failure.code)
            elif entry_id in result.successful:
                done(event, result.successful[entry_id])

    def _hid(self, event: Event, _: None) -> None:
        self._done(event)

    def _deleted_of(self, event: Event, _: None) -> None:
        self._deleted(event)

    # --- the entries of a batch ---

    def _sending_batch(self, entries: object) -> tuple[Any, dict[str, Event]]:
        return _each(
            entries, ("message_body", "message_group_id"), lambda entry: (entry, None), self._sending
        )

    def _deleting_batch(self, entries: object) -> tuple[Any, dict[str, Event]]:
        return _each(
            entries, ("receipt_handle",), lambda entry: (entry,), lambda handle: self._using("delete", handle)
        )

    def _hiding_batch(self, entries: object) -> tuple[Any, dict[str, Event]]:
        return _each(
            entries,
            ("receipt_handle", "visibility_timeout"),
            lambda entry: entry if isinstance(entry, tuple) and len(entry) == 2 else (None, None),
            self._hiding,
        )


class RecordedQueue(_Queue):
    """A queue for threads, recorded."""

    def send(self, message_body: str, **parameters: Any) -> SentMessage:
        """As `Queue.send`."""
        event = self._sending(message_body, parameters.get("message_group_id"))
        sent: SentMessage = self._perform((event,), self._send, message_body, **parameters)
        self._sent(event, sent)
        return sent

    def receive(self, **parameters: Any) -> list[ReceivedMessage]:
        """As `Queue.receive`."""
        seconds = parameters.get("visibility_timeout")
        if seconds is None:
            seconds = self._visibility_timeout()
        event = self._begun("receive")
        messages: list[ReceivedMessage] = self._perform((event,), self._receive, **parameters)
        self._received(event, seconds, messages)
        return messages

    def delete(self, receipt_handle: str | ReceivedMessage) -> None:
        """As `Queue.delete`."""
        event = self._using("delete", receipt_handle)
        self._perform((event,), self._delete, receipt_handle)
        self._deleted(event)

    def change_visibility(self, receipt_handle: str | ReceivedMessage, visibility_timeout: int) -> None:
        """As `Queue.change_visibility`."""
        event = self._hiding(receipt_handle, visibility_timeout)
        self._perform((event,), self.wrapped.change_visibility, receipt_handle, visibility_timeout)
        self._done(event)

    def send_batch(self, entries: Any) -> BatchResult[SentMessage]:
        """As `Queue.send_batch`."""
        return self._batch(self.wrapped.send_batch, self._sending_batch(entries), self._sent)

    def delete_batch(self, entries: Any) -> BatchResult[None]:
        """As `Queue.delete_batch`."""
        return self._batch(self.wrapped.delete_batch, self._deleting_batch(entries), self._deleted_of)

    def change_visibility_batch(self, entries: Any) -> BatchResult[None]:
        """As `Queue.change_visibility_batch`."""
        return self._batch(self.wrapped.change_visibility_batch, self._hiding_batch(entries), self._hid)

    def _batch(
        self, call: Operation, request: tuple[Any, dict[str, Event]], done: Callable[[Event, Any], None]
    ) -> BatchResult[Any]:
        entries, events = request
        result: BatchResult[Any] = self._perform(events.values(), call, entries)
        self._batched(events, result, done)
        return result

    def _visibility_timeout(self) -> int | None:
        if self._knows_timeout():
            return self._timeout_seconds
        with suppress(QueuestreamError):
            self._timeout_seconds = _timeout_in(getattr(self.wrapped, "attributes", None))
        return self._timeout_seconds


class AsyncRecordedQueue(_Queue):
    """A queue for asyncio, recorded."""

    async def send(self, message_body: str, **parameters: Any) -> SentMessage:
        """As `Queue.send`."""
        event = self._sending(message_body, parameters.get("message_group_id"))
        sent: SentMessage = await self._perform_async((event,), self._send, message_body, **parameters)
        self._sent(event, sent)
        return sent

    async def receive(self, **parameters: Any) -> list[ReceivedMessage]:
        """As `Queue.receive`."""
        seconds = parameters.get("visibility_timeout")
        if seconds is None:
            seconds = await self._visibility_timeout()
        event = self._begun("receive")
        messages: list[ReceivedMessage] = await self._perform_async((event,), self._receive, **parameters)
        self._received(event, seconds, messages)
        return messages

    async def delete(self, receipt_handle: str | ReceivedMessage) -> None:
        """As `Queue.delete`."""
        event = self._using("delete", receipt_handle)
        await self._perform_async((event,), self._delete, receipt_handle)
        self._deleted(event)

    async def change_visibility(self, receipt_handle: str | ReceivedMessage, visibility_timeout: int) -> None:
        """As `Queue.change_visibility`."""
        event = self._hiding(receipt_handle, visibility_timeout)
        await self._perform_async(
            (event,), self.wrapped.change_visibility, receipt_handle, visibility_timeout
        )
        self._done(event)

    async def send_batch(self, entries: Any) -> BatchResult[SentMessage]:
        """As `Queue.send_batch`."""
        return await self._batch(self.wrapped.send_batch, self._sending_batch(entries), self._sent)

    async def delete_batch(self, entries: Any) -> BatchResult[None]:
        """As `Queue.delete_batch`."""
        return await self._batch(self.wrapped.delete_batch, self._deleting_batch(entries), self._deleted_of)

    async def change_visibility_batch(self, entries: Any) -> BatchResult[None]:
        """As `Queue.change_visibility_batch`."""
        return await self._batch(self.wrapped.change_visibility_batch, self._hiding_batch(entries), self._hid)

    async def _batch(
        self, call: Operation, request: tuple[Any, dict[str, Event]], done: Callable[[Event, Any], None]
    ) -> BatchResult[Any]:
        entries, events = request
        result: BatchResult[Any] = await self._perform_async(events.values(), call, entries)
        self._batched(events, result, done)
        return result

    async def _visibility_timeout(self) -> int | None:
        if self._knows_timeout():
            return self._timeout_seconds
        with suppress(QueuestreamError):
            attributes: Any = getattr(self.wrapped, "attributes", None)
            if hasattr(attributes, "__await__"):
                attributes = await attributes
            self._timeout_seconds = _timeout_in(attributes)
        return self._timeout_seconds


def _timeout_in(attributes: Any) -> int | None:
    """The visibility timeout among a queue's settings; None where there are none to be seen."""
    seconds = getattr(attributes, "visibility_timeout", None)
    return seconds if isinstance(seconds, int) else None


def _each(
    entries: Any, fields: tuple[str, ...], plain: Fields, event_of: Callable[..., Event]
) -> tuple[Any, dict[str, Event]]:
    """The entries, to be gone through once more, and an event for each by its id.

    What is no list of entries has no events; the queue says what is wrong with it.
    """
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        return entries, {}
    listed = list(entries)
    events = {}
    for place, entry in enumerate(listed):
        if isinstance(entry, Mapping):
            entry_id, values = entry.get("id"), tuple(map(entry.get, fields))
        elif hasattr(entry, "id"):
            entry_id, values = entry.id, tuple(getattr(entry, field) for field in fields)
        else:
            entry_id, values = str(place), plain(entry)
        events[str(entry_id)] = event_of(*values)
    return listed, events
