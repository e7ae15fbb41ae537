"""The event loop of a world: what a program may rely on, as on asyncio's own, and what is chosen."""

import asyncio
import contextvars
import logging
import sys
import threading

import pytest

from queuestream.core.errors import DeadlockError
from queuestream.lab import World, simulate


def in_a_world(main, **arguments):
    return simulate(main, **arguments)


async def elapsed():
    return asyncio.get_running_loop().time()


# --- time -----------------------------------------------------------------------------------------------


def test_timers_come_in_the_order_of_their_instants_and_then_of_their_making():
    async def main():
        loop, told = asyncio.get_running_loop(), []
        loop.call_later(2, told.append, "late")
        loop.call_later(1, told.append, "first")
        loop.call_at(1.0, told.append, "second")
        loop.call_later(0, told.append, "now")
        loop.call_at(-5, told.append, "past")
        await asyncio.sleep(2)
        return told

    assert in_a_world(main) == ["now", "past", "first", "second", "late"]


def test_a_timer_says_when_and_can_be_cancelled():
    async def main():
        loop, told = asyncio.get_running_loop(), []
        timer = loop.call_later(1.5, told.append, "never")
        assert timer.when() == 1.5
        assert timer < loop.call_later(2, told.append, "then")
        timer.cancel()
        timer.cancel()
        assert timer.cancelled()
        assert "cancelled" in repr(timer)
        loop.call_soon(told.append, "neither").cancel()
        await asyncio.sleep(3)
        return told

    assert in_a_world(main) == ["then"]


def test_timers_that_were_cancelled_do_not_pile_up():
    async def main():
        loop = asyncio.get_running_loop()
        for _ in range(20_000):
            loop.call_later(1_000, print).cancel()
        await asyncio.sleep(1)
        return len(loop._timers)

    assert in_a_world(main) < 1_100


def test_a_nanosecond_is_a_nanosecond_after_a_month():
    async def main(world):
        await asyncio.sleep(30 * 86_400)
        before_ns = world.now_ns()
        await asyncio.sleep(1e-9)
        assert world.now_ns() - before_ns == 1
        try:
            async with asyncio.timeout(0.000_000_003):
                await asyncio.sleep(1)
        except TimeoutError:
            assert world.now_ns() - before_ns == 4

    World().run(main)


def test_what_has_arrived_when_the_time_is_up_counts_on_every_python():
    """`wait_for` looks at the result first up to Python 3.11, and at the timeout from 3.12 on."""

    async def main(world):
        queue = asyncio.Queue()

        async def put():
            await asyncio.sleep(1)
            queue.put_nowait("just in time")

        world.start(put(), name="put")
        try:
            return await asyncio.wait_for(queue.get(), 1)
        except TimeoutError:
            return "too late"

    found = {World(seed).run(main) for seed in range(20)}
    assert found == {"just in time", "too late"}
    assert len({World(seed).run(main) for seed in [3] * 5}) == 1


def test_who_gives_way_lets_others_have_their_turn():
    async def main():
        told = []

        async def act(name):
            for _ in range(3):
                told.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(act("a"), act("b"))
        return "".join(told)

    # All that there are: six places, of which three are one's.
    assert len({in_a_world(main, seed=seed) for seed in range(200)}) == 20


def test_who_only_gives_way_cannot_hold_up_time():
    async def main():
        flags = []
        asyncio.get_running_loop().call_later(100, flags.append, "up")
        while not flags:  # noqa: ASYNC110 - badly, and on purpose
            await asyncio.sleep(0)
        return await elapsed()

    assert in_a_world(main) == 100


def test_a_thousand_of_giving_way_is_no_deadlock():
    async def main():
        for _ in range(5_000):
            await asyncio.sleep(0)
        return await elapsed()

    assert in_a_world(main) == 0


def test_a_program_that_gives_way_for_ever_is_a_deadlock(monkeypatch):
    from queuestream.lab.simulation import event_loop

    monkeypatch.setattr(event_loop, "_IDLE_TURNS_END", 2_000)

    async def main():
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    with pytest.raises(DeadlockError, match="main waits in"):
        in_a_world(main)


