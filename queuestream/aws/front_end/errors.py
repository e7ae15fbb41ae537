"""What an error is called on the wire: the one table from the core's codes to AWS's names and status.

An error of SQS has two names.  `QueueDoesNotExist` is its shape, which the JSON protocol sends as
`__type`; `AWS.SimpleQueueService.NonExistentQueue` is what the query protocol has always sent, and what
JSON repeats in a header, for the programs that compare with it (boto3's `Error.Code`).  An error of
Kinesis has one name, which is the core's code.

Here are also the errors that only a front end can say: of what is malformed, unknown, or badly signed.
"""

from __future__ import annotations

from typing import NamedTuple

from queuestream.core.errors import ServiceError

SQS_NAMESPACE = "com.amazonaws.sqs#"
CORAL_NAMESPACE = "com.amazon.coral.service#"


class WireError(NamedTuple):
    """How one error looks on the wire.

    Attributes:
        shape: The name of its shape, as in `__type` and in boto3's modelled exception classes.
        query_code: Its name in the query protocol.
        status: The HTTP status.
        is_senders: Whose fault it is: the sender's, or the receiver's.
        namespace: What `__type` begins with in answers of SQS.
        key: Under which member the sentence is found in JSON.
    """

    shape: str
    query_code: str
    status: int = 400
    is_senders: bool = True
    namespace: str = SQS_NAMESPACE
    key: str = "message"


def _coral(shape: str, query_code: str | None = None, status: int = 400, key: str = "message") -> WireError:
    """An error that AWS's own framework says, before the service is asked."""
    return WireError(shape, query_code or shape, status, status < 500, CORAL_NAMESPACE, key)


def _queue_service(shape: str, status: int = 400) -> WireError:
    return WireError(shape, f"AWS.SimpleQueueService.{shape}", status)


# The page "AWS query protocol" names the codes, as does the API reference's page of each operation.
WIRE_ERRORS: dict[str, WireError] = {
    # Amazon SQS
    "BatchEntryIdsNotDistinct": _queue_service("BatchEntryIdsNotDistinct"),
    "BatchRequestTooLong": _queue_service("BatchRequestTooLong"),
    "EmptyBatchRequest": _queue_service("EmptyBatchRequest"),
    "InvalidBatchEntryId": _queue_service("InvalidBatchEntryId"),
    "MessageNotInflight": _queue_service("MessageNotInflight"),
    "PurgeQueueInProgress": _queue_service("PurgeQueueInProgress", 403),
    "QueueDeletedRecently": _queue_service("QueueDeletedRecently"),
    "QueueDoesNotExist": WireError("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    "QueueNameExists": WireError("QueueNameExists", "QueueAlreadyExists"),
    "TooManyEntriesInBatchRequest": _queue_service("TooManyEntriesInBatchRequest"),
    "UnsupportedOperation": _queue_service("UnsupportedOperation"),
    "InvalidParameterValue": _coral("InvalidParameterValueException", "InvalidParameterValue"),
    "MissingParameter": _coral("MissingRequiredParameterException", "MissingParameter"),
    "OverLimit": WireError("OverLimit", "OverLimit", 403),
    "ReceiptHandleIsInvalid": WireError("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404),
    "ResourceNotFoundException": WireError("ResourceNotFoundException", "ResourceNotFoundException", 404),
}


def wire_error(error: ServiceError) -> WireError:
    """How an error looks on the wire."""
    known = WIRE_ERRORS.get(error.code)
    return known or WireError(error.code, error.code)


class SerializationException(ServiceError):
    """The body is not what the protocol says, or a value has another type than its shape."""

    code = "SerializationException"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or "")


class UnknownOperationException(ServiceError):
    """No operation of that name."""

    code = "UnknownOperationException"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or "")
