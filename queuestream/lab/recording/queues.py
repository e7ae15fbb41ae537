"""Queues that write down what is done with them.

Each has the methods of the queue that it wraps, with their parameters, results and errors.  What
concerns messages is recorded, an event a message, also those of a batch; what an operator does is told;
everything else goes through.  The classes for threads and for asyncio differ in `await`; what an event
says is in `queue_events`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from queuestream.aio.queues import AsyncQueue
from queuestream.core.broker import Broker
from queuestream.core.errors import QueuestreamError
from queuestream.lab.recording.queue_events import QueueRecording

if TYPE_CHECKING:
    from queuestream.core.queues.batches import BatchResult
    from queuestream.core.queues.message import ReceivedMessage, SentMessage
    from queuestream.lab.history import Event
    from queuestream.lab.recording.recorder import Recorder

Operation = Callable[..., Any]


class _Recorded(QueueRecording):
    """What both kinds of queues know."""

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        super().__init__(recorder, wrapped, actor, application)
        self._send, self._receive, self._delete = wrapped.send, wrapped.receive, wrapped.delete
        # A queue of this process is asked for its settings each time, which costs nothing; one over AWS once.
        core = getattr(wrapped, "core", wrapped)
        self._core = core if isinstance(getattr(core, "broker", None), Broker) else None
        self._timeout_seconds: int | None = None
        self._asked = False

    def _visibility_timeout(self) -> int | None:
        """That of a queue in this process, by now."""
        core: Any = self._core
        try:
            seconds: int = core.attributes.visibility_timeout
        except QueuestreamError:  # the receive will say what is wrong
            return None
        return seconds


class RecordedQueue(_Recorded):
    """A queue for threads, recorded."""

    def send(self, message_body: str, **parameters: Any) -> SentMessage:
        """As `Queue.send`."""
        event = self._sending(message_body)
        if parameters:
            event.group = parameters.get("message_group_id")
            event.deduplication_id = parameters.get("message_deduplication_id")
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
            seconds = self._own_timeout() if self._core is None else self._visibility_timeout()
        started_ns = self._now_ns()
        try:
            messages: list[ReceivedMessage] = self._receive(**parameters)
        except BaseException as error:
            self._raised((self._unanswered(started_ns, seconds, parameters),), error)
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
        self,
        call: Operation,
        request: tuple[Any, list[tuple[str, Event]]],
        done: Callable[[Event, Any], None],
    ) -> BatchResult[Any]:
        entries, events = request
        result: BatchResult[Any] = self._perform([event for _, event in events], call, entries)
        self._batched(events, result, done)
        return result

    def _own_timeout(self) -> int | None:
        """The queue's own visibility timeout, asked for once."""
        if not self._asked:
            self._asked = True
            self._timeout_seconds = _timeout_in(self.wrapped)
        return self._timeout_seconds


class AsyncRecordedQueue(_Recorded):
    """A queue for asyncio, recorded."""

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        super().__init__(recorder, wrapped, actor, application)
        # What a queue in memory does at once needs no coroutine of its own.
        self._at_once: Any = None
        if (
            type(wrapped) is AsyncQueue
            and wrapped._commit is None
            and not vars(wrapped).keys() & {"send", "delete"}
        ):
            self._at_once = wrapped.core

    async def send(self, message_body: str, **parameters: Any) -> SentMessage:
        """As `Queue.send`."""
        event = self._sending(message_body)
        if parameters:
            event.group = parameters.get("message_group_id")
            event.deduplication_id = parameters.get("message_deduplication_id")
        try:
            sent: SentMessage
            if self._at_once is None:
                sent = await self._send(message_body, **parameters)
            else:
                sent = self._at_once.send(message_body, **parameters)
        except BaseException as error:
            self._raised((event,), error)
            raise
        self._sent(event, sent)
        return sent

    async def receive(self, **parameters: Any) -> list[ReceivedMessage]:
        """As `Queue.receive`."""
        seconds = parameters.get("visibility_timeout")
        if seconds is None:
            seconds = await self._own_timeout() if self._core is None else self._visibility_timeout()
        started_ns = self._now_ns()
        try:
            messages: list[ReceivedMessage] = await self._receive(**parameters)
        except BaseException as error:
            self._raised((self._unanswered(started_ns, seconds, parameters),), error)
            raise
        self._received(started_ns, seconds, messages)
        return messages

    async def delete(self, receipt_handle: str | ReceivedMessage) -> None:
        """As `Queue.delete`."""
        event = self._using("delete", receipt_handle)
        try:
            if self._at_once is None:
                await self._delete(receipt_handle)
            else:
                self._at_once.delete(receipt_handle)
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
        self,
        call: Operation,
        request: tuple[Any, list[tuple[str, Event]]],
        done: Callable[[Event, Any], None],
    ) -> BatchResult[Any]:
        entries, events = request
        result: BatchResult[Any] = await self._perform_async([event for _, event in events], call, entries)
        self._batched(events, result, done)
        return result

    async def _own_timeout(self) -> int | None:
        """The queue's own visibility timeout, asked for once."""
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
