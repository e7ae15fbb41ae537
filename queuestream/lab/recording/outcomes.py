"""What a client knows of a call that raised: that it was not done, or nothing.

The rule: who heard no from the service knows that nothing was done.  An answer that did not come, one
that broke on its way, and an error inside the service (HTTP 500 and above) say nothing, since the work
may have been done before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.fault_plans import AnswerLost
from queuestream.core.errors import DigestMismatch, NoAnswer, QueuestreamError, ServiceError

if TYPE_CHECKING:
    from queuestream.lab.history import Outcome


def outcome_of(error: BaseException) -> Outcome:
    """`failed` where a call that raised this was surely not done, else `unknown`."""
    if isinstance(error, NoAnswer):
        return "unknown" if error.may_be_done else "failed"
    if isinstance(error, AnswerLost | DigestMismatch):
        return "unknown"
    if isinstance(error, ServiceError):
        return "unknown" if (_status_of(error) or 0) >= 500 else "failed"
    if isinstance(error, QueuestreamError):
        return "failed"
    # What is wrong with the arguments is noticed before anything is done; everything else comes on the way.
    return "failed" if isinstance(error, TypeError | ValueError | AttributeError) else "unknown"


def code_of(error: BaseException) -> str:
    """What went wrong, in a word: AWS's code, or the name of the exception."""
    return getattr(error, "code", None) or type(error).__name__


def _status_of(error: ServiceError) -> int | None:
    """The HTTP status that an error came with, as far as somebody said."""
    status: int | None = getattr(error, "status", None)
    if status is None:  # over AWS, botocore's error is the cause
        response = getattr(error.__cause__, "response", None) or {}
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status
