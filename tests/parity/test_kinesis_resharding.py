"""Kinesis: splitting, merging and counting shards, and what their readers see."""

from datetime import timedelta

import pytest
from drivers.refusals import refused

from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.listing import ShardFilter

SPLIT = "Kinesis API reference: SplitShard"
MERGE = "Kinesis API reference: MergeShards"
COUNT = "Kinesis API reference: UpdateShardCount"
LIST = "Kinesis API reference: ListShards"
AFTER = "Kinesis developer guide: After resharding"
MIDDLE = str(2**127)
FIRST, SECOND, THIRD = (f"shardId-{number:012}" for number in range(3))


@pytest.fixture
def stream(broker):
    return broker.create_stream("events", shard_count=1)


@pytest.fixture
def two(broker):
    return broker.create_stream("wide", shard_count=2)


def shards(stream, shard_filter=None):
    return stream.list_shards(shard_filter=shard_filter).shards


def names(found):
    return [int(shard.shard_id[-12:]) for shard in found]


def open_ranges(stream):
    return sorted(
        tuple(map(int, shard.hash_key_range))
        for shard in shards(stream)
        if shard.ending_sequence_number is None
    )


def read_all(stream, shard_id):
    return stream.get_records(stream.get_shard_iterator(shard_id, "TRIM_HORIZON"))


# --- splitting ---


@pytest.mark.aws("Splitting a shard closes it and makes two that share its hash keys.", page=SPLIT)
def test_a_shard_is_split_in_two(stream):
    stream.split_shard(FIRST, MIDDLE)
    parent, low, high = shards(stream)
    assert parent.ending_sequence_number is not None
    assert (low.parent_shard_id, low.hash_key_range) == (FIRST, ("0", str(2**127 - 1)))
    assert (high.parent_shard_id, high.hash_key_range) == (FIRST, (MIDDLE, str(2**128 - 1)))
    assert low.adjacent_parent_shard_id is high.adjacent_parent_shard_id is None


@pytest.mark.aws("Records are put into the child shards after a reshard.", page=AFTER)
def test_a_closed_shard_takes_no_more_records(stream):
    stream.put_record(b"before", "k", "0")
    stream.split_shard(FIRST, MIDDLE)
    assert stream.put_record(b"after", "k", "0").shard_id == SECOND
    assert stream.put_record(b"after", "k", MIDDLE).shard_id == THIRD
    assert [record.data for record in read_all(stream, FIRST).records] == [b"before"]


@pytest.mark.aws(
    "A closed shard's records stay until they expire; at its end there is no next iterator.", page=AFTER
)
def test_a_closed_shard_ends(stream):
    stream.put_record(b"1", "k")
    stream.put_record(b"2", "k")
    stream.split_shard(FIRST, MIDDLE)
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    first = stream.get_records(iterator, limit=1)
    assert (first.child_shards, first.next_shard_iterator is None) == ([], False)
    last = stream.get_records(first.next_shard_iterator)
    assert [record.data for record in last.records] == [b"2"]
    assert (last.next_shard_iterator, last.millis_behind_latest) == (None, 0)


@pytest.mark.aws(
    "At the end of a closed shard, the answer names its child shards.",
    page="Kinesis API reference: GetRecords",
)
def test_the_end_of_a_shard_names_its_children(stream):
    stream.split_shard(FIRST, MIDDLE)
    children = read_all(stream, FIRST).child_shards
    assert [child.shard_id for child in children] == [SECOND, THIRD]
    assert [child.parent_shards for child in children] == [(FIRST,), (FIRST,)]
    assert [child.hash_key_range[0] for child in children] == ["0", MIDDLE]


@pytest.mark.aws("Sequence numbers of child shards are above those of their parents.", page=AFTER)
def test_a_childs_sequence_numbers_are_above_its_parents(stream):
    before = stream.put_record(b"1", "k")
    stream.split_shard(FIRST, MIDDLE)
    after = stream.put_record(b"2", "k")
    assert int(after.sequence_number) > int(before.sequence_number)
    parent = shards(stream)[0]
    assert int(parent.ending_sequence_number) >= int(before.sequence_number)


@pytest.mark.parametrize("hash_key", ["0", "1", str(2**128 - 1)])
@pytest.mark.aws("The new hash key lies inside the shard's range.", page=SPLIT)
def test_a_shard_is_split_inside_its_range(stream, hash_key):
    with refused("InvalidArgumentException"):
        stream.split_shard(FIRST, hash_key)
    assert names(shards(stream)) == [0]


@pytest.mark.aws("A shard that was split cannot be split again.", page=SPLIT)
def test_a_closed_shard_cannot_be_split(stream):
    stream.split_shard(FIRST, MIDDLE)
    with refused("InvalidArgumentException"):
        stream.split_shard(FIRST, "1000")


