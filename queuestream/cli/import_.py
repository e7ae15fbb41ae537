"""Make a file of what `queuestream export` wrote.

The new file has an equal broker: the same messages in the same states and order, with the same ids and
receipt handles; the same records with the same sequence numbers.  Nothing is written over: the file must
not be there, or be empty.  It gets its name when all of it is there and makes sense.

Examples:
  queuestream import orders.jsonl orders.db
  zcat orders.jsonl.gz | queuestream import - orders.db

Exit status: 0 where it was made, 1 where it could not be written, 2 where the input makes no sense or the
file is there already.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from queuestream.cli.progress import progress_bar

if TYPE_CHECKING:
    import argparse

    from queuestream.storage.importing import Importing

SUMMARY = "make a file of what `queuestream export` wrote"

_MADE, _NOT_WRITTEN, _MAKES_NO_SENSE = range(3)
_LINES_UNTIL_SHOWN = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("input", metavar="LINES", help="the file that was exported, - for standard input")
    parser.add_argument("file", metavar="FILE", type=Path, help="the SQLite file to make")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(options: argparse.Namespace) -> int:
    """Import.

    Returns:
        The exit status.
    """
    from queuestream.core.errors import StorageError  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.storage.importing import CannotImport, Importing  # noqa: PLC0415

    with ExitStack() as stack:
        try:
            lines, size = _opened(options.input, stack)
        except OSError as error:
            return _complain(f"cannot read {options.input}: {error.strerror or error}", _MAKES_NO_SENSE)
        try:
            _import(stack.enter_context(Importing(options.file)), lines, size, options)
        except CannotImport as error:
            return _complain(str(error), _MAKES_NO_SENSE)
        except (StorageError, OSError) as error:
            return _complain(str(error), _NOT_WRITTEN)
    return _MADE


def _opened(name: str, stack: ExitStack) -> tuple[BinaryIO, int | None]:
    """The lines, and how many bytes they are; None where nobody knows."""
    if name == "-":
        return cast("BinaryIO", sys.stdin.buffer), None
    path = Path(name)
    return stack.enter_context(path.open("rb")), path.stat().st_size


def _import(importing: Importing, lines: BinaryIO, size: int | None, options: argparse.Namespace) -> None:
    done = 0
    with progress_bar(size or 1, "bytes", wanted=bool(size) and not options.quiet) as show:
        for number, line in enumerate(lines, 1):
            importing.add(line)
            done += len(line)
            if not number % _LINES_UNTIL_SHOWN:
                show(done)
        importing.finish()


def _complain(sentence: str, status: int) -> int:
    print(f"queuestream import: {sentence}", file=sys.stderr)
    return status
