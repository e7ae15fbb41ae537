"""Write everything that a file keeps as lines of JSON, one for each queue, message, stream, shard, record ...

`queuestream import` makes a file of them again, with an equal broker: the same messages in the same states
and order, with the same ids and receipt handles; the same records with the same sequence numbers.  The
file itself is not changed, and may be in use.  Of a damaged file what can be read is saved.

Examples:
  queuestream export orders.db --out orders.jsonl
  queuestream export orders.db | gzip > orders.jsonl.gz
  queuestream export orders.db | jq -r 'select(.kind == "message").body'

Exit status: 0 where everything was written, 1 where something could not be read or written, 2 where there is
no such file.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from queuestream.cli.progress import progress_bar

if TYPE_CHECKING:
    import argparse

    from queuestream.storage.exporting import Export

SUMMARY = "write everything that a file keeps as lines of JSON"

_COMPLETE, _NOT_COMPLETE, _NO_FILE = range(3)
_LINES_UNTIL_SHOWN = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the SQLite file that keeps a broker")
    parser.add_argument("--out", metavar="FILE", type=Path, help="where to write (default: standard output)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(options: argparse.Namespace) -> int:
    """Export.

    Returns:
        The exit status.
    """
    if not options.file.is_file():
        return _complain(f"there is no file {options.file}", _NO_FILE)
    from queuestream.core.errors import StorageError  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.storage.exporting import export  # noqa: PLC0415

    try:
        with ExitStack() as stack:
            exported = export(options.file, stack)
            if options.out is None:
                _write(exported, sys.stdout.buffer, options)
            else:
                partial = options.out.with_name(f"{options.out.name}-partial")
                with partial.open("wb") as out:
                    _write(exported, out, options)
                partial.replace(options.out)
    except BrokenPipeError:
        raise
    except (StorageError, OSError) as error:
        return _complain(str(error), _NOT_COMPLETE)
    for sentence in exported.lost:
        _complain(f"lost: {sentence}", _NOT_COMPLETE)
    return _NOT_COMPLETE if exported.lost else _COMPLETE


def _write(exported: Export, out: BinaryIO, options: argparse.Namespace) -> None:
    wanted = not options.quiet and not (options.out is None and sys.stdout.isatty())
    with progress_bar(exported.total, "lines", wanted=wanted) as show:
        for number, line in enumerate(exported, 1):
            out.write(line)
            if not number % _LINES_UNTIL_SHOWN:
                show(min(number, exported.total))
    out.flush()


def _complain(sentence: str, status: int) -> int:
    print(f"queuestream export: {sentence}", file=sys.stderr)
    return status
