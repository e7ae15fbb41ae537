"""Producers: they send what they are given, at their pace, and again what failed.

A producer keeps its pace whatever the queue does: what was due while it waited for an answer is
sent right after it, as requests that come in from outside would be.

    producer = Producer(world, "shop", queue, messages=orders, pace=Poisson(per_second=5))
    await producer.start()
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
from attrs.validators import ge

from queuestream.aio import AsyncQueue, AsyncStream
from queuestream.core.clock import SECOND
from queuestream.lab.actors.clients import FAILURES, recorded
from queuestream.lab.actors.load import Message, Pace, in_chunks

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.lab.simulation.world import World


@attrs.frozen(kw_only=True)
class Backoff:
    """How long to wait before trying again: twice as long each time, and less by chance ("full jitter").

    Attributes:
        attempts: How often something is tried in all, before the producer gives it up.
        first_seconds: The longest pause before the second attempt.
        longest_seconds: No pause is longer.
    """

    attempts: int = attrs.field(default=10, validator=ge(1))
    first_seconds: float = 0.1
    longest_seconds: float = 10.0

    def pause(self, attempt: int, chance: random.Random) -> float:
        """Seconds to wait after the n-th attempt, counted from 1."""
        longest = min(self.longest_seconds, self.first_seconds * (1 << min(attempt - 1, 30)))
        return chance.random() * longest


@attrs.define(eq=False)
class Producer:
    """One client that sends to a queue or puts into a stream.

    On a FIFO queue a message's key is its group, and its body its deduplication id, so that one which is
    sent again is taken once.  On a stream the key is the partition key.

    Attributes:
        world: Where it lives.
        name: What it is called in the history.
        target: The queue or the stream.
        messages: What it sends, in order.
        pace: When.
        grouped: Whether messages of a standard queue name their key as their group, which makes it fair.
        batch_size: How many go in one call: up to 10 to a queue, up to 500 into a stream.
        backoff: How it tries again what failed.
        in_order: Whether it waits until what failed has been sent before it sends anything else.  One that
            does not lets later messages pass, as most do.
        faults: What goes wrong with its calls.
        given_up: Messages that nobody acknowledged, however often they were sent.
    """

    world: World
    name: str
    target: AsyncQueue | AsyncStream
    messages: Iterable[Message] = attrs.field(kw_only=True, repr=False)
    pace: Pace = attrs.field(kw_only=True)
    grouped: bool = attrs.field(default=False, kw_only=True)
    batch_size: int = attrs.field(default=1, kw_only=True)
    backoff: Backoff = attrs.field(factory=Backoff, kw_only=True)
    in_order: bool = attrs.field(default=True, kw_only=True)
    faults: FaultPlan | None = attrs.field(default=None, kw_only=True)
    given_up: list[Message] = attrs.field(factory=list, init=False)
    _chance: random.Random = attrs.field(init=False, repr=False)
    _client: Any = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._chance = self.world.chance(self.name)
        self._client = recorded(self.world, self.target, self.name, faults=self.faults)

    def start(self) -> asyncio.Task[None]:
        """Let it begin; the task ends when everything was sent, or given up."""
        return self.world.start(self.run(), name=self.name)

    async def run(self) -> None:
        """Send everything."""
        clock, pauses = self.world.clock, self.pace.pauses(self._chance)
        due_ns = clock.now_ns()
        async with asyncio.TaskGroup() as later:
            for chunk in in_chunks(self.messages, self.batch_size):
                due_ns += sum(round(next(pauses) * SECOND) for _ in chunk)
                if (early_ns := due_ns - clock.now_ns()) > 0:
                    await asyncio.sleep(early_ns / SECOND)
                failed = await self._send(chunk)
                if failed and self.in_order:
                    await self._send_again(failed)
                elif failed:
                    later.create_task(self._send_again(failed))

    async def _send_again(self, messages: list[Message]) -> None:
        for attempt in range(1, self.backoff.attempts):
            await asyncio.sleep(self.backoff.pause(attempt, self._chance))
            messages = await self._send(messages)
            if not messages:
                return
        self.given_up += messages

    async def _send(self, messages: list[Message]) -> list[Message]:
        """Send these in one call; gives those of which no acknowledgement came."""
        try:
            if isinstance(self.target, AsyncStream):
                return await self._put(messages)
            return await self._send_to_queue(messages)
        except FAILURES:
            return messages

    async def _send_to_queue(self, messages: list[Message]) -> list[Message]:
        entries = [{"id": str(place), **self._labels(message)} for place, message in enumerate(messages)]
        if len(entries) == 1:
            [entry] = entries
            del entry["id"]
            await self._client.send(entry.pop("message_body"), **entry)
            return []
        result = await self._client.send_batch(entries)
        return [message for place, message in enumerate(messages) if str(place) in result.failed]

    def _labels(self, message: Message) -> dict[str, Any]:
        labels: dict[str, Any] = {"message_body": message.body}
        if isinstance(self.target, AsyncQueue) and self.target.is_fifo:
            labels |= {"message_group_id": message.key or "all", "message_deduplication_id": _id_of(message)}
        elif self.grouped:
            labels["message_group_id"] = message.key
        return labels

    async def _put(self, messages: list[Message]) -> list[Message]:
        if len(messages) == 1:
            [message] = messages
            await self._client.put_record(message.body.encode(), message.key or message.body)
            return []
        entries = [(message.body.encode(), message.key or message.body) for message in messages]
        answer = await self._client.put_records(entries)
        if not answer.failed_record_count:
            return []
        return [
            message
            for message, put in zip(messages, answer.records, strict=True)
            if put.error_code is not None
        ]


def _id_of(message: Message) -> str:
    """A deduplication id has no spaces."""
    return message.body.replace(" ", "#")
