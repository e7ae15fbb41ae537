"""async-kinesis, producers and consumers on aiobotocore, and aws-kinesis-agg, the format of KPL's records."""

import asyncio
import base64

import pytest

HOW = "pip install -e '.[server,clients]'"
kinesis = pytest.importorskip("kinesis", reason=HOW)
boto3 = pytest.importorskip("boto3", reason=HOW)
aggregator = pytest.importorskip("aws_kinesis_agg.aggregator", reason=HOW)
deaggregator = pytest.importorskip("aws_kinesis_agg.deaggregator", reason=HOW)

pytestmark = [pytest.mark.clients, pytest.mark.slow]

A_MINUTE = 60


async def read(consumer, count):
    """So many items, within a minute; a consumer stops iterating when it has nothing for a while."""
    items = []
    async with asyncio.timeout(A_MINUTE):
        while len(items) < count:
            async for item in consumer:
                items.append(item)
                if len(items) == count:
                    break
    return items


def test_what_a_producer_puts_a_consumer_gets(here):
    departures = [{"flight": number, "from": "Zürich", "note": "x" * 100 * number} for number in range(60)]

    async def story():
        async with kinesis.Producer(
            stream_name="departures", create_stream=True, create_stream_shards=3, buffer_time=0.1
        ) as producer:
            for departure in departures:
                await producer.put(departure, partition_key=f"aircraft-{departure['flight'] % 7}")
            await producer.flush()
        checkpoints = kinesis.MemoryCheckPointer(name="board")
        async with kinesis.Consumer(
            stream_name="departures", checkpointer=checkpoints, sleep_time_no_records=0.1
        ) as consumer:
            return await read(consumer, len(departures))

    seen = asyncio.run(story())
    assert sorted(seen, key=lambda departure: departure["flight"]) == departures
    for aircraft in range(7):
        flights = [departure["flight"] for departure in seen if departure["flight"] % 7 == aircraft]
        assert flights == sorted(flights)


def test_a_consumer_goes_on_in_the_children_of_a_split_shard(here):
    client = boto3.client("kinesis")

    async def story():
        async with kinesis.Producer(
            stream_name="resharded", create_stream=True, buffer_time=0.1, processor=kinesis.StringProcessor()
        ) as producer:
            for number in range(10):
                await producer.put(f"before {number}", partition_key="same")
            await producer.flush()
            client.split_shard(
                StreamName="resharded",
                ShardToSplit="shardId-000000000000",
                NewStartingHashKey=str(2**127),
            )
            client.get_waiter("stream_exists").wait(StreamName="resharded")
            for number in range(10):
                await producer.put(f"after {number}", partition_key="same")
            await producer.flush()
        async with kinesis.Consumer(
            stream_name="resharded",
            processor=kinesis.StringProcessor(),
            sleep_time_no_records=0.1,
            use_list_shards=True,
        ) as consumer:
            return await read(consumer, 20)

    seen = asyncio.run(story())
    assert seen == [f"before {number}" for number in range(10)] + [f"after {number}" for number in range(10)]


def test_a_stream_that_does_not_exist_is_said_not_to(here):
    async def story():
        async with kinesis.Consumer(stream_name="nowhere"):
            pytest.fail("there is no such stream")

    with pytest.raises(kinesis.exceptions.StreamDoesNotExist):
        asyncio.run(story())


def test_aggregated_records_come_out_one_by_one(here):
    client = boto3.client("kinesis")
    client.create_stream(StreamName="aggregated", ShardCount=1)
    client.get_waiter("stream_exists").wait(StreamName="aggregated")
    entries = []

    def collect(record):
        partition_key, _, data = record.get_contents()
        entries.append({"Data": data, "PartitionKey": partition_key})

    records = aggregator.RecordAggregator(max_size=20_000)
    records.on_record_complete(collect, execute_on_new_thread=False)
    for number in range(300):
        records.add_user_record(f"aircraft-{number % 5}", f"departure {number} ".encode() * 20)
    collect(records.clear_and_get())
    assert 2 < len(entries) < 300
    assert client.put_records(StreamName="aggregated", Records=entries)["FailedRecordCount"] == 0

    iterator = client.get_shard_iterator(
        StreamName="aggregated", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    answer = client.get_records(ShardIterator=iterator)
    assert [record["Data"] for record in answer["Records"]] == [entry["Data"] for entry in entries]
    single = [
        record["kinesis"]
        for record in deaggregator.iter_deaggregate_records(answer["Records"], data_format="Boto3")
    ]
    assert [base64.b64decode(record["data"]) for record in single] == [
        f"departure {number} ".encode() * 20 for number in range(300)
    ]
    assert [record["partitionKey"] for record in single[:3]] == ["aircraft-0", "aircraft-1", "aircraft-2"]
