"""A little life of a queue, another one for each seed: producers, consumers, dead letters, and trouble.

Everybody goes on until nothing is left, so the history is finished.  What the producers and consumers do is
drawn from the seed: how many there are, how long they work, how often they crash, give back, ask for more
time, repeat a send, and lose an answer.
"""

import asyncio
from contextlib import suppress

from unreliable_calls import NoAnswerCame, Unreliable

from queuestream.core.errors import QueuestreamError
from queuestream.lab import World

TROUBLE = (NoAnswerCame, QueuestreamError)
PATIENCE = 20  # seconds; longer than any visibility timeout here


def play_queue(seed, *, fifo, delivery="strict"):
    """The history of one life."""
    world = World(seed, delivery=delivery)
    world.run(QueueLife(world, fifo=fifo).live)
    return world.history


class QueueLife:
    """What goes on in one world."""

    def __init__(self, world, *, fifo):
        self.world, self.fifo = world, fifo
        self.chance = chance = world.chance("life")
        self.latency = chance.choice([0.0, 0.0, 0.3])
        self.lost = chance.choice([0, 0, 5])
        self.delay = chance.choice([0, 0, 0, 2])
        self.visibility_timeout = chance.randint(2, 8)
        self.max_receive_count = chance.choice([None, 2, 3])
        self.redrives = self.max_receive_count is not None and chance.random() < 0.3
        self.groups = ["a", "b", "c"][: chance.randint(1, 3)]
        self.messages = chance.randint(3, 8)

    async def live(self):
        aio, chance = self.world.aio, self.chance
        kind = {"fifo_queue": True} if self.fifo else {}
        name = "work.fifo" if self.fifo else "work"
        settings = dict(kind, visibility_timeout=self.visibility_timeout, delay_seconds=self.delay)
        self.dead = None
        if self.max_receive_count is not None:
            self.dead = await aio.create_queue(f"dead-{name}", **kind, visibility_timeout=5)
            settings["redrive_policy"] = {
                "deadLetterTargetArn": self.dead.arn,
                "maxReceiveCount": self.max_receive_count,
            }
        self.queue = await aio.create_queue(name, **settings)
        producers = [
            self.world.start(self.produce(number), name=f"producer-{number}")
            for number in range(chance.randint(1, 2))
        ]
        consumers = [
            self.world.start(self.consume(number), name=f"consumer-{number}")
            for number in range(chance.randint(1, 3))
        ]
        await asyncio.wait(producers)
        self.produced = True
        await asyncio.wait(consumers)
        await self.drain()

    produced = False

    def client(self, actor, queue):
        far = Unreliable(queue, self.world.chance(f"network of {actor}"), self.latency, self.lost)
        return self.world.recorder.queue(far, actor=actor)

    # --- producers ---

    async def produce(self, number):
        actor = f"producer-{number}"
        chance, client = self.world.chance(actor), self.client(actor, self.queue)
        for count in range(self.messages):
            await asyncio.sleep(chance.choice([0, 0.5, 2]))
            body = f"{number}-{count}"
            more = {}
            if self.fifo:
                more = {"message_group_id": chance.choice(self.groups), "message_deduplication_id": body}
            await self.send(client, chance, body, more)
            if self.fifo and chance.random() < 0.3:
                # Once more, within the five minutes in which it is the same message, or after them.
                await asyncio.sleep(chance.choice([0, 1, 1, 301]))
                await self.send(client, chance, body, more)

    async def send(self, client, chance, body, more):
        """Try until there is an answer, or give up."""
        while True:
            try:
                return await client.send(body, **more)
            except NoAnswerCame:
                if chance.random() < 0.3:
                    return None
                await asyncio.sleep(0.1)

    # --- consumers ---

    async def consume(self, number):
        actor = f"consumer-{number}"
        chance, client = self.world.chance(actor), self.client(actor, self.queue)
        crashes = chance.choice([0, 0.1, 0.3])
        while True:
            finished = self.produced
            try:
                messages = await client.receive(
                    max_number_of_messages=chance.choice([1, 1, 3]),
                    wait_time_seconds=chance.choice([PATIENCE, PATIENCE, 0]) if not finished else PATIENCE,
                )
            except TROUBLE:
                continue
            if not messages:
                if finished:
                    return
                await asyncio.sleep(0.2)
            for message in messages:
                await self.work(client, chance, message, crashes)

    async def work(self, client, chance, message, crashes):
        fate = chance.random()
        await asyncio.sleep(chance.choice([0, 0.5, 1, self.visibility_timeout]))
        try:
            if fate < crashes:
                return
            if fate < crashes + 0.1:
                await client.change_visibility(message, 0)
                return
            if fate < crashes + 0.2:
                await client.change_visibility(message, chance.randint(1, 8))
                await asyncio.sleep(0.5)
            await client.delete(message)
        except TROUBLE:
            return

    # --- at the end ---

    async def drain(self):
        """Whoever cleans up, goes on until nothing comes any more."""
        self.lost = 0
        if self.dead is not None:
            if self.redrives:
                dead = self.world.recorder.queue(self.dead, actor="operator")
                await dead.start_message_move_task()
                await asyncio.sleep(1)
                await self.clean(self.queue)
            await self.clean(self.dead)
            if self.redrives:
                await self.clean(self.queue)
                await self.clean(self.dead)
        await self.clean(self.queue)

    async def clean(self, queue):
        client = self.client("cleaner", queue)
        while messages := await client.receive(wait_time_seconds=PATIENCE):
            with suppress(QueuestreamError):  # a broken queue may have it no more
                await client.delete(messages[0])
