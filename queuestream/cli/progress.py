"""A progress bar on standard error, for somebody who looks: on a terminal only.

With rich where it is installed (the extra `cli`), in plain characters where not.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WIDTH = 40


@contextmanager
def progress_bar(total: int, unit: str, *, wanted: bool) -> Iterator[Callable[[int], object]]:
    """A function to be told how many of `total` are done; the bar goes away at the end."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        import rich  # noqa: F401, PLC0415 - an extra
    except ImportError:
        yield from _plain_bar(total, unit)
    else:
        yield from _rich_bar(total, unit)


def _plain_bar(total: int, unit: str) -> Iterator[Callable[[int], object]]:
    def show(done: int) -> None:
        bar = ("#" * (_WIDTH * done // total)).ljust(_WIDTH, ".")
        sys.stderr.write(f"\r[{bar}] {done:,} of {total:,} {unit}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _rich_bar(total: int, unit: str) -> Iterator[Callable[[int], object]]:
    from rich.console import Console  # noqa: PLC0415 - an extra
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
    # It refreshes when we say so: no thread of its own.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(unit, total=total)

        def show(done: int) -> None:
            bar.update(task, completed=done)
            bar.refresh()

        yield show
