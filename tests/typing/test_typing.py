"""A typed program's view of queuestream, as mypy sees it."""

import subprocess
import sys
from pathlib import Path

import pytest

VIEW = Path(__file__).with_name("a_users_view.py")


@pytest.mark.slow
def test_a_typed_program_sees_the_types_that_it_expects():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(VIEW)],
        capture_output=True,
        text=True,
        check=False,
        cwd=VIEW.parents[2],
    )
    assert (done.stdout, done.stderr) == ("", "")
