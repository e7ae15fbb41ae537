"""A typed program's view of queuestream, as mypy sees it."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VIEWS = sorted(map(str, HERE.glob("a_*view*.py")))


@pytest.mark.slow
def test_a_typed_program_sees_the_types_that_it_expects():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *VIEWS],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parents[1],
    )
    assert (done.stdout, done.stderr) == ("", "")
