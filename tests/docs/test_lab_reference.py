"""The lab's reference names what there is: commands, options, scenarios, an event's fields."""

import argparse
import re

import attrs
from pages import ROOT, names_in

from queuestream.cli import lab
from queuestream.lab import SCENARIOS, run
from queuestream.lab.history import OPERATIONS, Event

PAGE = ROOT / "docs" / "reference" / "lab.md"


def commands():
    """The parser of each command of the lab."""
    parser = argparse.ArgumentParser()
    lab.add_arguments(parser)
    [action] = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return action.choices


def test_every_command_and_every_option_is_in_the_reference():
    text = PAGE.read_text(encoding="utf-8")
    options = {}
    for name, parser in commands().items():
        assert f"`queuestream lab {name} " in text
        for action in parser._actions:
            for option in set(action.option_strings) - {"-h", "--help"}:
                options.setdefault(option, []).append(name)
    shown = {
        option: of.split(", ")
        for option, of in re.findall(r"^\| `(--\w+)[^|]*\| ([a-z, ]+) \|", text, re.MULTILINE)
    }
    assert shown == options


def test_every_scenario_is_in_the_reference():
    assert set(re.findall(r"`([a-z-]+)`", PAGE.read_text(encoding="utf-8"))) >= set(SCENARIOS)


def test_every_field_of_an_event_is_in_the_reference():
    fields = {field.name for field in attrs.fields(Event)}
    assert fields | set(OPERATIONS) <= names_in(PAGE)


def test_every_row_of_a_runs_table_is_explained_in_the_reference():
    text = PAGE.read_text(encoding="utf-8")
    rows = [row for row, *_ in run("fifo", settings={"messages": 5}).measures["global"].rows()]
    explained = re.findall(r"^\| ([^|`]+) \|", text.partition("| row | meaning |")[2], re.MULTILINE)
    assert [row for row in explained if not row.startswith("-")][: len(rows)] == rows
