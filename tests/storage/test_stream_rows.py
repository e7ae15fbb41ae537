"""Streams that are written to a database and opened again go on as if nothing had been."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_files import NO_TAIL, StreamFile

from queuestream import Broker, VirtualClock
from queuestream.core.bucket import Bucket
from queuestream.core.clock import HOUR
from queuestream.core.errors import ServiceError
from queuestream.core.ids import Ids
from queuestream.core.streams import account
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.record import Record
from queuestream.storage.records import Tail

FIRST = "shardId-000000000000"
LIMITS = StreamLimits(
    get_records_max=4,
    get_records_bytes_max=60,
    on_demand_shards=2,
    read_calls_per_second=3,
    read_bytes_per_second=60,
    subscription_bytes_per_second=50,
    subscription_event_records_max=3,
    write_bytes_per_second=100,
    write_records_per_second=5,
)


# --- calls as values, which any broker can be asked ---


def create_stream(broker, held, stream, *, kind, shard_count):
    on_demand = {"stream_mode": "ON_DEMAND", "scale_on_demand": True}
    kinds = {
        "plain": {"shard_count": shard_count},
        "strict": {"shard_count": shard_count, "enforce_throughput": True},
        "slow": {"shard_count": shard_count, "provisioning_time_seconds": 30},
        "on demand": on_demand,
        "even": on_demand | {"record_distribution_strategy": "AUTO", "enforce_throughput": True},
    }
    return broker.create_stream(stream, limits=LIMITS, tags={"made": "é"}, **kinds[kind]).arn


def delete_stream(broker, held, stream):
    return broker.delete_stream(stream, enforce_consumer_deletion=True)


def put(broker, held, stream, *, records):
    return broker.stream(stream).put_records(records)


def put_one(broker, held, stream, *, hash_key):
    return broker.stream(stream).put_record(b"one", "é\0", str(hash_key))


def nth_shard(broker, stream, pick):
    shards = broker.stream(stream).list_shards().shards
    return shards[pick % len(shards)] if shards else None


def split(broker, held, stream, *, pick, share):
    shard = nth_shard(broker, stream, pick)
    start, end = (int(text) for text in shard.hash_key_range)
    return broker.stream(stream).split_shard(shard.shard_id, str(start + (end - start) * share // 100))


def merge(broker, held, stream, *, pick):
    opened = broker.stream(stream)._open_shards
    left = pick % max(1, len(opened) - 1)
    return broker.stream(stream).merge_shards(*(shard.shard_id for shard in (opened * 2)[left : left + 2]))


def scale(broker, held, stream, *, count):
    return broker.stream(stream).update_shard_count(count)


def keep_for(broker, held, stream, *, hours):
    stream = broker.stream(stream)
    if hours > stream.settings.retention_period_hours:
        return stream.increase_stream_retention_period(hours)
    return stream.decrease_stream_retention_period(hours)


def set_something(broker, held, stream, *, what):
    stream = broker.stream(stream)
    match what:
        case "KMS":
            return stream.start_stream_encryption("KMS", "key")
        case "no KMS":
            return stream.stop_stream_encryption("KMS", "key")
        case "ON_DEMAND" | "PROVISIONED":
            return stream.update_stream_mode(what)
        case "AUTO" | "USER_PARTITION_KEY":
            return stream.update_stream_record_distribution_strategy(what)
        case "policy":
            return stream.put_resource_policy('{"Version": "2012-10-17", "Statement": []}')
        case "warm":
            return stream.update_stream_warm_throughput(7)
    return stream.add_tags({what: "yes"})


def commit(broker, held, *, status):
    return broker.update_account_settings(status)


def register(broker, held, stream, *, name, on):
    stream = broker.stream(stream)
    if not on:
        return stream.deregister_stream_consumer(name)
    described = stream.register_stream_consumer(name, {"on": "ü"})
    stream.set_consumer_policy(described.consumer_arn, '{"Version": "2012-10-17", "Statement": []}')
    return described


def read(broker, held, stream, *, pick, kind, hours, limit):
    shard = nth_shard(broker, stream, pick)
    stream = broker.stream(stream)
    time = broker.clock.now_ns() // 10**6 / 1000 - hours * 3600
    iterator = stream.get_shard_iterator(
        shard.shard_id, kind, timestamp=time if kind == "AT_TIMESTAMP" else None
    )
    return stream.get_records(iterator, limit)


def read_on(broker, held, *, pick, limit):
    stream, iterator = held[-1 - pick % len(held)] if held else ("one", "none")
    return broker.stream(stream).get_records(iterator, limit)


def subscribe(broker, held, stream, *, pick, name):
    shard = nth_shard(broker, stream, pick)
    consumer = broker.stream(stream).describe_stream_consumer(name)
    subscription = broker.stream(stream).subscribe_to_shard(
        consumer.consumer_arn, shard.shard_id, "TRIM_HORIZON"
    )
    return subscription.attempt(), subscription.attempt()


def look(broker, held, stream):
    stream = broker.stream(stream)
    return stream.describe(), stream.describe_summary(), stream.peek(), repr(stream)


def call(function, **arguments):
    return st.tuples(st.just(function), st.fixed_dictionaries(arguments))


STREAM = st.sampled_from(["one", "one", "one", "two"])
PICK = st.integers(0, 9)
KEYS = st.sampled_from([f"key {number}" for number in range(8)])
NAMES = st.sampled_from(["reader", "writer"])
RECORDS = st.lists(st.tuples(st.binary(max_size=40), KEYS), min_size=1, max_size=8)
LIMIT = st.sampled_from([None, 1, 2])

PUTS = st.one_of(
    call(put, stream=STREAM, records=RECORDS),
    call(put, stream=STREAM, records=RECORDS),
    call(put_one, stream=STREAM, hash_key=st.integers(0, 2**128 - 1)),
)
READS = st.one_of(
    call(
        read,
        stream=STREAM,
        pick=PICK,
        kind=st.sampled_from(["TRIM_HORIZON", "TRIM_HORIZON", "AT_TIMESTAMP", "LATEST"]),
        hours=st.sampled_from([0, 1, 24, 30]),
        limit=LIMIT,
    ),
    call(read_on, pick=PICK, limit=LIMIT),
    call(subscribe, stream=STREAM, pick=PICK, name=NAMES),
    call(look, stream=STREAM),
)
CHANGES = st.one_of(
    call(split, stream=STREAM, pick=PICK, share=st.integers(1, 99)),
    call(merge, stream=STREAM, pick=PICK),
    call(scale, stream=STREAM, count=st.integers(1, 6)),
    call(keep_for, stream=STREAM, hours=st.sampled_from([24, 25, 48])),
    call(
        set_something,
        stream=STREAM,
        what=st.sampled_from(
            ["KMS", "no KMS", "ON_DEMAND", "PROVISIONED", "AUTO", "USER_PARTITION_KEY", "policy", "warm", "a"]
        ),
    ),
    call(commit, status=st.sampled_from(["ENABLED", "DISABLED"])),
    call(register, stream=STREAM, name=NAMES, on=st.booleans()),
)
KIND = st.sampled_from(["plain", "plain", "strict", "slow", "on demand", "even"])
ENDS = st.one_of(
    call(delete_stream, stream=STREAM),
    call(create_stream, stream=STREAM, kind=KIND, shard_count=st.integers(1, 3)),
    call(create_stream, stream=STREAM, kind=KIND, shard_count=st.integers(1, 3)),
)
PAUSES = st.sampled_from([0.001, 1, 5, 30, 60, HOUR // 10**9, 12 * 3600, 24 * 3600, "next event"])
STORAGE = st.sampled_from(["write", "write", "write", "open again", "write and open again", "tidy"])
WEIGHTS = {PUTS: 7, READS: 5, CHANGES: 4, ENDS: 1, PAUSES: 3, STORAGE: 5}
STEP = st.sampled_from([kind for kind, weight in WEIGHTS.items() for _ in range(weight)]).flatmap(
    lambda kind: kind
)
STEPS = st.integers(0, 30).flatmap(lambda length: st.lists(STEP, min_size=length, max_size=length))


# --- what is asked, and what is seen ---


def told(value):
    """An answer as something to compare: records by what they say."""
    if isinstance(value, Record):
        return (
            type(value),
            value.number,
            value.data,
            value.partition_key,
            value.arrival_ns,
            value.end,
            value.shard,
            value.sequence_number,
        )
    if isinstance(value, list | tuple):
        return [told(item) for item in value]
    if hasattr(value, "records"):
        return [type(value), *(told(getattr(value, name)) for name in value.__slots__ if name[0] != "_")]
    return value


def ask(broker, held, step):
    function, arguments = step
    try:
        return function(broker, held, **arguments)
    except (ServiceError, IndexError, AttributeError) as error:
        return type(error), str(error)


def seen(broker):
    """All that there is to a broker's streams, after what has expired was let go of."""
    account.forget_gone(broker)
    for stream in broker.streams.values():
        stream._look_again()
        stream.describe_summary()
    broker.check_invariants()
    streams = {
        name: (
            stream.settings,
            stream.arn,
            stream.created_at_ns,
            stream.status,
            stream._secret,
            stream._busy_until_ns,
            stream._gone_from_ns,
            stream._pending,
            stream._turn,
            stream._load and stream._load.seen,
            stream._next_index,
            [shard.shard_id for shard in stream._open_shards],
            [
                (
                    shard.identity,
                    shard.identity.base,
                    shard.horizon,
                    shard.next_number,
                    shard.end,
                    shard.closed_at_ns,
                    shard.children,
                    shard.allowance and shard.allowance.used_by_puts,
                    told(shard.live_records()),
                )
                for shard in stream._shards.values()
            ],
            [
                (one.name, one.arn, one.created_at_ns, one.active_from_ns, one.tags, one.resource_policy)
                for one in stream._consumers.values()
            ],
        )
        for name, stream in broker.streams.items()
    }
    return streams, broker._billing_commitment, broker.next_event_ns()


