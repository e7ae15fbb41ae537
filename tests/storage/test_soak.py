"""A bounded queue at full speed stays what it is; `soak.py` has the long run, and prints what it sees."""

import pytest
from soak import HEADER, Soak, Window, grown

MESSAGES = 400_000
WINDOWS = 16


@pytest.mark.slow
def test_a_bounded_queue_at_full_speed_takes_no_more_space_memory_or_time_than_at_first(tmp_path):
    soak = Soak(tmp_path)
    lines = [soak.window(MESSAGES // WINDOWS).line() for _ in range(WINDOWS)]

    assert grown(soak.windows) == {}, "\n".join([HEADER, *lines])
    soak.broker.check_invariants()
    soak.close()
    assert soak.path.stat().st_size < 8 << 20
    assert [file.name for file in tmp_path.iterdir()] == ["soak.db"]


def test_what_grows_is_seen():
    windows = [
        Window(
            messages=100_000 * number,
            per_second=30_000.0,
            p50=(5.0, 5.0 + 2 * number, 5.0),
            p99=(40.0, 40.0, 40.0),
            file=2.0 + number,
            wal=8.0,
            journal=32.0,
            memory=50.0 + number / 20,
        )
        for number in range(1, 41)
    ]
    assert set(grown(windows)) == {"file", "receive p50"}
