"""`put_records` guarantees no order among its records (PutRecords), and can be asked to show that."""

from queuestream import Broker, Delivery, Stream, VirtualClock
from queuestream.core.streams.limits import StreamLimits
from queuestream.core.streams.record import Record


def stored(stream):
    """The data of every record, shard by shard, as a reader finds them."""
    found = []
    for shard in stream.list_shards().shards:
        iterator = stream.get_shard_iterator(shard.shard_id, "TRIM_HORIZON")
        found.append([int(record.data) for record in stream.get_records(iterator).records])
    return found


def batch(start, count):
    return [(b"%d" % number, f"key {number}") for number in range(start, start + count)]


def test_the_records_of_a_call_are_stored_in_another_order_and_answered_in_their_own():
    stream = Stream("events", seed=1, delivery=Delivery(reordered_puts=1))
    result = stream.put_records(batch(0, 10))
    [order] = stored(stream)
    assert sorted(order) == [*range(10)] != order
    assert [int(record.data) for record in result.records] == [*range(10)]
    by_number = sorted(result.records, key=lambda record: int(record.sequence_number))
    assert [int(record.data) for record in by_number] == order


def test_calls_keep_their_order_and_differ_in_how_they_lose_it():
    stream = Stream("events", seed=1, delivery="adversarial")
    for call in range(20):
        stream.put_records(batch(10 * call, 10))
    [order] = stored(stream)
    calls = [order[at : at + 10] for at in range(0, 200, 10)]
    assert [sorted(numbers) for numbers in calls] == [
        [*range(first, first + 10)] for first in range(0, 200, 10)
    ]
    assert len({tuple(number % 10 for number in numbers) for numbers in calls}) == 20


def test_a_share_of_the_calls_is_reordered():
    stream = Stream("events", seed=1, delivery=Delivery(reordered_puts=0.2))
    for call in range(200):
        stream.put_records(batch(5 * call, 5))
    [order] = stored(stream)
    reordered = sum(order[at : at + 5] != [*range(at, at + 5)] for at in range(0, 1_000, 5))
    assert 25 < reordered < 55


def test_single_records_keep_their_order():
    stream = Stream("events", seed=1, delivery="adversarial")
    for number in range(20):
        stream.put_record(b"%d" % number, "key")
        stream.put_records([(b"%d" % (100 + number), "key")])
    [order] = stored(stream)
    assert order == [number for pair in zip(range(20), range(100, 120), strict=True) for number in pair]


def test_an_order_is_repeated_by_its_seed_and_heard_as_it_is():
    heard = []
    clock = VirtualClock()
    brokers = [Broker(clock=clock, seed=1, delivery="adversarial") for _ in range(3)]
    brokers[0].listen(heard.extend)
    for broker in brokers[:2]:
        stream = broker.create_stream("events", shard_count=3)
        for call in range(5):
            stream.put_records(batch(7 * call, 7))
    for change in heard:
        change.apply(brokers[2])
    one, other, twin = (stored(broker.stream("events")) for broker in brokers)
    assert one == other == twin


def test_a_hot_shard_refuses_the_last_records_in_the_order_in_which_they_are_stored():
    stream = Stream(
        "events",
        seed=1,
        delivery="adversarial",
        clock=VirtualClock(),
        enforce_throughput=True,
        limits=StreamLimits(write_records_per_second=4),
    )
    result = stream.put_records(batch(0, 10))
    [order] = stored(stream)
    assert result.failed_record_count == 6
    kept = [place for place, record in enumerate(result.records) if isinstance(record, Record)]
    assert sorted(order) == kept != [0, 1, 2, 3]
