"""Shards: listing them, splitting, merging and counting them, and what their readers see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from queuestream.core.errors import (
    ExpiredNextTokenException,
    InvalidArgumentException,
    LimitExceededException,
    ResourceNotFoundException,
)
from queuestream.core.streams.listing import ShardFilter
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.refusals import refused
from queuestream.testing.conformance.streams.fixtures import (
    HASH_KEYS,
    MIDDLE,
    NO_SHARD,
    StreamSuite,
    data,
    first_shard,
    open_ranges,
    shard_ids,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.streams.record import GetRecordsResult
    from queuestream.core.streams.stream import Stream
    from queuestream.testing.conformance.streams.fixtures import NewStream

    PassTime = Callable[[float], None]


class Resharding(StreamSuite):
    """Shards, and how they change."""

    def split(self, stream: Stream, shard_id: str | None = None, hash_key: str = MIDDLE) -> None:
        """Split a shard, the first where nothing is said, and wait until it is done."""
        stream.split_shard(shard_id or first_shard(stream), hash_key)
        self.active(stream)

    def end_of(self, stream: Stream, shard_id: str) -> tuple[list[bytes], GetRecordsResult]:
        """What a closed shard has, and the last answer of it."""
        iterator: str | None = stream.get_shard_iterator(shard_id, "TRIM_HORIZON")
        seen: list[bytes] = []
        for _ in range(10):
            assert iterator is not None
            result = stream.get_records(iterator)
            seen += data(result.records)
            iterator = result.next_shard_iterator
            if iterator is None:
                break
        return seen, result

    # --- splitting ---

    def test_a_shard_is_split_in_two(self, stream: Stream) -> None:
        parent_id = first_shard(stream)
        self.split(stream)
        parent, low, high = stream.list_shards().shards
        assert parent.shard_id == parent_id
        assert parent.ending_sequence_number is not None
        assert (low.parent_shard_id, low.hash_key_range) == (parent_id, ("0", str(HASH_KEYS // 2 - 1)))
        assert (high.parent_shard_id, high.hash_key_range) == (parent_id, (MIDDLE, str(HASH_KEYS - 1)))
        assert low.adjacent_parent_shard_id is high.adjacent_parent_shard_id is None
        assert low.ending_sequence_number is high.ending_sequence_number is None

    def test_records_go_to_the_children_after_a_split(self, stream: Stream) -> None:
        parent = first_shard(stream)
        before = stream.put_record(b"before", "k", "0")
        self.split(stream)
        low, high = shard_ids(stream)[1:]
        after = stream.put_record(b"after", "k", "0")
        assert (after.shard_id, stream.put_record(b"after", "k", MIDDLE).shard_id) == (low, high)
        assert int(after.sequence_number) > int(before.sequence_number)
        assert self.end_of(stream, parent)[0] == [b"before"]

    def test_a_closed_shard_ends(self, stream: Stream) -> None:
        parent = first_shard(stream)
        stream.put_records([(b"1", "k"), (b"2", "k")])
        self.split(stream)
        seen, last = self.end_of(stream, parent)
        assert seen == [b"1", b"2"]
        assert (last.next_shard_iterator, last.millis_behind_latest) == (None, 0)

    @needs("child_shards")
    def test_the_end_of_a_shard_names_its_children(self, stream: Stream) -> None:
        parent = first_shard(stream)
        self.split(stream)
        _, last = self.end_of(stream, parent)
        assert [child.shard_id for child in last.child_shards] == shard_ids(stream)[1:]
        assert [child.parent_shards for child in last.child_shards] == [(parent,), (parent,)]
        assert [child.hash_key_range[0] for child in last.child_shards] == ["0", MIDDLE]

    @pytest.mark.parametrize("hash_key", ["0", str(HASH_KEYS - 1)], ids=["first", "last"])
    def test_a_shard_is_split_inside_its_range(self, stream: Stream, hash_key: str) -> None:
        with refused(InvalidArgumentException):
            stream.split_shard(first_shard(stream), hash_key)
        assert len(shard_ids(stream)) == 1

    def test_a_closed_shard_cannot_be_split(self, stream: Stream) -> None:
        self.split(stream)
        with refused(InvalidArgumentException):
            stream.split_shard(first_shard(stream), "1000")

    def test_a_shard_that_does_not_exist_cannot_be_split(self, stream: Stream) -> None:
        with refused(ResourceNotFoundException):
            stream.split_shard(NO_SHARD, MIDDLE)

    # --- merging ---

    def test_two_shards_are_merged(self, two: Stream) -> None:
        left_id, right_id = shard_ids(two)
        two.merge_shards(left_id, right_id)
        self.active(two)
        left, right, child = two.list_shards().shards
        assert None not in {left.ending_sequence_number, right.ending_sequence_number}
        assert (child.parent_shard_id, child.adjacent_parent_shard_id) == (left_id, right_id)
        assert child.hash_key_range == ("0", str(HASH_KEYS - 1))
        assert two.describe_summary().open_shard_count == 1

    def test_records_stay_in_the_shards_that_were_merged(self, two: Stream) -> None:
        parents = shard_ids(two)
        for hash_key in ("0", MIDDLE):
            two.put_record(hash_key.encode(), "k", hash_key)
        two.merge_shards(*parents)
        self.active(two)
        put = two.put_record(b"both", "k")
        assert put.shard_id == shard_ids(two)[2]
        seen = [self.end_of(two, parent)[0] for parent in parents]
        assert seen == [[b"0"], [MIDDLE.encode()]]
        iterator = two.get_shard_iterator(put.shard_id, "TRIM_HORIZON")
        assert data(self.records_from(two, iterator)) == [b"both"]

    @needs("child_shards")
    def test_both_parents_end_in_the_merged_shard(self, two: Stream) -> None:
        parents = shard_ids(two)
        two.merge_shards(*parents)
        self.active(two)
        for parent in parents:
            [child] = self.end_of(two, parent)[1].child_shards
            assert (child.shard_id, child.parent_shards) == (shard_ids(two)[2], tuple(parents))

    def test_only_neighbours_are_merged(self, new_stream: NewStream) -> None:
        stream = new_stream(shard_count=3)
        first, _, third = shard_ids(stream)
        with refused(InvalidArgumentException):
            stream.merge_shards(first, third)
        assert len(open_ranges(stream)) == 3

    def test_a_shard_that_does_not_exist_cannot_be_merged(self, two: Stream) -> None:
        with refused(ResourceNotFoundException):
            two.merge_shards(first_shard(two), NO_SHARD)

    # --- counting ---

    @needs("update_shard_count")
    @pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (2, 1), (3, 2)])
    def test_a_new_number_of_shards_gives_equal_ranges(
        self, new_stream: NewStream, before: int, after: int
    ) -> None:
        stream = new_stream(shard_count=before)
        result = stream.update_shard_count(after)
        assert (result.current_shard_count, result.target_shard_count) == (before, after)
        self.active(stream)
        sizes = [end - start + 1 for start, end in open_ranges(stream)]
        assert (len(sizes), sum(sizes)) == (after, HASH_KEYS)
        assert max(sizes) - min(sizes) <= 2

    @needs("update_shard_count")
    def test_a_number_of_shards_is_doubled_or_halved_at_most(self, new_stream: NewStream) -> None:
        stream = new_stream(shard_count=3)
        for count in (1, 7):
            with refused(LimitExceededException):
                stream.update_shard_count(count)
        assert len(open_ranges(stream)) == 3

    # --- listing ---

    @needs("shard_pages")
    def test_shards_are_listed_page_by_page(self, new_stream: NewStream) -> None:
        stream = new_stream(shard_count=5)
        page = stream.list_shards(max_results=2)
        pages = [[shard.shard_id for shard in page.shards]]
        while page.next_token is not None:
            page = stream.list_shards(max_results=2, next_token=page.next_token)
            pages.append([shard.shard_id for shard in page.shards])
        assert [len(ids) for ids in pages] == [2, 2, 1]
        assert [one for ids in pages for one in ids] == shard_ids(stream)

    @needs("shard_pages")
    def test_a_token_lasts_for_five_minutes(self, two: Stream, pass_time: PassTime) -> None:
        token = two.list_shards(max_results=1).next_token
        pass_time(300)
        with refused(ExpiredNextTokenException):
            two.list_shards(next_token=token)

    @needs("shard_pages")
    def test_a_made_up_token_is_refused(self, stream: Stream) -> None:
        with refused(InvalidArgumentException):
            stream.list_shards(next_token="made up")  # noqa: S106 - it is a paging token

    def test_shards_are_listed_after_one(self, new_stream: NewStream) -> None:
        stream = new_stream(shard_count=3)
        ids = shard_ids(stream)
        after = stream.list_shards(exclusive_start_shard_id=ids[0]).shards
        assert [shard.shard_id for shard in after] == ids[1:]

    @needs("shard_filters")
    def test_shards_are_filtered(self, stream: Stream) -> None:
        self.split(stream)
        parent, low, high = shard_ids(stream)

        def listed(shard_filter: ShardFilter | str) -> list[str]:
            return [shard.shard_id for shard in stream.list_shards(shard_filter=shard_filter).shards]

        assert listed("AT_LATEST") == [low, high]
        assert listed("AT_TRIM_HORIZON") == [parent]
        assert listed("FROM_TRIM_HORIZON") == [parent, low, high]
        assert listed(ShardFilter("AFTER_SHARD_ID", shard_id=low)) == [high]

    @needs("shard_filters")
    def test_shards_are_filtered_by_time(self, stream: Stream, pass_time: PassTime) -> None:
        start = stream.describe_summary().stream_creation_timestamp
        pass_time(3_600)
        self.split(stream)
        pass_time(3_600)
        parent, low, high = shard_ids(stream)
        for type_, hours, expected in (
            ("AT_TIMESTAMP", 0.5, [parent]),
            ("AT_TIMESTAMP", 1.5, [low, high]),
            ("FROM_TIMESTAMP", 0.5, [parent, low, high]),
            ("FROM_TIMESTAMP", 1.5, [low, high]),
        ):
            shard_filter = ShardFilter(type_, timestamp=start + timedelta(hours=hours))
            found = stream.list_shards(shard_filter=shard_filter).shards
            assert [shard.shard_id for shard in found] == expected

    def test_a_closed_shard_expires_with_its_records(self, stream: Stream, pass_time: PassTime) -> None:
        stream.put_record(b"1", "k")
        self.split(stream)
        parent, low, high = shard_ids(stream)
        pass_time(86_400)
        assert shard_ids(stream) == [low, high]
        with refused(ResourceNotFoundException):
            stream.get_shard_iterator(parent, "TRIM_HORIZON")

    @needs("peek")
    def test_records_can_be_seen_without_an_iterator(self, two: Stream) -> None:
        for hash_key in (MIDDLE, "0"):
            two.put_record(hash_key.encode(), "k", hash_key)
        assert data(two.peek()) == [b"0", MIDDLE.encode()]
