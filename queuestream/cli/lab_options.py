"""What the lab's commands have in common: options, the progress bar, how things are printed."""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from queuestream.cli.progress import progress_bar
from queuestream.cli.tables import Column, show
from queuestream.cli.tables import Table as ShownTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from queuestream.lab.report.reports import Report
    from queuestream.lab.report.tables import Table

ALL_IS_WELL, NOT_AS_PROMISED, MAKES_NO_SENSE = range(3)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds `--set`."""
    parser.add_argument(
        "--set",
        metavar="KNOB=VALUE",
        type=_setting,
        action="append",
        default=[],
        dest="settings",
        help="turn a knob of the scenario, as often as you like; `queuestream lab list SCENARIO` shows them",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Adds `--json`, `--out` and `--format`."""
    parser.add_argument(
        "--json",
        action="store_true",
        help="print what was found as JSON; the same bytes each time",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write report.html there, pictures, and the data as JSON (needs the extra `lab`)",
    )
    parser.add_argument(
        "--format",
        choices=("png", "svg"),
        default="png",
        help="of the pictures' files (default %(default)s)",
    )


def check_output(options: argparse.Namespace) -> None:
    """Find out whether there can be a report where it was asked for, so that nobody waits for none.

    Raises:
        PictureNeedsMatplotlib: Nothing can be drawn.
        OSError: Nothing can be written there.
    """
    out: Path | None = getattr(options, "out", None)
    if out is None:
        return
    from queuestream.lab.report import style  # noqa: PLC0415 - for `queuestream --help`

    style.require_matplotlib()
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "that is a file, and a report is a folder", str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no permission to write a report there", str(there))


def parsed_setting(text: str) -> tuple[str, str]:
    """A knob and where it is to stand, from `KNOB=VALUE`.

    Raises:
        ValueError: The text is something else.
    """
    name, is_set, value = text.partition("=")
    if not is_set or not name.strip():
        raise ValueError(f"a setting is KNOB=VALUE, and {text!r} is none")
    return name.strip(), value.strip()


def settings_of(options: argparse.Namespace) -> dict[str, str]:
    """What was set; the last one counts."""
    return dict(options.settings)


def command_line(*words: object, settings: Mapping[str, object]) -> str:
    """A command of the lab as it is typed."""
    turned = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    return shlex.join(["queuestream", "lab", *map(str, words), *turned])


@contextmanager
def steps(options: argparse.Namespace, total: int, unit: str = "steps") -> Iterator[Callable[..., None]]:
    """A function to be called after each of so many steps, whatever it is called with."""
    done = 0
    with progress_bar(total, unit, wanted=not options.json) as show_progress:

        def step(*_: object) -> None:
            nonlocal done
            done += 1
            show_progress(min(done, total))

        yield step


def write(report: Report, options: argparse.Namespace) -> None:
    """Write a report where it was asked for, and say so."""
    if options.out is None:
        return
    with steps(options, len(report.pictures), "pictures") as drawn:
        report.write(options.out, options.format, drawn)
    if not options.json:
        print(f"\nWritten: {options.out / 'report.html'}")


def show_table(table: Table) -> None:
    """Print a table of the lab's, and an empty line before it."""
    print()
    show(ShownTable(table.title, [Column(*column) for column in table.columns], table.rows))


def complain(options: argparse.Namespace, sentence: str) -> int:
    """Say what makes no sense.

    Returns:
        The exit status.
    """
    print(f"queuestream lab {options.lab_command}: {sentence}", file=sys.stderr)
    return MAKES_NO_SENSE


def _setting(text: str) -> tuple[str, str]:
    try:
        return parsed_setting(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
