"""Waiting until AWS has done what it was asked for.

AWS answers at once and takes its time: a new stream is CREATING, a changed one UPDATING, and refuses most
further changes meanwhile.  Where nothing else is said, the core has done what it was asked for when the
call returns, and so the calls over AWS wait (`connect("aws://...?wait=false")` has them not wait): they
look, pause for a little longer each time, and look again.

AWS: DescribeStreamSummary answers 20 times in a second for an account, ListStreams and DescribeStream less
often; so nobody looks more often than every two seconds in the long run, and who is told that the rate is
exceeded goes on waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.remote.calls import Pause
from queuestream.core.errors import (
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.remote.calls import Steps

_FIRST_PAUSE_SECONDS = 0.05
_PAUSE_SECONDS_MAX = 2.0
_WAIT_SECONDS_MAX = 3_600

GONE = "GONE"
"""The status of what isn't there any more."""


def wait_for(wanted: str, look: Callable[[], Steps[str]], what: str) -> Steps[None]:
    """Return when something has the status that is wanted.

    Args:
        wanted: AWS's word, `ACTIVE` for one; or `GONE`.
        look: What status it has.
        what: What it is, as the sentence of an error names it.

    Raises:
        ResourceInUseException: It has not after an hour.
        ResourceNotFoundException: It is gone, and was not to be.
    """
    pause_seconds = _FIRST_PAUSE_SECONDS
    left_seconds: float = _WAIT_SECONDS_MAX
    status = "unknown"
    while True:
        try:
            status = yield from look()
        except LimitExceededException:
            pass  # the rate of such questions; the next one comes later
        except ResourceNotFoundException:
            if wanted != GONE:
                raise
            status = GONE
        if status == wanted:
            return
        if left_seconds <= 0:
            raise ResourceInUseException(f"{what} not {wanted}, instead in state {status}")
        yield Pause(pause_seconds)
        left_seconds -= pause_seconds
        pause_seconds = min(pause_seconds * 2, _PAUSE_SECONDS_MAX)
