"""Consumers of queues: they receive, work, and delete; and sometimes they fail, stall or die.

    Consumer.start_several(world, "worker", queue, 3, work=Exponential(mean=2), crash_rate=0.01)

A consumer that crashes leaves what it had in its hands, and comes back a while later; a stalled one
(a long garbage collection, a laptop that sleeps) goes on as if no time had passed, and deletes what
meanwhile may be somebody else's.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

import attrs
from attrs.validators import and_, ge, in_, le

from queuestream.core.clock import SECOND
from queuestream.lab.actors.clients import FAILURES, recorded

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from queuestream.aio import AsyncQueue
    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.core.queues.message import ReceivedMessage
    from queuestream.lab.actors.durations import Duration
    from queuestream.lab.simulation.world import World

_PAUSE_SECONDS = 1.0
_SHARE = and_(ge(0), le(1))


class Crash(Exception):
    """The program is gone, and everything that it had in memory; a consumer's own code may raise it, too."""


class Failure(Exception):
    """The work could not be done this time; the message is to come again."""


@attrs.define(eq=False)
class Consumer:
    """One client that works through a queue's messages.

    Attributes:
        world: Where it lives.
        name: What it is called in the history.
        queue: Where it receives.
        application: Consumers of one name share the work.
        work: How long a message takes; or a function that says so for each message.
        handle: What it does with a message besides taking that long: your own code, under test.
        concurrency: How many calls it works on at once.
        batch_size: How many messages it asks for, 1 to 10; it works through them one by one.
        wait_time_seconds: How long a receive waits for a message, 0 to 20.
        visibility_timeout: In seconds; the queue's where None.
        heartbeat_seconds: How often it hides what it holds for another visibility timeout; 0 for never.
        failure_rate: How often the work fails, 0 to 1.
        give_back_seconds: After how long a message that failed may come again; None for when its visibility
            timeout passes.
        crash_rate: How often it crashes in the middle of the work, 0 to 1.
        restart_seconds: How long it is gone then.
        stall_rate: How often it stalls when the work is done and before it deletes, 0 to 1.
        stall_seconds: For how long.
        faults: What goes wrong with its calls.
        finished: The bodies it has worked through, in order, also those that it could not delete any more.
        busy_ns: How long it has worked.
        longest_ns: How long the longest work took, stalls included.
        crashes: How often it crashed.
    """

    world: World
    name: str
    queue: AsyncQueue
    application: str = attrs.field(default="", kw_only=True)
    work: Duration | Callable[[ReceivedMessage], Duration] = attrs.field(kw_only=True)
    handle: Callable[[ReceivedMessage], Awaitable[object]] | None = attrs.field(default=None, kw_only=True)
    concurrency: int = attrs.field(default=1, validator=ge(1), kw_only=True)
    batch_size: int = attrs.field(default=1, validator=in_(range(1, 11)), kw_only=True)
    wait_time_seconds: int = attrs.field(default=20, kw_only=True)
    visibility_timeout: int | None = attrs.field(default=None, kw_only=True)
    heartbeat_seconds: float = attrs.field(default=0, validator=ge(0), kw_only=True)
    failure_rate: float = attrs.field(default=0, validator=_SHARE, kw_only=True)
    give_back_seconds: int | None = attrs.field(default=None, kw_only=True)
    crash_rate: float = attrs.field(default=0, validator=_SHARE, kw_only=True)
    restart_seconds: float = attrs.field(default=10, validator=ge(0), kw_only=True)
    stall_rate: float = attrs.field(default=0, validator=_SHARE, kw_only=True)
    stall_seconds: float = attrs.field(default=0, validator=ge(0), kw_only=True)
    faults: FaultPlan | None = attrs.field(default=None, kw_only=True)
    finished: list[str] = attrs.field(factory=list, init=False, repr=False)
    busy_ns: int = attrs.field(default=0, init=False)
    longest_ns: int = attrs.field(default=0, init=False)
    crashes: int = attrs.field(default=0, init=False)
    _chance: random.Random = attrs.field(init=False, repr=False)
    _client: Any = attrs.field(init=False, repr=False)
    _keeps_order: bool = attrs.field(init=False, repr=False)
    _stalled_until_ns: int = attrs.field(default=0, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._chance = self.world.chance(self.name)
        self._client = recorded(
            self.world, self.queue, self.name, application=self.application, faults=self.faults
        )
        self._keeps_order = self.queue.is_fifo

    @classmethod
    def start_several(
        cls, world: World, name: str, queue: AsyncQueue, count: int, **settings: Any
    ) -> list[Self]:
        """Let so many begin, called `<name>-1` and so on; the settings are attributes of each."""
        consumers = [cls(world, f"{name}-{number}", queue, **settings) for number in range(1, count + 1)]
        for consumer in consumers:
            consumer.start()
        return consumers

    def start(self) -> asyncio.Task[None]:
        """Let it begin; it works until the world ends."""
        return self.world.start(self.run(), name=self.name)

    async def run(self) -> None:
        """Work for ever, and come back after a crash."""
        while True:
            try:
                if self.concurrency == 1:
                    await self._work_on()
                else:
                    async with asyncio.TaskGroup() as at_once:
                        for _ in range(self.concurrency):
                            at_once.create_task(self._work_on())
            except* Crash:
                self.crashes += 1
            await asyncio.sleep(self.restart_seconds)

    async def _work_on(self) -> None:
        while True:
            try:
                messages = await self._client.receive(
                    max_number_of_messages=self.batch_size,
                    visibility_timeout=self.visibility_timeout,
                    wait_time_seconds=self.wait_time_seconds,
                )
            except FAILURES:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if messages:
                await self._work_through(messages)
            elif not self.wait_time_seconds:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _work_through(self, messages: list[ReceivedMessage]) -> None:
        in_hand = list(messages)
        failed_groups = set()
        async with self._heartbeats(in_hand):
            for message in messages:
                # Who went on with a group after a failure would do its next message before this one.
                if self._keeps_order and message.message_group_id in failed_groups:
                    await self._give_back(message)
                elif not await self._work_at(message):
                    failed_groups.add(message.message_group_id)
                in_hand.remove(message)

    async def _work_at(self, message: ReceivedMessage) -> bool:
        """Work at one message; whether it could be done."""
        chance, started_ns = self._chance, self.world.clock.now_ns()
        seconds = (self.work(message) if callable(self.work) else self.work).draw(chance)
        # Each is drawn every time, so that one rate does not change what another one strikes.
        crashes = chance.random() < self.crash_rate
        fails = chance.random() < self.failure_rate
        stalls = chance.random() < self.stall_rate
        try:
            await asyncio.sleep(seconds * chance.random() if crashes else seconds)
            if crashes:
                self._tell("crashes", message)
                raise Crash
            if self.handle is not None:
                await self.handle(message)
        except Failure:
            fails = True
        finally:
            self.busy_ns += self.world.clock.now_ns() - started_ns
        if fails:
            self._tell("fails", message)
            await self._give_back(message)
            return False
        self.finished.append(message.body)
        if stalls:
            self._tell("stalls", message)
            self._stalled_until_ns = self.world.clock.now_ns() + round(self.stall_seconds * SECOND)
            await asyncio.sleep(self.stall_seconds)
        self.longest_ns = max(self.longest_ns, self.world.clock.now_ns() - started_ns)
        with suppress(*FAILURES):  # it is somebody else's by now, or the answer was lost
            await self._client.delete(message)
        return True

    async def _give_back(self, message: ReceivedMessage) -> None:
        if self.give_back_seconds is not None:
            with suppress(*FAILURES):
                await self._client.change_visibility(message, self.give_back_seconds)

    @asynccontextmanager
    async def _heartbeats(self, in_hand: Sequence[ReceivedMessage]) -> AsyncIterator[None]:
        """Hide what is in hand again and again, while the block runs."""
        if not self.heartbeat_seconds:
            yield
            return
        beating = asyncio.create_task(self._beat(in_hand))
        try:
            yield
        finally:
            beating.cancel()

    async def _beat(self, in_hand: Sequence[ReceivedMessage]) -> None:
        timeout = self.visibility_timeout
        if timeout is None:
            timeout = self.queue.attributes.visibility_timeout
        while True:
            await asyncio.sleep(self.heartbeat_seconds)
            if self.world.clock.now_ns() < self._stalled_until_ns:
                continue
            for message in list(in_hand):
                with suppress(*FAILURES):
                    await self._client.change_visibility(message, timeout)

    def _tell(self, what: str, message: ReceivedMessage) -> None:
        self.world.record(what, consumer=self.name, message=message.body)
