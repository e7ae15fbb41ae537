"""List the scenarios, or the knobs of one.

Examples:
  queuestream lab list
  queuestream lab list noisy-neighbour
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from queuestream.cli.lab_options import ALL_IS_WELL, show_table
from queuestream.cli.tables import say

if TYPE_CHECKING:
    import argparse

    from queuestream.lab.scenarios import Scenario

SUMMARY = "list the scenarios, or the knobs of one"

_WIDTH = 92


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("scenario", metavar="SCENARIO", nargs="?", help="show its knobs")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(options: argparse.Namespace) -> int:
    """List them.

    Returns:
        The exit status.
    """
    from queuestream.lab.report import tables  # noqa: PLC0415 - for `queuestream --help`
    from queuestream.lab.running import scenario_of  # noqa: PLC0415
    from queuestream.lab.scenarios import SCENARIOS  # noqa: PLC0415
    from queuestream.lab.scenarios.knobs import shown  # noqa: PLC0415

    every = list(SCENARIOS.values())
    chosen = every if options.scenario is None else [type(scenario_of(options.scenario))]
    if options.json:
        print(json.dumps({scenario.name: _document(scenario) for scenario in chosen}, indent=2))
        return ALL_IS_WELL
    for scenario in chosen:
        say(f"{scenario.name}\n{textwrap.indent(textwrap.fill(scenario.teaches(), _WIDTH), '    ')}")
    if options.scenario is None:
        say("\nPlay one:  queuestream lab run SCENARIO      Its knobs:  queuestream lab list SCENARIO")
    else:
        show_table(tables.knobs_table(chosen[0]))
        knob = next(iter(chosen[0].knobs().values()))
        say(f"\nTurn one:  queuestream lab run {options.scenario} --set {knob.name}={shown(knob.default)}")
    return ALL_IS_WELL


def _document(scenario: type[Scenario]) -> dict[str, Any]:
    return {
        "teaches": scenario.teaches(),
        "knobs": {
            name: {"default": knob.default, "range": knob.range, "unit": knob.unit, "help": knob.help}
            for name, knob in scenario.knobs().items()
        },
    }