def test_two_that_wake_each_other_for_ever_cannot_hold_up_time(monkeypatch):
    from queuestream.lab.simulation import event_loop

    monkeypatch.setattr(event_loop, "_TURNS_MAX", 1_000)

    async def main(world):
        ping, pong = asyncio.Queue(), asyncio.Queue()

        async def play(take, give):
            while True:
                give.put_nowait(await take.get())

        world.start(play(ping, pong), name="ping")
        world.start(play(pong, ping), name="pong")
        ping.put_nowait("ball")
        await asyncio.sleep(1)

    World().run(main)


def test_callbacks_that_call_themselves_let_others_have_their_turn():
    async def main():
        loop = asyncio.get_running_loop()

        def again():
            loop.call_soon(again)

        again()
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))

    in_a_world(main)


# --- actors ---------------------------------------------------------------------------------------------


def test_tasks_are_named_after_what_they_do_and_counted():
    async def main():
        async def fetch():
            return asyncio.current_task().get_name()

        named = asyncio.create_task(fetch(), name="mine")
        return [await asyncio.create_task(fetch()), await asyncio.create_task(fetch()), await named]

    assert in_a_world(main) == ["fetch-1", "fetch-2", "mine"]


def test_a_set_of_tasks_is_in_the_same_order_each_time():
    async def main():
        tasks = {asyncio.create_task(asyncio.sleep(1), name=str(number)) for number in range(100)}
        done, _ = await asyncio.wait(tasks)
        return [task.get_name() for task in tasks], [task.get_name() for task in done]

    assert in_a_world(main) == in_a_world(main)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="from Python 3.12 on")
def test_eager_tasks_begin_at_once_are_actors_and_their_sets_are_in_order():
    async def main(world):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)

        async def act():
            world.record("began")
            await asyncio.sleep(1)

        tasks = {asyncio.create_task(act(), name=str(number)) for number in range(100)}
        world.record("started them")
        done, _ = await asyncio.wait(tasks)
        assert await asyncio.create_task(elapsed()) == 1
        return [task.get_name() for task in tasks], [task.get_name() for task in done]

    world, again = World(trace=True), World(trace=True)
    assert world.run(main) == again.run(main)
    assert world.trace_text() == again.trace_text()
    own = [entry.actor for entry in world.trace if entry.what != "runs"]
    assert own == [*map(str, range(100)), "main"]


def test_a_context_is_a_tasks_own():
    who = contextvars.ContextVar("who", default="nobody")

    async def main():
        async def name(value):
            who.set(value)
            await asyncio.sleep(1)
            return who.get()

        context = contextvars.copy_context()
        context.run(who.set, "given")
        given = asyncio.create_task(read(), context=context)
        return [*await asyncio.gather(name("a"), name("b")), who.get(), await given]

    async def read():
        await asyncio.sleep(1)
        return who.get()

    assert in_a_world(main) == ["a", "b", "nobody", "given"]


def test_a_task_factory_is_asked():
    async def main():
        loop, made = asyncio.get_running_loop(), []

        def factory(loop, coroutine, **arguments):
            made.append(coroutine.__name__)
            return asyncio.Task(coroutine, loop=loop, **arguments)

        loop.set_task_factory(factory)
        assert loop.get_task_factory() is factory
        await asyncio.create_task(asyncio.sleep(1))
        loop.set_task_factory(None)
        return made

    assert in_a_world(main) == ["sleep"]


# --- threads, generators, signals -----------------------------------------------------------------------


def test_a_thread_is_run_in_a_turn_of_its_own():
    async def main(world):
        queue = world.broker.create_queue("orders")
        queue.send("hello")

        def take():
            [message] = queue.receive(wait_time_seconds=20)
            queue.delete(message)
            return message.body

        def fail():
            raise ValueError("in a thread")

        assert await asyncio.to_thread(take) == "hello"
        with pytest.raises(ValueError, match="in a thread"):
            await asyncio.to_thread(fail)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.to_thread(next, iter(()))
        cancelled = asyncio.get_running_loop().run_in_executor(None, fail)
        cancelled.cancel()
        await asyncio.get_running_loop().shutdown_default_executor()

    World().run(main)


def test_a_thread_has_no_event_loop_and_may_have_one_of_its_own():
    async def main():
        with pytest.raises(RuntimeError, match="no running event loop"):
            await asyncio.to_thread(asyncio.get_running_loop)
        assert await asyncio.to_thread(lambda: asyncio.run(asyncio.sleep(0, "inside"))) == "inside"
        return await elapsed()

    assert in_a_world(main) == 0


