"""The benchmarks still run: every row, with sizes so small that its figures mean nothing."""

import importlib
from pathlib import Path

import pytest

ROWS = (
    *("Q1", "Q2", "Q3", "V1", "Q4", "Q5"),
    *("S1", "S2", "S3", "S4"),
    *("T1",),
    *("B1", "B2", "B3", "B4", "B5", "B6"),
    *("H1", "H2", "H3"),
)


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    return importlib.import_module("benchmarks.__main__")


def test_these_are_all_the_rows(benchmarks):
    assert tuple(benchmarks.ROWS) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_a_row_runs(benchmarks, row, tmp_path, capsys):
    kept = tmp_path / "findings.json"
    assert benchmarks.main(["--smoke", "--only", row, "--json", str(kept)]) == 0
    assert f'"row": "{row}"' in kept.read_text(encoding="utf-8")
    assert row in capsys.readouterr().out


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


def test_a_profile_names_our_functions(benchmarks, capsys):
    assert benchmarks.main(["--smoke", "--profile", "Q1"]) == 0
    assert "receive" in capsys.readouterr().out
