"""A world runs ordinary asyncio programs in virtual time; when one fails it says who, where, what seed."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from queuestream.core.errors import DeadlockError, NotSimulated, QueueDoesNotExist
from queuestream.lab import World, simulate


def test_a_day_of_sleep_takes_no_time_and_is_a_day():
    async def main(world):
        await asyncio.sleep(86_400)
        return world.clock.now

    assert World().run(main) == datetime(2025, 1, 2, tzinfo=UTC)


def test_a_program_that_knows_of_no_world_is_simulated_in_the_place_of_asyncio_run():
    async def main(greeting, *, times=1):
        await asyncio.sleep(3)
        return [greeting] * times, asyncio.get_running_loop().time()

    assert simulate(main, "hello") == (["hello"], 3)


def test_the_world_is_given_to_who_calls_a_parameter_by_its_name():
    async def main(world, number):
        return world, number

    world = World(seed=3)
    assert world.run(main, 5) == (world, 5)


def test_what_gives_a_coroutine_is_as_good_as_an_async_def():
    async def main(place):
        await asyncio.sleep(1)
        return place

    class Program:
        async def __call__(self, world):
            return world.seed

    assert simulate(lambda: main("a lambda")) == "a lambda"
    assert simulate(Program(), seed=3) == 3


def test_something_that_is_no_async_def_is_refused():
    with pytest.raises(TypeError, match="async def"):
        World().run(lambda: None)
    with pytest.raises(TypeError, match="async def"):
        World().run()


def test_queues_wait_in_virtual_time():
    async def main(world):
        queue = await world.aio.create_queue("orders", visibility_timeout=30)
        got = []

        async def consume():
            while True:
                messages = await queue.receive(wait_time_seconds=20)
                got.extend((message.receive_count, world.clock.now.second) for message in messages)

        world.start(consume(), name="consumer")
        await asyncio.sleep(5)
        await queue.send("hello")
        await asyncio.sleep(30.5)
        return got

    assert World().run(main) == [(1, 5), (2, 35)]


def order_of_three(seed):
    """In which order three actors act who could act at the same instants."""
    acted = []

    async def act(name):
        for _ in range(3):
            await asyncio.sleep(1)
            acted.append(name)

    async def main(world):
        for name in "abc":
            world.start(act(name), name=name)
        await world.sleep(5)

    World(seed).run(main)
    return "".join(acted)


def test_what_runs_next_is_chosen_by_the_seed_and_nothing_else():
    assert [order_of_three(seed) for seed in range(20)] == [order_of_three(seed) for seed in range(20)]


def test_every_order_of_three_actors_has_its_seeds():
    assert {order_of_three(seed)[:3] for seed in range(60)} == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_all_actors_are_as_often_the_first():
    firsts = [order_of_three(seed)[0] for seed in range(150)]
    assert all(35 < firsts.count(name) < 65 for name in "abc")


def test_actors_that_were_started_before_the_run_act_in_it():
    acted = []

    async def act():
        acted.append("acted")

    async def main():
        await asyncio.sleep(0)

    world = World()
    world.start(act(), name="early")
    world.run(main)
    assert acted == ["acted"]


def test_who_still_acts_when_main_is_done_is_cancelled_and_cleans_up():
    cleaned = []

    async def act(name, seconds):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(seconds)
            cleaned.append(name)

    async def main(world):
        world.start(act("first", 2), name="first")
        asyncio.create_task(act("second", 1))  # noqa: RUF006 - it is ours to look after
        await asyncio.sleep(1)
        return world.decisions

    world = World()
    decisions = world.run(main)
    assert cleaned == ["second", "first"]
    assert world.decisions == decisions


def test_what_an_actor_raises_ends_the_run_and_says_who_when_and_how_to_see_it_again():
    async def act():
        await asyncio.sleep(12.5)
        raise QueueDoesNotExist("orders")

    async def main(world):
        world.start(act(), name="consumer-1")
        await asyncio.Event().wait()

    with pytest.raises(QueueDoesNotExist) as caught:
        World(seed=8).run(main)
    [note] = caught.value.__notes__
    assert note == (
        "(in actor 'consumer-1', 12.5 s into the world of seed 8; "
        "World(8, trace=True) does the same again, and tells every decision.)"
    )


def test_what_main_raises_comes_out_with_the_seed():
    async def main():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        simulate(main, seed="lucky")
    assert "'main', 0 s into the world of seed 'lucky'" in caught.value.__notes__[0]


def test_how_to_see_a_failure_again_has_all_that_the_world_was_made_with():
    async def main():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        simulate(main, seed=8, delivery="adversarial", latency=(0.1, 0.2), account_id="000000000001")
    assert (
        "World(8, delivery='adversarial', latency=(0.1, 0.2), account_id='000000000001', trace=True) does"
        in caught.value.__notes__[0]
    )


def test_an_actor_that_fails_when_it_is_cancelled_is_heard_as_well():
    async def act():
        try:
            await asyncio.sleep(100)
        finally:
            raise ValueError("on the way out")

    async def main(world):
        world.start(act(), name="careless")
        await asyncio.sleep(1)

    with pytest.raises(ValueError, match="on the way out") as caught:
        World().run(main)
    assert "'careless'" in caught.value.__notes__[0]


def test_a_task_that_fails_when_it_is_cancelled_is_logged(caplog):
    async def act():
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("in the end")

    async def main():
        tasks = [asyncio.create_task(act())]
        await asyncio.sleep(1)
        return len(tasks)

    assert simulate(main) == 1
    [logged] = caplog.records
    assert logged.message.startswith(
        "A task that was cancelled, as main was done, has raised\ntask: <ActorTask"
    )
    assert str(logged.exc_info[1]) == "in the end"


def test_a_loop_that_is_stopped_before_main_is_done_is_an_error():
    async def main():
        asyncio.get_running_loop().stop()
        await asyncio.sleep(1)

    with pytest.raises(RuntimeError, match="stopped before main was done"):
        simulate(main)


def test_a_task_may_fail_where_somebody_takes_what_it_raised():
    async def fail():
        raise ValueError("taken")

    async def main():
        return await asyncio.gather(fail(), return_exceptions=True)

    assert repr(simulate(main)) == "[ValueError('taken')]"


def test_ctrl_c_ends_the_run_and_everybody_in_it():
    ended = []

    async def act():
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("act")

    async def main(world):
        world.start(act(), name="act")
        await asyncio.sleep(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        World().run(main)
    assert ended == ["act"]


def test_a_world_may_run_several_programs_one_after_the_other():
    async def put(queue):
        await queue.put("kept")

    async def get(queue):
        await asyncio.sleep(1)
        return await queue.get()

    world, queue = World(), asyncio.Queue()
    world.run(put, queue)
    assert world.run(get, queue) == "kept"
    assert repr(world) == "<World of seed 7: 1 s, 3 decisions>"


def test_a_world_does_not_run_within_another_event_loop():
    async def main():
        World().run(asyncio.sleep, 1)

    with pytest.raises(RuntimeError, match="another event loop"):
        simulate(main)


# --- deadlocks ------------------------------------------------------------------------------------------


def test_when_nothing_can_happen_any_more_each_actor_is_named_with_the_line_where_it_waits():
    async def take(queue):
        return await queue.get()

    async def main(world):
        world.start(take(asyncio.Queue()), name="taker")
        async with asyncio.Lock() as lock:
            await asyncio.Lock().acquire()
            await asyncio.Event().wait()
            return lock

    with pytest.raises(DeadlockError) as caught:
        World().run(main)
    told = str(caught.value)
    assert "taker waits in " in told
    assert "<locals>.take (test_worlds.py:" in told
    assert ", in Queue.get" in told
    assert "main waits in " in told
    assert ", in Event.wait" in told
    assert "asyncio.timeout" in told


def test_a_wait_without_end_that_somebody_can_end_is_no_deadlock():
    async def main():
        event = asyncio.Event()
        asyncio.get_running_loop().call_later(1_000, event.set)
        await asyncio.wait_for(event.wait(), float("inf"))

    simulate(main)


def test_a_sleep_for_ever_is_a_deadlock():
    async def main():
        await asyncio.sleep(float("inf"))

    with pytest.raises(DeadlockError, match="main waits in"):
        simulate(main)


def test_who_does_not_end_when_cancelled_is_a_deadlock_too():
    async def stay():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def main(world):
        world.start(stay(), name="stayer")
        await asyncio.sleep(1)

    world = World()
    with pytest.raises(DeadlockError, match="stayer waits in"):
        world.run(main)
    for task in asyncio.all_tasks(world._loop):
        task._log_destroy_pending = False


def test_a_blocking_wait_without_end_says_to_await_it():
    async def main(world):
        from queuestream.core.clock import Wakeup

        world.clock.wait(Wakeup(), None)

    with pytest.raises(DeadlockError, match="Await it"):
        World().run(main)


# --- the clock ------------------------------------------------------------------------------------------


def test_a_blocking_wait_lets_time_pass_and_holds_up_everybody():
    told = []

    async def tick(world):
        while True:
            await asyncio.sleep(1)
            told.append(world.clock.now.second)

    async def main(world):
        queue = world.broker.create_queue("orders")
        world.start(tick(world), name="tick")
        await asyncio.sleep(2.5)
        assert queue.receive(wait_time_seconds=5) == []
        queue.send("hello", delay_seconds=2)
        assert [message.body for message in queue.receive(wait_time_seconds=5)] == ["hello"]
        await asyncio.sleep(1.5)

    World().run(main)
    assert told == [1, 2, 9, 10]


def test_outside_of_a_run_the_clock_passes_by_waiting_too():
    world = World()
    queue = world.broker.create_queue("orders")
    assert queue.receive(wait_time_seconds=20) == []
    world.clock.sleep(10)
    assert world.clock.now.second == 30
    assert repr(world.clock) == "<WorldClock 2025-01-01 00:00:30+00:00>"


def test_the_clock_is_not_for_other_event_loops():
    queue = World().aio

    async def main():
        orders = await queue.create_queue("orders")
        await orders.receive(wait_time_seconds=1)

    with pytest.raises(RuntimeError, match=r"world\.run"):
        asyncio.run(main())


# --- chance ---------------------------------------------------------------------------------------------


def test_each_name_has_its_own_stream_of_chance_that_no_other_one_disturbs():
    world, other = World(seed=1), World(seed=1)
    assert world.chance("a") is world.chance("a")
    [other.chance("b").random() for _ in range(10)]
    assert world.chance("a").random() == other.chance("a").random()
    assert World(seed=2).chance("a").random() != World(seed=1).chance("a").random()


def test_the_random_module_is_seeded_within_a_run_and_untouched_outside():
    async def main():
        return random.random()

    random.seed(5)
    before = random.getstate()
    assert simulate(main, seed=1) == simulate(main, seed=1) != simulate(main, seed=2)
    assert random.getstate() == before


# --- the trace ------------------------------------------------------------------------------------------


async def pair(world):
    queue = asyncio.Queue()

    async def take():
        world.record("took", what=await queue.get())

    world.start(take(), name="taker")
    await asyncio.sleep(1)
    queue.put_nowait("apple")
    await asyncio.sleep(1)


def test_the_trace_tells_who_ran_when_and_why():
    world = World(trace=True)
    world.run(pair)
    assert world.trace_text() == (
        "     0.000000 s  main             runs  because=nobody\n"
        "     0.000000 s  taker            runs  because=main\n"
        "     1.000000 s  main             runs  because=time\n"
        "     1.000000 s  taker            runs  because=main\n"
        "     1.000000 s  taker            took  what=apple\n"
        "     2.000000 s  main             runs  because=time\n"
    )


def test_the_trace_tells_what_clients_saw_between_the_decisions():
    async def main(world):
        queue = world.recorder.queue(await world.aio.create_queue("orders"), actor="worker")
        await queue.send("two lamps")
        await world.sleep(1)
        [message] = await queue.receive()
        world.record("paints")
        await queue.delete(message)

    world = World(trace=True)
    world.run(main)
    assert world.trace_text() == (
        "     0.000000 s  main             runs  because=nobody\n"
        "     0.000000 s  worker           send  message=two lamps  resource=orders\n"
        "     1.000000 s  main             runs  because=time\n"
        "     1.000000 s  worker           receive  message=two lamps  resource=orders\n"
        "     1.000000 s  main             paints\n"
        "     1.000000 s  worker           delete  message=two lamps  resource=orders\n"
    )


def test_without_a_trace_nothing_is_kept():
    world = World()
    world.run(pair)
    assert world.trace == []
    assert world.decisions == 5


def test_the_trace_tells_among_whom_was_chosen():
    async def main(world):
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(3)))

    world = World(trace=True)
    world.run(main)
    assert world.trace[1].details["before"].count("sleep-") == 2


# --- what there is not ----------------------------------------------------------------------------------


def test_a_socket_is_an_error_that_says_what_to_do_instead():
    async def main():
        await asyncio.open_connection("localhost", 80)

    with pytest.raises(NotSimulated, match=r"no network.*mock_aws\(clock=world\.clock\)"):
        simulate(main)


def test_another_process_is_an_error():
    async def main():
        await asyncio.create_subprocess_exec("ls")

    with pytest.raises(NotSimulated, match="other processes"):
        simulate(main)


def test_another_thread_that_calls_in_is_an_error():
    import threading

    async def main():
        loop, errors = asyncio.get_running_loop(), []

        def call():
            try:
                loop.call_soon_threadsafe(print)
            except NotSimulated as error:
                errors.append(str(error))

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        return errors

    [told] = simulate(main)
    assert "asyncio.to_thread" in told
