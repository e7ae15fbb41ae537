"""Batches: up to ten requests in one call, which succeed and fail one by one.

What is wrong with a batch as a whole (no entries, too many, ids that are repeated or
malformed, too large together) is raised before anything is done; what is wrong with
one entry is reported beside what succeeded.

AWS: SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from queuestream.core.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    ReceiptHandleIsInvalid,
    ServiceError,
    TooManyEntriesInBatchRequest,
)
from queuestream.core.queues.checks import ARE_INVALID, HANDLE_HAS_EXPIRED, NAME_CHARACTERS, shown
from queuestream.core.queues.message import ReceivedMessage
from queuestream.core.queues.message_attributes import check_message_attributes, size_of

if TYPE_CHECKING:
    from queuestream.core.queues.limits import QueueLimits

_PLAIN = (str, ReceivedMessage, tuple)

Request = TypeVar("Request")
Result = TypeVar("Result")


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
            failed[entry_id] = _failure(error)
    return done, BatchResult({}, failed)


def _failure(error: ServiceError) -> BatchFailure:
    """What a batch says of one entry: SQS has other words there for some errors."""
    if isinstance(error, MissingParameter):
        return BatchFailure("EmptyValue", error.message)
    if error.message.endswith(HANDLE_HAS_EXPIRED):
        return BatchFailure(ReceiptHandleIsInvalid.code, HANDLE_HAS_EXPIRED.removesuffix("."))
    return BatchFailure(error.code, error.message.replace(ARE_INVALID, "parameters cannot be validated.", 1))


def check_send_entries(entries: object, limits: QueueLimits) -> dict[str, Any]:
    """What each send is given, by entry id: its parameters in a dict, or just a body."""
    requests = _entries(entries, SendEntry, limits)
    # A character takes four bytes at most: mostly there is no need to look closer.
    roughly = sum(
        4 * len(request) if isinstance(request, str) else limits.message_size_max + 1
        for request in requests.values()
    )
    if roughly > limits.message_size_max:
        size = sum(_size(request, limits) for request in requests.values())
        if size > limits.message_size_max:
            raise BatchRequestTooLong(limits.message_size_max, size)
    return requests


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
        pair = (entry["receipt_handle"], entry["visibility_timeout"]) if isinstance(entry, dict) else entry
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise InvalidParameterValue.of(
                "Entries", shown(entry), "Must be pairs of a receipt handle and a visibility timeout."
            )
        pairs[entry_id] = pair
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
        entry_id, request = str(position), entry
        # Asking for the plain ones first: it is costly to ask whether something is a Mapping.
        if not isinstance(entry, _PLAIN) and isinstance(entry, kind | Mapping):
            request = _fields(entry, kind)
            entry_id = _checked_id(request.pop("id"), limits)
        if entry_id in by_id:
            raise BatchEntryIdsNotDistinct(entry_id)
        by_id[entry_id] = request
    return by_id


def _checked_id(entry_id: object, limits: QueueLimits) -> str:
    maximum = limits.batch_entry_id_length_max
    if (
        not isinstance(entry_id, str)
        or not 1 <= len(entry_id) <= maximum
        or not NAME_CHARACTERS.issuperset(entry_id)
    ):
        raise InvalidBatchEntryId(maximum)
    return entry_id


def _fields(entry: Any, kind: type[Any]) -> dict[str, Any]:
    """An entry as a dict, if it has all the fields that it needs and no others."""
    fields = {field.name: field for field in attrs.fields(kind)}
    if isinstance(entry, kind):
        return {name: getattr(entry, name) for name in fields}
    for name in entry:
        if name not in fields:
            raise InvalidParameterValue.of("Entries", shown(name), f"A {kind.__name__} has no such field.")
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in entry:
            raise MissingParameter("".join(part.title() for part in name.split("_")))
    return dict(entry)


def _size(request: Any, limits: QueueLimits) -> int:
    """How many bytes a message counts, as far as it is one; what is wrong with it is said later."""
    parameters = request if isinstance(request, dict) else {"message_body": request}
    body = parameters["message_body"]
    size = len(body.encode("utf-8", "surrogatepass")) if isinstance(body, str) else 0
    with suppress(ServiceError):
        attributes = check_message_attributes(parameters.get("message_attributes"), limits)
        size += size_of(attributes) if attributes else 0
    return size
