"""Everything that queuestream raises on purpose.

    QueuestreamError                        catch this to catch them all
    ├── BrokerClosed                        the broker was closed, or closed itself after a failed write
    ├── DeadlockError                       a wait on a virtual clock that nobody can ever end
    ├── NotSimulated                        what a simulation has nothing of: sockets, other processes
    ├── NotSupportedByEngine                what the engine behind a broker cannot do
    ├── NoAnswer                            a service elsewhere that did not answer (also a ConnectionError)
    ├── DigestMismatch                      a message that was damaged on its way to a service, or from it
    ├── StorageError                        a file that keeps a broker
    │   ├── StorageInUse                    another process, or another broker of this one, has it
    │   ├── StorageDamaged · StorageTooNew  it cannot be read, or not by this version
    │   └── StorageFailed                   a write that failed: the broker is closed
    └── ServiceError                        what AWS answers; `code` is AWS's own name for it
        ├── InvalidParameterValue           (also a ValueError)
        ├── MissingParameter
        ├── ResourceNotFoundException       of both services
        ├── QueueError                      Amazon SQS
        │   ├── QueueDoesNotExist           QueueNameExists · QueueDeletedRecently
        │   ├── PurgeQueueInProgress        UnsupportedOperation · OverLimit · RequestThrottled
        │   ├── InvalidAttributeName        InvalidAttributeValue
        │   ├── InvalidMessageContents      ReceiptHandleIsInvalid · MessageNotInflight
        │   └── BatchError
        │       ├── EmptyBatchRequest       TooManyEntriesInBatchRequest · BatchRequestTooLong
        │       └── InvalidBatchEntryId     BatchEntryIdsNotDistinct
        └── StreamError                     Amazon Kinesis Data Streams
            ├── ValidationException         a parameter's form (also a ValueError)
            ├── InvalidArgumentException    a parameter's meaning (also a ValueError)
            ├── ResourceInUseException      LimitExceededException
            ├── ExpiredIteratorException    ExpiredNextTokenException
            └── ProvisionedThroughputExceededException · DryRunOperationException

One class per AWS error code, each with AWS's wording and the values the sentence
is made of.  They are plain classes: an attrs class costs about a millisecond of
import, and there are many errors.  What a carrier adds to an error (an HTTP
status, the older query-protocol codes) is the carrier's own affair.
"""

from __future__ import annotations


class QueuestreamError(Exception):
    """The root of everything that queuestream raises on purpose."""


class BrokerClosed(QueuestreamError):
    """The broker was closed: by its owner, or by itself after a write that failed."""

    def __init__(self, reason: str = "it was closed") -> None:
        super().__init__(
            f"This broker takes no more calls: {reason}. Make a new one, or open its storage again."
        )
        self.reason = reason


class DeadlockError(QueuestreamError):
    """A wait on a virtual clock that nobody can ever end; waiting on would hang for good."""


class NotSimulated(QueuestreamError, NotImplementedError):
    """What a simulation has nothing of, such as sockets: it could not be repeated from a seed."""


class NotSupportedByEngine(QueuestreamError):
    """What the engine behind a broker cannot do; the capability table says which one can.

    Attributes:
        engine: `memory`, `sqlite` or `aws`.
        asked: What was asked for.
    """

    def __init__(self, engine: str, asked: str, advice: str) -> None:
        super().__init__(f"The engine {engine!r} has no {asked}. {advice}")
        self.engine = engine
        self.asked = asked


class NoAnswer(QueuestreamError, ConnectionError):
    """A service elsewhere could not be reached, or has not answered.

    Attributes:
        operation: AWS's name of what was asked for.
        may_be_done: Whether the request went out, so that it may have been done all the same.
        why: What went wrong on the way.
    """

    def __init__(self, operation: str, why: object, *, may_be_done: bool) -> None:
        known = "it may have been done or not" if may_be_done else "it was not done"
        super().__init__(f"{operation} has no answer, {known}: {why}")
        self.operation = operation
        self.may_be_done = may_be_done
        self.why = str(why)


class DigestMismatch(QueuestreamError):
    """A service elsewhere has another digest of a message than we do: it was damaged on its way.

    One that was sent is in the queue all the same, as the service has it.

    Attributes:
        message_id: The message.
        part: `body`, `message attributes` or `message system attributes`.
    """

    def __init__(self, message_id: str, part: str) -> None:
        super().__init__(f"Message {message_id} is not as it was sent: the digests of its {part} differ.")
        self.message_id = message_id
        self.part = part


