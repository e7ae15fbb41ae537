"""Kinesis: registered consumers, and shards that are pushed to them."""

import pytest
from drivers import REBUILT
from drivers.refusals import refused

from queuestream.core.streams.fan_out import StartingPosition
from queuestream.core.streams.limits import StreamLimits

REGISTER = "Kinesis API reference: RegisterStreamConsumer"
DESCRIBE = "Kinesis API reference: DescribeStreamConsumer"
LIST = "Kinesis API reference: ListStreamConsumers"
SUBSCRIBE = "Kinesis API reference: SubscribeToShard"
TAG = "Kinesis API reference: TagResource"
FIRST = "shardId-000000000000"
MIDDLE = str(2**127)
NOT_REBUILT = pytest.mark.not_through(*REBUILT, why="a subscription does not outlive a restart")


@pytest.fixture
def stream(broker):
    return broker.create_stream("events", shard_count=1)


@pytest.fixture
def reader(stream):
    return stream.register_stream_consumer("reader").consumer_arn


def subscribe(stream, reader, kind="TRIM_HORIZON", **position):
    return iter(stream.subscribe_to_shard(reader, FIRST, StartingPosition(kind, **position)))


def data(event):
    return [record.data for record in event.records]


# --- consumers ---


@pytest.mark.aws("A consumer is registered under a name, and gets an ARN.", page=REGISTER)
def test_a_consumer_is_registered(stream):
    consumer = stream.register_stream_consumer("reader")
    assert consumer.consumer_name == "reader"
    assert consumer.consumer_status == "ACTIVE"
    seconds = int(consumer.consumer_creation_timestamp.timestamp())
    assert consumer.consumer_arn == f"{stream.arn}/consumer/reader:{seconds}"


@pytest.mark.aws(
    "A consumer is described by its ARN, by its name and its stream, or by all three.", page=DESCRIBE
)
def test_a_consumer_is_described(stream, reader):
    by_arn = stream.describe_stream_consumer(consumer_arn=reader)
    assert by_arn == stream.describe_stream_consumer("reader")
    assert by_arn == stream.describe_stream_consumer("reader", reader)
    assert (by_arn.consumer_name, by_arn.stream_arn) == ("reader", stream.arn)


@pytest.mark.aws("Name and ARN must not conflict with each other.", page=DESCRIBE)
def test_a_consumers_name_and_arn_belong_together(stream, reader):
    stream.register_stream_consumer("other")
    with refused("InvalidArgumentException"):
        stream.describe_stream_consumer("other", reader)


@pytest.mark.aws("Two consumers of a stream cannot have one name.", page=REGISTER)
def test_a_consumers_name_is_used_once(stream, reader):
    with refused("ResourceInUseException"):
        stream.register_stream_consumer("reader")


@pytest.mark.aws("A stream has 20 registered consumers at the most.", page=REGISTER)
def test_a_stream_has_twenty_consumers(stream):
    for number in range(20):
        stream.register_stream_consumer(f"reader-{number}")
    with refused("LimitExceededException"):
        stream.register_stream_consumer("one-more")


@pytest.mark.aws(
    "An on-demand stream has 50 in an account with a minimum throughput billing commitment.", page=REGISTER
)
def test_an_advantage_stream_has_fifty_consumers(broker):
    stream = broker.create_stream("many", stream_mode="ON_DEMAND")
    provisioned = broker.create_stream("few", shard_count=1)
    broker.update_account_settings("ENABLED")
    for number in range(50):
        stream.register_stream_consumer(f"reader-{number}")
    with refused("LimitExceededException"):
        stream.register_stream_consumer("one-more")
    for number in range(20):
        provisioned.register_stream_consumer(f"reader-{number}")
    with refused("LimitExceededException"):
        provisioned.register_stream_consumer("one-more")


@pytest.mark.aws("Five consumers can be CREATING at a time.", page=REGISTER)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_five_consumers_are_created_at_a_time(stream, clock):
    clock.advance(seconds=10)
    for number in range(5):
        assert stream.register_stream_consumer(f"reader-{number}").consumer_status == "CREATING"
    with refused("LimitExceededException"):
        stream.register_stream_consumer("one-more")
    clock.advance(seconds=10)
    assert stream.describe_stream_consumer("reader-0").consumer_status == "ACTIVE"


