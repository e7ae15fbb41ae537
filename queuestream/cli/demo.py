"""Play real events through a stream, a standard queue and a FIFO queue, in virtual time.

Every record goes through a Kinesis stream that is split and merged on the way.  Some
become tasks on an SQS standard queue and on a FIFO queue, whose workers sometimes fail:
tasks come back, the poisonous ones become dead letters and are redriven after a fix.
Then what the consumers saw is held against what was sent.

The records are 12,126 departures from New York, keyed by aircraft; or your own.

Examples:
  queuestream demo
  queuestream demo --seed 42 --task-when 'departure_delay_minutes>=120'
  queuestream demo --input orders.jsonl --key customer_id
  zcat events.jsonl.gz | queuestream demo --input - --key user --json

Exit status: 0 where every verdict holds, 1 where one does not, 2 where the command line
or the input makes no sense.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

from queuestream.cli.parsing import add_seed
from queuestream.cli.progress import progress_bar

if TYPE_CHECKING:
    from io import BufferedReader

    from queuestream.demo.records import BrokenLine, Record, TaskRule
    from queuestream.demo.report import Marks, Report

SUMMARY = "play real events through a stream and two queues, and check what came out"

_ALL_IS_WELL, _NOT_AS_CLAIMED, _MAKES_NO_SENSE = range(3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="your own records: JSON objects, one a line, plain or gzip, - for standard input; "
        "they happen one (virtual) second after the other",
    )
    parser.add_argument(
        "--key",
        metavar="FIELD",
        help="the field whose text is a record's key, 1 to 256 characters (of the departures: tail_number)",
    )
    parser.add_argument(
        "--task-when",
        metavar="RULE",
        type=_task_rule,
        help="which records become tasks: FIELD>=NUMBER, or with <=, >, <, = (= takes text, too); "
        "departures 60 or more minutes late, or a seeded tenth of your own records, where you don't say",
    )
    add_seed(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print what was found as JSON; the same bytes for the same seed",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but verdicts that do not hold")


def run(options: argparse.Namespace) -> int:
    """Play, judge, report.

    Returns:
        The exit status.
    """
    from queuestream.demo.judgement import Judgement, Words  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.demo.play import Play  # noqa: PLC0415
    from queuestream.demo.records import UnreadableInput  # noqa: PLC0415
    from queuestream.demo.report import Report, broken_lines  # noqa: PLC0415

    started = time.perf_counter()
    if options.input is not None and options.key is None:
        return _complain("--input needs --key FIELD: the field that says which records belong together")
    source = "standard input" if options.input == "-" else options.input or "New York, January 2013"
    try:
        records, broken = _read(options)
    except UnreadableInput as why:
        return _complain(f"cannot read {source}: {why}")
    for sentence in broken_lines(broken):
        print(f"{source}: {sentence}", file=sys.stderr)
    if not records:
        return _complain(f"there is no record in {source}" + (" that could be played" if broken else ""))
    if not any(record.is_task for record in records):
        return _complain(f"no record in {source} is a task by the rule {options.task_when}")

    words = Words()
    if options.input is None:
        words = Words("departure", "departures")
        if options.key is None:
            words = Words("departure", "departures", "aircraft", "aircraft")
    play = Play(records, options.seed)
    with progress_bar(len(records), words.records, wanted=not (options.json or options.quiet)) as progress:
        play.run(progress)
    judgement = Judgement(play, words)
    report = Report(
        source=source,
        seed=options.seed,
        words=words,
        judgement=judgement,
        broken=broken,
        records=len(records),
        virtual_ns=play.now_ns - play.started_ns,
        wall_seconds=time.perf_counter() - started,
    )
    _print(report, options)
    return _ALL_IS_WELL if judgement.holds else _NOT_AS_CLAIMED


def _task_rule(text: str) -> TaskRule:
    from queuestream.demo.records import TaskRule  # noqa: PLC0415 - for `queuestream --help`

    try:
        return TaskRule.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _read(options: argparse.Namespace) -> tuple[list[Record], list[BrokenLine]]:
    """The records that were asked for, and the lines that are none."""
    from queuestream.demo import flights  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.demo.records import (  # noqa: PLC0415
        UnreadableInput,
        lines_of,
        read_records,
        second_by_second,
        seeded_tenth,
    )

    if options.input is None:
        return flights.read_flights(options.key or flights.KEY_FIELD, options.task_when or flights.LONG_DELAY)
    is_task = options.task_when or seeded_tenth(options.seed)
    with ExitStack() as stack:
        try:
            if options.input == "-":
                file = cast("BufferedReader", sys.stdin.buffer)
            else:
                file = stack.enter_context(Path(options.input).open("rb"))
        except OSError as error:
            raise UnreadableInput(error.strerror or str(error)) from None
        return read_records(lines_of(file), options.key, is_task=is_task, at_ns=second_by_second)


def _print(report: Report, options: argparse.Namespace) -> None:
    from queuestream.demo.report import verdict_lines  # noqa: PLC0415 - for `queuestream --help`

    marks, width = _marks(), shutil.get_terminal_size().columns
    if options.json:
        print(report.to_json())
    elif not options.quiet:
        _say(report.to_text(marks, width))
    elif failed := [verdict for verdict in report.judgement.verdicts if not verdict.holds]:
        _say(verdict_lines(failed, marks, width))


def _marks() -> Marks:
    """The signs that the terminal can show."""
    from queuestream.demo.report import ASCII, COLOURED, UNICODE  # noqa: PLC0415 - for `queuestream --help`

    try:
        str(UNICODE).encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return ASCII
    return COLOURED if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else UNICODE


def _say(text: str) -> None:
    """Print what may have somebody's keys in it, on a terminal that may not know their letters."""
    encoding = sys.stdout.encoding
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _complain(sentence: str) -> int:
    print(f"queuestream demo: {sentence}", file=sys.stderr)
    return _MAKES_NO_SENSE
