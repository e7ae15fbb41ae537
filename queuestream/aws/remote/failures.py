"""What botocore raises, as the core's errors; and whether asking once more may help.

An error is found by AWS's code.  SQS has two for many: the one of its model (`QueueDoesNotExist`), and the
one of the older query protocol (`AWS.SimpleQueueService.NonExistentQueue`), which is what boto3 shows;
either will do, and so does the name of the shape.  A code that the core does not know becomes a
`ServiceError` with that code.  AWS's sentence is kept in every case, and botocore's exception with its
request id is the error's `__cause__`.

An error's other fields are made of the request, and of the numbers in the sentence.

AWS: "Error handling with Kinesis", "Common errors"; SDKs and tools reference guide, "Retry behavior", for
which errors are worth another attempt.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Any

import attrs
from botocore import exceptions as botocore_errors

from queuestream.aws.front_end.errors import WIRE_ERRORS
from queuestream.core import errors
from queuestream.core.errors import InvalidParameterValue, NoAnswer, ServiceError, ValidationException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from queuestream.aws.remote.calls import Call


class Kind(enum.Enum):
    """What another attempt would mean."""

    REFUSED = "the service has said no, and will again"
    THROTTLED = "the service has said: not so fast"
    UNAVAILABLE = "the service was not reached, or failed by itself"
    LOST = "no answer came to a request that went out: it may have been done"


@attrs.frozen
class Failure:
    """A call that failed.

    Attributes:
        error: What the caller gets.
        kind: What another attempt would mean.
        retry_after_seconds: When the service would like to be asked again, if it said so.
    """

    error: Exception
    kind: Kind = Kind.REFUSED
    retry_after_seconds: float | None = None


_THROTTLED = {
    "BandwidthLimitExceeded",
    "KMS.ThrottlingException",
    "KMSThrottlingException",
    "KmsThrottled",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
# Kinesis calls a rate by the name of a quota, which no waiting gives back; the sentence tells them apart.
_LIMIT, _RATE = "LimitExceededException", "Rate exceeded"
_TIMED_OUT = {"RequestTimeout", "RequestTimeoutException"}
_UNAVAILABLE_STATUS = {500, 502, 503, 504}

# A value of another type than the parameter's, which a service says before it knows what is asked.
_SERIALIZATION = "SerializationException"
_OF_ANOTHER_TYPE: dict[str, type[ServiceError]] = {
    "sqs": InvalidParameterValue,
    "kinesis": ValidationException,
}

_PREFIXES = ("AWS.SimpleQueueService.", "com.amazonaws.sqs#", "com.amazon.coral.service#")


def _all_errors(of: type[ServiceError]) -> dict[str, type[ServiceError]]:
    found = {of.code: of} if "code" in vars(of) else {}
    for kind in of.__subclasses__():
        if kind.__module__ == errors.__name__:
            found |= _all_errors(kind)
    return found


_CLASSES = _all_errors(ServiceError)
_CODES = {
    name: code
    for code, wire in WIRE_ERRORS.items()
    if code in _CLASSES
    for name in (wire.shape, wire.query_code.removeprefix(_PREFIXES[0]))
}


def failure_of(raised: Exception, call: Call) -> Failure | None:
    """What botocore raised on a call, as a failure; None where it is nothing of a service's.

    That is what is wrong on this side before anything is asked: no credentials, no region, a profile that
    does not exist.  Such errors are botocore's, and say what to do.
    """
    if isinstance(raised, botocore_errors.ClientError):
        return _refused(raised.response, call)
    if isinstance(raised, botocore_errors.ParamValidationError):
        return Failure(_OF_ANOTHER_TYPE[call.service](str(raised)))
    if isinstance(raised, botocore_errors.ConnectionError):  # before anything went out
        return Failure(NoAnswer(call.operation, raised, may_be_done=False), Kind.UNAVAILABLE)
    if isinstance(raised, botocore_errors.HTTPClientError | botocore_errors.IncompleteReadError):
        return Failure(NoAnswer(call.operation, raised, may_be_done=True), Kind.LOST)
    return None


def _refused(response: Mapping[str, Any], call: Call) -> Failure:
    said = response.get("Error", {})
    metadata = response.get("ResponseMetadata", {})
    error = service_error(
        said.get("QueryErrorCode") or said.get("Code", ""),
        said.get("Message") or said.get("message") or "",
        call,
    )
    return Failure(error, _kind(error, metadata.get("HTTPStatusCode")), _retry_after(metadata))


def _kind(error: ServiceError, status: int | None) -> Kind:
    if error.code in _THROTTLED or (error.code == _LIMIT and error.message.startswith(_RATE)):
        return Kind.THROTTLED
    if status in _UNAVAILABLE_STATUS or error.code in _TIMED_OUT:
        return Kind.UNAVAILABLE
    return Kind.REFUSED


def _retry_after(metadata: Mapping[str, Any]) -> float | None:
    milliseconds = metadata.get("HTTPHeaders", {}).get("x-amz-retry-after", "")
    return int(milliseconds) / 1000 if milliseconds.isascii() and milliseconds.isdigit() else None


def service_error(code: str, message: str, call: Call | None = None) -> ServiceError:
    """The core's error of that code, any of AWS's names for it, with AWS's sentence.

    Args:
        code: As a client sees it, with or without AWS's prefixes.
        message: AWS's sentence.
        call: What was asked, for the fields that the sentence does not tell.
    """
    plain = code
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    known = plain if plain in _CLASSES else _CODES.get(plain)
    if known is not None:
        code = known
    kind = _CLASSES.get(code, ServiceError)
    if code == _SERIALIZATION and call is not None:
        kind = _OF_ANOTHER_TYPE[call.service]
    error = kind.__new__(kind)
    # Not its own constructor, which makes the sentence.
    ServiceError.__init__(error, message)
    if code not in _CLASSES:
        error.code = code or ServiceError.code
    request: Mapping[str, Any] = {} if call is None else call.request
    for name, field in _FIELDS.get(code, {}).items():
        setattr(error, name, field(message, request))
    if call is not None and isinstance(error, errors.RequestThrottled):
        error.action = call.operation
    return error


# --- the fields of errors, from AWS's sentence and from the request -----------------------------------------


def _queue(_: str, request: Mapping[str, Any]) -> str:
    """Which queue was meant, as the request named it."""
    named = request.get("QueueName") or request.get("QueueUrl") or request.get("SourceArn") or ""
    return str(named).rstrip("/").rpartition("/")[2]


def _handle(_: str, request: Mapping[str, Any]) -> str:
    return str(request.get("ReceiptHandle", ""))


def _number(which: int) -> Callable[[str, Mapping[str, Any]], int]:
    """The n-th number of the sentence; 0 where it has not so many."""

    def number(message: str, _: Mapping[str, Any]) -> int:
        numbers = re.findall(r"(?<![\w-])\d+(?![\w-])", message)
        return int(numbers[which]) if which < len(numbers) else 0

    return number


def _word_after(pattern: str, otherwise: str | None = "") -> Callable[[str, Mapping[str, Any]], str | None]:
    """What the sentence names."""

    def word(message: str, _: Mapping[str, Any]) -> str | None:
        found = re.search(pattern + r" (\S+?)\.?(?:\s|$)", message)
        return otherwise if found is None else found[1]

    return word


_FIELDS: dict[str, dict[str, Callable[[str, Mapping[str, Any]], object]]] = {
    "BatchEntryIdsNotDistinct": {"entry_id": _word_after("Id")},
    "BatchRequestTooLong": {"maximum": _number(0), "sent": _number(1)},
    "InvalidAttributeName": {"attribute": _word_after("(?i:attribute)")},
    "InvalidAttributeValue": {"attribute": _word_after("(?i:parameter|attribute)")},
    "MessageNotInflight": {"receipt_handle": _handle},
    "MissingParameter": {"parameter": _word_after("(?i:parameter)")},
    "PurgeQueueInProgress": {"queue": _queue},
    "QueueDeletedRecently": {"queue": _queue},
    "QueueDoesNotExist": {"queue": _queue},
    "QueueNameExists": {"queue": _queue, "attribute": _word_after("(?i:attribute)", None)},
    "ReceiptHandleIsInvalid": {"receipt_handle": _handle},
    "RequestThrottled": {"queue": _queue, "action": lambda _message, _request: ""},
    "TooManyEntriesInBatchRequest": {"maximum": _number(0), "sent": _number(1)},
}
