"""Reading: where a shard iterator starts, how long it lasts, and what a read gives."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from queuestream.core.errors import (
    ExpiredIteratorException,
    InvalidArgumentException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.testing.conformance.refusals import refused
from queuestream.testing.conformance.streams.fixtures import (
    NO_SHARD,
    StreamSuite,
    data,
    first_shard,
    shard_ids,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.streams.record import Record
    from queuestream.core.streams.stream import Stream

    PassTime = Callable[[float], None]


def put_three(stream: Stream) -> list[Record]:
    """Three records, one after the other."""
    return [stream.put_record(b"%d" % number, "k") for number in range(3)]


class Reading(StreamSuite):
    """What is read."""

    # --- where to start ---

    def test_trim_horizon_starts_at_the_oldest_record(self, stream: Stream) -> None:
        put_three(stream)
        assert self.read(stream, count=3) == [b"0", b"1", b"2"]

    def test_latest_starts_at_what_comes_next(self, stream: Stream) -> None:
        put_three(stream)
        iterator = stream.get_shard_iterator(first_shard(stream), "LATEST")
        stream.put_record(b"new", "k")
        assert data(self.records_from(stream, iterator)) == [b"new"]

    def test_at_sequence_number_starts_at_that_record(self, stream: Stream) -> None:
        puts = put_three(stream)
        assert self.read(stream, "AT_SEQUENCE_NUMBER", puts[1].sequence_number, count=2) == [b"1", b"2"]

    def test_after_sequence_number_starts_after_that_record(self, stream: Stream) -> None:
        puts = put_three(stream)
        assert self.read(stream, "AFTER_SEQUENCE_NUMBER", puts[1].sequence_number) == [b"2"]

    def test_at_timestamp_starts_at_the_first_record_since(self, stream: Stream) -> None:
        put_three(stream)
        iterator = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        arrived = self.records_from(stream, iterator, 3)[0].approximate_arrival_timestamp
        for timestamp in (arrived, arrived - timedelta(hours=1)):
            assert self.read(stream, "AT_TIMESTAMP", timestamp=timestamp, count=3) == [b"0", b"1", b"2"]

    def test_at_timestamp_passes_over_what_arrived_before(self, stream: Stream, pass_time: PassTime) -> None:
        stream.put_record(b"old", "k")
        pass_time(10)
        stream.put_record(b"new", "k")
        iterator = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        old, new = self.records_from(stream, iterator, 2)
        then = new.approximate_arrival_timestamp
        assert self.read(stream, "AT_TIMESTAMP", timestamp=then) == [b"new"]
        just_after = old.approximate_arrival_timestamp + timedelta(seconds=1)
        assert self.read(stream, "AT_TIMESTAMP", timestamp=just_after) == [b"new"]

    def test_a_timestamp_in_the_future_is_refused(self, stream: Stream) -> None:
        then = stream.describe_summary().stream_creation_timestamp + timedelta(days=1)
        with refused(InvalidArgumentException):
            stream.get_shard_iterator(first_shard(stream), "AT_TIMESTAMP", timestamp=then)

    @pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"])
    def test_what_a_type_needs_must_be_given(self, stream: Stream, kind: str) -> None:
        with refused(InvalidArgumentException):
            stream.get_shard_iterator(first_shard(stream), kind)

    def test_a_type_that_does_not_exist_is_refused(self, stream: Stream) -> None:
        with refused(ValidationException):
            stream.get_shard_iterator(first_shard(stream), "NEWEST")

    def test_a_sequence_number_of_another_shard_is_refused(self, two: Stream) -> None:
        put = two.put_record(b"x", "k", "0")
        with refused(InvalidArgumentException):
            two.get_shard_iterator(shard_ids(two)[1], "AT_SEQUENCE_NUMBER", put.sequence_number)

    def test_a_shard_that_does_not_exist_is_not_found(self, stream: Stream) -> None:
        with refused(ResourceNotFoundException):
            stream.get_shard_iterator(NO_SHARD, "LATEST")

    # --- going on ---

    def test_reads_follow_each_other_without_gap(self, stream: Stream) -> None:
        sent = [b"%d" % number for number in range(10)]
        stream.put_records([(one, "k") for one in sent])
        iterator: str | None = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        seen: list[bytes] = []
        for _ in range(10):
            assert iterator is not None
            result = stream.get_records(iterator, limit=3)
            assert len(result.records) <= 3
            seen += data(result.records)
            iterator = result.next_shard_iterator
        assert seen == sent

    def test_a_read_of_nothing_is_empty_and_goes_on(self, stream: Stream) -> None:
        result = stream.get_records(stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON"))
        assert (result.records, result.millis_behind_latest) == ([], 0)
        assert result.next_shard_iterator is not None
        stream.put_record(b"new", "k")
        assert data(self.records_from(stream, result.next_shard_iterator)) == [b"new"]

    def test_an_iterator_can_be_used_again(self, stream: Stream) -> None:
        stream.put_record(b"1", "k")
        iterator = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        assert [data(self.records_from(stream, iterator)) for _ in range(2)] == [[b"1"], [b"1"]]

    def test_readers_do_not_disturb_each_other(self, stream: Stream) -> None:
        stream.put_record(b"1", "k")
        readers = [stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON") for _ in range(3)]
        assert [data(self.records_from(stream, reader)) for reader in readers] == [[b"1"]] * 3

    def test_each_shard_is_read_by_itself(self, two: Stream) -> None:
        for hash_key in ("0", str(2**127)):
            two.put_record(hash_key.encode(), "k", hash_key)
        seen = [
            data(self.records_from(two, two.get_shard_iterator(shard, "TRIM_HORIZON")))
            for shard in shard_ids(two)
        ]
        assert seen == [[b"0"], [str(2**127).encode()]]

    @pytest.mark.parametrize("limit", [0, 10_001])
    def test_a_limit_out_of_range_is_refused(self, stream: Stream, limit: int) -> None:
        iterator = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        with refused(ValidationException):
            stream.get_records(iterator, limit)

    def test_a_made_up_iterator_is_refused(self, stream: Stream) -> None:
        assert stream.status == "ACTIVE"
        with refused(InvalidArgumentException):
            stream.get_records("made up")

    def test_an_iterator_lasts_for_five_minutes(self, stream: Stream, pass_time: PassTime) -> None:
        stream.put_record(b"1", "k")
        iterator = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        pass_time(299)
        assert data(self.records_from(stream, iterator)) == [b"1"]
        pass_time(1)
        with refused(ExpiredIteratorException):
            stream.get_records(iterator)

    def test_a_reader_that_goes_on_reads_for_ever(self, stream: Stream, pass_time: PassTime) -> None:
        iterator: str | None = stream.get_shard_iterator(first_shard(stream), "LATEST")
        for _ in range(3):
            pass_time(240)
            iterator = stream.get_records(iterator or "").next_shard_iterator
        stream.put_record(b"1", "k")
        assert data(self.records_from(stream, iterator or "")) == [b"1"]

    def test_a_reader_learns_how_far_behind_it_is(self, stream: Stream, pass_time: PassTime) -> None:
        for number in range(3):
            stream.put_record(b"%d" % number, "k")
            pass_time(10)
        iterator: str | None = stream.get_shard_iterator(first_shard(stream), "TRIM_HORIZON")
        behind = []
        for _ in range(3):
            result = stream.get_records(iterator or "", limit=1)
            behind.append(round(result.millis_behind_latest, -4))
            iterator = result.next_shard_iterator
        assert behind == [30_000, 20_000, 0]
