"""What listeners hear: all that is needed to rebuild a stream, and before it is done."""

import pytest

from queuestream.core.broker import Broker
from queuestream.core.streams import changes
from queuestream.core.streams.limits import StreamLimits

FIRST, SECOND_SHARD = "shardId-000000000000", "shardId-000000000001"


@pytest.fixture
def heard():
    return []


@pytest.fixture
def broker(clock, heard):
    broker = Broker(clock=clock, seed=1)
    broker.listen(heard.extend)
    return broker


def rebuilt(heard, clock):
    twin = Broker(clock=clock, seed=2)
    for change in heard:
        change.apply(twin)
    twin.check_invariants()
    return twin


def answers(stream, clock):
    return (
        stream.settings,
        stream.describe(),
        stream.describe_summary(),
        stream.list_shards(),
        stream.list_stream_consumers(),
        [(record.sequence_number, record.data, record.encryption_type) for record in stream.peek()],
        stream.get_shard_iterator(stream.list_shards().shards[-1].shard_id, "LATEST"),
        stream.next_event_ns(),
    )


def test_each_operation_tells_what_it_changes(broker, heard, clock):
    stream = broker.create_stream("events", shard_count=2, tags={"a": "b"})
    stream.put_record(b"0", "k")
    stream.put_records([(b"1", "k"), (b"2", "k")])
    stream.split_shard(FIRST, "5000")
    stream.update_shard_count(4)
    stream.start_stream_encryption("KMS", "key")
    arn = stream.register_stream_consumer("reader", {"a": "b"}).consumer_arn
    stream.set_consumer_policy(arn, '{"Version": "2012-10-17", "Statement": []}')
    stream.deregister_stream_consumer("reader")
    clock.advance(hours=24)
    stream.list_shards()
    stream.delete()
    assert [type(change).__name__ for change in heard] == [
        "StreamCreated",
        "RecordPut",
        "RecordPut",
        "RecordPut",
        "Resharded",
        "StreamChanged",
        "Resharded",
        "StreamChanged",
        "ConsumerRegistered",
        "ConsumerChanged",
        "ConsumerDeregistered",
        *["ShardExpired"] * len([change for change in heard if isinstance(change, changes.ShardExpired)]),
        "StreamDeleted",
    ]
    assert broker.streams == rebuilt(heard, clock).streams == {}


def test_one_call_is_heard_as_one(broker, clock):
    calls = []
    stream = broker.create_stream("events", shard_count=2)
    broker.listen(calls.append)
    stream.put_records([(b"", str(key)) for key in range(10)])
    stream.update_shard_count(3)
    clock.advance(hours=24)
    stream.put_record(b"", "k")
    assert [[type(change).__name__ for change in call] for call in calls[:2]] == [
        ["RecordPut"] * 10,
        ["StreamChanged", "Resharded"],
    ]
    assert [len(call) for call in calls[2:]] == [len(calls[2]), 1]
    assert {type(change).__name__ for change in calls[2]} <= {"RecordsTrimmed", "ShardExpired"}


def test_the_changes_alone_rebuild_an_equal_stream(broker, heard, clock):
    stream = broker.create_stream(
        "events", stream_mode="ON_DEMAND", scale_on_demand=True, enforce_throughput=True
    )
    for hour in range(30):
        stream.put_records([(b"x" * 1000, f"{hour} {number}") for number in range(500)])
        clock.advance(hours=1)
    broker.update_account_settings("ENABLED")
    stream.update_stream_warm_throughput(7)
    stream.update_stream_record_distribution_strategy("AUTO")
    stream.put_resource_policy('{"Version": "2012-10-17", "Statement": []}')
    stream.enable_enhanced_monitoring(["ALL"])
    arn = stream.register_stream_consumer("reader").consumer_arn
    stream.tag_consumer(arn, {"a": "b"})
    twin = rebuilt(heard, clock).stream("events")
    assert answers(twin, clock) == answers(stream, clock)
    assert twin.consumer_tags(arn) == {"a": "b"}
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    read, read_by_twin = (of.get_records(iterator).records for of in (stream, twin))
    assert [record.data for record in read] == [record.data for record in read_by_twin]
    assert twin.put_record(b"", "k").sequence_number == stream.put_record(b"", "k").sequence_number
    assert twin.broker.describe_account_settings() == broker.describe_account_settings()


