"""Play a scenario, and tell what it has shown: findings, figures, a verdict.

With --out there is a page to look at, with a picture for each question: in what order did messages come,
how far from their place, who worked on what and when, how long did they wait; and the run as JSON,
with its history, a line for each thing that a client did.

Examples:
  queuestream lab run email-queue
  queuestream lab run email-queue --seed 11 --set consumers=8 --set visibility_timeout=10
  queuestream lab run noisy-neighbour --set fair=false --out noisy
  queuestream lab run one-shard --json | jq .measures.global
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.cli.lab_options import (
    ALL_IS_WELL,
    NOT_AS_PROMISED,
    add_output,
    add_settings,
    settings_of,
    show_table,
    steps,
    write,
)
from queuestream.cli.parsing import add_seed
from queuestream.cli.tables import say

if TYPE_CHECKING:
    import argparse

    from queuestream.lab.running import Run

SUMMARY = "play a scenario: findings, figures, a verdict, pictures"

STAGES = 3
"""What a run goes through: playing, checking, measuring."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("scenario", metavar="SCENARIO", help="one of `queuestream lab list`")
    add_seed(parser)
    add_settings(parser)
    add_output(parser)
    parser.add_argument(
        "--trace",
        action="store_true",
        help="print all that happens, too, line by line (`queuestream lab replay` prints nothing else)",
    )


def run(options: argparse.Namespace) -> int:
    """Play, judge, report.

    Returns:
        The exit status.
    """
    from queuestream.lab import running  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.lab.report import reports  # noqa: PLC0415

    with steps(options, STAGES) as step:
        played = running.run(
            options.scenario,
            seed=options.seed,
            settings=settings_of(options),
            trace=options.trace,
            progress=step,
        )
    if options.json:
        print(played.to_json(), end="")
    else:
        tell(played)
    write(reports.of_run(played), options)
    return ALL_IS_WELL if played.verdict.valid else NOT_AS_PROMISED


def tell(played: Run) -> None:
    """Print what a run has shown."""
    from queuestream.lab.report import tables  # noqa: PLC0415 - for `queuestream --help`

    for entry in played.trace:
        say(str(entry))
    say(f"{played.name}, seed {played.seed}\n")
    for finding in played.findings:
        say(f"- {finding}")
    show_table(tables.measures_table(played.measures))
    if own := played.scenario.figures(played):
        show_table(tables.own_figures_table(own))
    say(f"\n{played.verdict}\n")
    say(f"Again:  {played.command}")
