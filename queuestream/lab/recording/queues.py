"""Queues that write down what is done with them.

Each has the methods of the queue that it wraps, with their parameters, results and errors.  What
concerns messages is recorded, an event a message, also those of a batch; what an operator does is told;
everything else goes through.  The classes for threads and for asyncio differ in `await`; what an event
says is in `_Queue`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from inspect import isawaitable
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
        memory = recorder.receipts
        self._remember, self._recall, self._forget = memory.remember, memory.recall, memory.forget
        # A queue of this process is asked for its settings each time, which costs nothing; one over AWS once.
        core = getattr(wrapped, "core", wrapped)
        self._core = core if isinstance(getattr(core, "broker", None), Broker) else None
        self._timeout_seconds: int | None = None
        self._asked = False

    # --- before a call ---

    def _sending(self, body: object, group: str | None) -> Event:
        event = self._begun("send", self._name_of(body))
        event.group = group
        return event

    def _using(self, operation: str, receipt: str | ReceivedMessage) -> Event:
        """An event about the message that a receipt handle, or the message itself, names."""
        handle: str | None = receipt if type(receipt) is str else getattr(receipt, "receipt_handle", None)
        received: Any = None if handle is None else self._recall(handle)
        if received is None and isinstance(receipt, ReceivedMessage):
            # Somebody has received it who is not recorded.
            received = self._delivered(receipt, 0, 0, None)
        if received is None:
            event = self._begun(operation)
            event.receipt = handle
            return event
        return Event(
            operation,
            received.message,
            "ok",
            self._now_ns(),
            None,
            self._actor,
            self._application,
            self._resource,
            received.message_id,
            received.group,
            None,
            None,
            received.sequence_number,
            handle,
        )

    def _hiding(self, receipt: str | ReceivedMessage, seconds: object) -> Event:
        event = self._using("change_visibility", receipt)
        if isinstance(seconds, int):
            event.visible_ns = event.started_ns + seconds * SECOND
        return event

    # --- with the answer ---

    def _sent(self, event: Event, sent: SentMessage) -> None:
        event.message_id = sent.message_id
        event.sequence_number = sent.sequence_number
        event.ended_ns = self._now_ns()
        self._append(event)

    def _received(self, started_ns: int, seconds: int | None, messages: list[ReceivedMessage]) -> None:
        """What was received; a call without messages is an event as well."""
        # The queue counts from some time between the two: so much is sure.
        visible_ns = None if seconds is None else started_ns + seconds * SECOND
        ended_ns = self._now_ns()
        if not messages:
            self._append(self._event_at("receive", started_ns, ended_ns))
        for message in messages:
            event = self._delivered(message, started_ns, ended_ns, visible_ns)
            self._remember(message.receipt_handle, event)
            self._append(event)

    def _delivered(
        self, message: ReceivedMessage, started_ns: int, ended_ns: int, visible_ns: int | None
    ) -> Event:
        return Event(
            "receive",
            self._name_of(message.body),
            "ok",
            started_ns,
            ended_ns,
            self._actor,
            self._application,
            self._resource,
            message.message_id,
            message.message_group_id,
            None,
            None,
            message.sequence_number,
            message.receipt_handle,
            message.receive_count,
            visible_ns,
        )

    def _deleted(self, event: Event) -> None:
        event.ended_ns = self._now_ns()
        self._append(event)
        if event.receipt is not None:
            self._forget(event.receipt)

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
        try:
            sent: SentMessage = self._send(message_body, **parameters)
        except BaseException as error:
            self._raised((event,), error)
            raise
        self._sent(event, sent)
        return sent

    def receive(self, **parameters: Any) -> list[ReceivedMessage]:
        """As `Queue.receive`."""
        seconds = parameters.get("visibility_timeout")
        if seconds is None:
            seconds = self._visibility_timeout() if self._core is None else _timeout_in(self._core)
        started_ns = self._now_ns()
        try:
            messages: list[ReceivedMessage] = self._receive(**parameters)
        except BaseException as error:
            self._raised((self._event_at("receive", started_ns, None),), error)
            raise
        self._received(started_ns, seconds, messages)
        return messages

    def delete(self, receipt_handle: str | ReceivedMessage) -> None:
        """As `Queue.delete`."""
        event = self._using("delete", receipt_handle)
        try:
            self._delete(receipt_handle)
        except BaseException as error:
            self._raised((event,), error)
            raise
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
        """The queue's own, asked for once."""
        if not self._asked:
            self._asked = True
            self._timeout_seconds = _timeout_in(self.wrapped)
        return self._timeout_seconds


class AsyncRecordedQueue(_Queue):
    """A queue for asyncio, recorded."""

    async def send(self, message_body: str, **parameters: Any) -> SentMessage:
        """As `Queue.send`."""
        event = self._sending(message_body, parameters.get("message_group_id"))
        try:
            sent: SentMessage = await self._send(message_body, **parameters)
        except BaseException as error:
            self._raised((event,), error)
            raise
        self._sent(event, sent)
        return sent

    async def receive(self, **parameters: Any) -> list[ReceivedMessage]:
        """As `Queue.receive`."""
        seconds = parameters.get("visibility_timeout")
        if seconds is None:
            seconds = await self._visibility_timeout() if self._core is None else _timeout_in(self._core)
        started_ns = self._now_ns()
        try:
            messages: list[ReceivedMessage] = await self._receive(**parameters)
        except BaseException as error:
            self._raised((self._event_at("receive", started_ns, None),), error)
            raise
        self._received(started_ns, seconds, messages)
        return messages

    async def delete(self, receipt_handle: str | ReceivedMessage) -> None:
        """As `Queue.delete`."""
        event = self._using("delete", receipt_handle)
        try:
            await self._delete(receipt_handle)
        except BaseException as error:
            self._raised((event,), error)
            raise
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
        """The queue's own, asked for once."""
        if not self._asked:
            self._asked = True
            with suppress(QueuestreamError):
                attributes: Any = getattr(self.wrapped, "attributes", None)
                self._timeout_seconds = _seconds_in(
                    await attributes if isawaitable(attributes) else attributes
                )
        return self._timeout_seconds


def _timeout_in(queue: Any) -> int | None:
    """A queue's own visibility timeout, if it says so."""
    try:
        return _seconds_in(getattr(queue, "attributes", None))
    except QueuestreamError:  # the receive will say what is wrong
        return None


def _seconds_in(attributes: Any) -> int | None:
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
