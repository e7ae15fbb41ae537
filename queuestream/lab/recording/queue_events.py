"""What is written down of what one client does with one queue: the events, without the calls.

An event of a call on messages begins before the call; the names of messages come from what is sent, and
from what was received under a receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from queuestream.core.clock import SECOND
from queuestream.core.queues.message import ReceivedMessage
from queuestream.lab.history import Event
from queuestream.lab.recording.wrapping import Recording

if TYPE_CHECKING:
    from queuestream.core.queues.batches import BatchResult
    from queuestream.core.queues.message import SentMessage
    from queuestream.lab.recording.recorder import Recorder

Fields = Callable[[Any], tuple[Any, ...]]


class QueueRecording(Recording):
    """What is written down of one client's doings with one queue."""

    operators: Mapping[str, str | None] = dict.fromkeys(
        ("purge", "delete_queue", "set_attributes", "start_message_move_task")
    )

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        super().__init__(recorder, wrapped, actor, application)
        self._receipts = recorder.receipts

    # --- before a call ---

    def _sending(self, body: object, group: str | None = None, deduplication_id: str | None = None) -> Event:
        # Not by `_begun`: this, and what follows, is on the way of every message.
        event = Event(
            "send",
            self._name_of(body),
            "ok",
            self._now_ns(),
            None,
            self._actor,
            self._application,
            self._resource,
        )
        if group is not None or deduplication_id is not None:
            event.group = group
            event.deduplication_id = deduplication_id
        return event

    def _using(self, operation: str, receipt: str | ReceivedMessage) -> Event:
        """An event about the message that a receipt handle, or the message itself, names."""
        handle: Any = receipt.receipt_handle if isinstance(receipt, ReceivedMessage) else receipt
        received = self._receipts.get(handle) if isinstance(handle, str) else None
        if received is None:
            return self._using_unknown(operation, receipt, handle)
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

    def _using_unknown(self, operation: str, receipt: str | ReceivedMessage, handle: Any) -> Event:
        """The same of a receipt that nobody has received who is recorded."""
        event = self._begun(operation)
        event.receipt = handle
        if isinstance(receipt, ReceivedMessage):
            event.message, event.message_id = self._name_of(receipt.body), receipt.message_id
            event.group, event.sequence_number = receipt.message_group_id, receipt.sequence_number
        return event

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
            return
        receipts = self._receipts
        for message in messages:
            handle = message.receipt_handle
            event = receipts[handle] = Event(
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
                handle,
                message.receive_count,
                visible_ns,
            )
            self._append(event)
        if len(receipts) > receipts.most:
            receipts.forget_oldest()

    def _unanswered(self, started_ns: int, seconds: int | None, parameters: Mapping[str, Any]) -> Event:
        """A receive that raised something; one that may have been a repetition says how long it hides."""
        event = self._event_at("receive", started_ns, None)
        if seconds is not None and parameters.get("receive_request_attempt_id") is not None:
            event.visible_ns = started_ns + seconds * SECOND
        return event

    def _deleted(self, event: Event) -> None:
        event.ended_ns = self._now_ns()
        self._append(event)
        if event.receipt is not None:
            self._receipts.pop(event.receipt, None)

    def _batched(
        self, events: list[tuple[str, Event]], result: BatchResult[Any], done: Callable[[Event, Any], None]
    ) -> None:
        """What became of each entry of a batch."""
        for entry_id, event in events:
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

    def _sending_batch(self, entries: object) -> tuple[Any, list[tuple[str, Event]]]:
        fields = ("message_body", "message_group_id", "message_deduplication_id")
        return _each(entries, fields, lambda entry: (entry,), self._sending)

    def _deleting_batch(self, entries: object) -> tuple[Any, list[tuple[str, Event]]]:
        return _each(
            entries, ("receipt_handle",), lambda entry: (entry,), lambda handle: self._using("delete", handle)
        )

    def _hiding_batch(self, entries: object) -> tuple[Any, list[tuple[str, Event]]]:
        return _each(
            entries,
            ("receipt_handle", "visibility_timeout"),
            lambda entry: entry if isinstance(entry, tuple) and len(entry) == 2 else (None, None),
            self._hiding,
        )


def _each(
    entries: Any, fields: tuple[str, ...], plain: Fields, event_of: Callable[..., Event]
) -> tuple[Any, list[tuple[str, Event]]]:
    """The entries, to be gone through once more, and an event for each by its id.

    What is no list of entries has no events; the queue says what is wrong with it.
    """
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        return entries, []
    listed = list(entries)
    events = []
    for place, entry in enumerate(listed):
        if isinstance(entry, Mapping):
            entry_id, values = entry.get("id"), tuple(map(entry.get, fields))
        elif hasattr(entry, "id"):
            entry_id, values = entry.id, tuple(getattr(entry, field) for field in fields)
        else:
            entry_id, values = str(place), plain(entry)
        events.append((str(entry_id), event_of(*values)))
    return listed, events