# --- a file that keeps a broker -----------------------------------------------------------------------


class StorageError(QueuestreamError):
    """Something about the file that keeps a broker.

    Attributes:
        path: The file.
    """

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(sentence)
        self.path = path


class StorageInUse(StorageError):
    """The file has an owner already, and there can be only one.

    Attributes:
        holder: Who it is, as a person would say it.
    """

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(
            path,
            f"{path} is in use by {holder}. One process owns a file at a time; to share it, have that one be "
            f"`queuestream serve --data {path}`, and let the others "
            'connect("aws://us-east-1?endpoint_url=http://127.0.0.1:4566").',
        )
        self.holder = holder


class StorageDamaged(StorageError):
    """The file is none of ours, or is damaged."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(
            path,
            f"{path} cannot be used: {what}. Nothing was changed. `queuestream inspect {path}` says what can "
            f"still be read, and `queuestream export {path}` saves it; or take a backup.",
        )
        self.what = what


class StorageTooNew(StorageError):
    """The file was written by a newer version of queuestream."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(
            path,
            f"{path} has schema version {found}, and this version of queuestream knows up to {known}. "
            "Install a newer queuestream.",
        )
        self.found = found
        self.known = known


class StorageFailed(StorageError):
    """A write failed, so the broker has closed itself rather than go on from a doubtful state.

    The call that raises it may or may not have been kept; nobody was told that it was.  Opening the file
    again gives the last state that was kept.
    """

    def __init__(self, path: str, why: object) -> None:
        super().__init__(path, f"Writing to {path} failed: {why}. The broker is closed.")
        self.why = str(why)


