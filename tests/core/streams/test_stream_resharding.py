import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core.clock import VirtualClock
from queuestream.core.errors import (
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.streams.hash_keys import even_ranges
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.resharding import Plan, first_shards, plan_even_ranges
from queuestream.core.streams.stream import Stream

FIRST, SECOND_SHARD, THIRD = (f"shardId-{index:012d}" for index in range(3))
MIDDLE = str(2**127)


def open_ranges(stream):
    shards = stream.list_shards(shard_filter="AT_LATEST").shards
    return sorted(tuple(map(int, shard.hash_key_range)) for shard in shards)


def test_a_split_closes_the_parent_and_makes_two_children(one):
    one.split_shard(FIRST, MIDDLE)
    parent, lower, upper = one.list_shards().shards
    assert parent.ending_sequence_number is not None
    assert lower.parent_shard_id == upper.parent_shard_id == FIRST
    assert lower.adjacent_parent_shard_id is upper.adjacent_parent_shard_id is None
    assert lower.hash_key_range == ("0", str(2**127 - 1))
    assert upper.hash_key_range == (MIDDLE, str(2**128 - 1))
    assert lower.ending_sequence_number is upper.ending_sequence_number is None
    assert repr(one) == "<Stream 'events': 2 shards open, 1 closed, 0 records>"


def test_after_a_split_the_parent_keeps_its_records_and_the_children_take_the_new_ones(one, read):
    one.put_record(b"before", "k")
    one.split_shard(FIRST, MIDDLE)
    one.put_record(b"low", "k", explicit_hash_key="0")
    one.put_record(b"high", "k", explicit_hash_key=MIDDLE)
    assert read(one, FIRST) == [b"before"]
    assert read(one, SECOND_SHARD) == [b"low"]
    assert read(one, THIRD) == [b"high"]


def test_at_the_end_of_a_closed_shard_there_is_no_next_iterator_but_children(one):
    one.put_record(b"0", "k")
    iterator = one.get_shard_iterator(FIRST, "TRIM_HORIZON")
    latest = one.get_shard_iterator(FIRST, "LATEST")
    one.put_record(b"1", "k")
    one.split_shard(FIRST, MIDDLE)
    first = one.get_records(iterator, limit=1)
    assert (first.child_shards, first.next_shard_iterator is None) == ([], False)
    for last in (one.get_records(first.next_shard_iterator), one.get_records(latest)):
        assert [record.data for record in last.records] == [b"1"]
        assert last.next_shard_iterator is None
        assert last.millis_behind_latest == 0
        assert [(child.shard_id, child.parent_shards) for child in last.child_shards] == [
            (SECOND_SHARD, (FIRST,)),
            (THIRD, (FIRST,)),
        ]
    nothing = one.get_records(one.get_shard_iterator(FIRST, "LATEST"))
    assert (nothing.records, nothing.next_shard_iterator, len(nothing.child_shards)) == ([], None, 2)


def test_a_merge_closes_both_parents_and_the_child_starts_empty(stream, read):
    stream.put_record(b"left", "k", explicit_hash_key="0")
    stream.merge_shards(FIRST, SECOND_SHARD)
    child = stream.list_shards().shards[-1]
    assert (child.parent_shard_id, child.adjacent_parent_shard_id) == (FIRST, SECOND_SHARD)
    assert child.hash_key_range == ("0", str(2**127 - 1))
    assert read(stream, child.shard_id) == []
    assert read(stream, FIRST) == [b"left"]
    assert stream.put_record(b"", "k", explicit_hash_key="0").shard_id == child.shard_id


def test_childrens_sequence_numbers_are_above_all_of_their_parents_even_within_one_instant(one):
    last = one.put_record(b"", "k")
    for _ in range(5):
        one.split_shard(last.shard_id, str(sum(map(int, last.shard.hash_key_range)) // 2))
        put = one.put_record(b"", "k")
        ends = {shard.shard_id: shard.ending_sequence_number for shard in one.list_shards().shards}
        assert int(put.sequence_number) > int(put.shard.starting_sequence_number) > int(ends[last.shard_id])
        assert int(ends[last.shard_id]) > int(last.sequence_number)
        last = put


@pytest.mark.parametrize(
    ("boundary", "taken"),
    [(0, False), (1, False), (2, True), (2**126 - 2, True), (2**126 - 1, False), (2**126, False)],
)
def test_a_split_leaves_room_on_both_sides(stream, boundary, taken):
    if taken:
        stream.split_shard(FIRST, str(boundary))
    else:
        with pytest.raises(InvalidArgumentException, match="is not both greater than one plus the shard's"):
            stream.split_shard(FIRST, str(boundary))
    assert len(stream.list_shards().shards) == (6 if taken else 4)


def test_what_cannot_be_split_or_merged(stream):
    stream.split_shard(FIRST, str(2**125))
    with pytest.raises(InvalidArgumentException, match="has already been merged or split"):
        stream.split_shard(FIRST, str(2**125))
    with pytest.raises(InvalidArgumentException, match="has already been merged or split"):
        stream.merge_shards(FIRST, SECOND_SHARD)
    with pytest.raises(
        InvalidArgumentException, match="are not an adjacent pair of shards eligible for merging"
    ):
        stream.merge_shards(SECOND_SHARD, "shardId-000000000003")
    with pytest.raises(InvalidArgumentException, match="are not an adjacent pair"):
        stream.merge_shards(SECOND_SHARD, SECOND_SHARD)
    with pytest.raises(ResourceNotFoundException):
        stream.split_shard("shardId-000000000042", MIDDLE)
    for wrong in [(None, MIDDLE), (FIRST, None), (FIRST, 5), (FIRST, "x"), (FIRST, "1" * 40)]:
        with pytest.raises(ValidationException):
            stream.split_shard(*wrong)
    with pytest.raises(ValidationException):
        stream.merge_shards(FIRST, None)


def test_an_on_demand_stream_is_not_resharded_by_hand(clock):
    stream = Stream("s", stream_mode="ON_DEMAND", clock=clock)
    for reshard in (
        lambda: stream.split_shard(FIRST, "5"),
        lambda: stream.merge_shards(FIRST, SECOND_SHARD),
        lambda: stream.update_shard_count(8),
    ):
        with pytest.raises(
            ValidationException, match="Stream s under account 000000000000 is in On-Demand mode"
        ):
            reshard()


# --- update_shard_count ---


@pytest.mark.parametrize(
    ("before", "after"), [(1, 2), (2, 3), (2, 4), (3, 2), (4, 7), (7, 4), (4, 2), (5, 5), (6, 9)]
)
def test_update_shard_count_makes_exactly_equal_ranges(clock, before, after):
    stream = Stream("s", shard_count=before, clock=clock)
    result = stream.update_shard_count(after)
    assert (result.current_shard_count, result.target_shard_count) == (before, after)
    assert open_ranges(stream) == even_ranges(after)
    stream.check_invariants()


def test_doubling_takes_one_split_for_each_shard_and_halving_one_merge_for_each_pair(clock):
    stream = Stream("s", shard_count=4, clock=clock)
    stream.update_shard_count(8)
    assert len(stream.list_shards().shards) == 4 + 8
    stream.update_shard_count(4)
    assert len(stream.list_shards().shards) == 4 + 8 + 4


@given(boundaries=st.lists(st.integers(1, 2**128 - 1), max_size=12), count=st.integers(1, 20))
def test_a_plan_takes_as_few_splits_and_merges_as_there_are_boundaries_to_change(boundaries, count):
    starts = sorted({0, *boundaries})
    ranges = list(zip(starts, [*(start - 1 for start in starts[1:]), 2**128 - 1], strict=True))
    shards = first_shards(ranges, 0)
    plan = Plan(len(shards), 0)
    plan_even_ranges(plan, shards, count)
    wanted = {start for start, _ in even_ranges(count)}
    splits, merges = len(wanted - set(starts)), len(set(starts) - wanted)
    assert len(plan.shards) == 2 * splits + merges
    every = {shard.shard_id: shard for shard in (*shards, *plan.shards)}
    closed = {parent for shard in plan.shards for parent in shard.parents}
    final = sorted(
        (s.starting_hash_key, s.ending_hash_key) for name, s in every.items() if name not in closed
    )
    assert final == even_ranges(count)
    for shard in plan.shards:
        parents = [every[parent] for parent in shard.parents]
        assert all(parent.stamp < shard.stamp for parent in parents)
        assert min(parent.starting_hash_key for parent in parents) <= shard.starting_hash_key
        assert max(parent.ending_hash_key for parent in parents) >= shard.ending_hash_key


def test_update_shard_count_scales_to_double_and_half_at_the_most(clock):
    stream = Stream("s", shard_count=5, clock=clock)
    with pytest.raises(LimitExceededException) as caught:
        stream.update_shard_count(11)
    assert caught.value.message == (
        "UpdateShardCount cannot scale up over double your current open shard count. "
        "Current open shard count: 5 Target shard count: 11"
    )
    with pytest.raises(LimitExceededException, match="cannot scale down below half"):
        stream.update_shard_count(2)
    stream.update_shard_count(3)
    stream.update_shard_count(6)
    assert len(open_ranges(stream)) == 6


def test_update_shard_count_may_be_called_ten_times_in_a_rolling_day(clock):
    stream = Stream("s", shard_count=2, clock=clock)
    for _ in range(5):
        stream.update_shard_count(3)
        stream.update_shard_count(2)
        clock.advance(hours=1)
    with pytest.raises(LimitExceededException, match="more than 10 times"):
        stream.update_shard_count(3)
    clock.advance(hours=19, nanoseconds=-1)
    with pytest.raises(LimitExceededException):
        stream.update_shard_count(3)
    clock.advance(nanoseconds=1)
    stream.update_shard_count(3)
    stream.update_shard_count(2)
    with pytest.raises(LimitExceededException):
        stream.update_shard_count(3)


def test_the_shards_of_a_stream_and_of_an_account_have_limits(clock):
    stream = Stream(
        "s", shard_count=3, clock=clock, limits=StreamLimits(shards_per_stream=4, shards_per_account=3)
    )
    with pytest.raises(LimitExceededException, match=r"cannot be greater than 3\. Current open"):
        stream.update_shard_count(4)
    with pytest.raises(LimitExceededException) as caught:
        stream.split_shard(FIRST, "5")
    assert caught.value.message.startswith(
        "This request would exceed the shard limit for the account 000000000000 in us-east-1. "
        "Current shard count for the account: 3. Limit: 3. "
        "Number of additional shards that would have resulted from this request: 1."
    )
    stream.merge_shards(FIRST, SECOND_SHARD)


@pytest.mark.parametrize("count", [0, -1, None, "2", 1.5, True])
def test_a_shard_count_is_a_number_from_one(one, count):
    with pytest.raises(ValidationException, match="at 'targetShardCount'"):
        one.update_shard_count(count)
    with pytest.raises(ValidationException, match=r"enum value set: \[UNIFORM_SCALING\]"):
        one.update_shard_count(2, "ODD_SCALING")


# --- with a provisioning time ---


@pytest.fixture
def slow(clock):
    """A stream of one shard that takes 30 seconds for everything."""
    stream = Stream("slow", clock=clock, provisioning_time_seconds=30, seed=1)
    clock.advance(seconds=30)
    return stream


def test_a_reshard_takes_effect_when_the_provisioning_time_is_over(slow, clock, read):
    slow.split_shard(FIRST, MIDDLE)
    assert slow.status == "UPDATING"
    assert slow.put_record(b"to the parent", "k").shard_id == FIRST
    with pytest.raises(ResourceInUseException) as caught:
        slow.split_shard(FIRST, MIDDLE)
    assert (
        caught.value.message == "Stream slow under account 000000000000 not ACTIVE, instead in state UPDATING"
    )
    clock.advance(seconds=30, nanoseconds=-1)
    assert slow.put_record(b"at the last moment", "k").shard_id == FIRST
    assert slow.next_event_ns() == clock.now_ns() + 1
    assert slow.status == "UPDATING"
    clock.advance(nanoseconds=1)
    assert slow.status == "ACTIVE"
    assert slow.put_record(b"to a child", "k").shard_id != FIRST
    assert read(slow, FIRST) == [b"to the parent", b"at the last moment"]
    slow.check_invariants()


def test_a_scaling_that_changes_nothing_still_counts_and_makes_nothing(slow):
    slow.update_shard_count(1)
    assert slow.status == "ACTIVE"
    assert slow.settings.scaled_at_ns != ()
    assert len(slow.list_shards().shards) == 1


def test_a_slow_scaling_is_one_reshard(slow, clock):
    slow.update_shard_count(2)
    assert slow.describe_summary().open_shard_count == 1
    clock.advance(seconds=30)
    assert slow.describe_summary().open_shard_count == 2


def test_closed_shards_are_resharded_at_their_completion_even_if_nobody_looked_for_days():
    clock = VirtualClock()
    stream = Stream("s", clock=clock, provisioning_time_seconds=30)
    clock.advance(seconds=30)
    stream.split_shard(FIRST, MIDDLE)
    clock.advance(hours=24, seconds=29)
    assert len(stream.list_shards().shards) == 3
    clock.advance(seconds=1)
    assert len(stream.list_shards().shards) == 2