@pytest.mark.aws("A shard that does not exist is not found.", page=SPLIT)
def test_a_shard_that_is_not_there_cannot_be_split(stream):
    with refused("ResourceNotFoundException"):
        stream.split_shard("shardId-000000000009", MIDDLE)


# --- merging ---


@pytest.mark.aws("Merging two adjacent shards closes them and makes one with both ranges.", page=MERGE)
def test_two_shards_are_merged(two):
    two.merge_shards(FIRST, SECOND)
    left, right, child = shards(two)
    assert None not in {left.ending_sequence_number, right.ending_sequence_number}
    assert (child.parent_shard_id, child.adjacent_parent_shard_id) == (FIRST, SECOND)
    assert child.hash_key_range == ("0", str(2**128 - 1))


@pytest.mark.aws("Records stay in the shards that were merged; the child begins empty.", page=AFTER)
def test_a_merged_shard_begins_empty(two):
    two.put_record(b"left", "k", "0")
    two.put_record(b"right", "k", MIDDLE)
    two.merge_shards(FIRST, SECOND)
    two.put_record(b"both", "k")
    found = {name: read_all(two, name) for name in (FIRST, SECOND, THIRD)}
    assert {name: [record.data for record in result.records] for name, result in found.items()} == {
        FIRST: [b"left"],
        SECOND: [b"right"],
        THIRD: [b"both"],
    }
    assert [child.parent_shards for child in found[FIRST].child_shards] == [(FIRST, SECOND)]


@pytest.mark.aws("Only shards whose ranges are contiguous can be merged.", page=MERGE)
def test_only_neighbours_are_merged(broker):
    stream = broker.create_stream("three", shard_count=3)
    with refused(
        "InvalidArgumentException",
        f"Shards {FIRST} and {THIRD} in stream three under account 123456789012 are not an adjacent pair of "
        "shards eligible for merging",
    ):
        stream.merge_shards(FIRST, THIRD)


@pytest.mark.aws("The lower of the two shards that are merged is named first.", page=MERGE)
def test_neighbours_are_merged_in_their_order(two):
    with refused(
        "InvalidArgumentException",
        f"Shards {SECOND} and {FIRST} in stream wide under account 123456789012 are not an adjacent pair of "
        "shards eligible for merging",
    ):
        two.merge_shards(SECOND, FIRST)
    two.merge_shards(FIRST, SECOND)
    assert open_ranges(two) == [(0, 2**128 - 1)]


@pytest.mark.aws("A shard that is to be split or merged has to be there.", page=SPLIT)
def test_a_shard_that_is_not_there_is_not_split(stream):
    sentence = "Could not find shard {} in stream events under account 123456789012."
    with refused("ResourceNotFoundException", sentence.format("shardId-000000000009")):
        stream.split_shard("shardId-9", MIDDLE)
    with refused("ResourceNotFoundException", sentence.format("shardId-000000000009")):
        stream.merge_shards("shardId-0", "shardId-9")
    with refused("ResourceNotFoundException", sentence.format("nine")):
        stream.split_shard("nine", MIDDLE)


@pytest.mark.aws("A closed shard cannot be merged.", page=MERGE)
def test_a_closed_shard_cannot_be_merged(two):
    two.split_shard(FIRST, "1000")
    with refused("InvalidArgumentException"):
        two.merge_shards(FIRST, SECOND)


# --- counting ---


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (3, 5), (4, 2), (6, 4)])
@pytest.mark.aws("Uniform scaling makes shards of equal size.", page=COUNT)
def test_an_updated_shard_count_gives_equal_ranges(broker, before, after):
    stream = broker.create_stream("events", shard_count=before)
    result = stream.update_shard_count(after)
    assert (result.current_shard_count, result.target_shard_count) == (before, after)
    sizes = [end - start + 1 for start, end in open_ranges(stream)]
    assert len(sizes) == after
    assert sum(sizes) == 2**128
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("target", [1, 9])
@pytest.mark.aws("One cannot scale to more than double or less than half the shards.", page=COUNT)
def test_a_shard_count_changes_by_a_factor_of_two_at_most(broker, target):
    stream = broker.create_stream("events", shard_count=4)
    with refused("LimitExceededException"):
        stream.update_shard_count(target)
    stream.update_shard_count(8)
    assert stream.describe_summary().open_shard_count == 8


@pytest.mark.aws("One cannot scale more than ten times in 24 hours.", page=COUNT)
def test_a_stream_is_scaled_ten_times_a_day(stream, clock):
    for time in range(10):
        clock.advance(minutes=1)
        stream.update_shard_count(2 - time % 2)
    with refused("LimitExceededException"):
        stream.update_shard_count(2)
    clock.advance(hours=24, minutes=-9)
    stream.update_shard_count(2)


