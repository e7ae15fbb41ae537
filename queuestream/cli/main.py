"""The command `queuestream`.

Each subcommand is a module of this package with three names: `SUMMARY`, one line for the list
of commands; `add_arguments(parser)`; and `run(options)`, which gives the exit status.  To add
one, write the module and name it in `_COMMANDS`.  Such a module imports what it works with
in `run`, so that `queuestream --help` stays quick.

Exit status: 0 where all is well, 1 where something is not as it should be, 2 where the
command line or the input makes no sense, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

import queuestream
from queuestream.cli.parsing import add_commands

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each is a module of this package, whose name cannot always be the command's.
_COMMANDS = {
    "demo": "demo",
    "lab": "lab",
    "serve": "serve",
    "inspect": "inspect",
    "export": "export",
    "import": "import_",
}

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; the process' own where None.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("queuestream: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left.  Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="queuestream",
        description="Amazon SQS and Amazon Kinesis Data Streams inside your process, on a clock you own.",
        epilog="See `queuestream COMMAND --help` for what a command does.",
    )
    parser.add_argument("--version", action="version", version=f"queuestream {queuestream.__version__}")
    for _, command, subparser in add_commands(parser, _COMMANDS):
        subparser.set_defaults(run=command.run)
    return parser
