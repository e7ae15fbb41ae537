"""The benchmarks still run: every row, with sizes so small that its figures mean nothing."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = (
    *("Q1", "Q2", "Q3", "V1", "Q4", "Q5"),
    *("S1", "S2", "S3", "S4"),
    *("T1",),
    *("D1", "D2", "D3", "D4", "D5"),
    *("B1", "B2", "B3", "B4", "B5", "B6"),
    *("H1", "H2", "H3"),
    *("L1", "L2"),
)

ROOT = Path(__file__).parents[1]


def run(*arguments):
    """In a process of its own, which leaves less to the garbage collector that is asked so often."""
    command = [sys.executable, "-W", "error", "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.__main__")


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """What came of a run of all the rows, and the findings it has kept."""
    kept = tmp_path_factory.mktemp("benchmarks") / "findings.json"
    done = run("--smoke", "--json", str(kept))
    return done, json.loads(kept.read_text(encoding="utf-8"))["findings"]


def test_these_are_all_the_rows(benchmarks):
    assert tuple(benchmarks.ROWS) == ROWS


@pytest.mark.slow
def test_they_run(everything):
    done, _ = everything
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS)
def test_a_row_finds_something_and_shows_it(everything, row):
    done, findings = everything
    assert row in {finding["row"] for finding in findings}
    assert any(line.startswith(row) for line in done.stdout.splitlines())


def test_a_row_runs_alone():
    rows = [line[:2] for line in run("--smoke", "--only", "q1").stdout.splitlines() if line[:2] in ROWS]
    assert set(rows) == {"Q1"}


def test_help_names_every_row(benchmarks, capsys):
    with pytest.raises(SystemExit) as exit_:
        benchmarks.main(["--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"  {row}  " in shown for row in ROWS)


def test_a_row_that_does_not_exist_is_refused(benchmarks, capsys):
    with pytest.raises(SystemExit):
        benchmarks.main(["--only", "Q9"])
    assert "there is no row 'Q9'" in capsys.readouterr().err


def test_a_profile_names_our_functions():
    assert "receive" in run("--smoke", "--profile", "Q1").stdout
