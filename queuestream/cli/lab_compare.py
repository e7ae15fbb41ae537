"""Play scenarios under the same seed, and show them side by side.

A setting goes to every scenario that has such a knob.  One that is for a single scenario stands behind
its name and a colon; so a scenario can be compared with itself.

Examples:
  queuestream lab compare standard fifo stream
  queuestream lab compare standard fifo stream --set messages=48 --set keys=4 --out side-by-side
  queuestream lab compare noisy-neighbour:fair=false noisy-neighbour:fair=true
  queuestream lab compare email-queue:consumers=1 email-queue:consumers=8,delivery=strict
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.cli.lab_options import (
    ALL_IS_WELL,
    NOT_AS_PROMISED,
    add_output,
    add_settings,
    command_line,
    complain,
    parsed_setting,
    settings_of,
    show_table,
    steps,
    write,
)
from queuestream.cli.lab_run import STAGES
from queuestream.cli.parsing import add_seed
from queuestream.cli.tables import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

SUMMARY = "play several scenarios under one seed, side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "scenarios",
        metavar="SCENARIO[:KNOB=VALUE,...]",
        nargs="+",
        help="two or more of `queuestream lab list`, each with settings of its own",
    )
    add_seed(parser)
    add_settings(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Play each, and compare.

    Returns:
        The exit status.
    """
    from queuestream.lab import running  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.lab.report import reports, tables  # noqa: PLC0415
    from queuestream.lab.scenarios import SettingError  # noqa: PLC0415

    if len(options.scenarios) < 2:
        return complain(options, "there is nothing to compare; name two scenarios or more")
    shared = settings_of(options)
    chosen = []
    for text in options.scenarios:
        name, own = _parsed(text)
        knobs = running.scenario_of(name).knobs()
        chosen.append((name, {**{knob: shared[knob] for knob in shared if knob in knobs}, **own}))
    for knob in shared:
        if not any(knob in settings for _, settings in chosen):
            raise SettingError(f"None of these scenarios has a knob {knob!r}.")

    with steps(options, STAGES * len(chosen)) as step:
        runs = [
            running.run(name, seed=options.seed, settings=settings, progress=step)
            for name, settings in chosen
        ]
    if options.json:
        print(reports.comparison_json(runs), end="")
    else:
        titles = reports.titles_of(runs)
        show_table(tables.figures_table(titles))
        for title, played in titles.items():
            say(f"\n{title}: {tables.verdict_sentence(played.verdict)}")
            for finding in played.findings:
                say(f"- {finding}")
    command = command_line("compare", *options.scenarios, "--seed", options.seed, settings=shared)
    write(reports.of_comparison(runs, command), options)
    return ALL_IS_WELL if all(played.verdict.valid for played in runs) else NOT_AS_PROMISED


def _parsed(text: str) -> tuple[str, Mapping[str, str]]:
    """A scenario and its own settings, from `name:knob=value,knob=value`."""
    name, _, settings = text.partition(":")
    from queuestream.lab.scenarios import SettingError  # noqa: PLC0415 - for `queuestream --help`

    try:
        return name, dict(parsed_setting(setting) for setting in settings.split(",") if setting)
    except ValueError as error:
        raise SettingError(f"In {text!r}, {error}.") from None
