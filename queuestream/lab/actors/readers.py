"""Readers of streams: workers that share a stream's shards among them, as the Kinesis Client Library does.

An *application* has a lease for each shard, which says who reads it and how far; its *readers* take
leases, each its share, read, work, and write down how far they came (a checkpoint).  A lease that is
not renewed in time goes to somebody else, who begins at the checkpoint: what was read since then is
read again.  A shard's lease is to be had once its parents have been read to their end, so that the
records of a key come in order through every split and merge.

    readers = Application(world, "billing", stream, readers=2, work=Exponential(mean=0.1))
    readers.start()
    ...
    await readers.caught_up()
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
from attrs.validators import and_, ge, le

from queuestream.core.clock import SECOND
from queuestream.core.errors import ExpiredIteratorException
from queuestream.lab.actors.clients import FAILURES, recorded
from queuestream.lab.actors.consumers import Crash
from queuestream.lab.history import WORK, Event

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from queuestream.aio import AsyncStream
    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.core.streams.record import GetRecordsResult, Record
    from queuestream.lab.actors.durations import Duration
    from queuestream.lab.simulation.world import World

_SHARE = and_(ge(0), le(1))


@attrs.define(eq=False)
class Lease:
    """Who reads a shard, and how far it has been read.

    Attributes:
        shard_id: The shard.
        parents: Those it came from.
        owner: The reader that has it; empty where nobody has.
        until_ns: Until when, if it is not renewed.
        checkpoint: The last sequence number that was worked through; None at the shard's beginning.
        is_finished: Whether the shard is closed and was read to its end.
        empty_at_ns: When the last read began that found nothing more in it.
    """

    shard_id: str
    parents: tuple[str, ...]
    owner: str = ""
    until_ns: int = 0
    checkpoint: str | None = None
    is_finished: bool = False
    empty_at_ns: int = 0


@attrs.define(eq=False)
class Application:
    """Readers that share the work of reading one stream.

    Attributes:
        world: Where they live.
        name: What the application is called in the history; its readers are `<name>-1` and so on.
        stream: What they read.
        readers: How many there are.
        work: How long a record takes.
        handle: What they do with a record besides: your own code, under test.
        batch_size: The most records that they ask for at once.
        poll_seconds: How long they wait when there was nothing more.
        lease_seconds: How long a lease is good for if nobody renews it.
        parents_first: Whether a shard waits until its parents have been read; without it, order is lost when
            shards are split and merged.
        crash_rate: How often a reader crashes in the middle of a record, 0 to 1.
        restart_seconds: How long it is gone then.
        stall_rate: How often it stalls after a record, 0 to 1.
        stall_seconds: For how long; longer than its lease, and two readers work at one shard.
        faults: What goes wrong with its calls.
        leases: By shard.
        busy_ns: How long each reader has worked, by name.
        crashes: How often readers crashed.
    """

    world: World
    name: str
    stream: AsyncStream
    readers: int = attrs.field(default=1, validator=ge(1), kw_only=True)
    work: Duration | Callable[[Record], Duration] = attrs.field(kw_only=True)
    handle: Callable[[Record], Awaitable[object]] | None = attrs.field(default=None, kw_only=True)
    batch_size: int = attrs.field(default=100, kw_only=True)
    poll_seconds: float = attrs.field(default=1.0, kw_only=True)
    lease_seconds: float = attrs.field(default=10.0, kw_only=True)
    parents_first: bool = attrs.field(default=True, kw_only=True)
    crash_rate: float = attrs.field(default=0, validator=_SHARE, kw_only=True)
    restart_seconds: float = attrs.field(default=10, validator=ge(0), kw_only=True)
    stall_rate: float = attrs.field(default=0, validator=_SHARE, kw_only=True)
    stall_seconds: float = attrs.field(default=0, validator=ge(0), kw_only=True)
    faults: FaultPlan | None = attrs.field(default=None, kw_only=True)
    leases: dict[str, Lease] = attrs.field(factory=dict, init=False, repr=False)
    busy_ns: dict[str, int] = attrs.field(factory=dict, init=False, repr=False)
    crashes: int = attrs.field(default=0, init=False)

    @property
    def names(self) -> list[str]:
        """What its readers are called."""
        return [f"{self.name}-{number}" for number in range(1, self.readers + 1)]

    def start(self) -> list[asyncio.Task[None]]:
        """Let all readers begin; they read until the world ends."""
        self.busy_ns = dict.fromkeys(self.names, 0)
        readers = [_Reader(self, name) for name in self.names]
        return [self.world.start(reader.run(), name=reader.name) for reader in readers]

    async def caught_up(self, *, limit_seconds: float = 86_400) -> bool:
        """Wait until all that is in the stream now has been worked through; whether it was before the limit.

        Also what was put at this very instant: a read at the same instant may have come before it.  Looks now
        and then, which costs nothing in virtual time.
        """
        since_ns = self.world.clock.now_ns()
        await self.discover()
        for _ in range(round(limit_seconds / self.poll_seconds)):
            if self._is_read_up_to(since_ns):
                return True
            await asyncio.sleep(self.poll_seconds)
        return False

    def _is_read_up_to(self, at_ns: int) -> bool:
        return all(lease.is_finished or lease.empty_at_ns > at_ns for lease in self.leases.values())

    # --- leases ---

    async def discover(self) -> None:
        """Write down the shards that are new."""
        listed = await self.stream.list_shards()
        known = {shard.shard_id for shard in listed.shards}
        for shard in listed.shards:
            parents = (shard.parent_shard_id, shard.adjacent_parent_shard_id)
            present = tuple(parent for parent in parents if parent is not None and parent in known)
            self.leases.setdefault(shard.shard_id, Lease(shard.shard_id, present))

    def take(self, reader: str) -> Lease | None:
        """A lease that is free, for a reader that has less than its share; None where there is none."""
        now_ns = self.world.clock.now_ns()
        ready = [lease for lease in self.leases.values() if self._is_ready(lease)]
        mine = sum(lease.owner == reader for lease in ready)
        if mine * self.readers >= len(ready):
            return None
        for lease in ready:
            if lease.owner != reader and lease.until_ns <= now_ns:
                lease.owner = reader
                self.renew(lease)
                return lease
        return None

    def crashed(self, reader: str) -> None:
        """A reader knows nothing of its leases any more; they are free when their time is over."""
        self.crashes += 1
        for lease in self.leases.values():
            if lease.owner == reader:
                lease.owner = ""

    def renew(self, lease: Lease) -> None:
        """Keep a lease for another while."""
        lease.until_ns = self.world.clock.now_ns() + round(self.lease_seconds * SECOND)

    def _is_ready(self, lease: Lease) -> bool:
        if lease.is_finished:
            return False
        return not self.parents_first or all(self.leases[parent].is_finished for parent in lease.parents)


class _Reader:
    """One of an application's readers: a task that takes leases, and a task for each lease."""

    def __init__(self, application: Application, name: str) -> None:
        self.name = name
        self._application = application
        self._world = application.world
        self._chance: random.Random = self._world.chance(name)
        self._client: Any = recorded(
            self._world, application.stream, name, application=application.name, faults=application.faults
        )

    async def run(self) -> None:
        """Read for ever, and come back after a crash."""
        application = self._application
        while True:
            try:
                async with asyncio.TaskGroup() as shards:
                    while True:
                        await application.discover()
                        while lease := application.take(self.name):
                            self._world.record("takes a lease", reader=self.name, shard=lease.shard_id)
                            shards.create_task(self._read(lease))
                        await asyncio.sleep(application.poll_seconds)
            except* Crash:
                application.crashed(self.name)
            await asyncio.sleep(application.restart_seconds)

    async def _read(self, lease: Lease) -> None:
        """Read a shard from its checkpoint on, until its end or until the lease is somebody else's."""
        application = self._application
        iterator: str | None = None
        while lease.owner == self.name:
            asked_ns = self._world.clock.now_ns()
            try:
                if iterator is None:
                    iterator = await self._seek(lease)
                answer: GetRecordsResult = await self._client.get_records(
                    iterator, limit=application.batch_size
                )
            except ExpiredIteratorException:
                iterator = None
                continue
            except FAILURES:  # too many calls a second, for one: a reader's iterator stays good
                await asyncio.sleep(application.poll_seconds)
                application.renew(lease)
                continue
            for record in answer.records:
                await self._work_at(record)
                if lease.owner != self.name:
                    return
                application.renew(lease)
            if answer.records:
                lease.checkpoint = answer.records[-1].sequence_number
            iterator = answer.next_shard_iterator
            if iterator is None:
                lease.is_finished = True
                await application.discover()
                return
            if not answer.millis_behind_latest:
                lease.empty_at_ns = asked_ns
                await asyncio.sleep(application.poll_seconds)
                application.renew(lease)

    async def _seek(self, lease: Lease) -> str:
        if lease.checkpoint is None:
            iterator: str = await self._client.get_shard_iterator(lease.shard_id, "TRIM_HORIZON")
        else:
            iterator = await self._client.get_shard_iterator(
                lease.shard_id, "AFTER_SEQUENCE_NUMBER", lease.checkpoint
            )
        return iterator

    async def _work_at(self, record: Record) -> None:
        application, chance, started_ns = self._application, self._chance, self._world.clock.now_ns()
        work = application.work
        seconds = (work(record) if callable(work) else work).draw(chance)
        # Each is drawn every time, so that one rate does not change what another one strikes.
        crashes = chance.random() < application.crash_rate
        stalls = chance.random() < application.stall_rate
        try:
            await asyncio.sleep(seconds * chance.random() if crashes else seconds)
            if crashes:
                self._world.record("crashes", reader=self.name, record=repr(record))
                raise Crash
            if application.handle is not None:
                await application.handle(record)
            self._worked_at(record, started_ns)
        finally:
            application.busy_ns[self.name] += self._world.clock.now_ns() - started_ns
        if stalls:
            self._world.record("stalls", reader=self.name, record=repr(record))
            await asyncio.sleep(application.stall_seconds)

    def _worked_at(self, record: Record, started_ns: int) -> None:
        """Tell the history; of a queue's message the delete says it."""
        self._world.history.events.append(
            Event(
                WORK,
                self._world.recorder.name_of(record.data),
                started_ns=started_ns,
                ended_ns=self._world.clock.now_ns(),
                actor=self.name,
                application=self._application.name,
                resource=self._application.stream.name,
                partition_key=record.partition_key,
                shard=record.shard_id,
                sequence_number=record.sequence_number,
            )
        )
