"""A program that uses much of asyncio; it prints its history and trace, to be compared between processes.

python everything_of_asyncio.py [SEED [together]]
"""

import asyncio
import random
import sys

from queuestream.lab import Event, World


class Program:
    def __init__(self, world):
        self.world = world
        self.told = []

    def tell(self, what, *more):
        world = self.world
        self.told.append(what)
        message = " ".join(map(str, (what, *more)))
        world.history.events.append(Event("note", message, started_ns=world.now_ns()))

    # --- one way of waiting each ---

    async def work(self, name, seconds=0.0):
        for _ in range(random.randrange(3)):
            await asyncio.sleep(0)
        await asyncio.sleep(seconds)
        self.tell("worked", name, round(asyncio.get_running_loop().time(), 6))
        return name

    async def failing(self, name):
        await asyncio.sleep(0.5)
        raise ValueError(name)

    async def forever(self, name):
        try:
            await asyncio.Event().wait()
        finally:
            self.tell("ended", name)

    async def wait_fors(self):
        queue = asyncio.Queue()

        async def put(number):
            await asyncio.sleep(number)
            await queue.put(number)

        async def get(name, seconds):
            for _ in range(3):
                try:
                    self.tell("got", name, await asyncio.wait_for(queue.get(), seconds))
                except TimeoutError:
                    self.tell("timed out", name)

        getters = [get(f"getter-{number}", number * 0.75 + 0.5) for number in range(4)]
        await asyncio.gather(*getters, *(put(number) for number in range(5)))
        for timeout in (0, None, 1):
            try:
                self.tell("waited", await asyncio.wait_for(self.work("quick"), timeout))
            except TimeoutError:
                self.tell("too slow", timeout)

    async def timeouts(self):
        try:
            async with asyncio.timeout(1.5) as timeout:
                await self.work("in time", 1)
                timeout.reschedule(asyncio.get_running_loop().time() + 2)
                await self.forever("out of time")
        except TimeoutError:
            self.tell("timeout")

    async def groups(self):
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(5):
                    group.create_task(
                        self.work(f"in a group {number}", number % 3 / 4), name=f"grouped {number}"
                    )
                group.create_task(self.failing("group"))
                group.create_task(self.forever("in a group"))
        except* ValueError as errors:
            self.tell("group failed", len(errors.exceptions))

    async def gathering(self):
        found = await asyncio.gather(
            *(self.work(f"gathered {number}", number % 2) for number in range(5)),
            self.failing("gathered"),
            return_exceptions=True,
        )
        self.tell("gathered", *map(repr, found))

    async def completing(self):
        for done in asyncio.as_completed(
            [self.work(f"completed {number}", number % 3) for number in range(7)]
        ):
            self.tell("completed", await done)
        try:
            for done in asyncio.as_completed(
                [self.work(f"late {number}", number) for number in range(5)], timeout=2.5
            ):
                self.tell("completed", await done)
        except TimeoutError:
            self.tell("some were late")

    async def waiting(self):
        tasks = [asyncio.create_task(self.work(f"waited {number}", number % 4)) for number in range(10)]
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            self.tell("done", *(task.result() for task in done))
            self.tell("pending", *(task.get_name() for task in pending))
        futures = [asyncio.get_running_loop().create_future() for _ in range(5)]
        for number, future in enumerate(futures):
            asyncio.get_running_loop().call_later(1, future.set_result, number)
        done, _ = await asyncio.wait(futures)
        self.tell("futures", *sorted(future.result() for future in done))

    async def locks(self):
        lock, condition, semaphore = asyncio.Lock(), asyncio.Condition(), asyncio.Semaphore(2)
        event, barrier = asyncio.Event(), asyncio.Barrier(4)
        held = []

        async def use(name):
            await barrier.wait()
            async with lock:
                self.tell("has the lock", name)
                await asyncio.sleep(0.1)
            async with semaphore:
                self.tell("is one of two", name)
                await asyncio.sleep(random.random())
            await event.wait()
            async with condition:
                await condition.wait_for(lambda: len(held) >= 2)
                self.tell("was told", name)

        async def tell():
            await asyncio.sleep(5)
            event.set()
            for number in range(3):
                await asyncio.sleep(1)
                async with condition:
                    held.append(number)
                    condition.notify_all()

        await asyncio.gather(*(use(f"user-{number}") for number in range(4)), tell())

    async def shielding(self):
        inner = asyncio.create_task(self.work("shielded", 2))
        outer = asyncio.create_task(asyncio.wait_for(asyncio.shield(inner), 1))
        try:
            await outer
        except TimeoutError:
            self.tell("outer timed out", inner.done())
        self.tell("inner", await inner)

    async def cancelling(self):
        tasks = [
            asyncio.create_task(self.forever(f"cancelled {number}"), name="victim") for number in range(5)
        ]
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        self.tell("cancelled", *(await asyncio.gather(*tasks, return_exceptions=True)))
        itself = asyncio.current_task()
        itself.cancel()
        try:
            await asyncio.sleep(3)
        except asyncio.CancelledError:
            itself.uncancel()
            self.tell("cancelled itself")

    async def generators(self):
        async def numbers(name):
            try:
                for number in range(100):
                    yield number
                    await asyncio.sleep(0.3)
            finally:
                self.tell("closed", name)

        async for number in numbers("left"):
            if number == 3:
                break
        kept = numbers("kept")
        self.tell("first", await anext(kept))
        self.kept = kept

    async def threads(self):
        def blocking(name):
            self.world.clock.sleep(0.7)
            return name

        self.tell("threads", *(await asyncio.gather(*(asyncio.to_thread(blocking, n) for n in range(3)))))

    async def queues(self):
        aio = self.world.aio
        queue = await aio.create_queue("orders")
        fifo = await aio.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)

        async def produce(name):
            chance = self.world.chance(name)
            for number in range(10):
                await queue.send(f"{name} {number}")
                await fifo.send(f"{name} {number}", message_group_id=name)
                await asyncio.sleep(chance.expovariate(2))

        async def consume(name, queue):
            while True:
                for message in await queue.receive(wait_time_seconds=20, max_number_of_messages=3):
                    await asyncio.sleep(0.25)
                    if self.world.chance(name).random() < 0.8:
                        await queue.delete(message)
                        self.tell(name, message.body, message.message_id)

        for number in range(3):
            self.world.start(consume(f"standard-{number}", queue), name=f"standard-{number}")
            self.world.start(consume(f"fifo-{number}", fifo), name=f"fifo-{number}")
        await asyncio.gather(*(produce(f"producer-{number}") for number in range(3)))
        await asyncio.sleep(100)

    async def streams(self):
        stream = await self.world.aio.create_stream("events", shard_count=2)
        await asyncio.sleep(60)

        async def read(shard):
            iterator = await stream.get_shard_iterator(shard.shard_id, "TRIM_HORIZON")
            while iterator is not None:
                got = await stream.get_records(iterator, limit=3)
                for record in got.records:
                    self.tell("read", record.data.decode(), record.sequence_number)
                iterator = got.next_shard_iterator
                await asyncio.sleep(0.5)

        for shard in (await stream.list_shards()).shards:
            self.world.start(read(shard), name=f"reader of {shard.shard_id}")
        for number in range(20):
            await stream.put_record(f"record {number}".encode(), f"key {number % 5}")
            await asyncio.sleep(random.random())
        await asyncio.sleep(10)

    async def spinning(self):
        flags = []
        asyncio.get_running_loop().call_later(3, flags.append, 1)
        while not flags:  # noqa: ASYNC110 - badly, and on purpose
            await asyncio.sleep(0)
        self.tell("spun")


async def alone(world):
    """Each of them by itself."""
    program = Program(world)
    for way in (
        program.wait_fors,
        program.timeouts,
        program.groups,
        program.gathering,
        program.completing,
        program.waiting,
        program.locks,
        program.shielding,
        program.cancelling,
        program.generators,
        program.threads,
        program.queues,
        program.streams,
        program.spinning,
    ):
        program.tell("alone", way.__name__)
        await way()


async def together(world):
    """Many of them at once."""
    program = Program(world)
    await asyncio.gather(
        program.wait_fors(),
        program.groups(),
        program.completing(),
        program.waiting(),
        program.locks(),
        program.shielding(),
        program.generators(),
    )


if __name__ == "__main__":
    world = World(sys.argv[1] if len(sys.argv) > 1 else 7, trace=True)
    if "together" not in sys.argv:
        world.run(alone)
    world.run(together)
    sys.stdout.write(world.history.to_json_lines())
    sys.stdout.write(world.trace_text())
