"""A queue that departs from order can be rebuilt from its changes, its rows and its file, and goes on alike.

The models of replay, of rows and of files that are opened again try all kinds of calls on many queues;
here they try those of one busy queue whose messages are spread, overtaken, copied and come back.
"""

import pytest
from hypothesis import given, settings
from queue_calls import BUSY_DELIVERY, BUSY_STEPS, LIMITS
from test_queue_rows_model import BETWEEN
from test_queue_rows_model import same as same_from_rows
from test_reopened import BETWEEN as BETWEEN_CALLS
from test_reopened import same as same_reopened
from test_replay import check_refusals, check_twin

from queuestream.core.queues.consistency import AT_ONCE

FOR_LONG = settings(max_examples=250)
ROOMY = LIMITS._replace(in_flight_max=100)


@settings(max_examples=15)
@given(BUSY_STEPS, BUSY_STEPS, BUSY_DELIVERY)
def test_a_departing_queue_is_rebuilt_from_its_changes(steps, further_steps, delivery):
    check_twin(steps, further_steps, AT_ONCE, delivery)


@pytest.mark.slow
@FOR_LONG
@given(BUSY_STEPS, BUSY_STEPS, BUSY_DELIVERY)
def test_a_departing_queue_is_rebuilt_from_its_changes_for_long(steps, further_steps, delivery):
    check_twin(steps, further_steps, AT_ONCE, delivery)


@settings(max_examples=6)
@given(BUSY_STEPS, BUSY_DELIVERY)
def test_where_a_listener_raises_nothing_has_departed(steps, delivery):
    check_refusals(steps, AT_ONCE, delivery)


@settings(max_examples=15)
@given(BUSY_STEPS, BETWEEN, BUSY_DELIVERY)
def test_a_departing_queue_goes_on_from_its_rows(steps, between, delivery):
    same_from_rows(steps, between, AT_ONCE, delivery, ROOMY)


@pytest.mark.slow
@FOR_LONG
@given(BUSY_STEPS, BETWEEN, BUSY_DELIVERY)
def test_a_departing_queue_goes_on_from_its_rows_for_long(steps, between, delivery):
    same_from_rows(steps, between, AT_ONCE, delivery, ROOMY)


@pytest.mark.slow
@settings(max_examples=40)
@given(BUSY_STEPS, BETWEEN_CALLS, BUSY_DELIVERY)
def test_a_departing_queue_goes_on_from_its_file(tmp_path_factory, steps, between, delivery):
    same_reopened(steps, between, AT_ONCE, delivery, tmp_path_factory.mktemp("kept"))
