"""The suite itself: what it says to whoever holds an engine to it."""

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

MINE = """
import pytest
from queuestream import Broker, VirtualClock
from queuestream.testing.conformance import QueueConformance

class Forgetful(Broker):
    def create_queue(self, queue_name, *, tags=None, **attributes):
        return super().create_queue(queue_name, **attributes)

class TestMine(QueueConformance):
    {said}

    @pytest.fixture
    def broker(self):
        with {engine} as broker:
            yield broker
"""


@pytest.fixture
def run(pytester):
    """Runs some of the suite's tests on an engine, of which something is said."""

    def run(tests, said="pass", engine="Forgetful(clock=VirtualClock())"):
        pytester.makepyfile(test_mine=MINE.format(said=said, engine=engine))
        options = ("-W", "error", "-p", "no:cacheprovider", "--strict-markers", "-rA")
        return pytester.runpytest_inprocess(*options, "-k", tests)

    return run


def test_an_engine_that_differs_fails_and_what_was_compared_is_shown(run):
    result = run("made_with_tags")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert {} == {'team': 'mail'}*"])


def test_a_known_difference_is_expected_with_its_culprit(run):
    known = 'known_differences = {"test_a_queue_is_made_with_tags": "the engine forgets tags"}'
    result = run("made_with_tags", known)
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["*test_a_queue_is_made_with_tags - the engine forgets tags*"])


def test_a_known_difference_that_is_gone_is_reported(run):
    known = 'known_differences = {"test_a_delay_out_of_range_is_refused[901]": "no limit"}'
    result = run("delay_out_of_range", known)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*no limit*"])


def test_what_an_engine_does_without_is_left_out_with_the_reason(run):
    result = run("made_with_tags", 'capabilities = QueueConformance.capabilities - {"tags"}')
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*the engine does without tags: tags of queues*"])


def test_what_takes_too_long_is_left_out(run):
    result = run("twelve_hours_are", "patience_seconds = 60")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*43199 seconds are more than the engine is waited for*"])


def test_an_engine_whose_time_cannot_be_moved_is_not_waited_for(run):
    result = run("twelve_hours_are or comes_when_its_delay", engine="Broker()")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*the engine's time cannot be moved*"])
