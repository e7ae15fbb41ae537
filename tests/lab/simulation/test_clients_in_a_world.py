"""What users' own programs talk to: aiobotocore as it is, and our own clients, near and far."""

import asyncio

import pytest

from queuestream import errors
from queuestream.aws import FaultPlan, mock_aws
from queuestream.lab import World

session = pytest.importorskip("aiobotocore.session")


def orders_of_two_workers(seed, faults=None):
    """Run a program that knows SQS by aiobotocore only: who did what, and when."""
    told = []

    async def work(world, sqs, url, name):
        while True:
            received = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
            for message in received.get("Messages", []):
                await asyncio.sleep(world.chance(name).uniform(1, 3))
                await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                told.append((name, message["Body"], world.clock.now.isoformat()))

    async def main(world):
        with mock_aws(clock=world.clock, seed=1, faults=faults):
            async with session.get_session().create_client("sqs", region_name="us-east-1") as sqs:
                url = (await sqs.create_queue(QueueName="orders"))["QueueUrl"]
                workers = [
                    world.start(work(world, sqs, url, name), name=name) for name in ("worker-1", "worker-2")
                ]
                for number in range(5):
                    await sqs.send_message(QueueUrl=url, MessageBody=f"order {number}")
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(60):
                        await asyncio.gather(*workers)

    World(seed).run(main)
    return told


def test_aiobotocore_runs_in_virtual_time_and_the_same_way_each_time():
    runs = [orders_of_two_workers(seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    for told in runs:
        assert sorted(body for _, body, _ in told) == [f"order {number}" for number in range(5)]
        assert {name for name, _, _ in told} == {"worker-1", "worker-2"}


def test_the_retries_of_aiobotocore_are_repeatable_too():
    runs = []
    for _ in range(2):
        faults = FaultPlan(seed=3)
        faults.throttle("SendMessage", rate=0.5)
        runs.append((orders_of_two_workers(1, faults), str(faults)))
    assert runs[0] == runs[1]
    assert "SendMessage" in runs[0][1]


# --- from afar ------------------------------------------------------------------------------------------


def test_a_call_takes_its_way_there_and_back():
    async def main(world):
        clock, aio = world.clock, world.aio
        queue = await aio.create_queue("orders")
        assert clock.now.second == 4
        await queue.send("hello")
        assert clock.now.second == 8
        again = await aio.queue("orders")
        assert type(again) is type(queue)
        [listed] = await aio.list_queues()
        assert type(listed) is type(queue)
        stream = await aio.create_stream("events")
        await stream.list_shards()
        assert clock.now.second == 24
        assert [message.body for message in await queue.receive()] == ["hello"]
        await aio.close()
        assert clock.now.second == 28

    World(latency=2).run(main)


def test_a_refusal_takes_its_way_back_as_well():
    async def main(world):
        with pytest.raises(errors.QueueDoesNotExist):
            await world.aio.queue("none")
        return world.clock.now.second

    assert World(latency=2).run(main) == 4


def test_who_gives_up_while_the_answer_is_on_its_way_does_not_know_what_was_done():
    async def main(world):
        queue = await world.aio.create_queue("orders")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await queue.send("sent after all")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await queue.send("never arrived")
        return [message.body for message in await queue.receive(max_number_of_messages=10)]

    assert World(latency=2).run(main) == ["sent after all"]


def test_latency_is_each_actors_own_luck():
    async def send(queue, number):
        await queue.send(str(number))

    async def main(world):
        queue = await world.aio.create_queue("orders")
        await asyncio.gather(*(send(queue, number) for number in range(5)))
        messages = await queue.receive(max_number_of_messages=10)
        return "".join(message.body for message in messages), world.clock.now

    found = [World(seed, latency=(0.1, 0.2)).run(main) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert sorted(found[0][0]) == list("01234") != found[0][0]


@pytest.mark.parametrize("latency", [-1, (2, 1), (-1, 1)])
def test_a_latency_is_no_less_than_nothing(latency):
    with pytest.raises(ValueError, match="latency"):
        World(latency=latency).aio  # noqa: B018 - it is made when it is first asked for


# --- recorded -------------------------------------------------------------------------------------------


def test_the_recorder_of_a_world_writes_its_history_in_virtual_time():
    async def main(world):
        queue = world.recorder.queue(await world.aio.create_queue("orders"), actor="me")
        await queue.send("hello")
        await asyncio.sleep(3)
        [message] = await queue.receive()
        await queue.delete(message)

    world = World()
    world.run(main)
    assert [(event.operation, event.started_ns - world.clock.start_ns) for event in world.history] == [
        ("send", 0),
        ("receive", 3_000_000_000),
        ("delete", 3_000_000_000),
    ]