class ServiceError(QueuestreamError):
    """What AWS answers to a request that it refuses.

    Attributes:
        code: AWS's name for the error, as in `ClientError.response["Error"]["Code"]`.
        message: AWS's sentence.
    """

    code = "ServiceError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameterValue(ServiceError, ValueError):
    """A parameter's value is not one that the operation takes."""

    code = "InvalidParameterValue"

    @classmethod
    def of(cls, parameter: str, value: object, reason: str) -> InvalidParameterValue:
        """The sentence SQS says about one parameter, with the value that was given."""
        return cls(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


class MissingParameter(ServiceError):
    """A parameter that the operation needs was not given."""

    code = "MissingParameter"

    def __init__(self, parameter: str) -> None:
        super().__init__(f"The request must contain the parameter {parameter}.")
        self.parameter = parameter


# --- Amazon SQS -------------------------------------------------------------------------------------


class QueueError(ServiceError):
    """What Amazon SQS answers to a request that it refuses."""


class QueueDoesNotExist(QueueError):
    """No queue of that name, URL or ARN."""

    code = "QueueDoesNotExist"

    def __init__(self, queue: str) -> None:
        super().__init__("The specified queue does not exist.")
        self.queue = queue


class QueueNameExists(QueueError):
    """A queue of that name exists, with other attributes."""

    code = "QueueNameExists"

    def __init__(self, queue: str, attribute: str | None = None) -> None:
        difference = "" if attribute is None else f" and a different value for attribute {attribute}"
        super().__init__(f"A queue already exists with the same name{difference}")
        self.queue = queue
        self.attribute = attribute


class QueueDeletedRecently(QueueError):
    """A queue of that name was deleted less than 60 seconds ago."""

    code = "QueueDeletedRecently"

    def __init__(self, queue: str, seconds: int) -> None:
        super().__init__(
            f"You must wait {seconds} seconds after deleting a queue "
            "before you can create another with the same name."
        )
        self.queue = queue


class PurgeQueueInProgress(QueueError):
    """The queue was purged less than 60 seconds ago."""

    code = "PurgeQueueInProgress"

    def __init__(self, queue: str, seconds: int) -> None:
        super().__init__(f"Only one PurgeQueue operation on {queue} is allowed every {seconds} seconds.")
        self.queue = queue


class UnsupportedOperation(QueueError):
    """The operation is not possible on this queue in this state."""

    code = "UnsupportedOperation"


class OverLimit(QueueError):
    """A quota is used up: messages in flight, or permissions of a policy."""

    code = "OverLimit"


class RequestThrottled(QueueError):
    """A FIFO queue has answered as many calls of an action as it does in a second."""

    code = "RequestThrottled"

    def __init__(self, queue: str, action: str) -> None:
        super().__init__("Request is throttled.")
        self.queue = queue
        self.action = action


class InvalidAttributeName(QueueError):
    """No queue attribute of that name, or none that this queue takes."""

    code = "InvalidAttributeName"

    def __init__(self, attribute: str, sentence: str | None = None) -> None:
        super().__init__(sentence or f"Unknown Attribute {attribute}.")
        self.attribute = attribute


class InvalidAttributeValue(QueueError, ValueError):
    """A queue attribute's value is out of range, or of the wrong form."""

    code = "InvalidAttributeValue"

    def __init__(self, attribute: str, reason: str = "") -> None:
        why = f" Reason: {reason}" if reason else ""
        super().__init__(f"Invalid value for the parameter {attribute}.{why}")
        self.attribute = attribute


class InvalidMessageContents(QueueError, ValueError):
    """The body or an attribute holds a character that SQS does not take."""

    code = "InvalidMessageContents"


class ReceiptHandleIsInvalid(QueueError):
    """The receipt handle was not issued by this queue."""

    code = "ReceiptHandleIsInvalid"

    def __init__(self, receipt_handle: str) -> None:
        super().__init__(f'The input receipt handle "{receipt_handle}" is not a valid receipt handle.')
        self.receipt_handle = receipt_handle


class MessageNotInflight(QueueError):
    """The message is not being processed (any more): its visibility timeout has passed."""

    code = "MessageNotInflight"

    def __init__(self, receipt_handle: str) -> None:
        super().__init__("The specified message isn't in flight.")
        self.receipt_handle = receipt_handle


class BatchError(QueueError):
    """A batch that is refused as a whole."""


class EmptyBatchRequest(BatchError):
    """A batch without entries."""

    code = "EmptyBatchRequest"

    def __init__(self, entry: str) -> None:
        super().__init__(f"There should be at least one {entry} in the request.")


class TooManyEntriesInBatchRequest(BatchError):
    """A batch of more than ten entries."""

    code = "TooManyEntriesInBatchRequest"

    def __init__(self, maximum: int, sent: int) -> None:
        super().__init__(f"Maximum number of entries per request are {maximum}. You have sent {sent}.")
        self.maximum = maximum
        self.sent = sent


class BatchRequestTooLong(BatchError):
    """A batch whose messages together are larger than one message may be."""

    code = "BatchRequestTooLong"

    def __init__(self, maximum: int, sent: int) -> None:
        super().__init__(f"Batch requests cannot be longer than {maximum} bytes. You have sent {sent} bytes.")
        self.maximum = maximum
        self.sent = sent


class InvalidBatchEntryId(BatchError, ValueError):
    """An entry's id has another form than AWS asks for."""

    code = "InvalidBatchEntryId"

    def __init__(self, maximum: int) -> None:
        super().__init__(
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            f"It can be at most {maximum} letters long."
        )


class BatchEntryIdsNotDistinct(BatchError, ValueError):
    """Two entries of one batch share an id."""

    code = "BatchEntryIdsNotDistinct"

    def __init__(self, entry_id: str) -> None:
        super().__init__(f"Id {entry_id} repeated.")
        self.entry_id = entry_id


# --- Amazon Kinesis Data Streams -----------------------------------------------------------------------


class StreamError(ServiceError):
    """What Amazon Kinesis Data Streams answers to a request that it refuses."""


class ResourceNotFoundException(QueueError, StreamError):
    """The stream, shard, consumer, queue or task that was named does not exist."""

    code = "ResourceNotFoundException"


class ValidationException(StreamError, ValueError):
    """A parameter has the wrong form: its type, length, range or pattern."""

    code = "ValidationException"


class InvalidArgumentException(StreamError, ValueError):
    """A parameter has the right form, but makes no sense here."""

    code = "InvalidArgumentException"


class ResourceInUseException(StreamError):
    """The stream or consumer exists already, or is not ACTIVE."""

    code = "ResourceInUseException"


class LimitExceededException(StreamError):
    """A quota of the account or of the stream is used up."""

    code = "LimitExceededException"


class ExpiredIteratorException(StreamError):
    """The shard iterator is older than five minutes."""

    code = "ExpiredIteratorException"


class ExpiredNextTokenException(StreamError):
    """The paging token is older than five minutes."""

    code = "ExpiredNextTokenException"


class ProvisionedThroughputExceededException(StreamError):
    """A shard's allowance of records, bytes or calls is used up for now."""

    code = "ProvisionedThroughputExceededException"


class DryRunOperationException(StreamError):
    """The call would have succeeded, but it was a dry run: nothing was done."""

    code = "DryRunOperationException"

    def __init__(self) -> None:
        super().__init__("The request would have succeeded, but the DryRun option is set.")
