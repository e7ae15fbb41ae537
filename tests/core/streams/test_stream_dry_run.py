"""A dry run: everything is checked, and nothing is done.

Developer guide, "Test your permissions and request inputs with dry run".
"""

import pytest

from queuestream import Stream
from queuestream.core.errors import (
    DryRunOperationException,
    ExpiredIteratorException,
    InvalidArgumentException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.streams.limits import StreamLimits

FIRST = "shardId-000000000000"


@pytest.fixture
def arn(one):
    return one.register_stream_consumer("reader").consumer_arn


def test_a_dry_run_that_would_succeed_says_so_and_does_nothing(one, arn):
    one.put_record(b"hello", "k")
    iterator = one.get_shard_iterator(FIRST, "TRIM_HORIZON")
    for call in (
        lambda: one.put_record(b"", "k", dry_run=True),
        lambda: one.put_records([(b"", "k")], dry_run=True),
        lambda: one.get_shard_iterator(FIRST, "LATEST", dry_run=True),
        lambda: one.get_records(iterator, dry_run=True),
        lambda: one.subscribe_to_shard(arn, FIRST, "LATEST", dry_run=True),
    ):
        with pytest.raises(DryRunOperationException, match="would have succeeded"):
            call()
    assert [record.data for record in one.peek()] == [b"hello"]
    one.subscribe_to_shard(arn, FIRST, "LATEST")  # nobody else has


def test_a_dry_run_that_would_fail_fails_in_the_same_way(one, arn, clock):
    iterator = one.get_shard_iterator(FIRST, "TRIM_HORIZON")
    one.subscribe_to_shard(arn, FIRST, "LATEST")
    for call, error in (
        (lambda: one.put_record(b"", "", dry_run=True), ValidationException),
        (
            lambda: one.put_record(b"", "k", sequence_number_for_ordering="5", dry_run=True),
            InvalidArgumentException,
        ),
        (lambda: one.put_records([], dry_run=True), ValidationException),
        (
            lambda: one.get_shard_iterator("shardId-000000000009", "LATEST", dry_run=True),
            ResourceNotFoundException,
        ),
        (lambda: one.get_records("no iterator", dry_run=True), InvalidArgumentException),
        (lambda: one.subscribe_to_shard(arn, FIRST, "LATEST", dry_run=True), ResourceInUseException),
        (lambda: one.subscribe_to_shard(f"{arn}0", FIRST, "LATEST", dry_run=True), ResourceNotFoundException),
    ):
        with pytest.raises(error):
            call()
    clock.advance(minutes=5)
    with pytest.raises(ExpiredIteratorException):
        one.get_records(iterator, dry_run=True)


def test_a_dry_run_uses_up_no_allowance(clock):
    limits = StreamLimits(write_records_per_second=1, read_calls_per_second=1)
    stream = Stream("events", clock=clock, enforce_throughput=True, limits=limits)
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    for _ in range(3):
        with pytest.raises(DryRunOperationException):
            stream.put_record(b"", "k", dry_run=True)
        with pytest.raises(DryRunOperationException):
            stream.get_records(iterator, dry_run=True)
    stream.put_record(b"", "k")
    stream.get_records(iterator)


def test_no_dry_run_is_an_ordinary_one(one, arn):
    one.put_record(b"hello", "k", dry_run=False)
    one.put_records([(b"hello", "k")], dry_run=False)
    iterator = one.get_shard_iterator(FIRST, "TRIM_HORIZON", dry_run=False)
    assert len(one.get_records(iterator, dry_run=False).records) == 2
    one.subscribe_to_shard(arn, FIRST, "LATEST", dry_run=False)


def test_a_dry_run_is_one_or_not(one, arn):
    for call in (
        lambda: one.put_record(b"", "k", dry_run=1),
        lambda: one.put_records([(b"", "k")], dry_run="true"),
        lambda: one.get_shard_iterator(FIRST, "LATEST", dry_run="no"),
        lambda: one.get_records("x", dry_run=5),
        lambda: one.subscribe_to_shard(arn, FIRST, "LATEST", dry_run=0),
    ):
        with pytest.raises(ValidationException, match="dryRun"):
            call()
