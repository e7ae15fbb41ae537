"""Give a verdict on a history: what clients of any queue or stream saw, as lines of JSON.

Each line is one thing that one client did with one message, in the order in which it happened:

  {"operation": "send", "message": "order 1"}
  {"operation": "receive", "message": "order 1", "actor": "worker-1"}
  {"operation": "delete", "message": "order 1", "actor": "worker-1"}

`operation` and `message` are enough.  The more a line says (times, message groups, partition keys,
shards, receipts: docs/reference/lab.md has all fields), the more can be judged.  What the queue had
promised is guessed from the events where it is not said.

Examples:
  queuestream lab check history.jsonl
  queuestream lab check history.jsonl --promise fifo --out verdict
  my-load-test | queuestream lab check -

Exit status: 0 where every promise was kept, 1 where one was not, 2 where the file makes no sense.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

from queuestream.cli.lab_options import (
    ALL_IS_WELL,
    NOT_AS_PROMISED,
    add_output,
    command_line,
    complain,
    show_table,
    write,
)
from queuestream.cli.tables import say

if TYPE_CHECKING:
    import argparse
    from typing import BinaryIO

    from queuestream.lab.history import History

SUMMARY = "a verdict on what clients of any queue saw, from lines of JSON"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", help="lines of JSON, - for standard input")
    parser.add_argument(
        "--promise",
        choices=("standard", "fifo", "stream"),
        help="what was promised; guessed from the events where you don't say",
    )
    parser.add_argument(
        "--unfinished",
        action="store_true",
        help="the history was cut off: what was not received yet may still come",
    )
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Read, judge, report.

    Returns:
        The exit status.
    """
    from queuestream.lab.checkers import check  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.lab.history import History  # noqa: PLC0415
    from queuestream.lab.report import reports, tables  # noqa: PLC0415

    with ExitStack() as stack:
        file = sys.stdin.buffer if options.file == "-" else stack.enter_context(Path(options.file).open("rb"))
        try:
            history = History.from_json_lines(cast("BinaryIO", file))
        except ValueError as error:
            return complain(options, str(error))
    if not history.events:
        return complain(options, "there is no event in it; each line is to be one (see --help)")
    for sentence in _doubts(history):
        print(f"queuestream lab check: {sentence}", file=sys.stderr)
    verdict = check(history, promise=options.promise, finished=not options.unfinished)
    measures = reports.measures_of(history)
    if options.json:
        print(reports.to_json(reports.verdict_document(verdict, measures)), end="")
    else:
        say(str(verdict))
        if verdict.lost and not options.unfinished:
            say("(If the history ends before everything was received, say --unfinished.)")
        show_table(tables.measures_table(measures))
    name = "standard input" if options.file == "-" else Path(options.file).name
    promise = [] if options.promise is None else ["--promise", options.promise]
    command = command_line("check", options.file, *promise, settings={})
    write(reports.of_history(name, command, history, verdict, measures), options)
    return ALL_IS_WELL if verdict.valid else NOT_AS_PROMISED


def _doubts(history: History) -> list[str]:
    """What may be a slip of whoever wrote the history: messages in operations that are not of messages."""
    from queuestream.lab.history import OPERATIONS, WORK  # noqa: PLC0415 - for `queuestream --help`

    unknown = Counter(event.operation for event in history if event.message is not None)
    for operation in (*OPERATIONS, WORK):
        del unknown[operation]
    return [
        f"{times:,} event{'' if times == 1 else 's'} of the operation {operation!r}, which is none of "
        f"{', '.join(OPERATIONS)}: only told, and not judged"
        for operation, times in unknown.items()
    ]
