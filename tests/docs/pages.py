"""README.md and docs/ as tests see them: pages, and the blocks of Python in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(
    r"^ *(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<body>.*?)^ *(?P=fence) *$", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    """A fenced block of Python.

    Attributes:
        line: How many lines of the page come before the code.
    """

    code: str
    line: int

    @property
    def is_session(self) -> bool:
        """Whether it shows what was typed at Python's prompt."""
        return ">>> " in self.code


def name_of(page: Path) -> str:
    """How a failure names a page."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """The blocks of Python on a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(match["body"], text.count("\n", 0, match.start("body")))
        for match in _FENCE.finditer(text)
        if match["info"].split()[:1] in (["python"], ["pycon"])
    ]


def prose_of(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def names_in(page: Path) -> set[str]:
    """Every identifier that a page sets in code, in a fenced block or between backticks."""
    text = page.read_text(encoding="utf-8")
    code = [match["body"] for match in _FENCE.finditer(text)] + re.findall(r"`([^`\n]+)`", prose_of(page))
    return {name for piece in code for name in re.findall(r"[A-Za-z_]\w*", piece)}
