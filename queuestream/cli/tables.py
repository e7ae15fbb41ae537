"""Tables on standard output: with rich where it is installed (extra `cli`), in plain characters where not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Column(NamedTuple):
    """A column's heading, and on which side its cells stand."""

    heading: str
    is_number: bool = False


class Table(NamedTuple):
    """What is shown in rows."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


def show(table: Table) -> None:
    """Print a table; pretty on a terminal, if rich is there."""
    if sys.stdout.isatty():
        try:
            import rich  # noqa: F401, PLC0415 - an extra
        except ImportError:
            pass
        else:
            _show_with_rich(table)
            return
    say(plain(table))


def plain(table: Table) -> str:
    """A table in plain characters."""
    rows = [[column.heading for column in table.columns], *table.rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [
        "   ".join(
            cell.rjust(width) if column.is_number else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([table.title, "", *lines])


def say(text: str) -> None:
    """Print what may have somebody's names in it, on a terminal that may not know their letters."""
    encoding = sys.stdout.encoding
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _show_with_rich(table: Table) -> None:
    from rich import box  # noqa: PLC0415 - an extra
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = RichTable(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for column in table.columns:
        shown.add_column(column.heading, justify="right" if column.is_number else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*map(Text, row))  # a name is no markup
    Console().print(shown)
