"""What the strategies give, SQS and Kinesis take."""

from hypothesis import given, settings

from queuestream import Broker, Queue, Stream, VirtualClock
from queuestream.core.errors import QueuestreamError
from queuestream.lab.faults import faulty
from queuestream.testing import strategies

FEW = settings(max_examples=30)


@FEW
@given(strategies.queue_names(), strategies.bodies(), strategies.message_attributes(), strategies.group_ids())
def test_a_standard_queue_takes_them(name, body, attributes, group):
    queue = Queue(name, clock=VirtualClock())
    queue.send(body, message_attributes=attributes, message_group_id=group)
    [message] = queue.receive()
    assert message.body == body
    assert message.message_attributes.keys() == attributes.keys()


@FEW
@given(strategies.queue_names(fifo=True), strategies.send_entries(fifo=True))
def test_a_fifo_queue_takes_them(name, entries):
    queue = Queue(name, fifo_queue=True, clock=VirtualClock())
    assert not queue.send_batch(entries).failed


@FEW
@given(strategies.send_entries())
def test_a_batch_takes_them(entries):
    assert not Queue("queue", clock=VirtualClock()).send_batch(entries).failed


@FEW
@given(strategies.stream_names(), strategies.records(), strategies.explicit_hash_keys())
def test_a_stream_takes_them(name, record, hash_key):
    stream = Stream(name, shard_count=2, clock=VirtualClock())
    data, key = record
    put = stream.put_record(data, key, explicit_hash_key=hash_key)
    stream.put_records([record])
    iterator = stream.get_shard_iterator(put.shard_id, "TRIM_HORIZON")
    assert stream.get_records(iterator).records[0].data == data


@FEW
@given(strategies.deliveries(), strategies.seeds())
def test_a_queue_delivers_under_any_of_them(delivery, seed):
    broker = Broker(clock=VirtualClock(), seed=seed, delivery=delivery)
    queue = broker.create_queue("queue")
    sent = {queue.send(str(number)).message_id for number in range(5)}
    received = set()
    while messages := queue.receive(max_number_of_messages=10, wait_time_seconds=20):
        received |= {message.message_id for message in messages}
        queue.delete_batch(messages)
    assert received == sent


@FEW
@given(strategies.fault_plans())
def test_a_plan_ends_by_itself(plan):
    queue = faulty(Queue("queue", clock=VirtualClock()), plan)
    for _ in range(100):
        try:
            queue.send("x")
            queue.receive()
        except QueuestreamError:
            continue
    assert queue.send("at last").message_id
    assert queue.receive(max_number_of_messages=10)
