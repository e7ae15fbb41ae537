"""The AWS SDKs for JavaScript, and npm's sqs-consumer; the flows are in `node/`, one file each."""

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.slow]

FLOWS = Path(__file__).parent / "node"


@pytest.mark.parametrize("flow", sorted(path.name for path in FLOWS.glob("*.test.mjs")))
def test_a_javascript_client_gets_what_it_expects(flow, node, environment):
    finished = subprocess.run(
        [node, "--test", "--test-reporter=tap", "--test-timeout=60000", flow],
        cwd=FLOWS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    # A file without a test passes, too.
    [passed] = re.findall(r"^# pass (\d+)$", finished.stdout, re.MULTILINE)
    assert int(passed) > 1
    assert "# skipped 0\n" in finished.stdout