def test_a_thread_has_no_context_but_what_it_is_brought():
    who = contextvars.ContextVar("who", default="nobody")

    async def main():
        who.set("main")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, who.get), await asyncio.to_thread(who.get)

    assert in_a_world(main) == asyncio.run(main()) == ("nobody", "main")


def test_whatever_a_thread_raises_is_its_callers():
    class Odd(BaseException):
        pass

    def fail():
        raise Odd

    async def main():
        with pytest.raises(Odd):
            await asyncio.to_thread(fail)
        with pytest.raises(SystemExit):
            await asyncio.to_thread(sys.exit)

    in_a_world(main)


def test_a_thread_may_hand_over_a_coroutine_but_not_block_until_it_is_done():
    async def main():
        loop = asyncio.get_running_loop()

        def hand_over():
            return asyncio.run_coroutine_threadsafe(asyncio.sleep(1, "slept"), loop)

        for block in ("result", "exception"):
            with pytest.raises(DeadlockError, match="run_coroutine_threadsafe can never run"):
                await asyncio.to_thread(lambda block=block: getattr(hand_over(), block)())
        promised = await asyncio.to_thread(hand_over)
        with pytest.raises(TimeoutError):
            promised.result(timeout=0)
        assert await asyncio.wrap_future(promised) == promised.result() == "slept"
        assert promised.exception() is None

    in_a_world(main)


def test_a_deadlock_names_the_threads_that_the_program_has_started():
    go_on = threading.Event()

    async def main():
        threading.Thread(target=go_on.wait, name="fetcher").start()
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match=r"\(fetcher\).*asyncio\.to_thread"):
        in_a_world(main)
    go_on.set()


def test_when_a_thread_runs_is_chosen_too():
    async def main():
        told = []
        await asyncio.gather(*(asyncio.to_thread(told.append, number) for number in range(3)))
        return tuple(told)

    assert len({in_a_world(main, seed=seed) for seed in range(50)}) == 6


def test_an_asynchronous_generator_that_is_left_is_closed():
    closed = []

    async def numbers(name):
        try:
            while True:
                yield name
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(1)
            closed.append(name)

    async def main():
        async for _ in numbers("dropped"):
            break
        await asyncio.sleep(2)
        assert closed == ["dropped"]
        kept = numbers("kept")
        await anext(kept)
        return kept

    in_a_world(main)
    assert closed == ["dropped", "kept"]


def test_a_generator_that_fails_to_close_is_told(caplog):
    async def numbers():
        try:
            yield 1
        finally:
            raise ValueError("closing")

    async def main():
        generator = numbers()
        await anext(generator)
        return generator

    in_a_world(main)
    assert "closing" in caplog.text


def test_signal_handlers_are_taken_and_nobody_sends_signals():
    async def main():
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(15, print)
        return loop.remove_signal_handler(15)

    assert in_a_world(main) is False


# --- what nobody takes ----------------------------------------------------------------------------------


def test_what_a_callback_raises_is_logged_and_the_run_goes_on(caplog):
    async def main():
        def fail():
            raise ValueError("in a callback")

        asyncio.get_running_loop().call_later(1, fail)
        await asyncio.sleep(2)
        return "went on"

    with caplog.at_level(logging.ERROR, "asyncio"):
        assert in_a_world(main) == "went on"
    assert "Exception in <Timer of" in caplog.text
    assert "in a callback" in caplog.text


def test_an_exception_handler_is_told_instead():
    told = []

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: told.append(repr(context["exception"])))
        assert loop.get_exception_handler() is not None
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    in_a_world(main)
    assert told == ["ZeroDivisionError('division by zero')"]


def test_the_loop_as_such():
    async def nothing():
        return "nothing"

    async def main():
        loop = asyncio.get_running_loop()
        assert loop.is_running()
        assert not loop.get_debug()
        with pytest.raises(RuntimeError, match="running"):
            loop.close()

    world = World()
    world.run(main)
    loop = world._loop
    assert repr(loop) == "<SimulatedLoop at 0 s, after 1 decisions>"
    assert loop.run_until_complete(nothing()) == "nothing"
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="before Future completed"):
        loop.run_until_complete(loop.create_future())
    loop.close()
    assert loop.is_closed()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_forever()
