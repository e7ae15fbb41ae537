"""What the parsers of several commands have in common."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType


def add_commands(
    parser: argparse.ArgumentParser, modules: Mapping[str, str]
) -> Iterator[tuple[str, ModuleType, argparse.ArgumentParser]]:
    """Give a parser its commands, one by one.

    Args:
        parser: To be given them.
        modules: The module of this package for each command, by the command's name.

    Yields:
        Each command's name, its module and its parser, which has its arguments already.
    """
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in modules.items():
        command = import_module(f"queuestream.cli.{module}")
        subparser = commands.add_parser(
            name,
            help=command.SUMMARY,
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        yield name, command, subparser


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Adds `--seed`."""
    parser.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=7,
        help="decides every chance: the same N, the same run (default %(default)s)",
    )
