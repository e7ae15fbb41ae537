"""SQLite on a disk that fails: each statement of a connection that writes counts as a write of the disk."""

import contextlib
import errno
import sqlite3

import pytest

_ERRORS = {
    errno.ENOSPC: ("database or disk is full", sqlite3.SQLITE_FULL),
    errno.EIO: ("disk I/O error", sqlite3.SQLITE_IOERR),
}


@contextlib.contextmanager
def sqlite_on(disk):
    """Let connections that are made in here fail when a `FaultyDisk` says so, for as long as they live."""
    connect = sqlite3.connect

    class FailingConnection(sqlite3.Connection):
        def execute(self, statement, *parameters):
            _ask(disk, statement)
            answer = super().execute(statement, *parameters)
            if statement == "commit":
                # What was committed is, and the error comes all the same.
                _ask(disk, "committed")
            return answer

        def executemany(self, statement, parameters):
            _ask(disk, statement)
            return super().executemany(statement, parameters)

    def connecting(database, **options):
        kind = sqlite3.Connection if "mode=ro" in str(database) else FailingConnection
        return connect(database, factory=kind, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connecting)
        yield


def _ask(disk, statement):
    try:
        disk._asked(statement)
    except OSError as error:
        sentence, code = _ERRORS[error.errno]
        translated = sqlite3.OperationalError(sentence)
        translated.sqlite_errorcode = code
        raise translated from error
