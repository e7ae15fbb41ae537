"""A little life of a stream, another one for each seed: producers, an operator who reshards, readers.

Two applications read everything, each in its own time, parents before children.  Readers lose answers,
crash, and go on after the last record that they remember.  They read until nothing is left, so the history
is finished.
"""

import asyncio

from unreliable_calls import NoAnswerCame, Unreliable

from queuestream.lab import World


def play_stream(seed, *, careful=True, delivery="strict"):
    """The history of one life; who is not careful reads children as soon as there are any."""
    world = World(seed, delivery=delivery)
    world.run(StreamLife(world, careful=careful).live)
    return world.history


class StreamLife:
    """What goes on in one world."""

    def __init__(self, world, *, careful):
        self.world, self.careful = world, careful
        self.chance = chance = world.chance("life")
        self.latency = chance.choice([0.0, 0.0, 0.2])
        self.lost = chance.choice([0, 0, 5])
        self.keys = ["a", "b", "c", "d"][: chance.randint(2, 4)]
        self.records = chance.randint(4, 10)
        self.reshards = chance.choice([0, 1, 1, 2])
        self.produced = False

    async def live(self):
        self.stream = await self.world.aio.create_stream("events", shard_count=self.chance.randint(1, 2))
        producers = [
            self.world.start(self.produce(number), name=f"producer-{number}")
            for number in range(self.chance.randint(1, 2))
        ]
        operator = self.world.start(self.operate(), name="operator")
        readers = [
            self.world.start(Reading(self, name).read_everything(), name=name)
            for name in ("billing", "audit")[: self.chance.randint(1, 2)]
        ]
        await asyncio.wait([*producers, operator])
        self.produced = True
        await asyncio.wait(readers)

    def client(self, actor, application=""):
        far = Unreliable(self.stream, self.world.chance(f"network of {actor}"), self.latency, self.lost)
        return self.world.recorder.stream(far, actor=actor, application=application)

    async def produce(self, number):
        actor = f"producer-{number}"
        chance, client = self.world.chance(actor), self.client(actor)
        for count in range(self.records):
            await asyncio.sleep(chance.choice([0, 0.3, 1]))
            names = (
                [f"{number}-{count}"] if chance.random() < 0.7 else [f"{number}-{count}-{i}" for i in "xy"]
            )
            records = [(name.encode(), chance.choice(self.keys)) for name in names]
            while True:
                try:
                    if len(records) == 1:
                        await client.put_record(*records[0])
                    else:
                        await client.put_records(records)
                except NoAnswerCame:
                    if chance.random() < 0.3:
                        break
                    await asyncio.sleep(0.1)
                else:
                    break

    async def operate(self):
        chance = self.world.chance("operator")
        for _ in range(self.reshards):
            await asyncio.sleep(chance.choice([0.5, 2, 4]))
            shards = [
                shard
                for shard in (await self.stream.list_shards()).shards
                if shard.ending_sequence_number is None
            ]
            shards.sort(key=lambda shard: int(shard.hash_key_range[0]))
            if len(shards) > 1 and chance.random() < 0.4:
                await self.stream.merge_shards(shards[0].shard_id, shards[1].shard_id)
            else:
                shard = chance.choice(shards)
                first, last = map(int, shard.hash_key_range)
                await self.stream.split_shard(shard.shard_id, str((first + last) // 2))


class Reading:
    """One application: a reader for each shard, started when the shard's parents are read to their ends."""

    def __init__(self, life, name):
        self.life, self.name = life, name
        self.chance = life.world.chance(name)
        self.started, self.finished = {}, {}
        self.by_hints = self.chance.random() < 0.5

    async def read_everything(self):
        """Look for shards and read them, until there is nothing left."""
        client = self.life.client(f"{self.name}-leader", self.name)
        while True:
            produced = self.life.produced
            try:
                shards = (await client.list_shards()).shards
            except NoAnswerCame:
                continue
            for shard in shards:
                parents = [shard.parent_shard_id, shard.adjacent_parent_shard_id]
                known = {each.shard_id for each in shards}
                ready = all(parent in self.finished for parent in parents if parent in known)
                if shard.shard_id not in self.started and (ready or not self.life.careful):
                    self.start(shard.shard_id)
            if produced and len(self.started) == len(shards):
                await asyncio.gather(*self.started.values())
                return
            await asyncio.sleep(0.5)

    def start(self, shard_id):
        actor = f"{self.name} of {shard_id[-2:]}"
        self.started[shard_id] = asyncio.create_task(self.read(actor, shard_id), name=actor)

    async def read(self, actor, shard_id):
        chance, client = self.life.world.chance(actor), self.life.client(actor, self.name)
        crashes = chance.choice([0, 0, 0.2])
        checkpoint = iterator = None
        patience = 3
        while patience:
            produced = self.life.produced
            try:
                if iterator is None:
                    start = ("TRIM_HORIZON",) if checkpoint is None else ("AFTER_SEQUENCE_NUMBER", checkpoint)
                    iterator = await client.get_shard_iterator(shard_id, *start)
                result = await client.get_records(iterator, limit=chance.choice([1, 2, 10]))
            except NoAnswerCame:
                continue
            iterator = result.next_shard_iterator
            if chance.random() < crashes:
                iterator = None
                continue
            if result.records:
                checkpoint = result.records[-1].sequence_number
            if iterator is None:
                self.finished[shard_id] = True
                return
            if produced and not result.records:
                patience -= 1
            await asyncio.sleep(chance.choice([0.2, 0.5]))
