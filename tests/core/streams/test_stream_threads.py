import threading

from queuestream.core.streams.stream import Stream

FIRST = "shardId-000000000000"


def in_threads(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_threads_lose_nothing_and_each_keeps_its_order_while_the_stream_is_split():
    stream = Stream("events", shard_count=2)

    def put(key):
        def work():
            for number in range(200):
                stream.put_record(b"%d" % number, key)

        return work

    def put_batches():
        for number in range(20):
            stream.put_records([(b"%d" % number, "batch")])

    def reshard():
        for count in (4, 3, 6, 2):
            stream.update_shard_count(max(count, -(-stream.describe_summary().open_shard_count // 2)))

    in_threads(*(put(f"key {number}") for number in range(4)), put_batches, reshard)
    stream.check_invariants()
    records = stream.peek()
    assert len({record.sequence_number for record in records}) == 4 * 200 + 20
    for number in range(4):
        mine = sorted(
            (record for record in records if record.partition_key == f"key {number}"),
            key=lambda record: int(record.sequence_number),
        )
        assert [record.data for record in mine] == [b"%d" % place for place in range(200)]


def test_subscribers_and_pollers_see_every_record_in_order_while_it_is_put():
    stream = Stream("events")
    arn = stream.register_stream_consumer("reader").consumer_arn
    subscription = stream.subscribe_to_shard(arn, FIRST, "TRIM_HORIZON")
    pushed, polled = [], []

    def put():
        for number in range(300):
            stream.put_record(b"%d" % number, "k")

    def subscribe():
        while len(pushed) < 300:
            pushed.extend(record.data for record in next(subscription).records)

    def poll():
        iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
        while len(polled) < 300:
            got = stream.get_records(iterator, limit=7)
            polled.extend(record.data for record in got.records)
            iterator = got.next_shard_iterator

    in_threads(put, subscribe, poll)
    assert pushed == polled == [b"%d" % number for number in range(300)]
