"""Sweeps: a knob over a range, many seeds, means and their confidence intervals."""

import json
import statistics

import pytest

from queuestream.lab.scenarios import SettingError
from queuestream.lab.sweeps import Estimate, sweep


def test_a_sweep_shows_what_a_knob_does():
    swept = sweep("short-visibility", "visibility_timeout", [3, 8], seeds=3, settings={"messages": 30})
    assert [point.value for point in swept.points] == [3, 8]
    assert [point.runs for point in swept.points] == [point.valid for point in swept.points] == [3, 3]
    assert swept.points[0].mean("delivered_again") > 1
    assert swept.points[1].mean("delivered_again") == 0
    assert "reordered_ratio_key" in swept.figures()
    assert swept.settings["messages"] == 30
    assert "visibility_timeout" not in swept.settings


def test_a_sweep_is_told_as_json_and_its_progress_is_told():
    told = []
    swept = sweep(
        "standard",
        "consumers",
        ["1", "2"],
        seeds=[4, 9],
        settings={"messages": 10},
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    as_json = json.loads(swept.to_json())
    assert as_json["seeds"] == [4, 9]
    assert [point["value"] for point in as_json["points"]] == [1, 2]
    assert as_json["points"][0]["estimates"]["sent"] == {
        "mean": 10.0,
        "low": 10.0,
        "high": 10.0,
        "least": 10,
        "most": 10,
    }


def test_an_estimate_is_the_mean_and_the_interval_of_student():
    # Gosset's own data (1908): the extra sleep of ten patients; R's t.test gives 0.7001142 to 2.4598858.
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    estimate = Estimate.of(sleep)
    assert estimate.mean == 1.58
    assert (estimate.low, estimate.high) == pytest.approx((0.7001142, 2.4598858), abs=2e-4)
    assert (estimate.least, estimate.most) == (0.0, 4.6)


@pytest.mark.parametrize(
    ("runs", "t"), [(2, 12.7062), (21, 2.0860), (31, 2.0423), (41, 2.0211), (121, 1.9799)]
)
def test_the_more_runs_the_narrower_is_the_interval(runs, t):
    values = [float(number % 7) for number in range(runs)]
    estimate = Estimate.of(values)
    half = t * statistics.stdev(values) / runs**0.5
    assert estimate.high - estimate.mean == pytest.approx(half, rel=1e-3)
    assert estimate.mean - estimate.low == pytest.approx(half, rel=1e-3)


def test_a_single_run_has_no_interval():
    assert Estimate.of([3]) == Estimate(3, 3, 3, 3, 3)


def test_what_cannot_be_swept_is_refused_before_anything_is_played():
    with pytest.raises(SettingError, match="consumers=0 is not"):
        sweep("standard", "consumers", [4, 0], seeds=1)
    with pytest.raises(SettingError, match="no knob 'workers'"):
        sweep("standard", "workers", [4], seeds=1)
    with pytest.raises(ValueError, match="at least one value and one seed"):
        sweep("standard", "consumers", [], seeds=1)
    with pytest.raises(ValueError, match="at least one value and one seed"):
        sweep("standard", "consumers", [1], seeds=0)
    with pytest.raises(ValueError, match="seeds that differ"):
        sweep("standard", "consumers", [1], seeds=[3, 4, 3])


@pytest.mark.slow
def test_several_processes_give_the_same_bytes():
    arguments = ("email-queue", "consumers", [1, 4], 3)
    settings = {"messages": 30}
    alone = sweep(*arguments, settings=settings)
    together = sweep(*arguments, settings=settings, processes=2)
    assert together.to_json() == alone.to_json()
