"""Giving space back, a little at a time: rows of what is gone, and pages that nothing uses.

A purge, a deleted queue or a trimmed stream leaves a range of row keys in the table
`garbage`, which costs the same however many rows there are.  They are removed here, some
thousands in a transaction, so that nobody who folds or reads waits for long; and when many
pages are free, some of them go back to the file system (SQLite: "PRAGMA auto_vacuum").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_ROWS = 2_000
_PAGES = 500
_FREE_PAGES_KEPT = 1_000
_FREE_SHARE_KEPT = 0.25
"""So many free pages, or such a share of all, are kept for what comes next."""


def tidy(connection: sqlite3.Connection) -> bool:
    """Remove some rows, or give some pages back, in one transaction.

    Returns:
        Whether there may be more to do.

    Raises:
        sqlite3.Error: The database cannot be written.
    """
    return _remove_rows(connection) or _give_pages_back(connection)


def _remove_rows(connection: sqlite3.Connection) -> bool:
    garbage = connection.execute('select rowid, "of", first_key, last_key from garbage limit 1').fetchone()
    if garbage is None:
        return False
    rowid, table, first_key, last_key = garbage
    with connection:
        connection.execute("begin immediate")
        # The names of tables cannot be parameters; `garbage` has no others than ours.
        removed = connection.execute(
            f'delete from "{table}" where key in '  # noqa: S608
            f'(select key from "{table}" where key between ? and ? order by key limit {_ROWS})',
            (first_key, last_key),
        ).rowcount
        if removed < _ROWS:
            connection.execute("delete from garbage where rowid = ?", (rowid,))
    return True


def _give_pages_back(connection: sqlite3.Connection) -> bool:
    [free], [pages] = (
        connection.execute(f"pragma {name}").fetchone() for name in ("freelist_count", "page_count")
    )
    if free <= max(_FREE_PAGES_KEPT, pages * _FREE_SHARE_KEPT):
        return False
    connection.execute(f"pragma incremental_vacuum({_PAGES})").fetchall()
    return True
