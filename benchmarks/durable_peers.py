"""Other things that keep a queue on this machine's disk, each as its documentation says.

Where a peer has less than send, receive and delete, it does less here: huey's storage takes an
element out at once, without an acknowledgement, and so does diskcache.  What a peer costs more for no reason
is left out: bodies are given as they are, without pickling or JSON.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pathlib import Path

Cycle = Callable[[Sequence[str]], None]
"""Sends, receives and deletes all of these bodies; from any thread."""

_PATIENCE_SECONDS = 10


@attrs.frozen(kw_only=True)
class DurablePeer:
    """Something that keeps a queue, and how to open it in a folder.

    Args:
        name: As the table calls it.
        needs: The module that has to be installed.
        program: The program that has to be, where there is one.
        opened: Opens a queue in a folder, and gives its cycle.
    """

    name: str
    needs: str
    opened: Callable[[Path], AbstractContextManager[Cycle]]
    program: str | None = None

    def why_not(self) -> str | None:
        """Why it cannot be measured here; None where it can."""
        if find_spec(self.needs) is None:
            return f"{self.needs} is not installed"
        if self.program is not None and shutil.which(self.program) is None:
            return f"no {self.program} here"
        return None


def _huey(*, fsync: bool) -> Callable[[Path], AbstractContextManager[Cycle]]:
    @contextmanager
    def opened(folder: Path) -> Iterator[Cycle]:
        """Huey's SQLite storage: enqueue and dequeue, which removes; there is no acknowledgement."""
        from huey.storage import SqliteStorage

        storage = SqliteStorage("bench", str(folder / "huey.db"), fsync=fsync)

        def cycle(bodies: Sequence[str]) -> None:
            for body in bodies:
                storage.enqueue(body.encode())
            for _ in bodies:
                storage.dequeue()

        yield cycle
        storage.close()

    return opened


@contextmanager
def _litequeue(folder: Path) -> Iterator[Cycle]:
    """Litequeue in a file: put, pop, done."""
    import litequeue

    queue = litequeue.LiteQueue(str(folder / "lite.db"))

    def cycle(bodies: Sequence[str]) -> None:
        for body in bodies:
            queue.put(body)
        for _ in bodies:
            queue.done(queue.pop().message_id)

    yield cycle
    queue.conn.close()


@contextmanager
def _persist_queue(folder: Path) -> Iterator[Cycle]:
    """persist-queue's SQLiteAckQueue: put, get, ack."""
    import persistqueue
    from persistqueue.serializers import json

    queue = persistqueue.SQLiteAckQueue(
        str(folder / "persist"), auto_commit=True, multithreading=True, serializer=json
    )

    def cycle(bodies: Sequence[str]) -> None:
        for body in bodies:
            queue.put(body)
        for _ in bodies:
            queue.ack(queue.get())

    yield cycle
    queue.close()


@contextmanager
def _diskcache(folder: Path) -> Iterator[Cycle]:
    """diskcache's Deque: append, popleft; there is no acknowledgement."""
    import diskcache

    queue = diskcache.Deque(directory=str(folder / "cache"))

    def cycle(bodies: Sequence[str]) -> None:
        for body in bodies:
            queue.append(body)
        for _ in bodies:
            queue.popleft()

    yield cycle
    queue.cache.close()


@contextmanager
def _redis(folder: Path) -> Iterator[Cycle]:
    """A Redis stream with appendfsync always: XADD, XREADGROUP, XACK and XDEL, a pipeline for each step."""
    import redis

    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        _wait_for(client)
        client.xgroup_create("bench", "workers", id="0", mkstream=True)

        def cycle(bodies: Sequence[str]) -> None:
            with client.pipeline(transaction=False) as sends:
                for body in bodies:
                    sends.xadd("bench", {"body": body})
                sends.execute()
            me = str(threading.get_ident())
            read = client.xreadgroup("workers", me, {"bench": ">"}, count=len(bodies))
            messages = read[0][1] if read else []
            if messages:
                with client.pipeline(transaction=False) as removes:
                    removes.xack("bench", "workers", *(message_id for message_id, _ in messages))
                    removes.xdel("bench", *(message_id for message_id, _ in messages))
                    removes.execute()

        yield cycle
        client.close()
    finally:
        server.terminate()
        server.wait(_PATIENCE_SECONDS)


def _wait_for(client: object) -> None:
    import redis

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            client.ping()  # type: ignore[attr-defined]
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


HUEY_FSYNC = DurablePeer(name="huey SQLite, fsync", needs="huey", opened=_huey(fsync=True))
HUEY = DurablePeer(name="huey SQLite, no sync", needs="huey", opened=_huey(fsync=False))
LITEQUEUE = DurablePeer(name="litequeue", needs="litequeue", opened=_litequeue)
PERSIST_QUEUE = DurablePeer(name="persist-queue", needs="persistqueue", opened=_persist_queue)
DISKCACHE = DurablePeer(name="diskcache", needs="diskcache", opened=_diskcache)
REDIS = DurablePeer(name="Redis, appendfsync always", needs="redis", program="redis-server", opened=_redis)
