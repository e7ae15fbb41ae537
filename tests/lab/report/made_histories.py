"""Histories made by hand, to be drawn: a queue with several consumers, a stream with shards."""

import random

from queuestream.lab.history import Event, History

SECOND = 1_000_000_000


def a_queue(
    messages=200, keys=4, consumers=3, *, disorder=0.0, repeats=0.0, lost=0.0, in_key_order=False, seed=7
):
    """One message sent every 100 ms; received late, again or never, with the given chances."""
    chance = random.Random(seed)
    events = []
    waiting = []
    for number in range(messages):
        key = f"key-{number * 7 % keys}"
        now = number * SECOND // 10
        events.append(
            Event(
                "send",
                f"m{number}",
                started_ns=now,
                ended_ns=now,
                actor="producer",
                resource="orders",
                group=key,
            )
        )
        late = chance.randrange(1, 40) if chance.random() < disorder else 0
        if chance.random() >= lost:
            waiting.append((number + late, number, key, now))
        if chance.random() < repeats:
            waiting.append((number + chance.randrange(30, 60), number, key, now))
    waiting.sort()
    if in_key_order:
        numbers = {key: sorted(row[1] for row in waiting if row[2] == key) for _, _, key, _ in waiting}
        waiting = [(place, numbers[key].pop(0), key, sent) for place, _, key, sent in waiting]
    for count, (place, number, key, _) in enumerate(waiting):
        begin = place * SECOND // 10 + 2 * SECOND + chance.randrange(SECOND // 4)
        actor = f"consumer-{count % consumers + 1}"
        receipt = f"r{count}"
        events += [
            Event(
                "receive",
                f"m{number}",
                started_ns=begin,
                ended_ns=begin,
                actor=actor,
                resource="orders",
                receipt=receipt,
                group=key,
            ),
            Event(
                "delete",
                f"m{number}",
                started_ns=begin + consumers * SECOND // 12,
                ended_ns=begin + consumers * SECOND // 12,
                actor=actor,
                resource="orders",
                receipt=receipt,
            ),
        ]
    return History(sorted(events, key=lambda event: event.ended_ns))


def a_stream(records=200, keys=4, shards=2):
    """Records that two readers read a shard each, one batch a second."""
    events, batches = [], {}
    for number in range(records):
        key, now = f"key-{number * 7 % keys}", number * SECOND // 10
        shard = f"shardId-{int(key[4:]) % shards:012d}"
        put = Event("put", f"m{number}", started_ns=now, ended_ns=now, actor="producer", resource="events")
        put.partition_key, put.shard = key, shard
        events.append(put)
        batches.setdefault((now // SECOND + 1, shard), []).append((number, key))
    for (second, shard), batch in sorted(batches.items()):
        for number, key in batch:
            get = Event("get", f"m{number}", started_ns=second * SECOND, ended_ns=second * SECOND)
            get.actor, get.application = f"reader-{int(shard[-1]) + 1}", "billing"
            get.resource, get.shard, get.partition_key = "events", shard, key
            events.append(get)
    return History(sorted(events, key=lambda event: event.ended_ns))