@pytest.mark.aws("One cannot scale beyond the account's limit of shards.", page=COUNT)
@pytest.mark.settings(stream_settings={"limits": StreamLimits(shards_per_account=3)})
def test_an_account_has_a_limit_of_shards(broker, two):
    with refused(
        "LimitExceededException",
        "Target shard count or number of open shards cannot be greater than 3. Current open shard count: 2 "
        "Target shard count: 4",
    ):
        two.update_shard_count(4)
    with refused("LimitExceededException"):
        broker.create_stream("events", shard_count=2)
    broker.create_stream("events", shard_count=1)


# --- while it happens ---


@pytest.mark.aws("A stream that is resharded is UPDATING, and ACTIVE when it is done.", page=SPLIT)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_a_reshard_takes_its_time(stream, clock):
    clock.advance(seconds=10)
    stream.split_shard(FIRST, MIDDLE)
    assert stream.describe_summary().stream_status == "UPDATING"
    assert stream.put_record(b"meanwhile", "k").shard_id == FIRST
    clock.advance(seconds=10)
    assert stream.describe_summary().stream_status == "ACTIVE"
    assert names(shards(stream)) == [0, 1, 2]


@pytest.mark.aws("Only a stream that is ACTIVE can be resharded.", page=SPLIT)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_a_stream_that_is_updating_cannot_be_resharded(stream, clock):
    clock.advance(seconds=10)
    stream.split_shard(FIRST, MIDDLE)
    with refused(
        "ResourceInUseException",
        "Stream events under account 123456789012 not ACTIVE, instead in state UPDATING",
    ):
        stream.split_shard(FIRST, MIDDLE)


# --- listing ---


@pytest.mark.aws("Shards are listed in the order in which they were made, and page by page.", page=LIST)
def test_shards_are_listed_page_by_page(broker):
    stream = broker.create_stream("events", shard_count=5)
    page, seen = stream.list_shards(max_results=2), []
    while page.next_token is not None:
        seen.append(names(page.shards))
        page = stream.list_shards(next_token=page.next_token)
    assert [*seen, names(page.shards)] == [[0, 1], [2, 3, 4]]


@pytest.mark.aws("ExclusiveStartShardId lists the shards after that one.", page=LIST)
def test_shards_are_listed_after_one(broker):
    stream = broker.create_stream("events", shard_count=4)
    assert names(stream.list_shards(exclusive_start_shard_id=SECOND).shards) == [2, 3]


@pytest.mark.aws("A token of ListShards expires after 300 seconds.", page=LIST)
def test_a_token_lasts_for_five_minutes(two, clock):
    token = two.list_shards(max_results=1).next_token
    clock.advance(seconds=299.999)
    assert names(two.list_shards(next_token=token).shards) == [1]
    clock.advance(milliseconds=1)
    with refused("ExpiredNextTokenException"):
        two.list_shards(next_token=token)


@pytest.mark.aws("A token is one that ListShards gave.", page=LIST)
def test_a_token_that_is_made_up_is_refused(two):
    with refused("InvalidArgumentException", "NextToken is invalid."):
        two.list_shards(next_token="made up")


@pytest.mark.aws("The six types of shard filters.", page="Kinesis API reference: ShardFilter")
def test_shards_are_filtered(stream, clock):
    start = stream.describe().stream_creation_timestamp
    clock.advance(hours=10)
    stream.split_shard(FIRST, MIDDLE)  # 1, 2
    clock.advance(hours=10)
    stream.split_shard(SECOND, "1000")  # 3, 4

    assert names(shards(stream, "AT_LATEST")) == [2, 3, 4]
    assert names(shards(stream, "AT_TRIM_HORIZON")) == [0]
    assert names(shards(stream, "FROM_TRIM_HORIZON")) == [0, 1, 2, 3, 4]
    assert names(shards(stream, ShardFilter("AFTER_SHARD_ID", shard_id=SECOND))) == [2, 3, 4]
    hours = [timedelta(hours=hour) for hour in (5, 15, 20)]
    at, later = ("AT_TIMESTAMP", "FROM_TIMESTAMP")
    assert [names(shards(stream, ShardFilter(at, timestamp=start + hour))) for hour in hours] == [
        [0],
        [1, 2],
        [2, 3, 4],
    ]
    assert [names(shards(stream, ShardFilter(later, timestamp=start + hour))) for hour in hours] == [
        [0, 1, 2, 3, 4],
        [1, 2, 3, 4],
        [2, 3, 4],
    ]


@pytest.mark.aws("A closed shard is EXPIRED, and not listed, once all its records have expired.", page=AFTER)
def test_a_shard_expires_when_its_records_have(stream, clock):
    stream.put_record(b"1", "k")
    stream.split_shard(FIRST, MIDDLE)
    clock.advance(hours=24, milliseconds=-1)
    assert names(shards(stream)) == [0, 1, 2]
    clock.advance(milliseconds=1)
    assert names(shards(stream)) == [1, 2]
    with refused("ResourceNotFoundException"):
        stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
