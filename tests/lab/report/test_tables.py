"""Rows for reading, from runs and verdicts."""

import pytest

from queuestream.lab.report import tables


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reordered_ratio_global", "late, over all"),
        ("max_extent_key", "places late, at most, within a key"),
        ("wait_p99", "99 % waited no longer than, s"),
        ("quiet_wait_p50", "quiet: half waited no longer than, s"),
        ("last_put_seconds", "last put, s"),
        ("busiest_share", "busiest"),
    ],
)
def test_a_figure_has_a_name_for_people(name, text):
    assert tables.label_of(name) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("reordered_ratio_global", 0.125, "12.5 %"),
        ("reordered_ratio_global", 1.0, "100 %"),
        ("deliveries", 1234, "1,234"),
        ("wait_p50", 0.12345, "0.1235"),
        ("wait_p50", 1234.5, "1,234"),
        ("wait_p50", None, ""),
    ],
)
def test_a_figure_is_told_with_the_digits_that_matter(name, value, text):
    assert tables.figure_text(name, value) == text
