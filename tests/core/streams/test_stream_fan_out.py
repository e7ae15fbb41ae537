import threading

import pytest

from queuestream.core.errors import (
    BrokerClosed,
    ExpiredNextTokenException,
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.streams.fan_out import StartingPosition
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.stream import Stream

FIRST = "shardId-000000000000"


@pytest.fixture
def arn(one):
    return one.register_stream_consumer("reader").consumer_arn


def data(event):
    return [record.data for record in event.records]


# --- consumers ---


def test_a_registered_consumer_is_described_and_deregistered(one, clock):
    made = one.register_stream_consumer("reader")
    assert made.consumer_arn == f"{one.arn}/consumer/reader:{clock.now_ns() // 10**9}"
    assert (made.consumer_status, made.stream_arn) == ("ACTIVE", one.arn)
    assert (
        one.describe_stream_consumer("reader")
        == one.describe_stream_consumer(consumer_arn=made.consumer_arn)
        == made
    )
    assert one.describe_stream_consumer("reader", made.consumer_arn) == made
    with pytest.raises(ResourceInUseException, match="already exists"):
        one.register_stream_consumer("reader")
    one.deregister_stream_consumer(consumer_arn=made.consumer_arn)
    with pytest.raises(ResourceNotFoundException, match=r"Consumer reader, account 000000000000 not found\."):
        one.deregister_stream_consumer("reader")


def test_a_consumer_needs_a_name_or_an_arn_that_belong_together(one, arn):
    one.register_stream_consumer("other")
    with pytest.raises(InvalidArgumentException):
        one.describe_stream_consumer()
    with pytest.raises(InvalidArgumentException, match="is not that of ConsumerARN"):
        one.describe_stream_consumer("other", arn)
    for wrong in ("", "a b", 5):
        with pytest.raises(ValidationException):
            one.describe_stream_consumer(wrong)
        with pytest.raises(ValidationException):
            one.register_stream_consumer(wrong)


def test_a_stream_has_twenty_consumers_at_the_most(one):
    for number in range(20):
        one.register_stream_consumer(str(number))
    with pytest.raises(LimitExceededException, match="limit of 20 registered consumers"):
        one.register_stream_consumer("x")


def test_five_consumers_may_be_creating_at_a_time(clock):
    stream = Stream("s", clock=clock, provisioning_time_seconds=3)
    clock.advance(seconds=3)
    made = [stream.register_stream_consumer(str(number)) for number in range(5)]
    assert made[0].consumer_status == "CREATING"
    assert stream.next_event_ns() == clock.now_ns() + 3_000_000_000
    with pytest.raises(LimitExceededException, match="5 consumers in the state CREATING"):
        stream.register_stream_consumer("x")
    with pytest.raises(ResourceInUseException, match="instead in state CREATING"):
        stream.subscribe_to_shard(made[0].consumer_arn, FIRST, "LATEST")
    clock.advance(seconds=3)
    assert stream.describe_stream_consumer("0").consumer_status == "ACTIVE"
    stream.register_stream_consumer("x")


def test_consumers_are_listed_in_pages(clock):
    stream = Stream("s", clock=clock, limits=StreamLimits(list_consumers_max=2))
    for name in "cab":
        stream.register_stream_consumer(name)
    page = stream.list_stream_consumers(max_results=100)
    assert [consumer.consumer_name for consumer in page.consumers] == ["a", "b"]
    rest = stream.list_stream_consumers(page.next_token)
    assert ([consumer.consumer_name for consumer in rest.consumers], rest.next_token) == (["c"], None)
    created = stream.describe_summary().stream_creation_timestamp
    assert len(stream.list_stream_consumers(stream_creation_timestamp=created).consumers) == 2
    with pytest.raises(ResourceNotFoundException):
        stream.list_stream_consumers(stream_creation_timestamp=5)
    with pytest.raises(InvalidArgumentException, match="cannot be provided together"):
        stream.list_stream_consumers(page.next_token, stream_creation_timestamp=5)
    clock.advance(seconds=300)
    with pytest.raises(ExpiredNextTokenException):
        stream.list_stream_consumers(page.next_token)
    with pytest.raises(ValidationException):
        stream.list_stream_consumers(max_results=0)


def test_a_consumer_has_tags_and_a_policy(one):
    arn = one.register_stream_consumer("reader", tags={"a": "1"}).consumer_arn
    one.tag_consumer(arn, {"b": "2"})
    one.untag_consumer(arn, ["a"])
    assert one.consumer_tags(arn) == {"b": "2"}
    with pytest.raises(InvalidArgumentException):
        one.tag_consumer(arn, {str(number): "" for number in range(50)})
    assert one.consumer_policy(arn) is None
    one.set_consumer_policy(arn, '{"Version": "2012-10-17", "Statement": []}')
    assert one.consumer_policy(arn) == '{"Version": "2012-10-17", "Statement": []}'
    one.set_consumer_policy(arn, None)
    assert one.consumer_policy(arn) is None
    assert one.consumer_tags(arn) == {"b": "2"}


# --- subscriptions ---


def test_a_subscription_pushes_what_is_there(one, arn):
    one.put_records([(b"0", "k"), (b"1", "k")])
    event = next(one.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON"))
    assert data(event) == [b"0", b"1"]
    assert event.continuation_sequence_number == event.records[-1].sequence_number
    assert (event.millis_behind_latest, event.child_shards) == (0, [])


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("LATEST", []),
        (StartingPosition("TRIM_HORIZON"), [b"0", b"1"]),
        (lambda numbers: StartingPosition("AT_SEQUENCE_NUMBER", numbers[1]), [b"1"]),
        (lambda numbers: StartingPosition("AFTER_SEQUENCE_NUMBER", sequence_number=numbers[0]), [b"1"]),
        (StartingPosition("AT_TIMESTAMP", timestamp=0), [b"0", b"1"]),
    ],
)
def test_starting_positions(one, arn, position, expected):
    numbers = [one.put_record(data, "k").sequence_number for data in (b"0", b"1")]
    if callable(position):
        position = position(numbers)
    assert data(next(one.subscribe_to_shard(arn, FIRST, position))) == expected


