"""The same queues and streams for asyncio.

    queue = AsyncQueue("emails", visibility_timeout=30)         # alone, or around a Queue that is there:
    queue = AsyncQueue(broker.create_queue("emails"))

    await queue.send("hello")
    for message in await queue.receive(wait_time_seconds=20):
        await queue.delete(message)

    async with connect("sqlite:///orders.db") as broker:        # or memory://, or aws://eu-west-1
        orders = await broker.create_queue("orders")

Every operation of `Broker`, `Queue` and `Stream` is here under its own name, with its own
parameters, results and errors, to be awaited.  They are the core's operations, which
take microseconds and are done at once.  Two of them wait, without a thread: a `receive`
with a waiting time, and a subscription to a shard (`async for`).  Where the broker is kept in
a file, all of them wait until what they promise is on disk, many tasks for one sync.

Safe to cancel: a receive that is cancelled has taken nothing, because messages are
taken in the last step, which returns them; and what it was woken for goes to the next
who waits.  What it took and waited to have on disk is given back, and counts as received.
Of a send that is cancelled while it waits for the disk, nobody knows whether it is kept.
"""

from __future__ import annotations

from queuestream.aio.brokers import AsyncBroker
from queuestream.aio.connecting import connect
from queuestream.aio.queues import AsyncQueue, AsyncQueuePage
from queuestream.aio.streams import AsyncStream, AsyncSubscription

__all__ = ["AsyncBroker", "AsyncQueue", "AsyncQueuePage", "AsyncStream", "AsyncSubscription", "connect"]
