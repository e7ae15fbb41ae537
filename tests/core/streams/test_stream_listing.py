from datetime import UTC, datetime, timedelta

import pytest

from queuestream.core.errors import (
    ExpiredNextTokenException,
    InvalidArgumentException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.listing import ShardFilter
from queuestream.core.streams.stream import Stream


def indexes(result):
    return [int(shard.shard_id[8:]) for shard in result.shards]


@pytest.fixture
def history(clock):
    """0 was split after an hour into 1 and 2; after another hour 1 was split into 3 and 4."""
    stream = Stream("events", clock=clock)
    clock.advance(hours=1)
    stream.split_shard("shardId-000000000000", str(2**127))
    clock.advance(hours=1)
    stream.split_shard("shardId-000000000001", str(2**126))
    clock.advance(hours=1)
    return stream


def at(stream, **duration):
    return stream.describe_summary().stream_creation_timestamp + timedelta(**duration)


def test_shards_are_listed_in_the_order_in_which_they_were_made(history):
    assert indexes(history.list_shards()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("kind", "hours", "expected"),
    [
        ("AT_LATEST", None, [2, 3, 4]),
        ("AT_TRIM_HORIZON", None, [0]),
        ("FROM_TRIM_HORIZON", None, [0, 1, 2, 3, 4]),
        ("AT_TIMESTAMP", -1, [0]),
        ("AT_TIMESTAMP", 0, [0]),
        ("AT_TIMESTAMP", 0.999999, [0]),
        ("AT_TIMESTAMP", 1, [1, 2]),
        ("AT_TIMESTAMP", 2, [2, 3, 4]),
        ("AT_TIMESTAMP", 3, [2, 3, 4]),
        ("FROM_TIMESTAMP", -1, [0, 1, 2, 3, 4]),
        ("FROM_TIMESTAMP", 0.999999, [0, 1, 2, 3, 4]),
        ("FROM_TIMESTAMP", 1, [1, 2, 3, 4]),
        ("FROM_TIMESTAMP", 2, [2, 3, 4]),
    ],
)
def test_filters(history, kind, hours, expected):
    timestamp = None if hours is None else at(history, hours=hours)
    assert indexes(history.list_shards(shard_filter=ShardFilter(kind, timestamp=timestamp))) == expected


def test_the_filter_after_a_shard_is_the_same_as_an_exclusive_start(history):
    name = "shardId-000000000002"
    assert indexes(history.list_shards(shard_filter=ShardFilter("AFTER_SHARD_ID", shard_id=name))) == [3, 4]
    assert indexes(history.list_shards(exclusive_start_shard_id=name)) == [3, 4]
    assert indexes(history.list_shards(exclusive_start_shard_id="shardId-002147483647")) == []


def test_a_closed_shard_expires_with_its_last_possible_record(history, clock):
    clock.advance(hours=22, nanoseconds=-1)
    assert indexes(history.list_shards()) == [0, 1, 2, 3, 4]
    assert indexes(history.list_shards(shard_filter="AT_TRIM_HORIZON")) == [0]
    history.get_shard_iterator("shardId-000000000000", "LATEST")
    clock.advance(nanoseconds=1)
    assert indexes(history.list_shards()) == [1, 2, 3, 4]
    assert indexes(history.list_shards(shard_filter="AT_TRIM_HORIZON")) == [1, 2]
    with pytest.raises(ResourceNotFoundException):
        history.get_shard_iterator("shardId-000000000000", "LATEST")
    clock.advance(hours=1)
    assert indexes(history.list_shards()) == [2, 3, 4]
    assert history.list_shards().shards[1].parent_shard_id == "shardId-000000000001"


def test_before_the_stream_was_made_its_first_shards_were_what_there_was(history):
    timestamp = datetime(1950, 1, 1, tzinfo=UTC)
    assert indexes(history.list_shards(shard_filter=ShardFilter("AT_TIMESTAMP", timestamp=timestamp))) == [0]


@pytest.mark.parametrize(
    "shard_filter",
    [
        ShardFilter("AFTER_SHARD_ID"),
        ShardFilter("AT_LATEST", shard_id="shardId-000000000000"),
        ShardFilter("AT_TIMESTAMP"),
        ShardFilter("AT_TRIM_HORIZON", timestamp=5),
        ShardFilter("AFTER_SHARD_ID", shard_id="zero"),
        ShardFilter("FROM_TIMESTAMP", timestamp=2e11),
    ],
)
def test_filters_that_make_no_sense_are_refused(history, shard_filter):
    with pytest.raises(InvalidArgumentException):
        history.list_shards(shard_filter=shard_filter)


@pytest.mark.parametrize(
    "arguments",
    [
        {"shard_filter": "NEWEST"},
        {"shard_filter": 5},
        {"shard_filter": ShardFilter("AT_TIMESTAMP", timestamp="now")},
        {"max_results": 0},
        {"max_results": 10_001},
        {"next_token": ""},
        {"next_token": 5},
        {"exclusive_start_shard_id": "a b"},
        {"stream_creation_timestamp": "now"},
    ],
)
def test_parameters_of_the_wrong_form_are_refused(history, arguments):
    with pytest.raises(ValidationException):
        history.list_shards(**arguments)


def test_pages_go_on_with_the_filter(history):
    page = history.list_shards(max_results=2, shard_filter="AT_LATEST")
    assert indexes(page) == [2, 3]
    assert page.next_token is not None
    page = history.list_shards(next_token=page.next_token, max_results=2)
    assert indexes(page) == [4]
    assert page.next_token is None


def test_a_token_is_good_for_five_minutes(history, clock):
    token = history.list_shards(max_results=1).next_token
    clock.advance(seconds=300, nanoseconds=-1)
    assert indexes(history.list_shards(next_token=token)) == [1, 2, 3, 4]
    clock.advance(nanoseconds=1)
    with pytest.raises(ExpiredNextTokenException):
        history.list_shards(next_token=token)


def test_a_token_stands_alone_and_belongs_to_its_stream(history, clock):
    token = history.list_shards(max_results=1).next_token
    for beside in [
        {"exclusive_start_shard_id": "shardId-000000000000"},
        {"shard_filter": "AT_LATEST"},
        {"stream_creation_timestamp": 5},
    ]:
        with pytest.raises(InvalidArgumentException, match="cannot be provided together"):
            history.list_shards(next_token=token, **beside)
    with pytest.raises(InvalidArgumentException, match="NextToken is invalid"):
        Stream("other", clock=clock).list_shards(next_token=token)
    with pytest.raises(InvalidArgumentException, match="NextToken is invalid"):
        history.list_shards(next_token=history.get_shard_iterator("shardId-000000000000", "LATEST"))


def test_no_more_than_1000_shards_are_listed_at_a_time(clock):
    stream = Stream("wide", shard_count=1001, clock=clock)
    page = stream.list_shards(max_results=10_000)
    assert len(page.shards) == 1000
    assert indexes(stream.list_shards(next_token=page.next_token)) == [1000]


def test_a_creation_time_tells_streams_of_one_name_apart(history):
    created = at(history)
    assert indexes(history.list_shards(stream_creation_timestamp=created)) == [0, 1, 2, 3, 4]
    with pytest.raises(
        ResourceNotFoundException, match=r"Stream events under account 000000000000 not found\."
    ):
        history.list_shards(stream_creation_timestamp=created + timedelta(milliseconds=1))


def test_a_stream_describes_itself(history):
    description = history.describe()
    assert description.stream_name == "events"
    assert description.stream_arn == "arn:aws:kinesis:us-east-1:000000000000:stream/events"
    assert description.stream_status == "ACTIVE"
    assert description.stream_mode == "PROVISIONED"
    assert description.retention_period_hours == 24
    assert description.encryption_type == "NONE"
    assert indexes(description) == [0, 1, 2, 3, 4]
    assert description.has_more_shards is False
    part = history.describe(limit=2, exclusive_start_shard_id="shardId-000000000001")
    assert (indexes(part), part.has_more_shards) == ([2, 3], True)
    assert len(Stream("wide", shard_count=101).describe().shards) == 100
    with pytest.raises(ValidationException):
        history.describe(limit=0)


def test_a_summary_counts(history):
    history.register_stream_consumer("reader")
    summary = history.describe_summary()
    assert (summary.open_shard_count, summary.consumer_count) == (3, 1)
    assert summary.max_record_size_in_kib == 1024


def test_pages_are_as_long_as_the_limits_say(clock):
    limits = StreamLimits(list_shards_max=2, describe_shards_max=3, next_token_seconds=1)
    stream = Stream("s", shard_count=4, clock=clock, limits=limits)
    page = stream.list_shards()
    assert indexes(page) == [0, 1]
    assert indexes(stream.describe()) == [0, 1, 2]
    clock.advance(seconds=1)
    with pytest.raises(ExpiredNextTokenException):
        stream.list_shards(next_token=page.next_token)
