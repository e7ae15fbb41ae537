"""See what order and delivery a queue or a stream really gives: seeded scenarios, verdicts, pictures.

A scenario is a small story that teaches one thing: what a visibility timeout does that is shorter than
the work, what a noisy neighbour costs, what a split does to a key's order.  It is played in virtual
time, and its seed decides every chance: the same seed, the same run, wherever it is played.

  queuestream lab list                            what there is to be played
  queuestream lab list email-queue                and what can be set
  queuestream lab run email-queue                 play one, and read what it has shown
  queuestream lab run email-queue --out report    and look at it: report/report.html
  queuestream lab compare standard fifo stream    the same load on each
  queuestream lab sweep email-queue --parameter consumers --values 1,2,4,8
                                                  what one setting does, over many seeds
  queuestream lab check history.jsonl             a verdict on what clients of any queue saw
  queuestream lab replay email-queue 7            what happened in a run, line by line

Exit status: 0 where all promises were kept, 1 where one was not, 2 where the command line or the
input makes no sense.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.cli.lab_options import check_output, complain
from queuestream.cli.parsing import add_commands

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

SUMMARY = "see what order a queue or stream really gives: scenarios, verdicts, pictures"

_COMMANDS = {name: f"lab_{name}" for name in ("list", "run", "compare", "sweep", "check", "replay")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of the lab; each is a module as those of `queuestream` are."""
    for name, command, subparser in add_commands(parser, _COMMANDS):
        subparser.set_defaults(lab=command.run, lab_command=name)


def run(options: argparse.Namespace) -> int:
    """Do what was asked for.

    Returns:
        The exit status.
    """
    from queuestream.lab.report.missing import PictureNeedsMatplotlib  # noqa: PLC0415 - for `--help`
    from queuestream.lab.running import UnknownScenario  # noqa: PLC0415
    from queuestream.lab.scenarios import SettingError  # noqa: PLC0415

    command: Callable[[argparse.Namespace], int] = options.lab
    try:
        check_output(options)  # before anything is played
        return command(options)
    except BrokenPipeError:
        raise  # whoever read our output has left: nobody is to be told
    except (UnknownScenario, SettingError, PictureNeedsMatplotlib) as error:
        return complain(options, str(error))
    except OSError as error:
        return complain(options, f"{error.filename or 'cannot write'}: {error.strerror or error}")
