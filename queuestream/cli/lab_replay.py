"""Play a run again and print everything that happens, a line each.

   14.033538 s  consumer-3       receive  message=order-6 5  resource=orders.fifo
   14.033538 s  consumer-2       runs  because=consumer-3
   14.067376 s  consumer-3       runs  because=time
   14.067376 s  consumer-3       crashes  consumer=consumer-3  message=order-6 5

`runs` is a decision of the seed: who acts next, because of what somebody else did, or because its time had
come, and `before` whom, if others could have acted, too.  Other lines are what that actor did then.

A report, and the verdict of a failed test, name the scenario, its settings and the seed: that is all it
takes to see the same run again, in any process and on any machine.

Examples:
  queuestream lab replay email-queue 7
  queuestream lab replay email-queue 7 | grep 'customer-26 1'
  queuestream lab replay consumer-crash 11 --set fifo=false | grep crashes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.cli.lab_options import ALL_IS_WELL, NOT_AS_PROMISED, add_settings, settings_of
from queuestream.cli.tables import say

if TYPE_CHECKING:
    import argparse

SUMMARY = "play a run again, and print what happens, line by line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("scenario", metavar="SCENARIO", help="one of `queuestream lab list`")
    parser.add_argument("seed", metavar="SEED", type=int, help="the run's seed")
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Play, and print.

    Returns:
        The exit status.
    """
    from queuestream.lab import running  # noqa: PLC0415 - for `queuestream --help`

    played = running.replay(options.scenario, options.seed, settings=settings_of(options))
    for entry in played.trace:
        say(str(entry))
    return ALL_IS_WELL if played.verdict.valid else NOT_AS_PROMISED
