"""The reference of the checkers names every anomaly with the promises it breaks, and all of a verdict."""

import inspect
import re

import attrs
import pytest
from pages import ROOT

from queuestream.lab.checkers import Anomaly, Tally, Verdict, check
from queuestream.lab.checkers.verdicts import KINDS, PROMISES

PAGE = (ROOT / "docs/reference/checkers.md").read_text(encoding="utf-8")


def test_the_table_of_promises_is_the_one_that_is_judged_by():
    rows = re.findall(r"^\| `([\w-]+)` \| (.) \| (.) \| (.) \|$", PAGE, re.MULTILINE)
    broken = {
        kind: tuple(promise for promise, mark in zip(PROMISES, marks, strict=True) if mark == "✗")
        for kind, *marks in rows
    }
    assert broken == KINDS


@pytest.mark.parametrize("handed_out", [Verdict, Tally, Anomaly])
def test_all_that_a_verdict_has_is_in_the_reference(handed_out):
    names = {field.name for field in attrs.fields(handed_out)}
    names |= {name for name in vars(handed_out) if not name.startswith("_")} - {"add"}
    assert names - {*re.findall(r"`(\w+)[`(]", PAGE)} == set()


def test_every_argument_of_check_is_in_the_reference():
    assert {*inspect.signature(check).parameters} - {
        *re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    } == set()
