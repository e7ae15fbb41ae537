"""What an engine refuses: an error of the class, and with the code, that AWS has for it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queuestream.core.errors import ServiceError


@contextmanager
def refused(error: type[ServiceError]) -> Iterator[pytest.ExceptionInfo[ServiceError]]:
    """Expects the block to raise that error, with its code and a sentence of any wording."""
    with pytest.raises(error) as caught:
        yield caught
    assert caught.value.code == error.code
    assert caught.value.message
