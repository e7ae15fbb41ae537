"""What a client knows of a call that raised: that it was not done, or nothing.

The rule: who heard no from the service knows that nothing was done.  An answer that did not come, one
that broke on its way, and an error inside the service (HTTP 500 and above) say nothing, since the work
may have been done before; neither does a refusal after botocore has tried before.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from queuestream.aws.faults import AnswerLost
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
        status = getattr(error, "status", None) or _metadata_of(error.__cause__).get("HTTPStatusCode")
        return "unknown" if (status or 0) >= 500 else "failed"
    if isinstance(error, QueuestreamError):
        return "failed"
    botocores = sys.modules.get("botocore.exceptions")
    if botocores is not None and isinstance(error, botocores.ClientError):
        metadata = _metadata_of(error)
        # What became of the attempts before the last one is not told.
        is_sure = metadata.get("HTTPStatusCode", 500) < 500 and not metadata.get("RetryAttempts")
        return "failed" if is_sure else "unknown"
    if botocores is not None and isinstance(error, botocores.BotoCoreError):
        on_the_way = (
            botocores.HTTPClientError,
            botocores.ConnectionError,
            botocores.IncompleteReadError,
            botocores.ChecksumError,
        )
        return "unknown" if isinstance(error, on_the_way) else "failed"
    # What is wrong with the arguments is noticed before anything is done; everything else comes on the way.
    return "failed" if isinstance(error, TypeError | ValueError | AttributeError) else "unknown"


def code_of(error: BaseException) -> str:
    """What went wrong, in a word: AWS's code, or the name of the exception."""
    code = getattr(error, "code", None)
    if code is None:
        code = _response_of(error).get("Error", {}).get("Code")
    return str(code or type(error).__name__)


def _response_of(error: BaseException | None) -> dict[str, Any]:
    """What botocore's error came with."""
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def _metadata_of(error: BaseException | None) -> dict[str, Any]:
    metadata: dict[str, Any] = _response_of(error).get("ResponseMetadata", {})
    return metadata
