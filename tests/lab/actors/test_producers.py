"""Producers: they keep their pace, and send again what failed."""

import random

import pytest

from queuestream.aws.fault_plans import FaultPlan
from queuestream.core.clock import SECOND
from queuestream.core.streams.limits import StreamLimits
from queuestream.lab.actors import Backoff, Message, Producer, Steady
from queuestream.lab.simulation.world import World


@pytest.fixture
def world():
    return World(seed=7)


def messages(count, key=None):
    return [Message(f"order {number}", key) for number in range(1, count + 1)]


def sent(world, outcome="ok"):
    return [
        (event.message, (event.started_ns - world.clock.start_ns) / SECOND)
        for event in world.history
        if event.operation in {"send", "put"} and event.outcome == outcome
    ]


def test_a_producer_sends_its_messages_in_order_and_at_its_pace(world):
    async def main():
        queue = await world.aio.create_queue("orders")
        await Producer(world, "shop", queue, messages=messages(3), pace=Steady(2)).start()

    world.run(main)
    assert sent(world) == [("order 1", 0.5), ("order 2", 1.0), ("order 3", 1.5)]
    assert {event.actor for event in world.history} == {"shop"}


def test_what_was_due_while_a_producer_waited_is_sent_right_after(world):
    # A producer stands for many clients, who do not wait for each other.
    plan = FaultPlan(seed=1)
    plan.slow_down("SendMessage", seconds=5, times=1)

    async def main():
        queue = await world.aio.create_queue("orders")
        await Producer(world, "shop", queue, messages=messages(3), pace=Steady(1), faults=plan).start()

    world.run(main)
    assert sent(world) == [("order 1", 1.0), ("order 2", 6.0), ("order 3", 6.0)]


def test_what_failed_is_sent_again_before_anything_else(world):
    plan = FaultPlan(seed=1)
    plan.throttle("SendMessage", times=2, after=1)

    async def main():
        queue = await world.aio.create_queue("orders")
        await Producer(world, "shop", queue, messages=messages(3), pace=Steady(100), faults=plan).start()

    world.run(main)
    assert [message for message, _ in sent(world)] == ["order 1", "order 2", "order 3"]
    assert [message for message, _ in sent(world, "failed")] == ["order 2", "order 2"]


def test_a_producer_that_does_not_wait_lets_later_messages_pass(world):
    plan = FaultPlan(seed=1)
    plan.fail("SendMessage", times=1)

    async def main():
        queue = await world.aio.create_queue("orders")
        await Producer(
            world,
            "shop",
            queue,
            messages=messages(3),
            pace=Steady(1_000),
            backoff=Backoff(first_seconds=10, longest_seconds=10),
            in_order=False,
            faults=plan,
        ).start()

    world.run(main)
    assert [message for message, _ in sent(world)] == ["order 2", "order 3", "order 1"]


def test_a_lost_answer_makes_a_duplicate_in_a_standard_queue_and_none_in_a_fifo_queue(world):
    async def main(name):
        plan = FaultPlan(seed=1)
        plan.lose_answer("SendMessage", times=1)
        settings = {"fifo_queue": True} if name.endswith(".fifo") else {}
        queue = await world.aio.create_queue(name, **settings)
        await Producer(world, "shop", queue, messages=messages(2), pace=Steady(1), faults=plan).start()
        return [message.body for message in await queue.peek()]

    assert world.run(main, "orders") == ["order 1", "order 1", "order 2"]
    assert world.run(main, "orders.fifo") == ["order 1", "order 2"]
    assert [event.outcome for event in world.history] == ["unknown", "ok", "ok"] * 2


def test_a_message_that_always_fails_is_given_up(world):
    plan = FaultPlan(seed=1)
    plan.throttle("SendMessage", after=1)

    async def main():
        queue = await world.aio.create_queue("orders")
        shop = Producer(
            world,
            "shop",
            queue,
            messages=messages(2),
            pace=Steady(1),
            backoff=Backoff(attempts=3),
            faults=plan,
        )
        await shop.start()
        return shop.given_up

    assert world.run(main) == [Message("order 2")]
    assert [message for message, _ in sent(world, "failed")] == ["order 2"] * 3


def test_a_key_is_a_group_where_that_is_asked_for_and_a_partition_key_in_a_stream(world):
    async def main():
        plain = await world.aio.create_queue("plain")
        fair = await world.aio.create_queue("fair")
        fifo = await world.aio.create_queue("fifo.fifo", fifo_queue=True)
        stream = await world.aio.create_stream("stream")
        pace = Steady(1)
        await Producer(world, "a", plain, messages=messages(1, "ada"), pace=pace).start()
        await Producer(world, "b", fair, messages=messages(1, "ada"), pace=pace, grouped=True).start()
        await Producer(world, "c", fifo, messages=messages(1, "ada"), pace=pace).start()
        await Producer(world, "d", stream, messages=messages(1, "ada"), pace=pace).start()

    world.run(main)
    assert [(event.actor, event.group, event.partition_key) for event in world.history] == [
        ("a", None, None),
        ("b", "ada", None),
        ("c", "ada", None),
        ("d", None, "ada"),
    ]


def test_a_batch_sends_again_only_what_was_refused(world):
    async def main():
        stream = await world.aio.create_stream(
            "clicks", enforce_throughput=True, limits=StreamLimits(write_records_per_second=4)
        )
        await Producer(
            world, "site", stream, messages=messages(6, "ada"), pace=Steady(1_000), batch_size=6
        ).start()
        return [record.data for record in await stream.peek()]

    assert world.run(main) == [f"order {number}".encode() for number in range(1, 7)]
    assert [message for message, _ in sent(world)] == [f"order {number}" for number in range(1, 7)]
    assert {message for message, _ in sent(world, "failed")} == {"order 5", "order 6"}


def test_a_batch_to_a_queue_sends_again_only_what_was_refused(world):
    plan = FaultPlan(seed=3)
    plan.reject_entries("SendMessageBatch", times=2)

    async def main():
        queue = await world.aio.create_queue("orders")
        await Producer(
            world, "shop", queue, messages=messages(5), pace=Steady(1_000), batch_size=5, faults=plan
        ).start()
        return sorted(message.body for message in await queue.peek())

    assert world.run(main) == [f"order {number}" for number in range(1, 6)]
    assert len(sent(world, "failed")) == 2


def test_pauses_double_up_to_the_longest():
    class Latest(random.Random):
        def random(self):
            return 1.0

    backoff = Backoff(first_seconds=0.5, longest_seconds=3)
    assert [backoff.pause(attempt, Latest()) for attempt in range(1, 6)] == [0.5, 1, 2, 3, 3]
    assert backoff.pause(1_000, Latest()) == 3
