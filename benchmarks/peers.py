"""Other libraries that hold a queue in the memory of a Python process.

Each peer is its own library's nearest to "send one, receive one, delete one", written as
its documentation writes it, with what would slow it down for no reason left out (no JSON
around a body that is text already).  A peer that is not installed is said to be missing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import metadata
from typing import Any

import attrs

Cycle = Callable[[Sequence[str]], None]
"""Sends, receives and deletes each of the bodies, one after the other."""


@attrs.frozen(kw_only=True)
class Peer:
    """A library, and how to make a queue of it.

    Args:
        name: As the table calls it.
        package: The distribution that has to be installed.
        opened: Opens a queue that holds so many messages, and gives its cycle.
        cycles: Units in a slice, few where one takes long.
        times_faster: How much faster we mean to be; None where the figure is for information.
        backlogs: Numbers of waiting messages between which its cost is compared, if it is.
        cycles_at_a_backlog: Units in a slice of that comparison.
    """

    name: str
    package: str
    opened: Callable[[Sequence[str]], AbstractContextManager[Cycle]]
    cycles: int
    times_faster: float | None
    backlogs: tuple[int, int] | None
    cycles_at_a_backlog: int

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        try:
            metadata.distribution(self.package)
        except metadata.PackageNotFoundError:
            return False
        return True


@contextmanager
def _kombu_simple(waiting: Sequence[str]) -> Iterator[Cycle]:
    """Kombu's memory transport through its simple interface: put, get, acknowledge."""
    import kombu

    with kombu.Connection("memory://") as connection, connection.SimpleQueue("bench") as queue:

        def cycle(bodies: Sequence[str]) -> None:
            for body in bodies:
                queue.put(body)
                message = queue.get()
                _ = message.payload  # Kombu decodes a body when it is asked for.
                message.ack()

        for body in waiting:
            queue.put(body)
        yield cycle
        queue.clear()


@contextmanager
def _kombu_producer(waiting: Sequence[str]) -> Iterator[Cycle]:
    """Kombu's memory transport a floor lower: a producer, and a queue asked for one message."""
    import kombu

    with kombu.Connection("memory://") as connection, connection.channel() as channel:
        queue = kombu.Queue("bench")(channel)
        queue.declare()
        producer = kombu.Producer(channel)

        def cycle(bodies: Sequence[str]) -> None:
            for body in bodies:
                producer.publish(body, routing_key="bench")
                message = queue.get()
                _ = message.payload
                message.ack()

        for body in waiting:
            producer.publish(body, routing_key="bench")
        yield cycle
        queue.purge()


@contextmanager
def _litequeue(waiting: Sequence[str]) -> Iterator[Cycle]:
    """Litequeue in memory: put, pop, done."""
    import litequeue

    queue = litequeue.LiteQueue(memory=True)

    def cycle(bodies: Sequence[str]) -> None:
        for body in bodies:
            queue.put(body)
            queue.done(queue.pop().message_id)

    for body in waiting:
        queue.put(body)
    yield cycle
    queue.conn.close()


@contextmanager
def _moto(waiting: Sequence[str]) -> Iterator[Cycle]:
    """Moto's SQS, through boto3: SendMessage, ReceiveMessage, DeleteMessage."""
    import boto3
    import moto

    # Moto refuses to be used with credentials that could be real, and boto3 to work without any.
    made_up = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with contextlib.ExitStack() as stack:
        before = {name: os.environ.get(name) for name in made_up}
        stack.callback(_restore, before)
        os.environ.update(made_up)
        stack.enter_context(moto.mock_aws())
        client: Any = boto3.client("sqs", region_name="us-east-1")
        url = client.create_queue(QueueName="bench")["QueueUrl"]

        def cycle(bodies: Sequence[str]) -> None:
            for body in bodies:
                client.send_message(QueueUrl=url, MessageBody=body)
                [message] = client.receive_message(QueueUrl=url)["Messages"]
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

        for first in range(0, len(waiting), 10):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(waiting[first : first + 10])
            ]
            client.send_message_batch(QueueUrl=url, Entries=entries)
        yield cycle


def _restore(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


PEERS = (
    Peer(
        name="kombu, SimpleQueue",
        package="kombu",
        opened=_kombu_simple,
        cycles=500,
        times_faster=4,
        backlogs=(1_000, 100_000),
        cycles_at_a_backlog=100,
    ),
    Peer(
        name="kombu, Producer",
        package="kombu",
        opened=_kombu_producer,
        cycles=500,
        times_faster=None,
        backlogs=None,
        cycles_at_a_backlog=0,
    ),
    Peer(
        name="litequeue",
        package="litequeue",
        opened=_litequeue,
        cycles=500,
        times_faster=4,
        backlogs=(1_000, 10_000),
        cycles_at_a_backlog=10,
    ),
    Peer(
        name="moto SQS by boto3",
        package="moto",
        opened=_moto,
        cycles=10,
        times_faster=250,
        backlogs=(100, 1_000),
        cycles_at_a_backlog=3,
    ),
)
