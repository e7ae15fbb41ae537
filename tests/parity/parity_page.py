"""The page `docs/reference/parity.md`, made from the parity tests.

`python tests/parity/parity_page.py` writes it.

A row is a parity test: what AWS says and where, by the test's marker, and the ways in that it runs on.
"""

import importlib
import re
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "reference" / "parity.md"

HEAD = """\
# Parity with AWS

What AWS documents, where it says so, and the ways in that were seen to hold it.
Each row is a test that is written once and runs on every way in.
This page is made from those tests, which are in `tests/parity`.

| way in | what it is |
| --- | --- |
| core | `Broker`, `Queue` and `Stream` |
| core replayed | the same, rebuilt before every call from nothing but the changes that were heard |
| core reopened | the same in a file, which before every call is closed, or left by a kill, and opened again |
| operations | the table of AWS's operations, called without a client |
| boto3 in process | a boto3 client with `wire`, or inside `mock_aws` |
| boto3 over HTTP | a boto3 client and `serve` |
| aiobotocore in process | an aiobotocore client with `wire`, or inside `mock_aws` |

Refusals are compared by their code, and where the row's test names one by their sentence.
What is known to differ is [below](#known-differences).
"""

DIFFERENCES = """\
## Known differences

Whatever is not in these tables and differs from what AWS documents is a bug.
[Differences from AWS](../explanation/differences-from-aws.md) explains what was chosen, and why.
"""


class Behaviour(NamedTuple):
    """What one test says of AWS."""

    says: str
    page: str
    not_through: tuple[str, ...]


def topics():
    """The behaviours of each module of tests, under what the module says it is about."""
    found = {}
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        behaviours = dict.fromkeys(
            behaviour
            for name, function in vars(module).items()
            if name.startswith("test_") and (behaviour := behaviour_of(function)) is not None
        )
        if behaviours:
            found[module.__doc__.splitlines()[0].rstrip(".")] = list(behaviours)
    return found


def behaviour_of(function):
    """What a test's markers say; None where it says nothing of AWS."""
    marks = {mark.name: mark for mark in getattr(function, "pytestmark", ())}
    if "aws" not in marks:
        return None
    left_out = marks["not_through"].args if "not_through" in marks else ()
    return Behaviour(*marks["aws"].args, marks["aws"].kwargs["page"], tuple(left_out))


def page():
    """The whole page."""
    parts = [HEAD]
    for topic, behaviours in topics().items():
        rows = "".join(
            f"| {cell(behaviour.says)} | {cell(behaviour.page)} | {ways(behaviour)} |\n"
            for behaviour in behaviours
        )
        parts.append(f"## {topic}\n\n| behaviour | AWS says it in | ways in |\n| --- | --- | --- |\n{rows}")
    parts.append(DIFFERENCES)
    from known_differences import BY_SERVICE

    for service, differences in BY_SERVICE.items():
        rows = "".join(
            f"| {cell(one.at_aws)} | {cell(one.here)} | {link(one.heading)} |\n" for one in differences
        )
        parts.append(f"### {service}\n\n| at AWS | here | more |\n| --- | --- | --- |\n{rows}")
    return "\n".join(parts)


def ways(behaviour):
    """The ways in that hold a behaviour, in as few words as possible."""
    return f"all but {', '.join(behaviour.not_through)}" if behaviour.not_through else "all"


def cell(text):
    """Text inside a table."""
    return text.replace("|", "\\|")


def link(heading):
    """A heading of the page that explains the differences."""
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[{heading}](../explanation/differences-from-aws.md#{anchor})"


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    PAGE.write_text(page(), encoding="utf-8")
