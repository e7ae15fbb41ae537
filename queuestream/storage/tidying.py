"""Giving space back, a little at a time: rows of what is gone, and pages that nothing uses.

A purge, a deleted queue or a trimmed stream leaves a range of row keys in the table
`garbage`, which costs the same however many rows there are.  They are removed here, so many
in a transaction as take a few hundredths of a second, so that nobody who folds waits for long;
and when many pages are free, some of them go back to the file system (SQLite: "PRAGMA
auto_vacuum").
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from queuestream.storage import schema

if TYPE_CHECKING:
    import sqlite3

_STEP_SECONDS = 0.03
_ROWS_MIN = 16
_ROWS_MAX = 8_192
"""A row may have a hundred bytes or a million, so how many are removed at a time is found out."""

_PAGES = 500
_FREE_PAGES_KEPT = 1_000
_FREE_SHARE_KEPT = 0.25
"""So many free pages, or such a share of all, are kept for what comes next."""


class Tidying:
    """What gives the space of one database back.

    Args:
        connection: The one that writes; used by one thread at a time.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = _ROWS_MIN

    def step(self) -> bool:
        """Remove some rows, or give some pages back, in one transaction.

        Returns:
            Whether there may be more to do.

        Raises:
            sqlite3.Error: The database cannot be written.
        """
        return self._remove_rows() or self._give_pages_back()

    def _remove_rows(self) -> bool:
        connection, rows = self._connection, self._rows
        garbage = connection.execute(
            'select rowid, "of", first_key, last_key from garbage limit 1'
        ).fetchone()
        if garbage is None:
            return False
        rowid, table, first_key, last_key = garbage
        began = time.monotonic()
        with schema.transaction(connection):
            # The names of tables cannot be parameters; `garbage` has no others than ours.
            removed = connection.execute(
                f'delete from "{table}" where key in '  # noqa: S608
                f'(select key from "{table}" where key between ? and ? order by key limit {rows})',
                (first_key, last_key),
            ).rowcount
            if removed < rows:
                connection.execute("delete from garbage where rowid = ?", (rowid,))
        took = time.monotonic() - began
        if took > _STEP_SECONDS:
            self._rows = max(_ROWS_MIN, rows // 2)
        elif took < _STEP_SECONDS / 2 and removed == rows:
            self._rows = min(_ROWS_MAX, rows * 2)
        return True

    def _give_pages_back(self) -> bool:
        [free], [pages] = (
            self._connection.execute(f"pragma {name}").fetchone() for name in ("freelist_count", "page_count")
        )
        if free <= max(_FREE_PAGES_KEPT, pages * _FREE_SHARE_KEPT):
            return False
        self._connection.execute(f"pragma incremental_vacuum({_PAGES})").fetchall()
        return True
