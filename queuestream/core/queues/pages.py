"""Lists of queues that are handed out page by page.

The token of a page is the last name on it, so it stays good while queues come and go.

AWS: ListQueues, ListDeadLetterSourceQueues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.errors import InvalidParameterValue
from queuestream.core.queues.checks import is_integer, shown

if TYPE_CHECKING:
    from queuestream.core.queues.limits import QueueLimits
    from queuestream.core.queues.queue import Queue


class QueuePage(list["Queue"]):
    """A list of queues, and where to go on.

    Attributes:
        next_token: For the next page; None at the end, and where no page size was asked for.
    """

    next_token: str | None = None


def page_of(
    queues: list[Queue], max_results: int | None, next_token: str | None, limits: QueueLimits
) -> QueuePage:
    """A page of queues that are sorted by name.

    Raises:
        InvalidParameterValue: A size that is out of range, or a token that isn't one.
    """
    if max_results is not None and not is_integer(max_results, 1, limits.queues_per_page_max):
        reason = f"Must be between 1 and {limits.queues_per_page_max}, if provided."
        raise InvalidParameterValue.of("MaxResults", shown(max_results), reason)
    if next_token is not None:
        if not isinstance(next_token, str):
            raise InvalidParameterValue.of("NextToken", shown(next_token), "It is not a token of this list.")
        queues = [queue for queue in queues if queue.name > next_token]
    page = QueuePage(queues[: limits.queues_per_page_max if max_results is None else max_results])
    if max_results is not None and len(queues) > max_results:
        page.next_token = page[-1].name
    return page
