"""What is set about an account: its minimum throughput billing commitment."""

from datetime import UTC, datetime, timedelta

import pytest

from queuestream import Broker, VirtualClock
from queuestream.core.errors import BrokerClosed, ValidationException

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock():
    return VirtualClock(start=START)


@pytest.fixture
def broker(clock):
    return Broker(clock=clock)


def seen(broker):
    """Status, start, end, and the earliest end."""
    commitment = broker.describe_account_settings().minimum_throughput_billing_commitment
    return (
        commitment.status,
        commitment.started_at,
        commitment.ended_at,
        commitment.earliest_allowed_end_at,
    )


def test_an_account_begins_without_a_commitment(broker):
    assert seen(broker) == ("DISABLED", None, None, None)
    broker.update_account_settings("DISABLED")
    assert seen(broker) == ("DISABLED", None, None, None)


def test_a_commitment_begins_at_once_and_may_end_after_a_day(broker, clock):
    assert broker.update_account_settings("ENABLED") == broker.describe_account_settings()
    assert seen(broker) == ("ENABLED", START, None, START + DAY)
    clock.advance(hours=12)
    broker.update_account_settings("ENABLED")
    assert seen(broker) == ("ENABLED", START, None, START + DAY)
    clock.advance(hours=36)
    broker.update_account_settings("DISABLED")
    assert seen(broker) == ("DISABLED", START, START + 2 * DAY, None)


def test_a_commitment_that_is_ended_early_goes_on_until_its_day_is_over(broker, clock):
    broker.update_account_settings("ENABLED")
    clock.advance(hours=1)
    broker.update_account_settings("DISABLED")
    broker.update_account_settings("DISABLED")
    clock.advance(hours=23, nanoseconds=-1)
    assert seen(broker) == ("ENABLED_UNTIL_EARLIEST_ALLOWED_END", START, None, START + DAY)
    clock.advance(nanoseconds=1)
    assert seen(broker) == ("DISABLED", START, START + DAY, None)


def test_an_end_that_has_not_come_can_be_taken_back(broker, clock):
    broker.update_account_settings("ENABLED")
    broker.update_account_settings("DISABLED")
    broker.update_account_settings("ENABLED")
    assert seen(broker) == ("ENABLED", START, None, START + DAY)
    clock.advance(hours=48)
    assert seen(broker)[0] == "ENABLED"


def test_the_next_commitment_has_a_day_of_its_own(broker, clock):
    broker.update_account_settings("ENABLED")
    clock.advance(hours=24)
    broker.update_account_settings("DISABLED")
    broker.update_account_settings("ENABLED")
    assert seen(broker) == ("ENABLED", START + DAY, None, START + 2 * DAY)


@pytest.mark.parametrize("status", ["enabled", "", None, 5, {"Status": "ENABLED"}])
def test_a_commitment_is_enabled_or_disabled(broker, status):
    with pytest.raises(ValidationException, match=r"minimumThroughputBillingCommitment\.status"):
        broker.update_account_settings(status)
    assert seen(broker)[0] == "DISABLED"


def test_a_commitment_that_cannot_be_written_has_not_begun(broker):
    def full(changes):
        raise OSError("the disk is full")

    broker.listen(full)
    with pytest.raises(OSError, match="the disk is full"):
        broker.update_account_settings("ENABLED")
    assert seen(broker)[0] == "DISABLED"
    broker.update_account_settings("DISABLED")  # changes nothing, so nobody hears of it


def test_a_closed_broker_says_nothing_of_its_account(broker):
    broker.close()
    for ask in (broker.describe_account_settings, lambda: broker.update_account_settings("ENABLED")):
        with pytest.raises(BrokerClosed):
            ask()
