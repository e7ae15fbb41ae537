"""Consumers of queues: they receive, work and delete, and what happens if they don't."""

import pytest

from queuestream.core.clock import SECOND
from queuestream.lab.actors import Consumer, Crash, Failure, Fixed
from queuestream.lab.simulation.world import World


@pytest.fixture
def world():
    return World(seed=7)


def events(world, operation):
    return [
        (event.actor, event.message, (event.ended_ns - world.clock.start_ns) / SECOND)
        for event in world.history
        if event.operation == operation and event.message is not None
    ]


def play(world, bodies, seconds, *, name="orders", queue=None, **settings):
    """Send, let consumers work for so long, and give them."""

    async def main():
        made = await world.aio.create_queue(name, **(queue or {}))
        for body in bodies:
            labels = (
                {"message_group_id": body[0], "message_deduplication_id": body} if ".fifo" in name else {}
            )
            await made.send(body, **labels)
        count = settings.pop("count", 1)
        consumers = Consumer.start_several(world, "worker", made, count, **{"work": Fixed(2), **settings})
        await world.sleep(seconds)
        return consumers, await made.counts()

    return world.run(main)


def test_a_consumer_works_through_messages_one_by_one_and_deletes_them(world):
    [worker], counts = play(world, ["a", "b"], 10)
    assert events(world, "receive") == [("worker-1", "a", 0), ("worker-1", "b", 2)]
    assert events(world, "delete") == [("worker-1", "a", 2), ("worker-1", "b", 4)]
    assert worker.finished == ["a", "b"]
    assert worker.busy_ns == 4 * SECOND
    assert not any(counts)


def test_consumers_share_the_work(world):
    workers, _ = play(world, ["a", "b", "c"], 10, count=3)
    assert sorted(len(worker.finished) for worker in workers) == [1, 1, 1]
    assert {at for _, _, at in events(world, "delete")} == {2}


def test_a_consumer_can_work_at_several_messages_at_once(world):
    play(world, ["a", "b", "c"], 10, concurrency=3)
    assert {at for _, _, at in events(world, "delete")} == {2}


def test_a_batch_is_received_in_one_call_and_worked_through_in_order(world):
    play(world, ["a", "b", "c"], 10, batch_size=10)
    assert [at for _, _, at in events(world, "receive")] == [0, 0, 0]
    assert [(message, at) for _, message, at in events(world, "delete")] == [("a", 2), ("b", 4), ("c", 6)]


def test_how_long_work_takes_can_depend_on_the_message(world):
    play(world, ["a", "bb"], 10, work=lambda message: Fixed(len(message.body)))
    assert [at for _, _, at in events(world, "delete")] == [1, 3]


def test_work_that_outlasts_the_visibility_timeout_is_done_twice(world):
    workers, _ = play(world, ["a"], 20, count=2, visibility_timeout=1)
    assert sum(len(worker.finished) for worker in workers) == 2


def test_heartbeats_keep_a_message_to_oneself(world):
    workers, _ = play(
        world,
        ["a"],
        20,
        count=2,
        work=Fixed(5),
        visibility_timeout=2,
        heartbeat_seconds=1,
        wait_time_seconds=1,
    )
    assert sum(len(worker.finished) for worker in workers) == 1
    assert [at for _, _, at in events(world, "change_visibility")] == [1, 2, 3, 4]


def test_heartbeats_hide_the_message_for_the_queues_own_timeout_if_no_other_is_known(world):
    workers, _ = play(
        world, ["a"], 20, count=2, queue={"visibility_timeout": 3}, work=Fixed(5), heartbeat_seconds=2
    )
    assert sum(len(worker.finished) for worker in workers) == 1


def test_a_message_whose_work_failed_comes_again_when_its_timeout_passes(world):
    tried = []

    async def handle(message):
        tried.append(message.receive_count)
        if message.receive_count == 1:
            raise Failure

    [worker], _ = play(world, ["a"], 60, handle=handle, visibility_timeout=30)
    assert tried == [1, 2]
    assert [at for _, _, at in events(world, "receive")] == [0, 30]
    assert worker.finished == ["a"]


def test_a_message_whose_work_failed_can_be_given_back(world):
    _, counts = play(world, ["a"], 11, failure_rate=1, give_back_seconds=3)
    assert [at for _, _, at in events(world, "receive")] == [0, 5, 10]
    assert counts.in_flight == 1


def test_what_follows_a_failure_in_its_group_is_not_worked_on(world):
    async def handle(message):
        if message.body == "a1" and message.receive_count == 1:
            raise Failure

    [worker], _ = play(
        world,
        ["a1", "a2", "b1"],
        60,
        name="orders.fifo",
        queue={"fifo_queue": True},
        handle=handle,
        batch_size=10,
    )
    assert worker.finished == ["b1", "a1", "a2"]


def test_a_consumer_that_crashes_leaves_what_it_had_and_comes_back(world):
    async def handle(message):
        if message.body == "a" and message.receive_count == 1:
            raise Crash

    [worker], _ = play(
        world,
        ["a", "b"],
        100,
        handle=handle,
        batch_size=10,
        restart_seconds=7,
        queue={"visibility_timeout": 30},
    )
    assert worker.crashes == 1
    # It was back after 7 seconds; both messages were hidden for 30.
    assert [(message, at) for _, message, at in events(world, "receive")] == [
        ("a", 0),
        ("b", 0),
        ("a", 30),
        ("b", 30),
    ]
    assert worker.finished == ["a", "b"]


def test_a_crash_ends_all_that_a_consumer_works_at(world):
    async def handle(message):
        if message.body == "a":
            raise Crash

    [worker], _ = play(
        world, ["a", "b"], 4, handle=handle, concurrency=2, work=lambda m: Fixed(ord(m.body) - 96)
    )
    assert worker.finished == []


def test_crashes_strike_in_the_middle_of_the_work(world):
    [worker], _ = play(world, ["a"], 60, crash_rate=1, restart_seconds=1, queue={"visibility_timeout": 30})
    assert worker.crashes == 2
    assert 0 < worker.busy_ns < 4 * SECOND


def test_a_stalled_consumer_deletes_when_the_message_is_somebody_elses(world):
    workers, _ = play(
        world, ["a"], 60, count=2, stall_rate=1, stall_seconds=5, visibility_timeout=3, heartbeat_seconds=1
    )
    # The heartbeats of a stalled process stop, too.
    assert [worker.finished for worker in workers] == [["a"], ["a"]]
    assert events(world, "receive")[1][2] == pytest.approx(4, abs=1)


def test_a_consumer_that_polls_briefly_waits_before_it_asks_again(world):
    play(world, [], 9.5, wait_time_seconds=0)
    asked = [event for event in world.history if event.operation == "receive"]
    assert len(asked) == 10


def test_consumers_go_on_after_calls_that_failed(world):
    from queuestream.aws.fault_plans import FaultPlan

    plan = FaultPlan(seed=1)
    plan.fail("ReceiveMessage", times=2)
    plan.lose_answer("DeleteMessage", times=1)
    [worker], counts = play(world, ["a", "b"], 60, faults=plan)
    assert worker.finished == ["a", "b"]
    assert not any(counts)


def test_what_strikes_a_consumer_is_in_the_trace():
    world = World(seed=7, trace=True)
    play(world, ["a"], 60, crash_rate=1, queue={"visibility_timeout": 30})
    assert "crashes  consumer=worker-1  message=a" in world.trace_text()