def test_a_quiet_subscription_ends_after_five_minutes_with_a_place_to_go_on_from(one, arn, clock):
    one.put_record(b"before", "k")
    start_ns = clock.now_ns()
    subscription = one.subscribe_to_shard(arn, FIRST, "LATEST")
    *_, event = subscription
    assert clock.now_ns() == start_ns + 300 * 10**9
    assert (data(event), event.millis_behind_latest) == ([], 0)
    assert list(subscription) == []
    one.put_record(b"after", "k")
    position = StartingPosition("AFTER_SEQUENCE_NUMBER", event.continuation_sequence_number)
    assert data(next(one.subscribe_to_shard(arn, FIRST, position))) == [b"after"]
    assert one._shards[FIRST].waiters == set()


def test_a_subscription_says_every_five_seconds_that_there_is_nothing(one, arn, clock):
    start_ns = clock.now_ns()
    subscription = one.subscribe_to_shard(arn, FIRST, "LATEST")
    for seconds in (5, 10):
        event = next(subscription)
        assert (data(event), event.millis_behind_latest) == ([], 0)
        assert clock.now_ns() == start_ns + seconds * 10**9
    clock.advance(seconds=3)
    one.put_record(b"0", "k")
    assert data(next(subscription)) == [b"0"]
    event = next(subscription)
    assert clock.now_ns() == start_ns + 18 * 10**9
    one.put_record(b"1", "k")
    position = StartingPosition("AFTER_SEQUENCE_NUMBER", event.continuation_sequence_number)
    assert data(next(one.subscribe_to_shard(arn, FIRST, position))) == [b"1"]


def test_a_reader_who_comes_after_five_minutes_gets_nothing_but_the_place(one, arn, clock):
    subscription = one.subscribe_to_shard(arn, FIRST, "LATEST")
    one.put_record(b"0", "k")
    clock.advance(seconds=300, nanoseconds=-1)
    assert data(next(subscription)) == [b"0"]
    one.put_record(b"1", "k")
    clock.advance(milliseconds=5, nanoseconds=1)
    event = next(subscription)
    assert (data(event), event.millis_behind_latest) == ([], 5)
    position = StartingPosition("AFTER_SEQUENCE_NUMBER", event.continuation_sequence_number)
    assert data(next(one.subscribe_to_shard(arn, FIRST, position))) == [b"1"]


