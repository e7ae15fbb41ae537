"""Each public operation against values of the wrong type, out of range, or made to hurt."""

import inspect
import itertools
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queuestream.core.broker import Broker
from queuestream.core.clock import VirtualClock
from queuestream.core.errors import QueuestreamError
from queuestream.core.streams.entries import PutRecordsEntry
from queuestream.core.streams.fan_out import StartingPosition, Subscription
from queuestream.core.streams.listing import ShardFilter
from queuestream.core.streams.stream import Stream

hostile = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [10**4000, -(10**4000), 2**63, 2**128, -1, 0, float("nan"), float("inf"), -float("inf"), 1e308]
    ),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        ["\ud800", "\x00", "x" * 300, "9" * 60, "shardId-000000000000", "LATEST", "KMS", "ON_DEMAND", "a"]
    ),
    st.binary(max_size=5),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3), st.binary(max_size=3)), max_size=3),
    st.dictionaries(
        st.one_of(st.text(max_size=3), st.integers()), st.one_of(st.text(max_size=3), st.none()), max_size=3
    ),
    st.tuples(st.one_of(st.binary(), st.none()), st.text(max_size=3)),
    st.datetimes(),
    st.sampled_from([object(), int, ..., complex(1, 1), datetime.max, datetime.min]),
)
values = st.recursive(
    hostile,
    lambda inner: st.one_of(
        st.builds(ShardFilter, inner, inner, inner),
        st.builds(StartingPosition, inner, inner, inner),
        st.builds(PutRecordsEntry, inner, inner, inner),
        st.lists(inner, max_size=3),
        st.builds(lambda item: {"data": item, "partition_key": item}, inner),
        st.builds(lambda item: (item, item, item), inner),
    ),
    max_leaves=4,
)

NOT_OPERATIONS = {"check_invariants", "next_event_ns", "peek"}
OPERATIONS = [
    name
    for name, member in inspect.getmembers(Stream, inspect.isfunction)
    if not name.startswith("_") and name not in NOT_OPERATIONS
]


def made(clock):
    stream = Stream("events", shard_count=2, clock=clock, seed=1)
    stream.put_records([(b"data", str(key)) for key in range(10)])
    stream.register_stream_consumer("reader")
    return stream


def seen(stream):
    return (
        stream.settings,
        stream.list_shards(),
        stream.list_stream_consumers(),
        [(record.sequence_number, record.data) for record in stream.peek()],
    )


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_hostile_values_are_refused_with_an_error_of_ours_and_change_nothing(operation, data):
    stream = made(VirtualClock())
    method = getattr(stream, operation)
    arguments = {
        name: data.draw(values, label=name)
        for name, parameter in inspect.signature(method).parameters.items()
        if parameter.default is parameter.empty or data.draw(st.booleans())
    }
    before = seen(stream)
    try:
        method(**arguments)
    except QueuestreamError:
        assert seen(stream) == before
    if operation != "delete":
        stream.check_invariants()


@given(data=st.data())
def test_a_broker_refuses_hostile_values_too(data):
    broker = Broker(clock=VirtualClock(), seed=1)
    broker.create_stream("events")
    for call, names in [
        (broker.stream, ["name"]),
        (broker.stream_by_arn, ["stream_arn"]),
        (broker.list_streams, ["limit", "exclusive_start_stream_name", "next_token"]),
        (broker.delete_stream, ["name", "enforce_consumer_deletion"]),
        (
            broker.create_stream,
            [
                "name",
                "shard_count",
                "stream_mode",
                "retention_period_hours",
                "max_record_size_in_kib",
                "tags",
                "enforce_throughput",
                "provisioning_time_seconds",
                "limits",
            ],
        ),
    ]:
        chosen = [names[0], *(name for name in names[1:] if data.draw(st.booleans()))]
        arguments = {name: data.draw(values, label=name) for name in chosen}
        arguments["name" if "name" in arguments else chosen[0]] = data.draw(values)
        if "shard_count" in arguments and isinstance(arguments["shard_count"], int):
            arguments["shard_count"] = min(arguments["shard_count"], 50)
        with suppress(QueuestreamError):
            call(**arguments)


def test_every_operation_of_kinesis_is_there():
    assert {
        "add_tags",
        "decrease_stream_retention_period",
        "delete",
        "delete_resource_policy",
        "deregister_stream_consumer",
        "describe",
        "describe_stream_consumer",
        "describe_summary",
        "disable_enhanced_monitoring",
        "enable_enhanced_monitoring",
        "get_records",
        "get_resource_policy",
        "get_shard_iterator",
        "increase_stream_retention_period",
        "list_shards",
        "list_stream_consumers",
        "list_tags",
        "merge_shards",
        "put_record",
        "put_records",
        "put_resource_policy",
        "register_stream_consumer",
        "remove_tags",
        "split_shard",
        "start_stream_encryption",
        "stop_stream_encryption",
        "subscribe_to_shard",
        "update_max_record_size",
        "update_shard_count",
        "update_stream_mode",
        "update_stream_warm_throughput",
    } <= set(OPERATIONS)
    assert Subscription.__next__


def test_huge_and_strange_values_are_named_without_being_written_out():
    stream = made(VirtualClock())
    for value in itertools.chain([10**5000, object(), "x" * 10_000, b"x" * 10_000]):
        with pytest.raises(QueuestreamError) as caught:
            stream.get_records(stream.get_shard_iterator("shardId-000000000000", "LATEST"), limit=value)
        assert len(str(caught.value)) < 600
