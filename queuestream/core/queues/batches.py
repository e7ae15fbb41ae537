"""Batches: up to ten requests in one call, which succeed and fail one by one.

What is wrong with a batch as a whole (no entries, too many, ids that are repeated or
malformed, too large together) is raised before anything is done; what is wrong with
one entry is reported beside what succeeded.

AWS: SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import attrs

from queuestream.core.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    ServiceError,
    TooManyEntriesInBatchRequest,
)
from queuestream.core.queues.checks import shown
from queuestream.core.queues.limits import QueueLimits
from queuestream.core.queues.message import ReceivedMessage

Request = TypeVar("Request")
Result = TypeVar("Result")

_entry_id = re.compile("[A-Za-z0-9_-]+").fullmatch


@attrs.frozen
class SendEntry:
    """One message of a batch; the fields are those of `send`."""

    id: str
    message_body: str
    delay_seconds: int | None = attrs.field(default=None, kw_only=True)
    message_attributes: Mapping[str, object] | None = attrs.field(default=None, kw_only=True)
    message_system_attributes: Mapping[str, object] | None = attrs.field(default=None, kw_only=True)
    message_group_id: str | None = attrs.field(default=None, kw_only=True)
    message_deduplication_id: str | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class DeleteEntry:
    """One message to be deleted in a batch."""

    id: str
    receipt_handle: str | ReceivedMessage


@attrs.frozen
class ChangeVisibilityEntry:
    """One message whose visibility timeout a batch changes, to this many seconds from now."""

    id: str
    receipt_handle: str | ReceivedMessage
    visibility_timeout: int


@attrs.frozen
class BatchFailure:
    """Why one entry failed.

    Attributes:
        code: AWS's name for the error.
        message: AWS's sentence.
        sender_fault: Whether the request was at fault, as it always is here.
    """

    code: str
    message: str
    sender_fault: bool = True


@attrs.frozen
class BatchResult(Generic[Result]):
    """What became of each entry, by its id, in the order of the request."""

    successful: dict[str, Result]
    failed: dict[str, BatchFailure]


def each(
    requests: Mapping[str, Request], do: Callable[[Request], Result]
) -> tuple[dict[str, Result], BatchResult[Any]]:
    """Do each request by itself: what came out, and a result that holds those that failed."""
    done: dict[str, Result] = {}
    failed: dict[str, BatchFailure] = {}
    for entry_id, request in requests.items():
        try:
            done[entry_id] = do(request)
        except ServiceError as error:
            failed[entry_id] = BatchFailure(error.code, error.message)
    return done, BatchResult({}, failed)


def check_send_entries(entries: object, limits: QueueLimits) -> dict[str, dict[str, Any]]:
    """The parameters of each send, by entry id."""
    parameters = {
        entry_id: entry if isinstance(entry, dict) else {"message_body": entry}
        for entry_id, entry in _entries(entries, SendEntry, limits).items()
    }
    size = sum(_size(entry) for entry in parameters.values())
    if size > limits.message_size_max:
        raise BatchRequestTooLong(limits.message_size_max, size)
    return parameters


def check_delete_entries(entries: object, limits: QueueLimits) -> dict[str, str | ReceivedMessage]:
    """The handle or message of each delete, by entry id."""
    return {
        entry_id: entry["receipt_handle"] if isinstance(entry, dict) else entry
        for entry_id, entry in _entries(entries, DeleteEntry, limits).items()
    }


def check_change_visibility_entries(
    entries: object, limits: QueueLimits
) -> dict[str, tuple[str | ReceivedMessage, int]]:
    """The handle or message and the seconds of each change, by entry id."""
    pairs = {}
    for entry_id, entry in _entries(entries, ChangeVisibilityEntry, limits).items():
        if isinstance(entry, dict):
            entry = (entry["receipt_handle"], entry["visibility_timeout"])
        if not isinstance(entry, tuple) or len(entry) != 2:
            raise InvalidParameterValue.of(
                "Entries", shown(entry), "Must be pairs of a receipt handle and a visibility timeout."
            )
        pairs[entry_id] = entry
    return pairs


def _entries(entries: object, kind: type[Any], limits: QueueLimits) -> dict[str, Any]:
    """The entries by id: the fields of those that have an id, the others as they are."""
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        raise InvalidParameterValue.of("Entries", shown(entries), "Must be a list of entries.")
    listed = list(entries)
    operation = {SendEntry: "SendMessage", DeleteEntry: "DeleteMessage"}.get(kind, "ChangeMessageVisibility")
    if not listed:
        raise EmptyBatchRequest(f"{operation}BatchRequestEntry")
    if len(listed) > limits.batch_entries_max:
        raise TooManyEntriesInBatchRequest(limits.batch_entries_max, len(listed))
    by_id: dict[str, Any] = {}
    for position, entry in enumerate(listed):
        entry_id: object = str(position)
        if isinstance(entry, kind):
            entry = {field.name: getattr(entry, field.name) for field in attrs.fields(kind)}
        if isinstance(entry, Mapping):
            entry = _fields(entry, kind)
            entry_id = entry.pop("id")
        if (
            not isinstance(entry_id, str)
            or len(entry_id) > limits.batch_entry_id_length_max
            or not _entry_id(entry_id)
        ):
            raise InvalidBatchEntryId(limits.batch_entry_id_length_max)
        if entry_id in by_id:
            raise BatchEntryIdsNotDistinct(entry_id)
        by_id[entry_id] = entry
    return by_id


def _fields(entry: Mapping[object, object], kind: type[Any]) -> dict[str, Any]:
    """An entry given as a dict, if it has all the fields that it needs and no others."""
    fields = {field.name: field for field in attrs.fields(kind)}
    for name in entry:
        if name not in fields:
            raise InvalidParameterValue.of("Entries", shown(name), f"A {kind.__name__} has no such field.")
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in entry:
            raise MissingParameter("".join(part.title() for part in name.split("_")))
    return {str(name): value for name, value in entry.items()}


def _size(parameters: Mapping[str, Any]) -> int:
    body = parameters["message_body"]
    if not isinstance(body, str):
        return 0
    size = len(body.encode("utf-8", "surrogatepass"))
    attributes = parameters.get("message_attributes")
    if attributes:
        from queuestream.core.queues.message_attributes import check_message_attributes, size_of  # noqa: PLC0415

        try:
            size += size_of(check_message_attributes(attributes) or {})
        except ServiceError:
            pass  # the entry will fail by itself
    return size
