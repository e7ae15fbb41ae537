"""Play a scenario at each value of one of its knobs, under many seeds, and tell what came out on average.

Each figure is the mean over the seeds, with the interval that has the true mean with 95 % confidence.

Examples:
  queuestream lab sweep email-queue --parameter consumers --values 1,2,4,8,16
  queuestream lab sweep short-visibility --parameter visibility_timeout --values 2,3,4,5,6,7 --seeds 10
  queuestream lab sweep standard --parameter delivery --values strict,aws_like,adversarial --out sweep
"""

from __future__ import annotations

import argparse

from queuestream.cli.lab_options import (
    ALL_IS_WELL,
    add_output,
    add_settings,
    command_line,
    complain,
    settings_of,
    show_table,
    steps,
    write,
)
from queuestream.cli.tables import say

SUMMARY = "what one knob does, over a range and many seeds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("scenario", metavar="SCENARIO", help="one of `queuestream lab list`")
    parser.add_argument("--parameter", metavar="KNOB", required=True, help="what is varied")
    parser.add_argument(
        "--values",
        metavar="A,B,...",
        required=True,
        type=_values,
        help="where it stands, one after the other",
    )
    parser.add_argument(
        "--seeds",
        metavar="N",
        type=_positive,
        default=20,
        help="how many runs at each value (default %(default)s)",
    )
    parser.add_argument(
        "--figure",
        metavar="NAME",
        action="append",
        help="what is told and drawn, as often as you like, as named in the JSON; by default order, "
        "repeats and waiting, where they change",
    )
    parser.add_argument(
        "--processes",
        metavar="N",
        type=_positive,
        default=1,
        help="how many runs at a time (default %(default)s)",
    )
    add_settings(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Play all of it.

    Returns:
        The exit status.
    """
    from queuestream.lab import running, sweeps  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.lab.report import reports, sweep_plots, tables  # noqa: PLC0415

    settings = settings_of(options)
    if options.figure:  # before all of it is played for nothing
        first = {**settings, options.parameter: options.values[0]}
        there = running.run(options.scenario, seed=1, settings=first).figures()
        if unknown := [name for name in options.figure if name not in there]:
            return complain(options, f"there is no figure {unknown[0]!r}; there are {', '.join(there)}")
    with steps(options, len(options.values) * options.seeds, "runs") as step:
        swept = sweeps.sweep(
            options.scenario,
            options.parameter,
            options.values,
            options.seeds,
            settings=settings,
            processes=options.processes,
            progress=step,
        )
    names = options.figure or sweep_plots.telling_figures(swept)
    if options.json:
        print(swept.to_json(), end="")
    else:
        say(f"{swept.scenario}, by {swept.parameter}")
        show_table(tables.sweep_table(swept, names))
    write(reports.of_sweep(swept, _command(options, settings), names), options)
    return ALL_IS_WELL


def _command(options: argparse.Namespace, settings: dict[str, str]) -> str:
    chosen = [word for name in options.figure or [] for word in ("--figure", name)]
    return command_line(
        "sweep",
        options.scenario,
        "--parameter",
        options.parameter,
        "--values",
        ",".join(options.values),
        "--seeds",
        options.seeds,
        *chosen,
        settings=settings,
    )


def _values(text: str) -> list[str]:
    if values := [value.strip() for value in text.split(",") if value.strip()]:
        return values
    raise argparse.ArgumentTypeError("a sweep needs at least one value")


def _positive(text: str) -> int:
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
