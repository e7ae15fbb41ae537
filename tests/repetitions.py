"""Tests of threads and tasks, whose turns are the machine's choice: one run says little."""

import pytest

AGAIN_AND_AGAIN = pytest.mark.parametrize(
    "round_number",
    [pytest.param(number, marks=pytest.mark.slow if number >= 10 else ()) for number in range(50)],
    ids=str,
)
