"""Calls that take their time, and of which some get no answer: a network between a client and its queue."""

import asyncio


class NoAnswerCame(ConnectionError):
    """The client gave up waiting; what it asked for may have been done."""


class Unreliable:
    """A queue or stream behind a network.

    Args:
        target: What the calls go to.
        chance: What decides how long they are under way, and which get lost.
        latency: The longest that a request or an answer is under way, in seconds.
        lost: How many of a hundred requests and answers get lost.
    """

    def __init__(self, target, chance, latency=0.0, lost=0):
        self._target, self._chance = target, chance
        self._latency, self._lost = latency, lost

    def __getattr__(self, name):
        return getattr(self._target, name)

    async def _far_away(self, call, *arguments, **named):
        chance = self._chance
        trouble = chance.randrange(100) < self._lost
        if self._latency:
            await asyncio.sleep(self._latency * chance.random())
        if trouble and chance.random() < 0.5:
            raise NoAnswerCame("the request was lost")
        answer = await call(*arguments, **named)
        if self._latency:
            await asyncio.sleep(self._latency * chance.random())
        if trouble:
            raise NoAnswerCame("the answer was lost")
        return answer

    async def send(self, *arguments, **named):
        return await self._far_away(self._target.send, *arguments, **named)

    async def send_batch(self, *arguments, **named):
        return await self._far_away(self._target.send_batch, *arguments, **named)

    async def receive(self, *arguments, **named):
        return await self._far_away(self._target.receive, *arguments, **named)

    async def delete(self, *arguments, **named):
        return await self._far_away(self._target.delete, *arguments, **named)

    async def delete_batch(self, *arguments, **named):
        return await self._far_away(self._target.delete_batch, *arguments, **named)

    async def change_visibility(self, *arguments, **named):
        return await self._far_away(self._target.change_visibility, *arguments, **named)

    async def put_record(self, *arguments, **named):
        return await self._far_away(self._target.put_record, *arguments, **named)

    async def put_records(self, *arguments, **named):
        return await self._far_away(self._target.put_records, *arguments, **named)

    async def get_records(self, *arguments, **named):
        return await self._far_away(self._target.get_records, *arguments, **named)

    async def get_shard_iterator(self, *arguments, **named):
        return await self._far_away(self._target.get_shard_iterator, *arguments, **named)

    async def list_shards(self, *arguments, **named):
        return await self._far_away(self._target.list_shards, *arguments, **named)
