"""A file with something of everything in it, and what can be seen of a broker."""

import shutil

from queuestream import VirtualClock
from queuestream.storage.opening import open_broker


def fill(broker):
    """Put something of everything into a broker on a virtual clock."""
    clock = broker.clock
    dead = broker.create_queue("dead", tags={"team": "mail"})
    emails = broker.create_queue(
        "emails",
        visibility_timeout=60,
        redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1},
    )
    emails.send("poison")
    emails.receive(visibility_timeout=0)
    emails.receive()  # which makes a dead letter of it
    emails.send("hello", message_attributes={"kind": "welcome", "n": 3, "blob": b"\0\xff"})
    emails.send("Größe 𝄞 \u2028 \x7f", delay_seconds=900)
    emails.receive()
    for number in range(20):
        emails.send(f"{number}")
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    orders = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    for number in range(6):
        orders.send(f"order {number}", message_group_id="ab"[number % 2])
    [first] = orders.receive()
    orders.receive(receive_request_attempt_id="again")
    orders.delete(first)
    fair = broker.create_queue("fair")
    for tenant in "aaabc":
        fair.send(tenant, message_group_id=tenant)
    broker.create_queue("gone")
    broker.delete_queue("gone")
    purged = broker.create_queue("purged")
    purged.send("never mind")
    purged.purge()

    events = broker.create_stream("events", shard_count=2, tags={"team": "blue"})
    for number in range(10):
        events.put_record(b"\xff\0%d" % number, f"key {number}")
        clock.advance(milliseconds=7)
    events.split_shard("shardId-000000000000", str(2**125))
    events.put_record(b"text", "key 1")
    events.register_stream_consumer("reader")
    events.start_stream_encryption("KMS", "alias/aws/kinesis")
    events.put_record(b"sealed", "key 2")
    broker.create_stream("clicks", stream_mode="ON_DEMAND")
    clock.advance(seconds=1)


def seen(broker):
    """All that can be seen of a broker."""
    broker.check_invariants()
    queues = {}
    for queue in broker.list_queues():
        memory = queue._deduplication._originals if queue.is_fifo else {}
        queues[queue.name] = (
            queue.peek(),
            queue.counts(),
            queue.attributes,
            queue.tags,
            queue.created_ns,
            dict(memory),
            queue.next_event_ns(),
        )
    streams = {}
    for name in broker.list_streams().stream_names:
        stream = broker.stream(name)
        streams[name] = (
            stream.describe(),
            stream.describe_summary(),
            stream.list_shards(),
            [(record.sequence_number, record.data, record.partition_key) for record in stream.peek()],
            stream.list_stream_consumers(),
            stream.tags,
        )
    tasks = [task.described() for task in broker._message_move_tasks().tasks]
    return queues, streams, tasks, broker._deleted_queues, broker.account_id, broker.region


def what_comes_next(broker):
    """What a broker hands out from here on, in its order, with its handles."""
    taken = []
    for name in ("emails", "orders.fifo", "fair", "dead"):
        while messages := broker.queue(name).receive(max_number_of_messages=3):
            taken += messages
    stream = broker.stream("events")
    shard_ids = [shard.shard_id for shard in stream.list_shards().shards]
    iterators = [stream.get_shard_iterator(shard_id, "TRIM_HORIZON") for shard_id in shard_ids]
    records = [record for iterator in iterators for record in stream.get_records(iterator).records]
    return taken, [(record.shard_id, record.number, record.data) for record in records]


def make(folder):
    """A full file that was closed, and one that a kill left at the same instant; gives their clock."""
    folder.mkdir()
    clock = VirtualClock()
    broker = open_broker(folder / "open.db", clock=clock, seed=7, region="eu-west-1", durability="none")
    fill(broker)
    with broker.storage._folding:  # a copy takes a while, a kill is an instant
        for file in folder.iterdir():
            shutil.copyfile(file, file.with_name(file.name.replace("open", "killed")))
    broker.close()
    (folder / "open.db").rename(folder / "closed.db")
    return clock
