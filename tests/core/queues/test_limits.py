"""The quotas: AWS's numbers, of which a broker may choose others."""

import pytest

from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits


def test_every_quota_is_awss_where_nothing_else_is_said():
    assert QueueLimits() == AWS_LIMITS
    assert QueueLimits(in_flight_max=5) == AWS_LIMITS._replace(in_flight_max=5)


@pytest.mark.parametrize(
    ("quota", "value"),
    [
        ("message_size_max", 1024 * 1024),
        ("delay_seconds_max", 15 * 60),
        ("visibility_timeout_max", 12 * 3600),
        ("message_retention_period_min", 60),
        ("message_retention_period_max", 14 * 86_400),
        ("message_attributes_max", 10),
        ("batch_entries_max", 10),
        ("messages_per_receive_max", 10),
        ("wait_time_seconds_max", 20),
        ("in_flight_max", 120_000),
        ("fifo_in_flight_max", 120_000),
        ("deduplication_interval_seconds", 5 * 60),
        ("queue_name_length_max", 80),
        ("moved_messages_per_second_max", 500),
        ("fair_noisy_share", 0.1),
    ],
)
def test_the_quotas_that_awss_pages_name(quota, value):
    assert getattr(AWS_LIMITS, quota) == value


def test_limits_do_not_change():
    with pytest.raises(AttributeError):
        AWS_LIMITS.in_flight_max = 1