def forget_readers(broker):
    """Reading is no change, and who reads no part of a stream: a broker that was reopened has no readers."""
    for stream in broker.streams.values():
        for shard in stream._shards.values():
            if shard.allowance is not None:
                shard.allowance._read_calls = Bucket(LIMITS.read_calls_per_second)
                shard.allowance._read_bytes = Bucket(LIMITS.read_bytes_per_second)
                shard.allowance._paused_until_ns = 0
        for consumer in stream._consumers.values():
            consumer.subscriptions.clear()
            consumer.allowances.clear()


def keep(file, how):
    if "write" in how:
        file.write()
        file.check_rows()
    if "open" in how:
        file.open()
    if "tidy" in how:
        file.tidy()


def first_steps(kind):
    """Two streams with a consumer each, so that what comes has something to do."""
    return [
        (create_stream, {"stream": "one", "kind": kind, "shard_count": 2}),
        (create_stream, {"stream": "two", "kind": "slow", "shard_count": 1}),
        30,
        (register, {"stream": "one", "name": "reader", "on": True}),
        (register, {"stream": "two", "name": "reader", "on": True}),
        30,
    ]


def check(kind, steps, tail):
    clock = VirtualClock()
    broker, file = Broker(clock=clock, seed=1), StreamFile(clock, tail)
    held = []
    for number, step in enumerate([*first_steps(kind), *steps]):
        if isinstance(step, tuple):
            for one in (broker, file.broker):
                one.ids = Ids(number)
            answer = ask(broker, held, step)
            assert told(ask(file.broker, held, step)) == told(answer), step
            if step[0] is read and getattr(answer, "next_shard_iterator", None):
                held.append((step[1]["stream"], answer.next_shard_iterator))
        elif step == "next event":
            clock.advance(nanoseconds=max(0, (broker.next_event_ns() or 0) - clock.now_ns()))
        elif isinstance(step, str):
            keep(file, step)
            if "open" in step:
                forget_readers(broker)
        else:
            clock.advance(seconds=step)
    assert seen(file.broker) == seen(broker)
    file.open()
    assert seen(file.broker) == seen(broker)
    file.reopened()
    file.tidy()
    file.check_rows()
    assert seen(file.broker) == seen(broker)


TAILS = st.sampled_from(
    [NO_TAIL, Tail(records_max=1, bytes_max=1000), Tail(records_max=9, bytes_max=50), Tail()]
)


@given(KIND, STEPS, TAILS)
def test_streams_that_are_reopened_at_any_point_answer_as_if_they_had_not_been(kind, steps, tail):
    check(kind, steps, tail)


@pytest.mark.slow
@given(KIND, STEPS, TAILS)
@settings(max_examples=600)
def test_streams_that_are_reopened_at_any_point_answer_as_if_they_had_not_been_for_long(kind, steps, tail):
    check(kind, steps, tail)