@pytest.mark.aws(
    "A consumer is deregistered by its name or its ARN.",
    page="Kinesis API reference: DeregisterStreamConsumer",
)
def test_a_consumer_is_deregistered(stream, reader):
    stream.register_stream_consumer("other")
    stream.deregister_stream_consumer(consumer_arn=reader)
    assert [consumer.consumer_name for consumer in stream.list_stream_consumers().consumers] == ["other"]
    stream.deregister_stream_consumer("other")
    assert stream.list_stream_consumers().consumers == []


@pytest.mark.aws("A consumer that does not exist is not found.", page=DESCRIBE)
def test_a_consumer_that_is_gone_is_not_found(stream, reader):
    stream.deregister_stream_consumer("reader")
    with refused("ResourceNotFoundException"):
        stream.describe_stream_consumer("reader")
    with refused("ResourceNotFoundException"):
        stream.subscribe_to_shard(reader, FIRST, "LATEST")


@pytest.mark.aws("Consumers are listed page by page.", page=LIST)
def test_consumers_are_listed_page_by_page(stream):
    for name in ("c", "a", "b"):
        stream.register_stream_consumer(name)
    page = stream.list_stream_consumers(max_results=2)
    rest = stream.list_stream_consumers(next_token=page.next_token)
    pages = [page, rest]
    assert [[consumer.consumer_name for consumer in one.consumers] for one in pages] == [["a", "b"], ["c"]]
    assert rest.next_token is None


@pytest.mark.aws("Consumers have tags of their own.", page=TAG)
def test_consumers_have_tags(stream):
    arn = stream.register_stream_consumer("reader", {"team": "a"}).consumer_arn
    stream.tag_consumer(arn, {"stage": "test"})
    assert stream.consumer_tags(arn) == {"team": "a", "stage": "test"}
    stream.untag_consumer(arn, ["team"])
    assert stream.consumer_tags(arn) == {"stage": "test"}
    assert stream.tags == {}


@pytest.mark.aws(
    "A stream with consumers is deleted only if that is asked for.",
    page="Kinesis API reference: DeleteStream",
)
def test_a_stream_with_consumers_is_kept(stream, reader):
    with refused("ResourceInUseException"):
        stream.delete()
    stream.delete(enforce_consumer_deletion=True)
    with refused("ResourceNotFoundException"):
        stream.describe()


# --- subscriptions ---


@pytest.mark.aws("A subscription pushes the shard's records from its starting position on.", page=SUBSCRIBE)
@NOT_REBUILT
def test_a_subscription_pushes_records(stream, reader):
    stream.put_records([(b"1", "k"), (b"2", "k")])
    events = subscribe(stream, reader)
    event = next(events)
    assert data(event) == [b"1", b"2"]
    assert event.millis_behind_latest == 0
    assert event.continuation_sequence_number == event.records[-1].sequence_number


@pytest.mark.aws(
    "A subscription can start at and after a sequence number, at a time, and at the tip.",
    page="Kinesis API reference: StartingPosition",
)
@NOT_REBUILT
def test_a_subscription_starts_where_it_is_told_to(stream, reader, clock):
    puts = []
    for number in range(3):
        puts.append(stream.put_record(b"%d" % number, "k"))
        clock.advance(seconds=10)
    [_, second, _] = next(subscribe(stream, reader)).records
    clock.advance(seconds=10)
    at = subscribe(stream, reader, "AT_SEQUENCE_NUMBER", sequence_number=puts[1].sequence_number)
    assert data(next(at)) == [b"1", b"2"]
    clock.advance(seconds=10)
    after = subscribe(stream, reader, "AFTER_SEQUENCE_NUMBER", sequence_number=puts[1].sequence_number)
    assert data(next(after)) == [b"2"]
    clock.advance(seconds=10)
    then = subscribe(stream, reader, "AT_TIMESTAMP", timestamp=second.approximate_arrival_timestamp)
    assert data(next(then)) == [b"1", b"2"]
    clock.advance(seconds=10)
    latest = subscribe(stream, reader, "LATEST")
    stream.put_record(b"new", "k")
    assert data(next(latest)) == [b"new"]