@pytest.mark.parametrize("wait", [0, 29, 30, 31, 3600])
def test_a_slow_stream_is_rebuilt_in_every_state(broker, heard, clock, wait):
    stream = broker.create_stream("events", provisioning_time_seconds=30)
    assert rebuilt(heard, clock).stream("events").status == "CREATING"
    clock.advance(seconds=30)
    stream.split_shard(FIRST, "5000")
    clock.advance(seconds=wait)
    stream.put_record(b"", "k")
    twin = rebuilt(heard, clock).stream("events")
    assert answers(twin, clock) == answers(stream, clock)
    clock.advance(seconds=60)
    assert answers(twin, clock) == answers(stream, clock)
    stream.delete()
    stream.put_record(b"while it is being deleted", "k")
    assert rebuilt(heard, clock).stream("events").status == "DELETING"
    clock.advance(seconds=30)
    broker.create_stream("events")
    assert rebuilt(heard, clock).stream("events").status == "ACTIVE"


def test_a_listener_that_refuses_means_that_nothing_happened(broker, clock):
    def refuse(changes):
        raise OSError("disk full")

    stream = broker.create_stream("events", shard_count=2)
    stream.put_record(b"data", "k")
    arn = stream.register_stream_consumer("reader").consumer_arn
    stream.put_resource_policy('{"Version": "2012-10-17", "Statement": []}')
    broker.listen(refuse)
    before = answers(stream, clock)
    for call in (
        lambda: broker.create_stream("other"),
        lambda: stream.put_record(b"", "k"),
        lambda: stream.put_records([(b"", "k"), (b"", "j")]),
        lambda: stream.split_shard(FIRST, "5000"),
        lambda: stream.merge_shards(FIRST, SECOND_SHARD),
        lambda: stream.update_shard_count(4),
        lambda: stream.increase_stream_retention_period(48),
        lambda: stream.update_stream_mode("ON_DEMAND"),
        lambda: stream.update_max_record_size(2048),
        lambda: stream.add_tags({"a": "b"}),
        lambda: stream.remove_tags(["a"]),
        lambda: stream.start_stream_encryption("KMS", "key"),
        lambda: stream.enable_enhanced_monitoring(["ALL"]),
        lambda: stream.put_resource_policy('{"Version": "2012-10-17", "Statement": []}'),
        stream.delete_resource_policy,
        lambda: stream.register_stream_consumer("other"),
        lambda: stream.tag_consumer(arn, {"a": "b"}),
        lambda: stream.deregister_stream_consumer("reader"),
        lambda: stream.delete(enforce_consumer_deletion=True),
    ):
        with pytest.raises(OSError, match="disk full"):
            call()
        assert answers(stream, clock) == before
        assert list(broker.streams) == ["events"]
    clock.advance(hours=24)
    with pytest.raises(OSError, match="disk full"):
        stream.list_shards()
    broker.listeners = ()
    put = stream.put_record(b"", "k")
    assert stream.peek() == [put]
    assert put.number == 2
    stream.check_invariants()


def test_reading_changes_nothing_that_a_listener_would_hear(broker, heard):
    stream = broker.create_stream("events", limits=StreamLimits())
    stream.put_record(b"", "k")
    arn = stream.register_stream_consumer("reader").consumer_arn
    before = len(heard)
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    stream.get_records(stream.get_records(iterator).next_shard_iterator)
    next(stream.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON"))
    for look in (
        stream.list_shards,
        stream.describe,
        stream.describe_summary,
        stream.list_tags,
        stream.peek,
        repr,
    ):
        look(stream) if look is repr else look()
    assert len(heard) == before


def test_a_gone_stream_that_nobody_asked_for_is_not_counted(broker, clock):
    stream = broker.create_stream("events", provisioning_time_seconds=1)
    clock.advance(seconds=1)
    stream.delete()
    clock.advance(seconds=1)
    assert broker.describe_stream_limits().open_shard_count == 0
