"""A run as text: a line while it goes on, a Markdown table and JSON to keep.

What is kept names the kind of machine, and neither its name nor a path on it.
"""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.harness import Effort, Finding

_PACKAGES = (
    "attrs",
    "sortedcontainers",
    "kombu",
    "litequeue",
    "moto",
    "boto3",
    "uvicorn",
    "uvloop",
    "httptools",
)
_HEADINGS = ("row", "what", "cost", "compared with", "its cost", "ratio (quartiles)", "goal", "met")
_WIDTHS = (3, 56, 8, 36, 8, 22, 5, 3)


def machine(effort: Effort) -> dict[str, Any]:
    """What a reader has to know to judge the figures."""
    return {
        "date": datetime.now(tz=UTC).date().isoformat(),
        "effort": effort.name,
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {package: _version(package) for package in _PACKAGES},
    }


def heading() -> str:
    """The first lines of the table that is printed while the run goes on."""
    return f"{_line(_HEADINGS)}\n{_line('-' * width for width in _WIDTHS)}"


def line(finding: Finding) -> str:
    """One line of that table."""
    return _line(_cells(finding))


def markdown(about: dict[str, Any], findings: Iterable[Finding]) -> str:
    """The whole run as a page."""
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    lines = [
        f"# Benchmarks of {about['date']}",
        "",
        (
            f"{about['python']} on {about['cpu']}, {about['cpus']} CPUs, {about['system']}; "
            f"a {about['effort']} run; {packages}."
        ),
        "Costs are CPU time; a ratio is the median of paired rounds, its quartiles in brackets.",
        "",
        "| " + " | ".join(_HEADINGS) + " |",
        "|" + " --- |" * len(_HEADINGS),
        *("| " + " | ".join(_cells(finding)) + " |" for finding in findings),
        "",
    ]
    return "\n".join(lines)


def as_json(about: dict[str, Any], findings: Iterable[Finding]) -> str:
    """The whole run for machines."""
    rows = [
        {
            "row": finding.row,
            "what": finding.what,
            "against": finding.against,
            "ratio": finding.ratio and round(finding.ratio.median, 4),
            "quartiles": finding.ratio and [round(finding.ratio.low, 4), round(finding.ratio.high, 4)],
            "goal": finding.goal,
            "goal_is": None if finding.goal is None else "at least" if finding.at_least else "at most",
            "met": finding.met,
            "cost": finding.cost,
            "cost_against": finding.cost_against,
        }
        for finding in findings
    ]
    return json.dumps({**about, "findings": rows}, indent=1, ensure_ascii=False) + "\n"


def _cells(finding: Finding) -> tuple[str, ...]:
    ratio = finding.ratio
    return (
        finding.row,
        finding.what,
        finding.cost,
        finding.against,
        finding.cost_against,
        "" if ratio is None else f"{_number(ratio.median)} ({_number(ratio.low)} to {_number(ratio.high)})",
        "" if finding.goal is None else f"{'≥' if finding.at_least else '≤'} {finding.goal:g}",
        {True: "yes", False: "NO", None: ""}[finding.met],
    )


def _number(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}"


def _line(cells: Iterable[str]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _cpu() -> str:
    about = Path("/proc/cpuinfo")
    if about.exists():
        for text in about.read_text(encoding="utf-8", errors="replace").splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