@pytest.mark.aws("A subscription lasts for five minutes.", page=SUBSCRIBE)
@NOT_REBUILT
def test_a_subscription_lasts_for_five_minutes(stream, reader, clock):
    stream.put_record(b"1", "k")
    before = stream.describe_summary()
    start_ns = clock.now_ns()
    events = list(subscribe(stream, reader))
    assert clock.now_ns() - start_ns == 300 * 10**9
    assert [data(event) for event in events if event.records] == [[b"1"]]
    assert stream.describe_summary() == before


@pytest.mark.aws(
    "A subscription goes on saying where it is while nothing is written.",
    page="Kinesis API reference: SubscribeToShardEvent",
)
@NOT_REBUILT
def test_a_subscription_goes_on_while_nothing_is_written(stream, reader):
    event = next(subscribe(stream, reader))
    assert data(event) == []
    assert (event.millis_behind_latest, event.continuation_sequence_number is None) == (0, False)
    stream.put_record(b"1", "k")
    again = stream.subscribe_to_shard(
        stream.register_stream_consumer("another").consumer_arn,
        FIRST,
        StartingPosition("AFTER_SEQUENCE_NUMBER", event.continuation_sequence_number),
    )
    assert data(next(again)) == [b"1"]


@pytest.mark.aws(
    "At the end of a closed shard, a subscription names the child shards, and ends.",
    page="Kinesis API reference: SubscribeToShardEvent",
)
@NOT_REBUILT
def test_a_subscription_ends_with_its_shard(stream, reader):
    stream.put_record(b"1", "k")
    stream.split_shard(FIRST, MIDDLE)
    [event] = subscribe(stream, reader)
    assert data(event) == [b"1"]
    assert [child.shard_id[-1] for child in event.child_shards] == ["1", "2"]


@pytest.mark.aws("A second subscription within five seconds is refused.", page=SUBSCRIBE)
@NOT_REBUILT
def test_a_second_subscription_is_refused_for_five_seconds(stream, reader, clock):
    stream.put_record(b"1", "k")
    next(subscribe(stream, reader))
    clock.advance(seconds=4.999)
    with refused("ResourceInUseException"):
        stream.subscribe_to_shard(reader, FIRST, "TRIM_HORIZON")
    clock.advance(milliseconds=1)
    assert data(next(subscribe(stream, reader))) == [b"1"]


@pytest.mark.aws("A subscription is by consumer and shard: others are not disturbed.", page=SUBSCRIBE)
@NOT_REBUILT
def test_consumers_subscribe_by_themselves(stream, reader):
    stream.put_record(b"1", "k")
    other = stream.register_stream_consumer("other").consumer_arn
    assert [data(next(subscribe(stream, arn))) for arn in (reader, other)] == [[b"1"], [b"1"]]


@pytest.mark.aws("Only a consumer that is ACTIVE can subscribe.", page=SUBSCRIBE)
@pytest.mark.settings(stream_settings={"provisioning_time_seconds": 10})
def test_a_consumer_that_is_creating_cannot_subscribe(stream, clock):
    clock.advance(seconds=10)
    arn = stream.register_stream_consumer("reader").consumer_arn
    with refused("ResourceInUseException"):
        stream.subscribe_to_shard(arn, FIRST, "LATEST")


@pytest.mark.aws("A shard that does not exist is not found.", page=SUBSCRIBE)
def test_a_shard_that_is_not_there_cannot_be_subscribed_to(stream, reader):
    with refused("ResourceNotFoundException"):
        stream.subscribe_to_shard(reader, "shardId-000000000009", "LATEST")


@pytest.mark.aws(
    "Each consumer gets up to 2 MiB of each shard in a second, whatever others read.",
    page="Kinesis developer guide: Develop enhanced fan-out consumers",
)
@pytest.mark.settings(
    stream_settings={
        "enforce_throughput": True,
        "limits": StreamLimits(subscription_bytes_per_second=2_000),
    }
)
@NOT_REBUILT
def test_a_consumer_has_a_throughput_of_its_own(stream, reader, clock):
    other = stream.register_stream_consumer("other").consumer_arn
    for _ in range(4):
        stream.put_record(bytes(999), "k")
    for arn in (reader, other):
        start_ns = clock.now_ns()
        events = subscribe(stream, arn)
        pushed = [len(next(events).records) for _ in range(2)]
        assert pushed == [2, 2]
        assert clock.now_ns() - start_ns == 10**9