def test_a_subscription_before_the_first_record_has_a_place_to_go_on_from(one, arn):
    event = next(one.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON"))
    one.put_record(b"0", "k")
    position = StartingPosition("AFTER_SEQUENCE_NUMBER", event.continuation_sequence_number)
    assert data(next(one.subscribe_to_shard(arn, FIRST, position))) == [b"0"]


def test_a_subscription_ends_with_its_shard_and_names_the_children(one, arn):
    one.put_record(b"0", "k")
    subscription = one.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON")
    one.split_shard(FIRST, str(2**127))
    [event] = subscription
    assert data(event) == [b"0"]
    assert event.continuation_sequence_number is None
    assert [child.shard_id for child in event.child_shards] == [
        "shardId-000000000001",
        "shardId-000000000002",
    ]


def test_a_subscription_wakes_when_a_reshard_is_completed(clock):
    stream = Stream("s", clock=clock, provisioning_time_seconds=30)
    clock.advance(seconds=30)
    arn = stream.register_stream_consumer("reader").consumer_arn
    clock.advance(seconds=30)
    subscription = stream.subscribe_to_shard(arn, FIRST, "LATEST")
    stream.split_shard(FIRST, "5")
    start_ns = clock.now_ns()
    *_, event = subscription
    assert clock.now_ns() == start_ns + 30 * 10**9
    assert len(event.child_shards) == 2


def test_a_subscription_wakes_when_its_stream_is_gone(clock):
    stream = Stream("s", clock=clock, provisioning_time_seconds=30)
    clock.advance(seconds=30)
    arn = stream.register_stream_consumer("reader").consumer_arn
    clock.advance(seconds=30)
    subscription = stream.subscribe_to_shard(arn, FIRST, "LATEST")
    stream.delete(enforce_consumer_deletion=True)
    start_ns = clock.now_ns()
    with pytest.raises(ResourceNotFoundException, match="Stream s under account"):
        list(subscription)
    assert clock.now_ns() == start_ns + 30 * 10**9


def test_a_second_subscription_is_refused_for_five_seconds_and_takes_over_after_that(one, arn, clock):
    first = one.subscribe_to_shard(arn, FIRST, "LATEST")
    clock.advance(seconds=5, nanoseconds=-1)
    with pytest.raises(ResourceInUseException):
        one.subscribe_to_shard(arn, FIRST, "LATEST")
    clock.advance(nanoseconds=1)
    second = one.subscribe_to_shard(arn, FIRST, "LATEST")
    with pytest.raises(ResourceInUseException, match="took over"):
        next(first)
    assert list(first) == []
    one.put_record(b"0", "k")
    assert data(next(second)) == [b"0"]


def test_other_consumers_and_other_shards_are_not_in_the_way(stream):
    first, second = (stream.register_stream_consumer(name).consumer_arn for name in "ab")
    stream.subscribe_to_shard(first, FIRST, "LATEST")
    stream.subscribe_to_shard(second, FIRST, "LATEST")
    stream.subscribe_to_shard(first, "shardId-000000000001", "LATEST")


def test_a_closed_subscription_says_no_more(one, arn):
    subscription = one.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON")
    one.put_record(b"0", "k")
    subscription.close()
    assert list(subscription) == []


def test_a_subscription_ends_when_its_consumer_its_stream_or_its_broker_goes(one, arn):
    other = one.register_stream_consumer("other").consumer_arn
    first, second = (one.subscribe_to_shard(name, FIRST, "LATEST") for name in (arn, other))
    one.deregister_stream_consumer("reader")
    with pytest.raises(ResourceNotFoundException, match="Consumer reader"):
        next(first)
    one.delete(enforce_consumer_deletion=True)
    with pytest.raises(ResourceNotFoundException, match="Stream events"):
        next(second)
    stream = Stream("s")
    third = stream.subscribe_to_shard(stream.register_stream_consumer("r").consumer_arn, FIRST, "LATEST")
    stream.broker.close()
    with pytest.raises(BrokerClosed):
        next(third)


def test_records_that_expire_under_a_subscription_are_not_pushed(one, arn, clock):
    one.put_record(b"old", "k")
    clock.advance(hours=24, seconds=-60)
    subscription = one.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON")
    one.put_record(b"new", "k")
    clock.advance(seconds=60)
    assert data(next(subscription)) == [b"new"]


EVENTS = ["put", "put while somebody listens", "batch", "split", "take over", "close broker", "close"]


@pytest.mark.parametrize("event", EVENTS)
def test_a_waiting_subscription_is_woken_by_what_happens(event):
    stream = Stream("s", shard_count=1, limits=StreamLimits(subscription_takeover_seconds=0))
    arn = stream.register_stream_consumer("reader").consumer_arn
    subscription = stream.subscribe_to_shard(arn, FIRST, "LATEST")
    said = []

    def read():
        try:
            said.append(next(subscription, None))
        except (ResourceInUseException, BrokerClosed) as error:
            said.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    while not stream._shards[FIRST].waiters:
        pass
    {
        "put": lambda: stream.put_record(b"news", "k"),
        "put while somebody listens": lambda: (stream.broker.listen(list), stream.put_record(b"news", "k")),
        "batch": lambda: stream.put_records([(b"news", "k")]),
        "split": lambda: stream.split_shard(FIRST, "5"),
        "take over": lambda: stream.subscribe_to_shard(arn, FIRST, "LATEST"),
        "close broker": stream.broker.close,
        "close": subscription.close,
    }[event]()
    reader.join(10)
    [what] = said
    if event in {"put", "put while somebody listens", "batch"}:
        assert data(what) == [b"news"]
    elif event == "split":
        assert len(what.child_shards) == 2
    elif event == "close":
        assert what is None
    else:
        assert isinstance(what, ResourceInUseException if event == "take over" else BrokerClosed)


def test_what_cannot_be_subscribed_to(one, arn):
    with pytest.raises(ResourceNotFoundException):
        one.subscribe_to_shard(arn + "1", FIRST, "LATEST")
    with pytest.raises(ResourceNotFoundException):
        one.subscribe_to_shard(arn, "shardId-000000000007", "LATEST")
    with pytest.raises(InvalidArgumentException):
        one.subscribe_to_shard(arn, FIRST, "AT_TIMESTAMP")
    with pytest.raises(InvalidArgumentException, match="used in SubscribeToShard on shard"):
        one.subscribe_to_shard(arn, FIRST, StartingPosition("AT_SEQUENCE_NUMBER", "5"))
    for wrong in [(None, FIRST, "LATEST"), (arn, None, "LATEST"), (arn, FIRST, None), (arn, FIRST, "NEWEST")]:
        with pytest.raises((ValidationException, InvalidArgumentException)):
            one.subscribe_to_shard(*wrong)
    one.subscribe_to_shard(arn, FIRST, "LATEST")  # none of them counted
