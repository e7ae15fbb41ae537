"""What an error is called on the wire: the one table from codes to AWS's names and status.

An error of SQS has two names.  `QueueDoesNotExist` is its shape, which the JSON protocol sends as
`__type`; `AWS.SimpleQueueService.NonExistentQueue` is what the query protocol has always sent, and what
JSON repeats in a header, for the programs that compare with it (it is boto3's `Error.Code`).
An error of Kinesis has one name.

Here are also the errors that only a front end can say: of what is malformed, unknown, or not there.
Those of signatures are in `signatures`.
"""

from __future__ import annotations

from typing import NamedTuple

from queuestream.core.errors import ServiceError

_SQS = "com.amazonaws.sqs#"
_FRAMEWORK = "com.amazon.coral.service#"


class WireError(NamedTuple):
    """How an error looks on the wire.

    Attributes:
        shape: The name of its shape, which picks boto3's exception class.
        query_code: Its name in the query protocol.
        status: The HTTP status, in SQS.
        namespace: What precedes the shape's name in SQS' `__type`: whether the service says it, or the
            framework under all of AWS's services.
    """

    shape: str
    query_code: str
    status: int = 400
    namespace: str = _SQS

    @property
    def fault(self) -> str:
        """Whose fault it is."""
        return "Sender" if self.status < 500 else "Receiver"


def _service(shape: str, query_code: str | None = None, status: int = 400) -> WireError:
    return WireError(shape, query_code or shape, status)


def _prefixed(shape: str, status: int = 400) -> WireError:
    return WireError(shape, f"AWS.SimpleQueueService.{shape}", status)


def _framework(shape: str, query_code: str | None = None, status: int = 400) -> WireError:
    return WireError(shape, query_code or shape, status, _FRAMEWORK)


# By code.  The names in the query protocol are those of the API Reference's pages before SQS spoke JSON; what
# is not here is called in both protocols as its code, and has the status 400.
WIRE_ERRORS: dict[str, WireError] = {
    # Amazon SQS, the core's
    "BatchEntryIdsNotDistinct": _prefixed("BatchEntryIdsNotDistinct"),
    "BatchRequestTooLong": _prefixed("BatchRequestTooLong"),
    "EmptyBatchRequest": _prefixed("EmptyBatchRequest"),
    "InvalidBatchEntryId": _prefixed("InvalidBatchEntryId"),
    "InvalidParameterValue": _framework("InvalidParameterValueException", "InvalidParameterValue"),
    "MessageNotInflight": _prefixed("MessageNotInflight"),
    "MissingParameter": _framework("MissingRequiredParameterException", "MissingParameter"),
    "OverLimit": _service("OverLimit", status=403),
    "PurgeQueueInProgress": _prefixed("PurgeQueueInProgress", 403),
    "QueueDeletedRecently": _prefixed("QueueDeletedRecently"),
    "QueueDoesNotExist": _service("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    "QueueNameExists": _service("QueueNameExists", "QueueAlreadyExists"),
    "ReceiptHandleIsInvalid": _service("ReceiptHandleIsInvalid", status=404),
    "RequestThrottled": _service("RequestThrottled", status=403),  # botocore retries it with this status
    "ResourceNotFoundException": _service("ResourceNotFoundException", status=404),
    "TooManyEntriesInBatchRequest": _prefixed("TooManyEntriesInBatchRequest"),
    "UnsupportedOperation": _prefixed("UnsupportedOperation"),
    # Amazon SQS, what only a fault plan says
    "InvalidAddress": _service("InvalidAddress", status=404),
    "InvalidSecurity": _service("InvalidSecurity", status=403),
    "KmsAccessDenied": _service("KmsAccessDenied", "KMS.AccessDeniedException"),
    "KmsDisabled": _service("KmsDisabled", "KMS.DisabledException"),
    "KmsInvalidKeyUsage": _service("KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException"),
    "KmsInvalidState": _service("KmsInvalidState", "KMS.InvalidStateException"),
    "KmsNotFound": _service("KmsNotFound", "KMS.NotFoundException"),
    "KmsOptInRequired": _service("KmsOptInRequired", "KMS.OptInRequired", 403),
    "KmsThrottled": _service("KmsThrottled", "KMS.ThrottlingException"),
    # the front end's own ("Common Errors")
    "AccessDeniedException": _framework("AccessDeniedException", "AccessDenied", 403),
    "IncompleteSignatureException": _framework("IncompleteSignatureException", "IncompleteSignature"),
    "InvalidSignatureException": _framework("InvalidSignatureException", "SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": _framework(
        "MissingAuthenticationTokenException", "MissingAuthenticationToken", 403
    ),
    "UnrecognizedClientException": _framework("UnrecognizedClientException", "InvalidClientTokenId", 403),
    "UnknownOperationException": _framework("UnknownOperationException", "InvalidAction"),
    "SerializationException": _framework("SerializationException", "MalformedInput"),
    "RequestEntityTooLargeException": _framework(
        "RequestEntityTooLargeException", "RequestEntityTooLarge", 413
    ),
    "InternalFailure": _framework("InternalFailure", status=500),
    "ServiceUnavailable": _framework("ServiceUnavailableException", "ServiceUnavailable", 503),
}
# Kinesis answers these with 400, too, and tells them apart by their names.
_TOLD_BY_NAME = {403, 404}
_BY_QUERY_CODE = {wire.query_code: wire for wire in WIRE_ERRORS.values()}


def wire_error(service: str, error: ServiceError) -> WireError:
    """How an error looks on the wire; one that nobody knows (a fault plan's) as its code says."""
    wire = WIRE_ERRORS.get(error.code) or _BY_QUERY_CODE.get(error.code) or _service(error.code)
    status = getattr(error, "status", None)  # a fault plan's error brings its own
    if status is None and service == "kinesis" and wire.status in _TOLD_BY_NAME:
        status = 400
    return wire if status is None else wire._replace(status=status)


# --- what only a front end can say -----------------------------------------------------------------------


class UnknownOperationException(ServiceError):
    """No operation of that name; no operation at all.

    Args:
        action: What the query protocol called it.
    """

    code = "UnknownOperationException"

    def __init__(self, action: str | None = None) -> None:
        super().__init__("" if action is None else f"The action {action} is not valid for this endpoint.")
        self.action = action


class SerializationException(ServiceError):
    """The body isn't what the protocol says, or a value has another type than its shape.

    AWS says nothing about the first, and one of a few sentences about the second.
    """

    code = "SerializationException"

    def __init__(self, message: str = "") -> None:
        super().__init__(message)


class AccessDenied(ServiceError):
    """The request is not signed, and the queue is not everybody's."""

    code = "AccessDeniedException"

    def __init__(self, address: str) -> None:
        super().__init__(f"Access to the resource {address} is denied.")
        self.address = address


class InvalidAddress(ServiceError):
    """The address of the request is not one of a queue."""

    code = "InvalidAddress"

    def __init__(self, address: str) -> None:
        super().__init__(f"The address {address} is not valid for this endpoint.")
        self.address = address


class RequestEntityTooLarge(ServiceError):
    """The body is larger than any request may be."""

    code = "RequestEntityTooLargeException"

    def __init__(self) -> None:
        super().__init__("Request body is too large.")


class ServiceUnavailable(ServiceError):
    """The queues and streams were closed."""

    code = "ServiceUnavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The request has failed due to a temporary failure of the server: {reason}.")
        self.reason = reason
