"""What a fold takes along: what is to be written, gathered under the broker's lock and written without it.

Queues and streams gather (`queue_rows.py`, `stream_rows.py`), the schema writes, and the
store sees to it that both happen in the right order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Gathered(NamedTuple):
    """What is to be written, as it was at one instant.

    Attributes:
        statements: SQL, and its parameters for each time that it is carried out, in this order.
        then: To be called under the broker's lock when all of it is written.
    """

    statements: list[tuple[str, Iterable[Sequence[object]]]]
    then: Callable[[], None] | None = None
